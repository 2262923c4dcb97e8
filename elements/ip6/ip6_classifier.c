// SPDX-License-Identifier: BSD-3-Clause
/*
 * IP6Classifier -- sort IPv6 packets by what their headers say
 *
 * Usage:    IP6Classifier(EXPRESSION_0, ..., EXPRESSION_N)
 * Ports:    1 in, one out for each expression; push
 * Args:     EXPRESSION  which packets leave by this output; "-", "any" or "all": those
 *                       that are left
 * Handlers: program  read    the expressions as a decision program
 *           pattern  read/write  the expression with this number: pattern0, pattern1 ...
 * Example:  IP6Classifier(src net 2001:db8::/32 and syn, dst tcp port 80, icmp6 type echo, -)
 * See also: IP6Filter, IPClassifier, CheckIP6Header, MarkIP6Header, AddressInfo, PortInfo
 *
 * A packet leaves by the output of the first expression that is true for it, and is
 * dropped if there is none. The language is that of IPClassifier. Tests are:
 *
 *     [src|dst|src or dst|src and dst] host ADDRESS      net ADDRESS/BITS
 *     ... [tcp|udp] port PORT      ... ether host ADDRESS
 *     ip6 proto N  the protocol behind all extension headers      ip6 next N  the first one
 *     ip6 vers N   ip6 hlim N   ip6 tclass N   ip6 dscp N   ip6 flow N   ip6 len N
 *     ip6 ect      ip6 ce       ip6 frag       ip6 unfrag
 *     tcp opt syn|fin|ack|rst|psh|urg    tcp win N    icmp6 type N
 *     ip6[POS:LEN] N   transp[POS:LEN] N   tcp[POS:LEN] N ...      true      false
 *
 * with the relations, masks (those of addresses are IPv6 addresses) and connectives that
 * are there. "ip6 ecn N" is the rest of tclass. "ip" may stand for ip6, "ttl" for hlim, "tos"
 * for tclass, "nxt" for next, "plen" for len, "icmp" for icmp6.
 *
 * Hop-by-hop options, routing, fragment, authentication and destination options headers are
 * skipped, up to sixteen of them; a packet that ends before the protocol is clear has the
 * number of the header that is cut off. "frag" is a packet with a fragment header that is
 * not all there is; ports and other tests on the transport header are false for all but the
 * first fragment.
 */

#include "engine/element.h"

#include "engine/classify/filter.h"

static int ip6_classifier_configure(struct element *e, struct conf *c, struct diag *d)
{
    return filter_configure(element_state(e), &filter_ip6_patterns, e, c, d);
}

static void ip6_classifier_cleanup(struct element *e)
{
    filter_cleanup(element_state(e));
}

static void ip6_classifier_push(struct element *e, unsigned port, struct batch *b)
{
    filter_push(element_state(e), e, b);
}

static int ip6_classifier_program(struct element *e, const struct handler_spec *h,
                                  const char *param, struct sbuf *out, struct diag *d)
{
    return filter_program(&filter_ip6_patterns, e, out, d);
}

static const struct handler_spec ip6_classifier_handlers[] = {
    HANDLER_READER(ip6_classifier_program, "program",
                   "the expressions as a decision program"),
    {.name = "pattern",
     .help = "the expression with this number",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_NUMBERED,
     .read = filter_pattern_read,
     .write = filter_pattern_write},
    HANDLER_END,
};

ELEMENT(IP6Classifier) = {
    .name = "IP6Classifier",
    .state_size = sizeof(struct filter),
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .live = true,
    .handlers = ip6_classifier_handlers,
    .configure = ip6_classifier_configure,
    .cleanup = ip6_classifier_cleanup,
    .push = ip6_classifier_push,
};
