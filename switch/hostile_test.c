// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest that does what it likes to its shared memory, beside two that pass traffic
 * through a running switch. The honest ones must lose nothing and get nothing of the
 * hostile one's, the switch must neither crash nor hang, and say what it dropped.
 */
#include "switch/plane.h"
#include "tests/fake_guest.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a hostile guest writes races with the switch by intention. */
#define HOSTILE __attribute__((no_sanitize("thread"), noinline))

/* In what the honest ones send each other, behind the addresses; ends with a NUL. */
static const char secret[] = "between the two of us";
enum { SECRET_AT = 20 };

static struct backplane *bp;
static struct fake_guest *good[2], *evil;
static uint32_t good_port[2], evil_port, lan;
static struct diag d;

SETUP()
{
    struct network_config c = {.name = "lan"};

    d = DIAG_INIT;
    bp = backplane_new(&(struct backplane_config){.poll_max_ns = 20000}, &d);
    EXPECT_EQ(backplane_add_network(bp, &c, &lan, &d), 0);
    EXPECT_EQ(backplane_start(bp, &d), 0);
    for (int i = 0; i < 2; i++)
        good[i] = fake_guest_new(1);
    evil = fake_guest_new(1);
    good_port[0] = fake_guest_attach(good[0], 0, bp, lan, "good0");
    good_port[1] = fake_guest_attach(good[1], 0, bp, lan, "good1");
    evil_port = fake_guest_attach(evil, 0, bp, lan, "evil");
    /* Or it could just say that it is one of them. */
    for (int i = 0; i < 2; i++) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(i + 1)};

        EXPECT_EQ(backplane_add_address(bp, good_port[i], mac, &d), 0);
    }
}

TEARDOWN()
{
    backplane_free(bp);
    fake_guest_free(good[0]);
    fake_guest_free(good[1]);
    fake_guest_free(evil);
    diag_fini(&d);
}

/* Received frames of the other honest guest; the rest must have been meant for all. */
static unsigned receive(struct fake_guest *g, uint8_t *next)
{
    const uint8_t *data;
    unsigned n = 0;
    int len;

    while ((len = fake_guest_peek(g, 0, &data)) >= 0) {
        if (len == 200 && data[11] == 1) {
            EXPECT_EQ(data[100], *next);
            ++*next;
            n++;
        }
        fake_guest_take(g, 0);
        fake_guest_offer(g, 0);
    }
    return n;
}

/* Anywhere in its memory. */
static bool knows_secret(const struct fake_guest *g)
{
    return memmem(g->mem, g->size, secret, sizeof secret) != NULL;
}

/* Pass `n` packets from one honest guest to the other, in order, while `attack` is called
 * again and again. */
static void pass_traffic(unsigned n, void (*attack)(unsigned turn))
{
    uint8_t frame[200], fill = 0, next = 0;
    unsigned sent = 0, received = 0, idle = 0;

    fake_frame(frame, sizeof frame, 1, 2, 0); /* so that 2 is known */
    fake_guest_put(good[1], 0, frame, sizeof frame);
    fake_guest_kick(good[1], 0);
    for (unsigned turn = 0; received < n; turn++) {
        unsigned before = received;

        attack(turn);
        /* No more under way than fits: what gets lost is then the switch's fault. */
        for (int i = 0; i < 32 && sent < n && sent - received < 128; i++, sent++) {
            fake_frame(frame, sizeof frame, 2, 1, fill++);
            memcpy(frame + SECRET_AT, secret, sizeof secret);
            if (!fake_guest_put(good[0], 0, frame, sizeof frame)) {
                fill--;
                break;
            }
        }
        fake_guest_kick(good[0], 0);
        received += receive(good[1], &next);
        receive(good[0], &(uint8_t){0});
        if (received == before)
            usleep(50);
        idle = received == before ? idle + 1 : 0;
        EXPECT(idle < 100000);
    }
    EXPECT_EQ(received, n);
    EXPECT(!knows_secret(evil));
    EXPECT(knows_secret(good[1]));
}

static struct port_stats stats(uint32_t port)
{
    struct port_stats s;

    EXPECT(backplane_port_stats(bp, port, &s));
    return s;
}

static struct netmem_if *evil_if(void)
{
    return netmem_if(evil->mem, 0);
}

HOSTILE static void ring_bell(void)
{
    uint64_t one = 1;

    if (write(evil->doorbell_fds[0], &one, sizeof one) < 0)
        return;
}

HOSTILE static void wild_indices(unsigned turn)
{
    evil_if()->tx.offered = (uint32_t)rand() * (turn % 3 == 0 ? 1 : 65537u);
    evil_if()->rx.offered = (uint32_t)rand();
    if (turn % 5 == 0)
        evil_if()->tx.offered = evil_if()->tx.done - 1; /* backwards */
    if (turn % 7 == 0)
        evil_if()->rx.offered = evil_if()->rx.done - 7;
    evil_if()->tx.done = (uint32_t)rand(); /* not his to write */
    evil_if()->rx.done = (uint32_t)rand();
    ring_bell();
}

TEST(indices_that_jump_hurt_nobody_else)
{
    pass_traffic(20000, wild_indices);
    EXPECT(stats(evil_port).bad_rings > 0);
    EXPECT_EQ(stats(good_port[1]).drops[DROP_FULL], 0);
}

HOSTILE static void wild_slots(unsigned turn)
{
    struct netmem_ring *tx = &evil_if()->tx, *rx = &evil_if()->rx;

    for (unsigned i = 0; i < NETMEM_SLOTS; i++) {
        tx->slots[i] = (struct netmem_slot){
            .buffer = (uint32_t)(i % 2 ? rand() : rand() % 512),
            .offset = (uint16_t)(i % 3 ? 0 : rand()),
            .len = (uint16_t)(i % 5 == 0   ? 0
                              : i % 5 == 1 ? 65535
                                           : rand()),
            .flags = (uint16_t)(turn % 2 ? rand() : 0),
            .gso_size = (uint16_t)rand(),
            .csum_start = (uint16_t)rand(),
            .csum_offset = (uint16_t)rand(),
        };
        rx->slots[i] = (struct netmem_slot){
            .buffer = (uint32_t)(i % 4 ? rand() : 3), /* shared by many */
            .offset = (uint16_t)rand(),
            .len = (uint16_t)(i % 3 ? rand() % 2 : rand()), /* of a place, or of none */
        };
    }
    evil->tx_offered[0] += 64;
    tx->offered = tx->done + 128;
    rx->offered = rx->done + NETMEM_SLOTS;
    ring_bell();
}

TEST(slots_full_of_rubbish_are_dropped_and_counted)
{
    struct port_stats s;

    pass_traffic(20000, wild_slots);
    s = stats(evil_port);
    EXPECT(s.drops[DROP_BAD_SLOT] > 0);
    EXPECT(s.drops[DROP_RUNT] > 0);
    EXPECT_EQ(s.bad_rings, 0);
}

HOSTILE static void endless_chain(unsigned turn)
{
    struct netmem_ring *tx = &evil_if()->tx;

    (void)turn;
    for (unsigned i = 0; i < NETMEM_SLOTS; i++)
        tx->slots[i] = (struct netmem_slot){
            .buffer = i, .len = 2048, .flags = NETMEM_MORE};
    tx->offered = tx->done + NETMEM_SLOTS;
    ring_bell();
}

TEST(a_packet_without_end_is_dropped)
{
    pass_traffic(5000, endless_chain);
    EXPECT(stats(evil_port).drops[DROP_TOO_MANY] > 0);
}

HOSTILE static void storm_of_bells(unsigned turn)
{
    (void)turn;
    for (int i = 0; i < 100; i++)
        ring_bell();
    atomic_fetch_add(&((struct netmem_head *)(void *)evil->mem)->guest_sleep, 1);
    atomic_fetch_add(&evil_if()->host_sleep, 1);
}

TEST(a_storm_of_doorbells_is_borne)
{
    pass_traffic(5000, storm_of_bells);
}

static void consume_nothing(unsigned turn)
{
    uint8_t frame[60];

    fake_frame(frame, sizeof frame, 0, 1, 0);
    frame[6] = 4; /* from somebody else */
    for (int i = 0; i < 4 && turn < NETMEM_SLOTS; i++)
        fake_guest_put(good[0], 0, frame, sizeof frame);
    fake_guest_kick(good[0], 0);
}

TEST(a_guest_that_never_consumes_delays_nobody)
{
    pass_traffic(20000, consume_nothing);
    EXPECT(stats(evil_port).drops[DROP_FULL] > 0);
    EXPECT_EQ(stats(good_port[1]).drops[DROP_FULL], 0);
}

/* The size of its memory is not its to choose any more; what is in it is. */
static void take_memory_away(unsigned turn)
{
    size_t page = (size_t)rand() % (evil->size / 4096) * 4096;

    EXPECT_EQ(ftruncate(evil->memory_fd, (off_t)(turn % 2 ? 0 : page)), -1);
    EXPECT_EQ(errno, EPERM);
    if (page > netmem_buffers_at(1))
        EXPECT_EQ(fallocate(evil->memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                            (off_t)page, 4096),
                  0);
    storm_of_bells(turn);
}

TEST(a_region_that_would_shrink_does_not)
{
    pass_traffic(5000, take_memory_away);
}

/* ---- contents that change while they are read ---------------------------------------- */

static _Atomic bool changing;

HOSTILE static void *change_contents(void *arg)
{
    struct netmem_head *h = (struct netmem_head *)(void *)evil->mem;
    volatile uint8_t *b = evil->mem + h->buffers_at;

    (void)arg;
    while (atomic_load(&changing)) {
        for (unsigned slot = 0; slot < 512; slot++) {
            b[slot * NETMEM_BUFFER + 6] ^= 6; /* source 02:.. or 04:.. */
            b[slot * NETMEM_BUFFER + 5]++;    /* destination */
        }
        usleep(10);
    }
    return NULL;
}

HOSTILE static void send_all_buffers(unsigned turn)
{
    struct netmem_ring *tx = &evil_if()->tx;

    (void)turn;
    for (unsigned i = 0; i < NETMEM_SLOTS; i++) {
        uint8_t *b = evil->mem + netmem_buffers_at(1) + i * NETMEM_BUFFER;

        if (b[14] == 0)
            fake_frame(b, 300, 2, 1, 7);
        tx->slots[i] = (struct netmem_slot){.buffer = i, .len = 300};
    }
    tx->offered = tx->done + 64;
    ring_bell();
}

/* By the clock: the switch and the thread that changes things may have to wait for a
 * processor. */
static bool time_is_left(uint64_t start_ns)
{
    return plane_clock_ns() - start_ns < 30000000000u;
}

/* Packets went through as they should, and others were stopped. */
static bool enough(unsigned seen)
{
    return seen > 100 && stats(evil_port).drops[DROP_SPOOF] > 0;
}

TEST(checked_sources_hold_while_contents_change)
{
    uint64_t start = plane_clock_ns();
    struct port_settings s = {.allow = {.n_macs = 1, .macs = {{2, 0, 0, 0, 0, 1}}}};
    const uint8_t *data;
    pthread_t thread;
    unsigned seen = 0;
    int len;

    EXPECT_EQ(backplane_set_port(bp, evil_port, &s, &d), 0);
    atomic_store(&changing, true);
    pthread_create(&thread, NULL, change_contents, NULL);
    for (int turn = 0; turn < 3000 || (!enough(seen) && time_is_left(start)); turn++) {
        send_all_buffers(0);
        while ((len = fake_guest_peek(good[1], 0, &data)) >= 0) {
            EXPECT_EQ(data[6], 2);
            fake_guest_take(good[1], 0);
            fake_guest_offer(good[1], 0);
            seen++;
        }
        usleep(20);
    }
    atomic_store(&changing, false);
    pthread_join(thread, NULL);
    EXPECT(enough(seen));
}

/* ---- coming and going under traffic -------------------------------------------------- */

static void come_and_go(unsigned turn)
{
    uint8_t frame[100];

    if (turn % 4 != 0)
        return;
    fake_frame(frame, sizeof frame, 0, 9, 0);
    frame[6] = 6;
    if (fake_guest_put(evil, 0, frame, sizeof frame))
        fake_guest_kick(evil, 0);
    EXPECT_EQ(backplane_remove_port(bp, evil_port, &d), 0);
    evil_port = fake_guest_attach(evil, 0, bp, lan, "evil");
    EXPECT(evil_port != 0);
}

TEST(ports_come_and_go_under_traffic)
{
    pass_traffic(20000, come_and_go);
    EXPECT_EQ(stats(good_port[1]).drops[DROP_FULL], 0);
}

static void networks_come_and_go(unsigned turn)
{
    struct network_config c = {.name = "other"};
    uint32_t net, id;

    if (turn % 4 != 0)
        return;
    EXPECT_EQ(backplane_add_network(bp, &c, &net, &d), 0);
    for (int i = 0; i < 2; i++) {
        struct port_config p = {.name = i ? "gen" : "sink",
                                .network = net,
                                .kind = i ? PORT_GENERATOR : PORT_SINK};

        EXPECT_EQ(backplane_add_port(bp, &p, &id, &d), 0);
    }
    EXPECT_EQ(backplane_remove_network(bp, net, &d), 0);
}

TEST(networks_come_and_go_under_traffic)
{
    pass_traffic(20000, networks_come_and_go);
}
