// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm_load.c -- VMs back from the state folder after a restart of the daemon: see vm.h
 *
 * Those that run come first: they have a socket, and packets wait for them. The others,
 * of which there may be a hundred thousand parked ones, are read a few at a time between
 * other work; one that somebody asks for by its name is read at once, and what must know
 * all of them (vms_all_there()) waits. The switch keeps what comes for those not read yet.
 */

#include "ctl/vm.h"

#include "ctl/json_get.h"
#include "ctl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* VMs a turn of the event loop: half a millisecond. Their ports are parked some turns at a
 * time, for which the switch stands still: on a busy machine it is waited for. */
enum { LOAD_TURN = 32, LOAD_ASIDE = 256 };

struct vm_loading {
    struct store_names *names;    /* owned; of those still to be read */
    char name[NAME_ROOM];         /* next; "": not known yet */
    struct loop_work work;        /* reads on */
    struct vm *aside[LOAD_ASIDE]; /* borrowed; parked, their ports still to be */
    unsigned n_aside;
    struct call_list *waiting; /* owned; calls to be run when all are there */
};

/* ---- from a record --------------------------------------------------------------- */

static void load_due(struct vm *vm, const json_t *due_us)
{
    json_int_t left_us = json_integer_value(due_us) - (json_int_t)daemon_wall_us();

    if (due_us)
        vm->due_ns = loop_now_ns() + (left_us > 0 ? (uint64_t)left_us * 1000 : 0);
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
    json_t *json = json_object_get(value, "spec");
    struct spec_vm spec;

    if (!json_is_object(json))
        return diag_err(d, "its file has no spec");
    if (spec_vm_take(&spec, json_incref(json), d) < 0)
        return -1;
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

    errno = ENOMEM;
    if (path)
        vm->vmm = vmm_adopt(vm->s->host, path, &vm_events, vm, d);
    else
        diag_err(d, "out of memory");
    free(path);
    if (vm->vmm)
        return 0;
    return errno == ECONNREFUSED || errno == ENOENT ? -1 : VM_OUT_OF_REACH;
}

/* Packet memory, wake-up, and a doorbell for each interface. */
static unsigned descriptors(const struct vm *vm)
{
    return 2 + vm->n_ifs;
}

static void set_lost(struct vm *vm)
{
    json_t *record;

    set_crashed(vm, "it ended while the daemon was down");
    record = vm_record(vm, "crashed");
    store_put(vm->s->store, STORE_VM, vm->name, record, NULL);
    json_decref(record);
}

/* Its ports are parked, or it has crashed. */
static void set_parked(struct vm *vm)
{
    struct diag d = DIAG_INIT;

    if (vm_lay_aside(vm, &d) < 0)
        set_crashed(vm, diag_first(&d));
    else
        vm_set_parked(vm);
    diag_fini(&d);
}

static void forget(struct vm *vm)
{
    vm_kill_and_forget(vm);
    vm_free(vm);
}

/* Its monitor is gone: nobody listens any more. */
static void lost(struct vm *vm)
{
    enum vm_state is = vm->unless_found;

    vm->state = is;
    vm_adopted(vm, false);
    if (is == VM_PARKED)
        set_parked(vm);
    else if (is == VM_STARTING)
        forget(vm);
    else
        set_lost(vm);
}

/* It runs, whatever the record says; nobody was told that a VM exists that had not
 * finished starting: it must not. */
static void found(struct vm *vm)
{
    vm->asked = true;
    vm->s->asking += descriptors(vm);
    if (vm->unless_found == VM_STARTING)
        vm_remove(vm, NULL);
    else if (vm->unless_found == VM_PARKED)
        vm_drop_state(vm);
}

void vm_adopt_answered(struct vm *vm)
{
    if (vm->asked)
        vm->s->asking -= descriptors(vm);
    vm->asked = false;
}

/* A VM that we cannot connect to for want of descriptors goes on without us: it is tried
 * again once a second. */
static void say_short(struct daemon_state *s, const struct vm *vm, const struct diag *d)
{
    if (!s->adopt_short)
        daemon_log(s, "VM %s and others are not connected to: %s", vm->name,
                   diag_first(d));
    s->adopt_short = true;
}

static bool has_room(struct daemon_state *s, const struct vm *vm)
{
    struct diag d = DIAG_INIT;
    bool has = limits_have_files(2 * s->asking + 6 + 3 * vm->n_ifs, &d) == 0;

    if (!has)
        say_short(s, vm, &d);
    diag_fini(&d);
    return has;
}

/* False: not now. */
static bool connect_to(struct vm *vm)
{
    struct daemon_state *s = vm->s;
    struct diag d = DIAG_INIT;
    int rc = vm_adopt_now(vm, &d);

    if (rc == 0) {
        found(vm);
        s->adopt_short = false;
    } else if (rc == VM_OUT_OF_REACH) {
        say_short(s, vm, &d);
        vm_adopt_later(vm);
    } else {
        lost(vm);
    }
    diag_fini(&d);
    return rc != VM_OUT_OF_REACH;
}

void vm_adopt_next(struct daemon_state *s)
{
    struct vm *vm;

    while ((vm = s->adopt_first) && has_room(s, vm) &&
           (!s->asking || s->asking + descriptors(vm) <= ADOPT_DESCRIPTORS)) {
        vm_adopt_forget(vm);
        if (!connect_to(vm))
            break;
    }
}

bool vm_adopt_again(struct vm *vm)
{
    if (++vm->adopt_tries >= ADOPT_TRIES)
        return false;
    vm_adopt_later(vm);
    return true;
}

/* ---- one VM ---------------------------------------------------------------------- */

/* Somebody listens, or has; if it turns out that nobody does, `is` is what it is. */
static void adopt(struct vm *vm, enum vm_state is)
{
    vm->state = VM_ADOPTING;
    vm->unless_found = is;
    if (vm->limits.memory) /* what was before is no news */
        vm->memory_kills = quota_kills(vm->s->quota, vm->name);
    vm->s->adopting++;
    vm_adopt_later(vm);
}

/* Nobody listens. */
static void load_quiet(struct vm *vm, enum vm_state is)
{
    struct vm_loading *l = vm->s->loading;

    if (is == VM_PARKED && l && l->n_aside < LOAD_ASIDE) {
        vm->state = VM_PARKED;
        l->aside[l->n_aside++] = vm;
    } else if (is == VM_PARKED) {
        set_parked(vm);
    } else if (is == VM_STARTING) {
        forget(vm);
    } else {
        set_lost(vm);
    }
}

static void load_members(struct vm *vm, json_t *value, bool parked)
{
    char *file = parked ? store_parked_path(vm->s->store, vm->name) : NULL;

    vm->created_us = (uint64_t)json_integer_value(json_object_get(value, "created_us"));
    vm->uid = (uint32_t)json_integer_value(json_object_get(value, "uid"));
    if (vm->uid >= vm->s->uid_next)
        vm->s->uid_next = vm->uid + 1;
    vm->has_state = file && access(file, F_OK) == 0;
    if (parked)
        load_due(vm, json_object_get(value, "due_us"));
    free(file);
}

struct load_one {
    struct daemon_state *s;
    bool listens; /* it has a socket */
    struct diag *d;
};

static void load_vm(void *ctx, const char *name, json_t *value)
{
    struct load_one *l = ctx;
    struct diag d = DIAG_INIT;
    const char *state = "running", *trouble = NULL;
    struct vm *vm = name_check("VM", name, true, &d) == 0 ? vm_new(l->s, name) : NULL;
    enum vm_state is = VM_RUNNING;

    if (!vm || vm_load_record(vm, value, &d) < 0) {
        diag_warn(l->d, "VM %s: %s", name, diag_first(&d));
        if (vm)
            vm_free(vm);
        diag_fini(&d);
        return;
    }
    json_get_string(value, "state", &state, NULL);
    json_get_string(value, "trouble", &trouble, NULL);
    if (!strcmp(state, "starting"))
        is = VM_STARTING;
    else if (!strcmp(state, "parked"))
        is = VM_PARKED;
    load_members(vm, value, is == VM_PARKED);
    vm->again = is != VM_STARTING;
    if (is == VM_STARTING)
        daemon_log(vm->s, "VM %s had not finished starting and is removed", vm->name);
    if (!strcmp(state, "crashed"))
        set_crashed(vm, trouble ? trouble : "it crashed before the daemon was started");
    else if (l->listens)
        adopt(vm, is);
    else
        load_quiet(vm, is);
    diag_fini(&d);
}

/* -1: it cannot be read now. What is there already stays. */
static int load_by_name(struct daemon_state *s, const char *name, bool listens)
{
    struct diag d = DIAG_INIT;
    struct load_one l = {s, listens, &d};
    int rc = 0;

    if (!strmap_gets(&s->vms, name))
        rc = store_load(s->store, STORE_VM, name, load_vm, &l, &d);
    daemon_log_all(s, &d);
    diag_fini(&d);
    return rc;
}

/* ---- all of them ----------------------------------------------------------------- */

/* The switch stands still once for all of them. */
void vms_lay_aside(struct daemon_state *s)
{
    struct vm_loading *l = s->loading;

    if (!l || !l->n_aside)
        return;
    backplane_hold(s->bp);
    for (unsigned i = 0; i < l->n_aside; i++)
        set_parked(l->aside[i]);
    backplane_release(s->bp);
    l->n_aside = 0;
}

static void load_those_that_listen(struct daemon_state *s, struct diag *d)
{
    struct store_names *names = store_names_open(s->store, STORE_SOCKET, d);
    const char *name;

    while (names && (name = store_names_next(names)))
        load_by_name(s, name, true);
    store_names_close(names);
}

void vms_load(struct daemon_state *s, struct diag *d)
{
    backplane_expect_parked(s->bp, true);
    load_those_that_listen(s, d);
    vm_adopt_next(s);
    s->loading = calloc(1, sizeof *s->loading);
    if (s->loading)
        s->loading->names = store_names_open(s->store, STORE_VM, d);
    else
        diag_err(d, "out of memory");
}

static void free_loading(struct daemon_state *s)
{
    store_names_close(s->loading->names);
    free(s->loading);
    s->loading = NULL;
}

static void loaded(struct daemon_state *s)
{
    struct call_list *waiting = s->loading->waiting;

    free_loading(s);
    backplane_expect_parked(s->bp, false);
    call_list_run(&waiting, s);
}

static bool next_name(struct vm_loading *l)
{
    const char *name;

    while (l->names && !*l->name && (name = store_names_next(l->names)))
        if (strlen(name) < sizeof l->name)
            strcpy(l->name, name);
    return *l->name;
}

/* One that cannot be read now is the next again when vms_load_rest() is called again. */
static bool load_more(void *ctx)
{
    struct daemon_state *s = ctx;
    struct vm_loading *l = s->loading;
    bool stuck = false;

    for (unsigned i = 0; i < LOAD_TURN && !stuck; i++) {
        if (!next_name(l)) {
            vms_lay_aside(s);
            loaded(s);
            return false;
        }
        stuck = load_by_name(s, l->name, false) < 0;
        if (!stuck)
            l->name[0] = '\0';
    }
    if (stuck || l->n_aside > LOAD_ASIDE - LOAD_TURN)
        vms_lay_aside(s);
    return !stuck;
}

void vms_load_rest(struct daemon_state *s)
{
    if (!s->loading)
        return;
    if (!s->loading->work.live)
        s->loading->work = (struct loop_work){.more = load_more, .ctx = s};
    loop_work_add(s->loop, &s->loading->work);
}

struct vm *vm_find(struct daemon_state *s, const char *name)
{
    if (s->loading && !strmap_gets(&s->vms, name) &&
        name_check("VM", name, true, NULL) == 0)
        load_by_name(s, name, false);
    vms_lay_aside(s);
    return strmap_gets(&s->vms, name);
}

bool vms_all_there(struct daemon_state *s, struct call *c)
{
    if (s->loading)
        call_list_add(&s->loading->waiting, c);
    return !s->loading;
}

void vms_free(struct daemon_state *s)
{
    struct strmap_entry *e;
    size_t at = 0;

    if (s->loading) {
        call_list_free(&s->loading->waiting); /* the server answers them */
        loop_work_cancel(s->loop, &s->loading->work);
        free_loading(s);
    }
    while ((e = strmap_next(&s->vms, &at)))
        vm_free(e->value);
    strmap_fini(&s->vms);
}
