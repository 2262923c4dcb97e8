// SPDX-License-Identifier: BSD-3-Clause
#include "engine/crc32.h"
#include "tests/test.h"

TEST(the_check_value_of_the_catalogues)
{
    EXPECT_EQ(crc32_update(CRC32_START, (const uint8_t *)"123456789", 9), 0x0376e6e7);
    EXPECT_EQ(crc32_update(CRC32_START, NULL, 0), CRC32_START);
}

TEST(pieces_add_up)
{
    uint32_t crc = crc32_update(CRC32_START, (const uint8_t *)"1234", 4);

    EXPECT_EQ(crc32_update(crc, (const uint8_t *)"56789", 5), 0x0376e6e7);
}
