// SPDX-License-Identifier: BSD-3-Clause
/* Networks and ports, with fake guests and the worker driven by hand. */
#include "switch/plane.h"
#include "tests/fake_lan.h"
#include "tests/test.h"

#include <stdio.h>
#include <unistd.h>

SETUP()
{
    fake_lan_setup();
}

TEARDOWN()
{
    fake_lan_teardown();
}

static struct port_stats stats(int i)
{
    struct port_stats s;

    EXPECT(backplane_port_stats(bp, port[i], &s));
    return s;
}

TEST(a_packet_to_an_unknown_address_goes_to_all_others)
{
    for (int i = 0; i < 3; i++)
        attach(i, lan);
    send_one(0, 9, 1, 'a');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(2), 'a');
    EXPECT_EQ(got(0), -1);
    EXPECT_EQ(stats(0).in_packets, 1);
    EXPECT_EQ(stats(0).floods, 1);
    EXPECT_EQ(stats(1).out_bytes, 100);
}

TEST(a_learned_address_gets_its_packets_alone)
{
    for (int i = 0; i < 3; i++)
        attach(i, lan);
    send_one(1, 9, 2, 'x');
    got(0), got(2);
    send_one(0, 2, 1, 'a');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(2), -1);
}

TEST(an_address_that_moves_is_followed)
{
    for (int i = 0; i < 3; i++)
        attach(i, lan);
    send_one(1, 9, 2, 'x');
    send_one(2, 9, 2, 'y');
    while (got(0) >= 0 || got(1) >= 0 || got(2) >= 0)
        continue;
    send_one(0, 2, 1, 'a');
    EXPECT_EQ(got(1), -1);
    EXPECT_EQ(got(2), 'a');
}

TEST(an_address_that_moves_back_at_once_is_followed_too)
{
    for (int i = 0; i < 3; i++)
        attach(i, lan);
    send_one(1, 9, 2, 'x');
    send_one(2, 9, 2, 'y');
    send_one(1, 9, 2, 'z');
    while (got(0) >= 0 || got(1) >= 0 || got(2) >= 0)
        continue;
    send_one(0, 2, 1, 'a');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(2), -1);
}

/* All interfaces of one guest, each a port with a static address of its number plus 1. */
static struct fake_guest *attach_many(uint32_t ids[NETMEM_MAX_IFS])
{
    struct fake_guest *many = fake_guest_new(NETMEM_MAX_IFS);

    for (uint32_t i = 0; i < NETMEM_MAX_IFS; i++) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(i + 1)};
        char name[16];

        snprintf(name, sizeof name, "if%u", i);
        ids[i] = fake_guest_attach(many, i, bp, lan, name);
        EXPECT_EQ(backplane_add_address(bp, ids[i], mac, &d), 0);
    }
    return many;
}

TEST(a_batch_for_many_reaches_each_of_them)
{
    enum { EACH = 4, NO_BUFFERS = 5, WILD = 7 };
    uint32_t ids[NETMEM_MAX_IFS];
    struct fake_guest *many = attach_many(ids);
    struct netmem_if *wild = netmem_if(many->mem, WILD),
                     *none = netmem_if(many->mem, NO_BUFFERS);
    struct port_stats s;
    uint8_t frame[100];
    const uint8_t *data;

    attach(0, lan);
    for (unsigned i = 0; i < NETMEM_SLOTS; i++)
        none->rx.slots[i].buffer = UINT32_MAX - i;
    atomic_store(&wild->rx.offered, 0x80000000u);
    for (unsigned i = 0; i < EACH * NETMEM_MAX_IFS; i++) {
        fake_frame(frame, sizeof frame, (uint16_t)(i % NETMEM_MAX_IFS + 1), 200,
                   (uint8_t)i);
        EXPECT(fake_guest_put(g[0], 0, frame, sizeof frame));
    }
    fake_guest_kick(g[0], 0);
    settle();
    for (uint32_t i = 0; i < NETMEM_MAX_IFS; i++) {
        for (unsigned k = 0; k < EACH && i != NO_BUFFERS && i != WILD; k++) {
            EXPECT_EQ(fake_guest_peek(many, i, &data), (int)sizeof frame);
            EXPECT_EQ(data[99], k * NETMEM_MAX_IFS + i);
            fake_guest_take(many, i);
        }
        EXPECT(backplane_port_stats(bp, ids[i], &s));
        EXPECT_EQ(s.drops[DROP_BAD_BUFFER], i == NO_BUFFERS ? EACH : 0);
        EXPECT_EQ(s.drops[DROP_FULL], i == WILD ? EACH : 0);
        EXPECT_EQ(s.out_packets, i == NO_BUFFERS || i == WILD ? 0 : EACH);
    }
    fake_guest_free(many);
}

/* Offer buffer `number` and `place`, of which the guest's two rings have their own. */
static void offer_place(uint32_t at, uint32_t number, uint32_t place)
{
    netmem_if(g[1]->mem, 0)->rx.slots[at] = netmem_offer_short(number, place);
}

static struct netmem_slot received(uint32_t at, uint32_t len, uint8_t fill)
{
    uint8_t frame[1514];

    fake_frame(frame, len, 9, 1, fill);
    EXPECT(fake_guest_put(g[0], 0, frame, len));
    fake_guest_kick(g[0], 0);
    settle();
    return netmem_if(g[1]->mem, 0)->rx.slots[at];
}

TEST(a_short_packet_goes_to_the_place_that_was_offered_for_it)
{
    const uint8_t *buffers;
    struct netmem_slot s;

    attach(0, lan), attach(1, lan);
    buffers = g[1]->mem + netmem_buffers_at(1);
    offer_place(0, 3, 8 * 40 + 5);
    s = received(0, NETMEM_SHORT_MAX, 'a');
    EXPECT_EQ(s.buffer, 40);
    EXPECT_EQ(s.offset, 5 * NETMEM_SHORT + NETMEM_HEADROOM);
    EXPECT_EQ(s.len, NETMEM_SHORT_MAX);
    EXPECT_EQ(buffers[40 * NETMEM_BUFFER + 6 * NETMEM_SHORT - 1], 'a');
    EXPECT_EQ(buffers[40 * NETMEM_BUFFER + 6 * NETMEM_SHORT], 0);
    EXPECT_EQ(buffers[3 * NETMEM_BUFFER + NETMEM_HEADROOM + 20], 0);

    offer_place(1, 4, 8 * 40 + 6);
    s = received(1, NETMEM_SHORT_MAX + 1, 'b');
    EXPECT_EQ(s.buffer, 4);
    EXPECT_EQ(s.offset, NETMEM_HEADROOM);
    EXPECT_EQ(s.len, NETMEM_SHORT_MAX + 1);
}

TEST(a_place_that_does_not_exist_counts_as_none)
{
    const uint32_t n = 2 * NETMEM_SLOTS * (NETMEM_BUFFER / NETMEM_SHORT);
    struct netmem_slot s;

    attach(0, lan), attach(1, lan);
    offer_place(0, 3, n - 1);
    EXPECT_EQ(received(0, 60, 'a').buffer, 2 * NETMEM_SLOTS - 1);
    for (uint32_t at = 1; at < 4; at++) {
        offer_place(at, 3, at == 1 ? n : at == 2 ? UINT32_MAX : UINT32_MAX - 1);
        s = received(at, 60, 'a');
        EXPECT_EQ(s.buffer, 3);
        EXPECT_EQ(s.offset, NETMEM_HEADROOM);
    }
    offer_place(4, 2 * NETMEM_SLOTS, 5); /* nor does the buffer */
    EXPECT_EQ(received(4, 60, 'a').len, 0);
    EXPECT_EQ(stats(1).drops[DROP_BAD_BUFFER], 1);
}

TEST(a_packet_for_an_address_behind_its_own_port_is_dropped)
{
    attach(0, lan);
    attach(1, lan);
    send_one(0, 9, 5, 'a');
    got(1);
    send_one(0, 5, 6, 'b');
    EXPECT_EQ(got(0), -1);
    EXPECT_EQ(got(1), -1);
    EXPECT_EQ(stats(0).drops[DROP_SAME_PORT], 1);
}

TEST(order_is_kept_between_unicast_and_flooded_packets)
{
    uint8_t frame[100];

    attach(0, lan);
    attach(1, lan);
    send_one(1, 9, 2, 'x');
    for (int i = 0; i < 200; i++) {
        fake_frame(frame, sizeof frame, i % 3 == 0 ? 0 : 2, 1, (uint8_t)i);
        EXPECT(fake_guest_put(g[0], 0, frame, sizeof frame));
    }
    fake_guest_kick(g[0], 0);
    settle();
    for (int i = 0; i < 200; i++)
        EXPECT_EQ(got(1), i);
    EXPECT_EQ(got(1), -1);
}

TEST(no_packet_leaves_its_network)
{
    uint32_t other = network("other", NETWORK_LEARN);

    attach(0, lan);
    attach(1, lan);
    attach(2, other);
    attach(3, other);
    send_one(2, 9, 7, 'x'); /* 7 is in the other network only */
    EXPECT_EQ(got(3), 'x');
    send_one(0, 7, 1, 'a');
    send_one(0, 0, 1, 'b');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(1), 'b');
    EXPECT_EQ(got(2), -1);
    EXPECT_EQ(got(3), -1);
}

TEST(a_wire_joins_two_ports_whatever_the_addresses)
{
    uint32_t wire = network("wire", NETWORK_WIRE);

    attach(0, wire);
    send_one(0, 5, 6, 'n');
    EXPECT_EQ(stats(0).drops[DROP_NO_PORT], 1);
    attach(1, wire);
    send_one(0, 5, 6, 'a');
    send_one(1, 5, 6, 'b');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(0), 'b');
}

TEST(a_wire_has_two_ends)
{
    uint32_t wire = network("wire", NETWORK_WIRE), id;

    attach(0, wire);
    attach(1, wire);
    EXPECT_EQ(
        backplane_add_port(
            bp,
            &(struct port_config){.name = "third", .network = wire, .kind = PORT_SINK},
            &id, &d),
        -1);
    EXPECT_STR(diag_text(&d), "wire 'wire' has two ports already, 'vm0' and 'vm1'\n");
}

TEST(a_full_receiver_loses_its_own_packets_only)
{
    uint8_t frame[100];

    for (int i = 0; i < 3; i++)
        attach(i, lan);
    for (int i = 0; i < 2 * (int)NETMEM_SLOTS; i++) {
        fake_frame(frame, sizeof frame, 0, 1, (uint8_t)i);
        EXPECT(fake_guest_put(g[0], 0, frame, sizeof frame));
        fake_guest_kick(g[0], 0);
        settle();
        EXPECT_EQ(got(2), i & 255);
    }
    EXPECT_EQ(stats(1).out_packets, NETMEM_SLOTS);
    EXPECT_EQ(stats(1).drops[DROP_FULL], NETMEM_SLOTS);
    EXPECT_EQ(stats(2).drops[DROP_FULL], 0);
    for (int i = 0; i < (int)NETMEM_SLOTS; i++)
        EXPECT_EQ(got(1), i & 255);
}

TEST(with_backpressure_a_full_receiver_makes_the_sender_wait)
{
    uint32_t wire;
    uint8_t frame[100];
    struct network_config c = {
        .name = "wire", .mode = NETWORK_WIRE, .backpressure = true};

    EXPECT_EQ(backplane_add_network(bp, &c, &wire, &d), 0);
    attach(0, wire);
    attach(1, wire);
    for (int i = 0; i < 2 * (int)NETMEM_SLOTS; i++) {
        fake_frame(frame, sizeof frame, 0, 1, (uint8_t)i);
        EXPECT(fake_guest_put(g[0], 0, frame, sizeof frame));
        fake_guest_kick(g[0], 0);
        settle();
    }
    EXPECT_EQ(stats(1).out_packets, NETMEM_SLOTS);
    for (int i = 0; i < 2 * (int)NETMEM_SLOTS; i++) {
        for (int tries = 0; tries < 1000 && got(1) < 0; tries++) {
            usleep(100); /* the retry is timed */
            settle();
        }
    }
    EXPECT_EQ(stats(1).out_packets, 2 * NETMEM_SLOTS);
    EXPECT_EQ(stats(1).drops[DROP_FULL], 0);
}

TEST(with_backpressure_packets_wait_for_the_other_end)
{
    uint32_t wire;
    struct network_config c = {
        .name = "wire", .mode = NETWORK_WIRE, .backpressure = true};

    EXPECT_EQ(backplane_add_network(bp, &c, &wire, &d), 0);
    attach(0, wire);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++)
            send_one(0, 1, 0, (uint8_t)i);
        EXPECT_EQ(stats(0).in_packets, 100 * round);
        attach(1, wire);
        settle();
        for (int i = 0; i < 100; i++)
            EXPECT_EQ(got(1), i);
        EXPECT_EQ(backplane_remove_port(bp, port[1], &d), 0);
    }
    EXPECT_EQ(stats(0).drops[DROP_NO_PORT], 0);
}

TEST(a_static_address_stays_where_it_was_put)
{
    const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    struct address_info a[4];

    for (int i = 0; i < 3; i++)
        attach(i, lan);
    EXPECT_EQ(backplane_add_address(bp, port[1], mac, &d), 0);
    EXPECT_EQ(backplane_add_address(bp, port[2], mac, &d), -1);
    EXPECT(strstr(diag_text(&d), "has this address already") != NULL);
    diag_reset(&d);
    EXPECT_EQ(backplane_add_address(bp, port[1], mac, &d), 0); /* says it again */
    send_one(2, 9, 2, 'x');                                    /* claims it */
    got(0), got(1);
    send_one(0, 2, 1, 'a');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(2), -1);
    EXPECT_EQ(backplane_list_addresses(bp, lan, a, 4), 2);
    EXPECT_EQ(backplane_remove_address(bp, lan, mac, &d), 0);
    EXPECT_EQ(backplane_remove_address(bp, lan, mac, &d), -1);
    send_one(2, 9, 2, 'x');
    got(0), got(1);
    send_one(0, 2, 1, 'b');
    EXPECT_EQ(got(2), 'b');
}

TEST(silent_addresses_are_forgotten)
{
    struct network_info info;
    struct network_config c = {.name = "short", .age_s = 1};
    uint32_t net;

    EXPECT_EQ(backplane_add_network(bp, &c, &net, &d), 0);
    for (int i = 0; i < 3; i++)
        attach(i, net);
    send_one(1, 9, 2, 'x');
    got(0), got(2);
    send_one(0, 2, 1, 'a');
    EXPECT_EQ(got(2), -1);
    usleep(2100000);
    send_one(0, 2, 1, 'b');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(1), 'b');
    EXPECT_EQ(got(2), 'b'); /* flooded again */
    EXPECT(backplane_network_info(bp, net, &info));
    EXPECT_EQ(info.n_addresses, 1);
}

TEST(a_port_learns_no_more_addresses_than_it_may)
{
    struct network_config c = {.name = "few", .port_limit = 10};
    struct network_info info;
    uint32_t net;

    EXPECT_EQ(backplane_add_network(bp, &c, &net, &d), 0);
    attach(0, net);
    attach(1, net);
    for (int i = 0; i < 100; i++)
        send_one(0, 0, (uint16_t)(100 + i), 'a');
    EXPECT(backplane_network_info(bp, net, &info));
    EXPECT_EQ(info.n_addresses, 10);
    send_one(1, 0, 5, 'b');
    EXPECT(backplane_network_info(bp, net, &info));
    EXPECT_EQ(info.n_addresses, 11);
}

/* 200 frames to an address with the first byte `first` and nobody behind it. */
static void send_storm(uint8_t first)
{
    uint8_t frame[100];

    fake_frame(frame, sizeof frame, 9, 1, 'a');
    if (first == 0xff)
        memset(frame, 0xff, 6);
    frame[0] = first;
    for (int i = 0; i < 200; i++)
        EXPECT(fake_guest_put(g[0], 0, frame, sizeof frame));
    fake_guest_kick(g[0], 0);
    settle();
}

TEST(storms_are_limited)
{
    struct network_config c = {.storm_pps = {10}};
    static const struct {
        const char *name;
        uint8_t first; /* byte of the destination */
    } kinds[] = {{"broadcast", 0xff}, {"multicast", 3}, {"unknown", 2}};

    for (int k = 0; k < 3; k++) {
        uint32_t net;

        c.name = kinds[k].name;
        EXPECT_EQ(backplane_add_network(bp, &c, &net, &d), 0);
        attach(0, net);
        attach(1, net);
        send_storm(kinds[k].first);
        EXPECT(stats(1).out_packets > 0);
        EXPECT(stats(1).out_packets < 30);
        EXPECT_EQ(stats(1).out_packets + stats(0).drops[DROP_STORM], 200);
        while (got(1) >= 0)
            continue;
        EXPECT_EQ(backplane_remove_network(bp, net, &d), 0);
    }
}

TEST(each_kind_of_storm_has_a_limit_of_its_own)
{
    static const uint8_t first[STORMS] = {0, 0xff, 3, 2}; /* bytes of destinations */
    static const enum drop_reason why[STORMS] = {DROP_STORM, DROP_BROADCAST,
                                                 DROP_MULTICAST, DROP_UNKNOWN};

    for (int k = STORM_BROADCAST; k < STORMS; k++) {
        struct network_config c = {.name = "lan2"};
        uint32_t net;

        c.storm_pps[k] = 10;
        EXPECT_EQ(backplane_add_network(bp, &c, &net, &d), 0);
        attach(0, net);
        attach(1, net);
        for (int other = STORM_BROADCAST; other < STORMS; other++) {
            send_storm(first[other]);
            while (got(1) >= 0)
                continue;
        }
        EXPECT_EQ(stats(0).floods, 600);
        EXPECT_EQ(stats(0).broadcasts, 200);
        EXPECT_EQ(stats(0).multicasts, 200);
        EXPECT(stats(0).drops[why[k]] > 170);
        EXPECT_EQ(stats(1).out_packets + stats(0).drops[why[k]], 600);
        EXPECT_EQ(backplane_remove_network(bp, net, &d), 0);
    }
}

TEST(a_port_can_have_another_storm_limit_than_its_network)
{
    struct network_config c = {.name = "lan2", .storm_pps = {[STORM_UNKNOWN] = 10}};
    struct port_settings s = {.storm_pps = {[STORM_UNKNOWN] = 1000000}};
    uint32_t net;

    EXPECT_EQ(backplane_add_network(bp, &c, &net, &d), 0);
    attach(0, net);
    attach(1, net);
    EXPECT_EQ(backplane_set_port(bp, port[0], &s, &d), 0);
    send_storm(2);
    EXPECT_EQ(stats(0).drops[DROP_UNKNOWN], 0);
    EXPECT_EQ(stats(1).out_packets, 200);
    s.storm_pps[STORM_UNKNOWN] = 0;
    EXPECT_EQ(backplane_set_port(bp, port[0], &s, &d), 0);
    send_storm(2);
    EXPECT(stats(0).drops[DROP_UNKNOWN] > 170);
}

TEST(packets_to_known_addresses_are_no_storm)
{
    struct network_config c = {.name = "calm", .storm_pps = {10}};
    uint32_t net;

    EXPECT_EQ(backplane_add_network(bp, &c, &net, &d), 0);
    attach(0, net);
    attach(1, net);
    send_one(1, 0, 2, 'x');
    for (int i = 0; i < 200; i++)
        send_one(0, 2, 1, 'a');
    EXPECT_EQ(stats(1).out_packets, 200);
    EXPECT_EQ(stats(0).drops[DROP_STORM], 0);
}

TEST(ports_take_turns_by_their_budget)
{
    uint8_t frame[100];
    uint32_t budget = bp->config.budget;

    for (int i = 0; i < 4; i++)
        attach(i, lan);
    settle();
    for (int i = 0; i < 3; i++) {
        fake_frame(frame, sizeof frame, 9, (uint16_t)(i + 1), 'a');
        for (unsigned k = 0; k < 3 * budget; k++)
            EXPECT(fake_guest_put(g[i], 0, frame, sizeof frame));
        fake_guest_kick(g[i], 0);
    }
    bp->workers[0]->events_ns = 0;
    worker_round(bp->workers[0]); /* hears the doorbells at its end */
    for (unsigned round = 1; round <= 3; round++) {
        worker_round(bp->workers[0]);
        for (int i = 0; i < 3; i++)
            EXPECT_EQ(stats(i).in_packets, round * budget);
    }
}

TEST(a_promiscuous_port_sees_everything_once)
{
    for (int i = 0; i < 3; i++)
        attach(i, lan);
    EXPECT_EQ(backplane_set_port(bp, port[2],
                                 &(struct port_settings){.promiscuous = true}, &d),
              0);
    send_one(1, 0, 2, 'x');
    send_one(0, 2, 1, 'a');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(2), 'x');
    EXPECT_EQ(got(2), 'a');
    EXPECT_EQ(got(2), -1);
}

TEST(a_disabled_port_takes_and_gives_nothing)
{
    attach(0, lan);
    attach(1, lan);
    backplane_set_port(bp, port[1], &(struct port_settings){.disabled = true}, &d);
    send_one(0, 0, 1, 'a');
    send_one(1, 0, 2, 'b');
    EXPECT_EQ(got(0), -1);
    EXPECT_EQ(got(1), -1);
    EXPECT_EQ(stats(1).drops[DROP_DISABLED], 1);
    backplane_set_port(bp, port[1], &(struct port_settings){0}, &d);
    settle();
    EXPECT_EQ(got(0), 'b'); /* had waited in its ring */
}

TEST(an_outgoing_rate_drops_what_is_above_it)
{
    attach(0, lan);
    attach(1, lan);
    backplane_set_port(bp, port[1],
                       &(struct port_settings){.out = {.pps = 1, .burst_packets = 5}},
                       &d);
    for (int i = 0; i < 20; i++)
        send_one(0, 0, 1, (uint8_t)i);
    EXPECT_EQ(stats(1).out_packets, 5);
    EXPECT_EQ(stats(1).drops[DROP_RATE], 15);
}

TEST(an_outgoing_rate_in_bits_counts_bytes)
{
    attach(0, lan);
    attach(1, lan);
    backplane_set_port(bp, port[1],
                       &(struct port_settings){.out = {.bps = 1, .burst_bytes = 450}},
                       &d);
    for (int i = 0; i < 20; i++)
        send_one(0, 0, 1, (uint8_t)i);
    EXPECT_EQ(stats(1).out_packets, 5); /* the last one goes into debt */
    EXPECT_EQ(stats(1).out_bytes, 500);
    EXPECT_EQ(stats(1).drops[DROP_RATE], 15);
}

TEST(an_incoming_rate_in_bits_makes_packets_wait)
{
    const struct port_settings s = {.in = {.bps = 800000, .burst_bytes = 100}};
    uint64_t start;

    attach(0, lan);
    attach(1, lan);
    backplane_set_port(bp, port[0], &s, &d);
    start = plane_clock_ns();
    for (int i = 0; i < 20; i++) /* a millisecond each */
        send_one(0, 0, 1, (uint8_t)i);
    EXPECT(stats(1).out_packets < 20 || plane_clock_ns() - start > 17000000);
    for (int tries = 0; tries < 20000 && stats(1).out_packets < 20; tries++) {
        usleep(100);
        settle();
    }
    EXPECT_EQ(stats(1).out_packets, 20);
    EXPECT(plane_clock_ns() - start > 17000000);
    EXPECT_EQ(stats(1).drops[DROP_RATE], 0);
}

TEST(an_incoming_rate_makes_packets_wait)
{
    attach(0, lan);
    attach(1, lan);
    backplane_set_port(bp, port[0],
                       &(struct port_settings){.in = {.pps = 1000, .burst_packets = 1}},
                       &d);
    for (int i = 0; i < 20; i++)
        send_one(0, 0, 1, (uint8_t)i);
    EXPECT(stats(1).out_packets < 20);
    for (int tries = 0; tries < 2000 && stats(1).out_packets < 20; tries++) {
        usleep(100);
        settle();
    }
    EXPECT_EQ(stats(1).out_packets, 20);
    EXPECT(stats(0).waits > 0);
}

TEST(only_allowed_sources_pass)
{
    struct port_settings s = {.allow = {.n_macs = 1, .macs = {{2, 0, 0, 0, 0, 1}}}};
    uint8_t arp[100];

    attach(0, lan);
    attach(1, lan);
    s.allow.n_ip4 = 1;
    s.allow.ip4[0] = 0x0a000001;
    EXPECT_EQ(backplane_set_port(bp, port[0], &s, &d), 0);
    send_one(0, 0, 1, 'a');
    send_one(0, 0, 2, 'b');
    EXPECT_EQ(got(1), 'a');
    EXPECT_EQ(got(1), -1);
    EXPECT_EQ(stats(0).drops[DROP_SPOOF], 1);
    for (int host = 1; host <= 2; host++) {
        fake_frame(arp, sizeof arp, 0, 1, 0);
        memcpy(arp + 12, "\x08\x06\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\x0a\0\0", 19);
        arp[31] = (uint8_t)host;
        arp[99] = (uint8_t)host;
        EXPECT(fake_guest_put(g[0], 0, arp, sizeof arp));
    }
    fake_guest_kick(g[0], 0);
    settle();
    EXPECT_EQ(got(1), 1);
    EXPECT_EQ(got(1), -1);
    EXPECT_EQ(stats(0).drops[DROP_SPOOF], 2);
}

/* An IPv6 packet from 2001:db8::`host` (0: from nobody), behind a tag of VLAN 7 if told. */
static void send_ip6(uint8_t host, bool tagged, uint8_t fill)
{
    static const uint8_t net[4] = {0x20, 0x01, 0x0d, 0xb8};
    uint8_t frame[100], *ip = frame + (tagged ? 18 : 14);

    fake_frame(frame, sizeof frame, 0, 1, fill);
    if (tagged)
        memcpy(frame + 12, "\x81\0\0\7", 4);
    memcpy(ip - 2, "\x86\xdd\x60", 3);
    memset(ip + 8, 0, 16);
    if (host)
        memcpy(ip + 8, net, 4);
    ip[23] = host;
    EXPECT(fake_guest_put(g[0], 0, frame, sizeof frame));
    fake_guest_kick(g[0], 0);
    settle();
}

TEST(only_allowed_sources_of_ip6_pass)
{
    struct port_settings s = {
        .allow = {.n_ip6 = 1, .ip6 = {{0x20, 1, 0x0d, 0xb8, [15] = 1}}}};

    attach(0, lan);
    attach(1, lan);
    EXPECT_EQ(backplane_set_port(bp, port[0], &s, &d), 0);
    for (int tagged = 0; tagged < 2; tagged++) {
        send_ip6(1, tagged, 'a');
        send_ip6(2, tagged, 'b');
        send_ip6(0, tagged, 'c');
        EXPECT_EQ(got(1), 'a');
        EXPECT_EQ(got(1), -1);
        EXPECT_EQ(stats(0).drops[DROP_SPOOF], 2 * (tagged + 1));
    }
}

TEST(a_name_that_is_taken_is_refused)
{
    uint32_t id;

    attach(0, lan);
    EXPECT_EQ(fake_guest_attach(g[1], 0, bp, lan, "vm0"), 0);
    EXPECT_EQ(
        backplane_add_network(bp, &(struct network_config){.name = "lan"}, &id, &d),
        -1);
    EXPECT_STR(diag_text(&d), "there is a network 'lan' already\n");
}

TEST(an_id_is_never_used_again)
{
    uint32_t old;
    struct port_info info;

    attach(0, lan);
    old = port[0];
    EXPECT_EQ(backplane_remove_port(bp, old, &d), 0);
    EXPECT_EQ(backplane_remove_port(bp, old, &d), -1);
    attach(0, lan);
    EXPECT(port[0] != old);
    EXPECT(!backplane_port_info(bp, old, &info));
    EXPECT(backplane_port_info(bp, port[0], &info));
    EXPECT_STR(info.name, "vm0");
    EXPECT_EQ(info.state, PORT_UP);
}

TEST(a_network_takes_its_ports_with_it)
{
    uint32_t ids[4];

    attach(0, lan);
    attach(1, lan);
    EXPECT_EQ(backplane_list_ports(bp, lan, ids, 4), 2);
    EXPECT_EQ(ids[0], port[0]);
    EXPECT_EQ(backplane_remove_network(bp, lan, &d), 0);
    EXPECT_EQ(backplane_list_ports(bp, 0, ids, 4), 0);
    EXPECT_EQ(backplane_find_network(bp, "lan"), 0);
}

TEST(a_new_switch_goes_on_where_the_old_one_stopped)
{
    attach(0, lan);
    attach(1, lan);
    send_one(0, 0, 1, 'a');
    EXPECT_EQ(got(1), 'a');
    backplane_free(bp);
    for (int i = 'b'; i < 'e'; i++) { /* sent while there is none */
        uint8_t frame[100];

        fake_frame(frame, sizeof frame, 0, 1, (uint8_t)i);
        EXPECT(fake_guest_put(g[0], 0, frame, sizeof frame));
        fake_guest_kick(g[0], 0);
    }
    bp = backplane_new(NULL, &d);
    lan = network("lan", NETWORK_LEARN);
    attach(1, lan);
    attach(0, lan);
    settle();
    for (int i = 'b'; i < 'e'; i++)
        EXPECT_EQ(got(1), i);
    EXPECT_EQ(got(1), -1);
}

TEST(memory_that_could_shrink_is_refused)
{
    struct port_config c = {.name = "p", .network = lan, .kind = PORT_VM};
    FILE *plain = tmpfile();
    uint32_t id;

    c.vm = fake_guest_port(g[0], 0);
    c.vm.memory_fd = fileno(plain);
    EXPECT_EQ(backplane_add_port(bp, &c, &id, &d), -1);
    fclose(plain);
    c.vm = fake_guest_port(g[0], 0);
    EXPECT_EQ(backplane_add_port(bp, &c, &id, &d), 0);
    EXPECT_EQ(ftruncate(g[0]->memory_fd, 4096), -1); /* sealed now */
}

TEST(an_interface_that_does_not_exist_is_refused)
{
    EXPECT_EQ(fake_guest_attach(g[0], 1, bp, lan, "p"), 0);
    ((struct netmem_head *)(void *)g[0]->mem)->n_buffers = 1u << 16;
    EXPECT_EQ(fake_guest_attach(g[0], 0, bp, lan, "p"), 0);
}
