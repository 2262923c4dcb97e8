// SPDX-License-Identifier: BSD-3-Clause
/* host.c -- the world around the engine when it is an ordinary program: see host.h */

#include "driver/host.h"

#include "base/sbuf.h"
#include "driver/click_path.h"
#include "engine/host.h"
#include "engine/os/filename.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    TASKS_A_ROUND = 128,
    IDLE_ROUNDS = 8,    /* rounds without work before the program sleeps */
    POLL_NS = 1000000,  /* how long, while a task still asks for work */
    BUSY_ROUNDS = 1000, /* with work, until simulated time goes on all the same ... */
    BUSY_NS = 10000,    /* ... by this in each */
};

/* --- clock and console ---------------------------------------------------------------- */

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t host_now(void *ctx)
{
    const struct host *h = ctx;

    return h->simtime ? h->virtual_ns : clock_ns(CLOCK_MONOTONIC);
}

static int64_t host_wall_offset(void *ctx)
{
    const struct host *h = ctx;

    if (h->simtime)
        return 0;
    return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

/* Click's chatter goes to the standard error. */
static void host_console(void *ctx, const char *text, size_t len)
{
    struct host *h = ctx;

    fwrite(text, 1, len, stderr);
    for (unsigned i = 0; i < h->n_tees; i++)
        h->tees[i].hear(h->tees[i].arg, text, len);
}

static int host_tee(void *ctx, void (*hear)(void *arg, const char *text, size_t len),
                    void *arg)
{
    struct host *h = ctx;
    struct host_tee *tees = realloc(h->tees, (h->n_tees + 1) * sizeof *tees);

    if (!tees)
        return -1;
    h->tees = tees;
    tees[h->n_tees++] = (struct host_tee){hear, arg};
    return 0;
}

static void host_untee(void *ctx, const void *arg)
{
    struct host *h = ctx;
    unsigned kept = 0;

    for (unsigned i = 0; i < h->n_tees; i++)
        if (h->tees[i].arg != arg)
            h->tees[kept++] = h->tees[i];
    h->n_tees = kept;
}

static void host_output(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

static const char *host_write_file(void *ctx, const char *name, bool append,
                                   const char *text, size_t len)
{
    FILE *f = fopen(name, append ? "ab" : "wb");
    bool good;

    (void)ctx;
    if (!f)
        return strerror(errno);
    good = fwrite(text, 1, len, f) == len;
    return fclose(f) == 0 && good ? NULL : strerror(errno);
}

static struct host_file *host_create_file(void *ctx, const char *name, const char **why)
{
    FILE *f = fopen(name, "wb");

    (void)ctx;
    if (!f)
        *why = strerror(errno);
    return (struct host_file *)f;
}

static void host_append_file(void *ctx, struct host_file *f, const char *text,
                             size_t len)
{
    (void)ctx;
    fwrite(text, 1, len, (FILE *)f); /* host_close_file() looks whether it failed */
}

static const char *host_close_file(void *ctx, struct host_file *f)
{
    bool bad = ferror((FILE *)f);

    (void)ctx;
    return fclose((FILE *)f) != 0 || bad ? strerror(errno) : NULL;
}

static const char *host_home(void *ctx, const char *user)
{
    (void)ctx;
    return filename_home(user);
}

static const char *host_read_path(void *ctx, const char *name, char **text, size_t *len)
{
    (void)ctx;
    errno = 0;
    if (host_read_file(name, text, len, NULL) == 0)
        return NULL;
    return strerror(errno ? errno : ENOMEM);
}

static const char *host_kill(void *ctx, long pid, int signo)
{
    (void)ctx;
    return kill((pid_t)pid, signo) == 0 ? NULL : strerror(errno);
}

static long host_pid(void *ctx)
{
    (void)ctx;
    return getpid();
}

static int host_watch_signal(void *ctx, int signo, void (*fire)(void *arg), void *arg)
{
    struct host *h = ctx;

    return signals_watch(&h->signals, signo, fire, arg);
}

static void host_unwatch_signals(void *ctx, const void *arg)
{
    struct host *h = ctx;

    signals_unwatch(&h->signals, arg);
}

static void host_stop(void *ctx)
{
    struct host *h = ctx;

    h->stop = true;
}

/* --- files ------------------------------------------------------------------------------ */

static int read_all(FILE *f, char **text, size_t *len)
{
    struct sbuf s = SBUF_INIT;
    char piece[16384];
    size_t n;

    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        sbuf_add(&s, piece, n);
    if (ferror(f) || s.failed) {
        sbuf_fini(&s);
        return -1;
    }
    *len = s.len;
    *text = sbuf_take(&s);
    return *text ? 0 : -1;
}

int host_read_file(const char *name, char **text, size_t *len, struct diag *d)
{
    FILE *f = strcmp(name, "-") ? fopen(name, "rb") : stdin;
    int rc;

    if (!f)
        return diag_err(d, "%s: %s", name, strerror(errno));
    rc = read_all(f, text, len);
    if (rc < 0)
        diag_err(d, "%s: %s", name, strerror(errno ? errno : ENOMEM));
    if (f != stdin)
        fclose(f);
    return rc;
}

static int host_find_library(void *ctx, const char *name, const char *from, char **path,
                             char **text, size_t *len)
{
    const struct host *h = ctx;
    char *found = click_path_find(h->click_path, name, from);

    if (!found || host_read_file(found, text, len, NULL) < 0) {
        free(found);
        return -1;
    }
    *path = found;
    return 0;
}

/* --- descriptors -------------------------------------------------------------------------- */

static int find_watch(const struct host *h, int fd)
{
    for (unsigned i = 0; i < h->n_fds; i++)
        if (h->fds[i].fd == fd)
            return (int)i;
    return -1;
}

static int watches_grow(struct host *h)
{
    unsigned room = h->room ? 2 * h->room : 16;
    struct pollfd *fds = realloc(h->fds, room * sizeof *fds);
    struct host_watch *watches;

    if (!fds)
        return -1;
    h->fds = fds;
    watches = realloc(h->watches, room * sizeof *watches);
    if (!watches)
        return -1;
    h->watches = watches;
    h->room = room;
    return 0;
}

static int host_watch(void *ctx, int fd, short events,
                      void (*ready)(void *arg, int fd, short revents), void *arg)
{
    struct host *h = ctx;
    int i = find_watch(h, fd);

    if (i < 0) {
        if (h->n_fds == h->room && watches_grow(h) < 0)
            return -1;
        i = (int)h->n_fds++;
    }
    h->fds[i] = (struct pollfd){.fd = fd, .events = events};
    h->watches[i] = (struct host_watch){ready, arg};
    return 0;
}

static void host_unwatch(void *ctx, int fd)
{
    struct host *h = ctx;
    int i = find_watch(h, fd);

    if (i < 0)
        return;
    h->n_fds--;
    h->fds[i] = h->fds[h->n_fds];
    h->watches[i] = h->watches[h->n_fds];
}

static int host_hot_install(void *ctx, const char *text, unsigned long len,
                            char **errors)
{
    struct host *h = ctx;
    struct diag d = DIAG_INIT;
    int rc = host_install(h, text, len, "config", &d);

    if (rc < 0)
        *errors = strdup(diag_text(&d));
    diag_fini(&d);
    return rc;
}

static struct element *host_replaced(void *ctx, const struct element *e)
{
    const struct host *h = ctx;
    struct element *old = NULL;

    if (h->router && h->router != e->router)
        old = router_find(h->router, e->name);
    return old && old->cls == e->cls ? old : NULL;
}

static const struct host_ops ops = {
    .watch = host_watch,
    .unwatch = host_unwatch,
    .install = host_hot_install,
    .listen = host_listen,
    .replaced = host_replaced,
    .create_file = host_create_file,
    .append_file = host_append_file,
    .close_file = host_close_file,
    .home = host_home,
    .tee = host_tee,
    .untee = host_untee,
    .find_name = host_find_name,
    .read_file = host_read_path,
    .kill = host_kill,
    .pid = host_pid,
    .watch_signal = host_watch_signal,
    .unwatch_signals = host_unwatch_signals,
};

/* --- life ----------------------------------------------------------------------------------- */

/* It is as good without them: what fails here is no matter. */
static void large_pages(void *ctx, void *at, size_t n)
{
    madvise(at, n, MADV_HUGEPAGE);
}

static struct netdev *open_device(void *ctx, const char *name, struct diag *d)
{
    return netdev_open(ctx, name, d);
}

static void close_device(void *ctx, struct netdev *dev)
{
    netdev_close(ctx, dev);
}

int host_init(struct host *h, bool simtime, double start_s, struct diag *d)
{
    *h = (struct host){.simtime = simtime, .virtual_ns = (int64_t)(start_s * 1e9)};
    h->platform = (struct platform){
        .ctx = h,
        .now = host_now,
        .wall_offset = host_wall_offset,
        .console = host_console,
        .output = host_output,
        .write_file = host_write_file,
        .find_library = host_find_library,
        .large_pages = large_pages,
        .stop = host_stop,
        .open_netdev = open_device,
        .close_netdev = close_device,
        .host = &ops,
        .pool = pkt_pool_new(0),
        .has_os = true,
        .simtime = simtime,
        .program = "click",
        .seed = simtime ? 0
                        : (uint64_t)clock_ns(CLOCK_REALTIME) ^ (uint64_t)getpid() << 32,
    };
    if (!h->platform.pool)
        return diag_err(d, "out of memory");
    pkt_pool_set_wide(h->platform.pool, __builtin_cpu_supports("avx2"));
    return 0;
}

size_t host_fini(struct host *h)
{
    router_free(h->router);
    router_free(h->next);
    free(h->fds);
    free(h->watches);
    free(h->tees);
    host_forget_names(h);
    signals_fini(&h->signals);
    return pkt_pool_free(h->platform.pool);
}

int host_install(struct host *h, const char *text, size_t len, const char *file,
                 struct diag *d)
{
    struct router_options options = h->options;
    struct router *r;

    /* The sockets of the old one are still open: take them over, do not open them. */
    if (h->router)
        options.extra = h->extra_hot;
    r = router_new(&h->platform, text, len, file, &options, d);
    if (!r)
        return -1;
    if (!h->router) {
        h->router = r;
        router_activate(r, NULL);
        return 0;
    }
    router_free(h->next);
    h->next = r;
    return 0;
}

static void take_over(struct host *h)
{
    struct router *old = h->router;

    h->router = h->next;
    h->next = NULL;
    router_activate(h->router, old);
    router_free(old);
}

/* --- the loop ------------------------------------------------------------------------------- */

static void descriptors_ready(struct host *h)
{
    /* A callback may add or remove watches: look each one up again. */
    for (unsigned i = 0; i < h->n_fds; i++)
        if (h->fds[i].revents) {
            short revents = h->fds[i].revents;

            h->fds[i].revents = 0;
            h->watches[i].ready(h->watches[i].arg, h->fds[i].fd, revents);
        }
}

enum waiting { HURRY, POLL, SLEEP };

/* Wait for descriptors and signals: not at all (HURRY), for a moment because a task asks
 * again and again without finding work (POLL), or until `next_ns` (SLEEP). */
static void wait_for_something(struct host *h, enum waiting how, int64_t next_ns)
{
    struct timespec timeout = {0}, *limit = &timeout;
    int64_t delay = 0;
    sigset_t none;

    if (how != HURRY)
        delay = next_ns == INT64_MAX ? INT64_MAX : next_ns - host_now(h);
    if (how == POLL && delay > POLL_NS)
        delay = POLL_NS;
    if (delay == INT64_MAX)
        limit = NULL;
    else if (delay > 0)
        timeout = (struct timespec){delay / 1000000000, delay % 1000000000};
    sigemptyset(&none);
    if (ppoll(h->fds, h->n_fds, limit, how == HURRY ? NULL : &none) > 0)
        descriptors_ready(h);
}

/* Under --simtime nothing waits: the clock jumps to the next timer. Returns false when
 * nothing can ever happen again. */
static bool jump(struct host *h, enum waiting how, int64_t next_ns)
{
    if (h->n_fds)
        wait_for_something(h, next_ns == INT64_MAX ? how : HURRY, next_ns);
    if (how == HURRY)
        return true;
    if (next_ns == INT64_MAX)
        return h->n_fds > 0;
    if (next_ns > h->virtual_ns)
        h->virtual_ns = next_ns;
    return true;
}

/* INT and TERM stop, HUP and USR1 are for whoever wants them. */
static void signals_act(struct host *h)
{
    uint32_t came = signals_deliver(&h->signals);

    if (came & (1u << SIGINT | 1u << SIGTERM))
        h->stop = true;
    if (came && h->signalled)
        h->signalled(h, came);
}

void host_run(struct host *h)
{
    unsigned lazy = 0, round = 0, busy = 0;
    bool alive = true;
    sigset_t before;

    signals_block(&before);
    while (alive && !h->stop && !router_stopped(h->router)) {
        int64_t next_ns;
        bool worked = router_run(h->router, TASKS_A_ROUND, &next_ns);
        enum waiting how = SLEEP;

        if (h->stop)
            break;
        if (h->next) {
            take_over(h);
            continue;
        }
        if (h->stop || router_stopped(h->router))
            break; /* it may have been the only thing to do: do not wait for another */
        lazy = worked ? 0 : lazy + 1;
        busy = worked ? busy + 1 : 0;
        /* A source without a limit must not keep a script waiting for ever. */
        if (h->simtime && busy > BUSY_ROUNDS)
            h->virtual_ns += BUSY_NS;
        if (lazy < IDLE_ROUNDS && (worked || !router_idle(h->router)))
            how = HURRY;
        else if (!router_idle(h->router))
            how = POLL;
        /* With work at hand the rest of the world is looked at now and then. */
        if (how == HURRY && ++round % 64)
            continue;
        if (how == HURRY)
            signals_let_in(&before);
        if (h->simtime)
            alive = jump(h, how, next_ns);
        else
            wait_for_something(h, how, next_ns);
        signals_act(h);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}
