// SPDX-License-Identifier: BSD-3-Clause
/*
 * netdev.c -- network devices of the `click` driver
 *
 *     eth0         an AF_PACKET socket on an interface that exists
 *     tap:NAME     a TAP interface, made if it does not exist
 *
 * FromDevice and ToDevice with the same name share one device.
 */

#include "driver/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/host.h"

enum { FRAME_MAX = 1 << 16 };

struct netdev_list {
    struct netdev_list *next;
    struct netdev dev; /* what elements get */
    struct host *host;
    unsigned users;
    int fd;
    bool packet_socket;
    char name[64];
};

static uint32_t device_rx(void *ctx, struct batch *b, uint32_t max)
{
    struct netdev_list *n = ctx;
    uint32_t got;

    for (got = 0; got < max; got++) {
        struct pkt *p = pkt_new(n->host->platform.pool, PKT_HEADROOM, NULL, 1800, 0);
        struct sockaddr_ll from;
        socklen_t from_len = sizeof from;
        ssize_t len;

        if (!p)
            break;
        len = n->packet_socket ? recvfrom(n->fd, p->data, p->len, MSG_TRUNC,
                                          (struct sockaddr *)&from, &from_len)
                               : read(n->fd, p->data, p->len);
        if (len <= 0 || (n->packet_socket && from.sll_pkttype == PACKET_OUTGOING)) {
            pkt_free(p);
            if (len > 0)
                continue;
            break;
        }
        p->len = (uint32_t)len < p->len ? (uint32_t)len : p->len;
        p->type = n->packet_socket ? from.sll_pkttype : PKT_HOST;
        batch_add(b, p);
    }
    return got;
}

static uint32_t device_tx(void *ctx, struct batch *b)
{
    struct netdev_list *n = ctx;
    uint32_t sent;

    for (sent = 0; sent < b->n; sent++) {
        ssize_t len = n->packet_socket
                          ? send(n->fd, b->p[sent]->data, b->p[sent]->len, MSG_DONTWAIT)
                          : write(n->fd, b->p[sent]->data, b->p[sent]->len);

        if (len < 0 && (errno == EAGAIN || errno == ENOBUFS))
            break;
        pkt_free(b->p[sent]); /* what the interface refuses for good is lost */
    }
    memmove(b->p, b->p + sent, (b->n - sent) * sizeof b->p[0]);
    b->n -= sent;
    return sent;
}

static const struct netdev_ops device_ops = {device_rx, device_tx};

/* Address and MTU of interface `name`, by any socket. */
static void read_link(struct netdev_list *n, const char *name)
{
    struct ifreq ifr = {0};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    n->dev.mtu = 1500;
    if (s < 0)
        return;
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    if (!ioctl(s, SIOCGIFHWADDR, &ifr))
        memcpy(n->dev.mac, ifr.ifr_hwaddr.sa_data, 6);
    if (!ioctl(s, SIOCGIFMTU, &ifr))
        n->dev.mtu = (uint32_t)ifr.ifr_mtu;
    close(s);
}

static int open_packet(struct netdev_list *n, const char *name, struct diag *d)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct packet_mreq promiscuous = {.mr_type = PACKET_MR_PROMISC};

    at.sll_ifindex = (int)if_nametoindex(name);
    if (!at.sll_ifindex)
        return diag_err(d, "%s: no such interface", name);
    n->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   htons(ETH_P_ALL));
    if (n->fd < 0)
        return diag_err(d, "%s: packet socket: %s", name,
                        errno == EPERM ? "not permitted: run as root"
                                       : strerror(errno));
    if (bind(n->fd, (struct sockaddr *)&at, sizeof at) < 0)
        return diag_err(d, "%s: %s", name, strerror(errno));
    promiscuous.mr_ifindex = at.sll_ifindex;
    setsockopt(n->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
               sizeof promiscuous);
    n->packet_socket = true;
    read_link(n, name);
    return 0;
}

static int open_tap(struct netdev_list *n, const char *name, struct diag *d)
{
    struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};

    if (strlen(name) >= sizeof ifr.ifr_name)
        return diag_err(d, "%s: interface name too long", name);
    n->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (n->fd < 0)
        return diag_err(d, "/dev/net/tun: %s", strerror(errno));
    memcpy(ifr.ifr_name, name, strlen(name) + 1);
    if (ioctl(n->fd, TUNSETIFF, &ifr) < 0)
        return diag_err(d, "tap:%s: %s", name,
                        errno == EPERM ? "not permitted: run as root"
                                       : strerror(errno));
    read_link(n, ifr.ifr_name);
    return 0;
}

static void device_free(struct netdev_list *n)
{
    if (n->fd >= 0) {
        n->host->platform.host->unwatch(n->host, n->fd);
        close(n->fd);
    }
    free(n);
}

/* Only to be woken: the element's task reads. */
static void device_ready(void *arg, int fd, short revents)
{
    (void)arg;
    (void)fd;
    (void)revents;
}

struct netdev *netdev_open(struct host *h, const char *name, struct diag *d)
{
    struct netdev_list *n;
    int rc;

    for (n = h->devices; n; n = n->next)
        if (!strcmp(n->name, name)) {
            n->users++;
            return &n->dev;
        }
    n = calloc(1, sizeof *n);
    if (!n || strlen(name) >= sizeof n->name) {
        diag_err(d, n ? "%s: name too long" : "%s: out of memory", name);
        free(n);
        return NULL;
    }
    strcpy(n->name, name);
    n->host = h;
    n->fd = -1;
    n->users = 1;
    n->dev.name = n->name;
    n->dev.ops = &device_ops;
    n->dev.dev = n;
    rc = strncmp(name, "tap:", 4) ? open_packet(n, name, d) : open_tap(n, name + 4, d);
    if (rc == 0 && h->platform.host->watch(h, n->fd, POLLIN, device_ready, n) < 0)
        rc = diag_err(d, "out of memory");
    if (rc < 0) {
        device_free(n);
        return NULL;
    }
    n->next = h->devices;
    h->devices = n;
    return &n->dev;
}

void netdev_close(struct host *h, struct netdev *dev)
{
    struct netdev_list **at = &h->devices, *n;

    while ((n = *at) && &n->dev != dev)
        at = &n->next;
    if (!n || --n->users)
        return;
    *at = n->next;
    device_free(n);
}
