// SPDX-License-Identifier: BSD-3-Clause
#include "engine/ip_summary.h"

#include "base/sbuf.h"
#include "tests/test.h"

static struct sbuf hex = SBUF_INIT;

static const char *as_hex(const uint8_t *opt, int n)
{
    sbuf_reset(&hex);
    if (n < 0)
        return "bad";
    for (int i = 0; i < n; i++)
        sbuf_printf(&hex, "%02x", opt[i]);
    return sbuf_text(&hex);
}

static const char *tcp(const char *text, int mask)
{
    uint8_t opt[40];

    return as_hex(opt, ipsum_parse_tcp_opt(text, mask, opt));
}

static const char *ip(const char *text)
{
    uint8_t opt[40];

    return as_hex(opt, ipsum_parse_ip_opt(text, opt));
}

/* Text to bytes and back. */
static const char *ip_again(const char *text)
{
    static struct sbuf out = SBUF_INIT;
    uint8_t opt[40];
    int n = ipsum_parse_ip_opt(text, opt);

    sbuf_reset(&out);
    if (n >= 0)
        ipsum_print_ip_opt(&out, opt, (uint32_t)n, IPSUM_OPT_ALL);
    return n < 0 ? "bad" : sbuf_text(&out);
}

TEST(tcp_options_are_what_they_say)
{
    EXPECT_STR(tcp(".", IPSUM_OPT_ALL), "");
    EXPECT_STR(tcp("mss1460;wscale7,sackok", IPSUM_OPT_ALL), "020405b40303070402");
    EXPECT_STR(tcp("nop;99=1:2", IPSUM_OPT_ALL), "0163040102");
    EXPECT_STR(tcp("mss70000", IPSUM_OPT_ALL), "bad");
    EXPECT_STR(tcp("mss1460;", IPSUM_OPT_ALL), "bad");
    EXPECT_STR(tcp("mss1460", IPSUM_OPT_SACK), "bad");
}

TEST(a_leading_timestamp_is_padded_as_long_as_there_is_room)
{
    EXPECT_STR(tcp("ts1:2", IPSUM_OPT_ALL), "0101080a0000000100000002");
    EXPECT_STR(tcp("nop;ts1:2", IPSUM_OPT_ALL), "01080a0000000100000002");
    EXPECT_STR(tcp("ts1:2;sack1-2,sack3-4,sack5-6;wscale7", IPSUM_OPT_ALL),
               "01080a0000000100000002"
               "051a000000010000000200000003000000040000000500000006"
               "030307");
    EXPECT_STR(tcp("ts1:2;sack1-2,sack3-4,sack5-6;mss1460;wscale7", IPSUM_OPT_ALL),
               "bad");
}

TEST(sack_blocks_behind_a_comma_share_an_option)
{
    EXPECT_STR(tcp("sack1-2,sack3:4", IPSUM_OPT_SACK),
               "051200000001000000020000000300000004");
    EXPECT_STR(tcp("sack1-2;sack3-4", IPSUM_OPT_SACK),
               "050a0000000100000002050a0000000300000004");
    EXPECT_STR(tcp("sack1", IPSUM_OPT_SACK), "bad");
}

TEST(routes_have_a_pointer_and_free_space)
{
    EXPECT_STR(ip("rr{1.2.3.4}+1"), "070b080102030400000000");
    EXPECT_STR(ip("lsrr{1.2.3.4^5.6.7.8}"), "830b080102030405060708");
    EXPECT_STR(ip("rr{1.2.3}"), "bad");
    EXPECT_STR(ip("rr{1.2.3.4"), "bad");
}

TEST(timestamps_show_by_themselves_whether_they_have_addresses)
{
    EXPECT_STR(ip("ts{1,!2}++3"), "440c0d300000000180000002");
    EXPECT_STR(ip_again("ts{1.2.3.4=5,6.7.8.9=!10}"), "ts.ip{1.2.3.4=5,6.7.8.9=!10^}");
    EXPECT_STR(ip_again("ts{1.2.3.4=5^6.7.8.9}"), "ts.preip{1.2.3.4=5^6.7.8.9}");
    EXPECT_STR(ip_again("ts{1.2.3.4=5^6.7.8.9=?}"), "ts.preip{1.2.3.4=5^6.7.8.9}");
    EXPECT_STR(ip_again("ts{^1.2.3.4,6.7.8.9}"), "ts.preip{^1.2.3.4,6.7.8.9}");
    EXPECT_STR(ip_again("ts.preip{1.2.3.4=5}"), "ts.preip{1.2.3.4=5^}");
    EXPECT_STR(ip("ts{1.2.3.4}"), "bad");
}
