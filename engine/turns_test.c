// SPDX-License-Identifier: BSD-3-Clause
/* Several turns of a source at once: nobody may notice. */

#include "engine/handler.h"
#include "engine/router.h"
#include "engine/sched_run.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct platform platform;
static struct diag d;
static struct sbuf out, said;
static struct router *r;

static int64_t now(void *ctx)
{
    return 1000000000;
}

static void console(void *ctx, const char *text, size_t len)
{
    sbuf_add(&said, text, len);
}

SETUP()
{
    d = DIAG_INIT;
    out = said = SBUF_INIT;
    r = NULL;
    platform = (struct platform){
        .now = now, .console = console, .pool = pkt_pool_new(0), .has_os = true};
}

TEARDOWN()
{
    router_free(r);
    EXPECT_EQ(pkt_pool_free(platform.pool), 0);
    diag_fini(&d);
    sbuf_fini(&out);
    sbuf_fini(&said);
}

static void load(const char *text)
{
    r = router_new(&platform, text, strlen(text), "t", NULL, &d);
    if (!r)
        fail_msg("%s", diag_text(&d));
    router_activate(r, NULL);
}

static void turns(unsigned n)
{
    int64_t next;

    router_run(r, n, &next);
}

static const char *value_of(const char *handler)
{
    sbuf_reset(&out);
    EXPECT_EQ(handler_read(r, NULL, handler, NULL, &out, &d), 0);
    return sbuf_text(&out);
}

TEST(a_round_has_as_many_packets_as_turns)
{
    load("s :: InfiniteSource -> c :: Counter -> Discard");
    turns(1);
    EXPECT_STR(value_of("c.count"), "1");
    turns(99);
    EXPECT_STR(value_of("c.count"), "100");
    turns(33);
    EXPECT_STR(value_of("c.count"), "133");
}

TEST(a_burst_is_not_cut)
{
    load("s :: InfiniteSource(BURST 5, LIMIT 23) -> c :: Counter -> Discard");
    turns(3);
    EXPECT_STR(value_of("c.count"), "15");
    turns(1);
    EXPECT_STR(value_of("c.count"), "20");
    EXPECT(!router_idle(r));
    turns(2);
    EXPECT_STR(value_of("c.count"), "23");
    EXPECT(router_idle(r));
}

TEST(the_turn_behind_the_last_packet_stops)
{
    load("s :: InfiniteSource(LIMIT 40, STOP true) -> c :: Counter -> Discard");
    turns(40);
    EXPECT_STR(value_of("c.count"), "40");
    EXPECT(!router_stopped(r));
    turns(1);
    EXPECT(router_stopped(r));
}

TEST(others_have_their_turns_between)
{
    load("InfiniteSource -> a :: Counter -> Discard;"
         "InfiniteSource -> b :: Counter -> Discard");
    turns(40);
    EXPECT_STR(value_of("a.count"), "20");
    EXPECT_STR(value_of("b.count"), "20");
}

TEST(one_who_joins_is_not_behind)
{
    load("InfiniteSource -> a :: Counter -> Discard;"
         "s :: InfiniteSource(ACTIVE false) -> b :: Counter -> Discard");
    turns(102); /* the other looked once whether it was active */
    EXPECT_EQ(handler_write(r, NULL, "s.active", "true", 4, &d), 0);
    turns(20);
    EXPECT_STR(value_of("a.count"), "111");
    EXPECT_STR(value_of("b.count"), "10");
}

TEST(a_queue_on_the_way_holds_one_packet)
{
    load("InfiniteSource(LIMIT 200) -> Null -> q :: Queue -> Unqueue(32) -> "
         "c :: Counter -> Discard");
    turns(500);
    EXPECT_STR(value_of("c.count"), "200");
    EXPECT_STR(value_of("q.highwater_length"), "1");
}

TEST(a_round_through_a_queue_has_as_many_packets_as_turns)
{
    static const char *const takers[] = {"Unqueue(32)", "Unqueue", "Discard", NULL};
    char text[128];

    for (unsigned i = 0; takers[i]; i++) {
        router_free(r);
        snprintf(text, sizeof text, "s :: InfiniteSource -> q :: Queue -> %s%s",
                 takers[i], i < 2 ? " -> Discard" : "");
        load(text);
        turns(128);
        EXPECT_STR(value_of("s.count"), "64");
        EXPECT_STR(value_of("q.length"), "0");
        turns(101);
        EXPECT_STR(value_of("s.count"), "115");
        EXPECT_STR(value_of("q.length"), "1");
        EXPECT_STR(value_of("q.highwater_length"), "1");
    }
}

TEST(a_queue_that_packets_enter_one_by_one_holds_one_packet)
{
    load("InfiniteSource(LIMIT 200) -> Null -> q :: Queue -> Unqueue -> "
         "c :: Counter -> Discard; Idle -> Print(never) -> Discard");
    turns(500);
    EXPECT_STR(value_of("c.count"), "200");
    EXPECT_STR(value_of("q.highwater_length"), "1");
}

TEST(red_before_an_empty_queue_is_plain)
{
    load("InfiniteSource -> r :: RED(5, 9, 1) -> q :: Queue -> Unqueue(32) -> "
         "c :: Counter -> Discard");
    turns(128);
    EXPECT_EQ(router_sched(r)->noted, 0);
    EXPECT_STR(value_of("c.count"), "64");
    EXPECT_STR(value_of("r.drops"), "0");
    EXPECT_STR(value_of("q.highwater_length"), "1");
}

TEST(a_queue_of_few_places_does_not_overflow)
{
    load("InfiniteSource(LIMIT 300) -> q :: Queue(5) -> Unqueue -> c :: Counter -> "
         "Discard");
    turns(128);
    turns(1000);
    EXPECT_STR(value_of("c.count"), "300");
    EXPECT_STR(value_of("q.drops"), "0");
    EXPECT_STR(value_of("q.highwater_length"), "1");
}

TEST(packets_that_go_singly_fill_no_queue)
{
    load("s :: InfiniteSource -> q :: Queue(5) -> Unqueue -> c :: Counter -> Discard;"
         "Idle -> Print -> Discard");
    turns(100);
    EXPECT_STR(value_of("c.count"), "50");
    EXPECT_STR(value_of("q.highwater_length"), "1");
}

TEST(who_is_told_that_headers_are_plain_is_noted_too)
{
    load("InfiniteSource(DATA "
         "\\<4500002e00004000401137bd010000010200000204d204d2001a0000"
         "000000000000000000000000000000000000>) -> CheckIPHeader -> RoundRobinSwitch "
         "-> Discard");
    turns(9);
    EXPECT_EQ(router_sched(r)->noted, 9);
}

TEST(a_queue_that_nobody_empties_fills)
{
    load("InfiniteSource(LIMIT 300) -> q :: Queue(200) -> Unqueue(LIMIT 50) -> "
         "c :: Counter -> Discard");
    turns(70);
    EXPECT_STR(value_of("q.highwater_length"), "1");
    turns(1000);
    EXPECT_STR(value_of("c.count"), "50");
    EXPECT_STR(value_of("q.length"), "200");
    EXPECT_STR(value_of("q.highwater_length"), "200");
    EXPECT_STR(value_of("q.drops"), "0");
}

enum { VALUES = 4 };

/* The values of those handlers when all is at rest, so many turns a round. */
static void end_of(const char *text, unsigned a_round, const char *const *handlers,
                   char values[VALUES][64])
{
    load(text);
    for (unsigned n = 0; n < 10000 && !router_idle(r); n++)
        turns(a_round);
    EXPECT(router_idle(r));
    for (unsigned n = 0; n < VALUES && handlers[n]; n++)
        snprintf(values[n], sizeof values[n], "%s", value_of(handlers[n]));
    router_free(r);
    r = NULL;
}

/* With one turn a round nobody takes several. */
TEST(all_ends_as_it_does_turn_by_turn)
{
    static const struct {
        const char *text, *handlers[VALUES];
    } runs[] = {
        {"InfiniteSource(LIMIT 777) -> a :: Counter -> q :: Queue -> Unqueue(32) -> "
         "c :: Counter -> Discard",
         {"c.count", "q.length", "q.highwater_length"}},
        {"InfiniteSource(LIMIT 777, BURST 3) -> q :: Queue(100) -> Unqueue(2) -> "
         "c :: Counter -> Discard",
         {"c.count", "q.length", "q.highwater_length"}},
        {"InfiniteSource(LIMIT 777) -> RED(2, 5, 1) -> q :: Queue(9) -> "
         "c :: Counter -> Discard(BURST 3)",
         {"c.count", "q.length", "q.highwater_length"}},
        {"InfiniteSource(LIMIT 777) -> q :: Queue -> Unqueue -> p :: Queue -> "
         "Unqueue(5) -> c :: Counter -> Discard",
         {"c.count", "p.length", "p.highwater_length", "q.highwater_length"}},
        {"InfiniteSource(LIMIT 777) -> Paint(1) -> t :: PaintTee(1) -> Paint(2) -> "
         "q :: Queue -> Discard; t[1] -> q;",
         {"q.length", "q.highwater_length"}},
    };
    char one_by_one[VALUES][64] = {{0}}, many[VALUES][64] = {{0}};

    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        end_of(runs[i].text, 1, runs[i].handlers, one_by_one);
        end_of(runs[i].text, 128, runs[i].handlers, many);
        for (unsigned n = 0; n < VALUES; n++)
            EXPECT_STR(many[n], one_by_one[n]);
    }
}

TEST(a_call_comes_at_its_packet)
{
    load("s :: InfiniteSource -> Counter(COUNT_CALL 70 s.active false) -> "
         "c :: Counter -> Discard");
    turns(64);
    turns(64);
    EXPECT_STR(value_of("c.count"), "70");
}

TEST(a_call_that_comes_later_does_too)
{
    load("s :: InfiniteSource -> w :: Counter -> c :: Counter -> Discard");
    turns(64);
    EXPECT_EQ(handler_write(r, NULL, "w.count_call", "70 s.active false", 17, &d), 0);
    turns(64);
    EXPECT_STR(value_of("c.count"), "70");
}

TEST(two_who_complain_take_turns)
{
    load("InfiniteSource(DATA ab, LIMIT 2) -> Strip(14) -> Strip(1) -> Discard");
    turns(10);
    EXPECT_STR(sbuf_text(&said), "Packet::pull 14 > length 2\n"
                                 "Packet::pull 1 > length 0\n"
                                 "Packet::pull 14 > length 2\n"
                                 "Packet::pull 1 > length 0\n");
}

/* SetRandIPAddress is noted whenever it gets packets. */
#define RANDOM "s :: RandomSource(LENGTH 60) -> r :: SetRandIPAddress(0.0.0.0/0) -> "

TEST(packets_that_differ_come_together_where_all_is_apart)
{
    load(RANDOM "c :: Counter -> Discard");
    turns(100);
    EXPECT_STR(value_of("c.count"), "100");
    EXPECT_EQ(router_sched(r)->noted, 4);
}

TEST(what_is_not_apart_gets_them_one_by_one)
{
    load(RANDOM "c :: Counter -> RoundRobinSwitch -> Discard");
    turns(100);
    EXPECT_STR(value_of("c.count"), "100");
    EXPECT_EQ(router_sched(r)->noted, 200);
}

TEST(one_way_leads_to_what_keeps_an_order)
{
    load(RANDOM "c :: Classifier(0/00%80, -); c[0] -> m :: IPRateMonitor(PACKETS, 1, "
                "256, 600) -> Discard; c[1] -> Discard");
    turns(100);
    EXPECT_EQ(router_sched(r)->noted, 4);
}

TEST(two_ways_lead_to_what_keeps_an_order)
{
    load(RANDOM "c :: Classifier(0/00%80, -); c[0] -> m :: IPRateMonitor(PACKETS, 1, "
                "256, 600) -> Discard; c[1] -> Paint(1) -> m");
    turns(100);
    EXPECT_EQ(router_sched(r)->noted, 100);
}

TEST(two_may_share_what_they_keep)
{
    load(RANDOM "a :: IPRewriter(drop) -> b :: IPRewriter(drop) -> Discard");
    turns(100);
    EXPECT_EQ(router_sched(r)->noted, 200); /* what has no IP header goes no further */
}

TEST(packets_that_differ_wait_for_other_tasks)
{
    load(RANDOM "c :: Counter -> Discard; InfiniteSource -> d :: Counter -> Discard");
    turns(100);
    EXPECT_STR(value_of("c.count"), "50");
    EXPECT_STR(value_of("d.count"), "50");
}

TEST(a_call_comes_at_its_packet_where_they_differ)
{
    load(RANDOM "w :: Counter -> c :: Counter -> Discard");
    turns(64);
    EXPECT_EQ(router_sched(r)->noted, 2);
    EXPECT_EQ(handler_write(r, NULL, "w.count_call", "70 s.active false", 17, &d), 0);
    turns(64);
    EXPECT_STR(value_of("c.count"), "70");
}

#define FLOWS                                                                          \
    "s :: FastUDPFlows(0, 300, 60, 0:0:0:0:0:1, 1.0.0.1, 0:0:0:0:0:2, 2.0.0.2, 9, "    \
    "100000, STOP true) -> "

TEST(one_who_pulls_takes_turns_at_once)
{
    load(FLOWS "u :: Unqueue(LIMIT 250) -> c :: Counter -> Discard");
    turns(100);
    EXPECT_STR(value_of("c.count"), "100");
    EXPECT_EQ(router_sched(r)->noted, 4 + 4); /* it has a LIMIT */
    turns(150);
    EXPECT_STR(value_of("c.count"), "250");
    EXPECT(!router_idle(r));
    turns(1);
    EXPECT(router_idle(r));
}

TEST(one_who_pulls_stops_with_the_last_packet)
{
    load(FLOWS "d :: Discard(BURST 3)");
    turns(99);
    EXPECT_STR(value_of("d.count"), "297");
    EXPECT(!router_stopped(r));
    turns(1);
    EXPECT_STR(value_of("d.count"), "300");
    EXPECT(router_stopped(r));
}

TEST(one_who_pulls_from_a_queue_takes_turns_one_by_one)
{
    load("InfiniteSource(LIMIT 50, BURST 50) -> q :: Queue -> u :: Unqueue -> "
         "RoundRobinSwitch -> c :: Counter -> Discard");
    turns(30);
    EXPECT_STR(value_of("q.length"), "22");
    EXPECT_STR(value_of("c.count"), "28");
}

TEST(two_who_complain_take_turns_where_packets_differ)
{
    load("RandomSource(LENGTH 2, LIMIT 2) -> Strip(14) -> Strip(1) -> Discard");
    turns(10);
    EXPECT_STR(sbuf_text(&said), "Packet::pull 14 > length 2\n"
                                 "Packet::pull 1 > length 0\n"
                                 "Packet::pull 14 > length 2\n"
                                 "Packet::pull 1 > length 0\n");
}

TEST(what_is_said_of_a_packet_comes_together)
{
    load(
        "InfiniteSource(DATA ab, LIMIT 2, BURST 2) -> c :: CheckIPHeader(VERBOSE true) "
        "-> Discard; c[1] -> SetIPAddress(1.2.3.4) -> a :: RadixIPLookup(1.0.0.0/8 0, "
        "2.0.0.0/8 1) -> SetIPAddress(3.4.5.6) -> RadixIPLookup(1.0.0.0/8 0) -> "
        "Discard; a[1] -> Discard");
    turns(10);
    EXPECT_STR(sbuf_text(&said), "c: IP header check failed: tiny packet\n"
                                 "IPRouteTable: no route for 3.4.5.6\n"
                                 "c: IP header check failed: tiny packet\n"
                                 "IPRouteTable: no route for 3.4.5.6\n");
}

TEST(a_route_that_is_missing_is_said_when_those_before_have_gone)
{
    static const char text[] =
        "RandomSource(LENGTH 4, LIMIT 64) -> GetIPAddress(0) -> a :: RadixIPLookup("
        "0.0.0.0/1 0) -> SetIPAddress(3.4.5.6) -> RadixIPLookup(1.0.0.0/8 0) -> "
        "Discard";
    char one_by_one[1024];

    load(text);
    for (unsigned n = 0; n < 64; n++)
        turns(1);
    snprintf(one_by_one, sizeof one_by_one, "%s", sbuf_text(&said));
    EXPECT(strlen(one_by_one) > 300);
    router_free(r);
    sbuf_reset(&said);
    load(text);
    turns(64);
    EXPECT_STR(sbuf_text(&said), one_by_one);
}
