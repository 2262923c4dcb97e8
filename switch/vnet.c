// SPDX-License-Identifier: BSD-3-Clause
/* vnet.c -- what TAP and AF_PACKET ports have in common: see vnet.h */

#include "switch/vnet.h"

#include <errno.h>
#include <unistd.h>

void vnet_to_frame(struct frame *f, const struct virtio_net_hdr *h, const uint8_t *data,
                   uint32_t len)
{
    *f = (struct frame){.data = data, .len = len, .total = len, .parts = 1};
    if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        f->flags |= NETMEM_CSUM;
        f->csum_start = h->csum_start;
        f->csum_offset = h->csum_offset;
    } else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        f->flags |= NETMEM_CSUM_OK;
    }
    f->gso_size = h->gso_size;
    switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
        f->flags |= NETMEM_TSO4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        f->flags |= NETMEM_TSO6;
        break;
    }
}

/* A guest may write nonsense into the fields; the kernel checks them once more. */
static void header_from_frame(struct virtio_net_hdr *h, const struct frame *f)
{
    memset(h, 0, sizeof *h);
    if (f->flags & NETMEM_CSUM) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = f->csum_start;
        h->csum_offset = f->csum_offset;
    }
    if (f->flags & NETMEM_TSO4)
        h->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    else if (f->flags & NETMEM_TSO6)
        h->gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
    if (h->gso_type) {
        h->gso_size = f->gso_size;
        h->hdr_len = 54;
    }
}

static int iov_add(struct iovec *iov, int n, const uint8_t *data, uint32_t len)
{
    iov[n].iov_base = (void *)(uintptr_t)data;
    iov[n].iov_len = len;
    return n + 1;
}

int vnet_write(int fd, const struct frame *f)
{
    struct virtio_net_hdr h;
    struct iovec iov[VNET_MAX_IOV];
    uint32_t skip = 0; /* bytes that come from the checked copy */
    int n = 1;

    header_from_frame(&h, f);
    iov[0].iov_base = &h;
    iov[0].iov_len = VNET_HEADER;
    if (f->head) {
        skip = f->total < FRAME_HEAD ? f->total : FRAME_HEAD;
        n = iov_add(iov, n, f->head, skip);
    }
    for (unsigned i = 0; i < f->parts; i++) {
        uint32_t from = f[i].len < skip ? f[i].len : skip;

        skip -= from;
        if (f[i].len > from)
            n = iov_add(iov, n, f[i].data + from, f[i].len - from);
    }
    return writev(fd, iov, n) < 0 ? -1 : 0;
}

void vnet_tx(struct port *p, const struct frame *frames, const uint16_t *list,
             unsigned n, int gone)
{
    uint64_t packets = 0, bytes = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct frame *f = &frames[list[i]];

        if (vnet_write(p->fd, f) == 0) {
            packets++;
            bytes += f->total;
        } else if (errno == gone) {
            port_drop(p, DROP_DEVICE, n - i);
            port_report(p, EVENT_PORT_DOWN, "its interface is gone");
            break;
        } else {
            port_drop(p, errno == EAGAIN || errno == ENOBUFS ? DROP_FULL : DROP_DEVICE,
                      1);
        }
    }
    count_add(&p->count.out_packets, packets);
    count_add(&p->count.out_bytes, bytes);
}
