// SPDX-License-Identifier: BSD-3-Clause
/*
 * match_tables.c -- which rules go to hash tables: see match.h
 *
 * A table has a mask, and takes rules that ask for all of its bits: those lie in the bucket
 * of what they want there, and a packet meets those of one bucket. The rules need not agree
 * in what else they ask for, so that few tables do for many prefix lengths. The mask that
 * takes most rules without crowding any bucket comes first, then that for the rest; when
 * none takes a fair share any more, trees get what is left.
 */

#include "engine/classify/match_build.h"

#include <stdlib.h>
#include <string.h>

enum {
    TABLE_MIN = 5,     /* fewer rules are faster one by one */
    SHARE_MIN = 8,     /* 1 / the part of the rules left that a table must take */
    MASKS = 6,         /* different masks of one word that are tried, and 0 */
    MASKS_SEEN = 64,   /* that are told apart */
    SAMPLE = 1024,     /* rules that are looked at to choose */
    COUNT_ROOM = 4096, /* of a table that counts their keys */
    CHAIN_MAX = 16,    /* rules of one bucket; more of them are for trees */
    WORK_MAX = 6,      /* rules that a packet meets in its bucket, on average */
};

/* A choice of masks, in host byte order, and what it would bring. */
struct choice {
    uint32_t mask[SLOTS_CORE];
    double gain;
};

/* Different keys are told apart by a long hash: a mistake would only misguide. */
struct key_count {
    uint64_t hash;
    uint32_t n;
};

/* What a choice is made from: every step-th rule of a list. */
struct sample {
    const struct match_build *b;
    const uint32_t *list;
    uint32_t n, step;
    struct key_count *count; /* owned; [COUNT_ROOM] */
};

/* --- candidates ------------------------------------------------------------------- */

struct seen_mask {
    uint32_t mask, uses;
};

static int by_bits(const void *pa, const void *pb)
{
    const struct seen_mask *a = pa, *b = pb;
    int n = __builtin_popcount(a->mask) - __builtin_popcount(b->mask);

    return n ? n : (a->mask > b->mask) - (a->mask < b->mask);
}

/* Masks of a word worth a try: 0 and some of those that rules have, from short to long ones
 * with equal parts of the rules between them. Returns how many. */
static uint32_t candidates(const struct sample *s, uint32_t slot, uint32_t *out)
{
    struct seen_mask seen[MASKS_SEEN];
    uint32_t n_seen = 0, n_out = 0, total = 0, sum = 0;

    for (uint32_t i = 0; i < s->n; i += s->step) {
        uint32_t mask = s->b->items[s->list[i]].mask[slot], at = 0;

        while (at < n_seen && seen[at].mask != mask)
            at++;
        if (!mask || at == MASKS_SEEN)
            continue;
        if (at == n_seen)
            seen[n_seen++] = (struct seen_mask){mask, 0};
        seen[at].uses++;
        total++;
    }
    qsort(seen, n_seen, sizeof *seen, by_bits);
    out[n_out++] = 0;
    for (uint32_t i = 0; i < n_seen; i++) {
        if (n_seen <= MASKS || sum * MASKS >= (n_out - 1) * total)
            out[n_out++] = seen[i].mask;
        sum += seen[i].uses;
    }
    return n_out;
}

/* --- scores ----------------------------------------------------------------------- */

static inline bool takes(const uint32_t *mask, const struct match_item *it)
{
    uint32_t missing = 0;

    for (unsigned s = 0; s < SLOTS_CORE; s++)
        missing |= mask[s] & ~it->mask[s];
    return !missing;
}

static __m128i as_loaded(const uint32_t *words)
{
    return _mm_setr_epi32(
        (int)__builtin_bswap32(words[0]), (int)__builtin_bswap32(words[1]),
        (int)__builtin_bswap32(words[2]), (int)__builtin_bswap32(words[3]));
}

static uint64_t key_hash(const uint32_t *mask, const uint32_t *value)
{
    uint64_t h = 1;

    for (unsigned s = 0; s < SLOTS_CORE; s++) {
        h = (h ^ (mask[s] & value[s])) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h | 1;
}

/* How many rules a packet of one of the sample's rules meets, on average. */
static double crowd(const struct sample *s, const uint32_t *mask)
{
    uint32_t looked_at = 0;
    uint64_t pairs = 0;

    memset(s->count, 0, COUNT_ROOM * sizeof *s->count);
    for (uint32_t i = 0; i < s->n; i += s->step) {
        const struct match_item *it = &s->b->items[s->list[i]];
        uint64_t h = key_hash(mask, it->value);
        uint32_t at = (uint32_t)(h >> 40) % COUNT_ROOM;

        if (!takes(mask, it))
            continue;
        while (s->count[at].hash && s->count[at].hash != h)
            at = (at + 1) % COUNT_ROOM;
        s->count[at].hash = h;
        pairs += s->count[at].n++;
        looked_at++;
    }
    return 1 + 2.0 * (double)pairs / looked_at * s->step;
}

/* Whether a mask is better than the best one so far. */
static void try_mask(const struct sample *s, const uint32_t *mask, struct choice *best)
{
    uint32_t taken = 0, bits = 0;
    double work, gain;

    for (uint32_t i = 0; i < s->n; i += s->step)
        taken += takes(mask, &s->b->items[s->list[i]]);
    if (taken * s->step <= best->gain)
        return;
    for (unsigned w = 0; w < SLOTS_CORE; w++)
        bits += (uint32_t)__builtin_popcount(mask[w]);
    work = crowd(s, mask);
    /* among equals, that with most bits: other packets meet nothing */
    gain = taken * s->step * (1 - 0.01 * (work - 1) + 0.0001 * bits);
    if (work > WORK_MAX || gain <= best->gain)
        return;
    memcpy(best->mask, mask, sizeof best->mask);
    best->gain = gain;
}

/* Try all combinations of masks of words. */
static bool choose_mask(const struct sample *s, uint32_t *mask)
{
    uint32_t tries[SLOTS_CORE][MASKS + 2], n_tries[SLOTS_CORE], total = 1;
    uint32_t least = s->n / SHARE_MIN > TABLE_MIN ? s->n / SHARE_MIN : TABLE_MIN;
    struct choice best = {.gain = least};

    for (unsigned w = 0; w < SLOTS_CORE; w++) {
        n_tries[w] = candidates(s, w, tries[w]);
        total *= n_tries[w];
    }
    for (uint32_t i = 1; i < total; i++) {
        uint32_t left = i, try[SLOTS_CORE];

        for (unsigned w = 0; w < SLOTS_CORE; w++) {
            try[w] = tries[w][left % n_tries[w]];
            left /= n_tries[w];
        }
        try_mask(s, try, &best);
    }
    memcpy(mask, best.mask, sizeof best.mask);
    return best.gain > least;
}

/* --- tables ----------------------------------------------------------------------- */

/* The rules of a table, sorted by bucket and in a bucket by rule. */
struct fill {
    uint32_t *start; /* owned; of each bucket, and the end */
    uint32_t *list;  /* owned */
};

static bool fill_new(struct fill *f, const struct match_build *b,
                     const struct match_table *t, const uint32_t *mask,
                     const uint32_t *list, uint32_t n)
{
    uint32_t n_buckets = 1u << t->bits;

    f->start = calloc(n_buckets + 2, sizeof *f->start);
    f->list = malloc((n + 1) * sizeof *f->list);
    if (!f->start || !f->list)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (takes(mask, &b->items[list[i]]))
            f->start[match_bucket(t, as_loaded(b->items[list[i]].value)) - t->first +
                     2]++;
    for (uint32_t v = 0; v < n_buckets; v++)
        f->start[v + 2] += f->start[v + 1];
    for (uint32_t i = 0; i < n; i++)
        if (takes(mask, &b->items[list[i]]))
            f->list[f->start[match_bucket(t, as_loaded(b->items[list[i]].value)) -
                             t->first + 1]++] = list[i];
    return true;
}

static uint32_t count_taken(const struct match_build *b, const uint32_t *mask,
                            const uint32_t *list, uint32_t n)
{
    uint32_t taken = 0;

    for (uint32_t i = 0; i < n; i++)
        taken += takes(mask, &b->items[list[i]]);
    return taken;
}

/* Leaves for all buckets; crowded ones mark their rules for the trees. */
static void make_buckets(struct match_build *b, const struct match_table *t,
                         const struct fill *f, const int32_t *outputs)
{
    for (uint32_t v = 0; v < 1u << t->bits; v++) {
        const uint32_t *list = f->list + f->start[v];
        uint32_t n = f->start[v + 1] - f->start[v];

        if (n > CHAIN_MAX)
            for (uint32_t i = 0; i < n; i++)
                b->items[list[i]].deferred = true;
        b->buckets[t->first + v] = match_make_leaf(b, list, n > CHAIN_MAX ? 0 : n,
                                                   outputs);
    }
}

/* What no table took; marks are gone afterwards. */
static uint32_t keep_rest(struct match_build *b, const uint32_t *mask, uint32_t *list,
                          uint32_t n)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct match_item *it = &b->items[list[i]];

        if (!takes(mask, it) || it->deferred)
            list[left++] = list[i];
        it->deferred = false;
    }
    return left;
}

static uint32_t make_table(struct match_build *b, const uint32_t *mask, uint32_t *list,
                           uint32_t n, const int32_t *outputs)
{
    uint32_t taken = count_taken(b, mask, list, n);
    struct match_table *t = &b->c->tables[b->c->n_tables];
    struct fill f = {NULL, NULL};
    void *buckets = b->buckets;

    *t = (struct match_table){.first = b->n_buckets, .bits = 4};
    while (1u << t->bits < 2 * taken)
        t->bits++;
    t->first_rule = UINT32_MAX;
    for (uint32_t i = 0; i < n && t->first_rule == UINT32_MAX; i++)
        if (takes(mask, &b->items[list[i]]))
            t->first_rule = b->items[list[i]].rule;
    _mm_store_si128((__m128i *)(void *)t->mask, as_loaded(mask));
    if (match_reserve(b, &buckets, b->n_buckets, 1u << t->bits, &b->room_buckets,
                      sizeof *b->buckets)) {
        b->buckets = buckets;
        b->n_buckets += 1u << t->bits;
        if (fill_new(&f, b, t, mask, list, n))
            make_buckets(b, t, &f, outputs);
        else
            b->failed = true;
    }
    free(f.start);
    free(f.list);
    b->c->n_tables++;
    return keep_rest(b, mask, list, n);
}

uint32_t match_make_tables(struct match_build *b, uint32_t *list, uint32_t n,
                           const int32_t *outputs)
{
    struct sample s = {.b = b, .list = list};
    uint32_t mask[SLOTS_CORE];

    s.count = malloc(COUNT_ROOM * sizeof *s.count);
    b->failed |= !s.count;
    while (n >= TABLE_MIN && b->c->n_tables < TABLES_MAX && !b->failed) {
        s.n = n;
        s.step = (n + SAMPLE - 1) / SAMPLE;
        if (!choose_mask(&s, mask))
            break;
        n = make_table(b, mask, list, n, outputs);
    }
    free(s.count);
    return n;
}
