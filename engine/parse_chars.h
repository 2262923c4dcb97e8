// SPDX-License-Identifier: BSD-3-Clause
/* parse_chars.h -- character classes of the C locale, for parse_*.c and args.c */

#ifndef ENGINE_PARSE_CHARS_H
#define ENGINE_PARSE_CHARS_H

#include <stdbool.h>

static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool char_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Value as a digit of a base up to 36; 99 if it is none. */
static inline int char_digit(char c)
{
    if (char_is_digit(c))
        return c - '0';
    return char_is_alpha(c) ? (c | 32) - 'a' + 10 : 99;
}

/* Whether `text` is the word `lower`, in capitals or not. */
static inline bool char_is_word(const char *text, const char *lower)
{
    while (*lower &&
           (*text == *lower || (char_is_alpha(*text) && (*text | 32) == *lower))) {
        text++;
        lower++;
    }
    return !*text && !*lower;
}

#endif
