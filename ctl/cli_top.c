// SPDX-License-Identifier: BSD-3-Clause
/* cli_top.c -- clickos top: packet rates of all ports, again and again */

#include "ctl/cli.h"
#include "ctl/names.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct cli_option top_options[] = {
    {"interval", 'i', "SECONDS", "between two looks (1)"},
    {"count", 'n', "N", "how often (without end)"},
    {.name = NULL},
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* name -> stats, so that ports that come and go between two looks do no harm */
static json_t *by_name(const json_t *ports)
{
    json_t *o = json_object();
    size_t i;
    const json_t *p;

    json_array_foreach(ports, i, p)
        json_object_set(o, json_str(p, "name"), json_object_get(p, "stats"));
    return o;
}

static void rate(struct table *t, double per_second)
{
    if (per_second >= 1e9)
        table_cell(t, "%.2fG", per_second / 1e9);
    else if (per_second >= 1e6)
        table_cell(t, "%.2fM", per_second / 1e6);
    else if (per_second >= 1e4)
        table_cell(t, "%.1fk", per_second / 1e3);
    else
        table_cell(t, "%.0f", per_second);
}

static json_int_t sum(json_t *drops)
{
    json_int_t n = 0;
    const char *key;
    json_t *value;

    json_object_foreach(drops, key, value) n += json_integer_value(value);
    return n;
}

static double grown(const json_t *new, const json_t *old, const char *key)
{
    return old ? (double)(json_num(new, key) - json_num(old, key)) : 0;
}

static double drops(const json_t *new, const json_t *old)
{
    return old ? (double)(sum(json_object_get(new, "drops")) -
                          sum(json_object_get(old, "drops")))
               : 0;
}

static void row(struct table *t, const json_t *p, const json_t *old, double seconds)
{
    const json_t *s = json_object_get(p, "stats");

    table_cell(t, "%s", json_str(p, "name"));
    table_cell(t, "%s", json_str(p, "network"));
    rate(t, grown(s, old, "in_packets") / seconds);
    rate(t, 8 * grown(s, old, "in_bytes") / seconds);
    rate(t, grown(s, old, "out_packets") / seconds);
    rate(t, 8 * grown(s, old, "out_bytes") / seconds);
    rate(t, drops(s, old) / seconds);
}

/* With --json: an object in a line for each look. */
static void print_json(struct cli *c, const json_t *ports, const json_t *before,
                       double seconds)
{
    json_t *list = json_array(), *o;
    size_t i;
    const json_t *p;

    json_array_foreach(ports, i, p)
    {
        const json_t *s = json_object_get(p, "stats");
        const json_t *old = json_object_get(before, json_str(p, "name"));

        json_array_append_new(
            list, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "name",
                            json_str(p, "name"), "network", json_str(p, "network"),
                            "in_pps", grown(s, old, "in_packets") / seconds, "in_bps",
                            8 * grown(s, old, "in_bytes") / seconds, "out_pps",
                            grown(s, old, "out_packets") / seconds, "out_bps",
                            8 * grown(s, old, "out_bytes") / seconds, "drops_pps",
                            drops(s, old) / seconds));
    }
    o = json_pack("{s:f, s:o}", "seconds", seconds, "ports", list);
    json_dumpf(o, c->out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', c->out);
    fflush(c->out);
    json_decref(o);
}

static void print(struct cli *c, const json_t *ports, const json_t *before,
                  double seconds, bool clear)
{
    struct table t;
    size_t i;
    const json_t *p;

    table_init(&t, "PORT NETWORK #IN-PPS #IN-BPS #OUT-PPS #OUT-BPS #DROPS/S");
    json_array_foreach(ports, i, p)
        row(&t, p, json_object_get(before, json_str(p, "name")), seconds);
    if (clear)
        fputs("\033[H\033[2J", c->out);
    table_print(&t, c->out);
    fflush(c->out);
}

static int look(struct cli *c, json_t **ports)
{
    json_t *o = NULL;
    int status = api(c, "GET", NULL, &o, "/v1/ports?stats=1");

    if (status == 0)
        *ports = json_incref(json_object_get(o, "ports"));
    json_decref(o);
    return status;
}

static int top(struct cli *c, const struct cli_args *a)
{
    const char *interval = cli_value(a, "interval"), *count = cli_value(a, "count");
    uint64_t ms = 1000;
    long left = count ? strtol(count, NULL, 10) : -1;
    bool terminal = isatty(fileno(c->out));
    json_t *ports = NULL, *before;
    double then = now_s();
    int status;

    if ((interval && (!seconds_parse(interval, &ms) || ms < 10)) ||
        (count && left <= 0))
        return cli_fail(c, EXIT_USAGE,
                        "the interval must be at least 10ms, the count "
                        "at least 1");
    status = look(c, &ports);
    while (status == 0 && left != 0) {
        struct timespec pause = {.tv_sec = (time_t)(ms / 1000),
                                 .tv_nsec = (long)(ms % 1000) * 1000000};

        before = by_name(ports);
        json_decref(ports);
        ports = NULL;
        nanosleep(&pause, NULL);
        status = look(c, &ports);
        if (status == 0 && c->json)
            print_json(c, ports, before, now_s() - then);
        else if (status == 0)
            print(c, ports, before, now_s() - then, terminal);
        then = now_s();
        json_decref(before);
        left -= left > 0;
    }
    json_decref(ports);
    return status;
}

COMMAND(top) = {
    .name = "top",
    .usage = "[-i SECONDS] [-n COUNT]",
    .summary = "show packet rates of all ports",
    .more = "In is into the switch. With --json, one JSON object a line.",
    .example = "  clickos top",
    .options = top_options,
    .run = top,
};
