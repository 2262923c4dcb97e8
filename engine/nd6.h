// SPDX-License-Identifier: BSD-3-Clause
/*
 * nd6.h -- neighbour discovery for IPv6 (RFC 4861): messages in Ethernet frames
 *
 * What IP6NDSolicitor and IP6NDAdvertiser have in common: which frames are to be believed,
 * and how one is made.
 */

#ifndef ENGINE_ND6_H
#define ENGINE_ND6_H

#include "engine/element.h"
#include "engine/net_headers.h"

enum {
    ND6_SOLICIT = 135,
    ND6_ADVERTISE = 136,
    ND6_SIZE = 24,    /* bytes of a message before its options */
    ND6_AT = 14 + 40, /* where it begins in the frame */
    ND6_SOURCE = 1,   /* options: link-layer addresses */
    ND6_TARGET = 2,
};

/* Bytes of the message of that type that the frame holds, from ND6_AT on; 0 when there is
 * none that RFC 4861, 7.1, lets pass. */
uint32_t nd6_message(const struct pkt *p, uint8_t type);

/* The address that a message is about. */
static inline const uint8_t *nd6_target(const struct pkt *p)
{
    return p->data + ND6_AT + 8;
}

struct nd6_frame {
    struct ether_addr to, from;
    struct ip6_addr src, dst, target;
    uint8_t type, flags;
    uint8_t option; /* ND6_SOURCE or ND6_TARGET: it tells `from` */
};

/* A new packet; NULL without memory. */
struct pkt *nd6_make(struct element *e, const struct nd6_frame *f);

#endif
