// SPDX-License-Identifier: BSD-3-Clause
/*
 * InputSwitch -- pass packets of one input, which can be changed
 *
 * Usage:    InputSwitch(INPUT 0)
 * Ports:    any in, 1 out; push
 * Args:     INPUT  number of the input, default 0; < 0: all packets are dropped
 * Counters: none
 * Handlers: switch  (read/write) the argument; a number that is too large becomes -1
 *           config  (read) the same
 * Example:  FromDevice(0) -> is :: InputSwitch(1) -> ...;  FromDevice(1) -> [1] is;
 * See also: Switch, PullSwitch
 *
 * Packets from the other inputs are dropped.
 */

#include "engine/element.h"

struct input_switch {
    int32_t input;
};

static const struct arg_spec input_switch_args[] = {
    ARG_I32(input_switch, input, "INPUT", ARG_POS, "0", "input that passes, < 0: none"),
    ARG_I32(input_switch, input, "OUTPUT", ARG_OLD, NULL, "INPUT"),
    ARG_END,
};

static int input_switch_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct input_switch *s = element_state(e);

    if (s->input >= (int32_t)e->n_in)
        return diag_err(d, "input must be < %u", e->n_in);
    return 0;
}

static void input_switch_push(struct element *e, unsigned port, struct batch *b)
{
    const struct input_switch *s = element_state(e);

    if ((int32_t)port == s->input)
        out_push(e, 0, b);
    else
        batch_free(b);
}

static int input_switch_write(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    struct input_switch *s = element_state(e);
    int64_t input;

    if (!parse_i64(value, 0, &input) || input < INT32_MIN || input > INT32_MAX)
        return diag_err(d, "InputSwitch input must be integer");
    s->input = input >= e->n_in ? -1 : (int32_t)input;
    return 0;
}

static const struct handler_spec input_switch_handlers[] = {
    {.name = "switch",
     .help = "number of the input, -1: packets are dropped",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct input_switch, input),
     .write = input_switch_write},
    HANDLER_VALUE(input_switch, input, ARG_KIND_I32, HANDLER_READ, "config",
                  "number of the input"),
    HANDLER_END,
};

ELEMENT(InputSwitch) = {
    .name = "InputSwitch",
    .state_size = sizeof(struct input_switch),
    .ports = "-/1",
    .processing = "h/h",
    .args = input_switch_args,
    .live = true,
    .handlers = input_switch_handlers,
    .configure = input_switch_configure,
    .push = input_switch_push,
};
