// SPDX-License-Identifier: BSD-3-Clause
/* suggest.c -- the known name nearest to one that was mistyped: see suggest.h */

#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

enum { STEP = SUGGEST_STEP, CASE_STEP = 1 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static unsigned cost(char a, char b)
{
    if (a == b)
        return 0;
    return lower(a) == lower(b) ? CASE_STEP : STEP;
}

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* One row of the usual table; `two` is the row before `last`, for swaps. Returns the
 * smallest number in the row. */
static unsigned row_fill(unsigned *row, const unsigned *last, const unsigned *two,
                         const char *a, size_t i, const char *b, size_t nb)
{
    unsigned least;

    row[0] = (unsigned)i * STEP;
    least = row[0];
    for (size_t j = 1; j <= nb; j++) {
        unsigned d = last[j - 1] + cost(a[i - 1], b[j - 1]);

        d = min2(d, min2(last[j], row[j - 1]) + STEP);
        if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
            lower(a[i - 2]) == lower(b[j - 1]))
            d = min2(d, two[j - 2] + STEP);
        row[j] = d;
        least = min2(least, d);
    }
    return least;
}

unsigned suggest_distance(const char *a, const char *b, unsigned limit)
{
    unsigned rows[3][SUGGEST_MAX_LEN + 1];
    size_t na = strlen(a), nb = strlen(b);
    size_t apart = na > nb ? na - nb : nb - na;

    if (na > SUGGEST_MAX_LEN || nb > SUGGEST_MAX_LEN || apart * STEP > limit)
        return limit + 1;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (unsigned)j * STEP;
    for (size_t i = 1; i <= na; i++)
        /* A swap reaches back two rows, so only a wholly hopeless row ends it early. */
        if (row_fill(rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3], a, i, b, nb) >
            limit + STEP)
            return limit + 1;
    return min2(rows[na % 3][nb], limit + 1);
}

void suggest_init(struct suggest *s, const char *wanted)
{
    size_t steps = strlen(wanted) / 3;

    *s = (struct suggest){.wanted = wanted};
    /* One more than what is allowed: the first candidate must beat it. */
    s->distance = (unsigned)(steps ? steps : 1) * STEP + 1;
}

void suggest_add(struct suggest *s, const char *candidate)
{
    unsigned d;

    if (!s->distance)
        return;
    d = suggest_distance(s->wanted, candidate, s->distance - 1);
    if (d >= s->distance)
        return;
    s->distance = d;
    s->best = candidate;
}

const char *suggest_nearest(const char *wanted, const char *const *names, size_t n)
{
    struct suggest s;

    suggest_init(&s, wanted);
    for (size_t i = 0; i < n; i++)
        suggest_add(&s, names[i]);
    return s.best;
}
