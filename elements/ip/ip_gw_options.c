// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPGWOptions -- do what the options of IPv4 headers ask of a router
 *
 * Usage:    IPGWOptions(MYADDR [, OTHERADDRS])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     MYADDR      the address to put into routes and timestamps
 *           OTHERADDRS  addresses that are the router's too
 * Counters: drops  packets with bad options
 * Example:  gio :: IPGWOptions(10.0.0.1) -> ...;
 *           gio[1] -> ICMPError(10.0.0.1, parameterproblem) -> ...
 * See also: ICMPError, IPOutputCombo
 *
 * Fills in the Record Route and Timestamp options (RFC 791) and computes the checksum anew
 * if something changed. Packets with bad options leave by output 1, or are dropped, with
 * the place in the ICMP_PARAMPROB annotation. Wants the IP header to be marked.
 */

#include "engine/ip_options.h"
#include "engine/ip4_plain.h"

struct ip_gw_options {
    struct ip_options options;
};

static const struct arg_spec ip_gw_options_args[] = {
    ARG_IP(ip_gw_options, options.addr, "MYADDR", ARG_M, NULL,
           "address to put into routes"),
    {.name = "OTHERADDRS",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_POS,
     .offset = offsetof(struct ip_gw_options, options.others),
     .help = "addresses that are the router's too",
     .parse = ip_list_parse},
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec ip_gw_options_counters[] = {
    [C_DROPS] = {"drops", "packets with bad options"},
    {NULL, NULL},
};

static inline bool ip_gw_options_idle(const struct element *e, const struct pkt *p)
{
    return pkt_has(p, p->network, 20) && *p->network == 0x45;
}

static inline verdict_t ip_gw_options_one(struct element *e, struct pkt *p)
{
    const struct ip_gw_options *s = element_state(e);
    int r;

    if (ip_gw_options_idle(e, p))
        return 0;
    if (!pkt_has_ip4(p))
        return drop(e, C_DROPS);
    r = ip_options_process(e, &s->options, p);
    return r == 0 ? 0 : r == -1 ? spill(e, 1, C_DROPS) : drop(e, C_DROPS);
}
ELEMENT_LOOP_RARE(ip_gw_options)

static void ip_gw_options_push_ip4(struct element *e, unsigned port, struct batch *b)
{
    (void)port;
    out_push_ip4(e, 0, b);
}

ELEMENT(IPGWOptions) = {
    .name = "IPGWOptions",
    .state_size = sizeof(struct ip_gw_options),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = ip_gw_options_args,
    .counters = ip_gw_options_counters,
    .push = ip_gw_options_push,
    .pull = ip_gw_options_pull,
    .push_ip4 = ip_gw_options_push_ip4,
};
