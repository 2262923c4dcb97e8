// SPDX-License-Identifier: BSD-3-Clause
/*
 * parse.h -- what the parts of the loader share; nobody outside engine/lang includes it
 *
 * Loading goes through three stages:
 *
 *   parse    text -> compounds: a compound is a scope with its elements and connections;
 *            the configuration itself is the outermost one      (parse_*.c, scope.c)
 *   expand   compounds -> flat elements: every use of a compound is replaced by copies
 *            of its elements, variables by values               (expand.c, variables.c)
 *   connect  flat connections: tunnels (uses of compounds, groups, their inputs and
 *            outputs) are bridged, repeated connections dropped (connect.c)
 *
 * Memory: all of it is in the scratch arena but for hash tables, which lang_load() frees,
 *         and the graph, which is copied to the caller's arena at the end.
 * Stack:  one level of nesting costs about a kilobyte, LANG_MAX_DEPTH bounds it.
 * Limits: every step that a hostile text could multiply pays from one budget.
 */

#ifndef ENGINE_LANG_PARSE_H
#define ENGINE_LANG_PARSE_H

#include "base/sbuf.h"
#include "base/strmap.h"
#include "engine/lang/lang.h"
#include "engine/lang/lexer.h"

enum { NO_ELEMENT = UINT32_MAX };
enum { IN, OUT }; /* index of the two sides of an element */

struct compound;

struct class
{
    const char *name;          /* of the primitive; of the compound, "" if anonymous */
    struct compound *compound; /* NULL: a primitive */
    bool bad;                  /* unknown; was reported */
};

/*
 * A tunnel stands for three nodes in a row: NODE_TUNNEL is what the outside connects to,
 * NODE_INPUT and NODE_OUTPUT are "input" and "output" inside. Of a compound's body only
 * the inner two exist while it is parsed, as its elements 0 and 1.
 */
enum node_kind { NODE_ELEMENT, NODE_TUNNEL, NODE_INPUT, NODE_OUTPUT };

struct node {
    const char *name;   /* starts with ';' while it is anonymous */
    struct class *type; /* NULL for tunnels */
    const char *config;
    struct place at;
    enum node_kind kind;
    uint32_t n_ports[2]; /* highest port used plus one */
    /* Tunnels: the node whose outputs carry on what enters this one, and the node whose
     * inputs feed what leaves it. NO_ELEMENT: nothing may enter, or leave. */
    uint32_t twin[2];
};

struct link {
    uint32_t from, from_port, to, to_port;
    struct place at;
};

struct variable {
    const char *name;
    const char *value; /* of a parameter: its keyword, "" if positional */
};

/* A scope: a compound element's body, or the whole configuration. */
struct compound {
    const char *name; /* "" if anonymous */
    struct place at;
    struct compound *parent; /* lexically */
    unsigned depth;
    struct class *overload;  /* what to try next; NULL: nothing */
    struct strmap classes;   /* struct class *: declared or used here */
    struct strmap names;     /* node index + 1 */
    struct strmap variables; /* index + 1 */
    struct node *nodes;
    struct link *links;
    struct variable *vars; /* parameters first, then `define`s */
    uint32_t n_nodes, nodes_room, n_links, links_room, n_vars, vars_room;
    uint32_t n_params;
    uint32_t n_ports[2];
    uint32_t unnamed_offset; /* nodes that anonymous numbers do not count */
    bool order_error;
    struct compound *next; /* in the list of all */
};

/* One element of a comma-separated list, with the ports named around it. */
struct port_list {
    uint32_t start, n; /* slice of side.ports */
    bool open;         /* "[2-]": and as many as it takes */
};

struct endpoint {
    uint32_t node;
    struct port_list ports[2];
};

/* One side of a connection. */
struct side {
    struct endpoint *v;
    uint32_t *ports;
    uint32_t n, room, n_ports, ports_room;
};

/* What was read about an element before it is clear what it is. */
struct pending {
    const char *name;
    struct class *type; /* the name is a class */
    struct class *decl; /* after "::" */
    bool bare;          /* nothing but a name so far */
    bool implicit;      /* "input" or "output" was left out */
    const char *config;
    struct place at;
};

enum frame_type { FRAME_FILE, FRAME_COMPOUND, FRAME_GROUP };

/* State of one nesting level of statements. */
struct frame {
    enum frame_type type;
    bool nested;      /* "input" and "output" mean something */
    bool ends_output; /* the last chain ended at "output" alone */
    struct side left, right;
    struct pending *pending;
    uint32_t n_pending, pending_room;
    bool any_implicit, any_ports;
    int connector;
    struct place connector_at, errors_at;
};

struct lang {
    struct arena *scratch, *out;
    struct diag *d;
    const struct lang_options *options;
    struct lexer lex;
    struct place end;         /* of the file that was read last */
    struct compound *top, *c; /* the outermost scope, the innermost open one */
    struct compound *all;     /* to free their tables */
    struct frame *frames[LANG_MAX_DEPTH + 1];
    unsigned depth;
    struct strmap files, libraries;
    struct lang_requirement *requirements;
    uint32_t n_requirements, requirements_room;
    uint64_t budget;
    uint32_t n_errors;
    bool fatal; /* stop: memory, a limit, or too many errors */
};

/* Variables as they are visible where a configuration string is expanded. */
struct env {
    const struct env *parent;
    const struct compound *scope;
    const char *const *values; /* of the first n variables of the scope */
    uint32_t n;
};

/* --- load.c: errors, memory, limits --- */

/* Report an error; returns -1. After too many of them the load stops. */
__attribute__((format(printf, 3, 4))) int lang_err(struct lang *l, struct place at,
                                                   const char *fmt, ...);

/* Where Click says that something is wrong which it notices after reading on: on the line
 * of the newest token, at the end of the file when all is read. That is `at` if it is on
 * the same line, and has no column if not. */
struct place lang_here(const struct lang *l, struct place at);
void lang_out_of_memory(struct lang *l);

/* Pay for `n` steps; false when the budget is used up, which is reported once. */
bool lang_spend(struct lang *l, uint64_t n);

/* Make room for element `n` of an array in the scratch arena. */
bool lang_grow(struct lang *l, void **array, uint32_t n, uint32_t *room, size_t size);

void *lang_alloc(struct lang *l, size_t size);
const char *lang_copy(struct lang *l, const char *text, size_t len);
__attribute__((format(printf, 2, 3))) const char *lang_format(struct lang *l,
                                                              const char *fmt, ...);
const char *lang_intern_file(struct lang *l, const char *name);

/* --- scope.c: classes, elements, variables of a compound --- */

struct compound *scope_new(struct lang *l, const char *name, struct compound *parent,
                           struct place at);
void scope_fini(struct compound *c);

/* The class that `name` means here, or NULL. */
struct class *scope_find_class(struct lang *l, const char *name);
void scope_add_class(struct lang *l, const char *name, struct class *k);
struct class *scope_new_class(struct lang *l, const char *name, struct compound *c);

/* The same, but an unknown one is made up, after an error if `report`. */
struct class *scope_need_class(struct lang *l, const char *name, struct place at,
                               bool report);

/* Index of the element, or NO_ELEMENT. */
uint32_t scope_find(const struct compound *c, const char *name);

/* Add a node and its name, even if the name is taken; NO_ELEMENT on fatal errors. */
uint32_t scope_add_node(struct lang *l, struct compound *c, const struct node *n);
void scope_add_link(struct lang *l, struct compound *c, const struct link *k);

/* The name that an anonymous element of this class gets, still with its ';'. */
const char *scope_unnamed(struct lang *l, const struct compound *c, const char *class);
void scope_settle_name(struct lang *l, struct compound *c, uint32_t index);

/* Add a variable: a parameter with its keyword, or a definition with its value. */
void scope_define(struct lang *l, struct compound *c, const char *name,
                  const char *value, bool param, struct place at);

/* Report misuse of "input" (or "output"), node `which`, among the links from number
 * `first_link` on. Returns the number of its ports. */
uint32_t scope_check_pseudo(struct lang *l, const struct compound *c, uint32_t which,
                            int side, const char *name, struct place at,
                            uint32_t first_link);

/* --- parse_*.c --- */

void parse_text(struct lang *l, const char *text, size_t len, const char *file);

/* Statements up to what ends the frame; returns that token. */
struct token parse_statements(struct lang *l, enum frame_type type);

void parse_chain(struct lang *l, struct frame *f);
void parse_ports(struct lang *l, struct side *s, struct port_list *list);
void parse_group(struct lang *l, struct side *s, struct endpoint *e, const char *name);

/* From after "{": all overloads and the closing "}". The new class, never NULL. */
struct class *parse_compound(struct lang *l, const char *name);
void parse_require(struct lang *l, struct place at);
void parse_define(struct lang *l, struct place at);
void syntax_error(struct lang *l, struct token t);

void join_sides(struct lang *l, struct frame *f);
bool side_push_port(struct lang *l, struct side *s, struct port_list *list, uint32_t p);

/* --- variables.c, overload.c, expand.c, connect.c --- */

const char *variables_expand(struct lang *l, const struct env *e, const char *config);

/* Pick the overload of a compound class that fits the ports of `node` and the arguments;
 * NULL after an error. `*values` becomes an array for all variables of the choice, with
 * the parameters filled in. */
struct class *overload_pick(struct lang *l, struct class *k, const struct node *node,
                            const char *const *args, uint32_t n, const char ***values);

void expand_all(struct lang *l);
void connect_all(struct lang *l, struct lang_graph *g);

#endif
