// SPDX-License-Identifier: BSD-3-Clause
/*
 * StrideSwitch -- send packets to the outputs in proportion to their tickets
 *
 * Usage:    StrideSwitch(TICKETS0, ..., TICKETSn)
 * Ports:    1 in, n+1 out; push
 * Args:     TICKETS0 ... TICKETSn  share of each output; 0: it gets no packets
 * Counters: none
 * Handlers: tickets  (read/write) the argument with this number: tickets0, tickets1 ...
 *           config   (read) all of them
 * Example:  ... -> ss :: StrideSwitch(3, 1) -> a;  ss[1] -> b;
 * See also: StrideSched, RoundRobinSwitch, RandomSwitch
 *
 * Shares are of packets. Without any tickets packets are dropped.
 */

#include "engine/stride.h"

static int stride_switch_configure(struct element *e, struct conf *c, struct diag *d)
{
    return stride_configure(e, element_state(e), c, e->n_out, "output", d);
}

static inline verdict_t stride_switch_one(struct element *e, struct pkt *p)
{
    struct stride *s = element_state(e);
    uint32_t output;

    if (!s->n_order)
        return VERDICT_DROP;
    output = s->order[0];
    stride_took(s, 1);
    return (verdict_t)output;
}

ELEMENT_LOOP(stride_switch)

static const struct handler_spec stride_switch_handlers[] = {
    STRIDE_HANDLERS,
    HANDLER_END,
};

ELEMENT(StrideSwitch) = {
    .name = "StrideSwitch",
    .state_size = sizeof(struct stride),
    .ports = "1/1-",
    .processing = "h/h",
    .any_args = true,
    .handlers = stride_switch_handlers,
    .configure = stride_switch_configure,
    .push = stride_switch_push,
    .pull = stride_switch_pull,
};
