// SPDX-License-Identifier: BSD-3-Clause
/* parse_anno.c -- annotations and words: see parse.h */

#include "engine/parse.h"

#include "engine/element.h"
#include "engine/nameinfo.h"
#include "engine/parse_chars.h"

#include <string.h>

/* "20/4": offset and size; or "20". */
static bool anno_numeric(const char *s, uint32_t *packed)
{
    const char *slash = strchr(s, '/');
    uint64_t offset, size = 0;
    char text[16];
    size_t len = slash ? (size_t)(slash - s) : strlen(s);

    if (len >= sizeof text)
        return false;
    memcpy(text, s, len);
    text[len] = 0;
    if (!parse_u64(text, 0, &offset) || offset >= PKT_ANNO_SIZE)
        return false;
    if (slash && (!parse_u64(slash + 1, 0, &size) || !size || size > PKT_ANNO_SIZE))
        return false;
    *packed = (uint32_t)(size << 16 | offset);
    return true;
}

/* The name, with or without the suffix that C programs give it. */
static bool anno_named(const struct element *context, const char *s, uint32_t *packed)
{
    static const char suffix[] = "_ANNO";
    size_t len = strlen(s), cut = sizeof suffix - 1;
    char name[64];

    if (name_query(context, NAME_ANNO, s, packed, sizeof *packed))
        return true;
    if (len <= cut || len >= sizeof name || strcmp(s + len - cut, suffix) != 0)
        return false;
    memcpy(name, s, len - cut);
    name[len - cut] = 0;
    return name_query(context, NAME_ANNO, name, packed, sizeof *packed);
}

bool parse_anno_at(const struct element *context, const char *s, unsigned size,
                   struct anno_ref *out)
{
    uint32_t packed, offset, given;

    /* "ANNO 17" is how some old configurations spell it */
    if (strncmp(s, "ANNO", 4) == 0 && char_is_space(s[4]))
        for (s += 4; char_is_space(*s);)
            s++;
    if (!anno_named(context, s, &packed) && !anno_numeric(s, &packed))
        return false;
    offset = packed & 0xffff;
    given = packed >> 16;
    if (size && given && given != size)
        return false;
    given = size ? size : given;
    if (offset >= PKT_ANNO_SIZE || offset + given > PKT_ANNO_SIZE)
        return false;
    out->offset = (uint16_t)offset;
    out->size = (uint16_t)given;
    return true;
}

bool parse_anno(const char *s, unsigned size, struct anno_ref *out)
{
    return parse_anno_at(NULL, s, size, out);
}

bool parse_is_word(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if (*s <= ' ' || *s >= 127 || *s == '"' || *s == '\'' || *s == '\\' ||
            *s == ',')
            return false;
    return true;
}
