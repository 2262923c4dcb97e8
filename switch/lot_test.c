// SPDX-License-Identifier: BSD-3-Clause
/* Parked interfaces, with fake guests and the worker driven by hand. */
#include "switch/plane.h"
#include "tests/fake_lan.h"
#include "tests/test.h"

#include <unistd.h>

SETUP()
{
    fake_lan_setup();
}

TEARDOWN()
{
    fake_lan_teardown();
}

static int who; /* any address */

/* Guest 1's interface, parked; what it takes to send to it is that somebody learned it. */
static struct parked *park(uint32_t net, bool own_only, uint32_t ip)
{
    const struct park_config c = {.name = "vm1",
                                  .network = net,
                                  .mac = {2, 0, 0, 0, 0, 1},
                                  .own_only = own_only,
                                  .n_ip4 = ip != 0,
                                  .ip4 = {ip},
                                  .ctx = &who};
    struct parked *p = backplane_park(bp, port[1], &c, &d);

    EXPECT(p != NULL);
    port[1] = 0;
    return p;
}

static int unpark(struct parked *p, uint32_t net)
{
    struct port_config c = {.name = "vm1", .network = net, .kind = PORT_VM};
    int rc;

    c.vm = fake_guest_port(g[1], 0);
    rc = backplane_unpark(bp, p, &c, &port[1], &d);
    settle();
    return rc;
}

static void send_arp(int from, const uint8_t ip[4])
{
    uint8_t frame[60];

    fake_frame(frame, sizeof frame, 0, (uint16_t)from, 0);
    memset(frame, 0xff, 6);
    memcpy(frame + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(frame + 38, ip, 4);
    EXPECT(fake_guest_put(g[from], 0, frame, sizeof frame));
    fake_guest_kick(g[from], 0);
    settle();
}

TEST(a_packet_for_a_parked_interface_is_kept_and_told_once)
{
    struct parked *p;

    attach(0, lan);
    attach(1, lan);
    p = park(lan, false, 0);
    EXPECT(backplane_next_wanted(bp) == NULL);
    for (uint8_t i = 1; i <= 5; i++)
        send_one(0, 1, 0, i);
    EXPECT(backplane_next_wanted(bp) == &who);
    EXPECT(backplane_next_wanted(bp) == NULL);
    EXPECT_EQ(got(1), -1);
    EXPECT_EQ(unpark(p, lan), 0);
    for (int i = 1; i <= 5; i++)
        EXPECT_EQ(got(1), i);
    send_one(0, 1, 0, 6);
    EXPECT_EQ(got(1), 6);
    EXPECT_EQ(got(1), -1);
}

/* Guest 1 has `n` buffers for packets; it does not tell. */
static void offer(uint32_t n)
{
    struct netmem_if *nif = netmem_if(g[1]->mem, 0);

    g[1]->rx_offered[0] = atomic_load(&nif->rx.done) + n;
    atomic_store(&nif->rx.offered, g[1]->rx_offered[0]);
}

TEST(a_guest_that_offers_few_buffers_loses_nothing)
{
    struct parked *p;
    int next = 1;

    attach(0, lan);
    attach(1, lan);
    p = park(lan, false, 0);
    for (int i = 1; i <= 64; i++)
        send_one(0, 1, 0, (uint8_t)i);
    offer(16);
    EXPECT_EQ(unpark(p, lan), 0);
    send_one(0, 1, 0, 65); /* behind those that still wait */
    for (; next <= 16; next++)
        EXPECT_EQ(got(1), next);
    EXPECT_EQ(got(1), -1);
    for (; next <= 65; next++) {
        offer(1);
        settle();
        EXPECT_EQ(got(1), next);
    }
    EXPECT_EQ(got(1), -1);
}

TEST(what_comes_behind_the_packets_that_woke_it_waits_too)
{
    struct parked *p;
    int next = 1;

    attach(0, lan);
    attach(1, lan);
    p = park(lan, false, 0);
    for (int i = 1; i <= 4; i++)
        send_one(0, 1, 0, (uint8_t)i);
    offer(16);
    EXPECT_EQ(unpark(p, lan), 0);
    for (int i = 5; i <= 64; i++)
        send_one(0, 1, 0, (uint8_t)i);
    for (; next <= 16; next++)
        EXPECT_EQ(got(1), next);
    EXPECT_EQ(got(1), -1);
    for (; next <= 64; next++) {
        offer(1);
        settle(); /* nobody sends or rings */
        EXPECT_EQ(got(1), next);
    }
    EXPECT_EQ(got(1), -1);
}

TEST(a_guest_without_buffers_is_not_waited_for_for_ever)
{
    struct port_stats st;
    struct parked *p;

    attach(0, lan);
    attach(1, lan);
    p = park(lan, false, 0);
    for (uint8_t i = 1; i <= 3; i++)
        send_one(0, 1, 0, i);
    offer(0);
    EXPECT_EQ(unpark(p, lan), 0);
    usleep(3100000);
    settle();
    EXPECT(backplane_port_stats(bp, port[1], &st));
    EXPECT_EQ(st.drops[DROP_FULL], 3);
    send_one(0, 1, 0, 4);
    offer(4);
    send_one(0, 1, 0, 5);
    EXPECT_EQ(got(1), 5);
}

TEST(the_next_packet_wakes_again)
{
    attach(0, lan);
    park(lan, false, 0);
    send_one(0, 1, 0, 1);
    EXPECT(backplane_next_wanted(bp) == &who);
    send_one(0, 1, 0, 2);
    EXPECT(backplane_next_wanted(bp) == &who);
}

TEST(what_was_learned_behind_a_port_is_found_when_it_is_parked)
{
    struct parked *p;

    attach(0, lan);
    attach(1, lan);
    attach(2, lan);
    send_one(1, 0, 77, 1); /* somebody behind guest 1 */
    EXPECT_EQ(got(0), 1);
    EXPECT_EQ(got(2), 1);
    p = park(lan, true, 0);
    send_one(0, 77, 0, 2);
    EXPECT(backplane_next_wanted(bp) == &who);
    EXPECT_EQ(got(2), -1);
    EXPECT_EQ(unpark(p, lan), 0);
    EXPECT_EQ(got(1), 2);
}

TEST(one_that_minds_its_own_packets_is_not_woken_by_others)
{
    const uint8_t its_ip[4] = {10, 0, 0, 1}, other_ip[4] = {10, 0, 0, 2};
    uint32_t ip;

    memcpy(&ip, its_ip, sizeof ip);
    attach(0, lan);
    park(lan, true, ip);
    send_one(0, 99, 0, 1); /* unknown: flooded */
    send_arp(0, other_ip);
    EXPECT(backplane_next_wanted(bp) == NULL);
    send_arp(0, its_ip);
    EXPECT(backplane_next_wanted(bp) == &who);
}

TEST(others_are_woken_by_all_that_is_flooded)
{
    const uint8_t ip[4] = {10, 0, 0, 2};

    attach(0, lan);
    park(lan, false, 0);
    send_arp(0, ip);
    EXPECT(backplane_next_wanted(bp) == &who);
    send_one(0, 99, 0, 1);
    EXPECT(backplane_next_wanted(bp) == &who);
}

TEST(a_parked_interface_keeps_its_end_of_a_wire)
{
    uint32_t wire = network("wire", NETWORK_WIRE);
    struct parked *p;
    uint32_t id;

    attach(0, wire);
    attach(1, wire);
    p = park(wire, true, 0);
    EXPECT_EQ(
        backplane_add_port(
            bp,
            &(struct port_config){.name = "third", .network = wire, .kind = PORT_SINK},
            &id, &d),
        -1);
    send_one(0, 55, 0, 3); /* to whomever: it is a wire */
    EXPECT(backplane_next_wanted(bp) == &who);
    EXPECT_EQ(unpark(p, wire), 0);
    EXPECT_EQ(got(1), 3);
    send_one(1, 0, 1, 4);
    EXPECT_EQ(got(0), 4);
}

TEST(no_more_is_kept_than_there_is_room_for)
{
    struct parked *p;

    attach(0, lan);
    p = park(lan, false, 0);
    for (unsigned i = 0; i < 300; i++)
        send_one(0, 1, 0, (uint8_t)i);
    EXPECT_EQ(unpark(p, lan), 0);
    for (int i = 0; i < 64; i++)
        EXPECT_EQ(got(1), i);
    EXPECT_EQ(got(1), -1);
}

TEST(what_is_forgotten_wakes_nobody)
{
    struct parked *p;

    attach(0, lan);
    p = park(lan, false, 0);
    send_one(0, 1, 0, 1);
    EXPECT_EQ(backplane_unpark(bp, p, NULL, NULL, &d), 0);
    EXPECT(backplane_next_wanted(bp) == NULL);
    park(lan, false, 0);
    send_one(0, 1, 0, 1);
    EXPECT_EQ(backplane_remove_network(bp, lan, &d), 0);
    EXPECT(backplane_next_wanted(bp) == NULL);
}

TEST(many_share_one_port)
{
    enum { MANY = 100000 };
    static struct parked *all[MANY];
    struct network_info info;

    attach(0, lan);
    for (uint32_t i = 0; i < MANY; i++) {
        struct park_config c = {.name = "x", .network = lan, .own_only = true};

        c.mac[0] = 2;
        memcpy(c.mac + 2, &i, sizeof i);
        c.ctx = &all[i];
        all[i] = backplane_park(bp, 0, &c, &d);
        EXPECT(all[i] != NULL);
    }
    EXPECT(backplane_network_info(bp, lan, &info));
    EXPECT_EQ(info.n_ports, 2);
    send_one(0, 1, 0, 1);
    for (uint32_t i = 0; i < MANY; i++)
        backplane_unpark(bp, all[i], NULL, NULL, &d);
    EXPECT(backplane_network_info(bp, lan, &info));
    EXPECT_EQ(info.n_ports, 1);
}

/* ---- those that are not known yet --------------------------------------------------- */

TEST(what_came_before_it_was_parked_is_for_it)
{
    struct parked *p;

    attach(0, lan);
    backplane_expect_parked(bp, true);
    for (uint8_t i = 1; i <= 5; i++)
        send_one(0, 1, 0, i);
    EXPECT(backplane_next_wanted(bp) == NULL);
    p = park(lan, true, 0);
    EXPECT(backplane_next_wanted(bp) == &who);
    send_one(0, 1, 0, 6);
    backplane_expect_parked(bp, false);
    EXPECT_EQ(unpark(p, lan), 0);
    for (int i = 1; i <= 6; i++)
        EXPECT_EQ(got(1), i);
    EXPECT_EQ(got(1), -1);
}

TEST(who_was_asked_for_before_it_was_parked_is_woken)
{
    const uint8_t its_ip[4] = {10, 0, 0, 1}, other_ip[4] = {10, 0, 0, 2};
    uint32_t ip;

    memcpy(&ip, its_ip, sizeof ip);
    attach(0, lan);
    backplane_expect_parked(bp, true);
    send_arp(0, other_ip);
    send_one(0, 99, 0, 1);
    park(lan, true, ip);
    EXPECT(backplane_next_wanted(bp) == NULL);
    backplane_expect_parked(bp, false);
    EXPECT(backplane_next_wanted(bp) == NULL);

    backplane_expect_parked(bp, true);
    send_arp(0, its_ip);
    EXPECT(backplane_next_wanted(bp) == &who); /* known already */
    backplane_expect_parked(bp, false);
}

/* A frame to all is for everybody; one to an unknown address if it stays unknown. */
TEST(what_is_flooded_finds_those_that_are_parked_later)
{
    const uint8_t ip[4] = {10, 0, 0, 2};

    attach(0, lan);
    attach(2, lan);
    backplane_expect_parked(bp, true);
    send_arp(0, ip);
    park(lan, false, 0);
    EXPECT(backplane_next_wanted(bp) == &who);
    send_one(0, 99, 0, 1);
    EXPECT(backplane_next_wanted(bp) == NULL);
    backplane_expect_parked(bp, false);
    EXPECT(backplane_next_wanted(bp) == &who);

    backplane_expect_parked(bp, true);
    send_one(0, 98, 7, 1);
    send_one(2, 7, 98, 1); /* so it is known, after all */
    backplane_expect_parked(bp, false);
    EXPECT(backplane_next_wanted(bp) == NULL);
}

TEST(an_end_of_a_wire_is_kept_for_whoever_is_parked_there)
{
    uint32_t wire = network("wire", NETWORK_WIRE);
    struct parked *p;

    attach(0, wire);
    backplane_expect_parked(bp, true);
    send_one(0, 55, 0, 3);
    p = park(wire, true, 0);
    EXPECT(backplane_next_wanted(bp) == &who);
    backplane_expect_parked(bp, false);
    EXPECT_EQ(unpark(p, wire), 0);
    EXPECT_EQ(got(1), 3);
    EXPECT_EQ(got(1), -1);
}

TEST(an_end_of_a_wire_is_free_for_one_that_runs)
{
    uint32_t wire = network("wire", NETWORK_WIRE);
    struct network_info info;

    attach(0, wire);
    backplane_expect_parked(bp, true);
    send_one(0, 1, 0, 1);
    attach(1, wire);
    send_one(0, 1, 0, 2);
    EXPECT_EQ(got(1), 2);
    send_one(1, 0, 1, 3);
    EXPECT_EQ(got(0), 3);
    backplane_expect_parked(bp, false);
    EXPECT(backplane_network_info(bp, wire, &info));
    EXPECT_EQ(info.n_ports, 2);
}

static uint32_t careful_wire(void)
{
    const struct network_config c = {
        .name = "careful", .mode = NETWORK_WIRE, .backpressure = true};
    uint32_t wire = 0;

    EXPECT_EQ(backplane_add_network(bp, &c, &wire, &d), 0);
    return wire;
}

TEST(with_backpressure_the_sender_waits_for_one_that_runs)
{
    uint32_t wire = careful_wire();

    backplane_expect_parked(bp, true);
    attach(0, wire);
    for (int i = 0; i < 200; i++)
        send_one(0, 1, 0, (uint8_t)i);
    attach(1, wire);
    settle();
    for (int i = 0; i < 200; i++)
        EXPECT_EQ(got(1), i);
    backplane_expect_parked(bp, false);
}

TEST(with_backpressure_the_sender_waits_for_one_that_is_parked)
{
    uint32_t wire = careful_wire();
    struct parked *p;

    attach(0, wire);
    backplane_expect_parked(bp, true);
    for (int i = 0; i < 50; i++)
        send_one(0, 1, 0, (uint8_t)i);
    EXPECT(backplane_next_wanted(bp) == NULL);
    p = park(wire, true, 0);
    settle();
    EXPECT(backplane_next_wanted(bp) == &who);
    /* It comes while others are still expected. */
    EXPECT_EQ(unpark(p, wire), 0);
    send_one(0, 1, 0, 50);
    for (int i = 0; i <= 50; i++)
        EXPECT_EQ(got(1), i);
    backplane_expect_parked(bp, false);
}

TEST(what_nobody_comes_for_is_forgotten)
{
    struct network_info info;

    attach(0, lan);
    backplane_expect_parked(bp, true);
    for (unsigned i = 0; i < 300; i++)
        send_one(0, (uint16_t)(100 + i % 3), 0, 1);
    backplane_expect_parked(bp, false);
    EXPECT(backplane_network_info(bp, lan, &info));
    EXPECT_EQ(info.n_ports, 1);

    backplane_expect_parked(bp, true);
    send_one(0, 100, 0, 1);
    EXPECT_EQ(backplane_remove_network(bp, lan, &d), 0);
    backplane_expect_parked(bp, false);
}
