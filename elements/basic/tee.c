// SPDX-License-Identifier: BSD-3-Clause
/*
 * Tee -- send copies of packets to all outputs
 *
 * Usage:    Tee(N)
 * Ports:    1 in, 1 or more out; push
 * Args:     N  number of outputs, if that should be checked
 * Counters: none
 * Handlers: none
 * Example:  FromDevice(0) -> t :: Tee -> ToDevice(1);  t[1] -> ToDump(copy.pcap);
 * See also: PullTee, PaintTee
 *
 * Copies share their bytes until somebody changes them.
 */

#include "engine/clone_out.h"

struct tee {
    uint32_t n;
    bool n_given;
};

static const struct arg_spec tee_args[] = {
    {.name = "N",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .help = "number of outputs",
     .offset = offsetof(struct tee, n),
     .seen = 1 + offsetof(struct tee, n_given)},
    ARG_END,
};

static int tee_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct tee *s = element_state(e);

    if (s->n_given && s->n != e->n_out)
        return diag_err(d, "%u outputs implies %u arms", e->n_out, e->n_out);
    return 0;
}

static void tee_push(struct element *e, unsigned port, struct batch *b)
{
    clone_out_all(e, -1, b);
}

ELEMENT(Tee) = {
    .name = "Tee",
    .state_size = sizeof(struct tee),
    .ports = "1/1-",
    .processing = "h/h",
    .args = tee_args,
    .configure = tee_configure,
    .push = tee_push,
};
