// SPDX-License-Identifier: BSD-3-Clause
/*
 * rfc2507.h -- what RFC2507Comp and RFC2507Decomp agree on
 *
 * A packet between them begins with a byte that says what follows:
 *
 *     0  a whole packet
 *     1  the number of a connection, and a whole packet of it
 *     2  number, flags, TCP checksum (2 bytes), changes, and what is behind 40 bytes of headers
 *
 * A change is what has to be added to a field's value in the packet before: one byte, or a
 * byte of 0 and two more. There is one for each flag that is set, in the order of the flags,
 * but for RFC2507_PUSH, which is TCP's. Without RFC2507_ID the identification goes up by one.
 */

#ifndef ENGINE_RFC2507_H
#define ENGINE_RFC2507_H

#include "engine/net_headers.h"

#include <stdbool.h>

enum { RFC2507_OTHER, RFC2507_FULL, RFC2507_COMPRESSED };
enum {
    RFC2507_URGENT = 1,
    RFC2507_WINDOW = 2,
    RFC2507_ACK = 4,
    RFC2507_SEQ = 8,
    RFC2507_PUSH = 16,
    RFC2507_ID = 32,
};

/* Connections have the numbers 1 to 14. */
enum { RFC2507_CONNECTIONS = 15, RFC2507_FIXED = 5, RFC2507_CHANGE_MAX = 3 };

/* Headers of the last packet of a connection. */
struct rfc2507_headers {
    struct ip4_hdr ip;
    struct tcp_hdr tcp;
};
_Static_assert(sizeof(struct rfc2507_headers) == 40, "as in the packet");

struct rfc2507_connection {
    struct rfc2507_headers last;
    bool used;
};

#endif
