// SPDX-License-Identifier: BSD-3-Clause
/*
 * host.h -- what the `click` driver offers to elements that need an operating system
 *
 * Elements in elements/driver open files and sockets themselves; to learn when one is
 * ready they ask the driver's loop. Nothing here exists in a VM.
 */

#ifndef ENGINE_HOST_H
#define ENGINE_HOST_H

#include <stdbool.h>
#include <stddef.h>

struct element;
struct host_file;

/* Where a server socket listens. */
struct host_address {
    bool is_unix;
    const char *name; /* path, or port; with '+' behind the port also one of the next */
    bool local;       /* TCP: on 127.0.0.1 only */
    bool sole;        /* TCP: never one of the next */
    bool replace;     /* UNIX: in the place of a socket that is there */
    unsigned port;    /* out, TCP: the port it has */
    const char
        *call; /* out, on failure: the system call that failed; errno tells why */
};

struct host_ops {
    /* Call `ready(arg, fd, revents)` between two rounds of the scheduler whenever poll()
     * reports `events` (POLLIN, POLLOUT) for `fd`; one watch an fd, a second call changes
     * it. Returns -1 when memory ran out. */
    int (*watch)(void *ctx, int fd, short events,
                 void (*ready)(void *arg, int fd, short revents), void *arg);
    void (*unwatch)(void *ctx, int fd); /* no watch is no error */
    /* Replace the running configuration by this text, as `click -R` allows: 0, or -1 with
     * the errors as a heap string in `errors`. */
    int (*install)(void *ctx, const char *text, unsigned long len, char **errors);

    /* Open a server socket, not blocking; -1 on failure. */
    int (*listen)(void *ctx, struct host_address *a);
    /* While a configuration is built to replace the one that runs: the element there with
     * the name and the class of `e`, which will be asked to give up its state. May be
     * NULL. */
    struct element *(*replaced)(void *ctx, const struct element *e);
    /* Have `hear` called with every piece of console output. -1: no memory. */
    int (*tee)(void *ctx, void (*hear)(void *arg, const char *text, size_t len),
               void *arg);
    void (*untee)(void *ctx, const void *arg);

    /* What a name means on this host: addresses of its interfaces and ports of services.
     * `kind` and the `size` of the value are those of engine/nameinfo.h. May be NULL. */
    bool (*find_name)(void *ctx, unsigned kind, const char *name, void *value,
                      size_t size);

    /* A file that is written piece by piece, and begins empty. NULL: `why` tells. Pieces may
     * wait in memory until it is closed, which tells why one was not written, or NULL. */
    struct host_file *(*create_file)(void *ctx, const char *name, const char **why);
    void (*append_file)(void *ctx, struct host_file *f, const char *text, size_t len);
    const char *(*close_file)(void *ctx, struct host_file *f);
    /* Home directory of a user, NULL meaning whoever runs the program; borrowed until the
     * next call, NULL when it is not known. */
    const char *(*home)(void *ctx, const char *user);

    /* For scripts. Those with a text result return NULL, or why they failed. */
    const char *(*read_file)(void *ctx, const char *name, char **text, size_t *len);
    const char *(*kill)(void *ctx, long pid, int signo);
    long (*pid)(void *ctx);
    /* Call `fire(arg)` between two rounds once after the signal has come, which then does
     * not stop the program; whoever wants the next one asks again. Several may ask for
     * one signal, each with an `arg` of its own. */
    int (*watch_signal)(void *ctx, int signo, void (*fire)(void *arg), void *arg);
    void (*unwatch_signals)(void *ctx, const void *arg); /* all of this `arg` */
};

#endif
