// SPDX-License-Identifier: BSD-3-Clause
/*
 * RoundRobinIPMapper -- spread new flows over patterns in turn
 *
 * Usage:    RoundRobinIPMapper(PATTERN FOUT ROUT, ...)
 * Ports:    none
 * Args:     each is a pattern with its outputs, as in IPRewriter: SADDR SPORT DADDR DPORT
 *           FOUT ROUT, or NAME FOUT ROUT
 * Example:  m :: RoundRobinIPMapper(- - 10.0.0.1 - 0 1, - - 10.0.0.2 - 0 1);
 *           rw :: IPRewriter(m, drop);
 * See also: IPRewriter, SourceIPHashMapper
 *
 * A mapper for rewriters: each new flow gets the next pattern; when all variations of that
 * one are taken, the one behind it.
 */

#include "engine/rewrite.h"

struct round_robin_ip_mapper {
    struct rewrite_input *choices; /* in the router's arena */
    uint32_t n;
    uint32_t next;
};

static int round_robin_ip_mapper_map(struct element *e, struct rewriter *rw,
                                     struct rewrite_input *is, const struct flow_id *in,
                                     uint8_t proto, struct flow_id *out)
{
    struct round_robin_ip_mapper *s = element_state(e);
    uint32_t at = s->next;

    for (uint32_t tries = 0; tries < s->n; tries++) {
        struct rewrite_input *c = &s->choices[at];
        at = at + 1 == s->n ? 0 : at + 1;
        if (rewrite_pattern_apply(c->pattern, rw, in, proto, out) == RW_MAP) {
            is->out = c->out;
            is->reply_out = c->reply_out;
            s->next = at;
            return RW_MAP;
        }
    }
    return RW_DROP;
}

static int round_robin_ip_mapper_check(struct element *e,
                                       const struct element *rewriter, struct diag *d)
{
    const struct round_robin_ip_mapper *s = element_state(e);

    return rewrite_check_choices(e, s->choices, s->n, rewriter, d);
}

static const struct ip_mapper round_robin_ip_mapper_ops = {
    .check = round_robin_ip_mapper_check,
    .map = round_robin_ip_mapper_map,
};

static int round_robin_ip_mapper_configure(struct element *e, struct conf *c,
                                           struct diag *d)
{
    struct round_robin_ip_mapper *s = element_state(e);
    int rc = 0;

    if (c->argc < 1)
        return diag_err(d, "no patterns given");
    if (c->argc == 1)
        diag_warn(d, "only one pattern given");
    s->choices = element_alloc(e, (size_t)c->argc * sizeof *s->choices);
    if (!s->choices)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++) {
        if (rewrite_pattern_input(e, c->argv[i], &s->choices[s->n], d) < 0)
            rc = -1;
        else
            s->n++;
    }
    return rc;
}

static void *round_robin_ip_mapper_cast(struct element *e, const char *kind)
{
    return strcmp(kind, "IPMapper") == 0 ? (void *)(uintptr_t)&round_robin_ip_mapper_ops
                                         : NULL;
}

ELEMENT(RoundRobinIPMapper) = {
    .name = "RoundRobinIPMapper",
    .state_size = sizeof(struct round_robin_ip_mapper),
    .ports = "0/0",
    .any_args = true,
    .configure = round_robin_ip_mapper_configure,
    .cast = round_robin_ip_mapper_cast,
};
