// SPDX-License-Identifier: BSD-3-Clause
/* words.c -- arguments that are lists of words: see words.h */

#include "engine/words.h"

#include "base/sbuf.h"
#include "engine/element.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool word_next(const char **text, char word[WORD_ROOM])
{
    const char *s = *text;
    size_t n;

    while (is_blank(*s))
        s++;
    for (n = 0; s[n] && !is_blank(s[n]); n++)
        ;
    *text = s + n;
    if (n >= WORD_ROOM) {
        memcpy(word, "?", 2);
        return true;
    }
    memcpy(word, s, n);
    word[n] = '\0';
    return n > 0;
}

int ip_list_add(struct element *e, struct ip_list *l, uint32_t addr)
{
    /* Grows at the powers of two; what it grows out of is lost to the arena. */
    if (!l->n || (l->n >= 4 && (l->n & (l->n - 1)) == 0)) {
        uint32_t *more = element_alloc(e, (l->n ? 2 * (size_t)l->n : 4) * sizeof *more);
        if (!more)
            return -1;
        if (l->n)
            memcpy(more, l->addr, l->n * sizeof *more);
        l->addr = more;
    }
    l->addr[l->n++] = addr;
    for (uint32_t i = l->n; i % 4; i++)
        l->addr[i] = addr;
    return 0;
}

int ip_list_parse(struct element *e, const char *text, void *member, struct diag *d)
{
    char word[WORD_ROOM];
    uint32_t addr;

    while (word_next(&text, word)) {
        if (!parse_ip(e, word, &addr))
            return diag_err(d, "parse error");
        if (ip_list_add(e, member, addr) < 0)
            return diag_err(d, "out of memory");
    }
    return 0;
}

int word_lines(const char *text, size_t len, bool (*line)(void *ctx, const char *line),
               void *ctx, const char *form, struct diag *d)
{
    const char *end = text + len;
    struct sbuf one = SBUF_INIT;
    char word[WORD_ROOM];
    unsigned number = 1;
    int rc = 0;

    for (; rc == 0 && text < end; number++) {
        const char *nl = memchr(text, '\n', (size_t)(end - text)), *blank;
        nl = nl ? nl : end;
        sbuf_reset(&one);
        sbuf_add(&one, text, (size_t)(nl - text));
        blank = sbuf_text(&one);
        if (one.failed)
            rc = diag_err(d, "out of memory");
        else if (word_next(&blank, word) && !line(ctx, sbuf_text(&one)))
            rc = diag_err(d, "line %u: expected %s", number, form);
        text = nl + 1;
    }
    sbuf_fini(&one);
    return rc;
}
