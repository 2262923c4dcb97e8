// SPDX-License-Identifier: BSD-3-Clause
/* script_functions.c -- arithmetic and the like for scripts: see script.h */

#include "engine/host.h"
#include "engine/lang/lang.h"
#include "engine/platform.h"
#include "engine/script.h"
#include "engine/unparse.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static struct slice slice(const char *text)
{
    return slice_of(text, strlen(text));
}

static bool is_empty(struct slice s)
{
    return s.s == s.end;
}

static bool slice_i64(struct slice s, int64_t *out)
{
    char word[SCRIPT_WORD_MAX];

    return script_word(s, word) && parse_i64(word, 0, out);
}

static bool slice_double(struct slice s, double *out)
{
    char word[SCRIPT_WORD_MAX];

    return script_word(s, word) && parse_double(word, out);
}

static bool slice_bool(struct slice s, bool *out)
{
    char word[SCRIPT_WORD_MAX];

    return script_word(s, word) && parse_bool(word, out);
}

static void put_bool(struct sbuf *out, bool b)
{
    sbuf_puts(out, b ? "true" : "false");
}

/* --- numbers ------------------------------------------------------------------------------ */

/* Integers as long as all are; doubles from the first one that is not on. */
struct sum {
    int64_t i;
    double f;
    bool real;
};

static double real_step(intptr_t fn, double a, double b)
{
    switch (fn) {
    case FN_ADD:
        return a + b;
    case FN_SUB:
        return a - b;
    case FN_MIN:
        return a < b ? a : b;
    case FN_MAX:
        return a > b ? a : b;
    case FN_MUL:
        return a * b;
    default:
        return a / b;
    }
}

/* Wraps around, as the machine does. */
static int64_t integer_step(intptr_t fn, int64_t a, int64_t b)
{
    switch (fn) {
    case FN_ADD:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case FN_SUB:
        return (int64_t)((uint64_t)a - (uint64_t)b);
    case FN_MIN:
        return a < b ? a : b;
    case FN_MAX:
        return a > b ? a : b;
    default:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    }
}

/* A double as an integer, whatever it is. */
static int64_t truncated(double f)
{
    if (f != f || f >= 9223372036854775808.0 || f < -9223372036854775808.0)
        return INT64_MIN;
    return (int64_t)f;
}

static int add_up(intptr_t fn, const char *param, struct sum *sum)
{
    struct slice rest = slice(param), word;
    bool first = true;
    double f;

    while (!is_empty(word = script_shift(&rest))) {
        int64_t i = 0;

        if (!sum->real && !slice_i64(word, &i)) {
            sum->real = true;
            sum->f = (double)sum->i;
        }
        if (sum->real) {
            if (!slice_double(word, &f))
                return -1;
            sum->f = first ? f : real_step(fn, sum->f, f);
        } else {
            sum->i = first ? i : integer_step(fn, sum->i, i);
        }
        first = false;
    }
    return 0;
}

/* mod and rem. */
static int remainder_of(intptr_t fn, const char *param, struct sbuf *out,
                        struct diag *d)
{
    struct slice rest = slice(param), a = script_shift(&rest), b = script_shift(&rest);
    int64_t ia, ib;
    double fa, fb;

    if (!is_empty(rest) || is_empty(a) || is_empty(b))
        return diag_err(d, "expected two numbers");
    if (slice_i64(a, &ia) && slice_i64(b, &ib)) {
        if (ib == 0)
            return diag_err(d, "division by zero");
        sbuf_printf(out, "%" PRId64, ib == -1 ? 0 : ia % ib);
        return 0;
    }
    if (fn == FN_MOD || !slice_double(a, &fa) || !slice_double(b, &fb))
        return diag_err(d, "expected two numbers");
    sbuf_printf(out, "%.12g", fmod(fa, fb));
    return 0;
}

static int sign_of(intptr_t fn, const char *param, struct sbuf *out, struct diag *d)
{
    int64_t i;
    double f;

    if (slice_i64(slice(param), &i))
        sbuf_printf(out, "%" PRId64,
                    fn == FN_NEG || i < 0 ? (int64_t)(0 - (uint64_t)i) : i);
    else if (slice_double(slice(param), &f))
        sbuf_printf(out, "%.12g", fn == FN_NEG ? -f : fabs(f));
    else
        return diag_err(d, "expected one number");
    return 0;
}

int script_arithmetic(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    struct sum sum = {.real = h->user == FN_DIV || h->user == FN_IDIV};

    (void)e;
    switch (h->user) {
    case FN_MOD:
    case FN_REM:
        return remainder_of(h->user, param, out, d);
    case FN_NEG:
    case FN_ABS:
        return sign_of(h->user, param, out, d);
    }
    sum.i = h->user != FN_ADD && h->user != FN_SUB;
    sum.f = (double)sum.i;
    if (add_up(h->user, param, &sum) < 0)
        return diag_err(d, "expected list of numbers");
    if (h->user == FN_IDIV)
        sbuf_printf(out, "%" PRId64, truncated(sum.f));
    else if (sum.real)
        sbuf_printf(out, "%.12g", sum.f);
    else
        sbuf_printf(out, "%" PRId64, sum.i);
    return 0;
}

/* --- comparison --------------------------------------------------------------------------- */

/* Order of two texts without their quotes: by bytes, a beginning before the whole. */
static int compare_texts(struct slice a, struct slice b)
{
    struct sbuf ta = SBUF_INIT, tb = SBUF_INIT;
    int order;

    script_unquote(a, &ta);
    script_unquote(b, &tb);
    order = memcmp(sbuf_text(&ta), sbuf_text(&tb), ta.len < tb.len ? ta.len : tb.len);
    if (!order)
        order = ta.len < tb.len ? -1 : ta.len > tb.len;
    sbuf_fini(&ta);
    sbuf_fini(&tb);
    return order;
}

int script_compare(struct element *e, const struct handler_spec *h, const char *param,
                   struct sbuf *out, struct diag *d)
{
    struct slice rest = slice(param), a = script_shift(&rest), b = script_shift(&rest);
    int64_t ia, ib;
    double fa, fb;
    int order;

    (void)e;
    if (!is_empty(rest) || is_empty(a) || is_empty(b))
        return diag_err(d, "expected two numbers");
    if (slice_i64(a, &ia) && slice_i64(b, &ib))
        order = ia < ib ? -1 : ia > ib;
    else if (slice_double(a, &fa) && slice_double(b, &fb))
        order = fa < fb ? -1 : fa != fb; /* as in Click, what is no number is greater */
    else
        order = compare_texts(a, b);
    put_bool(out, h->user == FN_EQ   ? order == 0
                  : h->user == FN_NE ? order != 0
                  : h->user == FN_GT ? order > 0
                  : h->user == FN_GE ? order >= 0
                  : h->user == FN_LT ? order < 0
                                     : order <= 0);
    return 0;
}

/* --- truth -------------------------------------------------------------------------------- */

static int truth_not(const char *param, struct sbuf *out)
{
    bool x;

    if (!slice_bool(slice(param), &x))
        return -1;
    put_bool(out, !x);
    return 0;
}

/* and, or, nand, nor: as far as the answer is still open. */
static int truth_join(intptr_t fn, const char *param, struct sbuf *out)
{
    bool all = fn == FN_AND || fn == FN_NAND, answer = all, x;
    struct slice rest = slice(param);

    while (answer == all && !is_empty(rest)) {
        if (!slice_bool(script_shift(&rest), &x))
            return -1;
        answer = x;
    }
    put_bool(out, fn == FN_NAND || fn == FN_NOR ? !answer : answer);
    return 0;
}

static int truth_if(const char *param, struct sbuf *out)
{
    struct slice rest = slice(param), word;
    bool x;

    if (!slice_bool(script_shift(&rest), &x))
        return -1;
    word = script_shift(&rest);
    if (!x)
        word = script_shift(&rest);
    sbuf_add(out, word.s, (size_t)(word.end - word.s));
    return 0;
}

static int truth_in(const char *param, struct sbuf *out)
{
    struct slice rest = slice(param), word = script_shift(&rest);
    bool found = false;

    while (!is_empty(word) && !is_empty(rest) && !found)
        found = compare_texts(word, script_shift(&rest)) == 0;
    put_bool(out, found);
    return 0;
}

/* --- the rest ----------------------------------------------------------------------------- */

static int random_number(struct element *e, const char *param, struct sbuf *out,
                         struct diag *d)
{
    struct slice rest = slice(param), a = script_shift(&rest), b = script_shift(&rest);
    uint64_t low = 0, high = 0x7fffffff, r;
    char word[SCRIPT_WORD_MAX];

    if (!is_empty(rest))
        return diag_err(d, "too many arguments");
    if (!is_empty(a)) {
        if (!script_word(a, word) || !parse_u64(word, 0, &low) || low > UINT32_MAX)
            return diag_err(d, "N1: parse error");
        high = low - 1;
        if (is_empty(b) && low == 0)
            return diag_err(d, "bad N");
        if (is_empty(b))
            low = 0;
    }
    if (!is_empty(b)) {
        if (!script_word(b, word) || !parse_u64(word, 0, &high) || high > UINT32_MAX)
            return diag_err(d, "N2: parse error");
        if (high < low)
            return diag_err(d, "bad N");
    }
    r = element_random(e) * (high - low + 1) >> 32;
    sbuf_printf(out, "%" PRIu64, low + r);
    return 0;
}

static void put_now(struct element *e, struct sbuf *out)
{
    int64_t ns = element_wall_now(e);
    char text[UNPARSE_ROOM];

    sbuf_puts(out,
              unparse_timestamp(ns - ns % 1000, text)); /* Click counts microseconds */
}

static void all_exist(struct element *e, const char *param, uint32_t flag,
                      struct sbuf *out)
{
    struct slice rest = slice(param), word;
    bool all = true;

    while (all && !is_empty(word = script_shift(&rest))) {
        struct sbuf name = SBUF_INIT;

        script_unquote(word, &name);
        all = handler_exists(e->router, e, sbuf_text(&name), flag);
        sbuf_fini(&name);
    }
    put_bool(out, all);
}

static int swap_bytes(const char *param, bool wide, struct sbuf *out)
{
    int64_t i;
    uint32_t v;

    if (!slice_i64(slice(param), &i) || i < INT32_MIN || i > INT32_MAX)
        return -1;
    v = wide ? __builtin_bswap32((uint32_t)i) : __builtin_bswap16((uint16_t)i);
    sbuf_printf(out, "%" PRIu32, v);
    return 0;
}

static int cat(struct element *e, const char *param, bool quote, struct sbuf *out,
               struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct sbuf name = SBUF_INIT;
    const char *error = "no files here";
    char *text = NULL;
    size_t len = 0;

    script_unquote(slice(param), &name);
    if (p->host && name.len)
        error = p->host->read_file(p->ctx, sbuf_text(&name), &text, &len);
    if (!name.len) {
        diag_err(d, "bad FILE");
    } else if (error) {
        diag_err(d, "%s: %s", sbuf_text(&name), error);
    } else if (quote) {
        sbuf_putc(out, '"');
        lang_quote_into(out, text, len);
        sbuf_putc(out, '"');
    } else {
        sbuf_add(out, text, len);
    }
    free(text);
    error = name.len ? error : "";
    sbuf_fini(&name);
    return error ? -1 : 0;
}

static int kill_processes(struct element *e, const char *param, struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct slice rest = slice(param), word = script_shift(&rest);
    int signo = script_signal(word);
    const char *error;
    int64_t pid;

    if (!p->host || signo < 0 || is_empty(word))
        return diag_err(d, "bad SIGNO");
    while (!is_empty(rest)) {
        if (!slice_i64(script_shift(&rest), &pid))
            return diag_err(d, "bad PID");
        error = p->host->kill(p->ctx, (long)pid, signo);
        if (error)
            return diag_err(d, "kill(%ld, %d): %s", (long)pid, signo, error);
    }
    return 0;
}

int script_function(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d)
{
    struct slice rest = slice(param), word;
    int rc = 0;

    switch (h->user) {
    case FN_FIRST:
        word = script_shift(&rest);
        sbuf_add(out, word.s, (size_t)(word.end - word.s));
        break;
    case FN_NOT:
        rc = truth_not(param, out);
        break;
    case FN_AND:
    case FN_OR:
    case FN_NAND:
    case FN_NOR:
        rc = truth_join(h->user, param, out);
        break;
    case FN_IF:
        rc = truth_if(param, out);
        break;
    case FN_IN:
        rc = truth_in(param, out);
        break;
    case FN_NOW:
        put_now(e, out);
        break;
    case FN_READABLE:
    case FN_WRITABLE:
        all_exist(e, param, h->user == FN_READABLE ? HANDLER_READ : HANDLER_WRITE, out);
        break;
    case FN_LENGTH:
        sbuf_printf(out, "%zu", strlen(param));
        break;
    case FN_UNQUOTE:
        script_unquote(rest, out);
        break;
    case FN_SWAP16:
    case FN_SWAP32:
        rc = swap_bytes(param, h->user == FN_SWAP32, out);
        break;
    case FN_RANDOM:
        return random_number(e, param, out, d);
    case FN_CAT:
    case FN_CATQ:
        return cat(e, param, h->user == FN_CATQ, out, d);
    case FN_KILL:
        return kill_processes(e, param, d);
    }
    return rc < 0 ? diag_err(d, "syntax error") : 0;
}
