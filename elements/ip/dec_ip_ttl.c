// SPDX-License-Identifier: BSD-3-Clause
/*
 * DecIPTTL -- count down the time to live of IPv4 packets
 *
 * Usage:    DecIPTTL([ACTIVE true, MULTICAST true])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ACTIVE     false: pass packets unchanged
 *           MULTICAST  false: leave packets to multicast destinations alone
 * Counters: drops  packets whose time was up
 * Handlers: active  (rw) as ACTIVE
 * Example:  ... -> dt :: DecIPTTL -> ...; dt[1] -> ICMPError(10.0.0.1, timeexceeded);
 * See also: ICMPError, CheckIPHeader
 *
 * Packets with a time to live of 0 or 1 leave by output 1, or are dropped. The header
 * checksum is updated by RFC 1624, not computed anew: a wrong one stays wrong.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct dec_ip_ttl {
    bool active, multicast;
};

static const struct arg_spec dec_ip_ttl_args[] = {
    ARG_BOOL(dec_ip_ttl, active, "ACTIVE", 0, "true", "false: pass unchanged"),
    ARG_BOOL(dec_ip_ttl, multicast, "MULTICAST", 0, "true",
             "false: leave multicast packets alone"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec dec_ip_ttl_counters[] = {
    [C_DROPS] = {"drops", "packets whose time was up"},
    {NULL, NULL},
};

/* The arguments by value: they stay in registers, whatever is written. */
static inline verdict_t dec_ip_ttl_one(struct element *e, struct dec_ip_ttl s,
                                       struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);

    if (__builtin_expect(!s.active, 0))
        return 0;
    if (__builtin_expect(!pkt_has(p, p->network, sizeof *h), 0))
        return drop(e, C_DROPS);
    if (!s.multicast && (h->dst & BE32(0xf0000000u)) == BE32(0xe0000000u))
        return 0;
    if (__builtin_expect(h->ttl <= 1, 0))
        return spill(e, 1, C_DROPS);
    if (__builtin_expect(pkt_writable(p) < 0, 0))
        return drop(e, C_DROPS);
    h = pkt_ip4(p);
    h->ttl--;
    /* The word that TTL is the high byte of went down by 0x0100. */
    uint32_t sum = (uint32_t)h->sum + BE16(0x0100);
    h->sum = (uint16_t)(sum + (sum >= 0xffff));
    return 0;
}
ELEMENT_LOOP_(dec_ip_ttl,
              const struct dec_ip_ttl args = *(struct dec_ip_ttl *)element_state(e);
              batch_make_writable(b, from), ((void)port, dec_ip_ttl_one(e, args, p)))

static const struct handler_spec dec_ip_ttl_handlers[] = {
    HANDLER_VALUE(dec_ip_ttl, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX, "active",
                  "whether it counts down"),
    HANDLER_END,
};

ELEMENT(DecIPTTL) = {
    .name = "DecIPTTL",
    .state_size = sizeof(struct dec_ip_ttl),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = dec_ip_ttl_args,
    .counters = dec_ip_ttl_counters,
    .handlers = dec_ip_ttl_handlers,
    .push = dec_ip_ttl_push,
    .pull = dec_ip_ttl_pull,
};
