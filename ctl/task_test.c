// SPDX-License-Identifier: BSD-3-Clause
#include "ctl/task.h"
#include "tests/test.h"

#include <stdatomic.h>
#include <unistd.h>

enum { MANY = 40 };

struct job {
    struct task task;
    bool ran, done;
};

static struct loop *loop;
static struct tasks *tasks;
static struct job jobs[MANY];
static _Atomic int at_once, most_at_once;
static int n_done;

static void run(struct task *t)
{
    int now = atomic_fetch_add(&at_once, 1) + 1, most = atomic_load(&most_at_once);

    while (now > most && !atomic_compare_exchange_weak(&most_at_once, &most, now))
        continue;
    usleep(2000);
    ((struct job *)t)->ran = true;
    atomic_fetch_sub(&at_once, 1);
}

static void done(struct task *t)
{
    struct job *j = (struct job *)t;

    j->done = j->ran;
    if (++n_done == MANY)
        loop_stop(loop);
}

SETUP()
{
    loop = loop_new(NULL);
    tasks = tasks_new(loop, NULL);
    n_done = 0;
    for (int i = 0; i < MANY; i++)
        jobs[i] = (struct job){.task = {.run = run, .done = done}};
}

static int start_all(void)
{
    int started = 0;

    for (int i = 0; i < MANY; i++)
        started += tasks_start(tasks, &jobs[i].task, NULL) == 0;
    return started;
}

TEST(all_of_many_are_run_and_told_a_few_at_a_time)
{
    EXPECT_EQ(start_all(), MANY);
    loop_run(loop, NULL, NULL);
    for (int i = 0; i < MANY; i++)
        EXPECT(jobs[i].done);
    EXPECT(most_at_once <= 4);
    tasks_free(tasks);
    loop_free(loop);
}

TEST(the_end_waits_for_what_was_started)
{
    EXPECT_EQ(start_all(), MANY);
    tasks_free(tasks);
    EXPECT_EQ(n_done, MANY);
    loop_free(loop);
}

TEST(the_end_without_any_task_is_quiet)
{
    tasks_free(tasks);
    loop_free(loop);
    tasks_free(NULL);
}
