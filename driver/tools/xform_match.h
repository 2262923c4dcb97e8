// SPDX-License-Identifier: BSD-3-Clause
/*
 * xform_match.h -- where a pattern of elements occurs in a configuration
 *
 * The elements of a pattern are tried in their order, each on all elements of the
 * configuration in theirs, so the first match is always the same one. A match must have
 * all connections of the pattern; what else is connected to its elements must go through
 * the pattern's "input" and "output", all of whose ports must be in use. Arguments that are
 * $variables in the pattern match any one argument, a variable the same everywhere.
 */

#ifndef DRIVER_TOOLS_XFORM_MATCH_H
#define DRIVER_TOOLS_XFORM_MATCH_H

#include "base/strmap.h"
#include "driver/tools/net.h"

/* A connection between the match and the rest, and the pattern's port that it uses. */
struct crossing {
    struct net_port outside, pattern;
};

struct match {
    const struct net *pattern; /* borrowed, as is the body */
    struct net *body;
    uint32_t id;    /* elements whose mark is this came from this pattern */
    uint32_t *to;   /* by element of the pattern: of the body; NET_NONE: a tunnel's */
    uint32_t *back; /* by element of the body: of the pattern, or NET_NONE */
    struct strmap variables; /* "$a" -> the argument */
    struct crossing *into, *out_of;
    uint32_t n_into, n_out_of;
    uint32_t room_into, room_out_of;
};

void match_init(struct match *m, const struct net *pattern, struct net *body,
                uint32_t id);
void match_fini(struct match *m);

/* Find the first match. */
bool match_find(struct match *m);

#endif
