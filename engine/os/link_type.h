// SPDX-License-Identifier: BSD-3-Clause
/*
 * link_type.h -- what packets of a capture begin with: names, and where IP starts
 *
 * Numbers are those of capture files (LINKTYPE_ of libpcap).
 */

#ifndef ENGINE_OS_LINK_TYPE_H
#define ENGINE_OS_LINK_TYPE_H

#include "engine/pkt.h"

enum link_type {
    LINK_NULL = 0,
    LINK_ETHER = 1,
    LINK_PPP = 9,
    LINK_FDDI = 10,
    LINK_HOST_RAW = 12, /* LINK_RAW, as this system's libpcap calls it */
    LINK_PPP_HDLC = 50,
    LINK_ATM_RFC1483 = 100,
    LINK_RAW = 101,
    LINK_C_HDLC = 104,
    LINK_802_11 = 105,
    LINK_LINUX_SLL = 113,
    LINK_PRISM = 119,
    LINK_AIRONET = 120,
    LINK_SUNATM = 123,
    LINK_802_11_RADIO = 127,
};

/* "ETHER", "IP", "#123"; -1: not known. */
int link_type_parse(const char *name);
enum { LINK_TYPE_ROOM = 16 };
const char *link_type_unparse(int type, char *buf);

/* Whether link_type_force_ip() can find IP in packets of that type. */
bool link_type_has_ip(int type);

/* Set the header pointers, and for IPv4 the destination annotation, if it is a packet of
 * IPv4 or IPv6 with a whole header. */
bool link_type_force_ip(struct pkt *p, int type);

#endif
