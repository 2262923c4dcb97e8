// SPDX-License-Identifier: BSD-3-Clause
/*
 * FastUDPFlows -- UDP packets of many flows, for measurements
 *
 * Usage:    FastUDPFlows(RATE, LIMIT, LENGTH, SRCETH, SRCIP, DSTETH, DSTIP, FLOWS,
 *           FLOWSIZE [, CHECKSUM true, ACTIVE true, STOP false])
 * Ports:    none in, 1 out; pull
 * Args:     RATE      packets a second; 0: as fast as they are pulled
 *           LIMIT     packets in all; -1: no end
 *           LENGTH    bytes a packet, Ethernet header included; at least 60
 *           SRCETH, SRCIP, DSTETH, DSTIP  addresses
 *           FLOWS     how many flows there are at once
 *           FLOWSIZE  packets after which a flow gets new ports
 *           CHECKSUM  compute the UDP checksum
 *           ACTIVE    false: send nothing yet
 *           STOP      stop the driver after LIMIT packets
 * Handlers: count   (r) packets sent
 *           rate    (r) packets a second, once all have been sent
 *           active  (rw) as ACTIVE; writing true begins anew
 *           reset   (w) begin anew
 *           limit   (rw) as LIMIT
 * Example:  FastUDPFlows(0, 1000000, 60, 0:0:0:0:0:1, 1.0.0.1, 0:0:0:0:0:2, 2.0.0.2,
 *           1000, 100, STOP true) -> Strip(14) -> CheckIPHeader -> ...
 * See also: RatedSource, InfiniteSource
 *
 * The packets are clones of one packet a flow; which flow is next, and its ports, is random.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/router.h"

struct fast_udp_flow {
    struct pkt *p; /* owned */
    uint32_t sent;
};

struct fast_udp_flows {
    uint32_t rate, length, n_flows, flow_size;
    int64_t limit;
    struct ether_addr src_eth, dst_eth;
    uint32_t src_ip, dst_ip;
    bool checksum, active, stop;
    struct fast_udp_flow *flows; /* in the router's arena */
    uint64_t count;
    int64_t first_ns, last_ns;
};

#define FLOWS_BOUNDED(kind_, member_, name_, min_, max_, help_)                        \
    {                                                                                  \
        .name = name_, .kind = kind_, .flags = ARG_M, .min = min_, .max = max_,        \
        .help = help_, .offset = offsetof(struct fast_udp_flows, member_)              \
    }
static const struct arg_spec fast_udp_flows_args[] = {
    ARG_U32(fast_udp_flows, rate, "RATE", ARG_M, NULL, "packets a second"),
    ARG_I64(fast_udp_flows, limit, "LIMIT", ARG_M, NULL, "packets in all; -1: no end"),
    FLOWS_BOUNDED(ARG_KIND_U32, length, "LENGTH", 0, 9000, "bytes a packet"),
    ARG_ETHER(fast_udp_flows, src_eth, "SRCETH", ARG_M, NULL, "source address"),
    ARG_IP(fast_udp_flows, src_ip, "SRCIP", ARG_M, NULL, "source address"),
    ARG_ETHER(fast_udp_flows, dst_eth, "DSTETH", ARG_M, NULL, "destination address"),
    ARG_IP(fast_udp_flows, dst_ip, "DSTIP", ARG_M, NULL, "destination address"),
    FLOWS_BOUNDED(ARG_KIND_U32, n_flows, "FLOWS", 1, 1 << 20, "flows at once"),
    FLOWS_BOUNDED(ARG_KIND_U32, flow_size, "FLOWSIZE", 1, UINT32_MAX,
                  "packets of a flow"),
    ARG_BOOL(fast_udp_flows, checksum, "CHECKSUM", ARG_POS, "true",
             "compute the UDP checksum"),
    ARG_BOOL(fast_udp_flows, active, "ACTIVE", ARG_POS, "true", "send"),
    ARG_BOOL(fast_udp_flows, stop, "STOP", ARG_POS, "false",
             "stop the driver after LIMIT packets"),
    ARG_END,
};

/* New ports for the flow whose packet this is; it is nobody else's now. */
static void fast_udp_flows_ports(struct element *e, struct pkt *p)
{
    const struct fast_udp_flows *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    struct udp_hdr *u = pkt_udp(p);
    uint32_t len = be16(u->len);

    u->sport = (uint16_t)(element_random(e) % 0xffff);
    u->dport = (uint16_t)(element_random(e) % 0xffff);
    u->sum = 0;
    if (s->checksum)
        u->sum = csum_finish(
            csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_UDP, len), u, len));
}

static struct pkt *fast_udp_flows_make(struct element *e)
{
    const struct fast_udp_flows *s = element_state(e);
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM - 14, NULL, s->length, 0);
    struct ip4_hdr *h;

    if (!p)
        return NULL;
    memset(p->data, 0, p->len);
    *(struct eth_hdr *)(void *)p->data = (struct eth_hdr){s->dst_eth, s->src_eth,
                                                          BE16(ETHERTYPE_IP)};
    h = (struct ip4_hdr *)(void *)(p->data + 14);
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)(s->length - 14)),
                          .ttl = 250,
                          .proto = IP_PROTO_UDP,
                          .src = s->src_ip,
                          .dst = s->dst_ip};
    h->sum = csum_ip4_20(h);
    pkt_set_ip4(p, p->data + 14, sizeof *h);
    pkt_set_dst_ip(p, s->dst_ip);
    pkt_udp(p)->len = be16((uint16_t)(s->length - 34));
    fast_udp_flows_ports(e, p);
    return p;
}

static int fast_udp_flows_initialize(struct element *e, struct diag *d)
{
    struct fast_udp_flows *s = element_state(e);

    if (s->length < 60)
        s->length = 60;
    s->flows = element_alloc(e, s->n_flows * sizeof *s->flows);
    if (!s->flows)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < s->n_flows; i++) {
        s->flows[i].p = fast_udp_flows_make(e);
        if (!s->flows[i].p)
            return diag_err(d, "out of memory");
    }
    return 0;
}

static void fast_udp_flows_cleanup(struct element *e)
{
    struct fast_udp_flows *s = element_state(e);

    for (uint32_t i = 0; s->flows && i < s->n_flows; i++)
        if (s->flows[i].p)
            pkt_free(s->flows[i].p);
    s->flows = NULL;
}

/* How many packets may go now. */
static uint32_t fast_udp_flows_due(struct element *e, uint32_t max)
{
    const struct fast_udp_flows *s = element_state(e);
    uint64_t due;

    if (!s->active)
        return 0;
    if (s->limit >= 0 && (uint64_t)s->limit - s->count < max)
        max = s->count < (uint64_t)s->limit ? (uint32_t)((uint64_t)s->limit - s->count)
                                            : 0;
    if (!s->rate || !s->count)
        return max && s->rate ? 1 : max;
    due = (uint64_t)((__int128)(element_now(e) - s->first_ns) * s->rate / 1000000000) +
          1;
    if (due <= s->count)
        return 0;
    return due - s->count < max ? (uint32_t)(due - s->count) : max;
}

static struct pkt *fast_udp_flows_next(struct element *e)
{
    struct fast_udp_flows *s = element_state(e);
    struct fast_udp_flow *f = &s->flows[(uint64_t)element_random(e) * s->n_flows >> 32];

    if (f->sent == s->flow_size) {
        if (pkt_writable(f->p) < 0)
            return NULL;
        fast_udp_flows_ports(e, f->p);
        f->sent = 0;
    }
    f->sent++;
    return pkt_clone(f->p);
}

static uint32_t fast_udp_flows_pull(struct element *e, unsigned port, struct batch *b,
                                    uint32_t max)
{
    struct fast_udp_flows *s = element_state(e);
    uint32_t n = fast_udp_flows_due(e, max), made = 0;
    struct pkt *p;

    for (; made < n && (p = fast_udp_flows_next(e)); made++)
        batch_add(b, p);
    if (made && !s->count)
        s->first_ns = element_now(e);
    s->count += made;
    if (made && s->limit >= 0 && s->count >= (uint64_t)s->limit) {
        s->last_ns = element_now(e);
        if (s->stop)
            router_stop(e->router);
    }
    return made;
}

static int fast_udp_flows_read_rate(struct element *e, const struct handler_spec *h,
                                    const char *param, struct sbuf *out, struct diag *d)
{
    const struct fast_udp_flows *s = element_state(e);
    int64_t ms = (s->last_ns - s->first_ns) / 1000000;

    ms = ms < 1 ? 1 : ms;
    sbuf_printf(out, "%llu",
                s->last_ns ? (unsigned long long)(s->count * 1000 / (uint64_t)ms) : 0);
    return 0;
}

static int fast_udp_flows_reset(struct element *e, const struct handler_spec *h,
                                const char *value, size_t len, struct diag *d)
{
    struct fast_udp_flows *s = element_state(e);

    if (!(h->flags & HANDLER_BUTTON) && !parse_bool(value, &s->active))
        return diag_err(d, "active parameter must be boolean");
    s->count = 0;
    s->first_ns = s->last_ns = 0;
    return 0;
}

static const struct handler_spec fast_udp_flows_handlers[] = {
    HANDLER_VALUE(fast_udp_flows, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets sent"),
    HANDLER_READER(fast_udp_flows_read_rate, "rate", "packets a second"),
    HANDLER_PRESS(fast_udp_flows_reset, "reset", "begin anew"),
    HANDLER_VALUE(fast_udp_flows, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_CHECKBOX, "active", "whether it sends"),
    HANDLER_WRITER(fast_udp_flows_reset, "active", "begin anew or stop"),
    HANDLER_VALUE(fast_udp_flows, limit, ARG_KIND_I64, HANDLER_READ | HANDLER_WRITE,
                  "limit", "packets in all"),
    HANDLER_END,
};

ELEMENT(FastUDPFlows) = {
    .name = "FastUDPFlows",
    .state_size = sizeof(struct fast_udp_flows),
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_udp_flows_args,
    .handlers = fast_udp_flows_handlers,
    .initialize = fast_udp_flows_initialize,
    .cleanup = fast_udp_flows_cleanup,
    .pull = fast_udp_flows_pull,
};
