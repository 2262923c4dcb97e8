// SPDX-License-Identifier: BSD-3-Clause
/*
 * Block -- divert packets of flows that are too fast
 *
 * Usage:    Block(THRESH)
 * Ports:    1 in, 2 out; push
 * Args:     THRESH  largest forward-rate annotation that passes; 0: all pass
 * Counters: none
 * Handlers: thresh  (read/write) the argument THRESH
 * Example:  IPRateMonitor(PACKETS, 0, 100) -> b :: Block(5000) -> ...;  b[1] -> Discard;
 * See also: CompareBlock, IPRateMonitor
 *
 * The annotation is the one that IPRateMonitor sets. Packets above THRESH leave by
 * output 1.
 */

#include "engine/element.h"

struct block {
    int32_t thresh;
};

static const struct arg_spec block_args[] = {
    ARG_I32(block, thresh, "THRESH", ARG_M, NULL, "largest rate that passes, 0: all"),
    ARG_END,
};

static inline verdict_t block_one(struct element *e, struct pkt *p)
{
    const struct block *s = element_state(e);

    return s->thresh && (int32_t)p->anno_u32[ANNO_FWD_RATE / 4] > s->thresh;
}

ELEMENT_LOOP(block)

static int block_write(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    struct block *s = element_state(e);
    uint64_t v;

    if (!*value || strchr(value, ','))
        return diag_err(d, "expecting 1 integer");
    if (parse_integer(value, 0, true, 32, &v) != PARSE_OK)
        return diag_err(d, "not an integer");
    s->thresh = (int32_t)v;
    return 0;
}

static const struct handler_spec block_handlers[] = {
    {.name = "thresh",
     .help = "largest rate that passes, 0: all",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct block, thresh),
     .write = block_write},
    HANDLER_END,
};

ELEMENT(Block) = {
    .name = "Block",
    .state_size = sizeof(struct block),
    .ports = "1/2",
    .processing = "h/h",
    .args = block_args,
    .handlers = block_handlers,
    .push = block_push,
    .pull = block_pull,
};
