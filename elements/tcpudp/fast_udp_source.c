// SPDX-License-Identifier: BSD-3-Clause
/*
 * FastUDPSource -- UDP packets of one flow, for measurements
 *
 * Usage:    FastUDPSource(RATE, LIMIT, LENGTH, SRCETH, SRCIP, SPORT, DSTETH, DSTIP,
 *           DPORT [, CHECKSUM true, INTERVAL 0, ACTIVE true, STOP false])
 * Ports:    none in, 1 out; pull
 * Args:     RATE      packets a second; 0: as fast as they are pulled
 *           LIMIT     packets in all; negative: no end
 *           LENGTH    bytes a packet, Ethernet header included; at least 60
 *           SRCETH, SRCIP, SPORT  where they come from
 *           DSTETH, DSTIP, DPORT  where they go
 *           CHECKSUM  compute the UDP checksum
 *           INTERVAL  packets after which both ports go up by one; 0: never
 *           ACTIVE    false: send nothing yet
 *           STOP      stop the driver after LIMIT packets
 * Handlers: count   (r) packets sent
 *           rate    (rw) packets a second, once all have been sent; as RATE
 *           active  (w) as ACTIVE; writing true begins anew
 *           reset   (w) begin anew
 *           limit   (w) as LIMIT
 * Example:  FastUDPSource(100000, 500000, 60, 0:0:0:0:0:1, 1.0.0.1, 1234,
 *           0:0:0:0:0:2, 2.0.0.2, 1234) -> ToDevice(eth0);
 * See also: FastUDPFlows, FastTCPFlows, RatedSource, UDPIPEncap
 *
 * All packets are clones of one. After `reset` or `active`, the ports change from the
 * first pair again when INTERVAL packets have gone.
 */

#include "engine/fast_source.h"

struct fast_udp_source {
    struct fast_udp u; /* first */
};

static const struct arg_spec fast_udp_source_args[] = {
    FAST_SOURCE_RATE_ARGS(fast_udp_source, u.s),
    FAST_SOURCE_SRC_ARGS(fast_udp_source, u.s),
    FAST_UDP_PORT(fast_udp_source, u.sport, "SPORT", "source port"),
    FAST_SOURCE_DST_ARGS(fast_udp_source, u.s),
    FAST_UDP_PORT(fast_udp_source, u.dport, "DPORT", "destination port"),
    FAST_UDP_ARGS(fast_udp_source, u),
    ARG_BOOL(fast_udp_source, u.s.stop, "STOP", ARG_POS, "false",
             "stop the driver after LIMIT packets"),
    ARG_END,
};

static int fast_udp_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct fast_udp_source *f = element_state(e);

    fast_source_check_length(e, &f->u.s);
    return 0;
}

static uint16_t fast_udp_source_sum(const struct fast_udp *u)
{
    return fast_source_sum(&u->s, u->p->data);
}

static int fast_udp_source_initialize(struct element *e, struct diag *d)
{
    struct fast_udp *u = &((struct fast_udp_source *)element_state(e))->u;

    u->p = fast_source_packet(e, &u->s, IP_PROTO_UDP);
    if (!u->p)
        return diag_err(d, "out of memory");
    pkt_udp(u->p)->len = be16((uint16_t)(u->p->len - FAST_SOURCE_HEADERS));
    u->sum = fast_udp_source_sum;
    fast_udp_start(u);
    return 0;
}

static const struct handler_spec fast_udp_source_handlers[] = {
    FAST_SOURCE_HANDLERS(fast_udp_source, u.s),
    HANDLER_END,
};

ELEMENT(FastUDPSource) = {
    .name = "FastUDPSource",
    .state_size = sizeof(struct fast_udp_source),
    .apart = APART_ORDER,
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_udp_source_args,
    .handlers = fast_udp_source_handlers,
    .configure = fast_udp_source_configure,
    .initialize = fast_udp_source_initialize,
    .cleanup = fast_udp_cleanup,
    .pull = fast_udp_pull,
};
