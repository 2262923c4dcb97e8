// SPDX-License-Identifier: BSD-3-Clause
/* text.c -- characters, comments and quotes of the Click language: see text.h */

#include "engine/lang/text.h"

int text_hex(char c)
{
    if (text_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool text_at_comment(const char *s, const char *end)
{
    return end - s >= 2 && s[0] == '/' && (s[1] == '/' || s[1] == '*');
}

bool text_at_data(const char *s, const char *end)
{
    return end - s >= 2 && s[0] == '\\' && s[1] == '<';
}

const char *text_skip_space(const char *s, const char *end)
{
    while (s < end && text_is_space(*s))
        s++;
    return s;
}

const char *text_skip_blank(const char *s, const char *end)
{
    for (;;) {
        s = text_skip_space(s, end);
        if (!text_at_comment(s, end))
            return s;
        s = text_skip_comment(s, end);
    }
}

/* The end of a line belongs to the comment. */
static const char *skip_line(const char *s, const char *end)
{
    while (s < end && *s != '\n' && *s != '\r')
        s++;
    if (end - s >= 2 && s[0] == '\r' && s[1] == '\n')
        s++;
    return s < end ? s + 1 : end;
}

const char *text_skip_comment(const char *s, const char *end)
{
    if (s[1] == '/')
        return skip_line(s + 2, end);
    for (s += 2; end - s >= 2; s++)
        if (s[0] == '*' && s[1] == '/')
            return s + 2;
    return end;
}

static const char *skip_data(const char *s, const char *end)
{
    s += 2;
    while (s < end) {
        if (*s == '>')
            return s + 1;
        s = text_at_comment(s, end) ? text_skip_comment(s, end) : s + 1;
    }
    return end;
}

const char *text_skip_escape(const char *s, const char *end)
{
    if (text_at_data(s, end))
        return skip_data(s, end);
    if (end - s >= 3 && s[1] == '\r' && s[2] == '\n')
        return s + 3;
    return end - s >= 2 ? s + 2 : end;
}

const char *text_skip_quote(const char *s, const char *end)
{
    char quote = *s++;

    while (s < end) {
        if (*s == quote)
            return s + 1;
        s = *s == '\\' && quote == '"' ? text_skip_escape(s, end) : s + 1;
    }
    return end;
}

const char *text_skip_word(const char *s, const char *end)
{
    while (s < end && !text_is_space(*s) && !text_at_comment(s, end)) {
        if (*s == '"' || *s == '\'')
            s = text_skip_quote(s, end);
        else if (text_at_data(s, end))
            s = text_skip_escape(s, end);
        else
            s++;
    }
    return s;
}
