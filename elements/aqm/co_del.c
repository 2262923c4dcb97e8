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
 * above TARGET for an INTERVAL, packets are dropped at intervals that shrink with the square
 * root of their number, until it is below again (Nichols and Jacobson 2012; RFC 8289).
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

/* The next packet and whether it is late; without a timestamp it is as good as none. */
static struct pkt *co_del_take(struct element *e, int64_t now, bool *late)
{
    struct co_del *s = element_state(e);
    struct pkt *p = in_pull_one(e, 0);
    int64_t first;

    *late = false;
    if (!p) {
        s->law.first_above_ns = 0;
        s->law.dropping = false;
        return NULL;
    }
    first = (int64_t)p->anno_u64[ANNO_FIRST_TIMESTAMP / 8];
    if (first < 1000000000) {
        s->law.dropping = false;
        return p;
    }
    *late = codel_late(&s->law, now - first, now, true);
    return p;
}

static struct pkt *co_del_drop(struct element *e, struct pkt *p, int64_t now,
                               bool *late)
{
    element_count(e, C_DROPS, 1);
    pkt_free(p);
    return co_del_take(e, now, late);
}

static struct pkt *co_del_next(struct element *e, int64_t now)
{
    struct codel *law = &((struct co_del *)element_state(e))->law;
    bool late;
    struct pkt *p = co_del_take(e, now, &late);

    if (!late) {
        law->dropping = false;
        return p;
    }
    if (!law->dropping) {
        p = co_del_drop(e, p, now, &late);
        codel_enter(law, now);
        return p;
    }
    while (p && law->dropping && now >= law->drop_next_ns) {
        law->count++;
        p = co_del_drop(e, p, now, &late);
        if (late)
            law->drop_next_ns = codel_next(law, law->drop_next_ns);
        else
            law->dropping = false;
    }
    return p;
}

static uint32_t co_del_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max)
{
    int64_t now = element_wall_now(e);
    uint32_t n = 0;
    struct pkt *p;

    for (; n < max && (p = co_del_next(e, now)); n++)
        batch_add(b, p);
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
