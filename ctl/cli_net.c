// SPDX-License-Identifier: BSD-3-Clause
/* cli_net.c -- clickos net add, rm, ls, addresses */

#include "ctl/cli.h"

#include <string.h>

static const struct cli_option add_options[] = {
    {"wire", 0, NULL, "join exactly two ports, whatever the addresses"},
    {"backpressure", 0, NULL, "wire: let a full receiver stop the sender"},
    {"port-limit", 0, "N", "addresses learned behind one port"},
    {"age", 0, "SECONDS", "forget addresses after this long (300)"},
    {"max-addresses", 0, "N", "addresses of all ports together (100000)"},
    {"storm", 0, "PPS", "what each port may send to many in all"},
    {"broadcast", 0, "PPS", "broadcasts alone"},
    {"multicast", 0, "PPS", "multicasts alone"},
    {"unknown", 0, "PPS", "packets to unknown addresses alone"},
    {.name = NULL},
};

static void set_number(json_t *o, const char *key, const char *value)
{
    if (value)
        json_object_set_new(o, key, json_string(value));
}

static int net_add(struct cli *c, const struct cli_args *a)
{
    json_t *o = json_pack("{s:s}", "name", a->words[0]);

    if (!o)
        return cli_fail(c, EXIT_USAGE, "the name is not valid UTF-8");
    if (cli_flag(a, "wire"))
        json_object_set_new(o, "mode", json_string("wire"));
    if (cli_flag(a, "backpressure"))
        json_object_set_new(o, "backpressure", json_true());
    set_number(o, "port_limit", cli_value(a, "port-limit"));
    set_number(o, "max_addresses", cli_value(a, "max-addresses"));
    set_number(o, "age_s", cli_value(a, "age"));
    set_number(o, "storm_pps", cli_value(a, "storm"));
    set_number(o, "broadcast_pps", cli_value(a, "broadcast"));
    set_number(o, "multicast_pps", cli_value(a, "multicast"));
    set_number(o, "unknown_pps", cli_value(a, "unknown"));
    return api_create(c, o, "networks");
}

COMMAND(net_add) = {
    .name = "net add",
    .usage = "NAME [--wire] [options]",
    .summary = "create a network",
    .example = "  clickos net add left\n  clickos net add uplink --wire",
    .options = add_options,
    .min_words = 1,
    .max_words = 1,
    .run = net_add,
};

static int net_rm(struct cli *c, const struct cli_args *a)
{
    return api_remove_each(c, a, "networks");
}

COMMAND(net_rm) = {
    .name = "net rm",
    .usage = "NAME ...",
    .summary = "remove networks that have no ports",
    .example = "  clickos net rm left",
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .run = net_rm,
};

static void network_row(struct table *t, const json_t *n)
{
    table_cell(t, "%s", json_str(n, "name"));
    table_cell(t, "%s", json_str(n, "mode"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(n, "ports"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(n, "addresses"));
}

static int net_ls(struct cli *c, const struct cli_args *a)
{
    json_t *o = NULL;
    int status = api(c, "GET", NULL, &o, "/v1/networks");

    (void)a;
    return status ? status
                  : cli_print_list(c, o, "networks", "NAME MODE #PORTS #ADDRESSES",
                                   network_row);
}

COMMAND(net_ls) = {
    .name = "net ls",
    .usage = "",
    .summary = "list networks",
    .example = "  clickos net ls",
    .run = net_ls,
};

static void address_row(struct table *t, const json_t *n)
{
    table_cell(t, "%s", json_str(n, "mac"));
    table_cell(t, "%s", json_str(n, "port"));
    if (json_is_true(json_object_get(n, "fixed")))
        table_cell(t, "static");
    else
        table_cell(t, "%" JSON_INTEGER_FORMAT "s", json_num(n, "age_s"));
}

static int net_addresses(struct cli *c, const struct cli_args *a)
{
    json_t *o = NULL;
    int status = api(c, "GET", NULL, &o, "/v1/networks/%s/addresses", a->words[0]);

    return status ? status
                  : cli_print_list(c, o, "addresses", "ADDRESS PORT #AGE", address_row);
}

COMMAND(net_addresses) = {
    .name = "net addresses",
    .usage = "NAME",
    .summary = "show which addresses are behind which port",
    .example = "  clickos net addresses left",
    .min_words = 1,
    .max_words = 1,
    .run = net_addresses,
};
