// SPDX-License-Identifier: BSD-3-Clause
/*
 * flow_seq.h -- sequence numbers of a TCP flow whose data somebody has lengthened
 *
 * When an element changes the length of what one side sends, all that the side sends later
 * has other sequence numbers for its peer. Each such change is kept with the sequence
 * number from which on it holds, so that what is sent again from before is still right. Of
 * each direction the last FLOW_SEQ_CHANGES are known; older data keeps the number that
 * the oldest of them gives.
 */

#ifndef ENGINE_FLOW_SEQ_H
#define ENGINE_FLOW_SEQ_H

#include <stdbool.h>
#include <stdint.h>

enum { FLOW_SEQ_CHANGES = 4 };

struct flow_seq { /* index 0: of packets forward, 1: of replies */
    uint32_t trigger[2][FLOW_SEQ_CHANGES];
    int32_t delta[2][FLOW_SEQ_CHANGES + 1]; /* [0]: before the first trigger */
    uint8_t n[2];
};

/* From `trigger` on, what `direction` sends is `delta` bytes longer than before. -1: there
 * is a later change already, nothing has happened. */
int flow_seq_change(struct flow_seq *s, unsigned direction, uint32_t trigger,
                    int32_t delta);

/* What a sequence number, and an acknowledgement, of a packet in `direction` becomes. */
uint32_t flow_seq_new(const struct flow_seq *s, unsigned direction, uint32_t seq);
uint32_t flow_seq_new_ack(const struct flow_seq *s, unsigned direction, uint32_t ack);

/* `direction` has come to `seq`: forget changes so far back that numbers come round. */
void flow_seq_forget(struct flow_seq *s, unsigned direction, uint32_t seq);

/* What is added to the numbers that `direction` uses now. */
static inline int32_t flow_seq_delta(const struct flow_seq *s, unsigned direction)
{
    return s->delta[direction][s->n[direction]];
}

#endif
