// SPDX-License-Identifier: BSD-3-Clause
/*
 * element.h -- all that an element needs: the one header of everything in elements/
 *
 * An element class is a constant record, registered with ELEMENT(Name) = {...}, whose
 * tables say what arguments, counters and handlers it has. From the record the engine
 * parses configurations, answers handlers, checks a graph and prints the manual.
 *
 * Packets travel in batches. Most elements are written for one packet:
 *
 *     static verdict_t pad_one(struct element *e, struct pkt *p) { ... return 0; }
 *     ELEMENT_LOOP(pad)
 *     ELEMENT(Pad) = { ..., .push = pad_push, .pull = pad_pull };
 *
 * The verdict says where the packet goes: an output number, VERDICT_DROP, or VERDICT_KEEP
 * when the element has taken the packet over. ELEMENT_LOOP makes the loops for push and
 * pull context around it, so the compiler inlines the body and there is one indirect call
 * an element and batch. An element that never moves a packet off its way and only looks at
 * it or changes it may be written for a whole batch, with ELEMENT_BATCH.
 *
 * Contract of push: the element takes over the packets of the batch, not the batch itself,
 * whose contents are undefined afterwards. Contract of pull: append up to `max` packets
 * to the batch and return how many; b->n + max never exceeds BATCH_MAX.
 *
 * Threads: a router and all of its elements are run by one thread.
 * Memory:  element state (cls->state_size bytes, zeroed, aligned to 64) and everything
 *          from element_alloc() belongs to the router's arena and is freed with it.
 */

#ifndef ENGINE_ELEMENT_H
#define ENGINE_ELEMENT_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/sbuf.h"
#include "engine/handler.h"
#include "engine/parse.h"
#include "engine/pkt.h"
#include "engine/sched.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct router;
struct element;

typedef int verdict_t; /* >= 0: leave by that output */
enum { VERDICT_DROP = -1, VERDICT_KEEP = -2 };

/* --- the record --------------------------------------------------------------------- */

enum arg_kind {
    ARG_KIND_BOOL = 1, /* bool */
    ARG_KIND_U8,
    ARG_KIND_U16,
    ARG_KIND_U32,
    ARG_KIND_U64,
    ARG_KIND_I32,
    ARG_KIND_I64,
    ARG_KIND_DOUBLE,
    ARG_KIND_TIME,      /* int64_t ns: "10", "5ms", "1.5s" */
    ARG_KIND_BANDWIDTH, /* uint64_t bytes a second: "10Mbps", "100kBps" */
    ARG_KIND_STRING,    /* struct text: unquoted */
    ARG_KIND_WORD,      /* struct text: one word, unquoted */
    ARG_KIND_RAW,       /* struct text: as written */
    ARG_KIND_IP,        /* uint32_t, network byte order */
    ARG_KIND_IP_PREFIX, /* struct ip_prefix */
    ARG_KIND_IP6,       /* struct ip6_addr */
    ARG_KIND_ETHER,     /* struct ether_addr */
    ARG_KIND_PORT_TCP,  /* uint16_t, host byte order, number or service name */
    ARG_KIND_PORT_UDP,  /* the same, with the names of UDP */
    ARG_KIND_ANNO,     /* struct anno_ref: "PAINT", "17", "20/4"; .max = default size */
    ARG_KIND_FRACTION, /* double 0..1: "0.5", "50%" */
    ARG_KIND_ELEMENT,  /* struct element *, by name in the compound element's scope */
    ARG_KIND_FILENAME, /* struct text: unquoted, not empty, "~" and "//" resolved */
    ARG_KIND_CUSTOM,   /* by .parse */
};

enum {
    ARG_KEY = 0,      /* by keyword only */
    ARG_POS = 1,      /* by position or keyword */
    ARG_REQUIRED = 2, /* an error if missing */
    ARG_OLD = 4,      /* accepted for old configurations, left out of the manual */
    ARG_DEPRECATED = 8 | ARG_OLD, /* ... with a warning */
    ARG_M = ARG_POS | ARG_REQUIRED,
};

struct text {
    const char *s; /* in the router's arena, NUL-terminated; NULL: not given */
    size_t len;
};

struct anno_ref {
    uint16_t offset, size; /* bytes in pkt->anno */
};

struct arg_spec {
    const char *name; /* "MIN" */
    uint8_t kind;     /* enum arg_kind */
    uint8_t flags;
    uint32_t offset;  /* of the member in the element's state */
    const char *def;  /* default as a user would write it; NULL: zero */
    const char *help; /* "shortest length passed" */
    uint32_t seen;    /* 1 + offset of a bool that says it was given; 0: none */
    int64_t min, max; /* bounds for numbers, both 0: those of the type */
    /* ARG_KIND_CUSTOM: `member` points into the state. Returns 0, or -1 with a message
     * that parse_error() prefixes with the argument's name. */
    int (*parse)(struct element *e, const char *text, void *member, struct diag *d);
};

#define ARG_MEMBER_(kind_, type_, state_, member_, name_, flags_, def_, help_)         \
    {                                                                                  \
        .name = (name_), .kind = (kind_), .flags = (flags_), .def = (def_),            \
        .help = (help_),                                                               \
        .offset = offsetof(struct state_, member_) +                                   \
                  0 * sizeof(&((struct state_ *)0)->member_ == (type_ *)0)             \
    }

/* ARG_U32(len_band, min, "MIN", ARG_POS, "0", "shortest length passed") */
#define ARG_BOOL(s, m, n, f, d, h) ARG_MEMBER_(ARG_KIND_BOOL, bool, s, m, n, f, d, h)
#define ARG_U8(s, m, n, f, d, h)   ARG_MEMBER_(ARG_KIND_U8, uint8_t, s, m, n, f, d, h)
#define ARG_U16(s, m, n, f, d, h)  ARG_MEMBER_(ARG_KIND_U16, uint16_t, s, m, n, f, d, h)
#define ARG_U32(s, m, n, f, d, h)  ARG_MEMBER_(ARG_KIND_U32, uint32_t, s, m, n, f, d, h)
#define ARG_U64(s, m, n, f, d, h)  ARG_MEMBER_(ARG_KIND_U64, uint64_t, s, m, n, f, d, h)
#define ARG_I32(s, m, n, f, d, h)  ARG_MEMBER_(ARG_KIND_I32, int32_t, s, m, n, f, d, h)
#define ARG_I64(s, m, n, f, d, h)  ARG_MEMBER_(ARG_KIND_I64, int64_t, s, m, n, f, d, h)
#define ARG_DOUBLE(s, m, n, f, d, h)                                                   \
    ARG_MEMBER_(ARG_KIND_DOUBLE, double, s, m, n, f, d, h)
#define ARG_TIME(s, m, n, f, d, h) ARG_MEMBER_(ARG_KIND_TIME, int64_t, s, m, n, f, d, h)
#define ARG_BANDWIDTH(s, m, n, f, d, h)                                                \
    ARG_MEMBER_(ARG_KIND_BANDWIDTH, uint64_t, s, m, n, f, d, h)
#define ARG_STRING(s, m, n, f, d, h)                                                   \
    ARG_MEMBER_(ARG_KIND_STRING, struct text, s, m, n, f, d, h)
#define ARG_FILENAME(s, m, n, f, d, h)                                                 \
    ARG_MEMBER_(ARG_KIND_FILENAME, struct text, s, m, n, f, d, h)
#define ARG_WORD(s, m, n, f, d, h)                                                     \
    ARG_MEMBER_(ARG_KIND_WORD, struct text, s, m, n, f, d, h)
#define ARG_RAW(s, m, n, f, d, h)                                                      \
    ARG_MEMBER_(ARG_KIND_RAW, struct text, s, m, n, f, d, h)
#define ARG_IP(s, m, n, f, d, h) ARG_MEMBER_(ARG_KIND_IP, uint32_t, s, m, n, f, d, h)
#define ARG_IP_PREFIX(s, m, n, f, d, h)                                                \
    ARG_MEMBER_(ARG_KIND_IP_PREFIX, struct ip_prefix, s, m, n, f, d, h)
#define ARG_IP6(s, m, n, f, d, h)                                                      \
    ARG_MEMBER_(ARG_KIND_IP6, struct ip6_addr, s, m, n, f, d, h)
#define ARG_ETHER(s, m, n, f, d, h)                                                    \
    ARG_MEMBER_(ARG_KIND_ETHER, struct ether_addr, s, m, n, f, d, h)
#define ARG_ANNO(s, m, n, f, d, h)                                                     \
    ARG_MEMBER_(ARG_KIND_ANNO, struct anno_ref, s, m, n, f, d, h)
/* An annotation of `size` bytes when it is not said otherwise. */
#define ARG_ANNO_SIZED(s, m, n, f, d, size_, h)                                        \
    {                                                                                  \
        .name = (n), .kind = ARG_KIND_ANNO, .flags = (f), .def = (d), .help = (h),     \
        .offset = offsetof(struct s, m), .max = (size_)                                \
    }
#define ARG_FRACTION(s, m, n, f, d, h)                                                 \
    ARG_MEMBER_(ARG_KIND_FRACTION, double, s, m, n, f, d, h)
#define ARG_ELEMENT(s, m, n, f, d, h)                                                  \
    ARG_MEMBER_(ARG_KIND_ELEMENT, struct element *, s, m, n, f, d, h)
#define ARG_END                                                                        \
    {                                                                                  \
        .name = NULL                                                                   \
    }

/* A counter is a uint64_t that is also a read handler; see element_count(). Counters move
 * to the element of the same name and class when a configuration is exchanged. */
struct counter_spec {
    const char *name; /* "short" */
    const char *help; /* "packets below MIN" */
};

/* What configure() gets. `argv` are the positional arguments and, for classes with
 * .any_args, all that the table did not take; all raw, unquoted by whoever parses them. */
struct conf {
    int argc;
    const char *const *argv;
    struct arena *scratch; /* freed after configure() */
};

/* How a class treats packets that differ, if several are handed to it at once: see turns.h. */
enum apart {
    APART_NOT,    /* nothing is promised */
    APART_SHARES, /* as APART_ORDER; others like it may share what it keeps */
    APART_ORDER,  /* what becomes of a packet may hang on those that came before it */
    APART_SUMS,   /* it keeps nothing but sums */
};

enum configure_phase { /* lower ones are configured and initialised first */
                       PHASE_INFO = 0, /* names: AddressInfo, PortInfo */
                       PHASE_EARLY = 50,
                       PHASE_DEFAULT = 100,
                       PHASE_LATE = 200,
};

struct element_class {
    const char *name;
    uint32_t state_size;
    /* Port counts as in Click: "1/1-2" inputs/outputs; "-" any, "1-" one or more, "=" as
     * many outputs as inputs, "=+" one more. */
    const char *ports;
    /* Processing as in Click: 'h' push, 'l' pull, 'a' agnostic for inputs/outputs, the last
     * letter repeated: "a/ah". NULL means "a/a". */
    const char *processing;
    const char *flow;            /* flow code, Click's: NULL means "x/x" */
    const struct arg_spec *args; /* ends with name NULL; may be NULL */
    bool any_args;               /* arguments beyond the table go to configure() */
    bool live;                   /* the `config` handler may be written */
    bool driver_only;            /* needs an operating system */
    uint8_t phase;               /* enum configure_phase; 0 is taken as PHASE_DEFAULT */
    bool info;                   /* only gives names meaning: PHASE_INFO */
    bool passes;                 /* hands on what it gets: connections lead past it */
    bool talks;    /* prints packets: see push_singly() of router_ports.c */
    uint8_t keeps; /* parts of records (enum pkt_part) that it never writes in packets
                      that come to it; 0 promises nothing */
    /* For a row of packets that are alike nobody can tell if other elements see the first of
     * them before or after this one has seen the last: it sends one for each, all the same
     * way, keeps nothing but sums, wakes no task, calls no handler, draws no random number
     * and reads no clock but the coarse one. When it is not so it calls
     * element_not_plain(). Of an element that pulls and pushes on its own: it does nothing
     * else. See turns.h. (Plain packets are another matter: see ip4_plain.h.) */
    bool plain;
    uint8_t apart; /* enum apart; see turns.h */
    /* Whether it keeps that promise now: asked again after handlers were written. NULL: yes. */
    bool (*is_apart)(const struct element *e);
    const struct counter_spec *counters; /* ends with name NULL; may be NULL */
    const struct handler_spec *handlers; /* ends with name NULL; may be NULL */
    /* Handlers whose names the configuration gives: the one called `name`, or with `name`
     * NULL number `i` for lists; NULL when there is none. May be NULL. */
    const struct handler_spec *(*more_handlers)(struct element *e, const char *name,
                                                size_t i);

    /* All may be NULL, and are called in this order. Those with a result return 0, or -1
     * with at least one message in the diag. */
    int (*configure)(struct element *e, struct conf *c, struct diag *d);
    /* The graph is wired, nothing runs yet; may use other elements' state. */
    int (*initialize)(struct element *e, struct diag *d);
    /* Take the state of `old`, the element of the same name and class in the configuration
     * that is being replaced. Cannot fail: what does not fit is left behind. */
    void (*take_state)(struct element *e, struct element *old);
    /* Give back what is not in the arena: packets, devices. Called once for every element
     * that was created, configured or not. */
    void (*cleanup)(struct element *e);

    void (*push)(struct element *e, unsigned port, struct batch *b);
    uint32_t (*pull)(struct element *e, unsigned port, struct batch *b, uint32_t max);
    /* As push, for batches of plain IPv4 packets: see ip4_plain.h. NULL: the same. */
    void (*push_ip4)(struct element *e, unsigned port, struct batch *b);

    /* Whether this element, as it is connected, has a task, for HANDLER_OF_TASK; NULL: yes. */
    bool (*has_task)(const struct element *e);

    /* A call by number, see llrpc.h; `data` has room for what comes out, aligned for any
     * integer. NULL, or why it failed. May be NULL: there are none. */
    const char *(*llrpc)(struct element *e, uint32_t call, void *data);

    /* The element as something that other elements look for: "Queue", "Storage",
     * notifier_kind. NULL when it is not. */
    void *(*cast)(struct element *e, const char *kind);
};

/* Register a class; tools/gen-catalogue finds these lines. */
#define ELEMENT(Name)                                                                  \
    extern const struct element_class element_class_##Name;                            \
    const struct element_class element_class_##Name

/* A second name for the class that ELEMENT(Name) registers. */
#define ELEMENT_ALIAS(Alias, Name)                                                     \
    _Static_assert(sizeof(#Alias #Name), "see tools/gen-catalogue")

/* --- an element --------------------------------------------------------------------- */

struct port { /* the other end of a connection, from the side that calls */
    struct element *peer;
    void (*push)(struct element *e, unsigned port, struct batch *b);
    uint32_t (*pull)(struct element *e, unsigned port, struct batch *b, uint32_t max);
    uint16_t peer_port;
    bool is_push;
    void (*push_ip4)(struct element *e, unsigned port, struct batch *b);
};

struct element {
    const struct element_class *cls;
    struct port *out; /* [n_out]: peers of push outputs are called */
    struct port *in;  /* [n_in]: peers of pull inputs are called */
    uint64_t *counters;
    uint16_t n_in, n_out;
    uint32_t index; /* in the router's list */
    struct router *router;
    const char *name;
    const char *config; /* as in the configuration text */
    struct place at;
    bool configured, initialized;
    alignas(64) uint8_t state[];
};

static inline void *element_state(const struct element *e)
{
    return (void *)(uintptr_t)e->state;
}

static inline void element_count(struct element *e, unsigned counter, uint64_t n)
{
    e->counters[counter] += n;
}

/* The class as the configuration names it, which may be by another of its names. */
const char *element_class_name(const struct element *e);

/* "name :: Class", for messages. */
const char *element_declaration(const struct element *e);

/* Zeroed memory that lives as long as the router; NULL when memory ran out. */
void *element_alloc(struct element *e, size_t size);

/* Now, in ns: steady time for intervals, wall time for timestamps on packets. The coarse
 * ones are read once a round of the scheduler and cost nothing. */
int64_t element_now(const struct element *e);
int64_t element_wall_now(const struct element *e);
int64_t element_coarse_now(const struct element *e);
int64_t element_coarse_wall_now(const struct element *e);

/* From push() or pull() of a plain class: it was not, this time. */
void element_not_plain(const struct element *e);

/* A random number, uniform over 32 bits, from the router's generator. */
uint32_t element_random(struct element *e);
/* Begin again at `seed`; 0: where a router without a seed begins. */
void element_random_seed(struct element *e, uint64_t seed);
/* The next `n` of them. */
void element_randoms(struct element *e, uint32_t *out, uint32_t n);

/* Text for the console, printf-style; one call, one piece. */
__attribute__((format(printf, 2, 3))) void element_say(struct element *e,
                                                       const char *fmt, ...);

struct pkt_pool *element_pool(const struct element *e);
const struct platform *element_platform(const struct element *e);

/* The element that `name` means inside the compound element where `e` stands; NULL, with
 * Click's message in `d`, when there is none. */
struct element *element_find(const struct element *e, const char *name, struct diag *d);

/* Which way a port works, known from configure() on. */
bool element_input_is_push(const struct element *e, unsigned port);
bool element_output_is_push(const struct element *e, unsigned port);

/* Visit the elements that packets of input `port` come from (up) or output `port` go to
 * (down), through the flow codes of those between, nearest first. `visit` returns true
 * to go on behind that element, false to stop there. */
void element_visit_up(struct element *e, unsigned port,
                      bool (*visit)(void *ctx, struct element *at, unsigned at_port),
                      void *ctx);
void element_visit_down(struct element *e, unsigned port,
                        bool (*visit)(void *ctx, struct element *at, unsigned at_port),
                        void *ctx);

/* --- moving packets ------------------------------------------------------------------ */

/* Push a batch out of an output. An empty batch is nothing. */
static inline void out_push(struct element *e, unsigned port, struct batch *b)
{
    const struct port *o = &e->out[port];

    if (b->n)
        o->push(o->peer, o->peer_port, b);
}

/* Push one packet. */
static inline void out_push_one(struct element *e, unsigned port, struct pkt *p)
{
    struct batch b;

    b.n = 1;
    b.p[0] = p;
    out_push(e, port, &b);
}

/* Push if there is such an output, else release the packets. */
static inline void out_push_or_free(struct element *e, unsigned port, struct batch *b)
{
    if (port < e->n_out)
        out_push(e, port, b);
    else
        batch_free(b);
}

/* Pull up to `max` packets from an input; b->n + max <= BATCH_MAX. */
static inline uint32_t in_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    const struct port *i = &e->in[port];

    return i->pull(i->peer, i->peer_port, b, max);
}

enum { AHEAD = 4 }; /* packets that sources prefetch ahead of the one in work */

static inline void batch_prefetch_ahead(const struct batch *b, uint32_t i)
{
    if (i + AHEAD < b->n)
        __builtin_prefetch(b->p[i + AHEAD]->data);
}

static inline struct pkt *in_pull_one(struct element *e, unsigned port)
{
    struct batch b;

    b.n = 0;
    return in_pull(e, port, &b, 1) ? b.p[0] : NULL;
}

/* Verdicts with their counter: to output `port` if it exists, else dropped; dropped. */
static inline verdict_t spill(struct element *e, unsigned port, unsigned counter)
{
    element_count(e, counter, 1);
    return port < e->n_out ? (verdict_t)port : VERDICT_DROP;
}

static inline verdict_t drop(struct element *e, unsigned counter)
{
    element_count(e, counter, 1);
    return VERDICT_DROP;
}

/* --- loops ---------------------------------------------------------------------------- */

/* Packets that left the main path, until the loop is through with the batch. */
struct strays {
    uint32_t n;
    struct pkt *p[BATCH_MAX];
    int16_t verdict[BATCH_MAX];
};

static inline void strays_add(struct strays *s, struct pkt *p, verdict_t v)
{
    s->verdict[s->n] = (int16_t)v;
    s->p[s->n++] = p;
}

/* Push strays out by their verdicts, in order for each output; frees the dropped. */
void strays_deliver(struct element *e, struct strays *s);

/* The place of the first packet from b->p[from] on of which `is` is not true. */
static inline __attribute__((always_inline)) uint32_t
batch_while(const struct element *e, const struct batch *b, uint32_t from,
            bool (*is)(const struct element *e, const struct pkt *p))
{
    struct pkt *const *p = b->p + from, *const *end = b->p + b->n;
    struct pkt *const *fours_end = p + (b->n - from) / 4 * 4;

    for (; p != fours_end; p += 4)
        if (__builtin_expect(!is(e, p[0]), 0) || __builtin_expect(!is(e, p[1]), 0) ||
            __builtin_expect(!is(e, p[2]), 0) || __builtin_expect(!is(e, p[3]), 0))
            break;
    while (p < end && __builtin_expect(is(e, *p), 1))
        p++;
    return (uint32_t)(p - b->p);
}

/* The bits of a byte of the record, that at `offset`, which b->p[from .. b->n) have set. */
static inline __attribute__((always_inline)) uint8_t
batch_bits(const struct batch *b, uint32_t from, size_t offset)
{
    uint8_t bits = 0;

#pragma GCC unroll 4
    for (uint32_t i = from; i < b->n; i++)
        bits |= ((const uint8_t *)b->p[i])[offset];
    return bits;
}

/* Nothing is prefetched here: sources have touched their packets, or prefetch them. */
#define ELEMENT_LOOP_BODY_(one_call)                                                   \
    for (uint32_t i = from, n = b->n; i < n; i++) {                                    \
        struct pkt *p = b->p[i];                                                       \
        verdict_t v = one_call;                                                        \
        if (__builtin_expect(v == 0, 1))                                               \
            b->p[kept++] = p;                                                          \
        else if (v != VERDICT_KEEP)                                                    \
            strays_add(&s, p, v);                                                      \
    }

#define ELEMENT_LOOP_(prefix, first, one_call)                                         \
    static void prefix##_push(struct element *e, unsigned port, struct batch *b)       \
    {                                                                                  \
        struct strays s;                                                               \
        uint32_t kept = 0, from = 0;                                                   \
        s.n = 0;                                                                       \
        first;                                                                         \
        ELEMENT_LOOP_BODY_(one_call)                                                   \
        b->n = kept;                                                                   \
        if (__builtin_expect(s.n != 0, 0))                                             \
            strays_deliver(e, &s);                                                     \
        out_push(e, 0, b);                                                             \
    }                                                                                  \
    static uint32_t prefix##_pull(struct element *e, unsigned port, struct batch *b,   \
                                  uint32_t max)                                        \
    {                                                                                  \
        struct strays s;                                                               \
        const uint32_t before = b->n;                                                  \
        uint32_t kept = before, from = before;                                         \
        s.n = 0;                                                                       \
        port = 0;                                                                      \
        in_pull(e, 0, b, max);                                                         \
        first;                                                                         \
        ELEMENT_LOOP_BODY_(one_call)                                                   \
        b->n = kept;                                                                   \
        if (__builtin_expect(s.n != 0, 0))                                             \
            strays_deliver(e, &s);                                                     \
        return kept - before;                                                          \
    }

/* From `static verdict_t prefix_one(struct element *e, struct pkt *p)`: prefix_push and
 * prefix_pull. In pull context verdicts other than 0 are for push outputs ("a/ah"). */
#define ELEMENT_LOOP(prefix)                                                           \
    ELEMENT_LOOP_(prefix, (void)0, ((void)port, prefix##_one(e, p)))

/* The same for an element that writes into nearly every packet: the batch is made writable
 * at once, and pkt_writable() in prefix_one() finds that done. */
#define ELEMENT_LOOP_WRITES(prefix)                                                    \
    ELEMENT_LOOP_(prefix, batch_make_writable(b, from),                                \
                  ((void)port, prefix##_one(e, p)))

/* The same with `first(e, b, from)` before the loop, which may look at b->p[from .. b->n). */
#define ELEMENT_LOOP_FIRST(prefix, first)                                              \
    ELEMENT_LOOP_(prefix, first(e, b, from), ((void)port, prefix##_one(e, p)))

/* The same for `prefix_one(e, port, p)`, which wants to know the input. */
#define ELEMENT_LOOP_PORT(prefix)                                                      \
    ELEMENT_LOOP_(prefix, (void)0, prefix##_one(e, port, p))

/* From `static void prefix_batch(struct element *e, struct batch *b, uint32_t from)`,
 * which works on b->p[from .. b->n) and may lower b->n: prefix_push and prefix_pull for
 * an element with one input and one output. */
#define ELEMENT_BATCH(prefix)                                                          \
    ELEMENT_BATCH_PUSH(prefix)                                                         \
    ELEMENT_BATCH_PULL(prefix)
#define ELEMENT_BATCH_PUSH(prefix)                                                     \
    static void prefix##_push(struct element *e, unsigned port, struct batch *b)       \
    {                                                                                  \
        (void)port;                                                                    \
        prefix##_batch(e, b, 0);                                                       \
        out_push(e, 0, b);                                                             \
    }
#define ELEMENT_BATCH_PULL(prefix)                                                     \
    static uint32_t prefix##_pull(struct element *e, unsigned port, struct batch *b,   \
                                  uint32_t max)                                        \
    {                                                                                  \
        uint32_t from = b->n;                                                          \
        (void)port;                                                                    \
        if (in_pull(e, 0, b, max))                                                     \
            prefix##_batch(e, b, from);                                                \
        return b->n - from;                                                            \
    }

/* The same for an element that has a quicker way with ordinary packets:
 * `static uint32_t prefix_run(struct element *e, struct batch *b, uint32_t from)` deals with
 * b->p[from ..) up to the first one that is not, whose place it returns. */
#define ELEMENT_LOOP_RUN(prefix)                                                       \
    ELEMENT_RUN_BATCH(prefix)                                                          \
    ELEMENT_BATCH(prefix)

/* Of that only prefix_batch, and prefix_rest for what prefix_run did not reach. */
#define ELEMENT_RUN_BATCH(prefix)                                                      \
    static __attribute__((noinline)) void prefix##_rest(                               \
        struct element *e, struct batch *b, uint32_t from)                             \
    {                                                                                  \
        struct strays s;                                                               \
        uint32_t kept = from;                                                          \
        s.n = 0;                                                                       \
        ELEMENT_LOOP_BODY_(prefix##_one(e, p))                                         \
        b->n = kept;                                                                   \
        strays_deliver(e, &s);                                                         \
    }                                                                                  \
    static inline void prefix##_batch(struct element *e, struct batch *b,              \
                                      uint32_t from)                                   \
    {                                                                                  \
        from = prefix##_run(e, b, from);                                               \
        if (__builtin_expect(from < b->n, 0))                                          \
            prefix##_rest(e, b, from);                                                 \
    }

/* The same for an element that has something to do for few packets only:
 * `static bool prefix_idle(const struct element *e, const struct pkt *p)` is true for the
 * others, and a batch of these goes on as it is. */
#define ELEMENT_LOOP_RARE(prefix)                                                      \
    static inline __attribute__((always_inline))                                       \
    uint32_t prefix##_run(struct element *e, struct batch *b, uint32_t from)           \
    {                                                                                  \
        return batch_while(e, b, from, prefix##_idle);                                 \
    }                                                                                  \
    ELEMENT_LOOP_RUN(prefix)

#endif
