// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimeSortedSched -- merge streams of packets by timestamp
 *
 * Usage:    TimeSortedSched([STOP false, BUFFER 1])
 * Ports:    any number in, 1-2 out; pull, output 1 push
 * Args:     STOP    true: stop the driver when no input has anything more
 *           BUFFER  packets that are looked at ahead on each input, default 1
 * Counters: none
 * Handlers: none
 * Example:  FromDump(a.pcap) -> [0] t :: TimeSortedSched(STOP true) -> ...; FromDump(b.pcap) -> [1] t;
 * See also: FromDump, RoundRobinSched, TimeFilter
 *
 * Each pull takes the packet with the earliest timestamp of those at hand. Inputs whose
 * packets are themselves a little out of order are sorted as far as BUFFER reaches; a
 * packet that comes out earlier than one before it leaves by output 1 if that is connected.
 */

#include "engine/relay.h"
#include "engine/router.h"

enum { BUFFER_MAX = 65536 };

struct waiting {
    struct pkt *p; /* owned */
    uint64_t sequence;
    uint32_t input;
};

struct time_sorted_sched {
    struct relay relay;
    struct signal *signals; /* one an input */
    struct waiting *heap;   /* earliest first; equal ones as they came */
    uint32_t *held;         /* packets of each input in the heap */
    uint32_t n, buffer;
    uint64_t sequence;
    int64_t last;
    bool stop;
};

static const struct arg_spec time_sorted_sched_args[] = {
    ARG_BOOL(time_sorted_sched, stop, "STOP", 0, "false", "stop at the end"),
    {.name = "BUFFER",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct time_sorted_sched, buffer),
     .def = "1",
     .help = "packets looked at ahead",
     .min = 1,
     .max = BUFFER_MAX},
    ARG_END,
};

static int time_sorted_sched_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct time_sorted_sched *s = element_state(e);
    size_t n = e->n_in ? e->n_in : 1;

    relay_init(&s->relay);
    s->signals = element_alloc(e, n * sizeof *s->signals);
    s->held = element_alloc(e, n * sizeof *s->held);
    s->heap = element_alloc(e, n * s->buffer * sizeof *s->heap);
    s->last = INT64_MIN;
    return s->signals && s->held && s->heap ? 0 : diag_err(d, "out of memory");
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
    if (a->p->timestamp != b->p->timestamp)
        return a->p->timestamp < b->p->timestamp;
    return a->input != b->input ? a->input < b->input : a->sequence < b->sequence;
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

    for (uint32_t i = 0; i < e->n_in; i++) {
        if (!signal_active(&s->signals[i]))
            continue;
        while (s->held[i] < s->buffer) {
            struct pkt *p = in_pull_one(e, i);

            if (!p)
                break;
            s->held[i]++;
            heap_add(s, (struct waiting){p, s->sequence++, i});
        }
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
        s->held[w.input]--;
        if (w.p->timestamp < s->last && e->n_out > 1) {
            out_push_one(e, 1, w.p);
            continue;
        }
        s->last = w.p->timestamp;
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

ELEMENT(TimeSortedSched) = {
    .name = "TimeSortedSched",
    .state_size = sizeof(struct time_sorted_sched),
    .ports = "-/1-2",
    .processing = "l/lh",
    .args = time_sorted_sched_args,
    .configure = time_sorted_sched_configure,
    .initialize = time_sorted_sched_initialize,
    .cleanup = time_sorted_sched_cleanup,
    .cast = time_sorted_sched_cast,
    .pull = time_sorted_sched_pull,
};
