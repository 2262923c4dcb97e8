// SPDX-License-Identifier: BSD-3-Clause
/* Work in pieces: each has its turn, and so has everybody else. */

#include "ctl/loop.h"
#include "tests/test.h"

static struct loop *loop;

SETUP()
{
    struct diag d = DIAG_INIT;

    loop = loop_new(&d);
    EXPECT(loop != NULL);
    diag_fini(&d);
}

TEARDOWN()
{
    loop_free(loop);
}

struct job {
    struct loop_work work;
    char name;
    unsigned left;
    struct job *ends; /* stop this one when there is nothing left */
};

static char trace[64];
static size_t n_trace;

static bool more(void *ctx)
{
    struct job *j = ctx;

    trace[n_trace++] = j->name;
    trace[n_trace] = '\0';
    if (--j->left)
        return true;
    if (j->ends)
        loop_work_cancel(loop, &j->ends->work);
    return false;
}

static unsigned waits;

/* Ends the loop when nobody works any more. */
static int count_waits(void *ctx)
{
    const unsigned *most = ctx;

    if (++waits > *most)
        loop_stop(loop);
    return 0;
}

static void run(unsigned turns)
{
    waits = 0;
    loop_run(loop, count_waits, &turns);
}

static void begin(struct job *j, char name, unsigned pieces)
{
    *j = (struct job){.work = {.more = more, .ctx = j}, .name = name, .left = pieces};
    loop_work_add(loop, &j->work);
}

TEST(each_has_a_piece_in_its_turn)
{
    struct job a, b;

    n_trace = 0;
    begin(&a, 'a', 3);
    begin(&b, 'b', 2);
    loop_work_add(loop, &b.work); /* is there already */
    run(3);
    EXPECT_STR(trace, "aba");
    run(10);
    EXPECT_STR(trace, "ababa");
    EXPECT(!a.work.live && !b.work.live);
}

TEST(what_is_cancelled_has_no_other_turn)
{
    struct job a, b;

    n_trace = 0;
    begin(&a, 'a', 5);
    begin(&b, 'b', 2);
    b.ends = &a;
    run(10);
    EXPECT_STR(trace, "abab");
    loop_work_cancel(loop, &a.work); /* twice is nothing */
    begin(&a, 'a', 1);
    run(2);
    EXPECT_STR(trace, "ababa");
}

static void expired(void *ctx)
{
    *(bool *)ctx = true;
}

TEST(timers_go_on_meanwhile)
{
    bool rang = false;
    struct loop_timer t = {.expired = expired, .ctx = &rang};
    struct job a;

    n_trace = 0;
    begin(&a, 'a', 20);
    loop_timer_set(loop, &t, 0);
    run(2);
    EXPECT(rang);
    EXPECT_EQ(a.left, 18);
    loop_work_cancel(loop, &a.work);
}

/* What a thousand timers have to do takes long, too. */
TEST(many_timers_that_expire_at_once_take_several_turns)
{
    static struct loop_timer timers[100];
    static bool rang[100];
    unsigned n = 0;

    for (unsigned i = 0; i < 100; i++) {
        rang[i] = false;
        timers[i] = (struct loop_timer){.expired = expired, .ctx = &rang[i]};
        loop_timer_set(loop, &timers[i], 0);
    }
    run(2);
    for (unsigned i = 0; i < 100; i++)
        n += rang[i];
    EXPECT(n > 0 && n < 100);
    run(100);
    for (unsigned i = 0; i < 100; i++)
        EXPECT(rang[i]);
}
