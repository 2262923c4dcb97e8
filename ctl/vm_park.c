// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm_park.c -- VMs that nobody needs now: see vm.h
 *
 * Parking loses no packet. The guest stands still and is copied; its ports make room for
 * parked ones, from when on packets are kept; if none came between the one and the other
 * (vmm_state_is_current()), the copy is all there is to the VM and its monitor may end.
 * Otherwise it gets its ports back and goes on.
 *
 * In this order on disk: the state, the record that says so, the end of the monitor. A
 * daemon that dies in between leaves a VM whose connection to it breaks: it goes on, and
 * the next daemon finds it by its socket and believes that rather than the record.
 */

#include "ctl/vm.h"

#include "ctl/control.h"
#include "ctl/nets.h"
#include "ctl/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_STATE = 16 << 20, /* bytes: more takes too long to write and to read */
    SECOND = 1000000000,
    PARK_TRIES = 4
};

static uint64_t park_after_of(const struct vm *vm)
{
    return vm->park_after == SPEC_PARK_DEFAULT ? vm->s->park_after : vm->park_after;
}

/* ---- ports -------------------------------------------------------------------------- */

static int park_one(struct vm *vm, unsigned i, struct diag *d)
{
    struct vm_if *f = &vm->ifs[i];
    struct net *n = net_find(vm->s, f->network);
    char name[BACKPLANE_NAME];
    struct park_config c = {
        .name = name, .own_only = f->own_only, .n_ip4 = f->n_ip4, .ctx = vm};

    if (!n)
        return diag_err(d, "there is no network '%s'", f->network);
    snprintf(name, sizeof name, "%s.%u", vm->name, i);
    c.network = n->id;
    memcpy(c.mac, f->mac, sizeof c.mac);
    memcpy(c.ip4, f->ip4, sizeof c.ip4);
    f->parked = backplane_park(vm->s->bp, f->port, &c, d);
    if (!f->parked)
        return -1;
    f->port = 0;
    return 0;
}

int vm_lay_aside(struct vm *vm, struct diag *d)
{
    for (unsigned i = 0; i < vm->n_ifs; i++)
        if (*vm->ifs[i].network && !vm->ifs[i].parked && park_one(vm, i, d) < 0)
            return -1;
    return 0;
}

/* ---- going --------------------------------------------------------------------------- */

static void thaw_answered(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                          size_t len)
{
    (void)vmm, (void)ctx, (void)status, (void)text, (void)len;
}

/* It goes on: with its ports, if it had lost them. */
static void thaw(struct vm *vm)
{
    const struct vmm_request ping = {.verb = CONTROL_PING};
    struct diag d = DIAG_INIT;

    if (vm_attach(vm, &d) < 0)
        daemon_log(vm->s, "VM %s: %s", vm->name, diag_first(&d));
    vmm_request(vm->vmm, &ping, thaw_answered, vm, NULL);
    vm->moved_ns = loop_now_ns();
    diag_fini(&d);
}

__attribute__((format(printf, 4, 5))) static void
stay(struct vm *vm, unsigned status, const char *code, const char *fmt, ...)
{
    struct call *c = vm->parker;
    struct sbuf why = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&why, fmt, ap);
    va_end(ap);
    vm->parker = NULL;
    vm->parking = false;
    if (vm->vmm && vm->state == VM_RUNNING)
        thaw(vm);
    if (c)
        call_fail(c, status, code, "VM '%s' is not parked: %s", vm->name,
                  sbuf_text(&why));
    sbuf_fini(&why);
    if (vm->state == VM_RUNNING)
        vm_run_waiting(vm); /* the last: a call may remove the VM */
}

static int save(struct vm *vm, int fd, const struct vmm_state_info *info,
                struct diag *d)
{
    char *file = store_parked_path(vm->s->store, vm->name);
    json_t *record;
    uint64_t bytes;
    int rc;

    vm->due_ns = info->timer_ns == UINT64_MAX ? UINT64_MAX
                                              : loop_now_ns() + info->timer_ns;
    record = vm_record(vm, "parked");
    rc = file ? snapshot_save(file, record, fd, &bytes, d)
              : diag_err(d, "out of memory");

    if (rc == 0) {
        rc = store_put(vm->s->store, STORE_VM, vm->name, record, d);
        if (rc < 0)
            unlink(file);
    }
    json_decref(record);
    free(file);
    return rc;
}

static void gone(struct vm *vm)
{
    struct call *c = vm->parker;

    vm->parker = NULL;
    vm->parking = false;
    vm->again = vm->has_state = true;
    vm_set_parked(vm);
    vm_control_update(vm);
    vmm_kill(vm->vmm);
    vmm_free(vm->vmm);
    vm->vmm = NULL;
    vm_unlimit(vm);
    if (c)
        call_json(c, HTTP_OK, vm_describe(vm, true));
    if (vm->waking)
        vm_wake(vm); /* somebody came meanwhile */
}

/* A VM with a timer that is due before it would be parked again has something to do. */
static bool timer_is_near(const struct vm *vm, const struct vmm_state_info *info)
{
    return !vm->parker && info->timer_ns != UINT64_MAX &&
           info->timer_ns < 2 * park_after_of(vm) * SECOND;
}

/* Meant by a user it is tried again: a single packet is no traffic yet. */
static void traffic_came(struct vm *vm)
{
    struct call *c = vm->parker;
    unsigned tries = vm->park_tries + 1;

    if (!c || vm->waking || tries == PARK_TRIES) {
        stay(vm, HTTP_CONFLICT, "busy", "packets came meanwhile; try again");
        return;
    }
    vm->parker = NULL;
    vm->parking = false;
    thaw(vm);
    vm_park(vm, c);
    vm->park_tries = tries;
}

static void try_park(struct vm *vm, int fd)
{
    struct vmm_state_info info;
    struct diag d = DIAG_INIT;
    int rc;

    if (vmm_state_info(fd, &info) < 0)
        stay(vm, HTTP_INTERNAL, "vm_failed", "its monitor has sent nothing usable");
    else if (info.size > MAX_STATE)
        stay(vm, HTTP_REFUSED, "refused",
             "it has %llu MiB of state, and %u are too much",
             (unsigned long long)(info.size >> 20), MAX_STATE >> 20);
    else if (timer_is_near(vm, &info))
        stay(vm, HTTP_REFUSED, "refused", "it has a timer");
    else if (vmm_pending(vm->vmm))
        stay(vm, HTTP_CONFLICT, "busy", "somebody asks it something");
    else if (vm_lay_aside(vm, &d) < 0)
        stay(vm, HTTP_INTERNAL, "port_failed", "%s", diag_first(&d));
    else if (!vmm_state_is_current(fd, vmm_net(vm->vmm)))
        traffic_came(vm);
    else if ((rc = save(vm, fd, &info, &d)) < 0)
        stay(vm, rc == STORE_FULL ? HTTP_NO_SPACE : HTTP_INTERNAL,
             rc == STORE_FULL ? "no_space" : "state", "%s", diag_first(&d));
    else
        gone(vm);
    diag_fini(&d);
}

static void copied(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                   size_t len)
{
    struct vm *vm = ctx;
    int fd = status == CONTROL_OK ? vmm_take_state(vmm) : -1;

    (void)text, (void)len;
    if (!vm->parking || vm->state != VM_RUNNING)
        stay(vm, HTTP_CONFLICT, "busy", "it does not run");
    else if (fd < 0)
        stay(vm, HTTP_REFUSED, "refused", "%s", vmm_status_text(status));
    else
        try_park(vm, fd);
    if (fd >= 0)
        close(fd);
}

void vm_park(struct vm *vm, struct call *c)
{
    const struct vmm_request r = {.verb = CONTROL_CHECKPOINT, .handler = "hold"};
    struct diag d = DIAG_INIT;

    if (vm->state == VM_PARKED && c) {
        call_json(c, HTTP_OK, vm_describe(vm, true));
    } else if (vm->state != VM_RUNNING || vm->parking || vm->installer) {
        if (c)
            call_fail(c, HTTP_CONFLICT, "busy", "VM '%s' cannot be parked now (%s)",
                      vm->name,
                      vm->parking ? "being parked" : vm_state_name(vm->state));
    } else if (vmm_request(vm->vmm, &r, copied, vm, &d) == 0) {
        vm->parking = true;
        vm->park_tries = 0;
        vm->parker = c;
    } else if (c) {
        call_fail_diag(c, HTTP_REFUSED, "refused", &d);
    }
    diag_fini(&d);
}

/* ---- coming --------------------------------------------------------------------------- */

void vm_drop_state(struct vm *vm)
{
    char *file = store_parked_path(vm->s->store, vm->name);

    if (file)
        unlink(file);
    free(file);
    vm->has_state = false;
}

/* It stays where it is; the next packet tries again. */
static void cannot_wake(struct vm *vm, const char *why)
{
    free(vm->trouble);
    vm->trouble = strdup(why);
    daemon_log(vm->s, "VM %s cannot be woken: %s", vm->name, why);
    vm_say(vm, "clickos: cannot be woken: %s", why);
    vm_fail_waiting(vm);
}

void vm_wake(struct vm *vm)
{
    struct diag d = DIAG_INIT;
    json_t *record = NULL;
    char *file;
    int fd = -1;

    if (vm->state != VM_PARKED)
        return;
    file = vm->has_state ? store_parked_path(vm->s->store, vm->name) : NULL;
    vm->times = (struct vm_times){.asked = loop_now_ns()};
    if (file && snapshot_load(file, &record, &fd, &d) < 0) {
        cannot_wake(vm, diag_first(&d));
    } else {
        vm->how = (struct vm_how){
            .state_fd = fd, .elapse = true, .as_it_was = fd >= 0, .late = true};
        vm_bring_up(vm);
    }
    if (fd >= 0)
        close(fd);
    json_decref(record);
    free(file);
    diag_fini(&d);
}

/* ---- who waits for it ------------------------------------------------------------------- */

bool vm_is_there(struct vm *vm, struct call *c)
{
    if (vm->state == VM_RUNNING && !vm->parking)
        return true;
    if (vm->state == VM_PARKED || vm->parking ||
        (vm->state == VM_STARTING && vm->again)) {
        if (call_list_add(&vm->waking, c))
            vm_wake(vm);
        return false;
    }
    call_fail(c, HTTP_CONFLICT, vm->state == VM_CRASHED ? "vm_crashed" : "busy",
              "VM '%s' does not run (%s): see 'clickos logs %s'", vm->name,
              vm_state_name(vm->state), vm->name);
    return false;
}

void vm_run_waiting(struct vm *vm)
{
    call_list_run(&vm->waking, vm->s); /* a call may remove the VM */
}

void vm_fail_waiting(struct vm *vm)
{
    struct call_list *waiting = vm->waking;

    vm->waking = NULL;
    for (struct call_list *l = waiting; l; l = l->next)
        call_fail(l->call, HTTP_CONFLICT, "vm_crashed", "VM '%s' does not run: %s",
                  vm->name, vm->trouble ? vm->trouble : "it was removed");
    call_list_free(&waiting);
}

/* ---- once a second ---------------------------------------------------------------------- */

void vm_set_running(struct vm *vm)
{
    struct daemon_state *s = vm->s;

    vm->state = VM_RUNNING;
    if (vm->awake)
        return;
    vm->awake = true;
    vm->awake_prev = NULL;
    vm->awake_next = s->awake;
    if (s->awake)
        s->awake->awake_prev = vm;
    s->awake = vm;
}

void vm_forget_awake(struct vm *vm)
{
    if (!vm->awake)
        return;
    vm->awake = false;
    if (vm->awake_prev)
        vm->awake_prev->awake_next = vm->awake_next;
    else
        vm->s->awake = vm->awake_next;
    if (vm->awake_next)
        vm->awake_next->awake_prev = vm->awake_prev;
}

static void note_due(const struct vm *vm)
{
    if (vm->due_ns < vm->s->wake_due_ns)
        vm->s->wake_due_ns = vm->due_ns;
}

void vm_set_parked(struct vm *vm)
{
    vm->state = VM_PARKED;
    vm_forget_awake(vm);
    note_due(vm);
}

static uint64_t packets_of(const struct vm *vm)
{
    struct port_stats st;
    uint64_t n = 0;

    for (unsigned i = 0; i < vm->n_ifs; i++)
        if (vm->ifs[i].port && backplane_port_stats(vm->s->bp, vm->ifs[i].port, &st))
            n += st.in_packets + st.out_packets;
    return n;
}

static void look_at(struct vm *vm, uint64_t now)
{
    uint64_t after = park_after_of(vm), n;

    if (!after || vm->parking || vm->control_clients)
        return;
    n = packets_of(vm);
    if (n != vm->moved || !vm->moved_ns) {
        vm->moved = n;
        vm->moved_ns = now;
    } else if (now - vm->moved_ns >= after * SECOND) {
        vm_park(vm, NULL);
    }
}

/* It is seldom that one parks with a timer that is far away. */
static void wake_due(struct daemon_state *s, uint64_t now)
{
    struct strmap_entry *e;
    size_t at = 0;

    if (now < s->wake_due_ns)
        return;
    s->wake_due_ns = UINT64_MAX;
    while ((e = strmap_next(&s->vms, &at))) {
        struct vm *vm = e->value;

        if (vm->state != VM_PARKED)
            continue;
        if (now >= vm->due_ns)
            vm_wake(vm);
        if (vm->state == VM_PARKED) /* or it could not be woken: again, then */
            note_due(vm);
    }
}

void vms_tick(struct daemon_state *s)
{
    uint64_t now = loop_now_ns();

    vms_lay_aside(s);
    if (s->sweep)
        s->sweep = quota_sweep(s->quota);
    for (struct vm *vm = s->awake, *next; vm; vm = next) {
        next = vm->awake_next;
        if (vm->state == VM_RUNNING)
            look_at(vm, now);
    }
    wake_due(s, now);
}
