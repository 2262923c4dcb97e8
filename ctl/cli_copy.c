// SPDX-License-Identifier: BSD-3-Clause
/* cli_copy.c -- clickos snapshot, restore, clone, park, wake */

#include "ctl/cli.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The daemon is somewhere else than we are. Heap; NULL: said why. */
static char *absolute(struct cli *c, const char *file)
{
    struct sbuf path = SBUF_INIT;
    char here[PATH_MAX];

    if (*file == '/')
        return strdup(file);
    if (!getcwd(here, sizeof here)) {
        cli_fail(c, EXIT_FAILED, "the current folder has no name: give the whole path");
        return NULL;
    }
    sbuf_printf(&path, "%s/%s", here, file);
    return sbuf_take(&path);
}

/* ---- snapshot ---------------------------------------------------------------------- */

static int snapshot(struct cli *c, const struct cli_args *a)
{
    char *file = absolute(c, a->words[1]);
    json_t *o = NULL;
    int status;

    if (!file)
        return EXIT_FAILED;
    status = api(c, "POST", json_pack("{s:s}", "file", file), &o, "/v1/vms/%s/snapshot",
                 a->words[0]);
    free(file);
    if (status || !c->json) {
        json_decref(o);
        return status;
    }
    return cli_print_json(c, o);
}

COMMAND(snapshot) = {
    .name = "snapshot",
    .usage = "VM FILE",
    .summary = "write all that a VM is to a file, while it runs",
    .more =
        "Packets in its queues, connections, counters: it is stopped for less than a\n"
        "millisecond. 'clickos restore' goes on from there.",
    .example = "  clickos snapshot nat nat.snapshot",
    .min_words = 2,
    .max_words = 2,
    .run = snapshot,
};

/* ---- restore ----------------------------------------------------------------------- */

static const struct cli_option restore_options[] = {
    {"create-net", 0, NULL, "create networks that do not exist"},
    {.name = NULL},
};

static int restore(struct cli *c, const struct cli_args *a)
{
    char *file = absolute(c, a->words[0]);
    json_t *body, *o = NULL;
    int status;

    if (!file)
        return EXIT_FAILED;
    body = json_pack("{s:s}", "file", file);
    free(file);
    if (a->n_words > 1)
        json_object_set_new(body, "name", json_string(a->words[1]));
    if (cli_flag(a, "create-net"))
        json_object_set_new(body, "create_networks", json_true());
    status = api(c, "POST", body, &o, "/v1/restore");
    if (status || !c->json) {
        json_decref(o);
        return status;
    }
    return cli_print_json(c, o);
}

COMMAND(restore) = {
    .name = "restore",
    .usage = "FILE [NAME] [--create-net]",
    .summary = "start a VM from a snapshot",
    .more = "Under its old name it has its old addresses, under another one its own.",
    .example = "  clickos restore nat.snapshot",
    .options = restore_options,
    .min_words = 1,
    .max_words = 2,
    .run = restore,
};

/* ---- clone ------------------------------------------------------------------------- */

static const struct cli_option clone_options[] = {
    {"n", 'n', "N", "how many (1)"},
    {"name", 0, "NAME", "their name; {} becomes the number (VM-{})"},
    {.name = NULL},
};

/* "{}" becomes the number of the clone. */
static char *numbered(const char *pattern, unsigned n)
{
    struct sbuf s = SBUF_INIT;
    const char *at;

    while ((at = strstr(pattern, "{}"))) {
        sbuf_add(&s, pattern, (size_t)(at - pattern));
        sbuf_printf(&s, "%u", n);
        pattern = at + 2;
    }
    sbuf_puts(&s, pattern);
    return sbuf_take(&s);
}

/* "10.0.0.1+" becomes the address that is as far behind as the clone's number, and keeps
 * what "10.0.0.1+/24" has behind it. */
static char *value_for(const char *value, unsigned n)
{
    size_t len = strcspn(value, "+");
    char text[INET_ADDRSTRLEN];
    struct sbuf s = SBUF_INIT;
    struct in_addr ip;

    if (len < sizeof text && value[len] && strchr("/", value[len + 1])) {
        memcpy(text, value, len);
        text[len] = '\0';
        if (inet_pton(AF_INET, text, &ip) == 1) {
            ip.s_addr = htonl(ntohl(ip.s_addr) + n);
            sbuf_printf(&s, "%s%s", inet_ntop(AF_INET, &ip, text, sizeof text),
                        value + len + 1);
            return sbuf_take(&s);
        }
    }
    return numbered(value, n);
}

static json_t *defines_for(const struct cli_args *a, unsigned n)
{
    json_t *o = json_object();

    for (unsigned i = 1; i < a->n_words; i++) {
        const char *sep = strchr(a->words[i], '=');
        char *name = strndup(a->words[i], (size_t)(sep - a->words[i]));
        char *value = value_for(sep + 1, n);

        if (name && value)
            json_object_set_new(o, name, json_string(value));
        free(name);
        free(value);
    }
    return o;
}

static json_t *clone_list(const struct cli_args *a, const char *pattern, unsigned n)
{
    json_t *list = json_array();

    for (unsigned i = 1; i <= n; i++) {
        char *name = numbered(pattern, i);

        json_array_append_new(
            list, json_pack("{s:s?, s:o}", "name", name, "defines", defines_for(a, i)));
        free(name);
    }
    return list;
}

/* A misspelt variable would leave all clones with the original's value. 0, or an exit
 * status when there is no such VM. */
static int warn_of_unused(struct cli *c, const struct cli_args *a)
{
    struct sbuf texts = SBUF_INIT;
    struct source all = {.file = a->words[0], .defines = defines_for(a, 1)};
    json_t *vm = NULL;
    const json_t *config;
    size_t i;
    int status = api(c, "GET", NULL, &vm, "/v1/vms/%s", a->words[0]);

    json_array_foreach(json_object_get(vm, "configs"), i, config)
    {
        struct sbuf path = SBUF_INIT;
        struct http_reply r;

        sbuf_puts(&path, "/v1/vms/");
        http_encode(&path, a->words[0], "");
        sbuf_puts(&path, "/config/");
        http_encode(&path, json_str(config, "name"), "");
        if (http_call(c, "GET", sbuf_text(&path), NULL, NULL, 0, &r) == 0) {
            sbuf_add(&texts, sbuf_text(&r.body), r.body.len);
            http_reply_fini(&r);
        }
        sbuf_fini(&path);
    }
    all.len = texts.len;
    all.text = sbuf_take(&texts);
    if (status == 0 && all.text)
        source_warn(c, &all);
    source_fini(&all);
    json_decref(vm);
    return status;
}

static int clone_run(struct cli *c, const struct cli_args *a)
{
    const char *count = cli_value(a, "n"), *pattern = cli_value(a, "name");
    struct sbuf usual = SBUF_INIT;
    unsigned long n = 1;
    char *end = NULL;
    json_t *o = NULL;
    int status;

    if (count)
        n = strtoul(count, &end, 10);
    if (count && (*end || *count < '0' || *count > '9' || n < 1 || n > 100000))
        return cli_fail(c, EXIT_USAGE, "'%s' is no number of clones", count);
    for (unsigned i = 1; i < a->n_words; i++)
        if (!is_definition(a->words[i]))
            return cli_fail(c, EXIT_USAGE, "'%s' is no VAR=VALUE", a->words[i]);
    if (pattern && n > 1 && !strstr(pattern, "{}"))
        return cli_fail(c, EXIT_USAGE, "'%s' has no {} for the number", pattern);
    if (a->n_words > 1 && (status = warn_of_unused(c, a)))
        return status;
    sbuf_printf(&usual, "%s-{}", a->words[0]);
    status = api(
        c, "POST",
        json_pack("{s:o}", "clones",
                  clone_list(a, pattern ? pattern : sbuf_text(&usual), (unsigned)n)),
        &o, "/v1/vms/%s/clone", a->words[0]);
    sbuf_fini(&usual);
    if (status || !c->json) {
        json_decref(o);
        return status;
    }
    return cli_print_json(c, o);
}

COMMAND(clone) = {
    .name = "clone",
    .usage = "VM [-n N] [--name NAME] [VAR=VALUE ...]",
    .summary = "make more VMs from one that runs, with all that it knows",
    .more = "Each has a name and MAC addresses of its own, and its configuration is "
            "installed\n"
            "again with the variables changed; {} in a value becomes the clone's "
            "number, and\n"
            "10.0.0.1+ the address that is as far behind, also as 10.0.0.1+/24.",
    .example = "  clickos clone nat -n 100 IP=10.0.1.0+",
    .options = clone_options,
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .run = clone_run,
};

/* ---- park, wake -------------------------------------------------------------------- */

static int each(struct cli *c, const struct cli_args *a, const char *what)
{
    int status = 0, one;

    for (unsigned i = 0; i < a->n_words; i++) {
        one = api(c, "POST", NULL, NULL, "/v1/vms/%s/%s", a->words[i], what);
        status = status ? status : one;
    }
    return status;
}

static int park(struct cli *c, const struct cli_args *a)
{
    return each(c, a, "park");
}

COMMAND(park) = {
    .name = "park",
    .usage = "VM ...",
    .summary = "put VMs aside until a packet comes for them",
    .more =
        "Their state goes into a file and they take no memory. With --park-after this\n"
        "happens by itself.",
    .example = "  clickos park fw",
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .run = park,
};

static int wake(struct cli *c, const struct cli_args *a)
{
    return each(c, a, "wake");
}

COMMAND(wake) = {
    .name = "wake",
    .usage = "VM ...",
    .summary = "have VMs run that are parked",
    .example = "  clickos wake fw",
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .run = wake,
};
