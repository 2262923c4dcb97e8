// SPDX-License-Identifier: BSD-3-Clause
/* stride.c -- ports that take turns by tickets: see stride.h */

#include "engine/stride.h"

enum { STRIDE_ONE = 1 << 16 };

static bool pass_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

/* Put a port into the order, before its equals. */
static void stride_insert(struct stride *s, uint32_t port)
{
    uint32_t at = s->n_order++;
    uint32_t first = 0;

    while (first < at &&
           pass_after(s->ports[port].pass, s->ports[s->order[first]].pass))
        first++;
    memmove(s->order + first + 1, s->order + first, (at - first) * sizeof(uint32_t));
    s->order[first] = port;
}

static void stride_remove(struct stride *s, uint32_t port)
{
    uint32_t at = 0;

    while (at < s->n_order && s->order[at] != port)
        at++;
    if (at == s->n_order)
        return;
    s->n_order--;
    memmove(s->order + at, s->order + at + 1, (s->n_order - at) * sizeof(uint32_t));
}

static void stride_set(struct stride_port *p, uint32_t tickets)
{
    p->tickets = tickets;
    p->stride = tickets ? STRIDE_ONE / tickets : 0;
}

static int stride_parse(const char *text, int i, uint32_t *tickets, struct diag *d)
{
    int64_t v;

    if (!parse_i64(text, 0, &v))
        return diag_err(d, "argument %d should be number of tickets (integer)", i);
    if (v < 0)
        return diag_err(d, "argument %d (number of tickets) must be >= 0", i);
    if (v > STRIDE_MAX_TICKETS) {
        diag_warn(d, "input %d's tickets reduced to %d", i, STRIDE_MAX_TICKETS);
        v = STRIDE_MAX_TICKETS;
    }
    *tickets = (uint32_t)v;
    return 0;
}

int stride_configure(struct element *e, struct stride *s, struct conf *c, uint32_t n,
                     const char *port_kind, struct diag *d)
{
    int rc = 0;

    if ((uint32_t)c->argc != n)
        return diag_err(d, "need %u arguments, one per %s port", n, port_kind);
    s->ports = element_alloc(e, (n + 1) * sizeof(struct stride_port));
    s->order = element_alloc(e, (n + 1) * sizeof(uint32_t));
    if (!s->ports || !s->order)
        return diag_err(d, "out of memory");
    s->n = n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t tickets = 0;

        if (stride_parse(c->argv[i], (int)i, &tickets, d) < 0)
            rc = -1;
        stride_set(&s->ports[i], tickets);
        s->ports[i].pass = s->ports[i].stride;
    }
    /* From behind, so that equals stand in the order of the ports. */
    for (uint32_t i = n; i-- > 0;)
        if (s->ports[i].tickets)
            stride_insert(s, i);
    return rc;
}

void stride_took(struct stride *s, uint32_t n)
{
    uint32_t left = s->n_order - n;

    /* Turn the order round, then put the first ones back in one by one. */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t port = s->order[0];

        memmove(s->order, s->order + 1, (s->n_order - 1) * sizeof(uint32_t));
        s->order[s->n_order - 1] = port;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t port = s->order[left + i];

        s->ports[port].pass += s->ports[port].stride;
        s->n_order = left + i;
        stride_insert(s, port);
    }
}

int stride_read_tickets(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d)
{
    const struct stride *s = element_state(e);

    if ((uint32_t)h->user >= s->n)
        return diag_err(d, "port %d out of range", (int)h->user);
    sbuf_printf(out, "%u", s->ports[h->user].tickets);
    return 0;
}

int stride_write_tickets(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    struct stride *s = element_state(e);
    uint32_t port = (uint32_t)h->user, was;
    int64_t tickets;

    if (!parse_i64(value, 0, &tickets) || tickets < INT32_MIN || tickets > INT32_MAX)
        return diag_err(d, "tickets value must be integer");
    if (port >= s->n)
        return diag_err(d, "port %u out of range", port);
    if (tickets < 0)
        return diag_err(d, "number of tickets must be >= 0");
    if (tickets > STRIDE_MAX_TICKETS) {
        diag_warn(d, "port %u's tickets reduced to %d", port, STRIDE_MAX_TICKETS);
        tickets = STRIDE_MAX_TICKETS;
    }
    was = s->ports[port].tickets;
    stride_set(&s->ports[port], (uint32_t)tickets);
    /* A port with tickets before and now keeps its turn; the next ones come anew. */
    if (was && !tickets) {
        stride_remove(s, port);
    } else if (!was && tickets) {
        s->ports[port].pass = s->n_order
                                  ? s->ports[s->order[0]].pass + s->ports[port].stride
                                  : 0;
        stride_insert(s, port);
    }
    return 0;
}

int stride_read_config(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d)
{
    const struct stride *s = element_state(e);

    for (uint32_t i = 0; i < s->n; i++)
        sbuf_printf(out, "%s%u", i ? ", " : "", s->ports[i].tickets);
    return 0;
}
