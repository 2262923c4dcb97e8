// SPDX-License-Identifier: BSD-3-Clause
/* cli_info.c -- clickos version, completion */

#include "ctl/cli.h"
#include "ctl/version.h"

#include <stdlib.h>
#include <string.h>

static int version(struct cli *c, const struct cli_args *a)
{
    json_t *daemon = NULL;
    int status;

    (void)a;
    if (!c->json)
        fprintf(c->out, "clickos  %s\n", CLICKOS_VERSION);
    status = api(c, "GET", NULL, &daemon, "/v1/version");
    if (status && c->json)
        cli_print_json(c,
                       json_pack("{s:s, s:n}", "clickos", CLICKOS_VERSION, "clickosd"));
    if (status)
        return status;
    if (c->json)
        return cli_print_json(
            c, json_pack("{s:s, s:o}", "clickos", CLICKOS_VERSION, "clickosd", daemon));
    fprintf(c->out, "clickosd %s, %s\n", json_str(daemon, "version"),
            json_is_true(json_object_get(daemon, "kvm"))
                ? "KVM"
                : json_str(daemon, "no_kvm_because"));
    json_decref(daemon);
    return EXIT_OK;
}

COMMAND(version) = {
    .name = "version",
    .usage = "",
    .summary = "versions of this program and of the daemon",
    .example = "  clickos version",
    .run = version,
};

/* For packaging/clickos.bash: the verbs, or a verb's options and keys, one a line. */
static int complete(struct cli *c, const struct cli_args *a)
{
    size_t n;
    const struct command **list = cli_commands(&n);

    for (size_t i = 0; i < n; i++) {
        const struct cli_option *o = list[i]->options;

        if (a->n_words == 0)
            fprintf(c->out, "%s\n", list[i]->name);
        else if (!strcmp(list[i]->name, a->words[0]))
            for (; o && o->name; o++)
                fprintf(c->out, "%s%s\n", o->name[1] ? "--" : "-", o->name);
        if (a->n_words && !strcmp(list[i]->name, a->words[0]) && list[i]->words)
            list[i]->words(c->out);
    }
    free(list);
    return EXIT_OK;
}

COMMAND(complete) = {
    .name = "complete",
    .usage = "[VERB]",
    .summary = "list verbs or a verb's options and keys, for shell completion",
    .example = "  clickos complete 'port add'",
    .max_words = 1,
    .run = complete,
};
