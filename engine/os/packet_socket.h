// SPDX-License-Identifier: BSD-3-Clause
/* packet_socket.h -- AF_PACKET sockets, for FromDevice and ToDevice */

#ifndef ENGINE_OS_PACKET_SOCKET_H
#define ENGINE_OS_PACKET_SOCKET_H

#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/* What FromDevice answers to cast(e, "FromDevice") with. */
struct packet_device {
    const char *name; /* borrowed */
    int fd;           /* its socket; -1: none */
    bool method_linux;
};

/* A socket, not blocking, for all that passes interface `name`; -1 with a message. */
int packet_socket_open(const char *name, struct diag *d);

/* Have the interface receive what is meant for others, too (or only all multicasts), as long
 * as the socket is open. */
int packet_socket_promisc(int fd, const char *name, bool promisc);

/* enum link_type of the interface, -1 if it is not known. */
int packet_socket_link_type(int fd, const char *name);

/* Let only those packets of interface `name` in that tcpdump's `filter` describes. -1 with a
 * message. */
int packet_socket_filter(int fd, const char *name, const char *filter, int link_type,
                         struct diag *d);

#endif
