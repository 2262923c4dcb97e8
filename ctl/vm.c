// SPDX-License-Identifier: BSD-3-Clause
/* vm.c -- the life cycle of a VM, as asked for: see vm.h */

#include "ctl/vm.h"

#include "ctl/details.h"
#include "ctl/nets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct vm *vm_find(struct daemon_state *s, const char *name)
{
    return strmap_gets(&s->vms, name);
}

struct vm *vm_new(struct daemon_state *s, const char *name)
{
    struct vm *vm = calloc(1, sizeof *vm);

    if (!vm)
        return NULL;
    snprintf(vm->name, sizeof vm->name, "%s", name);
    vm->s = s;
    vm->log = LOGRING_INIT;
    vm->created_us = daemon_wall_us();
    if (strmap_puts(&s->vms, vm->name, vm) < 0) {
        free(vm);
        return NULL;
    }
    return vm;
}

void vm_config_free(struct vm_config *c)
{
    if (!c)
        return;
    spec_config_fini(&c->spec);
    free(c);
}

void vm_free(struct vm *vm)
{
    vm_adopt_forget(vm);
    vm_detach(vm);
    vm_wake_logs(vm, true);
    vmm_free(vm->vmm);
    strmap_remove(&vm->s->vms, vm->name, strlen(vm->name));
    while (vm->configs) {
        struct vm_config *c = vm->configs;

        vm->configs = c->next;
        vm_config_free(c);
    }
    vm_config_free(vm->installing);
    logring_fini(&vm->log);
    free(vm->trouble);
    free(vm->failure.text);
    json_decref(vm->failure.details);
    free(vm);
}

struct vm_config *vm_config(struct vm *vm, const char *name)
{
    struct vm_config *c = vm->configs;

    while (c && strcmp(c->name, name))
        c = c->next;
    return c;
}

/* ---- ports ----------------------------------------------------------------------- */

static int attach_one(struct vm *vm, const struct vmm_net *net, unsigned i,
                      struct diag *d)
{
    struct net *n = net_find(vm->s, vm->ifs[i].network);
    char name[BACKPLANE_NAME];
    struct port_config c = {.name = name, .kind = PORT_VM};

    if (!n)
        return diag_err(d, "there is no network '%s'", vm->ifs[i].network);
    snprintf(name, sizeof name, "%s.%u", vm->name, i);
    c.network = n->id;
    c.vm = (struct vm_port_config){.memory_fd = net->mem_fd,
                                   .interface = i,
                                   .wake_fd = net->wake_fd,
                                   .doorbell_fd = net->doorbell_fds[i]};
    return backplane_add_port(vm->s->bp, &c, &vm->ifs[i].port, d);
}

int vm_attach(struct vm *vm, struct diag *d)
{
    const struct vmm_net *net = vmm_net(vm->vmm);

    for (unsigned i = 0; i < vm->n_ifs; i++) {
        if (!*vm->ifs[i].network)
            continue;
        if (!net || net->n_ifs != vm->n_ifs) {
            vm_detach(vm);
            return diag_err(d, "VM '%s' has no packet memory", vm->name);
        }
        if (attach_one(vm, net, i, d) < 0) {
            vm_detach(vm);
            return -1;
        }
    }
    return 0;
}

void vm_detach(struct vm *vm)
{
    for (unsigned i = 0; i < vm->n_ifs; i++) {
        if (vm->ifs[i].port)
            backplane_remove_port(vm->s->bp, vm->ifs[i].port, NULL);
        vm->ifs[i].port = 0;
    }
}

/* ---- creating -------------------------------------------------------------------- */

/* Networks that were made for a VM go again when it fails to start. */
static void drop_created_nets(struct vm *vm)
{
    char one[BACKPLANE_NAME];

    for (unsigned i = 0; i < vm->n_ifs; i++) {
        struct net *n = vm->created_nets[i] ? net_find(vm->s, vm->ifs[i].network)
                                            : NULL;

        if (n && net_ports(vm->s, n, one) == 0)
            net_remove(vm->s, n);
    }
}

static void tell_creator(struct vm *vm)
{
    struct call *c = vm->creator;
    json_t *details = vm->failure.details;

    vm->creator = NULL;
    vm->failure.details = NULL;
    if (c)
        call_fail_details(c, vm->failure.status, vm->failure.code, details, "%s",
                          vm->failure.text ? vm->failure.text : "out of memory");
    else
        json_decref(details);
}

/* In this order: a daemon that dies in between leaves a name without a process, which
 * the next one lists, and never a process without a name. */
static void kill_and_forget(struct vm *vm)
{
    char *socket_path = store_socket_path(vm->s->store, vm->name);

    if (vm->vmm)
        vmm_kill(vm->vmm);
    else if (socket_path) /* left behind by a monitor that was killed */
        unlink(socket_path);
    free(socket_path);
    store_remove(vm->s->store, STORE_VM, vm->name);
}

/* All that was done is undone, but for the process: its end is reported later. */
static void undo(struct vm *vm)
{
    vm->state = VM_ENDING;
    vm_detach(vm);
    drop_created_nets(vm);
    kill_and_forget(vm);
    if (vm->vmm)
        return;
    tell_creator(vm);
    vm_free(vm);
}

void vm_fail(struct vm *vm, unsigned status, const char *code, json_t *details,
             const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    vm->failure.status = status;
    snprintf(vm->failure.code, sizeof vm->failure.code, "%s", code);
    vm->failure.text = sbuf_take(&text);
    vm->failure.details = details;
    undo(vm);
}

static int make_nets(struct vm *vm, bool create, struct diag *d)
{
    for (unsigned i = 0; i < vm->n_ifs; i++) {
        const char *name = vm->ifs[i].network, *near;

        if (!*name || net_find(vm->s, name))
            continue;
        if (create) {
            if (net_add_by_name(vm->s, name, d) < 0)
                return -1;
            vm->created_nets[i] = true;
            continue;
        }
        near = nearest_key(&vm->s->nets, name);
        if (near)
            return diag_err(d, "there is no network '%s': did you mean '%s'?", name,
                            near);
        return diag_err(
            d,
            "there is no network '%s': make it with 'clickos net add %s' or "
            "give --create-net",
            name, name);
    }
    return 0;
}

static int spawn(struct vm *vm, struct diag *d)
{
    char *socket_path = store_socket_path(vm->s->store, vm->name);
    struct vmm_spec spec = {.name = vm->name,
                            .isolation = vm->wanted,
                            .n_ifs = vm->n_ifs,
                            .mtu = (uint32_t)vm->mtu,
                            .n_buffers = (uint32_t)vm->buffers,
                            .heap = vm->memory,
                            .poll_ns = vm->s->guest_poll_ns,
                            .socket_path = socket_path,
                            .uid = vm->uid};

    for (unsigned i = 0; i < vm->n_ifs; i++)
        memcpy(spec.macs[i], vm->ifs[i].mac, 6);
    if (socket_path)
        vm->vmm = vmm_spawn(vm->s->host, &spec, &vm_events, vm, d);
    else
        diag_err(d, "out of memory");
    free(socket_path);
    return vm->vmm ? 0 : -1;
}

/* What a configuration said while it was installed: kept in the log, too. */
static json_t *add_notes(struct vm *vm, json_t *answer, const char *text, size_t len)
{
    if (len) {
        logring_flush(&vm->log);
        vm_console(vm, text, len, 0);
        json_object_set_new(answer, "details", details_from_notes(text, len));
    }
    return answer;
}

static void fail_store(struct vm *vm, int rc, const struct diag *d)
{
    vm_fail(vm, rc == STORE_FULL ? HTTP_NO_SPACE : HTTP_INTERNAL,
            rc == STORE_FULL ? "no_space" : "state", NULL, "%s", diag_first(d));
}

static void started(struct vm *vm, const char *text, size_t len)
{
    struct call *c = vm->creator;
    struct diag d = DIAG_INIT;
    json_t *record;
    int rc;

    vm->state = VM_RUNNING;
    vm->isolation = vmm_isolation_of(vm->vmm);
    record = vm_record(vm, "running");
    rc = store_put(vm->s->store, STORE_VM, vm->name, record, &d);
    json_decref(record);
    if (rc < 0) {
        fail_store(vm, rc, &d);
    } else {
        vm->creator = NULL;
        if (c)
            call_json(c, HTTP_CREATED, add_notes(vm, vm_describe(vm, true), text, len));
    }
    diag_fini(&d);
}

static void first_installed(struct vmm *vmm, void *ctx, uint32_t status,
                            const char *text, size_t len)
{
    struct vm *vm = ctx;
    json_t *details;

    (void)vmm;
    if (vm->state != VM_STARTING)
        return;
    vm->times.installed = loop_now_ns();
    if (status == CONTROL_OK) {
        started(vm, text, len);
        return;
    }
    details = details_from_text(text, len);
    if (status == CONTROL_ERROR)
        vm_fail(vm, HTTP_REFUSED, "bad_config", details, "%zu error%s in %s",
                details_errors(details), details_errors(details) == 1 ? "" : "s",
                vm->configs->spec.file);
    else if (status != VMM_GONE) /* the end, which follows, knows more */
        vm_fail(vm, HTTP_REFUSED, "bad_config", details, "%s cannot be installed: %s",
                vm->configs->spec.file, vmm_status_text(status));
    else
        json_decref(details);
}

static int request_install(struct vm *vm, const struct vm_config *c,
                           vmm_reply_fn *reply, struct diag *d)
{
    struct vmm_request r = {.verb = CONTROL_INSTALL, .name = c->name};
    char *text = spec_config_wire(&c->spec, &r.len, d);
    int rc;

    if (!text)
        return -1;
    r.text = text;
    rc = vmm_request(vm->vmm, &r, reply, vm, d);
    free(text);
    return rc;
}

static void ping_answered(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                          size_t len)
{
    struct vm *vm = ctx;

    (void)vmm, (void)text, (void)len;
    if (vm->state == VM_STARTING && status == CONTROL_OK)
        started(vm, "", 0);
    else if (vm->state == VM_STARTING && status != VMM_GONE)
        vm_fail(vm, HTTP_INTERNAL, "vm_failed", NULL, "VM '%s' does not come up: %s",
                vm->name, vmm_status_text(status));
}

/* A VM without a configuration has started when it answers. */
static int request_first(struct vm *vm, struct diag *d)
{
    struct vmm_request ping = {.verb = CONTROL_PING};

    if (vm->configs)
        return request_install(vm, vm->configs, first_installed, d);
    return vmm_request(vm->vmm, &ping, ping_answered, vm, d);
}

/* A user of its own: processes of one user can send each other signals, and share the
 * number of descriptors that may be on their way through sockets. */
static uint32_t next_uid(struct daemon_state *s)
{
    if (!s->uid_base || geteuid() != 0)
        return 0;
    if (s->uid_next < s->uid_base || s->uid_next - s->uid_base >= DAEMON_UIDS)
        s->uid_next = s->uid_base;
    return s->uid_next++;
}

/* Copy what the spec says; its JSON goes with the request. */
static int take_spec(struct vm *vm, struct spec_vm *spec, struct diag *d)
{
    vm->wanted = spec->isolation;
    vm->memory = spec->memory;
    vm->buffers = spec->buffers;
    vm->mtu = spec->mtu;
    vm->uid = next_uid(vm->s);
    vm->n_ifs = spec->n_ifs;
    for (unsigned i = 0; i < spec->n_ifs; i++) {
        memcpy(vm->ifs[i].mac, spec->ifs[i].mac, 6);
        if (spec->ifs[i].network)
            snprintf(vm->ifs[i].network, NAME_ROOM, "%s", spec->ifs[i].network);
    }
    if (!spec->config)
        return 0;
    vm->configs = calloc(1, sizeof *vm->configs);
    if (!vm->configs)
        return diag_err(d, "out of memory");
    strcpy(vm->configs->name, SPEC_MAIN);
    return spec_config_read(&vm->configs->spec, spec->config, d);
}

static int check_isolation(struct daemon_state *s, struct call *c,
                           const struct spec_vm *spec)
{
    const char *why = "";

    if (spec->isolation != VMM_KVM || vmm_host_has_kvm(s->host, &why))
        return 0;
    call_fail(c, HTTP_UNAVAILABLE, "no_kvm",
              "no KVM (%s): load the kvm module or give the daemon access, or use "
              "--isolation process",
              why ? why : "/dev/kvm");
    return -1;
}

/* The steps of a start, in order; each failure undoes the ones before. */
static void start(struct vm *vm, struct spec_vm *spec)
{
    struct diag d = DIAG_INIT;
    json_t *record = NULL;
    int rc;

    if (take_spec(vm, spec, &d) < 0)
        vm_fail(vm, HTTP_BAD_REQUEST, "bad_request", NULL, "%s", diag_first(&d));
    else if (make_nets(vm, spec->create_networks, &d) < 0)
        vm_fail(vm, HTTP_NOT_FOUND, "no_such_network", NULL, "%s", diag_first(&d));
    else if ((rc = store_put(vm->s->store, STORE_VM, vm->name,
                             record = vm_record(vm, "starting"), &d)) < 0)
        fail_store(vm, rc, &d);
    else if (spawn(vm, &d) < 0)
        vm_fail(vm, HTTP_INTERNAL, "vm_failed", NULL, "%s", diag_first(&d));
    else if (vm_attach(vm, &d) < 0)
        vm_fail(vm, HTTP_INTERNAL, "port_failed", NULL, "%s", diag_first(&d));
    else if (vm->times.attached = loop_now_ns(), request_first(vm, &d) < 0)
        vm_fail(vm, HTTP_REFUSED, "bad_config", NULL, "%s", diag_first(&d));
    json_decref(record);
    diag_fini(&d);
}

void vm_create(struct daemon_state *s, struct call *c, struct spec_vm *spec)
{
    struct vm *old = vm_find(s, spec->name), *vm;

    if (old) {
        call_fail(
            c, HTTP_CONFLICT, "name_taken",
            "a VM named '%s' exists (%s): remove it with 'clickos rm %s' or choose "
            "another name",
            old->name, vm_state_name(old->state), old->name);
        return;
    }
    if (check_isolation(s, c, spec) < 0)
        return;
    vm = vm_new(s, spec->name);
    if (!vm) {
        call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
        return;
    }
    vm->creator = c;
    vm->times.asked = loop_now_ns();
    start(vm, spec);
}

/* ---- removing -------------------------------------------------------------------- */

/* What has not been connected to yet must be, so that it can be told to end. */
static void stop_adopting(struct vm *vm)
{
    if (vm->vmm)
        vm_adopt_answered(vm);
    else
        vm_adopt_now(vm, NULL);
    vm_adopt_forget(vm);
    vm_adopted(vm, false);
}

void vm_remove(struct vm *vm, struct call *c)
{
    if (vm->state == VM_ENDING) {
        if (c)
            call_fail(c, HTTP_CONFLICT, "busy", "VM '%s' is being removed already",
                      vm->name);
        return;
    }
    vm->remover = c;
    if (vm->state == VM_STARTING && vm->creator) {
        vm_fail(vm, HTTP_CONFLICT, "removed", NULL,
                "VM '%s' was removed while it started", vm->name);
        return;
    }
    if (vm->state == VM_ADOPTING)
        stop_adopting(vm);
    vm->state = VM_ENDING;
    vm_detach(vm);
    kill_and_forget(vm);
    if (vm->vmm)
        return;
    vm_free(vm);
    if (c)
        call_done(c);
}

/* ---- configurations -------------------------------------------------------------- */

void vm_fail_status(struct vm *vm, struct call *c, uint32_t status, const char *text,
                    size_t len)
{
    json_t *details = len ? details_from_text(text, len) : NULL;
    const char *first = json_string_value(
        json_object_get(json_array_get(details, 0), "message"));

    if (status == CONTROL_NO_HANDLER)
        call_fail(c, HTTP_NOT_FOUND, "no_such_handler", "%s",
                  first ? first : "no such handler");
    else if (status == CONTROL_NO_CONFIG)
        call_fail(c, HTTP_NOT_FOUND, "no_such_config",
                  "VM '%s' has no such configuration", vm->name);
    else if (status == CONTROL_ERROR)
        call_fail_details(c, HTTP_REFUSED, "refused", json_incref(details), "%s",
                          first ? first : "refused");
    else if (status == VMM_GONE)
        call_fail(c, HTTP_CONFLICT, "vm_crashed",
                  "VM '%s' has ended: see 'clickos logs %s'", vm->name, vm->name);
    else if (status == VMM_TIMEOUT || status == VMM_BUSY)
        call_fail(
            c, HTTP_TIMEOUT, "vm_busy",
            "VM '%s' does not answer: its configuration may be in an endless loop; "
            "'clickos rm %s' ends it",
            vm->name, vm->name);
    else
        call_fail(c, HTTP_REFUSED, "refused", "%s", vmm_status_text(status));
    json_decref(details);
}

static void replace_config(struct vm *vm, struct vm_config *new)
{
    struct vm_config **at = &vm->configs;

    while (*at && strcmp((*at)->name, new->name))
        at = &(*at)->next;
    if (*at) {
        struct vm_config *old = *at;

        new->next = old->next;
        vm_config_free(old);
    }
    *at = new;
}

static json_t *installed_answer(struct vm *vm, const struct vm_config *c,
                                const char *text, size_t len)
{
    json_t *o = json_pack("{s:s, s:s}", "config", c->name, "file", c->spec.file);

    return add_notes(vm, o, text, len);
}

static void installed(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                      size_t len)
{
    struct vm *vm = ctx;
    struct call *c = vm->installer;
    struct vm_config *new = vm->installing;
    json_t *details;

    (void)vmm;
    vm->installer = NULL;
    vm->installing = NULL;
    if (status == CONTROL_OK) {
        /* The room on the disk was taken before the VM was asked. */
        store_commit(vm->s->store, STORE_VM, vm->name, NULL);
        replace_config(vm, new);
        call_json(c, HTTP_OK, installed_answer(vm, new, text, len));
        return;
    }
    store_abort(vm->s->store, STORE_VM, vm->name);
    if (status == CONTROL_ERROR) {
        details = details_from_text(text, len);
        call_fail_details(c, HTTP_REFUSED, "bad_config", details, "%zu error%s in %s",
                          details_errors(details),
                          details_errors(details) == 1 ? "" : "s", new->spec.file);
    } else {
        vm_fail_status(vm, c, status, text, len);
    }
    vm_config_free(new);
}

static json_t *record_with(struct vm *vm, const struct vm_config *new)
{
    json_t *record = vm_record(vm, "running");

    json_object_set(json_object_get(record, "configs"), new->name, new->spec.json);
    return record;
}

static int check_installable(struct vm *vm, struct call *c, const char *name)
{
    struct diag d = DIAG_INIT;
    unsigned n = 0;

    if (name_check("configuration", name, true, &d) < 0) {
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
        diag_fini(&d);
        return -1;
    }
    for (const struct vm_config *k = vm->configs; k; k = k->next)
        n++;
    if (vm->state != VM_RUNNING)
        call_fail(c, HTTP_CONFLICT, vm->state == VM_CRASHED ? "vm_crashed" : "busy",
                  "VM '%s' does not run (%s)", vm->name, vm_state_name(vm->state));
    else if (vm->installer)
        call_fail(c, HTTP_CONFLICT, "busy",
                  "another configuration is being installed in VM '%s': try again",
                  vm->name);
    else if (n >= VM_MAX_CONFIGS && !vm_config(vm, name))
        call_fail(c, HTTP_CONFLICT, "too_many", "VM '%s' has %u configurations already",
                  vm->name, n);
    else
        return 0;
    return -1;
}

void vm_install(struct vm *vm, struct call *c, const char *name,
                struct spec_config *spec)
{
    struct vm_config *new = calloc(1, sizeof *new);
    struct diag d = DIAG_INIT;
    json_t *record = NULL;
    int rc;

    if (!new || check_installable(vm, c, name) < 0) {
        if (!new)
            call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
        spec_config_fini(spec);
        free(new);
        return;
    }
    snprintf(new->name, sizeof new->name, "%s", name);
    new->spec = *spec;
    record = record_with(vm, new);
    rc = store_prepare(vm->s->store, STORE_VM, vm->name, record, &d);
    json_decref(record);
    vm->installer = c;
    vm->installing = new;
    if (rc == 0 && request_install(vm, new, installed, &d) == 0)
        return;
    vm->installer = NULL;
    vm->installing = NULL;
    store_abort(vm->s->store, STORE_VM, vm->name);
    call_fail_diag(c, rc == STORE_FULL ? HTTP_NO_SPACE : HTTP_REFUSED,
                   rc == STORE_FULL ? "no_space" : "refused", &d);
    vm_config_free(new);
    diag_fini(&d);
}

/* The name travels on the stack of nobody: the call has it in its arguments. */
struct removal {
    struct vm *vm;
    struct call *call;
    char name[CONTROL_NAME];
};

static void removed(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                    size_t len)
{
    struct removal *r = ctx;
    struct vm_config **at = &r->vm->configs;
    json_t *record;

    (void)vmm;
    if (status != CONTROL_OK) {
        vm_fail_status(r->vm, r->call, status, text, len);
        free(r);
        return;
    }
    while (*at && strcmp((*at)->name, r->name))
        at = &(*at)->next;
    if (*at) {
        struct vm_config *old = *at;

        *at = old->next;
        vm_config_free(old);
    }
    record = vm_record(r->vm, "running");
    store_put(r->vm->s->store, STORE_VM, r->vm->name, record, NULL);
    json_decref(record);
    call_done(r->call);
    free(r);
}

void vm_remove_config(struct vm *vm, struct call *c, const char *name)
{
    struct vmm_request request = {.verb = CONTROL_REMOVE, .name = name};
    struct removal *r;
    struct diag d = DIAG_INIT;

    if (!vm_config(vm, name)) {
        call_fail(c, HTTP_NOT_FOUND, "no_such_config",
                  "VM '%s' has no configuration '%.60s'", vm->name, name);
        return;
    }
    if (check_installable(vm, c, name) < 0)
        return;
    r = calloc(1, sizeof *r);
    if (!r) {
        call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
        return;
    }
    r->vm = vm;
    r->call = c;
    snprintf(r->name, sizeof r->name, "%s", name);
    if (vmm_request(vm->vmm, &request, removed, r, &d) < 0) {
        call_fail_diag(c, HTTP_CONFLICT, "refused", &d);
        free(r);
    }
    diag_fini(&d);
}
