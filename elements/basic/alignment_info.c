// SPDX-License-Identifier: BSD-3-Clause
/*
 * AlignmentInfo -- what a tool found out about alignment
 *
 * Usage:    AlignmentInfo(...)
 * Ports:    none
 * Args:     ELEMENT CHUNK OFFSET [CHUNK OFFSET ...] each; what is wrong with them is said
 * Counters: none
 * Handlers: none
 * Example:  AlignmentInfo(q 4 2);
 * See also: Align
 *
 * Accepted so that configurations that click-align has written can be used. Elements here
 * read unaligned headers as they are.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/router.h"

/* What was said of an element first; later ones must agree. */
struct alignment {
    struct alignment *next;
    const struct element *e;
    int n;            /* of numbers */
    int32_t number[]; /* CHUNK OFFSET ... */
};

static int32_t alignment_number(const char *word, const char *what, struct diag *d)
{
    uint64_t v;

    if (parse_integer(word, 0, true, 32, &v) != PARSE_OK) {
        diag_err(d, "expected %s", what);
        return -1;
    }
    return (int32_t)v;
}

static void alignment_info_one(struct element *e, const struct element *about, int n,
                               const char *const *words, struct diag *d)
{
    struct alignment **list = router_shared(e->router, "AlignmentInfo", sizeof *list);
    struct alignment *a = element_alloc(e, sizeof *a + (size_t)n * sizeof a->number[0]);

    if (!list || !a) {
        diag_err(d, "out of memory");
        return;
    }
    if (n % 2 != 1)
        diag_err(d, "expected 'ELEMENTNAME CHUNK OFFSET [CHUNK OFFSET...]'");
    for (int i = 1; i + 1 < n; i += 2) {
        a->number[a->n++] = alignment_number(words[i], "CHUNK", d);
        a->number[a->n++] = alignment_number(words[i + 1], "OFFSET", d);
    }
    a->e = about;
    for (const struct alignment *o = *list; o; o = o->next)
        if (o->e == about) {
            if (o->n != a->n ||
                memcmp(o->number, a->number, (size_t)a->n * sizeof a->number[0]) != 0)
                diag_err(d, "conflicting AlignmentInfo for '%s'", words[0]);
            break;
        }
    a->next = *list;
    *list = a;
}

/* Errors are said, but keep nobody from running, as in Click. */
static int alignment_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);
        const struct element *about = n > 0 ? element_find(e, words[0], NULL) : NULL;

        if (n == 0)
            diag_warn(d, "empty configuration argument %d", i);
        else if (about)
            alignment_info_one(e, about, n, words, d);
    }
    return 0;
}

ELEMENT(AlignmentInfo) = {
    .name = "AlignmentInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
    .configure = alignment_info_configure,
};
