// SPDX-License-Identifier: BSD-3-Clause
#include "tests/packet_text.h"
#include "tests/test.h"

#include <string.h>

static struct packet_text *p;
static size_t n;
static struct diag d;

SETUP()
{
    p = NULL;
    n = 0;
    d = DIAG_INIT;
}

TEARDOWN()
{
    packet_text_free(p, n);
    diag_fini(&d);
}

static int parse(const char *line)
{
    packet_text_free(p, n);
    p = NULL;
    n = 0;
    return packet_text_parse(line, &p, &n, &d);
}

static void expect_bytes(size_t i, const char *bytes, size_t len)
{
    EXPECT_EQ(p[i].len, len);
    EXPECT_MEM(p[i].bytes, bytes, len);
}

TEST(words_strings_and_repeats_are_packets)
{
    EXPECT_EQ(parse("a bb*2 \"a b*2\\n\""), 0);
    EXPECT_EQ(n, 4);
    expect_bytes(0, "a", 1);
    expect_bytes(2, "bb", 2);
    expect_bytes(3, "a b*2\n", 6);
}

TEST(hex_knows_wild_bytes)
{
    EXPECT_EQ(parse("hex(00 fF ?\?)"), 0);
    EXPECT_EQ(p[0].len, 3);
    EXPECT_EQ(p[0].bytes[1], 255);
    EXPECT_EQ(p[0].mask[1], 255);
    EXPECT_EQ(p[0].mask[2], 0);
}

/* A packet whose checksums were computed by hand elsewhere (RFC 1071's method). */
TEST(udp_is_well_formed)
{
    static const char want[] = "\x45\x00\x00\x1d\x00\x00\x00\x00\x40\x11\x6a\xbd\x01"
                               "\x02\x03\x04\x05\x06\x07\x08"
                               "\x00\x05\x00\x0a\x00\x09\x8e\xb9"
                               "a";

    EXPECT_EQ(parse("udp(1.2.3.4:5 > 5.6.7.8:10, payload a)"), 0);
    expect_bytes(0, want, sizeof want - 1);
}

TEST(frames_know_what_is_inside)
{
    EXPECT_EQ(parse("eth(0:0:0:0:0:1 > 0:0:0:0:0:2, arp(request 1.2.3.4 0:0:0:0:0:1 > "
                    "5.6.7.8))"),
              0);
    EXPECT_EQ(p[0].len, 42);
    EXPECT_MEM(p[0].bytes, "\0\0\0\0\0\2\0\0\0\0\0\1\x08\x06\0\1\x08\0\6\4\0\1", 22);
    EXPECT_EQ(
        parse("eth(0:0:0:0:0:1 > 0:0:0:0:0:2, vlan 5, tcp(1.1.1.1:1 > 2.2.2.2:2))"), 0);
    EXPECT_EQ(p[0].len, 58);
    EXPECT_MEM(p[0].bytes + 12, "\x81\0\0\5\x08\0\x45", 7);
}

TEST(lengths_and_checksums_can_lie)
{
    EXPECT_EQ(parse("ip(1.1.1.1 > 2.2.2.2, totlen 1000, len 30, cut 25)"), 0);
    EXPECT_EQ(p[0].len, 25);
    EXPECT_MEM(p[0].bytes + 2, "\x03\xe8", 2);
}

TEST(annotations_are_kept)
{
    EXPECT_EQ(parse("a{paint 3, net none, time 1s}"), 0);
    EXPECT_EQ(p[0].n_annos, 3);
    EXPECT_EQ(p[0].annos[0].offset, 16);
    EXPECT_EQ(p[0].annos[0].value, 3);
    EXPECT(p[0].annos[1].none);
    EXPECT_EQ(p[0].annos[2].value, 1000000000);
}

TEST(nonsense_is_refused)
{
    static const char *const bad[] = {
        "hex(0)",
        "nothing(1)",
        "udp(1.2.3.4 > 5.6.7.8)",
        "\"open",
        "a{paint}",
        "eth(1 > 2)",
        "zero(x)",
        "ip(1.1.1.1 > 2.2.2.2, colour 3)",
        "zero(100000)",
        "arp(1.1.1.1)",
        "tcp(1.1.1.1:1 > 2.2.2.2:2, flags X)",
        "a{nothing 1}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_EQ(parse(bad[i]), -1);
}
