// SPDX-License-Identifier: BSD-3-Clause
#include "base/errtext.h"

#include <errno.h>
#include <string.h>

#include "tests/test.h"

TEST(a_shortage_says_what_to_raise)
{
    EXPECT(strstr(errtext(EMFILE), "raise RLIMIT_NOFILE"));
    EXPECT(strstr(errtext(ENFILE), "raise fs.file-max"));
    EXPECT(strstr(errtext(ENOMEM), "Cannot allocate memory: "));
    EXPECT(strstr(errtext(ENOSPC), "No space left on device: make room"));
    EXPECT(strstr(errtext_fork(EAGAIN), "raise pids.max"));
    EXPECT_STR(errtext_fork(ENOMEM), errtext(ENOMEM));
}

TEST(other_errors_read_as_always)
{
    EXPECT_STR(errtext(EACCES), strerror(EACCES));
    EXPECT_STR(errtext(EAGAIN), strerror(EAGAIN));
}
