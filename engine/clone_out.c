// SPDX-License-Identifier: BSD-3-Clause
/* clone_out.c -- sending copies of packets out of several outputs: see clone_out.h */

#include "engine/clone_out.h"

void clone_out(struct element *e, unsigned port, const struct batch *b, uint32_t from)
{
    struct batch clones;

    clones.n = 0;
    for (uint32_t i = from; i < b->n; i++)
        batch_clone(&clones, b->p[i], 1);
    out_push(e, port, &clones);
}

void clone_out_all(struct element *e, int except, struct batch *b)
{
    int last = (int)e->n_out - 1;

    if (last == except)
        last--;
    /* The last one gets the packets themselves. */
    for (int i = 0; i < last; i++)
        if (i != except)
            clone_out(e, (unsigned)i, b, 0);
    if (last >= 0)
        out_push(e, (unsigned)last, b);
    else
        batch_free(b);
}
