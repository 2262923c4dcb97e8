// SPDX-License-Identifier: BSD-3-Clause
/*
 * archive.c -- configurations that come as an ar(1) archive
 *
 * Click accepts an archive in place of a configuration; its member "config" is the text.
 * The other members hold compiled code for other platforms and are left alone.
 */

#include "engine/lang/parse.h"
#include "engine/lang/text.h"

#include <string.h>

enum { MAGIC_LEN = 8, HEADER_LEN = 60, NAME_LEN = 16, SIZE_AT = 48, SIZE_LEN = 10 };

/* A decimal field, padded with blanks; 0 if it is none. */
static size_t field(const char *s, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len && text_is_digit(s[i]); i++)
        n = n * 10 + (size_t)(s[i] - '0');
    return n;
}

/* System V ends a name with a slash, BSD puts long ones in front of the contents. */
static bool is_config(const char *header, const char **body, size_t *size)
{
    static const char name[] = "config";
    size_t len = sizeof name - 1, extra;

    if (memcmp(header, "#1/", 3) == 0) {
        extra = field(header + 3, NAME_LEN - 3);
        if (extra < len || extra > *size || memcmp(*body, name, len) != 0)
            return false;
        for (size_t i = len; i < extra; i++)
            if ((*body)[i])
                return false;
        *body += extra;
        *size -= extra;
        return true;
    }
    return memcmp(header, name, len) == 0 && (header[len] == ' ' || header[len] == '/');
}

int lang_find_config(const char **text, size_t *len)
{
    const char *s = *text;
    size_t left = *len;

    if (!left || *s != '!')
        return 0;
    if (left < MAGIC_LEN || memcmp(s, "!<arch>\n", MAGIC_LEN) != 0)
        return -1;
    s += MAGIC_LEN;
    left -= MAGIC_LEN;
    while (left >= HEADER_LEN && s[58] == '`' && s[59] == '\n') {
        size_t size = field(s + SIZE_AT, SIZE_LEN), step;
        const char *body = s + HEADER_LEN;

        left -= HEADER_LEN;
        if (size > left)
            return -1;
        step = size + (size % 2 && size < left); /* members start at even bytes */
        if (is_config(s, &body, &size)) {
            *text = body;
            *len = size;
            return 0;
        }
        s += HEADER_LEN + step;
        left -= step;
    }
    return -1;
}
