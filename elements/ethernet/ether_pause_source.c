// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherPauseSource -- make Ethernet pause frames
 *
 * Usage:    EtherPauseSource(SRC, PAUSETIME [, keywords DST, LIMIT, ACTIVE, INTERVAL])
 * Ports:    1 out; push or pull
 * Args:     SRC        address of the station that sends them
 *           PAUSETIME  how long to pause, in times that 512 bits take
 *           DST        default 01-80-C2-00-00-01, the group of pause frames
 *           LIMIT      frames made altogether, default -1: no limit
 *           ACTIVE     whether frames are made at all, default true
 *           INTERVAL   time between two frames when pushing, default 1s
 * Handlers: count         (r) frames made
 *           limit         (rw) as LIMIT
 *           active        (rw) as ACTIVE
 *           src, dst      (rw) the addresses
 *           pausetime     (rw) as PAUSETIME
 *           reset_counts  (w) set count to 0
 * Example:  EtherPauseSource(0:0:0:0:0:1, 390) -> ToDevice(0);
 * See also: TimedSource
 *
 * IEEE 802.3x: whoever gets such a frame stops sending for a while. In a pull context there
 * is one for each pull.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { FRAME_LEN = 64, MACCTL_PAUSE = 1 };

struct pause_frame {
    struct eth_hdr eth;
    uint16_t opcode, quanta;
} NET_PACKED;

struct ether_pause_source {
    struct ether_addr src, dst;
    uint16_t quanta;
    int32_t limit, count;
    bool active;
    int64_t interval_ns;
    struct timer timer;
};

static int ether_pause_source_parse_interval(struct element *e, const char *text,
                                             void *member, struct diag *d)
{
    int64_t ns;

    if (!parse_time(text, &ns) || ns < 0)
        return diag_err(d, "parse error");
    /* in whole milliseconds, and not without end */
    ns = (ns + 500000) / 1000000 * 1000000;
    *(int64_t *)member = ns ? ns : 1000000;
    return 0;
}

static const struct arg_spec ether_pause_source_args[] = {
    ARG_ETHER(ether_pause_source, src, "SRC", ARG_M, NULL, "station that sends them"),
    ARG_U16(ether_pause_source, quanta, "PAUSETIME", ARG_M, NULL, "how long to pause"),
    ARG_ETHER(ether_pause_source, dst, "DST", 0, "01-80-C2-00-00-01", "destination"),
    ARG_I32(ether_pause_source, limit, "LIMIT", 0, "-1", "frames made, < 0: no limit"),
    ARG_BOOL(ether_pause_source, active, "ACTIVE", 0, "true", "make frames at all"),
    {.name = "INTERVAL",
     .kind = ARG_KIND_CUSTOM,
     .offset = offsetof(struct ether_pause_source, interval_ns),
     .def = "1s",
     .help = "time between two frames",
     .parse = ether_pause_source_parse_interval},
    ARG_END,
};

static struct pkt *ether_pause_source_make(struct element *e)
{
    struct ether_pause_source *s = element_state(e);
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL, FRAME_LEN, 0);

    if (!p)
        return NULL;
    memset(p->data, 0, FRAME_LEN);
    *(struct pause_frame *)(void *)p->data = (struct pause_frame){
        .eth = {s->dst, s->src, BE16(ETHERTYPE_MACCONTROL)},
        .opcode = BE16(MACCTL_PAUSE),
        .quanta = be16(s->quanta),
    };
    pkt_set_mac(p, p->data, sizeof(struct eth_hdr));
    s->count++;
    return p;
}

static bool ether_pause_source_more(const struct ether_pause_source *s)
{
    return s->limit < 0 || s->count < s->limit;
}

static void ether_pause_source_fire(struct element *e, struct timer *t)
{
    struct ether_pause_source *s = element_state(e);
    struct pkt *p;

    if (!s->active || !ether_pause_source_more(s))
        return;
    p = ether_pause_source_make(e);
    if (p)
        out_push_one(e, 0, p);
    if (ether_pause_source_more(s))
        timer_reschedule(t, s->interval_ns);
}

static uint32_t ether_pause_source_pull(struct element *e, unsigned port,
                                        struct batch *b, uint32_t max)
{
    const struct ether_pause_source *s = element_state(e);
    uint32_t n = 0;

    for (; n < max && s->active && ether_pause_source_more(s); n++) {
        struct pkt *p = ether_pause_source_make(e);

        if (!p)
            break;
        batch_add(b, p);
    }
    return n;
}

static int ether_pause_source_initialize(struct element *e, struct diag *d)
{
    struct ether_pause_source *s = element_state(e);

    timer_init(&s->timer, e, ether_pause_source_fire);
    if (s->limit && s->active && element_output_is_push(e, 0))
        timer_after(&s->timer, s->interval_ns);
    return 0;
}

/* After any change there may be frames to make again. */
static int ether_pause_source_go(struct element *e)
{
    struct ether_pause_source *s = element_state(e);

    if (element_output_is_push(e, 0) && !timer_scheduled(&s->timer) && s->active)
        timer_after(&s->timer, 0);
    return 0;
}

enum { H_SRC, H_DST, H_PAUSETIME, H_LIMIT, H_ACTIVE, H_RESET };

static int ether_pause_source_write(struct element *e, const struct handler_spec *h,
                                    const char *value, size_t len, struct diag *d)
{
    struct ether_pause_source *s = element_state(e);
    uint64_t number = 0;
    bool ok = true;

    switch (h->user) {
    case H_SRC:
        return parse_ether(e, value, &s->src) ? 0 : diag_err(d, "type mismatch");
    case H_DST:
        return parse_ether(e, value, &s->dst) ? 0 : diag_err(d, "type mismatch");
    case H_PAUSETIME:
        if (!parse_u64(value, 0, &number) || number > UINT16_MAX)
            return diag_err(d, "type mismatch");
        s->quanta = (uint16_t)number;
        return 0;
    case H_LIMIT:
        ok = parse_integer(value, 0, true, 32, &number) == PARSE_OK;
        s->limit = ok ? (int32_t)number : s->limit;
        break;
    case H_ACTIVE:
        ok = parse_bool(value, &s->active);
        break;
    case H_RESET:
        s->count = 0;
        break;
    }
    return ok ? ether_pause_source_go(e) : diag_err(d, "type mismatch");
}

#define PAUSE_HANDLER(name_, member_, kind_, user_, more_, help_)                      \
    {                                                                                  \
        .name = (name_), .help = (help_),                                              \
        .flags = HANDLER_READ | HANDLER_WRITE | (more_), .kind = (kind_),              \
        .offset = offsetof(struct ether_pause_source, member_), .user = (user_),       \
        .write = ether_pause_source_write                                              \
    }
static const struct handler_spec ether_pause_source_handlers[] = {
    HANDLER_VALUE(ether_pause_source, count, ARG_KIND_I32, HANDLER_READ, "count",
                  "frames made"),
    PAUSE_HANDLER("limit", limit, ARG_KIND_I32, H_LIMIT, 0, "frames made, < 0: all"),
    PAUSE_HANDLER("active", active, ARG_KIND_BOOL, H_ACTIVE, HANDLER_CHECKBOX,
                  "whether frames are made"),
    PAUSE_HANDLER("src", src, ARG_KIND_ETHER, H_SRC, 0, "station that sends them"),
    PAUSE_HANDLER("dst", dst, ARG_KIND_ETHER, H_DST, 0, "destination"),
    PAUSE_HANDLER("pausetime", quanta, ARG_KIND_U16, H_PAUSETIME, 0,
                  "how long to pause"),
    {.name = "reset_counts",
     .help = "set count to 0",
     .flags = HANDLER_WRITE,
     .user = H_RESET,
     .write = ether_pause_source_write},
    HANDLER_END,
};

ELEMENT(EtherPauseSource) = {
    .name = "EtherPauseSource",
    .state_size = sizeof(struct ether_pause_source),
    .ports = "0/1",
    .args = ether_pause_source_args,
    .handlers = ether_pause_source_handlers,
    .initialize = ether_pause_source_initialize,
    .pull = ether_pause_source_pull,
};
