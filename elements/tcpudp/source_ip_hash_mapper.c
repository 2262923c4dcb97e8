// SPDX-License-Identifier: BSD-3-Clause
/*
 * SourceIPHashMapper -- spread new flows over patterns by their source address
 *
 * Usage:    SourceIPHashMapper(NNODES SEED, PATTERN FOUT ROUT ID, ...)
 * Ports:    none
 * Args:     NNODES  places on the circle for each pattern
 *           SEED    changes all places
 *           the others are patterns with their outputs and an ID that decides their places
 * Example:  m :: SourceIPHashMapper(5 0xbadbeef, - - 10.0.0.1 - 0 1 1, - - 10.0.0.2 - 0 1 2);
 * See also: IPRewriter, RoundRobinIPMapper
 *
 * A mapper for rewriters: all flows of one source address get the same pattern, and when
 * patterns are added or taken away most addresses keep theirs (consistent hashing, Karger
 * and others, STOC 1997).
 */

#include "engine/rewrite.h"
#include "engine/words.h"

struct source_ip_hash_mapper {
    struct rewrite_input *choices; /* in the router's arena */
    uint32_t n;
    struct {
        uint32_t place, choice;
    } * ring; /* sorted by place */
    uint32_t n_ring, seed;
};

static uint32_t source_ip_hash_mapper_place(uint32_t seed, uint32_t a, uint32_t b)
{
    uint64_t x = ((uint64_t)a << 32 | b) ^ (uint64_t)seed * 0x9e3779b97f4a7c15ull;

    x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)(x >> 32);
}

/* The choice whose place on the circle comes next. */
static uint32_t source_ip_hash_mapper_find(const struct source_ip_hash_mapper *s,
                                           uint32_t place)
{
    uint32_t low = 0, high = s->n_ring;

    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (s->ring[mid].place < place)
            low = mid + 1;
        else
            high = mid;
    }
    return s->ring[low == s->n_ring ? 0 : low].choice;
}

static int source_ip_hash_mapper_map(struct element *e, struct rewriter *rw,
                                     struct rewrite_input *is, const struct flow_id *in,
                                     uint8_t proto, struct flow_id *out)
{
    struct source_ip_hash_mapper *s = element_state(e);
    uint32_t at = source_ip_hash_mapper_find(
        s, source_ip_hash_mapper_place(s->seed, in->src, 0));

    for (uint32_t tries = 0; tries < s->n; tries++) {
        struct rewrite_input *c = &s->choices[at];
        at = at + 1 == s->n ? 0 : at + 1;
        if (rewrite_pattern_apply(c->pattern, rw, in, proto, out) == RW_MAP) {
            is->out = c->out;
            is->reply_out = c->reply_out;
            return RW_MAP;
        }
    }
    return RW_DROP;
}

static int source_ip_hash_mapper_check(struct element *e,
                                       const struct element *rewriter, struct diag *d)
{
    const struct source_ip_hash_mapper *s = element_state(e);

    return rewrite_check_choices(e, s->choices, s->n, rewriter, d);
}

static const struct ip_mapper source_ip_hash_mapper_ops = {
    .check = source_ip_hash_mapper_check,
    .map = source_ip_hash_mapper_map,
};

/* "PATTERN FOUT ROUT ID": cut off and return the ID. */
static bool source_ip_hash_mapper_id(char *text, uint64_t *id)
{
    char *blank = strrchr(text, ' ');

    if (!blank || !parse_u64(blank + 1, 0, id) || *id > UINT32_MAX)
        return false;
    *blank = '\0';
    return true;
}

static void source_ip_hash_mapper_enter(struct source_ip_hash_mapper *s, uint32_t place)
{
    uint32_t i = s->n_ring++;

    for (; i && s->ring[i - 1].place > place; i--)
        s->ring[i] = s->ring[i - 1];
    s->ring[i].place = place;
    s->ring[i].choice = s->n;
}

static int source_ip_hash_mapper_add(struct element *e, const char *arg, uint32_t nodes,
                                     struct diag *d)
{
    struct source_ip_hash_mapper *s = element_state(e);
    size_t len = strlen(arg);
    char *text = element_alloc(e, len + 1);
    uint64_t id;

    if (!text)
        return diag_err(d, "out of memory");
    memcpy(text, arg, len + 1);
    if (!source_ip_hash_mapper_id(text, &id))
        return diag_err(d, "bad server ID in pattern spec");
    if (rewrite_pattern_input(e, text, &s->choices[s->n], d) < 0)
        return -1;
    for (uint32_t i = 0; i < nodes; i++)
        source_ip_hash_mapper_enter(
            s, source_ip_hash_mapper_place(s->seed, (uint32_t)id, i + 1));
    s->n++;
    return 0;
}

/* "NNODES SEED", and whether there is anything behind it. */
static int source_ip_hash_mapper_head(const struct conf *c, int64_t *nodes,
                                      int64_t *seed, struct diag *d)
{
    char first[WORD_ROOM], second[WORD_ROOM], more[WORD_ROOM];
    const char *head = c->argc ? c->argv[0] : "";

    if (c->argc == 0)
        return diag_err(d, "no hash seed given");
    if (c->argc == 1)
        return diag_err(d, "no patterns given");
    if (c->argc == 2)
        diag_warn(d, "only one pattern given");
    if (!word_next(&head, first) || !word_next(&head, second) || word_next(&head, more))
        return diag_err(d, "requires 2 config params: numnodes seed");
    if (!parse_i64(first, 0, nodes) || *nodes <= 0)
        return diag_err(d, "number of nodes must be an integer");
    if (*nodes > 1000)
        return diag_err(d, "number of nodes must not exceed 1000");
    if (!parse_i64(second, 0, seed))
        return diag_err(d, "hash seed must be an integer");
    return 0;
}

static int source_ip_hash_mapper_configure(struct element *e, struct conf *c,
                                           struct diag *d)
{
    struct source_ip_hash_mapper *s = element_state(e);
    int64_t nodes, seed;
    int rc = 0;

    if (source_ip_hash_mapper_head(c, &nodes, &seed, d) < 0)
        return -1;
    s->seed = (uint32_t)seed;
    s->choices = element_alloc(e, (size_t)c->argc * sizeof *s->choices);
    s->ring = element_alloc(e, (size_t)c->argc * (size_t)nodes * sizeof *s->ring);
    if (!s->choices || !s->ring)
        return diag_err(d, "out of memory");
    for (int i = 1; i < c->argc; i++)
        if (source_ip_hash_mapper_add(e, c->argv[i], (uint32_t)nodes, d) < 0)
            rc = -1;
    return rc;
}

static void *source_ip_hash_mapper_cast(struct element *e, const char *kind)
{
    return strcmp(kind, "IPMapper") == 0 ? (void *)(uintptr_t)&source_ip_hash_mapper_ops
                                         : NULL;
}

ELEMENT(SourceIPHashMapper) = {
    .name = "SourceIPHashMapper",
    .state_size = sizeof(struct source_ip_hash_mapper),
    .ports = "0/0",
    .any_args = true,
    .configure = source_ip_hash_mapper_configure,
    .cast = source_ip_hash_mapper_cast,
};
