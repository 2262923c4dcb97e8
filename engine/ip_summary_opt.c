// SPDX-License-Identifier: BSD-3-Clause
/* ip_summary_opt.c -- options of IP and TCP headers as text, both ways */

#include "engine/ip_summary.h"
#include "engine/parse_chars.h"

enum { OPT_ROOM = 40, PARSE_ROOM = 64 };

static uint32_t get32(const uint8_t *at)
{
    return be32(load32(at));
}

/* "98", "99=0:5:10". */
static void print_unknown(struct sbuf *out, const uint8_t *opt)
{
    sbuf_printf(out, "%u", opt[0]);
    for (unsigned i = 2; i < opt[1]; i++)
        sbuf_printf(out, "%c%u", i == 2 ? '=' : ':', opt[i]);
}

static int tcp_kind(uint8_t opt)
{
    static const uint8_t kinds[] = {
        [TCPOPT_EOL] = IPSUM_OPT_PADDING,
        [TCPOPT_NOP] = IPSUM_OPT_PADDING,
        [TCPOPT_MSS] = IPSUM_OPT_MSS,
        [TCPOPT_WSCALE] = IPSUM_OPT_WSCALE,
        [TCPOPT_SACK_OK] = IPSUM_OPT_SACK,
        [TCPOPT_SACK] = IPSUM_OPT_SACK,
        [TCPOPT_TIMESTAMP] = IPSUM_OPT_TIMESTAMP,
    };

    return opt < sizeof kinds && kinds[opt] ? kinds[opt] : IPSUM_OPT_UNKNOWN;
}

/* Whether an option of a known kind has the length that it must have. */
static bool tcp_length_fits(const uint8_t *opt)
{
    switch (opt[0]) {
    case TCPOPT_MSS:
        return opt[1] == 4;
    case TCPOPT_WSCALE:
        return opt[1] == 3;
    case TCPOPT_SACK_OK:
        return opt[1] == 2;
    case TCPOPT_SACK:
        return opt[1] % 8 == 2;
    case TCPOPT_TIMESTAMP:
        return opt[1] == 10;
    default:
        return opt[1] >= 2;
    }
}

static void print_tcp_one(struct sbuf *out, const uint8_t *opt)
{
    switch (opt[0]) {
    case TCPOPT_MSS:
        sbuf_printf(out, "mss%u", opt[2] << 8 | opt[3]);
        break;
    case TCPOPT_WSCALE:
        sbuf_printf(out, "wscale%u", opt[2]);
        break;
    case TCPOPT_SACK_OK:
        sbuf_puts(out, "sackok");
        break;
    case TCPOPT_SACK:
        for (unsigned i = 2; i + 8 <= opt[1]; i += 8)
            sbuf_printf(out, "%ssack%u-%u", i > 2 ? ";" : "", get32(opt + i),
                        get32(opt + i + 4));
        break;
    case TCPOPT_TIMESTAMP:
        sbuf_printf(out, "ts%u:%u", get32(opt + 2), get32(opt + 6));
        break;
    default:
        print_unknown(out, opt);
    }
}

/* Cut back to what was there, and say that the options are invalid. */
static void print_bad(struct sbuf *out, size_t start)
{
    out->len = start;
    sbuf_putc(out, '?');
}

void ipsum_print_tcp_opt(struct sbuf *out, const uint8_t *opt, uint32_t n, int mask)
{
    const uint8_t *end = n ? opt + n : opt; /* `opt` may be NULL then */
    size_t start = out->len;

    while (opt < end && *opt != TCPOPT_EOL) {
        if (*opt == TCPOPT_NOP) {
            if (mask & IPSUM_OPT_PADDING)
                sbuf_puts(out, out->len > start ? ";nop" : "nop");
            opt++;
            continue;
        }
        if (end - opt < 2 || opt[1] < 2 || opt[1] > end - opt ||
            !tcp_length_fits(opt)) {
            print_bad(out, start);
            return;
        }
        if (mask & tcp_kind(*opt) && !(*opt == TCPOPT_SACK && opt[1] < 10)) {
            if (out->len > start)
                sbuf_putc(out, ';');
            print_tcp_one(out, opt);
        }
        opt += opt[1];
    }
    if (opt < end && mask & IPSUM_OPT_PADDING)
        sbuf_puts(out, out->len > start ? ";eol" : "eol");
    if (out->len == start)
        sbuf_putc(out, '.');
}

void ipsum_binary_tcp_opt(struct sbuf *out, const uint8_t *opt, uint32_t n, int mask)
{
    const uint8_t *end = n ? opt + n : opt; /* `opt` may be NULL then */
    size_t start = out->len;

    sbuf_putc(out, 0);
    while (opt < end) {
        uint32_t len = *opt <= TCPOPT_NOP ? 1 : end - opt > 1 ? opt[1] : 0;

        if (!len || (*opt > TCPOPT_NOP && len < 2) || len > (uint32_t)(end - opt))
            break;
        if (mask & tcp_kind(*opt))
            sbuf_add(out, opt, len);
        if (*opt == TCPOPT_EOL && mask != IPSUM_OPT_ALL)
            break;
        opt += len;
    }
    if (out->len > start)
        out->data[start] = (char)(out->len - start - 1);
}

/* "rr{1.0.0.1,2.0.0.2}+3": what lies behind the pointer of RR is free space. */
static void print_route(struct sbuf *out, const uint8_t *opt)
{
    bool rr = opt[0] == IPOPT_RR;
    unsigned len = opt[1], pointer = opt[2] - 1u, i;
    const char *sep = "";

    sbuf_puts(out, rr ? "rr{" : opt[0] == IPOPT_LSRR ? "lsrr{" : "ssrr{");
    for (i = 3; i + 4 <= len; i += 4) {
        if (i == pointer && rr)
            break;
        if (i == pointer)
            sep = "^";
        sbuf_printf(out, "%s%u.%u.%u.%u", sep, opt[i], opt[i + 1], opt[i + 2],
                    opt[i + 3]);
        sep = ",";
    }
    if (i == len && i == pointer && !rr)
        sbuf_putc(out, '^');
    sbuf_putc(out, '}');
    if (i + 4 <= len && i == pointer && rr)
        sbuf_printf(out, "+%u", (len - i) / 4);
}

/* "ts{1,!45}+2++3", "ts.ip{1.0.0.1=1}", "ts.preip{1.0.0.1=1^1.0.0.2}". */
static void print_timestamps(struct sbuf *out, const uint8_t *opt)
{
    unsigned len = opt[1], pointer = opt[2] - 1u, flag = opt[3] & 15, i;
    unsigned size = flag >= 1 && flag <= 3 ? 8 : 4;
    const char *sep = "";

    sbuf_puts(out, flag == 0 ? "ts{" : flag == 1 ? "ts.ip{" : "");
    if (flag == 3)
        sbuf_puts(out, "ts.preip{");
    else if (flag > 1)
        sbuf_printf(out, "ts.%u{", flag);
    for (i = 4; i + size <= len; i += size) {
        bool behind = flag == 3 && i >= pointer;
        uint32_t v = get32(opt + i + size - 4);

        if (i == pointer && flag != 3)
            break;
        if (i == pointer)
            sep = "^";
        sbuf_puts(out, sep);
        if (size == 8)
            sbuf_printf(out, "%u.%u.%u.%u", opt[i], opt[i + 1], opt[i + 2], opt[i + 3]);
        if (!behind)
            sbuf_printf(out, "%s%s%u", size == 8 ? "=" : "", v & 0x80000000u ? "!" : "",
                        v & 0x7fffffffu);
        sep = ",";
    }
    if (i == len && i == pointer)
        sbuf_putc(out, '^');
    sbuf_putc(out, '}');
    if (i + size <= len && i == pointer)
        sbuf_printf(out, "+%u", (len - i) / size);
    if (opt[3] & 0xf0)
        sbuf_printf(out, "++%u", opt[3] >> 4);
}

void ipsum_print_ip_opt(struct sbuf *out, const uint8_t *opt, uint32_t n, int mask)
{
    const uint8_t *end = n ? opt + n : opt; /* `opt` may be NULL then */
    size_t start = out->len;

    while (opt < end && *opt != IPOPT_EOL) {
        bool route = *opt == IPOPT_RR || *opt == IPOPT_LSRR || *opt == IPOPT_SSRR;

        if (*opt == IPOPT_NOP) {
            if (mask & IPSUM_OPT_PADDING)
                sbuf_puts(out, out->len > start ? ";nop" : "nop");
            opt++;
            continue;
        }
        if (end - opt < 2 || opt[1] < 2 || opt[1] > end - opt ||
            (route && (opt[1] < 3 || opt[2] < 4)) ||
            (*opt == IPOPT_TS && (opt[1] < 4 || opt[2] < 5))) {
            print_bad(out, start);
            return;
        }
        if (out->len > start)
            sbuf_putc(out, ';');
        if (route)
            print_route(out, opt);
        else if (*opt == IPOPT_TS)
            print_timestamps(out, opt);
        else
            print_unknown(out, opt);
        opt += opt[1];
    }
    if (out->len == start)
        sbuf_putc(out, '.');
}

/* --- from text -------------------------------------------------------------------------- */

struct opt_parser {
    const char *s;
    uint8_t *out; /* [PARSE_ROOM] */
    int n;        /* -1: something was wrong */
};

static void put(struct opt_parser *p, uint32_t value, unsigned bytes)
{
    if (p->n < 0 || p->n + (int)bytes > PARSE_ROOM) {
        p->n = -1;
        return;
    }
    while (bytes--)
        p->out[p->n++] = (uint8_t)(value >> 8 * bytes);
}

static bool number(struct opt_parser *p, uint32_t max, uint32_t *value)
{
    uint64_t v = 0;

    if (!char_is_digit(*p->s))
        return false;
    for (; char_is_digit(*p->s); p->s++)
        if (v <= UINT32_MAX)
            v = v * 10 + (uint64_t)(*p->s - '0');
    *value = (uint32_t)v;
    return v <= max;
}

static bool word(struct opt_parser *p, const char *w)
{
    size_t n = strlen(w);

    if (strncmp(p->s, w, n) != 0)
        return false;
    p->s += n;
    return true;
}

/* "98", "99=0:5:10". */
static bool parse_unknown(struct opt_parser *p)
{
    int start = p->n;
    uint32_t v;

    if (!number(p, 255, &v))
        return false;
    put(p, v, 1);
    if (*p->s != '=')
        return true;
    put(p, 0, 1);
    do {
        p->s++;
        if (!number(p, 255, &v))
            return false;
        put(p, v, 1);
    } while (*p->s == ':');
    if (p->n >= 0)
        p->out[start + 1] = (uint8_t)(p->n - start);
    return true;
}

/* Blocks with a comma between them are one option. */
static bool parse_sack(struct opt_parser *p)
{
    int start = p->n;
    uint32_t a, b;

    put(p, TCPOPT_SACK << 8, 2);
    do {
        if (!number(p, UINT32_MAX, &a) || (*p->s != '-' && *p->s != ':'))
            return false;
        p->s++;
        if (!number(p, UINT32_MAX, &b))
            return false;
        put(p, a, 4);
        put(p, b, 4);
    } while (!strncmp(p->s, ",sack", 5) && char_is_digit(p->s[5]) && (p->s += 5));
    if (p->n >= 0)
        p->out[start + 1] = (uint8_t)(p->n - start);
    return true;
}

static bool parse_tcp_one(struct opt_parser *p, int mask)
{
    uint32_t a, b;

    if (mask & IPSUM_OPT_MSS && word(p, "mss")) {
        put(p, TCPOPT_MSS << 8 | 4, 2);
        return number(p, 65535, &a) && (put(p, a, 2), true);
    }
    if (mask & IPSUM_OPT_WSCALE && word(p, "wscale")) {
        put(p, TCPOPT_WSCALE << 8 | 3, 2);
        return number(p, 255, &a) && (put(p, a, 1), true);
    }
    if (mask & IPSUM_OPT_SACK && word(p, "sackok")) {
        put(p, TCPOPT_SACK_OK << 8 | 2, 2);
        return true;
    }
    if (mask & IPSUM_OPT_SACK && word(p, "sack"))
        return parse_sack(p);
    if (mask & IPSUM_OPT_TIMESTAMP && word(p, "ts")) {
        if (!number(p, UINT32_MAX, &a) || *p->s++ != ':' || !number(p, UINT32_MAX, &b))
            return false;
        if (p->n == 0)
            put(p, TCPOPT_NOP << 8 | TCPOPT_NOP, 2);
        put(p, TCPOPT_TIMESTAMP << 8 | 10, 2);
        put(p, a, 4);
        put(p, b, 4);
        return true;
    }
    if (mask & IPSUM_OPT_PADDING && (word(p, "nop") || word(p, "eol"))) {
        put(p, p->s[-1] == 'p' ? TCPOPT_NOP : TCPOPT_EOL, 1);
        return true;
    }
    return mask & IPSUM_OPT_UNKNOWN && parse_unknown(p);
}

static bool parse_address(struct opt_parser *p)
{
    uint32_t v;

    for (int i = 0; i < 4; i++) {
        if ((i && *p->s++ != '.') || !number(p, 255, &v))
            return false;
        put(p, v, 1);
    }
    return true;
}

static bool parse_route(struct opt_parser *p, uint8_t kind)
{
    int start = p->n, pointer = -1;
    uint32_t room = 0;

    put(p, (uint32_t)kind << 16, 3);
    for (;; p->s += *p->s == ',') {
        if (*p->s == '^' && pointer < 0) {
            pointer = p->n - start + 1;
            p->s++;
        }
        if (!char_is_digit(*p->s))
            break;
        if (!parse_address(p))
            return false;
    }
    if (*p->s++ != '}' || p->n < 0)
        return false;
    p->out[start + 2] = (uint8_t)(pointer >= 0 ? pointer : p->n - start + 1);
    if (*p->s == '+') {
        p->s++;
        if (!number(p, 9, &room))
            return false;
    }
    while (room--)
        put(p, 0, 4);
    if (p->n >= 0)
        p->out[start + 1] = (uint8_t)(p->n - start);
    return true;
}

/* One entry of a timestamp option; `flag` says whether addresses stand before times. */
static bool parse_stamp(struct opt_parser *p, uint32_t flag, bool behind)
{
    uint32_t v, top = 0;

    if (flag == 1 || flag == 3) {
        if (!parse_address(p))
            return false;
        if (behind && (*p->s != '=' || p->s[1] == '?')) {
            p->s += *p->s == '=' ? 2 : 0;
            put(p, 0, 4);
            return true;
        }
        if (*p->s++ != '=')
            return false;
    }
    if (*p->s == '!') {
        top = 0x80000000u;
        p->s++;
    }
    if (!number(p, UINT32_MAX, &v))
        return false;
    put(p, v | top, 4);
    return true;
}

/* What kind of timestamp option it is: ".ip", ".preip", ".NUMBER", or seen from the first
 * entry, which cannot tell addresses that are prescribed from others. */
enum { STAMP_GUESSED = 16 };

static bool parse_stamp_flag(struct opt_parser *p, uint32_t *flag)
{
    bool given = *p->s == '.';
    const char *first;

    *flag = 0;
    if (word(p, ".ip"))
        *flag = 1;
    else if (word(p, ".preip"))
        *flag = 3;
    else if (given && (p->s++, !number(p, 15, flag)))
        return false;
    if (*p->s++ != '{')
        return false;
    first = p->s + (*p->s == '^');
    if (!given && first[strspn(first, "0123456789")] == '.')
        *flag = 1 | STAMP_GUESSED;
    return true;
}

static bool parse_timestamps(struct opt_parser *p)
{
    int start = p->n, pointer = -1;
    uint32_t flag, room = 0, overflow = 0;

    put(p, (uint32_t)IPOPT_TS << 24, 4);
    if (!parse_stamp_flag(p, &flag))
        return false;
    for (;; p->s += *p->s == ',') {
        if (*p->s == '^' && pointer < 0) {
            pointer = p->n - start + 1;
            p->s++;
        }
        if (!char_is_digit(*p->s) && *p->s != '!')
            break;
        if (flag & STAMP_GUESSED && pointer >= 0)
            flag = 3;
        if (!parse_stamp(p, flag & 15, pointer >= 0))
            return false;
    }
    if (*p->s++ != '}' || p->n < 0)
        return false;
    flag &= 15;
    p->out[start + 2] = (uint8_t)(pointer >= 0 ? pointer : p->n - start + 1);
    if (*p->s == '+' && char_is_digit(p->s[1]) && (p->s++, !number(p, 9, &room)))
        return false;
    for (room *= flag == 1 || flag == 3 ? 2 : 1; room; room--)
        put(p, 0, 4);
    if (word(p, "++") && !number(p, 15, &overflow))
        return false;
    if (p->n < 0)
        return false;
    p->out[start + 3] = (uint8_t)(overflow << 4 | flag);
    p->out[start + 1] = (uint8_t)(p->n - start);
    return true;
}

static bool parse_ip_one(struct opt_parser *p)
{
    if (word(p, "rr{"))
        return parse_route(p, IPOPT_RR);
    if (word(p, "ssrr{"))
        return parse_route(p, IPOPT_SSRR);
    if (word(p, "lsrr{"))
        return parse_route(p, IPOPT_LSRR);
    if (word(p, "ts"))
        return parse_timestamps(p);
    if (word(p, "nop") || word(p, "eol")) {
        put(p, p->s[-1] == 'p' ? IPOPT_NOP : IPOPT_EOL, 1);
        return true;
    }
    return parse_unknown(p);
}

/* Into `all`, which has PARSE_ROOM bytes. */
static int parse_list(const char *text, int mask, bool ip, uint8_t *all)
{
    struct opt_parser p = {text, all, 0};

    if (!strcmp(text, ".") || !*text)
        return 0;
    for (;; p.s++) {
        if (!(ip ? parse_ip_one(&p) : parse_tcp_one(&p, mask)) || p.n < 0)
            return -1;
        if (!*p.s)
            return p.n;
        if (*p.s != ',' && *p.s != ';')
            return -1;
    }
}

/* Options must fit into a header; those that only begin with too much padding do. */
static int parse_fitting(const char *text, int mask, bool ip, uint8_t out[OPT_ROOM])
{
    uint8_t all[PARSE_ROOM];
    int n = parse_list(text, mask, ip, all), skip = 0;

    while (n - skip > OPT_ROOM && all[skip] == TCPOPT_NOP) /* IPOPT_NOP is the same */
        skip++;
    if (n - skip > OPT_ROOM)
        return -1;
    if (n > 0)
        memcpy(out, all + skip, (size_t)(n - skip));
    return n > 0 ? n - skip : n;
}

int ipsum_parse_tcp_opt(const char *text, int mask, uint8_t out[40])
{
    return parse_fitting(text, mask, false, out);
}

int ipsum_parse_ip_opt(const char *text, uint8_t out[40])
{
    return parse_fitting(text, IPSUM_OPT_ALL, true, out);
}
