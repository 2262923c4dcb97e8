// SPDX-License-Identifier: BSD-3-Clause
/* vm_start.c -- how a VM comes to life, and what happens when it does not: see vm.h */

#include "ctl/vm.h"

#include "ctl/control.h"
#include "ctl/details.h"
#include "ctl/limits.h"
#include "ctl/nets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Whoever waits for it hears that nothing has come of it. */
void vm_tell_failure(struct call *creator, struct vm_waiter *waiter, struct failure *f)
{
    json_t *details = f->details;
    const struct failure told = *f; /* the details, too */

    f->details = NULL;
    if (waiter)
        waiter->done(waiter, NULL, &told);
    if (creator)
        call_fail_details(creator, f->status, f->code, details, "%s",
                          f->text ? f->text : "out of memory");
    else
        json_decref(details);
}

static void tell_creator(struct vm *vm)
{
    struct call *c = vm->creator;
    struct vm_waiter *w = vm->waiter;

    vm->creator = NULL;
    vm->waiter = NULL;
    vm_tell_failure(c, w, &vm->failure);
}

/* In this order: a daemon that dies in between leaves a name without a process, which
 * the next one lists, and never a process without a name. */
void vm_kill_and_forget(struct vm *vm)
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
    vm_kill_and_forget(vm);
    if (vm->vmm)
        return;
    tell_creator(vm);
    vm_free(vm);
}

/* One that was there before stays: parked as it was if it was to be woken, else crashed,
 * and then its policy decides. */
static void fall_back(struct vm *vm)
{
    bool was_parked = vm->how.late;
    json_t *record;

    if (vm->vmm) {
        vmm_kill(vm->vmm);
        vmm_free(vm->vmm);
        vm->vmm = NULL;
    }
    free(vm->trouble);
    vm->trouble = vm->failure.text;
    vm->failure.text = NULL;
    json_decref(vm->failure.details);
    vm->failure.details = NULL;
    daemon_log(vm->s, "VM %s: %s", vm->name, vm->trouble ? vm->trouble : "");
    vm_say(vm, "clickos: %s", vm->trouble ? vm->trouble : "cannot be started");
    if (was_parked && vm_lay_aside(vm, NULL) == 0) {
        vm_set_parked(vm);
        vm_fail_waiting(vm);
        return;
    }
    vm->state = VM_CRASHED;
    vm_control_update(vm);
    vm_detach(vm);
    record = vm_record(vm, "crashed");
    store_put(vm->s->store, STORE_VM, vm->name, record, NULL);
    json_decref(record);
    vm_fail_waiting(vm);
    vm_restart_later(vm, false);
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
    if (vm->again)
        fall_back(vm);
    else
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
                            .state_fd = vm->how.state_fd,
                            .elapse = vm->how.elapse,
                            .uid = vm->uid};
    struct vmm_spec had = {0};

    for (unsigned i = 0; i < vm->n_ifs; i++)
        memcpy(spec.macs[i], vm->ifs[i].mac, 6);
    if (spec.state_fd > 0) {
        if (vmm_state_shape(vm->s->host, spec.state_fd, &had, d) < 0)
            goto out;
        /* Defaults may have been others when it was made. */
        spec.heap = had.heap;
        spec.n_buffers = had.n_ifs ? had.n_buffers : spec.n_buffers;
    }
    if (socket_path)
        vm->vmm = vmm_spawn(vm->s->host, &spec, &vm_events, vm, d);
    else
        diag_err(d, "out of memory");
out:
    free(socket_path);
    return vm->vmm ? 0 : -1;
}

/* What a configuration said while it was installed: kept in the log, too. */
json_t *vm_add_notes(struct vm *vm, json_t *answer, const char *text, size_t len)
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

/* What was needed for the start alone, and who waited for it. */
static void on_with_it(struct vm *vm)
{
    sbuf_fini(&vm->notes);
    free(vm->trouble);
    vm->trouble = NULL;
    if (vm->has_state)
        vm_drop_state(vm);
    vm->again = true;
    vm->due_ns = UINT64_MAX;
    vm->moved_ns = 0;
    vm_run_waiting(vm);
}

static void started(struct vm *vm)
{
    struct call *c = vm->creator;
    struct vm_waiter *w = vm->waiter;
    struct diag d = DIAG_INIT;
    json_t *record;
    int rc;

    vm_set_running(vm);
    vm->isolation = vmm_isolation_of(vm->vmm);
    record = vm_record(vm, "running");
    rc = store_put(vm->s->store, STORE_VM, vm->name, record, &d);
    json_decref(record);
    if (rc < 0) {
        fail_store(vm, rc, &d);
    } else {
        vm->creator = NULL;
        vm->waiter = NULL;
        if (c)
            call_json(c, HTTP_CREATED,
                      vm_add_notes(vm, vm_describe(vm, true), sbuf_text(&vm->notes),
                                   vm->notes.len));
        else
            vm_console(vm, sbuf_text(&vm->notes), vm->notes.len, 0);
        vm_control_update(vm);
        if (w)
            w->done(w, vm, NULL);
        on_with_it(vm);
    }
    diag_fini(&d);
}

static void finish(struct vm *vm)
{
    struct diag d = DIAG_INIT;

    vm->times.installed = loop_now_ns();
    if (vm->how.late && vm_attach(vm, &d) < 0)
        vm_fail(vm, HTTP_INTERNAL, "port_failed", NULL, "%s", diag_first(&d));
    else
        started(vm);
    diag_fini(&d);
}

int vm_request_install(struct vm *vm, const struct vm_config *c, vmm_reply_fn *reply,
                       struct diag *d)
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

static int request_next(struct vm *vm, struct diag *d);

static void config_installed(struct vmm *vmm, void *ctx, uint32_t status,
                             const char *text, size_t len)
{
    struct vm *vm = ctx;
    const struct vm_config *c = vm->to_install;
    struct diag d = DIAG_INIT;
    json_t *details;

    (void)vmm;
    if (vm->state != VM_STARTING)
        return;
    if (status == CONTROL_OK) {
        sbuf_add(&vm->notes, text, len);
        vm->to_install = c->next;
        if (!vm->to_install)
            finish(vm);
        else if (request_next(vm, &d) < 0)
            vm_fail(vm, HTTP_REFUSED, "bad_config", NULL, "%s", diag_first(&d));
        diag_fini(&d);
        return;
    }
    details = details_from_text(text, len);
    if (status == CONTROL_ERROR)
        vm_fail(vm, HTTP_REFUSED, "bad_config", details, "%zu error%s in %s",
                details_errors(details), details_errors(details) == 1 ? "" : "s",
                c->spec.file);
    else if (status != VMM_GONE) /* the end, which follows, knows more */
        vm_fail(vm, HTTP_REFUSED, "bad_config", details, "%s cannot be installed: %s",
                c->spec.file, vmm_status_text(status));
    else
        json_decref(details);
}

static void ping_answered(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                          size_t len)
{
    struct vm *vm = ctx;

    (void)vmm, (void)text, (void)len;
    if (vm->state == VM_STARTING && status == CONTROL_OK)
        finish(vm);
    else if (vm->state == VM_STARTING && status != VMM_GONE)
        vm_fail(vm, HTTP_INTERNAL, "vm_failed", NULL, "VM '%s' does not come up: %s",
                vm->name, vmm_status_text(status));
}

/* One configuration after the other; a VM that needs none has started when it answers. */
static int request_next(struct vm *vm, struct diag *d)
{
    struct vmm_request ping = {.verb = CONTROL_PING};

    if (vm->to_install)
        return vm_request_install(vm, vm->to_install, config_installed, d);
    return vmm_request(vm->vmm, &ping, ping_answered, vm, d);
}

void vm_bring_up(struct vm *vm)
{
    struct diag d = DIAG_INIT;

    vm->state = VM_STARTING;
    vm->to_install = vm->how.as_it_was ? NULL : vm->configs;
    if (limits_have_files(6 + 3 * vm->n_ifs, &d) < 0)
        vm_fail(vm, HTTP_NO_SPACE, "no_files", NULL, "%s", diag_first(&d));
    else if (spawn(vm, &d) < 0)
        vm_fail(vm, HTTP_INTERNAL, "vm_failed", NULL, "%s", diag_first(&d));
    else if (!vm->how.late && vm_attach(vm, &d) < 0)
        vm_fail(vm, HTTP_INTERNAL, "port_failed", NULL, "%s", diag_first(&d));
    else if (vm->times.attached = loop_now_ns(), request_next(vm, &d) < 0)
        vm_fail(vm, HTTP_REFUSED, "bad_config", NULL, "%s", diag_first(&d));
    diag_fini(&d);
}

void vm_note_and_bring_up(struct vm *vm, bool create_nets)
{
    struct diag d = DIAG_INIT;
    json_t *record = NULL;
    int rc;

    if (make_nets(vm, create_nets, &d) < 0)
        vm_fail(vm, HTTP_NOT_FOUND, "no_such_network", NULL, "%s", diag_first(&d));
    else if ((rc = store_put(vm->s->store, STORE_VM, vm->name,
                             record = vm_record(vm, "starting"), &d)) < 0)
        fail_store(vm, rc, &d);
    else
        vm_bring_up(vm);
    json_decref(record);
    diag_fini(&d);
}

/* A user of its own: processes of one user can send each other signals, and share the
 * number of descriptors that may be on their way through sockets. */
uint32_t vm_next_uid(struct daemon_state *s)
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
    vm->park_after = spec->park_after;
    vm->restart = spec->restart;
    vm->limits = spec->limits;
    vm->uid = vm_next_uid(vm->s);
    vm->n_ifs = spec->n_ifs;
    for (unsigned i = 0; i < spec->n_ifs; i++) {
        vm_take_if(&vm->ifs[i], &spec->ifs[i]);
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

/* Just in time: it waits as if it had run before. */
static void declare(struct vm *vm, bool create_nets)
{
    struct diag d = DIAG_INIT;
    json_t *record = NULL;
    struct call *c = vm->creator;
    int rc;

    if (make_nets(vm, create_nets, &d) < 0) {
        vm_fail(vm, HTTP_NOT_FOUND, "no_such_network", NULL, "%s", diag_first(&d));
    } else if ((rc = store_put(vm->s->store, STORE_VM, vm->name,
                               record = vm_record(vm, "parked"), &d)) < 0) {
        fail_store(vm, rc, &d);
    } else if (vm_lay_aside(vm, &d) < 0) {
        vm_fail(vm, HTTP_INTERNAL, "port_failed", NULL, "%s", diag_first(&d));
    } else {
        vm_set_parked(vm);
        vm->again = true;
        vm->creator = NULL;
        call_json(c, HTTP_CREATED, vm_describe(vm, true));
    }
    json_decref(record);
    diag_fini(&d);
}

static int check_limits(struct daemon_state *s, struct call *c,
                        const struct spec_vm *spec)
{
    struct diag d = DIAG_INIT;
    int rc = quota_check(s->quota, &spec->limits, &d);

    if (rc < 0)
        call_fail_diag(c, HTTP_REFUSED, "refused", &d);
    diag_fini(&d);
    return rc;
}

/* The steps of a start, in order; each failure undoes the ones before. */
static void start(struct vm *vm, struct spec_vm *spec)
{
    struct diag d = DIAG_INIT;

    if (take_spec(vm, spec, &d) < 0)
        vm_fail(vm, HTTP_BAD_REQUEST, "bad_request", NULL, "%s", diag_first(&d));
    else if (spec->lazy)
        declare(vm, spec->create_networks);
    else
        vm_note_and_bring_up(vm, spec->create_networks);
    diag_fini(&d);
}

bool vm_name_is_free(struct daemon_state *s, struct call *c, const char *name)
{
    const struct vm *old = vm_find(s, name);

    if (!old && s->max_vms && s->vms.count >= s->max_vms) {
        call_fail(c, HTTP_CONFLICT, "too_many",
                  "there are %zu VMs, and no more are allowed (clickosd --max-vms)",
                  s->vms.count);
        return false;
    }
    if (old)
        call_fail(
            c, HTTP_CONFLICT, "name_taken",
            "a VM named '%s' exists (%s): remove it with 'clickos rm %s' or choose "
            "another name",
            old->name, vm_state_name(old->state), old->name);
    return !old;
}

void vm_create(struct daemon_state *s, struct call *c, struct spec_vm *spec)
{
    struct vm *vm;

    if (!vm_name_is_free(s, c, spec->name) || check_isolation(s, c, spec) < 0 ||
        check_limits(s, c, spec) < 0)
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
