// SPDX-License-Identifier: BSD-3-Clause
/*
 * control_protocol.h -- Click's control protocol, "Click::ControlSocket/1.3"
 *
 * A client sends commands, a line each, and reads or writes handlers:
 *
 *     READ c.count            200 Read handler 'c.count' OK
 *                             DATA 1
 *                             5
 *     WRITE c.reset           200 Write handler 'c.reset' OK
 *
 * This is the protocol without the socket: bytes go in by control_feed(), answers collect
 * in `out`, and whose handlers they are is the business of struct control_ops. So the same
 * code serves `click -p`, the daemon and the fuzzer.
 *
 * Memory: buffers are on the heap, owned by the connection.
 * Trust:  the client is hostile: what it can make us keep is bounded, and the work it can
 *         cause grows with what it sends.
 */

#ifndef ENGINE_CONTROL_PROTOCOL_H
#define ENGINE_CONTROL_PROTOCOL_H

#include "base/diag.h"
#include "base/sbuf.h"

#include <stdbool.h>
#include <stddef.h>

struct router;
struct element;

enum {
    CONTROL_MAX_INPUT = 64 << 20,  /* bytes of one command with its data */
    CONTROL_MAX_OUTPUT = 64 << 20, /* bytes that wait for a client that does not read */
};

/* What a handler's name leads to. */
enum {
    CONTROL_READ = 1,
    CONTROL_WRITE = 2,
    CONTROL_NO_ELEMENT = 4, /* there is no such element; 0: no such handler */
    CONTROL_NOT_PROXIED = 8,
};

struct control_ops {
    int (*check)(void *ctx, const char *name);
    /* 0, or -1 with messages; errors count in any case. */
    int (*read)(void *ctx, const char *name, const char *param, struct sbuf *out,
                struct diag *d);
    int (*write)(void *ctx, const char *name, const char *value, size_t len,
                 struct diag *d);
};

struct control {
    const struct control_ops *ops; /* borrowed */
    void *ctx;                     /* for ops */
    bool read_only;                /* refuse to write */
    struct sbuf in, out;
    size_t in_at, out_at; /* bytes that were taken from the front */
    size_t scanned;       /* of `in`: where the search for the end of a text goes on */
    size_t line_len; /* of the command in work, when it is complete; 0: it is not */
    bool in_closed;  /* the client will send nothing more */
};

/* Start a connection: the greeting is in `out`. */
void control_init(struct control *c, const struct control_ops *ops, void *ctx,
                  bool read_only);
void control_fini(struct control *c);

/* Bytes from the client; an error that is too big for us closes the connection. */
void control_feed(struct control *c, const char *bytes, size_t len);
void control_close_input(struct control *c);

/* Carry out the next command. False: it is not complete yet, or there is none. */
bool control_step(struct control *c);

/* What waits to be sent, and that so much of it was. */
const char *control_output(const struct control *c, size_t *len);
void control_sent(struct control *c, size_t len);

/* Nothing more will come out of this connection. */
bool control_finished(const struct control *c);

/* --- a router's handlers (control_router.c) ------------------------------------------- */

struct control_target {
    struct router *r;
    struct element *proxy; /* NULL, or the element whose handlers are meant */
};
extern const struct control_ops control_router_ops; /* ctx: a struct control_target */

#endif
