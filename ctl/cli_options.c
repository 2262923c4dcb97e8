// SPDX-License-Identifier: BSD-3-Clause
/* cli_options.c -- command lines taken apart: see cli.h */

#include "base/suggest.h"
#include "ctl/cli.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_option common[] = {
    {"socket", 0, "PATH", "the daemon's socket"},
    {"json", 0, NULL, "print JSON"},
    {"help", 'h', NULL, "show this help"},
    {.name = NULL},
};

static const struct cli_option *find_long(const struct cli_option *o, const char *name,
                                          size_t len)
{
    for (; o && o->name; o++)
        if (strlen(o->name) == len && !memcmp(o->name, name, len))
            return o;
    return NULL;
}

static const struct cli_option *find_short(const struct cli_option *o, char letter)
{
    for (; o && o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

static void add_names(struct suggest *s, const struct cli_option *o)
{
    for (; o && o->name; o++)
        suggest_add(s, o->name);
}

static int unknown(const struct cli_option *options, const char *word, struct diag *d)
{
    struct suggest s;

    suggest_init(&s, word + 2);
    add_names(&s, options);
    add_names(&s, common);
    if (word[1] == '-' && s.best)
        return diag_err(d, "unknown option %s: did you mean --%s?", word, s.best);
    return diag_err(d, "unknown option %s", word);
}

struct parser {
    struct cli *c;
    const struct cli_option *options;
    char **argv;
    int argc, at;
    struct cli_args *a;
    struct diag *d;
};

static int take(struct parser *p, const struct cli_option *o, const char *value)
{
    if (o == &common[0])
        p->c->socket_path = value;
    else if (o == &common[1])
        p->c->json = true;
    else if (o == &common[2])
        p->a->help = true;
    else if (p->a->n_options == CLI_MAX_OPTIONS)
        return diag_err(p->d, "too many options");
    else
        p->a->options[p->a->n_options++] = (struct cli_given){o, value};
    return 0;
}

static int take_value(struct parser *p, const struct cli_option *o, const char *value)
{
    if (!o->arg && value)
        return diag_err(p->d, "--%s takes no value", o->name);
    if (o->arg && !value && p->at + 1 < p->argc)
        value = p->argv[++p->at];
    if (o->arg && !value)
        return diag_err(p->d, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
    return take(p, o, value);
}

static int parse_long(struct parser *p, const char *word)
{
    size_t len = strcspn(word + 2, "=");
    const char *value = word[2 + len] ? word + 2 + len + 1 : NULL;
    const struct cli_option *o = find_long(p->options, word + 2, len);

    if (!o)
        o = find_long(common, word + 2, len);
    return o ? take_value(p, o, value) : unknown(p->options, word, p->d);
}

/* "-n5", "-n 5", "-fq" */
static int parse_short(struct parser *p, const char *word)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const struct cli_option *o = find_short(p->options, *letter);

        if (!o)
            o = find_short(common, *letter);
        if (!o)
            return unknown(p->options, word, p->d);
        if (o->arg)
            return take_value(p, o, letter[1] ? letter + 1 : NULL);
        if (take(p, o, NULL) < 0)
            return -1;
    }
    return 0;
}

int cli_parse(struct cli *c, const struct cli_option *options, int argc, char **argv,
              struct cli_args *a, struct diag *d)
{
    struct parser p = {c, options, argv, argc, 0, a, d};
    bool only_words = false;
    int rc = 0;

    *a = (struct cli_args){0};
    a->words = calloc((size_t)argc + 1, sizeof *a->words);
    if (!a->words)
        return diag_err(d, "out of memory");
    for (; p.at < argc && rc == 0; p.at++) {
        const char *word = argv[p.at];

        if (only_words || word[0] != '-' || word[1] == '\0')
            a->words[a->n_words++] = word;
        else if (!strcmp(word, "--"))
            only_words = true;
        else
            rc = word[1] == '-' ? parse_long(&p, word) : parse_short(&p, word);
    }
    return rc;
}

void cli_args_fini(struct cli_args *a)
{
    free(a->words);
    *a = (struct cli_args){0};
}

const char *cli_value(const struct cli_args *a, const char *name)
{
    for (unsigned i = a->n_options; i-- > 0;)
        if (!strcmp(a->options[i].option->name, name))
            return a->options[i].value;
    return NULL;
}

bool cli_flag(const struct cli_args *a, const char *name)
{
    for (unsigned i = 0; i < a->n_options; i++)
        if (!strcmp(a->options[i].option->name, name))
            return true;
    return false;
}

/* ---- help ------------------------------------------------------------------------ */

static void print_options(FILE *out, const struct cli_option *o)
{
    for (; o && o->name; o++) {
        char left[64];
        int n = o->letter ? snprintf(left, sizeof left, "-%c, ", o->letter) : 0;

        /* One-letter options without a long form have the letter as their name. */
        if (o->letter && o->name[0] == o->letter && !o->name[1])
            n -= 2;
        else
            n += snprintf(left + n, sizeof left - (size_t)n, "--%s", o->name);
        if (o->arg)
            snprintf(left + n, sizeof left - (size_t)n, " %s", o->arg);
        else
            left[n] = '\0';
        fprintf(out, "  %-24s  %s\n", left, o->help);
    }
}

void cli_print_usage(FILE *out, const char *before, const struct command *cmd)
{
    fprintf(out, "%sclickos %s%s%s\n", before, cmd->name, *cmd->usage ? " " : "",
            cmd->usage);
}

void cli_print_help(FILE *out, const struct command *cmd)
{
    cli_print_usage(out, "usage: ", cmd);
    fprintf(out, "%s\n\n", cmd->summary);
    if (cmd->more)
        fprintf(out, "%s\n\n", cmd->more);
    print_options(out, cmd->options);
    print_options(out, common);
    if (cmd->more_help)
        cmd->more_help(out);
    fprintf(out, "\nexample:\n%s\n", cmd->example);
}
