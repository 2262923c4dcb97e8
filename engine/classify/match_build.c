// SPDX-License-Identifier: BSD-3-Clause
/* match_build.c -- from rules to tables and search trees: see match.h */

#include "engine/classify/match_build.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEAF_RULES = 4,    /* records that are looked at one by one without regret */
    SMALL_RULES = 8,   /* so few need no tree at all */
    NIBBLE_RULES = 48, /* up to here nodes have 16 children, then 256 */
    WIDE_OK = 4,       /* rules that may be copied below all children */
    PLACES_MAX = 64,   /* different words that compete for slots */
    DEPTH_MAX = 24,
};

struct classify_builder {
    struct arena *arena; /* becomes the classifier's */
    struct conj_set set;
    int32_t *outputs; /* owned; by rule */
    uint32_t n_rules, room_rules;
    bool closed; /* some rule matches everything: what follows is never reached */
    bool ip6;
};

struct classify_builder *classify_builder_new(void)
{
    struct classify_builder *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->arena = arena_new(0);
    if (!b->arena) {
        free(b);
        return NULL;
    }
    conj_set_init(&b->set, b->arena);
    return b;
}

void classify_builder_ip6(struct classify_builder *b)
{
    b->ip6 = true;
}

void classify_builder_free(struct classify_builder *b)
{
    if (!b)
        return;
    conj_set_fini(&b->set);
    free(b->outputs);
    arena_free(b->arena);
    free(b);
}

int classify_add(struct classify_builder *b, const struct expr *x, int output)
{
    uint32_t room = b->room_rules ? 2 * b->room_rules : 64;
    uint32_t first = b->set.n_terms;
    void *p;

    if (b->n_rules == b->room_rules) {
        p = realloc(b->outputs, room * sizeof *b->outputs);
        if (!p)
            return -1;
        b->outputs = p;
        b->room_rules = room;
    }
    b->outputs[b->n_rules] = output;
    if (!b->closed && conj_set_add(&b->set, x, b->n_rules) < 0)
        return -1;
    for (uint32_t i = first; i < b->set.n_terms; i++) {
        const struct conj *t = &b->set.terms[i];

        if (!t->n_words && !t->n_ranges && !t->n_checks)
            b->closed = true;
    }
    b->n_rules++;
    return 0;
}

/* --- slots ------------------------------------------------------------------------ */

struct place {
    uint16_t base, offset;
    uint32_t uses;
};

static void count_place(struct place *places, uint32_t *n, unsigned base,
                        unsigned offset)
{
    for (uint32_t i = 0; i < *n; i++)
        if (places[i].base == base && places[i].offset == offset) {
            places[i].uses++;
            return;
        }
    if (*n < PLACES_MAX)
        places[(*n)++] = (struct place){(uint16_t)base, (uint16_t)offset, 1};
}

static int place_cmp(const void *pa, const void *pb)
{
    const struct place *a = pa, *b = pb;

    if (a->uses != b->uses)
        return a->uses < b->uses ? 1 : -1;
    if (a->base != b->base)
        return a->base < b->base ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void use_slot(struct classify *c, uint32_t slot, unsigned base, unsigned offset)
{
    uint32_t end = offset + 4;

    c->slots[slot].base = (uint16_t)base;
    c->slots[slot].offset = (uint16_t)offset;
    if (c->need[base] < end)
        c->need[base] = end;
    c->on_data &= base == BASE_DATA;
    c->on_ip &= base == BASE_NET || base == BASE_TRANSP;
}

static const struct place five_tuple[SLOTS_CORE] = {
    {BASE_NET, 6, 0}, {BASE_NET, 12, 0}, {BASE_NET, 16, 0}, {BASE_TRANSP, 0, 0}};

/* IP rules get the fixed core whenever their words are mostly of it. */
static bool wants_five_tuple(const struct place *places, uint32_t n)
{
    uint32_t in = 0, out = 0;

    for (uint32_t i = 0; i < n; i++) {
        bool core = false;

        if (places[i].base != BASE_NET && places[i].base != BASE_TRANSP)
            return false;
        for (uint32_t s = 0; s < SLOTS_CORE; s++)
            core |= places[i].base == five_tuple[s].base &&
                    places[i].offset == five_tuple[s].offset;
        in += core;
        out += !core;
    }
    return in >= 2 && out <= SLOTS - SLOTS_CORE;
}

static void choose_slots(struct classify *c, const struct conj_set *set)
{
    struct place places[PLACES_MAX];
    uint32_t n = 0, slot = 0;

    for (uint32_t i = 0; i < set->n_words; i++)
        count_place(places, &n, set->words[i].base, set->words[i].offset);
    for (uint32_t i = 0; i < set->n_ranges; i++)
        count_place(places, &n, set->ranges[i].base, set->ranges[i].offset);
    qsort(places, n, sizeof *places, place_cmp);
    c->on_data = c->words_decide = true;
    c->on_ip = !c->ip6;
    c->five_tuple = !c->ip6 && wants_five_tuple(places, n);
    if (c->five_tuple)
        for (; slot < SLOTS_CORE; slot++)
            use_slot(c, slot, five_tuple[slot].base, five_tuple[slot].offset);
    for (uint32_t i = 0; i < n && slot < SLOTS; i++) {
        bool there = false;

        for (uint32_t s = 0; s < slot; s++)
            there |= c->slots[s].base == places[i].base &&
                     c->slots[s].offset == places[i].offset;
        if (!there)
            use_slot(c, slot++, places[i].base, places[i].offset);
    }
    c->n_slots = slot <= SLOTS_CORE ? SLOTS_CORE : SLOTS;
    c->n_used = slot;
    for (; slot > 0 && slot < SLOTS; slot++)
        c->slots[slot] = c->slots[0]; /* what is loaded and not looked at must exist */
}

static int find_slot(const struct classify *c, unsigned base, unsigned offset)
{
    for (uint32_t s = 0; s < c->n_used; s++)
        if (c->slots[s].base == base && c->slots[s].offset == offset)
            return (int)s;
    return -1;
}

/* --- terms to items --------------------------------------------------------------- */

bool match_reserve(struct match_build *b, void **array, uint32_t n, uint32_t more,
                   uint32_t *room, size_t size)
{
    uint32_t want = *room ? *room : 256;
    void *p;

    while (want < n + more)
        want *= 2;
    if (want == *room)
        return true;
    p = realloc(*array, want * size);
    if (!p) {
        b->failed = true;
        return false;
    }
    *array = p;
    *room = want;
    return true;
}

static void add_check(struct match_build *b, struct match_item *it,
                      struct match_check m)
{
    void *array = b->checks;

    if (!match_reserve(b, &array, b->n_checks, 1, &b->room_checks, sizeof m))
        return;
    b->checks = array;
    if (m.kind == CHECK_TREE)
        b->c->words_decide = false;
    else
        b->c->looks_at[m.slot] |= __builtin_bswap32(m.mask);
    m.last = true;
    if (it->n_checks++)
        b->checks[b->n_checks - 1].last = false;
    else
        it->first_check = b->n_checks;
    b->checks[b->n_checks++] = m;
}

/* A test that no slot serves, as a tree. */
static void add_test_check(struct match_build *b, struct match_item *it,
                           struct expr_test t, bool want)
{
    struct expr *x = expr_test(b->c->arena, t);

    if (x)
        add_check(b, it,
                  (struct match_check){.kind = CHECK_TREE, .want = want, .x = x});
    else
        b->failed = true;
}

static void item_word(struct match_build *b, struct match_item *it,
                      const struct conj_word *w)
{
    int slot = find_slot(b->c, w->base, w->offset);

    if (slot >= 0) {
        it->mask[slot] |= w->mask;
        it->value[slot] |= w->value;
        return;
    }
    add_test_check(
        b, it,
        (struct expr_test){
            .base = w->base, .offset = w->offset, .mask = w->mask, .value = w->value},
        true);
}

static void item_range(struct match_build *b, struct match_item *it,
                       const struct conj_range *r)
{
    int slot = find_slot(b->c, r->base, r->offset);
    struct expr_test t = {
        .base = r->base, .offset = r->offset, .op = EXPR_GT, .mask = r->mask};

    if (slot >= 0) {
        add_check(b, it,
                  (struct match_check){.kind = CHECK_RANGE,
                                       .slot = (uint8_t)slot,
                                       .want = true,
                                       .mask = r->mask,
                                       .lo = r->lo,
                                       .hi = r->hi});
        return;
    }
    t.negated = true;
    t.value = r->hi;
    add_test_check(b, it, t, true);
    if (r->lo) {
        t.negated = false;
        t.value = r->lo - (r->mask & -r->mask);
        add_test_check(b, it, t, true);
    }
}

static void item_check(struct match_build *b, struct match_item *it,
                       const struct conj_check *m)
{
    int slot = m->x ? -1 : find_slot(b->c, m->test.base, m->test.offset);

    if (m->x)
        add_check(b, it,
                  (struct match_check){.kind = CHECK_TREE, .want = m->want, .x = m->x});
    else if (slot < 0 || m->test.op != EXPR_EQ)
        add_test_check(b, it, m->test, m->want);
    else
        add_check(b, it,
                  (struct match_check){.kind = CHECK_EQ,
                                       .slot = (uint8_t)slot,
                                       .want = m->want,
                                       .negated = m->test.negated,
                                       .mask = m->test.mask,
                                       .lo = m->test.value});
}

static void make_item(struct match_build *b, struct match_item *it, uint32_t term)
{
    const struct conj_set *s = b->set;
    const struct conj *t = &s->terms[term];

    *it = (struct match_item){.rule = t->rule, .term = term};
    for (uint32_t i = 0; i < t->n_words; i++)
        item_word(b, it, &s->words[t->word + i]);
    for (uint32_t i = 0; i < t->n_ranges; i++)
        item_range(b, it, &s->ranges[t->range + i]);
    for (uint32_t i = 0; i < t->n_checks; i++)
        item_check(b, it, &s->checks[t->check + i]);
}

/* --- leaves ----------------------------------------------------------------------- */

static void add_record(struct match_build *b, const struct match_item *it,
                       int32_t output, bool last)
{
    struct match_rec *r = &b->recs[b->n_recs];
    struct match_ext *x = &b->ext[b->n_recs++];

    *r = (struct match_rec){
        .rule = it->rule, .output = output, .check = it->first_check};
    *x = (struct match_ext){.mask = {0}};
    for (uint32_t s = 0; s < SLOTS; s++) {
        bool core = s < SLOTS_CORE;

        b->c->looks_at[s] |= __builtin_bswap32(it->mask[s]);
        *(core ? &r->mask[s]
               : &x->mask[s - SLOTS_CORE]) = __builtin_bswap32(it->mask[s]);
        *(core ? &r->value[s]
               : &x->value[s - SLOTS_CORE]) = __builtin_bswap32(it->value[s]);
        if (!core && it->mask[s]) {
            r->flags |= MATCH_EXT;
            b->any_ext = true;
        }
    }
    r->flags |= (last ? MATCH_LAST : 0) | (it->n_checks ? MATCH_CHECKS : 0);
}

uint32_t match_make_leaf(struct match_build *b, const uint32_t *list, uint32_t n,
                         const int32_t *outputs)
{
    uint32_t first = b->n_recs, room = b->room_recs;
    void *recs = b->recs, *ext = b->ext;

    if (!n)
        return MATCH_LEAF;
    if (!match_reserve(b, &recs, b->n_recs, n, &room, sizeof *b->recs))
        return MATCH_LEAF;
    b->recs = recs;
    if (!match_reserve(b, &ext, b->n_recs, n, &b->room_recs, sizeof *b->ext))
        return MATCH_LEAF;
    b->ext = ext;
    for (uint32_t i = 0; i < n; i++)
        add_record(b, &b->items[list[i]], outputs[b->items[list[i]].rule], i + 1 == n);
    return MATCH_LEAF | first;
}

/* --- nodes ------------------------------------------------------------------------ */

/* Bits [shift, shift + width) of a slot's word, counted from the lowest. */
struct cut {
    uint32_t slot, shift, width;
};

struct span {
    uint32_t lo, hi;
};

/* Values of the cut's bits that packets of this term can have, or more. */
static inline struct span item_span(const struct match_build *b,
                                    const struct match_item *it, struct cut cut)
{
    uint32_t full = (1u << cut.width) - 1;
    uint32_t m = it->mask[cut.slot] >> cut.shift & full;
    uint32_t v = it->value[cut.slot] >> cut.shift & full;
    struct span s = {v, v | (full & ~m)};

    if (__builtin_expect(!it->n_checks, 1) || m == full)
        return s;
    for (uint32_t i = it->first_check; i < it->first_check + it->n_checks; i++) {
        const struct match_check *r = &b->checks[i];
        uint32_t lo = r->lo >> cut.shift, hi = r->hi >> cut.shift;

        if (r->kind != CHECK_RANGE || r->slot != cut.slot ||
            (r->mask >> cut.shift & full) != full || lo >> cut.width != hi >> cut.width)
            continue;
        s.lo = s.lo > (lo & full) ? s.lo : lo & full;
        s.hi = s.hi < (hi & full) ? s.hi : hi & full;
    }
    if (s.hi < s.lo) /* matches nothing */
        s.hi = s.lo;
    return s;
}

static inline bool is_wide(struct span s, uint32_t width)
{
    return s.hi - s.lo + 1 > 1u << (width / 2);
}

struct score {
    double work; /* rules that a packet still meets behind this cut, on average */
    uint32_t wide;
};

/* How well a cut divides the rules. Looking at a sample is enough to choose. */
static struct score try_cut(const struct match_build *b, const uint32_t *list,
                            uint32_t n, struct cut cut)
{
    enum { SAMPLE = 4096 };
    uint32_t step = n > SAMPLE ? n / SAMPLE : 1, looked_at = 0;
    int32_t delta[257] = {0}, count = 0;
    uint64_t square = 0, sum = 0;
    struct score sc = {.work = 0};

    for (uint32_t i = 0; i < n; i += step) {
        struct span s = item_span(b, &b->items[list[i]], cut);

        looked_at++;
        if (is_wide(s, cut.width)) {
            sc.wide++;
            continue;
        }
        delta[s.lo]++;
        delta[s.hi + 1]--;
    }
    for (uint32_t v = 0; v < 1u << cut.width; v++) {
        count += delta[v];
        square += (uint64_t)count * (uint64_t)count;
        sum += (uint64_t)count;
    }
    sc.work = (sum ? (double)square / (double)sum : 0) + sc.wide;
    sc.work = sc.work * n / looked_at;
    sc.wide = (uint32_t)((uint64_t)sc.wide * n / looked_at);
    return sc;
}

static bool choose_cut(const struct match_build *b, const uint32_t *list, uint32_t n,
                       struct cut *best)
{
    uint32_t width = n <= NIBBLE_RULES ? 4 : 8;
    uint32_t used[SLOTS] = {0};
    double least = 0.9 * n;
    bool found = false;

    for (uint32_t i = 0; i < n; i++)
        for (uint32_t s = 0; s < b->c->n_slots; s++)
            used[s] |= b->items[list[i]].mask[s];
    for (uint32_t s = 0; s < b->c->n_slots; s++)
        for (uint32_t shift = 0; shift < 32; shift += width) {
            struct cut cut = {s, shift, width};
            struct score sc;

            /* ranges set no bits of the mask, but are worth a try near others */
            if (!(used[s] >> shift & ((1u << width) - 1)) &&
                !(used[s] == 0 && b->n_checks))
                continue;
            sc = try_cut(b, list, n, cut);
            if (sc.work < least) {
                least = sc.work;
                *best = cut;
                found = true;
            }
        }
    return found;
}

struct children {
    uint32_t *list; /* of all children, one behind the other */
    uint32_t start[257];
    uint32_t n_wide, n_narrow;
};

/* Take rules that are wide at this cut out of `list` and leave them to the next tree.
 * Returns how many are left. */
static uint32_t defer_wide(struct match_build *b, uint32_t *list, uint32_t n,
                           struct cut cut)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < n; i++)
        if (is_wide(item_span(b, &b->items[list[i]], cut), cut.width))
            b->items[list[i]].deferred = true;
        else
            list[left++] = list[i];
    return left;
}

/* Sort rules into children; their order stays. */
static bool divide(struct match_build *b, const uint32_t *list, uint32_t n,
                   struct cut cut, struct children *ch)
{
    uint32_t n_children = 1u << cut.width, total = 0;
    uint32_t at[256];

    memset(ch, 0, sizeof *ch);
    for (uint32_t i = 0; i < n; i++) {
        struct span s = item_span(b, &b->items[list[i]], cut);

        for (uint32_t v = s.lo; v <= s.hi; v++)
            ch->start[v + 1]++;
    }
    for (uint32_t v = 0; v < n_children; v++) {
        at[v] = total;
        total += ch->start[v + 1];
        ch->start[v + 1] = total;
    }
    ch->list = malloc((total + 1) * sizeof *ch->list);
    if (!ch->list) {
        b->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct span s = item_span(b, &b->items[list[i]], cut);

        for (uint32_t v = s.lo; v <= s.hi; v++)
            ch->list[at[v]++] = list[i];
    }
    return true;
}

static bool same_child(const struct children *ch, uint32_t v, uint32_t w)
{
    uint32_t n = ch->start[v + 1] - ch->start[v];

    return n == ch->start[w + 1] - ch->start[w] &&
           memcmp(ch->list + ch->start[v], ch->list + ch->start[w],
                  n * sizeof *ch->list) == 0;
}

static uint32_t make_node(struct match_build *b, uint32_t *list, uint32_t n,
                          unsigned depth, const int32_t *outputs);

/* A node for a cut, and everything below it. */
static uint32_t make_inner(struct match_build *b, const uint32_t *list, uint32_t n,
                           struct cut cut, unsigned depth, const int32_t *outputs)
{
    uint32_t n_children = 1u << cut.width, at = b->n_nodes, ref = MATCH_LEAF;
    /* byte 0 of a word in memory is its highest */
    uint32_t shift = 24 - (cut.shift & 0x18) + (cut.shift & 7);
    struct children *ch = malloc(sizeof *ch);
    void *nodes = b->nodes;

    if (!ch || !match_reserve(b, &nodes, b->n_nodes, n_children + 1, &b->room_nodes,
                              sizeof *b->nodes)) {
        b->failed = true;
        free(ch);
        return MATCH_LEAF;
    }
    b->nodes = nodes;
    b->n_nodes += n_children + 1;
    b->nodes[at] = MATCH_NODE(cut.slot, shift, n_children - 1);
    b->c->looks_at[cut.slot] |= (n_children - 1) << shift;
    b->c->stats.nodes++;
    if (divide(b, list, n, cut, ch)) {
        for (uint32_t v = 0; v < n_children && !b->failed; v++) {
            /* a rule that spans several children makes neighbours equal */
            if (!v || !same_child(ch, v, v - 1))
                ref = make_node(b, ch->list + ch->start[v],
                                ch->start[v + 1] - ch->start[v], depth + 1, outputs);
            b->nodes[at + 1 + v] = ref;
        }
        free(ch->list);
    }
    free(ch);
    return at;
}

static uint32_t make_node(struct match_build *b, uint32_t *list, uint32_t n,
                          unsigned depth, const int32_t *outputs)
{
    uint32_t narrow, n_children;
    struct cut cut = {0};

    if (n <= (depth ? LEAF_RULES : SMALL_RULES) || depth == DEPTH_MAX ||
        b->n_recs + n > b->recs_max || !choose_cut(b, list, n, &cut))
        return match_make_leaf(b, list, n, outputs);
    n_children = 1u << cut.width;
    narrow = n;
    for (uint32_t i = 0; i < n; i++)
        narrow -= is_wide(item_span(b, &b->items[list[i]], cut), cut.width);
    if (!b->last_tree && (n - narrow > WIDE_OK || (n - narrow) * n_children > 4 * n) &&
        narrow) {
        n = defer_wide(b, list, n, cut);
        if (n <= LEAF_RULES)
            return match_make_leaf(b, list, n, outputs);
    }
    return make_inner(b, list, n, cut, depth, outputs);
}

/* --- all of it -------------------------------------------------------------------- */

/* Tables, then one tree after the other, each from what those before did not want. */
static void make_lookups(struct match_build *b, const int32_t *outputs)
{
    uint32_t *list = malloc((b->n_items + 1) * sizeof *list), n = b->n_items;
    struct classify *c = b->c;

    if (!list) {
        b->failed = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        list[i] = i;
    n = match_make_tables(b, list, n, outputs);
    while (n && !b->failed) {
        uint32_t *work = malloc(n * sizeof *work);

        if (!work) {
            b->failed = true;
            break;
        }
        memcpy(work, list, n * sizeof *work);
        b->last_tree = c->n_trees + 1 == TREES_MAX;
        b->recs_max = b->n_recs + 8 * n + 4096;
        c->trees[c->n_trees].root = make_node(b, work, n, 0, outputs);
        c->trees[c->n_trees++].first_rule = b->items[list[0]].rule;
        free(work);
        n = 0;
        for (uint32_t i = 0; i < b->n_items; i++)
            if (b->items[i].deferred) {
                b->items[i].deferred = false;
                list[n++] = i;
            }
    }
    free(list);
}

static int tree_cmp(const void *pa, const void *pb)
{
    const struct match_tree *a = pa, *b = pb;

    return (a->first_rule > b->first_rule) - (a->first_rule < b->first_rule);
}

/* Terms to items, but for the one that matches every packet, which ends the list. */
static void make_items(struct match_build *b, const int32_t *outputs)
{
    struct classify *c = b->c;

    c->last_rule = UINT32_MAX;
    c->last_output = CLASSIFY_NONE;
    b->items = malloc((b->set->n_terms + 1) * sizeof *b->items);
    if (!b->items) {
        b->failed = true;
        return;
    }
    for (uint32_t i = 0; i < b->set->n_terms; i++) {
        const struct conj *t = &b->set->terms[i];

        if (!t->n_words && !t->n_ranges && !t->n_checks) {
            c->last_rule = t->rule;
            c->last_output = outputs[t->rule];
            break;
        }
        make_item(b, &b->items[b->n_items++], i);
    }
    while (b->n_items && b->items[b->n_items - 1].rule == c->last_rule)
        b->n_items--; /* the same rule, by another way */
}

static void *move(struct match_build *b, void *from, size_t n, size_t size)
{
    void *to = arena_alloc_aligned(b->c->arena, n + 1, size, 64);

    if (!to)
        b->failed = true;
    else if (n)
        memcpy(to, from, n * size);
    return to;
}

static void finish(struct match_build *b)
{
    struct classify *c = b->c;

    qsort(c->trees, c->n_trees, sizeof *c->trees, tree_cmp);
    c->nodes = move(b, b->nodes, b->n_nodes, sizeof *b->nodes);
    c->buckets = move(b, b->buckets, b->n_buckets, sizeof *b->buckets);
    c->recs = move(b, b->recs, b->n_recs, sizeof *b->recs);
    c->checks = move(b, b->checks, b->n_checks, sizeof *b->checks);
    if (b->any_ext)
        c->ext = move(b, b->ext, b->n_recs, sizeof *b->ext);
    c->stats.terms = b->n_items;
    c->stats.tables = c->n_tables;
    c->stats.trees = c->n_trees;
    c->stats.records = b->n_recs;
    c->stats.bytes = b->n_nodes * sizeof *b->nodes + b->n_buckets * sizeof *b->buckets +
                     b->n_recs * sizeof *b->recs + b->n_checks * sizeof *b->checks +
                     (b->any_ext ? b->n_recs * sizeof *b->ext : 0);
}

/* Record 0 belongs to no rule: scans stop there. */
static void add_empty_leaf(struct match_build *b)
{
    static const struct match_item nothing = {.rule = UINT32_MAX};
    void *recs = b->recs, *ext = b->ext;
    uint32_t room = 0;

    if (!match_reserve(b, &recs, 0, 1, &room, sizeof *b->recs))
        return;
    b->recs = recs;
    if (!match_reserve(b, &ext, 0, 1, &b->room_recs, sizeof *b->ext))
        return;
    b->ext = ext;
    add_record(b, &nothing, CLASSIFY_NONE, true);
}

struct classify *classify_build(struct classify_builder *cb)
{
    struct classify *c = arena_alloc_aligned(cb->arena, 1, sizeof *c, 64);
    struct match_build b = {.c = c, .set = &cb->set};

    if (c) {
        c->arena = cb->arena;
        c->stats.rules = cb->n_rules;
        c->ip6 = cb->ip6;
        choose_slots(c, &cb->set);
        make_items(&b, cb->outputs);
        add_empty_leaf(&b);
        if (!b.failed)
            make_lookups(&b, cb->outputs);
        if (!b.failed)
            finish(&b);
        if (!b.failed)
            cb->arena = NULL;
    }
    free(b.items);
    free(b.nodes);
    free(b.buckets);
    free(b.recs);
    free(b.ext);
    free(b.checks);
    classify_builder_free(cb);
    return b.failed ? NULL : c;
}
