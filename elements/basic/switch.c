// SPDX-License-Identifier: BSD-3-Clause
/*
 * Switch -- send all packets to one output, which can be changed
 *
 * Usage:    Switch(OUTPUT 0)
 * Ports:    1 in, any out; push
 * Args:     OUTPUT  number of the output, default 0; < 0: packets are dropped
 * Counters: none
 * Handlers: switch  (read/write) the argument; a number that is too large becomes -1
 *           config  (read) the same
 * Example:  FromDevice(0) -> s :: Switch(1);  s[0] -> Discard;  s[1] -> ToDevice(1);
 * See also: StaticSwitch, PullSwitch, RoundRobinSwitch, HashSwitch
 */

#include "engine/element.h"
#include "engine/llrpc.h"

struct switch_state {
    int32_t output;
};

static const struct arg_spec switch_args[] = {
    ARG_I32(switch_state, output, "OUTPUT", ARG_POS, "0", "output, < 0: drop"),
    ARG_END,
};

static int switch_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct switch_state *s = element_state(e);

    if (s->output >= (int32_t)e->n_out)
        return diag_err(d, "output must be < %u", e->n_out);
    return 0;
}

static void switch_push(struct element *e, unsigned port, struct batch *b)
{
    const struct switch_state *s = element_state(e);

    out_push_or_free(e, (unsigned)s->output, b); /* -1 is no output */
}

static int switch_write(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct switch_state *s = element_state(e);
    uint64_t v;

    if (parse_integer(value, 0, true, 32, &v) != PARSE_OK)
        return diag_err(d, "Switch output must be integer");
    s->output = (int32_t)v >= (int32_t)e->n_out ? -1 : (int32_t)v;
    return 0;
}

static const char *switch_llrpc(struct element *e, uint32_t call, void *data)
{
    struct switch_state *s = element_state(e);
    int32_t *value = data;

    if (call == LLRPC_SET_SWITCH) {
        if (*value >= e->n_out)
            return LLRPC_EINVAL;
        s->output = *value;
        return NULL;
    }
    if (call != LLRPC_GET_SWITCH)
        return LLRPC_EINVAL;
    *value = s->output;
    return NULL;
}

static const struct handler_spec switch_handlers[] = {
    {.name = "switch",
     .help = "number of the output, -1: packets are dropped",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct switch_state, output),
     .write = switch_write},
    HANDLER_VALUE(switch_state, output, ARG_KIND_I32, HANDLER_READ, "config",
                  "number of the output"),
    HANDLER_END,
};

ELEMENT(Switch) = {
    .name = "Switch",
    .state_size = sizeof(struct switch_state),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .args = switch_args,
    .live = true,
    .handlers = switch_handlers,
    .configure = switch_configure,
    .push = switch_push,
    .llrpc = switch_llrpc,
};
