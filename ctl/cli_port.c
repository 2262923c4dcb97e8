// SPDX-License-Identifier: BSD-3-Clause
/* cli_port.c -- clickos port add, set, reset, rm, ls */

#include "ctl/cli.h"
#include "ctl/portspec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_option add_options[] = {
    {"net", 0, "NETWORK", "the network it belongs to"},
    {"netns", 0, "NAME", "network namespace of the device (tap, packet, xdp)"},
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

/* KEY=VALUE words from number `first` on, of a port of this kind (NULL: any). */
static int add_keys(struct cli *c, const struct cli_args *a, unsigned first,
                    const char *kind, json_t *o)
{
    for (unsigned i = first; i < a->n_words; i++) {
        const char *sep = strchr(a->words[i], '=');
        char *key;
        int failed;

        if (!sep || sep == a->words[i])
            return cli_fail(c, EXIT_USAGE,
                            "'%s' is no KEY=VALUE: see clickos port %s -h", a->words[i],
                            kind ? "add" : "set");
        key = strndup(a->words[i], (size_t)(sep - a->words[i]));
        failed = !key || json_object_set_new(o, key,
                                             kind && is_path(kind, key)
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
    status = add_keys(c, a, 2, a->words[1], o);
    if (status) {
        json_decref(o);
        return status;
    }
    return api_create(c, o, "ports");
}

static void help_settings(FILE *out)
{
    for (const struct portset_key *k = portset_keys; k->name; k++)
        fprintf(out, "  %-16s %s\n", k->name, k->help);
}

static void words_of_set(FILE *out)
{
    for (const struct portset_key *k = portset_keys; k->name; k++)
        fprintf(out, "%s=\n", k->name);
}

static void help_keys(FILE *out)
{
    for (const struct portkind *k = portkinds; k->name; k++) {
        fprintf(out, "\n%s: %s\n", k->name, k->help);
        for (const struct portkey *p = portkeys; p->name; p++)
            if (p->kind == k->kind)
                fprintf(out, "  %-16s %s\n", p->name, p->help);
    }
    fputs("\nall kinds:\n", out);
    help_settings(out);
}

static void words_of_add(FILE *out)
{
    for (const struct portkind *k = portkinds; k->name; k++)
        fprintf(out, "%s\n", k->name);
    for (const struct portkey *k = portkeys; k->name; k++)
        fprintf(out, "%s=\n", k->name);
    words_of_set(out);
}

COMMAND(port_add) = {
    .name = "port add",
    .usage = "NAME KIND --net NETWORK [--netns NAME] [KEY=VALUE ...]",
    .summary = "create a port: tap, packet, xdp, pcap-in, pcap-out, gen, sink",
    .example = "  clickos port add tap0 tap --net left --netns client\n"
               "  clickos port add src gen --net left rate=100k size=64,1500\n"
               "  clickos port add web tap --net left allow_ip=10.0.0.7 in_bps=100M",
    .options = add_options,
    .min_words = 2,
    .max_words = CLI_MAX_WORDS,
    .run = port_add,
    .more_help = help_keys,
    .words = words_of_add,
};

/* ---- set ------------------------------------------------------------------------- */

/* "key=" takes a setting back. */
static void empty_to_null(json_t *o)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(o, next, key, value) if (!*json_string_value(value))
        json_object_set_new(o, key, json_null());
}

static int port_set(struct cli *c, const struct cli_args *a)
{
    json_t *o = json_object(), *answer = NULL;
    int status = add_keys(c, a, 1, NULL, o);

    if (status) {
        json_decref(o);
        return status;
    }
    empty_to_null(o);
    status = api(c, "PATCH", o, &answer, "/v1/ports/%s", a->words[0]);
    if (status == EXIT_OK && c->json)
        return cli_print_json(c, answer);
    json_decref(answer);
    return status;
}

static void help_set(FILE *out)
{
    fputc('\n', out);
    help_settings(out);
}

COMMAND(port_set) = {
    .name = "port set",
    .usage = "NAME KEY=VALUE ...",
    .summary = "change a port's limits and allowed sources under traffic",
    .more = "Ports of VMs too. KEY= takes a setting back. Settings outlive the daemon.",
    .example = "  clickos port set fw.0 pps=10k bps=100M\n"
               "  clickos port set fw.0 allow_mac=own allow_ip=10.0.0.7,fd00::7\n"
               "  clickos port set fw.0 pps= bps=",
    .min_words = 2,
    .max_words = CLI_MAX_WORDS,
    .run = port_set,
    .more_help = help_set,
    .words = words_of_set,
};

static int port_reset(struct cli *c, const struct cli_args *a)
{
    int status = EXIT_OK;

    for (unsigned i = 0; i < a->n_words; i++) {
        int one = api(c, "POST", NULL, NULL, "/v1/ports/%s/reset", a->words[i]);

        status = status ? status : one;
    }
    return status;
}

COMMAND(port_reset) = {
    .name = "port reset",
    .usage = "NAME ...",
    .summary = "begin counters, and what a sink measured, at zero",
    .example = "  clickos port reset dst",
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .run = port_reset,
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
