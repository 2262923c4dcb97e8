// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_check.c -- `click-check`: whether a configuration fits together
 *
 * Classes, port numbers, push and pull, unused ports. Elements get no arguments and open
 * nothing, so that a configuration can be checked where it does not run. Only the
 * user-level driver exists here.
 */

#include "driver/tools/tool.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <err.h>
#include <stdio.h>

static const char usage[] =
    "'Click-check' checks whether a configuration fits together and reports errors.\n"
    "\n"
    "Usage: click-check [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         If it is valid, write it to FILE.\n"
    "  -p, --filter              If it is valid, write it to the standard output.\n"
    "  -q, --quiet               Do not say that it is valid.\n"
    "  -u, --userlevel           Check for the user-level driver.\n"
    "  -l, --linuxmodule; -k, --kernel; -b, --bsdmodule\n"
    "                            Check for drivers that do not exist here.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

static const struct option options[] = {
    TOOL_NEGATABLE("userlevel", 'u'),
    TOOL_NEGATABLE("linuxmodule", 'l'),
    TOOL_NEGATABLE("kernel", 'k'),
    TOOL_NEGATABLE("bsdmodule", 'b'),
    TOOL_NEGATABLE("quiet", 'q'),
    {"filter", no_argument, NULL, 'p'},
    {NULL, 0, NULL, 0},
};

static const char *const drivers[] = {"userlevel", "linuxmodule", "bsdmodule"};
enum { N_DRIVERS = sizeof drivers / sizeof *drivers };

static bool filter, quiet, chosen, wanted[N_DRIVERS];

static int set_option(struct tool *t, int c, const char *arg)
{
    bool yes;

    (void)t, (void)arg;
    c = tool_option(c, &yes);
    if (c == 'p') {
        filter = true;
    } else if (c == 'q') {
        quiet = yes;
    } else {
        chosen = true;
        wanted[c == 'u' ? 0 : c == 'b' ? 2 : 1] = yes;
    }
    return 0;
}

static int64_t no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

static void no_console(void *ctx, const char *text, size_t len)
{
    (void)ctx, (void)text, (void)len;
}

/* On the flat configuration, which needs no libraries and no variables any more; it says
 * where each element stands. */
static bool fits(struct tool *t, struct tool_config *c)
{
    struct platform p = {.has_os = true,
                         .now = no_time,
                         .wall_offset = no_time,
                         .console = no_console,
                         .program = t->name};
    struct router_options o = {.by_phase = true, .only_wire = true};
    struct sbuf text = SBUF_INIT;
    struct diag d = DIAG_INIT;
    struct router *r;
    bool clean;

    p.pool = pkt_pool_new(0);
    net_unparse(&c->net, &text);
    if (!p.pool || text.failed)
        err(1, NULL);
    r = router_new(&p, sbuf_text(&text), text.len, c->name, &o, &d);
    clean = r && !d.n_warnings;
    t->errors += (unsigned)d.n_errors;
    fputs(diag_text(&d), stderr);
    router_free(r);
    pkt_pool_free(p.pool);
    sbuf_fini(&text);
    diag_fini(&d);
    return clean;
}

static void check(struct tool *t, struct tool_config *c, unsigned driver)
{
    if (driver != 0) {
        fprintf(stderr, "%s: Click compiled without support for %s driver\n", c->name,
                drivers[driver]);
        t->errors++;
    } else if (fits(t, c) && !t->output && !quiet) {
        fprintf(stderr, "%s: configuration OK in %s driver\n", c->name,
                drivers[driver]);
    }
}

/* Where the configuration goes. */
static void set_output(struct tool *t)
{
    if (filter && t->output) {
        tool_error(t, "output file specified twice");
        tool_usage(t);
    }
    if (filter)
        t->output = "-";
}

static int work(struct tool *t, struct tool_config *c)
{
    for (unsigned driver = 0; driver < N_DRIVERS; driver++)
        if (chosen ? wanted[driver] : driver == 0)
            check(t, c, driver);
    if (t->errors)
        return 1;
    return t->output ? tool_write_config(t, c) : 0;
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-check",
                     .usage = usage,
                     .short_options = "pqulkb",
                     .long_options = options,
                     .option = set_option,
                     .ready = set_output,
                     .expand = true};

    return tool_main(&t, argc, argv, work);
}
