// SPDX-License-Identifier: BSD-3-Clause
/* tool.c -- what the tools have in common: see tool.h */

#include "driver/tools/tool.h"

#include "driver/click_path.h"
#include "engine/version.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_HELP = 1000, ARGUMENT = 1, MAX_OPTIONS = 32 };

static const struct option common[] = {
    {"file", required_argument, NULL, 'f'},
    {"expression", required_argument, NULL, 'e'},
    {"output", required_argument, NULL, 'o'},
    {"clickpath", required_argument, NULL, 'C'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, OPT_HELP},
};

void tool_usage(const struct tool *t)
{
    fprintf(stderr, "Usage: %s [OPTION]... %s\nTry '%s --help' for more information.\n",
            t->name, t->summary ? t->summary : "[ROUTERFILE]", t->name);
    exit(1);
}

void tool_error(struct tool *t, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s: ", t->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    t->errors++;
}

static void set_once(struct tool *t, const char **what, const char *value,
                     const char *message)
{
    if (*what) {
        tool_error(t, "%s specified twice", message);
        tool_usage(t);
    }
    *what = value;
}

static void set_source(struct tool *t, int how, const char *value)
{
    const char **what = how == 'e' ? &t->expression : &t->file;
    const char *any = t->file ? t->file : t->expression;

    if (t->source) {
        if (t->source(t, how, value) < 0)
            tool_usage(t);
        return;
    }
    set_once(t, &any, value, "router configuration");
    *what = value;
}

static bool define(struct tool *t, char *arg)
{
    size_t n = 0;

    while (isalnum((unsigned char)arg[n]) || arg[n] == '_')
        n++;
    if (n == 0 || arg[n] != '=' || t->n_defines == TOOL_MAX_DEFINES || t->no_defines)
        return false;
    arg[n] = '\0';
    for (size_t i = 0; i < t->n_defines; i++)
        if (strcmp(t->defines[i].name, arg) == 0) {
            tool_error(t, "parameter '%s' multiply defined", arg);
            return true;
        }
    t->defines[t->n_defines++] = (struct lang_define){arg, arg + n + 1};
    return true;
}

static void set_option(struct tool *t, int c, const char *arg)
{
    switch (c) {
    case 'f':
    case 'e':
        set_source(t, c, arg);
        return;
    case 'o':
        set_once(t, &t->output, arg, "output file");
        return;
    case 'C':
        t->click_path = arg;
        return;
    case 'v':
        printf("%s (Click) %s\nClickOS 0.1\n", t->name, CLICK_VERSION);
        exit(0);
    case OPT_HELP:
        fputs(t->usage, stdout);
        exit(0);
    case '?':
    case ':':
        tool_usage(t);
        return;
    default:
        if (t->option(t, c, arg) < 0)
            tool_usage(t);
    }
}

int tool_generator_option(struct tool *t, int c, const char *arg)
{
    bool yes;

    (void)arg;
    switch (tool_option(c, &yes)) {
    case 'c':
        t->only_config = yes;
        break;
    case 's':
        t->only_source = yes;
        break;
    case 'r':
        t->reverse = yes;
        break;
    }
    return 0;
}

void tool_options(struct tool *t, int argc, char **argv)
{
    struct option all[MAX_OPTIONS] = {{0}};
    char letters[64];
    size_t n = sizeof common / sizeof *common;
    int c;

    memcpy(all, common, sizeof common);
    for (const struct option *o = t->long_options; o && o->name && n + 1 < MAX_OPTIONS;)
        all[n++] = *o++;
    snprintf(letters, sizeof letters, "-f:e:o:C:v%s",
             t->short_options ? t->short_options : "");
    t->click_path = getenv("CLICKPATH");
    t->arena = arena_new(0);
    if (!t->arena)
        err(1, NULL);
    while ((c = getopt_long(argc, argv, letters, all, NULL)) != -1)
        if (c != ARGUMENT)
            set_option(t, c, optarg);
        else if (!define(t, optarg))
            set_source(t, 0, optarg);
    for (; optind < argc; optind++) /* behind "--" */
        if (!define(t, argv[optind]))
            set_source(t, 0, argv[optind]);
}

/* --- files ------------------------------------------------------------------------------ */

static int read_whole(const char *name, char **text, size_t *len)
{
    FILE *f = strcmp(name, "-") ? fopen(name, "rb") : stdin;
    struct sbuf s = SBUF_INIT;
    char piece[16384];
    size_t n;

    if (!f)
        return -1;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        sbuf_add(&s, piece, n);
    if (ferror(f) || s.failed)
        s.failed = true;
    if (f != stdin)
        fclose(f);
    *len = s.len;
    sbuf_add(&s, "", 0);
    *text = s.failed ? NULL : s.data ? sbuf_take(&s) : strdup("");
    sbuf_fini(&s);
    return *text ? 0 : -1;
}

static int find_library(void *ctx, const char *name, const char *from, char **path,
                        char **text, size_t *len)
{
    const struct tool *t = ctx;
    char *found = click_path_find(t->click_path, name, from);

    if (!found || read_whole(found, text, len) < 0) {
        free(found);
        return -1;
    }
    *path = found;
    return 0;
}

/* Print what there is to say, and count the errors. */
static int report(struct tool *t, struct diag *d)
{
    int rc = d->n_errors ? -1 : 0;

    fputs(diag_text(d), stderr);
    t->errors += (unsigned)d->n_errors;
    diag_fini(d);
    return rc;
}

static int load(struct tool *t, const struct tool_config *c, const char *body,
                bool expand, struct lang_graph *g)
{
    const struct lang_options options = {.defines = t->defines,
                                         .n_defines = t->n_defines,
                                         .library = find_library,
                                         .library_ctx = t,
                                         .raw = true,
                                         .raw_values = expand,
                                         .body = body};
    struct diag d = DIAG_INIT;

    lang_load(g, t->arena, c->text, c->len, c->name, &options, &d);
    return report(t, &d);
}

static void to_net(struct tool *t, const struct lang_graph *g, bool expand,
                   struct net *n)
{
    net_init(n, t->arena);
    net_add_graph(n, g);
    n->requirements = g->requirements;
    n->n_requirements = g->n_requirements;
    if (!expand) {
        n->defines = g->defines;
        n->n_defines = g->n_defines;
    }
    net_flatten(n);
}

/* Take the configuration out of the archive. */
static int open_archive(struct tool *t, struct tool_config *c)
{
    struct diag d = DIAG_INIT;
    const struct archive_file *f;

    if (!archive_is(c->text, c->len))
        return 0;
    archive_parse(&c->archive, t->arena, c->text, c->len, &d);
    f = archive_find(&c->archive, "config");
    if (!f)
        diag_err_at(&d, (struct place){c->name, 0, 0},
                    "archive has no 'config' section");
    c->text = f ? f->data : "";
    c->len = f ? f->len : 0;
    return report(t, &d);
}

int tool_read(struct tool *t, const char *file, const char *expression, bool expand,
              struct tool_config *c)
{
    char *text = NULL;

    *c = (struct tool_config){.text = expression};
    c->name = expression                  ? "config"
              : file && strcmp(file, "-") ? arena_strdup(t->arena, file)
                                          : "<stdin>";
    if (!c->name)
        err(1, NULL);
    if (expression) {
        c->len = strlen(expression);
    } else if (read_whole(file ? file : "-", &text, &c->len) < 0) {
        fprintf(stderr, "%s: %s\n", file, strerror(errno));
        t->errors++;
        return -1;
    } else {
        c->text = arena_strndup(t->arena, text, c->len);
        free(text);
        if (!c->text)
            err(1, NULL);
    }
    if (open_archive(t, c) < 0)
        return -1;
    if (!c->len)
        fprintf(stderr, "%s: warning: empty configuration\n", c->name);
    if (load(t, c, NULL, expand, &c->graph) < 0)
        return -1;
    to_net(t, &c->graph, expand, &c->net);
    return 0;
}

int tool_read_body(struct tool *t, const struct tool_config *c, const char *body,
                   struct net *n)
{
    struct lang_graph g;

    if (load(t, c, body, false, &g) < 0)
        return -1;
    to_net(t, &g, true, n);
    return 0;
}

int tool_main(struct tool *t, int argc, char **argv,
              int (*work)(struct tool *t, struct tool_config *c))
{
    struct tool_config c;
    int status;

    tool_options(t, argc, argv);
    if (t->ready)
        t->ready(t);
    if (tool_read(t, t->file, t->expression, t->expand, &c) < 0 || t->errors)
        exit(1);
    status = work(t, &c);
    tool_config_fini(&c);
    arena_free(t->arena);
    return status;
}

void tool_config_fini(struct tool_config *c)
{
    net_fini(&c->net);
}

int tool_write(const struct tool *t, const struct sbuf *text)
{
    bool to_stdout = !t->output || strcmp(t->output, "-") == 0;
    FILE *f = to_stdout ? stdout : fopen(t->output, "wb");

    if (!f || fwrite(sbuf_text(text), 1, text->len, f) != text->len ||
        (to_stdout ? fflush(f) : fclose(f))) {
        fprintf(stderr, "%s: %s\n", to_stdout ? "<stdout>" : t->output,
                strerror(errno));
        return 1;
    }
    return 0;
}

int tool_write_config(const struct tool *t, struct tool_config *c)
{
    struct sbuf text = SBUF_INIT, whole = SBUF_INIT;
    struct archive a = {0};
    struct archive_file *f;
    int status;

    net_unparse(&c->net, &text);
    if (!(f = archive_put(&a, t->arena, "config", 0644)))
        err(1, NULL);
    f->data = sbuf_text(&text);
    f->len = text.len;
    for (size_t i = 0; i < c->archive.n; i++) {
        const struct archive_file *old = &c->archive.files[i];

        if (!old->name || strcmp(old->name, "config") == 0)
            continue;
        if (!(f = archive_put(&a, t->arena, old->name, 0)))
            err(1, NULL);
        *f = *old;
    }
    if (a.n > 1 && !t->only_config)
        archive_unparse(&a, &whole);
    status = tool_write(t, a.n > 1 && !t->only_config ? &whole : &text);
    sbuf_fini(&text);
    sbuf_fini(&whole);
    return status;
}
