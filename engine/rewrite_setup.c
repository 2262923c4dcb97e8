// SPDX-License-Identifier: BSD-3-Clause
/* rewrite_setup.c -- address translation: what begins and ends a rewriter; see rewrite.h */

#include "engine/rewrite.h"

#define MS 1000000ll

enum {
    MAX_TIMEOUT_MS = 1 << 30, /* 12 days: differences of the table's clock stay below */
    REAP_SLICE = 1024, /* mappings that are looked at before packets get a turn */
};

uint32_t rewriter_now_ms(const struct element *e)
{
    return (uint32_t)(element_coarse_now(e) / MS);
}

static uint32_t to_ms(int64_t ns)
{
    int64_t ms = ns / MS;

    return ms < 0 ? 0 : ms > MAX_TIMEOUT_MS ? MAX_TIMEOUT_MS : (uint32_t)ms;
}

static void set_timeouts(struct rewriter *rw)
{
    int64_t first = rw->timeout_ns, guarantee = rw->guarantee_ns;
    bool by_protocol = rw->kind == REWRITE_TCP_UDP;

    if (by_protocol || (rw->have_udp_timeout && !rw->have_timeout))
        first = rw->udp_timeout_ns;
    if (rw->have_udp_guarantee && (by_protocol || !rw->have_guarantee))
        guarantee = rw->udp_guarantee_ns;
    else if (by_protocol)
        guarantee = rw->udp_guarantee_ns;
    rw->udp.first_ms = rw->udp.both_ms = to_ms(first);
    if (rw->have_udp_streaming)
        rw->udp.both_ms = to_ms(rw->udp_streaming_ns);
    rw->udp.guarantee_ms = to_ms(guarantee);

    rw->tcp.first_ms = to_ms(rw->tcp_nodata_ns);
    rw->tcp.both_ms = to_ms(rw->have_timeout && !rw->have_tcp_timeout
                                ? rw->timeout_ns
                                : rw->tcp_timeout_ns);
    rw->tcp.done_ms = to_ms(rw->tcp_done_ns);
    rw->tcp.guarantee_ms = to_ms(rw->have_guarantee ? rw->guarantee_ns
                                                    : rw->tcp_guarantee_ns);
}

struct rewrite_heap *rewriter_heap(struct element *e)
{
    struct rewriter *rw = element_state(e);

    if (!rw->heap && (rw->heap = element_alloc(e, sizeof *rw->heap)))
        rw->heap->capacity = INT32_MAX;
    return rw->heap;
}

uint32_t rewrite_heap_size(const struct rewrite_heap *h)
{
    uint32_t n = 0;

    for (const struct rewriter *rw = h->members; rw; rw = rw->next_member)
        n += rw->flows.count;
    return n;
}

/* A number, or another rewriter whose capacity is used. */
static int set_capacity(struct element *e, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    const struct text *t = rw->mapping_capacity_text.s ? &rw->mapping_capacity_text
                                                       : &rw->capacity_text;
    struct element *other;
    int64_t n;

    if (!rewriter_heap(e))
        return diag_err(d, "out of memory");
    if (!t->s)
        return 0;
    if (parse_i64(t->s, 0, &n) && n >= INT32_MIN && n <= INT32_MAX) {
        rw->heap->capacity = (int32_t)n;
        return 0;
    }
    other = element_find(e, t->s, NULL);
    if (!other || !other->cls->cast || !other->cls->cast(other, "IPRewriterBase"))
        return diag_err(d, "bad MAPPING_CAPACITY");
    rw->heap = rewriter_heap(other);
    return rw->heap ? 0 : diag_err(d, "out of memory");
}

int rewriter_configure(struct element *e, struct conf *c, enum rewriter_kind kind,
                       struct diag *d)
{
    struct rewriter *rw = element_state(e);
    int rc = 0;

    rw->e = e;
    rw->kind = kind;
    flow_table_init(&rw->flows, (uint64_t)element_random(e) << 32 | element_random(e),
                    rewriter_now_ms(e));
    rw->flows.platform = element_platform(e);
    set_timeouts(rw);
    if (set_capacity(e, d) < 0)
        return -1;
    if (c->argc != e->n_in)
        return diag_err(d, "need %d arguments, one per input port", e->n_in);
    rw->inputs = element_alloc(e, ((size_t)c->argc + 1) * sizeof *rw->inputs);
    if (!rw->inputs)
        return diag_err(d, "out of memory");
    rw->n_inputs = (uint32_t)c->argc;
    for (int i = 0; i < c->argc; i++)
        if (rewrite_input_parse(e, c->argv[i], (unsigned)i, &rw->inputs[i], d) < 0)
            rc = -1;
    return rc < 0 ? rc : rewriter_make_handlers(e, d);
}

void rewriter_count_gone(void *ctx, const struct flow *f)
{
    ((struct rewriter *)ctx)->inputs[f->input].count--;
}

/* Slice by slice: nothing else waits for a large table. */
static void reap(struct element *e, struct timer *t)
{
    struct rewriter *rw = element_state(e);
    uint32_t now_ms = rewriter_now_ms(e);

    if (!rw->reaping)
        flow_reap_begin(&rw->flows, now_ms);
    rw->reaping = flow_reap_some(&rw->flows, now_ms, REAP_SLICE, rewriter_count_gone,
                                 rw);
    timer_after(t, rw->reaping ? 0 : rw->reap_ns);
}

/* Unless it shares its capacity. */
bool rewriter_is_apart(const struct element *e)
{
    const struct rewriter *rw = element_state(e);

    return rw->heap->members == rw && !rw->next_member;
}

int rewriter_initialize(struct element *e, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    int rc = 0;

    rw->next_member = rw->heap->members;
    rw->heap->members = rw;
    for (uint32_t i = 0; i < rw->n_inputs; i++) {
        const struct rewrite_input *is = &rw->inputs[i];
        if (is->what == RW_KIND_MAPPER && is->mapper_ops->check &&
            is->mapper_ops->check(is->mapper, e, d) < 0)
            rc = -1;
    }
    timer_init(&rw->reap, e, reap);
    if (rw->reap_ns)
        timer_after(&rw->reap, rw->reap_ns);
    return rc;
}

/* Mappings go on whatever the new specifications say, as long as their input and outputs
 * exist: those who talk through them must not notice. */
void rewriter_take_state(struct element *e, struct element *old)
{
    struct rewriter *rw = element_state(e), *o = element_state(old);
    struct flow *f;
    uint32_t at = 0;

    if (rw->kind != o->kind)
        return;
    flow_table_fini(&rw->flows);
    rw->flows = o->flows;
    flow_table_init(&o->flows, 0, 0);
    while ((f = flow_next(&rw->flows, &at)))
        if (f->input < rw->n_inputs && f->out[0] < e->n_out && f->out[1] < e->n_out)
            rw->inputs[f->input].count++;
        else
            flow_remove(&rw->flows, f);
    rw->reaping = false;
    for (uint32_t i = 0; i < rw->n_inputs && i < o->n_inputs; i++)
        rw->inputs[i].failures = o->inputs[i].failures;
    rewriter_shrink(rw, false);
}

void rewriter_cleanup(struct element *e)
{
    struct rewriter *rw = element_state(e);

    flow_table_fini(&rw->flows);
}

void *rewriter_cast(struct element *e, const char *kind)
{
    const struct rewriter *rw = element_state(e);
    bool tcp = rw->kind == REWRITE_TCP || rw->kind == REWRITE_TCP_UDP;

    return strcmp(kind, "IPRewriterBase") == 0 ||
                   (tcp && strcmp(kind, "TCPRewriter") == 0)
               ? element_state(e)
               : NULL;
}
