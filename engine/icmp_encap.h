// SPDX-License-Identifier: BSD-3-Clause
/* icmp_encap.h -- what ICMPPingEncap, ICMPIPEncap and ICMPPingSource have in common */

#ifndef ENGINE_ICMP_ENCAP_H
#define ENGINE_ICMP_ENCAP_H

#include "engine/element.h"
#include "engine/net_headers.h"

struct icmp_encap {
    uint32_t src, dst;
    uint8_t type, code;
    uint16_t id, next; /* host byte order; `next` is the next sequence number */
    struct text type_text, code_text;
};

/* Put IP and ICMP headers in front of `p`: output 0, or dropped without memory. */
verdict_t icmp_encap_packet(struct icmp_encap *s, struct pkt *p);

extern const struct handler_spec icmp_encap_handlers[]; /* src, dst */

/* Writes the address, a member of the state, that the handler is for. */
int icmp_encap_write_address(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d);

#endif
