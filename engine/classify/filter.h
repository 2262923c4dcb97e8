// SPDX-License-Identifier: BSD-3-Clause
/*
 * filter.h -- what Classifier, IPFilter and IPClassifier have in common
 *
 * Each of them turns its arguments into rules: a tree and an output. filter_configure()
 * makes a classifier of them and puts it in the place of an older one when everything
 * went well, so that writing the `config` handler is safe while packets flow.
 */

#ifndef ENGINE_CLASSIFY_FILTER_H
#define ENGINE_CLASSIFY_FILTER_H

#include "engine/classify/expr.h"
#include "engine/classify/ip_lang.h"
#include "engine/classify/match.h"
#include "engine/element.h"

struct filter {
    struct classify *match; /* owned; NULL before the first configuration */
};

struct filter_rule {
    struct expr *x;
    int output; /* or CLASSIFY_NONE: drop */
};

/* How one class of elements reads its arguments. */
struct filter_parser {
    /* Argument `i` as a rule. The tree lives in `a`; `words` is for IP languages and keeps
     * what they know from one argument to the next. Returns -1 with an error in `d`. */
    int (*rule)(struct ip_lang *words, struct element *e, struct arena *a, unsigned i,
                const char *text, struct filter_rule *out, struct diag *d);
    bool
        one_per_output; /* rule i is for output i, and outputs without packets are told */
    bool ip;            /* rules are of the IP filter language */
    bool ip6;           /* packets are IPv6 */
};

int filter_configure(struct filter *f, const struct filter_parser *parser,
                     struct element *e, struct conf *c, struct diag *d);
void filter_cleanup(struct filter *f);

/* Send every packet of a batch on its way. */
void filter_push(const struct filter *f, struct element *e, struct batch *b);

/* The decision program, as Click's `program` handler prints it. */
int filter_program(const struct filter_parser *parser, struct element *e,
                   struct sbuf *out, struct diag *d);

/* The argument whose number is h->user, read and written: Click's `pattern0`, `pattern1`
 * ... Writing configures the element anew. */
int filter_pattern_read(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d);
int filter_pattern_write(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d);

/* IPFilter's rules ("allow src net 10/8") and IPClassifier's (without the action). */
extern const struct filter_parser filter_ip_actions, filter_ip_patterns;

/* The same for IPv6. */
extern const struct filter_parser filter_ip6_actions, filter_ip6_patterns;

/* Classifier's patterns: "12/0800 !23/06%ff", "-". */
extern const struct filter_parser filter_data_patterns;

#endif
