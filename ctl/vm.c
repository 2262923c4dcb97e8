// SPDX-License-Identifier: BSD-3-Clause
/* vm.c -- the life cycle of a VM, as asked for: see vm.h */

#include "ctl/vm.h"

#include "ctl/control.h"
#include "ctl/details.h"
#include "ctl/limits.h"
#include "ctl/nets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct vm *vm_new(struct daemon_state *s, const char *name)
{
    struct vm *vm = calloc(1, sizeof *vm);

    if (!vm)
        return NULL;
    snprintf(vm->name, sizeof vm->name, "%s", name);
    vm->s = s;
    vm->log = LOGRING_INIT;
    vm->created_us = daemon_wall_us();
    vm->park_after = SPEC_PARK_DEFAULT;
    vm->due_ns = UINT64_MAX;
    if (strmap_puts(&s->vms, vm->name, vm) < 0) {
        free(vm);
        return NULL;
    }
    order_add(&s->vm_order, &vm->in_order, vm->name);
    return vm;
}

void vm_config_free(struct vm_config *c)
{
    if (!c)
        return;
    spec_config_fini(&c->spec);
    free(c);
}

void vm_unlimit(struct vm *vm)
{
    if (!vm->limits.cpu && !vm->limits.memory)
        return;
    quota_remove(vm->s->quota, vm->name);
    vm->s->sweep = true;
}

void vm_free(struct vm *vm)
{
    vm_adopt_forget(vm);
    vm_forget_awake(vm);
    vm_detach(vm);
    vm_wake_logs(vm, true);
    vm_control_free(vm);
    vm_fail_waiting(vm);
    loop_timer_cancel(vm->s->loop, &vm->restart_timer);
    vmm_free(vm->vmm);
    vm_unlimit(vm);
    for (unsigned i = 0; i < vm->n_ifs; i++)
        json_decref(vm->ifs[i].settings);
    strmap_remove(&vm->s->vms, vm->name, strlen(vm->name));
    order_remove(&vm->s->vm_order, &vm->in_order);
    while (vm->configs) {
        struct vm_config *c = vm->configs;

        vm->configs = c->next;
        vm_config_free(c);
    }
    vm_config_free(vm->installing);
    logring_fini(&vm->log);
    sbuf_fini(&vm->notes);
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

/* A parked one makes room, and hands over the packets that came for it. */
static int attach_one(struct vm *vm, const struct vmm_net *net, unsigned i,
                      struct diag *d)
{
    struct vm_if *f = &vm->ifs[i];
    struct net *n = net_find(vm->s, f->network);
    char name[BACKPLANE_NAME];
    struct port_config c = {.name = name, .kind = PORT_VM};
    struct portset set;

    if (!n)
        return diag_err(d, "there is no network '%s'", f->network);
    snprintf(name, sizeof name, "%s.%u", vm->name, i);
    c.network = n->id;
    c.vm = (struct vm_port_config){.memory_fd = net->mem_fd,
                                   .interface = i,
                                   .wake_fd = net->wake_fd,
                                   .doorbell_fd = net->doorbell_fds[i]};
    if (portset_read(&set, f->settings, f->mac, d) < 0)
        return -1;
    c.settings = set.settings;
    if (!f->parked) {
        if (backplane_add_port(vm->s->bp, &c, &f->port, d) < 0)
            return -1;
    } else if (backplane_unpark(vm->s->bp, f->parked, &c, &f->port, d) < 0) {
        return -1;
    }
    f->parked = NULL;
    return port_bind(vm->s, n->id, f->port, NULL, &set, d);
}

int vm_attach(struct vm *vm, struct diag *d)
{
    const struct vmm_net *net = vmm_net(vm->vmm);

    for (unsigned i = 0; i < vm->n_ifs; i++) {
        if (!*vm->ifs[i].network || vm->ifs[i].port)
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

/* Into the switch first, which may refuse it. */
static int change_if(struct vm *vm, struct vm_if *f, json_t *settings,
                     const struct portset *was, const struct portset *now,
                     struct diag *d)
{
    struct net *n = net_find(vm->s, f->network);
    json_t *had = f->settings, *record;
    int rc;

    if (f->port && n && port_apply(vm->s, n->id, f->port, was, now, d) < 0)
        return -1;
    f->settings = settings;
    record = vm_record(vm, vm_state_name(vm->state));
    rc = store_put(vm->s->store, STORE_VM, vm->name, record, d);
    json_decref(record);
    f->settings = rc < 0 ? had : settings;
    if (rc < 0 && f->port && n)
        port_apply(vm->s, n->id, f->port, now, was, NULL);
    return rc;
}

int vm_change_if(struct vm *vm, unsigned i, const json_t *change, struct diag *d)
{
    struct vm_if *f = &vm->ifs[i];
    json_t *had = f->settings, *settings = portset_merge(had, change, d);
    struct portset was, now;
    int rc = -1;

    if (settings && portset_read(&was, had, f->mac, d) == 0 &&
        portset_read(&now, settings, f->mac, d) == 0)
        rc = change_if(vm, f, settings, &was, &now, d);
    json_decref(rc < 0 ? settings : had);
    return rc;
}

void vm_detach(struct vm *vm)
{
    for (unsigned i = 0; i < vm->n_ifs; i++) {
        if (vm->ifs[i].port)
            backplane_remove_port(vm->s->bp, vm->ifs[i].port, NULL);
        vm->ifs[i].port = 0;
        if (vm->ifs[i].parked)
            backplane_unpark(vm->s->bp, vm->ifs[i].parked, NULL, NULL, NULL);
        vm->ifs[i].parked = NULL;
    }
}

/* ---- removing -------------------------------------------------------------------- */

/* One that we cannot connect to now would go on when it is forgotten. */
static bool is_out_of_reach(struct vm *vm, struct call *c)
{
    struct diag d = DIAG_INIT;
    bool out = vm->state == VM_ADOPTING && !vm->vmm &&
               (limits_have_files(2, &d) < 0 ||
                vm_adopt_now(vm, &d) == VM_OUT_OF_REACH);

    if (out && c)
        call_fail_diag(c, HTTP_NO_SPACE, "no_files", &d);
    diag_fini(&d);
    return out;
}

static void stop_adopting(struct vm *vm)
{
    vm_adopt_answered(vm);
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
    if (is_out_of_reach(vm, c))
        return;
    vm->remover = c;
    if (vm->state == VM_STARTING && (vm->creator || vm->waiter)) {
        vm_fail(vm, HTTP_CONFLICT, "removed", NULL,
                "VM '%s' was removed while it started", vm->name);
        return;
    }
    if (vm->state == VM_ADOPTING)
        stop_adopting(vm);
    vm->state = VM_ENDING;
    vm_control_update(vm);
    vm_detach(vm);
    vm_kill_and_forget(vm);
    vm_drop_state(vm);
    if (vm->vmm)
        return;
    vm_free(vm);
    if (c)
        call_done(c);
}
