// SPDX-License-Identifier: BSD-3-Clause
/* signals.c -- signals that the program takes notice of: see signals.h */

#include "driver/signals.h"

#include <stdlib.h>

enum { MAX_SIGNO = 32 };

static volatile sig_atomic_t noted[MAX_SIGNO];
static volatile sig_atomic_t any_noted;

/* All that a script may ask for and that stops or reconfigures us. */
static const int blocked[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGALRM, SIGTERM,
                              SIGUSR1, SIGUSR2, SIGIO,   SIGTSTP};

static void note(int signo)
{
    noted[signo] = 1;
    any_noted = 1;
}

void signals_fini(struct signals *s)
{
    free(s->watches);
    *s = (struct signals){0};
}

void signals_catch(int signo, bool once)
{
    struct sigaction sa = {.sa_handler = note,
                           .sa_flags = once ? (int)SA_RESETHAND : 0};

    sigemptyset(&sa.sa_mask);
    sigaction(signo, &sa, NULL);
}

int signals_watch(struct signals *s, int signo, void (*fire)(void *arg), void *arg)
{
    if (signo <= 0 || signo >= MAX_SIGNO)
        return -1;
    for (unsigned i = 0; i < s->n; i++)
        if (s->watches[i].signo == signo && s->watches[i].arg == arg)
            return 0;
    if (s->n == s->room) {
        unsigned room = s->room ? 2 * s->room : 4;
        struct signal_watch *w = realloc(s->watches, room * sizeof *w);

        if (!w)
            return -1;
        s->watches = w;
        s->room = room;
    }
    s->watches[s->n++] = (struct signal_watch){signo, fire, arg};
    signals_catch(signo, false);
    return 0;
}

void signals_unwatch(struct signals *s, const void *arg)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < s->n; i++)
        if (s->watches[i].arg != arg)
            s->watches[kept++] = s->watches[i];
    s->n = kept;
}

/* Take the first watch of a signal out; false: there is none. */
static bool take_watch(struct signals *s, int signo, struct signal_watch *out)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->watches[i].signo == signo) {
            *out = s->watches[i];
            for (; i + 1 < s->n; i++)
                s->watches[i] = s->watches[i + 1];
            s->n--;
            return true;
        }
    return false;
}

/* Those who watch again while they are called wait for the next signal. */
static bool deliver_one(struct signals *s, int signo)
{
    struct signal_watch w;
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++)
        n += s->watches[i].signo == signo;
    for (unsigned i = 0; i < n && take_watch(s, signo, &w); i++)
        w.fire(w.arg);
    return n > 0;
}

uint32_t signals_deliver(struct signals *s)
{
    uint32_t unwatched = 0;

    if (!any_noted)
        return 0;
    any_noted = 0;
    for (int signo = 1; signo < MAX_SIGNO; signo++) {
        if (!noted[signo])
            continue;
        noted[signo] = 0;
        if (!deliver_one(s, signo))
            unwatched |= 1u << signo;
    }
    return unwatched;
}

bool signals_noted(void)
{
    return any_noted;
}

void signals_block(sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof blocked / sizeof *blocked; i++)
        sigaddset(&set, blocked[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

void signals_let_in(const sigset_t *before)
{
    sigset_t pending, mine;

    sigpending(&pending);
    if (sigisemptyset(&pending))
        return;
    sigprocmask(SIG_SETMASK, before, &mine);
    sigprocmask(SIG_SETMASK, &mine, NULL);
}
