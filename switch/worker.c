// SPDX-License-Identifier: BSD-3-Clause
/*
 * worker.c -- a thread that moves packets: whom it visits, and when it sleeps
 *
 * A port is in one of three places: among the active ones, which are polled in turn;
 * among the timers, when it cannot do anything before a known time; or armed, when only
 * its fd in epoll brings it back. What a worker does in a round is proportional to the
 * active ports, however many are attached.
 *
 * How long an active port is polled in vain before it is armed adapts: if the doorbell
 * comes soon after the arming, longer polling would have saved the wake-up, so it doubles;
 * if it comes late, polling was waste, so it halves. A port whose peer sleeps is armed at
 * once: nothing will come from it, and it may be waiting for this processor to wake up on.
 */

#include "base/errtext.h"
#include "switch/plane.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 64,
    LOOK_BUSY_NS = 10000,  /* how often to look for doorbells with traffic */
    LOOK_IDLE_NS = 2000,   /* and while polling in vain */
    SPIN_NS = 3000,        /* a timer so near is polled for */
    WAKE_NS = 300000,      /* how long wake-ups are put off while there is a backlog: */
    WAKE_EACH_NS = 100000, /* longer if there are many, each takes about that much */
    FLUSH_NS = 100000000,  /* how long anything is held back at most */
    RETRY_MIN_NS = 1000,  /* a full receiver is looked at again: at first by polling, */
    RETRY_MAX_NS = 250000 /* then less and less often */
};

uint64_t plane_clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint8_t *worker_scratch(struct worker *w)
{
    return w->scratch;
}

uint64_t worker_now(struct worker *w)
{
    return w->now_ns;
}

/* ---- timers: a binary heap, the earliest first ------------------------------------ */

static void heap_put(struct worker *w, struct port *p, uint32_t at)
{
    w->timers[at] = p;
    p->heap_at = at;
}

static void heap_up(struct worker *w, struct port *p, uint32_t at)
{
    while (at > 0 && w->timers[(at - 1) / 2]->due_ns > p->due_ns) {
        heap_put(w, w->timers[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    heap_put(w, p, at);
}

static void heap_down(struct worker *w, struct port *p, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < w->n_timers &&
            w->timers[child + 1]->due_ns < w->timers[child]->due_ns)
            child++;
        if (child >= w->n_timers || w->timers[child]->due_ns >= p->due_ns)
            break;
        heap_put(w, w->timers[child], at);
        at = child;
    }
    heap_put(w, p, at);
}

static void timer_remove(struct worker *w, struct port *p)
{
    uint32_t at = p->heap_at;
    struct port *last;

    if (at == NOT_IN_HEAP)
        return;
    last = w->timers[--w->n_timers];
    p->heap_at = NOT_IN_HEAP;
    if (last == p)
        return;
    heap_down(w, last, at);
    heap_up(w, last, last->heap_at);
}

/* ---- the three places of a port --------------------------------------------------- */

static void activate(struct worker *w, struct port *p)
{
    timer_remove(w, p);
    if (p->armed) {
        p->armed = false;
        if (p->ops->disarm)
            p->ops->disarm(p);
    }
    p->busy_ns = w->now_ns;
    if (p->active || p->stopped || p->alone || !p->ops->rx)
        return;
    p->active = true;
    w->active[w->n_active++] = p;
}

void worker_wake_port(struct worker *w, struct port *p)
{
    w->now_ns = plane_clock_ns();
    p->due_ns = 0;
    activate(w, p);
}

/* Takes the port at place `i` out of the round. */
static void deactivate(struct worker *w, uint32_t i)
{
    w->active[i]->active = false;
    w->active[i] = w->active[--w->n_active];
}

static void wait_until_due(struct worker *w, uint32_t i)
{
    struct port *p = w->active[i];

    deactivate(w, i);
    w->n_timers++;
    heap_up(w, p, w->n_timers - 1);
}

static void try_arm(struct worker *w, uint32_t i)
{
    struct port *p = w->active[i];

    if (p->ops->arm && !p->ops->arm(p))
        return; /* something came in just now */
    deactivate(w, i);
    p->armed = true;
    p->armed_ns = w->now_ns;
    count_add(&p->count.sleeps, 1);
}

/* The kernel tells us at no cost to whoever sends; a VM pays for its doorbell. */
static uint64_t longest_polling(const struct worker *w, const struct port *p)
{
    const struct backplane_config *c = &w->bp->config;
    uint64_t max = p->ops->arm ? c->poll_max_ns : c->poll_max_ns / 8;

    return max < c->poll_min_ns ? c->poll_min_ns : max;
}

static void adapt_polling(struct worker *w, struct port *p)
{
    const struct backplane_config *c = &w->bp->config;
    uint64_t max = longest_polling(w, p);

    if (w->now_ns - p->armed_ns < max)
        p->poll_ns = p->poll_ns * 2 > max ? max : p->poll_ns * 2;
    else
        p->poll_ns = p->poll_ns / 2 < c->poll_min_ns ? c->poll_min_ns : p->poll_ns / 2;
}

/* ---- a round ---------------------------------------------------------------------- */

/* How many packets may come in now: the limits, and the room of a wire's other end. Sets
 * due_ns when there are none. */
static unsigned allowance(struct worker *w, struct port *p)
{
    unsigned n = w->bp->config.budget;
    uint64_t wait = 0;

    if (bucket_limits(&p->in_packets)) {
        bucket_fill(&p->in_packets, w->now_ns);
        wait = bucket_wait_ns(&p->in_packets);
        if (p->in_packets.tokens < n)
            n = p->in_packets.tokens < 1 ? 1 : (unsigned)p->in_packets.tokens;
    }
    if (bucket_limits(&p->in_bits)) {
        uint64_t more;

        bucket_fill(&p->in_bits, w->now_ns);
        more = bucket_wait_ns(&p->in_bits);
        wait = more > wait ? more : wait;
        /* Not to run into debt by more than one packet when the rate is small. */
        if (p->in_bits.tokens < 12000.0 * n)
            n = p->in_bits.tokens < 12000 ? 1 : (unsigned)(p->in_bits.tokens / 12000);
    }
    if (wait) {
        p->due_ns = w->now_ns + wait;
        return 0;
    }
    if (p->net->config.backpressure && p->net->n_ports == 2) {
        struct port *to = p->net->ports[p->net->ports[0] == p];
        unsigned room = to->ops->tx_room && !to->closed ? to->ops->tx_room(to)
                                                        : FRAME_BATCH;

        if (room == 0) {
            p->due_ns = w->now_ns + p->retry_ns;
            p->retry_ns = p->retry_ns * 2 > RETRY_MAX_NS ? RETRY_MAX_NS
                                                         : p->retry_ns * 2;
        } else {
            p->retry_ns = RETRY_MIN_NS;
        }
        n = room < n ? room : n;
    }
    return n;
}

static unsigned poll_port(struct worker *w, struct port *p)
{
    unsigned n, max = allowance(w, p);
    bool full;

    if (max == 0) {
        count_add(&p->count.waits, 1);
        return 0;
    }
    n = p->ops->rx(p, w, w->frames, max);
    if (n == 0)
        return 0;
    full = n >= w->bp->config.budget;
    w->backlog |= full;
    n = forward_batch(w, p, n);
    w->priority.moved += n;
    if (full && p->ops->kind != PORT_VM)
        w->priority.waiting += n;
    if (p->ops->rx_done)
        p->ops->rx_done(p);
    return n;
}

static bool polled_enough(const struct worker *w, struct port *p)
{
    return w->now_ns - p->busy_ns >= p->poll_ns ||
           (p->ops->peer_sleeps && p->ops->peer_sleeps(p));
}

static unsigned visit_ports(struct worker *w)
{
    unsigned moved = 0;

    for (uint32_t i = 0; i < w->n_active;) {
        struct port *p = w->active[i];
        unsigned n = 0;

        if (p->due_ns <= w->now_ns && !p->alone) {
            p->due_ns = 0;
            n = poll_port(w, p);
        }
        moved += n;
        if (n > 0)
            p->busy_ns = w->now_ns;
        if (p->stopped || p->alone)
            deactivate(w, i);
        else if (p->due_ns > w->now_ns + SPIN_NS)
            wait_until_due(w, i);
        else if (n == 0 && p->due_ns == 0 && polled_enough(w, p))
            try_arm(w, i);
        /* What took this place in its stead waits for the next round; so does nobody
         * twice in a row. */
        i++;
    }
    return moved;
}

static void expire_timers(struct worker *w)
{
    while (w->n_timers > 0 && w->timers[0]->due_ns <= w->now_ns + SPIN_NS) {
        struct port *p = w->timers[0];

        activate(w, p);
    }
}

/* The event says which port rang: by index and id, since it may be gone by now. */
static void port_rang(struct worker *w, uint64_t data)
{
    struct port *p = w->bp->ports[data & 0xffff];

    if (!p || p->id != data >> 32 || p->worker != w)
        return;
    count_add(&p->count.doorbells, 1);
    if (p->armed)
        adapt_polling(w, p);
    if (p->heap_at == NOT_IN_HEAP) /* a doorbell does not lift a rate limit */
        activate(w, p);
}

static int wait_for_events(const struct worker *w, struct epoll_event *events,
                           int64_t timeout_ns)
{
    struct timespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    int n = epoll_pwait2(w->epoll_fd, events, EVENTS_AT_ONCE,
                         timeout_ns < 0 ? NULL : &ts, NULL);

    if (n < 0 && errno == ENOSYS) /* before Linux 5.11: by the millisecond */
        n = epoll_wait(w->epoll_fd, events, EVENTS_AT_ONCE,
                       timeout_ns < 0 ? -1 : (int)((timeout_ns + 999999) / 1000000));
    return n;
}

static void take_events(struct worker *w, const struct epoll_event *events, int n)
{
    w->now_ns = w->events_ns = plane_clock_ns();
    for (int i = 0; i < n; i++)
        if (events[i].data.u64 != 0)
            port_rang(w, events[i].data.u64);
}

static void look_for_doorbells(struct worker *w)
{
    struct epoll_event events[EVENTS_AT_ONCE];

    take_events(w, events, wait_for_events(w, events, 0));
}

static void flush_dirty(struct worker *w)
{
    for (uint32_t i = 0; i < w->n_dirty; i++) {
        struct port *p = w->dirty[i];

        plane_lock_tx(w->bp, p);
        p->dirty = false;
        p->ops->flush(p);
        plane_unlock_tx(w->bp, p);
    }
    w->n_dirty = 0;
    w->flush_ns = w->now_ns;
    capture_flush_all(w->bp, w);
}

void worker_mark_dirty(struct worker *w, struct port *p)
{
    if (p->dirty)
        return;
    p->dirty = true;
    w->dirty[w->n_dirty++] = p;
}

void worker_owe_wake(struct worker *w, struct port *p)
{
    if (p->owed)
        return;
    p->owed = true;
    if (w->n_owing == 0)
        w->next_wake_ns = w->now_ns + WAKE_NS;
    w->owing[w->n_owing++] = p;
}

/* The first `n`, who have waited longest. */
static void wake_peers(struct worker *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct port *p = w->owing[i];

        plane_lock_tx(w->bp, p);
        p->owed = false;
        p->ops->wake(p);
        plane_unlock_tx(w->bp, p);
    }
    w->n_owing -= n;
    memmove(w->owing, w->owing + n, w->n_owing * sizeof *w->owing);
}

/* With a backlog one after the other: those who are woken together crowd our processor as
 * well, and then leave the others without work. */
static void wake_in_turn(struct worker *w)
{
    if (w->n_owing && !w->backlog) {
        wake_peers(w, w->n_owing);
    } else if (w->n_owing && w->now_ns >= w->next_wake_ns) {
        uint64_t each = WAKE_NS / w->n_owing;

        wake_peers(w, 1);
        w->next_wake_ns = w->now_ns + (each > WAKE_EACH_NS ? each : WAKE_EACH_NS);
    }
}

unsigned worker_round(struct worker *w)
{
    unsigned moved;

    w->now_ns = plane_clock_ns();
    w->backlog = false;
    expire_timers(w);
    moved = visit_ports(w);
    wake_in_turn(w);
    priority_judge(w);
    count_add(&w->rounds, 1);
    count_add(&w->packets, moved);
    atomic_store_explicit(&w->n_active_seen, w->n_active, memory_order_relaxed);
    if (w->now_ns - w->flush_ns >= FLUSH_NS)
        flush_dirty(w);
    if (w->now_ns - w->events_ns >= (moved ? LOOK_BUSY_NS : LOOK_IDLE_NS))
        look_for_doorbells(w);
    return moved;
}

/* Stand still while somebody changes things. */
static void park(struct worker *w)
{
    struct backplane *bp = w->bp;

    pthread_mutex_lock(&bp->pause_lock);
    atomic_store(&w->state, WORKER_STANDS);
    pthread_cond_signal(&bp->parked);
    while (atomic_load(&bp->pausing))
        pthread_cond_wait(&bp->resumed, &bp->pause_lock);
    atomic_store(&w->state, WORKER_RUNS);
    pthread_mutex_unlock(&bp->pause_lock);
}

bool worker_wanted(const struct worker *w)
{
    return w->n_active > 0 ||
           (w->n_timers > 0 && w->timers[0]->due_ns < w->sleep_due_ns);
}

/* Nothing is active: sleep until a doorbell, a timer or a call from outside. What rang is
 * looked up only when nobody changes things any more. */
static void sleep_until_needed(struct worker *w)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t timeout = -1;
    int n;

    priority_lower(w);
    wake_peers(w, w->n_owing);
    flush_dirty(w);
    w->sleep_due_ns = UINT64_MAX;
    if (w->n_timers > 0) {
        uint64_t now = plane_clock_ns(), due = w->timers[0]->due_ns;

        timeout = due > now ? (int64_t)(due - now) : 0;
        w->sleep_due_ns = due;
    }
    count_add(&w->sleeps, 1);
    atomic_store(&w->state, WORKER_SLEEPS);
    n = wait_for_events(w, events, timeout);
    atomic_store(&w->state, WORKER_RUNS);
    if (atomic_load(&w->bp->pausing))
        park(w);
    take_events(w, events, n);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct backplane *bp = w->bp;

    /* The usual 50 us would be added to every short sleep. */
    prctl(PR_SET_TIMERSLACK, 1);
    priority_init(w);
    while (!atomic_load(&bp->stopping)) {
        if (atomic_load(&bp->pausing)) {
            park(w);
            continue;
        }
        if (w->n_active == 0)
            sleep_until_needed(w);
        if (!atomic_load(&bp->pausing))
            worker_round(w);
    }
    wake_peers(w, w->n_owing);
    flush_dirty(w);
    return NULL;
}

void worker_kick(struct worker *w)
{
    uint64_t one = 1;

    /* It can only fail when the counter is full: then it is readable anyway. */
    if (write(w->kick_fd, &one, sizeof one) < 0)
        return;
}

int worker_start(struct worker *w, struct diag *d)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc)
        return diag_err(d, "cannot start a switch worker: %s", errtext_fork(rc));
    return 0;
}

/* ---- making, attaching ------------------------------------------------------------ */

struct worker *worker_new(struct backplane *bp, unsigned number, struct diag *d)
{
    struct worker *w = calloc(1, sizeof *w);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = 0};

    if (!w) {
        diag_err(d, "out of memory");
        return NULL;
    }
    w->bp = bp;
    w->number = number;
    w->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->scratch = mmap(NULL, FRAME_SCRATCH, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (w->scratch == MAP_FAILED)
        w->scratch = NULL;
    if (!w->scratch || w->kick_fd < 0 || w->epoll_fd < 0 ||
        epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->kick_fd, &ev) < 0) {
        diag_err(d, "cannot make a switch worker: %s", errtext(errno));
        worker_free(w);
        return NULL;
    }
    return w;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    if (w->kick_fd >= 0)
        close(w->kick_fd);
    if (w->epoll_fd >= 0)
        close(w->epoll_fd);
    if (w->scratch)
        munmap(w->scratch, FRAME_SCRATCH);
    free(w->active);
    free(w->timers);
    free(w->dirty);
    free(w->owing);
    free(w->chains);
    free(w);
}

static int grow_list(struct port ***list, uint32_t n)
{
    struct port **grown = realloc(*list, n * sizeof *grown);

    if (!grown)
        return -1;
    *list = grown;
    return 0;
}

int worker_reserve(struct worker *w, uint32_t n)
{
    struct chain *chains;

    if (grow_list(&w->active, n) < 0 || grow_list(&w->timers, n) < 0 ||
        grow_list(&w->dirty, n) < 0 || grow_list(&w->owing, n) < 0)
        return -1;
    chains = realloc(w->chains, n * sizeof *chains);
    if (!chains)
        return -1;
    w->chains = chains;
    /* Between batches all chains are empty. */
    memset(w->chains, 0xff, n * sizeof *chains);
    return 0;
}

int worker_attach(struct worker *w, struct port *p, struct diag *d)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET,
                             .data.u64 = (uint64_t)p->id << 32 | p->index};

    p->worker = w;
    p->heap_at = NOT_IN_HEAP;
    p->poll_ns = w->bp->config.poll_min_ns;
    p->retry_ns = RETRY_MIN_NS;
    if (p->fd >= 0 && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, p->fd, &ev) < 0)
        return diag_err(d, "port '%s': cannot watch its file descriptor: %s", p->name,
                        errtext(errno));
    w->n_attached++;
    worker_wake_port(w, p);
    return 0;
}

void worker_detach(struct worker *w, struct port *p)
{
    if (p->fd >= 0)
        epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, p->fd, NULL);
    timer_remove(w, p);
    for (uint32_t i = 0; i < w->n_active; i++)
        if (w->active[i] == p)
            deactivate(w, i--);
    /* tx() of a port marks it at the worker of the sender: any of them. */
    for (unsigned k = 0; k < BACKPLANE_MAX_WORKERS && w->bp->workers[k]; k++) {
        struct worker *v = w->bp->workers[k];

        for (uint32_t i = 0; i < v->n_dirty; i++)
            if (v->dirty[i] == p)
                v->dirty[i--] = v->dirty[--v->n_dirty];
        for (uint32_t i = 0; i < v->n_owing; i++)
            if (v->owing[i] == p)
                v->owing[i--] = v->owing[--v->n_owing];
    }
    w->n_attached--;
}
