// SPDX-License-Identifier: BSD-3-Clause
/*
 * flow_table.h -- flows that are found from both directions, with deadlines
 *
 * Made for address translation. A flow is one cache line; a hash bucket is another and
 * holds eight 16-bit tags beside the flows' numbers, so that a look-up costs two lines,
 * which flow_guess() fetches ahead for a whole batch. (The tags are those of "MemC3", Fan,
 * Andersen and Kaminsky, NSDI 2013.)
 *
 * Buckets of some hundred KiB to some MiB are far away; each has four hints then, in an
 * array that is a quarter as large: the numbers of flows that packets came of lately. With a
 * good hint a look-up does not read the bucket.
 *
 * The table doubles bit by bit: each new flow moves a few buckets over, so that none of them
 * waits for all. Removing what has expired can be done in slices.
 *
 * Deadlines sit in a wheel of 512 slots of about a second (Varghese and Lauck, SOSP 1987)
 * and are moved lazily: a packet only writes its own flow's expiry, and the wheel looks
 * again when the old time comes. Flows that may not be given up yet, for their guarantee,
 * wait in a second wheel where the search for a victim has met them.
 *
 * Memory:  on the heap, in a struct that can be moved from one configuration to the next
 *          as it is: nothing in it points into it.
 * Time:    ms of a steady clock, modulo 2^32; only differences below 24 days count.
 * Threads: one at a time.
 */

#ifndef ENGINE_FLOW_TABLE_H
#define ENGINE_FLOW_TABLE_H

#include "engine/flow_seq.h"
#include "engine/large_memory.h"
#include "engine/net_headers.h"

#include <emmintrin.h>
#include <stdalign.h>

struct flow_id { /* network byte order */
    uint32_t src, dst;
    uint16_t sport, dport;
};

static inline struct flow_id flow_id_reverse(struct flow_id f)
{
    return (struct flow_id){f.dst, f.src, f.dport, f.sport};
}

struct flow {
    alignas(64) struct flow_id id[2]; /* of packets forward, and of replies */
    uint32_t expiry_ms;
    uint32_t guarantee_ms; /* not given up for others before this */
    uint16_t ip_delta;     /* what rewriting adds to the checksums, forward */
    uint16_t l4_delta;
    uint16_t out[2]; /* outputs, forward and back */
    uint16_t input;  /* that it was made for */
    uint8_t proto;   /* 0: any */
    bool used;       /* behind it: flow_is() looks at both */
    uint8_t state;   /* the owner's */
    uint8_t reply_anno;
    uint16_t slot;       /* of the wheel */
    uint32_t prev, next; /* numbers plus one in that slot; next also in the free list */
    uint32_t seq;        /* number plus one in `seqs`; 0: its data is unchanged */
    uint32_t born;       /* the later, the higher */
};
_Static_assert(sizeof(struct flow) == 64, "one cache line");
_Static_assert(offsetof(struct flow, used) == offsetof(struct flow, proto) + 1,
               "flow_is()");

enum { FLOW_WAYS = 8, FLOW_BLOCK = 1024, FLOW_SLOTS = 512 };
enum { FLOW_HINTS = 4, FLOW_HINT_BITS = 22 }; /* of a hint: a flow_ref, then a tag */

struct flow_bucket {
    alignas(64) uint16_t tag[FLOW_WAYS]; /* 0: free */
    uint32_t ref[FLOW_WAYS];             /* number << 1 | direction */
    uint32_t more; /* overflow bucket plus one; also in the list of free ones */
};
_Static_assert(sizeof(struct flow_bucket) == 64, "one cache line");

struct flow_hints {
    alignas(16) uint32_t hint[FLOW_HINTS]; /* 0: none */
};

struct flow_table {
    void *bucket_memory;         /* owned */
    struct flow_bucket *buckets; /* in bucket_memory; NULL while empty */
    struct flow_hints *hints;    /* [n_buckets] behind them; NULL: there are none */
    uint32_t n_buckets;          /* power of two */
    uint32_t moved;              /* of `old`: those before are in `buckets` */
    void *old_memory;            /* owned */
    struct flow_bucket *old;     /* half as many, while the table grows; else NULL */
    void **extra_memory;         /* owned array of owned blocks: overflow buckets */
    struct flow_bucket **extra;  /* owned array: where they begin, aligned */
    uint32_t n_extra;            /* buckets in them */
    uint32_t extra_free;         /* first free one plus one */
    void **block_memory;         /* owned array of owned blocks */
    struct flow **blocks;        /* owned array: where they begin, aligned */
    uint32_t n_blocks;
    uint32_t fresh; /* flows from this number on were never used */
    uint32_t free;  /* first free flow plus one */
    uint32_t count;
    uint32_t births;
    uint32_t tick; /* ms >> 10 that the wheel stands at */
    uint32_t
        wheel[2 * FLOW_SLOTS];     /* by expiry; by the guarantees of those held back */
    uint32_t reap_slot, reap_left; /* slots that are to be looked through, from here */
    uint32_t reap_list;            /* number plus one: taken from the last such slot */
    struct flow_seq *seqs;         /* owned */
    uint32_t n_seqs, seq_room;
    uint32_t seq_free; /* first free one plus one; its trigger[0][0] is the next */
    uint64_t seed;
    const struct platform *platform; /* borrowed; NULL: for large_alloc() */
};

/* A found flow: 0 is none, else flow_ref_flow() and flow_ref_direction(). */
typedef uint32_t flow_ref;

/* The same as an address, for as long as the table is not cleared: flow_mark_flow() and
 * flow_mark_direction(). */
typedef uintptr_t flow_mark;

static inline struct flow *flow_at(const struct flow_table *t, uint32_t number)
{
    return &t->blocks[number / FLOW_BLOCK][number % FLOW_BLOCK];
}

static inline struct flow *flow_ref_flow(const struct flow_table *t, flow_ref r)
{
    return flow_at(t, (r - 1) >> 1);
}

static inline unsigned flow_ref_direction(flow_ref r)
{
    return (r - 1) & 1;
}

static inline struct flow *flow_mark_flow(flow_mark m)
{
    return (struct flow *)(m & ~(uintptr_t)1);
}

static inline unsigned flow_mark_direction(flow_mark m)
{
    return m & 1;
}

static inline flow_mark flow_mark_of(const struct flow_table *t, flow_ref r)
{
    return (uintptr_t)flow_ref_flow(t, r) | flow_ref_direction(r);
}

/* Its `platform` may be set then. */
void flow_table_init(struct flow_table *t, uint64_t seed, uint32_t now_ms);
void flow_table_fini(struct flow_table *t);

/* Remove all flows, keep the seed. */
void flow_table_clear(struct flow_table *t);

/* Two 64-bit multiplications, folded: good enough that nobody who does not know the seed
 * can fill one bucket. */
static inline uint64_t flow_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* An id and a protocol as they are hashed and compared. */
struct flow_key {
    uint64_t addrs,
        ports; /* the ports are the lower half, the protocol is above them */
};

static inline struct flow_key flow_key(const struct flow_id *id, uint8_t proto)
{
    return (struct flow_key){load64(&id->src),
                             load32(&id->sport) | (uint64_t)proto << 32};
}

static inline uint64_t flow_hash(const struct flow_table *t, struct flow_key k)
{
    return flow_mix(flow_mix(k.addrs ^ t->seed, 0x9e3779b97f4a7c15ull) ^ k.ports,
                    t->seed | 0xe7037ed1a0b428dbull);
}

/* Whether a hash's bucket is among `old` still. */
static inline bool flow_bucket_is_old(const struct flow_table *t, uint64_t hash)
{
    return __builtin_expect(t->old != NULL, 0) &&
           ((uint32_t)hash & (t->n_buckets / 2 - 1)) >= t->moved;
}

/* Where a hash has its bucket. */
static inline struct flow_bucket *flow_bucket_of(const struct flow_table *t,
                                                 uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (t->n_buckets - 1);

    if (flow_bucket_is_old(t, hash))
        return &t->old[i & (t->n_buckets / 2 - 1)];
    return &t->buckets[i];
}

/* ... and its hints; NULL: none. */
static inline struct flow_hints *flow_hints_of(const struct flow_table *t,
                                               uint64_t hash)
{
    if (!t->hints || flow_bucket_is_old(t, hash))
        return NULL;
    return &t->hints[(uint32_t)hash & (t->n_buckets - 1)];
}

static inline uint16_t flow_tag(uint64_t hash)
{
    uint16_t tag = (uint16_t)(hash >> 48);

    return tag ? tag : 1;
}

/* A bit for each way whose tag matches. */
static inline unsigned flow_bucket_matches(const struct flow_bucket *b, uint16_t tag)
{
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);
    __m128i hit = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(hit, hit)) & 0xff;
}

/* The upper bits of a hint: never 0. */
static inline uint32_t flow_hint_tag(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> (32 + FLOW_HINT_BITS));

    return (tag + !tag) << FLOW_HINT_BITS;
}

/* A bit for each hint with the tag. */
static inline unsigned flow_hints_match(const struct flow_hints *h, uint32_t tag)
{
    __m128i all = _mm_load_si128((const __m128i *)(const void *)h->hint);
    __m128i hit = _mm_cmpeq_epi32(_mm_srli_epi32(all, FLOW_HINT_BITS),
                                  _mm_set1_epi32((int)(tag >> FLOW_HINT_BITS)));

    return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(hit));
}

/* Let `ref` be what they say next time. */
void flow_hint_set(struct flow_table *t, uint64_t hash, flow_ref ref);

/* For each of `n` hashes the flow that is most likely meant, or 0; all are on their way into
 * the cache then. flow_is() tells whether it was, even if the table has changed since. */
void flow_guess(struct flow_table *t, const uint64_t *hash, uint32_t n,
                flow_mark *mark);

static inline bool flow_is(flow_mark m, struct flow_key k)
{
    const struct flow *f = flow_mark_flow(m);
    const struct flow_id *id = &f->id[flow_mark_direction(m)];

    return load64(&id->src) == k.addrs && load32(&id->sport) == (uint32_t)k.ports &&
           load16(&f->proto) == (k.ports >> 32 | 1 << 8);
}

flow_ref flow_find(const struct flow_table *t, uint64_t hash, struct flow_key k);

static inline flow_ref flow_lookup(const struct flow_table *t, const struct flow_id *id,
                                   uint8_t proto)
{
    struct flow_key k = flow_key(id, proto);

    return flow_find(t, flow_hash(t, k), k);
}

/* Enter a copy of `f`, of which ids, proto and expiry matter here. A flow whose replies
 * look the same is removed before. Returns the forward direction, 0 when memory ran out;
 * the forward id must not be there. */
flow_ref flow_insert(struct flow_table *t, const struct flow *f);

void flow_remove(struct flow_table *t, struct flow *f);

/* Remove what has expired by now; returns how many. */
uint32_t flow_reap(struct flow_table *t, uint32_t now_ms);

/* The same in slices: flow_reap_begin(), and then flow_reap_some(), which looks at up to `n`
 * flows, until it returns false. gone() is called before each flow that goes. */
void flow_reap_begin(struct flow_table *t, uint32_t now_ms);
bool flow_reap_some(struct flow_table *t, uint32_t now_ms, uint32_t n,
                    void (*gone)(void *ctx, const struct flow *f), void *ctx);

/* The changes of a flow's sequence numbers: made when there are none yet (NULL without
 * memory), or NULL when there are none. They go with the flow. */
struct flow_seq *flow_seq_make(struct flow_table *t, struct flow *f);
static inline struct flow_seq *flow_seq_of(const struct flow_table *t,
                                           const struct flow *f)
{
    return f->seq ? &t->seqs[f->seq - 1] : NULL;
}

/* The flow that expires next, give or take, among those without a guarantee. NULL when there
 * is none; also when there are hundreds with a guarantee before it that have not been looked
 * at since their last packets, but then the next call goes on behind them. */
struct flow *flow_victim(struct flow_table *t, uint32_t now_ms);

/* Go through all flows: start with *at = 0; NULL after the last. Removing is allowed. */
struct flow *flow_next(const struct flow_table *t, uint32_t *at);

static inline bool flow_before(uint32_t a_ms, uint32_t b_ms)
{
    return (int32_t)(a_ms - b_ms) < 0;
}

#endif
