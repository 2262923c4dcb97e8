// SPDX-License-Identifier: BSD-3-Clause
/* flow_table.c -- flows that are found from both directions: see flow_table.h */

#include "engine/flow_table.h"

#include <emmintrin.h>
#include <stdlib.h>

enum {
    FIRST_BUCKETS = 64,
    FULL = 5,  /* of the eight ways, on the average, before the table grows */
    SCAN = 64, /* flows that are looked at for a victim */
    TICK_BITS = 10,
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
    free(t->block_memory);
    free(t->blocks);
    free(t->bucket_memory);
    free(t->extra_memory);
    flow_table_init(t, t->seed, t->tick << TICK_BITS);
}

void flow_table_clear(struct flow_table *t)
{
    flow_table_fini(t);
}

/* Two 64-bit multiplications, folded: good enough that nobody who does not know the seed
 * can fill one bucket. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t flow_hash(const struct flow_table *t, const struct flow_id *id, uint8_t proto)
{
    uint64_t addrs, ports;

    memcpy(&addrs, &id->src, 8);
    ports = (uint64_t)id->sport | (uint64_t)id->dport << 16 | (uint64_t)proto << 32;
    return mix(mix(addrs ^ t->seed, 0x9e3779b97f4a7c15ull) ^ ports,
               t->seed | 0xe7037ed1a0b428dbull);
}

static uint16_t tag_of(uint64_t hash)
{
    uint16_t tag = (uint16_t)(hash >> 48);

    return tag ? tag : 1;
}

static bool same(const struct flow *f, unsigned direction, const struct flow_id *id,
                 uint8_t proto)
{
    return memcmp(&f->id[direction], id, sizeof *id) == 0 && f->proto == proto;
}

/* A bit for each way whose tag matches. */
static unsigned matches(const struct flow_bucket *b, uint16_t tag)
{
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);
    __m128i hit = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(hit, _mm_setzero_si128()));
}

void flow_peek(const struct flow_table *t, uint64_t hash)
{
    const struct flow_bucket *b;
    unsigned hit;

    if (!t->buckets)
        return;
    b = &t->buckets[hash & (t->n_buckets - 1)];
    hit = matches(b, tag_of(hash));
    if (hit)
        __builtin_prefetch(flow_at(t, b->ref[__builtin_ctz(hit)] >> 1), 1);
}

flow_ref flow_find(const struct flow_table *t, uint64_t hash, const struct flow_id *id,
                   uint8_t proto)
{
    const struct flow_bucket *b;

    if (!t->buckets)
        return 0;
    b = &t->buckets[hash & (t->n_buckets - 1)];
    for (;;) {
        for (unsigned hit = matches(b, tag_of(hash)); hit; hit &= hit - 1) {
            uint32_t ref = b->ref[__builtin_ctz(hit)];
            if (same(flow_at(t, ref >> 1), ref & 1, id, proto))
                return ref + 1;
        }
        if (!b->more)
            return 0;
        b = &t->extra[b->more - 1];
    }
}

/* --- buckets ---------------------------------------------------------------------------- */

static struct flow_bucket *more_bucket(struct flow_table *t)
{
    if (t->n_extra == t->extra_room) {
        uint32_t room = t->extra_room ? 2 * t->extra_room : 16;
        void *memory = calloc(1, room * sizeof *t->extra + 63);
        if (!memory)
            return NULL;
        if (t->extra)
            memcpy(aligned(memory), t->extra, t->n_extra * sizeof *t->extra);
        free(t->extra_memory);
        t->extra_memory = memory;
        t->extra = aligned(memory);
        t->extra_room = room;
    }
    return &t->extra[t->n_extra++];
}

/* A bucket of the chain with a free way. `*way` gets it. NULL when memory ran out. */
static struct flow_bucket *room_for(struct flow_table *t, uint64_t hash, unsigned *way)
{
    struct flow_bucket *b = &t->buckets[hash & (t->n_buckets - 1)];
    uint32_t at = 0; /* overflow bucket plus one, 0: the first */

    for (;;) {
        unsigned hit = matches(b, 0);
        if (hit) {
            *way = (unsigned)__builtin_ctz(hit);
            return b;
        }
        if (!b->more) {
            if (!more_bucket(t)) /* may move `extra` */
                return NULL;
            b = at ? &t->extra[at - 1] : &t->buckets[hash & (t->n_buckets - 1)];
            b->more = t->n_extra;
        }
        at = b->more;
        b = &t->extra[at - 1];
    }
}

static int put_ref(struct flow_table *t, uint64_t hash, uint32_t ref)
{
    unsigned way = 0;
    struct flow_bucket *b = room_for(t, hash, &way);

    if (!b)
        return -1;
    b->tag[way] = tag_of(hash);
    b->ref[way] = ref;
    return 0;
}

static void take_ref(struct flow_table *t, uint64_t hash, uint32_t ref)
{
    struct flow_bucket *b = &t->buckets[hash & (t->n_buckets - 1)];

    for (;;) {
        for (unsigned hit = matches(b, tag_of(hash)); hit; hit &= hit - 1) {
            unsigned way = (unsigned)__builtin_ctz(hit);
            if (b->ref[way] == ref) {
                b->tag[way] = 0;
                return;
            }
        }
        if (!b->more)
            return;
        b = &t->extra[b->more - 1];
    }
}

static uint64_t hash_of(const struct flow_table *t, const struct flow *f, unsigned d)
{
    return flow_hash(t, &f->id[d], f->proto);
}

/* Twice the buckets. On failure the table is as it was. */
static int grow(struct flow_table *t)
{
    struct flow_table bigger = *t;
    uint32_t at = 0, n = t->n_buckets ? 2 * t->n_buckets : FIRST_BUCKETS;
    struct flow *f;

    bigger.bucket_memory = calloc(1, (size_t)n * sizeof *t->buckets + 63);
    if (!bigger.bucket_memory)
        return -1;
    bigger.buckets = aligned(bigger.bucket_memory);
    bigger.n_buckets = n;
    bigger.extra = bigger.extra_memory = NULL;
    bigger.n_extra = bigger.extra_room = 0;
    while ((f = flow_next(t, &at)))
        for (unsigned d = 0; d < 2; d++)
            if (put_ref(&bigger, hash_of(t, f, d), (at - 1) << 1 | d) < 0) {
                free(bigger.bucket_memory);
                free(bigger.extra_memory);
                return -1;
            }
    free(t->bucket_memory);
    free(t->extra_memory);
    *t = bigger;
    return 0;
}

/* --- flows ------------------------------------------------------------------------------ */

static int more_flows(struct flow_table *t)
{
    uint32_t n = t->n_blocks;
    void **memory = realloc(t->block_memory, (n + 1) * sizeof *memory);
    struct flow **blocks;

    if (!memory)
        return -1;
    t->block_memory = memory;
    blocks = realloc(t->blocks, (n + 1) * sizeof *blocks);
    if (!blocks)
        return -1;
    t->blocks = blocks;
    memory[n] = malloc(FLOW_BLOCK * sizeof **blocks + 63);
    if (!memory[n])
        return -1;
    blocks[n] = aligned(memory[n]);
    t->n_blocks++;
    for (uint32_t i = FLOW_BLOCK; i--;) {
        blocks[n][i].used = false;
        blocks[n][i].next = t->free;
        t->free = n * FLOW_BLOCK + i + 1;
    }
    return 0;
}

static void wheel_link(struct flow_table *t, uint32_t number)
{
    struct flow *f = flow_at(t, number);
    int32_t ahead = (int32_t)(f->expiry_ms - (t->tick << TICK_BITS)) >> TICK_BITS;

    ahead = ahead < 0 ? 0 : ahead >= FLOW_SLOTS ? FLOW_SLOTS - 1 : ahead;
    f->slot = (uint16_t)((t->tick + (uint32_t)ahead) % FLOW_SLOTS);
    f->prev = 0;
    f->next = t->wheel[f->slot];
    if (f->next)
        flow_at(t, f->next - 1)->prev = number + 1;
    t->wheel[f->slot] = number + 1;
}

static void wheel_unlink(struct flow_table *t, struct flow *f)
{
    if (f->next)
        flow_at(t, f->next - 1)->prev = f->prev;
    *(f->prev ? &flow_at(t, f->prev - 1)->next : &t->wheel[f->slot]) = f->next;
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
    f->used = false;
    f->next = t->free;
    t->free = number + 1;
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
    if (2ull * t->count >= (uint64_t)FULL * t->n_buckets && grow(t) < 0 &&
        !t->n_buckets)
        return 0;
    if (!t->free && more_flows(t) < 0)
        return 0;
    number = t->free - 1;
    mine = flow_at(t, number);
    t->free = mine->next;
    *mine = *f;
    mine->used = true;
    if (put_ref(t, hash_of(t, mine, 0), number << 1) < 0 ||
        put_ref(t, hash_of(t, mine, 1), number << 1 | 1) < 0) {
        take_ref(t, hash_of(t, mine, 0), number << 1);
        mine->used = false;
        mine->next = t->free;
        t->free = number + 1;
        return 0;
    }
    wheel_link(t, number);
    t->count++;
    return (number << 1) + 1;
}

struct flow *flow_next(const struct flow_table *t, uint32_t *at)
{
    for (; *at < t->n_blocks * FLOW_BLOCK; (*at)++) {
        struct flow *f = flow_at(t, *at);
        if (f->used) {
            (*at)++;
            return f;
        }
    }
    return NULL;
}

/* --- deadlines -------------------------------------------------------------------------- */

uint32_t flow_reap(struct flow_table *t, uint32_t now_ms)
{
    uint32_t now_tick = now_ms >> TICK_BITS;
    /* ticks have 22 bits: the difference is taken in ms */
    uint32_t behind = (now_ms - (t->tick << TICK_BITS)) >> TICK_BITS, reaped = 0;
    uint32_t first = t->tick;

    if (behind >= FLOW_SLOTS)
        behind = FLOW_SLOTS - 1;
    t->tick = now_tick;
    for (uint32_t i = 0; i <= behind; i++) {
        uint32_t *head = &t->wheel[(first + i) % FLOW_SLOTS], n = *head;
        *head = 0; /* those that stay may be linked in here again */
        while (n) {
            struct flow *f = flow_at(t, n - 1);
            uint32_t next = f->next;
            bool dead = !flow_before(now_ms, f->expiry_ms);
            wheel_link(t, n - 1);
            if (dead) {
                remove_number(t, n - 1);
                reaped++;
            }
            n = next;
        }
    }
    return reaped;
}

/* Whether the deadline was put off since the flow was linked in; then it moves. */
static bool put_off(struct flow_table *t, uint32_t number)
{
    struct flow *f = flow_at(t, number);
    uint16_t was = f->slot;

    wheel_unlink(t, f);
    wheel_link(t, number);
    return f->slot != was;
}

struct flow *flow_victim(struct flow_table *t, uint32_t now_ms)
{
    struct flow *best = NULL;
    unsigned left = SCAN;

    for (uint32_t i = 0; i < FLOW_SLOTS && !best && left; i++) {
        uint32_t n = t->wheel[(t->tick + i) % FLOW_SLOTS];
        while (n && left) {
            struct flow *f = flow_at(t, n - 1);
            uint32_t next = f->next;
            left--;
            if (!put_off(t, n - 1) && !flow_before(now_ms, f->guarantee_ms) &&
                (!best || flow_before(f->expiry_ms, best->expiry_ms)))
                best = f;
            n = next;
        }
    }
    return best;
}
