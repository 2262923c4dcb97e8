// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPRewriterPatterns -- names for rewriters' patterns
 *
 * Usage:    IPRewriterPatterns(NAME SADDR SPORT DADDR DPORT, ...)
 * Ports:    none
 * Args:     each gives a name to a pattern, see IPRewriter
 * Example:  IPRewriterPatterns(to_world 1.0.0.1 1024-65535 - -);
 *           rw :: IPRewriter(pattern to_world 0 1, drop);
 * See also: IPRewriter
 *
 * Rewriters that use one name share the pattern, and so its place in a range. Names count in
 * the compound element where they are given, and in those inside it.
 */

#include "engine/nameinfo.h"
#include "engine/rewrite.h"
#include "engine/words.h"

static int ip_rewriter_patterns_add(struct element *e, const char *text, struct diag *d)
{
    char name[WORD_ROOM];
    struct rewrite_pattern *p;

    if (!word_next(&text, name))
        return 0;
    if (name_query(e, NAME_REWRITE_PATTERN, name, &p, sizeof p))
        return diag_err(d, "pattern '%s' already defined", name);
    p = rewrite_pattern_parse(e, text, d);
    if (!p)
        return -1;
    if (name_define(e, NAME_REWRITE_PATTERN, name, &p, sizeof p) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

static int ip_rewriter_patterns_configure(struct element *e, struct conf *c,
                                          struct diag *d)
{
    int rc = 0;

    for (int i = 0; i < c->argc; i++)
        if (ip_rewriter_patterns_add(e, c->argv[i], d) < 0)
            rc = -1;
    return rc;
}

ELEMENT(IPRewriterPatterns) = {
    .name = "IPRewriterPatterns",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_EARLY,
    .configure = ip_rewriter_patterns_configure,
};
