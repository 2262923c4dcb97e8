// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetRandIPAddress -- set the destination annotation to a random address
 *
 * Usage:    SetRandIPAddress(PREFIX [, LIMIT])
 * Ports:    1 in, 1 out; push or pull
 * Args:     PREFIX  ADDR/MASK that the address comes from
 *           LIMIT   choose among so many addresses of the network, which are random, too;
 *                   default: among all, as with 0 or less
 * Example:  InfiniteSource -> SetRandIPAddress(10.0.0.0/8) -> rt;
 * See also: SetIPAddress, StoreIPAddress
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct set_rand_ip_address {
    struct ip_prefix net;
    int32_t limit;
    uint64_t seed; /* of the addresses to choose among */
};

static const struct arg_spec set_rand_ip_address_args[] = {
    ARG_IP_PREFIX(set_rand_ip_address, net, "PREFIX", ARG_M, NULL, "ADDR/MASK"),
    ARG_I32(set_rand_ip_address, limit, "LIMIT", ARG_POS, "-1",
            "of how many addresses at most"),
    ARG_END,
};

static int set_rand_ip_address_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    struct set_rand_ip_address *s = element_state(e);

    s->seed = (uint64_t)element_random(e) << 32 | element_random(e);
    return 0;
}

/* The address number `i` of those to choose among: the same one each time. */
static uint32_t set_rand_ip_address_choice(const struct set_rand_ip_address *s,
                                           uint32_t i)
{
    uint64_t h = s->seed + (i + 1ull) * 0x9e3779b97f4a7c15ull;

    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ull;
    h = (h ^ h >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)(h >> 32);
}

static void set_rand_ip_address_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_rand_ip_address *s = element_state(e);
    const uint32_t net = s->net.addr & s->net.mask, host = ~s->net.mask;
    uint32_t r[BATCH_MAX], n = b->n - from;

    element_randoms(e, r, n);
    for (uint32_t i = 0; s->limit > 0 && i < n; i++)
        r[i] = set_rand_ip_address_choice(s, r[i] % (uint32_t)s->limit);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < n; i++)
        pkt_set_dst_ip(b->p[from + i], net | (be32(r[i]) & host));
}
ELEMENT_BATCH(set_rand_ip_address)

ELEMENT(SetRandIPAddress) = {
    .name = "SetRandIPAddress",
    .state_size = sizeof(struct set_rand_ip_address),
    .keeps = PKT_PARTS & ~PKT_ANNO,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = set_rand_ip_address_args,
    .configure = set_rand_ip_address_configure,
    .push = set_rand_ip_address_push,
    .pull = set_rand_ip_address_pull,
};
