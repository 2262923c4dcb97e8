// SPDX-License-Identifier: BSD-3-Clause
/* cli_logs.c -- clickos logs */

#include "ctl/cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 20000 };

static const struct cli_option logs_options[] = {
    {"follow", 'f', NULL, "go on until interrupted or until the VM is removed"},
    {"tail", 'n', "N", "the last N lines"},
    {"time", 't', NULL, "with the time of each line"},
    {.name = NULL},
};

static void print_line(struct cli *c, const json_t *line, bool with_time)
{
    json_int_t us = json_num(line, "time_us");
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char stamp[32];

    if (with_time && localtime_r(&seconds, &tm) &&
        strftime(stamp, sizeof stamp, "%F %T", &tm))
        fprintf(c->out, "%s.%06d ", stamp, (int)(us % 1000000));
    fprintf(c->out, "%s\n", json_str(line, "text"));
}

static void print_lines(struct cli *c, const struct cli_args *a, json_t *o)
{
    size_t i;
    json_t *line;

    json_array_foreach(json_object_get(o, "lines"), i, line)
    {
        if (c->json) {
            json_dumpf(line, c->out, JSON_COMPACT);
            fputc('\n', c->out);
        } else {
            print_line(c, line, cli_flag(a, "time"));
        }
    }
    fflush(c->out);
}

/* Ask again and again, each time waiting in the daemon. Errors after the first answer
 * mean that the VM was removed, which is how it ends. */
static int follow(struct cli *c, const struct cli_args *a, json_int_t next)
{
    for (;;) {
        struct sbuf path = SBUF_INIT;
        struct http_reply r;
        json_t *o;
        int status;

        sbuf_puts(&path, "/v1/vms/");
        http_encode(&path, a->words[0], "");
        sbuf_printf(&path, "/logs?from=%" JSON_INTEGER_FORMAT "&wait_ms=%d", next,
                    WAIT_MS);
        status = http_call(c, "GET", sbuf_text(&path), NULL, NULL, 0, &r);
        sbuf_fini(&path);
        if (status || r.status == 404) {
            if (status == 0)
                http_reply_fini(&r);
            return status;
        }
        if (r.status >= 300)
            status = api_fail(c, &r, NULL);
        o = json_loadb(sbuf_text(&r.body), r.body.len, 0, NULL);
        http_reply_fini(&r);
        if (status == 0)
            print_lines(c, a, o);
        next = json_num(o, "next");
        json_decref(o);
        if (status || ferror(c->out))
            return status;
    }
}

static int logs(struct cli *c, const struct cli_args *a)
{
    const char *tail = cli_value(a, "tail");
    json_t *o = NULL;
    json_int_t next;
    int status;

    if (tail)
        status = api(c, "GET", NULL, &o, "/v1/vms/%s/logs?tail=%s", a->words[0], tail);
    else
        status = api(c, "GET", NULL, &o, "/v1/vms/%s/logs", a->words[0]);
    if (status)
        return status;
    if (c->json && !cli_flag(a, "follow"))
        return cli_print_json(c, o);
    if (json_num(o, "lost") && !c->json)
        cli_fail(c, 0, "%" JSON_INTEGER_FORMAT " older lines are gone",
                 json_num(o, "lost"));
    print_lines(c, a, o);
    next = json_num(o, "next");
    json_decref(o);
    return cli_flag(a, "follow") ? follow(c, a, next) : EXIT_OK;
}

COMMAND(logs) = {
    .name = "logs",
    .usage = "NAME [-f] [-n N] [-t]",
    .summary = "show what a VM said",
    .more = "With --json and -f, one JSON object a line.",
    .example = "  clickos logs -f fw",
    .options = logs_options,
    .min_words = 1,
    .max_words = 1,
    .run = logs,
};
