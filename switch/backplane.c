// SPDX-License-Identifier: BSD-3-Clause
/* backplane.c -- the switch as a whole, and its networks: see backplane.h, plane.h */

#include "switch/plane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { FIRST_ROOM = 64, MAX_ADDRESSES = 1 << 24 };

/* ---- things by id ----------------------------------------------------------------- */

static uint32_t place_of(const struct id_list *l, uint32_t id)
{
    uint32_t low = 0, high = l->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (l->entries[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void *id_list_find(const struct id_list *l, uint32_t id)
{
    uint32_t at = place_of(l, id);

    return at < l->n && l->entries[at].id == id ? l->entries[at].thing : NULL;
}

int id_list_add(struct id_list *l, uint32_t id, void *thing)
{
    if (l->n == l->room) {
        uint32_t room = l->room ? l->room * 2 : FIRST_ROOM;
        struct id_entry *grown = realloc(l->entries, room * sizeof *grown);

        if (!grown)
            return -1;
        l->entries = grown;
        l->room = room;
    }
    l->entries[l->n++] = (struct id_entry){id, thing};
    return 0;
}

void id_list_remove(struct id_list *l, uint32_t id)
{
    uint32_t at = place_of(l, id);

    if (at == l->n || l->entries[at].id != id)
        return;
    l->n--;
    memmove(&l->entries[at], &l->entries[at + 1], (l->n - at) * sizeof l->entries[0]);
}

static size_t id_list_copy(const struct id_list *l, uint32_t *ids, size_t room)
{
    for (uint32_t i = 0; i < l->n && i < room; i++)
        ids[i] = l->entries[i].id;
    return l->n;
}

struct port *plane_port(struct backplane *bp, uint32_t id, struct diag *d)
{
    struct port *p = id_list_find(&bp->all_ports, id);

    if (!p)
        diag_err(d, "there is no port %u", id);
    return p;
}

struct network *plane_network(struct backplane *bp, uint32_t id, struct diag *d)
{
    struct network *n = id_list_find(&bp->all_networks, id);

    if (!n)
        diag_err(d, "there is no network %u", id);
    return n;
}

/* ---- standing still --------------------------------------------------------------- */

static bool somebody_runs(struct backplane *bp)
{
    for (unsigned i = 0; i < bp->config.n_workers; i++)
        if (atomic_load(&bp->workers[i]->state) == WORKER_RUNS)
            return true;
    return false;
}

void plane_pause(struct backplane *bp)
{
    if (!bp->running || bp->held)
        return;
    pthread_mutex_lock(&bp->pause_lock);
    atomic_store(&bp->pausing, true);
    for (unsigned i = 0; i < bp->config.n_workers; i++)
        if (atomic_load(&bp->workers[i]->state) == WORKER_RUNS)
            worker_kick(bp->workers[i]); /* it may be about to sleep */
    while (somebody_runs(bp))
        pthread_cond_wait(&bp->parked, &bp->pause_lock);
    pthread_mutex_unlock(&bp->pause_lock);
}

void plane_resume(struct backplane *bp)
{
    bool wanted[BACKPLANE_MAX_WORKERS] = {false};

    if (!bp->running || bp->held)
        return;
    for (unsigned i = 0; i < bp->config.n_workers; i++)
        wanted[i] = worker_wanted(bp->workers[i]);
    pthread_mutex_lock(&bp->pause_lock);
    atomic_store(&bp->pausing, false);
    pthread_cond_broadcast(&bp->resumed);
    pthread_mutex_unlock(&bp->pause_lock);
    for (unsigned i = 0; i < bp->config.n_workers; i++)
        if (wanted[i] && atomic_load(&bp->workers[i]->state) == WORKER_SLEEPS)
            worker_kick(bp->workers[i]);
}

void backplane_hold(struct backplane *bp)
{
    pthread_mutex_lock(&bp->lock);
    plane_pause(bp);
    bp->held = true;
    pthread_mutex_unlock(&bp->lock);
}

void backplane_release(struct backplane *bp)
{
    pthread_mutex_lock(&bp->lock);
    bp->held = false;
    plane_resume(bp);
    pthread_mutex_unlock(&bp->lock);
}

/* ---- the whole -------------------------------------------------------------------- */

static void set_defaults(struct backplane_config *c)
{
    c->n_workers = c->n_workers ? c->n_workers : 1;
    c->budget = c->budget ? c->budget : 64;
    c->poll_min_ns = c->poll_min_ns ? c->poll_min_ns : 5000;
    c->poll_max_ns = c->poll_max_ns ? c->poll_max_ns : 200000;
    if (c->poll_max_ns < c->poll_min_ns)
        c->poll_max_ns = c->poll_min_ns;
    if (c->budget > FRAME_BATCH)
        c->budget = FRAME_BATCH;
}

/* Room for port indices below `n`, with the workers standing still. */
static int reserve_ports(struct backplane *bp, uint32_t n)
{
    struct port **grown = realloc(bp->ports, n * sizeof *grown);

    if (!grown)
        return -1;
    bp->ports = grown;
    for (unsigned i = 0; i < bp->config.n_workers; i++)
        if (worker_reserve(bp->workers[i], n) < 0)
            return -1;
    memset(grown + bp->ports_room, 0, (n - bp->ports_room) * sizeof *grown);
    bp->ports_room = n;
    return 0;
}

struct backplane *backplane_new(const struct backplane_config *config, struct diag *d)
{
    struct backplane *bp = calloc(1, sizeof *bp);

    if (!bp) {
        diag_err(d, "out of memory");
        return NULL;
    }
    bp->event_fd = -1;
    bp->next_id = bp->first_free = 1;
    if (config)
        bp->config = *config;
    set_defaults(&bp->config);
    pthread_mutex_init(&bp->lock, NULL);
    pthread_mutex_init(&bp->pause_lock, NULL);
    pthread_mutex_init(&bp->event_lock, NULL);
    pthread_cond_init(&bp->parked, NULL);
    pthread_cond_init(&bp->resumed, NULL);
    if (bp->config.n_workers > BACKPLANE_MAX_WORKERS) {
        diag_err(d, "%u switch workers are more than %u", bp->config.n_workers,
                 BACKPLANE_MAX_WORKERS);
        bp->config.n_workers = 0;
        goto fail;
    }
    for (unsigned i = 0; i < bp->config.n_workers; i++)
        if (!(bp->workers[i] = worker_new(bp, i, d)))
            goto fail;
    if (events_init(bp, d) < 0)
        goto fail;
    if (reserve_ports(bp, FIRST_ROOM) < 0) {
        diag_err(d, "out of memory");
        goto fail;
    }
    return bp;
fail:
    backplane_free(bp);
    return NULL;
}

void backplane_free(struct backplane *bp)
{
    if (!bp)
        return;
    backplane_stop(bp);
    while (bp->all_networks.n > 0)
        backplane_remove_network(bp, bp->all_networks.entries[0].id, NULL);
    capture_free_all(bp);
    for (unsigned i = 0; i < BACKPLANE_MAX_WORKERS; i++)
        worker_free(bp->workers[i]);
    events_fini(bp);
    strmap_fini(&bp->port_names);
    strmap_fini(&bp->network_names);
    free(bp->all_networks.entries);
    free(bp->all_ports.entries);
    free(bp->ports);
    pthread_cond_destroy(&bp->parked);
    pthread_cond_destroy(&bp->resumed);
    pthread_mutex_destroy(&bp->event_lock);
    pthread_mutex_destroy(&bp->pause_lock);
    pthread_mutex_destroy(&bp->lock);
    free(bp);
}

static void join_workers(struct backplane *bp, unsigned n)
{
    atomic_store(&bp->stopping, true);
    for (unsigned i = 0; i < n; i++)
        worker_kick(bp->workers[i]);
    for (unsigned i = 0; i < n; i++)
        pthread_join(bp->workers[i]->thread, NULL);
    atomic_store(&bp->stopping, false);
}

int backplane_start(struct backplane *bp, struct diag *d)
{
    int rc = 0;

    pthread_mutex_lock(&bp->lock);
    for (unsigned i = 0; i < bp->config.n_workers && !bp->running && rc == 0; i++) {
        rc = worker_start(bp->workers[i], d);
        if (rc < 0)
            join_workers(bp, i);
    }
    if (rc == 0)
        bp->running = true;
    pthread_mutex_unlock(&bp->lock);
    return rc;
}

void backplane_stop(struct backplane *bp)
{
    pthread_mutex_lock(&bp->lock);
    if (bp->running)
        join_workers(bp, bp->config.n_workers);
    bp->running = false;
    pthread_mutex_unlock(&bp->lock);
}

void backplane_totals(struct backplane *bp, struct backplane_totals *t)
{
    pthread_mutex_lock(&bp->lock);
    *t = (struct backplane_totals){.n_ports = bp->all_ports.n,
                                   .n_workers = bp->running ? bp->config.n_workers : 0};
    for (unsigned i = 0; i < bp->config.n_workers; i++) {
        t->rounds += atomic_load(&bp->workers[i]->rounds);
        t->sleeps += atomic_load(&bp->workers[i]->sleeps);
        t->packets += atomic_load(&bp->workers[i]->packets);
        t->n_active += atomic_load(&bp->workers[i]->n_active_seen);
    }
    pthread_mutex_unlock(&bp->lock);
}

/* ---- networks --------------------------------------------------------------------- */

static int check_network(struct backplane *bp, const struct network_config *c,
                         struct diag *d)
{
    if (!c->name || !*c->name || strlen(c->name) >= BACKPLANE_NAME)
        return diag_err(d, "a network needs a name of 1 to %u characters",
                        BACKPLANE_NAME - 1);
    if (strmap_gets(&bp->network_names, c->name))
        return diag_err(d, "there is a network '%s' already", c->name);
    if (c->mode != NETWORK_LEARN && c->mode != NETWORK_WIRE)
        return diag_err(d, "network '%s': unknown mode %d", c->name, (int)c->mode);
    if (c->max_addresses > MAX_ADDRESSES)
        return diag_err(d, "network '%s': %u addresses are more than %d", c->name,
                        c->max_addresses, MAX_ADDRESSES);
    return 0;
}

static void network_free(struct network *net)
{
    if (!net)
        return;
    mac_table_fini(&net->table);
    free(net->ports);
    free(net);
}

static struct network *network_new(const struct network_config *c)
{
    struct network *net = calloc(1, sizeof *net);
    uint64_t seed = 0;

    if (!net)
        return NULL;
    snprintf(net->name, sizeof net->name, "%s", c->name);
    net->config = *c;
    net->config.name = net->name;
    if (!net->config.max_addresses)
        net->config.max_addresses = 100000;
    if (!net->config.age_s)
        net->config.age_s = 300;
    /* Without random numbers a guest might find addresses that crowd one line. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
        seed = plane_clock_ns();
    if (c->mode == NETWORK_LEARN &&
        mac_table_init(&net->table, net->config.max_addresses, seed) < 0) {
        network_free(net);
        return NULL;
    }
    return net;
}

int backplane_add_network(struct backplane *bp, const struct network_config *config,
                          uint32_t *network, struct diag *d)
{
    struct network *net = NULL;
    int rc = -1;

    pthread_mutex_lock(&bp->lock);
    if (check_network(bp, config, d) < 0)
        goto out;
    net = network_new(config);
    if (!net || id_list_add(&bp->all_networks, bp->next_id, net) < 0) {
        diag_err(d, "out of memory");
        goto out;
    }
    if (strmap_puts(&bp->network_names, net->name, net) < 0) {
        id_list_remove(&bp->all_networks, bp->next_id);
        diag_err(d, "out of memory");
        goto out;
    }
    *network = net->id = bp->next_id++;
    net = NULL;
    rc = 0;
out:
    network_free(net);
    pthread_mutex_unlock(&bp->lock);
    return rc;
}

int backplane_remove_network(struct backplane *bp, uint32_t network, struct diag *d)
{
    struct network *net;

    pthread_mutex_lock(&bp->lock);
    net = plane_network(bp, network, d);
    if (net) {
        while (net->n_ports > 0)
            plane_remove_port(bp, net->ports[net->n_ports - 1]);
        plane_pause(bp);
        capture_network_gone(bp, net);
        plane_resume(bp);
        strmap_remove(&bp->network_names, net->name, strlen(net->name));
        id_list_remove(&bp->all_networks, network);
        network_free(net);
    }
    pthread_mutex_unlock(&bp->lock);
    return net ? 0 : -1;
}

uint32_t backplane_find_network(struct backplane *bp, const char *name)
{
    struct network *net;
    uint32_t id;

    pthread_mutex_lock(&bp->lock);
    net = strmap_gets(&bp->network_names, name);
    id = net ? net->id : 0;
    pthread_mutex_unlock(&bp->lock);
    return id;
}

bool backplane_network_info(struct backplane *bp, uint32_t network,
                            struct network_info *info)
{
    struct network *net;

    pthread_mutex_lock(&bp->lock);
    net = plane_network(bp, network, NULL);
    if (net) {
        const struct network_config *c = &net->config;

        if (c->mode == NETWORK_LEARN)
            forward_age(bp, net, (uint32_t)(plane_clock_ns() / 1000000000u));
        *info = (struct network_info){
            .network = network,
            .mode = c->mode,
            .backpressure = c->backpressure,
            .max_addresses = c->max_addresses,
            .port_limit = c->port_limit,
            .age_s = c->age_s,
            .n_ports = net->n_ports,
            .n_addresses = net->table.count,
            .evicted = net->table.evicted,
        };
        memcpy(info->storm_pps, c->storm_pps, sizeof info->storm_pps);
        memcpy(info->name, net->name, sizeof info->name);
    }
    pthread_mutex_unlock(&bp->lock);
    return net != NULL;
}

size_t backplane_list_networks(struct backplane *bp, uint32_t *ids, size_t room)
{
    size_t n;

    pthread_mutex_lock(&bp->lock);
    n = id_list_copy(&bp->all_networks, ids, room);
    pthread_mutex_unlock(&bp->lock);
    return n;
}

size_t backplane_list_ports(struct backplane *bp, uint32_t network, uint32_t *ids,
                            size_t room)
{
    const struct id_list *l = &bp->all_ports;
    size_t n = 0;

    pthread_mutex_lock(&bp->lock);
    for (uint32_t i = 0; i < l->n; i++) {
        if (network && ((struct port *)l->entries[i].thing)->net->id != network)
            continue;
        if (n < room)
            ids[n] = l->entries[i].id;
        n++;
    }
    pthread_mutex_unlock(&bp->lock);
    return n;
}

/* The first index that no port has; makes room with the workers standing still. 0: none. */
uint32_t plane_free_index(struct backplane *bp)
{
    uint32_t i = bp->first_free, room = bp->ports_room * 2;
    int rc;

    while (i < bp->ports_room && bp->ports[i])
        i++;
    if (i > BACKPLANE_MAX_PORTS)
        return 0;
    if (i == bp->ports_room) {
        plane_pause(bp);
        rc = reserve_ports(bp, room);
        plane_resume(bp);
        if (rc < 0)
            return 0;
    }
    bp->first_free = i + 1;
    return i;
}
