// SPDX-License-Identifier: BSD-3-Clause
/* spread.c -- push a batch whose packets go to different outputs: see spread.h */

#include "engine/spread.h"

static void deliver(struct element *e, int32_t port, struct batch *b)
{
    if (port >= 0)
        out_push(e, (unsigned)port, b);
    else
        batch_free(b);
}

void spread_push(struct element *e, struct batch *b, const int32_t *port)
{
    struct batch one;
    uint32_t done = 0, n = 0;

    while (n < b->n && port[n] == port[0])
        n++;
    if (n == b->n) { /* the common case: all the same way */
        if (n)
            deliver(e, port[0], b);
        return;
    }
    while (done < b->n) {
        uint32_t first = b->n;
        one.n = 0;
        for (uint32_t i = done; i < b->n; i++) {
            if (b->p[i] && port[i] == port[done]) {
                batch_add(&one, b->p[i]);
                b->p[i] = NULL;
            } else if (b->p[i] && first == b->n) {
                first = i;
            }
        }
        deliver(e, port[done], &one);
        done = first;
    }
}
