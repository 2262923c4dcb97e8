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
 * Rewriters that use one name share the pattern, and so its place in a range.
 */

#include "engine/rewrite.h"
#include "engine/router.h"
#include "engine/words.h"

static int ip_rewriter_patterns_add(struct element *e, struct rewrite_names *names,
                                    const char *text, struct diag *d)
{
    char name[WORD_ROOM], *copy;
    struct rewrite_pattern *p;

    if (!word_next(&text, name))
        return diag_err(d, "expected 'NAME SADDR SPORT DADDR DPORT'");
    for (uint32_t i = 0; i < names->n; i++)
        if (strcmp(names->v[i].name, name) == 0)
            return diag_err(d, "pattern name '%s' has been defined", name);
    p = rewrite_pattern_parse(e, text, d);
    if (!p)
        return -1;
    copy = element_alloc(e, strlen(name) + 1);
    if (names->n == names->room) {
        uint32_t room = names->room ? 2 * names->room : 8;
        void *more = element_alloc(e, room * sizeof *names->v);
        if (more && names->n)
            memcpy(more, names->v, names->n * sizeof *names->v);
        names->v = more ? more : names->v;
        names->room = more ? room : names->room;
    }
    if (!copy || names->n == names->room)
        return diag_err(d, "out of memory");
    memcpy(copy, name, strlen(name) + 1);
    names->v[names->n].name = copy;
    names->v[names->n++].pattern = p;
    return 0;
}

static int ip_rewriter_patterns_configure(struct element *e, struct conf *c,
                                          struct diag *d)
{
    struct rewrite_names *names = router_shared(e->router, "IPRewriterPatterns",
                                                sizeof *names);
    int rc = 0;

    if (!names)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++)
        if (ip_rewriter_patterns_add(e, names, c->argv[i], d) < 0)
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
