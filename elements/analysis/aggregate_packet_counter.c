// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregatePacketCounter -- count packets by aggregate and packet number
 *
 * Usage:    AggregatePacketCounter([NOTIFIER, ANNO PACKET_NUMBER])
 * Ports:    any number in, as many out; push or pull
 * Args:     NOTIFIER  accepted; has no effect
 *           ANNO      annotation of 4 bytes that has the packet number, default
 *                     PACKET_NUMBER; NONE: do not look at packet numbers
 *           PACKETNO  old: -1 is ANNO NONE, 0 and 1 are the first and the second 4 bytes of
 *                     PACKET_NUMBER
 * Counters: none
 * Handlers: clear        (write) forget everything
 *           count        (read) packets counted
 *           received     (read, parameter) numbers of the packets of this aggregate that
 *                        came in on any input, one a line
 *           undelivered  (read, parameter) numbers of the packets of this aggregate that
 *                        came on input 0 more often than on input 1
 * Example:  s -> [0] apc :: AggregatePacketCounter [0] -> net :: Network -> [1] apc [1] -> Discard;
 * See also: AggregateCounter, AggregateIPFlows
 *
 * Packets pass unchanged, from each input to the output of the same number. Packets with
 * aggregate annotation 0 are not counted, nor are packet numbers above 1,000,000.
 */

#include "engine/element.h"

#include <stdlib.h>

enum { NUMBER_MAX = 1000000, FLOW_SLOTS = 1024, ANNO_PACKET_NUMBER_2 = 44 };

struct apc_column {
    uint32_t *counts; /* owned; by packet number */
    uint32_t n;
};

struct apc_flow {
    struct apc_flow *next; /* owned */
    uint32_t aggregate;
    struct apc_column columns[]; /* one an input */
};

struct aggregate_packet_counter {
    struct element *notifier;
    struct text anno_arg;
    int32_t packetno;
    int32_t anno;                       /* byte offset; -1: none */
    bool asked, counted;                /* packets came; one of them had an aggregate */
    struct apc_flow *flows[FLOW_SLOTS]; /* owned */
};

static const struct arg_spec aggregate_packet_counter_args[] = {
    ARG_ELEMENT(aggregate_packet_counter, notifier, "NOTIFIER", 0, NULL, "accepted"),
    ARG_WORD(aggregate_packet_counter, anno_arg, "ANNO", 0, NULL, "packet number"),
    ARG_I32(aggregate_packet_counter, packetno, "PACKETNO", ARG_OLD, "0",
            "which packet number"),
    ARG_END,
};

static int aggregate_packet_counter_configure(struct element *e, struct conf *c,
                                              struct diag *d)
{
    struct aggregate_packet_counter *s = element_state(e);
    struct anno_ref anno;

    if (s->packetno > 1)
        return diag_err(d, "'PACKETNO' cannot be bigger than 1");
    s->anno = s->packetno < 0   ? -1
              : s->packetno > 0 ? ANNO_PACKET_NUMBER_2
                                : ANNO_PACKET_NUMBER;
    if (!s->anno_arg.len)
        return 0;
    if (!strcmp(s->anno_arg.s, "NONE"))
        s->anno = -1;
    else if (parse_anno_at(e, s->anno_arg.s, 4, &anno) && anno.size == 4)
        s->anno = anno.offset;
    else
        return diag_err(d, "bad ANNO");
    return 0;
}

static void apc_clear(struct element *e)
{
    struct aggregate_packet_counter *s = element_state(e);

    for (unsigned i = 0; i < FLOW_SLOTS; i++)
        while (s->flows[i]) {
            struct apc_flow *f = s->flows[i];

            s->flows[i] = f->next;
            for (unsigned c = 0; c < e->n_in; c++)
                free(f->columns[c].counts);
            free(f);
        }
}

static struct apc_flow *apc_find(const struct aggregate_packet_counter *s, uint32_t agg)
{
    struct apc_flow *f = s->flows[agg % FLOW_SLOTS];

    while (f && f->aggregate != agg)
        f = f->next;
    return f;
}

static struct apc_flow *apc_make(struct element *e, uint32_t agg)
{
    struct aggregate_packet_counter *s = element_state(e);
    struct apc_flow *f = apc_find(s, agg);

    if (f)
        return f;
    f = calloc(1, sizeof *f + e->n_in * sizeof f->columns[0]);
    if (!f)
        return NULL;
    f->aggregate = agg;
    f->next = s->flows[agg % FLOW_SLOTS];
    s->flows[agg % FLOW_SLOTS] = f;
    return f;
}

static void apc_add(struct apc_column *c, uint32_t number)
{
    if (number > NUMBER_MAX)
        return;
    if (number >= c->n) {
        uint32_t n = number + number / 2 + 16;
        uint32_t *more = realloc(c->counts, n * sizeof *more);

        if (!more)
            return;
        memset(more + c->n, 0, (n - c->n) * sizeof *more);
        c->counts = more;
        c->n = n;
    }
    c->counts[number]++;
}

static void apc_count(struct element *e, unsigned port, const struct pkt *p)
{
    struct aggregate_packet_counter *s = element_state(e);
    uint32_t agg = p->anno_u32[ANNO_AGGREGATE / 4], number = 0;
    struct apc_flow *f;

    s->asked = true;
    if (!agg || !(f = apc_make(e, agg)))
        return;
    s->counted = true;
    if (s->anno >= 0)
        memcpy(&number, p->anno + s->anno, sizeof number);
    apc_add(&f->columns[port], number);
}

static void aggregate_packet_counter_push(struct element *e, unsigned port,
                                          struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        apc_count(e, port, b->p[i]);
    out_push(e, port, b);
}

static uint32_t aggregate_packet_counter_pull(struct element *e, unsigned port,
                                              struct batch *b, uint32_t max)
{
    uint32_t from = b->n;

    in_pull(e, port, b, max);
    for (uint32_t i = from; i < b->n; i++)
        apc_count(e, port, b->p[i]);
    return b->n - from;
}

static void aggregate_packet_counter_cleanup(struct element *e)
{
    const struct aggregate_packet_counter *s = element_state(e);

    if (e->initialized && s->asked && !s->counted)
        element_say(e, "%s: warning: saw no packets with aggregate annotations\n",
                    element_declaration(e));
    apc_clear(e);
}

static int apc_read_count(struct element *e, const struct handler_spec *h,
                          const char *param, struct sbuf *out, struct diag *d)
{
    const struct aggregate_packet_counter *s = element_state(e);
    uint64_t n = 0;

    for (unsigned i = 0; i < FLOW_SLOTS; i++)
        for (const struct apc_flow *f = s->flows[i]; f; f = f->next)
            for (unsigned c = 0; c < e->n_in; c++)
                for (uint32_t k = 0; k < f->columns[c].n; k++)
                    n += f->columns[c].counts[k];
    sbuf_printf(out, "%llu", (unsigned long long)n);
    return 0;
}

static uint32_t apc_at(const struct apc_flow *f, unsigned column, uint32_t number)
{
    const struct apc_column *c = &f->columns[column];

    return number < c->n ? c->counts[number] : 0;
}

static int apc_read_numbers(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d)
{
    const struct aggregate_packet_counter *s = element_state(e);
    const struct apc_flow *f;
    uint64_t agg = 0;
    uint32_t n = 0;

    if (param && *param && (!parse_u64(param, 0, &agg) || agg > UINT32_MAX))
        return diag_err(d, "argument should be aggregate number");
    if (!(f = apc_find(s, (uint32_t)agg)))
        return 0;
    for (unsigned c = 0; c < e->n_in; c++)
        n = f->columns[c].n > n ? f->columns[c].n : n;
    for (uint32_t k = 0; k < n; k++) {
        bool yes = false;

        if (h->user)
            yes = apc_at(f, 0, k) > (e->n_in > 1 ? apc_at(f, 1, k) : 0);
        for (unsigned c = 0; !h->user && c < e->n_in; c++)
            yes |= apc_at(f, c, k) > 0;
        if (yes)
            sbuf_printf(out, "%u\n", k);
    }
    return 0;
}

static int apc_write_clear(struct element *e, const struct handler_spec *h,
                           const char *value, size_t len, struct diag *d)
{
    apc_clear(e);
    return 0;
}

static const struct handler_spec aggregate_packet_counter_handlers[] = {
    HANDLER_WRITER(apc_write_clear, "clear", "forget everything"),
    HANDLER_READER(apc_read_count, "count", "packets counted"),
    {.name = "received",
     .help = "numbers of packets that came",
     .flags = HANDLER_READ | HANDLER_PARAM,
     .read = apc_read_numbers},
    {.name = "undelivered",
     .help = "numbers of packets that input 0 has more often than input 1",
     .flags = HANDLER_READ | HANDLER_PARAM,
     .user = 1,
     .read = apc_read_numbers},
    HANDLER_END,
};

ELEMENT(AggregatePacketCounter) = {
    .name = "AggregatePacketCounter",
    .state_size = sizeof(struct aggregate_packet_counter),
    .ports = "-/=",
    .flow = "#/#",
    .args = aggregate_packet_counter_args,
    .handlers = aggregate_packet_counter_handlers,
    .configure = aggregate_packet_counter_configure,
    .cleanup = aggregate_packet_counter_cleanup,
    .push = aggregate_packet_counter_push,
    .pull = aggregate_packet_counter_pull,
};
