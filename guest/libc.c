// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the libc archive would pull in system calls for.
 *
 * The image takes pure functions from musl's libc.a. Some of those refer to things that a
 * guest does not have: a thread with an errno and a locale, files behind a FILE. Defining
 * these few names here keeps the archive's own out. None of them is reached: snprintf()
 * and strtod() use a FILE that is only memory and never locked.
 */

#include "guest/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int *__errno_location(void);
int *___errno_location(void);
int __lockfile(FILE *f);
void __unlockfile(FILE *f);
void __stdio_exit_needed(void);
int wctomb(char *s, wchar_t c);
char *strerror(int e);
_Noreturn void __stack_chk_fail(void);
void *__memcpy_chk(void *to, const void *from, size_t n, size_t room);
_Noreturn void __assert_fail(const char *expr, const char *file, int line,
                             const char *func);

static int the_errno;

int *__errno_location(void)
{
    return &the_errno;
}

int *___errno_location(void)
{
    return &the_errno;
}

int __lockfile(FILE *f)
{
    return 0;
}

void __unlockfile(FILE *f)
{
}

/* Flushing files when the program exits. */
void __stdio_exit_needed(void)
{
}

char *strerror(int e)
{
    static char text[] = "error";

    return text;
}

int wctomb(char *s, wchar_t c)
{
    if (s)
        *s = (char)c;
    return s ? 1 : 0;
}

_Noreturn void abort(void)
{
    guest_panic("abort()");
}

/* The archive's functions check the canary at LAYOUT_FS. */
_Noreturn void __stack_chk_fail(void)
{
    guest_panic("a function of the C library has overrun its stack frame");
}

/* Debian builds its archives with checks of lengths that the compiler knows. */
void *__memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
    if (n > room)
        guest_panic("a function of a library copies more than fits");
    return memcpy(to, from, n);
}

_Noreturn void __assert_fail(const char *expr, const char *file, int line,
                             const char *func)
{
    char text[256];

    snprintf(text, sizeof text, "%s:%d: %s: assertion failed: %s", file, line, func,
             expr);
    guest_panic(text);
}
