// SPDX-License-Identifier: BSD-3-Clause
/* filter_ip.c -- arguments of IPFilter and IPClassifier as rules: see filter.h */

#include "engine/classify/filter.h"
#include "engine/lang/lang.h"

/* The text without quotes, if it has any. */
static const char *unquoted(struct arena *a, const char *text)
{
    size_t len;

    return strpbrk(text, "\"'\\") ? lang_unquote(a, text, &len) : text;
}

/* "allow", "deny", "drop" or an output number. */
static int parse_action(struct ip_lang *l, const char *word, unsigned n_out)
{
    int64_t slot;

    if (strcmp(word, "allow") == 0) {
        if (n_out == 0)
            ip_lang_err(l, "'allow' is meaningless, element has zero outputs");
        return 0;
    }
    if (strcmp(word, "deny") == 0) {
        if (n_out > 1)
            ip_lang_warn(l, "meaning of 'deny' has changed (now it means 'drop')");
        return CLASSIFY_NONE;
    }
    if (strcmp(word, "drop") == 0)
        return CLASSIFY_NONE;
    if (!parse_i64(word, 0, &slot) || slot < INT32_MIN || slot > INT32_MAX) {
        ip_lang_err(l, "unknown slot ID '%s'", word);
        return CLASSIFY_NONE;
    }
    if (slot < 0 || slot >= n_out) {
        ip_lang_err(l, "slot '%d' out of range", (int)slot);
        return CLASSIFY_NONE;
    }
    return (int)slot;
}

static int parse_tree(struct ip_lang *l, uint32_t from, struct filter_rule *out,
                      struct diag *d)
{
    size_t errors = d->n_errors;

    out->x = ip_lang_parse(l, from);
    if (!out->x && d->n_errors == errors)
        return diag_err(d, "out of memory");
    return out->x ? 0 : -1;
}

static int action_rule(struct ip_lang *l, struct element *e, struct arena *a,
                       unsigned i, const char *text, struct filter_rule *out,
                       struct diag *d)
{
    const char *plain = unquoted(a, text);
    size_t errors = d->n_errors;

    if (!plain || ip_lang_split(l, i, plain) < 0)
        return diag_err(d, "out of memory");
    if (l->n_words == 0)
        return diag_err(d, "empty pattern %u", i);
    out->output = parse_action(l, l->words[0], e->n_out);
    if (parse_tree(l, 1, out, d) < 0)
        return -1;
    return d->n_errors == errors ? 0 : -1;
}

static int pattern_rule(struct ip_lang *l, struct element *e, struct arena *a,
                        unsigned i, const char *text, struct filter_rule *out,
                        struct diag *d)
{
    const char *plain = unquoted(a, text);

    (void)e;
    if (!plain || ip_lang_split(l, i, plain) < 0)
        return diag_err(d, "out of memory");
    out->output = (int)i;
    return parse_tree(l, 0, out, d);
}

const struct filter_parser filter_ip_actions = {.rule = action_rule, .ip = true};
const struct filter_parser filter_ip_patterns = {
    .rule = pattern_rule, .one_per_output = true, .ip = true};
const struct filter_parser filter_ip6_actions = {
    .rule = action_rule, .ip = true, .ip6 = true};
const struct filter_parser filter_ip6_patterns = {
    .rule = pattern_rule, .one_per_output = true, .ip = true, .ip6 = true};
