// SPDX-License-Identifier: BSD-3-Clause
/* trace_source.c -- packets from lines of a file: see trace_source.h */

#include "engine/os/trace_source.h"

#include "engine/checksum.h"
#include "engine/router.h"

static struct trace_source *source_of(const struct element *e)
{
    return element_state(e);
}

/* --- packets that stand for several ----------------------------------------------------- */

/* Have the IP header say that the packet has `len` bytes. */
static void set_length(struct pkt *p, uint32_t len)
{
    struct ip4_hdr *h = pkt_ip4_writable(p);

    if (!h)
        return;
    h->len = be16((uint16_t)len);
    if (h->proto == IP_PROTO_UDP && pkt_avail(p, p->transport) >= 8)
        pkt_udp(p)->len = be16((uint16_t)(len - ip4_hlen(h)));
}

static void split_begin(struct trace_source *s, uint32_t count)
{
    struct pkt *p = s->held;
    uint32_t *extra = &p->anno_u32[ANNO_EXTRA_LENGTH / 4];
    int64_t first = (int64_t)p->anno_u64[ANNO_FIRST_TIMESTAMP / 8];

    s->split = true;
    s->part_len = (p->len + *extra) / count;
    if (s->part_len < p->len) {
        s->part_len = p->len;
        *extra = s->part_len * (count - 1);
    }
    s->part_end = p->timestamp;
    if (!first || __builtin_sub_overflow(p->timestamp, first, &s->part_step))
        s->part_step = 0;
    s->part_step /= count - 1;
    if (first)
        p->timestamp = first;
    set_length(p, s->part_len);
}

/* One of the packets that `held` stands for; the rest stays. NULL without memory. */
static struct pkt *split_packet(struct trace_source *s)
{
    struct pkt *p = s->held, *one;
    uint32_t *more = &p->anno_u32[ANNO_EXTRA_PACKETS / 4], count = 1 + *more;
    uint32_t *extra = &p->anno_u32[ANNO_EXTRA_LENGTH / 4];

    if (count <= 1) {
        s->held = NULL;
        s->split = false;
        return p;
    }
    if (!s->split)
        split_begin(s, count);
    if (!(one = pkt_clone(p))) {
        trace_file_give_up(&s->file);
        s->held = NULL;
        s->split = false;
        pkt_free(p);
        return NULL;
    }
    one->anno_u32[ANNO_EXTRA_PACKETS / 4] = 0;
    one->anno_u32[ANNO_EXTRA_LENGTH / 4] = s->part_len - one->len;
    --*more;
    *extra -= s->part_len;
    p->timestamp = count == 2 ? s->part_end : p->timestamp + s->part_step;
    if (count == 2)
        set_length(p, p->len + *extra);
    return one;
}

/* --- packets ---------------------------------------------------------------------------- */

static bool due(struct element *e)
{
    struct trace_source *s = source_of(e);
    int64_t now, at;

    if (!s->timing)
        return true;
    now = element_now(e);
    if (!s->have_timing &&
        __builtin_sub_overflow(now, s->held->timestamp, &s->timing_offset))
        s->timing_offset = INT64_MAX;
    s->have_timing = true;
    if (__builtin_add_overflow(s->held->timestamp, s->timing_offset, &at))
        at = INT64_MAX;
    if (at <= now)
        return true;
    timer_at(&s->timer, at);
    notifier_sleep(&s->notifier);
    return false;
}

enum step { STEP_MORE, STEP_LATER, STEP_END };

/* One line on, at most. */
static enum step step(struct element *e, struct batch *b)
{
    struct trace_source *s = source_of(e);
    struct pkt *p;

    if (!s->active)
        return STEP_LATER;
    if (!s->held && !(s->held = s->read(e)))
        return s->file.is_open ? STEP_MORE : STEP_END;
    if (!due(e))
        return STEP_LATER;
    if (s->multipacket) {
        p = split_packet(s);
    } else {
        p = s->held;
        s->held = NULL;
    }
    if (!trace_sample_takes(e, s->sample))
        pkt_free(p);
    else if (p)
        batch_add(b, p);
    return STEP_MORE;
}

static bool run(struct element *e, struct task *t)
{
    struct trace_source *s = source_of(e);
    enum step next = STEP_MORE;
    struct batch b;
    bool worked;

    b.n = 0;
    for (uint32_t i = 0; i < s->burst && next == STEP_MORE; i++)
        next = step(e, &b);
    worked = next == STEP_MORE;
    if (worked)
        task_reschedule(t);
    else if (next == STEP_END && s->stop)
        router_stop(e->router);
    out_push(e, 0, &b);
    return worked;
}

uint32_t trace_source_pull(struct element *e, unsigned port, struct batch *b,
                           uint32_t max)
{
    struct trace_source *s = source_of(e);
    enum step next = STEP_MORE;
    uint32_t from = b->n;

    while (b->n - from < max && (next = step(e, b)) == STEP_MORE)
        ;
    if (next != STEP_MORE)
        notifier_sleep(&s->notifier);
    else
        notifier_wake(&s->notifier);
    if (next == STEP_END && s->stop)
        router_stop(e->router);
    return b->n - from;
}

static void fire(struct element *e, struct timer *t)
{
    struct trace_source *s = source_of(e);

    (void)t;
    if (s->active && element_output_is_push(e, 0))
        task_schedule(&s->task);
    else if (s->active)
        notifier_wake(&s->notifier);
}

/* --- life ------------------------------------------------------------------------------- */

void trace_source_start(struct element *e, struct pkt *(*read)(struct element *e),
                        struct diag *d)
{
    struct trace_source *s = source_of(e);

    s->read = read;
    notifier_init(&s->notifier, s->active);
    timer_init(&s->timer, e, fire);
    if (element_output_is_push(e, 0))
        task_join(&s->task, e, run, s->active, d);
}

void trace_source_cleanup(struct element *e)
{
    struct trace_source *s = source_of(e);

    trace_file_close(&s->file);
    pkt_free(s->held);
    s->held = NULL;
}

void *trace_source_cast(struct element *e, const char *kind)
{
    if (strcmp(kind, NOTIFIER_EMPTY) || element_output_is_push(e, 0))
        return NULL;
    return &source_of(e)->notifier;
}

int trace_write_active(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    struct trace_source *s = source_of(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "type mismatch");
    if (!s->active)
        notifier_sleep(&s->notifier);
    fire(e, &s->timer);
    return 0;
}

int trace_read_encap(struct element *e, const struct handler_spec *h, const char *param,
                     struct sbuf *out, struct diag *d)
{
    sbuf_puts(out, "IP");
    return 0;
}

int trace_press_stop(struct element *e, const struct handler_spec *h, const char *value,
                     size_t len, struct diag *d)
{
    source_of(e)->active = false;
    router_stop(e->router);
    return 0;
}

void trace_set_checksums(struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);
    uint32_t n = pkt_avail(p, p->transport);
    uint8_t *sum = NULL;

    h->sum = 0;
    h->sum = csum_ip4(h);
    if (ip4_is_fragment(h))
        return;
    if (h->proto == IP_PROTO_TCP && n >= 20)
        sum = p->transport + offsetof(struct tcp_hdr, sum);
    else if (h->proto == IP_PROTO_UDP && n >= 8)
        sum = p->transport + offsetof(struct udp_hdr, sum);
    if (!sum)
        return;
    store16(sum, 0);
    store16(sum, csum_finish(csum_add(csum_pseudo4(h->src, h->dst, h->proto, n),
                                      p->transport, n)));
}
