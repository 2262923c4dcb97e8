// SPDX-License-Identifier: BSD-3-Clause
/* routes_info.c -- /v1, /v1/version, /v1/stats, /v1/lint, /v1/elements */

#include "abi/boot.h"
#include "ctl/json_get.h"
#include "ctl/lint.h"
#include "ctl/nets.h"
#include "ctl/spec.h"
#include "ctl/version.h"

#include <string.h>
#include <unistd.h>

static void index_get(struct daemon_state *s, struct call *c)
{
    (void)s;
    call_json(c, HTTP_OK, json_pack("{s:o}", "routes", call_routes()));
}

static void version_get(struct daemon_state *s, struct call *c)
{
    const char *why = NULL;
    bool kvm = vmm_host_has_kvm(s->host, &why);
    json_t *o = json_pack("{s:s, s:i, s:i, s:b, s:i, s:I, s:b}", "version",
                          CLICKOS_VERSION, "api", CLICKOS_API, "abi", BOOT_ABI, "kvm",
                          (int)kvm, "pid", (int)getpid(), "started_us",
                          (json_int_t)s->started_us, "adopting", s->adopting > 0);

    if (!kvm && why)
        json_object_set_new(o, "no_kvm_because", json_string(why));
    call_json(c, HTTP_OK, o);
}

static void stats_get(struct daemon_state *s, struct call *c)
{
    struct backplane_totals t;

    backplane_totals(s->bp, &t);
    call_json(c, HTTP_OK,
              json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "vms",
                        (json_int_t)s->vms.count, "ports", (json_int_t)t.n_ports,
                        "active_ports", (json_int_t)t.n_active, "workers",
                        (json_int_t)t.n_workers, "packets", (json_int_t)t.packets,
                        "rounds", (json_int_t)t.rounds, "sleeps",
                        (json_int_t)t.sleeps));
}

static void lint_post(struct daemon_state *s, struct call *c)
{
    struct diag d = DIAG_INIT, found = DIAG_INIT;
    json_t *o = json_get_object(c->body.data, c->body.len, &d);
    struct spec_config spec;
    int rc;

    (void)s;
    if (!o || spec_config_read(&spec, o, &d) < 0) {
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    } else {
        rc = lint_check(spec.text, spec.len, spec.file,
                        json_object_get(spec.json, "defines"), &found);
        call_json(c, HTTP_OK,
                  json_pack("{s:b, s:o}", "ok", rc == 0, "details",
                            details_from_diag(&found)));
        spec_config_fini(&spec);
    }
    json_decref(o);
    diag_fini(&d);
    diag_fini(&found);
}

static void elements_list(struct daemon_state *s, struct call *c)
{
    (void)s;
    call_json(c, HTTP_OK, json_pack("{s:o}", "elements", lint_classes()));
}

static void elements_show(struct daemon_state *s, struct call *c)
{
    json_t *o = lint_class(c->args[0]);
    const char *near;

    (void)s;
    if (o) {
        call_json(c, HTTP_OK, o);
        return;
    }
    near = lint_nearest(c->args[0]);
    if (near)
        call_fail(c, HTTP_NOT_FOUND, "no_such_element",
                  "there is no element class '%.60s': did you mean '%s'?", c->args[0],
                  near);
    else
        call_fail(c, HTTP_NOT_FOUND, "no_such_element",
                  "there is no element class '%.60s'", c->args[0]);
}

ROUTE(index_get) = {
    .method = "GET",
    .path = "/v1",
    .run = index_get,
    .help = "this list",
};

ROUTE(version_get) = {
    .method = "GET",
    .path = "/v1/version",
    .run = version_get,
    .help = "versions, and whether there is KVM",
};

ROUTE(stats_get) = {
    .method = "GET",
    .path = "/v1/stats",
    .run = stats_get,
    .help = "totals of the switch",
};

ROUTE(lint_post) = {
    .method = "POST",
    .path = "/v1/lint",
    .run = lint_post,
    .help = "check a configuration without running it",
};

ROUTE(elements_list) = {
    .method = "GET",
    .path = "/v1/elements",
    .run = elements_list,
    .help = "list element classes",
};

ROUTE(elements_show) = {
    .method = "GET",
    .path = "/v1/elements/{class}",
    .run = elements_show,
    .help = "arguments, counters and handlers of a class",
};
