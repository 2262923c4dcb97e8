// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromHost -- Ethernet frames from the kernel, through an interface of our own
 *
 * Usage:    FromHost(DEVNAME [, DST, GATEWAY, ETHER, MTU, HEADROOM])
 * Ports:    0 in, 1 out; push
 * Args:     DEVNAME    name of the interface, which is made
 *           DST        its address and the network's mask: 10.0.0.1/8; default: none
 *           GATEWAY    default gateway that the kernel shall use
 *           ETHER      Ethernet address of the interface; default: the kernel's choice
 *           MTU        longest frame that is received, default 2048
 *           HEADROOM   room before the data, default 28
 * Counters: none
 * Handlers: dev_name   (read) name of the interface
 *           signal     (read) whether there is room downstream
 * Example:  FromHost(fake0, 192.0.2.1/24) -> c :: Classifier(12/0806, -);
 *           c -> ARPResponder(0.0.0.0/0 1:1:1:1:1:1) -> ToHost(fake0); c[1] -> ...
 * See also: ToHost, KernelTap, KernelTun
 *
 * The kernel asks by ARP for the addresses behind the interface: somebody has to answer. IP
 * packets have their network header and destination annotation set. While queues downstream
 * are full nothing is read.
 */

#include "engine/host.h"
#include "engine/kernel_tun.h"
#include "engine/net_headers.h"
#include "engine/os/tun.h"
#include "engine/platform.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { HEADROOM_MAX = 8192, MTU_MAX = 65536, FRAME_EXTRA = 18, BURST = 32 };

struct from_host {
    struct text name_arg;
    struct ip_prefix addr;
    uint32_t gateway, mtu, headroom;
    struct ether_addr ether;
    bool have_ether;

    int fd; /* 1 + the descriptor; 0: none */
    char name[IFNAMSIZ];
    struct task task; /* runs when there is room again */
    struct signal room;
};

static const struct arg_spec from_host_args[] = {
    ARG_STRING(from_host, name_arg, "DEVNAME", ARG_M, NULL, "interface"),
    {.name = "DST",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_POS,
     .offset = offsetof(struct from_host, addr),
     .parse = kernel_tun_parse_addr,
     .help = "address/mask"},
    ARG_IP(from_host, gateway, "GATEWAY", 0, "0.0.0.0", "default gateway"),
    {.name = "ETHER",
     .kind = ARG_KIND_ETHER,
     .offset = offsetof(struct from_host, ether),
     .seen = 1 + offsetof(struct from_host, have_ether),
     .help = "Ethernet address"},
    ARG_U32(from_host, mtu, "MTU", 0, "2048", "longest frame"),
    ARG_U32(from_host, headroom, "HEADROOM", 0, "28", "room before the data"),
    ARG_END,
};

static int from_host_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct from_host *f = element_state(e);

    if (f->addr.addr && f->gateway &&
        (f->gateway & f->addr.mask) != (f->addr.addr & f->addr.mask))
        return diag_err(d, "bad GATEWAY");
    if (!f->name_arg.len)
        return diag_err(d, "must specify device name");
    if (f->headroom > HEADROOM_MAX)
        return diag_err(d, "HEADROOM too large");
    if (f->mtu < sizeof(struct eth_hdr) || f->mtu > MTU_MAX)
        return diag_err(d, "MTU out of range");
    return 0;
}

static bool receive(struct element *e)
{
    struct from_host *f = element_state(e);
    uint32_t room = f->mtu + FRAME_EXTRA;
    struct pkt *p = pkt_new(element_pool(e), f->headroom, NULL, room, 0);
    ssize_t n = p ? read(f->fd - 1, p->data, room) : -1;

    if (n <= 0) {
        pkt_free(p);
        if (p && n < 0 && errno != EAGAIN && errno != EINTR)
            element_say(e, "FromHost read: %s\n", strerror(errno));
        return false;
    }
    pkt_take(p, room - (uint32_t)n);
    p->mac = p->data;
    p->timestamp = element_wall_now(e);
    if (p->len >= sizeof(struct eth_hdr) + sizeof(struct ip4_hdr)) {
        pkt_set_ip4(p, p->data + sizeof(struct eth_hdr), (p->data[14] & 15u) * 4);
        pkt_set_dst_ip(p, pkt_ip4(p)->dst);
    }
    out_push_one(e, 0, p);
    return true;
}

static void from_host_ready(void *arg, int fd, short revents)
{
    struct element *e = arg;
    const struct platform *p = element_platform(e);
    const struct from_host *f = element_state(e);

    for (int i = 0; i < BURST && signal_active(&f->room) && receive(e); i++)
        ;
    if (!signal_active(&f->room))
        p->host->unwatch(p->ctx, fd);
}

static bool from_host_run(struct element *e, struct task *t)
{
    const struct platform *p = element_platform(e);
    const struct from_host *f = element_state(e);

    if (signal_active(&f->room))
        p->host->watch(p->ctx, f->fd - 1, POLLIN, from_host_ready, e);
    return false;
}

static int from_host_initialize(struct element *e, struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct from_host *f = element_state(e);
    const struct tun_config c = {f->addr.addr, f->addr.mask, f->gateway,
                                 f->have_ether ? &f->ether : NULL, 0};
    int fd;

    if (!p->host)
        return diag_err(d, "there are no interfaces to make here");
    fd = tun_open(f->name_arg.s, true, f->name, d);
    if (fd < 0)
        return -1;
    f->fd = 1 + fd;
    if (tun_setup(f->name, &c, d) < 0)
        return -1;
    task_init(&f->task, e, from_host_run);
    signal_down(&f->room, e, 0, &f->task);
    return p->host->watch(p->ctx, fd, POLLIN, from_host_ready, e) < 0
               ? diag_err(d, "out of memory")
               : 0;
}

static void from_host_cleanup(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct from_host *f = element_state(e);

    if (!f->fd)
        return;
    p->host->unwatch(p->ctx, f->fd - 1);
    close(f->fd - 1);
    f->fd = 0;
}

/* For ToHost: the interface's name and, as in the state, its descriptor. */
static void *from_host_cast(struct element *e, const char *kind)
{
    struct from_host *f = element_state(e);

    return !strcmp(kind, "FromHost name") ? (void *)f->name
           : !strcmp(kind, "FromHost fd") ? (void *)&f->fd
                                          : NULL;
}

static int read_name(struct element *e, const struct handler_spec *h, const char *param,
                     struct sbuf *out, struct diag *d)
{
    sbuf_puts(out, ((const struct from_host *)element_state(e))->name);
    return 0;
}

static int read_signal(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d)
{
    const struct from_host *f = element_state(e);

    sbuf_puts(out, signal_active(&f->room) ? "true" : "false");
    return 0;
}

static const struct handler_spec from_host_handlers[] = {
    HANDLER_READER(read_name, "dev_name", "name of the interface"),
    HANDLER_READER(read_signal, "signal", "whether there is room downstream"),
    HANDLER_END,
};

ELEMENT(FromHost) = {
    .name = "FromHost",
    .state_size = sizeof(struct from_host),
    .ports = "0/1",
    .processing = "h/h",
    .driver_only = true,
    .args = from_host_args,
    .handlers = from_host_handlers,
    .configure = from_host_configure,
    .initialize = from_host_initialize,
    .cleanup = from_host_cleanup,
    .cast = from_host_cast,
};
