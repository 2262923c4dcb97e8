// SPDX-License-Identifier: BSD-3-Clause
/* hostile_net.c -- a guest that lies to the switch as fast as it can; see hostile_net.h.
 * Nothing here is polite about who may write what: that is the point. */

#include "tests/vm/hostile_net.h"

#include <stdint.h>
#include <string.h>

#include "guest/guest.h"

#define ATTACK_NS 1500000000u

typedef void turn_fn(uint32_t turn);

static uint64_t seed = 88172645463325252u;

static uint32_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static struct netmem_if *mine(void)
{
    return netmem_if(GUEST_NET, 0);
}

/* Indices that run backwards, jump, and point beyond the ring; the host's own as well. */
static void indices(uint32_t turn)
{
    struct netmem_if *n = mine();

    atomic_store(&n->tx.offered, any());
    atomic_store(&n->rx.offered, turn & 1 ? any() : 0u - turn);
    atomic_store(&n->tx.done, any());
    atomic_store(&n->rx.done, any());
    atomic_store(&n->host_sleep, any());
}

/* All of the ring offered, with whatever in it. */
static void rubbish(uint32_t turn)
{
    struct netmem_if *n = mine();

    for (uint32_t i = 0; i < NETMEM_SLOTS; i++) {
        n->tx.slots[i] = (struct netmem_slot){
            .buffer = turn & 1 ? any() : any() % 2048,
            .offset = (uint16_t)any(),
            .len = (uint16_t)(any() & 1 ? any() : 65535),
            .flags = (uint16_t)any(),
            .gso_size = (uint16_t)any(),
            .csum_start = (uint16_t)any(),
            .csum_offset = (uint16_t)any()};
        n->rx.slots[i].buffer = turn & 2 ? any() : i;
        n->rx.slots[i].offset = (uint16_t)any();
        n->rx.slots[i].len = (uint16_t)(any() & 1 ? any() : 0);
    }
    atomic_store(&n->rx.offered, atomic_load(&n->rx.done) + NETMEM_SLOTS);
    atomic_store(&n->tx.offered, atomic_load(&n->tx.done) + NETMEM_SLOTS);
}

/* Packets without end, all of the ring's slots on one buffer. */
static void chains(uint32_t turn)
{
    struct netmem_if *n = mine();

    for (uint32_t i = 0; i < NETMEM_SLOTS; i++)
        n->tx.slots[i] = (struct netmem_slot){
            .buffer = turn % 4, .len = 2048, .flags = NETMEM_MORE};
    atomic_store(&n->tx.offered, atomic_load(&n->tx.done) + NETMEM_SLOTS);
}

static void bells(uint32_t turn)
{
    (void)turn;
    guest_ring_net(0);
}

/* Broadcasts, as many as the ring takes, while their bytes change. */
static void storm(uint32_t turn)
{
    struct netmem_if *n = mine();
    uint8_t *buffer = (uint8_t *)GUEST_NET + GUEST_NET->buffers_at;
    uint32_t done = atomic_load(&n->tx.done);

    memset(buffer, 0xff, 12);
    buffer[6 + turn % 6] = (uint8_t)(any() & 0xfe);
    for (uint32_t i = 0; i < NETMEM_SLOTS; i++)
        n->tx.slots[i] = (struct netmem_slot){.buffer = 0, .len = 60};
    atomic_store(&n->tx.offered, done + NETMEM_SLOTS);
}

/* Receives nothing, ever, and says that it sleeps while it does not. */
static void silence(uint32_t turn)
{
    atomic_store(&GUEST_NET->guest_sleep, 2 * turn + 1);
}

static const struct {
    const char *name;
    turn_fn *turn;
} deeds[] = {{"net_indices", indices}, {"net_rubbish", rubbish},
             {"net_chains", chains},   {"net_bells", bells},
             {"net_storm", storm},     {"net_silence", silence}};

bool hostile_net(const char *name)
{
    for (unsigned i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        uint64_t end = guest_now() + ATTACK_NS;

        if (strcmp(name, deeds[i].name) != 0)
            continue;
        for (uint32_t turn = 0; guest_now() < end; turn++) {
            deeds[i].turn(turn);
            /* The switch may sleep by what we wrote: let it see all of it. */
            if (turn % 4096 == 0)
                guest_ring_net(0);
        }
        return true;
    }
    return false;
}
