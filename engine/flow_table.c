// SPDX-License-Identifier: BSD-3-Clause
/* flow_table.c -- flows that are found from both directions: see flow_table.h */

#include "engine/flow_table.h"

#include <stdlib.h>

enum {
    FIRST_BUCKETS = 64,
    FULL = 5,    /* of the eight ways, on the average, before the table grows */
    SCAN = 64,   /* flows that are compared for a victim */
    MOVES = 512, /* flows that are moved to where they belong on the way to it */
    FAR = FLOW_SLOTS / 2,
    TICK_BITS = 10,
    HINTED_MIN = 4096,    /* buckets that have hints: fewer are near themselves ... */
    HINTED_MAX = 1 << 19, /* ... and the numbers of more flows do not fit */
    EXTRA_BLOCK = 64,     /* overflow buckets that are allocated at once */
    SMALL = 16,           /* blocks that are allocated one by one ... */
    SLAB = LARGE_PAGE / (FLOW_BLOCK * (int)sizeof(struct flow)), /* ... and together */
    MOVE = 2,   /* buckets that a new flow, or a batch, moves while the table grows */
    NEAR = 256, /* buckets that need not be fetched ahead */
};

static void *aligned(void *p)
{
    return (void *)(((uintptr_t)p + 63) & ~(uintptr_t)63);
}

void flow_table_init(struct flow_table *t, uint64_t seed, uint32_t now_ms)
{
    *t = (struct flow_table){.seed = seed, .tick = now_ms >> TICK_BITS};
}

void flow_table_fini(struct flow_table *t)
{
    for (uint32_t i = 0; i < t->n_blocks; i++)
        free(t->block_memory[i]);
    for (uint32_t i = 0; i < t->n_extra / EXTRA_BLOCK; i++)
        free(t->extra_memory[i]);
    free(t->block_memory);
    free(t->blocks);
    free(t->bucket_memory);
    free(t->old_memory);
    free(t->extra_memory);
    free(t->extra);
    free(t->seqs);
    *t = (struct flow_table){.seed = t->seed, .tick = t->tick, .platform = t->platform};
}

void flow_table_clear(struct flow_table *t)
{
    flow_table_fini(t);
}

static struct flow_bucket *extra_at(const struct flow_table *t, uint32_t more)
{
    return &t->extra[(more - 1) / EXTRA_BLOCK][(more - 1) % EXTRA_BLOCK];
}

flow_ref flow_find(const struct flow_table *t, uint64_t hash, struct flow_key k)
{
    const struct flow_bucket *b;

    if (!t->buckets)
        return 0;
    b = flow_bucket_of(t, hash);
    for (;;) {
        for (unsigned hit = flow_bucket_matches(b, flow_tag(hash)); hit;
             hit &= hit - 1) {
            flow_ref ref = b->ref[__builtin_ctz(hit)] + 1;
            if (flow_is(flow_mark_of(t, ref), k))
                return ref;
        }
        if (!b->more)
            return 0;
        b = extra_at(t, b->more);
    }
}

void flow_hint_set(struct flow_table *t, uint64_t hash, flow_ref ref)
{
    struct flow_hints *h = flow_hints_of(t, hash);
    uint32_t tag = flow_hint_tag(hash);
    unsigned free, way;

    if (!h || ref >> FLOW_HINT_BITS)
        return;
    free = flow_hints_match(h, tag);
    if (!free)
        free = flow_hints_match(h, 0);
    way = free ? (unsigned)__builtin_ctz(free) : (hash >> 32) % FLOW_HINTS;
    h->hint[way] = tag | ref;
}

/* --- buckets ---------------------------------------------------------------------------- */

/* The arrays that say where blocks are, with room for `n`. -1 without memory. */
static int more_blocks(void ***memory, void *begin, uint32_t n)
{
    void **m = realloc(*memory, n * sizeof *m), **b;

    if (!m)
        return -1;
    *memory = m;
    memcpy(&b, begin, sizeof b);
    b = realloc(b, n * sizeof *b);
    if (!b)
        return -1;
    memcpy(begin, &b, sizeof b);
    return 0;
}

static void extra_put(struct flow_table *t, uint32_t more)
{
    extra_at(t, more)->more = t->extra_free;
    t->extra_free = more;
}

/* The number plus one of an empty overflow bucket; 0 when memory ran out. */
static uint32_t extra_take(struct flow_table *t)
{
    uint32_t more, n = t->n_extra / EXTRA_BLOCK;

    if (!t->extra_free) {
        if (more_blocks(&t->extra_memory, &t->extra, n + 1) < 0)
            return 0;
        t->extra_memory[n] = malloc(EXTRA_BLOCK * sizeof **t->extra + 63);
        if (!t->extra_memory[n])
            return 0;
        t->extra[n] = aligned(t->extra_memory[n]);
        t->n_extra += EXTRA_BLOCK;
        for (uint32_t i = 0; i < EXTRA_BLOCK; i++)
            extra_put(t, n * EXTRA_BLOCK + i + 1);
    }
    more = t->extra_free;
    t->extra_free = extra_at(t, more)->more;
    memset(extra_at(t, more), 0, sizeof **t->extra);
    return more;
}

/* A bucket of the chain with a free way. `*way` gets it. NULL when memory ran out. */
static struct flow_bucket *room_for(struct flow_table *t, uint64_t hash, unsigned *way)
{
    struct flow_bucket *b = flow_bucket_of(t, hash);

    for (;;) {
        unsigned hit = flow_bucket_matches(b, 0);
        if (hit) {
            *way = (unsigned)__builtin_ctz(hit);
            return b;
        }
        if (!b->more && !(b->more = extra_take(t)))
            return NULL;
        b = extra_at(t, b->more);
    }
}

static int put_ref(struct flow_table *t, uint64_t hash, uint32_t ref)
{
    unsigned way = 0;
    struct flow_bucket *b = room_for(t, hash, &way);

    if (!b)
        return -1;
    b->tag[way] = flow_tag(hash);
    b->ref[way] = ref;
    return 0;
}

static void take_ref(struct flow_table *t, uint64_t hash, uint32_t ref)
{
    struct flow_bucket *b = flow_bucket_of(t, hash);

    for (;;) {
        for (unsigned hit = flow_bucket_matches(b, flow_tag(hash)); hit;
             hit &= hit - 1) {
            unsigned way = (unsigned)__builtin_ctz(hit);
            if (b->ref[way] == ref) {
                b->tag[way] = 0;
                return;
            }
        }
        if (!b->more)
            return;
        b = extra_at(t, b->more);
    }
}

static uint64_t hash_of(const struct flow_table *t, const struct flow *f, unsigned d)
{
    return flow_hash(t, flow_key(&f->id[d], f->proto));
}

/* Spread the next bucket of `old` over the two that take its place. Cannot fail: together
 * they need no more overflow buckets than it had, which are free before they are needed. */
static void move_bucket(struct flow_table *t)
{
    uint32_t at = t->moved, half = t->n_buckets / 2;
    struct flow_bucket from = t->old[at];

    memset(&t->buckets[at], 0, sizeof *t->buckets);
    memset(&t->buckets[at + half], 0, sizeof *t->buckets);
    if (t->hints)
        t->hints[at] = t->hints[at + half] = (struct flow_hints){{0}};
    t->moved++;
    for (;;) {
        for (unsigned way = 0; way < FLOW_WAYS; way++)
            if (from.tag[way]) {
                uint32_t ref = from.ref[way];
                (void)put_ref(t, hash_of(t, flow_at(t, ref >> 1), ref & 1), ref);
            }
        if (!from.more)
            return;
        at = from.more;
        from = *extra_at(t, at);
        extra_put(t, at);
    }
}

static void move_buckets(struct flow_table *t, uint32_t n)
{
    for (; t->old && n; n--) {
        move_bucket(t);
        if (t->moved == t->n_buckets / 2) {
            free(t->old_memory);
            t->old_memory = NULL;
            t->old = NULL;
        }
    }
}

/* Begin to double the buckets. On failure the table is as it was. */
static int grow(struct flow_table *t)
{
    uint32_t n = t->n_buckets ? 2 * t->n_buckets : FIRST_BUCKETS;
    size_t hints = n >= HINTED_MIN && n <= HINTED_MAX ? n * sizeof *t->hints : 0;
    void *memory, *at;

    at = large_alloc(t->platform, (size_t)n * sizeof *t->buckets + hints, &memory);
    if (!at)
        return -1;
    move_buckets(t, UINT32_MAX); /* has come to its end long ago */
    t->old_memory = t->bucket_memory;
    t->old = t->buckets;
    t->moved = 0;
    t->bucket_memory = memory;
    t->buckets = at;
    t->hints = hints ? (void *)(t->buckets + n) : NULL;
    t->n_buckets = n;
    if (!t->old)
        memset(t->buckets, 0, n * sizeof *t->buckets);
    return 0;
}

/* --- guesses ---------------------------------------------------------------------------- */

static inline flow_mark mark_of(struct flow *const *blocks, uint32_t ref)
{
    flow_mark m = (flow_mark)&blocks[(ref >> 1) / FLOW_BLOCK][(ref >> 1) % FLOW_BLOCK];

    __builtin_prefetch((const void *)m, 1);
    return m | (ref & 1);
}

static inline flow_mark guess_in(struct flow *const *blocks,
                                 const struct flow_bucket *b, uint64_t hash)
{
    unsigned hit = flow_bucket_matches(b, flow_tag(hash));

    return hit ? mark_of(blocks, b->ref[__builtin_ctz(hit)]) : 0;
}

/* What stays the same is in variables: the table might change with every mark otherwise. */
static void guess_in_buckets(const struct flow_table *t, const uint64_t *hash,
                             uint32_t n, flow_mark *mark)
{
    struct flow *const *blocks = t->blocks;
    const struct flow_bucket *buckets = t->buckets;
    uint32_t mask = t->n_buckets - 1;

    for (uint32_t i = 0; mask >= NEAR && i < n; i++)
        __builtin_prefetch(&buckets[(uint32_t)hash[i] & mask]);
    for (uint32_t i = 0; i < n; i++)
        mark[i] = guess_in(blocks, &buckets[(uint32_t)hash[i] & mask], hash[i]);
}

static void guess_while_moving(const struct flow_table *t, const uint64_t *hash,
                               uint32_t n, flow_mark *mark)
{
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(flow_bucket_of(t, hash[i]));
    for (uint32_t i = 0; i < n; i++)
        mark[i] = guess_in(t->blocks, flow_bucket_of(t, hash[i]), hash[i]);
}

/* There is no hint: what the bucket says is one from now on. */
static __attribute__((noinline)) flow_mark guess_anew(struct flow_table *t,
                                                      uint64_t hash)
{
    const struct flow_bucket *b = flow_bucket_of(t, hash);
    unsigned hit = flow_bucket_matches(b, flow_tag(hash));
    flow_ref ref = hit ? b->ref[__builtin_ctz(hit)] + 1 : 0;

    if (!ref)
        return 0;
    flow_hint_set(t, hash, ref);
    return mark_of(t->blocks, ref - 1);
}

static void guess_by_hints(struct flow_table *t, const uint64_t *hash, uint32_t n,
                           flow_mark *mark)
{
    struct flow *const *blocks = t->blocks;
    const struct flow_hints *hints = t->hints;
    uint32_t mask = t->n_buckets - 1;

    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(&hints[(uint32_t)hash[i] & mask]);
    for (uint32_t i = 0; i < n; i++) {
        const struct flow_hints *h = &hints[(uint32_t)hash[i] & mask];
        unsigned hit = flow_hints_match(h, flow_hint_tag(hash[i]));

        if (__builtin_expect(hit, 1))
            mark[i] = mark_of(
                blocks,
                (h->hint[__builtin_ctz(hit)] & ((1u << FLOW_HINT_BITS) - 1)) - 1);
        else
            mark[i] = guess_anew(t, hash[i]);
    }
}

void flow_guess(struct flow_table *t, const uint64_t *hash, uint32_t n, flow_mark *mark)
{
    move_buckets(t, MOVE);
    if (!t->buckets)
        memset(mark, 0, n * sizeof *mark);
    else if (t->old)
        guess_while_moving(t, hash, n, mark);
    else if (t->hints)
        guess_by_hints(t, hash, n, mark);
    else
        guess_in_buckets(t, hash, n, mark);
}

/* --- flows ------------------------------------------------------------------------------ */

/* A block of flows; a large page full of blocks when there are many. */
static int more_flows(struct flow_table *t)
{
    uint32_t n = t->n_blocks, more = n < SMALL ? 1 : SLAB;
    struct flow *at;

    if (more_blocks(&t->block_memory, &t->blocks, n + more) < 0)
        return -1;
    at = large_alloc(t->platform, (size_t)more * FLOW_BLOCK * sizeof *at,
                     &t->block_memory[n]);
    if (!at)
        return -1;
    for (uint32_t i = 0; i < more; i++) {
        t->blocks[n + i] = at + (size_t)i * FLOW_BLOCK;
        if (i)
            t->block_memory[n + i] = NULL;
    }
    t->n_blocks += more;
    return 0;
}

/* The number plus one of a free flow; 0 when memory ran out. */
static uint32_t flow_take(struct flow_table *t)
{
    uint32_t number = t->free;

    if (number) {
        t->free = flow_at(t, number - 1)->next;
        return number;
    }
    if (t->fresh == t->n_blocks * FLOW_BLOCK && more_flows(t) < 0)
        return 0;
    return ++t->fresh;
}

static void flow_put(struct flow_table *t, uint32_t number)
{
    struct flow *f = flow_at(t, number);

    f->used = false;
    f->next = t->free;
    t->free = number + 1;
}

/* The slots between where the wheel stands and a time. */
static uint32_t slots_ahead(const struct flow_table *t, uint32_t ms)
{
    int32_t ahead = (int32_t)(ms - (t->tick << TICK_BITS)) >> TICK_BITS;

    return ahead < 0 ? 0 : ahead >= FLOW_SLOTS ? FLOW_SLOTS - 1 : (uint32_t)ahead;
}

static uint32_t slot_at(const struct flow_table *t, uint32_t ms)
{
    return (t->tick + slots_ahead(t, ms)) % FLOW_SLOTS;
}

static void link_into(struct flow_table *t, uint32_t number, uint32_t slot)
{
    struct flow *f = flow_at(t, number);

    f->slot = (uint16_t)slot;
    f->prev = 0;
    f->next = t->wheel[f->slot];
    if (f->next)
        flow_at(t, f->next - 1)->prev = number + 1;
    t->wheel[f->slot] = number + 1;
}

static void wheel_link(struct flow_table *t, uint32_t number)
{
    link_into(t, number, slot_at(t, flow_at(t, number)->expiry_ms));
}

/* Where the list begins whose first flow this is. */
static uint32_t *wheel_head(struct flow_table *t, const struct flow *f)
{
    if (t->reap_list && flow_at(t, t->reap_list - 1) == f)
        return &t->reap_list;
    return &t->wheel[f->slot];
}

static void wheel_unlink(struct flow_table *t, struct flow *f)
{
    if (f->next)
        flow_at(t, f->next - 1)->prev = f->prev;
    *(f->prev ? &flow_at(t, f->prev - 1)->next : wheel_head(t, f)) = f->next;
}

/* The number of a flow: only the table's own lists know it. */
static uint32_t number_of(const struct flow_table *t, const struct flow *f)
{
    return (flow_lookup(t, &f->id[0], f->proto) - 1) >> 1;
}

static void remove_number(struct flow_table *t, uint32_t number)
{
    struct flow *f = flow_at(t, number);

    for (unsigned d = 0; d < 2; d++)
        take_ref(t, hash_of(t, f, d), number << 1 | d);
    wheel_unlink(t, f);
    if (f->seq) {
        t->seqs[f->seq - 1].trigger[0][0] = t->seq_free;
        t->seq_free = f->seq;
    }
    flow_put(t, number);
    t->count--;
}

void flow_remove(struct flow_table *t, struct flow *f)
{
    remove_number(t, number_of(t, f));
}

flow_ref flow_insert(struct flow_table *t, const struct flow *f)
{
    flow_ref old = flow_lookup(t, &f->id[1], f->proto);
    uint32_t number;
    struct flow *mine;

    if (old)
        remove_number(t, (old - 1) >> 1);
    move_buckets(t, MOVE);
    if (2ull * t->count >= (uint64_t)FULL * t->n_buckets && grow(t) < 0 &&
        !t->n_buckets)
        return 0;
    number = flow_take(t);
    if (!number--)
        return 0;
    mine = flow_at(t, number);
    *mine = *f;
    mine->used = true;
    mine->seq = 0;
    mine->born = t->births++;
    if (put_ref(t, hash_of(t, mine, 0), number << 1) < 0 ||
        put_ref(t, hash_of(t, mine, 1), number << 1 | 1) < 0) {
        take_ref(t, hash_of(t, mine, 0), number << 1);
        flow_put(t, number);
        return 0;
    }
    wheel_link(t, number);
    t->count++;
    return (number << 1) + 1;
}

struct flow *flow_next(const struct flow_table *t, uint32_t *at)
{
    for (; *at < t->fresh; (*at)++) {
        struct flow *f = flow_at(t, *at);
        if (f->used) {
            (*at)++;
            return f;
        }
    }
    return NULL;
}

/* --- deadlines -------------------------------------------------------------------------- */

void flow_reap_begin(struct flow_table *t, uint32_t now_ms)
{
    /* ticks have 22 bits: the difference is taken in ms */
    uint32_t behind = (now_ms - (t->tick << TICK_BITS)) >> TICK_BITS;

    if (behind >= FLOW_SLOTS || t->reap_left)
        behind = FLOW_SLOTS - 1; /* an earlier one has not come to its end */
    t->reap_slot = t->tick % FLOW_SLOTS;
    t->reap_left = 2 * (behind + 1);
    t->tick = now_ms >> TICK_BITS;
}

static void take_slot(struct flow_table *t, uint32_t slot)
{
    t->reap_list = t->wheel[slot];
    t->wheel[slot] = 0;
}

bool flow_reap_some(struct flow_table *t, uint32_t now_ms, uint32_t n,
                    void (*gone)(void *ctx, const struct flow *f), void *ctx)
{
    while (n) {
        uint32_t number = t->reap_list;
        struct flow *f;
        if (!number) {
            if (!t->reap_left)
                return false;
            /* off the wheel: those that stay may be linked into this slot again */
            take_slot(t, t->reap_slot + (t->reap_left % 2 ? FLOW_SLOTS : 0));
            t->reap_slot = (t->reap_slot + t->reap_left % 2) % FLOW_SLOTS;
            t->reap_left--;
            continue;
        }
        f = flow_at(t, number - 1);
        wheel_unlink(t, f);
        wheel_link(t, number - 1);
        n--;
        if (flow_before(now_ms, f->expiry_ms))
            continue;
        if (gone)
            gone(ctx, f);
        remove_number(t, number - 1);
    }
    return t->reap_list || t->reap_left;
}

uint32_t flow_reap(struct flow_table *t, uint32_t now_ms)
{
    uint32_t before = t->count;

    flow_reap_begin(t, now_ms);
    (void)flow_reap_some(t, now_ms, UINT32_MAX, NULL, NULL);
    return before - t->count;
}

/* --- sequence numbers --------------------------------------------------------------------- */

struct flow_seq *flow_seq_make(struct flow_table *t, struct flow *f)
{
    if (f->seq)
        return flow_seq_of(t, f);
    if (!t->seq_free && t->n_seqs == t->seq_room) {
        uint32_t room = t->seq_room ? 2 * t->seq_room : 16;
        struct flow_seq *more = realloc(t->seqs, room * sizeof *more);
        if (!more)
            return NULL;
        t->seqs = more;
        t->seq_room = room;
    }
    if (t->seq_free) {
        f->seq = t->seq_free;
        t->seq_free = t->seqs[f->seq - 1].trigger[0][0];
    } else {
        f->seq = ++t->n_seqs;
    }
    t->seqs[f->seq - 1] = (struct flow_seq){.n = {0, 0}};
    return flow_seq_of(t, f);
}

/* --- victims ------------------------------------------------------------------------------ */

/* A search for a victim. Flows whose deadlines were put off since they were linked in are
 * moved to where they belong, and those that are safe for now to the slots of those, so that
 * each is met once for all packets that it had since. */
struct search {
    struct flow_table *t;
    uint32_t now_ms;
    unsigned compare, move; /* how many more flows may be */
    struct flow *best;      /* the next to expire of those compared */
};

/* Leave slots behind that time has left behind and that are empty. */
static void advance(struct flow_table *t, uint32_t now_ms)
{
    uint32_t n = slots_ahead(t, now_ms);

    if (t->reap_left || t->reap_list)
        return;
    for (; n && !t->wheel[t->tick % FLOW_SLOTS] &&
           !t->wheel[FLOW_SLOTS + t->tick % FLOW_SLOTS];
         n--)
        t->tick++;
}

static void move(struct search *s, uint32_t number, uint32_t slot)
{
    wheel_unlink(s->t, flow_at(s->t, number));
    link_into(s->t, number, slot);
    s->move--;
}

/* Bring flows back whose guarantees have ended. */
static void release_held(struct search *s)
{
    uint32_t behind = slots_ahead(s->t, s->now_ms);

    for (uint32_t i = 0; i <= behind && s->move; i++) {
        uint32_t slot = FLOW_SLOTS + (s->t->tick + i) % FLOW_SLOTS;
        uint32_t n = s->t->wheel[slot], next;

        for (; n && s->move; n = next) {
            struct flow *f = flow_at(s->t, n - 1);
            bool safe = flow_before(s->now_ms, f->guarantee_ms);

            next = f->next;
            move(s, n - 1,
                 safe ? FLOW_SLOTS + slot_at(s->t, f->guarantee_ms)
                      : slot_at(s->t, f->expiry_ms));
        }
    }
}

/* Whether the flow is out of place in a slot `i` ahead. Those that expire far in the future
 * stay anywhere there, or all of them would move every second. */
static bool is_misplaced(const struct flow_table *t, const struct flow *f, uint32_t i)
{
    uint32_t ahead = slots_ahead(t, f->expiry_ms);

    return ahead != i && (i < FAR || ahead < FAR);
}

/* Look through the slot `i` ahead. */
static void search_slot(struct search *s, uint32_t i)
{
    uint32_t n = s->t->wheel[(s->t->tick + i) % FLOW_SLOTS], next;

    for (; n && s->move && s->compare; n = next) {
        struct flow *f = flow_at(s->t, n - 1);

        next = f->next;
        if (flow_before(s->now_ms, f->guarantee_ms)) {
            move(s, n - 1, FLOW_SLOTS + slot_at(s->t, f->guarantee_ms));
            continue;
        }
        if (!s->best || flow_before(f->expiry_ms, s->best->expiry_ms))
            s->best = f;
        if (is_misplaced(s->t, f, i))
            move(s, n - 1, slot_at(s->t, f->expiry_ms));
        else
            s->compare--;
    }
}

struct flow *flow_victim(struct flow_table *t, uint32_t now_ms)
{
    struct search s = {t, now_ms, SCAN, MOVES, NULL};

    advance(t, now_ms);
    release_held(&s);
    s.move = MOVES;
    for (uint32_t i = 0; i < FLOW_SLOTS && s.compare == SCAN && s.move; i++)
        search_slot(&s, i);
    return s.best;
}
