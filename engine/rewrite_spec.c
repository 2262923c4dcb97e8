// SPDX-License-Identifier: BSD-3-Clause
/* rewrite_spec.c -- patterns and input specifications of rewriters: see rewrite.h */

#include "engine/rewrite.h"

#include "engine/nameinfo.h"
#include "engine/words.h"

enum { MAX_WORDS = 6, MAX_TRIES = 65536 };

/* Up to MAX_WORDS words; one more than that when there are more. */
static unsigned split(const char *text, char words[MAX_WORDS][WORD_ROOM])
{
    char more[WORD_ROOM];
    unsigned n = 0;

    while (n < MAX_WORDS && word_next(&text, words[n]))
        n++;
    return n == MAX_WORDS && word_next(&text, more) ? n + 1 : n;
}

/* A '#' or '?' at the end says how variations are chosen. */
static void take_suffix(char *word, struct rewrite_pattern *p)
{
    size_t n = strlen(word);

    if (!n || (word[n - 1] != '#' && word[n - 1] != '?'))
        return;
    p->sequential |= word[n - 1] == '#';
    p->same_first = false;
    word[n - 1] = '\0';
}

/* "A-B" or "A/LEN": addresses to choose from. */
static bool parse_addr_range(const struct element *e, char *word,
                             struct rewrite_pattern *p)
{
    struct ip_prefix net;
    uint32_t last, hosts;
    char *dash;

    take_suffix(word, p);
    dash = strchr(word, '-');
    if (dash) {
        *dash = '\0';
        if (!parse_ip(e, word, &p->saddr) || !parse_ip(e, dash + 1, &last) ||
            be32(last) < be32(p->saddr))
            return false;
        p->variation_top = be32(last) - be32(p->saddr);
        return true;
    }
    if (!parse_ip_prefix(e, word, true, &net) || !net.addr || !net.mask)
        return false;
    hosts = ~be32(net.mask);
    if (hosts & (hosts + 1)) /* the mask has holes */
        return false;
    p->saddr = net.addr & net.mask;
    if (net.mask == 0xffffffffu) {
        p->variation_top = 0;
    } else if (be32(net.mask) == 0xfffffffeu) {
        p->variation_top = 1;
    } else { /* without the network's own address and its broadcast address */
        p->saddr |= BE32(1);
        p->variation_top = hosts - 2;
    }
    return true;
}

static bool parse_port_number(const char *word, uint32_t min, uint16_t *port)
{
    uint64_t n;

    if (!parse_u64(word, 0, &n) || n < min || n > 65535)
        return false;
    *port = be16((uint16_t)n);
    return true;
}

/* "L-H": ports to choose from. */
static bool parse_port_range(char *word, struct rewrite_pattern *p)
{
    uint16_t last;
    char *dash;

    take_suffix(word, p);
    dash = strchr(word, '-');
    if (!dash)
        return false;
    *dash = '\0';
    if (!parse_port_number(word, 0, &p->sport) ||
        !parse_port_number(dash + 1, 0, &last))
        return false;
    if (be16(last) < be16(p->sport))
        return false;
    p->variation_top = (uint32_t)be16(last) - be16(p->sport);
    return true;
}

static struct rewrite_pattern *find_name(struct element *e, const char *name,
                                         struct diag *d)
{
    struct rewrite_pattern *p;

    if (name_query(e, NAME_REWRITE_PATTERN, name, &p, sizeof p))
        return p;
    diag_err(d, "no such pattern '%s'", name);
    return NULL;
}

static const char *parse_words(struct element *e, char words[][WORD_ROOM], unsigned n,
                               struct rewrite_pattern *p)
{
    char *sport = n == 4 ? words[1] : n == 3 ? words[2] : NULL;
    char *daddr = n == 4 ? words[2] : words[1];
    char *dport = n == 4 ? words[3] : NULL;

    p->ports = n >= 3;
    if (strcmp(words[0], "-") != 0 && !parse_ip(e, words[0], &p->saddr) &&
        !parse_addr_range(e, words[0], p))
        return "bad source address";
    if (sport && strcmp(sport, "-") != 0 && !parse_port_number(sport, 1, &p->sport) &&
        !parse_port_range(sport, p))
        return "bad source port";
    if (strcmp(daddr, "-") != 0 && !parse_ip(e, daddr, &p->daddr))
        return "bad destination address";
    if (dport && strcmp(dport, "-") != 0 && !parse_port_number(dport, 1, &p->dport))
        return "bad destination port";
    return NULL;
}

static struct rewrite_pattern *
pattern_of_words(struct element *e, char words[][WORD_ROOM], unsigned n, struct diag *d)
{
    struct rewrite_pattern *p;
    const char *wrong;

    if (n == 1)
        return find_name(e, words[0], d);
    if (n < 1 || n > 4) {
        diag_err(d, "syntax error");
        return NULL;
    }
    p = element_alloc(e, sizeof *p);
    if (!p) {
        diag_err(d, "out of memory");
        return NULL;
    }
    p->same_first = true;
    wrong = parse_words(e, words, n, p);
    if (wrong) {
        diag_err(d, "%s", wrong);
        return NULL;
    }
    return p;
}

struct rewrite_pattern *rewrite_pattern_parse(struct element *e, const char *text,
                                              struct diag *d)
{
    char words[MAX_WORDS][WORD_ROOM];

    return pattern_of_words(e, words, split(text, words), d);
}

static int parse_outputs(char words[][WORD_ROOM], unsigned n, struct rewrite_input *is,
                         struct diag *d)
{
    int64_t v;

    if (n != 2 || !parse_i64(words[0], 0, &v) || v < INT32_MIN || v > INT32_MAX)
        return diag_err(d, "bad forward port");
    is->out = (int32_t)v;
    if (!parse_i64(words[1], 0, &v) || v < INT32_MIN || v > INT32_MAX)
        return diag_err(d, "bad reply port");
    is->reply_out = (int32_t)v;
    return 0;
}

int rewrite_pattern_input(struct element *e, const char *text, struct rewrite_input *is,
                          struct diag *d)
{
    char words[MAX_WORDS][WORD_ROOM];
    unsigned n = split(text, words);

    if (n <= 2 || n > MAX_WORDS)
        return diag_err(d, "syntax error");
    is->pattern = pattern_of_words(e, words, n - 2, d);
    if (!is->pattern || parse_outputs(words + n - 2, 2, is, d) < 0)
        return -1;
    is->what = RW_KIND_PATTERN;
    return 0;
}

static int check_outputs(const struct element *e, const struct rewrite_input *is,
                         struct diag *d)
{
    if (is->out < 0 || is->out >= e->n_out || is->reply_out < 0 ||
        is->reply_out >= e->n_out)
        return diag_err(d, "output port out of range");
    return 0;
}

static int parse_pass(struct element *e, const char *rest, struct rewrite_input *is,
                      struct diag *d)
{
    char words[MAX_WORDS][WORD_ROOM];
    unsigned n = split(rest, words);
    int64_t out = 0;

    if (n > 1 || (n && !parse_i64(words[0], 0, &out)))
        return diag_err(d, "syntax error, expected 'nochange [OUTPUT]'");
    if (out < 0 || out >= e->n_out)
        return diag_err(d, "output port out of range");
    is->what = RW_KIND_PASS;
    is->out = (int32_t)out;
    return 0;
}

static int parse_mapper(struct element *e, const char *name, const char *rest,
                        struct rewrite_input *is, struct diag *d)
{
    char more[WORD_ROOM];
    struct diag quiet = DIAG_INIT;
    struct element *m = element_find(e, name, &quiet);

    diag_fini(&quiet);
    if (!m)
        return diag_err(d, "unknown specification");
    if (word_next(&rest, more))
        return diag_err(d, "syntax error, expected element name");
    is->mapper_ops = m->cls->cast ? m->cls->cast(m, "IPMapper") : NULL;
    if (!is->mapper_ops)
        return diag_err(d, "element is not an IPMapper");
    is->what = RW_KIND_MAPPER;
    is->mapper = m;
    return 0;
}

static int parse_spec(struct element *e, const char *text, struct rewrite_input *is,
                      struct diag *d)
{
    char word[WORD_ROOM], words[MAX_WORDS][WORD_ROOM];
    const char *rest = text;
    unsigned n;

    if (!word_next(&rest, word))
        return diag_err(d, "empty argument");
    if (strcmp(word, "pass") == 0 || strcmp(word, "passthrough") == 0 ||
        strcmp(word, "nochange") == 0)
        return parse_pass(e, rest, is, d);
    if (strcmp(word, "keep") == 0) {
        n = split(rest, words);
        is->what = RW_KIND_KEEP;
        return parse_outputs(words, n, is, d) < 0 ? -1 : check_outputs(e, is, d);
    }
    if (strcmp(word, "drop") == 0 || strcmp(word, "discard") == 0) {
        if (split(rest, words))
            return diag_err(d, "syntax error, expected '%s'", word);
        is->what = RW_KIND_DROP;
        return 0;
    }
    if (strcmp(word, "pattern") == 0 || strcmp(word, "xpattern") == 0)
        return rewrite_pattern_input(e, rest, is, d) < 0 ? -1 : check_outputs(e, is, d);
    return parse_mapper(e, word, rest, is, d);
}

int rewrite_input_parse(struct element *e, const char *text, unsigned input,
                        struct rewrite_input *is, struct diag *d)
{
    struct diag own = DIAG_INIT;
    struct rewrite_input parsed = {.count = 0};
    int rc = parse_spec(e, text, &parsed, &own);

    if (rc < 0)
        diag_err(d, "input spec %u: %s", input,
                 own.n_messages ? own.messages[0].text : "out of memory");
    else
        *is = parsed;
    diag_fini(&own);
    return rc;
}

void rewrite_pattern_text(const struct rewrite_pattern *p, struct sbuf *out)
{
    char a[64], b[64];
    uint32_t last = be32(be32(p->saddr) + p->variation_top);

    if (!p->ports && p->variation_top)
        sbuf_printf(out, "%s-%s", unparse_ip(p->saddr, a), unparse_ip(last, b));
    else
        sbuf_puts(out, p->saddr ? unparse_ip(p->saddr, a) : "-");
    if (p->ports && !p->sport)
        sbuf_puts(out, " -");
    else if (p->ports && p->variation_top)
        sbuf_printf(out, " %u-%u", be16(p->sport), be16(p->sport) + p->variation_top);
    else if (p->ports)
        sbuf_printf(out, " %u", be16(p->sport));
    sbuf_printf(out, " %s", p->daddr ? unparse_ip(p->daddr, a) : "-");
    if (p->ports && !p->dport)
        sbuf_puts(out, " -");
    else if (p->ports)
        sbuf_printf(out, " %u", be16(p->dport));
}

/* A variation that no mapping uses for its replies yet; false when there is none. */
static bool vary(struct rewrite_pattern *p, struct rewriter *rw,
                 const struct flow_id *in, uint8_t proto, struct flow_id *out)
{
    uint32_t base = p->ports ? be16(p->sport) : be32(p->saddr), v;
    struct flow_id reply = flow_id_reverse(*out);

    v = be16(in->sport) - base;
    if (p->same_first && p->ports && v <= p->variation_top) {
        reply.dport = in->sport;
        if (!flow_lookup(&rw->flows, &reply, proto))
            goto found;
    }
    if (p->sequential)
        v = p->next_variation > p->variation_top ? 0 : p->next_variation;
    else
        v = (uint32_t)((uint64_t)element_random(rw->e) * (p->variation_top + 1ull) >>
                       32);
    for (uint32_t tries = 0; tries <= p->variation_top && tries < MAX_TRIES; tries++) {
        if (p->ports)
            reply.dport = be16((uint16_t)(base + v));
        else
            reply.dst = be32(base + v);
        if (!flow_lookup(&rw->flows, &reply, proto))
            goto found;
        v = v == p->variation_top ? 0 : v + 1;
    }
    return false;
found:
    *out = flow_id_reverse(reply);
    p->next_variation = v + 1;
    return true;
}

int rewrite_pattern_apply(struct rewrite_pattern *p, struct rewriter *rw,
                          const struct flow_id *in, uint8_t proto, struct flow_id *out)
{
    *out = *in;
    if (p->saddr)
        out->src = p->saddr;
    if (p->sport)
        out->sport = p->sport;
    if (p->daddr)
        out->dst = p->daddr;
    if (p->dport)
        out->dport = p->dport;
    return !p->variation_top || vary(p, rw, in, proto, out) ? RW_MAP : RW_DROP;
}

int rewrite_input_map(struct rewriter *rw, struct rewrite_input *is,
                      const struct flow_id *in, uint8_t proto, struct flow_id *out)
{
    int r = RW_DROP;

    switch (is->what) {
    case RW_KIND_DROP:
        return RW_DROP;
    case RW_KIND_PASS:
        return is->out;
    case RW_KIND_KEEP:
        *out = *in;
        return RW_MAP;
    case RW_KIND_PATTERN:
        r = rewrite_pattern_apply(is->pattern, rw, in, proto, out);
        break;
    case RW_KIND_MAPPER:
        r = is->mapper_ops->map(is->mapper, rw, is, in, proto, out);
        break;
    }
    if (r == RW_DROP)
        is->failures++;
    return r;
}

int rewrite_check_choices(struct element *mapper, const struct rewrite_input *choices,
                          uint32_t n, const struct element *rewriter, struct diag *d)
{
    int rc = 0;

    for (uint32_t i = 0; i < n; i++)
        if (choices[i].out >= rewriter->n_out ||
            choices[i].reply_out >= rewriter->n_out)
            rc = diag_err(d, "output port out of range in %s pattern %u",
                          element_declaration(mapper), i);
    return rc;
}
