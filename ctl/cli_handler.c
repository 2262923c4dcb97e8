// SPDX-License-Identifier: BSD-3-Clause
/* cli_handler.c -- clickos read, write */

#include "ctl/cli.h"

#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_option handler_options[] = {
    {"config", 'c', "CFG", "which of several configurations"},
    {.name = NULL},
};

static char *handler_path(const struct cli_args *a, const char *handler,
                          const char *param)
{
    struct sbuf p = SBUF_INIT;
    const char *config = cli_value(a, "config");

    sbuf_puts(&p, "/v1/vms/");
    http_encode(&p, a->words[0], "");
    sbuf_puts(&p, "/handlers/");
    http_encode(&p, handler, "/");
    if (param) {
        sbuf_puts(&p, "?param=");
        http_encode(&p, param, "");
    }
    if (config) {
        sbuf_puts(&p, param ? "&config=" : "?config=");
        http_encode(&p, config, "");
    }
    return sbuf_take(&p);
}

static int print_value(struct cli *c, const char *handler, const struct http_reply *r)
{
    const char *text = sbuf_text(&r->body);
    json_t *o;

    if (c->json) {
        o = json_pack("{s:s, s:s%}", "handler", handler, "value", text, r->body.len);
        return o ? cli_print_json(c, o)
                 : cli_fail(c, EXIT_FAILED,
                            "the value of %s is not valid UTF-8: read "
                            "it without --json",
                            handler);
    }
    fwrite(text, 1, r->body.len, c->out);
    if (r->body.len && text[r->body.len - 1] != '\n')
        fputc('\n', c->out);
    return EXIT_OK;
}

/* The text of a handler that lists things; "" if it cannot be read. The caller's. */
static char *list_of(struct cli *c, const struct cli_args *a, const char *handler)
{
    char *path = handler_path(a, handler, NULL), *text = NULL;
    struct http_reply r;

    if (path && http_call(c, "GET", path, NULL, NULL, 0, &r) == 0) {
        if (r.status < 300)
            text = strdup(sbuf_text(&r.body));
        http_reply_fini(&r);
    }
    free(path);
    return text;
}

/* The name in `text`, the first word of each line, that is nearest to `wanted`, which is
 * not there; NULL: none is near. Writes into `text`. */
static const char *nearest_line(char *text, const char *wanted)
{
    struct suggest s;
    char *line, *rest = text;

    suggest_init(&s, wanted);
    while ((line = strsep(&rest, "\n"))) {
        line[strcspn(line, "\t\r")] = '\0';
        if (!strcmp(line, wanted))
            return NULL;
        if (*line)
            suggest_add(&s, line);
    }
    return s.best;
}

/* There is no such element, or it has no such handler: append which may be meant. */
static void suggest_handler(struct cli *c, const struct cli_args *a, struct sbuf *out)
{
    const char *name = a->n_words > 1 ? a->words[1] : "", *dot = strrchr(name, '.');
    char *element = dot ? strndup(name, (size_t)(dot - name)) : NULL;
    char *list = element ? list_of(c, a, "list") : NULL, *handlers = NULL;
    const char *near = list ? nearest_line(list, element) : NULL;
    struct sbuf path = SBUF_INIT;

    if (near) {
        sbuf_printf(out, ": did you mean '%s%s'?", near, dot);
    } else if (list) {
        sbuf_printf(&path, "%s.handlers", element);
        if ((handlers = list_of(c, a, sbuf_text(&path))) &&
            (near = nearest_line(handlers, dot + 1)))
            sbuf_printf(out, ": did you mean '%s.%s'?", element, near);
    }
    sbuf_fini(&path);
    free(handlers);
    free(list);
    free(element);
}

/* An answer that is no success: its text, and what may have been meant. */
static int handler_fail(struct cli *c, const struct cli_args *a,
                        const struct http_reply *r)
{
    json_t *o = json_loadb(sbuf_text(&r->body), r->body.len, 0, NULL);
    struct sbuf text = SBUF_INIT;
    int status;

    if (!strcmp(json_str(o, "code"), "no_such_handler")) {
        sbuf_puts(&text, json_str(o, "error"));
        suggest_handler(c, a, &text);
        status = cli_fail(c, EXIT_UNKNOWN, "%s", sbuf_text(&text));
    } else {
        status = api_fail(c, r, NULL);
    }
    sbuf_fini(&text);
    json_decref(o);
    return status;
}

static int read_handler(struct cli *c, const struct cli_args *a)
{
    const char *handler = a->n_words > 1 ? a->words[1] : "list";
    char *path = handler_path(a, handler, a->n_words > 2 ? a->words[2] : NULL);
    struct http_reply r;
    int status;

    if (!*handler) {
        free(path);
        return cli_fail(c, EXIT_USAGE, "a handler has a name, as 'fw.count'");
    }
    status = http_call(c, "GET", path ? path : "/", NULL, NULL, 0, &r);
    free(path);
    if (status)
        return status;
    status = r.status < 300 ? print_value(c, handler, &r) : handler_fail(c, a, &r);
    http_reply_fini(&r);
    return status;
}

COMMAND(read) = {
    .name = "read",
    .usage = "NAME [ELEMENT.HANDLER [PARAMETER]]",
    .summary = "print a handler's value; without one, the elements",
    .example = "  clickos read fw web.count\n  clickos read fw web.handlers",
    .options = handler_options,
    .min_words = 1,
    .max_words = 3,
    .run = read_handler,
};

static int read_stdin(struct sbuf *out)
{
    char chunk[16384];
    size_t n;

    while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        sbuf_add(out, chunk, n);
    return ferror(stdin) || out->failed ? -1 : 0;
}

static int write_handler(struct cli *c, const struct cli_args *a)
{
    struct sbuf value = SBUF_INIT;
    char *path = handler_path(a, a->words[1], NULL);
    struct http_reply r;
    int status;

    if (a->n_words == 3 && !strcmp(a->words[2], "-")) {
        if (read_stdin(&value) < 0) {
            free(path);
            sbuf_fini(&value);
            return cli_fail(c, EXIT_FAILED, "cannot read standard input");
        }
    } else {
        for (unsigned i = 2; i < a->n_words; i++)
            sbuf_printf(&value, "%s%s", i > 2 ? " " : "", a->words[i]);
    }
    status = http_call(c, "PUT", path ? path : "/", "text/plain", sbuf_text(&value),
                       value.len, &r);
    free(path);
    sbuf_fini(&value);
    if (status)
        return status;
    if (r.status >= 300)
        status = handler_fail(c, a, &r);
    else if (r.body.len)
        status = print_value(c, a->words[1], &r);
    http_reply_fini(&r);
    return status;
}

COMMAND(write) = {
    .name = "write",
    .usage = "NAME ELEMENT.HANDLER [VALUE ...]",
    .summary = "write a handler; the value '-' comes from standard input",
    .example = "  clickos write fw web.reset_counts",
    .options = handler_options,
    .min_words = 2,
    .max_words = CLI_MAX_WORDS,
    .run = write_handler,
};
