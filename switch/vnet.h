// SPDX-License-Identifier: BSD-3-Clause
/*
 * vnet.h -- what TAP and AF_PACKET ports have in common: a file descriptor that gives and
 * takes one packet a call, behind a virtio_net_hdr
 */

#ifndef SWITCH_VNET_H
#define SWITCH_VNET_H

#include "switch/port.h"

#include <linux/virtio_net.h>
#include <sys/uio.h>

#define VNET_HEADER  10u
#define VNET_MAX_IOV (FRAME_MAX_PARTS + 2)

/* Fill in a frame of `len` bytes at `data` from its header. */
void vnet_to_frame(struct frame *f, const struct virtio_net_hdr *h, const uint8_t *data,
                   uint32_t len);

/* Send one packet; the header goes first. 0, or -1 with errno. */
int vnet_write(int fd, const struct frame *f);

/* tx() for both: sends all, counts. `gone`, an errno, takes the port down. */
void vnet_tx(struct port *p, const struct frame *frames, const uint16_t *list,
             unsigned n, int gone);

#endif
