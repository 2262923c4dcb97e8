// SPDX-License-Identifier: BSD-3-Clause
/*
 * RoutingZeroEncap -- put an IPv6 routing header of type 0 in front of packets
 *
 * Usage:    RoutingZeroEncap(PROTO, ADDRESSES)
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO      number of the header that follows
 *           ADDRESSES  up to 127 addresses on the way, in one string
 * Counters: drops  packets for which memory ran out
 * Example:  ... -> RoutingZeroEncap(17, "2001:db8::5 2001:db8::6") -> IP6Encap(43, 2001:db8::1, 2001:db8::4) -> ...
 * See also: HopByHopEncap, IP6Encap
 *
 * All addresses are still to be visited. IP6Encap(43, ...) has to follow. Most routers drop
 * such packets (RFC 5095).
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/parse_chars.h"

enum { ADDRESSES_MAX = 127 };

struct routing_zero_encap {
    struct text addresses;
    uint8_t *header; /* in the router's arena */
    uint32_t len;
    uint8_t proto;
};

static const struct arg_spec routing_zero_encap_args[] = {
    ARG_U8(routing_zero_encap, proto, "PROTO", ARG_M, NULL, "header that follows"),
    ARG_STRING(routing_zero_encap, addresses, "ADDRESSES", ARG_M, NULL,
               "addresses on the way"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec routing_zero_encap_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

/* The next word behind `*text`, or NULL; it stands in `word`, cut if it has no room there. */
static const char *next_word(const char **text, char *word, size_t room)
{
    size_t len = 0;

    while (char_is_space(**text))
        ++*text;
    for (; **text && !char_is_space(**text); ++*text)
        if (len + 1 < room)
            word[len++] = **text;
    word[len] = '\0';
    return len ? word : NULL;
}

static int routing_zero_encap_configure(struct element *e, struct conf *c,
                                        struct diag *d)
{
    struct routing_zero_encap *s = element_state(e);
    const char *text = s->addresses.s, *word;
    char buf[64];
    unsigned n = 0;

    s->header = element_alloc(e, 8 + ADDRESSES_MAX * 16);
    if (!s->header)
        return diag_err(d, "out of memory");
    while ((word = next_word(&text, buf, sizeof buf)) != NULL) {
        struct ip6_addr addr;

        if (!parse_ip6(e, word, &addr))
            return diag_err(d, "The address '%s' is not a valid IPv6 address", word);
        if (n == ADDRESSES_MAX)
            return diag_err(d, "more than %d ADDRESSES", ADDRESSES_MAX);
        memcpy(s->header + 8 + 16 * n++, addr.b, 16);
    }
    s->header[0] = s->proto;
    s->header[1] = (uint8_t)(2 * n);
    s->header[3] = (uint8_t)n;
    s->len = 8 + 16 * n;
    return 0;
}

static inline verdict_t routing_zero_encap_one(struct element *e, struct pkt *p)
{
    const struct routing_zero_encap *s = element_state(e);

    if (!pkt_push(p, s->len))
        return drop(e, C_DROPS);
    memcpy(p->data, s->header, s->len);
    return 0;
}
ELEMENT_LOOP(routing_zero_encap)

ELEMENT(RoutingZeroEncap) = {
    .name = "RoutingZeroEncap",
    .state_size = sizeof(struct routing_zero_encap),
    .ports = "1/1",
    .args = routing_zero_encap_args,
    .counters = routing_zero_encap_counters,
    .configure = routing_zero_encap_configure,
    .push = routing_zero_encap_push,
    .pull = routing_zero_encap_pull,
};
