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
 *           FLOWS     how many flows there are at once; what is kept of them, 64
 *                     bytes each or a whole packet of more than 512, may take 256 MB
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
 * Which flow is next, and its ports, is random. Packets of up to 512 bytes are nobody else's;
 * longer ones are clones of one packet a flow.
 */

#include "engine/fast_source.h"

struct fast_udp_flows {
    struct fast_source s;
    uint32_t n_flows, flow_size;
    bool checksum;
    struct fast_frames flows;
};

static const struct arg_spec fast_udp_flows_args[] = {
    FAST_SOURCE_RATE_ARGS(fast_udp_flows, s),
    FAST_SOURCE_SRC_ARGS(fast_udp_flows, s),
    FAST_SOURCE_DST_ARGS(fast_udp_flows, s),
    FAST_SOURCE_FLOWS_ARG(fast_udp_flows, n_flows),
    ARG_U32(fast_udp_flows, flow_size, "FLOWSIZE", ARG_M, NULL, "packets of a flow"),
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

/* New ports for a flow; -1 without memory. */
static int fast_udp_flows_ports(struct element *e, struct fast_frame *frame)
{
    struct fast_udp_flows *f = element_state(e);
    struct udp_hdr *u = (struct udp_hdr *)(void *)(frame->bytes + FAST_SOURCE_HEADERS);

    u->sport = (uint16_t)(element_random(e) % 0xffff);
    u->dport = (uint16_t)(element_random(e) % 0xffff);
    u->sum = 0;
    if (f->checksum)
        u->sum = fast_source_sum(&f->s, frame->bytes);
    return fast_frames_changed(&f->flows, frame);
}

static int fast_udp_flows_initialize(struct element *e, struct diag *d)
{
    struct fast_udp_flows *f = element_state(e);

    if (fast_frames_init(e, &f->flows, &f->s, f->n_flows, 1, IP_PROTO_UDP) < 0)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < f->n_flows; i++) {
        struct fast_frame *frame = fast_frames_of(&f->flows, i);
        struct udp_hdr *u = (void *)(frame->bytes + FAST_SOURCE_HEADERS);

        u->len = be16((uint16_t)(f->s.length - FAST_SOURCE_HEADERS));
        if (fast_udp_flows_ports(e, frame) < 0)
            return diag_err(d, "out of memory");
    }
    return 0;
}

static void fast_udp_flows_cleanup(struct element *e)
{
    struct fast_udp_flows *f = element_state(e);

    fast_frames_fini(&f->flows);
}

/* Packet `at` of the batch is the next of flow `i`; false without memory. */
static inline bool fast_udp_flows_next(struct element *e, struct batch *b, uint32_t at,
                                       uint32_t i)
{
    struct fast_udp_flows *f = element_state(e);
    struct fast_frame *frame = fast_frames_of(&f->flows, i);

    if (__builtin_expect(frame->sent == f->flow_size, 0)) {
        if (fast_udp_flows_ports(e, frame) < 0)
            return false;
        frame->sent = 0;
    }
    if (!fast_frames_put(&f->flows, &f->s, b, at, frame))
        return false;
    frame->sent++;
    return true;
}

static uint32_t fast_udp_flows_pull(struct element *e, unsigned port, struct batch *b,
                                    uint32_t max)
{
    struct fast_udp_flows *f = element_state(e);
    uint32_t n = fast_source_due(e, &f->s, max), first = b->n, made = 0;
    uint32_t flows[BATCH_MAX];

    n = fast_frames_begin(e, &f->flows, &f->s, b, n);
    fast_frames_draw(e, &f->flows, flows, n);
    while (made < n && fast_udp_flows_next(e, b, first + made, flows[made]))
        made++;
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
    .apart = APART_ORDER,
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_udp_flows_args,
    .handlers = fast_udp_flows_handlers,
    .configure = fast_udp_flows_configure,
    .initialize = fast_udp_flows_initialize,
    .cleanup = fast_udp_flows_cleanup,
    .pull = fast_udp_flows_pull,
};
