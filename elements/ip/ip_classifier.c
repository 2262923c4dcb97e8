// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPClassifier -- sort IP packets by what their headers say
 *
 * Usage:    IPClassifier(EXPRESSION_0, ..., EXPRESSION_N)
 * Ports:    1 in, one out for each expression; push
 * Args:     EXPRESSION  which packets leave by this output; "-", "any" or "all": those
 *                       that are left
 * Handlers: program  read    the expressions as a decision program
 *           pattern  read/write  the expression with this number: pattern0, pattern1 ...
 * Example:  IPClassifier(10.0.0.0/24 and syn, dst tcp port 80 or 443, icmp type echo, -)
 * See also: IPFilter, Classifier, CheckIPHeader, MarkIPHeader, AddressInfo, PortInfo
 *
 * A packet leaves by the output of the first expression that is true for it, and is
 * dropped if there is none. Tests are:
 *
 *     [src|dst|src or dst|src and dst] host ADDRESS      net ADDRESS/BITS
 *     ... [tcp|udp] port PORT      ... ether host ADDRESS
 *     ip proto N   ip vers N   ip hl N   ip tos N   ip dscp N   ip ttl N   ip id N
 *     ip len N     ip ect      ip ce     ip frag    ip unfrag
 *     tcp opt syn|fin|ack|rst|psh|urg    tcp win N    icmp type N
 *     ip[POS:LEN] N   transp[POS:LEN] N   tcp[POS:LEN] N ...      true      false
 *
 * All but tcp opt take a relation before the value (= == != < > <= >=; addresses only the
 * first three) and "& MASK" before that. Tests are combined with and (&&), or (||), not
 * (!), ? : and parentheses; two in a row mean "and". What a test leaves out is taken from
 * the one before ("src port 80 or 81"), and words that have one meaning may stand alone:
 * "tcp", "www", "syn", "10.0.0.1", "unfrag".
 *
 * Tests on the transport header are false for packets that are not first fragments and
 * for packets that end before it, even if they are negated by a relation: "dst port != 80"
 * is a packet with some other port, "not dst port 80" may be one without ports.
 */

#include "engine/element.h"

#include "engine/classify/filter.h"

static int ip_classifier_configure(struct element *e, struct conf *c, struct diag *d)
{
    return filter_configure(element_state(e), &filter_ip_patterns, e, c, d);
}

static void ip_classifier_cleanup(struct element *e)
{
    filter_cleanup(element_state(e));
}

static void ip_classifier_push(struct element *e, unsigned port, struct batch *b)
{
    (void)port;
    filter_push(element_state(e), e, b);
}

static int ip_classifier_program(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d)
{
    (void)h;
    (void)param;
    return filter_program(&filter_ip_patterns, e, out, d);
}

static const struct handler_spec ip_classifier_handlers[] = {
    HANDLER_READER(ip_classifier_program, "program",
                   "the expressions as a decision program"),
    {.name = "pattern",
     .help = "the expression with this number",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_NUMBERED,
     .read = filter_pattern_read,
     .write = filter_pattern_write},
    HANDLER_END,
};

ELEMENT(IPClassifier) = {
    .name = "IPClassifier",
    .state_size = sizeof(struct filter),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .live = true,
    .handlers = ip_classifier_handlers,
    .configure = ip_classifier_configure,
    .cleanup = ip_classifier_cleanup,
    .push = ip_classifier_push,
};
