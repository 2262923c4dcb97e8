// SPDX-License-Identifier: BSD-3-Clause
#include "ctl/names.h"
#include "tests/test.h"

#include <string.h>

static int check(const char *name, bool dots)
{
    return name_check("VM", name, dots, NULL);
}

TEST(good_names_pass_and_paths_do_not)
{
    EXPECT_EQ(check("fw", true), 0);
    EXPECT_EQ(check("0-a_B.c", true), 0);
    EXPECT_EQ(check("a.b", false), -1);
    EXPECT_EQ(check("", true), -1);
    EXPECT_EQ(check(".", true), -1);
    EXPECT_EQ(check("..", true), -1);
    EXPECT_EQ(check("a/b", true), -1);
    EXPECT_EQ(check("-f", true), -1);
    EXPECT_EQ(check("a b", true), -1);
    EXPECT_EQ(check("a\n", true), -1);
}

/* The store would take its record for one that cannot be read, and forget it. */
TEST(no_name_ends_like_a_damaged_record)
{
    EXPECT_EQ(check("a.damaged", true), -1);
    EXPECT_EQ(check("damaged", true), 0);
    EXPECT_EQ(check("a.damaged.b", true), 0);
}

TEST(a_name_may_be_55_bytes_long_and_no_more)
{
    char name[NAME_ROOM + 1];

    memset(name, 'a', sizeof name);
    name[NAME_ROOM] = '\0';
    EXPECT_EQ(check(name, false), -1);
    name[NAME_ROOM - 1] = '\0';
    EXPECT_EQ(check(name, false), 0);
}

TEST(mac_addresses_are_read_and_written)
{
    uint8_t mac[6];
    char text[MAC_TEXT];

    EXPECT(mac_parse("02:00:00:Ab:0c:01", mac));
    EXPECT_STR(mac_format(mac, text), "02:00:00:ab:0c:01");
    EXPECT(!mac_parse("02:00:00:00:00", mac));
    EXPECT(!mac_parse("02:00:00:00:00:01:", mac));
    EXPECT(!mac_parse("2:0:0:0:0:1", mac));
    EXPECT(!mac_parse("", mac));
    EXPECT(!mac_parse("01:00:00:00:00:01", mac)); /* a group address */
    EXPECT(!mac_parse("00:00:00:00:00:00", mac));
}

TEST(derived_addresses_are_stable_unicast_and_differ)
{
    uint8_t a[6], b[6], c[6];

    mac_from_name("fw", 0, a);
    mac_from_name("fw", 0, b);
    mac_from_name("fw", 1, c);
    EXPECT_MEM(a, b, 6);
    EXPECT(memcmp(a, c, 6) != 0);
    EXPECT_EQ(a[0], 2);
    mac_from_name("fx", 0, c);
    EXPECT(memcmp(a, c, 6) != 0);
}

TEST(sizes_have_units)
{
    uint64_t n;

    EXPECT(size_parse("4096", &n) && n == 4096);
    EXPECT(size_parse("64M", &n) && n == 64u << 20);
    EXPECT(size_parse("1.5KiB", &n) && n == 1536);
    EXPECT(size_parse("1gb", &n) && n == 1u << 30);
    EXPECT(!size_parse("", &n));
    EXPECT(!size_parse("M", &n));
    EXPECT(!size_parse("-1", &n));
    EXPECT(!size_parse("64 M", &n));
    EXPECT(!size_parse("1e30", &n));
    EXPECT(!size_parse("nan", &n));
    EXPECT(!size_parse("inf", &n));
}

TEST(times_have_units)
{
    uint64_t ms;

    EXPECT(seconds_parse("2", &ms) && ms == 2000);
    EXPECT(seconds_parse("0.25s", &ms) && ms == 250);
    EXPECT(seconds_parse("30ms", &ms) && ms == 30);
    EXPECT(seconds_parse("2min", &ms) && ms == 120000);
    EXPECT(!seconds_parse("soon", &ms));
    EXPECT(!seconds_parse("-1", &ms));
}
