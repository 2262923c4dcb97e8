// SPDX-License-Identifier: BSD-3-Clause
/*
 * match.h -- which rule of many is the first that a packet matches
 *
 * The cost of a packet hardly depends on the number of rules. Rules are expanded into
 * terms (conj.h), each of which becomes a record of masked words that two vector
 * instructions compare with the packet. A few search trees lead to the handful of
 * records that can match at all. A node looks at four or eight bits of one word:
 *
 *     tree 0:  [ protocol, bits 0-3 ] -> [ destination, bits 24-31 ] -> records, in order
 *     tree 1:  [ source port ... ] -> records          those that tree 0 had no place for
 *
 * The bits are chosen so that the rules below a node spread best, which for prefixes is
 * often inside an address and not at its top: ByteCuts (Daly, Torng: ByteCuts: Fast
 * Packet Classification by Interior Bit Extraction, INFOCOM 2018). A rule that does not
 * care for the chosen bits would have to be copied below all children; such rules go to a
 * tree of their own as in EffiCuts (Vamanan, Voskuilen, Vijaykumar, SIGCOMM 2010), so
 * memory stays in proportion to the rules. Trees are visited in the order of their first
 * rules, and not at all once a better match is known.
 *
 * Threads: a struct classify is constant; any number of threads may match.
 * Memory:  it owns an arena. A builder is gone after classify_build().
 * Trust:   packets of any length, with or without header pointers, are safe.
 */

#ifndef ENGINE_CLASSIFY_MATCH_H
#define ENGINE_CLASSIFY_MATCH_H

#include "engine/classify/expr.h"
#include "engine/pkt.h"

#include <stddef.h>
#include <stdint.h>

struct classify;
struct classify_builder;

enum { CLASSIFY_NONE = -1 }; /* no rule matches */

/* NULL when memory ran out. */
struct classify_builder *classify_builder_new(void);

/* Packets are IPv6: their headers are found by expr_view_pkt6(). */
void classify_builder_ip6(struct classify_builder *b);
void classify_builder_free(struct classify_builder *b); /* accepts NULL */

/* The next rule: packets for which `x` is true get `output` >= CLASSIFY_NONE. The tree is
 * not needed any more afterwards. -1 when memory ran out. */
int classify_add(struct classify_builder *b, const struct expr *x, int output);

/* Make the classifier and free the builder, in any case. NULL when memory ran out. */
struct classify *classify_build(struct classify_builder *b);
void classify_free(struct classify *c); /* accepts NULL */

/* The output of the first rule that matches, or CLASSIFY_NONE. */
int classify_match(const struct classify *c, const struct expr_view *v);

/* The same for n <= BATCH_MAX packets. Returns whether output[0] is that of all, and the only
 * one that was set. */
bool classify_match_batch(const struct classify *c, struct pkt *const *p, uint32_t n,
                          int *output);

/* What it is made of, for benchmarks and tests. */
struct classify_stats {
    uint32_t rules, terms, trees, nodes, records;
    size_t bytes;
};
struct classify_stats classify_stats(const struct classify *c);

#endif
