// SPDX-License-Identifier: BSD-3-Clause
/*
 * shaper.h -- pulling at a smooth rate: Shaper and BandwidthShaper
 *
 * A shaper compares how many packets, or bytes, it has let through in the running second
 * with how many there should be at this microsecond. It may be behind by up to a second's
 * worth, which it makes up for, and ahead by one packet. That is Click's GapRate.
 */

#ifndef ENGINE_SHAPER_H
#define ENGINE_SHAPER_H

#include "engine/relay.h"

enum { GAP_SHIFT = 12, GAP_US_PER_S = 1000000 };
#define GAP_MAX_RATE ((uint32_t)GAP_US_PER_S << GAP_SHIFT)

struct gap_rate {
    uint32_t rate;
    uint32_t gap;  /* us from one to the next << GAP_SHIFT */
    uint32_t need; /* how many there should be in this second */
    int32_t count; /* how many there are */
    int64_t sec;   /* the running second; < 0: none yet */
};

void gap_rate_init(struct gap_rate *g);
/* Another rate, which is as far as it should be at `now_us`. */
void gap_rate_set(struct gap_rate *g, uint32_t rate, int64_t now_us);
/* Whether one more is due. */
bool gap_rate_due(struct gap_rate *g, int64_t now_us);
/* us from then until one is due; < 0: never. */
int64_t gap_rate_wait(const struct gap_rate *g, int64_t now_us);

struct shaper {
    struct gap_rate gap;
    uint32_t rate;      /* packets a second */
    uint64_t bandwidth; /* bytes a second */
    bool bytes;
    int64_t offset_ns;  /* from steady time to that of seconds */
    struct relay relay; /* those downstream sleep until something may go */
    struct signal nonempty;
    struct timer timer;
};

int shaper_configure(struct element *e, bool bytes, struct diag *d);
int shaper_initialize(struct element *e, struct diag *d);
void *shaper_cast(struct element *e, const char *kind);
uint32_t shaper_pull(struct element *e, unsigned port, struct batch *b, uint32_t max);

#define SHAPER_HANDLERS                                                                \
    {.name = "rate",                                                                   \
     .help = "packets or bytes a second",                                              \
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_KEYWORD,                          \
     .argument = "0 RATE",                                                             \
     .read = shaper_read_rate},                                                        \
        HANDLER_READER(shaper_read_rate, "config", "the rate"),                        \
        HANDLER_WRITER(shaper_reset, "reset", "forget what has passed")
int shaper_read_rate(struct element *e, const struct handler_spec *h, const char *param,
                     struct sbuf *out, struct diag *d);
int shaper_reset(struct element *e, const struct handler_spec *h, const char *value,
                 size_t len, struct diag *d);

#endif
