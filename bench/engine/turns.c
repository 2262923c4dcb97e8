// SPDX-License-Identifier: BSD-3-Clause
/* turns.c -- processes that are measured in turn: see turns.h */

#include "bench/engine/turns.h"

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PACES = 40 };

/* --- one of them ---------------------------------------------------------------------- */

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

static int by_pace(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

double turns_best_pace(double (*pace)(void *ctx), void *ctx, bool in_turns)
{
    double paces[PACES];

    if (in_turns)
        turns_join();
    for (int i = 0; i < PACES; i++) {
        paces[i] = pace(ctx);
        if (in_turns)
            turn_end(1 / paces[i]);
    }
    if (in_turns)
        turns_leave(1);
    qsort(paces, PACES, sizeof paces[0], by_pace);
    return paces[PACES / 10];
}

/* --- who starts them ------------------------------------------------------------------ */

struct player {
    pid_t pid;
    int fd;
    uint32_t n;
    bool left;
    double *took; /* [TURNS_MAX] */
};

static void player_start(struct player *p, const char *self,
                         const struct turns_player *who)
{
    char number[16];
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        err(1, "socketpair");
    snprintf(number, sizeof number, "%u", who->row);
    p->fd = ends[0];
    p->pid = fork();
    if (p->pid < 0)
        err(1, "fork");
    if (!p->pid) {
        dup2(ends[1], STDIN_FILENO);
        execl(self, self, "--turns", who->side, number, (char *)NULL);
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

/* A turn each, as far as they have not come to their ends. */
static bool all_take_turns(struct player *p, unsigned n)
{
    bool some = false;

    for (unsigned i = 0; i < n; i++)
        if (!p[i].left) {
            player_turn(&p[i]);
            some = true;
        }
    return some;
}

void turns_take(struct turns *t, const char *self, const struct turns_player *players,
                unsigned n)
{
    struct player p[TURNS_PLAYERS] = {0};

    for (unsigned i = 0; i < n; i++) {
        p[i].took = t->took[i];
        player_start(&p[i], self, &players[i]);
    }
    while (all_take_turns(p, n))
        ;
    t->n = TURNS_MAX;
    for (unsigned i = 0; i < n; i++) {
        player_end(&p[i]);
        t->n = p[i].n < t->n ? p[i].n : t->n;
    }
    if (!t->n)
        errx(1, "a side of the benchmark took no turn");
}
