// SPDX-License-Identifier: BSD-3-Clause
/*
 * capture.c -- copies of a port's packets for people, as a pcap stream
 *
 * A port that somebody captures has a list of captures, changed while the workers stand
 * still. Several workers may add to one capture, so each has a lock; it is only taken
 * for packets that are captured.
 */

#include "base/errtext.h"
#include "switch/pcap_writer.h"
#include "switch/plane.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct capture {
    uint32_t id, port, network; /* ids; port 0: the whole network */
    enum capture_direction direction;
    uint64_t count; /* packets to take; 0: no end */
    struct pcap_writer writer;
    atomic_flag lock;
    _Atomic uint64_t packets, bytes, missed;
    _Atomic bool done;
};

struct tap_list {
    unsigned n;
    struct capture *captures[]; /* borrowed */
};

static void lock_capture(struct capture *c)
{
    while (atomic_flag_test_and_set_explicit(&c->lock, memory_order_acquire))
        __builtin_ia32_pause();
}

static void unlock_capture(struct capture *c)
{
    atomic_flag_clear_explicit(&c->lock, memory_order_release);
}

static void finish(struct backplane *bp, struct capture *c, const char *why)
{
    struct backplane_event e = {.kind = EVENT_CAPTURE_DONE,
                                .port = c->port,
                                .network = c->network,
                                .capture = c->id};

    if (atomic_exchange(&c->done, true))
        return;
    snprintf(e.text, sizeof e.text, "capture %u: %s", c->id, why);
    event_add(bp, &e);
}

static void flush(struct backplane *bp, struct capture *c)
{
    pcap_writer_flush(&c->writer, NULL, NULL, &c->missed);
    if (c->writer.error)
        finish(bp, c,
               c->writer.error == EPIPE ? "the reader has gone"
                                        : errtext(c->writer.error));
}

static void capture_batch(struct worker *w, struct capture *c, const uint16_t *list,
                          unsigned n, uint64_t now)
{
    for (unsigned i = 0; i < n && !atomic_load_explicit(&c->done, memory_order_relaxed);
         i++) {
        const struct frame *f = &w->frames[list[i]];
        bool taken = pcap_writer_add(&c->writer, f, now);

        if (!taken) {
            flush(w->bp, c);
            taken = pcap_writer_add(&c->writer, f, now);
        }
        count_add(taken ? &c->packets : &c->missed, 1);
        count_add(&c->bytes, taken ? f->total : 0);
        if (c->count && atomic_load(&c->packets) >= c->count) {
            flush(w->bp, c);
            finish(w->bp, c, "all packets captured");
        }
    }
}

void capture_frames(struct worker *w, struct port *p, enum capture_direction dir,
                    const uint16_t *list, unsigned n)
{
    struct timespec ts;
    uint64_t now;

    clock_gettime(CLOCK_REALTIME, &ts);
    now = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    for (unsigned i = 0; i < p->taps->n; i++) {
        struct capture *c = p->taps->captures[i];

        if (!(c->direction & dir) || atomic_load(&c->done))
            continue;
        lock_capture(c);
        capture_batch(w, c, list, n, now);
        unlock_capture(c);
    }
}

void capture_flush_all(struct backplane *bp, struct worker *w)
{
    (void)w;
    for (uint32_t i = 0; i < bp->all_captures.n; i++) {
        struct capture *c = bp->all_captures.entries[i].thing;

        lock_capture(c);
        flush(bp, c);
        unlock_capture(c);
    }
}

/* ---- which ports are captured; workers stand still -------------------------------- */

static int tap_add(struct port *p, struct capture *c)
{
    unsigned n = p->taps ? p->taps->n : 0;
    struct tap_list *l = realloc(p->taps, sizeof *l + (n + 1) * sizeof l->captures[0]);

    if (!l)
        return -1;
    l->n = n + 1;
    l->captures[n] = c;
    p->taps = l;
    return 0;
}

static void tap_remove(struct port *p, struct capture *c)
{
    struct tap_list *l = p->taps;

    for (unsigned i = 0; l && i < l->n; i++)
        if (l->captures[i] == c)
            l->captures[i--] = l->captures[--l->n];
    if (l && l->n == 0) {
        free(l);
        p->taps = NULL;
    }
}

static bool covers(const struct capture *c, const struct port *p)
{
    return c->port ? c->port == p->id : c->network == p->net->id;
}

/* Adds the capture to the ports it is for; all or none. */
static int attach(struct backplane *bp, struct capture *c)
{
    for (uint32_t i = 0; i < bp->all_ports.n; i++) {
        struct port *p = bp->all_ports.entries[i].thing;

        if (!covers(c, p) || tap_add(p, c) == 0)
            continue;
        while (i-- > 0)
            tap_remove(bp->all_ports.entries[i].thing, c);
        return -1;
    }
    return 0;
}

void capture_port_added(struct backplane *bp, struct port *p)
{
    for (uint32_t i = 0; i < bp->all_captures.n; i++) {
        struct capture *c = bp->all_captures.entries[i].thing;

        /* Without memory the new port is not captured: not worth failing for. */
        if (covers(c, p) && tap_add(p, c) < 0)
            continue;
    }
}

void capture_port_gone(struct backplane *bp, struct port *p)
{
    for (uint32_t i = 0; i < bp->all_captures.n; i++) {
        struct capture *c = bp->all_captures.entries[i].thing;

        if (c->port == p->id)
            finish(bp, c, "the port was removed");
    }
    free(p->taps);
    p->taps = NULL;
}

void capture_network_gone(struct backplane *bp, struct network *net)
{
    for (uint32_t i = 0; i < bp->all_captures.n; i++) {
        struct capture *c = bp->all_captures.entries[i].thing;

        if (!c->port && c->network == net->id)
            finish(bp, c, "the network was removed");
    }
}

/* ---- from outside ----------------------------------------------------------------- */

/* A reader must not be able to stop a worker. Files are always ready. */
static int make_nonblocking(int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fstat(fd, &st) < 0)
        return -1;
    if (S_ISREG(st.st_mode) || (flags & O_NONBLOCK))
        return 0;
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static struct capture *capture_new(const struct capture_config *config, struct diag *d)
{
    struct capture *c = calloc(1, sizeof *c);
    int fd;

    if (!c) {
        diag_err(d, "out of memory");
        return NULL;
    }
    fd = fcntl(config->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || make_nonblocking(fd) < 0) {
        diag_err(d, "cannot capture into file descriptor %d: %s", config->fd,
                 errtext(errno));
        if (fd >= 0)
            close(fd);
        free(c);
        return NULL;
    }
    if (pcap_writer_init(&c->writer, fd, config->snaplen, d) < 0) {
        free(c);
        return NULL;
    }
    c->port = config->port;
    c->network = config->network;
    c->count = config->count;
    c->direction = config->direction ? config->direction : CAPTURE_BOTH;
    if (!c->port)
        c->direction = CAPTURE_IN; /* or each packet would be there twice */
    return c;
}

/* Where a reader may have gone: a signal for it is ours to swallow, in this thread. */
static void capture_free(struct backplane *bp, struct capture *c)
{
    sigset_t pipe, old;
    struct timespec now = {0};

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    atomic_store(&c->done, true);
    flush(bp, c);
    if (!sigismember(&old, SIGPIPE))
        while (sigtimedwait(&pipe, NULL, &now) > 0)
            continue;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pcap_writer_fini(&c->writer);
    free(c);
}

void capture_free_all(struct backplane *bp)
{
    for (uint32_t i = 0; i < bp->all_captures.n; i++)
        capture_free(bp, bp->all_captures.entries[i].thing);
    free(bp->all_captures.entries);
}

static int start(struct backplane *bp, const struct capture_config *config,
                 uint32_t *capture, struct diag *d)
{
    struct capture *c;
    int rc = 0;

    if (config->port ? !plane_port(bp, config->port, d)
                     : !plane_network(bp, config->network, d))
        return -1;
    c = capture_new(config, d);
    if (!c)
        return -1;
    c->id = bp->next_id++;
    plane_pause(bp);
    if (id_list_add(&bp->all_captures, c->id, c) < 0) {
        rc = -1;
    } else if (attach(bp, c) < 0) {
        id_list_remove(&bp->all_captures, c->id);
        rc = -1;
    }
    plane_resume(bp);
    if (rc < 0) {
        pcap_writer_fini(&c->writer);
        free(c);
        return diag_err(d, "out of memory");
    }
    *capture = c->id;
    return 0;
}

int backplane_start_capture(struct backplane *bp, const struct capture_config *config,
                            uint32_t *capture, struct diag *d)
{
    int rc;

    pthread_mutex_lock(&bp->lock);
    rc = start(bp, config, capture, d);
    pthread_mutex_unlock(&bp->lock);
    return rc;
}

bool backplane_capture_stats(struct backplane *bp, uint32_t capture,
                             struct capture_stats *stats)
{
    struct capture *c;

    pthread_mutex_lock(&bp->lock);
    c = id_list_find(&bp->all_captures, capture);
    if (c)
        *stats = (struct capture_stats){.packets = atomic_load(&c->packets),
                                        .bytes = atomic_load(&c->bytes),
                                        .missed = atomic_load(&c->missed),
                                        .done = atomic_load(&c->done)};
    pthread_mutex_unlock(&bp->lock);
    return c != NULL;
}

int backplane_stop_capture(struct backplane *bp, uint32_t capture, struct diag *d)
{
    struct capture *c;

    pthread_mutex_lock(&bp->lock);
    c = id_list_find(&bp->all_captures, capture);
    if (c) {
        plane_pause(bp);
        for (uint32_t i = 0; i < bp->all_ports.n; i++)
            tap_remove(bp->all_ports.entries[i].thing, c);
        id_list_remove(&bp->all_captures, capture);
        plane_resume(bp);
        capture_free(bp, c);
    }
    pthread_mutex_unlock(&bp->lock);
    return c ? 0 : diag_err(d, "there is no capture %u", capture);
}
