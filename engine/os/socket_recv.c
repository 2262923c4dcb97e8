// SPDX-License-Identifier: BSD-3-Clause
/* socket_recv.c -- packets out of sockets: see socket_recv.h */

#include "engine/os/socket_recv.h"

#include <errno.h>

struct pkt *socket_recv(struct element *e, int fd, const struct socket_recv *how,
                        struct sockaddr *from, socklen_t *from_len)
{
    struct pkt *p = pkt_new(element_pool(e), how->headroom, NULL, how->snaplen, 0);
    int flags = how->stream ? 0 : MSG_TRUNC; /* a TCP socket would lose data by it */
    ssize_t len;

    if (!p) {
        errno = ENOMEM;
        return NULL;
    }
    len = recvfrom(fd, p->data, p->len, flags, from, from_len);
    if (len < 0) {
        int why = errno;

        pkt_free(p);
        errno = why;
        return NULL;
    }
    if ((size_t)len > how->snaplen)
        p->anno_u32[ANNO_EXTRA_LENGTH / 4] = (uint32_t)len - how->snaplen;
    else
        pkt_take(p, how->snaplen - (uint32_t)len);
    if (how->timestamp)
        p->timestamp = element_wall_now(e);
    return p;
}
