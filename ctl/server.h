// SPDX-License-Identifier: BSD-3-Clause
/*
 * server.h -- HTTP over a Unix socket, inside the daemon's event loop
 *
 * libmicrohttpd without threads of its own: its epoll set is one descriptor in ours, and
 * a request that must wait for a VM is suspended until its call is answered.
 *
 * Memory: the server owns its calls. `socket_fd` is taken over.
 */

#ifndef CTL_SERVER_H
#define CTL_SERVER_H

#include "base/diag.h"
#include "ctl/call.h"
#include "ctl/loop.h"

struct server;

/* A listening socket at `path` with mode 0660 and, if `group` is not NULL, that group. A
 * stale socket is replaced; one that somebody answers on is an error. -1 on failure. */
int server_listen(const char *path, const char *group, struct diag *d);

struct server *server_new(struct loop *l, int socket_fd, struct daemon_state *s,
                          struct diag *d);

/* Answers what is still open with 503, ends all connections. Accepts NULL. */
void server_free(struct server *v);

/* For loop_run(): let libmicrohttpd work, and say how long it can wait (ms, -1). */
int server_before_wait(struct server *v);

/* Once a second: when it could not accept a client for want of descriptors it looks again
 * for who waits, which it would not do by itself. */
void server_tick(struct server *v);

#endif
