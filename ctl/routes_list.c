// SPDX-License-Identifier: BSD-3-Clause
/* routes_list.c -- GET /v1/vms: a hundred thousand VMs, while others want something, too */

#include "ctl/vm.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* VMs a turn of the event loop: half a millisecond. */
enum { LIST_TURN = 256 };

struct listing {
    struct daemon_state *s; /* borrowed */
    struct call *call;      /* borrowed */
    char last[NAME_ROOM];   /* the list goes on behind this name */
    const char *state;      /* only those in it; NULL: all */
    uint64_t left;          /* no more than these */
    bool any;
    struct loop_work work;
};

static void listing_free(struct listing *l)
{
    if (!l)
        return;
    loop_work_cancel(l->s->loop, &l->work);
    free(l);
}

static void list_cancelled(struct call *c, void *ctx)
{
    (void)c;
    listing_free(ctx);
}

/* The next VM behind the last name; NULL: there is none. */
static const struct vm *step(struct listing *l)
{
    const struct order_node *n = order_next(&l->s->vm_order, l->last);

    if (!n)
        return NULL;
    strcpy(l->last, n->name);
    return (const struct vm *)((const char *)n - offsetof(struct vm, in_order));
}

static void list_one(struct listing *l, const struct vm *vm)
{
    if (l->state && strcmp(l->state, vm_state_name(vm->state)))
        return;
    sbuf_puts(&l->call->answer, l->any ? ",\n    " : "\n    ");
    vm_write_line(vm, &l->call->answer);
    l->any = true;
    l->left--;
}

static bool list_more(void *ctx)
{
    struct listing *l = ctx;
    struct call *c = l->call;
    const struct vm *vm;

    for (unsigned i = 0; l->left && (vm = step(l)); i++) {
        list_one(l, vm);
        if (i == LIST_TURN)
            return true;
    }
    sbuf_puts(&c->answer, l->any ? "\n  ]\n}\n" : "]\n}\n");
    listing_free(l);
    call_written(c, HTTP_OK);
    return false;
}

static int read_query(struct listing *l, struct call *c)
{
    const char *after = call_query(c, "after");

    l->left = UINT64_MAX;
    if (call_query_number(c, "limit", &l->left) < 0)
        return -1;
    l->state = call_query(c, "state");
    if (l->state && !vm_state_is_known(l->state)) {
        call_fail(c, HTTP_BAD_REQUEST, "bad_request",
                  "'%.40s' is no state of a VM: use %s", l->state, vm_states());
        return -1;
    }
    if (after && strlen(after) >= sizeof l->last) {
        call_fail(c, HTTP_BAD_REQUEST, "bad_request", "'after' must be a VM's name");
        return -1;
    }
    if (after)
        strcpy(l->last, after);
    return 0;
}

static void vms_list(struct daemon_state *s, struct call *c)
{
    struct listing *l;

    if (!vms_all_there(s, c))
        return;
    l = calloc(1, sizeof *l);
    if (!l) {
        call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
        return;
    }
    l->s = s;
    l->call = c;
    l->work = (struct loop_work){.more = list_more, .ctx = l};
    if (read_query(l, c) < 0) {
        free(l);
        return;
    }
    sbuf_puts(&c->answer, "{\n  \"vms\": [");
    if (s->vms.count > LIST_TURN) {
        c->cancel = list_cancelled;
        c->cancel_ctx = l;
        loop_work_add(s->loop, &l->work);
    } else {
        list_more(l);
    }
}

ROUTE(vms_list) = {
    .method = "GET",
    .path = "/v1/vms",
    .query = "state limit after",
    .run = vms_list,
    .help = "list VMs by name: those in a state, behind a name, no more than a limit",
};
