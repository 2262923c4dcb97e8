// SPDX-License-Identifier: BSD-3-Clause
/* click_flatten.c -- `click-flatten`: a configuration without compound elements */

#include "driver/tools/tool.h"

#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "'Click-flatten' reads a Click configuration, replaces compound elements by what "
    "is\n"
    "in them, and writes the result.\n"
    "\n"
    "Usage: click-flatten [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "  -c, --classes             Write the classes that are used, sorted.\n"
    "  -n, --names               Write the names of the elements, sorted.\n"
    "  -d, --declarations        Write the declarations, sorted.\n"
    "      --config              Write the configuration only, not an archive.\n"
    "      --expand-vars         Replace the configuration's own variables, too.\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

enum { OPT_FLATTEN = 2000, OPT_CONFIG, OPT_EXPAND };

static const struct option options[] = {
    {"classes", no_argument, NULL, 'c'},
    {"names", no_argument, NULL, 'n'},
    {"elements", no_argument, NULL, 'n'},
    {"declarations", no_argument, NULL, 'd'},
    {"decls", no_argument, NULL, 'd'},
    {"config", no_argument, NULL, OPT_CONFIG},
    TOOL_NEGATABLE("expand-vars", OPT_EXPAND),
    {NULL, 0, NULL, 0},
};

static int action = OPT_FLATTEN;

static int set_option(struct tool *t, int c, const char *arg)
{
    bool yes;

    (void)arg;
    if (tool_option(c, &yes) == OPT_EXPAND)
        t->expand = yes;
    else
        action = c;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One line for each element, sorted; a class stands there once. */
static int write_list(struct tool *t, const struct net *n)
{
    const char **lines = arena_alloc(t->arena, (n->n_elements + 1) * sizeof *lines);
    struct sbuf out = SBUF_INIT, line = SBUF_INIT;
    int status;

    for (uint32_t i = 0; i < n->n_elements; i++) {
        const struct net_element *e = &n->elements[i];

        sbuf_reset(&line);
        if (action == 'd')
            sbuf_printf(&line, "%s :: %s", e->name, e->class_name);
        else
            sbuf_puts(&line, action == 'c' ? e->class_name : e->name);
        lines[i] = arena_strdup(t->arena, sbuf_text(&line));
    }
    qsort(lines, n->n_elements, sizeof *lines, compare);
    for (uint32_t i = 0; i < n->n_elements; i++)
        if (action != 'c' || i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
            sbuf_printf(&out, "%s\n", lines[i]);
    status = tool_write(t, &out);
    sbuf_fini(&out);
    sbuf_fini(&line);
    return status;
}

static int work(struct tool *t, struct tool_config *c)
{
    t->only_config = action == OPT_CONFIG;
    return action == OPT_FLATTEN || action == OPT_CONFIG ? tool_write_config(t, c)
                                                         : write_list(t, &c->net);
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-flatten",
                     .usage = usage,
                     .short_options = "cnd",
                     .long_options = options,
                     .option = set_option};

    return tool_main(&t, argc, argv, work);
}
