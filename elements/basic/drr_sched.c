// SPDX-License-Identifier: BSD-3-Clause
/*
 * DRRSched -- pull from the inputs in turn, so many bytes each
 *
 * Usage:    DRRSched(QUANTUM 500)
 * Ports:    any in, 1 out; pull
 * Args:     QUANTUM  bytes that an input may send when its turn comes, default 500
 * Counters: none
 * Handlers: none
 * Example:  a :: Queue -> d :: DRRSched(1500) -> ToDevice(0);  b :: Queue -> [1] d;
 * See also: RoundRobinSched, StrideSched, PrioSched
 *
 * Deficit round robin (Shreedhar and Varghese, SIGCOMM 1995): what an input has not used
 * of its bytes it keeps for its next turn, unless it ran empty. Inputs share the output
 * fairly whatever the lengths of their packets.
 */

#include "engine/relay.h"

struct drr_input {
    struct pkt *head; /* owned; pulled, but too long so far */
    uint64_t deficit; /* bytes it may send */
    struct signal nonempty;
};

struct drr_sched {
    struct relay relay;
    struct drr_input *inputs; /* [n_in] */
    uint32_t next;
    int32_t quantum;
};

static const struct arg_spec drr_sched_args[] = {
    ARG_I32(drr_sched, quantum, "QUANTUM", ARG_POS, "500", "bytes a turn"),
    ARG_END,
};

static int drr_sched_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct drr_sched *s = element_state(e);

    if (s->quantum <= 0)
        return diag_err(d, "bad QUANTUM");
    relay_init(&s->relay);
    return 0;
}

static int drr_sched_initialize(struct element *e, struct diag *d)
{
    struct drr_sched *s = element_state(e);

    s->inputs = element_alloc(e, (e->n_in + 1u) * sizeof(struct drr_input));
    if (!s->inputs)
        return diag_err(d, "out of memory");
    for (unsigned i = 0; i < e->n_in; i++)
        relay_listen(&s->relay, e, i, &s->inputs[i].nonempty);
    return 0;
}

static void drr_sched_cleanup(struct element *e)
{
    struct drr_sched *s = element_state(e);

    for (unsigned i = 0; s->inputs && i < e->n_in; i++) {
        pkt_free(s->inputs[i].head);
        s->inputs[i].head = NULL;
    }
}

/* Packets that were pulled already go with the state, as far as there are inputs. */
static void drr_sched_take_state(struct element *e, struct element *old)
{
    struct drr_sched *s = element_state(e), *from = element_state(old);

    for (unsigned i = 0; i < e->n_in && i < old->n_in; i++) {
        s->inputs[i].head = from->inputs[i].head;
        s->inputs[i].deficit = from->inputs[i].deficit;
        from->inputs[i].head = NULL;
    }
}

/* The next packet by the rules; NULL if no input has one. `*more` says whether one of
 * them may have one later without a wake-up. */
static struct pkt *drr_sched_next(struct element *e, bool *more)
{
    struct drr_sched *s = element_state(e);

    *more = false;
    for (unsigned tries = 0; tries < e->n_in; tries++) {
        struct drr_input *in = &s->inputs[s->next];
        struct pkt *p = in->head;

        if (p || signal_active(&in->nonempty))
            *more = true;
        if (!p && signal_active(&in->nonempty))
            p = in_pull_one(e, s->next);
        in->head = NULL;
        if (!p) {
            in->deficit = 0;
        } else if (p->len <= in->deficit) {
            in->deficit -= p->len;
            return p;
        } else {
            in->head = p;
        }
        s->next = s->next + 1 < e->n_in ? s->next + 1 : 0;
        s->inputs[s->next].deficit += (uint32_t)s->quantum;
    }
    return NULL;
}

/* Whether a packet is waiting for its input's deficit to grow. */
static bool drr_sched_holds(const struct element *e)
{
    const struct drr_sched *s = element_state(e);

    for (unsigned i = 0; i < e->n_in; i++)
        if (s->inputs[i].head)
            return true;
    return false;
}

static uint32_t drr_sched_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    struct drr_sched *s = element_state(e);
    uint32_t from = b->n;
    bool more = true;
    struct pkt *p;

    while (b->n - from < max) {
        p = drr_sched_next(e, &more);
        if (p)
            batch_add(b, p);
        else if (!drr_sched_holds(e))
            break; /* else another round brings it nearer */
    }
    if (b->n > from || more)
        notifier_wake(&s->relay.notifier);
    else
        notifier_sleep(&s->relay.notifier);
    return b->n - from;
}

static void *drr_sched_cast(struct element *e, const char *kind)
{
    struct drr_sched *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->relay.notifier;
}

ELEMENT(DRRSched) = {
    .name = "DRRSched",
    .state_size = sizeof(struct drr_sched),
    .ports = "-/1",
    .processing = "l/l",
    .args = drr_sched_args,
    .configure = drr_sched_configure,
    .initialize = drr_sched_initialize,
    .take_state = drr_sched_take_state,
    .cleanup = drr_sched_cleanup,
    .cast = drr_sched_cast,
    .pull = drr_sched_pull,
};
