// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMPPingSource -- send ICMP echo requests, and listen for their replies
 *
 * Usage:    ICMPPingSource(SRC, DST [, keywords])
 * Ports:    0-1 in (replies), 1 out; push
 * Args:     SRC, DST    addresses
 *           INTERVAL    time between requests, default 1s
 *           IDENTIFIER  that of the requests, default 0
 *           DATA        behind the header
 *           LIMIT       requests in all, default -1: no end
 *           ACTIVE      false: send nothing yet
 *           VERBOSE     tell about every reply, default true
 *           STOP        stop the driver after LIMIT requests
 * Handlers: count    (r) requests sent
 *           active   (rw) as ACTIVE
 *           src      (rw) as SRC
 *           dst      (rw) as DST
 *           limit    (rw) as LIMIT
 *           interval (rw) as INTERVAL
 *           summary  (r) what came back
 *           rtt_min, rtt_avg, rtt_max  (r) round trips in microseconds
 *           reset_counts  (w) forget all
 * Example:  p :: ICMPPingSource(10.0.0.1, 10.0.0.2) -> out; in -> CheckIPHeader -> p;
 * See also: ICMPPingResponder, ICMPPingRewriter
 *
 * The sequence number counts up from 1. Replies want their IP header to be marked.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/router.h"

struct icmp_ping_source {
    uint32_t src, dst;
    int64_t interval_ns, limit;
    uint16_t id; /* as on the wire in a little-endian Click: host order there */
    struct text data;
    bool active, verbose, stop;
    struct timer timer;
    uint64_t count, received, duplicates;
    int64_t *sent_ns; /* [65536] of each number; negative: answered; 0: not sent */
    uint64_t min_us, max_us, sum_us;
};

static const struct arg_spec icmp_ping_source_args[] = {
    ARG_IP(icmp_ping_source, src, "SRC", ARG_M, NULL, "source address"),
    ARG_IP(icmp_ping_source, dst, "DST", ARG_M, NULL, "destination address"),
    ARG_TIME(icmp_ping_source, interval_ns, "INTERVAL", 0, "1", "between requests"),
    ARG_U16(icmp_ping_source, id, "IDENTIFIER", 0, "0", "identifier of the requests"),
    ARG_STRING(icmp_ping_source, data, "DATA", 0, NULL, "behind the header"),
    ARG_I64(icmp_ping_source, limit, "LIMIT", 0, "-1", "requests in all"),
    ARG_BOOL(icmp_ping_source, active, "ACTIVE", 0, "true", "send"),
    ARG_BOOL(icmp_ping_source, verbose, "VERBOSE", 0, "true", "tell about replies"),
    ARG_BOOL(icmp_ping_source, stop, "STOP", 0, "false", "stop the driver at the end"),
    ARG_END,
};

static struct pkt *icmp_ping_source_make(struct element *e)
{
    struct icmp_ping_source *s = element_state(e);
    uint16_t seq = (uint16_t)(s->count % 0xffff + 1);
    uint32_t icmp_len = sizeof(struct icmp_hdr) + (uint32_t)s->data.len;
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL,
                            sizeof(struct ip4_hdr) + icmp_len, 0);
    struct ip4_hdr *h;
    struct icmp_hdr *icmp;

    if (!p)
        return NULL;
    h = (struct ip4_hdr *)(void *)p->data;
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)p->len),
                          .id = be16(seq),
                          .ttl = 200,
                          .proto = IP_PROTO_ICMP,
                          .src = s->src,
                          .dst = s->dst};
    h->sum = csum_ip4_20(h);
    pkt_set_ip4(p, p->data, sizeof *h);
    icmp = pkt_icmp(p);
    *icmp = (struct icmp_hdr){.type = ICMP_ECHO};
    icmp->id = s->id;
    icmp->seq = be16(seq);
    if (s->data.len)
        memcpy(icmp + 1, s->data.s, s->data.len);
    icmp->sum = csum(icmp, icmp_len);
    pkt_set_dst_ip(p, s->dst);
    p->timestamp = element_wall_now(e);
    if (s->sent_ns)
        s->sent_ns[seq] = element_now(e) + 1; /* never 0 */
    return p;
}

static bool icmp_ping_source_done(const struct icmp_ping_source *s)
{
    return s->limit >= 0 && s->count >= (uint64_t)s->limit;
}

static void icmp_ping_source_fire(struct element *e, struct timer *t)
{
    struct icmp_ping_source *s = element_state(e);
    struct pkt *p;

    if (icmp_ping_source_done(s)) {
        if (s->stop)
            router_stop(e->router);
        return;
    }
    p = icmp_ping_source_make(e);
    if (p) {
        s->count++;
        out_push_one(e, 0, p);
    }
    timer_reschedule(t, s->interval_ns);
}

static int icmp_ping_source_initialize(struct element *e, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    timer_init(&s->timer, e, icmp_ping_source_fire);
    if (e->n_in && !(s->sent_ns = element_alloc(e, 65536 * sizeof *s->sent_ns)))
        return diag_err(d, "out of memory");
    if (s->interval_ns < 1000000) {
        diag_warn(d, "INTERVAL so small that it is zero");
        s->interval_ns = 1000000;
    }
    if (s->active && s->limit != 0)
        timer_after(&s->timer, s->interval_ns);
    return 0;
}

static void icmp_ping_source_reply(struct element *e, const struct pkt *p)
{
    struct icmp_ping_source *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct icmp_hdr *icmp = pkt_icmp(p);
    uint64_t us;
    int64_t *sent;
    char text[64];

    if (!pkt_has_ip4(p) || h->proto != IP_PROTO_ICMP ||
        pkt_avail(p, p->transport) < sizeof *icmp || icmp->type != ICMP_ECHOREPLY ||
        icmp->id != s->id)
        return;
    sent = &s->sent_ns[be16(icmp->seq)];
    if (!*sent)
        return;
    if (*sent < 0) {
        s->duplicates++;
        *sent = -*sent;
    }
    us = (uint64_t)(element_now(e) + 1 - *sent) / 1000;
    *sent = -*sent;
    s->min_us = !s->received || us < s->min_us ? us : s->min_us;
    s->max_us = us > s->max_us ? us : s->max_us;
    s->sum_us += us;
    s->received++;
    if (s->verbose)
        element_say(e, "%s: %u bytes from %s: icmp_seq=%u ttl=%u time=%u.%03u ms\n",
                    element_declaration(e), be16(h->len) - ip4_hlen(h) - 8,
                    unparse_ip(h->src, text), be16(icmp->seq), h->ttl,
                    (unsigned)(us / 1000), (unsigned)(us % 1000));
}

static void icmp_ping_source_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        icmp_ping_source_reply(e, b->p[i]);
    batch_free(b);
}

static int icmp_ping_source_summary(struct element *e, const struct handler_spec *h,
                                    const char *param, struct sbuf *out, struct diag *d)
{
    const struct icmp_ping_source *s = element_state(e);
    uint64_t unique = s->received - s->duplicates;

    sbuf_printf(out, "%llu packets transmitted, %llu received",
                (unsigned long long)s->count, (unsigned long long)unique);
    if (s->duplicates)
        sbuf_printf(out, ", +%llu duplicates", (unsigned long long)s->duplicates);
    if (s->count)
        sbuf_printf(out, ", %llu%% packet loss\n",
                    (unsigned long long)((s->count - unique) * 100 / s->count));
    return 0;
}

enum { H_MIN, H_AVG, H_MAX };

static int icmp_ping_source_rtt(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct icmp_ping_source *s = element_state(e);
    uint64_t avg = s->sum_us / (s->received ? s->received : 1);

    sbuf_printf(out, "%lluus",
                (unsigned long long)(h->user == H_MIN   ? s->min_us
                                     : h->user == H_MAX ? s->max_us
                                                        : avg));
    return 0;
}

/* Whatever was written: go on, or stop. */
static void icmp_ping_source_wake(struct icmp_ping_source *s)
{
    if (!s->active)
        timer_cancel(&s->timer);
    else if (!timer_scheduled(&s->timer) && !icmp_ping_source_done(s))
        timer_after(&s->timer, s->interval_ns);
}

static int icmp_ping_source_active(struct element *e, const struct handler_spec *h,
                                   const char *value, size_t len, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "type mismatch");
    icmp_ping_source_wake(s);
    return 0;
}

static int icmp_ping_source_limit(struct element *e, const struct handler_spec *h,
                                  const char *value, size_t len, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    if (!parse_i64(value, 0, &s->limit))
        return diag_err(d, "'limit' should be integer");
    icmp_ping_source_wake(s);
    return 0;
}

static int icmp_ping_source_reset(struct element *e, const struct handler_spec *h,
                                  const char *value, size_t len, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    s->count = s->received = s->duplicates = 0;
    s->min_us = s->max_us = s->sum_us = 0;
    if (s->sent_ns)
        memset(s->sent_ns, 0, 65536 * sizeof *s->sent_ns);
    icmp_ping_source_wake(s);
    return 0;
}

#define RTT(name_, user_, help_)                                                       \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ, .user = user_,            \
        .read = icmp_ping_source_rtt                                                   \
    }
#define RW (HANDLER_READ | HANDLER_WRITE)
static const struct handler_spec icmp_ping_source_handlers[] = {
    HANDLER_VALUE(icmp_ping_source, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "requests sent"),
    {.name = "active",
     .help = "whether it sends",
     .flags = RW | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct icmp_ping_source, active),
     .write = icmp_ping_source_active},
    HANDLER_VALUE(icmp_ping_source, src, ARG_KIND_IP, RW, "src", "source address"),
    HANDLER_VALUE(icmp_ping_source, dst, ARG_KIND_IP, RW, "dst", "destination address"),
    HANDLER_VALUE(icmp_ping_source, interval_ns, ARG_KIND_TIME, RW, "interval",
                  "between requests"),
    {.name = "limit",
     .help = "requests in all",
     .flags = RW,
     .kind = ARG_KIND_I64,
     .offset = offsetof(struct icmp_ping_source, limit),
     .write = icmp_ping_source_limit},
    HANDLER_READER(icmp_ping_source_summary, "summary", "what came back"),
    RTT("rtt_min", H_MIN, "shortest round trip"),
    RTT("rtt_avg", H_AVG, "average round trip"),
    RTT("rtt_max", H_MAX, "longest round trip"),
    HANDLER_PRESS(icmp_ping_source_reset, "reset_counts", "forget all"),
    HANDLER_END,
};

ELEMENT(ICMPPingSource) = {
    .name = "ICMPPingSource",
    .state_size = sizeof(struct icmp_ping_source),
    .ports = "0-1/1",
    .processing = "h/h",
    .flow = "x/y",
    .args = icmp_ping_source_args,
    .handlers = icmp_ping_source_handlers,
    .initialize = icmp_ping_source_initialize,
    .push = icmp_ping_source_push,
};

/* Its name in old configurations. */
ELEMENT_ALIAS(ICMPSendPings, ICMPPingSource);
