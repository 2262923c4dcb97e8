// SPDX-License-Identifier: BSD-3-Clause
/* contents.c -- how the bytes of a packet are shown: see contents.h */

#include "engine/contents.h"

void contents_upper(struct text *t)
{
    char *s = (char *)(uintptr_t)t->s; /* the element's own copy */

    for (size_t i = 0; i < t->len; i++)
        if (s[i] >= 'a' && s[i] <= 'z')
            s[i] -= 'a' - 'A';
}

int contents_parse(struct text *t, struct diag *d)
{
    static const char *const words[] = {"NONE", "HEX", "ASCII"};
    bool yes;

    if (parse_bool(t->s, &yes))
        return yes ? CONTENTS_HEX : CONTENTS_NONE;
    contents_upper(t);
    for (int i = CONTENTS_NONE; i <= CONTENTS_ASCII; i++)
        if (!strcmp(t->s, words[i]))
            return i;
    return diag_err(d, "bad contents value '%s'; should be 'NONE', 'HEX', or 'ASCII'",
                    t->s);
}
