// SPDX-License-Identifier: BSD-3-Clause
/* control_router.c -- a router's handlers for the control protocol: control_protocol.h */

#include "engine/control_protocol.h"
#include "engine/handler.h"
#include "engine/llrpc.h"
#include "engine/router.h"

#include <stdlib.h>
#include <string.h>

/* By its name, or by its number from 1 on. */
static struct element *named_element(const struct control_target *t, const char *name)
{
    struct element *e = router_find(t->r, name);
    uint64_t n;

    if (!e && parse_u64(name, 0, &n) && n > 0 && n <= router_n_elements(t->r))
        e = router_element(t->r, (uint32_t)(n - 1));
    return e;
}

/* The name as the handler functions want it: a number in the place of an element's name
 * counts the elements from 1, and with a proxy everything is a handler of that one.
 * `*found` tells whether there is such an element. */
static void full_name(const struct control_target *t, const char *name,
                      struct sbuf *out, bool *found)
{
    const char *dot = strchr(name, '.');
    struct sbuf element = SBUF_INIT;
    const struct element *e;

    *found = true;
    if (t->proxy) {
        sbuf_printf(out, "%s.%s", t->proxy->name, name);
        return;
    }
    sbuf_puts(out, name);
    if (!dot)
        return;
    sbuf_add(&element, name, (size_t)(dot - name));
    e = named_element(t, sbuf_text(&element));
    if (e) {
        sbuf_reset(out);
        sbuf_printf(out, "%s%s", e->name, dot);
    }
    *found = e != NULL;
    sbuf_fini(&element);
}

static int check(void *ctx, const char *name)
{
    const struct control_target *t = ctx;
    struct sbuf full = SBUF_INIT;
    bool found;
    int result = 0;

    full_name(t, name, &full, &found);
    if (!found)
        result = CONTROL_NO_ELEMENT;
    else if (handler_exists(t->r, NULL, sbuf_text(&full),
                            HANDLER_READ | HANDLER_PRIVATE))
        result |= CONTROL_CAN_READ;
    if (found &&
        handler_exists(t->r, NULL, sbuf_text(&full), HANDLER_WRITE | HANDLER_PRIVATE))
        result |= CONTROL_CAN_WRITE;
    sbuf_fini(&full);
    return result || !t->proxy ? result : CONTROL_NOT_PROXIED;
}

static int read_handler(void *ctx, const char *name, const char *param,
                        struct sbuf *out, struct diag *d)
{
    const struct control_target *t = ctx;
    struct sbuf full = SBUF_INIT;
    bool found;
    int rc;

    full_name(t, name, &full, &found);
    rc = handler_read(t->r, NULL, sbuf_text(&full), param, out, d);
    sbuf_fini(&full);
    return rc < 0 ? -1 : 0;
}

static int write_handler(void *ctx, const char *name, const char *value, size_t len,
                         struct diag *d)
{
    const struct control_target *t = ctx;
    struct sbuf full = SBUF_INIT;
    bool found;
    int rc;

    full_name(t, name, &full, &found);
    rc = handler_write(t->r, NULL, sbuf_text(&full), value, len, d);
    sbuf_fini(&full);
    return rc < 0 ? -1 : 0;
}

/* Click has no call that a proxy passes on to an element of ours. */
static const char *call_element(void *ctx, const char *name, uint32_t call, void *data)
{
    const struct control_target *t = ctx;
    struct element *e = t->proxy ? NULL : named_element(t, name);

    return e && e->cls->llrpc ? e->cls->llrpc(e, call, data) : LLRPC_EINVAL;
}

const struct control_ops control_router_ops = {.check = check,
                                               .read = read_handler,
                                               .write = write_handler,
                                               .llrpc = call_element};
