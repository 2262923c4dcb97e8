// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm_port.c -- an interface of a VM: rings in memory that the guest can write to
 *
 * The indices that we write are kept here and only ever copied to the shared page. The
 * guest's index is believed when it lies within a lap of ours; otherwise the ring counts
 * as empty or full, and the guest loses its own packets. A slot is loaded once, as two
 * words, and every field of it is bounded before use.
 *
 * Sleeping and waking is as abi/netmem.h has it. Where that asks for a full fence between
 * a store and a load, both are sequentially consistent here, which is the same and which
 * the thread sanitizer understands.
 */

#include "base/errtext.h"
#include "base/prefetch.h"
#include "switch/plane.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RX_LOW = 8, /* empty buffers */
    SLOTS_A_LINE = 64 / sizeof(struct netmem_slot),
    HELD_MAX = 256, /* packets */
};
/* A guest that has had no room for so long gets no more of them; and so long after it was
 * woken it should have its buffers out. */
#define HELD_NS 3000000000ull

/* A packet from before the VM was there, or before it was ready for it. */
struct held {
    struct held *next;
    uint32_t len;
    uint16_t flags;
    uint8_t bytes[];
};

/* A guest that found its ring full is seen to have had NETMEM_TX_WAKE slots out, even when
 * a batch of them was being taken at that moment. */
_Static_assert(NETMEM_SLOTS - FRAME_BATCH >= NETMEM_TX_WAKE, "wake-ups of full rings");

#define relaxed memory_order_relaxed

struct vm_port {
    struct port port;

    /* To the guest. Pointers are into the mapping. */
    alignas(64) uint32_t rx_next; /* slot of rx that we fill next */
    _Atomic uint32_t answered;    /* the guest_sleep that we have rung for */
    uint32_t n_buffers;
    uint32_t last_len; /* of the packet it got last */
    bool rx_bad;       /* the guest's index made no sense when last seen */
    struct netmem_ring *rx;
    struct netmem_head *head;
    uint8_t *buffers;
    struct held *held;        /* owned: see below */
    int wake_fd, doorbell_fd; /* owned */

    /* From the guest. */
    alignas(64) struct netmem_ring *tx;
    _Atomic uint32_t *host_sleep;
    uint32_t tx_next; /* slot of tx that we take next; published by rx_done() */
    uint32_t
        tx_left; /* slots of the guest's that we had not taken when we looked last */
    uint32_t sleeping; /* what we wrote to host_sleep */
    bool tx_full;      /* it had NETMEM_TX_WAKE out since we woke it for slots */
    bool tx_bad;
    bool wake_may_block;

    /* What waits for room since a guest that has just come offers few buffers: goes out
     * before all else. More is taken until woken_until_ns; 0: the guest is no longer new.
     * Under the tx lock. */
    struct held **last_held;
    unsigned n_held;
    uint64_t held_until_ns, woken_until_ns;

    uint8_t *base; /* owned mapping */
    size_t size;
};

/* A slot as it lies in memory, loaded at one time. */
struct slot_words {
    uint64_t place, offload; /* buffer, offset, len; flags, gso_size, csum_* */
};

static struct slot_words slot_load(const struct netmem_slot *s)
{
    const uint64_t *at = (const uint64_t *)(const void *)s;

    return (struct slot_words){__atomic_load_n(at, __ATOMIC_RELAXED),
                               __atomic_load_n(at + 1, __ATOMIC_RELAXED)};
}

static void slot_store(struct netmem_slot *s, uint32_t buffer, uint32_t offset,
                       uint32_t len, uint16_t flags)
{
    uint64_t *at = (uint64_t *)(void *)s;

    __atomic_store_n(at, buffer | (uint64_t)offset << 32 | (uint64_t)len << 48,
                     __ATOMIC_RELAXED);
    __atomic_store_n(at + 1, flags, __ATOMIC_RELAXED);
}

/* Ring once if the guest sleeps, after we published (sequentially consistent). */
static void wake_guest(struct vm_port *v)
{
    uint32_t s = atomic_load(&v->head->guest_sleep);
    struct pollfd pfd = {.fd = v->wake_fd, .events = POLLOUT};
    uint64_t one = 1;

    if (!(s & 1) || s == atomic_load_explicit(&v->answered, relaxed))
        return;
    atomic_store_explicit(&v->answered, s, relaxed);
    /* A full counter is a wake-up that waits already; never wait for its reader. */
    if (v->wake_may_block && poll(&pfd, 1, 0) != 1)
        return;
    if (write(v->wake_fd, &one, sizeof one) == sizeof one)
        count_add(&v->port.count.wakes, 1);
}

static void bad_ring(struct vm_port *v, bool *was, const char *ring, uint32_t ours,
                     uint32_t theirs)
{
    if (*was)
        return;
    *was = true;
    count_add(&v->port.count.bad_rings, 1);
    if (atomic_load_explicit(&v->port.count.bad_rings, relaxed) == 1)
        port_report(&v->port, EVENT_PORT_FAULT,
                    "the guest's %s index %u is more than a ring away from %u", ring,
                    theirs, ours);
}

/* ---- from the guest --------------------------------------------------------------- */

/* False when the slot's buffer does not lie in the memory. */
static inline bool frame_from_slot(struct vm_port *v, struct frame *f,
                                   struct slot_words s)
{
    uint32_t buffer = (uint32_t)s.place;
    uint32_t offset = (s.place >> 32) & 0xffff, len = (uint32_t)(s.place >> 48);

    if (buffer >= v->n_buffers || offset + len > NETMEM_BUFFER)
        return false;
    f->data = v->buffers + (size_t)buffer * NETMEM_BUFFER + offset;
    f->head = NULL;
    f->len = f->total = len;
    f->parts = 1;
    f->flags = (uint16_t)s.offload &
               (NETMEM_CSUM | NETMEM_CSUM_OK | NETMEM_TSO4 | NETMEM_TSO6);
    f->gso_size = (uint16_t)(s.offload >> 16);
    f->csum_start = (uint16_t)(s.offload >> 32);
    f->csum_offset = (uint16_t)(s.offload >> 48);
    return true;
}

/* A packet of several slots, of which `avail` are there, the first at tx_next. Returns
 * the slots used up, 0 when its end is still to come; *n: frames made, 0 if dropped. */
static uint32_t take_chain(struct vm_port *v, struct frame *f, uint32_t avail,
                           unsigned room, unsigned *n)
{
    bool more = true, good = true;
    uint32_t used = 0, total = 0;

    *n = 0;
    while (more && used < FRAME_MAX_PARTS) {
        struct slot_words s;

        if (used == avail || used == room)
            return 0;
        s = slot_load(&v->tx->slots[(v->tx_next + used) % NETMEM_SLOTS]);
        more = s.offload & NETMEM_MORE;
        good = good && frame_from_slot(v, &f[used], s);
        total += good ? f[used].len : 0;
        used++;
    }
    if (more || total > FRAME_MAX)
        port_drop(&v->port, DROP_TOO_MANY, 1);
    else if (!good)
        port_drop(&v->port, DROP_BAD_SLOT, 1);
    else if (f[0].len < 14)
        port_drop(&v->port, DROP_RUNT, 1);
    else
        *n = used;
    f[0].total = total;
    f[0].parts = (uint16_t)used;
    return used;
}

static void vm_rx_done(struct port *p)
{
    struct vm_port *v = (struct vm_port *)p;

    atomic_store(&v->tx->done, v->tx_next);
    /* A guest that waits for slots or buffers to come back had most of them out. Waking it
     * for the first few would be a wake-up for each few. */
    if (v->tx_full && v->tx_left <= NETMEM_TX_LOW) {
        v->tx_full = false;
        wake_guest(v);
    }
}

/* The slow cases: chains, and slots to be dropped. Returns slots used up. */
static uint32_t take_odd(struct vm_port *v, struct frame *f, struct slot_words s,
                         uint32_t avail, unsigned room, unsigned *n)
{
    if (s.offload & NETMEM_MORE)
        return take_chain(v, f, avail, room, n);
    *n = 0;
    port_drop(&v->port, frame_from_slot(v, f, s) ? DROP_RUNT : DROP_BAD_SLOT, 1);
    return 1;
}

/* The guest has just written them, on another processor; what it has not offered yet it is
 * still writing, so nothing is asked for beyond that. */
static void ask_for_slots(const struct vm_port *v, uint32_t n)
{
    for (uint32_t i = SLOTS_A_LINE; i < n; i += SLOTS_A_LINE)
        prefetch(&v->tx->slots[(v->tx_next + i) % NETMEM_SLOTS]);
}

static void release_held(struct vm_port *v, struct worker *w);

static unsigned vm_rx(struct port *p, struct worker *w, struct frame *frames,
                      unsigned max)
{
    struct vm_port *v = (struct vm_port *)p;
    uint32_t offered = atomic_load_explicit(&v->tx->offered, memory_order_acquire);
    uint32_t avail = offered - v->tx_next, start = v->tx_next;
    unsigned n = 0;

    if (__builtin_expect(v->held != NULL, 0)) {
        plane_lock_tx(p->bp, p);
        release_held(v, w);
        plane_unlock_tx(p->bp, p);
    }
    if (avail > NETMEM_SLOTS) {
        bad_ring(v, &v->tx_bad, "tx", v->tx_next, offered);
        return 0;
    }
    v->tx_bad = false;
    v->tx_full |= avail >= NETMEM_TX_WAKE;
    ask_for_slots(v, avail < max ? avail : max);
    while (avail > 0 && max > 0 && n < FRAME_BATCH) {
        struct slot_words s = slot_load(&v->tx->slots[v->tx_next % NETMEM_SLOTS]);
        uint32_t used = 1;
        unsigned made = 1;

        if (__builtin_expect((s.offload & NETMEM_MORE) ||
                                 !frame_from_slot(v, &frames[n], s) ||
                                 frames[n].len < 14,
                             0))
            used = take_odd(v, &frames[n], s, avail, FRAME_BATCH - n, &made);
        else
            prefetch(frames[n].data);
        if (used == 0)
            break;
        v->tx_next += used;
        avail -= used;
        n += made;
        max--;
    }
    v->tx_left = avail;
    if (n == 0 && v->tx_next != start)
        vm_rx_done(p); /* only rubbish: nobody else will give it back */
    return n;
}

static bool vm_arm(struct port *p)
{
    struct vm_port *v = (struct vm_port *)p;
    uint32_t avail;

    if (v->held) /* nobody rings when there is room */
        return false;
    atomic_store(v->host_sleep, ++v->sleeping);
    avail = atomic_load(&v->tx->offered) - v->tx_next;
    if (avail == 0 || avail > NETMEM_SLOTS)
        return true;
    atomic_store(v->host_sleep, ++v->sleeping);
    return false;
}

static bool vm_peer_sleeps(struct port *p)
{
    struct vm_port *v = (struct vm_port *)p;

    return atomic_load_explicit(&v->head->guest_sleep, relaxed) & 1;
}

static void vm_disarm(struct port *p)
{
    struct vm_port *v = (struct vm_port *)p;

    atomic_store(v->host_sleep, ++v->sleeping);
}

/* ---- to the guest ----------------------------------------------------------------- */

static inline void copy16(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from, 16); /* one load and one store */
}

/* Exactly `len` bytes, never more: what lies behind them may be another network's. */
static inline void copy_bytes(uint8_t *to, const uint8_t *from, uint32_t len)
{
    if (len > 128 || len < 32) {
        memcpy(to, from, len);
        return;
    }
    copy16(to, from);
    copy16(to + 16, from + 16);
    if (len > 64) {
        copy16(to + 32, from + 32);
        copy16(to + 48, from + 48);
        copy16(to + len - 64, from + len - 64);
        copy16(to + len - 48, from + len - 48);
    }
    copy16(to + len - 32, from + len - 32);
    copy16(to + len - 16, from + len - 16);
}

/* Where a packet of `len` bytes goes that gets this offer, the first word of a slot whose
 * buffer exists: bytes from the first buffer. */
static inline size_t place_for(const struct vm_port *v, uint64_t offer, uint32_t len)
{
    size_t place = (uint32_t)(offer >> 32) - 1u, buffer = (uint32_t)offer;

    if (len <= NETMEM_SHORT_MAX &&
        place < (size_t)v->n_buffers * (NETMEM_BUFFER / NETMEM_SHORT))
        return place * NETMEM_SHORT + NETMEM_HEADROOM;
    return buffer * NETMEM_BUFFER + NETMEM_HEADROOM;
}

static inline void put_packet(struct vm_port *v, uint32_t slot, uint64_t offer,
                              const struct frame *f)
{
    size_t at = place_for(v, offer, f->total);
    uint8_t *to = v->buffers + at;
    uint16_t flags = f->flags & (NETMEM_CSUM | NETMEM_CSUM_OK) ? NETMEM_CSUM_OK : 0;

    if (__builtin_expect(f->parts == 1 && !f->head, 1))
        copy_bytes(to, f->data, f->len);
    else
        frame_gather(to, f);
    if (__builtin_expect(f->flags & NETMEM_CSUM, 0))
        frame_finish_checksum(to, f);
    slot_store(&v->rx->slots[slot % NETMEM_SLOTS], (uint32_t)(at / NETMEM_BUFFER),
               at % NETMEM_BUFFER, f->total, flags);
}

/* Free slots; 0 when the guest's index makes no sense. */
static uint32_t rx_free(struct vm_port *v)
{
    uint32_t offered = atomic_load_explicit(&v->rx->offered, memory_order_acquire);
    uint32_t avail = offered - v->rx_next;

    if (avail > NETMEM_SLOTS) {
        bad_ring(v, &v->rx_bad, "rx", v->rx_next, offered);
        return 0;
    }
    v->rx_bad = false;
    return avail;
}

/* Ask for the line that a packet of `len` bytes would be put into. */
static inline void ask_for_place(const struct vm_port *v, uint64_t offer, uint32_t len)
{
    if ((uint32_t)offer < v->n_buffers)
        prefetch_to_write(v->buffers + place_for(v, offer, len));
}

/* Loads the next `n` offers, each once, and asks for the lines of the `n` packets. */
static void load_offers(struct vm_port *v, uint64_t *offers, const struct frame *frames,
                        const uint16_t *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        offers[i] = slot_load(&v->rx->slots[(v->rx_next + i) % NETMEM_SLOTS]).place;
        ask_for_place(v, offers[i], frames[list[i]].total);
    }
}

/* Published; `left` buffers are empty still. A guest that sleeps is woken by the worker
 * when it suits it, but at once when it will soon have no room. */
static void tell_guest(struct vm_port *v, struct worker *w, uint32_t left)
{
    uint32_t s = atomic_load(&v->head->guest_sleep);

    if (!(s & 1) || s == atomic_load_explicit(&v->answered, relaxed))
        return;
    if (left < RX_LOW)
        wake_guest(v);
    else
        worker_owe_wake(w, &v->port);
}

static void vm_wake(struct port *p)
{
    wake_guest((struct vm_port *)p);
}

static void deliver(struct vm_port *v, struct worker *w, const struct frame *frames,
                    const uint16_t *list, unsigned n)
{
    struct port *p = &v->port;
    uint32_t free_slots = rx_free(v), avail, used = 0;
    uint64_t offers[FRAME_BATCH], bytes = 0, packets = 0;

    avail = free_slots < n ? free_slots : n;
    load_offers(v, offers, frames, list, avail);
    for (unsigned i = 0; i < n; i++) {
        const struct frame *f = &frames[list[i]];

        if (__builtin_expect(f->total > NETMEM_BUFFER - NETMEM_HEADROOM, 0)) {
            port_drop(p, DROP_TOO_LONG, 1);
        } else if (used == avail) {
            w->priority.full++;
            port_drop(p, DROP_FULL, 1);
        } else if (__builtin_expect((uint32_t)offers[used] >= v->n_buffers, 0)) {
            slot_store(&v->rx->slots[(v->rx_next + used) % NETMEM_SLOTS],
                       (uint32_t)offers[used], 0, 0, 0);
            used++;
            port_drop(p, DROP_BAD_BUFFER, 1);
        } else {
            put_packet(v, v->rx_next + used, offers[used], f);
            used++;
            packets++;
            bytes += f->total;
        }
    }
    if (used == 0)
        return;
    __atomic_store_n(&v->last_len, frames[list[n - 1]].total, __ATOMIC_RELAXED);
    __atomic_store_n(&v->rx_next, v->rx_next + used, __ATOMIC_RELAXED);
    atomic_store(&v->rx->done, v->rx_next);
    tell_guest(v, w, free_slots - used);
    count_add(&p->count.out_packets, packets);
    count_add(&p->count.out_bytes, bytes);
}

/* The lines of many VMs are not in the caches; tx() would wait for one after the other. */
static void vm_expect(struct port *p, unsigned step)
{
    struct vm_port *v = (struct vm_port *)p;
    /* Without the lock that tx() has: another worker may be in it. */
    uint32_t next = __atomic_load_n(&v->rx_next, __ATOMIC_RELAXED);
    struct netmem_slot *slot = &v->rx->slots[next % NETMEM_SLOTS];

    if (step == 0) {
        prefetch(&v->rx->offered);
        prefetch_to_write(&v->rx->done);
        prefetch_to_write(slot);
        prefetch(&v->head->guest_sleep);
        return;
    }
    ask_for_place(v, slot_load(slot).place,
                  __atomic_load_n(&v->last_len, __ATOMIC_RELAXED));
}

/* ---- what has waited for the guest ------------------------------------------------- */

static void drop_held(struct vm_port *v)
{
    struct held *h = v->held;

    v->held = h->next;
    v->n_held--;
    free(h);
}

static void release_held(struct vm_port *v, struct worker *w)
{
    static const uint16_t first = 0;

    while (v->held && rx_free(v)) {
        const struct held *h = v->held;
        const struct frame f = {.data = h->bytes,
                                .len = h->len,
                                .total = h->len,
                                .parts = 1,
                                .flags = h->flags};

        deliver(v, w, &f, &first, 1);
        drop_held(v);
        v->held_until_ns = plane_clock_ns() + HELD_NS;
    }
    if (!v->held || plane_clock_ns() < v->held_until_ns)
        return;
    while (v->held) {
        port_drop(&v->port, DROP_FULL, 1);
        drop_held(v);
    }
}

/* Behind those that are held already. */
static void hold(struct vm_port *v, const struct frame *f)
{
    struct held *h = v->n_held < HELD_MAX && f->total <= NETMEM_BUFFER - NETMEM_HEADROOM
                         ? malloc(sizeof *h + f->total)
                         : NULL;

    if (!h) {
        port_drop(&v->port, DROP_FULL, 1);
        return;
    }
    frame_gather(h->bytes, f);
    if (f->flags & NETMEM_CSUM)
        frame_finish_checksum(h->bytes, f);
    h->next = NULL;
    h->len = f->total;
    h->flags = f->flags & (NETMEM_CSUM | NETMEM_CSUM_OK) ? NETMEM_CSUM_OK : 0;
    if (!v->held)
        v->last_held = &v->held;
    *v->last_held = h;
    v->last_held = &h->next;
    v->n_held++;
}

static void vm_deliver_kept(struct port *p, struct worker *w, const struct frame *f)
{
    struct vm_port *v = (struct vm_port *)p;

    hold(v, f);
    v->held_until_ns = v->woken_until_ns = plane_clock_ns() + HELD_NS;
    release_held(v, w);
}

/* To a guest that was woken a moment ago: the rest of what woke it, as a rule, which comes
 * before the guest could offer more buffers. */
static void tx_woken(struct vm_port *v, struct worker *w, const struct frame *frames,
                     const uint16_t *list, unsigned n)
{
    uint64_t now = plane_clock_ns();
    unsigned i = 0;

    release_held(v, w);
    if (!v->held) {
        uint32_t room = rx_free(v);

        if (now >= v->woken_until_ns)
            v->woken_until_ns = 0;
        i = v->woken_until_ns && room < n ? room : n;
        deliver(v, w, frames, list, i);
    }
    if (i == n)
        return;
    if (now >= v->woken_until_ns) {
        port_drop(&v->port, DROP_FULL, n - i);
        return;
    }
    if (!v->held) { /* nobody rings when there is room: be polled */
        v->held_until_ns = now + HELD_NS;
        eventfd_write(v->doorbell_fd, 1);
    }
    for (; i < n; i++)
        hold(v, &frames[list[i]]);
}

static void vm_tx(struct port *p, struct worker *w, const struct frame *frames,
                  const uint16_t *list, unsigned n)
{
    struct vm_port *v = (struct vm_port *)p;

    if (__builtin_expect(v->woken_until_ns == 0, 1))
        deliver(v, w, frames, list, n);
    else
        tx_woken(v, w, frames, list, n);
}

static unsigned vm_tx_room(struct port *p)
{
    struct vm_port *v = (struct vm_port *)p;

    return v->held ? 0 : rx_free(v);
}

/* ---- making ----------------------------------------------------------------------- */

static void vm_free(struct port *p)
{
    struct vm_port *v = (struct vm_port *)p;

    while (v->held)
        drop_held(v);
    if (v->base)
        munmap(v->base, v->size);
    if (v->wake_fd >= 0)
        close(v->wake_fd);
    if (v->doorbell_fd >= 0)
        close(v->doorbell_fd);
    free(v);
}

static const struct port_ops vm_ops = {
    .kind = PORT_VM,
    .rx = vm_rx,
    .rx_done = vm_rx_done,
    .tx = vm_tx,
    .expect = vm_expect,
    .deliver_kept = vm_deliver_kept,
    .tx_room = vm_tx_room,
    .arm = vm_arm,
    .disarm = vm_disarm,
    .peer_sleeps = vm_peer_sleeps,
    .wake = vm_wake,
    .free = vm_free,
};

/* Make sure that no page can be taken away under us. */
static int seal(int fd, struct diag *d)
{
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0)
        return diag_err(d, "packet memory is not a memfd: %s", errtext(errno));
    if (seals & F_SEAL_SHRINK)
        return 0;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
        return diag_err(d, "packet memory cannot be sealed against shrinking: %s",
                        strerror(errno));
    return 0;
}

static int map_memory(struct vm_port *v, int fd, struct diag *d)
{
    struct stat st;

    if (seal(fd, d) < 0)
        return -1;
    if (fstat(fd, &st) < 0 || st.st_size < (off_t)NETMEM_IFS_AT)
        return diag_err(d, "packet memory is too small");
    v->size = (size_t)st.st_size;
    v->base = mmap(NULL, v->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (v->base == MAP_FAILED) {
        v->base = NULL;
        return diag_err(d, "cannot map packet memory: %s", errtext(errno));
    }
    return 0;
}

/* Check the head, which is loaded once: the guest runs already and could change it. */
static int read_head(struct vm_port *v, uint32_t interface, struct diag *d)
{
    const volatile struct netmem_head *h = (struct netmem_head *)(void *)v->base;
    uint32_t n_ifs = h->n_ifs, n_buffers = h->n_buffers;
    uint64_t at = h->buffers_at;

    if (h->magic != NETMEM_MAGIC || h->abi != NETMEM_ABI)
        return diag_err(d, "packet memory has no head of version %u", NETMEM_ABI);
    if (n_ifs == 0 || n_ifs > NETMEM_MAX_IFS || n_buffers == 0 ||
        n_buffers > NETMEM_MAX_BUFFERS || at < netmem_buffers_at(n_ifs) ||
        at % 4096 != 0 || at > v->size || (v->size - at) / NETMEM_BUFFER < n_buffers)
        return diag_err(
            d,
            "packet memory's head makes no sense: %u interfaces, %u buffers "
            "at %llu, %zu bytes",
            n_ifs, n_buffers, (unsigned long long)at, v->size);
    if (interface >= n_ifs)
        return diag_err(d, "interface %u does not exist: the VM has %u", interface,
                        n_ifs);
    v->head = (struct netmem_head *)(void *)v->base;
    v->n_buffers = n_buffers;
    v->buffers = v->base + at;
    return 0;
}

/* Go on from the indices that are there: zero at first, an earlier switch's otherwise.
 * One that lies is made to have empty rings. */
static void adopt_rings(struct vm_port *v, uint32_t interface)
{
    struct netmem_if *nif = netmem_if(v->base, interface);
    uint32_t offered;

    v->tx = &nif->tx;
    v->rx = &nif->rx;
    v->host_sleep = &nif->host_sleep;
    v->tx_next = atomic_load(&nif->tx.done);
    v->rx_next = atomic_load(&nif->rx.done);
    offered = atomic_load(&nif->tx.offered);
    if (offered - v->tx_next > NETMEM_SLOTS)
        v->tx_next = offered;
    offered = atomic_load(&nif->rx.offered);
    if (offered - v->rx_next > NETMEM_SLOTS)
        v->rx_next = offered;
    /* Even: awake; and new, so that no doorbell was rung for it yet. */
    v->sleeping = (atomic_load(&nif->host_sleep) | 1) + 1;
    atomic_store(&nif->host_sleep, v->sleeping);
}

struct port *vm_port_new(const struct vm_port_config *c, struct diag *d)
{
    struct vm_port *v = aligned_alloc(64, (sizeof *v + 63) & ~(size_t)63);

    if (!v) {
        diag_err(d, "out of memory");
        return NULL;
    }
    memset(v, 0, sizeof *v);
    v->port.ops = &vm_ops;
    v->wake_fd = fcntl(c->wake_fd, F_DUPFD_CLOEXEC, 3);
    v->doorbell_fd = fcntl(c->doorbell_fd, F_DUPFD_CLOEXEC, 3);
    if (v->wake_fd < 0 || v->doorbell_fd < 0) {
        diag_err(d, "bad wake or doorbell fd: %s", errtext(errno));
        goto fail;
    }
    v->wake_may_block = !(fcntl(v->wake_fd, F_GETFL) & O_NONBLOCK);
    if (map_memory(v, c->memory_fd, d) < 0 || read_head(v, c->interface, d) < 0)
        goto fail;
    adopt_rings(v, c->interface);
    v->port.fd = v->doorbell_fd;
    return &v->port;
fail:
    vm_free(&v->port);
    return NULL;
}
