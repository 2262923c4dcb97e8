// SPDX-License-Identifier: BSD-3-Clause
/* tool.c -- what the tools have in common: see tool.h */

#include "driver/tools/tool.h"

#include "engine/lang/flatten.h"
#include "engine/version.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_HELP = 1000, MAX_OPTIONS = 32 };

static const struct option common[] = {
    {"file", required_argument, NULL, 'f'},
    {"expression", required_argument, NULL, 'e'},
    {"output", required_argument, NULL, 'o'},
    {"clickpath", required_argument, NULL, 'C'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, OPT_HELP},
};

static void bad_option(const struct tool *t)
{
    fprintf(
        stderr,
        "Usage: %s [OPTION]... [ROUTERFILE]\nTry '%s --help' for more information.\n",
        t->name, t->name);
    exit(1);
}

static void set_once(const struct tool *t, const char **what, const char *value,
                     const char *message)
{
    if (*what) {
        fprintf(stderr, "%s: %s specified twice\n", t->name, message);
        bad_option(t);
    }
    *what = value;
}

static void set_source(struct tool *t, const char **what, const char *value)
{
    const char *any = t->file ? t->file : t->expression;

    set_once(t, &any, value, "router configuration");
    *what = value;
}

static bool define(struct tool *t, char *arg)
{
    size_t n = 0;

    while (isalnum((unsigned char)arg[n]) || arg[n] == '_')
        n++;
    if (n == 0 || arg[n] != '=' || t->n_defines == TOOL_MAX_DEFINES)
        return false;
    arg[n] = '\0';
    t->defines[t->n_defines++] = (struct lang_define){arg, arg + n + 1};
    return true;
}

static void set_option(struct tool *t, int c, const char *arg)
{
    switch (c) {
    case 'f':
        set_source(t, &t->file, arg);
        return;
    case 'e':
        set_source(t, &t->expression, arg);
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
        bad_option(t);
        return;
    default:
        if (t->option(c, arg) < 0)
            bad_option(t);
    }
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
    snprintf(letters, sizeof letters, "f:e:o:C:v%s",
             t->short_options ? t->short_options : "");
    t->click_path = getenv("CLICKPATH");
    t->arena = arena_new(0);
    if (!t->arena)
        err(1, NULL);
    while ((c = getopt_long(argc, argv, letters, all, NULL)) != -1)
        set_option(t, c, optarg);
    for (; optind < argc; optind++)
        if (!define(t, argv[optind]))
            set_source(t, &t->file, argv[optind]);
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

static int find_library(void *ctx, const char *name, char **text, size_t *len,
                        struct diag *d)
{
    const struct tool *t = ctx;
    const char *path = t->click_path ? t->click_path : ".";
    char full[4096];

    if (name[0] == '/' && read_whole(name, text, len) == 0)
        return 0;
    while (name[0] != '/' && *path) {
        int n = (int)strcspn(path, ":");

        for (int suffix = 0; suffix < 2; suffix++) {
            snprintf(full, sizeof full, "%.*s/%s%s", n ? n : 1, n ? path : ".", name,
                     suffix ? ".click" : "");
            if (read_whole(full, text, len) == 0)
                return 0;
        }
        path += n;
        path += *path == ':';
    }
    return diag_err(d, "library '%s' not found", name);
}

void tool_load(struct tool *t, const char *file, const char *expression,
               struct lang_graph *g)
{
    const struct lang_options options = {.defines = t->defines,
                                         .n_defines = t->n_defines,
                                         .library = find_library,
                                         .library_ctx = t};
    const char *name = expression                  ? "config"
                       : file && strcmp(file, "-") ? file
                                                   : "<stdin>";
    struct diag d = DIAG_INIT;
    char *text = NULL;
    size_t len = 0;
    int rc;

    if (!expression && read_whole(file ? file : "-", &text, &len) < 0) {
        fprintf(stderr, "%s: %s\n", file, strerror(errno));
        exit(1);
    }
    rc = lang_load(g, t->arena, expression ? expression : text,
                   expression ? strlen(expression) : len, arena_strdup(t->arena, name),
                   &options, &d);
    fputs(diag_text(&d), stderr);
    diag_fini(&d);
    free(text);
    if (rc < 0)
        exit(1);
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

int tool_write_graph(const struct tool *t, const struct lang_graph *g)
{
    struct sbuf text = SBUF_INIT;
    int status;

    lang_unparse(g, &text);
    status = tool_write(t, &text);
    sbuf_fini(&text);
    return status;
}
