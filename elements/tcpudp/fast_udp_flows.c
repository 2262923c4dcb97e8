// SPDX-License-Identifier: BSD-3-Clause
/*
 * FastUDPFlows -- UDP packets of many flows, for measurements
 *
 * Usage:    FastUDPFlows(RATE, LIMIT, LENGTH, SRCETH, SRCIP, DSTETH, DSTIP, FLOWS,
 *           FLOWSIZE [, CHECKSUM true, ACTIVE true, STOP false])
 * Ports:    none in, 1 out; pull
 * Args:     RATE      packets a second; 0: as fast as they are pulled
 *           LIMIT     packets in all; negative: no end
 *           LENGTH    bytes a packet, Ethernet header included; at least 60
 *           SRCETH, SRCIP, DSTETH, DSTIP  addresses
 *           FLOWS     how many flows there are at once; their packets may take 256 MB
 *           FLOWSIZE  packets after which a flow gets new ports
 *           CHECKSUM  compute the UDP checksum
 *           ACTIVE    false: send nothing yet
 *           STOP      stop the driver after LIMIT packets
 * Handlers: count   (r) packets sent
 *           rate    (rw) packets a second, once all have been sent; as RATE
 *           active  (w) as ACTIVE; writing true begins anew
 *           reset   (w) begin anew
 *           limit   (w) as LIMIT
 * Example:  FastUDPFlows(0, 1000000, 60, 0:0:0:0:0:1, 1.0.0.1, 0:0:0:0:0:2, 2.0.0.2,
 *           1000, 100, STOP true) -> Strip(14) -> CheckIPHeader -> ...
 * See also: FastUDPSource, FastTCPFlows, RatedSource, InfiniteSource
 *
 * The packets are clones of one packet a flow; which flow is next, and its ports, is random.
 */

#include "engine/fast_source.h"

struct fast_udp_flow {
    struct pkt *p; /* owned */
    uint32_t sent;
};

struct fast_udp_flows {
    struct fast_source s;
    uint32_t n_flows, flow_size;
    bool checksum;
    struct fast_udp_flow *flows; /* in the router's arena */
};

static const struct arg_spec fast_udp_flows_args[] = {
    FAST_SOURCE_RATE_ARGS(fast_udp_flows, s),
    FAST_SOURCE_SRC_ARGS(fast_udp_flows, s),
    FAST_SOURCE_DST_ARGS(fast_udp_flows, s),
    FAST_SOURCE_FLOW_ARG(fast_udp_flows, n_flows, "FLOWS", "flows at once"),
    FAST_SOURCE_FLOW_ARG(fast_udp_flows, flow_size, "FLOWSIZE", "packets of a flow"),
    ARG_BOOL(fast_udp_flows, checksum, "CHECKSUM", ARG_POS, "true",
             "compute the UDP checksum"),
    ARG_BOOL(fast_udp_flows, s.active, "ACTIVE", ARG_POS, "true", "send"),
    ARG_BOOL(fast_udp_flows, s.stop, "STOP", ARG_POS, "false",
             "stop the driver after LIMIT packets"),
    ARG_END,
};

static int fast_udp_flows_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct fast_udp_flows *f = element_state(e);

    fast_source_check_length(e, &f->s);
    return fast_source_check_memory(&f->s, f->n_flows, 1, d);
}

/* New ports for the flow whose packet this is; it is nobody else's now. */
static void fast_udp_flows_ports(struct element *e, struct pkt *p)
{
    const struct fast_udp_flows *f = element_state(e);
    struct udp_hdr *u = pkt_udp(p);

    u->sport = (uint16_t)(element_random(e) % 0xffff);
    u->dport = (uint16_t)(element_random(e) % 0xffff);
    u->sum = 0;
    if (f->checksum)
        u->sum = fast_source_sum(p);
}

static int fast_udp_flows_initialize(struct element *e, struct diag *d)
{
    struct fast_udp_flows *f = element_state(e);

    f->flows = element_alloc(e, f->n_flows * sizeof *f->flows);
    if (!f->flows)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < f->n_flows; i++) {
        struct pkt *p = f->flows[i].p = fast_source_packet(e, &f->s, IP_PROTO_UDP);
        if (!p)
            return diag_err(d, "out of memory");
        pkt_udp(p)->len = be16((uint16_t)(p->len - FAST_SOURCE_HEADERS));
        fast_udp_flows_ports(e, p);
    }
    return 0;
}

static void fast_udp_flows_cleanup(struct element *e)
{
    struct fast_udp_flows *f = element_state(e);

    for (uint32_t i = 0; f->flows && i < f->n_flows; i++)
        pkt_free(f->flows[i].p);
    f->flows = NULL;
}

static struct pkt *fast_udp_flows_next(struct element *e)
{
    struct fast_udp_flows *f = element_state(e);
    struct fast_udp_flow *flow =
        &f->flows[(uint64_t)element_random(e) * f->n_flows >> 32];

    if (flow->sent >= f->flow_size) {
        if (pkt_writable(flow->p) < 0)
            return NULL;
        fast_udp_flows_ports(e, flow->p);
        flow->sent = 0;
    }
    flow->sent++;
    return pkt_clone(flow->p);
}

static uint32_t fast_udp_flows_pull(struct element *e, unsigned port, struct batch *b,
                                    uint32_t max)
{
    struct fast_udp_flows *f = element_state(e);
    uint32_t n = fast_source_due(e, &f->s, max), made = 0;
    struct pkt *p;

    for (; made < n && (p = fast_udp_flows_next(e)); made++)
        batch_add(b, p);
    fast_source_sent(e, &f->s, made);
    return made;
}

static const struct handler_spec fast_udp_flows_handlers[] = {
    FAST_SOURCE_HANDLERS(fast_udp_flows, s),
    HANDLER_END,
};

ELEMENT(FastUDPFlows) = {
    .name = "FastUDPFlows",
    .state_size = sizeof(struct fast_udp_flows),
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_udp_flows_args,
    .handlers = fast_udp_flows_handlers,
    .configure = fast_udp_flows_configure,
    .initialize = fast_udp_flows_initialize,
    .cleanup = fast_udp_flows_cleanup,
    .pull = fast_udp_flows_pull,
};
