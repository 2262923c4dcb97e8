// SPDX-License-Identifier: BSD-3-Clause
/*
 * multi_match.h -- does a text contain one of many strings?
 *
 * Most of a text is passed over: with all patterns at least m bytes long, and pieces of q
 * bytes, every (m - q + 1)th place of the text is enough to look at, because a pattern that
 * is there covers one of them; a bitmap small enough for the first cache says whether any
 * pattern has the piece found there. Only where it does, an Aho-Corasick automaton reads on
 * until nothing is pending any more. The time is linear in the text, whatever it is.
 *
 * Pieces in front of an automaton are Wu and Manber's idea ("A fast algorithm for
 * multi-pattern searching", 1994), the bitmap is from Choi et al., "DFC: accelerating
 * string pattern matching for network applications" (NSDI 2016), the automaton is Aho and
 * Corasick's ("Efficient string matching", CACM 18(6), 1975). Libraries that do this
 * (Hyperscan) need a C++ run-time, which a guest does not have.
 *
 * Memory:  on the heap, owned by the struct, in proportion to the patterns' bytes.
 * Threads: any number may search; one at a time may change.
 */

#ifndef ENGINE_MULTI_MATCH_H
#define ENGINE_MULTI_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MULTI_MATCH_MAX = 1024, MULTI_MATCH_BYTES = 1 << 24 };

struct multi_pattern {
    const uint8_t *s; /* borrowed while the automaton is built */
    size_t len;       /* 1 to MULTI_MATCH_MAX */
};

struct multi_match {
    uint32_t *filter;           /* owned; bitmap of pieces */
    uint32_t piece;             /* bytes: 1, 2 or 4; 0: there are no patterns */
    uint32_t stride;            /* bytes from one look at the text to the next */
    uint32_t hash_shift;        /* of pieces of 4 bytes */
    struct multi_state *states; /* owned; 0 is the root */
    uint64_t *edges;            /* owned; hash of state and byte to the next state */
    uint32_t n_states, n_edges, edge_mask;
};

/* Make ready to find `n` patterns, of MULTI_MATCH_BYTES together at most. Replaces what
 * `m` (zeroed, or ready) was. -1 when memory ran out, `m` is then as it was. */
int multi_match_build(struct multi_match *m, const struct multi_pattern *p, size_t n);
void multi_match_fini(struct multi_match *m);

/* Whether one of the patterns occurs in the text. */
bool multi_match_any(const struct multi_match *m, const uint8_t *text, size_t len);

#endif
