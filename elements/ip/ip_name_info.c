// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPNameInfo -- the names of protocols, ports and ICMP messages
 *
 * Usage:    IPNameInfo()
 * Ports:    none
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  IPClassifier(tcp port www, udp port dns, icmp type echo-reply)
 * See also: PortInfo, IPFieldInfo, IPClassifier
 *
 * Stands for names that are there without it; no configuration needs it. Protocols are icmp
 * igmp ipip tcp udp tcpudp transp, ports those of well-known services, ICMP types and codes
 * those that IPClassifier and ICMPError speak of.
 */

#include "engine/element.h"

ELEMENT(IPNameInfo) = {
    .name = "IPNameInfo",
    .ports = "0/0",
    .info = true,
};
