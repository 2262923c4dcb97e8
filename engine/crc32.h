// SPDX-License-Identifier: BSD-3-Clause
/*
 * crc32.h -- the CRC of SetCRC32 and CheckCRC32
 *
 * Polynomial 0x04c11db7, highest bit first, not inverted at the end: Click's, and that of
 * MPEG-2 systems.
 */

#ifndef ENGINE_CRC32_H
#define ENGINE_CRC32_H

#include <stddef.h>
#include <stdint.h>

#define CRC32_START UINT32_C(0xffffffff)

uint32_t crc32_update(uint32_t crc, const uint8_t *data, size_t len);

#endif
