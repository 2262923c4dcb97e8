// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateIPAddrPair -- number the pairs of hosts that talk to each other
 *
 * Usage:    AggregateIPAddrPair([TIMEOUT 0, REAP 20min])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     TIMEOUT  a pair that was silent for longer gets a new number; 0: never
 *           REAP     how often old pairs are looked for, default 20 minutes of packet time
 * Counters: none
 * Handlers: clear  (write) forget all pairs
 * Example:  FromDump(t.pcap, FORCE_IP true) -> AggregateIPAddrPair -> ...
 * See also: AggregateIP, AggregateIPFlows
 *
 * Sets the aggregate annotation to the pair's number, from 1 on, and the paint annotation to
 * 0 in the direction of the pair's first packet and 1 in the other. Packets without an IP
 * header leave by output 1 if that is connected. Time is that of the packets' timestamps;
 * with a TIMEOUT, packets without one get the time of day. Pairs survive an exchange of
 * configurations.
 */

#include "engine/agg_notifier.h"
#include "engine/agg_table.h"
#include "engine/net_headers.h"

struct aggregate_ip_addr_pair {
    struct agg_table table;
    struct agg_notifier notifier;
    int64_t timeout_ns, reap_ns;
    uint32_t next, active_s, gc_s;
    bool warned;
};

static const int64_t second_ns = 1000000000;

static const struct arg_spec aggregate_ip_addr_pair_args[] = {
    ARG_TIME(aggregate_ip_addr_pair, timeout_ns, "TIMEOUT", 0, "0", "longest silence"),
    ARG_TIME(aggregate_ip_addr_pair, reap_ns, "REAP", 0, "20min",
             "how often old pairs are looked for"),
    ARG_END,
};

static int aggregate_ip_addr_pair_configure(struct element *e, struct conf *c,
                                            struct diag *d)
{
    struct aggregate_ip_addr_pair *s = element_state(e);

    agg_table_init(&s->table, (uint64_t)element_random(e) << 32 | element_random(e));
    s->next = 1;
    return 0;
}

static void aggregate_ip_addr_pair_cleanup(struct element *e)
{
    agg_table_fini(&((struct aggregate_ip_addr_pair *)element_state(e))->table);
}

static bool pair_expired(const struct aggregate_ip_addr_pair *s,
                         const struct agg_slot *slot, uint32_t now_s)
{
    return (int32_t)(*agg_last_s(slot) -
                     (now_s - (uint32_t)(s->timeout_ns / second_ns))) < 0;
}

static void pairs_reap(struct aggregate_ip_addr_pair *s, bool all)
{
    struct agg_slot slot;

    for (uint32_t at = 0; agg_table_next(&s->table, &at, &slot);)
        if (all || pair_expired(s, &slot, s->active_s)) {
            agg_notify(&s->notifier, *agg_aggregate(&slot), AGG_DELETE);
            agg_table_remove(&s->table, &slot);
        }
}

/* Keep time and forget a pair that was silent too long. */
static void pair_age(struct element *e, struct agg_slot *slot, struct pkt *p)
{
    struct aggregate_ip_addr_pair *s = element_state(e);
    uint32_t now;

    if (!p->timestamp) {
        if (!s->warned)
            element_say(e, "%s: warning: packet received without timestamp\n",
                        element_declaration(e));
        s->warned = true;
        p->timestamp = element_wall_now(e);
    }
    now = (uint32_t)(p->timestamp / second_ns);
    if (*agg_aggregate(slot) && pair_expired(s, slot, now)) {
        agg_notify(&s->notifier, *agg_aggregate(slot), AGG_DELETE);
        *agg_aggregate(slot) = 0;
    }
    *agg_last_s(slot) = s->active_s = now;
}

static inline verdict_t aggregate_ip_addr_pair_one(struct element *e, struct pkt *p)
{
    struct aggregate_ip_addr_pair *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    struct agg_slot slot;
    struct agg_key k;
    bool back;

    if (pkt_avail(p, p->network) < sizeof *h)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    back = h->src > h->dst;
    k = back ? (struct agg_key){h->dst, h->src, 0, false}
             : (struct agg_key){h->src, h->dst, 0, false};
    if (!agg_table_get(&s->table, &k, &slot) && !agg_table_put(&s->table, &k, &slot))
        return VERDICT_DROP;
    if (s->timeout_ns > 0)
        pair_age(e, &slot, p);
    if (!*agg_aggregate(&slot)) {
        *agg_aggregate(&slot) = s->next;
        *agg_flags(&slot) = (uint8_t)(AGG_USED | (back ? AGG_REVERSE : 0));
        if (++s->next == 0)
            s->next = 1;
        agg_notify(&s->notifier, *agg_aggregate(&slot), AGG_NEW);
    }
    p->anno_u32[ANNO_AGGREGATE / 4] = *agg_aggregate(&slot);
    pkt_set_paint(p, back != ((*agg_flags(&slot) & AGG_REVERSE) != 0));
    if (s->timeout_ns > 0 && (int32_t)(s->active_s - s->gc_s) > 0) {
        if (s->gc_s)
            pairs_reap(s, false);
        s->gc_s = s->active_s + (uint32_t)(s->reap_ns / second_ns);
    }
    return 0;
}
ELEMENT_LOOP(aggregate_ip_addr_pair)

static void aggregate_ip_addr_pair_take_state(struct element *e, struct element *old)
{
    struct aggregate_ip_addr_pair *s = element_state(e), *from = element_state(old);
    struct agg_table mine = s->table;

    s->table = from->table;
    from->table = mine;
    s->next = from->next;
    s->active_s = from->active_s;
    s->gc_s = from->gc_s;
}

static void *aggregate_ip_addr_pair_cast(struct element *e, const char *kind)
{
    struct aggregate_ip_addr_pair *s = element_state(e);

    return strcmp(kind, "AggregateNotifier") ? NULL : &s->notifier;
}

static int aggregate_ip_addr_pair_clear(struct element *e, const struct handler_spec *h,
                                        const char *value, size_t len, struct diag *d)
{
    pairs_reap(element_state(e), true);
    return 0;
}

static const struct handler_spec aggregate_ip_addr_pair_handlers[] = {
    HANDLER_WRITER(aggregate_ip_addr_pair_clear, "clear", "forget all pairs"),
    HANDLER_END,
};

ELEMENT(AggregateIPAddrPair) = {
    .name = "AggregateIPAddrPair",
    .state_size = sizeof(struct aggregate_ip_addr_pair),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = aggregate_ip_addr_pair_args,
    .handlers = aggregate_ip_addr_pair_handlers,
    .configure = aggregate_ip_addr_pair_configure,
    .take_state = aggregate_ip_addr_pair_take_state,
    .cleanup = aggregate_ip_addr_pair_cleanup,
    .cast = aggregate_ip_addr_pair_cast,
    .push = aggregate_ip_addr_pair_push,
    .pull = aggregate_ip_addr_pair_pull,
};
