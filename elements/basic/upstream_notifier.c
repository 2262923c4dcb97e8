// SPDX-License-Identifier: BSD-3-Clause
/*
 * UpstreamNotifier -- tell sources whether there is room, by hand
 *
 * Usage:    UpstreamNotifier(SIGNAL)
 * Ports:    1 in, 1 out; push
 * Args:     SIGNAL  whether sources upstream shall send
 * Counters: none
 * Handlers: signal  (rw) the argument SIGNAL
 * Example:  InfiniteSource -> n :: UpstreamNotifier(false) -> ...; Script(wait 1s, write n.signal true);
 * See also: FullNoteQueue, InfiniteSource, Block
 *
 * Packets pass unchanged, whatever the signal. Sources that look for a full queue downstream
 * see this instead: they sleep while the signal is false.
 */

#include "engine/element.h"

struct upstream_notifier {
    struct notifier notifier;
    bool signal;
};

static const struct arg_spec upstream_notifier_args[] = {
    ARG_BOOL(upstream_notifier, signal, "SIGNAL", ARG_M, NULL, "sources shall send"),
    ARG_END,
};

static int upstream_notifier_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct upstream_notifier *s = element_state(e);

    notifier_init(&s->notifier, s->signal);
    return 0;
}

static void *upstream_notifier_cast(struct element *e, const char *kind)
{
    struct upstream_notifier *s = element_state(e);

    return strcmp(kind, NOTIFIER_FULL) == 0 ? &s->notifier : NULL;
}

static void upstream_notifier_push(struct element *e, unsigned port, struct batch *b)
{
    out_push(e, 0, b);
}

static int upstream_notifier_write(struct element *e, const struct handler_spec *h,
                                   const char *value, size_t len, struct diag *d)
{
    struct upstream_notifier *s = element_state(e);

    if (!parse_bool(value, &s->signal))
        return diag_err(d, "signal parameter must be boolean");
    if (s->signal)
        notifier_wake(&s->notifier);
    else
        notifier_sleep(&s->notifier);
    return 0;
}

static const struct handler_spec upstream_notifier_handlers[] = {
    {.name = "signal",
     .help = "whether sources shall send",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct upstream_notifier, signal),
     .write = upstream_notifier_write},
    HANDLER_END,
};

ELEMENT(UpstreamNotifier) = {
    .name = "UpstreamNotifier",
    .state_size = sizeof(struct upstream_notifier),
    .ports = "1/1",
    .processing = "h/h",
    .args = upstream_notifier_args,
    .handlers = upstream_notifier_handlers,
    .configure = upstream_notifier_configure,
    .cast = upstream_notifier_cast,
    .push = upstream_notifier_push,
};
