// SPDX-License-Identifier: BSD-3-Clause
/*
 * expr.h -- what a packet filter says, as trees of tests on the words of a packet
 *
 * Classifier's patterns and IPFilter's expressions both become such trees; match.h
 * compiles them for speed and program.h into the text of the `program` handler. Nothing
 * but expr_eval() says what a tree means, and the rest is tested against it.
 *
 * A test looks at four bytes, read as one number in network byte order, at an offset from
 * one of five bases. Packets may be too short for that: a test needs those bytes on
 * which its mask has a bit, and without them it is false, negated or not. That is the
 * difference between a negated test ("dst port != 80": there is a port and it is another)
 * and a `not` above a test ("not dst port 80": also true for packets without ports), as
 * in Click.
 *
 * Threads: trees are constant once built. Memory: everything lives in the arena that was
 * passed in; the builders return NULL when it ran out, and accept NULL from each other.
 */

#ifndef ENGINE_CLASSIFY_EXPR_H
#define ENGINE_CLASSIFY_EXPR_H

#include "base/arena.h"
#include "engine/pkt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum expr_base {
    BASE_DATA,   /* the first byte of the packet */
    BASE_MAC,    /* two bytes before the MAC header, so that addresses are on words */
    BASE_NET,    /* the network header */
    BASE_TRANSP, /* the transport header */
    BASE_IP6, /* what IPv6 says, in the places of an IPv4 header: see expr_view_pkt6() */
    N_BASES,
};

enum expr_op { EXPR_EQ, EXPR_GT };

/* (word & mask) == value, or > value; all in host byte order, value within mask. */
struct expr_test {
    uint16_t offset; /* bytes from the base */
    uint8_t base;    /* enum expr_base */
    uint8_t op;      /* enum expr_op */
    bool negated;    /* the opposite, but false all the same where bytes are missing */
    uint32_t mask, value;
};

enum expr_kind { EXPR_TRUE, EXPR_TEST, EXPR_NOT, EXPR_AND, EXPR_OR, EXPR_IF };

struct expr {
    enum expr_kind kind;
    uint32_t n; /* children */
    union {
        struct expr_test test;
        struct expr **child; /* NOT: 1; AND, OR: n, none is true and false; IF: 3 */
    };
};

/* Where a packet's bytes are, seen from the bases. */
struct expr_view {
    const uint8_t *base[N_BASES]; /* of BASE_MAC: the header itself */
    uint32_t len[N_BASES]; /* bytes there are from the base on; 0: no such header */
    uint8_t ip6[12];       /* bytes of BASE_IP6 */
};

struct expr *expr_true(struct arena *a);
struct expr *expr_false(struct arena *a);
struct expr *expr_test(struct arena *a, struct expr_test t);
struct expr *expr_not(struct arena *a, struct expr *x);
struct expr *expr_if(struct arena *a, struct expr *cond, struct expr *yes,
                     struct expr *no);

/* A node for AND or OR whose children follow through expr_add(). */
struct expr *expr_list(struct arena *a, enum expr_kind kind);
void expr_add(struct arena *a, struct expr **list, struct expr *child);

/* The headers of a packet. Transport bytes exist behind a network header only. */
void expr_view_pkt(struct expr_view *v, const struct pkt *p);

/* The same for IPv6. The transport header is the one behind all extension headers, and
 * later fragments have none. BASE_IP6 has the fragment field (offset, more fragments) at 6,
 * the hop limit at 8 and the protocol behind the extension headers at 9, as IPv4 does.
 * Without a whole IPv6 header a packet has none of the three. Since BASE_IP6 lies inside
 * the view, views are not copied. */
void expr_view_pkt6(struct expr_view *v, const struct pkt *p);

bool expr_eval(const struct expr *x, const struct expr_view *v);
bool expr_test_eval(const struct expr_test *t, const struct expr_view *v);

/* Bytes from the base that a test needs. */
uint32_t expr_test_reach(const struct expr_test *t);

/* The four bytes at `offset`, those that are missing as 0; *have gets a mask of those
 * that are there. Works for offsets beyond the end. */
uint32_t expr_word(const struct expr_view *v, unsigned base, uint32_t offset,
                   uint32_t *have);

#endif
