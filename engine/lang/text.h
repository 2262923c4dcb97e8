// SPDX-License-Identifier: BSD-3-Clause
/*
 * text.h -- characters, comments and quotes of the Click language
 *
 * The lexer, the splitting of configuration strings and the expansion of variables all
 * step over the same comments and quotes; they do it here. Nothing depends on a locale.
 * The skip functions start at the character they are named after, never pass `end`, and
 * take text that is cut short as closed by its end.
 */

#ifndef ENGINE_LANG_TEXT_H
#define ENGINE_LANG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

static inline bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool text_is_alnum(char c)
{
    return text_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter of an identifier, "/" aside. */
static inline bool text_is_ident(char c)
{
    return text_is_alnum(c) || c == '_' || c == '@';
}

/* A letter of a variable's name. */
static inline bool text_is_name(char c)
{
    return text_is_alnum(c) || c == '_';
}

/* The value of a hexadecimal digit, or -1. */
int text_hex(char c);

/* Do two characters here open a comment? Or the data escape, a backslash and "<"? */
bool text_at_comment(const char *s, const char *end);
bool text_at_data(const char *s, const char *end);

const char *text_skip_space(const char *s, const char *end);
const char *text_skip_blank(const char *s, const char *end); /* spaces and comments */
const char *text_skip_comment(const char *s, const char *end);
const char *text_skip_escape(const char *s, const char *end); /* from its backslash */
const char *text_skip_quote(const char *s, const char *end);  /* single or double */

/* The end of the word at `s`: the next blank or comment outside quotes. */
const char *text_skip_word(const char *s, const char *end);

#endif
