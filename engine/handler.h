// SPDX-License-Identifier: BSD-3-Clause
/*
 * handler.h -- reading and writing a router from outside, as data
 *
 * A class lists its handlers in a table. Simple ones name a member of the state and its
 * kind, and need no code; others name functions. Every element also has Click's own:
 * name, class, config, ports, handlers, and one read handler for each counter.
 */

#ifndef ENGINE_HANDLER_H
#define ENGINE_HANDLER_H

#include "base/diag.h"
#include "base/sbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct element;
struct router;
struct handler_spec;

enum handler_flags {
    HANDLER_READ = 1,
    HANDLER_WRITE = 2,
    HANDLER_PARAM = 4,     /* the read handler takes a parameter */
    HANDLER_BUTTON = 8,    /* written without a value */
    HANDLER_CHECKBOX = 16, /* a boolean */
    HANDLER_RAW = 32,      /* the written value is not stripped of quotes and blanks */
    HANDLER_EXPENSIVE = 64,
    HANDLER_NUMBERED =
        128, /* one for each output, or input where these are more: "pattern" stands for
                pattern0, pattern1 ...; the functions get a copy with the number in
                `user` */
    HANDLER_PRIVATE = 256, /* for scripts only: not listed, not over a control socket */
    HANDLER_VERBATIM = 512, /* as RAW, but the list does not say so */
    HANDLER_KEYWORD =
        1024, /* writing configures the element anew with another `argument`; reading gives
                 its text, or nothing if it was left out, unless there is a member */
    HANDLER_OF_TASK =
        2048, /* there is none on elements whose class's has_task() says no */
    HANDLER_CALM = 4096,       /* changes only when somebody writes something */
    HANDLER_DEPRECATED = 8192, /* for old configurations */
};

struct handler_spec {
    const char *name; /* "count" */
    const char *help; /* "packets seen so far" */
    uint32_t flags;   /* enum handler_flags */
    uint8_t kind;     /* enum arg_kind of the member, for handlers without code */
    uint32_t offset;  /* of the member */
    intptr_t user;    /* for handlers that share code */
    /* Writing changes this argument of the configuration string: "CAPACITY", or with its
     * position, if it may stand at one, "0 CAPACITY". */
    const char *argument;
    /* Append the value to `out`; -1 with a message in `d`. */
    int (*read)(struct element *e, const struct handler_spec *h, const char *param,
                struct sbuf *out, struct diag *d);
    /* `value` is NUL-terminated, `len` bytes. 0, or -1 with a message in `d`; a Script that
     * stopped gives 1. */
    int (*write)(struct element *e, const struct handler_spec *h, const char *value,
                 size_t len, struct diag *d);
};

#define HANDLER_END                                                                    \
    {                                                                                  \
        .name = NULL                                                                   \
    }

/* Whoever writes one of these configures the element anew with another argument:
 * HANDLER_ARGUMENT("0 DSCP", "dscp", "the code point") reads what was written there, and
 * HANDLER_ARGUMENT_VALUE(set_dscp, dscp, ARG_KIND_U8, "0 DSCP", ...) the member's value. */
#define HANDLER_ARGUMENT(argument_, n, h)                                              \
    {                                                                                  \
        .name = (n), .help = (h), .argument = (argument_),                             \
        .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_KEYWORD                        \
    }
#define HANDLER_ARGUMENT_VALUE(s, m, kind_, argument_, n, h)                           \
    {                                                                                  \
        .name = (n), .help = (h), .argument = (argument_), .kind = (kind_),            \
        .offset = offsetof(struct s, m),                                               \
        .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_KEYWORD                        \
    }
#define HANDLER_ARGUMENT_WRITER(argument_, n, h)                                       \
    {                                                                                  \
        .name = (n), .help = (h), .argument = (argument_),                             \
        .flags = HANDLER_WRITE | HANDLER_KEYWORD                                       \
    }

/* HANDLER_VALUE(counter, count, ARG_KIND_U64, HANDLER_READ, "count", "packets seen") */
#define HANDLER_VALUE(s, m, kind_, flags_, n, h)                                       \
    {                                                                                  \
        .name = (n), .help = (h), .flags = (flags_), .kind = (kind_),                  \
        .offset = offsetof(struct s, m)                                                \
    }
#define HANDLER_READER(fn, n, h)                                                       \
    {                                                                                  \
        .name = (n), .help = (h), .flags = HANDLER_READ, .read = (fn)                  \
    }
#define HANDLER_WRITER(fn, n, h)                                                       \
    {                                                                                  \
        .name = (n), .help = (h), .flags = HANDLER_WRITE, .write = (fn)                \
    }
#define HANDLER_PRESS(fn, n, h)                                                        \
    {                                                                                  \
        .name = (n), .help = (h), .flags = HANDLER_WRITE | HANDLER_BUTTON,             \
        .write = (fn)                                                                  \
    }

/* Result of the calls below besides 0 and -1 (the handler failed): there is no such
 * element or handler; nothing was called. */
enum { HANDLER_NONE = -2 };

/* Read or write "element.handler", or "handler" for one of the router's own. Names are
 * looked up from `context` (an element, or NULL for the outermost scope). `d` gets
 * Click's message. `param` may be NULL. */
int handler_read(struct router *r, const struct element *context, const char *name,
                 const char *param, struct sbuf *out, struct diag *d);
int handler_write(struct router *r, const struct element *context, const char *name,
                  const char *value, size_t len, struct diag *d);

/* Whether it exists, with all of `flags` (HANDLER_READ, HANDLER_WRITE, HANDLER_PARAM,
 * HANDLER_RAW), and with HANDLER_PRIVATE among them whether it may also be seen from
 * outside. */
bool handler_exists(struct router *r, const struct element *context, const char *name,
                    uint32_t flags);

/* Append the name in full: "element.handler", or "handler" for one of the router's. -1:
 * there is no such element. */
int handler_full_name(struct router *r, const struct element *context, const char *name,
                      struct sbuf *out);

/* Handlers of one element, own and common, one a line as Click's `handlers` handler:
 * "count\tr". */
void handler_list(const struct element *e, struct sbuf *out);

#endif
