// SPDX-License-Identifier: BSD-3-Clause
/* routes_vms.c -- /v1/vms: create, show, remove, configurations, logs */

#include "ctl/json_get.h"
#include "ctl/memory.h"
#include "ctl/nets.h"
#include "ctl/vm.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WAIT_MS = 60000 };

/* The VM that the path names, or NULL with the call answered. */
static struct vm *wanted(struct daemon_state *s, struct call *c)
{
    struct vm *vm = vm_find(s, c->args[0]);

    if (!vm)
        fail_unknown(c, &s->vms, "VM", "no_such_vm", c->args[0]);
    return vm;
}

/* The same, but it must run: a parked one is woken, and the call run again then. */
static struct vm *there(struct daemon_state *s, struct call *c)
{
    struct vm *vm = wanted(s, c);

    return vm && vm_is_there(vm, c) ? vm : NULL;
}

/* ---- one VM ---------------------------------------------------------------------- */

static void vms_create(struct daemon_state *s, struct call *c)
{
    struct diag d = DIAG_INIT;
    struct spec_vm spec;

    if (!vms_all_there(s, c))
        return;
    if (spec_vm_read(&spec, c->body.data, c->body.len, &d) < 0) {
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    } else {
        vm_create(s, c, &spec);
        spec_vm_fini(&spec);
    }
    diag_fini(&d);
}

static void vms_show(struct daemon_state *s, struct call *c)
{
    struct vm *vm = wanted(s, c);

    if (vm)
        call_json(c, HTTP_OK, vm_describe(vm, true));
}

static void vms_memory(struct daemon_state *s, struct call *c)
{
    struct vm *vm = wanted(s, c);
    json_t *memory;

    if (!vm)
        return;
    memory = vm->vmm ? memory_of(vmm_pid(vm->vmm)) : NULL;
    if (memory)
        call_json(c, HTTP_OK, memory);
    else
        call_fail(c, HTTP_CONFLICT, "not_running", "VM '%s' has no memory to look at",
                  vm->name);
}

static void vms_remove(struct daemon_state *s, struct call *c)
{
    struct vm *vm = wanted(s, c);

    if (vm)
        vm_remove(vm, c);
}

/* ---- copies ---------------------------------------------------------------------- */

/* The request's body; NULL with the call answered. */
static json_t *body_object(struct call *c, const char *const *known, size_t n)
{
    struct diag d = DIAG_INIT;
    json_t *o = json_get_object(c->body.data, c->body.len, &d);

    if (o && json_get_only(o, known, n, &d) < 0) {
        json_decref(o);
        o = NULL;
    }
    if (!o)
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    diag_fini(&d);
    return o;
}

/* A file of the machine the daemon runs on, which is ours, but perhaps not in our folder. */
static const char *body_file(const json_t *o, struct call *c)
{
    const char *file = json_string_value(json_object_get(o, "file"));

    if (file && *file == '/' &&
        strlen(file) == json_string_length(json_object_get(o, "file")))
        return file;
    call_fail(c, HTTP_BAD_REQUEST, "bad_request",
              "'file' must be a path that begins with '/'");
    return NULL;
}

static void vms_snapshot(struct daemon_state *s, struct call *c)
{
    static const char *const known[] = {"file"};
    struct vm *vm = there(s, c);
    json_t *o = vm ? body_object(c, known, 1) : NULL;
    const char *file = o ? body_file(o, c) : NULL;

    if (file)
        vm_snapshot(vm, c, file);
    json_decref(o);
}

static void vms_restore(struct daemon_state *s, struct call *c)
{
    static const char *const known[] = {"file", "name", "create_networks"};
    json_t *o = vms_all_there(s, c) ? body_object(c, known, 3) : NULL;
    const char *file = o ? body_file(o, c) : NULL, *name = NULL;
    struct diag d = DIAG_INIT;
    bool nets = false;

    if (file && (json_get_string(o, "name", &name, &d) < 0 ||
                 json_get_bool(o, "create_networks", &nets, &d) < 0))
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    else if (file)
        vm_restore(s, c, file, name, nets);
    diag_fini(&d);
    json_decref(o);
}

static void vms_clone(struct daemon_state *s, struct call *c)
{
    static const char *const known[] = {"clones"};
    struct vm *vm = vms_all_there(s, c) ? there(s, c) : NULL;
    json_t *o = vm ? body_object(c, known, 1) : NULL;

    if (o)
        vm_clone(vm, c, json_object_get(o, "clones"));
    json_decref(o);
}

/* ---- parking --------------------------------------------------------------------- */

static void vms_park(struct daemon_state *s, struct call *c)
{
    struct vm *vm = wanted(s, c);

    if (vm)
        vm_park(vm, c);
}

static void vms_wake(struct daemon_state *s, struct call *c)
{
    struct vm *vm = there(s, c);

    if (vm)
        call_json(c, HTTP_OK, vm_describe(vm, true));
}

/* ---- configurations -------------------------------------------------------------- */

/* ?define=PORT=80 may be there any number of times. */
static json_t *query_defines(const struct call *c, struct diag *d)
{
    json_t *defines = json_object();

    for (unsigned i = 0; i < c->n_query; i++) {
        char *value = c->query[i].value, *sep;

        if (strncmp(c->query[i].name, "define", 6))
            continue;
        sep = strchr(value, '=');
        if (!sep) {
            diag_err(d, "'define' must be NAME=VALUE");
            json_decref(defines);
            return NULL;
        }
        *sep = '\0';
        json_object_set_new(defines, value, json_string(sep + 1));
        *sep = '=';
    }
    return defines;
}

/* The body is JSON, or the configuration itself with the rest in the query. */
static int read_config(struct call *c, struct spec_config *spec, struct diag *d)
{
    json_t *o;
    int rc = -1;

    if (c->body_is_json) {
        o = json_get_object(c->body.data, c->body.len, d);
        if (o)
            rc = spec_config_read(spec, o, d);
    } else {
        o = query_defines(c, d);
        if (o)
            rc = spec_config_make(spec, sbuf_text(&c->body), c->body.len,
                                  call_query(c, "file"), o, d);
    }
    json_decref(o);
    return rc;
}

static void config_put(struct daemon_state *s, struct call *c)
{
    struct vm *vm = there(s, c);
    struct diag d = DIAG_INIT;
    struct spec_config spec;

    if (!vm)
        return;
    if (read_config(c, &spec, &d) < 0)
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    else
        vm_install(vm, c, c->n_args > 1 ? c->args[1] : SPEC_MAIN, &spec);
    diag_fini(&d);
}

static void config_get(struct daemon_state *s, struct call *c)
{
    struct vm *vm = wanted(s, c);
    const char *name = c->n_args > 1 ? c->args[1] : SPEC_MAIN;
    struct vm_config *config;

    if (!vm)
        return;
    config = vm_config(vm, name);
    if (config)
        call_text(c, HTTP_OK, config->spec.text, config->spec.len);
    else
        call_fail(c, HTTP_NOT_FOUND, "no_such_config",
                  "VM '%s' has no configuration '%.60s'", vm->name, name);
}

static void config_delete(struct daemon_state *s, struct call *c)
{
    struct vm *vm = there(s, c);

    if (vm)
        vm_remove_config(vm, c, c->n_args > 1 ? c->args[1] : SPEC_MAIN);
}

/* ---- logs ------------------------------------------------------------------------ */

static void logs_get(struct daemon_state *s, struct call *c)
{
    struct vm *vm = wanted(s, c);
    uint64_t from, tail = 0, wait_ms = 0;

    if (!vm)
        return;
    from = vm->log.first;
    if (call_query_number(c, "from", &from) < 0 ||
        call_query_number(c, "tail", &tail) < 0 ||
        call_query_number(c, "wait_ms", &wait_ms) < 0)
        return;
    if (from == 0)
        from = 1;
    if (tail && vm->log.next - vm->log.first > tail)
        from = vm->log.next - tail;
    vm_logs(vm, c, from, wait_ms < MAX_WAIT_MS ? wait_ms : MAX_WAIT_MS);
}

ROUTE(vms_create) = {
    .method = "POST",
    .path = "/v1/vms",
    .run = vms_create,
    .help = "start a VM; answered when its configuration runs",
};

ROUTE(vms_show) = {
    .method = "GET",
    .path = "/v1/vms/{vm}",
    .run = vms_show,
    .help = "show a VM",
};

ROUTE(vms_memory) = {
    .method = "GET",
    .path = "/v1/vms/{vm}/memory",
    .run = vms_memory,
    .help = "what a VM takes of the machine's memory, in KiB",
};

ROUTE(vms_remove) = {
    .method = "DELETE",
    .path = "/v1/vms/{vm}",
    .run = vms_remove,
    .help = "stop a VM and forget it",
};

ROUTE(vms_snapshot) = {
    .method = "POST",
    .path = "/v1/vms/{vm}/snapshot",
    .run = vms_snapshot,
    .help = "write what a VM is to a file, while it runs",
};

ROUTE(vms_clone) = {
    .method = "POST",
    .path = "/v1/vms/{vm}/clone",
    .run = vms_clone,
    .help = "more VMs from one that runs, with all that it knows",
};

ROUTE(vms_park) = {
    .method = "POST",
    .path = "/v1/vms/{vm}/park",
    .run = vms_park,
    .help = "put a VM aside until a packet comes for it",
};

ROUTE(vms_wake) = {
    .method = "POST",
    .path = "/v1/vms/{vm}/wake",
    .run = vms_wake,
    .help = "have a VM run that is parked",
};

ROUTE(vms_restore) = {
    .method = "POST",
    .path = "/v1/restore",
    .run = vms_restore,
    .help = "start a VM from a snapshot",
};

ROUTE(config_put) = {
    .method = "PUT",
    .path = "/v1/vms/{vm}/config",
    .query = "file define",
    .run = config_put,
    .help = "replace the configuration 'main' while it runs",
};

ROUTE(config_put_named) = {
    .method = "PUT",
    .path = "/v1/vms/{vm}/config/{config}",
    .query = "file define",
    .run = config_put,
    .help = "install or replace one of several configurations",
};

ROUTE(config_get) = {
    .method = "GET",
    .path = "/v1/vms/{vm}/config",
    .run = config_get,
    .help = "the text of the configuration 'main'",
};

ROUTE(config_get_named) = {
    .method = "GET",
    .path = "/v1/vms/{vm}/config/{config}",
    .run = config_get,
    .help = "the text of a configuration",
};

ROUTE(config_delete) = {
    .method = "DELETE",
    .path = "/v1/vms/{vm}/config/{config}",
    .run = config_delete,
    .help = "remove one of several configurations",
};

ROUTE(logs_get) = {
    .method = "GET",
    .path = "/v1/vms/{vm}/logs",
    .query = "from tail wait_ms",
    .run = logs_get,
    .help = "what a VM said; waits for more with wait_ms",
};
