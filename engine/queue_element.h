// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue_element.h -- what the elements that are queues have in common
 *
 * Queue, NotifierQueue, SimpleQueue and their relatives differ in what they answer to
 * cast() and in which packet they drop. Their state starts with a struct queue_element,
 * the table of arguments with QUEUE_ARGS, counters with QUEUE_COUNTERS and handlers with
 * QUEUE_HANDLERS; push, pull and the life cycle are the functions below.
 */

#ifndef ENGINE_QUEUE_ELEMENT_H
#define ENGINE_QUEUE_ELEMENT_H

#include "engine/element.h"
#include "engine/queue.h"

struct queue_element {
    struct queue q;
    struct notifier empty; /* active: there are packets to pull */
    struct notifier full;  /* active: there is room to push */
    uint32_t capacity;     /* as configured */
    struct sched *sched;   /* borrowed */
    bool drop_front;       /* a full queue drops its oldest packet */
};

enum { QUEUE_DROPS, QUEUE_N_COUNTERS };

#define QUEUE_ARGS(state)                                                              \
    ARG_U32(state, capacity, "CAPACITY", ARG_POS, "1000",                              \
            "most packets that are stored")
#define QUEUE_COUNTERS [QUEUE_DROPS] = {"drops", "packets that found the queue full"}
#define QUEUE_HANDLERS                                                                 \
    HANDLER_READER(queue_element_read_length, "length", "packets stored now"),         \
        HANDLER_READER(queue_element_read_highwater, "highwater_length",               \
                       "most packets ever stored"),                                    \
        {.name = "capacity",                                                           \
         .help = "most packets that are stored",                                       \
         .argument = "0 CAPACITY",                                                     \
         .flags = HANDLER_READ | HANDLER_WRITE,                                        \
         .read = queue_element_read_capacity,                                          \
         .write = queue_element_write_capacity},                                       \
        HANDLER_PRESS(queue_element_reset_counts, "reset_counts",                      \
                      "set drops to 0 and the high-water mark to the length"),         \
        HANDLER_PRESS(queue_element_reset, "reset", "drop all packets")

/* Members of struct element_class. */
int queue_element_configure(struct element *e, struct conf *c, struct diag *d);
void queue_element_take_state(struct element *e, struct element *old);
void queue_element_cleanup(struct element *e);
void queue_element_push(struct element *e, unsigned port, struct batch *b);
uint32_t queue_element_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max);

/* cast() of those without a notifier, with "there are packets", and with both. */
void *queue_element_cast_simple(struct element *e, const char *kind);
void *queue_element_cast_empty(struct element *e, const char *kind);
void *queue_element_cast_both(struct element *e, const char *kind);

/* Count `n` packets at b->p[from ...] as dropped and send them out of output 1. */
void queue_element_overflow(struct element *e, struct batch *b, uint32_t from);

int queue_element_read_length(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d);
int queue_element_read_highwater(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d);
int queue_element_read_capacity(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d);
int queue_element_write_capacity(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d);
int queue_element_reset_counts(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d);
int queue_element_reset(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d);

#endif
