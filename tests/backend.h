// SPDX-License-Identifier: BSD-3-Clause
/*
 * backend.h -- where the cases of .test files run: the engine in this process, a VM ...
 *
 * A back-end has CASE_MAX_PORTS interfaces, named "0" to "7". It loads a configuration,
 * carries packets to and from it and calls its handlers. One case uses it at a time,
 * between open() and close().
 */

#ifndef TESTS_BACKEND_H
#define TESTS_BACKEND_H

#include "base/diag.h"
#include "base/sbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pkt;

/* A packet that came out. */
struct got_packet {
    uint8_t *bytes; /* owned by who collects */
    size_t len;
    struct pkt *meta; /* annotations; NULL when the back-end cannot see them. Owned */
};

struct backend {
    const char *name;
    bool sees_annotations;
    bool has_clock;   /* advance() works */
    uint32_t max_len; /* of a packet that can come out; 0: no limit */

    /* Whether it can work here; `dir` is the build folder. May be NULL: always. */
    bool (*start)(const char *dir, const char **why);
    void *(*open)(void); /* NULL: failed */
    /* Packets that were not freed. Releases the rest. */
    size_t (*close)(void *ctx);
    /* Load, or exchange the running configuration; -1 with errors in `d`, and nothing has
     * changed. */
    int (*install)(void *ctx, const char *graph, struct diag *d);
    /* False when such a packet cannot come in there. */
    bool (*inject)(void *ctx, unsigned port, const uint8_t *bytes, size_t len);
    /* Run until nothing moves, or `rounds` rounds if that is not 0. */
    void (*run)(void *ctx, unsigned rounds);
    void (*advance)(void *ctx, int64_t ns);
    /* The next packet that came out of a port; false if there is none. */
    bool (*collect)(void *ctx, unsigned port, struct got_packet *out);
    void (*release)(void *ctx, struct got_packet *got);
    int (*read)(void *ctx, const char *handler, const char *param, struct sbuf *out,
                struct diag *d);
    int (*write)(void *ctx, const char *handler, const char *value, size_t len,
                 struct diag *d);
    /* Console text since the last call, appended to `out`. */
    void (*console)(void *ctx, struct sbuf *out);
};

extern const struct backend backend_engine;
extern const struct backend backend_kvm, backend_process; /* in a VM; in its stand-in */

#endif
