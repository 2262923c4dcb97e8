// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateFilter -- sort packets by their aggregate annotation
 *
 * Usage:    AggregateFilter(ACTION AGGREGATES, ...)
 * Ports:    1 in, 1-254 out; push
 * Args:     ACTION AGGREGATES  what to do with these aggregates; any number of arguments
 * Counters: drops  packets dropped
 * Handlers: none
 * Example:  ... -> AggregateIPFlows -> AggregateFilter(allow 17 20-29, 1 all) -> ...
 * See also: AggregateIP, AggregateIPFlows, IPFilter
 *
 * An action is a port number, "allow" (0), or "drop" or "deny". Aggregates are numbers,
 * ranges such as 3-99, or, alone, "all" (or "-"). The first argument that names a packet's
 * aggregate decides; packets that none names are dropped, and so are those of a port that
 * there is not.
 */

#include "engine/element.h"
#include "engine/words.h"

#include <stdlib.h>

struct agg_range {
    uint32_t from, to; /* both belong to it */
    int32_t port;      /* not an output: drop */
};

enum { WARNINGS_MAX = 64 }; /* of one range */

struct aggregate_filter {
    struct agg_range *range; /* in the arena; disjoint, ascending */
    uint32_t n, room;
    int32_t others;
};

enum { C_DROPS };
static const struct counter_spec aggregate_filter_counters[] = {
    [C_DROPS] = {"drops", "packets dropped"},
    {NULL, NULL},
};

static int agg_insert(struct element *e, uint32_t at, struct agg_range r)
{
    struct aggregate_filter *s = element_state(e);

    if (s->n == s->room) {
        uint32_t room = s->room ? 2 * s->room : 16;
        struct agg_range *more = element_alloc(e, room * sizeof *more);

        if (!more)
            return -1;
        if (s->n)
            memcpy(more, s->range, s->n * sizeof *more);
        s->range = more;
        s->room = room;
    }
    memmove(s->range + at + 1, s->range + at, (s->n - at) * sizeof *s->range);
    s->range[at] = r;
    s->n++;
    return 0;
}

/* Say which aggregates of `r` an earlier argument sends elsewhere: `was`. */
static void agg_warn(const struct agg_range *r, const struct agg_range *was,
                     unsigned arg, struct diag *d)
{
    uint32_t from = r->from > was->from ? r->from : was->from;
    uint32_t to = r->to < was->to ? r->to : was->to, n = to - from;

    for (uint32_t i = 0; r->port != was->port && i <= n && i < WARNINGS_MAX; i++)
        diag_warn(d, "pattern %u: aggregate %u already filtered to output %d", arg,
                  from + i, was->port);
}

/* Add what of `r` no earlier argument has named. */
static int agg_add(struct element *e, struct agg_range r, unsigned arg, struct diag *d)
{
    struct aggregate_filter *s = element_state(e);
    uint32_t i = 0;

    for (; i < s->n && s->range[i].to < r.from; i++)
        ;
    for (; i < s->n && s->range[i].from <= r.to; i++) {
        agg_warn(&r, &s->range[i], arg, d);
        if (r.from < s->range[i].from) {
            if (agg_insert(e, i,
                           (struct agg_range){r.from, s->range[i].from - 1, r.port}))
                return diag_err(d, "out of memory");
            i++;
        }
        if (s->range[i].to >= r.to)
            return 0;
        r.from = s->range[i].to + 1;
    }
    return agg_insert(e, i, r) ? diag_err(d, "out of memory") : 0;
}

static bool agg_parse_range(char *word, struct agg_range *r)
{
    uint64_t from, to;
    char *dash = strchr(word, '-');

    if (dash)
        *dash = '\0';
    if (!parse_u64(word, 0, &from) || from > UINT32_MAX)
        return false;
    to = from;
    if (dash && (!parse_u64(dash + 1, 0, &to) || to > UINT32_MAX))
        return false;
    r->from = (uint32_t)from;
    r->to = (uint32_t)to;
    return true;
}

static int agg_action(const struct element *e, const char *word, int32_t *port)
{
    uint64_t number;

    if (!strcmp(word, "allow"))
        *port = 0;
    else if (!strcmp(word, "deny") || !strcmp(word, "drop"))
        *port = e->n_out;
    else if (parse_u64(word, 0, &number) && number <= INT32_MAX)
        *port = (int32_t)number;
    else
        return -1;
    return 0;
}

static int agg_pattern(struct element *e, unsigned arg, const char *text, bool *closed,
                       struct diag *d)
{
    struct aggregate_filter *s = element_state(e);
    char word[WORD_ROOM], before[WORD_ROOM];
    struct agg_range r;
    const char *rest;
    int rc = 0;

    if (!word_next(&text, word))
        return diag_err(d, "empty pattern %u", arg);
    if (*closed) {
        diag_warn(d, "pattern %u matches no packets", arg);
        return 0;
    }
    if (agg_action(e, word, &r.port) < 0)
        return diag_err(d, "pattern %u: expected a port number", arg);
    rest = text;
    if (!word_next(&rest, word))
        return diag_err(d, "pattern %u has no aggregates", arg);
    if ((!strcmp(word, "all") || !strcmp(word, "-")) && !word_next(&rest, before)) {
        s->others = r.port;
        *closed = r.port <= e->n_out;
        return 0;
    }
    while (word_next(&text, word)) {
        memcpy(before, word, sizeof before);
        if (!agg_parse_range(word, &r))
            rc = diag_err(d, "pattern %u: bad aggregate number '%s'", arg, before);
        else if (r.from <= r.to && agg_add(e, r, arg, d) < 0)
            return -1;
    }
    return rc;
}

static int aggregate_filter_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct aggregate_filter *s = element_state(e);
    bool closed = false;
    int rc = 0;

    s->others = -1;
    for (int i = 0; i < c->argc; i++)
        if (agg_pattern(e, (unsigned)i, c->argv[i], &closed, d) < 0)
            rc = -1;
    return rc;
}

static inline verdict_t aggregate_filter_one(struct element *e, struct pkt *p)
{
    const struct aggregate_filter *s = element_state(e);
    uint32_t agg = p->anno_u32[ANNO_AGGREGATE / 4], low = 0, high = s->n;
    int32_t port = s->others;

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (s->range[mid].to < agg)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < s->n && s->range[low].from <= agg)
        port = s->range[low].port;
    return port < 0 || port >= e->n_out ? drop(e, C_DROPS) : port;
}
ELEMENT_LOOP(aggregate_filter)

ELEMENT(AggregateFilter) = {
    .name = "AggregateFilter",
    .state_size = sizeof(struct aggregate_filter),
    .ports = "1/1-254",
    .processing = "h/h",
    .any_args = true,
    .counters = aggregate_filter_counters,
    .configure = aggregate_filter_configure,
    .push = aggregate_filter_push,
    .pull = aggregate_filter_pull,
};
