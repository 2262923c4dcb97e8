// SPDX-License-Identifier: BSD-3-Clause
/*
 * socket_element.h -- what Socket, FromSocket and ToSocket have in common
 *
 * The functions are in elements/driver/socket.c.
 */

#ifndef ENGINE_OS_SOCKET_ELEMENT_H
#define ENGINE_OS_SOCKET_ELEMENT_H

#include "engine/element.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

union socket_addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

struct socket_element {
    bool client_arg, have_client, client, timestamp, verbose, nodelay, proper;
    struct element *allow, *deny; /* routing tables */
    uint32_t snaplen, headroom;
    int32_t sndbuf, rcvbuf;

    int family, kind;
    union socket_addr local, remote;
    socklen_t local_len, remote_len;
    bool have_local, bound, to_anno;
    int fd, active;      /* 1 + the descriptor; 0: none */
    struct pkt *waiting; /* owned; pulled, and the socket did not take it */
    struct task task;
    struct signal signal;
};

extern const struct arg_spec socket_element_args[];
extern const struct counter_spec socket_element_counters[];
extern const struct handler_spec socket_element_handlers[];

/* Members of struct element_class. */
int socket_element_configure(struct element *e, struct conf *c, struct diag *d);
int socket_element_initialize(struct element *e, struct diag *d);
void socket_element_cleanup(struct element *e);
void socket_element_push(struct element *e, unsigned port, struct batch *b);

#endif
