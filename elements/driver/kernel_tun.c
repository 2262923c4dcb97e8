// SPDX-License-Identifier: BSD-3-Clause
/*
 * KernelTun -- packets to and from the kernel, through an interface of our own
 *
 * Usage:    KernelTun(ADDR/MASK [, GATEWAY, MTU 1500, DEVNAME, ...])
 * Ports:    0-1 in, 1-2 out; push or pull in, push out
 * Args:     ADDR       address of the interface and mask of the network behind it
 *           GATEWAY    default gateway that the kernel shall use
 *           ETHER      Ethernet address of the interface, with TAP
 *           MTU        longest IP packet, default 1500
 *           DEVNAME    name of the interface; default: what the kernel thinks of
 *           HEADROOM   room before the data of packets, default 28
 *           BURST      packets read at once, default 1
 *           TAP        default false: be a KernelTap
 *           DEV_NAME, IGNORE_QUEUE_OVERFLOWS  for old configurations
 * Counters: packets    packets from the kernel
 *           sent       packets to the kernel
 *           drops      packets that the kernel refused, or would have
 * Handlers: dev_name  (read) name of the interface
 *           selected_calls  (read) times that there was something to read
 *           scheduled, tickets  (rw) the task, with a pull input
 * Example:  FromDevice(eth1) -> Strip(14) -> ... -> k :: KernelTun(10.9.0.1/24) -> ...
 * See also: KernelTap, FromDevice, ToDevice, Socket
 *
 * IP packets that arrive at the input, with their network header marked, go to the kernel as
 * if they had come from the network; what is none, or longer than MTU, is dropped aloud;
 * what the kernel sends to the network leaves by output 0, with the network header set,
 * and for IPv4 the destination annotation. What is no IP leaves by output 1 if that is
 * connected. Needs the right to make interfaces.
 */

#include "engine/kernel_tun.h"

#include "engine/host.h"
#include "engine/net_headers.h"
#include "engine/os/tun.h"
#include "engine/platform.h"
#include "engine/task_handlers.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { PULL_BURST = 32, FRAME_EXTRA = 18, HEADROOM_MAX = 8192 };

/* "10.9.0.1/24", or the name of such a thing; not an address alone. */
int kernel_tun_parse_addr(struct element *e, const char *text, void *member,
                          struct diag *d)
{
    return parse_ip_prefix(e, text, false, member) ? 0 : diag_err(d, "parse error");
}

static const struct arg_spec kernel_tun_args[] = {KERNEL_TUN_ARGS};

static const struct counter_spec kernel_tun_counters[] = {
    KERNEL_TUN_COUNTERS,
    {NULL, NULL},
};

/* --- packets ---------------------------------------------------------------------------- */

static struct pkt *tun_read(struct element *e)
{
    struct kernel_tun *s = element_state(e);
    uint32_t room = s->mtu + (s->tap ? FRAME_EXTRA : 0);
    struct pkt *p = pkt_new(element_pool(e), s->headroom, NULL, room, 0);
    ssize_t n = p ? read(s->fd - 1, p->data, p->len) : -1;

    if (n < 0) {
        pkt_free(p);
        return NULL;
    }
    pkt_take(p, room - (uint32_t)n);
    p->timestamp = element_wall_now(e);
    return p;
}

/* Whether it is a packet of the kind that output 0 promises. */
static bool tun_mark(const struct kernel_tun *s, struct pkt *p)
{
    if (s->tap) {
        p->mac = p->data;
        return p->len >= sizeof(struct eth_hdr);
    }
    if (p->len >= sizeof(struct ip6_hdr) && p->data[0] >> 4 == 6) {
        pkt_set_ip4(p, p->data, sizeof(struct ip6_hdr));
        return true;
    }
    if (p->len < sizeof(struct ip4_hdr) || p->data[0] >> 4 != 4)
        return false;
    pkt_set_ip4(p, p->data, (p->data[0] & 15u) * 4);
    pkt_set_dst_ip(p, pkt_ip4(p)->dst);
    return true;
}

static void tun_ready(void *arg, int fd, short revents)
{
    struct element *e = arg;
    struct kernel_tun *s = element_state(e);
    struct batch b, bad;
    struct pkt *p;

    s->selected_calls++;
    b.n = bad.n = 0;
    while (b.n + bad.n < s->burst && (p = tun_read(e)))
        batch_add(tun_mark(s, p) ? &b : &bad, p);
    element_count(e, TUN_RECEIVED, b.n + bad.n);
    out_push(e, 0, &b);
    out_push_or_free(e, 1, &bad);
}

/* Where the packet for the kernel begins, and its length; NULL: there is none, and the
 * console was told why. */
static const uint8_t *tun_packet(struct element *e, const struct pkt *p, uint32_t *n)
{
    const struct kernel_tun *s = element_state(e);
    const uint8_t *at = s->tap ? p->data : p->network;
    const char *name = e->cls->name;
    uint32_t link = s->tap ? sizeof(struct eth_hdr) : 0;

    *n = s->tap ? p->len : pkt_avail(p, at);
    if (s->tap && *n < link) {
        element_say(e, "%s(%s): packet too small\n", name, s->name);
    } else if (!s->tap && *n < sizeof(struct ip4_hdr)) {
        element_say(e, "%s(%s): no network header\n", name, s->name);
    } else if (!s->tap && *at >> 4 != 4 && *at >> 4 != 6) {
        element_say(e, "%s(%s): unknown IP version %d\n", name, s->name, *at >> 4);
    } else if (*n - link > s->mtu) {
        element_say(e, "%s(%s): packet larger than MTU (%u)\n", name, s->name, s->mtu);
    } else {
        return at;
    }
    return NULL;
}

/* Write a packet; the first error is said, and those that IGNORE_QUEUE_OVERFLOWS does not
 * mean. */
static bool tun_write(struct element *e, const uint8_t *at, uint32_t n)
{
    struct kernel_tun *s = element_state(e);

    if (write(s->fd - 1, at, n) == (ssize_t)n)
        return true;
    if (errno != ENOBUFS || !s->ignore || !s->said_error)
        element_say(e, "%s(%s): write failed: %s\n", e->cls->name, s->name,
                    strerror(errno));
    s->said_error = true;
    return false;
}

void kernel_tun_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t n;
        const uint8_t *at = tun_packet(e, b->p[i], &n);

        element_count(e, at && tun_write(e, at, n) ? TUN_SENT : TUN_DROPS, 1);
    }
    batch_free(b);
}

static bool kernel_tun_run(struct element *e, struct task *t)
{
    struct kernel_tun *s = element_state(e);
    struct batch b;
    bool worked;

    b.n = 0;
    worked = in_pull(e, 0, &b, PULL_BURST) > 0;
    kernel_tun_push(e, 0, &b);
    if (worked || signal_active(&s->signal))
        task_reschedule(t);
    return worked;
}

/* --- life ------------------------------------------------------------------------------- */

int kernel_tun_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct kernel_tun *s = element_state(e);

    if (s->gateway && (s->gateway & s->addr.mask) != (s->addr.addr & s->addr.mask))
        return diag_err(d, "bad GATEWAY");
    if (s->burst < 1 || s->burst > BATCH_MAX)
        return diag_err(d, s->burst < 1 ? "BURST must be >= 1" : "BURST too big");
    if (s->mtu < sizeof(struct ip4_hdr))
        return diag_err(d, "MTU must be greater than %zu", sizeof(struct ip4_hdr));
    if (s->headroom > HEADROOM_MAX)
        return diag_err(d, "HEADROOM too big");
    return 0;
}

int kernel_tun_initialize(struct element *e, struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct kernel_tun *s = element_state(e);
    struct tun_config c = {s->addr.addr, s->addr.mask, s->gateway,
                           s->have_ether ? &s->ether : NULL,
                           s->mtu != KERNEL_TUN_MTU ? s->mtu : 0};
    int fd;

    s->tap |= !strcmp(e->cls->name, "KernelTap");
    if (!p->host)
        return diag_err(d, "there are no interfaces to make here");
    fd = tun_open(s->name_arg.len ? s->name_arg.s : "", s->tap, s->name, d);
    if (fd < 0)
        return -1;
    s->fd = 1 + fd;
    if (tun_setup(s->name, &c, d) < 0)
        return -1;
    p->host->watch(p->ctx, s->fd - 1, POLLIN, tun_ready, e);
    if (e->n_in && !element_input_is_push(e, 0)) {
        task_join(&s->task, e, kernel_tun_run, true, d);
        signal_up(&s->signal, e, 0, &s->task);
    }
    return 0;
}

void kernel_tun_cleanup(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct kernel_tun *s = element_state(e);

    if (!s->fd)
        return;
    if (p->host)
        p->host->unwatch(p->ctx, s->fd - 1);
    close(s->fd - 1);
    s->fd = 0;
}

int kernel_tun_read_name(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_puts(out, ((const struct kernel_tun *)element_state(e))->name);
    return 0;
}

static const struct handler_spec kernel_tun_handlers[] = {
    KERNEL_TUN_HANDLERS,
    HANDLER_END,
};

ELEMENT(KernelTun) = {
    .name = "KernelTun",
    .state_size = sizeof(struct kernel_tun),
    .ports = "0-1/1-2",
    .processing = "a/h",
    .flow = "x/y",
    .driver_only = true,
    .args = kernel_tun_args,
    .counters = kernel_tun_counters,
    .handlers = kernel_tun_handlers,
    .configure = kernel_tun_configure,
    .initialize = kernel_tun_initialize,
    .cleanup = kernel_tun_cleanup,
    .push = kernel_tun_push,
};
