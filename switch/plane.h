// SPDX-License-Identifier: BSD-3-Clause
/*
 * plane.h -- the inside of the backplane, for the files of this folder only
 *
 *     backplane.c  networks, ports, ids       worker.c   main loop, sleeping, timers
 *     events.c     events and names           forward.c  from a batch to its receivers
 *     priority.c   a worker's share of its processor
 *     capture.c    copies for people          *_port.c   the kinds
 *
 * Threads: `lock` makes calls from outside take turns. A call that changes what workers
 *          read pauses them first: they stand still between two batches, touching
 *          nothing, until plane_resume(); those that sleep are left asleep. So the data
 *          path has no locks, but for tx_lock of a port and the learning table's when
 *          there are several workers.
 */

#ifndef SWITCH_PLANE_H
#define SWITCH_PLANE_H

#include "base/strmap.h"
#include "switch/backplane.h"
#include "switch/mac_table.h"
#include "switch/port.h"

#include <pthread.h>

/* Where the packets of a batch go: a chain of them a receiver. Indices into the batch's
 * list of packets; CHAIN_END ends it. */
enum { CHAIN_END = 0xffff };
struct chain {
    uint16_t head, tail;
};

/* Whoever wants the workers to stand still need not wake one that sleeps: it looks whether
 * it may go on before it touches anything. */
enum worker_state { WORKER_RUNS, WORKER_SLEEPS, WORKER_STANDS };

/* See priority.c. The counts are of the time since it was judged last. */
struct priority {
    bool possible, raised;
    int normal;              /* nice value */
    uint32_t moved, waiting; /* packets that came in; of sources that had more */
    uint32_t full;           /* and those that met a full ring */
    uint64_t judge_ns, try_ns, pause_ns;
};

struct worker {
    struct backplane *bp; /* borrowed */
    unsigned number;
    pthread_t thread;
    int epoll_fd, kick_fd;
    _Atomic enum worker_state state;
    uint64_t sleep_due_ns; /* when a timer ends its sleep; UINT64_MAX: none */

    struct port **active; /* owned, room for all ports; polled in turn */
    uint32_t n_active;
    struct port **timers; /* owned; heap by due_ns */
    uint32_t n_timers;
    struct port **dirty; /* owned; have something to flush */
    uint32_t n_dirty;
    struct port **owing; /* owned; their peers are to be woken, the oldest first */
    uint32_t n_owing;
    uint64_t next_wake_ns; /* when the first of them is, while there is a backlog */
    bool backlog;          /* a port had more than its budget in this round */
    struct priority priority;
    uint64_t now_ns, flush_ns, events_ns;
    uint32_t n_attached; /* ports it polls */
    _Atomic uint64_t rounds, sleeps, packets, n_active_seen;

    /* The batch in hand. */
    struct frame frames[FRAME_BATCH];
    uint16_t list[FRAME_BATCH]; /* first frame of each packet */
    unsigned n_list;
    uint8_t heads[FRAME_BATCH][FRAME_HEAD];
    uint64_t hashes[FRAME_BATCH];
    uint16_t next[FRAME_BATCH];
    uint16_t dests[FRAME_BATCH]; /* indices of ports that have a chain */
    unsigned n_dests;
    uint16_t flood[FRAME_BATCH]; /* places in the list that go to all */
    unsigned n_flood;
    uint16_t out[FRAME_BATCH]; /* a receiver's frames, in order */
    struct chain *chains;      /* owned, room for all ports; empty between batches */

    uint8_t *scratch; /* owned */
};

struct network {
    uint32_t id;
    char name[BACKPLANE_NAME];
    struct network_config config; /* its name is `name` */
    struct port **ports;          /* owned; those that are attached */
    uint32_t n_ports, room;
    uint32_t n_promiscuous;
    bool offload;     /* all of its ports take segments and unfinished checksums */
    struct port *lot; /* borrowed, one of `ports`; NULL: nobody is parked */
    struct mac_table table;
    _Atomic uint32_t sweep_s;   /* when it was swept for room last */
    _Atomic uint32_t forgotten; /* times that addresses were taken from ports */
};

struct capture;

/* Things by id, in the order of their making, which is that of their ids. */
struct id_list {
    struct id_entry {
        uint32_t id;
        void *thing;
    } * entries; /* owned */
    uint32_t n, room;
};

struct backplane {
    struct backplane_config config;
    pthread_mutex_t lock; /* calls from outside */
    uint32_t next_id;
    struct id_list all_ports, all_networks, all_captures;
    struct strmap port_names, network_names; /* keys lie in the things */

    struct port **ports; /* owned, by index; 0 is never used; borrowed ports */
    uint32_t ports_room; /* allocated */
    uint32_t first_free; /* no index below it is free */

    struct worker *workers[BACKPLANE_MAX_WORKERS]; /* owned */
    bool running;
    bool held; /* they stand still until backplane_release() */

    _Atomic bool pausing, stopping;
    pthread_mutex_t pause_lock;
    pthread_cond_t parked, resumed;

    pthread_mutex_t event_lock;
    struct backplane_event *events; /* owned ring */
    unsigned n_events, first_event;
    bool events_lost;
    struct parked *first_wanted, *last_wanted; /* borrowed */
    int event_fd;
};

uint64_t plane_clock_ns(void);

/* With bp->lock held. Nested pauses are a bug. */
void plane_pause(struct backplane *bp);
void plane_resume(struct backplane *bp);

/* tx() and flush() of a port take turns when there are several workers. */
static inline void plane_lock_tx(struct backplane *bp, struct port *p)
{
    if (bp->config.n_workers > 1)
        while (atomic_flag_test_and_set_explicit(&p->tx_lock, memory_order_acquire))
            __builtin_ia32_pause();
}

static inline void plane_unlock_tx(struct backplane *bp, struct port *p)
{
    if (bp->config.n_workers > 1)
        atomic_flag_clear_explicit(&p->tx_lock, memory_order_release);
}

void *id_list_find(const struct id_list *l, uint32_t id);
int id_list_add(struct id_list *l, uint32_t id, void *thing); /* ids ascend */
void id_list_remove(struct id_list *l, uint32_t id);

/* NULL and a message when there is none. */
struct port *plane_port(struct backplane *bp, uint32_t id, struct diag *d);
struct network *plane_network(struct backplane *bp, uint32_t id, struct diag *d);

/* ports.c, backplane.c; with bp->lock held */
void plane_remove_port(struct backplane *bp, struct port *p);
uint32_t plane_free_index(struct backplane *bp); /* 0: none */

/* worker.c */
struct worker *worker_new(struct backplane *bp, unsigned number, struct diag *d);
void worker_free(struct worker *w); /* its thread must have ended */
int worker_start(struct worker *w, struct diag *d);
void worker_kick(struct worker *w);
/* While paused: whether one that sleeps has something to do. */
bool worker_wanted(const struct worker *w);
/* While paused: */
int worker_reserve(struct worker *w, uint32_t n_ports);
int worker_attach(struct worker *w, struct port *p, struct diag *d);
void worker_detach(struct worker *w, struct port *p);
void worker_wake_port(struct worker *w, struct port *p);
/* One turn of the main loop; returns packets moved. For tests without threads. */
unsigned worker_round(struct worker *w);

/* priority.c; by the worker's own thread, after every round and before it sleeps */
void priority_init(struct worker *w);
void priority_judge(struct worker *w);
void priority_lower(struct worker *w);

/* ports.c; with bp->lock held. Add a port to a network that is known to have room; remove
 * one in two steps, of which only the first needs the workers to stand still. */
struct port *plane_add_port(struct backplane *bp, struct network *net,
                            const struct port_config *config, struct diag *d);
bool plane_has_room(const struct network *net, struct diag *d);
void plane_remove_paused(struct backplane *bp, struct port *p);
void plane_forget_port(struct backplane *bp, struct port *p);
void plane_change(struct port *p, const struct port_settings *s); /* while paused */

/* lot.c */
struct port *lot_new(struct diag *d);
const char *lot_first_name(const struct port *lot);
uint32_t lot_size(const struct network *net); /* interfaces parked there */
void plane_match_ends(struct network *net);   /* workers stand still */
bool lot_is_idle(const struct network *net);  /* there is one, and nobody in it */

/* forward.c: w->frames[0..n) came in at `from`. Returns the number of packets. */
unsigned forward_batch(struct worker *w, struct port *from, unsigned n);
void forward_set_limits(struct port *p, uint64_t now_ns);
/* Forget what was learned behind the port, fixed addresses included. */
void forward_forget_port(struct network *net, struct port *p);
/* Take out what is too old. */
void forward_age(struct backplane *bp, struct network *net, uint32_t now_s);

/* spoof.c: copy heads and keep only packets with allowed sources in w->list. */
void spoof_filter(struct worker *w, struct port *from);
/* Of one packet: `head` is its first `len` bytes, 14 to FRAME_HEAD, `total` its length. */
bool spoof_allowed(const struct port_allow *a, const uint8_t *head, uint32_t len,
                   uint32_t total);

/* capture.c */
void capture_frames(struct worker *w, struct port *p, enum capture_direction dir,
                    const uint16_t *list, unsigned n);
void capture_port_gone(struct backplane *bp, struct port *p);
void capture_port_added(struct backplane *bp, struct port *p);
void capture_network_gone(struct backplane *bp, struct network *net);
void capture_flush_all(struct backplane *bp, struct worker *w);
void capture_free_all(struct backplane *bp);

/* events.c */
int events_init(struct backplane *bp, struct diag *d);
void events_fini(struct backplane *bp);
/* Somebody looks; with the event lock held. */
void events_ring(struct backplane *bp);
void event_add(struct backplane *bp, const struct backplane_event *event);

#endif
