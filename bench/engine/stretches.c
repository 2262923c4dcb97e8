// SPDX-License-Identifier: BSD-3-Clause
/* stretches.c -- a run in some hundred short stretches: see stretches.h */

#include "bench/engine/stretches.h"

#include "bench/engine/turns.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STRETCHES = 200, STRETCHES_MIN = 20, STRETCHES_MAX = 4096, TURN = 10 };

static struct {
    double began, at, took[STRETCHES_MAX], in_run;
    uint32_t n, steps;
} run;

double processor_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint32_t stretches_begin(uint64_t steps)
{
    run.steps = steps ? 1 + (uint32_t)(steps / STRETCHES) : UINT32_MAX;
    run.n = 0;
    run.began = run.at = processor_seconds();
    return run.steps;
}

static int by_length(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The length of a turn's stretches, of the better ones: the first have cold caches. */
static double turn_length(const double *last)
{
    double took[TURN];

    memcpy(took, last - TURN, sizeof took);
    qsort(took, TURN, sizeof took[0], by_length);
    return took[TURN / 4];
}

uint32_t stretch_end(void)
{
    double at = processor_seconds();

    if (run.n < STRETCHES_MAX)
        run.took[run.n++] = at - run.at;
    if (turns_joined() && run.n % TURN == 0)
        turn_end(turn_length(run.took + run.n));
    run.at = processor_seconds();
    return run.steps - 1;
}

double stretches_total(uint64_t steps)
{
    run.in_run = (double)steps / run.steps;
    if (run.n < STRETCHES_MIN)
        return processor_seconds() - run.began;
    qsort(run.took, run.n, sizeof run.took[0], by_length);
    return run.took[run.n / 10] * run.in_run;
}

double stretches_in_run(void)
{
    return run.in_run;
}
