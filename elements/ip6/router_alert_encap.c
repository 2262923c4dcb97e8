// SPDX-License-Identifier: BSD-3-Clause
/*
 * RouterAlertEncap -- put an IPv6 router alert in front of packets
 *
 * Usage:    RouterAlertEncap(PROTO, OPTION)
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO   number of the header that follows
 *           OPTION  what the routers are to look at: 0 multicast listener discovery, 1 RSVP,
 *                   2 active networks
 * Counters: drops  packets for which memory ran out
 * Example:  ... -> RouterAlertEncap(58, 0) -> IP6Encap(0, 2001:db8::1, ff02::16) -> ...
 * See also: HopByHopEncap, IP6Encap
 *
 * The header is a hop-by-hop options header of eight bytes: the alert and padding.
 * IP6Encap(0, ...) has to follow.
 */

#include "engine/element.h"

struct router_alert_encap {
    uint16_t option;
    uint8_t proto;
};

static const struct arg_spec router_alert_encap_args[] = {
    ARG_U8(router_alert_encap, proto, "PROTO", ARG_M, NULL, "header that follows"),
    ARG_U16(router_alert_encap, option, "OPTION", ARG_M, NULL, "value of the alert"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec router_alert_encap_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static inline verdict_t router_alert_encap_one(struct element *e, struct pkt *p)
{
    const struct router_alert_encap *s = element_state(e);
    const uint8_t header[8] = {
        s->proto, 0, 5, 2, (uint8_t)(s->option >> 8), (uint8_t)s->option, 1, 0,
    };

    if (!pkt_push(p, sizeof header))
        return drop(e, C_DROPS);
    memcpy(p->data, header, sizeof header);
    return 0;
}
ELEMENT_LOOP(router_alert_encap)

ELEMENT(RouterAlertEncap) = {
    .name = "RouterAlertEncap",
    .state_size = sizeof(struct router_alert_encap),
    .ports = "1/1",
    .args = router_alert_encap_args,
    .counters = router_alert_encap_counters,
    .push = router_alert_encap_push,
    .pull = router_alert_encap_pull,
};
