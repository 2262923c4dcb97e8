// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMPPingEncap -- put the headers of an ICMP echo request in front
 *
 * Usage:    ICMPPingEncap(SRC, DST [, IDENTIFIER 0])
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC         source address
 *           DST         destination address
 *           IDENTIFIER  that of the requests
 * Handlers: src  (rw) source address
 *           dst  (rw) destination address
 * Example:  RatedSource(ping, 1) -> ICMPPingEncap(1.0.0.1, 2.0.0.2) -> ...
 * See also: ICMPPingSource, ICMPIPEncap, UDPIPEncap
 *
 * Marks the header and sets the destination annotation to DST. The sequence number, which is
 * the identification of the IP header too, counts up from 1 and leaves out 0. The time to
 * live is 255.
 */

#include "engine/icmp_encap.h"

static const struct arg_spec icmp_ping_encap_args[] = {
    ARG_IP(icmp_encap, src, "SRC", ARG_M, NULL, "source address"),
    ARG_IP(icmp_encap, dst, "DST", ARG_M, NULL, "destination address"),
    ARG_U16(icmp_encap, id, "IDENTIFIER", 0, "0", "identifier of the requests"),
    ARG_END,
};

static int icmp_ping_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct icmp_encap *s = element_state(e);

    s->type = ICMP_ECHO;
    s->next = 1;
    return 0;
}

static inline verdict_t icmp_ping_encap_one(struct element *e, struct pkt *p)
{
    return icmp_encap_packet(element_state(e), p);
}
ELEMENT_LOOP(icmp_ping_encap)

ELEMENT(ICMPPingEncap) = {
    .name = "ICMPPingEncap",
    .state_size = sizeof(struct icmp_encap),
    .ports = "1/1",
    .args = icmp_ping_encap_args,
    .handlers = icmp_encap_handlers,
    .configure = icmp_ping_encap_configure,
    .push = icmp_ping_encap_push,
    .pull = icmp_ping_encap_pull,
};
