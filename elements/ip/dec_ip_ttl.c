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
#include "engine/ip4_plain.h"

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

static inline verdict_t dec_ip_ttl_one(struct element *e, struct pkt *p)
{
    const struct dec_ip_ttl *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4(p);

    if (!s->active)
        return 0;
    if (!pkt_has(p, p->network, sizeof *h))
        return drop(e, C_DROPS);
    if (!s->multicast && (h->dst & BE32(0xf0000000u)) == BE32(0xe0000000u))
        return 0;
    if (h->ttl <= 1)
        return spill(e, 1, C_DROPS);
    if (pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    ip4_count_down(pkt_ip4(p));
    return 0;
}

/* Packets from `i` on, up to one that is shared, not IP or at its end. */
static inline __attribute__((always_inline)) uint32_t
dec_ip_ttl_writable(const struct batch *b, uint32_t i, bool plain)
{
    const uint32_t n = b->n; /* what is written might be this */

    for (; i < n; i++) {
        const struct pkt *p = b->p[i];

        if (pkt_shared(p) ||
            (!plain && !pkt_has(p, p->network, sizeof(struct ip4_hdr))) ||
            pkt_ip4(p)->ttl <= 1)
            break;
        ip4_count_down(pkt_ip4(p));
    }
    return i;
}

static inline __attribute__((always_inline)) uint32_t
dec_ip_ttl_some(struct element *e, struct batch *b, uint32_t from, bool plain)
{
    const struct dec_ip_ttl *s = element_state(e);

    if (!s->active)
        return b->n;
    if (s->multicast)
        from = dec_ip_ttl_writable(b, from, plain);
    if (from == b->n)
        return from;
    batch_make_writable(b, from);
    return s->multicast ? dec_ip_ttl_writable(b, from, plain) : from;
}

static uint32_t dec_ip_ttl_run(struct element *e, struct batch *b, uint32_t from)
{
    return dec_ip_ttl_some(e, b, from, false);
}
ELEMENT_LOOP_RUN(dec_ip_ttl)

static void dec_ip_ttl_push_ip4(struct element *e, unsigned port, struct batch *b)
{
    uint32_t from = dec_ip_ttl_some(e, b, 0, true);

    (void)port;
    if (__builtin_expect(from < b->n, 0))
        dec_ip_ttl_rest(e, b, from);
    out_push_ip4(e, 0, b);
}

static const struct handler_spec dec_ip_ttl_handlers[] = {
    HANDLER_VALUE(dec_ip_ttl, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX, "active",
                  "whether it counts down"),
    HANDLER_END,
};

ELEMENT(DecIPTTL) = {
    .name = "DecIPTTL",
    .state_size = sizeof(struct dec_ip_ttl),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = dec_ip_ttl_args,
    .counters = dec_ip_ttl_counters,
    .handlers = dec_ip_ttl_handlers,
    .push = dec_ip_ttl_push,
    .pull = dec_ip_ttl_pull,
    .push_ip4 = dec_ip_ttl_push_ip4,
};
