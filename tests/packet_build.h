// SPDX-License-Identifier: BSD-3-Clause
/* packet_build.h -- inside packet_text: bytes that grow, and the protocol builders */

#ifndef TESTS_PACKET_BUILD_H
#define TESTS_PACKET_BUILD_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A packet that is being made. */
struct build {
    uint8_t *bytes, *mask; /* owned; mask is 0 where any value will do */
    size_t len, room;
    bool failed, wild;
    uint16_t ether_type; /* what an eth() around it would say; 0: unknown */
};

void build_fini(struct build *b);
void build_add(struct build *b, const void *bytes, size_t len);
void build_byte(struct build *b, unsigned v, bool any);
void build_u16(struct build *b, unsigned v); /* network byte order */
void build_u32(struct build *b, uint32_t v);
void build_put_u16(struct build *b, size_t at, unsigned v);

/* One argument of a builder: "ttl 3" is word "ttl", rest "3". */
struct option {
    char word[32];
    char *rest; /* NUL-terminated, "" if none */
};

/* Append what `name(inside)` stands for; `inside` is taken apart in place. Returns 0, -1
 * with a message, or 1 when there is no builder of that name. */
int build_call(struct build *b, const char *name, char *inside, struct diag *d);

/* Append the single packet that `text` stands for: packet_text.c. */
int build_one(struct build *b, const char *text, struct diag *d);

/* Split at top-level commas, in place. Returns the next piece without blanks around it,
 * NULL at the end. */
char *build_next(char **rest);
void build_option(struct option *o, char *piece);

#endif
