// SPDX-License-Identifier: BSD-3-Clause
/*
 * suppressor.h -- what other elements may do to a Suppressor
 *
 * Its cast("Suppressor") is a struct suppressor, whose flags may be changed at any time.
 */

#ifndef ENGINE_SUPPRESSOR_H
#define ENGINE_SUPPRESSOR_H

#include <stdbool.h>

struct suppressor {
    unsigned n;       /* ports */
    bool *suppressed; /* [n], in the router's arena */
};

static inline void suppressor_set(struct suppressor *s, unsigned port, bool suppressed)
{
    if (port < s->n)
        s->suppressed[port] = suppressed;
}

#endif
