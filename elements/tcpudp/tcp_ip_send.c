// SPDX-License-Identifier: BSD-3-Clause
/*
 * TCPIPSend -- send TCP packets on demand
 *
 * Usage:    TCPIPSend
 * Ports:    none in, 1 out; push
 * Handlers: send  (w) send "SRC SPORT DST DPORT SEQNO ACKNO FLAGS [COUNT [STOP]]"
 * Example:  t :: TCPIPSend -> ...; Script(write t.send 1.0.0.1 1025 2.0.0.2 80 1 0 2);
 * See also: FastTCPFlows, UDPIPEncap
 *
 * FLAGS is the number that stands in the header, COUNT says how many packets there are, one
 * if it is left out; after STOP true the driver stops. The packets have no data, may not be
 * fragmented, have a time to live of 255, a window of 32120, and right checksums. The header
 * is marked.
 */

#include "engine/args.h"
#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/router.h"

enum { SEND_MAX = 1 << 20, WINDOW = 32120 };

struct tcp_ip_send_order {
    uint32_t src, dst;
    uint16_t sport, dport; /* host byte order */
    uint32_t seq, ack, count;
    uint8_t flags;
    bool stop;
};

static struct pkt *tcp_ip_send_packet(struct element *e,
                                      const struct tcp_ip_send_order *o)
{
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL,
                            sizeof(struct ip4_hdr) + sizeof(struct tcp_hdr), 0);
    struct ip4_hdr *h;
    struct tcp_hdr *t;

    if (!p)
        return NULL;
    h = (struct ip4_hdr *)(void *)p->data;
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)p->len),
                          .off = BE16(IP_DF),
                          .ttl = 255,
                          .proto = IP_PROTO_TCP,
                          .src = o->src,
                          .dst = o->dst};
    h->sum = csum_ip4_20(h);
    pkt_set_ip4(p, p->data, sizeof *h);
    t = pkt_tcp(p);
    *t = (struct tcp_hdr){.sport = be16(o->sport),
                          .dport = be16(o->dport),
                          .seq = be32(o->seq),
                          .ack = be32(o->ack),
                          .off = sizeof *t / 4 << 4,
                          .flags = o->flags,
                          .win = BE16(WINDOW)};
    t->sum = csum_finish(
        csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_TCP, sizeof *t), t, sizeof *t));
    return p;
}

#define SEND_ARG(kind_, member_, name_, flags_)                                        \
    {                                                                                  \
        .name = name_, .kind = kind_, .flags = flags_,                                 \
        .offset = offsetof(struct tcp_ip_send_order, member_)                          \
    }
static const struct arg_spec tcp_ip_send_words[] = {
    SEND_ARG(ARG_KIND_IP, src, "SRC", ARG_M),
    SEND_ARG(ARG_KIND_PORT_TCP, sport, "SPORT", ARG_M),
    SEND_ARG(ARG_KIND_IP, dst, "DST", ARG_M),
    SEND_ARG(ARG_KIND_PORT_TCP, dport, "DPORT", ARG_M),
    SEND_ARG(ARG_KIND_U32, seq, "SEQNO", ARG_M),
    SEND_ARG(ARG_KIND_U32, ack, "ACKNO", ARG_M),
    SEND_ARG(ARG_KIND_U8, flags, "FLAGS", ARG_M),
    SEND_ARG(ARG_KIND_U32, count, "COUNT", ARG_POS),
    SEND_ARG(ARG_KIND_BOOL, stop, "STOP", ARG_POS),
    ARG_END,
};

static int tcp_ip_send_write(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    struct tcp_ip_send_order o = {.count = 1};
    struct pkt *p;
    struct batch b;

    if (args_words(e, value, tcp_ip_send_words, &o, d) < 0)
        return -1;
    if (o.count > SEND_MAX)
        return diag_err(d, "COUNT: out of range, bound %d", SEND_MAX);
    p = tcp_ip_send_packet(e, &o);
    if (!p)
        return diag_err(d, "out of memory");
    while (o.count) {
        uint32_t want = o.count < BATCH_MAX ? o.count : BATCH_MAX;
        b.n = 0;
        batch_clone(&b, p, want);
        o.count -= want;
        out_push(e, 0, &b);
    }
    pkt_free(p);
    if (o.stop)
        router_stop(e->router);
    return 0;
}

static const struct handler_spec tcp_ip_send_handlers[] = {
    HANDLER_WRITER(tcp_ip_send_write, "send", "send packets"),
    HANDLER_END,
};

ELEMENT(TCPIPSend) = {
    .name = "TCPIPSend",
    .ports = "0/1",
    .processing = "h/h",
    .handlers = tcp_ip_send_handlers,
};
