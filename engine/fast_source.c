// SPDX-License-Identifier: BSD-3-Clause
/* fast_source.c -- the sources of packets for measurements: see fast_source.h */

#include "engine/fast_source.h"

#include "engine/large_memory.h"
#include "engine/router.h"

#include <stdlib.h>

#define SECOND 1000000000ll

enum { BUFFER = 2048 }; /* of a packet that fits one */

static const uint32_t max_rate = 4096000000u; /* what a Click source can be told */

void fast_source_check_length(struct element *e, struct fast_source *s)
{
    if (s->length >= FAST_SOURCE_MIN)
        return;
    element_say(e, "warning: packet length < 60, defaulting to 60\n");
    s->length = FAST_SOURCE_MIN;
}

int fast_source_check_memory(const struct fast_source *s, uint32_t n_flows, unsigned n,
                             struct diag *d)
{
    uint64_t room = s->length + PKT_HEADROOM;
    uint64_t need = (room > BUFFER ? room : BUFFER) * n_flows * n;

    if (s->length <= FAST_SOURCE_SHORT)
        need = (uint64_t)sizeof(struct fast_frame) * n_flows * n;

    if (need <= FAST_SOURCE_MEMORY)
        return 0;
    return diag_err(d,
                    "FLOWS too large: %u flows of %u-byte packets need %llu MB, max %u",
                    n_flows, s->length, (unsigned long long)(need >> 20),
                    (unsigned)FAST_SOURCE_MEMORY >> 20);
}

uint32_t fast_source_due(struct element *e, const struct fast_source *s, uint32_t max)
{
    uint64_t left = s->limit < 0 ? max : (uint64_t)s->limit - s->count;

    if (fast_source_done(s))
        return 0;
    return fast_source_paced(e, s, left < max ? (uint32_t)left : max);
}

/* Whether `max` packets may go at `now` in any case: that of the round costs nothing. */
static bool fast_source_behind(const struct fast_source *s, int64_t now, uint32_t max)
{
    uint64_t gone = s->count - s->base_count;

    return now > s->base_ns && (__int128)(now - s->base_ns) * s->rate >=
                                   ((__int128)gone + max - 1) * SECOND;
}

uint32_t fast_source_paced(struct element *e, const struct fast_source *s, uint32_t max)
{
    uint64_t due;

    if (!s->active)
        return 0;
    if (!s->rate || !max)
        return max;
    if (!s->base_ns)
        return 1;
    if (fast_source_behind(s, element_coarse_now(e), max))
        return max;
    due = (uint64_t)((__int128)(element_now(e) - s->base_ns) * s->rate / SECOND) + 1;
    due += s->base_count;
    if (due <= s->count)
        return 0;
    return due - s->count < max ? (uint32_t)(due - s->count) : max;
}

void fast_source_sent(struct element *e, struct fast_source *s, uint32_t n)
{
    bool was_done = fast_source_done(s);

    if (!n)
        return;
    if (!s->base_ns)
        s->base_ns = element_now(e);
    if (!s->count)
        s->first_ns = element_now(e);
    s->count += n;
    if (!fast_source_done(s))
        return;
    s->last_ns = element_now(e);
    if (s->stop && !was_done)
        router_stop(e->router);
}

void fast_source_restart(struct fast_source *s)
{
    s->count = s->base_count = 0;
    s->first_ns = s->last_ns = s->base_ns = 0;
}

/* Ethernet and IP headers, and zeros behind them. */
static void write_headers(const struct fast_source *s, uint8_t proto,
                          uint8_t at[FAST_SOURCE_MIN])
{
    struct ip4_hdr *h = (struct ip4_hdr *)(void *)(at + FAST_SOURCE_ETH);

    memset(at, 0, FAST_SOURCE_MIN);
    *(struct eth_hdr *)(void *)at = (struct eth_hdr){s->dst_eth, s->src_eth,
                                                     BE16(ETHERTYPE_IP)};
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)(s->length - FAST_SOURCE_ETH)),
                          .ttl = 250,
                          .proto = proto,
                          .src = s->src_ip,
                          .dst = s->dst_ip};
    h->sum = csum_ip4_20(h);
}

struct pkt *fast_source_packet(struct element *e, const struct fast_source *s,
                               uint8_t proto)
{
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL, s->length, 0);

    if (!p)
        return NULL;
    fast_frames_fill(p);
    write_headers(s, proto, p->data);
    fast_source_set_pointers(s, p);
    return p;
}

uint16_t fast_source_sum(const struct fast_source *s, const uint8_t *packet)
{
    const struct ip4_hdr *h = (const struct ip4_hdr *)(packet + FAST_SOURCE_ETH);
    uint64_t sum = csum_pseudo4(h->src, h->dst, h->proto,
                                s->length - FAST_SOURCE_HEADERS);

    return csum_finish(csum_add(sum, packet + FAST_SOURCE_HEADERS,
                                FAST_SOURCE_MIN - FAST_SOURCE_HEADERS));
}

/* --- clones of one packet ------------------------------------------------------------------ */

static void fast_udp_turn(struct fast_udp *f, uint64_t turn)
{
    struct udp_hdr *u = pkt_udp(f->p);

    u->sport = be16((uint16_t)(f->sport + turn));
    u->dport = be16((uint16_t)(f->dport + turn));
    u->sum = 0;
    if (f->checksum)
        u->sum = f->sum(f);
}

void fast_udp_start(struct fast_udp *f)
{
    fast_udp_turn(f, 0);
}

/* Packets until the ports change. */
static uint32_t fast_udp_left(const struct fast_udp *f, uint32_t max)
{
    uint32_t left = f->interval ? f->interval - (uint32_t)(f->s.count % f->interval)
                                : max;

    return left < max ? left : max;
}

uint32_t fast_udp_pull(struct element *e, unsigned port, struct batch *b, uint32_t max)
{
    struct fast_udp *f = element_state(e);
    uint32_t due = fast_source_due(e, &f->s, max), made = 0;

    while (made < due) {
        uint32_t want = fast_udp_left(f, due - made);
        uint32_t n = batch_clone(b, f->p, want);

        fast_source_sent(e, &f->s, n);
        made += n;
        if (n < want)
            break;
        if (f->interval && f->s.count % f->interval == 0) {
            if (pkt_writable(f->p) < 0)
                break;
            fast_udp_turn(f, f->s.count / f->interval);
        }
    }
    return made;
}

void fast_udp_cleanup(struct element *e)
{
    struct fast_udp *f = element_state(e);

    pkt_free(f->p);
    f->p = NULL;
}

/* --- flows -------------------------------------------------------------------------------- */

static inline uint32_t draw(const struct fast_frames *f, uint32_t random)
{
    uint32_t flow = (uint32_t)((uint64_t)random * f->n_flows >> 32);
    const struct fast_frame *frame = fast_frames_of(f, flow);

    __builtin_prefetch(frame, 1);
    __builtin_prefetch(frame +
                       f->kinds / 2); /* of three the one that goes most often */
    return flow;
}

int fast_frames_init(struct element *e, struct fast_frames *f,
                     const struct fast_source *s, uint32_t n_flows, uint32_t kinds,
                     uint8_t proto)
{
    uint32_t n = n_flows * kinds;

    *f = (struct fast_frames){.n_flows = n_flows, .kinds = kinds};
    f->frame = large_alloc(element_platform(e), n * sizeof *f->frame, &f->memory);
    if (!f->frame)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        write_headers(s, proto, f->frame[i].bytes);
        f->frame[i].sent = 0;
    }
    element_randoms(e, f->next, FAST_SOURCE_AHEAD);
    for (uint32_t i = 0; i < FAST_SOURCE_AHEAD; i++)
        f->next[i] = draw(f, f->next[i]);
    if (s->length <= FAST_SOURCE_SHORT)
        return 0;
    f->kept = element_alloc(e, n * sizeof(struct pkt *));
    for (uint32_t i = 0; f->kept && i < n; i++)
        if (!(f->kept[i] = fast_source_packet(e, s, proto)))
            return -1;
    return f->kept ? 0 : -1;
}

void fast_frames_fini(struct fast_frames *f)
{
    for (uint32_t i = 0; f->kept && i < f->n_flows * f->kinds; i++)
        pkt_free(f->kept[i]);
    f->kept = NULL;
    free(f->memory);
    f->memory = NULL;
}

int fast_frames_changed(struct fast_frames *f, const struct fast_frame *frame)
{
    struct pkt *p = f->kept ? f->kept[frame - f->frame] : NULL;

    if (p && pkt_writable(p) < 0)
        return -1;
    if (p)
        memcpy(p->data, frame->bytes, sizeof frame->bytes);
    return 0;
}

void fast_frames_draw(struct element *e, struct fast_frames *f, uint32_t *flows,
                      uint32_t n)
{
    uint32_t random[BATCH_MAX], at = f->at;

    if (f->n_flows == 1) {
        memset(flows, 0, n * sizeof *flows);
        return;
    }
    element_randoms(e, random, n);
    for (uint32_t i = 0; i < n; i++, at++) {
        flows[i] = f->next[at % FAST_SOURCE_AHEAD];
        f->next[at % FAST_SOURCE_AHEAD] = draw(f, random[i]);
    }
    f->at = at;
}

uint32_t fast_frames_begin(struct element *e, const struct fast_frames *f,
                           const struct fast_source *s, struct batch *b, uint32_t n)
{
    if (f->kept || !n) /* nothing is asked of a pool that may have nothing yet */
        return n;
    return batch_new(element_pool(e), b, n, PKT_HEADROOM, s->length);
}

bool fast_frames_clone(const struct fast_frames *f, struct batch *b,
                       const struct fast_frame *frame)
{
    struct pkt *p = pkt_clone(f->kept[frame - f->frame]);

    if (p)
        batch_add(b, p);
    return p != NULL;
}

void fast_frames_fill(struct pkt *p)
{
    memset(p->data + FAST_SOURCE_MIN, 0, p->len - FAST_SOURCE_MIN);
}

/* --- handlers ----------------------------------------------------------------------------- */

static struct fast_source *source_of(struct element *e, const struct handler_spec *h)
{
    return (struct fast_source *)(void *)((uint8_t *)element_state(e) + h->offset);
}

int fast_source_read_rate(struct element *e, const struct handler_spec *h,
                          const char *param, struct sbuf *out, struct diag *d)
{
    const struct fast_source *s = source_of(e, h);
    int64_t ms = (s->last_ns - s->first_ns) / 1000000;

    ms = ms < 1 ? 1 : ms;
    sbuf_printf(out, "%llu",
                s->last_ns ? (unsigned long long)(s->count * 1000 / (uint64_t)ms) : 0);
    return 0;
}

int fast_source_write_rate(struct element *e, const struct handler_spec *h,
                           const char *value, size_t len, struct diag *d)
{
    struct fast_source *s = source_of(e, h);
    uint64_t rate;

    if (!parse_u64(value, 0, &rate) || rate > UINT32_MAX)
        return diag_err(d, "rate parameter must be integer >= 0");
    if (rate > max_rate)
        return diag_err(d, "rate too large; max is %u", max_rate);
    s->rate = (uint32_t)rate;
    s->base_count = s->count;
    s->base_ns = s->count ? element_now(e) : 0;
    return 0;
}

int fast_source_write_reset(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d)
{
    fast_source_restart(source_of(e, h));
    return 0;
}

int fast_source_write_active(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    struct fast_source *s = source_of(e, h);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "active parameter must be boolean");
    if (s->active)
        fast_source_restart(s);
    return 0;
}

int fast_source_write_limit(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d)
{
    int64_t limit;

    if (!parse_i64(value, 0, &limit) || limit > INT32_MAX || limit < INT32_MIN)
        return diag_err(d, "limit parameter must be integer >= 0");
    source_of(e, h)->limit = (int32_t)limit;
    return 0;
}
