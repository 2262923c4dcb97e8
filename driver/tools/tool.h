// SPDX-License-Identifier: BSD-3-Clause
/*
 * tool.h -- what the programs that transform configurations have in common
 *
 * All take -f FILE, -e EXPR, -o FILE, -C PATH, --help, -v and VAR=VALUE, as Click's tools
 * do. A tool may add options of its own, and gets the flat configuration to work on.
 */

#ifndef DRIVER_TOOLS_TOOL_H
#define DRIVER_TOOLS_TOOL_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/sbuf.h"
#include "driver/tools/archive.h"
#include "driver/tools/net.h"
#include "engine/lang/lang.h"

#include <getopt.h>
#include <stdbool.h>

enum { TOOL_MAX_DEFINES = 256 };

struct tool {
    const char *name;                  /* "click-flatten" */
    const char *usage;                 /* printed by --help */
    const char *summary;               /* of arguments; NULL: "[ROUTERFILE]" */
    const char *short_options;         /* of its own: "cnd" */
    const struct option *long_options; /* of its own; may be NULL */
    /* One of its own; -1: it is not right. */
    int (*option)(struct tool *t, int c, const char *arg);
    /* NULL: there is one configuration. `how` is 'f' for a file, 'e' for an expression,
     * 0 for an argument that is neither option nor definition. -1: it is not right. */
    int (*source)(struct tool *t, int how, const char *arg);

    /* For tool_main(): the command line is read; may be NULL. */
    void (*ready)(struct tool *t);

    bool no_defines;           /* "a=b" is not a definition */
    bool expand;               /* the configuration's own variables, too */
    bool only_config;          /* what is written is no archive */
    bool only_source, reverse; /* of tools that generate code in Click */

    const char *file, *expression, *output, *click_path;
    struct lang_define defines[TOOL_MAX_DEFINES];
    size_t n_defines;
    struct arena *arena; /* of everything that is loaded */
    unsigned errors;     /* reported so far */
};

/* A configuration with its archive, if it came in one. */
struct tool_config {
    struct net net;
    struct lang_graph graph; /* raw */
    struct archive archive;
    const char *text; /* in the arena; what was read, without the archive around it */
    size_t len;
    const char *name; /* of the file, for messages */
};

/* The long option `name`, and no-`name`, which comes as TOOL_NO + c. */
enum { TOOL_NO = 10000 };
#define TOOL_NEGATABLE(name, c)                                                        \
    {name, no_argument, NULL, c},                                                      \
    {                                                                                  \
        "no-" name, no_argument, NULL, TOOL_NO + (c)                                   \
    }
/* The option without its "no-"; `yes`: it came without one. */
static inline int tool_option(int c, bool *yes)
{
    *yes = c < TOOL_NO;
    return *yes ? c : c - TOOL_NO;
}

/* Options of tools that generate code in Click, and the member `option` that knows them. */
#define TOOL_GENERATOR_OPTIONS                                                         \
    TOOL_NEGATABLE("config", 'c'), TOOL_NEGATABLE("kernel", 'k'),                      \
        TOOL_NEGATABLE("reverse", 'r'), TOOL_NEGATABLE("source", 's'),                 \
        TOOL_NEGATABLE("user", 'u')
int tool_generator_option(struct tool *t, int c, const char *arg);

/* A tool with one configuration, from main(): reads command line and configuration, has
 * `work` do the rest, which returns the exit status, and cleans up. */
int tool_main(struct tool *t, int argc, char **argv,
              int (*work)(struct tool *t, struct tool_config *c));

/* Read the command line; exits after --help, -v and errors. */
void tool_options(struct tool *t, int argc, char **argv);

/* Report an error (warning), with the tool's name in front; no exit. */
__attribute__((format(printf, 2, 3))) void tool_error(struct tool *t, const char *fmt,
                                                      ...);
void tool_usage(const struct tool *t); /* a short one, and exit */

/* Load a configuration: a file ("-": standard input), or `expression` if it is not NULL.
 * 0, or -1 with the errors printed. */
int tool_read(struct tool *t, const char *file, const char *expression,
              bool expand_variables, struct tool_config *c);

/* What a compound class of it consists of, with "input" and "output". */
int tool_read_body(struct tool *t, const struct tool_config *c, const char *body,
                   struct net *n);

void tool_config_fini(struct tool_config *c);

/* Write the text to the output; returns the exit status. */
int tool_write(const struct tool *t, const struct sbuf *text);

/* Write the configuration, in its archive if it has one with other files and that is
 * wanted; returns the exit status. */
int tool_write_config(const struct tool *t, struct tool_config *c);

#endif
