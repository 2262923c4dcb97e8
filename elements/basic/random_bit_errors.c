// SPDX-License-Identifier: BSD-3-Clause
/*
 * RandomBitErrors -- damage packets
 *
 * Usage:    RandomBitErrors(P, KIND flip, ACTIVE true)
 * Ports:    1 in, 1 out; push or pull
 * Args:     P       probability that a bit is damaged, 0 to 1
 *           KIND    what happens to it: flip (the default), set or clear
 *           ACTIVE  while false, packets pass undamaged; default true
 * Counters: drops  packets for which memory ran out
 * Handlers: p_bit_error, error_kind, active  (read/write) the arguments
 * Example:  ... -> RandomBitErrors(1e-5) -> CheckIPHeader -> ...
 * See also: RandomSample
 *
 * Each bit of the data is damaged independently of the others.
 */

#include "engine/element.h"
#include "engine/unparse.h"

enum { P_BITS = 28 };
#define P_ONE (UINT64_C(1) << P_BITS)

enum bit_error_kind { BITS_FLIP, BITS_SET, BITS_CLEAR };

struct random_bit_errors {
    uint64_t p;
    struct text kind_text;
    enum bit_error_kind kind;
    bool active;
    uint32_t at_most[8]; /* chance of no more than i errors in a byte, of 2^32 */
};

static int random_bit_errors_parse(struct element *e, const char *text, void *member,
                                   struct diag *d)
{
    return parse_real_fixed(text, P_BITS, member) ? 0 : diag_err(d, "parse error");
}

static const struct arg_spec random_bit_errors_args[] = {
    {.name = "P",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_M,
     .help = "probability that a bit is damaged",
     .offset = offsetof(struct random_bit_errors, p),
     .parse = random_bit_errors_parse},
    ARG_STRING(random_bit_errors, kind_text, "KIND", ARG_POS, "flip",
               "flip, set or clear"),
    ARG_BOOL(random_bit_errors, active, "ACTIVE", ARG_POS, "true", "damage packets"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec random_bit_errors_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

/* The binomial distribution of errors in eight bits. */
static void random_bit_errors_table(struct random_bit_errors *s)
{
    double p = (double)s->p / (double)P_ONE, below = 0, ways = 1;

    for (int i = 0; i < 8; i++) {
        double chance = ways;

        for (int bit = 0; bit < 8; bit++)
            chance *= bit < i ? p : 1 - p;
        below += chance;
        s->at_most[i] = below >= 1 ? UINT32_MAX : (uint32_t)(below * 4294967296.0);
        ways = ways * (8 - i) / (i + 1);
    }
}

static int random_bit_errors_kind(struct random_bit_errors *s, const char *text,
                                  struct diag *d)
{
    if (!*text || !strcmp(text, "flip"))
        s->kind = BITS_FLIP;
    else if (!strcmp(text, "set"))
        s->kind = BITS_SET;
    else if (!strcmp(text, "clear"))
        s->kind = BITS_CLEAR;
    else
        return diag_err(d, "bad action '%s' (must be 'set', 'clear', or 'flip')", text);
    return 0;
}

static int random_bit_errors_p(struct random_bit_errors *s, uint64_t p, struct diag *d)
{
    if (p > P_ONE)
        return diag_err(d, "drop probability must be between 0 and 1");
    if (!p)
        diag_warn(d, "zero bit error probability (underflow?)");
    s->p = p;
    random_bit_errors_table(s);
    return 0;
}

static int random_bit_errors_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct random_bit_errors *s = element_state(e);

    if (random_bit_errors_kind(s, s->kind_text.s, d) < 0)
        return -1;
    return random_bit_errors_p(s, s->p, d);
}

/* A byte with `n` bits set at random. */
static uint8_t random_bits(struct element *e, int n)
{
    uint8_t bits = 0;

    while (n > 0) {
        uint8_t bit = (uint8_t)(1u << (element_random(e) >> 29));

        n -= !(bits & bit);
        bits |= bit;
    }
    return bits;
}

static void random_bit_errors_damage(struct element *e, struct pkt *p)
{
    const struct random_bit_errors *s = element_state(e);

    for (uint32_t i = 0; i < p->len; i++) {
        uint32_t v = element_random(e);
        uint8_t bits;
        int n = 0;

        while (n < 8 && v >= s->at_most[n])
            n++;
        if (!n)
            continue;
        bits = random_bits(e, n);
        if (s->kind == BITS_FLIP)
            p->data[i] ^= bits;
        else if (s->kind == BITS_SET)
            p->data[i] |= bits;
        else
            p->data[i] &= (uint8_t)~bits;
    }
}

static inline verdict_t random_bit_errors_one(struct element *e, struct pkt *p)
{
    const struct random_bit_errors *s = element_state(e);

    if (!s->active || !s->p)
        return 0;
    if (pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    random_bit_errors_damage(e, p);
    return 0;
}

ELEMENT_LOOP(random_bit_errors)

static int random_bit_errors_read_p(struct element *e, const struct handler_spec *h,
                                    const char *param, struct sbuf *out, struct diag *d)
{
    const struct random_bit_errors *s = element_state(e);
    char buf[UNPARSE_ROOM];

    sbuf_puts(out, unparse_fixed(s->p, P_BITS, buf));
    return 0;
}

static int random_bit_errors_read_kind(struct element *e, const struct handler_spec *h,
                                       const char *param, struct sbuf *out,
                                       struct diag *d)
{
    static const char *const names[] = {"flip", "set", "clear"};
    const struct random_bit_errors *s = element_state(e);

    sbuf_puts(out, names[s->kind]);
    return 0;
}

static const struct handler_spec random_bit_errors_handlers[] = {
    {.name = "p_bit_error",
     .help = "probability that a bit is damaged",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_KEYWORD,
     .argument = "0 P",
     .read = random_bit_errors_read_p},
    {.name = "error_kind",
     .help = "flip, set or clear",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_KEYWORD,
     .argument = "1 KIND",
     .read = random_bit_errors_read_kind},
    HANDLER_VALUE(random_bit_errors, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE, "active",
                  "whether packets are damaged"),
    HANDLER_END,
};

ELEMENT(RandomBitErrors) = {
    .name = "RandomBitErrors",
    .state_size = sizeof(struct random_bit_errors),
    .ports = "1/1",
    .args = random_bit_errors_args,
    .live = true,
    .counters = random_bit_errors_counters,
    .handlers = random_bit_errors_handlers,
    .configure = random_bit_errors_configure,
    .push = random_bit_errors_push,
    .pull = random_bit_errors_pull,
};
