// SPDX-License-Identifier: BSD-3-Clause
/*
 * StrideSched -- pull from the inputs in proportion to their tickets
 *
 * Usage:    StrideSched(TICKETS0, ..., TICKETSn)
 * Ports:    n+1 in, 1 out; pull
 * Args:     TICKETS0 ... TICKETSn  share of each input; 0: it is never asked
 * Counters: none
 * Handlers: tickets  (read/write) the argument with this number: tickets0, tickets1 ...
 *           config   (read) all of them
 * Example:  a :: Queue -> ss :: StrideSched(3, 1) -> ToDevice(0);  b :: Queue -> [1] ss;
 * See also: StrideSwitch, RoundRobinSched, DRRSched, PrioSched
 *
 * Shares are of packets. An input that has none when its turn comes has had its turn.
 */

#include "engine/relay.h"
#include "engine/stride.h"

struct stride_sched {
    struct stride stride;
    struct signal *nonempty; /* [n_in] */
};

static int stride_sched_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct stride_sched *s = element_state(e);

    return stride_configure(e, &s->stride, c, e->n_in, "input", d);
}

static int stride_sched_initialize(struct element *e, struct diag *d)
{
    struct stride_sched *s = element_state(e);

    s->nonempty = relay_signals(e, d);
    return s->nonempty ? 0 : -1;
}

/* Ask the inputs in their order until one has a packet. */
static uint32_t stride_sched_one(struct element *e, struct batch *b)
{
    struct stride_sched *s = element_state(e);
    uint32_t asked = 0, got = 0;

    while (!got && asked < s->stride.n_order) {
        uint32_t i = s->stride.order[asked++];

        if (signal_active(&s->nonempty[i]))
            got = in_pull(e, i, b, 1);
    }
    stride_took(&s->stride, asked);
    return got;
}

static uint32_t stride_sched_pull(struct element *e, unsigned port, struct batch *b,
                                  uint32_t max)
{
    uint32_t got = 0;

    while (got < max && stride_sched_one(e, b))
        got++;
    return got;
}

static const struct handler_spec stride_sched_handlers[] = {
    STRIDE_HANDLERS,
    HANDLER_END,
};

ELEMENT(StrideSched) = {
    .name = "StrideSched",
    .state_size = sizeof(struct stride_sched),
    .ports = "1-/1",
    .processing = "l/l",
    .any_args = true,
    .handlers = stride_sched_handlers,
    .configure = stride_sched_configure,
    .initialize = stride_sched_initialize,
    .pull = stride_sched_pull,
};
