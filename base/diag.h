// SPDX-License-Identifier: BSD-3-Clause
/*
 * diag.h -- what went wrong, for people and for scripts
 *
 * Everything that can fail takes a struct diag and explains itself there; nothing but a
 * main.c prints. A diag collects any number of messages, so that loading a configuration
 * reports all of its errors at once.
 *
 *     struct diag d = DIAG_INIT;
 *     if (graph_load(..., &d) < 0)
 *         fputs(diag_text(&d), stderr);
 *     diag_fini(&d);
 *
 * A message carries a place (file, line, column) when its author knew one. A caller that
 * knows more about the place than its callee opens a context: messages without a place
 * of their own take the context's, and Click's "While configuring ..." line stands once
 * above the messages that were added inside it.
 *
 * Memory: messages are on the heap, owned by the diag. Names passed in are copied.
 * NULL:   every function accepts a NULL diag and then only returns its result.
 */

#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

/* A place in a text; `file` is borrowed and may be NULL, line 0 means "no place", column
 * 0 "no column". Lines and columns count from 1, columns in bytes. */
struct place {
    const char *file;
    uint32_t line, column;
};

#define NO_PLACE ((struct place){0})

struct diag_message {
    enum diag_level level;
    uint32_t depth; /* how deeply to indent: inside how many contexts */
    char *file;     /* owned; NULL: no place */
    uint32_t line, column;
    char *text;       /* owned; one line without a newline */
    uint32_t subject; /* bytes of the text that stand before the word "warning" */
    char
        *hint; /* owned; NULL or a suggestion, for terminals: "did you mean 'Queue'?" */
};

struct diag_context {
    struct place place;
    char *text; /* owned; NULL: only a place, or not made yet: */
    const char *doing;
    const char *(*name)(const void *what);
    const void *what; /* borrowed */
    bool shown;       /* its line is in the list already */
};

enum { DIAG_MAX_CONTEXTS = 8 };

struct diag {
    struct diag_message *messages; /* owned */
    size_t n_messages, room;
    size_t n_errors, n_warnings;
    struct diag_context contexts[DIAG_MAX_CONTEXTS];
    unsigned n_contexts;
    char *text; /* owned cache of diag_text() */
};

#define DIAG_INIT ((struct diag){0})

void diag_fini(struct diag *d);
void diag_reset(struct diag *d);

/* Forget the messages, which somebody has printed; contexts and counts stay. */
void diag_forget(struct diag *d);

/* Add an error. Always returns -1, so that `return diag_err(d, ...)` reads well. */
__attribute__((format(printf, 2, 3))) int diag_err(struct diag *d, const char *fmt,
                                                   ...);
__attribute__((format(printf, 3, 4))) int diag_err_at(struct diag *d, struct place at,
                                                      const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void diag_warn(struct diag *d, const char *fmt,
                                                     ...);
__attribute__((format(printf, 2, 3))) void diag_note(struct diag *d, const char *fmt,
                                                     ...);
/* Click's form for arguments: "SUBJECT: warning: text". */
__attribute__((format(printf, 3, 4))) void
diag_warn_about(struct diag *d, const char *subject, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void diag_warn_at(struct diag *d, struct place at,
                                                        const char *fmt, ...);
__attribute__((format(printf, 4, 0))) void diag_add(struct diag *d,
                                                    enum diag_level level,
                                                    struct place at, const char *fmt,
                                                    va_list ap);

/* Errors so far; 0 for NULL. */
size_t diag_n_errors(const struct diag *d);

/* Attach a suggestion to the newest message. */
__attribute__((format(printf, 2, 3))) void diag_hint(struct diag *d, const char *fmt,
                                                     ...);

/* Open and close a context. With a `fmt`, the line "fmt:" stands above the messages that
 * are added until the matching diag_leave(), which are indented by two blanks. */
void diag_enter_place(struct diag *d, struct place at);
__attribute__((format(printf, 3, 4))) void diag_enter(struct diag *d, struct place at,
                                                      const char *fmt, ...);
/* The line "doing 'name(what)':", which is made only if there is a message. */
void diag_enter_with(struct diag *d, struct place at, const char *doing,
                     const char *(*name)(const void *what), const void *what);
void diag_leave(struct diag *d);

/* All messages, one a line, as "file:line: text" (Click's form), or with `columns` as
 * "file:line:column: text" and hints on lines of their own. Borrowed until the next
 * change; never NULL. */
const char *diag_text(struct diag *d);
const char *diag_text_columns(struct diag *d);

#endif
