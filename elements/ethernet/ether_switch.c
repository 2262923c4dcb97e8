// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherSwitch -- a learning Ethernet switch
 *
 * Usage:    EtherSwitch([keyword TIMEOUT])
 * Ports:    any number in, as many out; push
 * Args:     TIMEOUT  time that an address stays known, default 300s; 0: learn nothing
 * Handlers: table    (r) "ETH port" lines
 *           timeout  (rw) as TIMEOUT, in seconds
 * Example:  s :: EtherSwitch; FromDevice(0) -> [0]s[0] -> ToDevice(0);
 *           FromDevice(1) -> [1]s[1] -> ToDevice(1);
 * See also: EtherMirror, Hub
 *
 * A packet goes to the port where its destination was last heard, or to all others when
 * that is not known or is a group. What is known moves to the next configuration if that
 * has as many ports.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

#include <stdlib.h>

struct ether_switch_entry {
    uint64_t key; /* address << 16 | port + 1; 0: free */
    int64_t seen_ns;
};

struct ether_switch {
    struct ether_switch_entry *v; /* heap: grows, and moves to the next configuration */
    uint32_t n, room;             /* room: a power of two */
    int64_t timeout_ns;
};

enum { FIRST_ROOM = 64, MAX_ROOM = 1 << 20 };

static const struct arg_spec ether_switch_args[] = {
    ARG_TIME(ether_switch, timeout_ns, "TIMEOUT", 0, "300",
             "time that an address stays known"),
    ARG_END,
};

static uint64_t ether_switch_key(const struct ether_addr *a)
{
    return (uint64_t)be32(load32(a->b)) << 32 | (uint64_t)be16(load16(a->b + 4)) << 16;
}

static struct ether_switch_entry *ether_switch_slot(const struct ether_switch *s,
                                                    uint64_t key)
{
    uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 40);

    for (;; i++) {
        struct ether_switch_entry *x = &s->v[i & (s->room - 1)];
        if (!x->key || (x->key ^ key) >> 16 == 0)
            return x;
    }
}

/* Twice the room, without what is out of date. */
static void ether_switch_grow(struct ether_switch *s, int64_t now)
{
    struct ether_switch bigger = {.room = s->room ? s->room * 2 : FIRST_ROOM};

    bigger.room = bigger.room > MAX_ROOM ? MAX_ROOM : bigger.room;
    bigger.v = calloc(bigger.room, sizeof *bigger.v);
    if (!bigger.v)
        return;
    for (uint32_t i = 0; i < s->room; i++)
        if (s->v[i].key && s->v[i].seen_ns + s->timeout_ns > now) {
            *ether_switch_slot(&bigger, s->v[i].key) = s->v[i];
            bigger.n++;
        }
    free(s->v);
    s->v = bigger.v;
    s->n = bigger.n;
    s->room = bigger.room;
}

static void ether_switch_learn(struct ether_switch *s, const struct ether_addr *from,
                               unsigned port, int64_t now)
{
    struct ether_switch_entry *x;

    if (4 * s->n >= 3 * s->room)
        ether_switch_grow(s, now);
    if (4 * s->n >= 3 * s->room) /* full: a flood of addresses, or no memory */
        return;
    x = ether_switch_slot(s, ether_switch_key(from));
    s->n += !x->key;
    x->key = ether_switch_key(from) | (port + 1);
    x->seen_ns = now;
}

/* The port for an address, -1 if it is not known. */
static int ether_switch_port(const struct ether_switch *s, const struct ether_addr *to,
                             int64_t now)
{
    const struct ether_switch_entry *x;

    if (!s->room || ether_is_group(to))
        return -1;
    x = ether_switch_slot(s, ether_switch_key(to));
    if (!x->key || x->seen_ns + s->timeout_ns <= now)
        return -1;
    return (int)(x->key & 0xffff) - 1;
}

static void ether_switch_flood(struct element *e, unsigned from, struct pkt *p)
{
    unsigned last = e->n_out;

    while (last && (last - 1 == from))
        last--;
    for (unsigned i = 0; i + 1 < last; i++) {
        struct pkt *q = i == from ? NULL : pkt_clone(p);
        if (q)
            out_push_one(e, i, q);
    }
    if (last)
        out_push_one(e, last - 1, p);
    else
        pkt_free(p);
}

static void ether_switch_push(struct element *e, unsigned port, struct batch *b)
{
    struct ether_switch *s = element_state(e);
    int64_t now = element_coarse_now(e);

    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i];
        const struct eth_hdr *h = (const void *)p->data;
        struct ether_addr dst;
        int to = -1;

        if (p->len < sizeof *h) {
            pkt_free(p);
            continue;
        }
        dst = h->dst;
        if (s->timeout_ns) {
            struct ether_addr src = h->src;
            ether_switch_learn(s, &src, port, now);
            to = ether_switch_port(s, &dst, now);
        }
        if (to < 0)
            ether_switch_flood(e, port, p);
        else if ((unsigned)to == port || to >= e->n_out)
            pkt_free(p); /* they hear each other already */
        else
            out_push_one(e, (unsigned)to, p);
    }
}

static void ether_switch_take_state(struct element *e, struct element *old)
{
    struct ether_switch *s = element_state(e), *o = element_state(old);

    if (e->n_out != old->n_out)
        return;
    s->v = o->v;
    s->n = o->n;
    s->room = o->room;
    o->v = NULL;
    o->n = o->room = 0;
}

static void ether_switch_cleanup(struct element *e)
{
    struct ether_switch *s = element_state(e);

    free(s->v);
    s->v = NULL;
    s->n = s->room = 0;
}

static int ether_switch_table(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d)
{
    const struct ether_switch *s = element_state(e);
    char text[64];

    for (uint32_t i = 0; i < s->room; i++) {
        uint64_t key = s->v[i].key;
        struct ether_addr a;
        for (unsigned j = 0; j < 6; j++)
            a.b[j] = (uint8_t)(key >> (56 - 8 * j));
        if (key)
            sbuf_printf(out, "%s %u\n", unparse_ether(&a, text),
                        (unsigned)(key & 0xffff) - 1);
    }
    return 0;
}

static int ether_switch_read_timeout(struct element *e, const struct handler_spec *h,
                                     const char *param, struct sbuf *out,
                                     struct diag *d)
{
    const struct ether_switch *s = element_state(e);

    sbuf_printf(out, "%llu", (unsigned long long)(s->timeout_ns / 1000000000));
    return 0;
}

static int ether_switch_write_timeout(struct element *e, const struct handler_spec *h,
                                      const char *value, size_t len, struct diag *d)
{
    struct ether_switch *s = element_state(e);
    int64_t ns;

    if (!parse_time(value, &ns) || ns < 0)
        return diag_err(d, "expected timeout (integer)");
    s->timeout_ns = ns;
    return 0;
}

static const struct handler_spec ether_switch_handlers[] = {
    HANDLER_READER(ether_switch_table, "table", "\"ETH port\" lines"),
    {.name = "timeout",
     .help = "time that an address stays known",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .read = ether_switch_read_timeout,
     .write = ether_switch_write_timeout},
    HANDLER_END,
};

ELEMENT(EtherSwitch) = {
    .name = "EtherSwitch",
    .state_size = sizeof(struct ether_switch),
    .ports = "-/=",
    .processing = "h/h",
    .flow = "#/[^#]",
    .args = ether_switch_args,
    .handlers = ether_switch_handlers,
    .take_state = ether_switch_take_state,
    .cleanup = ether_switch_cleanup,
    .push = ether_switch_push,
};
