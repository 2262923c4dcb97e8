// SPDX-License-Identifier: BSD-3-Clause
/* ether_switch.c -- learning where Ethernet addresses are: see ether_switch.h */

#include "engine/ether_switch.h"

#include <stdlib.h>

struct ether_switch_entry {
    uint64_t key; /* address << 16 | port + 1; 0: free */
    int64_t seen_ns;
};

enum { FIRST_ROOM = 64, MAX_ROOM = 1 << 20 };

/* When an entry that is out of date was seen. It stays, for others lie behind it. */
#define GONE INT64_MIN

/* Timestamps are the packets', and may be anything. */
static bool is_fresh(const struct ether_switch *s, const struct ether_switch_entry *x,
                     int64_t now)
{
    return x->seen_ns != GONE &&
           (int64_t)((uint64_t)now - (uint64_t)x->seen_ns) < s->timeout_ns;
}

static uint64_t key_of(const struct ether_addr *a)
{
    return (uint64_t)be32(load32(a->b)) << 32 | (uint64_t)be16(load16(a->b + 4)) << 16;
}

static struct ether_switch_entry *slot_of(const struct ether_switch *s, uint64_t key)
{
    uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 40);

    for (;; i++) {
        struct ether_switch_entry *x = &s->v[i & (s->room - 1)];
        if (!x->key || (x->key ^ key) >> 16 == 0)
            return x;
    }
}

/* Twice the room, without what is out of date. */
static void grow(struct ether_switch *s, int64_t now)
{
    struct ether_switch bigger = {.room = s->room ? s->room * 2 : FIRST_ROOM};

    bigger.room = bigger.room > MAX_ROOM ? MAX_ROOM : bigger.room;
    bigger.v = calloc(bigger.room, sizeof *bigger.v);
    if (!bigger.v)
        return;
    for (uint32_t i = 0; i < s->room; i++)
        if (s->v[i].key && is_fresh(s, &s->v[i], now)) {
            *slot_of(&bigger, s->v[i].key) = s->v[i];
            bigger.n++;
        }
    free(s->v);
    s->v = bigger.v;
    s->n = bigger.n;
    s->room = bigger.room;
}

static void learn(struct ether_switch *s, const struct ether_addr *from, unsigned port,
                  int64_t now)
{
    struct ether_switch_entry *x;

    if (4 * s->n >= 3 * s->room)
        grow(s, now);
    if (4 * s->n >= 3 * s->room) /* full: a flood of addresses, or no memory */
        return;
    x = slot_of(s, key_of(from));
    s->n += !x->key;
    x->key = key_of(from) | (port + 1);
    x->seen_ns = now;
}

static int find_port(struct ether_switch *s, const struct ether_addr *to, int64_t now)
{
    struct ether_switch_entry *x;

    if (!s->room || ether_is_group(to))
        return -1;
    x = slot_of(s, key_of(to));
    if (x->key && is_fresh(s, x, now))
        return (int)(x->key & 0xffff) - 1;
    x->seen_ns = GONE;
    return -1;
}

int ether_switch_port(struct element *e, unsigned port, const struct pkt *p)
{
    struct ether_switch *s = element_state(e);
    struct eth_hdr h;

    if (p->len < sizeof h)
        return -2;
    if (!s->timeout_ns)
        return -1;
    memcpy(&h, p->data, sizeof h);
    learn(s, &h.src, port, p->timestamp);
    return find_port(s, &h.dst, p->timestamp);
}

void ether_switch_flood(struct element *e, unsigned from, struct pkt *p)
{
    unsigned last = from == 0 ? 1 : 0; /* the output that gets `p` itself */

    for (unsigned i = e->n_out; i-- > last + 1;) {
        struct pkt *q = i == from ? NULL : pkt_clone(p);

        if (q)
            out_push_one(e, i, q);
    }
    if (last < e->n_out)
        out_push_one(e, last, p);
    else
        pkt_free(p);
}

void *ether_switch_cast(struct element *e, const char *kind)
{
    return strcmp(kind, "EtherSwitch") == 0 ? element_state(e) : NULL;
}

void ether_switch_take_state(struct element *e, struct element *old)
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

void ether_switch_cleanup(struct element *e)
{
    struct ether_switch *s = element_state(e);

    free(s->v);
    s->v = NULL;
    s->n = s->room = 0;
}

/* An entry and its place in Click's hash table, whose order `table` keeps. */
struct listed {
    uint64_t bucket, key;
    int64_t seen_ns;
};

static int compare_listed(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;

    if (a->bucket != b->bucket)
        return a->bucket < b->bucket ? -1 : 1;
    return (a->seen_ns < b->seen_ns) - (a->seen_ns > b->seen_ns); /* newest first */
}

static struct ether_addr address_of(uint64_t key)
{
    struct ether_addr a;

    for (unsigned i = 0; i < 6; i++)
        a.b[i] = (uint8_t)(key >> (56 - 8 * i));
    return a;
}

/* Click computes with int, in the byte order of this machine. */
static uint64_t click_hash(uint64_t key)
{
    struct ether_addr a = address_of(key);
    uint32_t high = (uint32_t)load16(a.b + 2) << 16;

    return (uint64_t)(int64_t)(int32_t)((load16(a.b + 4) | high) ^ (uint32_t)load16(a.b)
                                                                       << 9);
}

static int read_table(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct ether_switch *s = element_state(e);
    struct listed *v = malloc((s->n + 1) * sizeof *v);
    uint64_t buckets =
        63; /* doubled, and one more, when there are two entries for each */
    uint32_t n = 0;
    char text[64];

    if (!v)
        return diag_err(d, "out of memory");
    while (s->n > 2 * buckets)
        buckets = 2 * buckets + 1;
    for (uint32_t i = 0; i < s->room; i++)
        if (s->v[i].key && s->v[i].seen_ns != GONE)
            v[n++] = (struct listed){click_hash(s->v[i].key) % buckets, s->v[i].key,
                                     s->v[i].seen_ns};
    qsort(v, n, sizeof *v, compare_listed);
    for (uint32_t i = 0; i < n; i++) {
        struct ether_addr a = address_of(v[i].key);

        sbuf_printf(out, "%s %u\n", unparse_ether(&a, text),
                    (unsigned)(v[i].key & 0xffff) - 1);
    }
    free(v);
    return 0;
}

static int read_timeout(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d)
{
    const struct ether_switch *s = element_state(e);

    sbuf_printf(out, "%llu", (unsigned long long)(s->timeout_ns / 1000000000));
    return 0;
}

static int write_timeout(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    struct ether_switch *s = element_state(e);
    int64_t ns;

    if (!parse_time(value, &ns) || ns < 0)
        return diag_err(d, "expected timeout (integer)");
    s->timeout_ns = ns;
    return 0;
}

const struct handler_spec ether_switch_handlers[] = {
    HANDLER_READER(read_table, "table", "\"ETH port\" lines"),
    {.name = "timeout",
     .help = "time that an address stays known",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .read = read_timeout,
     .write = write_timeout},
    HANDLER_END,
};
