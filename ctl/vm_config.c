// SPDX-License-Identifier: BSD-3-Clause
/* vm_config.c -- the configurations of a VM, while it runs: see vm.h */

#include "ctl/vm.h"

#include "ctl/control.h"
#include "ctl/details.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- configurations -------------------------------------------------------------- */

void vm_fail_status(struct vm *vm, struct call *c, uint32_t status, const char *text,
                    size_t len)
{
    json_t *details = len ? details_from_text(text, len) : NULL;
    const char *first = json_string_value(
        json_object_get(json_array_get(details, 0), "message"));

    if (status == CONTROL_NO_HANDLER)
        call_fail(c, HTTP_NOT_FOUND, "no_such_handler", "%s%s",
                  first ? first : "no such handler",
                  vm->configs && vm->configs->next && !call_query(c, "config")
                      ? " in the configuration 'main': there are others (--config)"
                      : "");
    else if (status == CONTROL_NO_CONFIG)
        call_fail(c, HTTP_NOT_FOUND, "no_such_config", "VM '%s' has no %sconfiguration",
                  vm->name, vm->configs ? "such " : "");
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

    return vm_add_notes(vm, o, text, len);
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
        vm_control_update(vm);
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
    if (rc == 0 && vm_request_install(vm, new, installed, &d) == 0)
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
    vm_control_update(r->vm);
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
