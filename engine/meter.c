// SPDX-License-Identifier: BSD-3-Clause
/* meter.c -- choosing an output by the current rate: see meter.h */

#include "engine/meter.h"

#include "engine/unparse.h"

/* Packets a second are read like bytes a second, as Click's Meter does. */
static int meter_parse(const char *text, int i, uint64_t before, uint64_t *rate,
                       struct diag *d)
{
    uint64_t number;

    if (!parse_bandwidth(text, rate))
        return diag_err(d, "argument %d syntax error", i + 1);
    if (i > 0 && *rate <= before)
        return diag_err(d, "rate %d must be > rate %d", i + 1, i);
    if (*rate && parse_real_fixed(text, 0, &number))
        diag_warn(d, "no units for bandwidth argument %d, assuming Bps", i + 1);
    return 0;
}

int meter_configure(struct element *e, struct conf *c, bool bytes, struct diag *d)
{
    struct meter *s = element_state(e);
    uint64_t rate = 0, before, top = (uint64_t)UINT32_MAX;

    if (c->argc == 0)
        return diag_err(d, "too few arguments to BandwidthMeter(bandwidth, ...)");
    s->bytes = bytes;
    ewma_init(&s->rate, EWMA_PACKET_BITS);
    s->limits = element_alloc(e, (size_t)c->argc * sizeof(uint64_t));
    if (!s->limits)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++) {
        before = rate;
        if (meter_parse(c->argv[i], i, before, &rate, d) < 0)
            return -1;
        if (rate > top)
            return diag_err(d, "rate %d too large (max %u)", i + 1, (unsigned)top);
        s->limits[i] = (rate << EWMA_PACKET_BITS) / EWMA_PER_S;
    }
    s->n = (uint32_t)c->argc;
    if (s->n + 1 != e->n_out)
        return diag_err(d,
                        "need %d arguments, one less than the number of output ports",
                        (int)e->n_out - 1);
    return 0;
}

/* The rate moves once a millisecond at most: a batch goes one way. */
void meter_push(struct element *e, unsigned port, struct batch *b)
{
    struct meter *s = element_state(e);
    uint64_t n = s->bytes ? batch_bytes(b, 0) : b->n;
    unsigned output = 0;

    ewma_update(&s->rate, element_coarse_now(e), n);
    while (output < s->n && s->rate.average >= s->limits[output])
        output++;
    out_push(e, output, b);
}

int meter_read_rate(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d)
{
    struct meter *s = element_state(e);
    char buf[UNPARSE_ROOM];

    ewma_update(&s->rate, element_now(e), 0); /* idle time counts */
    sbuf_puts(out, unparse_fixed(ewma_rate_fixed(&s->rate), s->rate.bits, buf));
    return 0;
}

int meter_read_meters(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct meter *s = element_state(e);
    char buf[UNPARSE_ROOM];

    for (uint32_t i = 0; i < s->n; i++)
        sbuf_puts(out, unparse_fixed(s->limits[i] * EWMA_PER_S, s->rate.bits, buf));
    return 0;
}
