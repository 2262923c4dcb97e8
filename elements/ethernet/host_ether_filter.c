// SPDX-License-Identifier: BSD-3-Clause
/*
 * HostEtherFilter -- drop Ethernet packets that are for somebody else
 *
 * Usage:    HostEtherFilter(ETHER [, DROP_OWN false, DROP_OTHER true, OFFSET 0])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ETHER       this host's address
 *           DROP_OWN    drop what this host itself has sent
 *           DROP_OTHER  drop what is addressed to other hosts
 *           OFFSET      bytes before the Ethernet header, default 0
 * Handlers: ether  (rw) as ETHER
 * Example:  FromDevice(0) -> HostEtherFilter(00:00:00:00:00:01) -> ...
 * See also: DropBroadcasts, Classifier
 *
 * Sets the packet type annotation to host, broadcast, multicast or other host. What is
 * filtered leaves by output 1 if there is one; so do packets too short for the header.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct host_ether_filter {
    struct ether_addr addr;
    bool drop_own, drop_other;
    uint32_t offset;
};

static const struct arg_spec host_ether_filter_args[] = {
    ARG_ETHER(host_ether_filter, addr, "ETHER", ARG_M, NULL, "this host's address"),
    ARG_BOOL(host_ether_filter, drop_own, "DROP_OWN", ARG_POS, "false",
             "drop what this host has sent"),
    ARG_BOOL(host_ether_filter, drop_other, "DROP_OTHER", ARG_POS, "true",
             "drop what is for other hosts"),
    ARG_U32(host_ether_filter, offset, "OFFSET", 0, "0",
            "bytes before the Ethernet header"),
    ARG_END,
};

static inline verdict_t host_ether_filter_one(struct element *e, struct pkt *p)
{
    const struct host_ether_filter *s = element_state(e);
    const struct eth_hdr *h = (const void *)(p->data + s->offset);
    verdict_t other = e->n_out > 1 ? 1 : VERDICT_DROP;

    if (__builtin_expect(p->len < s->offset || p->len - s->offset < sizeof *h, 0))
        return other;
    if (s->drop_own && ether_equal(&h->src, &s->addr))
        return other;
    if (ether_equal(&h->dst, &s->addr)) {
        p->type = PKT_HOST;
    } else if (ether_is_broadcast(&h->dst)) {
        p->type = PKT_BROADCAST;
    } else if (ether_is_group(&h->dst)) {
        p->type = PKT_MULTICAST;
    } else {
        p->type = PKT_OTHERHOST;
        return s->drop_other ? other : 0;
    }
    return 0;
}
ELEMENT_LOOP(host_ether_filter)

static const struct handler_spec host_ether_filter_handlers[] = {
    HANDLER_VALUE(host_ether_filter, addr, ARG_KIND_ETHER, HANDLER_READ | HANDLER_WRITE,
                  "ether", "this host's address"),
    HANDLER_END,
};

ELEMENT(HostEtherFilter) = {
    .name = "HostEtherFilter",
    .state_size = sizeof(struct host_ether_filter),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = host_ether_filter_args,
    .handlers = host_ether_filter_handlers,
    .push = host_ether_filter_push,
    .pull = host_ether_filter_pull,
};
