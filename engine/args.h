// SPDX-License-Identifier: BSD-3-Clause
/*
 * args.h -- configuration strings as the class's table reads them
 *
 * The rules are Click's. An argument that begins with a keyword of the table goes there,
 * and the last one of several wins; the others fill the positional entries in the order
 * of the table. An argument that merely looks like "WORD text" fills a required position
 * all the same if that would otherwise stay empty.
 *
 * Errors are all reported, in Click's words: "LENGTH: required argument missing",
 * "LENGTH: parse error", "LENGTH: out of range, bound 255", "FOO: unknown argument", "too
 * many arguments".
 *
 * Memory: texts among the values live in the router's arena, where a running element's next
 *         ones take the place of old ones; conf->argv in `scratch`.
 */

#ifndef ENGINE_ARGS_H
#define ENGINE_ARGS_H

#include "engine/element.h"

/* Split `config` and give the members of e's state their values: those in the text, and
 * the defaults of the others. What the table does not know is left in `conf` if the class
 * has .any_args, else it is an error. Returns 0, or -1 with errors in `d`; the state is
 * then as it was (except for members that a custom parser has set). */
int args_parse(struct element *e, const char *config, struct conf *conf,
               struct arena *scratch, struct diag *d);

/* Give a running element of a .live class a new configuration: args_parse() and the
 * class's configure(). On failure -1, and the element goes on with what it had. */
int args_reconfigure(struct element *e, const char *config, struct diag *d);

/* Put `value` into e's configuration string, as the argument that has changed: at the
 * position where it stands ("0 CAPACITY"), or as a keyword behind all others. Nothing is
 * parsed. Without memory the string stays as it was. */
void args_rewrite(struct element *e, const char *argument, const char *value);

/* Configure e anew with another value of that argument, as args_reconfigure(). */
int args_reconfigure_one(struct element *e, const char *argument, const char *value,
                         struct diag *d);

/* Append what was given for that argument, as it was written; nothing if it was left out. */
int args_text(const struct element *e, const char *argument, struct sbuf *out);

/* Parse one value of the kind and size that `spec` says into `out`, which has room for
 * args_value_size() bytes; a text is put into `texts`. Errors begin with the argument's
 * name. Also used for handlers that write a member. */
int args_value(struct element *e, const struct arg_spec *spec, const char *text,
               struct arena *texts, void *out, struct diag *d);

/* Whether values of the kind are texts. */
bool args_is_text(uint8_t kind);

enum { ARGS_VALUE_MAX = 16 };

/* Words with blanks between them, as Click's handlers take them, into the members of `base`
 * that `specs` (ends with name NULL) say; those that are missing stay what they are, unless
 * they are required. Returns 0, or -1 with Click's messages. */
int args_words(struct element *e, const char *text, const struct arg_spec *specs,
               void *base, struct diag *d);

/* Bytes of a value of a kind; 0 for ARG_KIND_CUSTOM. */
size_t args_value_size(uint8_t kind);

/* The usage line of a class: "Strip(LENGTH)", "Queue([CAPACITY])". */
void args_usage(const struct element_class *cls, struct sbuf *out);

/* One word or string of a configuration, unquoted, as struct text in the arena. False
 * when `s` is several words, or not one at all. */
bool args_string(struct arena *a, const char *s, struct text *out);
bool args_word(struct arena *a, const char *s, struct text *out);

#endif
