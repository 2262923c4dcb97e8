// SPDX-License-Identifier: BSD-3-Clause
/*
 * The sleep/wake protocol of abi/netmem.h, checked in all interleavings on a machine with
 * store buffers (x86; what C11's fences give at least): a store is visible to the other
 * side only some time later, unless its fence has passed.
 *
 * A producer publishes and rings; a consumer polls, arms and sleeps. Bad is a state in
 * which nothing can happen any more and something was not taken. The same holds for guest
 * to host (tx, host_sleep, doorbell) and for host to guest (rx, guest_sleep, wake fd).
 * Each rule of the protocol is also taken away, to see that the check would notice.
 */

#include "tests/test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PACKETS = 4, STATES = 1 << 20 };

struct rules {
    bool producer_fence, consumer_fence; /* between store and load */
    bool look_again;                     /* before sleeping */
    bool ring_once;                      /* not twice for one sleep */
};

enum { P_PUBLISH, P_FENCE, P_LOOK, P_RING };
enum { C_POLL, C_ARM, C_FENCE, C_LOOK, C_SLEEP, C_DISARM };

/* Everything there is; compared as bytes, so without padding. */
struct state {
    uint8_t offered, sleep; /* memory */
    uint8_t event;          /* rung, not yet seen */
    uint8_t p_at, p_count, p_answered, p_value;
    uint8_t p_held, p_store; /* store buffer: one store of `offered` */
    uint8_t c_at, c_taken, c_own;
    uint8_t c_held, c_store[2]; /* stores of `sleep`, the oldest first */
    uint8_t rings;
};

static struct state
    *seen; /* open hash table; p_at is stored plus 1 to tell used ones */
static struct state *queue;
static unsigned n_seen, n_queue;
static struct rules rules;
static bool lost;
static unsigned most_rings;

static void add(struct state s)
{
    const uint8_t *b = (const uint8_t *)&s;
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < sizeof s; i++)
        h = (h ^ b[i]) * 16777619u;
    h ^= h >> 15;
    s.p_at++;
    while (seen[h % STATES].p_at) {
        if (memcmp(&seen[h % STATES], &s, sizeof s) == 0)
            return;
        h++;
    }
    EXPECT(n_seen < STATES / 2);
    seen[h % STATES] = s;
    n_seen++;
    s.p_at--;
    queue[n_queue++] = s;
}

static void drain_stores(struct state s)
{
    if (s.p_held) {
        struct state n = s;

        n.offered = n.p_store;
        n.p_held = n.p_store = 0;
        add(n);
    }
    if (s.c_held) {
        struct state n = s;

        n.sleep = n.c_store[0];
        n.c_store[0] = n.c_store[1];
        n.c_store[1] = 0;
        n.c_held--;
        add(n);
    }
}

static void step_producer(struct state s)
{
    switch (s.p_at) {
    case P_PUBLISH:
        if (s.p_count == PACKETS || s.p_held)
            return;
        s.p_store = ++s.p_count;
        s.p_held = 1;
        s.p_at = P_FENCE;
        break;
    case P_FENCE:
        if (rules.producer_fence && s.p_held)
            return;
        s.p_at = P_LOOK;
        break;
    case P_LOOK:
        s.p_at = P_PUBLISH;
        if ((s.sleep & 1) && (!rules.ring_once || s.sleep != s.p_answered)) {
            s.p_answered = s.sleep;
            s.p_at = P_RING;
        }
        break;
    case P_RING:
        s.event = 1;
        s.rings++;
        s.p_at = P_PUBLISH;
        break;
    }
    add(s);
}

static void store_sleep(struct state s, uint8_t next)
{
    if (s.c_held == 2)
        return;
    s.c_store[s.c_held++] = ++s.c_own;
    s.c_at = next;
    add(s);
}

static void step_consumer(struct state s)
{
    switch (s.c_at) {
    case C_POLL:
        if (s.event) { /* one that comes while it is awake is used up */
            struct state n = s;

            n.event = 0;
            add(n);
        }
        if (s.c_taken != s.offered)
            s.c_taken = s.offered;
        else
            s.c_at = C_ARM;
        add(s);
        break;
    case C_ARM:
        store_sleep(s, C_FENCE);
        break;
    case C_FENCE:
        if (rules.consumer_fence && s.c_held)
            return;
        s.c_at = rules.look_again ? C_LOOK : C_SLEEP;
        add(s);
        break;
    case C_LOOK:
        s.c_at = s.c_taken != s.offered ? C_DISARM : C_SLEEP;
        add(s);
        break;
    case C_SLEEP:
        if (!s.event)
            return;
        s.event = 0;
        s.c_at = C_DISARM;
        add(s);
        break;
    case C_DISARM:
        store_sleep(s, C_POLL);
        break;
    }
}

/* Goes through all states; returns whether a packet can be left lying. */
static bool explore(struct rules r)
{
    rules = r;
    seen = calloc(STATES, sizeof *seen);
    queue = calloc(STATES / 2 + 1, sizeof *queue);
    n_seen = n_queue = 0;
    lost = false;
    most_rings = 0;
    add((struct state){0});
    for (unsigned i = 0; i < n_queue; i++) {
        unsigned before = n_queue;
        struct state s = queue[i];

        drain_stores(s);
        step_producer(s);
        step_consumer(s);
        if (s.rings > most_rings)
            most_rings = s.rings;
        /* Asleep for good: the producer is through, nothing is under way. */
        if (before == n_queue && s.c_at == C_SLEEP && !s.event && !s.p_held &&
            !s.c_held && s.p_count == PACKETS && s.p_at == P_PUBLISH &&
            s.c_taken != PACKETS)
            lost = true;
    }
    free(seen);
    free(queue);
    return lost;
}

TEST(no_wake_up_is_ever_lost)
{
    EXPECT(!explore((struct rules){true, true, true, true}));
    EXPECT(n_seen > 1000); /* it did look around */
}

TEST(without_the_producers_fence_one_is_lost)
{
    EXPECT(explore((struct rules){false, true, true, true}));
}

TEST(without_the_consumers_fence_one_is_lost)
{
    EXPECT(explore((struct rules){true, false, true, true}));
}

TEST(without_looking_again_one_is_lost)
{
    EXPECT(explore((struct rules){true, true, false, true}));
}

TEST(a_sleeper_is_rung_for_once)
{
    explore((struct rules){true, true, true, true});
    EXPECT(most_rings <= PACKETS);
    /* Without the rule a slow sleeper gets a bell for each packet, but loses nothing. */
    EXPECT(!explore((struct rules){true, true, true, false}));
}
