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
#include <stdint.h>

struct router;
struct element;

enum {
    CONTROL_MAX_INPUT = 64 << 20,  /* bytes of one command with its data */
    CONTROL_MAX_OUTPUT = 64 << 20, /* bytes that wait for a client that does not read */
};

/* What a handler's name leads to. */
enum {
    CONTROL_CAN_READ = 1,
    CONTROL_CAN_WRITE = 2,
    CONTROL_NO_ELEMENT = 4, /* there is no such element; 0: no such handler */
    CONTROL_NOT_PROXIED = 8,
    CONTROL_ELSEWHERE = 16, /* ops->forward() is to carry out the command */
};

/* What write() may return beside 0 and -1: control_written() follows. */
enum { CONTROL_LATER = 1 };

struct control_ops {
    int (*check)(void *ctx, const char *name);
    /* 0, or -1 with messages; errors count in any case. */
    int (*read)(void *ctx, const char *name, const char *param, struct sbuf *out,
                struct diag *d);
    int (*write)(void *ctx, const char *name, const char *value, size_t len,
                 struct diag *d);
    /* A call of an element that exists, see llrpc.h; never of one that is elsewhere. May be NULL. */
    const char *(*llrpc)(void *ctx, const char *element, uint32_t call, void *data);
    /* Let somebody else carry out a command, which is complete: line, end of line, data.
     * control_reply() or control_refuse() follows, in this call or later; the commands
     * behind it wait. May be NULL. */
    void (*forward)(void *ctx, const char *command, size_t len);
};

struct control {
    const struct control_ops *ops; /* borrowed */
    void *ctx;                     /* for ops */
    bool read_only;                /* refuse to write */
    bool busy;                     /* a command is carried out elsewhere */
    char *later;                   /* owned: the handler that is being written so */
    size_t max_input, max_output;  /* may be set lower after control_init() */
    struct sbuf in, out;
    size_t in_at, out_at; /* bytes that were taken from the front */
    size_t start;         /* of `in`: the command in work */
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

/* The answer to a command that was forwarded: as it is, or made of a code and a text. */
void control_reply(struct control *c, const char *answer, size_t len);
void control_refuse(struct control *c, unsigned code, const char *text);

/* What became of a write for which the answer was CONTROL_LATER. */
void control_written(struct control *c, int rc, struct diag *d);

/* Carry out the commands in `text` for which no connection is kept; the answers are
 * appended to `out`. */
void control_run(const struct control_ops *ops, void *ctx, const char *text, size_t len,
                 struct sbuf *out);

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
