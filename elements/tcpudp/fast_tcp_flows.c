// SPDX-License-Identifier: BSD-3-Clause
/*
 * FastTCPFlows -- TCP packets of many flows, for measurements
 *
 * Usage:    FastTCPFlows(RATE, LIMIT, LENGTH, SRCETH, SRCIP, DSTETH, DSTIP, FLOWS,
 *           FLOWSIZE [, ACTIVE true, STOP false])
 * Ports:    none in, 1 out; pull
 * Args:     RATE      packets a second; 0: as fast as they are pulled
 *           LIMIT     packets in all; negative: no end
 *           LENGTH    bytes a packet, Ethernet header included; at least 60
 *           SRCETH, SRCIP, DSTETH, DSTIP  addresses
 *           FLOWS     how many flows there are at once; what is kept of them, 192
 *                     bytes each or three packets of more than 512, may take 256 MB
 *           FLOWSIZE  packets of a flow, at least 3; it then gets new ports
 *           ACTIVE    false: send nothing yet
 *           STOP      stop the driver after LIMIT packets
 * Handlers: count   (r) packets sent
 *           rate    (rw) packets a second, once all have been sent; as RATE
 *           active  (w) as ACTIVE; writing true begins anew
 *           reset   (w) begin anew
 *           limit   (w) as LIMIT
 * Example:  FastTCPFlows(100000, 500000, 60, 0:0:0:0:0:1, 1.0.0.1, 0:0:0:0:0:2, 2.0.0.2,
 *           100, 10) -> ToDevice(eth0);
 * See also: FastUDPFlows, FastUDPSource
 *
 * A flow is a packet with SYN, some with PSH and ACK, and one with FIN; ports and sequence
 * numbers are random. After LIMIT packets, flows that have not had their FIN get it, beyond
 * the limit.
 */

#include "engine/fast_source.h"

enum { KIND_SYN, KIND_DATA, KIND_FIN, KINDS };

struct fast_tcp_flows {
    struct fast_source s;
    uint32_t n_flows, flow_size;
    uint32_t next_fin; /* flows before have ended, after LIMIT packets */
    struct fast_frames flows;
};

static const struct arg_spec fast_tcp_flows_args[] = {
    FAST_SOURCE_RATE_ARGS(fast_tcp_flows, s),
    FAST_SOURCE_SRC_ARGS(fast_tcp_flows, s),
    FAST_SOURCE_DST_ARGS(fast_tcp_flows, s),
    FAST_SOURCE_FLOWS_ARG(fast_tcp_flows, n_flows),
    ARG_U32(fast_tcp_flows, flow_size, "FLOWSIZE", ARG_M, NULL, "packets of a flow"),
    ARG_BOOL(fast_tcp_flows, s.active, "ACTIVE", ARG_POS, "true", "send"),
    ARG_BOOL(fast_tcp_flows, s.stop, "STOP", ARG_POS, "false",
             "stop the driver after LIMIT packets"),
    ARG_END,
};

static int fast_tcp_flows_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct fast_tcp_flows *f = element_state(e);

    if (f->flow_size < KINDS) {
        element_say(e, "warning: flow size < 3, defaulting to 3\n");
        f->flow_size = KINDS;
    }
    fast_source_check_length(e, &f->s);
    return fast_source_check_memory(&f->s, f->n_flows, KINDS, d);
}

static struct tcp_hdr *fast_tcp_flows_header(struct fast_frame *frame)
{
    return (struct tcp_hdr *)(void *)(frame->bytes + FAST_SOURCE_HEADERS);
}

/* New ports for a flow; -1 without memory. */
static int fast_tcp_flows_ports(struct element *e, struct fast_frame *flow)
{
    struct fast_tcp_flows *f = element_state(e);
    uint16_t sport = (uint16_t)(element_random(e) % 0xffff);
    uint16_t dport = (uint16_t)(element_random(e) % 0xffff);

    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct tcp_hdr *t = fast_tcp_flows_header(&flow[kind]);

        t->sport = sport;
        t->dport = dport;
        t->sum = 0;
        t->sum = fast_source_sum(&f->s, flow[kind].bytes);
        if (fast_frames_changed(&f->flows, &flow[kind]) < 0)
            return -1;
    }
    return 0;
}

static int fast_tcp_flows_make(struct element *e, struct fast_frame *flow)
{
    static const uint8_t flags[KINDS] = {TCP_SYN, TCP_PSH | TCP_ACK, TCP_FIN};

    for (unsigned kind = 0; kind < KINDS; kind++)
        *fast_tcp_flows_header(&flow[kind]) = (struct tcp_hdr){
            .seq = element_random(e),
            .ack = element_random(e),
            .off = sizeof(struct tcp_hdr) / 4 << 4,
            .flags = flags[kind],
            .win = 0xffff};
    return fast_tcp_flows_ports(e, flow);
}

static int fast_tcp_flows_initialize(struct element *e, struct diag *d)
{
    struct fast_tcp_flows *f = element_state(e);

    if (fast_frames_init(e, &f->flows, &f->s, f->n_flows, KINDS, IP_PROTO_TCP) < 0)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < f->n_flows; i++)
        if (fast_tcp_flows_make(e, fast_frames_of(&f->flows, i)) < 0)
            return diag_err(d, "out of memory");
    return 0;
}

static void fast_tcp_flows_cleanup(struct element *e)
{
    struct fast_tcp_flows *f = element_state(e);

    fast_frames_fini(&f->flows);
}

/* Packet `at` of the batch is the next of flow `i`; false without memory. */
static inline bool fast_tcp_flows_next(struct element *e, struct batch *b, uint32_t at,
                                       uint32_t i)
{
    struct fast_tcp_flows *f = element_state(e);
    struct fast_frame *flow = fast_frames_of(&f->flows, i);
    unsigned kind = KIND_DATA;

    if (flow->sent == f->flow_size) {
        if (fast_tcp_flows_ports(e, flow) < 0)
            return false;
        flow->sent = 0;
    }
    if (!flow->sent)
        kind = KIND_SYN;
    else if (flow->sent + 1 == f->flow_size)
        kind = KIND_FIN;
    if (!fast_frames_put(&f->flows, &f->s, b, at, &flow[kind]))
        return false;
    flow->sent++;
    return true;
}

/* After LIMIT packets: the FINs of flows that are under way. */
static uint32_t fast_tcp_flows_fins(struct element *e, struct batch *b, uint32_t max)
{
    struct fast_tcp_flows *f = element_state(e);
    uint32_t flows[BATCH_MAX], want = 0, first = b->n, n, made = 0;

    for (; want < max && f->next_fin < f->n_flows; f->next_fin++)
        if (fast_frames_of(&f->flows, f->next_fin)->sent != f->flow_size)
            flows[want++] = f->next_fin;
    n = fast_frames_begin(e, &f->flows, &f->s, b, want);
    for (; made < n; made++) {
        struct fast_frame *flow = fast_frames_of(&f->flows, flows[made]);

        if (!fast_frames_put(&f->flows, &f->s, b, first + made, &flow[KIND_FIN]))
            break;
        flow->sent = f->flow_size;
    }
    if (made < want)
        f->next_fin = flows[made];
    return made;
}

static uint32_t fast_tcp_flows_pull(struct element *e, unsigned port, struct batch *b,
                                    uint32_t max)
{
    struct fast_tcp_flows *f = element_state(e);
    uint32_t n = fast_source_due(e, &f->s, max), first = b->n, made = 0;
    uint32_t flows[BATCH_MAX];

    if (fast_source_done(&f->s)) {
        made = fast_tcp_flows_fins(e, b, fast_source_paced(e, &f->s, max));
        fast_source_sent(e, &f->s, made);
        return made;
    }
    f->next_fin = 0;
    n = fast_frames_begin(e, &f->flows, &f->s, b, n);
    fast_frames_draw(e, &f->flows, flows, n);
    while (made < n && fast_tcp_flows_next(e, b, first + made, flows[made]))
        made++;
    fast_source_sent(e, &f->s, made);
    return made;
}

static const struct handler_spec fast_tcp_flows_handlers[] = {
    FAST_SOURCE_HANDLERS(fast_tcp_flows, s),
    HANDLER_END,
};

ELEMENT(FastTCPFlows) = {
    .name = "FastTCPFlows",
    .state_size = sizeof(struct fast_tcp_flows),
    .apart = APART_ORDER,
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_tcp_flows_args,
    .handlers = fast_tcp_flows_handlers,
    .configure = fast_tcp_flows_configure,
    .initialize = fast_tcp_flows_initialize,
    .cleanup = fast_tcp_flows_cleanup,
    .pull = fast_tcp_flows_pull,
};
