// SPDX-License-Identifier: BSD-3-Clause
/*
 * cli.h -- the command line: verbs as records, what they share
 *
 * A verb is one COMMAND(name) = {...} record in a cli_*.c file. Options and help come from
 * its tables, so `clickos VERB -h`, the manual and shell completion cannot disagree with
 * what is accepted.
 *
 * Output goes to c->out, errors to c->err, one line each; a verb returns an exit status.
 */

#ifndef CTL_CLI_H
#define CTL_CLI_H

#include "base/diag.h"
#include "base/sbuf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum exit_status {
    EXIT_OK = 0,
    EXIT_FAILED = 1,      /* refused or failed */
    EXIT_USAGE = 2,       /* the command line is wrong */
    EXIT_UNREACHABLE = 3, /* no daemon */
    EXIT_UNKNOWN = 4,     /* nothing of that name */
};

struct cli {
    FILE *out, *err;         /* borrowed */
    const char *socket_path; /* borrowed */
    bool json;
};

/* ---- verbs ----------------------------------------------------------------------- */

struct cli_option {
    const char *name; /* "net": --net; ends a table when NULL */
    char letter;      /* 'f': -f; 0: none */
    const char *arg;  /* "NETWORK": takes a value; NULL: a flag */
    const char *help;
};

enum { CLI_MAX_OPTIONS = 64, CLI_MAX_WORDS = 4096 };

struct cli_given {
    const struct cli_option *option;
    const char *value; /* NULL for flags */
};

/* A command line taken apart; everything borrowed from argv. */
struct cli_args {
    struct cli_given options[CLI_MAX_OPTIONS];
    unsigned n_options;
    const char **words; /* owned; what is no option */
    unsigned n_words;
    bool help;
};

struct command {
    const char *name;                 /* "net add" */
    const char *usage;                /* "NAME [--wire]" */
    const char *summary;              /* one line */
    const char *more;                 /* further lines for -h; may be NULL */
    const char *example;              /* lines of commands */
    const struct cli_option *options; /* may be NULL */
    unsigned min_words, max_words;    /* of arguments that are no options */
    int (*run)(struct cli *c, const struct cli_args *a);
    void (*more_help)(FILE *out); /* what is generated; may be NULL */
    void (*words)(FILE *out); /* what completion may offer, one a line; may be NULL */
};

#define COMMAND(name_)                                                                 \
    static const struct command command_##name_;                                       \
    __attribute__((used, retain, section("commands"))) static const struct command     \
        *const command_ptr_##name_ = &command_##name_;                                 \
    static const struct command command_##name_

/* Run a whole command line; returns the exit status. */
int cli_main(struct cli *c, int argc, char **argv);

/* Take argv[0..argc) apart. 0, or -1 with a message. `c` gets --socket and --json. */
int cli_parse(struct cli *c, const struct cli_option *options, int argc, char **argv,
              struct cli_args *a, struct diag *d);
void cli_args_fini(struct cli_args *a);

bool cli_flag(const struct cli_args *a, const char *name);
const char *cli_value(const struct cli_args *a,
                      const char *name); /* the last, or NULL */

/* ---- errors ---------------------------------------------------------------------- */

/* "clickos: ..." on c->err; returns `status`. */
__attribute__((format(printf, 3, 4))) int cli_fail(struct cli *c, int status,
                                                   const char *fmt, ...);

/* ---- the daemon ------------------------------------------------------------------ */

struct http_reply {
    unsigned status;
    bool is_json;
    struct sbuf body;
};

/* One request. 0 with a reply of any status (http_reply_fini() it), or an exit status
 * after saying why. `path` must be encoded. */
int http_call(struct cli *c, const char *method, const char *path,
              const char *content_type, const char *body, size_t len,
              struct http_reply *r);
void http_reply_fini(struct http_reply *r);

/* Connect only: 0 or an errno. Says nothing. */
int http_probe(const char *socket_path);

/* Take apart the head of a response in `text`: status, and where the body begins (0:
 * the head is not complete). Returns -1 if it is no HTTP. `length` is -1 if not given. */
int http_parse_head(const char *text, size_t len, struct http_reply *r, size_t *body_at,
                    long *length);

/* Append `part` encoded for a path or query; `keep` are further characters to leave. */
void http_encode(struct sbuf *out, const char *part, const char *keep);

/* A request with a JSON body (`body` is taken over, may be NULL). The path comes from
 * `fmt`, where each %s is encoded. On an error status its text has been printed and the
 * exit status is returned; else 0, and `*answer` (if not NULL) is the caller's. */
__attribute__((format(printf, 5, 6))) int api(struct cli *c, const char *method,
                                              json_t *body, json_t **answer,
                                              const char *fmt, ...);

/* Create one of `things` ("ports") from `body`, which is taken over, and print the answer
 * under --json. Returns the exit status. */
int api_create(struct cli *c, json_t *body, const char *things);

/* Remove those of `things` that the words name; one that cannot be removed does not keep
 * the others. Returns the first exit status that is no success. */
int api_remove_each(struct cli *c, const struct cli_args *a, const char *things);

/* Print the daemon's error; `source` is the configuration it is about, or NULL: then its
 * lines are not shown. Returns the exit status. */
struct source;
int api_fail(struct cli *c, const struct http_reply *r, const struct source *source);

/* "/v1/vms/" with each %s encoded; heap, NULL when memory ran out. */
__attribute__((format(printf, 1, 0))) char *api_path(const char *fmt, va_list ap);

/* Members of answers; "" and 0 when they are not there. */
const char *json_str(const json_t *o, const char *key);
json_int_t json_num(const json_t *o, const char *key);

/* Print an answer as --json wants it, and release it. */
int cli_print_json(struct cli *c, json_t *o);

/* ---- tables ---------------------------------------------------------------------- */

enum { TABLE_MAX_COLUMNS = 16 };

struct table {
    char **cells; /* owned */
    size_t n_cells, room;
    unsigned n_columns;
    unsigned right; /* bit i: column i is aligned to the right */
};

/* `heads` has one word a column, blanks between; "#" in front aligns it to the right. */
void table_init(struct table *t, const char *heads);
__attribute__((format(printf, 2, 3))) void table_cell(struct table *t, const char *fmt,
                                                      ...);
void table_print(struct table *t, FILE *out); /* and frees it */

/* Print the array `list` of an answer as a table with these heads, of which `row` fills a
 * line, or the whole answer under --json; and release the answer. EXIT_OK. */
typedef void cli_row(struct table *t, const json_t *item);
int cli_print_list(struct cli *c, json_t *answer, const char *list, const char *heads,
                   cli_row *row);

/* ---- configurations -------------------------------------------------------------- */

struct source {
    char *text; /* owned */
    size_t len;
    const char *file; /* borrowed; what errors call it */
    json_t *defines;  /* owned; NULL: none */
};

/* Read a file ("-": standard input), or take `expression`. 0 or an exit status. */
int source_read(struct cli *c, struct source *s, const char *file,
                const char *expression);
/* Take VAR=VALUE words. */
int source_define(struct cli *c, struct source *s, const char *const *words,
                  unsigned n);
void source_fini(struct source *s);
json_t *source_json(struct cli *c, const struct source *s); /* NULL: said why */
/* Say which variables were given that the text does not have; source_json() does it. */
void source_warn(struct cli *c, const struct source *s);

bool is_definition(const char *word);

/* Print each detail as "file:line:column: message", with the source line and a caret. */
void caret_print(FILE *out, const json_t *details, const struct source *s);

/* The line and the caret alone, appended to `out`; nothing if there is no such place. */
void caret_line(struct sbuf *out, const char *text, size_t len, unsigned line,
                unsigned column);

/* ---- help ------------------------------------------------------------------------ */

void cli_print_help(FILE *out, const struct command *cmd);
/* The verb and its arguments as one line, behind `before`. */
void cli_print_usage(FILE *out, const char *before, const struct command *cmd);

/* All verbs, sorted by name; the array is the caller's. */
const struct command **cli_commands(size_t *n);

#endif
