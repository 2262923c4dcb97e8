// SPDX-License-Identifier: BSD-3-Clause
/*
 * md5.h -- the MD5 checksum (RFC 1321), for trace files that contain it
 *
 * Not for anything that an attacker has an interest in: collisions are easy to make.
 */

#ifndef ENGINE_MD5_H
#define ENGINE_MD5_H

#include <stddef.h>
#include <stdint.h>

void md5(const void *bytes, size_t n, uint8_t digest[16]);

#endif
