// SPDX-License-Identifier: BSD-3-Clause
/*
 * sink.c -- a port that takes all packets, counts them, and reads what a generator wrote
 *           into them: what is missing, what came late, how long it took
 */

#include "switch/plane.h"
#include "switch/probe.h"

#include <stdlib.h>
#include <sys/random.h>

struct flow {
    uint32_t key; /* stream << 16 | flow */
    bool used;
    uint64_t next; /* sequence number that should come next */
    uint64_t missing;
};

struct sink {
    struct port port;
    struct flow *flows; /* owned; hash table */
    uint32_t n_slots, max_flows;
    uint64_t seed;
    struct sink_report seen;
};

static unsigned bucket_of(uint64_t ns)
{
    unsigned top;

    if (ns < 8)
        return (unsigned)ns;
    top = 63u - (unsigned)__builtin_clzll(ns);
    return (top - 2) * 8 + ((ns >> (top - 3)) & 7);
}

uint64_t backplane_latency_ns(unsigned bucket)
{
    if (bucket < 8)
        return bucket;
    return (uint64_t)(8 + bucket % 8) << (bucket / 8 - 1);
}

uint64_t backplane_latency_quantile(const struct sink_report *r, double share)
{
    double want = share * (double)r->latency_count, have = 0;

    for (unsigned i = 0; i < SINK_BUCKETS; i++) {
        have += (double)r->latency[i];
        if (have >= want && have > 0)
            return backplane_latency_ns(i + 1) - 1 < r->latency_max_ns
                       ? backplane_latency_ns(i + 1) - 1
                       : r->latency_max_ns;
    }
    return r->latency_max_ns;
}

/* NULL when the table is full. */
static struct flow *find_flow(struct sink *s, uint32_t key)
{
    /* Seeded: a sender must not be able to make us search long. */
    uint64_t h = (key ^ s->seed) * 0x9e3779b97f4a7c15ull;
    uint32_t at = (uint32_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9ull >> 32) &
                  (s->n_slots - 1);

    while (s->flows[at].used && s->flows[at].key != key)
        at = (at + 1) & (s->n_slots - 1);
    if (!s->flows[at].used) {
        if (s->seen.flows == s->max_flows)
            return NULL;
        s->flows[at].used = true;
        s->flows[at].key = key;
        s->seen.flows++;
    }
    return &s->flows[at];
}

static void follow(struct sink *s, const struct probe *p)
{
    uint64_t known = s->seen.flows;
    struct flow *f = find_flow(s, (uint32_t)p->stream << 16 | p->flow);

    if (!f) {
        s->seen.untracked++;
    } else if (known != s->seen.flows || p->sequence == f->next) {
        f->next = p->sequence + 1; /* a flow counts from the first that we see */
    } else if (p->sequence > f->next) {
        f->missing += p->sequence - f->next;
        s->seen.lost += p->sequence - f->next;
        f->next = p->sequence + 1;
    } else {
        s->seen.reordered++;
        if (f->missing > 0) { /* not lost after all; else it came twice */
            f->missing--;
            s->seen.lost--;
        }
    }
}

static void measure(struct sink *s, uint64_t sent, uint64_t now)
{
    uint64_t ns = now > sent ? now - sent : 0;

    if (s->seen.latency_count++ == 0 || ns < s->seen.latency_min_ns)
        s->seen.latency_min_ns = ns;
    if (ns > s->seen.latency_max_ns)
        s->seen.latency_max_ns = ns;
    s->seen.latency_sum_ns += ns;
    s->seen.latency[bucket_of(ns)]++;
}

/* Where a probe may be, behind a VLAN tag and IP options too; 0: this is not UDP. */
static uint32_t probe_at(const uint8_t *h, uint32_t len)
{
    uint32_t at = 14;

    if (len < 64)
        return 0;
    if (h[12] == 0x81 && h[13] == 0)
        at = 18;
    if (h[at - 2] != 8 || h[at - 1] != 0 || h[at] >> 4 != 4 || h[at + 9] != 17)
        return 0;
    return at + (h[at] & 15u) * 4 + 8;
}

static void take(struct sink *s, const struct frame *f, uint64_t now)
{
    struct probe p;
    uint32_t at = probe_at(f->data, f->len);

    s->seen.packets++;
    s->seen.bytes += f->total;
    if (at == 0 || at + sizeof p > f->len) {
        s->seen.foreign++;
        return;
    }
    memcpy(&p, f->data + at, sizeof p);
    if (p.magic != PROBE_MAGIC) {
        s->seen.foreign++;
        return;
    }
    follow(s, &p);
    measure(s, p.sent_ns, now);
}

static void sink_tx(struct port *port, struct worker *w, const struct frame *frames,
                    const uint16_t *list, unsigned n)
{
    struct sink *s = (struct sink *)port;
    uint64_t now = plane_clock_ns(), bytes = s->seen.bytes;

    (void)w;
    for (unsigned i = 0; i < n; i++)
        take(s, &frames[list[i]], now);
    if (s->seen.first_ns == 0)
        s->seen.first_ns = now;
    s->seen.last_ns = now;
    count_add(&port->count.out_packets, n);
    count_add(&port->count.out_bytes, s->seen.bytes - bytes);
}

void sink_report_fill(struct port *p, struct sink_report *report)
{
    *report = ((struct sink *)p)->seen;
}

/* Flows begin anew with what comes next. */
void sink_reset(struct port *p)
{
    struct sink *s = (struct sink *)p;

    s->seen = (struct sink_report){0};
    memset(s->flows, 0, s->n_slots * sizeof *s->flows);
}

static void sink_free(struct port *p)
{
    free(((struct sink *)p)->flows);
    free(p);
}

static const struct port_ops sink_ops = {
    .kind = PORT_SINK,
    .tx = sink_tx,
    .free = sink_free,
};

struct port *sink_new(const struct sink_config *c, struct diag *d)
{
    struct sink *s = calloc(1, sizeof *s);

    if (!s) {
        diag_err(d, "out of memory");
        return NULL;
    }
    s->port.ops = &sink_ops;
    s->port.fd = -1;
    s->port.takes_offload = true;
    s->max_flows = c->max_flows ? c->max_flows : 65536;
    if (s->max_flows > 1u << 24) {
        diag_err(d, "%u flows are more than %u", s->max_flows, 1u << 24);
        free(s);
        return NULL;
    }
    if (getrandom(&s->seed, sizeof s->seed, GRND_NONBLOCK) < 0)
        s->seed = plane_clock_ns();
    s->n_slots = 16;
    while (s->n_slots < 2 * s->max_flows)
        s->n_slots *= 2;
    s->flows = calloc(s->n_slots, sizeof *s->flows);
    if (!s->flows) {
        diag_err(d, "out of memory");
        free(s);
        return NULL;
    }
    return &s->port;
}
