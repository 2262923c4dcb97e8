// SPDX-License-Identifier: BSD-3-Clause
#include "engine/parse.h"
#include "engine/element.h"
#include "engine/nameinfo.h"
#include "tests/test.h"

#include <string.h>

static uint64_t u64(const char *s)
{
    uint64_t v = 0xdead;

    return parse_u64(s, 0, &v) ? v : 0xdead;
}

TEST(integers_know_their_bases_and_underscores)
{
    EXPECT_EQ(u64("0"), 0);
    EXPECT_EQ(u64("10"), 10);
    EXPECT_EQ(u64("+7"), 7);
    EXPECT_EQ(u64("0x1F"), 31);
    EXPECT_EQ(u64("010"), 8);
    EXPECT_EQ(u64("0b101"), 5);
    EXPECT_EQ(u64("1_000_000"), 1000000);
    EXPECT_EQ(u64("18446744073709551615"), UINT64_MAX);
}

TEST(what_is_no_integer_is_refused)
{
    static const char *const bad[] = {"",   "-1", "08",  "1__0",
                                      "_1", "1_", "0x",  "0b2",
                                      "1 ", " 1", "12a", "18446744073709551616"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_EQ(u64(bad[i]), 0xdead);
}

TEST(a_number_out_of_range_gives_the_bound)
{
    uint64_t v;

    EXPECT_EQ(parse_integer("256", 0, false, 8, &v), PARSE_RANGE);
    EXPECT_EQ(v, 255);
    EXPECT_EQ(parse_integer("-129", 0, true, 8, &v), PARSE_RANGE);
    EXPECT_EQ((int64_t)v, -128);
    EXPECT_EQ(parse_integer("-128", 0, true, 8, &v), PARSE_OK);
    EXPECT_EQ(parse_integer("-9223372036854775808", 0, true, 64, &v), PARSE_OK);
    EXPECT_EQ((int64_t)v, INT64_MIN);
    EXPECT_EQ(parse_integer("x", 0, true, 64, &v), PARSE_INVALID);
}

TEST(times_have_units_and_are_exact)
{
    static const struct {
        const char *s;
        int64_t ns;
    } t[] = {{"1", 1000000000},
             {"0.1s", 100000000},
             {"5ms", 5000000},
             {"3 usec", 3000},
             {"7ns", 7},
             {"2m", 120000000000},
             {"1.5 hr", 5400000000000},
             {"1d", 86400000000000},
             {"1e-3", 1000000},
             {".5", 500000000},
             {"0.0000000005", 1},
             {"0.0000000004", 0},
             {"100000000", 100000000000000000}};
    int64_t ns;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        EXPECT(parse_time(t[i].s, &ns));
        EXPECT_EQ(ns, t[i].ns);
    }
    EXPECT(!parse_time("", &ns));
    EXPECT(!parse_time("s", &ns));
    EXPECT(!parse_time("-1s", &ns));
    EXPECT(!parse_time("1 2", &ns));
    EXPECT(!parse_time("1x", &ns));
    EXPECT_EQ(parse_seconds("1e30", &ns), PARSE_RANGE);
}

TEST(rates_are_bytes_a_second)
{
    static const struct {
        const char *s;
        uint64_t v;
    } t[] = {{"10Mbps", 1250000},   {"100kBps", 100000}, {"5000", 5000},    {"8bps", 1},
             {"1 Gb/s", 125000000}, {"9600baud", 1200},  {"384kbps", 48000}};
    uint64_t v;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        EXPECT(parse_bandwidth(t[i].s, &v));
        EXPECT_EQ(v, t[i].v);
    }
    /* more digits than 64 bits hold matter: found by fuzzing */
    EXPECT(parse_bandwidth("145786976294.838206456Gbps", &v));
    EXPECT_EQ(v, 18223372036854775807u);
    EXPECT(!parse_bandwidth("Mbps", &v));
    EXPECT(!parse_bandwidth("10Xbps", &v));
}

TEST(reals_in_fixed_point_round_half_up)
{
    uint64_t v;
    double f;

    EXPECT(parse_real_fixed("1.5", 8, &v));
    EXPECT_EQ(v, 384);
    EXPECT(parse_real_fixed("0.999999", 16, &v));
    EXPECT_EQ(v, 65536);
    EXPECT(!parse_real_fixed("1e30", 8, &v));
    EXPECT(parse_fraction("50%", &f) && f == 0.5);
    EXPECT(parse_fraction("0.25", &f) && f == 0.25);
    EXPECT(!parse_fraction("1.1", &f));
    EXPECT(!parse_fraction("nan", &f));
}

TEST(reals_out_of_range_say_the_nearest_value)
{
    double f;

    EXPECT(parse_real("1e400", &f) == PARSE_RANGE && f > 1e308);
    EXPECT(parse_real("-1e400", &f) == PARSE_RANGE && f < -1e308);
    EXPECT(parse_real("0.1e-400", &f) == PARSE_RANGE && f == 0);
    EXPECT(parse_real("0.0e10", &f) == PARSE_OK && f == 0);
    EXPECT(parse_real("inf", &f) == PARSE_OK);
    EXPECT(parse_real(" 1", &f) == PARSE_INVALID);
    EXPECT(parse_real("1x", &f) == PARSE_INVALID);
}

static const char *ip_round(const char *s)
{
    static char buf[64];
    uint32_t a;

    return parse_ip(NULL, s, &a) ? unparse_ip(a, buf) : "bad";
}

TEST(ip_addresses_have_four_octets)
{
    EXPECT_STR(ip_round("1.2.3.4"), "1.2.3.4");
    EXPECT_STR(ip_round("255.255.255.255"), "255.255.255.255");
    EXPECT_STR(ip_round("1.2.3"), "bad");
    EXPECT_STR(ip_round("1.2.3.256"), "bad");
    EXPECT_STR(ip_round("1.2.3.4."), "bad");
    EXPECT_STR(ip_round("1..3.4"), "bad");
    EXPECT_STR(ip_round(""), "bad");
}

static const char *prefix_round(const char *s, bool bare)
{
    static char buf[64];
    struct ip_prefix p;

    return parse_ip_prefix(NULL, s, bare, &p) ? unparse_ip_prefix(p, buf) : "bad";
}

TEST(prefixes_may_leave_out_what_the_mask_covers)
{
    EXPECT_STR(prefix_round("10.0.0.0/8", false), "10.0.0.0/8");
    EXPECT_STR(prefix_round("18.26.4/24", false), "18.26.4.0/24");
    EXPECT_STR(prefix_round("18.26/24", false), "bad");
    EXPECT_STR(prefix_round("1.2.3.4/255.0.255.0", false), "1.2.3.4/255.0.255.0");
    EXPECT_STR(prefix_round("1.2.3.4/0", false), "1.2.3.4/0");
    EXPECT_STR(prefix_round("1.2.3.4", true), "1.2.3.4/32");
    EXPECT_STR(prefix_round("1.2.3.4", false), "bad");
    EXPECT_STR(prefix_round("1.2.3.4/33", true), "bad");
    EXPECT_STR(prefix_round("1.2.3.4/", true), "bad");
    EXPECT_STR(prefix_round("/8", true), "bad");
    EXPECT_STR(prefix_round("10.0.0.0/010", false), "10.0.0.0/10");
    EXPECT_STR(prefix_round("10.0.0.0/0x8", false), "bad");
    EXPECT_STR(prefix_round("10/255.0.0.0", false), "10.0.0.0/8");
    EXPECT_STR(prefix_round("10/255.255.0.0", false), "bad");
}

static const char *ip6_round(const char *s)
{
    static char buf[64];
    struct ip6_addr a;

    return parse_ip6(NULL, s, &a) ? unparse_ip6(&a, buf) : "bad";
}

TEST(ip6_addresses_may_be_abbreviated)
{
    EXPECT_STR(ip6_round("::"), "::");
    EXPECT_STR(ip6_round("::1"), "::1");
    EXPECT_STR(ip6_round("1::"), "1::");
    EXPECT_STR(ip6_round("fe80::200:ff:fe00:1"), "fe80::200:ff:fe00:1");
    EXPECT_STR(ip6_round("1080:0:0:0:8:800:200C:417A"), "1080::8:800:200c:417a");
    EXPECT_STR(ip6_round("::FFFF:1.2.3.4"), "::ffff:1.2.3.4");
    EXPECT_STR(ip6_round("::ffff:a0b:c0d"), "::ffff:10.11.12.13");
    EXPECT_STR(ip6_round("::fffe:1.2.3.4"), "::fffe:102:304");
    EXPECT_STR(ip6_round("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
    EXPECT_STR(ip6_round("1:2:3:4:5:1.2.3.4"), "bad");
    EXPECT_STR(ip6_round("1:2:3:4:5:6:7:1.2.3.4"), "bad");
    EXPECT_STR(ip6_round("1.2.3.4"), "bad");
    EXPECT_STR(ip6_round("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
    EXPECT_STR(ip6_round("1:2:3:4:5:6:7"), "bad");
    EXPECT_STR(ip6_round("1:2:3:4:5:6:7:8:9"), "bad");
    EXPECT_STR(ip6_round("1::2::3"), "bad");
    EXPECT_STR(ip6_round(":1"), "bad");
    EXPECT_STR(ip6_round("1:"), "bad");
    EXPECT_STR(ip6_round(":::"), "bad");
    EXPECT_STR(ip6_round("12345::"), "bad");
    EXPECT_STR(ip6_round(""), "bad");
}

TEST(ip6_prefixes_take_lengths_and_masks)
{
    struct ip6_addr a;
    unsigned bits;

    EXPECT(parse_ip6_prefix(NULL, "fec0::/16", &a, &bits));
    EXPECT_EQ(bits, 16);
    EXPECT(parse_ip6_prefix(NULL, "::/ffff::", &a, &bits));
    EXPECT_EQ(bits, 16);
    EXPECT(!parse_ip6_prefix(NULL, "::/::1", &a, &bits));
    EXPECT(!parse_ip6_prefix(NULL, "::/129", &a, &bits));
    EXPECT(!parse_ip6_prefix(NULL, "::/0x10", &a, &bits));
    EXPECT(!parse_ip6_prefix(NULL, "::", &a, &bits));
}

TEST(ethernet_addresses_take_colons_and_dashes)
{
    char buf[64];
    struct ether_addr a;

    EXPECT(parse_ether(NULL, "0:1:2:a:B:ff", &a));
    EXPECT_STR(unparse_ether(&a, buf), "00-01-02-0A-0B-FF");
    EXPECT(parse_ether(NULL, "00-11-22-33-44-55", &a));
    EXPECT(!parse_ether(NULL, "00-11-22:33:44:55", &a));
    EXPECT(!parse_ether(NULL, "00-11-22-33-44", &a));
    EXPECT(!parse_ether(NULL, "00-11-22-33-44-55-66", &a));
    EXPECT(!parse_ether(NULL, "", &a));
}

TEST(well_known_ports_have_names)
{
    uint16_t port;
    int32_t proto;

    EXPECT(parse_port(NULL, "www", 6, &port));
    EXPECT_EQ(port, 80);
    EXPECT(parse_port(NULL, "0x50", 17, &port));
    EXPECT_EQ(port, 80);
    EXPECT(!parse_port(NULL, "65536", 6, &port));
    EXPECT(!parse_port(NULL, "nonsense", 6, &port));
    EXPECT(parse_ip_protocol(NULL, "udp", &proto));
    EXPECT_EQ(proto, 17);
    EXPECT(parse_ip_protocol(NULL, "tcpudp", &proto));
    EXPECT(proto > 255);
    EXPECT(parse_ip_protocol(NULL, "-1", &proto));
    EXPECT_EQ(proto, -1);
    EXPECT(!parse_ip_protocol(NULL, "4294967295", &proto));
    EXPECT(!parse_ip_protocol(NULL, "nothing", &proto));
    EXPECT_STR(name_of(NAME_ICMP_TYPE, 8), "echo");
}

TEST(annotations_go_by_name_or_place)
{
    struct anno_ref a;

    EXPECT(parse_anno("PAINT", 1, &a));
    EXPECT_EQ(a.offset, ANNO_PAINT);
    EXPECT_EQ(a.size, 1);
    EXPECT(parse_anno("PAINT_ANNO", 0, &a));
    EXPECT(parse_anno("20/4", 0, &a));
    EXPECT_EQ(a.size, 4);
    EXPECT(parse_anno("17", 1, &a));
    EXPECT(!parse_anno("PAINT", 4, &a));
    EXPECT(!parse_anno("48", 1, &a));
    EXPECT(!parse_anno("46", 4, &a));
    EXPECT(!parse_anno("20/0", 0, &a));
    EXPECT(!parse_anno("", 1, &a));
}

TEST(booleans_have_few_spellings)
{
    bool b = false;

    EXPECT(parse_bool("yes", &b) && b);
    EXPECT(parse_bool("f", &b) && !b);
    EXPECT(!parse_bool("TRUE", &b));
    EXPECT(!parse_bool("", &b));
}
