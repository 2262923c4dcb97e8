// SPDX-License-Identifier: BSD-3-Clause
/* Sleeping and waking under stress: a switch that sleeps as soon as it can, guests that
 * do, too. A lost wake-up shows as a wait that runs into its time limit. */
#include "switch/backplane.h"
#include "tests/fake_guest.h"
#include "tests/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRIPS = 5000, LIMIT_MS = 5000 };

static struct backplane *bp;
static struct diag d;
static uint32_t wire;

static void start(unsigned workers)
{
    struct backplane_config c = {
        .n_workers = workers, .poll_min_ns = 1, .poll_max_ns = 1};
    struct network_config w = {.name = "wire", .mode = NETWORK_WIRE};

    d = DIAG_INIT;
    bp = backplane_new(&c, &d);
    EXPECT(bp != NULL);
    EXPECT_EQ(backplane_add_network(bp, &w, &wire, &d), 0);
    EXPECT_EQ(backplane_start(bp, &d), 0);
}

static void stop(void)
{
    backplane_free(bp);
    diag_fini(&d);
}

static int receive_one(struct fake_guest *g)
{
    const uint8_t *data;
    int fill;

    if (fake_guest_peek(g, 0, &data) < 0 &&
        (!fake_guest_wait(g, LIMIT_MS) || fake_guest_peek(g, 0, &data) < 0))
        return -1;
    fill = data[59];
    fake_guest_take(g, 0);
    fake_guest_offer(g, 0);
    return fill;
}

static void send_one(struct fake_guest *g, uint8_t fill)
{
    uint8_t frame[60];

    fake_frame(frame, sizeof frame, 0, 1, fill);
    for (int tries = 0; !fake_guest_put(g, 0, frame, sizeof frame); tries++) {
        EXPECT(tries < LIMIT_MS * 10);
        usleep(100);
    }
    fake_guest_kick(g, 0);
}

/* Sends back what it gets, after a while that varies. */
static void *echo(void *arg)
{
    struct fake_guest *g = arg;
    unsigned seed = 1;

    for (int i = 0; i < TRIPS; i++) {
        int fill = receive_one(g);

        if (fill < 0)
            return NULL;
        for (volatile int spin = rand_r(&seed) % 3000; spin > 0; spin--)
            continue;
        send_one(g, (uint8_t)fill);
    }
    return g;
}

static void ping_pong(unsigned workers)
{
    struct fake_guest *a = fake_guest_new(1), *b = fake_guest_new(1);
    struct backplane_totals totals;
    struct port_stats s;
    unsigned seed = 2;
    pthread_t thread;
    uint32_t id;
    void *rc;

    start(workers);
    id = fake_guest_attach(a, 0, bp, wire, "a");
    EXPECT(fake_guest_attach(b, 0, bp, wire, "b") != 0);
    pthread_create(&thread, NULL, echo, b);
    for (int i = 0; i < TRIPS; i++) {
        for (volatile int spin = rand_r(&seed) % 3000; spin > 0; spin--)
            continue;
        send_one(a, (uint8_t)i);
        EXPECT_EQ(receive_one(a), (uint8_t)i);
    }
    pthread_join(thread, &rc);
    EXPECT(rc == b);
    backplane_totals(bp, &totals);
    EXPECT(backplane_port_stats(bp, id, &s));
    EXPECT(totals.sleeps > 10); /* it did sleep, or this shows nothing */
    EXPECT(s.doorbells > 10);
    stop();
    fake_guest_free(a);
    fake_guest_free(b);
}

TEST(no_packet_is_forgotten_when_all_sleep_as_often_as_they_can)
{
    ping_pong(1);
}

TEST(the_same_with_two_workers)
{
    ping_pong(2);
}

/* One way, in bursts, with the reader asleep in between. */
static void *count_all(void *arg)
{
    struct fake_guest *g = arg;

    for (int i = 0; i < TRIPS * 4; i++)
        if (receive_one(g) != (uint8_t)i)
            return NULL;
    return g;
}

TEST(bursts_arrive_whole_and_in_order)
{
    struct fake_guest *a = fake_guest_new(1), *b = fake_guest_new(1);
    struct network_config w = {
        .name = "careful", .mode = NETWORK_WIRE, .backpressure = true};
    unsigned seed = 3;
    pthread_t thread;
    void *rc;

    start(1);
    EXPECT_EQ(backplane_add_network(bp, &w, &wire, &d), 0);
    fake_guest_attach(a, 0, bp, wire, "a");
    fake_guest_attach(b, 0, bp, wire, "b");
    pthread_create(&thread, NULL, count_all, b);
    for (int i = 0; i < TRIPS * 4; i++) {
        send_one(a, (uint8_t)i);
        if (rand_r(&seed) % 50 == 0)
            usleep(rand_r(&seed) % 100);
    }
    pthread_join(thread, &rc);
    EXPECT(rc == b);
    stop();
    fake_guest_free(a);
    fake_guest_free(b);
}

/* The last of them arms its port when it gets a processor, which may take a while on a
 * busy machine: wait until nothing is active and a while went by without a round. */
static struct backplane_totals settled(void)
{
    struct backplane_totals before, after;

    backplane_totals(bp, &after);
    for (int tries = 0; tries < LIMIT_MS / 20; tries++) {
        before = after;
        usleep(20000);
        backplane_totals(bp, &after);
        if (after.n_active == 0 && after.rounds == before.rounds)
            break;
    }
    return after;
}

TEST(an_idle_switch_does_nothing)
{
    struct backplane_totals before, after;
    struct fake_guest *g = fake_guest_new(NETMEM_MAX_IFS);
    struct network_config lan = {.name = "lan"};
    uint32_t net;

    start(1);
    EXPECT_EQ(backplane_add_network(bp, &lan, &net, &d), 0);
    for (uint32_t i = 0; i < 500; i++) {
        char name[16];

        snprintf(name, sizeof name, "p%u", i);
        EXPECT(fake_guest_attach(g, i % NETMEM_MAX_IFS, bp, net, name) != 0);
    }
    before = settled();
    usleep(100000);
    backplane_totals(bp, &after);
    EXPECT_EQ(after.n_ports, 500);
    EXPECT_EQ(after.n_active, 0);
    EXPECT(after.rounds - before.rounds <= 1);
    stop();
    fake_guest_free(g);
}
