// SPDX-License-Identifier: BSD-3-Clause
/*
 * QuitWatcher -- stop the router when an element has nothing more to do
 *
 * Usage:    QuitWatcher(ELEMENT, ...)
 * Ports:    none
 * Args:     ELEMENT ...  elements with a task
 * Counters: none
 * Handlers: none
 * Example:  s :: InfiniteSource(LIMIT 1000) -> Discard;  QuitWatcher(s);
 * See also: DriverManager
 *
 * It looks every 10 ms whether each of the tasks is still scheduled, and asks the router
 * to stop when one is not.
 */

#include "engine/handler_call.h"

enum { QUIT_WATCHER_MS = 10 };

struct quit_watcher {
    struct timer timer;
    struct handler_call *calls; /* [n], in the router's arena: ELEMENT.scheduled */
    uint32_t n;
};

static int quit_watcher_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct quit_watcher *s = element_state(e);

    s->calls = element_alloc(e, ((size_t)c->argc + 1) * sizeof(struct handler_call));
    if (!s->calls)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++) {
        struct sbuf name = SBUF_INIT;

        sbuf_printf(&name, "%s.scheduled", c->argv[i]);
        if (name.failed || handler_call_set(&s->calls[s->n++], sbuf_text(&name)) < 0) {
            sbuf_fini(&name);
            return diag_err(d, "out of memory");
        }
        sbuf_fini(&name);
    }
    return 0;
}

static void quit_watcher_fire(struct element *e, struct timer *t)
{
    const struct quit_watcher *s = element_state(e);
    struct sbuf value = SBUF_INIT;

    for (uint32_t i = 0; i < s->n; i++) {
        sbuf_reset(&value);
        if (handler_read(e->router, e, s->calls[i].name, NULL, &value, NULL) < 0 ||
            !value.len || value.data[0] == 'f') {
            sbuf_fini(&value);
            handler_call_stop(e);
            return;
        }
    }
    sbuf_fini(&value);
    timer_after(t, QUIT_WATCHER_MS * 1000000);
}

static int quit_watcher_initialize(struct element *e, struct diag *d)
{
    struct quit_watcher *s = element_state(e);
    int rc = 0;

    for (uint32_t i = 0; i < s->n; i++)
        if (handler_call_check(&s->calls[i], e, HANDLER_READ, d) < 0)
            rc = -1;
    timer_init(&s->timer, e, quit_watcher_fire);
    timer_after(&s->timer, QUIT_WATCHER_MS * 1000000);
    return rc;
}

static void quit_watcher_cleanup(struct element *e)
{
    struct quit_watcher *s = element_state(e);

    for (uint32_t i = 0; i < s->n; i++)
        handler_call_fini(&s->calls[i]);
    s->n = 0;
}

ELEMENT(QuitWatcher) = {
    .name = "QuitWatcher",
    .state_size = sizeof(struct quit_watcher),
    .ports = "0/0",
    .any_args = true,
    .configure = quit_watcher_configure,
    .initialize = quit_watcher_initialize,
    .cleanup = quit_watcher_cleanup,
};
