// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMPPingSource -- send ICMP echo requests, and listen for their replies
 *
 * Usage:    ICMPPingSource(SRC, DST [, keywords])
 * Ports:    0-1 in (replies), 1 out; push in, push or pull out
 * Args:     SRC, DST    addresses
 *           INTERVAL    time between requests, default 1s
 *           IDENTIFIER  that of the requests, default 0
 *           DATA        behind the header
 *           LIMIT       requests in all, default -1: no end
 *           ACTIVE      false: send nothing yet
 *           VERBOSE     tell about every reply, and the sum at the end, default true
 *           STOP        stop the driver after LIMIT requests
 *           MIRROR      answer each reply with the next request, made of the same packet,
 *                       whatever LIMIT says
 * Handlers: active   (rw) as ACTIVE
 *           src      (rw) as SRC
 *           dst      (rw) as DST
 *           count    (r) requests sent
 *           limit    (w) as LIMIT
 *           interval (w) as INTERVAL
 *           reset_counts  (w) forget all
 * Example:  p :: ICMPPingSource(10.0.0.1, 10.0.0.2) -> out; in -> CheckIPHeader -> p;
 * See also: ICMPPingResponder, ICMPPingRewriter, ICMPPingEncap
 *
 * With a pull output there is a request for each pull. With an input there are the read
 * handlers summary, what came back, and rtt_min, rtt_avg and rtt_max, round trips as
 * times. Replies want their IP header to be marked.
 *
 * Identifier and sequence number, which counts up from 1, stand in the packet with their
 * low byte first, as Click on a little-endian Linux writes them.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/icmp_encap.h"
#include "engine/router.h"

#define NS_PER_MS 1000000ll

struct icmp_ping_source {
    uint32_t src, dst;
    int64_t interval_ns;
    int32_t limit;
    uint16_t id; /* as on the wire, see above */
    struct text data;
    bool active, verbose, stop, mirror, have_interval;
    struct timer timer;
    int32_t count, received, duplicates;
    int64_t *
        sent_ns; /* [65536] wall time of each number; negative: answered; 0: not sent */
    uint32_t min_us, max_us;
    uint64_t sum_us, square_sum_us;
};

static const struct arg_spec icmp_ping_source_args[] = {
    ARG_IP(icmp_ping_source, src, "SRC", ARG_M, NULL, "source address"),
    ARG_IP(icmp_ping_source, dst, "DST", ARG_M, NULL, "destination address"),
    {.name = "INTERVAL",
     .kind = ARG_KIND_TIME,
     .def = "1",
     .offset = offsetof(struct icmp_ping_source, interval_ns),
     .seen = 1 + offsetof(struct icmp_ping_source, have_interval),
     .help = "between requests"},
    ARG_U16(icmp_ping_source, id, "IDENTIFIER", 0, "0", "identifier of the requests"),
    ARG_STRING(icmp_ping_source, data, "DATA", 0, NULL, "behind the header"),
    ARG_I32(icmp_ping_source, limit, "LIMIT", 0, "-1", "requests in all"),
    ARG_BOOL(icmp_ping_source, active, "ACTIVE", 0, "true", "send"),
    ARG_BOOL(icmp_ping_source, verbose, "VERBOSE", 0, "true", "tell about replies"),
    ARG_BOOL(icmp_ping_source, stop, "STOP", 0, "false", "stop the driver at the end"),
    ARG_BOOL(icmp_ping_source, mirror, "MIRROR", 0, "false",
             "answer replies with requests"),
    ARG_END,
};

/* Make a request of `p`: its data, if it is there, else of a new packet. NULL without
 * memory. */
static struct pkt *icmp_ping_source_make(struct element *e, struct pkt *p)
{
    struct icmp_ping_source *s = element_state(e);
    uint32_t headers = sizeof(struct ip4_hdr) + sizeof(struct icmp_hdr);
    uint16_t seq = (uint16_t)((uint32_t)s->count % 0xffff + 1);
    struct icmp_hdr *icmp;
    struct ip4_hdr *h;

    if (!p) {
        p = pkt_new(element_pool(e), PKT_HEADROOM, NULL,
                    headers + (uint32_t)s->data.len, 0);
        if (!p)
            return NULL;
        if (s->data.len)
            memcpy(p->data + headers, s->data.s, s->data.len);
    }
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
    icmp->seq = seq;
    icmp->sum = csum(icmp, p->len - (uint32_t)sizeof *h);
    pkt_set_dst_ip(p, s->dst);
    p->timestamp = element_wall_now(e);
    if (s->sent_ns)
        s->sent_ns[seq] = p->timestamp;
    s->count++;
    return p;
}

static bool icmp_ping_source_done(const struct icmp_ping_source *s)
{
    return s->limit >= 0 && s->count >= s->limit;
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
    p = icmp_ping_source_make(e, NULL);
    if (p)
        out_push_one(e, 0, p);
    timer_reschedule(t, s->interval_ns ? s->interval_ns : NS_PER_MS);
}

static uint32_t icmp_ping_source_pull(struct element *e, unsigned port, struct batch *b,
                                      uint32_t max)
{
    struct icmp_ping_source *s = element_state(e);
    uint32_t n = 0;
    struct pkt *p;

    for (; n < max && !icmp_ping_source_done(s); n++) {
        p = icmp_ping_source_make(e, NULL);
        if (!p)
            return n;
        batch_add(b, p);
    }
    if (n < max && s->stop) {
        router_stop(e->router);
        s->stop = false;
    }
    return n;
}

static void icmp_ping_source_round(struct icmp_ping_source *s)
{
    s->interval_ns -= s->interval_ns % NS_PER_MS;
}

static int icmp_ping_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    icmp_ping_source_round(s);
    if (!s->interval_ns)
        diag_warn(d, "INTERVAL so small that it is zero");
    return 0;
}

static int icmp_ping_source_initialize(struct element *e, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);
    bool pull = !element_output_is_push(e, 0);

    timer_init(&s->timer, e, icmp_ping_source_fire);
    if (e->n_in && !(s->sent_ns = element_alloc(e, 65536 * sizeof *s->sent_ns)))
        return diag_err(d, "out of memory!");
    if (pull && s->have_interval)
        diag_warn(d, "element is pull, INTERVAL parameter will be ignored");
    if (pull && s->mirror)
        return diag_err(d, "MIRROR invalid on pull element");
    if (s->active && s->limit != 0 && !pull)
        timer_after(&s->timer, s->interval_ns);
    return 0;
}

/* --- replies ------------------------------------------------------------------------------ */

static bool icmp_ping_source_is_reply(const struct icmp_ping_source *s,
                                      const struct pkt *p)
{
    return pkt_has_ip4(p) && pkt_ip4(p)->proto == IP_PROTO_ICMP &&
           pkt_avail(p, p->transport) >= sizeof(struct icmp_hdr) &&
           pkt_icmp(p)->type == ICMP_ECHOREPLY && pkt_icmp(p)->id == s->id;
}

/* Account for the reply to what was sent at `sent_ns`; returns microseconds. */
static uint32_t icmp_ping_source_account(struct icmp_ping_source *s,
                                         const struct pkt *p, int64_t sent_ns)
{
    uint32_t us;

    if (!p->timestamp)
        return 0;
    us = (uint32_t)((p->timestamp - sent_ns) / 1000);
    s->min_us = !s->received || us < s->min_us ? us : s->min_us;
    s->max_us = !s->received || us > s->max_us ? us : s->max_us;
    s->sum_us += us;
    s->square_sum_us += (uint64_t)us * us;
    return us;
}

static void icmp_ping_source_reply(struct element *e, const struct pkt *p)
{
    struct icmp_ping_source *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    int64_t *sent = &s->sent_ns[pkt_icmp(p)->seq];
    uint32_t us;
    char text[64];

    if (!*sent)
        return;
    if (*sent < 0) {
        s->duplicates++;
        *sent = -*sent;
    }
    us = icmp_ping_source_account(s, p, *sent);
    s->received++;
    *sent = -*sent;
    if (s->verbose)
        element_say(e, "%s: %d bytes from %s: icmp_seq=%u ttl=%u time=%u.%03u ms\n",
                    element_declaration(e), (int)(be16(h->len) - ip4_hlen(h)) - 8,
                    unparse_ip(h->src, text), pkt_icmp(p)->seq, h->ttl, us / 1000,
                    us % 1000);
}

/* The next request, in the packet of a reply. */
static void icmp_ping_source_mirror(struct element *e, struct pkt *p)
{
    uint32_t headers = sizeof(struct ip4_hdr) + sizeof(struct icmp_hdr);

    if (p->network > p->data)
        pkt_pull(p, (uint32_t)(p->network - p->data));
    if (p->network != p->data || p->len < headers || pkt_writable(p) < 0) {
        pkt_free(p);
        return;
    }
    out_push_one(e, 0, icmp_ping_source_make(e, p));
}

static void icmp_ping_source_push(struct element *e, unsigned port, struct batch *b)
{
    struct icmp_ping_source *s = element_state(e);

    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i];
        bool reply = icmp_ping_source_is_reply(s, p);

        if (reply)
            icmp_ping_source_reply(e, p);
        if (reply && s->mirror)
            icmp_ping_source_mirror(e, p);
        else
            pkt_free(p);
    }
}

static uint64_t icmp_ping_source_sqrt(uint64_t x)
{
    uint64_t root = 0;

    for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= x)
            root |= bit;
    return root;
}

static void icmp_ping_source_sum_up(const struct icmp_ping_source *s, struct sbuf *out)
{
    uint64_t avg, square, dev;

    sbuf_printf(out, "%d packets transmitted, %d received", s->count,
                s->received - s->duplicates);
    if (s->duplicates)
        sbuf_printf(out, ", +%d duplicates", s->duplicates);
    if (s->count)
        sbuf_printf(
            out, ", %d%% packet loss\n",
            (int)((int64_t)(s->count - s->received - s->duplicates) * 100 / s->count));
    if (!s->received)
        return;
    avg = s->sum_us / (uint64_t)s->received;
    square = s->square_sum_us / (uint64_t)s->received;
    dev = icmp_ping_source_sqrt(square > avg * avg ? square - avg * avg : 0);
    sbuf_printf(out, "rtt min/avg/max/mdev = %u.%03u/%u.%03u/%u.%03u/%u.%03u\n",
                s->min_us / 1000, s->min_us % 1000, (unsigned)(avg / 1000),
                (unsigned)(avg % 1000), s->max_us / 1000, s->max_us % 1000,
                (unsigned)(dev / 1000), (unsigned)(dev % 1000));
}

/* The sum at the end, each line with the element's name. */
static void icmp_ping_source_cleanup(struct element *e)
{
    const struct icmp_ping_source *s = element_state(e);
    struct sbuf text = SBUF_INIT;
    const char *line, *end;

    if (!e->initialized || !s->sent_ns || !s->verbose)
        return;
    icmp_ping_source_sum_up(s, &text);
    for (line = sbuf_text(&text); *line; line = *end ? end + 1 : end) {
        end = strchr(line, '\n');
        end = end ? end : line + strlen(line);
        element_say(e, "%s: %.*s\n", element_declaration(e), (int)(end - line), line);
    }
    sbuf_fini(&text);
}

/* --- handlers ----------------------------------------------------------------------------- */

static int icmp_ping_source_summary(struct element *e, const struct handler_spec *h,
                                    const char *param, struct sbuf *out, struct diag *d)
{
    icmp_ping_source_sum_up(element_state(e), out);
    return 0;
}

enum { H_MIN, H_AVG, H_MAX };

static int icmp_ping_source_rtt(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct icmp_ping_source *s = element_state(e);
    uint64_t avg = s->sum_us / (uint64_t)(s->received ? s->received : 1);
    uint64_t us = h->user == H_MIN ? s->min_us : h->user == H_MAX ? s->max_us : avg;
    unsigned digits = 6, below = (unsigned)(us % 1000000);

    if (us && us < 1000) {
        sbuf_printf(out, "%uus", (unsigned)us);
        return 0;
    }
    for (; digits && below % 10 == 0; below /= 10)
        digits--;
    sbuf_printf(out, "%llu", (unsigned long long)(us / 1000000));
    if (digits)
        sbuf_printf(out, ".%0*u", (int)digits, below);
    sbuf_putc(out, 's');
    return 0;
}

/* Whatever was written: go on. */
static void icmp_ping_source_wake(struct element *e, int64_t delay_ns)
{
    struct icmp_ping_source *s = element_state(e);

    if (s->active && !timer_scheduled(&s->timer) && element_output_is_push(e, 0))
        timer_after(&s->timer, delay_ns);
}

static int icmp_ping_source_active(struct element *e, const struct handler_spec *h,
                                   const char *value, size_t len, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "type mismatch");
    if (!s->active)
        timer_cancel(&s->timer);
    icmp_ping_source_wake(e, 0);
    return 0;
}

static int icmp_ping_source_limit(struct element *e, const struct handler_spec *h,
                                  const char *value, size_t len, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);
    int64_t limit;

    if (!parse_i64(value, 0, &limit) || limit < INT32_MIN || limit > INT32_MAX)
        return diag_err(d, "'limit' should be integer");
    s->limit = (int32_t)limit;
    if (!icmp_ping_source_done(s))
        icmp_ping_source_wake(e, s->interval_ns);
    return 0;
}

static int icmp_ping_source_interval(struct element *e, const struct handler_spec *h,
                                     const char *value, size_t len, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    if (!parse_time(value, &s->interval_ns))
        return diag_err(d, "'interval' should be an interval");
    icmp_ping_source_round(s);
    return 0;
}

static int icmp_ping_source_reset(struct element *e, const struct handler_spec *h,
                                  const char *value, size_t len, struct diag *d)
{
    struct icmp_ping_source *s = element_state(e);

    s->count = s->received = s->duplicates = 0;
    s->min_us = s->max_us = 0;
    s->sum_us = s->square_sum_us = 0;
    if (s->sent_ns)
        memset(s->sent_ns, 0, 65536 * sizeof *s->sent_ns);
    if (s->limit > 0)
        icmp_ping_source_wake(e, s->interval_ns);
    return 0;
}

#define RW (HANDLER_READ | HANDLER_WRITE)
#define ADDRESS(name_, member_, help_)                                                 \
    {                                                                                  \
        .name = name_, .help = help_, .flags = RW | HANDLER_CALM, .kind = ARG_KIND_IP, \
        .offset = offsetof(struct icmp_ping_source, member_),                          \
        .write = icmp_encap_write_address                                              \
    }
static const struct handler_spec icmp_ping_source_handlers[] = {
    {.name = "active",
     .help = "whether it sends",
     .flags = RW | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct icmp_ping_source, active),
     .write = icmp_ping_source_active},
    ADDRESS("src", src, "source address"),
    ADDRESS("dst", dst, "destination address"),
    HANDLER_VALUE(icmp_ping_source, count, ARG_KIND_I32, HANDLER_READ, "count",
                  "requests sent"),
    {.name = "limit",
     .help = "requests in all",
     .flags = HANDLER_WRITE | HANDLER_CALM,
     .write = icmp_ping_source_limit},
    HANDLER_WRITER(icmp_ping_source_interval, "interval", "between requests"),
    HANDLER_PRESS(icmp_ping_source_reset, "reset_counts", "forget all"),
    HANDLER_END,
};

#define RTT(name_, user_, help_)                                                       \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ, .user = user_,            \
        .read = icmp_ping_source_rtt                                                   \
    }
static const struct handler_spec icmp_ping_source_replies[] = {
    /* the last of Click's come first */
    RTT("rtt_max", H_MAX, "longest round trip"),
    RTT("rtt_avg", H_AVG, "average round trip"),
    RTT("rtt_min", H_MIN, "shortest round trip"),
    HANDLER_READER(icmp_ping_source_summary, "summary", "what came back"),
    HANDLER_END,
};

/* Those that only make sense with an input. */
static const struct handler_spec *icmp_ping_source_more(struct element *e,
                                                        const char *name, size_t i)
{
    const struct handler_spec *h = icmp_ping_source_replies;

    if (!e->n_in)
        return NULL;
    for (; h->name; h++, i--)
        if (name ? strcmp(h->name, name) == 0 : i == 0)
            return h;
    return NULL;
}

ELEMENT(ICMPPingSource) = {
    .name = "ICMPPingSource",
    .state_size = sizeof(struct icmp_ping_source),
    .ports = "0-1/1",
    .processing = "h/a",
    .flow = "x/y",
    .args = icmp_ping_source_args,
    .handlers = icmp_ping_source_handlers,
    .more_handlers = icmp_ping_source_more,
    .configure = icmp_ping_source_configure,
    .initialize = icmp_ping_source_initialize,
    .cleanup = icmp_ping_source_cleanup,
    .push = icmp_ping_source_push,
    .pull = icmp_ping_source_pull,
};

/* Its name in old configurations. */
ELEMENT_ALIAS(ICMPSendPings, ICMPPingSource);
