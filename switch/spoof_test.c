// SPDX-License-Identifier: BSD-3-Clause
/* What a port may say of itself, and the ways round such a check that others have met. */
#include "switch/plane.h"
#include "tests/test.h"

static struct port_allow allow;
static uint8_t p[300]; /* the packet */
static uint32_t len;

SETUP()
{
    allow = (struct port_allow){
        .n_macs = 1,
        .macs = {{2, 0, 0, 0, 0, 1}},
        .n_ip4 = 1,
        .ip4 = {0x0a000001},
        .n_ip6 = 1,
        .ip6 = {{0x20, 1, 0x0d, 0xb8, [15] = 1}},
    };
    memset(p, 0, sizeof p);
    len = 0;
}

static bool passes(void)
{
    return spoof_allowed(&allow, p, len < FRAME_HEAD ? len : FRAME_HEAD, len);
}

static void put(const void *bytes, uint32_t n)
{
    memcpy(p + len, bytes, n);
    len += n;
}

static void put16(unsigned v)
{
    put((uint8_t[2]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

/* From 02:..:`host`, without an EtherType. */
static void ether(uint8_t host)
{
    memset(p, 0, sizeof p);
    len = 0;
    put("\xff\xff\xff\xff\xff\xff\2\0\0\0\0", 11);
    put(&host, 1);
}

static void ip4(uint8_t host)
{
    put16(0x0800);
    put("\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0", 15);
    put(&host, 1);
    put("\x0a\0\0\x09\0\0\0\0\0\0\0\0", 12);
}

static void arp(unsigned mac, unsigned sender, unsigned target)
{
    put("\0\1\x08\0\6\4\0\1\2\0\0\0\0", 13);
    put((uint8_t[5]){(uint8_t)mac, sender ? 0x0a : 0, 0, 0, (uint8_t)sender}, 5);
    put("\0\0\0\0\0\0", 6);
    put((uint8_t[4]){target ? 0x0a : 0, 0, 0, (uint8_t)target}, 4);
}

/* 2001:db8::`host`, or nobody. */
static void address(uint8_t host)
{
    uint8_t a[16] = {0x20, 1, 0x0d, 0xb8, [15] = host};

    if (host == 0)
        memset(a, 0, 16);
    put(a, 16);
}

static void ip6(uint8_t host, uint8_t next, uint8_t hops, unsigned payload)
{
    put16(0x86dd);
    put("\x60\0\0\0", 4);
    put16(payload);
    put((uint8_t[2]){next, hops}, 2);
    address(host);
    address(9);
}

/* Neighbour solicitation (135) or advertisement (136) for `target`, with an address. */
static void nd(uint8_t type, uint8_t target, uint8_t option, uint8_t mac)
{
    put((uint8_t[8]){type}, 8);
    address(target);
    put((uint8_t[8]){option, 1, 2, 0, 0, 0, 0, mac}, 8);
}

static bool nd_passes(uint8_t from, uint8_t type, uint8_t target, uint8_t option,
                      uint8_t mac)
{
    ether(1);
    ip6(from, 58, 255, 32);
    nd(type, target, option, mac);
    return passes();
}

TEST(own_addresses_pass_and_others_do_not)
{
    ether(1), ip4(1);
    EXPECT(passes());
    ether(2), ip4(1);
    EXPECT(!passes());
    ether(1), ip4(2);
    EXPECT(!passes());
    ether(1), ip6(1, 17, 64, 8), put16(7);
    EXPECT(passes());
    ether(1), ip6(2, 17, 64, 8), put16(7);
    EXPECT(!passes());
    ether(1), put16(0x88cc), put("lldp", 4);
    EXPECT(passes());
}

TEST(arp_claims_nothing_but_what_is_its_own)
{
    ether(1), put16(0x0806), arp(1, 1, 9);
    EXPECT(passes());
    ether(1), put16(0x0806), arp(2, 1, 9);
    EXPECT(!passes());
    ether(1), put16(0x0806), arp(1, 2, 9);
    EXPECT(!passes());
    ether(1), put16(0x0806), arp(1, 0, 1); /* a probe */
    EXPECT(passes());
    ether(1), put16(0x0806), arp(1, 0, 2); /* one that would keep 10.0.0.2 from it */
    EXPECT(!passes());
    ether(1), put16(0x0806), arp(1, 1, 9);
    p[18] = 8; /* length of addresses: the receiver would look elsewhere */
    EXPECT(!passes());
    len = 30;
    EXPECT(!passes());
    ether(1), put16(0x8035), arp(2, 0, 0);
    EXPECT(!passes());
}

TEST(tags_and_other_headers_hide_no_address)
{
    static const unsigned tags[] = {0x8100, 0x88a8, 0x9100};

    for (int i = 0; i < 3; i++) {
        ether(1), put16(tags[i]), put16(7), ip4(1);
        EXPECT(passes());
        ether(1), put16(tags[i]), put16(0), ip4(2);
        EXPECT(!passes());
        ether(1), put16(tags[i]), put16(7), put16(0x0806), arp(1, 2, 9);
        EXPECT(!passes());
        ether(1), put16(tags[i]), put16(0), put16(0x8100), put16(0), ip4(1);
        EXPECT(!passes());
    }
    ether(1), put16(36), put("\xaa\xaa\3\0\0\0", 6), ip4(2);
    EXPECT(!passes());
    ether(1), put16(0x8100), put16(0), put16(36), put("\xaa\xaa\3\0\0\0", 6), ip4(1);
    EXPECT(!passes());
    ether(1), put16(36), put("\x42\x42\3\0\0\0", 6); /* spanning tree */
    EXPECT(passes());
    ether(1), ip4(1);
    len = 30;
    EXPECT(!passes());
    ether(1), ip6(1, 17, 64, 8);
    len = 50;
    EXPECT(!passes());
}

TEST(neighbours_are_told_of_own_addresses_only)
{
    EXPECT(nd_passes(1, 136, 1, 2, 1));
    EXPECT(!nd_passes(1, 136, 2, 2, 1)); /* somebody else's address */
    EXPECT(!nd_passes(1, 136, 1, 2, 2)); /* ... MAC */
    EXPECT(nd_passes(1, 135, 5, 1, 1));
    EXPECT(!nd_passes(1, 135, 5, 1, 2));
    EXPECT(nd_passes(0, 135, 1, 14, 0));  /* may I have my address? */
    EXPECT(!nd_passes(0, 135, 2, 14, 0)); /* ... somebody else's? */
    EXPECT(!nd_passes(0, 136, 1, 2, 1));
    ether(1), ip6(1, 58, 255, 24), nd(136, 1, 2, 1);
    p[14 + 40 + 24 + 1] = 0; /* an option without length, but behind the end */
    EXPECT(passes());
    p[19] = 32;
    EXPECT(!passes());
}

TEST(neighbour_discovery_is_found_behind_extension_headers)
{
    for (int own = 0; own < 2; own++) {
        ether(1), ip6(1, 0, 255, 40), put((uint8_t[8]){58}, 8);
        nd(136, own ? 1 : 2, 2, 1);
        EXPECT_EQ(passes(), own);
        ether(1), ip6(1, 60, 255, 48), put((uint8_t[16]){58, 1}, 16);
        nd(136, own ? 1 : 2, 2, 1);
        EXPECT_EQ(passes(), own);
    }
    /* More than the head holds, of which the packet has enough. */
    ether(1), ip6(1, 60, 255, 112), put((uint8_t[80]){58, 9}, 80), nd(136, 2, 2, 1);
    EXPECT(!passes());
    p[21] = 64; /* no receiver takes it for one then */
    EXPECT(passes());
    /* In fragments, the first and a later one. */
    ether(1), ip6(1, 44, 255, 40), put((uint8_t[8]){58, 0, 0, 1}, 8), nd(136, 1, 2, 1);
    EXPECT(!passes());
    ether(1), ip6(1, 44, 255, 40), put((uint8_t[8]){58, 0, 0, 8}, 8), nd(136, 2, 2, 1);
    EXPECT(passes());
}

TEST(nobody_says_only_what_nobody_must)
{
    ether(1), ip6(0, 17, 64, 8), put16(7);
    EXPECT(!passes());
    ether(1), ip6(0, 58, 255, 8), put((uint8_t[8]){133}, 8);
    EXPECT(passes());
    ether(1), ip6(0, 0, 1, 16), put((uint8_t[8]){58, 0, 5, 2}, 8);
    put((uint8_t[8]){143}, 8);
    EXPECT(passes());
    ether(1), ip6(0, 58, 64, 8), put((uint8_t[8]){128}, 8);
    EXPECT(!passes());
}

TEST(the_link_local_address_of_an_allowed_mac_is_allowed)
{
    static const uint8_t ours[16] = {0xfe, 0x80, [11] = 0xff, 0xfe, [15] = 1};

    ether(1), ip6(1, 17, 64, 8), put16(7);
    memcpy(p + 22, ours, 16);
    EXPECT(passes());
    p[37] = 2;
    EXPECT(!passes());
}

TEST(a_prefix_covers_its_addresses_and_no_others)
{
    static const struct {
        uint8_t n_free, host;
        bool pass;
    } cases[] = {{0, 1, true},  {0, 2, false},  {3, 7, true},
                 {3, 8, false}, {8, 255, true}, {32, 9, true}};

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        allow.ip4_free[0] = cases[i].n_free;
        ether(1), ip4(cases[i].host);
        EXPECT_EQ(passes(), cases[i].pass);
        ether(1), put16(0x0806), arp(1, cases[i].host, 9);
        EXPECT_EQ(passes(), cases[i].pass);
    }
    allow.ip4_free[0] = 8;
    ether(1), ip4(1);
    p[14 + 14] = 1; /* 10.0.1.1 */
    EXPECT(!passes());
    allow.ip4_free[0] = 32;
    EXPECT(passes());
}

TEST(a_prefix_of_ip6_ends_at_any_bit)
{
    for (unsigned n_free = 0; n_free <= 128; n_free++)
        for (unsigned bit = 0; bit < 128; bit++) {
            allow.ip6_free[0] = (uint8_t)n_free;
            ether(1), ip6(1, 17, 64, 8), put16(7);
            p[22 + 15 - bit / 8] ^= (uint8_t)(1 << bit % 8);
            EXPECT_EQ(passes(), bit < n_free);
        }
}

TEST(the_other_family_is_refused_if_so_told)
{
    allow.n_ip6 = 0;
    ether(1), ip6(2, 17, 64, 8), put16(7);
    EXPECT(passes());
    allow.other_family_refused = true;
    EXPECT(!passes());
    ether(1), ip4(1);
    EXPECT(passes());
    allow.n_ip6 = 1, allow.n_ip4 = 0;
    EXPECT(!passes());
    ether(1), put16(0x0806), arp(1, 1, 9);
    EXPECT(!passes());
    allow.n_ip6 = 0; /* MACs alone */
    EXPECT(passes());
}
