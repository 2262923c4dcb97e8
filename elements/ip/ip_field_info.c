// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPFieldInfo -- the names of header fields
 *
 * Usage:    IPFieldInfo()
 * Ports:    none
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  AggregateIP(ip src/24); AggregateIP(tcp dport)
 * See also: IPNameInfo, AggregateIP, IPClassifier
 *
 * Stands for names that are there without it; no configuration needs it. Fields of IP are
 * vers hl tos dscp ecn len id off rf df mf fragoff ttl proto sum src dst, of TCP and UDP
 * sport dport, of UDP len sum, of TCP seq ack ackno hl flags urg psh rst syn fin win sum urp,
 * of ICMP type code sum.
 */

#include "engine/element.h"

ELEMENT(IPFieldInfo) = {
    .name = "IPFieldInfo",
    .ports = "0/0",
    .info = true,
};
