// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromNetfront -- packets from a network interface
 *
 * Usage:    FromNetfront(DEVNAME)
 * Ports:    0 in, 1 out; push
 * Args:     DEVNAME    name or number of the interface
 *           BURST      packets taken at a time, default 32
 *           TIMESTAMP  whether packets get the time of their arrival, default true
 *           PROMISC    accepted and without effect
 *           SNIFFER    accepted and without effect
 *           SNAPLEN    accepted and without effect
 *           METHOD     accepted and without effect
 *           HEADROOM   accepted and without effect
 *           OUTBOUND   accepted and without effect
 *           ENCAP      accepted and without effect
 *           CAPTURE    another name of METHOD
 *           FORCE_IP   false; packets of a virtual machine's interfaces are not sorted
 *           BPF_FILTER  not understood here: use Classifier or IPFilter
 *           ACTIVE     false: take nothing, default true
 * Counters: count      packets received
 * Handlers: active     rw: whether packets are taken
 *           device     r: the interface's name
 *           reset_counts w: set the counter to 0
 * Example:  FromNetfront(0) -> Counter -> ToNetfront(1);
 * See also: ToNetfront
 *
 * FromDevice is another name for it, so that a configuration means the same in a virtual
 * machine and under the `click` driver. Packets have their MAC header pointer and their
 * packet type set; the type comes from the Ethernet destination address.
 */

#include "engine/element.h"
#include "engine/netdev.h"

/* What stands behind the time in a packet's record. */
struct origin {
    uint8_t type, device;
    uint16_t flags;
    uint32_t pad;
};
_Static_assert(offsetof(struct pkt, type) + sizeof(struct origin) == sizeof(struct pkt),
               "written in one piece");

struct from_netfront {
    struct task task;
    struct netdev *dev; /* netdev_put() in cleanup */
    struct text name;
    struct text method, encap; /* of other systems */
    uint32_t burst, snaplen, headroom;
    struct text filter;
    bool timestamp, active, force_ip, unused;
    struct origin host, other; /* of packets for us, and for some other host */
};

static const struct arg_spec from_netfront_args[] = {
    ARG_WORD(from_netfront, name, "DEVNAME", ARG_M, NULL, "interface"),
    ARG_BOOL(from_netfront, unused, "PROMISC", ARG_POS, "false", "no effect"),
    ARG_U32(from_netfront, snaplen, "SNAPLEN", ARG_POS, "0", "no effect"),
    ARG_U32(from_netfront, burst, "BURST", ARG_KEY, "32", "packets taken at a time"),
    ARG_BOOL(from_netfront, timestamp, "TIMESTAMP", ARG_KEY, "true",
             "packets get the time of their arrival"),
    ARG_BOOL(from_netfront, active, "ACTIVE", ARG_KEY, "true", "false: take nothing"),
    ARG_BOOL(from_netfront, unused, "SNIFFER", ARG_KEY, "true", "no effect"),
    ARG_WORD(from_netfront, method, "METHOD", ARG_KEY, NULL, "no effect"),
    ARG_WORD(from_netfront, method, "CAPTURE", ARG_OLD, NULL, "old name of METHOD"),
    ARG_BOOL(from_netfront, force_ip, "FORCE_IP", ARG_KEY, "false", "must be false"),
    ARG_STRING(from_netfront, filter, "BPF_FILTER", ARG_KEY, NULL, "must be empty"),
    ARG_U32(from_netfront, headroom, "HEADROOM", ARG_KEY, "0", "no effect"),
    ARG_BOOL(from_netfront, unused, "OUTBOUND", ARG_KEY, "false", "no effect"),
    ARG_WORD(from_netfront, encap, "ENCAP", ARG_KEY, NULL, "no effect"),
    ARG_END,
};

enum { C_COUNT };
static const struct counter_spec from_netfront_counters[] = {
    [C_COUNT] = {"count", "packets received"},
    {NULL, NULL},
};

static int from_netfront_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_netfront *f = element_state(e);

    if (f->force_ip)
        return diag_err(d, "FORCE_IP: not supported here; use Classifier(12/0800) and "
                           "MarkIPHeader(14)");
    if (f->filter.len)
        return diag_err(d,
                        "BPF_FILTER: not supported here; use Classifier or IPFilter");
    if (f->burst < 1 || f->burst > BATCH_MAX)
        f->burst = BATCH_MAX;
    f->dev = netdev_get(e, f->name.s, d);
    if (!f->dev)
        return -1;
    f->host = (struct origin){PKT_HOST, netdev_number(e, f->dev), 0, 0};
    f->other = (struct origin){PKT_OTHERHOST, f->host.device, 0, 0};
    return 0;
}

/* Where an Ethernet frame is meant to go, without what stands behind. */
static inline uint64_t load48(const void *at)
{
    uint64_t v;

    memcpy(&v, at, 8);
    return v << 16;
}

struct arrival {
    uint64_t own_mac;
    int64_t now;
    struct origin host, other;
};

/* For many or too short: short packets count as ours. */
static void arrive_rest(const struct arrival *a, struct pkt *p)
{
    memcpy(&p->type, &a->host, sizeof a->host);
    if (p->len < 14 || load48(p->data) == a->own_mac)
        return;
    p->type = load48(p->data) == UINT64_MAX << 16 ? PKT_BROADCAST : PKT_MULTICAST;
}

static inline void arrive(const struct arrival *a, struct pkt *p)
{
    uint64_t dst;

    p->mac = p->data;
    p->timestamp = a->now;
    if (__builtin_expect(p->len < 14, 0) || (dst = load48(p->data)) & 1 << 16)
        arrive_rest(a, p);
    else
        memcpy(&p->type, dst == a->own_mac ? &a->host : &a->other, sizeof a->host);
}

static inline void arrive_all(const struct element *e, struct batch *b)
{
    const struct from_netfront *f = element_state(e);
    const int64_t now = f->timestamp ? element_coarse_wall_now(e) : 0;
    const struct arrival a = {load48(f->dev->mac), now, f->host, f->other};

    for (uint32_t i = 0; i < b->n; i++)
        arrive(&a, b->p[i]);
}

/* The task stays scheduled: whether a round was idle is told by what it returns, and the
 * machine's main loop sleeps on that. */
static bool from_netfront_run(struct element *e, struct task *t)
{
    struct from_netfront *f = element_state(e);
    struct batch b;

    task_reschedule(t);
    b.n = 0;
    if (!f->dev->ops->rx(f->dev->dev, &b, f->burst))
        return false;
    arrive_all(e, &b);
    element_count(e, C_COUNT, b.n);
    out_push(e, 0, &b);
    return true;
}

static int from_netfront_initialize(struct element *e, struct diag *d)
{
    struct from_netfront *f = element_state(e);

    task_init(&f->task, e, from_netfront_run);
    if (f->active)
        task_schedule(&f->task);
    return 0;
}

static void from_netfront_cleanup(struct element *e)
{
    struct from_netfront *f = element_state(e);

    netdev_put(e, f->dev);
    f->dev = NULL;
}

static int write_active(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct from_netfront *f = element_state(e);

    if (!parse_bool(value, &f->active))
        return diag_err(d, "expected boolean");
    if (f->active)
        task_schedule(&f->task);
    else
        task_unschedule(&f->task);
    return 0;
}

static int write_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    return 0;
}

static const struct handler_spec from_netfront_handlers[] = {
    HANDLER_VALUE(from_netfront, active, ARG_KIND_BOOL, HANDLER_READ | HANDLER_CHECKBOX,
                  "active", "whether packets are taken"),
    HANDLER_WRITER(write_active, "active", "whether packets are taken"),
    HANDLER_VALUE(from_netfront, name, ARG_KIND_WORD, HANDLER_READ, "device",
                  "the interface's name"),
    HANDLER_PRESS(write_reset, "reset_counts", "set the counter to 0"),
    HANDLER_END,
};

ELEMENT(FromNetfront) = {
    .name = "FromNetfront",
    .state_size = sizeof(struct from_netfront),
    .keeps = PKT_PARTS,
    .ports = "0/1",
    .processing = "/h",
    .args = from_netfront_args,
    .counters = from_netfront_counters,
    .handlers = from_netfront_handlers,
    .configure = from_netfront_configure,
    .initialize = from_netfront_initialize,
    .cleanup = from_netfront_cleanup,
};
ELEMENT_ALIAS(FromDevice, FromNetfront);
