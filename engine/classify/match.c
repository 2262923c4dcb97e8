// SPDX-License-Identifier: BSD-3-Clause
/* match.c -- the fast path of packet classification: see match.h */

#include "engine/classify/match_impl.h"

#include <smmintrin.h>
#include <string.h>

struct key {
    alignas(16) uint32_t w[SLOTS];
    alignas(16) uint32_t have[SLOTS]; /* bytes that exist; not set if `complete` */
    bool complete;
};

/* Where checks find what is not in the key. */
struct source {
    const struct pkt *p;       /* or */
    const struct expr_view *v; /* if it is there already */
};

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline __m128i vec(const uint32_t *w)
{
    return _mm_load_si128((const __m128i *)(const void *)w);
}

/* --- keys ------------------------------------------------------------------------- */

static void key_from_view(const struct classify *c, const struct expr_view *v,
                          struct key *k)
{
    memset(k, 0, sizeof *k);
    k->complete = true;
    for (uint32_t s = 0; s < c->n_used; s++) {
        uint32_t have;
        uint32_t w = expr_word(v, c->slots[s].base, c->slots[s].offset, &have);

        k->w[s] = __builtin_bswap32(w);
        k->have[s] = __builtin_bswap32(have);
        k->complete &= have == UINT32_MAX;
    }
}

static void view_pkt(const struct classify *c, struct expr_view *v, const struct pkt *p)
{
    if (c->ip6)
        expr_view_pkt6(v, p);
    else
        expr_view_pkt(v, p);
}

static __attribute__((noinline)) void key_slow(const struct classify *c,
                                               const struct pkt *p, struct key *k)
{
    struct expr_view v;

    view_pkt(c, &v, p);
    key_from_view(c, &v, k);
}

/* Fragment and protocol, addresses, ports: one vector load and one word. */
static inline __m128i load_five_tuple(const uint8_t *net, const uint8_t *transp)
{
    const __m128i pick = _mm_setr_epi8(2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, -1, -1,
                                       -1, -1);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(net + 4));

    v = _mm_shuffle_epi8(v, pick);
    return _mm_insert_epi32(v, (int)load32(transp), 3);
}

static inline void key_five_tuple(const uint8_t *net, const uint8_t *transp,
                                  struct key *k)
{
    _mm_store_si128((__m128i *)(void *)k->w, load_five_tuple(net, transp));
}

/* The words of a classifier that looks at data and has four of them at most; slots
 * that are not used are slot 0, and no record looks at them. */
static inline __m128i load_words(const struct classify *c, const uint8_t *data)
{
    __m128i v = _mm_cvtsi32_si128((int)load32(data + c->slots[0].offset));

    if (c->n_used == 1)
        return v;
    v = _mm_insert_epi32(v, (int)load32(data + c->slots[1].offset), 1);
    v = _mm_insert_epi32(v, (int)load32(data + c->slots[2].offset), 2);
    return _mm_insert_epi32(v, (int)load32(data + c->slots[3].offset), 3);
}

/* Loops over packets are compiled once for each kind. */
enum key_kind { KEY_DATA, KEY_FIVE_TUPLE, KEY_ANY };

static inline enum key_kind key_kind(const struct classify *c)
{
    if (c->on_data)
        return KEY_DATA;
    return c->five_tuple && c->n_used == SLOTS_CORE ? KEY_FIVE_TUPLE : KEY_ANY;
}

static inline void key_clear(const struct classify *c, struct key *k)
{
    _mm_store_si128((__m128i *)(void *)k->w, _mm_setzero_si128());
    if (c->n_slots > SLOTS_CORE)
        _mm_store_si128((__m128i *)(void *)(k->w + SLOTS_CORE), _mm_setzero_si128());
}

static inline void key_data(const struct classify *c, const struct pkt *p,
                            struct key *k)
{
    if (__builtin_expect(p->len < c->need[BASE_DATA], 0)) {
        key_slow(c, p, k);
        return;
    }
    k->complete = true;
    key_clear(c, k);
    for (uint32_t s = 0; s < c->n_used; s++)
        k->w[s] = load32(p->data + c->slots[s].offset);
}

/* Whether all words at the IP and transport header are there. */
static inline bool has_ip_words(const struct classify *c, const struct pkt *p)
{
    const uint8_t *end = p->data + p->len;

    return p->network && p->transport >= p->network &&
           end - p->network >= (ptrdiff_t)c->need[BASE_NET] &&
           end - p->transport >= (ptrdiff_t)c->need[BASE_TRANSP];
}

static inline void key_ip(const struct classify *c, const struct pkt *p, struct key *k,
                          enum key_kind kind)
{
    uint32_t first = 0;

    if (__builtin_expect(!has_ip_words(c, p), 0)) {
        key_slow(c, p, k);
        return;
    }
    k->complete = true;
    if (kind == KEY_ANY)
        key_clear(c, k);
    if (kind == KEY_FIVE_TUPLE || c->five_tuple) {
        key_five_tuple(p->network, p->transport, k);
        first = SLOTS_CORE;
    }
    for (uint32_t s = first; kind == KEY_ANY && s < c->n_used; s++)
        k->w[s] = load32((c->slots[s].base == BASE_NET ? p->network : p->transport) +
                         c->slots[s].offset);
}

/* One walk over the extension headers; then words are where the view says. */
static __attribute__((noinline)) void key_ip6(const struct classify *c,
                                              const struct pkt *p, struct key *k)
{
    struct expr_view v;
    bool whole = !c->need[BASE_MAC];

    expr_view_pkt6(&v, p);
    for (unsigned b = 0; b < N_BASES; b++)
        whole &= v.len[b] >= c->need[b];
    if (!whole) {
        key_from_view(c, &v, k);
        return;
    }
    k->complete = true;
    key_clear(c, k);
    for (uint32_t s = 0; s < c->n_used; s++)
        k->w[s] = load32(v.base[c->slots[s].base] + c->slots[s].offset);
}

static inline void key_from_pkt(const struct classify *c, const struct pkt *p,
                                struct key *k, enum key_kind kind)
{
    if (kind == KEY_DATA)
        key_data(c, p, k);
    else if (c->on_ip)
        key_ip(c, p, k, kind);
    else if (c->ip6)
        key_ip6(c, p, k);
    else
        key_slow(c, p, k);
}

/* --- records ---------------------------------------------------------------------- */

static bool check_holds(const struct classify *c, const struct match_check *m,
                        const struct key *k, const struct source *src)
{
    struct expr_view v;
    uint32_t w;
    bool result;

    if (m->kind == CHECK_TREE) {
        if (src->v)
            return expr_eval(m->x, src->v) == m->want;
        view_pkt(c, &v, src->p);
        return expr_eval(m->x, &v) == m->want;
    }
    w = __builtin_bswap32(k->w[m->slot]) & m->mask;
    if (!k->complete && (m->mask & ~__builtin_bswap32(k->have[m->slot])))
        result = false;
    else if (m->kind == CHECK_RANGE)
        result = m->lo <= w && w <= m->hi;
    else
        result = (w == m->lo) != m->negated;
    return result == m->want;
}

static __attribute__((noinline)) bool checks_hold(const struct classify *c,
                                                  const struct match_check *m,
                                                  const struct key *k,
                                                  const struct source *src)
{
    for (;; m++) {
        if (!check_holds(c, m, k, src))
            return false;
        if (m->last)
            return true;
    }
}

/* A byte that is missing reads as 0, so where the record asks for one it must exist. */
static __attribute__((noinline)) bool
have_masks(const struct classify *c, const struct match_rec *r, const struct key *k)
{
    const struct match_ext *x = r->flags & MATCH_EXT ? &c->ext[r - c->recs] : NULL;

    for (uint32_t s = 0; s < c->n_slots; s++) {
        uint32_t mask = s < SLOTS_CORE ? r->mask[s] : x ? x->mask[s - SLOTS_CORE] : 0;

        if (mask & ~k->have[s])
            return false;
    }
    return true;
}

static inline bool rec_matches(const struct classify *c, const struct match_rec *r,
                               const struct key *k, const struct source *src)
{
    __m128i differ = _mm_xor_si128(vec(k->w), vec(r->value));

    if (!_mm_testz_si128(differ, vec(r->mask)))
        return false;
    if (r->flags & MATCH_EXT) {
        const struct match_ext *x = &c->ext[r - c->recs];

        differ = _mm_xor_si128(vec(k->w + SLOTS_CORE), vec(x->value));
        if (!_mm_testz_si128(differ, vec(x->mask)))
            return false;
    }
    if (__builtin_expect(!k->complete, 0) && !have_masks(c, r, k))
        return false;
    return !(r->flags & MATCH_CHECKS) || checks_hold(c, &c->checks[r->check], k, src);
}

/* The best match so far: a rule and its output. */
struct best {
    uint32_t rule;
    int32_t output;
};

static inline void scan_leaf(const struct classify *c, uint32_t ref,
                             const struct key *k, const struct source *src,
                             struct best *best)
{
    const struct match_rec *r = &c->recs[ref & ~MATCH_LEAF];

    for (;; r++) {
        if (r->rule >= best->rule)
            return;
        if (rec_matches(c, r, k, src)) {
            best->rule = r->rule;
            best->output = r->output;
            return;
        }
        if (r->flags & MATCH_LAST)
            return;
    }
}

static inline void search(const struct classify *c, const struct key *k,
                          const struct source *src, struct best *best)
{
    for (uint32_t t = 0; t < c->n_tables; t++)
        if (c->tables[t].first_rule < best->rule)
            scan_leaf(c, c->buckets[match_bucket(&c->tables[t], vec(k->w))], k, src,
                      best);
    for (uint32_t t = 0; t < c->n_trees && c->trees[t].first_rule < best->rule; t++) {
        uint32_t ref = c->trees[t].root;

        while (!(ref & MATCH_LEAF))
            ref = MATCH_STEP(c->nodes, ref, k->w);
        scan_leaf(c, ref, k, src, best);
    }
}

int classify_match(const struct classify *c, const struct expr_view *v)
{
    struct best best = {c->last_rule, c->last_output};
    struct source src = {.v = v};
    struct key k;

    key_from_view(c, v, &k);
    search(c, &k, &src, &best);
    return best.output;
}

/* --- batches ---------------------------------------------------------------------- */

enum { GROUP = 16, AHEAD = 4 };

static inline void prefetch_ahead(struct pkt *const *p, uint32_t i, uint32_t n,
                                  enum key_kind kind)
{
    if (i + AHEAD < n)
        __builtin_prefetch(kind == KEY_DATA ? p[i + AHEAD]->data
                                            : p[i + AHEAD]->network);
}

/* Keys first, so that the memory that the search waits for is asked for early. */
static void group_keys(const struct classify *c, struct pkt *const *p, uint32_t n,
                       struct key *k)
{
    enum key_kind kind = key_kind(c);

    for (uint32_t i = 0; i < n; i++) {
        prefetch_ahead(p, i, n, kind);
        key_from_pkt(c, p[i], &k[i], kind);
    }
}

/* A record may lie on two lines. */
static inline void prefetch_leaf(const struct classify *c, uint32_t ref)
{
    const struct match_rec *r = &c->recs[ref & ~MATCH_LEAF];

    __builtin_prefetch(r);
    __builtin_prefetch((const uint8_t *)(r + 1) - 1);
}

/* What a table has for the packets of a group. The words of one packet lie `stride` words
 * behind those of the one before. */
static inline void group_look_up(const struct classify *c, const struct match_table *t,
                                 uint32_t n, const uint32_t *w, size_t stride,
                                 uint32_t *ref)
{
    for (uint32_t i = 0; i < n; i++) {
        ref[i] = match_bucket(t, vec(w + i * stride));
        __builtin_prefetch(&c->buckets[ref[i]]);
    }
    for (uint32_t i = 0; i < n; i++) {
        ref[i] = c->buckets[ref[i]];
        prefetch_leaf(c, ref[i]);
    }
}

/* Walk one tree for all packets of a group level by level: while one waits for memory,
 * the others go on. Packets that have a better match already stay out. */
static void group_descend(const struct classify *c, const struct match_tree *t,
                          uint32_t n, const uint32_t *w, size_t stride,
                          const struct best *best, uint32_t *ref)
{
    bool open = !(t->root & MATCH_LEAF);

    for (uint32_t i = 0; i < n; i++)
        ref[i] = t->first_rule < best[i].rule ? t->root : MATCH_LEAF;
    while (open) {
        open = false;
        for (uint32_t i = 0; i < n; i++) {
            if (ref[i] & MATCH_LEAF)
                continue;
            ref[i] = MATCH_STEP(c->nodes, ref[i], w + i * stride);
            if (ref[i] & MATCH_LEAF) {
                prefetch_leaf(c, ref[i]);
            } else {
                __builtin_prefetch(&c->nodes[ref[i]]);
                open = true;
            }
        }
    }
}

static void match_group(const struct classify *c, struct pkt *const *p, uint32_t n,
                        int *output)
{
    enum { STRIDE = sizeof(struct key) / sizeof(uint32_t) };
    struct key k[GROUP];
    uint32_t ref[GROUP];
    struct best best[GROUP];

    group_keys(c, p, n, k);
    for (uint32_t i = 0; i < n; i++)
        best[i] = (struct best){c->last_rule, c->last_output};
    for (uint32_t t = 0; t < c->n_tables + c->n_trees; t++) {
        if (t < c->n_tables)
            group_look_up(c, &c->tables[t], n, k->w, STRIDE, ref);
        else
            group_descend(c, &c->trees[t - c->n_tables], n, k->w, STRIDE, best, ref);
        for (uint32_t i = 0; i < n; i++)
            scan_leaf(c, ref[i], &k[i], &(struct source){.p = p[i]}, &best[i]);
    }
    for (uint32_t i = 0; i < n; i++)
        output[i] = best[i].output;
}

/* Everything is in the nearest cache anyway: one packet after the other. */
static void match_small(const struct classify *c, struct pkt *const *p, uint32_t n,
                        int *output)
{
    enum key_kind kind = key_kind(c);

    for (uint32_t i = 0; i < n; i++) {
        struct best best = {c->last_rule, c->last_output};
        struct source src = {.p = p[i]};
        struct key k;

        prefetch_ahead(p, i, n, kind);
        key_from_pkt(c, p[i], &k, kind);
        search(c, &k, &src, &best);
        output[i] = best.output;
    }
}

static __attribute__((noinline)) bool complete_checks(const struct classify *c,
                                                      const struct match_rec *r,
                                                      __m128i words,
                                                      const struct pkt *p)
{
    struct key k = {.complete = true};

    _mm_store_si128((__m128i *)(void *)k.w, words);
    return checks_hold(c, &c->checks[r->check], &k, &(struct source){.p = p});
}

/* What searches ask of a classifier, where no store to memory can change it. */
struct fast {
    const uint32_t *nodes, *buckets;
    const struct match_rec *recs;
    const struct match_table *tables;
    const struct match_tree *trees;
    uint32_t n_tables, n_trees, last_rule;
    int32_t last_output;
};

static inline void scan_words(const struct classify *c, const struct fast *f,
                              uint32_t ref, __m128i words, const struct pkt *p,
                              struct best *best)
{
    const struct match_rec *r = &f->recs[ref & ~MATCH_LEAF];

    for (; r->rule < best->rule; r++) {
        if (_mm_testz_si128(_mm_xor_si128(words, vec(r->value)), vec(r->mask)) &&
            (!(r->flags & MATCH_CHECKS) || complete_checks(c, r, words, p)))
            *best = (struct best){r->rule, r->output};
        if (r->flags & MATCH_LAST)
            return;
    }
}

/* search() for a packet that has all words, which fit into one vector and stay there. */
static inline int32_t search_words(const struct classify *c, const struct fast *f,
                                   __m128i words, const struct pkt *p)
{
    struct best best = {f->last_rule, f->last_output};
    alignas(16) uint32_t w[SLOTS_CORE];

    for (uint32_t t = 0; t < f->n_tables; t++)
        if (f->tables[t].first_rule < best.rule)
            scan_words(c, f, f->buckets[match_bucket(&f->tables[t], words)], words, p,
                       &best);
    _mm_store_si128((__m128i *)(void *)w, words);
    for (uint32_t t = 0; t < f->n_trees && f->trees[t].first_rule < best.rule; t++) {
        uint32_t ref = f->trees[t].root;

        while (!(ref & MATCH_LEAF))
            ref = MATCH_STEP(f->nodes, ref, w);
        scan_words(c, f, ref, words, p, &best);
    }
    return best.output;
}

static __attribute__((noinline)) int32_t search_slow(const struct classify *c,
                                                     const struct pkt *p)
{
    struct best best = {c->last_rule, c->last_output};
    struct key k;

    key_slow(c, p, &k);
    search(c, &k, &(struct source){.p = p}, &best);
    return best.output;
}

/* The words of a packet; false when some are missing. */
static inline bool words_of(const struct classify *c, const struct pkt *p,
                            enum key_kind kind, __m128i *words)
{
    bool complete = kind == KEY_DATA ? p->len >= c->need[BASE_DATA]
                                     : has_ip_words(c, p);

    if (__builtin_expect(complete, 1))
        *words = kind == KEY_DATA ? load_words(c, p->data)
                                  : load_five_tuple(p->network, p->transport);
    return complete;
}

/* The words of a batch; returns whether the answer is that of the first packet for all:
 * packets come in trains of one flow. */
static inline __attribute__((always_inline)) bool
words_of_batch(const struct classify *c, struct pkt *const *p, uint32_t n,
               enum key_kind kind, __m128i *words, uint64_t *missing)
{
    __m128i differ = _mm_setzero_si128();

    *missing = 0;
    words[0] = differ;
    for (uint32_t i = 0; i < n; i++) {
        prefetch_ahead(p, i, n, kind);
        words[i] = words[0];
        if (__builtin_expect(!words_of(c, p[i], kind, &words[i]), 0))
            *missing |= 1ull << i;
        differ = _mm_or_si128(differ, _mm_xor_si128(words[i], words[0]));
    }
    return c->words_decide && !*missing && _mm_testz_si128(differ, vec(c->looks_at));
}

/* The same for a classifier that is in no near cache, like match_group(). */
static inline void match_words_group(const struct classify *c, const struct fast *f,
                                     struct pkt *const *p, uint32_t n,
                                     const __m128i *words, int *output)
{
    const uint32_t *w = (const uint32_t *)(const void *)words;
    struct best best[GROUP];
    uint32_t ref[GROUP];

    for (uint32_t i = 0; i < n; i++)
        best[i] = (struct best){f->last_rule, f->last_output};
    for (uint32_t t = 0; t < f->n_tables; t++) {
        group_look_up(c, &f->tables[t], n, w, SLOTS_CORE, ref);
        for (uint32_t i = 0; i < n; i++)
            scan_words(c, f, ref[i], words[i], p[i], &best[i]);
    }
    for (uint32_t t = 0; t < f->n_trees; t++) {
        group_descend(c, &f->trees[t], n, w, SLOTS_CORE, best, ref);
        for (uint32_t i = 0; i < n; i++)
            scan_words(c, f, ref[i], words[i], p[i], &best[i]);
    }
    for (uint32_t i = 0; i < n; i++)
        output[i] = best[i].output;
}

static inline struct fast fast_get(const struct classify *c)
{
    return (struct fast){c->nodes,    c->buckets, c->recs,      c->tables,     c->trees,
                         c->n_tables, c->n_trees, c->last_rule, c->last_output};
}

/* A packet alone. */
static inline __attribute__((always_inline)) int32_t
match_words_one(const struct classify *c, const struct pkt *p, enum key_kind kind)
{
    const struct fast f = fast_get(c);
    __m128i words;

    return words_of(c, p, kind, &words) ? search_words(c, &f, words, p)
                                        : search_slow(c, p);
}

/* Returns whether output[0] is that of all. */
static inline __attribute__((always_inline)) bool
match_words(const struct classify *c, struct pkt *const *p, uint32_t n, int *output,
            bool large, enum key_kind kind)
{
    const struct fast f = fast_get(c);
    __m128i words[BATCH_MAX];
    uint64_t missing;

    if (words_of_batch(c, p, n, kind, words, &missing)) {
        output[0] = search_words(c, &f, words[0], p[0]);
        return true;
    }
    for (uint32_t i = 0; large && i < n; i += GROUP)
        match_words_group(c, &f, p + i, n - i < GROUP ? n - i : GROUP, words + i,
                          output + i);
    for (uint32_t i = 0; !large && i < n; i++)
        output[i] = search_words(c, &f, words[i], p[i]);
    for (; missing; missing &= missing - 1)
        output[__builtin_ctzll(missing)] = search_slow(c, p[__builtin_ctzll(missing)]);
    return false;
}

/* Neighbours tend to be of one kind. Where one or two words decide (an EtherType, say), it
 * takes less to see that they are the same in all packets than to look them up: all bytes
 * from the first to the last that a classifier looks at are compared at once. */
struct window {
    uint32_t at, need;
    __m128i looks_at;
};

/* False where 16 bytes are too few. */
static inline bool window_get(const struct classify *c, struct window *w)
{
    alignas(16) uint8_t looks_at[16] = {0};
    uint32_t at0 = c->slots[0].offset, at1 = c->slots[c->n_used - 1].offset;

    w->at = at0 < at1 ? at0 : at1;
    w->need = w->at + sizeof looks_at;
    at0 -= w->at;
    at1 -= w->at;
    if (at0 > sizeof looks_at - 4 || at1 > sizeof looks_at - 4)
        return false;
    memcpy(looks_at + at0, &c->looks_at[0], 4);
    if (c->n_used > 1)
        memcpy(looks_at + at1, &(uint32_t){load32(looks_at + at1) | c->looks_at[1]}, 4);
    w->looks_at = _mm_load_si128((const __m128i *)(const void *)looks_at);
    return true;
}

static inline __m128i window_of(const struct window *w, const struct pkt *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)(p->data + w->at));
}

static inline __attribute__((always_inline)) bool
same_window(const struct window *w, struct pkt *const *p, uint32_t n)
{
    __m128i first, differ = _mm_setzero_si128();
    uint32_t ahead = n > AHEAD ? n - AHEAD : 0, i = 0;

    if (p[0]->len < w->need)
        return false;
    first = window_of(w, p[0]);
    for (; i < ahead; i++) {
        __builtin_prefetch(p[i + AHEAD]->data);
        if (p[i]->len < w->need)
            return false;
        differ = _mm_or_si128(differ, _mm_xor_si128(window_of(w, p[i]), first));
    }
    for (; i < n; i++) {
        if (p[i]->len < w->need)
            return false;
        differ = _mm_or_si128(differ, _mm_xor_si128(window_of(w, p[i]), first));
    }
    return _mm_testz_si128(differ, w->looks_at);
}

static bool all_same(const struct classify *c, struct pkt *const *p, uint32_t n)
{
    struct window w;

    if (!c->n_trees && !c->n_tables)
        return true;
    if (!c->on_data || !c->words_decide || c->n_used < 1 || c->n_used > 2)
        return false;
    return window_get(c, &w) && same_window(&w, p, n);
}

static __attribute__((noinline)) int32_t match_one(const struct classify *c,
                                                   struct pkt *const *p)
{
    enum key_kind kind = key_kind(c);
    int output;

    if (c->n_used && c->n_used <= SLOTS_CORE && kind == KEY_DATA)
        return match_words_one(c, *p, KEY_DATA);
    if (c->n_used && c->n_used <= SLOTS_CORE && kind == KEY_FIVE_TUPLE)
        return match_words_one(c, *p, KEY_FIVE_TUPLE);
    match_small(c, p, 1, &output);
    return output;
}

/* Returns whether output[0] is that of all. */
static __attribute__((noinline)) bool
match_many(const struct classify *c, struct pkt *const *p, uint32_t n, int *output)
{
    enum { SMALL = 64 * 1024 };
    bool large = c->stats.bytes > SMALL;
    uint32_t step = large ? GROUP : n;

    if (n && c->n_used && c->n_used <= SLOTS_CORE && key_kind(c) == KEY_DATA)
        return match_words(c, p, n, output, large, KEY_DATA);
    if (n && c->n_used && c->n_used <= SLOTS_CORE && key_kind(c) == KEY_FIVE_TUPLE)
        return match_words(c, p, n, output, large, KEY_FIVE_TUPLE);
    for (uint32_t i = 0; i < n; i += step) {
        uint32_t some = n - i < step ? n - i : step;

        if (large)
            match_group(c, p + i, some, output + i);
        else
            match_small(c, p + i, some, output + i);
    }
    return false;
}

bool classify_match_batch(const struct classify *c, struct pkt *const *p, uint32_t n,
                          int *output)
{
    if (n != 1 && (!n || !all_same(c, p, n)))
        return match_many(c, p, n, output);
    output[0] = match_one(c, p);
    return true;
}

struct classify_stats classify_stats(const struct classify *c)
{
    return c->stats;
}

void classify_free(struct classify *c)
{
    if (c)
        arena_free(c->arena);
}
