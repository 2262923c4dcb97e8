// SPDX-License-Identifier: BSD-3-Clause
/*
 * host.h -- the world around the engine when it is an ordinary program
 *
 * Owns the packet pool, the clock, the console and the descriptors that are waited for,
 * and runs one router until it stops.
 *
 * Threads: one.
 */

#ifndef DRIVER_HOST_H
#define DRIVER_HOST_H

#include "base/diag.h"
#include "driver/signals.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <poll.h>
#include <stdbool.h>

struct host_watch {
    void (*ready)(void *arg, int fd, short revents);
    void *arg;
};

struct host_tee {
    void (*hear)(void *arg, const char *text, size_t len);
    void *arg;
};

struct host {
    struct platform platform;
    struct router *router; /* owned; the one that runs */
    struct router *next;   /* owned; takes over between two rounds; NULL: none */
    struct netdev_list *devices;
    struct pollfd *fds;         /* owned; [n_fds] */
    struct host_watch *watches; /* owned; [n_fds] */
    unsigned n_fds, room;
    struct host_tee *tees; /* owned; [n_tees] */
    unsigned n_tees;
    struct ifaddrs *interfaces; /* owned; as they were at `interfaces_s`, may be NULL */
    int64_t interfaces_s;
    const char *click_path; /* borrowed: where libraries are looked for, ':' between */
    const char *file;       /* borrowed: name of the configuration, for hotconfig */
    int64_t virtual_ns;     /* --simtime: the time */
    bool simtime, stop;
    struct signals signals;
    /* Told about signals that came, 1 << number each. May be NULL. */
    void (*signalled)(struct host *h, uint32_t came);
    const void *signalled_ctx;
    /* For each configuration; borrowed. `extra_hot` stands for options.extra in those that
     * take over from another one. */
    struct router_options options;
    const struct lang_element *extra_hot;
};

/* With `simtime` time stands still while there is work, and starts at `start_s` seconds
 * after 1970. Returns -1 with a message when memory ran out. */
int host_init(struct host *h, bool simtime, double start_s, struct diag *d);
/* Frees router, devices and pool. Returns the number of packets that were leaked. */
size_t host_fini(struct host *h);

/* Run until the router stops, INT or TERM comes, or nothing can ever happen again. */
void host_run(struct host *h);

/* Build `text` with h->options and make it the running router: at once when there is
 * none, else between two rounds. Returns -1 with errors in `d`; what runs then goes on. */
int host_install(struct host *h, const char *text, size_t len, const char *file,
                 struct diag *d);

/* Read a whole file ("-": standard input) into a heap string. */
int host_read_file(const char *name, char **text, size_t *len, struct diag *d);

/* driver/listen.c: host_ops.listen */
struct host_address;
int host_listen(void *ctx, struct host_address *a);

/* driver/host_names.c: host_ops.find_name, and what ends the life of what it keeps */
bool host_find_name(void *ctx, unsigned kind, const char *name, void *value,
                    size_t size);
void host_forget_names(struct host *h);

/* driver/netdev.c */
struct netdev *netdev_open(struct host *h, const char *name, struct diag *d);
void netdev_close(struct host *h, struct netdev *dev);

#endif
