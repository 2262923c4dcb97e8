// SPDX-License-Identifier: BSD-3-Clause
/* A client may send anything, in any pieces: the first byte says how large they are. The
 * router behind it is a small one with a script. */

#include "engine/control_protocol.h"
#include "engine/router.h"

#include <stdint.h>
#include <stdlib.h>

static const char config[] =
    "c :: Counter; Idle -> c -> w :: Switch -> Discard; w[1] -> Discard;"
    "Idle -> rw :: IPRewriter(drop) -> a :: AnonymizeIPAddr -> Discard;"
    "s :: Script(TYPE PASSIVE, return $args$(c.count)); p :: "
    "Script(TYPE PROXY, return $0)";

static int64_t now(void *ctx)
{
    return 1000000000;
}

static void console(void *ctx, const char *text, size_t len)
{
}

/* The same client, of a daemon that forwards what concerns handlers. */
struct relay {
    struct control control;
    struct control_target *target;
};

static int check_elsewhere(void *ctx, const char *name)
{
    return CONTROL_ELSEWHERE;
}

static void forward(void *ctx, const char *command, size_t len)
{
    struct relay *r = ctx;
    struct sbuf out = SBUF_INIT;

    control_run(&control_router_ops, r->target, command, len, &out);
    control_reply(&r->control, sbuf_text(&out), out.len);
    sbuf_fini(&out);
}

static const struct control_ops relay_ops = {.check = check_elsewhere,
                                             .forward = forward};

static void feed_relay(struct control_target *target, const uint8_t *data, size_t size,
                       size_t piece)
{
    struct relay r = {.target = target};
    size_t sent;

    control_init(&r.control, &relay_ops, &r, false);
    for (size_t at = 1; at < size; at += piece) {
        control_feed(&r.control, (const char *)data + at,
                     size - at < piece ? size - at : piece);
        while (control_step(&r.control))
            ;
    }
    control_close_input(&r.control);
    while (control_step(&r.control))
        ;
    control_output(&r.control, &sent);
    control_sent(&r.control, sent);
    if (!control_finished(&r.control))
        __builtin_trap();
    control_fini(&r.control);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct platform p = {.now = now, .console = console, .pool = pkt_pool_new(0)};
    struct diag d = DIAG_INIT;
    struct router *r = router_new(&p, config, sizeof config - 1, "fuzz", NULL, &d);
    struct control_target target = {.r = r};
    struct control c;
    size_t piece = size ? data[0] + 1u : 1, sent;

    if (!r)
        __builtin_trap();
    router_activate(r, NULL);
    control_init(&c, &control_router_ops, &target, false);
    for (size_t at = 1; at < size; at += piece) {
        control_feed(&c, (const char *)data + at,
                     size - at < piece ? size - at : piece);
        while (control_step(&c))
            ;
        control_output(&c, &sent);
        control_sent(&c, sent / 2);
    }
    control_close_input(&c);
    while (control_step(&c))
        ;
    control_output(&c, &sent);
    control_sent(&c, sent);
    if (!control_finished(&c))
        __builtin_trap();
    control_fini(&c);
    feed_relay(&target, data, size, piece);
    router_free(r);
    diag_fini(&d);
    if (pkt_pool_free(p.pool))
        __builtin_trap();
    return 0;
}
