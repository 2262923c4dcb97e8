// SPDX-License-Identifier: BSD-3-Clause
/* routes_nets.c -- /v1/networks */

#include "ctl/names.h"
#include "ctl/json_get.h"
#include "ctl/nets.h"
#include "ctl/vm.h"

#include <stdlib.h>
#include <string.h>

/* ---- networks -------------------------------------------------------------------- */

static json_t *describe_net(struct daemon_state *s, const struct net *n)
{
    struct network_info i;

    if (!backplane_network_info(s->bp, n->id, &i))
        return json_pack("{s:s}", "name", n->spec.config.name);
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "name", i.name,
        "mode", i.mode == NETWORK_WIRE ? "wire" : "learn", "ports",
        (json_int_t)i.n_ports, "addresses", (json_int_t)i.n_addresses, "max_addresses",
        (json_int_t)i.max_addresses, "port_limit", (json_int_t)i.port_limit, "age_s",
        (json_int_t)i.age_s, "storm_pps", (json_int_t)i.storm_pps[STORM_ALL],
        "broadcast_pps", (json_int_t)i.storm_pps[STORM_BROADCAST], "multicast_pps",
        (json_int_t)i.storm_pps[STORM_MULTICAST], "unknown_pps",
        (json_int_t)i.storm_pps[STORM_UNKNOWN], "backpressure", (int)i.backpressure);
}

static void nets_list(struct daemon_state *s, struct call *c)
{
    json_t *list = json_array();
    struct strmap_entry *e;
    size_t at = 0;

    while ((e = strmap_next(&s->nets, &at)))
        json_array_append_new(list, describe_net(s, e->value));
    json_sort_by_name(list);
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

    if (!n || !vms_all_there(s, c))
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
