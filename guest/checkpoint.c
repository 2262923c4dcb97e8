// SPDX-License-Identifier: BSD-3-Clause
/*
 * Checkpoints: standing still while the monitor copies our memory, and telling it which
 * bytes of that are not worth copying.
 *
 * The copy contains us in the middle of guest_checkpoint(): what is made from it later
 * returns from there as we do, and learns that its name and addresses may be others.
 * Nothing may allocate between looking at the heap's free lists and the copy.
 */

#include <stdlib.h>
#include <string.h>

#include "guest/machine.h"

/* Ranges go straight into the reply: it is no part of what is copied. */
struct ranges {
    struct control_range *at;
    size_t n;
};

enum { MAX_RANGES = 65536, STACK_MARGIN = 2048 };

static void add_range(void *ctx, uint64_t from, uint64_t size)
{
    struct ranges *r = ctx;

    if (r->n < MAX_RANGES && size)
        r->at[r->n++] = (struct control_range){from, size};
}

static void mark(void *ctx, uint32_t number)
{
    uint8_t *map = ctx;

    map[number / 8] |= (uint8_t)(1u << number % 8);
}

/* Buffers in a receive ring that hold no packet we know of: whoever holds us makes sure
 * that none has come since. */
static void mark_receive_buffers(const struct machine *m, uint8_t *map)
{
    for (unsigned i = 0; i < m->n_ifs; i++) {
        const struct netfront *nf = &m->netfronts[i];

        for (uint32_t at = nf->rx_done; at != nf->rx_offered; at++)
            mark(map, nf->slots[at % NETMEM_SLOTS].rx[PKT_WHOLE]);
    }
}

static void add_buffers(struct ranges *r, const uint8_t *map)
{
    const struct netmem_head *h = GUEST_NET;
    uint32_t n = h->n_buffers;

    for (uint32_t i = 0, first; i < n; i++) {
        for (first = i; i < n && map[i / 8] & 1u << i % 8; i++)
            continue;
        add_range(r, LAYOUT_NETMEM + h->buffers_at + (uint64_t)first * NETMEM_BUFFER,
                  (uint64_t)(i - first) * NETMEM_BUFFER);
    }
}

/* Returns bytes of the reply. */
static size_t describe(const struct machine *m, bool hold, uint8_t *map)
{
    uint8_t *text = (uint8_t *)GUEST_CONTROL + CONTROL_REPLY_AT;
    struct control_checkpoint *c = (void *)text;
    struct ranges r = {.at = (void *)(c + 1)};
    uint64_t stack = (uint64_t)__builtin_frame_address(0) - STACK_MARGIN;

    *c = (struct control_checkpoint){
        .due_ns = m->next == INT64_MAX ? UINT64_MAX : (uint64_t)m->next};
    for (unsigned i = 0; i < m->n_ifs; i++)
        c->rx_done[i] = m->netfronts[i].rx_done;
    if (stack > LAYOUT_STACK)
        add_range(&r, LAYOUT_STACK, stack - LAYOUT_STACK);
    if (map) {
        pkt_pool_each_free(m->platform.pool, mark, map);
        if (hold)
            mark_receive_buffers(m, map);
        add_buffers(&r, map);
    }
    heap_each_free(add_range, &r);
    return sizeof *c + r.n * sizeof *r.at;
}

/* We may be another VM now. */
static void look_who_we_are(struct machine *m)
{
    for (unsigned i = 0; i < m->n_ifs; i++)
        netfront_identify(&m->netfronts[i], &m->netdevs[i]);
    m->platform.seed = GUEST_BOOT->seed[0];
    pkt_pool_set_wide(m->platform.pool, GUEST_BOOT->cpu & BOOT_AVX2);
}

void machine_checkpoint(struct machine *m, bool hold)
{
    struct control_head *h = GUEST_CONTROL;
    /* Without it all buffers are copied. */
    uint8_t *map = m->n_ifs ? calloc(1, GUEST_NET->n_buffers / 8 + 1) : NULL;

    h->reply = (struct control_reply){.status = CONTROL_OK,
                                      .len = (uint32_t)describe(m, hold, map)};
    m->answered++;
    atomic_store_explicit(&h->answered, m->answered, memory_order_release);
    if (guest_checkpoint())
        look_who_we_are(m);
    free(map);
}
