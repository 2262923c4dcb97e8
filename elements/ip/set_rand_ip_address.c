// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetRandIPAddress -- set the destination annotation to a random address
 *
 * Usage:    SetRandIPAddress(PREFIX [, LIMIT])
 * Ports:    1 in, 1 out; push or pull
 * Args:     PREFIX  ADDR/MASK that the address comes from
 *           LIMIT   of how many addresses at most, default: all of the network
 * Example:  InfiniteSource -> SetRandIPAddress(10.0.0.0/8) -> rt;
 * See also: SetIPAddress, StoreIPAddress
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct set_rand_ip_address {
    struct ip_prefix net;
    int32_t limit;
};

static const struct arg_spec set_rand_ip_address_args[] = {
    ARG_IP_PREFIX(set_rand_ip_address, net, "PREFIX", ARG_M, NULL, "ADDR/MASK"),
    ARG_I32(set_rand_ip_address, limit, "LIMIT", ARG_POS, "-1",
            "of how many addresses at most"),
    ARG_END,
};

static void set_rand_ip_address_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_rand_ip_address *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        uint32_t r = element_random(e);
        if (s->limit > 0)
            r %= (uint32_t)s->limit;
        pkt_set_dst_ip(b->p[i], (s->net.addr & s->net.mask) | (be32(r) & ~s->net.mask));
    }
}
ELEMENT_BATCH(set_rand_ip_address)

ELEMENT(SetRandIPAddress) = {
    .name = "SetRandIPAddress",
    .state_size = sizeof(struct set_rand_ip_address),
    .ports = "1/1",
    .args = set_rand_ip_address_args,
    .push = set_rand_ip_address_push,
    .pull = set_rand_ip_address_pull,
};
