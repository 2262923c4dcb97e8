// SPDX-License-Identifier: BSD-3-Clause
/*
 * AnnotationInfo -- give names to packet annotations
 *
 * Usage:    AnnotationInfo(NAME OFFSET [SIZE], ..., CHECK_OVERLAP NAME1 NAME2 ...)
 * Ports:    none
 * Args:     NAME OFFSET [SIZE]  a name for SIZE bytes at OFFSET of the annotation area
 *           CHECK_OVERLAP ...   the configuration is refused if two of them overlap
 * Counters: none
 * Handlers: none
 * Example:  AnnotationInfo(TENANT 40 4, CHECK_OVERLAP TENANT PAINT);  Paint(1, TENANT)
 * See also: Paint, AddressInfo
 *
 * A name may also be given to another name's place; without SIZE any size will do where it
 * is used. What has a meaning of its own cannot be a name. Names are known inside the compound
 * element where they are given.
 */

#include "engine/lang/lang.h"
#include "engine/nameinfo.h"

#include "engine/element.h"

static bool is_overlap_check(const char *word)
{
    return !strcmp(word, "CHECK_OVERLAP");
}

static int annotation_define(struct element *e, const char *const *words, int n,
                             struct diag *d)
{
    struct anno_ref at;
    uint64_t size = 0;
    uint32_t value;

    if (!parse_is_word(words[0]) || parse_anno_at(NULL, words[0], 0, &at))
        return diag_err(d, "bad NAME '%s'", words[0]);
    if (n < 2 || n > 3 || !parse_anno_at(e, words[1], 0, &at) ||
        (n == 3 && (!parse_u64(words[2], 0, &size) || size > PKT_ANNO_SIZE)) ||
        at.offset + size > PKT_ANNO_SIZE || (size && at.size && size != at.size))
        return diag_err(d, "bad entry for '%s'", words[0]);
    value = (uint32_t)size << 16 | at.offset;
    if (name_define(e, NAME_ANNO, words[0], &value, sizeof value) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

static int annotation_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);

        if (n > 0 && words[0][0] != '#' && !is_overlap_check(words[0]) &&
            annotation_define(e, words, n, d) < 0)
            rc = -1;
    }
    return rc;
}

static bool annotations_overlap(struct anno_ref a, struct anno_ref b)
{
    unsigned a_end = a.offset + (a.size ? a.size : 1u);
    unsigned b_end = b.offset + (b.size ? b.size : 1u);

    return a.offset < b_end && b.offset < a_end;
}

/* Words from 1 on are names of annotations that must lie apart. */
static int annotation_check(struct element *e, const char *const *words, int n,
                            struct diag *d)
{
    struct anno_ref a, b;
    int rc = 0;

    for (int i = 1; i < n; i++)
        if (!parse_anno_at(e, words[i], 0, &a))
            rc = diag_err(d, "bad ANNO '%s'", words[i]);
    for (int i = 1; i < n; i++)
        for (int j = i + 1; j < n; j++)
            if (parse_anno_at(e, words[i], 0, &a) &&
                parse_anno_at(e, words[j], 0, &b) && annotations_overlap(a, b))
                rc = diag_err(d, "annotations '%s' and '%s' conflict", words[i],
                              words[j]);
    return rc;
}

/* All names are known now, those of other AnnotationInfos too. */
static int annotation_info_initialize(struct element *e, struct diag *d)
{
    struct arena *scratch = arena_new(0);
    const char *const *args, *const *words;
    int argc, rc = 0;

    if (!scratch)
        return diag_err(d, "out of memory");
    argc = lang_split_args(scratch, e->config, &args);
    for (int i = 0; i < argc; i++) {
        int n = lang_split_words(scratch, args[i], &words);

        if (n > 0 && is_overlap_check(words[0]) && annotation_check(e, words, n, d) < 0)
            rc = -1;
    }
    arena_free(scratch);
    return rc;
}

ELEMENT(AnnotationInfo) = {
    .name = "AnnotationInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
    .configure = annotation_info_configure,
    .initialize = annotation_info_initialize,
};
