// SPDX-License-Identifier: BSD-3-Clause
/*
 * lang.h -- from the text of a Click configuration to a flat graph
 *
 * Lexes, parses and expands a configuration: compound elements are replaced by their
 * bodies, variables by their values, anonymous elements get Click's names (Class@N,
 * compound/inner), element groups and multi-port connections become single connections.
 * What comes out is a list of elements with their configuration strings and a list of
 * connections; what the classes mean is the router's business (engine/router.h).
 *
 * The language is the one of the manual page click(5).
 *
 * Memory: everything in a graph lives in the arena passed to lang_load().
 * Errors: all of them are reported, each with its place; see base/diag.h.
 * Trust:  the text is hostile: depth of nesting, numbers of elements and connections and
 *         the work that a text can cause are bounded; a bound that is hit is an error.
 * Stack:  up to 80 KiB, at the deepest nesting.
 */

#ifndef ENGINE_LANG_LANG_H
#define ENGINE_LANG_LANG_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sbuf;

/* Bounds on what a configuration may expand to. */
enum {
    LANG_MAX_ELEMENTS = 1 << 20,
    LANG_MAX_CONNECTIONS = 1 << 21,
    LANG_MAX_DEPTH = 64,   /* of compound elements and of groups */
    LANG_MAX_PORT = 65535, /* highest port number that can be named */
};

struct lang_element {
    const char *name;       /* flat: "firewall/q", "Queue@3" */
    const char *class_name; /* a primitive class: "Queue" */
    const char *config;     /* as it was written, variables replaced; "" if none */
    struct place at;        /* of the declaration */
};

struct lang_connection {
    uint32_t from, to; /* index into elements */
    uint32_t from_port, to_port;
    struct place at;
};

struct lang_requirement {
    const char *type;  /* "package", "library", "compact_config" ... */
    const char *value; /* may be "" */
};

struct lang_define {
    const char *name, *value; /* "PORT", "80" */
};

/* Of a raw graph, an element whose class is NULL: what enters it leaves from the outputs
 * of `out`, what leaves it entered the inputs of `in`. LANG_NO_ELEMENT: of none. */
enum { LANG_NO_ELEMENT = UINT32_MAX };
struct lang_tunnel {
    uint32_t in, out;
};

struct lang_graph {
    struct lang_element *elements; /* in Click's order */
    uint32_t n_elements;
    struct lang_connection *connections; /* each once; sorted by to, then by from */
    uint32_t n_connections;
    struct lang_requirement *requirements;
    uint32_t n_requirements;
    /* Raw graphs only. */
    struct lang_tunnel *tunnels; /* by element */
    struct lang_define *defines; /* of the configuration, those from outside included */
    uint32_t n_defines;
    const char **compounds; /* names of the compound classes it declares, in order */
    uint32_t n_compounds;
};

struct lang_options {
    /* Definitions from outside, as `click VAR=VALUE`; they win over `define` statements. */
    const struct lang_define *defines;
    size_t n_defines;
    /* Find what `require(library NAME)` in the file `from` means: on success 0 with heap
     * strings in `path` and `text` that lang_load() frees, -1 if there is none. NULL:
     * libraries are refused. */
    int (*library)(void *ctx, const char *name, const char *from, char **path,
                   char **text, size_t *len);
    void *library_ctx;
    /* Whether `require(package NAME)` is met; NULL: every one is. */
    bool (*package)(const char *name);
    /* For programs that rewrite configurations, a raw graph: with tunnels where compound
     * elements and groups were, connections as they were written, elements in the order
     * of Click's tools, and the configuration's own variables in place unless
     * `raw_values`. With `body` it is that compound class's, not the configuration's. */
    bool raw, raw_values;
    const char *body;
    /* All primitive class names, sorted, for suggestions and for errors about unknown
     * classes; may be NULL: then every class is taken to exist. */
    const char *const *classes;
    size_t n_classes;
};

/* If `text` is an ar(1) archive, narrow it to the member "config"; lang_load() does so by
 * itself. -1: it has none. */
int lang_find_config(const char **text, size_t *len);

/* Load `text` (`len` bytes, may contain NUL), which errors call `file`. Returns 0 and the
 * graph, or -1 with at least one error in `d`; the graph is then undefined. */
int lang_load(struct lang_graph *graph, struct arena *a, const char *text, size_t len,
              const char *file, const struct lang_options *options, struct diag *d);

/* Split a configuration string at its top-level commas; blanks around an argument are
 * removed and comments become blanks, quotes stay. "" has no arguments, and a trailing
 * comma adds none. The array and the strings live in `a`. Returns the number of
 * arguments or -1 when memory ran out. */
int lang_split_args(struct arena *a, const char *config, const char *const **args);

/* Split one argument at its top-level blanks ("ip src host 1.2.3.4" has four words). */
int lang_split_words(struct arena *a, const char *arg, const char *const **words);

/* Remove one level of quotes: "a\tb" loses the quotes and has its escapes carried out,
 * 'a' is taken as it is, \<68 65> gives the two bytes. Returns a NUL-terminated string
 * in `a`, its length in `len`, which counts NULs inside; NULL when memory ran out. */
char *lang_unquote(struct arena *a, const char *text, size_t *len);

/* The same, appended to `out`. */
void lang_unquote_into(struct sbuf *out, const char *text, size_t len);

/* Append `text` without comments and without blanks at its ends; quotes stay. */
void lang_uncomment_into(struct sbuf *out, const char *text, size_t len);

/* The reverse: `text` so that lang_unquote() gives it back; as it is where it can be. */
char *lang_quote(struct arena *a, const char *text, size_t len);

/* Append what must stand between double quotes to mean `text`. */
void lang_quote_into(struct sbuf *out, const char *text, size_t len);

#endif
