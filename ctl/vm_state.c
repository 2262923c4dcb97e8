// SPDX-License-Identifier: BSD-3-Clause
/* vm_state.c -- VMs as JSON, and back to life after a restart: see vm.h */

#include "ctl/vm.h"

#include "ctl/json_get.h"
#include "ctl/limits.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *vm_state_name(enum vm_state state)
{
    static const char *const names[] = {
        [VM_STARTING] = "starting", [VM_ADOPTING] = "adopting",
        [VM_RUNNING] = "running",   [VM_CRASHED] = "crashed",
        [VM_ENDING] = "ending",     [VM_PARKED] = "parked"};

    return names[state];
}

/* ---- as the API shows it --------------------------------------------------------- */

static json_t *describe_ifs(const struct vm *vm)
{
    json_t *list = json_array();
    char mac[MAC_TEXT];

    for (unsigned i = 0; i < vm->n_ifs; i++) {
        const struct vm_if *f = &vm->ifs[i];

        json_array_append_new(list,
                              json_pack("{s:o, s:o?, s:s}", "port",
                                        json_sprintf("%s.%u", vm->name, i), "network",
                                        *f->network ? json_string(f->network) : NULL,
                                        "mac", mac_format(f->mac, mac)));
    }
    return list;
}

static void add_step(json_t *o, const char *name, uint64_t from, uint64_t to)
{
    if (from && to >= from)
        json_object_set_new(o, name, json_integer((json_int_t)((to - from) / 1000)));
}

static json_t *describe_times(const struct vm *vm)
{
    const struct vmm_timing *b = &vm->times.boot;
    json_t *o = json_object();

    add_step(o, "asked_to_spawn_us", vm->times.asked, b->spawn);
    add_step(o, "fork_us", b->spawn, b->forked);
    add_step(o, "create_us", b->forked, b->created);
    add_step(o, "jail_us", b->created, b->jailed);
    add_step(o, "enter_us", b->jailed, b->entered);
    add_step(o, "boot_us", b->entered, b->ready);
    add_step(o, "install_us", b->ready, vm->times.installed);
    add_step(o, "total_us", vm->times.asked,
             vm->times.installed ? vm->times.installed : b->reported);
    /* The daemon's own work while the others do theirs. */
    add_step(o, "attach_us", b->spawn, vm->times.attached);
    return o;
}

static json_t *describe_configs(const struct vm *vm)
{
    json_t *list = json_array();

    for (const struct vm_config *c = vm->configs; c; c = c->next)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", c->name, "file", c->spec.file));
    return list;
}

json_t *vm_describe(const struct vm *vm, bool full)
{
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:o, s:o}", "name", vm->name, "state",
        vm_state_name(vm->state), "isolation",
        spec_isolation_name(vm->isolation ? vm->isolation : vm->wanted), "pid",
        (json_int_t)(vm->vmm ? vmm_pid(vm->vmm) : 0), "created_us",
        (json_int_t)vm->created_us, "interfaces", describe_ifs(vm), "configs",
        describe_configs(vm));

    if (vm->trouble)
        json_object_set_new(o, "trouble", json_string(vm->trouble));
    if (full && vm->times.boot.ready)
        json_object_set_new(o, "timing", describe_times(vm));
    return o;
}

/* ---- as the state folder keeps it ------------------------------------------------ */

static json_t *record_ips(const struct vm_if *f)
{
    json_t *list = json_array();
    char text[INET_ADDRSTRLEN];

    for (unsigned i = 0; i < f->n_ip4; i++)
        json_array_append_new(
            list, json_string(inet_ntop(AF_INET, &f->ip4[i], text, sizeof text)));
    return list;
}

static json_t *record_ifs(const struct vm *vm)
{
    json_t *list = json_array();
    char mac[MAC_TEXT];

    for (unsigned i = 0; i < vm->n_ifs; i++) {
        json_t *o = json_pack("{s:s}", "mac", mac_format(vm->ifs[i].mac, mac));

        if (*vm->ifs[i].network)
            json_object_set_new(o, "network", json_string(vm->ifs[i].network));
        if (vm->ifs[i].settings)
            json_object_update(o, vm->ifs[i].settings);
        if (vm->ifs[i].own_only)
            json_object_set_new(o, "wake", json_string("own"));
        if (vm->ifs[i].n_ip4)
            json_object_set_new(o, "ip", record_ips(&vm->ifs[i]));
        json_array_append_new(list, o);
    }
    return list;
}

/* The timer of a parked VM, as a time that another daemon understands, and back. */
static json_int_t due_wall_us(const struct vm *vm)
{
    return (json_int_t)daemon_wall_us() +
           ((json_int_t)vm->due_ns - (json_int_t)loop_now_ns()) / 1000;
}

static void load_due(struct vm *vm, const json_t *due_us)
{
    json_int_t left_us = json_integer_value(due_us) - (json_int_t)daemon_wall_us();

    if (due_us)
        vm->due_ns = loop_now_ns() + (left_us > 0 ? (uint64_t)left_us * 1000 : 0);
}

json_t *vm_record(const struct vm *vm, const char *state)
{
    json_t *configs = json_object(), *spec, *o;

    for (const struct vm_config *c = vm->configs; c; c = c->next)
        json_object_set(configs, c->name, c->spec.json);
    spec = json_pack("{s:s, s:s, s:o}", "name", vm->name, "isolation",
                     spec_isolation_name(vm->wanted), "interfaces", record_ifs(vm));
    if (vm->memory)
        json_object_set_new(spec, "memory", json_integer((json_int_t)vm->memory));
    if (vm->buffers)
        json_object_set_new(spec, "buffers", json_integer((json_int_t)vm->buffers));
    if (vm->mtu)
        json_object_set_new(spec, "mtu", json_integer((json_int_t)vm->mtu));
    if (vm->park_after != SPEC_PARK_DEFAULT)
        json_object_set_new(spec, "park_after",
                            json_integer((json_int_t)vm->park_after));
    if (vm->limits.cpu)
        json_object_set_new(spec, "cpu", json_integer((json_int_t)vm->limits.cpu));
    if (vm->limits.memory)
        json_object_set_new(spec, "memory_max",
                            json_integer((json_int_t)vm->limits.memory));
    if (vm->restart)
        json_object_set_new(spec, "restart",
                            json_string(spec_restart_name(vm->restart)));
    o = json_pack("{s:i, s:s, s:I, s:I, s:I, s:o, s:o}", "version", 1, "state", state,
                  "created_us", (json_int_t)vm->created_us, "pid",
                  (json_int_t)(vm->vmm ? vmm_pid(vm->vmm) : 0), "uid",
                  (json_int_t)vm->uid, "spec", spec, "configs", configs);
    if (vm->trouble)
        json_object_set_new(o, "trouble", json_string(vm->trouble));
    if (!strcmp(state, "parked") && vm->due_ns != UINT64_MAX)
        json_object_set_new(o, "due_us", json_integer(due_wall_us(vm)));
    return o;
}

static void load_configs(struct vm *vm, json_t *configs, struct diag *d)
{
    struct vm_config **at = &vm->configs;
    const char *name;
    json_t *value;

    json_object_foreach(configs, name, value)
    {
        struct vm_config *c = calloc(1, sizeof *c);

        if (!c || spec_config_read(&c->spec, value, d) < 0) {
            free(c);
            continue;
        }
        snprintf(c->name, sizeof c->name, "%s", name);
        *at = c;
        at = &c->next;
    }
}

void vm_take_if(struct vm_if *f, const struct spec_if *spec)
{
    memcpy(f->mac, spec->mac, sizeof f->mac);
    f->settings = portset_filter(spec->json);
    f->own_only = spec->own_only;
    f->n_ip4 = spec->n_ip4;
    memcpy(f->ip4, spec->ip4, sizeof f->ip4);
}

static int load_spec(struct vm *vm, json_t *value, struct diag *d)
{
    char *text = json_dumps(json_object_get(value, "spec"), 0);
    struct spec_vm spec;

    if (!text)
        return diag_err(d, "its file has no spec");
    if (spec_vm_read(&spec, text, strlen(text), d) < 0) {
        free(text);
        return -1;
    }
    free(text);
    vm->wanted = spec.isolation;
    vm->memory = spec.memory;
    vm->buffers = spec.buffers;
    vm->mtu = spec.mtu;
    vm->park_after = spec.park_after;
    vm->restart = spec.restart;
    vm->limits = spec.limits;
    vm->n_ifs = spec.n_ifs;
    for (unsigned i = 0; i < spec.n_ifs; i++) {
        vm_take_if(&vm->ifs[i], &spec.ifs[i]);
        if (spec.ifs[i].network)
            snprintf(vm->ifs[i].network, NAME_ROOM, "%s", spec.ifs[i].network);
    }
    spec_vm_fini(&spec);
    return 0;
}

int vm_load_record(struct vm *vm, json_t *value, struct diag *d)
{
    if (load_spec(vm, value, d) < 0)
        return -1;
    load_configs(vm, json_object_get(value, "configs"), d);
    return 0;
}

static void set_crashed(struct vm *vm, const char *why)
{
    vm->state = VM_CRASHED;
    if (!vm->trouble)
        vm->trouble = strdup(why);
    vm_say(vm, "clickos: %s", vm->trouble ? vm->trouble : why);
    vm_restart_later(vm, true);
}

/* ---- connecting again ------------------------------------------------------------ */

/* A monitor may have 64 descriptors, which is also how many its user may have on their way
 * when it sends; some room is left for VMs that are being started. */
enum { ADOPT_DESCRIPTORS = 48, ADOPT_TRIES = 20 };

void vm_adopt_later(struct vm *vm)
{
    struct daemon_state *s = vm->s;

    vm->next_adopt = NULL;
    if (s->adopt_last)
        s->adopt_last->next_adopt = vm;
    else
        s->adopt_first = vm;
    s->adopt_last = vm;
}

void vm_adopt_forget(struct vm *vm)
{
    struct daemon_state *s = vm->s;
    struct vm *before = NULL, *at = s->adopt_first;

    while (at && at != vm) {
        before = at;
        at = at->next_adopt;
    }
    if (!at)
        return;
    if (before)
        before->next_adopt = vm->next_adopt;
    else
        s->adopt_first = vm->next_adopt;
    if (s->adopt_last == vm)
        s->adopt_last = before;
}

int vm_adopt_now(struct vm *vm, struct diag *d)
{
    char *path = store_socket_path(vm->s->store, vm->name);

    if (path)
        vm->vmm = vmm_adopt(vm->s->host, path, &vm_events, vm, d);
    free(path);
    return vm->vmm ? 0 : -1;
}

/* Its monitor is gone: nobody listens any more. */
static void lost(struct vm *vm)
{
    json_t *record;

    set_crashed(vm, "it ended while the daemon was down");
    record = vm_record(vm, "crashed");
    store_put(vm->s->store, STORE_VM, vm->name, record, NULL);
    json_decref(record);
    vm_adopted(vm, false);
}

/* Packet memory, wake-up, and a doorbell for each interface. */
static unsigned descriptors(const struct vm *vm)
{
    return 2 + vm->n_ifs;
}

void vm_adopt_answered(struct vm *vm)
{
    vm->s->asking -= descriptors(vm);
}

/* A VM that we cannot connect to for want of descriptors goes on without us: it is tried
 * again once a second. */
static bool has_room(struct daemon_state *s, const struct vm *vm)
{
    struct diag d = DIAG_INIT;
    bool has = limits_have_files(2 * s->asking + 6 + 3 * vm->n_ifs, &d) == 0;

    if (!has && !s->adopt_short)
        daemon_log(s, "VM %s and others are not connected to: %s", vm->name,
                   diag_first(&d));
    s->adopt_short = !has;
    diag_fini(&d);
    return has;
}

void vm_adopt_next(struct daemon_state *s)
{
    struct vm *vm;

    while ((vm = s->adopt_first) && has_room(s, vm) &&
           (!s->asking || s->asking + descriptors(vm) <= ADOPT_DESCRIPTORS)) {
        vm_adopt_forget(vm);
        if (vm_adopt_now(vm, NULL) == 0)
            s->asking += descriptors(vm);
        else
            lost(vm);
    }
}

bool vm_adopt_again(struct vm *vm)
{
    if (++vm->adopt_tries >= ADOPT_TRIES)
        return false;
    vm_adopt_later(vm);
    return true;
}

/* Nobody was told that a VM exists that had not finished starting: it must not. */
static void take_back(struct vm *vm)
{
    daemon_log(vm->s, "VM %s had not finished starting and is removed", vm->name);
    vm_adopt_now(vm, NULL);
    vm_remove(vm, NULL);
}

static void adopt(struct vm *vm)
{
    vm->state = VM_ADOPTING;
    vm->s->adopting++;
    vm_adopt_later(vm);
}

/* It is parked, if its monitor is gone; one that still answers had not been ended. */
static void load_parked(struct vm *vm, const json_t *due_us)
{
    char *file = store_parked_path(vm->s->store, vm->name);
    struct diag d = DIAG_INIT;

    vm->has_state = file && access(file, F_OK) == 0;
    if (vm_adopt_now(vm, NULL) == 0) {
        vmm_free(vm->vmm);
        vm->vmm = NULL;
        vm_drop_state(vm);
        adopt(vm);
    } else if (vm_lay_aside(vm, &d) < 0) {
        set_crashed(vm, diag_first(&d));
    } else {
        load_due(vm, due_us);
        vm_set_parked(vm);
    }
    free(file);
    diag_fini(&d);
}

struct loading {
    struct daemon_state *s;
    struct diag *d;
};

static void load_vm(void *ctx, const char *name, json_t *value)
{
    struct loading *l = ctx;
    struct diag d = DIAG_INIT;
    const char *state = "running", *trouble = NULL;
    struct vm *vm = name_check("VM", name, true, &d) == 0 ? vm_new(l->s, name) : NULL;

    if (!vm || load_spec(vm, value, &d) < 0) {
        diag_warn(l->d, "VM %s: %s", name, diag_first(&d));
        if (vm)
            vm_free(vm);
        diag_fini(&d);
        return;
    }
    load_configs(vm, json_object_get(value, "configs"), l->d);
    json_get_string(value, "state", &state, NULL);
    json_get_string(value, "trouble", &trouble, NULL);
    vm->created_us = (uint64_t)json_integer_value(json_object_get(value, "created_us"));
    vm->uid = (uint32_t)json_integer_value(json_object_get(value, "uid"));
    if (vm->uid >= vm->s->uid_next)
        vm->s->uid_next = vm->uid + 1;
    vm->again = strcmp(state, "starting") != 0;
    if (!strcmp(state, "crashed"))
        set_crashed(vm, trouble ? trouble : "it crashed before the daemon was started");
    else if (!strcmp(state, "starting"))
        take_back(vm);
    else if (!strcmp(state, "parked"))
        load_parked(vm, json_object_get(value, "due_us"));
    else
        adopt(vm);
    diag_fini(&d);
}

void vms_load(struct daemon_state *s, struct diag *d)
{
    struct loading l = {s, d};

    store_each(s->store, STORE_VM, load_vm, &l, d);
    vm_adopt_next(s);
}

void vms_free(struct daemon_state *s)
{
    struct strmap_entry *e;
    size_t at = 0;

    while ((e = strmap_next(&s->vms, &at)))
        vm_free(e->value);
    strmap_fini(&s->vms);
}
