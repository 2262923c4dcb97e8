// SPDX-License-Identifier: BSD-3-Clause
/* What a router does as a whole: wiring and its errors, time, stopping, exchange. */

#include "engine/element.h"
#include "engine/handler.h"
#include "engine/router.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static int64_t now_ns;
static struct platform platform;
static struct diag d;
static struct sbuf out, said;
static struct router *r;

static int64_t now(void *ctx)
{
    return now_ns;
}

static void console(void *ctx, const char *text, size_t len)
{
    sbuf_add(&said, text, len);
}

SETUP()
{
    now_ns = 1000000000;
    d = DIAG_INIT;
    out = said = SBUF_INIT;
    r = NULL;
    platform = (struct platform){
        .now = now, .console = console, .pool = pkt_pool_new(0)};
}

TEARDOWN()
{
    router_free(r);
    EXPECT_EQ(pkt_pool_free(platform.pool), 0);
    diag_fini(&d);
    sbuf_fini(&out);
    sbuf_fini(&said);
}

static const char *errors_of(const char *text)
{
    diag_reset(&d);
    r = router_new(&platform, text, strlen(text), "t", NULL, &d);
    EXPECT(r == NULL);
    return diag_text(&d);
}

static struct router *build(const char *text)
{
    struct router *new = router_new(&platform, text, strlen(text), "t", NULL, &d);

    if (!new)
        fail_msg("%s", diag_text(&d));
    return new;
}

static void load(const char *text)
{
    r = build(text);
    router_activate(r, NULL);
}

/* Exchange the configuration. */
static void swap(const char *text)
{
    struct router *old = r;

    r = build(text);
    router_activate(r, old);
    router_free(old);
}

static const char *value_of(const char *handler)
{
    sbuf_reset(&out);
    if (handler_read(r, NULL, handler, NULL, &out, &d) < 0)
        fail_msg("%s", diag_text(&d));
    return sbuf_text(&out);
}

/* Run until nothing moves any more, but no more than so many rounds. */
static int64_t run(int rounds)
{
    int64_t next = INT64_MAX;

    while (rounds-- > 0 && !router_stopped(r))
        router_run(r, 16, &next);
    return next;
}

/* --- wiring --------------------------------------------------------------------------------- */

TEST(agnostic_ports_become_what_their_neighbours_are)
{
    load("Idle -> a :: Counter -> q :: Queue -> b :: Counter -> u :: Unqueue -> "
         "Discard");
    EXPECT(element_input_is_push(router_find(r, "a"), 0));
    EXPECT(element_output_is_push(router_find(r, "a"), 0));
    EXPECT(!element_input_is_push(router_find(r, "b"), 0));
    EXPECT(!element_output_is_push(router_find(r, "b"), 0));
}

TEST(ports_that_nothing_decides_are_push)
{
    load("Idle -> a :: Null -> b :: Null -> Idle");
    EXPECT(element_output_is_push(router_find(r, "a"), 0));
}

TEST(connections_lead_past_what_only_hands_on)
{
    load("s :: Idle -> a :: Null -> b :: Null -> c :: Counter -> q :: Queue -> Null -> "
         "Null -> u :: Unqueue -> Discard");
    EXPECT(router_find(r, "s")->out[0].peer == router_find(r, "c"));
    EXPECT(router_find(r, "u")->in[0].peer == router_find(r, "q"));
    EXPECT(router_find(r, "u")->in[0].pull != NULL);
    EXPECT(!router_find(r, "u")->in[0].is_push);
}

TEST(a_circle_of_elements_that_hand_on_can_be_wired)
{
    load("Idle -> a :: Null -> b :: Null -> a");
    EXPECT(element_output_is_push(router_find(r, "a"), 0));
}

TEST(mixed_contexts_are_refused)
{
    EXPECT(strstr(
        errors_of("q :: Queue -> c :: Counter -> Queue -> Discard; Idle -> q"),
        "t:1: agnostic 'c :: Counter' in mixed context: pull input 0, push output 0"));
    EXPECT(strstr(
        errors_of("Idle -> a :: Queue -> b :: Queue -> Discard"),
        "t:1: 'a :: Queue' pull output 0 connected to 'b :: Queue' push input 0"));
}

TEST(one_push_output_goes_to_one_input)
{
    EXPECT(
        strstr(errors_of("a :: Idle -> Discard; InfiniteSource -> t :: Tee -> Discard;"
                         "t -> Discard"),
               "t:1: illegal reuse of 't :: Tee' push output 0"));
}

TEST(ports_that_do_not_exist_or_are_not_used_are_named)
{
    const char *text = errors_of("s :: Strip(14); Idle -> s; s[1] -> Discard");

    EXPECT(strstr(text, "t:1: 's :: Strip' has no output 1"));
    EXPECT(strstr(text, "t:1: 's :: Strip' output 0 unused"));
    EXPECT(strstr(errors_of("q :: Queue -> Discard"), "'q :: Queue' input 0 unused"));
}

TEST(errors_of_all_elements_are_reported)
{
    const char *text = errors_of("Idle -> Strip -> Queue(x) -> Discard");

    EXPECT(strstr(text, "While configuring 'Strip@2 :: Strip'"));
    EXPECT(strstr(text, "LENGTH: required argument missing"));
    EXPECT(strstr(text, "While configuring 'Queue@3 :: Queue'"));
}

/* --- running --------------------------------------------------------------------------------- */

TEST(a_sleeping_task_wakes_when_a_packet_comes)
{
    load("s :: InfiniteSource(LIMIT 3, ACTIVE false) -> q :: Queue -> u :: Unqueue -> "
         "c :: Counter -> Discard");
    run(50);
    EXPECT(router_idle(r));
    EXPECT_EQ(handler_write(r, NULL, "s.active", "true", 4, &d), 0);
    EXPECT(!router_idle(r));
    run(50);
    EXPECT_STR(value_of("c.count"), "3");
    EXPECT(router_idle(r));
}

TEST(timers_fire_in_order_and_not_early)
{
    load("Script(wait 2s, print \"two\"); Script(wait 1s, print \"one\")");
    EXPECT_EQ(run(2), 2000000000);
    EXPECT_STR(sbuf_text(&said), "");
    now_ns = 1999999999;
    run(2);
    EXPECT_STR(sbuf_text(&said), "");
    now_ns = 3000000000;
    EXPECT_EQ(run(2), INT64_MAX);
    EXPECT_STR(sbuf_text(&said), "one\ntwo\n");
}

/* Counts its runs and asks for the next one. */
struct counting {
    struct task task;
    unsigned runs;
};

static bool count_run(struct element *e, struct task *t)
{
    ((struct counting *)t)->runs++;
    task_reschedule(t);
    return true;
}

TEST(tasks_share_the_time_by_their_tickets)
{
    struct counting one = {0}, three = {0};
    int64_t next;

    load("i :: Idle -> Discard");
    task_init(&one.task, router_find(r, "i"), count_run);
    task_init(&three.task, router_find(r, "i"), count_run);
    task_set_tickets(&one.task, 1024);
    task_set_tickets(&three.task, 3072);
    task_schedule(&one.task);
    task_schedule(&three.task);
    router_run(r, 4000, &next);
    EXPECT_EQ(one.runs + three.runs, 4000);
    /* Strides are whole numbers, as Click's: the shares are right to two per cent. */
    if (one.runs < 980 || one.runs > 1020)
        fail_msg("%u and %u runs", one.runs, three.runs);
    task_unschedule(&one.task);
    task_unschedule(&three.task);
}

/* Changes its mind while it runs: on, off, on again, and off for good at its third run. */
static bool waver_run(struct element *e, struct task *t)
{
    bool last = ++((struct counting *)t)->runs == 3;

    task_reschedule(t);
    task_unschedule(t);
    EXPECT(!t->scheduled);
    task_schedule(t);
    task_schedule(t);
    EXPECT(t->scheduled);
    if (last)
        task_unschedule(t);
    return true;
}

TEST(a_task_that_runs_may_be_put_on_and_taken_off)
{
    struct counting wavers = {0}, other = {0};
    int64_t next;

    load("i :: Idle -> Discard");
    task_init(&wavers.task, router_find(r, "i"), waver_run);
    task_init(&other.task, router_find(r, "i"), count_run);
    task_schedule(&wavers.task);
    router_run(r, 2, &next);
    EXPECT_EQ(wavers.runs, 2);
    task_schedule(&other.task);
    router_run(r, 10, &next);
    EXPECT_EQ(wavers.runs, 3);
    EXPECT_EQ(other.runs, 9);
    task_unschedule(&other.task);
    EXPECT(router_idle(r));
}

/* --- stopping --------------------------------------------------------------------------------- */

TEST(a_stop_event_stops)
{
    load("Idle -> Discard");
    EXPECT_EQ(handler_write(r, NULL, "stop", "", 0, &d), 0);
    EXPECT(!router_stopped(r));
    run(1);
    EXPECT(router_stopped(r));
}

TEST(a_driver_manager_counts_stop_events)
{
    load("DriverManager(pause 2, print \"bye\")");
    run(1);
    EXPECT_EQ(handler_write(r, NULL, "stop", "", 0, &d), 0);
    run(1);
    EXPECT(!router_stopped(r));
    EXPECT_EQ(handler_write(r, NULL, "stop", "", 0, &d), 0);
    run(1);
    EXPECT(router_stopped(r));
    EXPECT_STR(sbuf_text(&said), "bye\n");
}

TEST(tasks_run_before_timers_at_the_start)
{
    load("InfiniteSource(LIMIT 5) -> c :: Counter -> Discard; Script(print c.count)");
    run(40);
    EXPECT_STR(sbuf_text(&said), "5\n");
}

/* --- exchange ----------------------------------------------------------------------------------- */

TEST(queued_packets_and_counters_move_over)
{
    load("InfiniteSource(LIMIT 7) -> c :: Counter -> q :: Queue(100) -> Idle");
    run(50);
    swap("Idle -> c :: Counter -> q :: Queue(50) -> u :: Unqueue -> e :: Counter -> "
         "Discard");
    EXPECT_STR(value_of("c.count"), "7");
    run(50);
    EXPECT_STR(value_of("e.count"), "7");
    EXPECT_STR(value_of("q.length"), "0");
}

TEST(a_smaller_queue_keeps_what_fits)
{
    load("InfiniteSource(LIMIT 7) -> q :: Queue(100) -> Idle");
    run(50);
    swap("Idle -> q :: Queue(3) -> Idle");
    EXPECT_STR(value_of("q.length"), "3");
}

TEST(an_element_of_another_class_takes_nothing)
{
    load("InfiniteSource(LIMIT 7) -> q :: Queue -> Idle");
    run(50);
    swap("Idle -> q :: Counter -> Discard");
    EXPECT_STR(value_of("q.count"), "0");
}

TEST(a_configuration_that_fails_changes_nothing)
{
    load("InfiniteSource(LIMIT 7) -> q :: Queue -> Idle");
    run(50);
    EXPECT(router_new(&platform, "Idle -> q :: Queue(x)", 21, "t", NULL, &d) == NULL);
    EXPECT_STR(value_of("q.length"), "7");
}

/* Made several at a time or one by one. */
TEST(random_numbers_are_the_same_however_many_are_taken)
{
    uint32_t many[11];

    load("i :: Idle -> Discard;");
    for (unsigned wide = 0; wide < 2; wide++) {
        struct element *e = router_find(r, "i");

        pkt_pool_set_wide(platform.pool, wide && __builtin_cpu_supports("avx2"));
        for (uint32_t n = 0; n <= 11; n++) {
            element_random_seed(e, 5 + n);
            element_randoms(e, many, n);
            EXPECT(n == 0 || element_random(e) != many[n - 1]);
            element_random_seed(e, 5 + n);
            for (uint32_t i = 0; i < n; i++)
                EXPECT_EQ(element_random(e), many[i]);
        }
    }
}
