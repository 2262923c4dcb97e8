// SPDX-License-Identifier: BSD-3-Clause
/* cli_handler.c -- clickos read, write */

#include "ctl/cli.h"

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

static int read_handler(struct cli *c, const struct cli_args *a)
{
    const char *handler = a->n_words > 1 ? a->words[1] : "list";
    char *path = handler_path(a, handler, a->n_words > 2 ? a->words[2] : NULL);
    struct http_reply r;
    int status = http_call(c, "GET", path ? path : "/", NULL, NULL, 0, &r);

    free(path);
    if (status)
        return status;
    status = r.status < 300 ? print_value(c, handler, &r) : api_fail(c, &r, NULL);
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
        status = api_fail(c, &r, NULL);
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
