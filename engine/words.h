// SPDX-License-Identifier: BSD-3-Clause
/*
 * words.h -- arguments that are lists of words with blanks between them
 *
 *     char word[WORD_ROOM];
 *     while (word_next(&text, word)) ...
 *
 * For addresses, numbers and keywords: quotes and braces have no meaning here.
 */

#ifndef ENGINE_WORDS_H
#define ENGINE_WORDS_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct element;

enum { WORD_ROOM = 128 };

/* Copy the next word of `*text` to `word` and move `*text` behind it. False at the end of
 * the text. A word that does not fit becomes "?", which no parser takes for anything. */
bool word_next(const char **text, char word[WORD_ROOM]);

/* A list of IPv4 addresses. */
struct ip_list {
    uint32_t *addr; /* network byte order; in the router's arena */
    uint32_t n;
};

static inline bool ip_list_has(const struct ip_list *l, uint32_t addr)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->addr[i] == addr)
            return true;
    return false;
}

/* Append an address. -1 when memory ran out. */
int ip_list_add(struct element *e, struct ip_list *l, uint32_t addr);

/* For arg_spec.parse: words that are IP addresses, appended to the struct ip_list. */
int ip_list_parse(struct element *e, const char *text, void *member, struct diag *d);

#endif
