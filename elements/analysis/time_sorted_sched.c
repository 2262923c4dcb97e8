// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimeSortedSched -- merge streams of packets by timestamp
 *
 * Usage:    TimeSortedSched([STOP false, BUFFER 1])
 * Ports:    any number in, 1 out; pull
 * Args:     STOP    true: stop the driver when no input has anything more
 *           BUFFER  packets that are looked at ahead on each input, default 1
 * Counters: none
 * Handlers: well_ordered  (read) false once a packet came out earlier than one before it
 * Example:  FromDump(a.pcap) -> [0] t :: TimeSortedSched(STOP true) -> ...; FromDump(b.pcap) -> [1] t;
 * See also: FromDump, RoundRobinSched, TimeFilter
 *
 * Each pull takes the packet with the earliest timestamp of those at hand. Inputs whose
 * packets are themselves a little out of order are sorted as far as BUFFER reaches. Which of
 * several packets of one time comes first is up to the heap, which is Click's.
 */

#include "engine/relay.h"
#include "engine/router.h"

enum { BUFFER_MAX = 65536 };

struct waiting {
    struct pkt *p; /* owned */
    uint32_t input;
};

struct time_sorted_sched {
    struct relay relay;
    struct signal *signals; /* one an input */
    struct waiting *heap;   /* earliest first */
    uint32_t *held;         /* packets of each input in the heap */
    uint32_t *ready;        /* inputs that may have more of them */
    uint32_t n, n_ready, buffer;
    int64_t last;
    bool stop, disordered;
};

static const struct arg_spec time_sorted_sched_args[] = {
    ARG_BOOL(time_sorted_sched, stop, "STOP", 0, "false", "stop at the end"),
    {.name = "BUFFER",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct time_sorted_sched, buffer),
     .def = "1",
     .help = "packets looked at ahead",
     .max = BUFFER_MAX},
    ARG_END,
};

static int time_sorted_sched_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct time_sorted_sched *s = element_state(e);
    size_t n = e->n_in ? e->n_in : 1;

    if (!s->buffer)
        return diag_err(d, "BUFFER must be at least 1");
    relay_init(&s->relay);
    s->signals = element_alloc(e, n * sizeof *s->signals);
    s->held = element_alloc(e, n * sizeof *s->held);
    s->ready = element_alloc(e, n * sizeof *s->ready);
    s->heap = element_alloc(e, n * s->buffer * sizeof *s->heap);
    if (!s->signals || !s->held || !s->ready || !s->heap)
        return diag_err(d, "out of memory");
    for (unsigned i = 0; i < e->n_in; i++)
        s->ready[s->n_ready++] = i;
    return 0;
}

static int time_sorted_sched_initialize(struct element *e, struct diag *d)
{
    struct time_sorted_sched *s = element_state(e);

    for (unsigned i = 0; i < e->n_in; i++)
        relay_listen(&s->relay, e, i, &s->signals[i]);
    return 0;
}

static bool earlier(const struct waiting *a, const struct waiting *b)
{
    return a->p->timestamp < b->p->timestamp;
}

static void heap_add(struct time_sorted_sched *s, struct waiting w)
{
    uint32_t i = s->n++;

    for (; i && earlier(&w, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = w;
}

static struct waiting heap_take(struct time_sorted_sched *s)
{
    struct waiting first = s->heap[0], w = s->heap[--s->n];
    uint32_t i = 0, child;

    for (; (child = 2 * i + 1) < s->n; i = child) {
        if (child + 1 < s->n && earlier(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!earlier(&s->heap[child], &w))
            break;
        s->heap[i] = s->heap[child];
    }
    if (s->n)
        s->heap[i] = w;
    return first;
}

/* Fill up what the inputs have; returns whether more may be there. */
static bool time_sorted_sched_fill(struct element *e)
{
    struct time_sorted_sched *s = element_state(e);
    bool more = false;

    for (uint32_t r = s->n_ready; r-- > 0;) {
        uint32_t i = s->ready[r];
        struct pkt *p;

        if (!signal_active(&s->signals[i]))
            continue;
        while (s->held[i] < s->buffer && (p = in_pull_one(e, i))) {
            s->held[i]++;
            heap_add(s, (struct waiting){p, i});
        }
        if (s->held[i] == s->buffer)
            s->ready[r] = s->ready[--s->n_ready];
        more |= signal_active(&s->signals[i]);
    }
    return more;
}

static uint32_t time_sorted_sched_pull(struct element *e, unsigned port,
                                       struct batch *b, uint32_t max)
{
    struct time_sorted_sched *s = element_state(e);
    uint32_t from = b->n;
    bool more = true;

    while (b->n - from < max) {
        struct waiting w;

        more = time_sorted_sched_fill(e);
        if (!s->n)
            break;
        w = heap_take(s);
        if (s->held[w.input]-- == s->buffer)
            s->ready[s->n_ready++] = w.input;
        if (w.p->timestamp) {
            s->disordered |= s->last && w.p->timestamp < s->last;
            s->last = w.p->timestamp;
        }
        batch_add(b, w.p);
    }
    if (b->n == from && !more) {
        notifier_sleep(&s->relay.notifier);
        if (s->stop)
            router_stop(e->router);
    }
    return b->n - from;
}

static void time_sorted_sched_cleanup(struct element *e)
{
    struct time_sorted_sched *s = element_state(e);

    while (s->n)
        pkt_free(s->heap[--s->n].p);
}

static void *time_sorted_sched_cast(struct element *e, const char *kind)
{
    struct time_sorted_sched *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->relay.notifier;
}

static int time_sorted_sched_read(struct element *e, const struct handler_spec *h,
                                  const char *param, struct sbuf *out, struct diag *d)
{
    const struct time_sorted_sched *s = element_state(e);

    sbuf_puts(out, s->disordered ? "false" : "true");
    return 0;
}

static const struct handler_spec time_sorted_sched_handlers[] = {
    {.name = "well_ordered",
     .help = "false once a packet came out earlier than one before it",
     .flags = HANDLER_READ | HANDLER_CHECKBOX,
     .read = time_sorted_sched_read},
    HANDLER_END,
};

ELEMENT(TimeSortedSched) = {
    .name = "TimeSortedSched",
    .state_size = sizeof(struct time_sorted_sched),
    .ports = "-/1",
    .processing = "l/l",
    .args = time_sorted_sched_args,
    .handlers = time_sorted_sched_handlers,
    .configure = time_sorted_sched_configure,
    .initialize = time_sorted_sched_initialize,
    .cleanup = time_sorted_sched_cleanup,
    .cast = time_sorted_sched_cast,
    .pull = time_sorted_sched_pull,
};
