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
#include "engine/lang/lang.h"

#include <getopt.h>
#include <stdbool.h>

enum { TOOL_MAX_DEFINES = 256 };

struct tool {
    const char *name;                      /* "click-flatten" */
    const char *usage;                     /* printed by --help */
    const char *short_options;             /* of its own: "cnd" */
    const struct option *long_options;     /* of its own; may be NULL */
    int (*option)(int c, const char *arg); /* one of its own; -1: it is not right */

    const char *file, *expression, *output, *click_path;
    struct lang_define defines[TOOL_MAX_DEFINES];
    size_t n_defines;
    struct arena *arena; /* of everything that is loaded */
};

/* Read the command line; exits after --help, -v and errors. */
void tool_options(struct tool *t, int argc, char **argv);

/* Load a configuration: a file ("-": standard input), or `expression` if it is not NULL.
 * Exits with the errors printed when it cannot be. */
void tool_load(struct tool *t, const char *file, const char *expression,
               struct lang_graph *g);

/* Write the text to the output; returns the exit status. */
int tool_write(const struct tool *t, const struct sbuf *text);
int tool_write_graph(const struct tool *t, const struct lang_graph *g);

/* --- a graph that can be changed (net.c) ----------------------------------------------- */

struct net_element {
    struct lang_element e;
    bool dead;
};

struct net_connection {
    struct lang_connection c;
    bool dead;
};

struct net {
    struct arena *arena; /* borrowed */
    struct net_element *elements;
    uint32_t n_elements, room_elements;
    struct net_connection *connections;
    uint32_t n_connections, room_connections;
};

/* Copy a graph; element numbers stay. Memory that runs out ends the program. */
void net_init(struct net *n, struct arena *a, const struct lang_graph *g);
uint32_t net_add_element(struct net *n, const char *name, const char *class_name,
                         const char *config);
/* An anonymous element: "Idle@7". */
uint32_t net_add_anonymous(struct net *n, const char *class_name);
void net_connect(struct net *n, uint32_t from, uint32_t from_port, uint32_t to,
                 uint32_t to_port);
uint32_t net_find(const struct net *n,
                  const char *name); /* UINT32_MAX: there is none */

/* Take an element out: packets that came to input 0 go where output 0 went. */
void net_splice(struct net *n, uint32_t element);

/* What is left, without dead elements and connections; requirements are those of `g`. */
void net_graph(const struct net *n, struct lang_graph *g);

#endif
