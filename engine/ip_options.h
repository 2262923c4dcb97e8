// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_options.h -- what a router does with the options of IPv4 headers
 *
 * Shared by IPGWOptions and IPOutputCombo.
 */

#ifndef ENGINE_IP_OPTIONS_H
#define ENGINE_IP_OPTIONS_H

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/words.h"

struct ip_options {
    uint32_t addr;         /* put into routes and timestamps */
    struct ip_list others; /* addresses that are the router's too */
};

/* Work on the Record Route and Timestamp options of a packet that has an IP header, making
 * it writable if there is something to write. Returns 0, or -1 when they are bad: the
 * ICMP_PARAMPROB annotation then says where; or -2 when memory ran out. */
int ip_options_process(struct element *e, const struct ip_options *o, struct pkt *p);

#endif
