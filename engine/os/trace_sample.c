// SPDX-License-Identifier: BSD-3-Clause
/* trace_sample.c -- the probability of a packet of a trace: see trace_sample.h */

#include "engine/os/trace_sample.h"

#include "engine/unparse.h"

int trace_sample_parse(struct element *e, const char *text, void *member,
                       struct diag *d)
{
    return parse_real_fixed(text, TRACE_SAMPLE_BITS, member)
               ? 0
               : diag_err(d, "parse error");
}

void trace_sample_check(uint64_t *sample, struct diag *d)
{
    if (*sample > TRACE_SAMPLE_ONE) {
        diag_warn(d, "SAMPLE probability reduced to 1");
        *sample = TRACE_SAMPLE_ONE;
    } else if (!*sample) {
        diag_warn(d, "SAMPLE probability is 0; emitting no packets");
    }
}

int trace_sample_read(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const uint64_t *sample = (const void *)((const uint8_t *)element_state(e) +
                                            h->offset);
    char buf[UNPARSE_ROOM];

    sbuf_puts(out, unparse_fixed(*sample, TRACE_SAMPLE_BITS, buf));
    return 0;
}
