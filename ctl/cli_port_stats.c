// SPDX-License-Identifier: BSD-3-Clause
/* cli_port_stats.c -- clickos port stats, port show */

#include "ctl/cli.h"

#include <string.h>

static void drops_text(struct sbuf *out, json_t *drops)
{
    const char *key;
    json_t *value;

    json_object_foreach(drops, key, value)
        sbuf_printf(out, "%s%s %" JSON_INTEGER_FORMAT, out->len ? ", " : "", key,
                    json_integer_value(value));
}

static void stats_row(struct table *t, const json_t *p)
{
    const json_t *s = json_object_get(p, "stats");
    struct sbuf drops = SBUF_INIT;

    drops_text(&drops, json_object_get(s, "drops"));
    table_cell(t, "%s", json_str(p, "name"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "in_packets"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "in_bytes"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "out_packets"));
    table_cell(t, "%" JSON_INTEGER_FORMAT, json_num(s, "out_bytes"));
    table_cell(t, "%s", sbuf_text(&drops));
    sbuf_fini(&drops);
}

static void print_sink(struct cli *c, json_t *sink)
{
    const char *key;
    json_t *value;

    json_object_foreach(sink, key, value) if (json_is_integer(value)) fprintf(
        c->out, "  %-16s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(value));
}

static int port_stats(struct cli *c, const struct cli_args *a)
{
    json_t *o = NULL;
    struct table t;
    size_t i;
    const json_t *p;
    int status = a->n_words ? api(c, "GET", NULL, &o, "/v1/ports/%s", a->words[0])
                            : api(c, "GET", NULL, &o, "/v1/ports?stats=1");

    if (status)
        return status;
    if (c->json)
        return cli_print_json(c, o);
    table_init(&t, "NAME #IN-PACKETS #IN-BYTES #OUT-PACKETS #OUT-BYTES DROPS");
    if (a->n_words)
        stats_row(&t, o);
    json_array_foreach(json_object_get(o, "ports"), i, p) stats_row(&t, p);
    table_print(&t, c->out);
    print_sink(c, json_object_get(o, "sink"));
    json_decref(o);
    return EXIT_OK;
}

COMMAND(port_stats) = {
    .name = "port stats",
    .usage = "[NAME]",
    .summary = "packets and bytes of ports, and drops by reason",
    .more = "In is into the switch, out is out of it.",
    .example = "  clickos port stats fw.0",
    .max_words = 1,
    .run = port_stats,
};

/* ---- show ------------------------------------------------------------------------ */

static void print_value(FILE *out, const json_t *v)
{
    const json_t *item;
    size_t i;

    if (json_is_string(v))
        fputs(json_string_value(v), out);
    else if (json_is_integer(v))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_boolean(v))
        fputs(json_is_true(v) ? "yes" : "no", out);
    json_array_foreach(v, i, item)
    {
        fputs(i ? ", " : "", out);
        print_value(out, item);
    }
}

/* Objects inside follow, each under its name. */
static void print_members(struct cli *c, const char *title, json_t *o)
{
    const char *key;
    json_t *v;

    if (json_object_size(o) && *title)
        fprintf(c->out, "%s:\n", title);
    json_object_foreach(o, key, v)
    {
        if (json_is_object(v) || !strcmp(key, "latency_ns") ||
            (json_is_string(v) && !*json_string_value(v)))
            continue;
        fprintf(c->out, "%s%-16s ", *title ? "  " : "", key);
        print_value(c->out, v);
        fputc('\n', c->out);
    }
    json_object_foreach(o, key, v) if (json_is_object(v)) print_members(c, key, v);
}

/* How many packets took from so many nanoseconds on. */
static void print_histogram(struct cli *c, const json_t *list)
{
    enum { WIDTH = 50 };
    static const char bar[] = "##################################################";
    json_int_t most = 1;
    const json_t *b;
    size_t i;

    json_array_foreach(list, i, b)
    {
        json_int_t n = json_integer_value(json_array_get(b, 1));

        most = n > most ? n : most;
    }
    if (json_array_size(list))
        fputs("latency, from so many microseconds on:\n", c->out);
    json_array_foreach(list, i, b)
    {
        json_int_t n = json_integer_value(json_array_get(b, 1));

        fprintf(c->out, "  %10.2f %10" JSON_INTEGER_FORMAT " %.*s\n",
                (double)json_integer_value(json_array_get(b, 0)) / 1e3, n,
                (int)(n * WIDTH / most), bar);
    }
}

static int port_show(struct cli *c, const struct cli_args *a)
{
    json_t *o = NULL;
    int status = api(c, "GET", NULL, &o, "/v1/ports/%s", a->words[0]);

    if (status)
        return status;
    if (c->json)
        return cli_print_json(c, o);
    print_members(c, "", o);
    print_histogram(c, json_object_get(json_object_get(o, "sink"), "latency_ns"));
    json_decref(o);
    return EXIT_OK;
}

COMMAND(port_show) = {
    .name = "port show",
    .usage = "NAME",
    .summary = "show a port's settings, counters, what a sink measured",
    .example = "  clickos port show fw.0",
    .min_words = 1,
    .max_words = 1,
    .run = port_show,
};
