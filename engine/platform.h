// SPDX-License-Identifier: BSD-3-Clause
/*
 * platform.h -- all that the engine asks of the world around it
 *
 * There is no operating system under the engine. The `click` driver, the guest, the
 * element test runner and the fuzzers each fill in one struct platform and lend it to
 * every router they create; memory comes from malloc() and free(), which the guest
 * provides over its own heap.
 */

#ifndef ENGINE_PLATFORM_H
#define ENGINE_PLATFORM_H

#include "base/diag.h"
#include "engine/pkt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_ops;

/* A network interface that FromNetfront/FromDevice and ToNetfront/ToDevice can name. */
struct netdev_ops {
    /* Append up to `max` received packets to `b`; returns how many. */
    uint32_t (*rx)(void *dev, struct batch *b, uint32_t max);
    /* Send: takes over the first n packets of `b`, where it returns n; the rest moves to
     * the front of the batch. */
    uint32_t (*tx)(void *dev, struct batch *b);
};

struct netdev {
    const struct netdev_ops *ops;
    void *dev;        /* for ops */
    const char *name; /* "0", "eth0" */
    uint8_t mac[6];
    uint32_t mtu;
};

struct platform {
    void *ctx; /* for the functions below */

    /* Steady time in ns: never goes backwards; the zero point is the platform's. */
    int64_t (*now)(void *ctx);
    /* What to add to steady time for ns since 1970. */
    int64_t (*wall_offset)(void *ctx);
    /* A piece of console output (Print, Message, errors at run time): any bytes. */
    void (*console)(void *ctx, const char *text, size_t len);
    /* Output that is no message (Script's print): any bytes. NULL: console. */
    void (*output)(void *ctx, const char *text, size_t len);
    /* Write or append to a file; NULL, or why it failed. NULL itself: there are no files. */
    const char *(*write_file)(void *ctx, const char *name, bool append,
                              const char *text, size_t len);
    /* The library that the configuration in the file `from` asks for; may be NULL: there
     * is none. Returns 0 and heap strings, its path and its text, or -1. */
    int (*find_library)(void *ctx, const char *name, const char *from, char **path,
                        char **text, size_t *len);
    /* `n` bytes at `at`, both multiples of 2 MiB, are going to be read at random: large
     * pages would help. NULL: it makes no difference here. */
    void (*large_pages)(void *ctx, void *at, size_t n);
    /* Stop the whole program: DriverManager's `stop`. May be NULL. */
    void (*stop)(void *ctx);

    /* Open a device by name, for FromDevice and ToDevice where there is an operating
     * system; the same name gives the same device. NULL with a message in `d`. The member
     * itself is NULL in a VM, where only `netdevs` exist. */
    struct netdev *(*open_netdev)(void *ctx, const char *name, struct diag *d);
    void (*close_netdev)(void *ctx, struct netdev *dev); /* once for each open */
    const struct host_ops *host; /* engine/host.h; NULL in a VM */

    struct pkt_pool *pool;  /* borrowed */
    struct netdev *netdevs; /* borrowed; what this machine has */
    unsigned n_netdevs;
    uint64_t seed;        /* for random numbers; 0: the engine picks a constant */
    bool has_os;          /* files and sockets exist: elements/driver may be used */
    bool simtime;         /* time stands still while there is work: driver --simtime */
    bool may_reconfigure; /* there is a hotconfig handler: click -R */
    const char *program;  /* "click", or the VM's name: for %-escapes and messages */
};

#endif
