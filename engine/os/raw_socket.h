// SPDX-License-Identifier: BSD-3-Clause
/*
 * raw_socket.h -- what RawSocket, FromRawSocket and ToRawSocket have in common
 *
 * The functions are in elements/driver/raw_socket.c.
 */

#ifndef ENGINE_OS_RAW_SOCKET_H
#define ENGINE_OS_RAW_SOCKET_H

#include "engine/element.h"

struct raw_socket {
    struct text type, port_arg;
    uint32_t snaplen, headroom;

    uint8_t protocol;
    uint16_t port;
    int fd, claim;       /* 1 + the descriptors; 0: none */
    struct pkt *waiting; /* owned; the socket did not take it */
    int64_t backoff_ns;
    struct task task;
    struct timer timer;
    struct signal signal;
};

extern const struct arg_spec raw_socket_args[];
extern const struct counter_spec raw_socket_counters[];
extern const struct handler_spec raw_socket_handlers[];

/* Members of struct element_class. */
int raw_socket_configure(struct element *e, struct conf *c, struct diag *d);
int raw_socket_initialize(struct element *e, struct diag *d);
void raw_socket_cleanup(struct element *e);

#endif
