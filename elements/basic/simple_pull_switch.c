// SPDX-License-Identifier: BSD-3-Clause
/*
 * SimplePullSwitch -- pull from one input, which can be changed, without telling anybody
 *
 * Usage:    SimplePullSwitch(INPUT 0)
 * Ports:    any in, 1 out; pull
 * Args:     INPUT  number of the input, default 0; < 0 or too large: none
 * Counters: none
 * Handlers: switch  (read/write) the argument; a number that is too large becomes -1
 *           config  (read) the same
 * Example:  a :: Queue -> ps :: SimplePullSwitch -> ToDevice(0);  b :: Queue -> [1] ps;
 * See also: PullSwitch
 *
 * Those downstream are awake while any input has packets.
 */

#include "engine/element.h"
#include "engine/llrpc.h"

struct simple_pull_switch {
    int32_t input;
};

static const struct arg_spec simple_pull_switch_args[] = {
    ARG_I32(simple_pull_switch, input, "INPUT", ARG_POS, "0", "input, < 0: none"),
    ARG_END,
};

static int simple_pull_switch_configure(struct element *e, struct conf *c,
                                        struct diag *d)
{
    struct simple_pull_switch *s = element_state(e);

    if (s->input < 0 || s->input >= e->n_in)
        s->input = -1;
    return 0;
}

static uint32_t simple_pull_switch_pull(struct element *e, unsigned port,
                                        struct batch *b, uint32_t max)
{
    const struct simple_pull_switch *s = element_state(e);

    return s->input < 0 ? 0 : in_pull(e, (unsigned)s->input, b, max);
}

static int simple_pull_switch_write(struct element *e, const struct handler_spec *h,
                                    const char *value, size_t len, struct diag *d)
{
    struct simple_pull_switch *s = element_state(e);
    uint64_t v;

    if (parse_integer(value, 0, true, 32, &v) != PARSE_OK)
        return diag_err(d, "syntax error");
    s->input = (int32_t)v < 0 || (int32_t)v >= e->n_in ? -1 : (int32_t)v;
    return 0;
}

static const char *simple_pull_switch_llrpc(struct element *e, uint32_t call,
                                            void *data)
{
    struct simple_pull_switch *s = element_state(e);
    int32_t *value = data;

    if (call == LLRPC_SET_SWITCH) {
        s->input = *value < 0 || *value >= e->n_in ? -1 : *value;
        return NULL;
    }
    if (call != LLRPC_GET_SWITCH)
        return LLRPC_EINVAL;
    *value = s->input;
    return NULL;
}

static const struct handler_spec simple_pull_switch_handlers[] = {
    {.name = "switch",
     .help = "number of the input, -1: none",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct simple_pull_switch, input),
     .write = simple_pull_switch_write},
    HANDLER_VALUE(simple_pull_switch, input, ARG_KIND_I32, HANDLER_READ, "config",
                  "number of the input"),
    HANDLER_END,
};

ELEMENT(SimplePullSwitch) = {
    .name = "SimplePullSwitch",
    .state_size = sizeof(struct simple_pull_switch),
    .ports = "-/1",
    .processing = "l/l",
    .args = simple_pull_switch_args,
    .live = true,
    .handlers = simple_pull_switch_handlers,
    .configure = simple_pull_switch_configure,
    .pull = simple_pull_switch_pull,
    .llrpc = simple_pull_switch_llrpc,
};
