// SPDX-License-Identifier: BSD-3-Clause
/* filename.c -- names of files that need the operating system: see filename.h */

#include "engine/os/filename.h"

#include <pwd.h>
#include <stdlib.h>

const char *filename_home(const char *user)
{
    const struct passwd *p;

    if (!user)
        return getenv("HOME");
    p = getpwnam(user);
    return p ? p->pw_dir : NULL;
}
