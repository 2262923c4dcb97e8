// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt.h -- packets, their buffers and the pool both come from
 *
 * A packet is a private record (struct pkt: where the data is, header pointers,
 * annotations) that refers to a buffer (struct buf: the bytes). Several packets may share
 * one buffer: a clone costs a record, not a copy. Whoever changes bytes calls
 * pkt_writable() first, which copies the buffer if, and only if, it is shared.
 *
 *      buf->head        data             data + len          head + room
 *        v                v                   v                   v
 *        [    headroom    ][    packet data   ][    tailroom      ]
 *
 * The pool belongs to the machine (driver or VM), not to a router: packets survive the
 * exchange of one configuration for another.
 *
 * Threads: a pool and its packets are used by one thread at a time.
 * Memory:  every function that takes a packet "over" owns it afterwards. A pool in a VM
 *          hands out the buffers of packet memory (abi/netmem.h), 2048 bytes each, and
 *          larger ones from the heap; in the driver all of them come from the heap.
 */

#ifndef ENGINE_PKT_H
#define ENGINE_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    PKT_HEADROOM = 130, /* bytes before the data of a new packet: puts the IP header
                           behind 14 bytes of Ethernet on a multiple of 16 */
    PKT_ANNO_SIZE = 48, /* bytes of user annotations */
    PKT_MAX_LEN = 1 << 20,
};

struct pkt_pool;
struct stack;

/* A buffer. Only the pool and the ports look inside; elements use the functions below. */
struct buf {
    uint8_t *head;      /* first byte */
    uint32_t room;      /* bytes */
    uint32_t refs;      /* packets that refer to it; 1 while it is free */
    struct stack *home; /* borrowed: where it is put when it is free */
    uint32_t number;    /* in packet memory; BUF_PRIVATE for one from the heap */
    uint32_t low;       /* where the first byte is that was ever written: copies
                           leave out what is before it */
};
#define BUF_PRIVATE UINT32_MAX
_Static_assert(sizeof(struct buf) == 32, "never two cache lines");

enum pkt_type { /* link-level destination, as Click and Linux count them */
                PKT_HOST,
                PKT_BROADCAST,
                PKT_MULTICAST,
                PKT_OTHERHOST,
                PKT_OUTGOING,
                PKT_LOOPBACK,
                PKT_FASTROUTE,
};

struct pkt {
    /* What nearly every element touches shares a cache line. */
    uint8_t *data; /* first byte of the packet */
    uint32_t len;  /* bytes */
    uint32_t hash; /* of the flow, if a port computed one; 0: none */
    struct buf *buf;
    uint8_t *mac, *network, *transport; /* headers; NULL: not set */
    struct pkt *next;                   /* for whoever owns the packet: queues, lists */
    uint16_t offload;                   /* NETMEM_CSUM etc. of abi/netmem.h, 0: none */
    uint16_t gso_size, csum_start, csum_offset;

    union { /* Click's annotation area, by byte offset */
        uint8_t anno[PKT_ANNO_SIZE];
        uint16_t anno_u16[PKT_ANNO_SIZE / 2];
        uint32_t anno_u32[PKT_ANNO_SIZE / 4];
        uint64_t anno_u64[PKT_ANNO_SIZE / 8];
    };
    int64_t
        timestamp;  /* ns since 1970, or since the start under --simtime; 0: not set */
    uint8_t type;   /* enum pkt_type */
    uint8_t device; /* number of the interface it came in by */
    uint16_t flags;
    uint32_t pad;
};
_Static_assert(sizeof(struct pkt) == 128, "two cache lines");
_Static_assert(offsetof(struct pkt, anno) == 64, "hot fields fill the first line");

/* The record in four parts, by what an element may write. */
enum pkt_part {
    PKT_PLACE = 1, /* data, len, hash, buf, mac */
    PKT_HEADERS =
        2, /* network and transport header, next, offload and what goes with it */
    PKT_ANNO = 4,   /* annotations 0 to 31 */
    PKT_STAMPS = 8, /* annotations 32 to 47, timestamp, type, device, flags */
    PKT_PARTS = 15,
};

/* Offsets of the annotations that Click's elements agree on (bytes into `anno`). */
enum {
    ANNO_DST_IP = 0,  /* 4, network byte order */
    ANNO_DST_IP6 = 0, /* 16 */
    ANNO_PAINT = 16,  /* 1 */
    ANNO_ICMP_PARAMPROB = 17,
    ANNO_FIX_IP_SRC = 19,
    ANNO_VLAN_TCI = 20,  /* 2, network byte order */
    ANNO_AGGREGATE = 20, /* 4 */
    ANNO_MISC_IP = 20,
    ANNO_FWD_RATE = 20,
    ANNO_EXTRA_PACKETS = 24,
    ANNO_REV_RATE = 24,
    ANNO_EXTRA_LENGTH = 28,
    ANNO_SEQUENCE_NUMBER = 28,
    ANNO_IPSEC_SPI = 28,
    ANNO_IPREASSEMBLER = 28,   /* 4 */
    ANNO_FIRST_TIMESTAMP = 32, /* 8 */
    ANNO_IPSEC_SA_DATA = 32,
    ANNO_PACKET_NUMBER = 40,
    ANNO_PERFCTR = 40, /* 8 */
};

static inline uint32_t pkt_dst_ip(const struct pkt *p)
{
    return p->anno_u32[ANNO_DST_IP / 4];
}

static inline void pkt_set_dst_ip(struct pkt *p, uint32_t addr)
{
    p->anno_u32[ANNO_DST_IP / 4] = addr;
}

static inline uint8_t pkt_paint(const struct pkt *p)
{
    return p->anno[ANNO_PAINT];
}

static inline void pkt_set_paint(struct pkt *p, uint8_t color)
{
    p->anno[ANNO_PAINT] = color;
}

/* --- pool -------------------------------------------------------------------------- */

/* A pool that takes what it needs from the heap, at most `max_packets` records at once
 * (0: no limit). NULL when memory ran out. */
struct pkt_pool *pkt_pool_new(size_t max_packets);

/* Whether the processor has AVX2 and the system lets us use it; nothing asks it before it
 * was said. */
void pkt_pool_set_wide(struct pkt_pool *pool, bool avx2);

/* What was said: for whoever else has a function for AVX2. */
bool pkt_pool_wide(const struct pkt_pool *pool);

/* From now on packets meet only elements that never write these parts (enum pkt_part) of
 * records that come to them. Returns what was said last; at first it is 0. */
unsigned pkt_pool_set_keeps(struct pkt_pool *pool, unsigned parts);

/* All packets must have been freed; those that were not are counted in the result and
 * their memory is released all the same. */
size_t pkt_pool_free(struct pkt_pool *pool);

/* Give the pool `n` buffers of `size` bytes each at `base`, numbered from 0, as its
 * first choice for packets that fit. The memory stays the caller's, is not touched here,
 * and must outlive the pool. Returns -1 when memory ran out. */
int pkt_pool_add_buffers(struct pkt_pool *pool, uint8_t *base, uint32_t size,
                         uint32_t n);

/* Which buffers of packet memory: whole ones, or those for short packets. */
enum pkt_kind { PKT_WHOLE, PKT_SHORT, PKT_KINDS };

/* Take up to `n` buffers of packet memory for a port to receive into; returns how many were
 * free, and in `numbers` which of their kind they are. The port gives each back with
 * pkt_unpost() or batch_arrive(). */
uint32_t pkt_post(struct pkt_pool *pool, enum pkt_kind kind, uint32_t *numbers,
                  uint32_t n);
void pkt_unpost(struct pkt_pool *pool, enum pkt_kind kind, const uint32_t *numbers,
                uint32_t n);

/* Records in use now. */
size_t pkt_pool_live(const struct pkt_pool *pool);

/* Give it `n` more of `size` bytes each at `base`, for short packets that a port receives:
 * the bytes of buffers from number `first` on, `share` of them in one. */
int pkt_pool_add_short(struct pkt_pool *pool, uint8_t *base, uint32_t size, uint32_t n,
                       uint32_t first, uint32_t share);

/* Call `each` with the number of every free buffer of packet memory that was ever used. */
void pkt_pool_each_free(const struct pkt_pool *pool,
                        void (*each)(void *ctx, uint32_t number), void *ctx);

/* Called when the pool is empty before it gives up: a port may return sent packets. */
void pkt_pool_on_empty(struct pkt_pool *pool, void (*reclaim)(void *ctx), void *ctx);

/* --- one packet --------------------------------------------------------------------- */

/* A packet of `len` bytes, copied from `data` (NULL: not initialised), with at least
 * `headroom` bytes before and `tailroom` behind it, all annotations 0. NULL when memory
 * ran out. */
struct pkt *pkt_new(struct pkt_pool *pool, uint32_t headroom, const void *data,
                    uint32_t len, uint32_t tailroom);

/* A packet in one of the buffers of packet memory and nowhere else; data = head +
 * PKT_HEADROOM, len = 0. NULL when none is free. */
struct pkt *pkt_new_numbered(struct pkt_pool *pool);

/* Take `p` over and release it. */
void pkt_free(struct pkt *p);

/* Another packet with the same bytes and annotations. NULL when memory ran out. */
struct pkt *pkt_clone(struct pkt *p);

/* Make the bytes of `p` its own. Returns -1, with `p` unchanged, when memory ran out. */
int pkt_make_writable(struct pkt *p);

/* Make `p` writable with at least so much room around its data; moves the data if that
 * is needed and keeps header pointers right. Returns -1, `p` unchanged, without memory. */
int pkt_expand(struct pkt *p, uint32_t headroom, uint32_t tailroom);

static inline bool pkt_shared(const struct pkt *p)
{
    return p->buf->refs > 1;
}

static inline int pkt_writable(struct pkt *p)
{
    return __builtin_expect(pkt_shared(p), 0) ? pkt_make_writable(p) : 0;
}

static inline uint32_t pkt_headroom(const struct pkt *p)
{
    return (uint32_t)(p->data - p->buf->head);
}

/* Bytes before the data that were ever written; what is before those is anybody's. */
static inline uint32_t pkt_written_before(const struct pkt *p)
{
    return pkt_headroom(p) - p->buf->low;
}

static inline uint32_t pkt_tailroom(const struct pkt *p)
{
    return p->buf->room - pkt_headroom(p) - p->len;
}

/* Lengthen the packet at the front by `n` bytes, whose contents are not set. Makes it
 * writable. Returns the new start of the data, or NULL (packet unchanged). */
static inline uint8_t *pkt_push(struct pkt *p, uint32_t n)
{
    if (__builtin_expect(pkt_shared(p) || pkt_headroom(p) < n, 0) &&
        pkt_expand(p, n, 0) < 0)
        return NULL;
    p->data -= n;
    p->len += n;
    if (pkt_headroom(p) < p->buf->low)
        p->buf->low = pkt_headroom(p);
    return p->data;
}

/* The data now begins before the first byte that was ever written: set those in front of it,
 * which another packet may have left there, to 0. For pkt_unpull(). */
void pkt_clear_unwritten(struct pkt *p);

/* Undo a pull: lengthen at the front over bytes that are still there, or 0. Returns -1 when
 * there are fewer than `n`. Does not make the packet writable. */
static inline int pkt_unpull(struct pkt *p, uint32_t n)
{
    if (pkt_headroom(p) < n)
        return -1;
    p->data -= n;
    p->len += n;
    if (__builtin_expect(pkt_headroom(p) < p->buf->low, 0))
        pkt_clear_unwritten(p);
    return 0;
}

/* Drop `n` <= len bytes from the front; a larger `n` drops all. */
static inline void pkt_pull(struct pkt *p, uint32_t n)
{
    if (__builtin_expect(n > p->len, 0)) { /* gcc makes vectors of a minimum */
        p->data += p->len;
        p->len = 0;
        return;
    }
    p->data += n;
    p->len -= n;
}

/* Lengthen at the end by `n` bytes, whose contents are not set. Makes it writable. Returns
 * their start, or NULL (packet unchanged). */
static inline uint8_t *pkt_put(struct pkt *p, uint32_t n)
{
    uint32_t len = p->len;

    if (__builtin_expect(pkt_shared(p) || pkt_tailroom(p) < n, 0) &&
        pkt_expand(p, 0, n) < 0)
        return NULL;
    p->len += n;
    return p->data + len;
}

/* Drop `n` bytes from the end. */
static inline void pkt_take(struct pkt *p, uint32_t n)
{
    p->len -= n > p->len ? p->len : n;
}

/* Bytes from `at`, which lies in the packet or its headroom, to the end of the data. */
static inline uint32_t pkt_left(const struct pkt *p, const uint8_t *at)
{
    return (uint32_t)(p->data + p->len - at);
}

/* Bytes of data from the network header on; 0 without one. Negative offsets, after the
 * header has been stripped, count as well. */
static inline uint32_t pkt_network_len(const struct pkt *p)
{
    return p->network ? pkt_left(p, p->network) : 0;
}

static inline void pkt_clear_anno(struct pkt *p)
{
    memset(p->anno, 0, sizeof p->anno);
}

/* --- batches ------------------------------------------------------------------------ */

enum { BATCH_MAX = 64 };

/* Packets on their way through the graph, in order. The array is the caller's, the
 * packets belong to whoever holds the batch. */
struct batch {
    uint32_t n;
    struct pkt *p[BATCH_MAX];
};

/* Take all packets over and release them; the batch is empty afterwards. */
void batch_free(struct batch *b);

/* Append up to `n` clones of `p`; returns how many memory allowed. b->n + n must not
 * exceed BATCH_MAX. */
uint32_t batch_clone(struct batch *b, struct pkt *p, uint32_t n);

/* Append up to `n` packets of `len` bytes, which are not initialised, with `headroom` before
 * them, all annotations 0; returns how many memory allowed. b->n + n must not exceed
 * BATCH_MAX. */
uint32_t batch_new(struct pkt_pool *pool, struct batch *b, uint32_t n,
                   uint32_t headroom, uint32_t len);

/* What a port received into a buffer of pkt_post(). */
struct pkt_arrival {
    uint32_t number;
    uint16_t offset, len; /* of the data, from the start of the buffer */
    enum pkt_kind kind;
};

/* Append a packet for each of the `n` arrivals, all annotations 0; returns how many memory
 * allowed, and only those buffers are taken over. b->n + n must not exceed BATCH_MAX. */
uint32_t batch_arrive(struct pkt_pool *pool, struct batch *b,
                      const struct pkt_arrival *a, uint32_t n);

/* What describes the buffers of a kind, for prefetching. */
const struct buf *pkt_pool_bufs(const struct pkt_pool *pool, enum pkt_kind kind);

/* pkt_writable() for b->p[from .. b->n), as far as memory allows: whoever writes asks
 * pkt_writable() again, which then costs next to nothing. */
void batch_make_writable(struct batch *b, uint32_t from);

/* Copy `n` pointers to packets; the two do not overlap. In a VM memcpy() is a string
 * instruction, which takes longer to begin than this takes to end. Inline, so that a
 * function for AVX2 gets one for AVX2. */
static inline __attribute__((always_inline)) void
pkts_copy(struct pkt **to, struct pkt *const *from, uint32_t n)
{
    typedef long long four __attribute__((vector_size(32), may_alias, aligned(8)));

    for (; n >= 8; n -= 8, to += 8, from += 8) {
        four a = *(const four *)from, b = *(const four *)(from + 4);

        *(four *)to = a;
        *(four *)(to + 4) = b;
    }
    for (; n; n--) {
        *to++ = *from++;
        __asm__ volatile(""); /* keeps the compiler from making memcpy() of it */
    }
}

static inline void batch_add(struct batch *b, struct pkt *p)
{
    b->p[b->n++] = p;
}

/* Bytes of b->p[from .. b->n). Two sums: in one, each addition waits for that before. */
static inline uint32_t batch_bytes(const struct batch *b, uint32_t from)
{
    struct pkt *const *p = b->p + from, *const *end = b->p + b->n;
    uint32_t even = 0, odd = 0;

    for (; end - p >= 4; p += 4) {
        even += p[0]->len;
        odd += p[1]->len;
        even += p[2]->len;
        odd += p[3]->len;
    }
    for (; p < end; p++)
        even += (*p)->len;
    return even + odd;
}

#endif
