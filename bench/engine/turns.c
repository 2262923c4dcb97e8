// SPDX-License-Identifier: BSD-3-Clause
/* turns.c -- two processes that are measured in turn: see turns.h */

#include "bench/engine/turns.h"

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- one of the two ------------------------------------------------------------------- */

/* What a side says: how long a turn took, or what the unit of all of them is. */
struct report {
    double value;
    uint64_t last;
};

static bool joined;

static void wait_for_turn(void)
{
    char go;

    if (read(STDIN_FILENO, &go, 1) != 1)
        exit(1); /* whoever started us is gone */
}

static void say(struct report r)
{
    if (write(STDIN_FILENO, &r, sizeof r) != sizeof r)
        exit(1);
}

void turns_join(void)
{
    joined = true;
    wait_for_turn();
}

bool turns_joined(void)
{
    return joined;
}

void turn_end(double took)
{
    say((struct report){.value = took});
    wait_for_turn();
}

void turns_leave(double seconds)
{
    say((struct report){.value = seconds, .last = 1});
}

/* --- who starts them ------------------------------------------------------------------ */

enum { TURNS_MAX = 4096 };

struct player {
    pid_t pid;
    int fd;
    uint32_t n;
    bool left;
    double took[TURNS_MAX];
};

static void player_start(struct player *p, const char *self, const char *side,
                         unsigned row)
{
    char number[16];
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        err(1, "socketpair");
    snprintf(number, sizeof number, "%u", row);
    p->n = 0;
    p->left = false;
    p->fd = ends[0];
    p->pid = fork();
    if (p->pid < 0)
        err(1, "fork");
    if (!p->pid) {
        dup2(ends[1], STDIN_FILENO);
        execl(self, self, "--turns", side, number, (char *)NULL);
        err(1, "%s", self);
    }
    close(ends[1]);
}

/* Let it take a turn; at its last it says what the unit is. */
static void player_turn(struct player *p)
{
    struct report r;

    if (write(p->fd, "", 1) != 1 || recv(p->fd, &r, sizeof r, MSG_WAITALL) != sizeof r)
        errx(1, "a side of the benchmark ended too early");
    p->left = r.last;
    for (uint32_t i = 0; r.last && i < p->n; i++)
        p->took[i] *= r.value;
    if (!r.last && p->n < TURNS_MAX)
        p->took[p->n++] = r.value;
}

static void player_end(struct player *p)
{
    int status;

    close(p->fd);
    if (waitpid(p->pid, &status, 0) != p->pid || !WIFEXITED(status) ||
        WEXITSTATUS(status))
        errx(1, "a side of the benchmark failed");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double nth(double *v, uint32_t n, uint32_t at)
{
    qsort(v, n, sizeof *v, by_value);
    return v[at];
}

struct turns turns_take(const char *self, const char *const sides[2], unsigned row)
{
    static struct player p[2];
    static double ratios[TURNS_MAX];
    struct turns t;
    uint32_t n;

    for (int i = 0; i < 2; i++)
        player_start(&p[i], self, sides[i], row);
    while (!p[0].left || !p[1].left)
        for (int i = 0; i < 2; i++)
            if (!p[i].left)
                player_turn(&p[i]);
    for (int i = 0; i < 2; i++)
        player_end(&p[i]);
    n = p[0].n < p[1].n ? p[0].n : p[1].n;
    if (!n)
        errx(1, "a side of the benchmark took no turn");
    for (uint32_t i = 0; i < n; i++)
        ratios[i] = p[1].took[i] / p[0].took[i];
    t.ratio = nth(ratios, n, n / 2);
    for (int i = 0; i < 2; i++)
        t.seconds[i] = nth(p[i].took, p[i].n, p[i].n / 10);
    return t;
}
