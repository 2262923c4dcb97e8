// SPDX-License-Identifier: BSD-3-Clause
/*
 * trace_sample.h -- SAMPLE, the probability with which a packet of a trace is emitted
 *
 * A member of an element's state, of type uint64_t, fixed point.
 */

#ifndef ENGINE_OS_TRACE_SAMPLE_H
#define ENGINE_OS_TRACE_SAMPLE_H

#include "engine/element.h"

enum { TRACE_SAMPLE_BITS = 28 };
#define TRACE_SAMPLE_ONE (UINT64_C(1) << TRACE_SAMPLE_BITS)

#define TRACE_SAMPLE_ARG(state, member)                                                \
    {                                                                                  \
        .name = "SAMPLE", .kind = ARG_KIND_CUSTOM, .def = "1",                         \
        .offset = offsetof(struct state, member), .parse = trace_sample_parse,         \
        .help = "probability of a packet"                                              \
    }
int trace_sample_parse(struct element *e, const char *text, void *member,
                       struct diag *d);
/* From configure(): bring it down to 1, and warn of what is odd. */
void trace_sample_check(uint64_t *sample, struct diag *d);

/* Draw whether a packet is emitted. */
static inline bool trace_sample_takes(struct element *e, uint64_t sample)
{
    return sample >= TRACE_SAMPLE_ONE ||
           (element_random(e) & (TRACE_SAMPLE_ONE - 1)) < sample;
}

#define TRACE_SAMPLE_HANDLER(state, member)                                            \
    {                                                                                  \
        .name = "sampling_prob", .help = "probability of a packet",                    \
        .flags = HANDLER_READ, .offset = offsetof(struct state, member),               \
        .read = trace_sample_read                                                      \
    }
int trace_sample_read(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d);

#endif
