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
 * and others, STOC 1997). Which one it is is the same as in Click: places are what random()
 * of the GNU C library gives.
 */

#include "engine/rewrite.h"
#include "engine/words.h"

#include <stdlib.h>

enum { NODES_MAX = 1000, ID_MAX = 65535, RANDOM_LAG = 31 };

struct hash_node {
    uint32_t place; /* on the circle, below 2^31 */
    uint32_t choice;
};

struct source_ip_hash_mapper {
    struct rewrite_input *choices; /* in the router's arena */
    uint32_t *ids;                 /* of each choice */
    struct hash_node *tree;        /* a heap-shaped search tree of all places */
    uint32_t n, n_tree;
};

/* The numbers of the C library's random() after srandom(seed), which places are made of:
 * x(i) = x(i-3) + x(i-31), of which the last bit is dropped. */
struct hash_random {
    uint32_t x[RANDOM_LAG];
    uint32_t at;
};

static uint32_t hash_random_next(struct hash_random *r)
{
    uint32_t before = (r->at + RANDOM_LAG - 3) % RANDOM_LAG;
    uint32_t x = r->x[r->at] += r->x[before];

    r->at = (r->at + 1) % RANDOM_LAG;
    return x >> 1;
}

static void hash_random_init(struct hash_random *r, uint32_t seed)
{
    int64_t x = (int32_t)(seed ? seed : 1);

    for (uint32_t i = 0; i < RANDOM_LAG; i++) {
        r->x[i] = (uint32_t)x;
        x = 16807 * x % 2147483647;
        x += x < 0 ? 2147483647 : 0;
    }
    r->at = 3; /* the first three come again before the first sum */
    for (uint32_t i = 0; i < 10 * RANDOM_LAG; i++)
        hash_random_next(r);
}

/* The place that comes next; behind the last place it is the root's. */
static uint32_t source_ip_hash_mapper_find(const struct source_ip_hash_mapper *s,
                                           uint32_t place)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < s->n_tree;) {
        if (s->tree[i].place == place)
            return s->tree[i].choice;
        if (s->tree[i].place < place) {
            i = 2 * i + 2;
        } else {
            found = i;
            i = 2 * i + 1;
        }
    }
    return s->tree[found].choice;
}

/* Low bits have an effect on all, so that neighbours go to different servers. */
static uint32_t source_ip_hash_mapper_place(uint32_t addr)
{
    return addr * (addr << 24 | 1) % INT32_MAX;
}

static int source_ip_hash_mapper_map(struct element *e, struct rewriter *rw,
                                     struct rewrite_input *is, const struct flow_id *in,
                                     uint8_t proto, struct flow_id *out)
{
    struct source_ip_hash_mapper *s = element_state(e);
    uint32_t at = source_ip_hash_mapper_find(s, source_ip_hash_mapper_place(in->src));
    const struct rewrite_input *c = &s->choices[at];

    if (rewrite_pattern_apply(c->pattern, rw, in, proto, out) != RW_MAP)
        return RW_DROP;
    is->out = c->out;
    is->reply_out = c->reply_out;
    return RW_MAP;
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

    if (!blank || !parse_u64(blank + 1, 0, id) || *id > ID_MAX)
        return false;
    *blank = '\0';
    return true;
}

static int by_place(const void *a, const void *b)
{
    uint32_t pa = ((const struct hash_node *)a)->place;
    uint32_t pb = ((const struct hash_node *)b)->place;

    return pa < pb ? -1 : pa > pb;
}

/* The sorted `nodes` as a tree without gaps, level by level. */
static void source_ip_hash_mapper_plant(struct source_ip_hash_mapper *s,
                                        const struct hash_node *nodes, uint32_t n)
{
    uint32_t full = 1, gaps, step;

    while (full <= n)
        full *= 2;
    gaps = 2 * ((n + 1) / 2) + 1 -
           2 * ((full - 1 - n) / 2); /* from here, every second */
    for (step = full; step > 1 && s->n_tree < n; step /= 2)
        for (uint32_t x = step / 2; x < full && s->n_tree < n; x += step) {
            uint32_t from = x < gaps ? x : (x + gaps - 1) / 2;

            s->tree[s->n_tree++] = nodes[from - 1 < n ? from - 1 : n - 1];
        }
}

/* Servers get their places in the order of their IDs, and so do IDs that are not there.
 * The first choice is for the smallest ID. */
static int source_ip_hash_mapper_build(struct element *e, uint32_t n_nodes,
                                       uint32_t seed, struct diag *d)
{
    struct source_ip_hash_mapper *s = element_state(e);
    size_t room = (size_t)s->n * n_nodes;
    struct hash_node *nodes = calloc(room, sizeof *nodes);
    uint8_t *used = calloc(ID_MAX + 1, 1);
    uint32_t n = 0, choice = 0, last = 0;
    struct hash_random r;

    s->tree = element_alloc(e, room * sizeof *s->tree);
    if (!nodes || !used || !s->tree) {
        free(nodes);
        free(used);
        return diag_err(d, "out of memory");
    }
    for (uint32_t i = 0; i < s->n; i++) {
        used[s->ids[i]] = 1;
        last = s->ids[i] > last ? s->ids[i] : last;
    }
    hash_random_init(&r, seed);
    for (uint32_t id = 0; id <= last; id++) {
        for (uint32_t i = 0; i < n_nodes; i++) {
            uint32_t place = hash_random_next(&r);

            if (used[id])
                nodes[n++] = (struct hash_node){place, choice};
        }
        choice += used[id];
    }
    qsort(nodes, n, sizeof *nodes, by_place);
    source_ip_hash_mapper_plant(s, nodes, n);
    free(nodes);
    free(used);
    return 0;
}

static int source_ip_hash_mapper_add(struct element *e, const char *arg, struct diag *d)
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
    s->ids[s->n++] = (uint32_t)id;
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
    if (*nodes > NODES_MAX)
        return diag_err(d, "number of nodes must not exceed %d", NODES_MAX);
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
    s->choices = element_alloc(e, (size_t)c->argc * sizeof *s->choices);
    s->ids = element_alloc(e, (size_t)c->argc * sizeof *s->ids);
    if (!s->choices || !s->ids)
        return diag_err(d, "out of memory");
    for (int i = 1; i < c->argc; i++)
        if (source_ip_hash_mapper_add(e, c->argv[i], d) < 0)
            rc = -1;
    return rc < 0 ? rc
                  : source_ip_hash_mapper_build(e, (uint32_t)nodes, (uint32_t)seed, d);
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
