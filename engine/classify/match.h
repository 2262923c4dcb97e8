// SPDX-License-Identifier: BSD-3-Clause
/*
 * match.h -- which rule of many is the first that a packet matches
 *
 * The cost of a packet hardly depends on the number of rules. Rules are expanded into
 * terms (conj.h), each of which becomes a record of masked words that two vector
 * instructions compare with the packet. Hash tables and search trees lead to the handful
 * of records that can match at all.
 *
 *     table 0:  hash of [ protocol, destination port ] -> records, in order
 *     table 1:  hash of [ source / 16, destination / 20 ] -> records
 *     tree 0:   [ protocol, bits 0-3 ] -> [ destination, bits 24-31 ] -> records
 *     tree 1:   [ source port ... ] -> records        those that tree 0 had no place for
 *
 * A table looks at some bits of the words and holds rules that ask for at least these:
 * tuple space search (Srinivasan, Suri, Varghese, SIGCOMM 1999) with one table for rules of
 * several masks, as in TupleMerge (Daly, Bruschi, Linguaglossa, Pontarelli, Rossi, Tollet,
 * Torng, Yourtchenko: TupleMerge: Fast Software Packet Processing for Online Packet
 * Classification, IEEE/ACM Transactions on Networking 2019). One does for any number of
 * rules that name all five fields, a few for those with prefixes and ranges.
 *
 * Rules that no table takes go to trees. A node looks at four or eight bits of one word,
 * chosen so that the rules below it spread best, which for prefixes is often inside an
 * address and not at its top: ByteCuts (Daly, Torng: ByteCuts: Fast Packet Classification
 * by Interior Bit Extraction, INFOCOM 2018). A rule that does not care for the chosen bits
 * would have to be copied below all children; such rules go to a tree of their own as in
 * EffiCuts (Vamanan, Voskuilen, Vijaykumar, SIGCOMM 2010), so memory stays in proportion to
 * the rules. What has no rule before the best match so far is not looked at.
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
    uint32_t rules, terms, tables, trees, nodes, records;
    size_t bytes;
};
struct classify_stats classify_stats(const struct classify *c);

#endif
