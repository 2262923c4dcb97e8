// SPDX-License-Identifier: BSD-3-Clause
/* cli_things.c -- what the verbs for networks, ports and VMs share: create, remove, list */

#include "ctl/cli.h"

#include <stdlib.h>

int api_create(struct cli *c, json_t *body, const char *things)
{
    json_t *answer = NULL;
    int status = api(c, "POST", body, &answer, "/v1/%s", things);

    if (status == EXIT_OK && c->json)
        return cli_print_json(c, answer);
    json_decref(answer);
    return status;
}

int api_remove_each(struct cli *c, const struct cli_args *a, const char *things)
{
    int status = EXIT_OK;

    for (unsigned i = 0; i < a->n_words; i++) {
        int one = api(c, "DELETE", NULL, NULL, "/v1/%s/%s", things, a->words[i]);

        status = status ? status : one;
    }
    return status;
}

int cli_print_list(struct cli *c, json_t *answer, const char *list, const char *heads,
                   cli_row *row)
{
    struct table t;
    size_t i;
    const json_t *item;

    if (c->json)
        return cli_print_json(c, answer);
    table_init(&t, heads);
    json_array_foreach(json_object_get(answer, list), i, item) row(&t, item);
    table_print(&t, c->out);
    json_decref(answer);
    return EXIT_OK;
}
