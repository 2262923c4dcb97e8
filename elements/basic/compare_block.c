// SPDX-License-Identifier: BSD-3-Clause
/*
 * CompareBlock -- divert packets of flows that are much faster one way than the other
 *
 * Usage:    CompareBlock(FWD_WEIGHT, REV_WEIGHT, THRESH)
 * Ports:    1 in, 2 out; push
 * Args:     FWD_WEIGHT  factor for the forward-rate annotation
 *           REV_WEIGHT  factor for the reverse-rate annotation
 *           THRESH      flows that are slower both ways always pass
 * Counters: none
 * Handlers: fwd_weight, rev_weight, thresh  (read/write) the arguments
 * Example:  ... -> cb :: CompareBlock(1, 3, 100) -> ...;  cb[1] -> Discard;
 * See also: Block, IPRateMonitor
 *
 * A packet leaves by output 1 if one of its two rates is above THRESH and its weighted
 * forward rate is above its weighted reverse rate. A rate of 0 counts as 1.
 */

#include "engine/element.h"

struct compare_block {
    int32_t fwd_weight, rev_weight, thresh;
};

static const struct arg_spec compare_block_args[] = {
    ARG_I32(compare_block, fwd_weight, "FWD_WEIGHT", ARG_M, NULL,
            "factor for the forward rate"),
    ARG_I32(compare_block, rev_weight, "REV_WEIGHT", ARG_M, NULL,
            "factor for the reverse rate"),
    ARG_I32(compare_block, thresh, "THRESH", ARG_M, NULL, "slower flows always pass"),
    ARG_END,
};

static inline int64_t compare_block_rate(const struct pkt *p, unsigned offset)
{
    int32_t rate = (int32_t)p->anno_u32[offset / 4];

    return rate < 1 ? 1 : rate;
}

static inline verdict_t compare_block_one(struct element *e, struct pkt *p)
{
    const struct compare_block *s = element_state(e);
    int64_t fwd = compare_block_rate(p, ANNO_FWD_RATE);
    int64_t rev = compare_block_rate(p, ANNO_REV_RATE);

    return (fwd > s->thresh || rev > s->thresh) &&
           s->fwd_weight * fwd > s->rev_weight * rev;
}

ELEMENT_LOOP(compare_block)

static int compare_block_write(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    uint64_t v;

    if (!*value || strchr(value, ','))
        return diag_err(d, "expecting one integer");
    if (parse_integer(value, 0, true, 32, &v) != PARSE_OK)
        return diag_err(d, "not an integer");
    *(int32_t *)(void *)((uint8_t *)element_state(e) + h->offset) = (int32_t)v;
    return 0;
}

#define COMPARE_HANDLER(member_, name_, help_)                                         \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_READ | HANDLER_WRITE,       \
        .kind = ARG_KIND_I32, .offset = offsetof(struct compare_block, member_),       \
        .write = compare_block_write                                                   \
    }
static const struct handler_spec compare_block_handlers[] = {
    COMPARE_HANDLER(fwd_weight, "fwd_weight", "factor for the forward rate"),
    COMPARE_HANDLER(rev_weight, "rev_weight", "factor for the reverse rate"),
    COMPARE_HANDLER(thresh, "thresh", "slower flows always pass"),
    HANDLER_END,
};

ELEMENT(CompareBlock) = {
    .name = "CompareBlock",
    .state_size = sizeof(struct compare_block),
    .ports = "1/2",
    .processing = "h/h",
    .args = compare_block_args,
    .handlers = compare_block_handlers,
    .push = compare_block_push,
    .pull = compare_block_pull,
};
