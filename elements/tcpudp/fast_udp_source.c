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
    struct fast_source s;
    uint16_t sport, dport; /* host byte order */
    uint32_t interval;
    bool checksum;
    struct pkt *p; /* owned */
};

#define FAST_PORT(member_, name_, help_)                                               \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_UDP, .flags = ARG_M, .help = help_,       \
        .offset = offsetof(struct fast_udp_source, member_)                            \
    }
static const struct arg_spec fast_udp_source_args[] = {
    FAST_SOURCE_RATE_ARGS(fast_udp_source, s),
    FAST_SOURCE_SRC_ARGS(fast_udp_source, s),
    FAST_PORT(sport, "SPORT", "source port"),
    FAST_SOURCE_DST_ARGS(fast_udp_source, s),
    FAST_PORT(dport, "DPORT", "destination port"),
    ARG_BOOL(fast_udp_source, checksum, "CHECKSUM", ARG_POS, "true",
             "compute the UDP checksum"),
    ARG_U32(fast_udp_source, interval, "INTERVAL", ARG_POS, "0",
            "packets after which the ports change"),
    ARG_BOOL(fast_udp_source, s.active, "ACTIVE", ARG_POS, "true", "send"),
    ARG_BOOL(fast_udp_source, s.stop, "STOP", ARG_POS, "false",
             "stop the driver after LIMIT packets"),
    ARG_END,
};

static int fast_udp_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct fast_udp_source *f = element_state(e);

    fast_source_check_length(e, &f->s);
    return 0;
}

static void fast_udp_source_ports(struct element *e, uint64_t turn)
{
    struct fast_udp_source *f = element_state(e);
    struct udp_hdr *u = pkt_udp(f->p);

    u->sport = be16((uint16_t)(f->sport + turn));
    u->dport = be16((uint16_t)(f->dport + turn));
    u->sum = 0;
    if (f->checksum)
        u->sum = fast_source_sum(&f->s, f->p->data);
}

static int fast_udp_source_initialize(struct element *e, struct diag *d)
{
    struct fast_udp_source *f = element_state(e);

    f->p = fast_source_packet(e, &f->s, IP_PROTO_UDP);
    if (!f->p)
        return diag_err(d, "out of memory");
    pkt_udp(f->p)->len = be16((uint16_t)(f->p->len - FAST_SOURCE_HEADERS));
    fast_udp_source_ports(e, 0);
    return 0;
}

static void fast_udp_source_cleanup(struct element *e)
{
    struct fast_udp_source *f = element_state(e);

    pkt_free(f->p);
    f->p = NULL;
}

/* Packets until the ports change. */
static uint32_t fast_udp_source_left(const struct fast_udp_source *f, uint32_t max)
{
    uint32_t left = f->interval ? f->interval - (uint32_t)(f->s.count % f->interval)
                                : max;

    return left < max ? left : max;
}

static uint32_t fast_udp_source_pull(struct element *e, unsigned port, struct batch *b,
                                     uint32_t max)
{
    struct fast_udp_source *f = element_state(e);
    uint32_t due = fast_source_due(e, &f->s, max), made = 0;

    while (made < due) {
        uint32_t want = fast_udp_source_left(f, due - made);
        uint32_t n = batch_clone(b, f->p, want);

        fast_source_sent(e, &f->s, n);
        made += n;
        if (n < want)
            break;
        if (f->interval && f->s.count % f->interval == 0) {
            if (pkt_writable(f->p) < 0)
                break;
            fast_udp_source_ports(e, f->s.count / f->interval);
        }
    }
    return made;
}

static const struct handler_spec fast_udp_source_handlers[] = {
    FAST_SOURCE_HANDLERS(fast_udp_source, s),
    HANDLER_END,
};

ELEMENT(FastUDPSource) = {
    .name = "FastUDPSource",
    .state_size = sizeof(struct fast_udp_source),
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_udp_source_args,
    .handlers = fast_udp_source_handlers,
    .configure = fast_udp_source_configure,
    .initialize = fast_udp_source_initialize,
    .cleanup = fast_udp_source_cleanup,
    .pull = fast_udp_source_pull,
};
