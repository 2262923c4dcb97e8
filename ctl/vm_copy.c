// SPDX-License-Identifier: BSD-3-Clause
/* vm_copy.c -- snapshots, what is restored from them, and clones: see vm.h */

#include "ctl/vm.h"

#include "ctl/json_get.h"
#include "ctl/snapshot.h"
#include "ctl/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_FILE = 1 << 20 };

/* ---- one VM from a record and a state ---------------------------------------------- */

/* Change variables of a configuration: `defines` over those it has. */
static int redefine(struct vm_config *c, const json_t *defines, struct diag *d)
{
    json_t *had = json_object_get(c->spec.json, "defines");
    json_t *now = json_is_object(had) ? json_copy(had) : json_object();
    struct spec_config fresh;
    int rc = -1;

    if (!now || json_object_update(now, (json_t *)(uintptr_t)defines) < 0)
        diag_err(d, "out of memory");
    else
        rc = spec_config_make(&fresh, c->spec.text, c->spec.len, c->spec.file, now, d);
    json_decref(now);
    if (rc < 0)
        return -1;
    spec_config_fini(&c->spec);
    c->spec = fresh;
    return 0;
}

/* Under another name it is another VM. */
static void rename_vm(struct vm *vm, const json_t *record)
{
    const char *was = json_string_value(
        json_object_get(json_object_get(record, "spec"), "name"));

    if (was && strcmp(was, vm->name) == 0)
        return;
    for (unsigned i = 0; i < vm->n_ifs; i++)
        mac_from_name(vm->name, i, vm->ifs[i].mac);
    vm->how.as_it_was = false;
}

/* NULL with a message when it cannot even be begun with; later, the waiter is told. */
static struct vm *copy_new(struct daemon_state *s, const char *name, json_t *record,
                           const json_t *defines, struct diag *d)
{
    struct vm *vm = vm_new(s, name);

    if (!vm) {
        diag_err(d, "out of memory");
        return NULL;
    }
    vm->times.asked = loop_now_ns();
    vm->how.as_it_was = vm->how.late = true;
    if (vm_load_record(vm, record, d) < 0) {
        vm_free(vm);
        return NULL;
    }
    rename_vm(vm, record);
    vm->uid = vm_next_uid(s);
    for (struct vm_config *c = vm->configs; c && json_object_size(defines);
         c = c->next) {
        vm->how.as_it_was = false;
        if (redefine(c, defines, d) < 0) {
            vm_free(vm);
            return NULL;
        }
    }
    return vm;
}

/* ---- checkpoints ------------------------------------------------------------------- */

static bool is_running(struct vm *vm, struct call *c)
{
    if (vm->state == VM_RUNNING && !vm->installer)
        return true;
    call_fail(c, HTTP_CONFLICT, vm->state == VM_CRASHED ? "vm_crashed" : "busy",
              "VM '%s' does not run (%s)", vm->name,
              vm->installer ? "a configuration is being installed"
                            : vm_state_name(vm->state));
    return false;
}

/* What a checkpoint is for, until it is there. */
struct taking {
    struct vm *vm;     /* borrowed */
    struct call *call; /* borrowed */
    char *file;        /* owned; a snapshot */
    json_t *clones;    /* owned; clones */
};

static void taking_free(struct taking *t)
{
    free(t->file);
    json_decref(t->clones);
    free(t);
}

/* -1 with the call answered. */
static int taken(struct taking *t, uint32_t status, const char *text, size_t len)
{
    int fd = status == CONTROL_OK ? vmm_take_state(t->vm->vmm) : -1;

    if (status != CONTROL_OK)
        vm_fail_status(t->vm, t->call, status, text, len);
    else if (fd < 0)
        call_fail(t->call, HTTP_INTERNAL, "vm_failed",
                  "VM '%s' cannot be copied: its monitor has sent nothing usable",
                  t->vm->name);
    return fd;
}

static int take(struct taking *t, vmm_reply_fn *reply)
{
    const struct vmm_request r = {.verb = CONTROL_CHECKPOINT};
    struct diag d = DIAG_INIT;
    int rc = vmm_request(t->vm->vmm, &r, reply, t, &d);

    if (rc < 0) {
        call_fail_diag(t->call, HTTP_CONFLICT, "refused", &d);
        taking_free(t);
    }
    diag_fini(&d);
    return rc;
}

static struct taking *taking_new(struct vm *vm, struct call *c)
{
    struct taking *t = is_running(vm, c) ? calloc(1, sizeof *t) : NULL;

    if (t)
        *t = (struct taking){.vm = vm, .call = c};
    else if (!c->answered)
        call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
    return t;
}

/* ---- snapshots --------------------------------------------------------------------- */

/* A state on its way into a file. The VM goes on meanwhile, and may end. */
struct saving {
    struct task task;
    struct call *call; /* borrowed */
    char name[NAME_ROOM];
    char *file;     /* owned, as the next two */
    json_t *record; /* shares nothing with the VM */
    int fd;
    uint64_t bytes, pause_ns;
    int rc;
    struct diag d;
};

static void saving_free(struct saving *w)
{
    if (w->fd >= 0)
        close(w->fd);
    json_decref(w->record);
    free(w->file);
    diag_fini(&w->d);
    free(w);
}

static void save(struct task *t)
{
    struct saving *w = (struct saving *)t;

    struct vmm_state_info info;

    w->rc = snapshot_save(w->file, w->record, w->fd, &w->bytes, &w->d);
    if (vmm_state_info(w->fd, &info) == 0)
        w->pause_ns = info.pause_ns;
    /* Giving back its memory takes a while, too. */
    close(w->fd);
    w->fd = -1;
}

static void saved(struct task *t)
{
    struct saving *w = (struct saving *)t;

    if (w->rc < 0)
        call_fail_diag(w->call, w->rc == SNAPSHOT_FULL ? HTTP_NO_SPACE : HTTP_REFUSED,
                       w->rc == SNAPSHOT_FULL ? "no_space" : "refused", &w->d);
    else
        call_json(w->call, HTTP_CREATED,
                  json_pack("{s:s, s:s, s:I, s:I}", "name", w->name, "file", w->file,
                            "bytes", (json_int_t)w->bytes, "stopped_us",
                            (json_int_t)(w->pause_ns / 1000)));
    saving_free(w);
}

/* Takes `fd` and the file's name over. */
static void save_later(struct taking *t, int fd)
{
    json_t *record = vm_record(t->vm, "snapshot");
    struct saving *w = calloc(1, sizeof *w);

    if (!w) {
        call_fail(t->call, HTTP_NO_SPACE, "no_memory", "out of memory");
        json_decref(record);
        close(fd);
        return;
    }
    *w = (struct saving){.task = {.run = save, .done = saved},
                         .call = t->call,
                         .file = t->file,
                         .record = json_deep_copy(record),
                         .fd = fd,
                         .d = DIAG_INIT};
    memcpy(w->name, t->vm->name, sizeof w->name);
    t->file = NULL;
    json_decref(record);
    if (!w->file || !w->record) {
        call_fail(t->call, HTTP_NO_SPACE, "no_memory", "out of memory");
        saving_free(w);
    } else if (tasks_start(t->vm->s->tasks, &w->task, &w->d) < 0) {
        call_fail_diag(t->call, HTTP_INTERNAL, "no_memory", &w->d);
        saving_free(w);
    }
}

static void snapshot_taken(struct vmm *vmm, void *ctx, uint32_t status,
                           const char *text, size_t len)
{
    struct taking *t = ctx;
    int fd = taken(t, status, text, len);

    (void)vmm;
    if (fd >= 0)
        save_later(t, fd);
    taking_free(t);
}

void vm_snapshot(struct vm *vm, struct call *c, const char *file)
{
    struct taking *t = taking_new(vm, c);

    if (t) {
        t->file = strdup(file);
        take(t, snapshot_taken);
    }
}

static void restore_vm(struct daemon_state *s, struct call *c, json_t *record, int fd,
                       const char *name, bool create_nets)
{
    struct diag d = DIAG_INIT;
    struct vmm_spec shape;
    struct vm *vm;

    if (!name)
        name = json_string_value(
            json_object_get(json_object_get(record, "spec"), "name"));
    if (vmm_state_shape(s->host, fd, &shape, &d) < 0) {
        call_fail_diag(c, HTTP_REFUSED, "refused", &d);
    } else if (name_check("VM", name ? name : "", true, &d) < 0) {
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    } else if (vm_name_is_free(s, c, name)) {
        vm = copy_new(s, name, record, NULL, &d);
        if (vm) {
            vm->creator = c;
            vm->how.state_fd = fd;
            vm_note_and_bring_up(vm, create_nets);
        } else {
            call_fail_diag(c, HTTP_REFUSED, "refused", &d);
        }
    }
    diag_fini(&d);
}

/* A snapshot is read beside the event loop: there may be hundreds of MiB to be summed. */
struct reading {
    struct task task;
    struct daemon_state *s; /* borrowed */
    struct call *call;      /* borrowed */
    char *file, *name;      /* owned; name NULL: that of the file */
    bool create_nets;
    json_t *record; /* owned */
    int fd, rc;
    struct diag d;
};

static void reading_free(struct reading *r)
{
    if (r->fd >= 0)
        close(r->fd);
    json_decref(r->record);
    free(r->file);
    free(r->name);
    diag_fini(&r->d);
    free(r);
}

static void read_snapshot(struct task *t)
{
    struct reading *r = (struct reading *)t;

    r->rc = snapshot_load(r->file, &r->record, &r->fd, &r->d);
}

static void snapshot_was_read(struct task *t)
{
    struct reading *r = (struct reading *)t;

    if (r->rc < 0)
        call_fail_diag(r->call, HTTP_REFUSED, "refused", &r->d);
    else
        restore_vm(r->s, r->call, r->record, r->fd, r->name, r->create_nets);
    reading_free(r);
}

/* A thread costs more than a small file. */
static bool is_small(const char *file)
{
    struct stat st;

    return stat(file, &st) < 0 || st.st_size <= SMALL_FILE;
}

void vm_restore(struct daemon_state *s, struct call *c, const char *file,
                const char *name, bool create_nets)
{
    struct reading *r = calloc(1, sizeof *r);

    if (!r) {
        call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
        return;
    }
    *r = (struct reading){.task = {.run = read_snapshot, .done = snapshot_was_read},
                          .s = s,
                          .call = c,
                          .file = strdup(file),
                          .name = name ? strdup(name) : NULL,
                          .create_nets = create_nets,
                          .fd = -1,
                          .d = DIAG_INIT};
    if (!r->file || (name && !r->name)) {
        call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
        reading_free(r);
    } else if (is_small(file)) {
        read_snapshot(&r->task);
        snapshot_was_read(&r->task);
    } else if (tasks_start(s->tasks, &r->task, &r->d) < 0) {
        call_fail_diag(c, HTTP_INTERNAL, "no_memory", &r->d);
        reading_free(r);
    }
}

/* ---- clones ------------------------------------------------------------------------ */

/* All clones of one call: answered when all run, or when none is left. */
struct cloning {
    struct daemon_state *s; /* borrowed */
    struct call *call;      /* borrowed */
    json_t *done;           /* owned: descriptions of those that run */
    unsigned pending;       /* that were begun with and have not been heard of */
    struct failure failure; /* of the first that failed */
};

/* Each clone's own link to it. */
struct clone {
    struct vm_waiter waiter;
    struct cloning *all; /* borrowed */
};

static void fail_cloning(struct cloning *a)
{
    struct failure *f = &a->failure;
    const json_t *one;
    size_t i;

    json_array_foreach(a->done, i, one)
    {
        struct vm *vm = vm_find(a->s, json_string_value(json_object_get(one, "name")));

        if (vm)
            vm_remove(vm, NULL);
    }
    vm_tell_failure(a->call, NULL, f);
    free(f->text);
}

static void clone_over(struct cloning *a)
{
    if (--a->pending)
        return;
    if (a->failure.status) {
        fail_cloning(a);
        json_decref(a->done);
    } else {
        call_json(a->call, HTTP_CREATED, json_pack("{s:o}", "vms", a->done));
    }
    free(a);
}

static void clone_done(struct vm_waiter *w, struct vm *vm, const struct failure *f)
{
    struct clone *one = (struct clone *)w;
    struct cloning *a = one->all;

    if (vm) {
        json_array_append_new(a->done, vm_describe(vm, true));
    } else if (!a->failure.status) {
        a->failure = *f;
        a->failure.text = strdup(f->text ? f->text : "out of memory");
        json_incref(a->failure.details);
    }
    free(one);
    clone_over(a);
}

static void clone_one(struct cloning *a, json_t *record, const json_t *spec, int fd)
{
    const char *name = json_string_value(json_object_get(spec, "name"));
    struct clone *one = calloc(1, sizeof *one);
    struct diag d = DIAG_INIT;
    struct vm *vm = NULL;
    struct failure f = {.status = HTTP_REFUSED, .code = "refused"};

    if (one && vm_find(a->s, name))
        diag_err(&d, "a VM named '%s' exists", name);
    else if (one)
        vm = copy_new(a->s, name, record, json_object_get(spec, "defines"), &d);
    a->pending++;
    if (vm) {
        *one = (struct clone){.waiter.done = clone_done, .all = a};
        vm->waiter = &one->waiter;
        vm->how.state_fd = fd;
        vm_note_and_bring_up(vm, false);
    } else {
        f.text = strdup(d.n_messages ? d.messages[0].text : "out of memory");
        if (!a->failure.status)
            a->failure = f;
        else
            free(f.text);
        free(one);
        clone_over(a);
    }
    diag_fini(&d);
}

static void clone_all(struct taking *t, int fd)
{
    struct cloning *a = calloc(1, sizeof *a);
    json_t *record = vm_record(t->vm, "snapshot");
    const json_t *one;
    size_t i;

    if (!a) {
        call_fail(t->call, HTTP_NO_SPACE, "no_memory", "out of memory");
        json_decref(record);
        return;
    }
    *a = (struct cloning){
        .s = t->vm->s, .call = t->call, .done = json_array(), .pending = 1};
    json_array_foreach(t->clones, i, one) if (!a->failure.status)
        clone_one(a, record, one, fd);
    clone_over(a);
    json_decref(record);
}

static void clones_taken(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                         size_t len)
{
    struct taking *t = ctx;
    int fd = taken(t, status, text, len);

    (void)vmm;
    if (fd >= 0) {
        clone_all(t, fd);
        close(fd);
    }
    taking_free(t);
}

/* All names are looked at before the VM is stopped for a moment. */
static int check_clones(struct daemon_state *s, struct call *c, const json_t *clones,
                        struct diag *d)
{
    static const char *const known[] = {"name", "defines"};
    const json_t *one;
    size_t i;

    if (!json_is_array(clones) || !json_array_size(clones))
        return diag_err(d, "'clones' must be a list of {\"name\", \"defines\"}");
    json_array_foreach(clones, i, one)
    {
        const char *name = NULL;

        if (!json_is_object(one) || json_get_only(one, known, 2, d) < 0 ||
            json_get_string(one, "name", &name, d) < 0 ||
            name_check("VM", name ? name : "", true, d) < 0)
            return d->n_messages ? -1
                                 : diag_err(d, "'clones' must be a list of objects");
        if (!vm_name_is_free(s, c, name))
            return -1;
    }
    return 0;
}

void vm_clone(struct vm *vm, struct call *c, const json_t *clones)
{
    struct diag d = DIAG_INIT;
    struct taking *t;

    if (check_clones(vm->s, c, clones, &d) < 0) {
        if (!c->answered)
            call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    } else if ((t = taking_new(vm, c))) {
        t->clones = json_incref((json_t *)(uintptr_t)clones);
        take(t, clones_taken);
    }
    diag_fini(&d);
}
