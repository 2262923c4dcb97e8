// SPDX-License-Identifier: BSD-3-Clause
/* multi_match.c -- pieces, bitmap and automaton: see multi_match.h */

#include "engine/multi_match.h"

#include "engine/net_headers.h"

#include <stdlib.h>

enum { STRIDE_MAX = 8, FILTER_MIN_BITS = 12, FILTER_MAX_BITS = 18 };

/* A state of the automaton stands for what some pattern begins with. */
struct multi_state {
    uint32_t fail;  /* the longest proper end of it that a pattern begins with, too */
    uint16_t depth; /* bytes */
    bool match;     /* a pattern ends here */
};

/* --- the automaton ------------------------------------------------------------------- */

/* An edge is state << 40 | byte << 32 | next state; the root is nobody's next state, so
 * that 0 is a free place. */
static inline uint32_t edge_place(const struct multi_match *m, uint32_t state,
                                  uint8_t byte)
{
    return (uint32_t)(((uint64_t)state << 8 | byte) * 0x9e3779b97f4a7c15ull >> 32) &
           m->edge_mask;
}

/* The next state, or 0. */
static inline uint32_t edge_find(const struct multi_match *m, uint32_t state,
                                 uint8_t byte)
{
    uint64_t key = (uint64_t)state << 8 | byte;
    uint32_t i = edge_place(m, state, byte);

    while (m->edges[i]) {
        if (m->edges[i] >> 32 == key)
            return (uint32_t)m->edges[i];
        i = (i + 1) & m->edge_mask;
    }
    return 0;
}

static void edge_add(struct multi_match *m, uint32_t state, uint8_t byte, uint32_t next)
{
    uint32_t i = edge_place(m, state, byte);

    while (m->edges[i])
        i = (i + 1) & m->edge_mask;
    m->edges[i] = ((uint64_t)state << 8 | byte) << 32 | next;
}

static inline uint32_t automaton_step(const struct multi_match *m, uint32_t state,
                                      uint8_t byte)
{
    uint32_t next;

    while (!(next = edge_find(m, state, byte)) && state)
        state = m->states[state].fail;
    return next;
}

static void add_pattern(struct multi_match *m, const struct multi_pattern *p)
{
    uint32_t state = 0;

    for (size_t i = 0; i < p->len; i++) {
        uint32_t next = edge_find(m, state, p->s[i]);

        if (!next) {
            next = m->n_states++;
            m->states[next].depth = (uint16_t)(i + 1);
            edge_add(m, state, p->s[i], next);
        }
        state = next;
    }
    m->states[state].match = true;
}

/* A state needs its parent's fail link: go through the patterns by depth. `at` holds how
 * far each pattern has come. */
static void link_states(struct multi_match *m, const struct multi_pattern *p, size_t n,
                        uint32_t *at)
{
    bool more = true;

    for (size_t depth = 0; more; depth++) {
        more = false;
        for (size_t i = 0; i < n; i++) {
            uint32_t parent = at[i], state, fail;

            if (depth >= p[i].len)
                continue;
            more = true;
            at[i] = state = edge_find(m, parent, p[i].s[depth]);
            if (!parent)
                continue;
            fail = automaton_step(m, m->states[parent].fail, p[i].s[depth]);
            m->states[state].fail = fail;
            m->states[state].match |= m->states[fail].match;
        }
    }
}

static int build_automaton(struct multi_match *m, const struct multi_pattern *p,
                           size_t n, size_t bytes)
{
    uint32_t *at = calloc(n, sizeof *at);
    size_t places = 4;

    while (places < 2 * bytes)
        places *= 2;
    m->edge_mask = (uint32_t)places - 1;
    m->edges = calloc(places, sizeof *m->edges);
    m->states = calloc(bytes + 1, sizeof *m->states);
    if (!at || !m->edges || !m->states) {
        free(at);
        return -1;
    }
    m->n_states = 1;
    for (size_t i = 0; i < n; i++)
        add_pattern(m, &p[i]);
    link_states(m, p, n, at);
    free(at);
    return 0;
}

/* --- the filter ---------------------------------------------------------------------- */

static inline uint32_t piece_at(const struct multi_match *m, const uint8_t *s,
                                uint32_t piece)
{
    return piece == 4   ? (load32(s) * 0x9e3779b1u) >> m->hash_shift
           : piece == 2 ? load16(s)
                        : *s;
}

static int build_filter(struct multi_match *m, const struct multi_pattern *p, size_t n,
                        size_t shortest)
{
    uint32_t bits = FILTER_MIN_BITS;

    m->piece = shortest >= 4 ? 4 : shortest >= 2 ? 2 : 1;
    m->stride = (uint32_t)(shortest - m->piece + 1);
    m->stride = m->stride > STRIDE_MAX ? STRIDE_MAX : m->stride;
    if (m->piece < 4) {
        bits = m->piece * 8 < FILTER_MIN_BITS ? FILTER_MIN_BITS : 16;
    } else { /* at most one bit in 16 set, if need be with fewer pieces */
        while (m->stride > 1 && m->stride * n > (1u << FILTER_MAX_BITS) / 16)
            m->stride /= 2;
        while (bits < FILTER_MAX_BITS && m->stride * n > (1u << bits) / 16)
            bits++;
    }
    m->hash_shift = 32 - bits;
    m->filter = calloc((1u << bits) / 32, sizeof *m->filter);
    if (!m->filter)
        return -1;
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < m->stride; k++) {
            uint32_t v = piece_at(m, p[i].s + k, m->piece);

            m->filter[v / 32] |= 1u << v % 32;
        }
    return 0;
}

int multi_match_build(struct multi_match *m, const struct multi_pattern *p, size_t n)
{
    struct multi_match made = {.piece = 0};
    size_t shortest = MULTI_MATCH_MAX, bytes = 0;

    for (size_t i = 0; i < n; i++) {
        shortest = p[i].len < shortest ? p[i].len : shortest;
        bytes += p[i].len;
    }
    if (n && (build_automaton(&made, p, n, bytes) < 0 ||
              build_filter(&made, p, n, shortest) < 0)) {
        multi_match_fini(&made);
        return -1;
    }
    multi_match_fini(m);
    *m = made;
    return 0;
}

void multi_match_fini(struct multi_match *m)
{
    free(m->filter);
    free(m->states);
    free(m->edges);
    *m = (struct multi_match){.piece = 0};
}

/* --- search -------------------------------------------------------------------------- */

/* Read from `from`, where no pattern is pending, until every pattern that begins at or
 * before `look` is decided, and until so little is pending that to read it again keeps the
 * time linear. Returns the first place where a pattern may still begin; SIZE_MAX for a
 * match. */
static size_t run_automaton(const struct multi_match *m, const uint8_t *text,
                            size_t len, size_t from, size_t look)
{
    uint32_t state = 0;

    for (size_t i = from; i < len; i++) {
        uint32_t depth;

        state = automaton_step(m, state, text[i]);
        if (m->states[state].match)
            return SIZE_MAX;
        depth = m->states[state].depth;
        if (i + 1 - depth > look && depth <= 2 * m->stride)
            return i + 1 - depth;
    }
    return len;
}

static inline __attribute__((always_inline)) bool
search(const struct multi_match *m, const uint8_t *text, size_t len, uint32_t piece)
{
    const uint32_t *filter = m->filter;
    size_t stride = m->stride, look = stride - 1;

    while (look + piece <= len) {
        uint32_t v = piece_at(m, text + look, piece);

        if (__builtin_expect(filter[v / 32] >> v % 32 & 1, 0)) {
            size_t next = run_automaton(m, text, len, look - (stride - 1), look);

            if (next == SIZE_MAX)
                return true;
            look = next + (stride - 1);
        } else {
            look += stride;
        }
    }
    return false;
}

bool multi_match_any(const struct multi_match *m, const uint8_t *text, size_t len)
{
    switch (m->piece) {
    case 4:
        return search(m, text, len, 4);
    case 2:
        return search(m, text, len, 2);
    case 1:
        return search(m, text, len, 1);
    }
    return false;
}
