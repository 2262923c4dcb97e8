// SPDX-License-Identifier: BSD-3-Clause
/*
 * packet_port.c -- AF_PACKET: an interface that is there already, a NIC or one end of a
 *                  veth pair
 *
 * The interface is set promiscuous for as long as the port lives. The kernel takes VLAN
 * tags off; they are put back. It cannot be told to cut segments for us: turn offloads
 * off at the sender (ethtool -K), or they are counted as dropped where nobody can take
 * them.
 */

#include "base/errtext.h"
#include "switch/netns.h"
#include "switch/vnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct packet_port {
    struct port port;
    const struct packet_port_config *config; /* borrowed, while it is being made */
};

enum { VLAN_TAG = 4, SLOT_HEAD = 64 /* header and a tag, and the data on a line */ };

/* The tag that the kernel took off, or 0: type << 16 | tag. */
static uint32_t vlan_of(struct msghdr *m)
{
    struct cmsghdr *c;

    for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct tpacket_auxdata aux;

        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if (aux.tp_status & TP_STATUS_VLAN_VALID)
            return (uint32_t)(aux.tp_status & TP_STATUS_VLAN_TPID_VALID
                                  ? aux.tp_vlan_tpid
                                  : ETH_P_8021Q)
                       << 16 |
                   aux.tp_vlan_tci;
    }
    return 0;
}

/* Move the addresses to the front and write the tag behind them. */
static void put_tag(struct frame *f, uint8_t *data, uint32_t vlan)
{
    uint32_t tag = htonl(vlan);

    memmove(data - VLAN_TAG, data, 12);
    memcpy(data + 12 - VLAN_TAG, &tag, VLAN_TAG);
    f->data -= VLAN_TAG;
    f->len += VLAN_TAG;
    f->total += VLAN_TAG;
    f->csum_start = (uint16_t)(f->csum_start + VLAN_TAG);
}

/* One packet to `at`. Its length, 0 when it is to be skipped, -1 when there is none. */
static ssize_t receive(struct packet_port *k, struct frame *f, uint8_t *at)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct cmsghdr align;
    } control;
    struct virtio_net_hdr h;
    uint8_t *data = at + SLOT_HEAD;
    struct iovec iov[2] = {{&h, VNET_HEADER}, {data, FRAME_MAX - VLAN_TAG}};
    struct msghdr m = {.msg_iov = iov,
                       .msg_iovlen = 2,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t len = recvmsg(k->port.fd, &m, MSG_DONTWAIT);
    uint32_t vlan;

    if (len < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN)
        port_report(&k->port, EVENT_PORT_DOWN, "interface '%s': %s", k->port.device,
                    strerror(errno));
    if (len < 0)
        return -1;
    if (len < (ssize_t)VNET_HEADER + 14) {
        port_drop(&k->port, DROP_RUNT, 1);
        return 0;
    }
    vnet_to_frame(f, &h, data, (uint32_t)len - VNET_HEADER);
    vlan = vlan_of(&m);
    if (vlan)
        put_tag(f, data, vlan);
    return len;
}

static unsigned packet_rx(struct port *p, struct worker *w, struct frame *frames,
                          unsigned max)
{
    uint8_t *at = worker_scratch(w), *end = at + FRAME_SCRATCH;
    unsigned n = 0;

    while (n < max && end - at >= (ptrdiff_t)(SLOT_HEAD + FRAME_MAX)) {
        ssize_t len = receive((struct packet_port *)p, &frames[n], at);

        if (len < 0)
            break;
        if (len == 0)
            continue;
        n++;
        at += (SLOT_HEAD + (size_t)len + 63) & ~(size_t)63;
    }
    return n;
}

static void packet_tx(struct port *p, struct worker *w, const struct frame *frames,
                      const uint16_t *list, unsigned n)
{
    (void)w;
    vnet_tx(p, frames, list, n, ENXIO);
}

static void packet_free(struct port *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}

static const struct port_ops packet_ops = {
    .kind = PORT_PACKET,
    .rx = packet_rx,
    .tx = packet_tx,
    .free = packet_free,
};

static int set_options(int fd, int ifindex, const char *name, struct diag *d)
{
    struct packet_mreq promisc = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
    int one = 1, buffer = 4 << 20;

    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof promisc) < 0)
        return diag_err(d, "cannot set up a packet socket on '%s': %s", name,
                        strerror(errno));
    /* Larger buffers only help; without the right to force them take what we get. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    return 0;
}

/* Runs in the namespace of the interface. */
static int packet_open(void *ctx, struct diag *d)
{
    struct packet_port *k = ctx;
    const char *name = k->config->ifname;
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

    if (!name || !*name)
        return diag_err(d, "an AF_PACKET port needs the name of an interface");
    to.sll_ifindex = (int)if_nametoindex(name);
    if (to.sll_ifindex == 0)
        return diag_err(d, "there is no interface '%s'", name);
    snprintf(k->port.device, sizeof k->port.device, "%s", name);
    /* Protocol 0: nothing is received before the interface is chosen. */
    k->port.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (k->port.fd < 0)
        return diag_err(d, "cannot open a packet socket: %s%s", errtext(errno),
                        errno == EPERM ? ": clickosd needs CAP_NET_RAW" : "");
    if (set_options(k->port.fd, to.sll_ifindex, name, d) < 0)
        return -1;
    if (bind(k->port.fd, (struct sockaddr *)&to, sizeof to) < 0)
        return diag_err(d, "cannot bind to interface '%s': %s", name, strerror(errno));
    return 0;
}

struct port *packet_port_new(const struct packet_port_config *c, struct diag *d)
{
    struct packet_port *k = calloc(1, sizeof *k);

    if (!k) {
        diag_err(d, "out of memory");
        return NULL;
    }
    k->port.ops = &packet_ops;
    k->port.fd = -1;
    k->port.takes_offload = true;
    k->config = c;
    if (netns_run(c->netns, c->netns_fd, packet_open, k, d) < 0) {
        packet_free(&k->port);
        return NULL;
    }
    k->config = NULL;
    return &k->port;
}
