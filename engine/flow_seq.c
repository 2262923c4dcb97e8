// SPDX-License-Identifier: BSD-3-Clause
/* flow_seq.c -- sequence numbers of changed flows: see flow_seq.h */

#include "engine/flow_seq.h"

#include <string.h>

static bool at_or_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

/* The oldest change goes; what came before it gets its delta. */
static void shift(struct flow_seq *s, unsigned d)
{
    s->n[d]--;
    memmove(s->trigger[d], s->trigger[d] + 1, s->n[d] * sizeof s->trigger[d][0]);
    memmove(s->delta[d], s->delta[d] + 1, (s->n[d] + 1u) * sizeof s->delta[d][0]);
}

int flow_seq_change(struct flow_seq *s, unsigned direction, uint32_t trigger,
                    int32_t delta)
{
    unsigned n = s->n[direction];
    int32_t before;

    if (n && !at_or_after(trigger, s->trigger[direction][n - 1]))
        return -1;
    if (n && trigger == s->trigger[direction][n - 1]) { /* the same data, sent again */
        n--;
    } else if (n == FLOW_SEQ_CHANGES) {
        shift(s, direction);
        n--;
    }
    before = s->delta[direction][n];
    s->trigger[direction][n] = trigger;
    s->delta[direction][n + 1] = (int32_t)((uint32_t)before + (uint32_t)delta);
    s->n[direction] = (uint8_t)(n + 1);
    return 0;
}

uint32_t flow_seq_new(const struct flow_seq *s, unsigned direction, uint32_t seq)
{
    unsigned n = s->n[direction];

    while (n && !at_or_after(seq, s->trigger[direction][n - 1]))
        n--;
    return seq + (uint32_t)s->delta[direction][n];
}

uint32_t flow_seq_new_ack(const struct flow_seq *s, unsigned direction, uint32_t ack)
{
    unsigned other = !direction, n = s->n[other];

    while (n &&
           !at_or_after(ack - (uint32_t)s->delta[other][n], s->trigger[other][n - 1]))
        n--;
    return ack - (uint32_t)s->delta[other][n];
}

void flow_seq_forget(struct flow_seq *s, unsigned direction, uint32_t seq)
{
    while (s->n[direction] && at_or_after(seq, s->trigger[direction][0] + (1u << 30)))
        shift(s, direction);
}
