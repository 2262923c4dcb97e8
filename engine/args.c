// SPDX-License-Identifier: BSD-3-Clause
/* args.c -- configuration strings as the class's table reads them: see args.h */

#include "engine/args.h"

#include "engine/config_room.h"
#include "engine/parse_chars.h"
#include "engine/router.h"
#include "engine/words.h"

#include <stdlib.h>
#include <string.h>

/* What is known of the arguments while the table is gone through. */
struct args {
    struct element *e;
    const char *const *argv;
    int argc;
    int *keyword_len;    /* [argc]: of what looks like a keyword; 0: none; < 0: taken */
    struct arena *texts; /* for values that are texts */
    struct diag *d;
};
enum { TAKEN_POS = -1, TAKEN_KEY = -2 };

/* Length of the keyword that an argument begins with, 0 if there is none: "LENGTH 14". */
static int keyword_length(const char *arg)
{
    const char *s = arg, *blank;

    if (!char_is_alpha(*s) && *s != '_')
        return 0;
    while (char_is_alpha(*s) || char_is_digit(*s) || (*s && strchr("_:.?!", *s)))
        s++;
    for (blank = s; char_is_space(*blank);)
        blank++;
    return blank != s && *blank ? (int)(s - arg) : 0;
}

static const char *after_keyword(const char *arg, int len)
{
    for (arg += len; char_is_space(*arg);)
        arg++;
    return arg;
}

/* The last argument with the keyword of `spec`; all of them count as taken. `*position`
 * becomes the first argument that no position has taken yet, or a negative number when a
 * keyword stands there: positions do not reach behind a keyword. */
static int find_keyword(struct args *a, const struct arg_spec *spec, int *position)
{
    int got = -1, len = (int)strlen(spec->name);

    *position = -1;
    for (int i = 0; i < a->argc; i++) {
        int *k = &a->keyword_len[i];

        if (*position == -1 && *k != TAKEN_POS)
            *position = *k >= 0 ? i : -2;
        if (*k == len && memcmp(a->argv[i], spec->name, (size_t)len) == 0) {
            got = i;
            *k = TAKEN_KEY;
        }
    }
    return got;
}

/* The text that belongs to `spec`, NULL if it was not given. */
static const char *find_text(struct args *a, const struct arg_spec *spec)
{
    int at, got = find_keyword(a, spec, &at), len = (int)strlen(spec->name);
    bool positional = false;

    if ((spec->flags & ARG_POS) && at >= 0 && a->keyword_len[at] >= 0 &&
        ((got < 0 && (spec->flags & ARG_REQUIRED)) || a->keyword_len[at] == 0)) {
        a->keyword_len[at] = TAKEN_POS;
        if (got < at) {
            got = at;
            positional = true;
        }
    }
    if (got < 0)
        return NULL;
    return positional ? a->argv[got] : after_keyword(a->argv[got], len);
}

/* A place for every value until it is known that all of them are good. */
struct value {
    alignas(16) uint8_t bytes[ARGS_VALUE_MAX];
    bool set, given;
};

/* A custom parser's message does not know the argument's name: put it in front. */
static int parse_custom(struct args *a, const struct arg_spec *spec, const char *text)
{
    struct diag own = DIAG_INIT;
    int rc = spec->parse(a->e, text, element_state(a->e) + spec->offset, &own);

    if (rc < 0 && !own.n_errors)
        diag_err(a->d, "%s: parse error", spec->name);
    for (size_t i = 0; i < own.n_messages; i++) {
        const struct diag_message *m = &own.messages[i];

        if (m->level == DIAG_WARNING)
            diag_warn_about(a->d, spec->name, "%s", m->text);
        else
            diag_err(a->d, "%s: %s", spec->name, m->text);
    }
    diag_fini(&own);
    return rc;
}

/* An old name for a member that another entry sets, too. */
static bool args_is_alias(const struct arg_spec *table, const struct arg_spec *spec)
{
    if (!(spec->flags & ARG_OLD))
        return false;
    for (const struct arg_spec *s = table; s->name; s++)
        if (s != spec && s->offset == spec->offset)
            return true;
    return spec->def == NULL;
}

static int read_one(struct args *a, const struct arg_spec *spec, struct value *v)
{
    const char *text = find_text(a, spec);

    v->given = text != NULL;
    if (text && (spec->flags & ARG_DEPRECATED) == ARG_DEPRECATED)
        diag_warn_about(a->d, spec->name, "argument deprecated");
    if (!text) {
        if (spec->flags & ARG_REQUIRED)
            return diag_err(a->d, "%s: required argument missing", spec->name);
        if (args_is_alias(a->e->cls->args, spec))
            return 0; /* it must not undo what the argument's own name has set */
        if (!spec->def)
            v->set = spec->kind != ARG_KIND_CUSTOM;
        text = spec->def;
    }
    if (!text)
        return 0;
    if (spec->kind == ARG_KIND_CUSTOM)
        return parse_custom(a, spec, text);
    v->set = true;
    return args_value(a->e, spec, text, a->texts, v->bytes, a->d);
}

static size_t table_length(const struct arg_spec *table)
{
    size_t n = 0;

    while (table && table[n].name)
        n++;
    return n;
}

static void commit(struct element *e, const struct arg_spec *table,
                   const struct value *v)
{
    uint8_t *state = element_state(e);

    for (size_t i = 0; table && table[i].name; i++)
        if (table[i].seen)
            *(bool *)(state + table[i].seen - 1) = false;
    for (size_t i = 0; table && table[i].name; i++) {
        if (v[i].set)
            memcpy(state + table[i].offset, v[i].bytes, args_value_size(table[i].kind));
        if (table[i].seen && v[i].given) /* two names may share one */
            *(bool *)(state + table[i].seen - 1) = true;
    }
}

/* Errors for what nobody wanted. */
static int check_rest(const struct args *a)
{
    bool too_many = false;
    int rc = 0;

    for (int i = 0; i < a->argc; i++) {
        if (a->keyword_len[i] > 0)
            rc = diag_err(a->d, "%.*s: unknown argument", a->keyword_len[i],
                          a->argv[i]);
        too_many = too_many || a->keyword_len[i] == 0;
    }
    return too_many ? diag_err(a->d, "too many arguments") : rc;
}

static int collect_rest(const struct args *a, struct conf *conf, struct arena *scratch)
{
    const char **rest = arena_alloc(scratch, (size_t)(a->argc + 1) * sizeof *rest);

    if (!rest)
        return diag_err(a->d, "out of memory");
    for (int i = 0; i < a->argc; i++)
        if (a->keyword_len[i] >= 0)
            rest[conf->argc++] = a->argv[i];
    conf->argv = rest;
    return 0;
}

/* Texts that were parsed for a running element, where they can stay. */
static int keep_texts(struct element *e, const struct arg_spec *table, struct value *v,
                      struct diag *d)
{
    for (size_t i = 0; table && table[i].name; i++) {
        struct text t;

        memcpy(&t, v[i].bytes, sizeof t);
        if (!args_is_text(table[i].kind) || !v[i].set || !t.s)
            continue;
        if (!config_keep_text(e, table[i].offset, &t))
            return diag_err(d, "out of memory");
        memcpy(v[i].bytes, &t, sizeof t);
    }
    return 0;
}

int args_parse(struct element *e, const char *config, struct conf *conf,
               struct arena *scratch, struct diag *d)
{
    const struct arg_spec *table = e->cls->args;
    struct args a = {
        .e = e, .d = d, .texts = e->configured ? scratch : router_arena(e->router)};
    size_t n = table_length(table);
    struct value *v = arena_alloc_aligned(scratch, n + 1, sizeof *v,
                                          alignof(struct value));
    int rc = 0;

    *conf = (struct conf){.scratch = scratch};
    a.argc = lang_split_args(scratch, config ? config : "", &a.argv);
    if (a.argc < 0 || !v ||
        !(a.keyword_len = arena_alloc(scratch, (size_t)(a.argc + 1) * sizeof(int))))
        return diag_err(d, "out of memory");
    for (int i = 0; i < a.argc; i++)
        a.keyword_len[i] = keyword_length(a.argv[i]);
    for (size_t i = 0; i < n; i++)
        if (read_one(&a, &table[i], &v[i]) < 0)
            rc = -1;
    if ((e->cls->any_args ? collect_rest(&a, conf, scratch) : check_rest(&a)) < 0)
        rc = -1;
    if (rc == 0 && e->configured)
        rc = keep_texts(e, table, v, d);
    if (rc == 0)
        commit(e, table, v);
    return rc;
}

/* The arguments with `value` at position `at` if one stands there, or else without those
 * that begin with `keyword` and with a new one behind them. */
static void rewrite_list(const char *const *argv, int argc, int at, const char *keyword,
                         const char *value, struct sbuf *out)
{
    int len = (int)strlen(keyword), n = 0;
    bool by_keyword = false, placed = false;

    for (int i = 0; i < argc; i++)
        by_keyword |= keyword_length(argv[i]) == len &&
                      memcmp(argv[i], keyword, (size_t)len) == 0;
    for (int i = 0; i < argc; i++) {
        int k = keyword_length(argv[i]);
        bool here = i == at && !by_keyword && k == 0;

        if (k == len && memcmp(argv[i], keyword, (size_t)len) == 0)
            continue;
        sbuf_printf(out, "%s%s", n++ ? ", " : "", here ? value : argv[i]);
        placed |= here;
    }
    if (!placed)
        sbuf_printf(out, "%s%s %s", n ? ", " : "", keyword, value);
}

/* The position in front of an argument's name, which then begins behind it; -1: none. */
static int split_position(const char **argument)
{
    int at = -1;

    if (char_is_digit(**argument)) {
        at = **argument - '0';
        *argument += 2;
    }
    return at;
}

/* e's configuration string with another `argument`; -1 when memory ran out. */
static int rewrite(struct element *e, const char *argument, const char *value,
                   struct sbuf *out)
{
    struct arena *scratch = arena_new(0);
    const char *const *argv;
    int at = split_position(&argument), argc = -1;

    if (scratch)
        argc = lang_split_args(scratch, e->config ? e->config : "", &argv);
    if (argc >= 0)
        rewrite_list(argv, argc, at, argument, value, out);
    arena_free(scratch);
    return argc < 0 || out->failed ? -1 : 0;
}

void args_rewrite(struct element *e, const char *argument, const char *value)
{
    struct sbuf text = SBUF_INIT;
    char *room;

    if (rewrite(e, argument, value, &text) == 0) {
        room = config_room(e, strlen(sbuf_text(&text)));
        if (room)
            config_keep(e, room, sbuf_text(&text));
    }
    sbuf_fini(&text);
}

int args_reconfigure_one(struct element *e, const char *argument, const char *value,
                         struct diag *d)
{
    struct sbuf text = SBUF_INIT;
    int rc = rewrite(e, argument, value, &text);

    rc = rc < 0 ? diag_err(d, "out of memory")
                : args_reconfigure(e, sbuf_text(&text), d);
    sbuf_fini(&text);
    return rc;
}

int args_text(const struct element *e, const char *argument, struct sbuf *out)
{
    struct arena *scratch = arena_new(0);
    const char *const *argv, *found = NULL;
    int at = split_position(&argument), argc = -1, len = (int)strlen(argument);

    if (scratch)
        argc = lang_split_args(scratch, e->config ? e->config : "", &argv);
    for (int i = 0; i < argc; i++)
        if (keyword_length(argv[i]) == len && !memcmp(argv[i], argument, (size_t)len))
            found = after_keyword(argv[i], len);
    if (!found && at >= 0 && at < argc && keyword_length(argv[at]) == 0)
        found = argv[at];
    if (found)
        sbuf_puts(out, found);
    arena_free(scratch);
    return 0;
}

int args_reconfigure(struct element *e, const char *config, struct diag *d)
{
    struct arena *scratch = arena_new(0);
    uint8_t *saved = malloc(e->cls->state_size + 1u);
    struct conf conf;
    char *room = NULL;
    int rc = -1;

    /* Nothing may fail once configure() has succeeded: it may have freed what the saved
     * state points to. */
    if (scratch && saved)
        room = config_room(e, strlen(config));
    if (!room) {
        diag_err(d, "out of memory");
        goto out;
    }
    memcpy(saved, e->state, e->cls->state_size);
    rc = args_parse(e, config, &conf, scratch, d);
    if (rc == 0 && e->cls->configure)
        rc = e->cls->configure(e, &conf, d);
    if (rc < 0)
        memcpy(e->state, saved, e->cls->state_size);
    else
        config_keep(e, room, config);
out:
    free(saved);
    arena_free(scratch);
    return rc < 0 ? -1 : 0;
}

void args_usage(const struct element_class *cls, struct sbuf *out)
{
    const char *comma = "";

    sbuf_printf(out, "%s(", cls->name);
    for (const struct arg_spec *s = cls->args; s && s->name; s++) {
        const char *open = s->flags & ARG_REQUIRED ? "" : "[";

        if (s->flags & ARG_OLD)
            continue;
        sbuf_printf(out, "%s%s%s%s%s", comma, open,
                    s->flags & ARG_POS ? "" : "keyword ", s->name, *open ? "]" : "");
        comma = ", ";
    }
    if (cls->any_args)
        sbuf_printf(out, "%s...", comma);
    sbuf_putc(out, ')');
}

int args_words(struct element *e, const char *text, const struct arg_spec *specs,
               void *base, struct diag *d)
{
    char word[WORD_ROOM];
    int rc = 0;

    for (const struct arg_spec *s = specs; s->name; s++) {
        if (word_next(&text, word)) {
            if (args_value(e, s, word, router_arena(e->router),
                           (uint8_t *)base + s->offset, d) < 0)
                rc = -1;
        } else if (s->flags & ARG_REQUIRED) {
            rc = diag_err(d, "%s: required argument missing", s->name);
        }
    }
    return word_next(&text, word) ? diag_err(d, "too many arguments") : rc;
}
