// SPDX-License-Identifier: BSD-3-Clause
/* cli_config.c -- clickos install, show, remove, lint, graph */

#include "ctl/cli.h"
#include "ctl/lint.h"

#include <stdlib.h>
#include <string.h>

/* ---- install --------------------------------------------------------------------- */

static const struct cli_option install_options[] = {
    {"config", 'c', "CFG", "which of several configurations (main)"},
    {"e", 'e', "TEXT", "the configuration itself instead of a file"},
    {.name = NULL},
};

static __attribute__((format(printf, 1, 2))) char *path(const char *fmt, ...)
{
    va_list ap;
    char *p;

    va_start(ap, fmt);
    p = api_path(fmt, ap);
    va_end(ap);
    return p;
}

static int installed(struct cli *c, const struct http_reply *r, const struct source *s,
                     const char *vm, const char *config)
{
    json_t *o = json_loadb(sbuf_text(&r->body), r->body.len, 0, NULL);

    caret_print(c->err, json_object_get(o, "details"), s); /* warnings */
    if (c->json)
        return cli_print_json(c, o);
    fprintf(c->out, "%s: %s installed%s%s\n", vm, s->file,
            strcmp(config, "main") ? " as " : "", strcmp(config, "main") ? config : "");
    json_decref(o);
    return EXIT_OK;
}

static int put_config(struct cli *c, const char *vm, const char *config,
                      const struct source *s)
{
    char *where = path("/v1/vms/%s/config/%s", vm, config), *text = NULL;
    json_t *body = source_json(c, s);
    struct http_reply r;
    int status = EXIT_FAILED;

    if (where && body && (text = json_dumps(body, 0)))
        status = http_call(c, "PUT", where, "application/json", text, strlen(text), &r);
    json_decref(body);
    free(where);
    if (text && status == 0) {
        status = r.status < 300 ? installed(c, &r, s, vm, config) : api_fail(c, &r, s);
        http_reply_fini(&r);
    }
    free(text);
    return status;
}

static int install(struct cli *c, const struct cli_args *a)
{
    const char *expression = cli_value(a, "e"), *config = cli_value(a, "config");
    unsigned used = expression ? 1 : 2;
    struct source s;
    int status;

    if (a->n_words < used)
        return cli_fail(c, EXIT_USAGE, "usage: clickos install NAME FILE [VAR=VALUE]");
    status = source_read(c, &s, expression ? NULL : a->words[1], expression);
    if (status == 0)
        status = source_define(c, &s, a->words + used, a->n_words - used);
    if (status == 0)
        status = put_config(c, a->words[0], config ? config : "main", &s);
    source_fini(&s);
    return status;
}

COMMAND(install) = {
    .name = "install",
    .usage = "NAME FILE [VAR=VALUE ...] [options]",
    .summary = "replace a VM's configuration while it runs",
    .more =
        "Elements of the same name and class keep their packets and state. If there\n"
        "are errors, all of them are shown and the running one is left as it is.",
    .example = "  clickos install fw firewall2.click",
    .options = install_options,
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .run = install,
};

/* ---- show, remove ---------------------------------------------------------------- */

static const struct cli_option show_options[] = {
    {"config", 'c', "CFG", "which of several configurations (main)"},
    {.name = NULL},
};

static int show(struct cli *c, const struct cli_args *a)
{
    const char *config = cli_value(a, "config");
    char *where = path("/v1/vms/%s/config/%s", a->words[0], config ? config : "main");
    struct http_reply r;
    int status = http_call(c, "GET", where ? where : "/", NULL, NULL, 0, &r);

    free(where);
    if (status)
        return status;
    if (r.status >= 300)
        status = api_fail(c, &r, NULL);
    else if (c->json)
        status = cli_print_json(
            c, json_pack("{s:s%}", "text", sbuf_text(&r.body), r.body.len));
    else
        fwrite(sbuf_text(&r.body), 1, r.body.len, c->out);
    http_reply_fini(&r);
    return status;
}

COMMAND(show) = {
    .name = "show",
    .usage = "NAME [-c CFG]",
    .summary = "print a VM's configuration as it was installed",
    .example = "  clickos show fw",
    .options = show_options,
    .min_words = 1,
    .max_words = 1,
    .run = show,
};

static int remove_config(struct cli *c, const struct cli_args *a)
{
    return api(c, "DELETE", NULL, NULL, "/v1/vms/%s/config/%s", a->words[0],
               a->words[1]);
}

COMMAND(remove) = {
    .name = "remove",
    .usage = "NAME CFG",
    .summary = "take one of several configurations out of a VM",
    .example = "  clickos remove fw monitor",
    .min_words = 2,
    .max_words = 2,
    .run = remove_config,
};

/* ---- lint, graph ------------------------------------------------------------------ */

static const struct cli_option lint_options[] = {
    {"e", 'e', "TEXT", "the configuration itself instead of a file"},
    {.name = NULL},
};

static int lint_source(struct cli *c, const struct cli_args *a, struct source *s)
{
    const char *expression = cli_value(a, "e");
    unsigned used = expression ? 0 : 1;
    int status;

    *s = (struct source){0};
    if (a->n_words < used)
        return cli_fail(c, EXIT_USAGE, "a FILE is missing, or -e TEXT");
    status = source_read(c, s, expression ? NULL : a->words[0], expression);
    if (status == 0)
        status = source_define(c, s, a->words + used, a->n_words - used);
    if (status == 0)
        source_warn(c, s);
    return status;
}

static int count_errors(struct cli *c, const struct source *s, const struct diag *d)
{
    return cli_fail(c, EXIT_FAILED, "%zu error%s in %s", d->n_errors,
                    d->n_errors == 1 ? "" : "s", s->file);
}

static int lint(struct cli *c, const struct cli_args *a)
{
    struct source s;
    struct diag d = DIAG_INIT;
    json_t *details;
    int status = lint_source(c, a, &s), bad;

    if (status) {
        source_fini(&s);
        return status;
    }
    bad = lint_check(s.text, s.len, s.file, s.defines, &d);
    details = details_from_diag(&d);
    if (c->json)
        cli_print_json(c, json_pack("{s:b, s:O}", "ok", !bad, "details", details));
    else
        caret_print(c->err, details, &s);
    if (bad)
        status = c->json ? EXIT_FAILED : count_errors(c, &s, &d);
    json_decref(details);
    diag_fini(&d);
    source_fini(&s);
    return status;
}

COMMAND(lint) = {
    .name = "lint",
    .usage = "FILE [VAR=VALUE ...]",
    .summary = "check a configuration without running it",
    .more = "Needs no daemon. Nothing is printed when all is well.",
    .example = "  clickos lint firewall.click",
    .options = lint_options,
    .max_words = CLI_MAX_WORDS,
    .run = lint,
};

static const struct cli_option graph_options[] = {
    {"e", 'e', "TEXT", "the configuration itself instead of a file"},
    {"vm", '\0', "NAME", "what a VM runs, instead of a file"},
    {"config", 'c', "CFG", "with --vm: which of several configurations"},
    {"format", 'f', "FORMAT", "dot, svg or text (dot)"},
    {.name = NULL},
};

/* What runs in a VM now, without compound elements. */
static int running_source(struct cli *c, const char *vm, const char *config,
                          struct source *s)
{
    struct sbuf path = SBUF_INIT;
    struct http_reply r;
    int status;

    *s = (struct source){0};
    sbuf_puts(&path, "/v1/vms/");
    http_encode(&path, vm, "");
    sbuf_puts(&path, "/handlers/flatconfig");
    if (config) {
        sbuf_puts(&path, "?config=");
        http_encode(&path, config, "");
    }
    status = http_call(c, "GET", sbuf_text(&path), NULL, NULL, 0, &r);
    sbuf_fini(&path);
    if (status == 0) {
        status = r.status < 300 ? source_read(c, s, NULL, sbuf_text(&r.body))
                                : api_fail(c, &r, NULL);
        http_reply_fini(&r);
    }
    return status;
}

static int graph_source(struct cli *c, const struct cli_args *a, struct source *s)
{
    const char *vm = cli_value(a, "vm");

    if (!vm)
        return lint_source(c, a, s);
    *s = (struct source){0};
    if (a->n_words || cli_value(a, "e"))
        return cli_fail(c, EXIT_USAGE, "with --vm no configuration is given");
    return running_source(c, vm, cli_value(a, "config"), s);
}

static int graph(struct cli *c, const struct cli_args *a)
{
    const char *name = cli_value(a, "format");
    enum graph_format format = GRAPH_DOT;
    struct source s = {0};
    struct diag d = DIAG_INIT;
    struct sbuf out = SBUF_INIT;
    json_t *details;
    int status;

    if (name && !graph_format_parse(name, &format))
        return cli_fail(c, EXIT_USAGE, "there is no format '%s': dot, svg or text",
                        name);
    status = graph_source(c, a, &s);
    if (status == 0 &&
        lint_graph(format, s.text, s.len, s.file, s.defines, &out, &d) < 0) {
        details = details_from_diag(&d);
        caret_print(c->err, details, &s);
        json_decref(details);
        status = count_errors(c, &s, &d);
    } else if (status == 0) {
        fputs(sbuf_text(&out), c->out);
    }
    sbuf_fini(&out);
    diag_fini(&d);
    source_fini(&s);
    return status;
}

COMMAND(graph) = {
    .name = "graph",
    .usage = "FILE [VAR=VALUE ...] | --vm NAME",
    .summary = "draw a configuration, or what a VM runs",
    .more = "Connections that push are drawn through, those that are pulled dashed. A\n"
            "file needs no daemon.",
    .example = "  clickos graph firewall.click --format svg > firewall.svg\n"
               "  clickos graph firewall.click | dot -Tpng > firewall.png\n"
               "  clickos graph --vm fw --format text",
    .options = graph_options,
    .max_words = CLI_MAX_WORDS,
    .run = graph,
};
