// SPDX-License-Identifier: BSD-3-Clause
/*
 * PullSwitch -- pull from one input, which can be changed
 *
 * Usage:    PullSwitch(INPUT 0)
 * Ports:    any in, 1 out; pull
 * Args:     INPUT  number of the input, default 0; < 0 or too large: none
 * Counters: none
 * Handlers: switch  (read/write) the argument; a number that is too large becomes -1
 *           config  (read) the same
 * Example:  a :: Queue -> ps :: PullSwitch -> ToDevice(0);  b :: Queue -> [1] ps;
 * See also: SimplePullSwitch, StaticPullSwitch, Switch
 *
 * Those downstream sleep while the input that was chosen is empty.
 */

#include "engine/llrpc.h"
#include "engine/relay.h"

struct pull_switch {
    struct relay relay;
    struct signal *nonempty; /* [n_in] */
    int32_t input;
};

static const struct arg_spec pull_switch_args[] = {
    ARG_I32(pull_switch, input, "INPUT", ARG_POS, "0", "input, < 0: none"),
    ARG_END,
};

/* After a change: there may be packets now. */
static void pull_switch_set(struct element *e, int64_t input)
{
    struct pull_switch *s = element_state(e);

    s->input = input < 0 || input >= e->n_in ? -1 : (int32_t)input;
    if (s->input < 0)
        notifier_sleep(&s->relay.notifier);
    else
        notifier_wake(&s->relay.notifier);
}

static int pull_switch_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct pull_switch *s = element_state(e);

    if (!e->configured)
        relay_init(&s->relay);
    pull_switch_set(e, s->input);
    return 0;
}

static int pull_switch_initialize(struct element *e, struct diag *d)
{
    struct pull_switch *s = element_state(e);

    s->nonempty = element_alloc(e, (e->n_in + 1u) * sizeof(struct signal));
    if (!s->nonempty)
        return diag_err(d, "out of memory");
    for (unsigned i = 0; i < e->n_in; i++)
        relay_listen(&s->relay, e, i, &s->nonempty[i]);
    return 0;
}

static uint32_t pull_switch_pull(struct element *e, unsigned port, struct batch *b,
                                 uint32_t max)
{
    struct pull_switch *s = element_state(e);
    uint32_t got;

    if (s->input < 0) {
        notifier_sleep(&s->relay.notifier); /* an input that was not chosen woke us */
        return 0;
    }
    got = in_pull(e, (unsigned)s->input, b, max);
    if (got)
        s->relay.notifier.active = true; /* nobody need be told: he is here */
    else if (!signal_active(&s->nonempty[s->input]))
        notifier_sleep(&s->relay.notifier);
    return got;
}

static void *pull_switch_cast(struct element *e, const char *kind)
{
    struct pull_switch *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->relay.notifier;
}

static int pull_switch_write(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    uint64_t v;

    if (parse_integer(value, 0, true, 32, &v) != PARSE_OK)
        return diag_err(d, "syntax error");
    pull_switch_set(e, (int32_t)v);
    return 0;
}

static const char *pull_switch_llrpc(struct element *e, uint32_t call, void *data)
{
    struct pull_switch *s = element_state(e);
    int32_t *value = data;

    if (call == LLRPC_SET_SWITCH) {
        pull_switch_set(e, *value);
        return NULL;
    }
    if (call != LLRPC_GET_SWITCH)
        return LLRPC_EINVAL;
    *value = s->input;
    return NULL;
}

static const struct handler_spec pull_switch_handlers[] = {
    {.name = "switch",
     .help = "number of the input, -1: none",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct pull_switch, input),
     .write = pull_switch_write},
    HANDLER_VALUE(pull_switch, input, ARG_KIND_I32, HANDLER_READ, "config",
                  "number of the input"),
    HANDLER_END,
};

ELEMENT(PullSwitch) = {
    .name = "PullSwitch",
    .state_size = sizeof(struct pull_switch),
    .ports = "-/1",
    .processing = "l/l",
    .args = pull_switch_args,
    .live = true,
    .handlers = pull_switch_handlers,
    .configure = pull_switch_configure,
    .initialize = pull_switch_initialize,
    .cast = pull_switch_cast,
    .pull = pull_switch_pull,
    .llrpc = pull_switch_llrpc,
};
