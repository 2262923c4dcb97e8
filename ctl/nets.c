// SPDX-License-Identifier: BSD-3-Clause
/* nets.c -- networks and the ports that operators make: see nets.h */

#include "ctl/nets.h"

#include "base/suggest.h"
#include "ctl/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *nearest_key(const struct strmap *m, const char *name)
{
    struct strmap_entry *e;
    struct suggest s;
    size_t at = 0;

    suggest_init(&s, name);
    while ((e = strmap_next(m, &at)))
        suggest_add(&s, e->key);
    return s.best;
}

void fail_unknown(struct call *c, const struct strmap *m, const char *what,
                  const char *code, const char *name)
{
    const char *near = nearest_key(m, name);

    if (near)
        call_fail(c, HTTP_NOT_FOUND, code, "there is no %s '%.60s': did you mean '%s'?",
                  what, name, near);
    else
        call_fail(c, HTTP_NOT_FOUND, code, "there is no %s '%.60s'", what, name);
}

/* ---- networks -------------------------------------------------------------------- */

struct net *net_find(struct daemon_state *s, const char *name)
{
    return strmap_gets(&s->nets, name);
}

static void net_free(struct net *n)
{
    if (!n)
        return;
    spec_net_fini(&n->spec);
    free(n);
}

/* Into the switch and the table, not into the state folder. The spec is taken over. */
static struct net *net_make(struct daemon_state *s, struct spec_net *spec,
                            struct diag *d)
{
    struct net *n = calloc(1, sizeof *n);

    if (!n) {
        diag_err(d, "out of memory");
        return NULL;
    }
    if (backplane_add_network(s->bp, &spec->config, &n->id, d) < 0) {
        free(n);
        return NULL;
    }
    n->spec = *spec;
    if (strmap_puts(&s->nets, n->spec.config.name, n) < 0) {
        backplane_remove_network(s->bp, n->id, NULL);
        free(n);
        diag_err(d, "out of memory");
        return NULL;
    }
    return n;
}

int net_add(struct daemon_state *s, struct spec_net *spec, struct diag *d)
{
    struct net *n;
    int rc = store_prepare(s->store, STORE_NETWORK, spec->config.name, spec->json, d);

    if (rc < 0)
        return rc;
    n = net_make(s, spec, d);
    if (!n) {
        store_abort(s->store, STORE_NETWORK, spec->config.name);
        return -1;
    }
    rc = store_commit(s->store, STORE_NETWORK, n->spec.config.name, d);
    if (rc < 0) {
        strmap_remove(&s->nets, spec->config.name, strlen(spec->config.name));
        backplane_remove_network(s->bp, n->id, NULL);
        free(n); /* the spec stays the caller's */
    }
    return rc;
}

int net_add_by_name(struct daemon_state *s, const char *name, struct diag *d)
{
    struct spec_net spec;
    char text[128];
    int rc;

    snprintf(text, sizeof text, "{\"name\": \"%s\"}", name);
    if (spec_net_read(&spec, text, strlen(text), d) < 0)
        return -1;
    rc = net_add(s, &spec, d);
    if (rc < 0)
        spec_net_fini(&spec);
    return rc;
}

void net_remove(struct daemon_state *s, struct net *n)
{
    const char *name = n->spec.config.name;

    backplane_remove_network(s->bp, n->id, NULL);
    store_remove(s->store, STORE_NETWORK, name);
    strmap_remove(&s->nets, name, strlen(name));
    net_free(n);
}

size_t net_ports(struct daemon_state *s, const struct net *n, char one[BACKPLANE_NAME])
{
    struct port_info info;
    uint32_t id = 0;
    size_t count = backplane_list_ports(s->bp, n->id, &id, 1);

    if (count && backplane_port_info(s->bp, id, &info))
        memcpy(one, info.name, BACKPLANE_NAME);
    else
        one[0] = '\0';
    return count;
}

/* ---- ports ----------------------------------------------------------------------- */

static void port_free(struct user_port *p)
{
    if (!p)
        return;
    spec_port_fini(&p->spec);
    free(p->trouble);
    free(p);
}

/* A tap outlives the daemon: the addresses and routes that somebody gave it would be gone
 * with it otherwise. So it is made here, persistent, and removed with its port. */
static int prepare_tap(struct user_port *p, struct diag *d)
{
    struct tap_port_config *tap = &p->spec.config.tap;
    bool made;

    if (!tap->ifname)
        tap->ifname = p->spec.config.name;
    if (tap_make(tap->ifname, tap->netns, &made, d) < 0)
        return -1;
    p->made_device |= made;
    return 0;
}

static void drop_tap(struct user_port *p)
{
    const struct tap_port_config *tap = &p->spec.config.tap;

    if (p->spec.config.kind == PORT_TAP && p->made_device && tap->ifname)
        tap_remove(tap->ifname, tap->netns);
    p->made_device = false;
}

static bool has_mac(const struct portset *set, const uint8_t *mac)
{
    for (uint32_t i = 0; set && i < set->n_static; i++)
        if (!memcmp(set->static_macs[i], mac, 6))
            return true;
    return false;
}

/* Take away what `set` has and `keep` has not. */
static void unbind(struct daemon_state *s, uint32_t net, const struct portset *set,
                   const struct portset *keep)
{
    for (uint32_t i = 0; set && i < set->n_static; i++)
        if (!has_mac(keep, set->static_macs[i]))
            backplane_remove_address(s->bp, net, set->static_macs[i], NULL);
}

int port_bind(struct daemon_state *s, uint32_t net, uint32_t port,
              const struct portset *was, const struct portset *now, struct diag *d)
{
    for (uint32_t i = 0; i < now->n_static; i++) {
        if (has_mac(was, now->static_macs[i]))
            continue;
        if (backplane_add_address(s->bp, port, now->static_macs[i], d) < 0) {
            struct portset done = *now;

            done.n_static = i;
            unbind(s, net, &done, was);
            return -1;
        }
    }
    unbind(s, net, was, now);
    return 0;
}

int port_apply(struct daemon_state *s, uint32_t net, uint32_t port,
               const struct portset *was, const struct portset *now, struct diag *d)
{
    if (port_bind(s, net, port, was, now, d) < 0)
        return -1;
    if (backplane_set_port(s->bp, port, &now->settings, d) == 0)
        return 0;
    port_bind(s, net, port, now, was, NULL);
    return -1;
}

static int attach(struct daemon_state *s, struct user_port *p, struct diag *d)
{
    struct net *n = net_find(s, p->spec.network);

    if (!n)
        return diag_err(d, "there is no network '%s'", p->spec.network);
    p->spec.config.network = n->id;
    if (p->spec.config.kind == PORT_TAP && prepare_tap(p, d) < 0)
        return -1;
    if (backplane_add_port(s->bp, &p->spec.config, &p->id, d) < 0)
        return -1;
    if (port_bind(s, n->id, p->id, NULL, &p->spec.set, d) == 0)
        return 0;
    backplane_remove_port(s->bp, p->id, NULL);
    p->id = 0;
    return -1;
}

static json_t *port_record(const struct user_port *p)
{
    json_t *o = json_copy(p->spec.json);

    if (p->made_device)
        json_object_set_new(o, "made_device", json_true());
    return o;
}

/* Everything but the order of failure is simple: whatever was done is undone. */
static int port_setup(struct daemon_state *s, struct user_port *p, struct diag *d)
{
    const char *name = p->spec.config.name;
    json_t *record;
    int rc;

    if (attach(s, p, d) < 0) {
        drop_tap(p);
        return -1;
    }
    record = port_record(p);
    rc = store_put(s->store, STORE_PORT, name, record, d);
    json_decref(record);
    if (rc == 0 && strmap_puts(&s->ports, name, p) < 0) {
        store_remove(s->store, STORE_PORT, name);
        rc = diag_err(d, "out of memory");
    }
    if (rc < 0) {
        backplane_remove_port(s->bp, p->id, NULL);
        drop_tap(p);
    }
    return rc;
}

/* The pointer into the struct itself has to follow a move. */
static void move_spec(struct spec_port *to, const struct spec_port *from)
{
    *to = *from;
    if (to->config.kind == PORT_TAP && to->config.tap.mac)
        to->config.tap.mac = to->tap_mac;
}

int port_add(struct daemon_state *s, struct spec_port *spec, struct diag *d)
{
    struct user_port *p = calloc(1, sizeof *p);
    int rc;

    if (!p)
        return diag_err(d, "out of memory");
    move_spec(&p->spec, spec);
    rc = port_setup(s, p, d);
    if (rc < 0)
        free(p); /* the spec stays the caller's */
    return rc;
}

/* Into the switch first, which may refuse it. */
static int change_port(struct daemon_state *s, struct user_port *p, json_t *json,
                       const struct portset *now, struct diag *d)
{
    uint32_t net = p->spec.config.network;
    json_t *had = p->spec.json, *record;
    int rc;

    if (p->id && port_apply(s, net, p->id, &p->spec.set, now, d) < 0)
        return -1;
    p->spec.json = json;
    record = port_record(p);
    p->spec.json = had;
    rc = store_put(s->store, STORE_PORT, p->spec.config.name, record, d);
    json_decref(record);
    if (rc < 0 && p->id)
        port_apply(s, net, p->id, now, &p->spec.set, NULL);
    return rc;
}

int port_change(struct daemon_state *s, struct user_port *p, const json_t *change,
                struct diag *d)
{
    json_t *had = portset_filter(p->spec.json);
    json_t *merged = portset_merge(had, change, d), *json = json_copy(p->spec.json);
    struct portset now;
    int rc = -1;

    json_decref(had);
    for (const struct portset_key *k = portset_keys; k->name; k++)
        json_object_del(json, k->name);
    if (merged && portset_read(&now, merged, spec_port_mac(&p->spec), d) == 0) {
        json_object_update(json, merged);
        rc = change_port(s, p, json, &now, d);
    }
    json_decref(merged);
    if (rc < 0) {
        json_decref(json);
        return rc;
    }
    /* The values that strings of the spec lie in are those of both. */
    json_decref(p->spec.json);
    p->spec.json = json;
    p->spec.set = now;
    p->spec.config.settings = now.settings;
    return 0;
}

int port_remove(struct daemon_state *s, struct user_port *p, struct diag *d)
{
    const char *name = p->spec.config.name;

    if (p->id && backplane_remove_port(s->bp, p->id, d) < 0)
        return -1;
    drop_tap(p);
    store_remove(s->store, STORE_PORT, name);
    strmap_remove(&s->ports, name, strlen(name));
    port_free(p);
    return 0;
}

/* ---- after a restart ------------------------------------------------------------- */

struct loading {
    struct daemon_state *s;
    struct diag *d;
};

static void load_net(void *ctx, const char *name, json_t *value)
{
    struct loading *l = ctx;
    char *text = json_dumps(value, 0);
    struct diag d = DIAG_INIT;
    struct spec_net spec;

    if (!text || spec_net_read(&spec, text, strlen(text), &d) < 0)
        diag_warn(l->d, "network %s: %s", name, diag_first(&d));
    else if (!net_make(l->s, &spec, &d)) {
        diag_warn(l->d, "network %s: %s", name, diag_first(&d));
        spec_net_fini(&spec);
    }
    diag_fini(&d);
    free(text);
}

static int read_record(struct user_port *p, json_t *value, struct diag *d)
{
    json_t *plain = json_copy(value);
    char *text;
    int rc = -1;

    p->made_device = json_is_true(json_object_get(value, "made_device"));
    json_object_del(plain, "made_device");
    text = json_dumps(plain, 0);
    if (text)
        rc = spec_port_read(&p->spec, text, strlen(text), d);
    free(text);
    json_decref(plain);
    return rc;
}

static void load_port(void *ctx, const char *name, json_t *value)
{
    struct loading *l = ctx;
    struct user_port *p = calloc(1, sizeof *p);
    struct diag d = DIAG_INIT;

    if (!p || read_record(p, value, &d) < 0 || !p->spec.network) {
        diag_warn(l->d, "port %s: %s", name, diag_first(&d));
        port_free(p);
    } else {
        if (attach(l->s, p, &d) < 0) {
            diag_warn(l->d, "port %s: %s", name, diag_first(&d));
            p->trouble = strdup(diag_first(&d));
        }
        strmap_puts(&l->s->ports, p->spec.config.name, p);
    }
    diag_fini(&d);
}

void nets_load(struct daemon_state *s, struct diag *d)
{
    struct loading l = {s, d};

    store_each(s->store, STORE_NETWORK, load_net, &l, d);
    store_each(s->store, STORE_PORT, load_port, &l, d);
}

void nets_free(struct daemon_state *s)
{
    struct strmap_entry *e;
    size_t at = 0;

    while ((e = strmap_next(&s->ports, &at)))
        port_free(e->value);
    at = 0;
    while ((e = strmap_next(&s->nets, &at)))
        net_free(e->value);
    strmap_fini(&s->ports);
    strmap_fini(&s->nets);
}
