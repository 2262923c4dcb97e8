// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_lang.h -- the expression language of IPFilter, IPClassifier and the IPv6 ones
 *
 *     expr   := orexpr [ "?" expr ":" expr ]
 *     orexpr := term { ("or" | "||") term }
 *     term   := factor { ["and" | "&&"] factor }
 *     factor := ("not" | "!") factor | "(" expr ")" | "true" | "false" | test
 *     test   := qualifiers [ "[" POS [":" LEN] "]" ] [ "&" MASK ] [ relation ] [ value ]
 *
 * Qualifiers that a test leaves out are taken from the one before it: "src port 80 or
 * 81". Names are those of Click and those that information elements give in the scope of
 * `context`. Messages are Click's.
 *
 * Threads: one struct ip_lang is used by one thread.
 * Memory:  trees live in the arena; what the parser needs itself goes in ip_lang_fini().
 */

#ifndef ENGINE_CLASSIFY_IP_LANG_H
#define ENGINE_CLASSIFY_IP_LANG_H

#include "base/diag.h"
#include "base/strmap.h"
#include "engine/classify/expr.h"

struct element;

struct ip_lang {
    struct arena *arena;           /* borrowed; for the trees */
    const struct element *context; /* borrowed; may be NULL */
    struct diag *diag;             /* borrowed */
    unsigned number;               /* of the pattern in work, for messages */
    unsigned depth;                /* parentheses around the current position */
    bool ip6;                      /* addresses and fields are those of IPv6 */

    struct strmap names;       /* words that were looked up already */
    struct arena *names_arena; /* owned; what `names` refers to */
    char *text;                /* owned; the words, each with its NUL */
    const char **words;        /* owned array */
    uint32_t n_words, room_words;
    size_t room_text;
};

void ip_lang_init(struct ip_lang *l, struct arena *a, const struct element *context,
                  struct diag *d);
void ip_lang_fini(struct ip_lang *l);

/* Split the text of pattern `number` into l->words; -1 when memory ran out. */
int ip_lang_split(struct ip_lang *l, unsigned number, const char *text);

/* The tree for l->words[from ...], where nothing, "-", "any" and "all" mean every packet.
 * NULL with errors in the diag, unless memory ran out. */
struct expr *ip_lang_parse(struct ip_lang *l, uint32_t from);

/* Messages about the pattern in work. */
__attribute__((format(printf, 2, 3))) int ip_lang_err(struct ip_lang *l,
                                                      const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void ip_lang_warn(struct ip_lang *l,
                                                        const char *fmt, ...);

#endif
