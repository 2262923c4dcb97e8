// SPDX-License-Identifier: BSD-3-Clause
/*
 * PullTee -- pass pulled packets on and push copies of them
 *
 * Usage:    PullTee(N)
 * Ports:    1 in, 1 or more out; pull, outputs from 1 on push
 * Args:     N  number of outputs, if that should be checked
 * Counters: none
 * Handlers: none
 * Example:  Queue -> t :: PullTee -> ToDevice(1);  t[1] -> Print -> Discard;
 * See also: Tee
 */

#include "engine/clone_out.h"

struct pull_tee {
    uint32_t n;
    bool n_given;
};

static const struct arg_spec pull_tee_args[] = {
    {.name = "N",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .help = "number of outputs",
     .offset = offsetof(struct pull_tee, n),
     .seen = 1 + offsetof(struct pull_tee, n_given)},
    ARG_END,
};

static int pull_tee_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct pull_tee *s = element_state(e);

    if (s->n_given && s->n != e->n_out)
        return diag_err(d, "%u outputs implies %u arms", e->n_out, e->n_out);
    return 0;
}

static uint32_t pull_tee_pull(struct element *e, unsigned port, struct batch *b,
                              uint32_t max)
{
    uint32_t from = b->n;

    in_pull(e, 0, b, max);
    for (unsigned i = 1; i < e->n_out; i++)
        clone_out(e, i, b, from);
    return b->n - from;
}

ELEMENT(PullTee) = {
    .name = "PullTee",
    .state_size = sizeof(struct pull_tee),
    .ports = "1/1-",
    .processing = "l/lh",
    .args = pull_tee_args,
    .configure = pull_tee_configure,
    .pull = pull_tee_pull,
};
