// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_align.c -- `click-align`: for scripts that call it
 *
 * On machines that trap on unaligned loads Click's tool put Align elements into a
 * configuration. Ours loads bytes as bytes, so no packet needs them: Align elements that
 * are there go, and what is left means the same.
 */

#include "driver/tools/tool.h"

static const char usage[] =
    "'Click-align' takes the Align elements out of a configuration: none are needed.\n"
    "\n"
    "Usage: click-align [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-align", .usage = usage};
    struct tool_config c;
    int status;

    tool_options(&t, argc, argv);
    tool_load(&t, false, &c);
    for (uint32_t e = 0; e < c.net.n_elements; e++)
        if (net_is(&c.net, e, "Align"))
            net_splice(&c.net, e);
    net_remove_dead(&c.net);
    status = tool_write_config(&t, &c, false);
    tool_config_fini(&c);
    arena_free(t.arena);
    return status;
}
