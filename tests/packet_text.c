// SPDX-License-Identifier: BSD-3-Clause
/* packet_text.c -- packets as people write them: tokens, plain bytes, annotations */

#include "tests/packet_text.h"

#include "engine/element.h"
#include "engine/nameinfo.h"
#include "engine/parse_chars.h"
#include "tests/packet_build.h"

#include <stdlib.h>
#include <string.h>

void build_fini(struct build *b)
{
    free(b->bytes);
    free(b->mask);
    *b = (struct build){0};
}

void build_byte(struct build *b, unsigned v, bool any)
{
    if (b->len == b->room) {
        size_t room = b->room ? 2 * b->room : 256;
        uint8_t *bytes = realloc(b->bytes, room), *mask;

        if (!bytes) {
            b->failed = true;
            return;
        }
        b->bytes = bytes;
        mask = realloc(b->mask, room);
        if (!mask) {
            b->failed = true;
            return;
        }
        b->mask = mask;
        b->room = room;
    }
    b->failed = b->failed || b->len >= PACKET_TEXT_MAX;
    if (b->failed)
        return;
    b->wild = b->wild || any;
    b->mask[b->len] = any ? 0 : 255;
    b->bytes[b->len++] = (uint8_t)v;
}

void build_add(struct build *b, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        build_byte(b, ((const uint8_t *)bytes)[i], false);
}

void build_u16(struct build *b, unsigned v)
{
    build_byte(b, v >> 8, false);
    build_byte(b, v, false);
}

void build_u32(struct build *b, uint32_t v)
{
    build_u16(b, v >> 16);
    build_u16(b, v & 0xffff);
}

void build_put_u16(struct build *b, size_t at, unsigned v)
{
    if (at + 2 > b->len)
        return;
    b->bytes[at] = (uint8_t)(v >> 8);
    b->bytes[at + 1] = (uint8_t)v;
}

/* The end of what begins at `s` and stops at one of `stops` outside (), {} and "". */
static const char *skip_to(const char *s, const char *stops)
{
    int depth = 0;

    for (; *s; s++) {
        if (*s == '"') {
            for (s++; *s && *s != '"'; s++)
                s += *s == '\\' && s[1];
            if (!*s)
                break;
            continue;
        }
        if (!depth && strchr(stops, *s))
            break;
        depth += *s == '(' || *s == '{';
        depth -= *s == ')' || *s == '}';
    }
    return s;
}

char *build_next(char **rest)
{
    char *s = *rest, *end;

    while (s && char_is_space(*s))
        s++;
    if (!s || !*s)
        return NULL;
    end = s + (skip_to(s, ",") - s);
    *rest = *end ? end + 1 : end;
    *end = 0;
    while (end > s && char_is_space(end[-1]))
        *--end = 0;
    return s;
}

void build_option(struct option *o, char *piece)
{
    size_t n = strcspn(piece, " \t");

    o->rest = piece + n + strspn(piece + n, " \t");
    n = n < sizeof o->word ? n : sizeof o->word - 1;
    memcpy(o->word, piece, n);
    o->word[n] = 0;
}

/* --- plain bytes ------------------------------------------------------------------------ */

static int add_quoted(struct build *b, const char *s, const char *end, struct diag *d)
{
    static const char from[] = "ntr0", to[] = "\n\t\r";

    for (s++; s < end - 1; s++) {
        const char *known;

        if (*s != '\\') {
            build_byte(b, (uint8_t)*s, false);
        } else if (s[1] == 'x' && char_digit(s[2]) < 16 && char_digit(s[3]) < 16) {
            build_byte(b, (unsigned)(char_digit(s[2]) << 4 | char_digit(s[3])), false);
            s += 3;
        } else {
            s++;
            known = *s ? strchr(from, *s) : NULL;
            build_byte(b, known ? (uint8_t)to[known - from] : (uint8_t)*s, false);
        }
    }
    return *end == 0 && end[-1] == '"' ? 0 : diag_err(d, "string without an end");
}

/* Hexadecimal digits; blanks may stand between bytes, ?? is any byte. */
static int add_hex(struct build *b, const char *s, struct diag *d)
{
    while (*s) {
        if (char_is_space(*s)) {
            s++;
            continue;
        }
        if (s[0] == '?' && s[1] == '?')
            build_byte(b, 0, true);
        else if (char_digit(s[0]) < 16 && char_digit(s[1]) < 16)
            build_byte(b, (unsigned)(char_digit(s[0]) << 4 | char_digit(s[1])), false);
        else
            return diag_err(d, "hex() has something else at '%s'", s);
        s += 2;
    }
    return 0;
}

/* zero(N), any(N), fill(N, BYTE), seq(N) */
static int add_run(struct build *b, const char *name, char *inside, struct diag *d)
{
    char *count = build_next(&inside), *byte = build_next(&inside);
    uint64_t n, v = 0;

    if (!count || !parse_u64(count, 0, &n) || n > PACKET_TEXT_MAX ||
        (byte && (!parse_u64(byte, 0, &v) || v > 255)))
        return diag_err(d, "%s() wants a length", name);
    for (uint64_t i = 0; i < n; i++)
        build_byte(b, strcmp(name, "seq") == 0 ? (unsigned)(i & 255) : (unsigned)v,
                   strcmp(name, "any") == 0);
    return 0;
}

static int add_call(struct build *b, const char *s, const char *open, struct diag *d)
{
    size_t len = strlen(open);
    char name[16], *inside;
    int rc;

    if (open - s >= (int)sizeof name || open[len - 1] != ')')
        return diag_err(d, "'%s' is no packet", s);
    memcpy(name, s, (size_t)(open - s));
    name[open - s] = 0;
    inside = strdup(open + 1);
    if (!inside)
        return diag_err(d, "out of memory");
    inside[len - 2] = 0;
    if (strcmp(name, "hex") == 0)
        rc = add_hex(b, inside, d);
    else if (!strcmp(name, "zero") || !strcmp(name, "any") || !strcmp(name, "fill") ||
             !strcmp(name, "seq"))
        rc = add_run(b, name, inside, d);
    else
        rc = build_call(b, name, inside, d);
    free(inside);
    return rc > 0 ? diag_err(d, "there is no packet builder '%s'", name) : rc;
}

int build_one(struct build *b, const char *text, struct diag *d)
{
    const char *end = text + strlen(text), *open;

    if (*text == '"')
        return add_quoted(b, text, end, d);
    open = strchr(text, '(');
    if (open)
        return add_call(b, text, open, d);
    build_add(b, text, (size_t)(end - text));
    return 0;
}

/* --- annotations ------------------------------------------------------------------------ */

static int header_anno(struct packet_anno *a, const char *value)
{
    uint64_t v;

    a->none = strcmp(value, "none") == 0;
    if (a->none)
        return 0;
    if (!parse_u64(value, 0, &v))
        return -1;
    a->value = (int64_t)v;
    return 0;
}

static int type_anno(struct packet_anno *a, const char *value)
{
    static const char *const names[] = {"host",     "broadcast", "multicast", "other",
                                        "outgoing", "loopback",  "fastroute"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], value) == 0) {
            a->value = (int64_t)i;
            return 0;
        }
    return -1;
}

/* The annotation called `name`, with what a number there means. */
static int bytes_anno(struct packet_anno *a, const char *name, const char *value)
{
    struct anno_ref ref;
    uint32_t ip;
    uint64_t v;
    char upper[32];
    size_t n = strlen(name);

    if (n >= sizeof upper)
        return -1;
    for (size_t i = 0; i <= n; i++)
        upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    if (strcmp(upper, "DSTIP") == 0)
        memcpy(upper, "DST_IP", 7);
    if (!parse_anno(upper, 0, &ref))
        return -1;
    if (parse_ip(NULL, value, &ip))
        v = ip;
    else if (!parse_u64(value, 0, &v))
        return -1;
    *a = (struct packet_anno){ANNO_BYTES, ref.offset, ref.size ? ref.size : 1, false,
                              (int64_t)v};
    return a->size <= 8 ? 0 : -1;
}

static int one_anno(struct packet_anno *a, struct option *o)
{
    static const struct {
        const char *name;
        int what;
    } headers[] = {{"mac", ANNO_MAC}, {"net", ANNO_NETWORK}, {"trans", ANNO_TRANSPORT}};

    for (size_t i = 0; i < 3; i++)
        if (strcmp(o->word, headers[i].name) == 0) {
            a->what = headers[i].what;
            return header_anno(a, o->rest);
        }
    if (strcmp(o->word, "time") == 0) {
        a->what = ANNO_TIMESTAMP;
        return parse_time(o->rest, &a->value) ? 0 : -1;
    }
    if (strcmp(o->word, "type") == 0) {
        a->what = ANNO_TYPE;
        return type_anno(a, o->rest);
    }
    return bytes_anno(a, o->word, o->rest);
}

static int add_annos(struct packet_text *p, char *inside, struct diag *d)
{
    char *piece;

    while ((piece = build_next(&inside))) {
        struct option o;

        build_option(&o, piece);
        if (p->n_annos == PACKET_MAX_ANNOS)
            return diag_err(d, "more than %d annotations", PACKET_MAX_ANNOS);
        p->annos[p->n_annos] = (struct packet_anno){0};
        if (one_anno(&p->annos[p->n_annos++], &o) < 0)
            return diag_err(d, "bad annotation '%s %s'", o.word, o.rest);
    }
    return 0;
}

/* --- tokens ----------------------------------------------------------------------------- */

/* Take "*N" off the end of a token; returns N, or 1. Quotes and brackets protect it. */
static size_t take_repeat(char *token)
{
    char *star = token + (skip_to(token, "*") - token);
    uint64_t n;

    if (star == token || *star != '*' || !parse_u64(star + 1, 10, &n) || n > 100000)
        return 1;
    *star = 0;
    return (size_t)n;
}

static int parse_token(char *token, struct packet_text *p, struct diag *d)
{
    char *brace = token + (*token == '{' ? 0 : strlen(token));
    size_t len = strlen(token);
    struct build b = {0};

    if (len > 1 && token[len - 1] == '}') {
        brace = strrchr(token, '{');
        if (!brace)
            return diag_err(d, "'%s': { is missing", token);
        token[len - 1] = 0;
        *brace++ = 0;
        if (add_annos(p, brace, d) < 0)
            return -1;
    }
    if (build_one(&b, token, d) < 0 || b.failed) {
        build_fini(&b);
        return b.failed ? diag_err(d, "packet too long") : -1;
    }
    p->bytes = b.bytes;
    p->mask = b.wild ? b.mask : NULL;
    p->len = b.len;
    if (!b.wild)
        free(b.mask);
    return 0;
}

void packet_text_free(struct packet_text *p, size_t n)
{
    for (size_t i = 0; p && i < n; i++) {
        free(p[i].bytes);
        free(p[i].mask);
    }
    free(p);
}

static int append(struct packet_text **all, size_t *n, const char *token,
                  struct diag *d)
{
    struct packet_text *grown = realloc(*all, (*n + 1) * sizeof **all), p = {0};
    char *copy = strdup(token);

    if (grown)
        *all = grown;
    if (!grown || !copy || parse_token(copy, &p, d) < 0) {
        free(copy);
        return -1;
    }
    free(copy);
    (*all)[(*n)++] = p;
    return 0;
}

int packet_text_parse(const char *line, struct packet_text **out, size_t *n,
                      struct diag *d)
{
    struct packet_text *all = NULL;
    size_t count = 0;

    while (*line) {
        const char *end;
        char *token;
        size_t repeat;
        int rc = 0;

        if (char_is_space(*line)) {
            line++;
            continue;
        }
        end = skip_to(line, " \t\n");
        token = strndup(line, (size_t)(end - line));
        line = end;
        repeat = token ? take_repeat(token) : 0;
        for (size_t i = 0; i < repeat && rc == 0; i++)
            rc = append(&all, &count, token, d);
        free(token);
        if (rc < 0) {
            packet_text_free(all, count);
            return -1;
        }
    }
    *out = all;
    *n = count;
    return 0;
}
