// SPDX-License-Identifier: BSD-3-Clause
/* element_step.h -- carrying out the steps of one case; for element_run.c */

#ifndef TESTS_ELEMENT_STEP_H
#define TESTS_ELEMENT_STEP_H

#include "base/sbuf.h"
#include "tests/backend.h"
#include "tests/element_case.h"

struct case_run {
    const struct backend *backend;
    void *ctx; /* of the back-end */
    const char *file;
    bool pull;
    bool failed, loaded, console_seen;
    const char *skipped; /* why; NULL: is not */
    struct sbuf report;  /* what to print above FAIL */
};

void step_run(struct case_run *run, const struct element_case *c, size_t i);

/* At the end: no packet and no console text that no step asked about. */
void step_check_nothing_left(struct case_run *run, const struct element_case *c);

__attribute__((format(printf, 3, 4))) void
case_fail(struct case_run *run, uint32_t line, const char *fmt, ...);

#endif
