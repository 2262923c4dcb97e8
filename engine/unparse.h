// SPDX-License-Identifier: BSD-3-Clause
/*
 * unparse.h -- values as text, the way Click prints them
 *
 * More of what parse.h has for other kinds. Every function writes a
 * NUL-terminated string into `buf`, which has UNPARSE_ROOM bytes, and returns it.
 */

#ifndef ENGINE_UNPARSE_H
#define ENGINE_UNPARSE_H

#include <stdint.h>

enum { UNPARSE_ROOM = 64 };

/* Seconds with six digits behind the point, or nine where six are not exact:
 * "1.500000". */
const char *unparse_timestamp(int64_t ns, char *buf);

/* `value` / 2^bits (bits <= 28), with no more digits than are needed to tell it from its
 * neighbours: 107 with 8 bits is "0.418". */
const char *unparse_fixed(uint64_t value, unsigned bits, char *buf);

#endif
