// SPDX-License-Identifier: BSD-3-Clause
/* args_value.c -- one argument's text as a value of the kind its table entry says */

#include "engine/args.h"

#include "engine/host.h"
#include "engine/nameinfo.h"
#include "engine/parse_chars.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <inttypes.h>
#include <string.h>

size_t args_value_size(uint8_t kind)
{
    static const uint8_t size[] = {
        [ARG_KIND_BOOL] = sizeof(bool),
        [ARG_KIND_U8] = 1,
        [ARG_KIND_U16] = 2,
        [ARG_KIND_U32] = 4,
        [ARG_KIND_U64] = 8,
        [ARG_KIND_I32] = 4,
        [ARG_KIND_I64] = 8,
        [ARG_KIND_DOUBLE] = sizeof(double),
        [ARG_KIND_TIME] = 8,
        [ARG_KIND_BANDWIDTH] = 8,
        [ARG_KIND_STRING] = sizeof(struct text),
        [ARG_KIND_WORD] = sizeof(struct text),
        [ARG_KIND_RAW] = sizeof(struct text),
        [ARG_KIND_IP] = 4,
        [ARG_KIND_IP_PREFIX] = sizeof(struct ip_prefix),
        [ARG_KIND_IP6] = sizeof(struct ip6_addr),
        [ARG_KIND_ETHER] = sizeof(struct ether_addr),
        [ARG_KIND_PORT_TCP] = 2,
        [ARG_KIND_PORT_UDP] = 2,
        [ARG_KIND_ANNO] = sizeof(struct anno_ref),
        [ARG_KIND_FRACTION] = sizeof(double),
        [ARG_KIND_ELEMENT] = sizeof(struct element *),
        [ARG_KIND_FILENAME] = sizeof(struct text),
        [ARG_KIND_CUSTOM] = 0,
    };

    return kind < sizeof size ? size[kind] : 0;
}

bool args_is_text(uint8_t kind)
{
    return kind == ARG_KIND_STRING || kind == ARG_KIND_WORD || kind == ARG_KIND_RAW ||
           kind == ARG_KIND_FILENAME;
}

/* Messages about an argument begin with its name. */
static int parse_failed(const struct arg_spec *spec, struct diag *d)
{
    return diag_err(d, "%s: parse error", spec->name);
}

static unsigned int_bits(uint8_t kind)
{
    return (unsigned)args_value_size(kind) * 8;
}

/* The nearest bound that the table sets, or `v` itself if it lies inside. */
static uint64_t bounded(const struct arg_spec *spec, bool is_signed, uint64_t v)
{
    if (!spec->min && !spec->max)
        return v;
    if (is_signed) {
        int64_t s = (int64_t)v;

        return (uint64_t)(s < spec->min ? spec->min : s > spec->max ? spec->max : s);
    }
    if (spec->min > 0 && v < (uint64_t)spec->min)
        return (uint64_t)spec->min;
    return spec->max >= 0 && v > (uint64_t)spec->max ? (uint64_t)spec->max : v;
}

static int value_integer(const struct arg_spec *spec, const char *text, void *out,
                         struct diag *d)
{
    bool is_signed = spec->kind == ARG_KIND_I32 || spec->kind == ARG_KIND_I64;
    uint64_t v, b;
    enum parse_status st = parse_integer(text, 0, is_signed, int_bits(spec->kind), &v);

    if (st == PARSE_INVALID)
        return parse_failed(spec, d);
    b = bounded(spec, is_signed, v);
    if (st == PARSE_RANGE || b != v)
        return is_signed
                   ? diag_err(d, "%s: out of range, bound %" PRId64, spec->name,
                              (int64_t)b)
                   : diag_err(d, "%s: out of range, bound %" PRIu64, spec->name, b);
    memcpy(out, &v, args_value_size(spec->kind)); /* x86 is little-endian */
    return 0;
}

static int value_scaled(const struct arg_spec *spec, const char *text, void *out,
                        struct diag *d)
{
    enum parse_status st = spec->kind == ARG_KIND_TIME ? parse_seconds(text, out)
                                                       : parse_rate(text, out);

    if (st == PARSE_RANGE)
        return diag_err(d, "%s: out of range", spec->name);
    return st == PARSE_OK ? 0 : parse_failed(spec, d);
}

static int value_double(const struct arg_spec *spec, const char *text, void *out,
                        struct diag *d)
{
    double v;
    enum parse_status st = parse_real(text, &v);

    if (st == PARSE_RANGE)
        return diag_err(
            d, v != 0 ? "%s: out of range, bound %g" : "%s: underflow, rounded to %g",
            spec->name, v);
    if (st != PARSE_OK)
        return parse_failed(spec, d);
    memcpy(out, &v, sizeof v);
    return 0;
}

static int value_port(struct element *e, const struct arg_spec *spec, const char *text,
                      void *out, struct diag *d)
{
    unsigned protocol = spec->kind == ARG_KIND_PORT_TCP ? 6 : 17;
    uint16_t port;
    uint32_t v;

    if (!name_query_int(e, NAME_PORT + protocol, text, &v))
        return parse_failed(spec, d);
    if (v > UINT16_MAX)
        return diag_err(d, "%s: overflow, range 0-65535", spec->name);
    port = (uint16_t)v;
    memcpy(out, &port, sizeof port);
    return 0;
}

/* The end of the first word of `s`; quoted parts belong to it, blanks inside them too. */
static const char *word_end(const char *s)
{
    char quote = 0;

    for (; *s; s++) {
        if (quote != '\'' && s[0] == '\\' && s[1] == '<') {
            while (s[1] && *s != '>')
                s++;
        } else if (quote == '"' && *s == '\\' && s[1]) {
            s++;
        } else if (quote) {
            quote = *s == quote ? 0 : quote;
        } else if (*s == '"' || *s == '\'') {
            quote = *s;
        } else if (char_is_space(*s)) {
            break;
        }
    }
    return s;
}

bool args_string(struct arena *a, const char *s, struct text *out)
{
    struct text t;

    if (!*s || *word_end(s))
        return false;
    t.s = lang_unquote(a, s, &t.len);
    if (!t.s)
        return false;
    *out = t;
    return true;
}

bool args_word(struct arena *a, const char *s, struct text *out)
{
    struct text t;

    if (!args_string(a, s, &t) || strlen(t.s) != t.len || !parse_is_word(t.s))
        return false;
    *out = t;
    return true;
}

static bool raw_text(struct arena *a, const char *s, struct text *out)
{
    out->len = strlen(s);
    out->s = arena_strndup(a, s, out->len);
    return out->s != NULL;
}

/* What "~" or "~user" at the start of a file's name stands for; NULL: for itself. The
 * length of that start goes into `len`. */
static const char *home_of(const struct element *e, const char *name, size_t *len)
{
    const struct platform *p = element_platform(e);
    char user[64];

    *len = strcspn(name, "/");
    if (name[0] != '~' || !p->host || *len > sizeof user)
        return NULL;
    memcpy(user, name + 1, *len - 1);
    user[*len - 1] = '\0';
    return p->host->home(p->ctx, *len > 1 ? user : NULL);
}

static bool value_filename(struct element *e, struct arena *a, const char *text,
                           struct text *out)
{
    struct text t;
    const char *home;
    size_t start, n = 0;
    char *name;

    if (!args_string(a, text, &t) || !t.len)
        return false;
    home = home_of(e, t.s, &start);
    if (!home)
        start = 0;
    name = arena_alloc(a, (home ? strlen(home) : 0) + t.len + 1);
    if (!name)
        return false;
    for (const char *s = home ? home : ""; *s; s++)
        name[n++] = *s;
    for (const char *s = t.s + start; *s; s++)
        name[n++] = *s;
    name[n] = '\0';
    for (size_t from = n = 0; name[from]; from++)
        if (name[from] != '/' || name[from + 1] != '/')
            name[n++] = name[from];
    name[n] = '\0';
    *out = (struct text){name, n};
    return true;
}

static int value_element(struct element *e, const struct arg_spec *spec,
                         const char *text, void *out, struct diag *d)
{
    struct element *found = element_find(e, text, NULL);

    if (!found)
        return diag_err(d, "%s: does not name an element", spec->name);
    memcpy(out, &found, sizeof found);
    return 0;
}

/* The kinds whose only message is "parse error". */
static bool value_plain(struct element *e, const struct arg_spec *spec,
                        const char *text, struct arena *texts, void *out)
{
    switch (spec->kind) {
    case ARG_KIND_BOOL:
        return parse_bool(text, out);
    case ARG_KIND_STRING:
        return args_string(texts, text, out);
    case ARG_KIND_WORD:
        return args_word(texts, text, out);
    case ARG_KIND_RAW:
        return raw_text(texts, text, out);
    case ARG_KIND_FILENAME:
        return value_filename(e, texts, text, out);
    case ARG_KIND_IP:
        return parse_ip(e, text, out);
    case ARG_KIND_IP_PREFIX:
        return parse_ip_prefix(e, text, true, out);
    case ARG_KIND_IP6:
        return parse_ip6(e, text, out);
    case ARG_KIND_ETHER:
        return parse_ether(e, text, out);
    case ARG_KIND_ANNO:
        return parse_anno_at(e, text, (unsigned)spec->max, out);
    case ARG_KIND_FRACTION:
        return parse_fraction(text, out);
    }
    return false;
}

int args_value(struct element *e, const struct arg_spec *spec, const char *text,
               struct arena *texts, void *out, struct diag *d)
{
    switch (spec->kind) {
    case ARG_KIND_U8:
    case ARG_KIND_U16:
    case ARG_KIND_U32:
    case ARG_KIND_U64:
    case ARG_KIND_I32:
    case ARG_KIND_I64:
        return value_integer(spec, text, out, d);
    case ARG_KIND_TIME:
    case ARG_KIND_BANDWIDTH:
        return value_scaled(spec, text, out, d);
    case ARG_KIND_DOUBLE:
        return value_double(spec, text, out, d);
    case ARG_KIND_PORT_TCP:
    case ARG_KIND_PORT_UDP:
        return value_port(e, spec, text, out, d);
    case ARG_KIND_ELEMENT:
        return value_element(e, spec, text, out, d);
    }
    return value_plain(e, spec, text, texts, out) ? 0 : parse_failed(spec, d);
}
