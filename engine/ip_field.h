// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_field.h -- a field of an IP packet, by name or by place
 *
 *     ip src/8   tcp dport   sport   ip[8:2] & 0x3F0   transp{3}   data[0-3]
 *     ip src[0:2]   ip proto 47 [2:2]
 *
 * Names are those of IPFieldInfo and the ones built in.
 */

#ifndef ENGINE_IP_FIELD_H
#define ENGINE_IP_FIELD_H

#include "base/sbuf.h"
#include "engine/element.h"

enum ip_field_base { FIELD_NONE, FIELD_IP, FIELD_TRANSPORT, FIELD_PAYLOAD };

struct ip_field {
    uint8_t base;    /* enum ip_field_base */
    uint16_t proto;  /* that it belongs to; 0: any; NAME_PROTO_TCP_OR_UDP */
    uint32_t offset; /* bits from the base */
    uint32_t length; /* bits */
};

/* Parse `text` as seen by `e`. Returns what follows the field, for fields without mask and
 * with more text behind them, or NULL with a message. */
const char *ip_field_parse(struct ip_field *f, const struct element *e,
                           const char *text, struct diag *d);

/* Bytes that `f` is counted from in packet `p`, and how many there are; NULL when the
 * packet has no such field: no IPv4, another protocol, a later fragment. */
const uint8_t *ip_field_base(const struct ip_field *f, const struct pkt *p,
                             uint32_t *n);

/* The name of the field's protocol, "" for IP's own header. */
const char *ip_field_header(const struct ip_field *f);

/* Append the field as ip_field_parse() reads it, by name if it has one. */
void ip_field_print(const struct ip_field *f, struct sbuf *out);

/* The value of a field of at most 32 bits; false when the packet does not have the whole
 * word of 32 bits that the field is in. */
bool ip_field_get(const struct ip_field *f, const struct pkt *p, uint32_t *value);

#endif
