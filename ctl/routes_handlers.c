// SPDX-License-Identifier: BSD-3-Clause
/* routes_handlers.c -- /v1/vms/{vm}/handlers: reading and writing what runs in a VM */

#include "ctl/nets.h"
#include "ctl/vm.h"

#include <string.h>

static void read_answered(struct vmm *vmm, void *ctx, uint32_t status, const char *text,
                          size_t len)
{
    struct call *c = ctx;
    struct vm *vm = c->ctx; /* alive: requests are answered before its end */

    (void)vmm;
    if (status == CONTROL_OK)
        call_text(c, HTTP_OK, text, len);
    else
        vm_fail_status(vm, c, status, text, len);
}

static void write_answered(struct vmm *vmm, void *ctx, uint32_t status,
                           const char *text, size_t len)
{
    struct call *c = ctx;
    struct vm *vm = c->ctx;

    (void)vmm;
    if (status != CONTROL_OK)
        vm_fail_status(vm, c, status, text, len);
    else if (len)
        call_text(c, HTTP_OK, text, len);
    else
        call_done(c);
}

static struct vm *running(struct daemon_state *s, struct call *c)
{
    struct vm *vm = vm_find(s, c->args[0]);

    if (!vm)
        fail_unknown(c, &s->vms, "VM", "no_such_vm", c->args[0]);
    else if (vm_is_there(vm, c))
        return vm;
    return NULL;
}

static void ask(struct vm *vm, struct call *c, struct vmm_request *r,
                vmm_reply_fn *reply)
{
    struct diag d = DIAG_INIT;

    /* Without a name the VM's only configuration is meant; 'main' of several. */
    r->name = call_query(c, "config");
    if (!r->name && vm->configs && vm->configs->next)
        r->name = SPEC_MAIN;
    r->handler = c->args[1];
    c->ctx = vm;
    if (vmm_request(vm->vmm, r, reply, c, &d) < 0)
        call_fail_diag(c, HTTP_REFUSED, "refused", &d);
    diag_fini(&d);
}

static void handler_get(struct daemon_state *s, struct call *c)
{
    struct vm *vm = running(s, c);
    const char *param = call_query(c, "param");
    struct vmm_request r = {.verb = CONTROL_READ, .text = param};

    if (!vm)
        return;
    r.len = param ? strlen(param) : 0;
    ask(vm, c, &r, read_answered);
}

static void handler_put(struct daemon_state *s, struct call *c)
{
    struct vm *vm = running(s, c);
    struct vmm_request r = {
        .verb = CONTROL_WRITE, .text = sbuf_text(&c->body), .len = c->body.len};

    if (vm)
        ask(vm, c, &r, write_answered);
}

ROUTE(handler_get) = {
    .method = "GET",
    .path = "/v1/vms/{vm}/handlers/{handler*}",
    .query = "param config",
    .run = handler_get,
    .help = "read a handler, as fw.count",
};

ROUTE(handler_put) = {
    .method = "PUT",
    .path = "/v1/vms/{vm}/handlers/{handler*}",
    .query = "config",
    .run = handler_put,
    .help = "write a handler; the body is the value",
};
