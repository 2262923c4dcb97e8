// SPDX-License-Identifier: BSD-3-Clause
/* ip_prim.c -- one test of the IP filter language: see ip_prim.h */

#include "engine/classify/ip_prim.h"

#include <string.h>

enum { IP_TCP = 6, IP_UDP = 17, IP_DCCP = 33 };

/* The type of service, in IPv6 the traffic class. */
static int tos_type(const struct ip_lang *l)
{
    return l->ip6 ? PRIM_FIELD_CODE(0, 4, 8) : PRIM_FIELD_CODE(0, 8, 8);
}

void ip_prim_clear(struct ip_prim *p)
{
    *p = (struct ip_prim){.proto = PROTO_UNKNOWN};
}

void ip_prim_set_type(struct ip_prim *p, int type, struct ip_lang *l)
{
    if (p->type)
        ip_lang_err(l, "type specified twice");
    p->type = type;
}

void ip_prim_set_srcdst(struct ip_prim *p, int srcdst, struct ip_lang *l)
{
    if (p->srcdst)
        ip_lang_err(l, "'src' or 'dst' specified twice");
    p->srcdst = srcdst;
}

void ip_prim_set_proto(struct ip_prim *p, int proto, struct ip_lang *l)
{
    if (p->proto != PROTO_UNKNOWN && p->proto != proto)
        ip_lang_err(l, "transport protocol specified twice");
    p->proto = proto;
}

/* --- checks ----------------------------------------------------------------------- */

static int type_err(struct ip_lang *l, const struct ip_prim *p, const char *what)
{
    char buf[64];

    return ip_lang_err(l, "'%s': %s", ip_prim_type_text(l, p->srcdst, p->type, buf),
                       what);
}

static const char *op_text(const struct ip_prim *p)
{
    static const char *const text[3][2] = {{"=", "!="}, {">", "<="}, {"<", ">="}};

    return text[p->op][p->negated];
}

/* "x & MASK > value": of the values the mask can take, the largest that is not above. A
 * bit of the value outside the mask makes all lower ones irrelevant. */
static uint32_t mask_floor(uint32_t value, uint32_t mask)
{
    uint32_t missing = value & ~mask;

    if (missing)
        value |= UINT32_MAX >> __builtin_clz(missing);
    return value & mask;
}

static int set_mask(struct ip_prim *p, uint32_t full, uint32_t given, struct ip_lang *l)
{
    uint32_t mask = given ? given : full, value = p->u.u;
    char buf[64];
    bool will_be;

    if (mask & ~full)
        return ip_lang_err(l, "'%s': mask out of range, bound 0x%X",
                           ip_prim_type_text(l, p->srcdst, p->type, buf), full);
    if (p->op == PRIM_EQ) {
        if (value > full)
            return ip_lang_err(l, "'%s': out of range, bound %u",
                               ip_prim_type_text(l, p->srcdst, p->type, buf), full);
        p->mask.u = mask;
        return 0;
    }
    if ((p->op == PRIM_LT && (value == 0 || value > mask)) ||
        (p->op == PRIM_GT && value >= mask)) {
        will_be = p->op == PRIM_LT && value > mask ? !p->negated : p->negated;
        ip_lang_warn(l, "relation '%s %u' is always %s (range 0-%u)", op_text(p), value,
                     will_be ? "true" : "false", mask);
        p->u.u = p->mask.u = 0;
        p->negated = !will_be;
        p->op = PRIM_EQ;
        return 0;
    }
    if (p->op == PRIM_LT) { /* x < v is not x > v - 1 */
        value--;
        p->negated = !p->negated;
        p->op = PRIM_GT;
    }
    p->u.u = mask_floor(value, mask);
    p->mask.u = mask;
    return 0;
}

/* The type of a test that consists of a value, from the value and the test before. */
static int infer_type(struct ip_prim *p, const struct ip_prim *before,
                      struct ip_lang *l)
{
    char buf[64];

    if (p->data == PRIM_INT) {
        if (!(before->type & PRIM_FIELD) && before->type != PRIM_PROTO &&
            before->type != PRIM_PORT)
            return ip_lang_err(l, "specify header field or 'port'");
        p->data = before->type;
    }
    switch (p->data) {
    case PRIM_HOST:
    case PRIM_NET:
    case PRIM_TCPOPT:
    case PRIM_ETHER:
        p->srcdst = p->srcdst ? p->srcdst : before->srcdst;
        break;
    case PRIM_PROTO:
        break;
    case PRIM_PORT:
        p->srcdst = p->srcdst ? p->srcdst : before->srcdst;
        if (p->proto == PROTO_UNKNOWN)
            p->proto = before->proto;
        break;
    case PRIM_NONE:
        if (p->proto == PROTO_UNKNOWN)
            return ip_lang_err(l, "partial directive");
        p->type = PRIM_PROTO;
        return 0;
    default:
        if (!(p->data & PRIM_FIELD))
            return ip_lang_err(l, "unknown type '%s'",
                               ip_prim_type_text(l, SD_NONE, p->data, buf));
        if (PRIM_FIELD_PROTO(p->data) && p->proto == PROTO_UNKNOWN)
            p->proto = PRIM_FIELD_PROTO(p->data);
        break;
    }
    p->type = p->data;
    return 0;
}

static int check_address(struct ip_prim *p, int header, int mask_kind,
                         const union prim_data *mask, struct ip_lang *l)
{
    bool ether = p->type == PRIM_ETHER;

    if (header != (ether ? 'e' : 'i') || p->data != p->type)
        return type_err(l, p, "address missing");
    if (p->op != PRIM_EQ)
        return type_err(l, p, "operator not supported");
    if (ether) {
        memset(p->mask.c, 0xFF, 6);
        memset(p->mask.c + 6, 0, 2);
        if (mask_kind && mask_kind != PRIM_ETHER)
            return type_err(l, p, "bad mask");
        if (mask_kind)
            memcpy(p->mask.c, mask->c, 6);
        return 0;
    }
    if (p->type == PRIM_HOST)
        memset(&p->mask, 0xFF, sizeof p->mask);
    p->type = PRIM_HOST;
    if (mask_kind && mask_kind != PRIM_HOST && (l->ip6 || mask_kind != PRIM_INT))
        return type_err(l, p, "bad mask");
    if (mask_kind)
        p->mask = *mask;
    return 0;
}

static int check_proto(struct ip_prim *p, int mask_kind, uint32_t mask,
                       struct ip_lang *l)
{
    char buf[64];

    if (p->data == PRIM_INT || p->data == PRIM_PROTO) {
        if (p->proto != PROTO_UNKNOWN && p->proto != p->u.i)
            return type_err(l, p, "specified twice");
        p->data = PRIM_NONE;
    } else {
        p->u.i = p->proto;
    }
    p->proto = PROTO_UNKNOWN;
    if (p->data != PRIM_NONE || p->u.i == PROTO_UNKNOWN)
        return type_err(l, p, "value missing");
    if (p->u.i >= 256) {
        if (p->op != PRIM_EQ || mask_kind)
            return ip_lang_err(l, "'%s': operator or mask not supported",
                               ip_prim_proto_text(p->u.i, buf));
        p->mask.u = 0xFF;
    } else if (mask_kind && mask_kind != PRIM_INT) {
        return type_err(l, p, "bad mask");
    } else if (set_mask(p, 0xFF, mask, l) < 0) {
        return -1;
    }
    if (p->op == PRIM_EQ && p->mask.u == 0xFF && !p->negated)
        p->proto = p->u.i;
    return 0;
}

static int check_port(struct ip_prim *p, int mask_kind, uint32_t mask,
                      struct ip_lang *l)
{
    if (p->data == PRIM_INT)
        p->data = PRIM_PORT;
    if (p->data != PRIM_PORT)
        return type_err(l, p, "value missing");
    if (p->proto == PROTO_UNKNOWN)
        p->proto = PROTO_TCP_OR_UDP;
    else if (p->proto != IP_TCP && p->proto != IP_UDP && p->proto != PROTO_TCP_OR_UDP &&
             p->proto != IP_DCCP)
        return ip_lang_err(l, "'port': bad protocol %d", p->proto);
    else if (mask_kind && mask_kind != PRIM_INT)
        return type_err(l, p, "bad mask");
    return set_mask(p, 0xFFFF, mask, l);
}

static int check_tcp_opt(struct ip_prim *p, int mask_kind, struct ip_lang *l)
{
    if (p->data == PRIM_INT)
        p->data = PRIM_TCPOPT;
    if (p->data != PRIM_TCPOPT)
        return type_err(l, p, "value missing");
    if (p->proto == PROTO_UNKNOWN)
        p->proto = IP_TCP;
    else if (p->proto != IP_TCP)
        return ip_lang_err(l, "'tcp opt': bad protocol %d", p->proto);
    if (p->op != PRIM_EQ || p->negated || mask_kind)
        return type_err(l, p, "operator or mask not supported");
    if (p->u.i < 0 || p->u.i > 255)
        return ip_lang_err(l, "'tcp opt': value %d out of range", p->u.i);
    p->mask.u = p->u.u;
    return 0;
}

static int check_ect(struct ip_prim *p, int mask_kind, uint32_t mask, struct ip_lang *l)
{
    if (p->data != PRIM_NONE && p->data != PRIM_INT)
        return type_err(l, p, "value missing");
    if (p->data == PRIM_NONE) {
        p->u.u = 0;
        p->negated = true;
    } else if (mask_kind && mask_kind != PRIM_INT) {
        return type_err(l, p, "bad mask");
    }
    if (set_mask(p, 3, mask, l) < 0)
        return -1;
    p->type = tos_type(l);
    return 0;
}

/* ce, frag and unfrag stand for themselves. */
static int check_word(struct ip_prim *p, int mask_kind, struct ip_lang *l)
{
    if (p->data != PRIM_NONE || mask_kind)
        return type_err(l, p, "value not supported");
    if (p->type == PRIM_CE) {
        p->mask.u = p->u.u = 3;
        p->type = tos_type(l);
        return 0;
    }
    if (p->type == PRIM_UNFRAG)
        p->negated = true;
    p->type = PRIM_FRAG;
    return 0;
}

static int check_field(struct ip_prim *p, int mask_kind, uint32_t mask,
                       struct ip_lang *l)
{
    if (p->data != PRIM_INT && p->data != p->type)
        return type_err(l, p, "value missing");
    if (mask_kind && mask_kind != PRIM_INT && mask_kind != p->type)
        return type_err(l, p, "bad mask");
    return set_mask(p, UINT32_MAX >> (32 - PRIM_FIELD_BITS(p->type)), mask, l);
}

static int check_by_type(struct ip_prim *p, int header, int mask_kind,
                         const union prim_data *mask, struct ip_lang *l)
{
    uint32_t m = mask_kind ? mask->u : 0;

    if (p->type == PRIM_HOST || p->type == PRIM_NET || p->type == PRIM_ETHER)
        return check_address(p, header, mask_kind, mask, l);
    if (header != 'i')
        return type_err(l, p, "ip only");
    switch (p->type) {
    case PRIM_PROTO:
        return check_proto(p, mask_kind, m, l);
    case PRIM_PORT:
        return check_port(p, mask_kind, m, l);
    case PRIM_TCPOPT:
        return check_tcp_opt(p, mask_kind, l);
    case PRIM_ECT:
        return check_ect(p, mask_kind, m, l);
    case PRIM_CE:
    case PRIM_FRAG:
    case PRIM_UNFRAG:
        return check_word(p, mask_kind, l);
    default:
        return check_field(p, mask_kind, m, l);
    }
}

int ip_prim_check(struct ip_prim *p, const struct ip_prim *before, int header,
                  int mask_kind, const union prim_data *mask, struct ip_lang *l)
{
    int srcdst = p->srcdst;
    char buf[64];

    if (p->type < 0 || (!p->type && infer_type(p, before, l) < 0))
        return -1;
    if (!header)
        header = p->data == PRIM_ETHER ? 'e' : 'i';
    if (header == 'e' && p->type == PRIM_HOST)
        p->type = PRIM_ETHER;
    if (check_by_type(p, header, mask_kind, mask, l) < 0)
        return -1;
    if (p->type == PRIM_HOST || p->type == PRIM_PORT || p->type == PRIM_ETHER) {
        if (!p->srcdst)
            p->srcdst = SD_OR;
    } else if (srcdst) {
        ip_lang_warn(l, "'%s': 'src' or 'dst' ignored",
                     ip_prim_type_text(l, p->srcdst, p->type, buf));
    }
    return 0;
}

/* --- trees ------------------------------------------------------------------------ */

/* A test of the field whose lowest bit is `shift` bits above the end of the word. */
static struct expr *compare(const struct ip_prim *p, struct arena *a, int base,
                            uint32_t offset, unsigned shift)
{
    return expr_test(a, (struct expr_test){
                            .base = (uint8_t)base,
                            .offset = (uint16_t)offset,
                            .op = p->op == PRIM_GT ? EXPR_GT : EXPR_EQ,
                            .negated = p->negated,
                            .mask = p->mask.u << shift,
                            .value = (p->u.u & p->mask.u) << shift,
                        });
}

static struct expr *equal(struct arena *a, int base, uint32_t offset, uint32_t value,
                          uint32_t mask)
{
    return expr_test(a, (struct expr_test){.base = (uint8_t)base,
                                           .offset = (uint16_t)offset,
                                           .mask = mask,
                                           .value = value & mask});
}

/* Where protocol and fragment field are: both kinds of header have them in one place. */
static int header_base(const struct ip_lang *l)
{
    return l->ip6 ? BASE_IP6 : BASE_NET;
}

static struct expr *proto_expr(int proto, const struct ip_lang *l)
{
    int base = header_base(l);
    struct arena *a = l->arena;
    struct expr *x;

    if (proto != PROTO_TCP_OR_UDP)
        return proto >= 256 ? expr_true(a)
                            : equal(a, base, 8, (uint32_t)proto << 16, 0xFF0000);
    x = expr_list(a, EXPR_OR);
    expr_add(a, &x, equal(a, base, 8, IP_TCP << 16, 0xFF0000));
    expr_add(a, &x, equal(a, base, 8, IP_UDP << 16, 0xFF0000));
    return x;
}

/* "src", "dst" or both of them: `make` does one side. "!=" turns "or" into "and". */
static struct expr *both_sides(const struct ip_prim *p, struct arena *a,
                               struct expr *(*make)(const struct ip_prim *p,
                                                    struct arena *a, bool dst))
{
    struct expr *x;

    if (p->srcdst == SD_SRC || p->srcdst == SD_DST)
        return make(p, a, p->srcdst == SD_DST);
    x = expr_list(a, (p->srcdst == SD_OR) != p->negated ? EXPR_OR : EXPR_AND);
    expr_add(a, &x, make(p, a, false));
    expr_add(a, &x, make(p, a, true));
    return x;
}

static struct expr *host_side(const struct ip_prim *p, struct arena *a, bool dst)
{
    struct ip_prim host = *p;

    host.u.u = __builtin_bswap32(p->u.u);
    host.mask.u = __builtin_bswap32(p->mask.u);
    return compare(&host, a, BASE_NET, dst ? 16 : 12, 0);
}

static struct expr *port_side(const struct ip_prim *p, struct arena *a, bool dst)
{
    return compare(p, a, BASE_TRANSP, 0, dst ? 0 : 16);
}

static uint32_t number(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* An address of `words` words at `offset`, in network byte order. */
static struct expr *words_expr(const struct ip_prim *p, struct arena *a, int base,
                               uint32_t offset, const uint8_t *value,
                               const uint8_t *mask, uint32_t words)
{
    struct ip_prim one = *p;
    struct expr *x = expr_list(a, p->negated ? EXPR_OR : EXPR_AND);
    bool any = false;

    for (uint32_t i = 0; i < 4 * words; i += 4) {
        one.u.u = number(value + i);
        one.mask.u = number(mask + i);
        /* what is not asked for needs no test, as long as there is one at all */
        if (!one.mask.u && (any || i + 4 < 4 * words))
            continue;
        any = true;
        expr_add(a, &x, compare(&one, a, base, offset + i, 0));
    }
    return x;
}

/* Six bytes are two words: 2 + 4 at offset 0 (destination), 4 + 2 at 8 (source). */
static struct expr *ether_side(const struct ip_prim *p, struct arena *a, bool dst)
{
    uint8_t value[8] = {0}, mask[8] = {0};

    memcpy(value + (dst ? 2 : 0), p->u.c, 6);
    memcpy(mask + (dst ? 2 : 0), p->mask.c, 6);
    return words_expr(p, a, BASE_MAC, dst ? 0 : 8, value, mask, 2);
}

static struct expr *host6_side(const struct ip_prim *p, struct arena *a, bool dst)
{
    return words_expr(p, a, BASE_NET, dst ? 24 : 8, p->u.ip6.b, p->mask.ip6.b, 4);
}

static struct expr *field_expr(const struct ip_prim *p, struct arena *a)
{
    uint32_t bit = PRIM_FIELD_BIT(p->type), bits = PRIM_FIELD_BITS(p->type);

    return compare(p, a, PRIM_FIELD_PROTO(p->type) ? BASE_TRANSP : BASE_NET,
                   bit / 32 * 4, 32 - (bit % 32 + bits));
}

static struct expr *frag_expr(const struct ip_prim *p, const struct ip_lang *l)
{
    return expr_test(l->arena, (struct expr_test){.base = (uint8_t)header_base(l),
                                                  .offset = 4,
                                                  .negated = !p->negated,
                                                  .mask = 0x3FFF});
}

static struct expr *main_expr(const struct ip_prim *p, const struct ip_lang *l)
{
    struct arena *a = l->arena;

    switch (p->type) {
    case PRIM_HOST:
        return both_sides(p, a, l->ip6 ? host6_side : host_side);
    case PRIM_PORT:
        return both_sides(p, a, port_side);
    case PRIM_ETHER:
        return both_sides(p, a, ether_side);
    case PRIM_FRAG:
        return frag_expr(p, l);
    case PRIM_TCPOPT:
        return equal(a, BASE_TRANSP, 12, p->u.u << 16, p->mask.u << 16);
    case PRIM_PROTO:
        return p->proto == PROTO_UNKNOWN ? compare(p, a, header_base(l), 8, 16)
                                         : expr_true(a);
    default:
        return field_expr(p, a);
    }
}

/* The protocol, then that this is the first fragment, then the test itself. */
struct expr *ip_prim_expr(const struct ip_prim *p, const struct ip_lang *l)
{
    struct arena *a = l->arena;
    struct expr *x;

    if (p->proto == PROTO_UNKNOWN)
        return main_expr(p, l);
    x = expr_list(a, EXPR_AND);
    if (p->proto < 256 || p->proto == PROTO_TCP_OR_UDP)
        expr_add(a, &x, proto_expr(p->proto, l));
    if (p->type == PRIM_PORT || p->type == PRIM_TCPOPT ||
        ((p->type & PRIM_FIELD) && PRIM_FIELD_PROTO(p->type)))
        expr_add(a, &x, equal(a, header_base(l), 4, 0, 0x1FFF));
    if (p->type != PRIM_PROTO)
        expr_add(a, &x, main_expr(p, l));
    return x;
}
