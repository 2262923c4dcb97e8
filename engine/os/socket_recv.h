// SPDX-License-Identifier: BSD-3-Clause
/* socket_recv.h -- packets out of sockets, for the elements that have them */

#ifndef ENGINE_OS_SOCKET_RECV_H
#define ENGINE_OS_SOCKET_RECV_H

#include "engine/element.h"

#include <sys/socket.h>

struct socket_recv {
    uint32_t snaplen, headroom; /* bytes that are kept, and room before them */
    bool stream;                /* what is not kept comes with the next packet */
    bool timestamp;             /* set it */
};

/* Receive a packet from `fd`, and into `from` who sent it, if that is not NULL. A datagram
 * longer than SNAPLEN says so in its extra-length annotation. NULL: nothing came, and errno
 * tells why (ENOMEM: no packet was left). An empty packet is an empty datagram, or the end of
 * a stream. */
struct pkt *socket_recv(struct element *e, int fd, const struct socket_recv *how,
                        struct sockaddr *from, socklen_t *from_len);

#endif
