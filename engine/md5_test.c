// SPDX-License-Identifier: BSD-3-Clause
#include "engine/md5.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static void check(const char *text, const char *want)
{
    uint8_t digest[16];
    char hex[33];

    md5(text, strlen(text), digest);
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    EXPECT_STR(hex, want);
}

TEST(the_suite_of_rfc_1321)
{
    check("", "d41d8cd98f00b204e9800998ecf8427e");
    check("abc", "900150983cd24fb0d6963f7d28e17f72");
    check("message digest", "f96b697d7cb7938d525a2f31aaf161d0");
    check("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
          "d174ab98d277d9f5a5611c2c9f419d9f");
    check("123456789012345678901234567890123456789012345678901234567890123456789012345"
          "67890",
          "57edf4a22be3c955ac49da2e2107b67a");
}
