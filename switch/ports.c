// SPDX-License-Identifier: BSD-3-Clause
/* ports.c -- adding, changing, removing and asking about ports and addresses: see
 * backplane.h */

#include "switch/plane.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- adding ----------------------------------------------------------------------- */

static struct port *port_new(const struct port_config *c, struct diag *d)
{
    switch (c->kind) {
    case PORT_VM:
        return vm_port_new(&c->vm, d);
    case PORT_TAP:
        return tap_port_new(&c->tap, d);
    case PORT_PACKET:
        return packet_port_new(&c->packet, d);
    case PORT_XDP:
        return xdp_port_new(&c->xdp, d);
    case PORT_PCAP_IN:
        return pcap_in_new(&c->pcap_in, d);
    case PORT_PCAP_OUT:
        return pcap_out_new(&c->pcap_out, d);
    case PORT_GENERATOR:
        return generator_new(&c->generator, d);
    case PORT_SINK:
        return sink_new(&c->sink, d);
    case PORT_LOT:
        return lot_new(d);
    }
    diag_err(d, "unknown kind of port %d", (int)c->kind);
    return NULL;
}

static int check_settings(const struct port_settings *s, struct diag *d)
{
    if (s->allow.n_macs > PORT_MAX_ALLOWED || s->allow.n_ip4 > PORT_MAX_ALLOWED ||
        s->allow.n_ip6 > PORT_MAX_ALLOWED)
        return diag_err(d, "more than %u allowed source addresses", PORT_MAX_ALLOWED);
    for (unsigned i = 0; i < PORT_MAX_ALLOWED; i++)
        if (s->allow.ip4_free[i] > 32 || s->allow.ip6_free[i] > 128)
            return diag_err(d, "an allowed source address has too many free bits");
    return 0;
}

static struct network *check_port(struct backplane *bp, const struct port_config *c,
                                  struct diag *d)
{
    struct network *net = plane_network(bp, c->network, d);

    if (!net)
        return NULL;
    if (!c->name || !*c->name || strlen(c->name) >= BACKPLANE_NAME) {
        diag_err(d, "a port needs a name of 1 to %u characters", BACKPLANE_NAME - 1);
        return NULL;
    }
    if (strmap_gets(&bp->port_names, c->name)) {
        diag_err(d, "there is a port '%s' already", c->name);
        return NULL;
    }
    if (c->kind == PORT_LOT || !plane_has_room(net, d))
        return NULL;
    return check_settings(&c->settings, d) < 0 ? NULL : net;
}

static const char *name_of(const struct port *p)
{
    return p->ops->kind == PORT_LOT ? lot_first_name(p) : p->name;
}

/* Those that are parked have their places, though they share a port. */
bool plane_has_room(const struct network *net, struct diag *d)
{
    uint32_t n = net->n_ports + (net->lot ? lot_size(net) - 1 : 0);

    if (net->config.mode != NETWORK_WIRE || n < 2)
        return true;
    diag_err(d, "wire '%s' has two ports already, '%s' and '%s'", net->name,
             name_of(net->ports[0]),
             net->n_ports > 1 ? name_of(net->ports[1]) : "another");
    return false;
}

/* Segments and unfinished checksums are passed on only where all ports take them. */
static void agree_on_offload(struct network *net)
{
    bool all = true;

    for (uint32_t i = 0; i < net->n_ports; i++)
        all = all && net->ports[i]->takes_offload;
    net->offload = all;
    for (uint32_t i = 0; i < net->n_ports; i++)
        if (net->ports[i]->ops->offload)
            net->ports[i]->ops->offload(net->ports[i], all);
}

/* With backpressure packets wait for the other end of a wire also while there is none, as
 * when a new daemon has found one of two VMs so far. */
void plane_match_ends(struct network *net)
{
    bool alone = net->config.backpressure && net->config.mode == NETWORK_WIRE &&
                 net->n_ports - lot_is_idle(net) < 2;

    for (uint32_t i = 0; i < net->n_ports; i++) {
        struct port *p = net->ports[i];
        bool was_alone = p->alone;

        p->alone = alone && p != net->lot;
        if (was_alone && !alone)
            worker_wake_port(p->worker, p);
    }
}

static int join_network(struct network *net, struct port *p)
{
    if (net->n_ports == net->room) {
        uint32_t room = net->room ? net->room * 2 : 4;
        struct port **grown = realloc(net->ports, room * sizeof *grown);

        if (!grown)
            return -1;
        net->ports = grown;
        net->room = room;
    }
    net->ports[net->n_ports++] = p;
    if (p->ops->kind == PORT_LOT)
        net->lot = p;
    net->n_promiscuous += p->settings.promiscuous;
    agree_on_offload(net);
    plane_match_ends(net);
    return 0;
}

static void leave_network(struct network *net, struct port *p)
{
    for (uint32_t i = 0; i < net->n_ports; i++)
        if (net->ports[i] == p)
            net->ports[i--] = net->ports[--net->n_ports];
    if (net->lot == p)
        net->lot = NULL;
    net->n_promiscuous -= p->settings.promiscuous;
    agree_on_offload(net);
    plane_match_ends(net);
}

static struct worker *least_busy(struct backplane *bp)
{
    struct worker *w = bp->workers[0];

    for (unsigned i = 1; i < bp->config.n_workers; i++)
        if (bp->workers[i]->n_attached < w->n_attached)
            w = bp->workers[i];
    return w;
}

static void apply_settings(struct port *p)
{
    bool over = p->state == PORT_DONE || p->state == PORT_DOWN;

    forward_set_limits(p, plane_clock_ns());
    if (!over)
        p->state = p->settings.disabled ? PORT_DISABLED : PORT_UP;
    p->stopped = over || p->settings.disabled;
    p->closed = p->state == PORT_DOWN || p->settings.disabled;
    p->last_src = 0;
}

/* Everything is made; now it begins. Workers stand still. */
static int attach(struct backplane *bp, struct port *p, struct diag *d)
{
    if (join_network(p->net, p) < 0)
        return diag_err(d, "out of memory");
    apply_settings(p);
    if (worker_attach(least_busy(bp), p, d) < 0) {
        leave_network(p->net, p);
        return -1;
    }
    bp->ports[p->index] = p;
    capture_port_added(bp, p);
    return 0;
}

/* Enter it in the lists, then into the traffic. */
static int enter(struct backplane *bp, struct port *p, struct diag *d)
{
    int rc;

    p->index = (uint16_t)plane_free_index(bp);
    if (p->index == 0)
        return diag_err(d, "no room for more ports");
    p->id = bp->next_id++;
    if (id_list_add(&bp->all_ports, p->id, p) < 0)
        return diag_err(d, "out of memory");
    if (strmap_puts(&bp->port_names, p->name, p) < 0) {
        id_list_remove(&bp->all_ports, p->id);
        return diag_err(d, "out of memory");
    }
    plane_pause(bp);
    rc = attach(bp, p, d);
    plane_resume(bp);
    if (rc < 0) {
        strmap_remove(&bp->port_names, p->name, strlen(p->name));
        id_list_remove(&bp->all_ports, p->id);
    }
    return rc;
}

int backplane_add_port(struct backplane *bp, const struct port_config *config,
                       uint32_t *port, struct diag *d)
{
    struct network *net;
    struct port *p = NULL;

    pthread_mutex_lock(&bp->lock);
    net = check_port(bp, config, d);
    if (net)
        p = plane_add_port(bp, net, config, d);
    if (p)
        *port = p->id;
    pthread_mutex_unlock(&bp->lock);
    return p ? 0 : -1;
}

/* Who was expected on a wire is none of those that are parked. */
static void give_way(struct backplane *bp, struct network *net)
{
    if (net->config.mode == NETWORK_WIRE && net->n_ports > 2 && lot_is_idle(net))
        plane_remove_port(bp, net->lot);
}

struct port *plane_add_port(struct backplane *bp, struct network *net,
                            const struct port_config *config, struct diag *d)
{
    struct port *p = port_new(config, d);

    if (!p)
        return NULL;
    p->bp = bp;
    p->net = net;
    p->settings = config->settings;
    snprintf(p->name, sizeof p->name, "%s", config->name);
    if (enter(bp, p, d) == 0) {
        if (p != net->lot)
            give_way(bp, net);
        return p;
    }
    p->ops->free(p);
    return NULL;
}

/* ---- removing and changing -------------------------------------------------------- */

void plane_remove_paused(struct backplane *bp, struct port *p)
{
    worker_detach(p->worker, p);
    leave_network(p->net, p);
    bp->ports[p->index] = NULL;
    capture_port_gone(bp, p);
}

void plane_forget_port(struct backplane *bp, struct port *p)
{
    /* The port is out of all lists; the addresses behind it are forgotten. */
    forward_forget_port(p->net, p);
    if (p->index < bp->first_free)
        bp->first_free = p->index;
    strmap_remove(&bp->port_names, p->name, strlen(p->name));
    id_list_remove(&bp->all_ports, p->id);
    p->ops->free(p);
}

void plane_remove_port(struct backplane *bp, struct port *p)
{
    plane_pause(bp);
    plane_remove_paused(bp, p);
    plane_resume(bp);
    plane_forget_port(bp, p);
}

int backplane_remove_port(struct backplane *bp, uint32_t port, struct diag *d)
{
    struct port *p;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, d);
    if (p)
        plane_remove_port(bp, p);
    pthread_mutex_unlock(&bp->lock);
    return p ? 0 : -1;
}

void plane_change(struct port *p, const struct port_settings *s)
{
    bool was_stopped = p->stopped;

    p->net->n_promiscuous -= p->settings.promiscuous;
    p->net->n_promiscuous += s->promiscuous;
    p->settings = *s;
    apply_settings(p);
    if (was_stopped && !p->stopped && p->ops->settle)
        p->ops->settle(p, plane_clock_ns());
    if (!p->stopped)
        worker_wake_port(p->worker, p);
}

int backplane_set_port(struct backplane *bp, uint32_t port,
                       const struct port_settings *settings, struct diag *d)
{
    struct port *p;
    int rc = -1;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, d);
    if (p && check_settings(settings, d) == 0) {
        plane_pause(bp);
        plane_change(p, settings);
        plane_resume(bp);
        rc = 0;
    }
    pthread_mutex_unlock(&bp->lock);
    return rc;
}

bool backplane_get_port(struct backplane *bp, uint32_t port,
                        struct port_settings *settings)
{
    struct port *p;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, NULL);
    if (p)
        *settings = p->settings;
    pthread_mutex_unlock(&bp->lock);
    return p != NULL;
}

/* ---- asking ----------------------------------------------------------------------- */

uint32_t backplane_find_port(struct backplane *bp, const char *name)
{
    struct port *p;
    uint32_t id;

    pthread_mutex_lock(&bp->lock);
    p = strmap_gets(&bp->port_names, name);
    id = p ? p->id : 0;
    pthread_mutex_unlock(&bp->lock);
    return id;
}

bool backplane_port_info(struct backplane *bp, uint32_t port, struct port_info *info)
{
    struct port *p;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, NULL);
    if (p) {
        memset(info, 0, sizeof *info);
        info->port = port;
        info->network = p->net->id;
        info->kind = p->ops->kind;
        snprintf(info->name, sizeof info->name, "%s", name_of(p));
        memcpy(info->device, p->device, sizeof info->device);
        info->asleep = atomic_load(&p->armed);
        pthread_mutex_lock(&bp->event_lock);
        info->state = p->state;
        memcpy(info->trouble, p->trouble, sizeof info->trouble);
        pthread_mutex_unlock(&bp->event_lock);
    }
    pthread_mutex_unlock(&bp->lock);
    return p != NULL;
}

bool backplane_port_stats(struct backplane *bp, uint32_t port, struct port_stats *stats)
{
    struct port *p;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, NULL);
    if (p) {
        struct port_counters *c = &p->count;

        *stats = (struct port_stats){.in_packets = c->in_packets,
                                     .in_bytes = c->in_bytes,
                                     .out_packets = c->out_packets,
                                     .out_bytes = c->out_bytes,
                                     .bad_rings = c->bad_rings,
                                     .wakes = c->wakes,
                                     .doorbells = c->doorbells,
                                     .sleeps = c->sleeps,
                                     .waits = c->waits,
                                     .broadcasts = c->floods[STORM_BROADCAST],
                                     .multicasts = c->floods[STORM_MULTICAST]};
        stats->floods = stats->broadcasts + stats->multicasts +
                        c->floods[STORM_UNKNOWN];
        for (int i = 0; i < DROP_REASONS; i++)
            stats->drops[i] = c->drops[i];
    }
    pthread_mutex_unlock(&bp->lock);
    return p != NULL;
}

int backplane_reset_stats(struct backplane *bp, uint32_t port, struct diag *d)
{
    struct port *p;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, d);
    if (p) {
        plane_pause(bp);
        memset(&p->count, 0, sizeof p->count);
        if (p->ops->kind == PORT_SINK)
            sink_reset(p);
        plane_resume(bp);
    }
    pthread_mutex_unlock(&bp->lock);
    return p ? 0 : -1;
}

bool backplane_sink_report(struct backplane *bp, uint32_t port,
                           struct sink_report *report)
{
    struct port *p;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, NULL);
    if (p && p->ops->kind != PORT_SINK)
        p = NULL;
    if (p) {
        plane_pause(bp);
        sink_report_fill(p, report);
        plane_resume(bp);
    }
    pthread_mutex_unlock(&bp->lock);
    return p != NULL;
}

/* ---- addresses -------------------------------------------------------------------- */

static uint64_t mac_number(const uint8_t mac[6])
{
    uint8_t bytes[8] = {0};

    memcpy(bytes, mac, 6);
    return mac_load(bytes);
}

static void one_less(struct backplane *bp, uint32_t index)
{
    if (index && bp->ports[index])
        atomic_fetch_sub(&bp->ports[index]->n_addresses, 1);
}

/* Whether another port has the address for good. What the lot holds of a parked VM is for
 * the port that comes back. */
static bool is_taken(struct backplane *bp, const struct port *p, uint64_t mac,
                     struct diag *d)
{
    uint32_t at = mac_table_fixed_at(&p->net->table, mac);
    const struct port *owner = at ? bp->ports[at] : NULL;

    if (!owner || owner == p || owner->ops->kind == PORT_LOT)
        return false;
    diag_err(d, "port '%s' of network '%s' has this address already", owner->name,
             p->net->name);
    return true;
}

int backplane_add_address(struct backplane *bp, uint32_t port, const uint8_t mac[6],
                          struct diag *d)
{
    struct port *p;
    uint32_t evicted = 0;
    int had, rc = -1;

    pthread_mutex_lock(&bp->lock);
    p = plane_port(bp, port, d);
    if (!p)
        goto out;
    if (p->net->config.mode != NETWORK_LEARN) {
        diag_err(d, "wire '%s' has no addresses", p->net->name);
        goto out;
    }
    if (mac[0] & 1) {
        diag_err(d, "a group address cannot be behind a port");
        goto out;
    }
    if (is_taken(bp, p, mac_number(mac), d))
        goto out;
    had = mac_table_fix(&p->net->table, mac_number(mac), p->index, &evicted);
    if (had < 0) {
        diag_err(d, "network '%s' has no room for the address", p->net->name);
        goto out;
    }
    p->has_fixed = true;
    p->net->forgotten++;
    one_less(bp, (uint32_t)had);
    one_less(bp, evicted);
    rc = 0;
out:
    pthread_mutex_unlock(&bp->lock);
    return rc;
}

int backplane_remove_address(struct backplane *bp, uint32_t network,
                             const uint8_t mac[6], struct diag *d)
{
    struct network *net;
    uint32_t index = 0;
    bool fixed = false;

    pthread_mutex_lock(&bp->lock);
    net = plane_network(bp, network, d);
    if (net && net->config.mode == NETWORK_LEARN)
        index = mac_table_remove(&net->table, mac_number(mac), &fixed);
    if (index)
        net->forgotten++;
    if (index && !fixed)
        one_less(bp, index);
    /* Whoever sends from it again is to be learned at once. */
    for (uint32_t i = 0; net && i < net->n_ports; i++)
        net->ports[i]->last_tick = 0;
    if (net && !index)
        diag_err(d, "network '%s' does not have this address", net->name);
    pthread_mutex_unlock(&bp->lock);
    return index ? 0 : -1;
}

struct listing {
    struct backplane *bp;
    struct address_info *list;
    size_t n, room;
    uint32_t now_s;
};

static bool list_one(void *ctx, uint64_t mac, uint32_t port, uint32_t stamp)
{
    struct listing *l = ctx;

    if (!l->bp->ports[port])
        return false;
    if (l->n < l->room) {
        struct address_info *a = &l->list[l->n];

        memcpy(a->mac, &mac, 6);
        a->fixed = stamp == MAC_FIXED;
        a->port = l->bp->ports[port]->id;
        a->age_s = a->fixed || stamp > l->now_s ? 0 : l->now_s - stamp;
    }
    l->n++;
    return false;
}

size_t backplane_list_addresses(struct backplane *bp, uint32_t network,
                                struct address_info *list, size_t room)
{
    struct listing l = {.bp = bp, .list = list, .room = room};
    struct network *net;

    pthread_mutex_lock(&bp->lock);
    net = plane_network(bp, network, NULL);
    if (net && net->config.mode == NETWORK_LEARN) {
        l.now_s = (uint32_t)(plane_clock_ns() / 1000000000u);
        forward_age(bp, net, l.now_s);
        mac_table_sweep(&net->table, list_one, &l);
    }
    pthread_mutex_unlock(&bp->lock);
    return l.n;
}
