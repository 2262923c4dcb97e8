// SPDX-License-Identifier: BSD-3-Clause
/* agg_set.c -- from 32-bit numbers to 64-bit values: see agg_set.h */

#include "engine/agg_set.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

void agg_set_fini(struct agg_set *s)
{
    free(s->slots);
    *s = (struct agg_set){0};
}

static uint32_t home(const struct agg_set *s, uint32_t agg)
{
    return (uint32_t)((agg * 0x9e3779b97f4a7c15u) >> 32) & (s->n_slots - 1);
}

/* Where `agg` is or would be; there is always a free place. */
static struct agg_value *locate(const struct agg_set *s, uint32_t agg)
{
    uint32_t i = home(s, agg);

    while (s->slots[i].value && s->slots[i].agg != agg)
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

struct agg_value *agg_set_get(const struct agg_set *s, uint32_t agg)
{
    struct agg_value *v = s->n_slots ? locate(s, agg) : NULL;

    return v && v->value ? v : NULL;
}

static int grow(struct agg_set *s)
{
    struct agg_set bigger = {.n_slots = s->n_slots ? 2 * s->n_slots : FIRST_SLOTS};

    bigger.slots = bigger.n_slots ? calloc(bigger.n_slots, sizeof *bigger.slots) : NULL;
    if (!bigger.slots)
        return -1;
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].value) {
            *locate(&bigger, s->slots[i].agg) = s->slots[i];
            bigger.used++;
        }
    free(s->slots);
    *s = bigger;
    return 0;
}

struct agg_value *agg_set_put(struct agg_set *s, uint32_t agg)
{
    struct agg_value *v = s->n_slots ? locate(s, agg) : NULL;

    if (v && v->value)
        return v;
    if (s->used >= s->n_slots / 2) {
        if (grow(s) < 0)
            return NULL;
        v = locate(s, agg);
    }
    s->used++;
    v->agg = agg;
    return v;
}

void agg_set_remove(struct agg_set *s, uint32_t agg)
{
    struct agg_value *v = agg_set_get(s, agg);
    uint32_t hole, i;

    if (!v)
        return;
    /* Move back those that the hole would cut off from their home. */
    hole = i = (uint32_t)(v - s->slots);
    for (;;) {
        uint32_t h;

        i = (i + 1) & (s->n_slots - 1);
        if (!s->slots[i].value)
            break;
        h = home(s, s->slots[i].agg);
        if (((i - h) & (s->n_slots - 1)) >= ((i - hole) & (s->n_slots - 1))) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    }
    s->slots[hole] = (struct agg_value){0};
    s->used--;
}

static int by_agg(const void *a, const void *b)
{
    uint32_t x = ((const struct agg_value *)a)->agg;
    uint32_t y = ((const struct agg_value *)b)->agg;

    return (x > y) - (x < y);
}

struct agg_value *agg_set_sorted(const struct agg_set *s, size_t *n)
{
    struct agg_value *all = s->used ? calloc(s->used, sizeof *all) : NULL;

    *n = 0;
    if (!all)
        return NULL;
    for (uint32_t i = 0; i < s->n_slots && *n < s->used; i++)
        if (s->slots[i].value)
            all[(*n)++] = s->slots[i];
    qsort(all, *n, sizeof *all, by_agg);
    return all;
}
