// SPDX-License-Identifier: BSD-3-Clause
#include "engine/checksum.h"

#include "tests/test.h"

/* The definition, word by word in network order, as RFC 1071 tells it. */
static uint16_t csum_by_definition(const uint8_t *b, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return be16((uint16_t)~sum);
}

static uint8_t bytes[300];

SETUP()
{
    uint32_t x = 12345;

    for (size_t i = 0; i < sizeof bytes; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

TEST(the_example_header_sums_to_its_known_checksum)
{
    const uint8_t h[20] = {0x45, 0, 0,    0x73, 0,    0,    0x40, 0,    0x40, 0x11,
                           0,    0, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

    EXPECT_EQ(be16(csum(h, 20)), 0xb861);
    EXPECT_EQ(be16(csum_ip4_20(h)), 0xb861);
    EXPECT_EQ(be16(csum_ip4((const struct ip4_hdr *)(const void *)h)), 0xb861);
}

TEST(every_length_and_alignment_agrees_with_the_definition)
{
    for (size_t at = 0; at < 9; at++)
        for (size_t n = 0; n < 280; n++)
            EXPECT_EQ(csum(bytes + at, n), csum_by_definition(bytes + at, n));
}

TEST(all_ones_and_all_zeros_agree_with_the_definition)
{
    uint8_t ones[64], zeros[64] = {0};

    memset(ones, 0xff, sizeof ones);
    for (size_t n = 0; n <= 64; n++) {
        EXPECT_EQ(csum(ones, n), csum_by_definition(ones, n));
        EXPECT_EQ(csum(zeros, n), 0xffff);
    }
    EXPECT_EQ(csum_ip4_20(ones), csum_by_definition(ones, 20));
}

TEST(pieces_at_even_distances_add_up_to_the_whole)
{
    for (size_t cut = 0; cut <= 100; cut += 2) {
        uint64_t sum = csum_add(csum_add(0, bytes, cut), bytes + cut, 101 - cut);
        EXPECT_EQ(csum_finish(sum), csum(bytes, 101));
    }
}

TEST(an_updated_checksum_equals_a_computed_one)
{
    for (size_t at = 2; at < 100; at += 2) {
        uint16_t was = load16(bytes + at);
        store16(bytes, 0);
        uint16_t before = csum(bytes, 200);
        store16(bytes + at, (uint16_t)(was * 3 + at));
        EXPECT_EQ(csum_replace16(before, was, load16(bytes + at)), csum(bytes, 200));
    }
    for (size_t at = 2; at < 100; at += 4) {
        uint32_t was = load32(bytes + at);
        uint16_t before = csum(bytes, 200);
        store32(bytes + at, was * 7 + 1);
        EXPECT_EQ(csum_replace32(before, was, was * 7 + 1), csum(bytes, 200));
    }
}

TEST(deltas_of_several_changes_may_be_applied_at_once)
{
    uint8_t b[40];
    uint64_t delta = 0;

    memcpy(b, bytes, sizeof b);
    uint16_t before = csum(b, 40);
    delta += csum_delta32(load32(b + 12), 0x01020304);
    store32(b + 12, 0x01020304);
    delta += csum_delta16(load16(b + 20), 0xabcd);
    store16(b + 20, 0xabcd);
    EXPECT_EQ(csum_apply(before, delta), csum(b, 40));
}

TEST(pseudo_headers_count_addresses_protocol_and_length)
{
    uint8_t ps[12] = {10, 0, 0, 1, 10, 0, 0, 2, 0, IP_PROTO_UDP, 0x12, 0x34};
    uint8_t ps6[40] = {0xfe,     0x80,     [15] = 1, [16] = 0x20,
                       [31] = 9, [34] = 1, [35] = 2, [39] = IP_PROTO_TCP};
    struct ip6_addr src, dst;

    EXPECT_EQ(
        csum_finish(csum_pseudo4(load32(ps), load32(ps + 4), IP_PROTO_UDP, 0x1234)),
        csum(ps, 12));
    memcpy(&src, ps6, 16);
    memcpy(&dst, ps6 + 16, 16);
    EXPECT_EQ(csum_finish(csum_pseudo6(&src, &dst, IP_PROTO_TCP, 0x102)),
              csum(ps6, 40));
}

TEST(a_good_header_is_told_from_all_others)
{
    uint8_t h[20] = {0x45, 0, 0,  60, 1, 2, 0x40, 0, 64, 17,
                     0,    0, 10, 0,  0, 1, 10,   0, 0,  2};

    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t sum = (uint16_t)i;

        memcpy(h + 10, &sum, 2);
        EXPECT_EQ(csum_ip4_20_good(h), csum_ip4_20(h) == 0);
    }
    memset(h, 0xff, sizeof h);
    EXPECT_EQ(csum_ip4_20_good(h), csum_ip4_20(h) == 0);
}

TEST(a_folded_change_is_applied_like_any_other)
{
    static const uint16_t values[] = {0, 1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x1234};

    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = 0; k < 65536; k++)
            EXPECT_EQ(csum_apply16(values[i], (uint16_t)k), csum_apply(values[i], k));
}
