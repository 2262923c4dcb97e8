// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_devirtualize.c -- `click-devirtualize`: a configuration as it is
 *
 * Click's program writes C++ in which elements call each other directly. Elements here hand
 * over batches and are no C++, so nothing is to be devirtualized; for scripts that have the
 * program in a pipe, the configuration goes on, flat.
 */

#include "driver/tools/tool.h"

#include <stdio.h>

static const char usage[] =
    "'Click-devirtualize' writes a configuration, flat. There is no code to generate: "
    "what\n"
    "it takes in Click to call another element happens once for each batch here.\n"
    "\n"
    "Usage: click-devirtualize [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "  -c, --config              Write the configuration only, not an archive.\n"
    "  -s, --source              Write generated code only: none.\n"
    "  -k, --kernel; -u, --user; -r, --reverse; -n, --no-devirtualize CLASS;\n"
    "      --devirtualize CLASS; -i, --instructions FILE\n"
    "                            Accepted.\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

static const struct option options[] = {
    TOOL_GENERATOR_OPTIONS,
    {"devirtualize", required_argument, NULL, 'n'},
    {"no-devirtualize", required_argument, NULL, 'n'},
    {"instructions", required_argument, NULL, 'i'},
    {NULL, 0, NULL, 0},
};

static int write_config(struct tool *t, struct tool_config *c)
{
    if (t->reverse || !t->only_source)
        return tool_write_config(t, c);
    fputs("nothing to devirtualize\n", stderr);
    return 0;
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-devirtualize",
                     .usage = usage,
                     .short_options = "ckn:i:rsu",
                     .long_options = options,
                     .option = tool_generator_option};

    return tool_main(&t, argc, argv, write_config);
}
