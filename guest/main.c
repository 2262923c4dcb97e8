// SPDX-License-Identifier: BSD-3-Clause
/*
 * The guest's main loop: carry out requests, run the configurations, and when nothing has
 * moved for a while, sleep until a packet, a request or a timer comes.
 *
 * Leaving the guest costs far more than looking at a ring, so under load it looks for up
 * to boot_info.poll_ns before it sleeps. Packets now and then do not make it poll: that
 * would save nobody's time and keep a processor from those who wait for one. The order of
 * things before sleeping is abi/netmem.h's: say so, look once more, and only then sleep.
 *
 * A turn of all configurations costs some 300 ns beside what their tasks do: it looks at the
 * clock, for requests and for packets that were sent. So it has many tasks where they are
 * short and there is work, and fewer where requests and timers would wait for long.
 */

#include "guest/machine.h"

#include <string.h>

enum { NEAR_NS = 20000, POLL_MIN_NS = 2000, POLL_SHORT = 4 };

/* Tasks a turn, and how long it may take with more than the fewest. */
enum { TASKS_FEW = 32, TASKS_MOST = 128, TURN_NS = 50000 };

void guest_main(void);

static int64_t now(void *ctx)
{
    struct machine *m = ctx;

    m->now_ns = guest_now();
    return (int64_t)m->now_ns;
}

static int64_t wall_offset(void *ctx)
{
    return GUEST_BOOT->wall_offset_ns;
}

static void console(void *ctx, const char *text, size_t len)
{
    console_write(text, len);
}

static void init(struct machine *m)
{
    struct pkt_pool *pool;

    if (GUEST_BOOT->magic != BOOT_MAGIC || GUEST_BOOT->abi != BOOT_ABI)
        guest_panic("the monitor is of another version than this image");
    pool = pkt_pool_new(0);
    if (!pool)
        guest_panic("out of memory");
    pkt_pool_set_wide(pool, GUEST_BOOT->cpu & BOOT_AVX2);
    m->poll_ns = POLL_MIN_NS;
    m->tasks = TASKS_FEW;
    m->n_ifs = netfront_init(m->netfronts, m->netdevs, pool);
    m->platform = (struct platform){.ctx = m,
                                    .now = now,
                                    .wall_offset = wall_offset,
                                    .console = console,
                                    .pool = pool,
                                    .netdevs = m->netdevs,
                                    .n_netdevs = m->n_ifs,
                                    .seed = GUEST_BOOT->seed[0],
                                    .program = GUEST_BOOT->vm_name};
}

/* One turn for each configuration. Returns whether any of them did something; `*next` is
 * when the first timer is due. */
static bool run(struct machine *m, int64_t *next)
{
    bool busy = false;

    *next = INT64_MAX;
    for (unsigned i = 0; i < m->n_configs && !m->quiet; i++) {
        struct router *r = m->configs[i].router;
        int64_t due;

        if (!r || router_stopped(r))
            continue;
        busy |= router_run(r, m->tasks, &due);
        *next = due < *next ? due : *next;
    }
    for (unsigned i = 0; i < m->n_ifs; i++)
        netfront_reclaim(&m->netfronts[i]);
    return busy;
}

/* How many tasks the next turn has; the last took from one look at the clock to the other.
 * One in vain is to tell us soon that there is nothing to do. */
static void adapt_tasks(struct machine *m, bool busy)
{
    uint64_t took = m->now_ns - m->turn_ns;

    m->turn_ns = m->now_ns;
    if (!busy)
        m->tasks = TASKS_FEW;
    else if (took > TURN_NS && m->tasks > TASKS_FEW)
        m->tasks /= 2;
    else if (took < TURN_NS / 2 && m->tasks < TASKS_MOST)
        m->tasks *= 2;
}

/* Packets for an interface that no element reads do not keep us awake. */
static bool anything_to_do(struct machine *m)
{
    if (machine_asked(m))
        return true;
    for (unsigned i = 0; i < m->n_ifs && !m->quiet; i++) {
        struct netfront *nf = &m->netfronts[i];

        if ((nf->polled && netfront_waiting(nf)) || netfront_has_room(nf))
            return true;
    }
    return false;
}

/* A short sleep was one that polling would have saved; it took part of that time to fall
 * asleep and to wake up. After a long one we start anew. */
static void adapt_polling(struct machine *m, uint64_t slept_ns)
{
    uint64_t most = GUEST_BOOT->poll_ns;

    if (slept_ns > POLL_SHORT * most)
        m->poll_ns = POLL_MIN_NS;
    else
        m->poll_ns *= 2;
    if (m->poll_ns > most)
        m->poll_ns = most;
}

static void sleep_until(struct machine *m, int64_t next)
{
    struct netmem_head *h = GUEST_NET;

    if (m->n_ifs) {
        atomic_fetch_add(&h->guest_sleep, 1);
        atomic_thread_fence(memory_order_seq_cst);
    }
    if (!anything_to_do(m)) {
        uint64_t start = guest_now();

        m->sleeps++;
        guest_wait(next == INT64_MAX ? UINT64_MAX : (uint64_t)next);
        adapt_polling(m, guest_now() - start);
    }
    for (unsigned i = 0; i < m->n_ifs; i++)
        m->netfronts[i].polled = false;
    if (m->n_ifs)
        atomic_fetch_add(&h->guest_sleep, 1);
}

void guest_main(void)
{
    static struct machine machine;
    struct machine *m = &machine;
    uint64_t last = 0;

    init(m);
    guest_ready();
    for (;;) {
        int64_t next;
        bool busy = machine_serve(m);

        busy |= run(m, &next);
        adapt_tasks(m, busy);
        m->next = next;
        console_flush();
        m->rounds++;
        if (busy) {
            last = 0;
            continue;
        }
        if (!last)
            last = guest_now();
        /* With nothing installed there is nothing to look out for. */
        if ((m->n_configs && guest_now() - last < m->poll_ns) ||
            next < (int64_t)guest_now() + NEAR_NS)
            continue;
        sleep_until(m, next);
        last = 0;
    }
}
