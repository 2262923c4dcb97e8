// SPDX-License-Identifier: BSD-3-Clause
/*
 * llrpc.h -- Click's calls of elements by number, for clients that poll
 *
 * A call is cheaper than a handler: its number says how many bytes go in and come out, and
 * they are binary. Over a control socket numbers are in Click's network form, which is the
 * only one that we have; integers in the data have the byte order of the machine, flows
 * and addresses that of the network.
 */

#ifndef ENGINE_LLRPC_H
#define ENGINE_LLRPC_H

#include <stdint.h>

enum { LLRPC_MAX_SIZE = 4096 };

/* Bits of a number; its bits 16 to 27 are the size of the data. */
#define LLRPC_OUT  0x40000000u
#define LLRPC_IN   0x80000000u
#define LLRPC_SAFE 0x8000u /* may run beside others of its kind */
#define LLRPC_FLAT 0x4000u /* there are no pointers in the data */

#define LLRPC(direction, number, size)                                                 \
    ((direction) | LLRPC_FLAT | (uint32_t)(size) << 16 | (number))

#define LLRPC_GET_RATE      LLRPC(LLRPC_IN | LLRPC_OUT | LLRPC_SAFE, 1, 4)
#define LLRPC_GET_COUNT     LLRPC(LLRPC_IN | LLRPC_OUT | LLRPC_SAFE, 3, 4)
#define LLRPC_GET_SWITCH    LLRPC(LLRPC_OUT | LLRPC_SAFE, 5, 4)
#define LLRPC_SET_SWITCH    LLRPC(LLRPC_IN, 6, 4)
#define LLRPC_MAP_IPADDRESS LLRPC(LLRPC_IN | LLRPC_OUT, 7, 4)
#define LLRPC_MAP_TCP       LLRPC(LLRPC_IN | LLRPC_OUT | LLRPC_SAFE, 8, 12)
#define LLRPC_MAP_UDP       LLRPC(LLRPC_IN | LLRPC_OUT | LLRPC_SAFE, 9, 12)

static inline unsigned llrpc_size(uint32_t call)
{
    return call >> 16 & 0xfff;
}

/* Why a call failed, in the words that Click's clients see. */
#define LLRPC_EINVAL "Invalid argument"
#define LLRPC_EAGAIN "Resource temporarily unavailable"

#endif
