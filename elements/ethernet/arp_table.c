// SPDX-License-Identifier: BSD-3-Clause
/*
 * ARPTable -- IPv4 addresses and their Ethernet addresses, for several ARPQueriers
 *
 * Usage:    ARPTable([keywords CAPACITY, ENTRY_CAPACITY, TIMEOUT, ...])
 * Ports:    none
 * Args:     CAPACITY               packets that may wait for answers, default 2048; 0: all
 *           ENTRY_CAPACITY         addresses kept, default 0: no limit
 *           ENTRY_PACKET_CAPACITY  packets that may wait for one address, default 0: all
 *           CAPACITY_SLIM_FACTOR   1/factor of the waiting packets go when there are too
 *                                  many, default 2
 *           TIMEOUT                time that an answer is good for, default 5min; 0: for
 *                                  ever
 * Handlers: table   (r) "IP known ETH age" lines, oldest first
 *           drops   (r) packets given up for room or age
 *           count   (r) addresses
 *           length  (r) packets that wait
 *           insert  (w) "IP ETH"
 *           delete  (w) "IP"
 *           clear   (w) forget all
 * Example:  t :: ARPTable(TIMEOUT 60s); q :: ARPQuerier(10.0.0.1, 0:0:0:0:0:1, TABLE t);
 * See also: ARPQuerier, ARPResponder
 *
 * When a configuration is exchanged the table moves to the new one, packets included.
 */

#include "engine/arp_table.h"
#include "engine/element.h"

struct arp_table_element {
    struct arp_table table; /* first: cast() hands it out */
    struct timer expire;
};

static const struct arg_spec arp_table_args[] = {
    ARG_U32(arp_table_element, table.packet_capacity, "CAPACITY", 0, "2048",
            "packets that may wait"),
    ARG_U32(arp_table_element, table.entry_capacity, "ENTRY_CAPACITY", 0, "0",
            "addresses kept"),
    ARG_U32(arp_table_element, table.entry_packet_capacity, "ENTRY_PACKET_CAPACITY", 0,
            "0", "packets that may wait for one address"),
    ARG_U32(arp_table_element, table.slim_factor, "CAPACITY_SLIM_FACTOR", 0, "2",
            "share of packets that go when full"),
    ARG_TIME(arp_table_element, table.timeout_ns, "TIMEOUT", 0, "300",
             "time that an answer is good for"),
    ARG_END,
};

static int arp_table_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct arp_table_element *s = element_state(e);

    if (s->table.slim_factor == 0)
        return diag_err(d, "CAPACITY_SLIM_FACTOR cannot be zero");
    return 0;
}

static void arp_table_expire(struct element *e, struct timer *t)
{
    struct arp_table_element *s = element_state(e);

    arp_table_slim(&s->table, element_now(e));
    if (s->table.timeout_ns)
        timer_after(t, s->table.timeout_ns + 1000000000);
}

static int arp_table_initialize(struct element *e, struct diag *d)
{
    struct arp_table_element *s = element_state(e);

    timer_init(&s->expire, e, arp_table_expire);
    if (s->table.timeout_ns)
        timer_after(&s->expire, s->table.timeout_ns);
    return 0;
}

static void arp_table_take_state(struct element *e, struct element *old)
{
    struct arp_table_element *s = element_state(e), *o = element_state(old);

    arp_table_move(&s->table, &o->table);
}

static void arp_table_cleanup(struct element *e)
{
    struct arp_table_element *s = element_state(e);

    arp_table_clear(&s->table);
}

static void *arp_table_cast(struct element *e, const char *kind)
{
    return strcmp(kind, "ARPTable") == 0 ? element_state(e) : NULL;
}

static int arp_table_read(struct element *e, const struct handler_spec *h,
                          const char *param, struct sbuf *out, struct diag *d)
{
    const struct arp_table_element *s = element_state(e);

    arp_table_dump(&s->table, element_now(e), out);
    return 0;
}

enum { H_INSERT, H_DELETE, H_CLEAR };

static int arp_table_write(struct element *e, const struct handler_spec *h,
                           const char *value, size_t len, struct diag *d)
{
    struct arp_table_element *s = element_state(e);

    if (h->user == H_INSERT)
        return arp_table_write_insert(&s->table, e, element_now(e), value, d);
    if (h->user == H_DELETE)
        return arp_table_write_delete(&s->table, e, element_now(e), value, d);
    arp_table_clear(&s->table);
    return 0;
}

#define TABLE_WRITER(name_, user_, help_)                                              \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_WRITE, .user = user_,           \
        .write = arp_table_write                                                       \
    }
static const struct handler_spec arp_table_handlers[] = {
    HANDLER_READER(arp_table_read, "table", "\"IP known ETH age\" lines"),
    HANDLER_VALUE(arp_table_element, table.drops, ARG_KIND_U64, HANDLER_READ, "drops",
                  "packets given up"),
    HANDLER_VALUE(arp_table_element, table.n_entries, ARG_KIND_U32, HANDLER_READ,
                  "count", "addresses"),
    HANDLER_VALUE(arp_table_element, table.n_packets, ARG_KIND_U32, HANDLER_READ,
                  "length", "packets that wait"),
    TABLE_WRITER("insert", H_INSERT, "add \"IP ETH\""),
    TABLE_WRITER("delete", H_DELETE, "forget \"IP\""),
    TABLE_WRITER("clear", H_CLEAR, "forget all"),
    HANDLER_END,
};

ELEMENT(ARPTable) = {
    .name = "ARPTable",
    .state_size = sizeof(struct arp_table_element),
    .ports = "0/0",
    .args = arp_table_args,
    .live = true,
    .handlers = arp_table_handlers,
    .configure = arp_table_configure,
    .initialize = arp_table_initialize,
    .take_state = arp_table_take_state,
    .cleanup = arp_table_cleanup,
    .cast = arp_table_cast,
};
