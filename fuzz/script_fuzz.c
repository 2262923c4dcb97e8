// SPDX-License-Identifier: BSD-3-Clause
/* The input is the configuration of a Script, which runs among others for some rounds. */

#include "base/sbuf.h"
#include "engine/handler.h"
#include "engine/router.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int64_t now_ns;

static int64_t now(void *ctx)
{
    return now_ns;
}

static void console(void *ctx, const char *text, size_t len)
{
}

static void run(struct router *r)
{
    struct diag d = DIAG_INIT;
    struct sbuf out = SBUF_INIT;
    int64_t next;

    router_activate(r, NULL);
    for (int i = 0; i < 8 && !router_stopped(r); i++) {
        router_run(r, 16, &next);
        if (next != INT64_MAX && next > now_ns)
            now_ns = next;
    }
    handler_write(r, NULL, "s.step", "3", 1, &d);
    handler_read(r, NULL, "s.run", "a b c", &out, &d);
    handler_read(r, NULL, "s.handlers", NULL, &out, &d);
    sbuf_fini(&out);
    diag_fini(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct platform p = {.now = now, .console = console, .pool = pkt_pool_new(0)};
    struct sbuf config = SBUF_INIT;
    struct diag d = DIAG_INIT;
    struct router *r;

    if (size > 4096)
        size = 4096;
    now_ns = 1000000000;
    sbuf_puts(&config, "c :: Counter; Idle -> c -> Discard; q :: Script(TYPE PASSIVE, "
                       "return $(s.run $args)); s :: Script(");
    sbuf_add(&config, data, size);
    sbuf_puts(&config, "\n)");
    r = router_new(&p, sbuf_text(&config), config.len, "fuzz", NULL, &d);
    if (r)
        run(r);
    router_free(r);
    diag_fini(&d);
    sbuf_fini(&config);
    if (pkt_pool_free(p.pool))
        __builtin_trap();
    return 0;
}
