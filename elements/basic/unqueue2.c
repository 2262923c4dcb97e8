// SPDX-License-Identifier: BSD-3-Clause
/*
 * Unqueue2 -- pull packets and push them on while the queues downstream have room
 *
 * Usage:    Unqueue2(BURST 1, QUEUES, QUIET false)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     BURST   most packets moved in one go, default 1; 0 means all there are
 *           QUEUES  names of the queues that must have room; default: those downstream
 *           QUIET   do not say that there are better elements, default false
 * Counters: none
 * Handlers: packets             (read) packets moved
 *           scheduled, tickets  of the task that pulls
 * Example:  Queue -> Unqueue2 -> q :: Queue(10) -> ToDevice(0);
 * See also: Unqueue
 *
 * Kept for old configurations, with a message: Unqueue before a Queue that tells when it
 * is full does the same.
 */

#include "engine/lang/lang.h"
#include "engine/queue.h"
#include "engine/task_handlers.h"

struct unqueue2 {
    struct task task;
    struct signal nonempty;
    uint64_t count;
    int32_t burst;
    struct text queue_names;
    bool queues_given, quiet;
    struct queue **queues; /* [n], in the router's arena */
    uint32_t n, room;
};

static const struct arg_spec unqueue2_args[] = {
    ARG_I32(unqueue2, burst, "BURST", ARG_POS, "1", "most packets moved in one go"),
    {.name = "QUEUES",
     .kind = ARG_KIND_RAW,
     .help = "queues that must have room",
     .offset = offsetof(struct unqueue2, queue_names),
     .seen = 1 + offsetof(struct unqueue2, queues_given)},
    ARG_BOOL(unqueue2, quiet, "QUIET", ARG_KEY, "false",
             "do not say that there are better elements"),
    ARG_END,
};

static struct queue *unqueue2_storage(struct element *at)
{
    return at && at->cls->cast ? at->cls->cast(at, "Storage") : NULL;
}

static bool unqueue2_visit(void *ctx, struct element *at, unsigned port)
{
    struct unqueue2 *s = ctx;
    struct queue *q = unqueue2_storage(at);

    if (!q)
        return true;
    if (s->queues && s->n < s->room)
        s->queues[s->n] = q;
    s->n++;
    return false;
}

/* Count the queues first, then note them. */
static int unqueue2_find(struct element *e, struct diag *d)
{
    struct unqueue2 *s = element_state(e);

    element_visit_down(e, 0, unqueue2_visit, s);
    s->room = s->n;
    s->n = 0;
    s->queues = element_alloc(e, (s->room + 1u) * sizeof(struct queue *));
    if (!s->queues)
        return diag_err(d, "out of memory");
    element_visit_down(e, 0, unqueue2_visit, s);
    return 0;
}

static int unqueue2_named(struct element *e, struct diag *d)
{
    struct unqueue2 *s = element_state(e);
    struct arena *scratch = arena_new(0);
    const char *const *words;
    int n = scratch ? lang_split_words(scratch, s->queue_names.s, &words) : -1, rc = -1;

    s->queues = n < 0 ? NULL
                      : element_alloc(e, ((size_t)n + 1) * sizeof(struct queue *));
    if (!s->queues) {
        diag_err(d, "out of memory");
        goto out;
    }
    for (int i = 0; i < n; i++) {
        s->queues[s->n] = unqueue2_storage(element_find(e, words[i], NULL));
        if (!s->queues[s->n++]) {
            diag_err(d, "bad QUEUES");
            goto out;
        }
    }
    rc = 0;
out:
    arena_free(scratch);
    return rc;
}

static int unqueue2_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct unqueue2 *s = element_state(e);

    if (s->queues_given && unqueue2_named(e, d) < 0)
        return -1;
    if (!s->quiet) /* Click calls it an error, and goes on */
        diag_err(d, "Unqueue2 is deprecated, you should probably use Unqueue");
    return 0;
}

static bool unqueue2_run(struct element *e, struct task *t)
{
    struct unqueue2 *s = element_state(e);
    uint32_t left = s->burst > 0 ? (uint32_t)s->burst : INT32_MAX, got = 1, moved = 0;
    struct batch b;

    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t room = s->queues[i]->capacity - s->queues[i]->n;

        left = room < left ? room : left;
    }
    for (; left && got; left -= got) {
        b.n = 0;
        got = in_pull(e, 0, &b, left < BATCH_MAX ? left : BATCH_MAX);
        moved += got;
        out_push(e, 0, &b);
    }
    s->count += moved;
    if (got || signal_active(&s->nonempty))
        task_reschedule(t);
    return moved > 0;
}

static int unqueue2_initialize(struct element *e, struct diag *d)
{
    struct unqueue2 *s = element_state(e);

    task_join(&s->task, e, unqueue2_run, true, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    return s->queues_given ? 0 : unqueue2_find(e, d);
}

static int unqueue2_read_packets(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d)
{
    const struct unqueue2 *s = element_state(e);

    sbuf_printf(out, "%llu packets\n", (unsigned long long)s->count);
    return 0;
}

static const struct handler_spec unqueue2_handlers[] = {
    HANDLER_READER(unqueue2_read_packets, "packets", "packets moved"),
    TASK_HANDLERS(unqueue2, task),
    HANDLER_END,
};

ELEMENT(Unqueue2) = {
    .name = "Unqueue2",
    .state_size = sizeof(struct unqueue2),
    .ports = "1/1",
    .processing = "l/h",
    .args = unqueue2_args,
    .handlers = unqueue2_handlers,
    .configure = unqueue2_configure,
    .initialize = unqueue2_initialize,
};
