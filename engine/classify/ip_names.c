// SPDX-License-Identifier: BSD-3-Clause
/* ip_names.c -- the words of the IP filter language, read and written: see ip_prim.h */

#include "engine/classify/ip_prim.h"

#include "base/sbuf.h"
#include "engine/nameinfo.h"

#include <stdio.h>
#include <string.h>

enum { IP_TCP = 6, IP_UDP = 17, ICMP6 = 58 };

const char *ip_prim_proto_text(int proto, char *buf)
{
    switch (proto) {
    case PROTO_UNKNOWN:
        return "";
    case 1:
        return "icmp";
    case 2:
        return "igmp";
    case 4:
        return "ipip";
    case IP_TCP:
        return "tcp";
    case IP_UDP:
        return "udp";
    case PROTO_TCP_OR_UDP:
        return "tcpudp";
    case PROTO_TRANSP:
        return "transp";
    default:
        snprintf(buf, 64, "ip proto %d", proto);
        return buf;
    }
}

static const char *field_text(int type)
{
    switch (type) {
    case PRIM_FIELD_CODE(0, 16, 16):
        return "ip len";
    case PRIM_FIELD_CODE(0, 32, 16):
        return "ip id";
    case PRIM_FIELD_CODE(0, 0, 4):
        return "ip vers";
    case PRIM_FIELD_CODE(0, 4, 4):
        return "ip hl";
    case PRIM_FIELD_CODE(0, 8, 8):
        return "ip tos";
    case PRIM_FIELD_CODE(0, 8, 6):
        return "ip dscp";
    case PRIM_FIELD_CODE(0, 64, 8):
        return "ip ttl";
    case PRIM_FIELD_CODE(IP_TCP, 14 * 8, 16):
        return "tcp win";
    case PRIM_FIELD_CODE(1, 0, 8):
        return "icmp type";
    default:
        return NULL;
    }
}

static const char *field6_text(int type)
{
    switch (type) {
    case PRIM_FIELD_CODE(0, 32, 16):
        return "ip len";
    case PRIM_FIELD_CODE(0, 0, 4):
        return "ip vers";
    case PRIM_FIELD_CODE(0, 4, 8):
        return "ip tclass";
    case PRIM_FIELD_CODE(0, 4, 6):
        return "ip dscp";
    case PRIM_FIELD_CODE(0, 12, 20):
        return "ip flow";
    case PRIM_FIELD_CODE(0, 48, 8):
        return "ip next";
    case PRIM_FIELD_CODE(0, 56, 8):
        return "ip hlim";
    case PRIM_FIELD_CODE(IP_TCP, 14 * 8, 16):
        return "tcp win";
    case PRIM_FIELD_CODE(ICMP6, 0, 8):
        return "icmp6 type";
    default:
        return NULL;
    }
}

const char *ip_prim_type_text(const struct ip_lang *l, int srcdst, int type, char *buf)
{
    static const char *const side[] = {"", "src ", "dst ", "src and dst ",
                                       "src or dst "};
    static const struct {
        int type;
        const char *text;
    } types[] = {
        {PRIM_NONE, "<none>"},      {PRIM_HOST, "ip host"}, {PRIM_PROTO, "proto"},
        {PRIM_ETHER, "ether host"}, {PRIM_FRAG, "ip frag"}, {PRIM_PORT, "port"},
        {PRIM_TCPOPT, "tcp opt"},   {PRIM_NET, "ip net"},   {PRIM_UNFRAG, "ip unfrag"},
        {PRIM_ECT, "ip ect"},       {PRIM_CE, "ip ce"}};
    char proto[64];
    const char *text = l->ip6 ? field6_text(type) : field_text(type);

    if (!text && (type & PRIM_FIELD) && type > 0) {
        int p = PRIM_FIELD_PROTO(type);
        snprintf(buf, 64, "%s%.30s[...]", side[srcdst],
                 p ? ip_prim_proto_text(p, proto) : "ip");
        return buf;
    }
    for (size_t i = 0; !text && i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            text = types[i].text;
    if (text)
        snprintf(buf, 64, "%s%s", side[srcdst], text);
    else
        snprintf(buf, 64, "%s<unknown type %d>", side[srcdst], type);
    return buf;
}

static void word_text(const struct ip_lang *l, struct sbuf *out, int type, int proto,
                      const char *word)
{
    char buf[64];
    const char *text = ip_prim_proto_text(proto, buf);

    sbuf_printf(out, "%s ", ip_prim_type_text(l, SD_NONE, type, (char[64]){0}));
    sbuf_printf(out, "%s %s", text, word);
}

struct ip_name { /* what one word means to each of the five name spaces */
    bool got[5];
    uint32_t value[5];
    int type; /* of a word that names a type, else 0 */
};

enum { NAME_OF_PROTO, NAME_OF_TCP, NAME_OF_UDP, NAME_OF_TCPOPT, NAME_OF_ICMP };

struct static_name {
    const char *name;
    int value;
};

static const struct static_name type_names[] = {
    {"ce", PRIM_CE},
    {"dest", PRIM_SYNTAX},
    {"dscp", PRIM_FIELD_CODE(0, 8, 6)},
    {"dst", PRIM_SYNTAX},
    {"ect", PRIM_ECT},
    {"ether", PRIM_SYNTAX},
    {"frag", PRIM_FRAG},
    {"hl", PRIM_FIELD_CODE(0, 4, 4)},
    {"host", PRIM_HOST},
    {"id", PRIM_FIELD_CODE(0, 32, 16)},
    {"ip", PRIM_SYNTAX},
    {"len", PRIM_FIELD_CODE(0, 16, 16)},
    {"net", PRIM_NET},
    {"not", PRIM_SYNTAX},
    {"opt", PRIM_TCPOPT},
    {"port", PRIM_PORT},
    {"proto", PRIM_PROTO},
    {"src", PRIM_SYNTAX},
    {"tos", PRIM_FIELD_CODE(0, 8, 8)},
    {"ttl", PRIM_FIELD_CODE(0, 64, 8)},
    {"type", PRIM_FIELD_CODE(1, 0, 8)},
    {"unfrag", PRIM_UNFRAG},
    {"vers", PRIM_FIELD_CODE(0, 0, 4)},
    {"win", PRIM_FIELD_CODE(IP_TCP, 14 * 8, 16)},
    {NULL, 0},
};

static const struct static_name type6_names[] = {
    {"ce", PRIM_CE},
    {"dest", PRIM_SYNTAX},
    {"dscp", PRIM_FIELD_CODE(0, 4, 6)},
    {"dst", PRIM_SYNTAX},
    {"ecn", PRIM_FIELD_CODE(0, 10, 2)},
    {"ect", PRIM_ECT},
    {"ether", PRIM_SYNTAX},
    {"flow", PRIM_FIELD_CODE(0, 12, 20)},
    {"frag", PRIM_FRAG},
    {"hlim", PRIM_FIELD_CODE(0, 56, 8)},
    {"host", PRIM_HOST},
    {"ip", PRIM_SYNTAX},
    {"ip6", PRIM_SYNTAX},
    {"len", PRIM_FIELD_CODE(0, 32, 16)},
    {"net", PRIM_NET},
    {"next", PRIM_FIELD_CODE(0, 48, 8)},
    {"not", PRIM_SYNTAX},
    {"nxt", PRIM_FIELD_CODE(0, 48, 8)},
    {"opt", PRIM_TCPOPT},
    {"plen", PRIM_FIELD_CODE(0, 32, 16)},
    {"port", PRIM_PORT},
    {"proto", PRIM_PROTO},
    {"src", PRIM_SYNTAX},
    {"tclass", PRIM_FIELD_CODE(0, 4, 8)},
    {"tos", PRIM_FIELD_CODE(0, 4, 8)},
    {"ttl", PRIM_FIELD_CODE(0, 56, 8)},
    {"type", PRIM_FIELD_CODE(ICMP6, 0, 8)},
    {"unfrag", PRIM_UNFRAG},
    {"vers", PRIM_FIELD_CODE(0, 0, 4)},
    {"win", PRIM_FIELD_CODE(IP_TCP, 14 * 8, 16)},
    {NULL, 0},
};

static const struct static_name icmp6_names[] = {
    {"echo", 128},           {"echo-reply", 129},
    {"neighboradvert", 136}, {"neighborsolicit", 135},
    {"parameterproblem", 4}, {"redirect", 137},
    {"routeradvert", 134},   {"routersolicit", 133},
    {"timeexceeded", 3},     {"toobig", 2},
    {"unreachable", 1},      {NULL, 0},
};

static const struct static_name tcp_opt_names[] = {
    {"fin", 1}, {"syn", 2}, {"rst", 4}, {"psh", 8}, {"ack", 16}, {"urg", 32}, {NULL, 0},
};

static bool static_find(const struct static_name *names, const char *word,
                        uint32_t *value)
{
    for (; names->name; names++)
        if (strcmp(names->name, word) == 0) {
            *value = (uint32_t)names->value;
            return true;
        }
    return false;
}

static void query_all(struct ip_lang *l, const char *word, struct ip_name *n)
{
    static const unsigned kind[5] = {[NAME_OF_PROTO] = NAME_IP_PROTO,
                                     [NAME_OF_TCP] = NAME_PORT + IP_TCP,
                                     [NAME_OF_UDP] = NAME_PORT + IP_UDP,
                                     [NAME_OF_ICMP] = NAME_ICMP_TYPE};
    uint32_t type = 0;

    *n = (struct ip_name){0};
    if (static_find(l->ip6 ? type6_names : type_names, word, &type))
        n->type = (int)type;
    for (int i = 0; i < 5; i++)
        if (i != NAME_OF_TCPOPT)
            n->got[i] = name_query(l->context, kind[i], word, &n->value[i],
                                   sizeof n->value[i]);
    n->got[NAME_OF_TCPOPT] = static_find(tcp_opt_names, word,
                                         &n->value[NAME_OF_TCPOPT]);
    if (!l->ip6)
        return;
    n->got[NAME_OF_ICMP] = static_find(icmp6_names, word, &n->value[NAME_OF_ICMP]);
    if (strcmp(word, "icmp") == 0)
        n->value[NAME_OF_PROTO] = ICMP6;
}

/* Words repeat in every rule, so what they mean is kept. Plain numbers and addresses,
 * which do not repeat, are no names at all. */
static void name_get(struct ip_lang *l, const char *word, struct ip_name *n)
{
    struct ip_name *known;
    char *key;

    if (word[strspn(word, "0123456789./")] == '\0') {
        *n = (struct ip_name){0};
        return;
    }
    known = strmap_gets(&l->names, word);
    if (known) {
        *n = *known;
        return;
    }
    query_all(l, word, n);
    if (!l->names_arena)
        l->names_arena = arena_new(0);
    if (!l->names_arena)
        return;
    known = arena_alloc(l->names_arena, sizeof *known);
    key = arena_strdup(l->names_arena, word);
    if (known && key) {
        *known = *n;
        strmap_puts(&l->names, key, known);
    }
}

static bool protocol_is(int proto, int wanted)
{
    return proto == PROTO_UNKNOWN || proto == wanted ||
           (proto == PROTO_TCP_OR_UDP && (wanted == IP_TCP || wanted == IP_UDP));
}

int ip_prim_lookup(struct ip_lang *l, const char *word, int type, int proto, bool quiet,
                   uint32_t *data)
{
    const int icmp = l->ip6 ? ICMP6 : 1;
    const int kind[5] = {PRIM_PROTO, PRIM_PORT, PRIM_PORT, PRIM_TCPOPT,
                         PRIM_FIELD_CODE(icmp, 0, 8)};
    const int of[5] = {PROTO_UNKNOWN, IP_TCP, IP_UDP, IP_TCP, icmp};
    int fits = 0, which = 0, known = 0;
    struct sbuf text = SBUF_INIT, tries = SBUF_INIT;
    struct ip_name n;

    name_get(l, word, &n);
    if ((type == PRIM_NONE || type == PRIM_TYPE) && n.type) {
        *data = (uint32_t)n.type;
        return n.type == PRIM_SYNTAX ? -1 : PRIM_TYPE;
    }
    for (int i = 4; i >= 0; i--) {
        known += n.got[i];
        if (!n.got[i] || (type && type != kind[i]) ||
            (i != NAME_OF_PROTO && !protocol_is(proto, of[i])))
            continue;
        /* one answer when TCP and UDP agree on a port */
        if (i == NAME_OF_TCP && fits && which == NAME_OF_UDP &&
            n.value[1] == n.value[2])
            fits--;
        fits++;
        which = i;
    }
    if (!known)
        return -1;
    if (fits == 1) {
        *data = n.value[which];
        return kind[which];
    }
    if (quiet)
        return -2;
    word_text(l, &text, type, proto, word);
    for (int i = 0; i < 5; i++)
        if (n.got[i]) {
            sbuf_puts(&tries, tries.len ? ", '" : "'");
            word_text(l, &tries, kind[i], proto, word);
            sbuf_putc(&tries, '\'');
        }
    ip_lang_err(l, "'%s' is %s; try %s", sbuf_text(&text),
                fits > 1 ? "ambiguous" : "meaningless", sbuf_text(&tries));
    sbuf_fini(&text);
    sbuf_fini(&tries);
    return -2;
}
