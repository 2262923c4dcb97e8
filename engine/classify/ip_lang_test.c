// SPDX-License-Identifier: BSD-3-Clause
#include "engine/classify/ip_lang.h"
#include "tests/test.h"

#include <string.h>

static struct arena *arena;
static struct diag diag;

SETUP()
{
    arena = arena_new(0);
    diag = DIAG_INIT;
}

TEARDOWN()
{
    diag_fini(&diag);
    arena_free(arena);
}

/* --- packets ---------------------------------------------------------------------- */

/* An Ethernet frame with an IP packet: 14 + 20 + 20 bytes. */
struct packet {
    uint8_t bytes[54];
    struct expr_view view;
};

static void set_len(struct packet *p, uint32_t len)
{
    for (int b = 0; b < N_BASES; b++)
        p->view.base[b] = p->bytes;
    p->view.base[BASE_NET] += 14;
    p->view.base[BASE_TRANSP] += 34;
    p->view.len[BASE_DATA] = p->view.len[BASE_MAC] = len;
    p->view.len[BASE_NET] = len > 14 ? len - 14 : 0;
    p->view.len[BASE_TRANSP] = len > 34 ? len - 34 : 0;
}

/* 10.0.0.1:1025 > 10.0.0.2:80, SYN, id 0x1234, ttl 64, tos 0x2a, win 500. */
static struct packet tcp_packet(void)
{
    static const uint8_t bytes[54] = {
        0,    1,    2,  3,  4,    5,    16, 17,   18, 19, 20, 21, 8,  0, /* Ethernet */
        0x45, 0x2a, 0,  40, 0x12, 0x34, 0,  0,    64, 6,  0,  0,  10, 0,
        0,    1,    10, 0,  0,    2,    4,  1,    0,  80, 0,  0,  0,  1,
        0,    0,    0,  0,  0x50, 2,    1,  0xf4, 0,  0,  0,  0};
    struct packet p;

    memcpy(p.bytes, bytes, sizeof bytes);
    set_len(&p, sizeof bytes);
    return p;
}

static struct packet udp_packet(void)
{
    struct packet p = tcp_packet();

    p.bytes[23] = 17;
    return p;
}

static struct packet icmp_packet(uint8_t type)
{
    struct packet p = tcp_packet();

    p.bytes[23] = 1;
    p.bytes[34] = type;
    return p;
}

static struct packet fragment(struct packet p, uint8_t high, uint8_t low)
{
    p.bytes[20] = high;
    p.bytes[21] = low;
    return p;
}

static struct packet cut(struct packet p, uint32_t len)
{
    set_len(&p, len);
    return p;
}

/* --- what an expression says ------------------------------------------------------ */

static const struct expr *parse(const char *text)
{
    struct ip_lang l;
    const struct expr *x;

    ip_lang_init(&l, arena, NULL, &diag);
    EXPECT_EQ(ip_lang_split(&l, 0, text), 0);
    x = ip_lang_parse(&l, 0);
    ip_lang_fini(&l);
    return x;
}

static bool matches(const char *text, struct packet p)
{
    const struct expr *x = parse(text);

    if (!x)
        fail_msg("%s: %s", text, diag_text(&diag));
    set_len(&p, p.view.len[BASE_DATA]); /* the bytes have moved */
    return expr_eval(x, &p.view);
}

static void yes(const char *text, struct packet p)
{
    if (!matches(text, p))
        fail_msg("%s does not match", text);
}

static void no(const char *text, struct packet p)
{
    if (matches(text, p))
        fail_msg("%s matches", text);
}

static void says(const char *text, const char *message)
{
    diag_reset(&diag);
    parse(text);
    if (!strstr(diag_text(&diag), message))
        fail_msg("%s says %s", text, diag_text(&diag));
}

TEST(addresses_match_on_either_side_unless_one_is_named)
{
    yes("host 10.0.0.1", tcp_packet());
    yes("10.0.0.2", tcp_packet());
    yes("src host 10.0.0.1", tcp_packet());
    no("dst host 10.0.0.1", tcp_packet());
    yes("src or dst 10.0.0.2", tcp_packet());
    no("src and dst host 10.0.0.1", tcp_packet());
    yes("src and dst net 10.0.0.0/8", tcp_packet());
    yes("net 10.0.0.0 mask 255.255.255.0", tcp_packet());
    no("src host != 10.0.0.1", tcp_packet());
    yes("dst host != 10.0.0.1", tcp_packet());
    no("host != 10.0.0.1", tcp_packet());
    yes("src host & 255.0.0.255 == 10.9.9.1", tcp_packet());
    yes("ether host 00-01-02-03-04-05", tcp_packet());
    yes("dst ether 00:01:02:03:04:05", tcp_packet());
    no("src ether host 00:01:02:03:04:05", tcp_packet());
    yes("src ether host 10:11:12:13:14:15", tcp_packet());
}

TEST(fields_of_the_ip_header_compare)
{
    yes("ip vers 4 && ip hl 5 && ip tos 42 && ip dscp 10", tcp_packet());
    yes("ip id 0x1234 and ip ttl > 63 and ip ttl <= 64 and ip len 40", tcp_packet());
    no("ip ttl < 64", tcp_packet());
    yes("ip ttl >= 64", tcp_packet());
    yes("ip ttl != 63", tcp_packet());
    yes("ip ect", tcp_packet());
    no("ip ce", tcp_packet());
    yes("ip unfrag", tcp_packet());
    no("ip frag", tcp_packet());
    yes("ip frag", fragment(tcp_packet(), 0x20, 0));
    yes("frag", fragment(tcp_packet(), 0, 1));
    yes("unfrag", fragment(tcp_packet(), 0x40, 0));
    yes("ip proto 6", tcp_packet());
    yes("ip proto tcp", tcp_packet());
    yes("ip proto != udp", tcp_packet());
    no("ip proto != 6", tcp_packet());
    yes("tcpudp", udp_packet());
    yes("ip[12] 10", tcp_packet());
    yes("ip[12:4] 0x0a000001", tcp_packet());
    yes("ip[14,15] 1", tcp_packet());
    yes("ip[0] & 0xf0 == 0x40", tcp_packet());
    yes("ip tos & 3 2", tcp_packet());
}

TEST(ports_are_those_of_tcp_and_udp)
{
    yes("port 80", tcp_packet());
    yes("dst port www", tcp_packet());
    yes("www", udp_packet());
    no("src port 80", tcp_packet());
    yes("src port > 1023", tcp_packet());
    no("src port > 1025", tcp_packet());
    yes("src port >= 1025 and src port <= 1025", tcp_packet());
    yes("dst tcp port 80", tcp_packet());
    no("dst udp port 80", tcp_packet());
    no("port 80", icmp_packet(8));
    yes("dst port 79 or 80", tcp_packet());
    yes("dst tcp port 443 or 80 or 8080", tcp_packet());
    no("dst udp port 443 or 80", tcp_packet());
    yes("src port & 1 == 1", tcp_packet());
}

TEST(tcp_options_windows_and_icmp_types_have_words)
{
    yes("tcp opt syn", tcp_packet());
    yes("syn", tcp_packet());
    no("ack", tcp_packet());
    no("syn and ack", tcp_packet());
    yes("tcp win 500", tcp_packet());
    no("win < 500", tcp_packet());
    yes("icmp type echo", icmp_packet(8));
    yes("icmp type 8", icmp_packet(8));
    yes("icmp type echo-reply", icmp_packet(0));
    yes("icmp type != echo", icmp_packet(0));
    no("icmp type != echo", tcp_packet());
    yes("tcp[13] & 2 != 0", tcp_packet());
    no("udp[13] 2", tcp_packet());
    yes("transp[0:2] 1025", tcp_packet());
}

TEST(tests_combine)
{
    yes("tcp and (dst port 80 or dst port 443) && !ack", tcp_packet());
    yes("tcp syn", tcp_packet());
    yes("not udp and not icmp", tcp_packet());
    yes("! ! tcp", tcp_packet());
    yes("tcp ? dst port 80 : false", tcp_packet());
    no("udp ? true : icmp ? true : false", tcp_packet());
    yes("true", tcp_packet());
    no("false", tcp_packet());
    yes("", tcp_packet());
    yes("all", tcp_packet());
    yes("any", tcp_packet());
    yes("-", tcp_packet());
    yes("not false", tcp_packet());
    no("src not host 10.0.0.1", tcp_packet());
}

TEST(a_relation_wants_a_port_and_a_not_does_not)
{
    yes("dst port != 81", tcp_packet());
    no("dst port != 81", icmp_packet(8));
    yes("not dst port 81", icmp_packet(8));
    no("dst port 80", fragment(tcp_packet(), 0, 1));
    no("dst port != 81", fragment(tcp_packet(), 0, 1));
    yes("not dst port 80", fragment(tcp_packet(), 0, 1));
    yes("dst port 80", fragment(tcp_packet(), 0x20, 0));
    no("dst port 80", cut(tcp_packet(), 37));
    no("dst port != 81", cut(tcp_packet(), 37));
    yes("src port 1025", cut(tcp_packet(), 37));
    yes("not dst port 80", cut(tcp_packet(), 37));
    no("syn", cut(tcp_packet(), 47));
    no("ip vers 4", cut(tcp_packet(), 14));
    no("src host != 1.2.3.4", cut(tcp_packet(), 20));
    yes("not src host 1.2.3.4", cut(tcp_packet(), 20));
    no("tcp win != 3", cut(tcp_packet(), 49));
}

TEST(what_is_wrong_is_said_in_clicks_words)
{
    says("foo", "pattern 0: empty term near 'foo'");
    says("port syn", "'port  syn' is meaningless; try 'tcp opt  syn'");
    says("host", "'ip host': address missing");
    says("port", "'port': value missing");
    says("src", "partial directive");
    says("5", "specify header field or 'port'");
    says("tcp udp port 5", "transport protocol specified twice");
    says("src dst port 5", "'src' or 'dst' specified twice");
    says("ip ttl id 5", "type specified twice");
    says("icmp port 5", "'port': bad protocol 1");
    says("port 65536", "'port': out of range, bound 65535");
    says("src port 65536", "'src port': out of range, bound 65535");
    says("ip ttl & 0x100 1", "'ip ttl': mask out of range, bound 0xFF");
    says("ip ttl & 0 1", "zero mask ignored");
    says("ip ttl > 255", "relation '> 255' is always false (range 0-255)");
    says("ip ttl <= 255", "relation '<= 255' is always true (range 0-255)");
    says("host > 1.0.0.1", "'ip host': operator not supported");
    says("tcp opt != syn", "'tcp opt': operator or mask not supported");
    says("ip frag 3", "'ip frag': value not supported");
    says("src ip ttl 5", "'src ip ttl': 'src' or 'dst' ignored");
    says("tcp and", "missing expression");
    says("(tcp", "missing ')'");
    says("()", "missing expression after '('");
    says("not", "missing expression after 'not'");
    says("tcp)", "garbage after expression at ')'");
    says("tcp ? udp", "missing ':' in ternary expression");
    says("ip[0:5] 1", "LEN in '[POS:LEN]' out of range, should be between 1 and 4");
    says("ip[3:2] 1", "field [3:2] does not fit in a single word");
    says("ip[x] 1", "syntax error after '[', expected '[POS]' or '[POS:LEN]'");
    says("ip[1 1", "missing ']'");
    says("ip ttl > foo", "dangling operator near 'foo'");
    says("ether host 10.0.0.1", "'ether host': address missing");
}

TEST(nesting_has_an_end)
{
    char text[1000];

    memset(text, '(', sizeof text);
    strcpy(text + sizeof text - 4, "tcp");
    says(text, "expression is nested too deeply");
}
