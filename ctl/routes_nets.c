// SPDX-License-Identifier: BSD-3-Clause
/* routes_nets.c -- /v1/networks and /v1/ports */

#include "ctl/names.h"
#include "ctl/nets.h"

#include <stdlib.h>
#include <string.h>

/* ---- networks -------------------------------------------------------------------- */

static json_t *describe_net(struct daemon_state *s, const struct net *n)
{
    struct network_info i;

    if (!backplane_network_info(s->bp, n->id, &i))
        return json_pack("{s:s}", "name", n->spec.config.name);
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "name", i.name,
                     "mode", i.mode == NETWORK_WIRE ? "wire" : "learn", "ports",
                     (json_int_t)i.n_ports, "addresses", (json_int_t)i.n_addresses,
                     "max_addresses", (json_int_t)i.max_addresses, "port_limit",
                     (json_int_t)i.port_limit, "age_s", (json_int_t)i.age_s,
                     "storm_pps", (json_int_t)i.storm_pps, "backpressure",
                     (int)i.backpressure);
}

static void nets_list(struct daemon_state *s, struct call *c)
{
    json_t *list = json_array();
    struct strmap_entry *e;
    size_t at = 0;

    while ((e = strmap_next(&s->nets, &at)))
        json_array_append_new(list, describe_net(s, e->value));
    call_json(c, HTTP_OK, json_pack("{s:o}", "networks", list));
}

static void nets_add(struct daemon_state *s, struct call *c)
{
    struct diag d = DIAG_INIT;
    struct spec_net spec = {0};
    int rc;

    if (spec_net_read(&spec, c->body.data, c->body.len, &d) < 0) {
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    } else if (net_find(s, spec.config.name)) {
        call_fail(c, HTTP_CONFLICT, "name_taken",
                  "a network named '%s' exists: remove it with 'clickos net rm %s' or "
                  "choose another name",
                  spec.config.name, spec.config.name);
        spec_net_fini(&spec);
    } else if ((rc = net_add(s, &spec, &d)) < 0) {
        call_fail_diag(c, rc == STORE_FULL ? HTTP_NO_SPACE : HTTP_INTERNAL,
                       rc == STORE_FULL ? "no_space" : "net_failed", &d);
        spec_net_fini(&spec);
    } else {
        call_json(c, HTTP_CREATED, describe_net(s, net_find(s, spec.config.name)));
    }
    diag_fini(&d);
}

static struct net *wanted_net(struct daemon_state *s, struct call *c)
{
    struct net *n = net_find(s, c->args[0]);

    if (!n)
        fail_unknown(c, &s->nets, "network", "no_such_network", c->args[0]);
    return n;
}

static void nets_show(struct daemon_state *s, struct call *c)
{
    struct net *n = wanted_net(s, c);

    if (n)
        call_json(c, HTTP_OK, describe_net(s, n));
}

static void nets_remove(struct daemon_state *s, struct call *c)
{
    struct net *n = wanted_net(s, c);
    char one[BACKPLANE_NAME];
    size_t count;

    if (!n)
        return;
    count = net_ports(s, n, one);
    if (count) {
        call_fail(c, HTTP_CONFLICT, "in_use",
                  "network '%s' has %zu port%s (%s): remove %s first",
                  n->spec.config.name, count, count == 1 ? "" : "s", one,
                  count == 1 ? "it" : "them");
        return;
    }
    net_remove(s, n);
    call_done(c);
}

static void addresses_list(struct daemon_state *s, struct call *c)
{
    enum { ROOM = 10000 };
    struct net *n = wanted_net(s, c);
    struct address_info *list;
    json_t *out;
    size_t count;

    if (!n)
        return;
    list = calloc(ROOM, sizeof *list);
    out = json_array();
    count = list ? backplane_list_addresses(s->bp, n->id, list, ROOM) : 0;
    for (size_t i = 0; i < count && i < ROOM; i++) {
        struct port_info port = {.name = ""};
        char mac[MAC_TEXT];

        backplane_port_info(s->bp, list[i].port, &port);
        json_array_append_new(out, json_pack("{s:s, s:s, s:b, s:I}", "mac",
                                             mac_format(list[i].mac, mac), "port",
                                             port.name, "fixed", (int)list[i].fixed,
                                             "age_s", (json_int_t)list[i].age_s));
    }
    free(list);
    call_json(c, HTTP_OK,
              json_pack("{s:I, s:o}", "count", (json_int_t)count, "addresses", out));
}

/* ---- ports ----------------------------------------------------------------------- */

static json_t *describe_drops(const struct port_stats *t)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < DROP_REASONS; i++)
        if (t->drops[i])
            json_object_set_new(o, backplane_drop_name(i),
                                json_integer((json_int_t)t->drops[i]));
    return o;
}

static json_t *describe_stats(const struct port_stats *t)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I}",
                     "in_packets", (json_int_t)t->in_packets, "in_bytes",
                     (json_int_t)t->in_bytes, "out_packets", (json_int_t)t->out_packets,
                     "out_bytes", (json_int_t)t->out_bytes, "drops", describe_drops(t),
                     "bad_rings", (json_int_t)t->bad_rings, "wakes",
                     (json_int_t)t->wakes, "doorbells", (json_int_t)t->doorbells,
                     "sleeps", (json_int_t)t->sleeps, "waits", (json_int_t)t->waits,
                     "floods", (json_int_t)t->floods);
}

static json_t *describe_sink(struct daemon_state *s, uint32_t id)
{
    struct sink_report *r = calloc(1, sizeof *r);
    json_t *o = NULL;

    if (r && backplane_sink_report(s->bp, id, r))
        o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                      "packets", (json_int_t)r->packets, "bytes", (json_int_t)r->bytes,
                      "foreign", (json_int_t)r->foreign, "flows", (json_int_t)r->flows,
                      "lost", (json_int_t)r->lost, "reordered",
                      (json_int_t)r->reordered, "first_ns", (json_int_t)r->first_ns,
                      "last_ns", (json_int_t)r->last_ns, "latency_min_ns",
                      (json_int_t)r->latency_min_ns, "latency_p50_ns",
                      (json_int_t)backplane_latency_quantile(r, 0.5), "latency_p99_ns",
                      (json_int_t)backplane_latency_quantile(r, 0.99), "latency_max_ns",
                      (json_int_t)r->latency_max_ns);
    free(r);
    return o;
}

static json_t *describe_port(struct daemon_state *s, uint32_t id, bool stats)
{
    struct port_info p;
    struct network_info n = {.name = ""};
    struct port_stats t;
    json_t *o, *sink;

    if (!backplane_port_info(s->bp, id, &p))
        return NULL;
    backplane_network_info(s->bp, p.network, &n);
    o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", p.name, "kind",
                  backplane_kind_name(p.kind), "network", n.name, "state",
                  backplane_state_name(p.state), "device", p.device, "asleep",
                  (int)p.asleep);
    if (*p.trouble)
        json_object_set_new(o, "trouble", json_string(p.trouble));
    if (stats && backplane_port_stats(s->bp, id, &t))
        json_object_set_new(o, "stats", describe_stats(&t));
    if (stats && p.kind == PORT_SINK && (sink = describe_sink(s, id)))
        json_object_set_new(o, "sink", sink);
    return o;
}

/* One that could not be made again after a restart is only known to us. */
static json_t *describe_lost(const struct user_port *p)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "name", p->spec.config.name,
                     "kind", backplane_kind_name(p->spec.config.kind), "network",
                     p->spec.network, "state", "down", "device", "", "trouble",
                     p->trouble ? p->trouble : "", "asleep", 1);
}

static bool wants_stats(const struct call *c)
{
    const char *stats = call_query(c, "stats");

    return stats && strcmp(stats, "0") && strcmp(stats, "false");
}

static void add_lost(struct daemon_state *s, json_t *list)
{
    struct strmap_entry *e;
    size_t at = 0;

    while ((e = strmap_next(&s->ports, &at))) {
        const struct user_port *p = e->value;

        if (!p->id)
            json_array_append_new(list, describe_lost(p));
    }
}

static void ports_list(struct daemon_state *s, struct call *c)
{
    size_t room = backplane_list_ports(s->bp, 0, NULL, 0);
    uint32_t *ids = calloc(room + 1, sizeof *ids);
    json_t *list = json_array(), *o;
    size_t n = ids ? backplane_list_ports(s->bp, 0, ids, room) : 0;

    for (size_t i = 0; i < n && i < room; i++)
        if ((o = describe_port(s, ids[i], wants_stats(c))))
            json_array_append_new(list, o);
    free(ids);
    add_lost(s, list);
    call_json(c, HTTP_OK, json_pack("{s:o}", "ports", list));
}

static void add_port(struct daemon_state *s, struct call *c, struct spec_port *spec)
{
    const char *name = spec->config.name;
    struct diag d = DIAG_INIT;
    uint32_t id;
    int rc;

    if (strmap_gets(&s->ports, name) || backplane_find_port(s->bp, name))
        call_fail(c, HTTP_CONFLICT, "name_taken",
                  "a port named '%s' exists: remove it with 'clickos port rm %s' or "
                  "choose another name",
                  name, name);
    else if (!spec->network)
        call_fail(c, HTTP_BAD_REQUEST, "bad_request",
                  "a port needs a network: give --net NAME");
    else if (!net_find(s, spec->network))
        fail_unknown(c, &s->nets, "network", "no_such_network", spec->network);
    else if ((rc = port_add(s, spec, &d)) < 0)
        call_fail_diag(c, rc == STORE_FULL ? HTTP_NO_SPACE : HTTP_REFUSED,
                       rc == STORE_FULL ? "no_space" : "port_failed", &d);
    else {
        id = backplane_find_port(s->bp, name);
        call_json(c, HTTP_CREATED, describe_port(s, id, false));
        diag_fini(&d);
        return;
    }
    diag_fini(&d);
    spec_port_fini(spec);
}

static void ports_add(struct daemon_state *s, struct call *c)
{
    struct diag d = DIAG_INIT;
    struct spec_port spec;

    if (spec_port_read(&spec, c->body.data, c->body.len, &d) < 0)
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    else
        add_port(s, c, &spec);
    diag_fini(&d);
}

/* All port names there are, VMs' ports too, for a suggestion. */
static void fail_port(struct daemon_state *s, struct call *c)
{
    struct strmap names = STRMAP_INIT;
    size_t room = backplane_list_ports(s->bp, 0, NULL, 0);
    uint32_t *ids = calloc(room + 1, sizeof *ids);
    struct port_info *infos = calloc(room + 1, sizeof *infos);
    size_t n = ids ? backplane_list_ports(s->bp, 0, ids, room) : 0;

    for (size_t i = 0; infos && i < n && i < room; i++)
        if (backplane_port_info(s->bp, ids[i], &infos[i]))
            strmap_puts(&names, infos[i].name, &infos[i]);
    fail_unknown(c, &names, "port", "no_such_port", c->args[0]);
    strmap_fini(&names);
    free(infos);
    free(ids);
}

static void ports_show(struct daemon_state *s, struct call *c)
{
    struct user_port *p = strmap_gets(&s->ports, c->args[0]);
    uint32_t id = backplane_find_port(s->bp, c->args[0]);

    if (id)
        call_json(c, HTTP_OK, describe_port(s, id, true));
    else if (p)
        call_json(c, HTTP_OK, describe_lost(p));
    else
        fail_port(s, c);
}

static void ports_remove(struct daemon_state *s, struct call *c)
{
    struct user_port *p = strmap_gets(&s->ports, c->args[0]);
    struct diag d = DIAG_INIT;

    if (!p && backplane_find_port(s->bp, c->args[0]))
        call_fail(c, HTTP_CONFLICT, "in_use",
                  "port '%s' belongs to a VM: it goes when the VM is removed",
                  c->args[0]);
    else if (!p)
        fail_port(s, c);
    else if (port_remove(s, p, &d) < 0)
        call_fail_diag(c, HTTP_INTERNAL, "port_failed", &d);
    else
        call_done(c);
    diag_fini(&d);
}

ROUTE(nets_list) = {
    .method = "GET",
    .path = "/v1/networks",
    .run = nets_list,
    .help = "list networks",
};

ROUTE(nets_add) = {
    .method = "POST",
    .path = "/v1/networks",
    .run = nets_add,
    .help = "create a network",
};

ROUTE(nets_show) = {
    .method = "GET",
    .path = "/v1/networks/{network}",
    .run = nets_show,
    .help = "show a network",
};

ROUTE(nets_remove) = {
    .method = "DELETE",
    .path = "/v1/networks/{network}",
    .run = nets_remove,
    .help = "remove a network that has no ports",
};

ROUTE(addresses_list) = {
    .method = "GET",
    .path = "/v1/networks/{network}/addresses",
    .run = addresses_list,
    .help = "addresses that a network has learned",
};

ROUTE(ports_list) = {
    .method = "GET",
    .path = "/v1/ports",
    .query = "stats",
    .run = ports_list,
    .help = "list ports, those of VMs too; stats=1 with counters",
};

ROUTE(ports_add) = {
    .method = "POST",
    .path = "/v1/ports",
    .run = ports_add,
    .help = "create a port",
};

ROUTE(ports_show) = {
    .method = "GET",
    .path = "/v1/ports/{port}",
    .run = ports_show,
    .help = "show a port and its counters",
};

ROUTE(ports_remove) = {
    .method = "DELETE",
    .path = "/v1/ports/{port}",
    .run = ports_remove,
    .help = "remove a port",
};
