// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMPIPEncap -- put ICMP and IPv4 headers in front
 *
 * Usage:    ICMPIPEncap(SRC, DST, TYPE [, CODE 0, IDENTIFIER 0])
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC         source address
 *           DST         destination address
 *           TYPE        number or name of an ICMP type
 *           CODE        number or name of a code of that type
 *           IDENTIFIER  of echo, timestamp and information packets
 * Handlers: src  (rw) source address
 *           dst  (rw) destination address
 * Example:  ... -> ICMPIPEncap(1.0.0.1, 2.0.0.2, unreachable, port) -> ...
 * See also: ICMPPingEncap, ICMPError, IPEncap
 *
 * Marks the header and sets the destination annotation to DST. The identification of the IP
 * header, which is the sequence number of types that have one, counts up from 1 and leaves
 * out 0. The rest of the ICMP header is 0, the time to live 255.
 */

#include "engine/icmp_encap.h"
#include "engine/nameinfo.h"

static const struct arg_spec icmp_ip_encap_args[] = {
    ARG_IP(icmp_encap, src, "SRC", ARG_M, NULL, "source address"),
    ARG_IP(icmp_encap, dst, "DST", ARG_M, NULL, "destination address"),
    ARG_WORD(icmp_encap, type_text, "TYPE", ARG_M, NULL, "ICMP type"),
    ARG_WORD(icmp_encap, code_text, "CODE", ARG_POS, "0", "its code"),
    ARG_U16(icmp_encap, id, "IDENTIFIER", 0, "0", "identifier"),
    ARG_END,
};

static int icmp_ip_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct icmp_encap *s = element_state(e);
    uint32_t type, code;

    if (!name_query_int(e, NAME_ICMP_TYPE, s->type_text.s, &type))
        return diag_err(d, "TYPE: parse error");
    if (type > 255)
        return diag_err(d, "invalid TYPE");
    if (!name_query_int(e, NAME_ICMP_CODE + type, s->code_text.s, &code) || code > 255)
        return diag_err(d, "invalid CODE");
    s->type = (uint8_t)type;
    s->code = (uint8_t)code;
    s->next = 1;
    return 0;
}

static inline verdict_t icmp_ip_encap_one(struct element *e, struct pkt *p)
{
    return icmp_encap_packet(element_state(e), p);
}
ELEMENT_LOOP(icmp_ip_encap)

ELEMENT(ICMPIPEncap) = {
    .name = "ICMPIPEncap",
    .state_size = sizeof(struct icmp_encap),
    .ports = "1/1",
    .args = icmp_ip_encap_args,
    .handlers = icmp_encap_handlers,
    .configure = icmp_ip_encap_configure,
    .push = icmp_ip_encap_push,
    .pull = icmp_ip_encap_pull,
};
