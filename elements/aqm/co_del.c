// SPDX-License-Identifier: BSD-3-Clause
/*
 * CoDel -- drop packets when those in a queue have waited too long for too long
 *
 * Usage:    CoDel([TARGET 5ms, INTERVAL 100ms, QUEUES])
 * Ports:    1 in, 1 out; pull
 * Args:     TARGET    longest acceptable waiting time, default 5ms
 *           INTERVAL  how long it must be exceeded before drops begin, default 100ms
 *           QUEUES    names of the queues whose length `stats` shows; default: the
 *                     nearest ones upstream
 * Counters: drops  packets dropped so far
 * Handlers: codel_target, codel_interval  (rw) the arguments
 *           stats   (read) length and drops, for people
 *           queues  (read) names of the queues, one a line
 * Example:  ... -> SetTimestamp(FIRST true) -> Queue(200) -> CoDel -> ...
 * See also: FQCoDel, RED, SetTimestamp
 *
 * The waiting time is counted from the first-timestamp annotation, which SetTimestamp must
 * have set before the queue; packets without it are never dropped. Once the time has been
 * above TARGET for two INTERVALs (one, soon after the last time), packets are dropped at
 * intervals that shrink with the square root of their number, until it is below again
 * (Nichols and Jacobson 2012). FQCoDel follows RFC 8289, which drops earlier.
 */

#include "engine/aqm.h"

struct co_del {
    struct codel law;
    struct aqm_queues queues;
    struct text queue_names;
};

static const struct arg_spec co_del_args[] = {
    ARG_TIME(co_del, law.target_ns, "TARGET", ARG_POS, "5ms", "longest waiting time"),
    ARG_TIME(co_del, law.interval_ns, "INTERVAL", ARG_POS, "100ms",
             "how long it is tolerated"),
    ARG_RAW(co_del, queue_names, "QUEUES", 0, NULL, "queues that stats shows"),
    ARG_END,
};

/* Less is no time at all, as Click has it. */
#define STAMP_MIN INT64_C(1000000000)

enum { C_DROPS };
static const struct counter_spec co_del_counters[] = {
    [C_DROPS] = {"drops", "packets dropped so far"},
    {NULL, NULL},
};

static int co_del_initialize(struct element *e, struct diag *d)
{
    struct co_del *s = element_state(e);

    return aqm_find_queues(&s->queues, e, &s->queue_names, d);
}

/* Packets that were pulled and not yet decided on; never more than may still leave. */
struct co_del_run {
    int64_t now;
    uint32_t at, want;
    struct batch b;
};

/* The next packet; whether it has a timestamp at all, and whether packets have been late
 * for an interval. */
static struct pkt *co_del_take(struct element *e, struct co_del_run *run, bool *stamped,
                               bool *late)
{
    struct co_del *s = element_state(e);
    int64_t first;
    struct pkt *p;

    *late = *stamped = false;
    if (run->at == run->b.n) {
        run->b.n = run->at = 0;
        if (!in_pull(e, 0, &run->b, run->want)) {
            s->law.first_above_ns = 0;
            return NULL;
        }
    }
    p = run->b.p[run->at++];
    first = (int64_t)p->anno_u64[ANNO_FIRST_TIMESTAMP / 8];
    if (first < STAMP_MIN)
        return p;
    *stamped = true;
    *late = codel_late(&s->law, run->now - first, run->now, true);
    return p;
}

static struct pkt *co_del_drop(struct element *e, struct pkt *p, struct co_del_run *run,
                               bool *late)
{
    bool stamped;

    element_count(e, C_DROPS, 1);
    pkt_free(p);
    return co_del_take(e, run, &stamped, late);
}

/* The time of the drop after one at `t`. Click's arithmetic: whole milliseconds, and a root
 * with four bits of fraction. */
static int64_t co_del_next(const struct codel *c, int64_t t)
{
    uint64_t scaled_ns = (uint64_t)(c->interval_ns / 1000000) * 1000000 * 16;

    return t + (int64_t)(scaled_ns / codel_root((uint64_t)c->count * 256));
}

/* The first drop of a dropping state; if the last one is not long past, it goes on nearly
 * where that ended. */
static struct pkt *co_del_enter(struct element *e, struct pkt *p,
                                struct co_del_run *run)
{
    struct codel *law = &((struct co_del *)element_state(e))->law;
    bool late;

    p = co_del_drop(e, p, run, &late);
    law->dropping = true;
    if (run->now - law->drop_next_ns < law->interval_ns)
        law->count = law->count > 2 ? law->count - 2 : 1;
    else
        law->count = 1;
    law->drop_next_ns = co_del_next(law, run->now);
    return p;
}

/* What leaves instead of `p`, which is late or not. */
static struct pkt *co_del_decide(struct element *e, struct pkt *p, bool late,
                                 struct co_del_run *run)
{
    struct codel *law = &((struct co_del *)element_state(e))->law;

    if (!law->dropping) {
        /* Late for an interval is not enough: for two, or soon after the last time. */
        if (late && (run->now - law->drop_next_ns < law->interval_ns ||
                     run->now - law->first_above_ns >= law->interval_ns))
            return co_del_enter(e, p, run);
        return p;
    }
    if (!late)
        law->dropping = false;
    while (law->dropping && run->now >= law->drop_next_ns) {
        law->count++;
        p = co_del_drop(e, p, run, &late);
        if (late)
            law->drop_next_ns = co_del_next(law, law->drop_next_ns);
        else
            law->dropping = false;
    }
    return p;
}

/* Whether some packet has a timestamp, and some has waited for too long. */
static void co_del_look(struct pkt *const *p, uint32_t n, int64_t limit, bool *stamped,
                        bool *late)
{
    *stamped = *late = false;
    for (uint32_t i = 0; i < n; i++) {
        int64_t first = (int64_t)p[i]->anno_u64[ANNO_FIRST_TIMESTAMP / 8];

        *stamped |= first >= STAMP_MIN;
        *late |= first >= STAMP_MIN && first <= limit;
    }
}

/* Whether some packet has no timestamp or has waited for too long. */
static inline bool co_del_older(struct pkt *const *p, uint32_t n, int64_t limit)
{
    const int64_t newest = limit < STAMP_MIN ? STAMP_MIN - 1 : limit;
    bool older = false;

#pragma GCC unroll 4
    for (uint32_t i = 0; i < n; i++)
        older |= (int64_t)p[i]->anno_u64[ANNO_FIRST_TIMESTAMP / 8] <= newest;
    return older;
}

/* The usual case: pull what there is, and nothing of it has waited too long. Returns how
 * many packets were appended to `b`; otherwise they lie in `run`. */
static inline uint32_t co_del_on_time(struct element *e, struct batch *b, uint32_t max,
                                      struct co_del_run *run)
{
    struct codel *law = &((struct co_del *)element_state(e))->law;
    int64_t limit = run->now - law->target_ns;
    uint32_t from = b->n, n = in_pull(e, 0, b, max);
    bool stamped = true, late = false;

    if (__builtin_expect(co_del_older(b->p + from, n, limit), 0))
        co_del_look(b->p + from, n, limit, &stamped, &late);
    if (__builtin_expect(late, 0) || !n) {
        pkts_copy(run->b.p, b->p + from, n);
        run->b.n = n;
        b->n = from;
        return 0;
    }
    if (stamped)
        law->first_above_ns = 0;
    law->dropping = false;
    return n;
}

static uint32_t co_del_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max)
{
    struct codel *law = &((struct co_del *)element_state(e))->law;
    struct co_del_run run;
    uint32_t n;

    run.now = element_wall_now(e);
    run.at = run.b.n = 0;
    for (n = co_del_on_time(e, b, max, &run); n < max; n++) {
        bool stamped, late;
        struct pkt *p;

        run.want = max - n;
        p = co_del_take(e, &run, &stamped, &late);
        if (stamped)
            p = co_del_decide(e, p, late, &run);
        else
            law->dropping = false;
        if (!p)
            break;
        batch_add(b, p);
    }
    return n;
}

static void co_del_take_state(struct element *e, struct element *old)
{
    struct codel *law = &((struct co_del *)element_state(e))->law;
    struct codel taken = ((struct co_del *)element_state(old))->law;

    taken.target_ns = law->target_ns;
    taken.interval_ns = law->interval_ns;
    *law = taken;
}

static int co_del_read_stats(struct element *e, const struct handler_spec *h,
                             const char *param, struct sbuf *out, struct diag *d)
{
    const struct co_del *s = element_state(e);

    if (h->user)
        aqm_list(&s->queues, out);
    else
        sbuf_printf(out, "%u current queue\n%llu drops\n", aqm_length(&s->queues),
                    (unsigned long long)e->counters[C_DROPS]);
    return 0;
}

static const struct handler_spec co_del_handlers[] = {
    HANDLER_VALUE(co_del, law.target_ns, ARG_KIND_TIME, HANDLER_READ | HANDLER_WRITE,
                  "codel_target", "longest waiting time"),
    HANDLER_VALUE(co_del, law.interval_ns, ARG_KIND_TIME, HANDLER_READ | HANDLER_WRITE,
                  "codel_interval", "how long it is tolerated"),
    HANDLER_READER(co_del_read_stats, "stats", "length and drops, for people"),
    {.name = "queues",
     .help = "names of the queues, one a line",
     .flags = HANDLER_READ,
     .user = 1,
     .read = co_del_read_stats},
    HANDLER_END,
};

ELEMENT(CoDel) = {
    .name = "CoDel",
    .state_size = sizeof(struct co_del),
    .keeps = PKT_PARTS,
    .ports = "1/1",
    .processing = "l/l",
    .args = co_del_args,
    .counters = co_del_counters,
    .handlers = co_del_handlers,
    .live = true,
    .initialize = co_del_initialize,
    .take_state = co_del_take_state,
    .pull = co_del_pull,
};
