// SPDX-License-Identifier: BSD-3-Clause
/*
 * element_case.h -- the cases of a .test file
 *
 * A file is a list of blocks, separated by empty lines; a block is a title in a comment
 * and steps "key: value" in the order in which they are carried out. docs/testing.md
 * describes them.
 */

#ifndef TESTS_ELEMENT_CASE_H
#define TESTS_ELEMENT_CASE_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum step_kind {
    STEP_GRAPH,   /* load this configuration */
    STEP_INSTALL, /* exchange the running one for this */
    STEP_ERROR,   /* the graph or install before is refused with this text */
    STEP_WARNING, /* ... is accepted with this text */
    STEP_IN,      /* packets to interface `port` */
    STEP_OUT,     /* packets that came out of interface `port` since last asked */
    STEP_COUNT,   /* "b.short 1, b.long 0" */
    STEP_READ,    /* handler, blank, its text */
    STEP_WRITE,   /* handler, blank, value */
    STEP_FAIL, /* the same, " | ", part of the error: a write, or a read of "handler |" */
    STEP_TIME,    /* let time pass */
    STEP_RUN,     /* run so many rounds, not until nothing moves */
    STEP_CONSOLE, /* console text since last asked */
    STEP_PULL, /* the inputs of this case are pulled from; "both": the case runs twice */
};

struct step {
    enum step_kind kind;
    unsigned port;
    char *text; /* owned */
    uint32_t line;
    size_t column; /* where the text begins */
};

struct element_case {
    char *title; /* owned */
    uint32_t line;
    struct step *steps; /* owned */
    size_t n_steps;
};

struct element_cases {
    struct element_case *cases; /* owned */
    size_t n;
};

enum { CASE_MAX_PORTS = 8 };

/* Read all cases of a text. Returns 0, or -1 with errors that carry the line. */
int element_cases_parse(struct element_cases *c, const char *text, const char *file,
                        struct diag *d);
void element_cases_fini(struct element_cases *c);

/* The graph with the declarations that `in`, `in1`, `out0` ... stand for put in front, a
 * heap string. `pull`: inputs are pulled from, through a SimpleQueue. */
char *element_case_graph(const char *graph, bool pull);

#endif
