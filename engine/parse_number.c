// SPDX-License-Identifier: BSD-3-Clause
/*
 * parse_number.c -- integers, reals, times and rates: see parse.h
 *
 * Decimal values are computed in integers, so that 0.1s is exactly 100,000,000 ns and a
 * rate of 10Mbps exactly 1,250,000 bytes a second whatever the machine's rounding mode.
 */

#include "engine/parse.h"

#include "engine/parse_chars.h"
#include "engine/unparse.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_bool(const char *s, bool *out)
{
    static const struct {
        const char *text;
        bool value;
    } known[] = {
        {"true", true},   {"yes", true}, {"1", true},  {"t", true},  {"y", true},
        {"false", false}, {"no", false}, {"0", false}, {"f", false}, {"n", false},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(s, known[i].text) == 0) {
            *out = known[i].value;
            return true;
        }
    return false;
}

/* Skip the base's prefix; `*base` 0 becomes what the prefix says. */
static const char *skip_base(const char *s, int *base)
{
    if ((*base == 0 || *base == 16) && s[0] == '0' && (s[1] | 32) == 'x' && s[2]) {
        *base = 16;
        return s + 2;
    }
    if (*base == 0 && s[0] == '0' && (s[1] | 32) == 'b' && s[2]) {
        *base = 2;
        return s + 2;
    }
    if (*base == 0)
        *base = s[0] == '0' ? 8 : 10;
    return s;
}

/* Digits with single underscores between them, to the end of the string. */
static enum parse_status digits(const char *s, int base, uint64_t *out)
{
    uint64_t v = 0;
    bool overflow = false, digit_before = false;

    if (!*s)
        return PARSE_INVALID;
    for (; *s; s++) {
        int d = char_digit(*s);

        if (*s == '_' && digit_before && char_digit(s[1]) < base) {
            digit_before = false;
            continue;
        }
        if (d >= base)
            return PARSE_INVALID;
        digit_before = true;
        overflow = overflow || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
                   __builtin_add_overflow(v, (uint64_t)d, &v);
    }
    *out = v;
    return overflow ? PARSE_RANGE : PARSE_OK;
}

enum parse_status parse_integer(const char *s, int base, bool is_signed, unsigned bits,
                                uint64_t *out)
{
    bool negative = is_signed && *s == '-';
    uint64_t limit, v = 0;
    enum parse_status st;

    if (*s == '+' || negative)
        s++;
    if (*s == '_')
        return PARSE_INVALID;
    s = skip_base(s, &base);
    st = digits(s, base, &v);
    if (st == PARSE_INVALID)
        return st;
    limit = UINT64_MAX >> (64 - bits + (is_signed ? 1 : 0));
    limit += negative ? 1 : 0;
    if (st == PARSE_RANGE || v > limit) {
        v = limit;
        st = PARSE_RANGE;
    }
    *out = negative ? -v : v;
    return st;
}

bool parse_u64(const char *s, int base, uint64_t *out)
{
    uint64_t v;

    if (parse_integer(s, base, false, 64, &v) != PARSE_OK)
        return false;
    *out = v;
    return true;
}

bool parse_i64(const char *s, int base, int64_t *out)
{
    uint64_t v;

    if (parse_integer(s, base, true, 64, &v) != PARSE_OK)
        return false;
    *out = (int64_t)v;
    return true;
}

enum parse_status parse_real(const char *s, double *out)
{
    char *end;

    if (!*s || char_is_space(*s)) /* strtod() would skip blanks */
        return PARSE_INVALID;
    *out = strtod(s, &end);
    if (*end)
        return PARSE_INVALID;
    if ((isinf(*out) && strpbrk(s, "0123456789")) ||
        (*out == 0 && strcspn(s, "123456789") < strcspn(s, "eExX")))
        return PARSE_RANGE;
    return PARSE_OK;
}

bool parse_double(const char *s, double *out)
{
    double v;

    if (parse_real(s, &v) == PARSE_INVALID)
        return false;
    *out = v;
    return true;
}

/* A decimal number taken apart: mantissa * 10^exponent. The mantissa stays below 2^96, so
 * that it can be multiplied with a factor of 32 bits; digits beyond that cannot matter
 * and only move the exponent. */
struct decimal {
    unsigned __int128 mantissa;
    int exponent;
};
#define MANTISSA_MAX (((unsigned __int128)1 << 96) - 1)
enum { FACTOR_BITS_MAX = 32 };

enum { EXPONENT_MAX = 10000 };

static const char *scan_exponent(const char *s, const char *end, int *exponent)
{
    const char *e = s;
    bool negative;
    int v = 0;

    if (s == end || (*s | 32) != 'e')
        return s;
    e++;
    negative = e < end && *e == '-';
    if (e < end && (*e == '-' || *e == '+'))
        e++;
    if (e == end || !char_is_digit(*e))
        return s;
    for (; e < end && char_is_digit(*e); e++)
        v = v < EXPONENT_MAX ? 10 * v + (*e - '0') : v;
    *exponent += negative ? -v : v;
    return e;
}

/* The number in [s, end); false if it is none. */
static bool scan_decimal(const char *s, const char *end, struct decimal *out)
{
    bool point = false, any = false;
    struct decimal d = {0, 0};

    if (s < end && *s == '+')
        s++;
    for (; s < end; s++) {
        if (*s == '.' && !point) {
            point = true;
        } else if (*s == '_' && any && s + 1 < end && char_is_digit(s[1])) {
            continue;
        } else if (char_is_digit(*s)) {
            any = true;
            if (d.mantissa <= (MANTISSA_MAX - 9) / 10) {
                d.mantissa = 10 * d.mantissa + (unsigned)(*s - '0');
                d.exponent -= point;
            } else {
                d.exponent += !point;
            }
        } else {
            break;
        }
    }
    if (!any)
        return false;
    s = scan_exponent(s, end, &d.exponent);
    *out = d;
    return s == end;
}

/* mantissa * 10^exponent * factor, rounded half up. */
static enum parse_status scale(struct decimal d, uint64_t factor, uint64_t max,
                               uint64_t *out)
{
    unsigned __int128 v = d.mantissa * factor;

    for (; d.exponent > 0 && v; d.exponent--) {
        if (v > max)
            break;
        v *= 10;
    }
    for (; d.exponent < -1 && v; d.exponent++)
        v /= 10; /* one digit is kept for rounding */
    if (d.exponent == -1)
        v = (v + 5) / 10;
    if (v > max) {
        *out = max;
        return PARSE_RANGE;
    }
    *out = (uint64_t)v;
    return PARSE_OK;
}

static bool real_fixed(const char *s, const char *end, uint64_t factor, uint64_t max,
                       int power, uint64_t *out, enum parse_status *st)
{
    struct decimal d;

    if (!scan_decimal(s, end, &d))
        return false;
    d.exponent += power;
    *st = scale(d, factor, max, out);
    return true;
}

bool parse_real_fixed(const char *s, unsigned bits, uint64_t *out)
{
    enum parse_status st;
    uint64_t v;

    if (bits > FACTOR_BITS_MAX ||
        !real_fixed(s, s + strlen(s), 1ull << bits, UINT64_MAX, 0, &v, &st) ||
        st != PARSE_OK)
        return false;
    *out = v;
    return true;
}

bool parse_fraction(const char *s, double *out)
{
    size_t len = strlen(s);
    bool percent = len && s[len - 1] == '%';
    char text[64];
    double v;

    len -= percent;
    while (percent && len && char_is_space(s[len - 1]))
        len--;
    if (len >= sizeof text)
        return false;
    memcpy(text, s, len);
    text[len] = 0;
    if (!parse_double(text, &v))
        return false;
    v = percent ? v / 100 : v;
    if (!(v >= 0 && v <= 1))
        return false;
    *out = v;
    return true;
}

/* A unit at the end of a value: value * factor * 10^power. */
struct unit {
    const char *suffix;
    uint32_t factor;
    int power;
};

static const struct unit time_units[] = {
    {"sec", 1, 0},   {"s", 1, 0},    {"min", 60, 0},    {"m", 60, 0},
    {"hr", 3600, 0}, {"h", 3600, 0}, {"day", 86400, 0}, {"d", 86400, 0},
};
static const struct unit rate_units[] = {
    {"baud", 125, -3}, {"bps", 125, -3}, {"b/s", 125, -3}, {"Bps", 1, 0}, {"B/s", 1, 0},
};

struct prefix {
    char letter;
    int power;
};
static const struct prefix time_prefixes[] = {{'m', -3}, {'u', -6}, {'n', -9}, {0, 0}};
static const struct prefix rate_prefixes[] = {
    {'k', 3}, {'K', 3}, {'M', 6}, {'G', 9}, {0, 0}};

/* Find the unit that [s, end) ends with; returns where the number ends. */
static const char *scan_unit(const char *s, const char *end, const struct unit *units,
                             size_t n, const struct prefix *prefixes, struct unit *out)
{
    *out = (struct unit){"", 1, 0};
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(units[i].suffix);

        if ((size_t)(end - s) < len || memcmp(end - len, units[i].suffix, len) != 0)
            continue;
        *out = units[i];
        end -= len;
        for (; prefixes->letter; prefixes++)
            if (end > s && end[-1] == prefixes->letter) {
                out->power += prefixes->power;
                end--;
                break;
            }
        while (end > s && char_is_space(end[-1]))
            end--;
        break;
    }
    return end;
}

enum parse_status parse_seconds(const char *s, int64_t *ns)
{
    struct unit u;
    const char *end = scan_unit(s, s + strlen(s), time_units,
                                sizeof time_units / sizeof *time_units, time_prefixes,
                                &u);
    enum parse_status st;
    uint64_t v;

    if (!real_fixed(s, end, u.factor, INT64_MAX, u.power + 9, &v, &st))
        return PARSE_INVALID;
    *ns = (int64_t)v;
    return st;
}

bool parse_time(const char *s, int64_t *ns)
{
    int64_t v;

    if (parse_seconds(s, &v) != PARSE_OK)
        return false;
    *ns = v;
    return true;
}

enum parse_status parse_rate(const char *s, uint64_t *bytes_per_s)
{
    struct unit u;
    const char *end = scan_unit(s, s + strlen(s), rate_units,
                                sizeof rate_units / sizeof *rate_units, rate_prefixes,
                                &u);
    enum parse_status st;
    uint64_t v;

    if (!real_fixed(s, end, u.factor, UINT64_MAX, u.power, &v, &st))
        return PARSE_INVALID;
    *bytes_per_s = v;
    return st;
}

bool parse_bandwidth(const char *s, uint64_t *bytes_per_s)
{
    uint64_t v;

    if (parse_rate(s, &v) != PARSE_OK)
        return false;
    *bytes_per_s = v;
    return true;
}

/* v / 10^digits with trailing zeros of the fraction left out. */
static size_t put_decimal(char *buf, unsigned __int128 v, unsigned n_digits)
{
    char fraction[32];
    unsigned n = n_digits;

    for (unsigned i = n_digits; i-- > 0; v /= 10)
        fraction[i] = (char)('0' + (int)(v % 10));
    while (n && fraction[n - 1] == '0')
        n--;
    fraction[n] = 0;
    return (size_t)snprintf(buf, 64, "%" PRIu64 "%s%s", (uint64_t)v, n ? "." : "",
                            fraction);
}

const char *unparse_time(int64_t ns, char *buf)
{
    if (ns < 0 || ns >= 1000000000) {
        unparse_timestamp(ns, buf);
        memcpy(buf + strlen(buf), "s", 2);
    } else if (ns % 1000000 == 0) {
        snprintf(buf, 64, "%" PRId64 "ms", ns / 1000000);
    } else if (ns % 1000 == 0) {
        snprintf(buf, 64, "%" PRId64 "us", ns / 1000);
    } else {
        snprintf(buf, 64, "%" PRId64 "ns", ns);
    }
    return buf;
}

const char *unparse_bandwidth(uint64_t bytes_per_s, char *buf)
{
    unsigned __int128 bits = (unsigned __int128)bytes_per_s * 8;
    const char *unit;
    size_t n;

    if (bytes_per_s >= 0x20000000) {
        n = put_decimal(buf, bytes_per_s, 6);
        unit = "MBps";
    } else if (bytes_per_s >= 125000000) {
        n = put_decimal(buf, bits, 9);
        unit = "Gbps";
    } else if (bytes_per_s >= 125000) {
        n = put_decimal(buf, bits, 6);
        unit = "Mbps";
    } else {
        n = put_decimal(buf, bits, 3);
        unit = "kbps";
    }
    memcpy(buf + n, unit, strlen(unit) + 1);
    return buf;
}
