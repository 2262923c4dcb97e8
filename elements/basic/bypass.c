// SPDX-License-Identifier: BSD-3-Clause
/*
 * Bypass -- lead packets through a detour, or not
 *
 * Usage:    Bypass(ACTIVE false, INLINE false)
 * Ports:    1-2 in, 1-2 out; push or pull
 * Args:     ACTIVE  take the detour, default false
 *           INLINE  has no effect
 * Counters: none
 * Handlers: active  (read/write) the argument ACTIVE
 * Example:  ... -> b :: Bypass -> ...;  b[1] -> Print(debug) -> [1] b;
 * See also: Switch, PullSwitch
 *
 * Packets from input 0 leave by output 0, or by output 1 while the detour is taken; those
 * that come back by input 1 leave by output 0. With pull it is the same the other way
 * round: inputs are chosen.
 */

#include "engine/element.h"

struct bypass {
    bool active, in_line;
};

static const struct arg_spec bypass_args[] = {
    ARG_BOOL(bypass, active, "ACTIVE", ARG_POS, "false", "take the detour"),
    ARG_BOOL(bypass, in_line, "INLINE", ARG_KEY, "false", "has no effect"),
    ARG_END,
};

static void bypass_push(struct element *e, unsigned port, struct batch *b)
{
    const struct bypass *s = element_state(e);

    out_push(e, s->active && port == 0 && e->n_out > 1, b);
}

static uint32_t bypass_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max)
{
    const struct bypass *s = element_state(e);

    return in_pull(e, s->active && port == 0 && e->n_in > 1, b, max);
}

static int bypass_write(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct bypass *s = element_state(e);

    return parse_bool(value, &s->active) ? 0 : diag_err(d, "syntax error");
}

static const struct handler_spec bypass_handlers[] = {
    {.name = "active",
     .help = "whether the detour is taken",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct bypass, active),
     .write = bypass_write},
    HANDLER_END,
};

ELEMENT(Bypass) = {
    .name = "Bypass",
    .state_size = sizeof(struct bypass),
    .ports = "1-2/1-2",
    .flow = "xy/[xy]x",
    .args = bypass_args,
    .handlers = bypass_handlers,
    .push = bypass_push,
    .pull = bypass_pull,
};
