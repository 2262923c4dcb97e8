// SPDX-License-Identifier: BSD-3-Clause
/*
 * tap_port.c -- a TAP device: the host's, a container's or a namespace's network stack
 *
 * Packets are read one behind the other into the worker's scratch memory, so that a batch
 * of small ones stays in the cache whatever the largest may be. Where every port of the
 * network takes segments of 64 KiB and unfinished checksums, the kernel is asked for
 * them; otherwise it cuts and sums itself.
 */

#include "base/errtext.h"
#include "switch/netns.h"
#include "switch/vnet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct tap_port {
    struct port port;
    const struct tap_port_config *config; /* borrowed, while it is being made */
    bool no_offload;
};

static unsigned tap_rx(struct port *p, struct worker *w, struct frame *frames,
                       unsigned max)
{
    uint8_t *at = worker_scratch(w), *end = at + FRAME_SCRATCH;
    unsigned n = 0;

    while (n < max && end - at >= (ptrdiff_t)(VNET_HEADER + FRAME_MAX)) {
        struct virtio_net_hdr h;
        ssize_t len = read(p->fd, at, VNET_HEADER + FRAME_MAX);

        if (len < 0 && errno == EBADFD)
            port_report(p, EVENT_PORT_DOWN, "interface '%s' is gone", p->device);
        if (len < 0)
            break;
        if (len < (ssize_t)VNET_HEADER + 14) {
            port_drop(p, DROP_RUNT, 1);
            continue;
        }
        memcpy(&h, at, VNET_HEADER);
        vnet_to_frame(&frames[n++], &h, at + VNET_HEADER, (uint32_t)len - VNET_HEADER);
        at += ((size_t)len + 63) & ~(size_t)63;
    }
    return n;
}

static void tap_tx(struct port *p, struct worker *w, const struct frame *frames,
                   const uint16_t *list, unsigned n)
{
    (void)w;
    vnet_tx(p, frames, list, n, EBADFD);
}

static void tap_offload(struct port *p, bool on)
{
    unsigned flags = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

    if (((struct tap_port *)p)->no_offload)
        on = false;
    /* A kernel that cannot goes on cutting segments itself. */
    if (ioctl(p->fd, TUNSETOFFLOAD, on ? flags : 0) < 0 && on)
        ioctl(p->fd, TUNSETOFFLOAD, 0);
}

static void tap_free(struct port *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}

static const struct port_ops tap_ops = {
    .kind = PORT_TAP,
    .rx = tap_rx,
    .tx = tap_tx,
    .offload = tap_offload,
    .free = tap_free,
};

/* Address, MTU and state of the kernel's side. */
static int set_up(const struct tap_port_config *c, const char *name, struct diag *d)
{
    struct ifreq ifr = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = -1;

    memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    if (fd < 0)
        return diag_err(d, "cannot open a socket: %s", errtext(errno));
    if (c->mac) {
        ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
        memcpy(ifr.ifr_hwaddr.sa_data, c->mac, 6);
        if (ioctl(fd, SIOCSIFHWADDR, &ifr) < 0) {
            diag_err(d, "cannot set the address of '%s': %s", name, strerror(errno));
            goto out;
        }
    }
    ifr.ifr_mtu = (int)c->mtu;
    if (c->mtu && ioctl(fd, SIOCSIFMTU, &ifr) < 0) {
        diag_err(d, "cannot set the MTU of '%s' to %u: %s", name, c->mtu,
                 strerror(errno));
        goto out;
    }
    ifr.ifr_flags = 0;
    if (!c->leave_down && ioctl(fd, SIOCGIFFLAGS, &ifr) == 0) {
        ifr.ifr_flags |= IFF_UP;
        if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0) {
            diag_err(d, "cannot set '%s' up: %s", name, strerror(errno));
            goto out;
        }
    }
    rc = 0;
out:
    close(fd);
    return rc;
}

/* Runs in the namespace of the device. */
static int tap_open(void *ctx, struct diag *d)
{
    struct tap_port *t = ctx;
    const struct tap_port_config *c = t->config;
    const char *name = c->ifname && *c->ifname ? c->ifname : "tap%d";
    struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

    if (strlen(name) >= IFNAMSIZ)
        return diag_err(d, "interface name '%s' is longer than %d characters", name,
                        IFNAMSIZ - 1);
    t->port.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->port.fd < 0)
        return diag_err(d, "cannot open /dev/net/tun: %s", errtext(errno));
    memcpy(ifr.ifr_name, name, strlen(name));
    if (ioctl(t->port.fd, TUNSETIFF, &ifr) < 0)
        return diag_err(d, "cannot make interface '%s': %s", name, errtext(errno));
    ifr.ifr_name[IFNAMSIZ - 1] = 0;
    memcpy(t->port.device, ifr.ifr_name, IFNAMSIZ);
    return set_up(c, ifr.ifr_name, d);
}

struct port *tap_port_new(const struct tap_port_config *c, struct diag *d)
{
    struct tap_port *t = calloc(1, sizeof *t);

    if (!t) {
        diag_err(d, "out of memory");
        return NULL;
    }
    t->port.ops = &tap_ops;
    t->port.fd = -1;
    t->port.takes_offload = true;
    t->no_offload = c->no_offload;
    t->config = c;
    if (netns_run(c->netns, c->netns_fd, tap_open, t, d) < 0) {
        tap_free(&t->port);
        return NULL;
    }
    t->config = NULL;
    return &t->port;
}
