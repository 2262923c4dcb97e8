// SPDX-License-Identifier: BSD-3-Clause
/* fast_source.c -- the sources of packets for measurements: see fast_source.h */

#include "engine/fast_source.h"

#include "engine/router.h"

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

uint32_t fast_source_paced(struct element *e, const struct fast_source *s, uint32_t max)
{
    uint64_t due;

    if (!s->active)
        return 0;
    if (!s->rate || !max)
        return max;
    if (!s->base_ns)
        return 1;
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

struct pkt *fast_source_packet(struct element *e, const struct fast_source *s,
                               uint8_t proto)
{
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM - FAST_SOURCE_ETH, NULL,
                            s->length, 0);
    struct ip4_hdr *h;

    if (!p)
        return NULL;
    memset(p->data, 0, p->len);
    *(struct eth_hdr *)(void *)p->data = (struct eth_hdr){s->dst_eth, s->src_eth,
                                                          BE16(ETHERTYPE_IP)};
    h = (struct ip4_hdr *)(void *)(p->data + FAST_SOURCE_ETH);
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)(s->length - FAST_SOURCE_ETH)),
                          .ttl = 250,
                          .proto = proto,
                          .src = s->src_ip,
                          .dst = s->dst_ip};
    h->sum = csum_ip4_20(h);
    pkt_set_ip4(p, (uint8_t *)h, sizeof *h);
    pkt_set_dst_ip(p, s->dst_ip);
    return p;
}

uint16_t fast_source_sum(const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t len = p->len - FAST_SOURCE_HEADERS;

    return csum_finish(
        csum_add(csum_pseudo4(h->src, h->dst, h->proto, len), p->transport, len));
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
