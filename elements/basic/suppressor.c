// SPDX-License-Identifier: BSD-3-Clause
/*
 * Suppressor -- pass packets from each input to its output, or not
 *
 * Usage:    Suppressor
 * Ports:    1 or more in, as many out; push or pull
 * Args:     none
 * Counters: none
 * Handlers: active  (read/write) whether packets pass from the input with this number:
 *                   active0, active1 ...
 *           reset   (write) let them pass everywhere
 * Example:  FromDevice(0) -> s :: Suppressor -> [0] sw;  FromDevice(1) -> [1] s [1] -> [1] sw;
 * See also: EtherSpanTree, Switch
 *
 * Packets from input N leave by output N while that is active.
 */

#include "engine/element.h"
#include "engine/suppressor.h"

static int suppressor_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct suppressor *s = element_state(e);

    s->n = e->n_in;
    s->suppressed = element_alloc(e, s->n + 1u);
    return s->suppressed ? 0 : diag_err(d, "out of memory");
}

static void suppressor_push(struct element *e, unsigned port, struct batch *b)
{
    const struct suppressor *s = element_state(e);

    if (s->suppressed[port])
        batch_free(b);
    else
        out_push(e, port, b);
}

static uint32_t suppressor_pull(struct element *e, unsigned port, struct batch *b,
                                uint32_t max)
{
    const struct suppressor *s = element_state(e);

    return s->suppressed[port] ? 0 : in_pull(e, port, b, max);
}

static int suppressor_read_active(struct element *e, const struct handler_spec *h,
                                  const char *param, struct sbuf *out, struct diag *d)
{
    const struct suppressor *s = element_state(e);

    if (h->user >= e->n_in)
        return diag_err(d, "port %d out of range", (int)h->user);
    sbuf_puts(out, s->suppressed[h->user] ? "false" : "true");
    return 0;
}

static int suppressor_write_active(struct element *e, const struct handler_spec *h,
                                   const char *value, size_t len, struct diag *d)
{
    struct suppressor *s = element_state(e);
    bool active;

    if (!parse_bool(value, &active))
        return diag_err(d, "type mismatch");
    if (h->user >= e->n_in)
        return diag_err(d, "port %d out of range", (int)h->user);
    s->suppressed[h->user] = !active;
    return 0;
}

static int suppressor_reset(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d)
{
    struct suppressor *s = element_state(e);

    memset(s->suppressed, 0, e->n_in);
    return 0;
}

static void *suppressor_cast(struct element *e, const char *kind)
{
    return strcmp(kind, "Suppressor") == 0 ? element_state(e) : NULL;
}

static const struct handler_spec suppressor_handlers[] = {
    {.name = "active",
     .help = "whether packets pass from the input with this number",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX | HANDLER_NUMBERED,
     .read = suppressor_read_active,
     .write = suppressor_write_active},
    HANDLER_PRESS(suppressor_reset, "reset", "let packets pass everywhere"),
    HANDLER_END,
};

ELEMENT(Suppressor) = {
    .name = "Suppressor",
    .state_size = sizeof(struct suppressor),
    .ports = "1-/=",
    .flow = "#/#",
    .any_args = true,
    .handlers = suppressor_handlers,
    .configure = suppressor_configure,
    .push = suppressor_push,
    .pull = suppressor_pull,
    .cast = suppressor_cast,
};
