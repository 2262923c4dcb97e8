// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_prim.h -- one test of the IP filter language, between its words and its tree
 *
 * Private to ip_lang.c: the parser collects what it reads in a struct ip_prim; ip_prim_
 * check() fills in what was left out, finds contradictions and brings it to a normal
 * form; ip_prim_expr() makes the tree.
 */

#ifndef ENGINE_CLASSIFY_IP_PRIM_H
#define ENGINE_CLASSIFY_IP_PRIM_H

#include "engine/classify/ip_lang.h"
#include "engine/nameinfo.h"
#include "engine/parse.h"

/* What a word, a value or a test is about. Fields of headers are described by the bits of
 * their code: FIELD | protocol << 21 | first bit << 5 | bits - 1. */
enum {
    PRIM_NONE,
    PRIM_TYPE,   /* a word that names a type */
    PRIM_SYNTAX, /* a word of the grammar */
    PRIM_INT,
    PRIM_HOST = 10,
    PRIM_PROTO,
    PRIM_FRAG,
    PRIM_PORT,
    PRIM_TCPOPT,
    PRIM_ETHER,
    PRIM_NET = 30,
    PRIM_UNFRAG,
    PRIM_ECT,
    PRIM_CE,
    PRIM_FIELD = 0x40000000,
};
#define PRIM_FIELD_CODE(proto, bit, bits)                                              \
    (PRIM_FIELD | (int)(proto) << 21 | (int)(bit) << 5 | ((int)(bits)-1))
#define PRIM_FIELD_PROTO(type) ((type) >> 21 & 0x1FF)
#define PRIM_FIELD_BIT(type)   ((type) >> 5 & 0xFFFF)
#define PRIM_FIELD_BITS(type)  (((type)&31) + 1)

enum { /* protocols beside those of IP headers: see nameinfo.h */
       PROTO_TCP_OR_UDP = NAME_PROTO_TCP_OR_UDP,
       PROTO_TRANSP = NAME_PROTO_TRANSP,
       PROTO_UNKNOWN = -1000,
};

enum { SD_NONE, SD_SRC, SD_DST, SD_AND, SD_OR };
enum { PRIM_EQ, PRIM_GT, PRIM_LT };

union prim_data {
    uint32_t u; /* numbers in host byte order, addresses in network byte order */
    int32_t i;
    uint8_t c[8]; /* Ethernet address */
    struct ip6_addr ip6;
};

struct ip_prim {
    int type, data; /* PRIM_* of the test and of its value */
    int op;
    bool negated; /* the relation: "!=", and with PRIM_GT "<=" */
    int srcdst, proto;
    union prim_data u, mask;
};

void ip_prim_clear(struct ip_prim *p);
void ip_prim_set_type(struct ip_prim *p, int type, struct ip_lang *l);
void ip_prim_set_srcdst(struct ip_prim *p, int srcdst, struct ip_lang *l);
void ip_prim_set_proto(struct ip_prim *p, int proto, struct ip_lang *l);

/* Make `p` complete. `header` is 'i', 'e' or 0, as the test said; `mask_kind` is PRIM_INT,
 * PRIM_HOST or PRIM_ETHER when `mask` was given, else 0. Returns -1 with a message. */
int ip_prim_check(struct ip_prim *p, const struct ip_prim *before, int header,
                  int mask_kind, const union prim_data *mask, struct ip_lang *l);

struct expr *ip_prim_expr(const struct ip_prim *p, const struct ip_lang *l);

/* What `word` means to a test of this type and protocol: a PRIM_* and *data, -1 for
 * nothing, -2 for something else, with a message unless `quiet`. */
int ip_prim_lookup(struct ip_lang *l, const char *word, int type, int proto, bool quiet,
                   uint32_t *data);

/* "src or dst ip host", for messages; `buf` has 64 bytes. */
const char *ip_prim_type_text(const struct ip_lang *l, int srcdst, int type, char *buf);
const char *ip_prim_proto_text(int proto, char *buf);

#endif
