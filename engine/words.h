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

#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct element;

enum { WORD_ROOM = 128 };

/* Copy the next word of `*text` to `word` and move `*text` behind it. False at the end of
 * the text. A word that does not fit becomes "?", which no parser takes for anything. */
bool word_next(const char **text, char word[WORD_ROOM]);

/* Call line() for each line of a text that has any word, with the line as a string. -1 with
 * a message that names the line and `form` where it returns false. */
int word_lines(const char *text, size_t len, bool (*line)(void *ctx, const char *line),
               void *ctx, const char *form, struct diag *d);

/* A list of IPv4 addresses, which are compared four at a time: the last one is repeated. */
struct ip_list {
    uint32_t *addr; /* network byte order; in the router's arena, aligned to 16 */
    uint32_t n;
};

static inline bool ip_list_has(const struct ip_list *l, uint32_t addr)
{
    __m128i wanted = _mm_set1_epi32((int)addr);

    for (uint32_t i = 0; i < l->n; i += 4)
        if (_mm_movemask_epi8(_mm_cmpeq_epi32(
                wanted, _mm_load_si128((const __m128i *)(const void *)(l->addr + i)))))
            return true;
    return false;
}

/* Append an address. -1 when memory ran out. */
int ip_list_add(struct element *e, struct ip_list *l, uint32_t addr);

/* For arg_spec.parse: words that are IP addresses, appended to the struct ip_list. */
int ip_list_parse(struct element *e, const char *text, void *member, struct diag *d);

#endif
