// SPDX-License-Identifier: BSD-3-Clause
/* cli_port.c -- clickos port add, rm, ls, stats */

#include "ctl/cli.h"
#include "ctl/portspec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_option add_options[] = {
    {"net", 0, "NETWORK", "the network it belongs to"},
    {"netns", 0, "NAME", "network namespace of the device (tap, packet)"},
    {.name = NULL},
};

static bool is_path(const char *kind, const char *key)
{
    const struct portkind *k = portkinds;

    while (k->name && strcmp(k->name, kind))
        k++;
    for (const struct portkey *p = portkeys; p->name && k->name; p++)
        if (p->kind == k->kind && !strcmp(p->name, key))
            return p->type == PORTKEY_PATH;
    return false;
}

/* The daemon stands in another folder than we do. */
static json_t *absolute(const char *path)
{
    char folder[PATH_MAX];

    if (*path == '/' || !*path || !getcwd(folder, sizeof folder))
        return json_string(path);
    return json_sprintf("%s/%s", folder, path);
}

static int add_keys(struct cli *c, const struct cli_args *a, json_t *o)
{
    for (unsigned i = 2; i < a->n_words; i++) {
        const char *sep = strchr(a->words[i], '=');
        char *key;
        int failed;

        if (!sep || sep == a->words[i])
            return cli_fail(c, EXIT_USAGE,
                            "'%s' is no KEY=VALUE: see clickos port add "
                            "-h",
                            a->words[i]);
        key = strndup(a->words[i], (size_t)(sep - a->words[i]));
        failed = !key || json_object_set_new(o, key,
                                             is_path(a->words[1], key)
                                                 ? absolute(sep + 1)
                                                 : json_string(sep + 1)) < 0;
        free(key);
        if (failed)
            return cli_fail(c, EXIT_USAGE, "'%s' is not valid UTF-8", a->words[i]);
    }
    return 0;
}

static int port_add(struct cli *c, const struct cli_args *a)
{
    json_t *o = json_pack("{s:s, s:s}", "name", a->words[0], "kind", a->words[1]);
    int status;

    if (!o)
        return cli_fail(c, EXIT_USAGE, "the name is not valid UTF-8");
    if (cli_value(a, "net"))
        json_object_set_new(o, "network", json_string(cli_value(a, "net")));
    if (cli_value(a, "netns"))
        json_object_set_new(o, "netns", json_string(cli_value(a, "netns")));
    status = add_keys(c, a, o);
    if (status) {
        json_decref(o);
        return status;
    }
    return api_create(c, o, "ports");
}

static void help_keys(FILE *out)
{
    for (const struct portkind *k = portkinds; k->name; k++) {
        fprintf(out, "\n%s: %s\n", k->name, k->help);
        for (const struct portkey *p = portkeys; p->name; p++)
            if (p->kind == k->kind)
                fprintf(out, "  %-14s %s\n", p->name, p->help);
    }
    fputs("\nall kinds:\n", out);
    for (const struct portkey *p = portkeys; p->name; p++)
        if (!p->kind)
            fprintf(out, "  %-14s %s\n", p->name, p->help);
}

COMMAND(port_add) = {
    .name = "port add",
    .usage = "NAME KIND --net NETWORK [--netns NAME] [KEY=VALUE ...]",
    .summary = "create a port: tap, packet, pcap-in, pcap-out, gen, sink",
    .example = "  clickos port add tap0 tap --net left --netns client\n"
               "  clickos port add src gen --net left rate=100k size=64,1500",
    .options = add_options,
    .min_words = 2,
    .max_words = CLI_MAX_WORDS,
    .run = port_add,
    .more_help = help_keys,
};

static int port_rm(struct cli *c, const struct cli_args *a)
{
    return api_remove_each(c, a, "ports");
}

COMMAND(port_rm) = {
    .name = "port rm",
    .usage = "NAME ...",
    .summary = "remove ports",
    .example = "  clickos port rm tap0",
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .run = port_rm,
};

static void port_row(struct table *t, const json_t *p)
{
    table_cell(t, "%s", json_str(p, "name"));
    table_cell(t, "%s", json_str(p, "kind"));
    table_cell(t, "%s", json_str(p, "network"));
    table_cell(t, "%s", json_str(p, "state"));
    table_cell(t, "%s", json_str(p, "device"));
    table_cell(t, "%s", json_str(p, "trouble"));
}

static int port_ls(struct cli *c, const struct cli_args *a)
{
    json_t *o = NULL;
    int status = api(c, "GET", NULL, &o, "/v1/ports");

    (void)a;
    return status ? status
                  : cli_print_list(c, o, "ports",
                                   "NAME KIND NETWORK STATE DEVICE TROUBLE", port_row);
}

COMMAND(port_ls) = {
    .name = "port ls",
    .usage = "",
    .summary = "list ports, those of VMs too",
    .example = "  clickos port ls",
    .run = port_ls,
};

/* ---- stats ----------------------------------------------------------------------- */

static void drops_text(struct sbuf *out, json_t *drops)
{
    const char *key;
    json_t *value;

    json_object_foreach(drops, key, value)
        sbuf_printf(out, "%s%s %" JSON_INTEGER_FORMAT, out->len ? ", " : "", key,
                    json_integer_value(value));
}

static void stats_row(struct table *t, const json_t *p)
{
    const json_t *s = json_object_get(p, "stats");
    struct sbuf drops = SBUF_INIT;

    drops_text(&drops, json_object_get(s, "drops"));
    table_cell(t, "%s", json_str(p, "name"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "in_packets"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "in_bytes"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "out_packets"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "out_bytes"));
    table_cell(t, "%s", sbuf_text(&drops));
    sbuf_fini(&drops);
}

static void print_sink(struct cli *c, json_t *sink)
{
    const char *key;
    json_t *value;

    json_object_foreach(sink, key, value) fprintf(
        c->out, "  %-16s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(value));
}

static int port_stats(struct cli *c, const struct cli_args *a)
{
    json_t *o = NULL;
    struct table t;
    size_t i;
    const json_t *p;
    int status = a->n_words ? api(c, "GET", NULL, &o, "/v1/ports/%s", a->words[0])
                            : api(c, "GET", NULL, &o, "/v1/ports?stats=1");

    if (status)
        return status;
    if (c->json)
        return cli_print_json(c, o);
    table_init(&t, "NAME #IN-PACKETS #IN-BYTES #OUT-PACKETS #OUT-BYTES DROPS");
    if (a->n_words)
        stats_row(&t, o);
    json_array_foreach(json_object_get(o, "ports"), i, p) stats_row(&t, p);
    table_print(&t, c->out);
    print_sink(c, json_object_get(o, "sink"));
    json_decref(o);
    return EXIT_OK;
}

COMMAND(port_stats) = {
    .name = "port stats",
    .usage = "[NAME]",
    .summary = "packets and bytes of ports, and drops by reason",
    .more = "In is into the switch, out is out of it.",
    .example = "  clickos port stats fw.0",
    .max_words = 1,
    .run = port_stats,
};
