// SPDX-License-Identifier: BSD-3-Clause
/* routes_ports.c -- /v1/ports */

#include "ctl/json_get.h"
#include "ctl/nets.h"
#include "ctl/vm.h"

#include <stdlib.h>
#include <string.h>

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
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
        "in_packets", (json_int_t)t->in_packets, "in_bytes", (json_int_t)t->in_bytes,
        "out_packets", (json_int_t)t->out_packets, "out_bytes",
        (json_int_t)t->out_bytes, "drops", describe_drops(t), "bad_rings",
        (json_int_t)t->bad_rings, "wakes", (json_int_t)t->wakes, "doorbells",
        (json_int_t)t->doorbells, "sleeps", (json_int_t)t->sleeps, "waits",
        (json_int_t)t->waits, "floods", (json_int_t)t->floods, "broadcasts",
        (json_int_t)t->broadcasts, "multicasts", (json_int_t)t->multicasts);
}

/* The histogram: [from so many ns on, packets], without the empty ones. */
static json_t *describe_latency(const struct sink_report *r)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < SINK_BUCKETS; i++)
        if (r->latency[i])
            json_array_append_new(list, json_pack("[I, I]",
                                                  (json_int_t)backplane_latency_ns(i),
                                                  (json_int_t)r->latency[i]));
    return list;
}

static json_t *describe_sink(struct daemon_state *s, uint32_t id)
{
    struct sink_report *r = calloc(1, sizeof *r);
    json_t *o = NULL;

    if (r && backplane_sink_report(s->bp, id, r))
        o = json_pack(
            "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
            "packets", (json_int_t)r->packets, "bytes", (json_int_t)r->bytes, "foreign",
            (json_int_t)r->foreign, "flows", (json_int_t)r->flows, "untracked",
            (json_int_t)r->untracked, "lost", (json_int_t)r->lost, "reordered",
            (json_int_t)r->reordered, "first_ns", (json_int_t)r->first_ns, "last_ns",
            (json_int_t)r->last_ns, "latency_min_ns", (json_int_t)r->latency_min_ns,
            "latency_p50_ns", (json_int_t)backplane_latency_quantile(r, 0.5),
            "latency_p99_ns", (json_int_t)backplane_latency_quantile(r, 0.99),
            "latency_max_ns", (json_int_t)r->latency_max_ns);
    if (o)
        json_object_set_new(o, "latency_ns", describe_latency(r));
    free(r);
    return o;
}

/* "fw.0" -> the VM and 0; NULL when there is no such interface. */
static struct vm *vm_of_port(struct daemon_state *s, const char *port, unsigned *i)
{
    const char *dot = strrchr(port, '.');
    char name[BACKPLANE_NAME], *end;
    struct vm *vm;
    unsigned long n;

    if (!dot || dot[1] < '0' || dot[1] > '9' || (size_t)(dot - port) >= sizeof name)
        return NULL;
    memcpy(name, port, (size_t)(dot - port));
    name[dot - port] = '\0';
    n = strtoul(dot + 1, &end, 10);
    vm = vm_find(s, name);
    if (!vm || *end || n >= vm->n_ifs)
        return NULL;
    *i = (unsigned)n;
    return vm;
}

static json_t *describe_settings(struct daemon_state *s, const char *port)
{
    const struct user_port *p = strmap_gets(&s->ports, port);
    unsigned i = 0;
    const struct vm *vm = p ? NULL : vm_of_port(s, port, &i);
    struct portset set = {.n_static = 0};

    if (p)
        set = p->spec.set;
    else if (vm && portset_read(&set, vm->ifs[i].settings, vm->ifs[i].mac, NULL) < 0)
        set = (struct portset){.n_static = 0};
    return portset_describe(&set);
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
    json_object_set_new(o, "settings", describe_settings(s, p.name));
    if (stats && backplane_port_stats(s->bp, id, &t))
        json_object_set_new(o, "stats", describe_stats(&t));
    if (stats && p.kind == PORT_SINK && (sink = describe_sink(s, id)))
        json_object_set_new(o, "sink", sink);
    return o;
}

/* One that could not be made again after a restart is only known to us. */
static json_t *describe_lost(const struct user_port *p)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "name", p->spec.config.name, "kind",
        backplane_kind_name(p->spec.config.kind), "network", p->spec.network, "state",
        "down", "device", "", "trouble", p->trouble ? p->trouble : "", "asleep", 1,
        "settings", portset_describe(&p->spec.set));
}

/* Of a VM that does not run: the settings are there, the port is not. */
static json_t *describe_unattached(struct daemon_state *s, const struct vm *vm,
                                   unsigned i, const char *name)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "name", name, "kind", "vm",
                     "network", vm->ifs[i].network, "state", vm_state_name(vm->state),
                     "device", "", "asleep", 1, "settings", describe_settings(s, name));
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
    json_sort_by_name(list);
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
    unsigned i = 0;
    const struct vm *vm = p ? NULL : vm_of_port(s, c->args[0], &i);

    if (id)
        call_json(c, HTTP_OK, describe_port(s, id, true));
    else if (p)
        call_json(c, HTTP_OK, describe_lost(p));
    else if (vm)
        call_json(c, HTTP_OK, describe_unattached(s, vm, i, c->args[0]));
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

/* ---- changing them --------------------------------------------------------------- */

static int change_settings(struct daemon_state *s, struct call *c, const json_t *change,
                           struct diag *d)
{
    struct user_port *p = strmap_gets(&s->ports, c->args[0]);
    unsigned i = 0;
    struct vm *vm = p ? NULL : vm_of_port(s, c->args[0], &i);

    if (p)
        return port_change(s, p, change, d);
    if (!vm) {
        fail_port(s, c);
        return 0;
    }
    if (vm->state == VM_RUNNING || vm->state == VM_PARKED || vm->state == VM_CRASHED)
        return vm_change_if(vm, i, change, d);
    call_fail(c, HTTP_CONFLICT, "busy", "VM '%s' is %s: try again when it runs",
              vm->name, vm_state_name(vm->state));
    return 0;
}

static void ports_change(struct daemon_state *s, struct call *c)
{
    struct diag d = DIAG_INIT;
    json_t *change = json_get_object(c->body.data, c->body.len, &d);
    int rc = change ? change_settings(s, c, change, &d) : -1;

    if (rc < 0)
        call_fail_diag(c, rc == STORE_FULL ? HTTP_NO_SPACE : HTTP_BAD_REQUEST,
                       rc == STORE_FULL ? "no_space" : "bad_request", &d);
    else if (!c->answered)
        ports_show(s, c);
    json_decref(change);
    diag_fini(&d);
}

static void ports_reset(struct daemon_state *s, struct call *c)
{
    uint32_t id = backplane_find_port(s->bp, c->args[0]);
    struct diag d = DIAG_INIT;

    if (!id)
        fail_port(s, c);
    else if (backplane_reset_stats(s->bp, id, &d) < 0)
        call_fail_diag(c, HTTP_INTERNAL, "port_failed", &d);
    else
        call_done(c);
    diag_fini(&d);
}

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

ROUTE(ports_change) = {
    .method = "PATCH",
    .path = "/v1/ports/{port}",
    .run = ports_change,
    .help = "change settings of a port while it runs",
};

ROUTE(ports_reset) = {
    .method = "POST",
    .path = "/v1/ports/{port}/reset",
    .run = ports_reset,
    .help = "begin a port's counters, and what a sink measured, at zero",
};
