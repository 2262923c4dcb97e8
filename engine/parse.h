// SPDX-License-Identifier: BSD-3-Clause
/*
 * parse.h -- arguments as values: numbers, addresses, times, rates
 *
 * Every parser takes the whole text of one argument (blanks around it already removed),
 * sets `*out` and returns true, or leaves it alone and returns false. Those that take a
 * `context` also know the names that AddressInfo, PortInfo and the other information
 * elements have given in that element's scope; it may be NULL.
 */

#ifndef ENGINE_PARSE_H
#define ENGINE_PARSE_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct element;
struct anno_ref;
struct arg_spec;
struct text;

struct ether_addr {
    uint8_t b[6];
};
struct ip6_addr {
    uint8_t b[16];
};
struct ip_prefix {
    uint32_t addr, mask; /* network byte order */
};

enum parse_status { PARSE_OK, PARSE_INVALID, PARSE_RANGE };

/* Parsers that tell nonsense from numbers out of range; for the latter they set `*out` to
 * the nearest value that can be represented. The integer has `bits` bits. */
enum parse_status parse_integer(const char *s, int base, bool is_signed, unsigned bits,
                                uint64_t *out);
enum parse_status parse_seconds(const char *s, int64_t *ns);
enum parse_status parse_rate(const char *s, uint64_t *bytes_per_s);

bool parse_bool(const char *s, bool *out);              /* true yes 1, false no 0 */
bool parse_u64(const char *s, int base, uint64_t *out); /* base 0: 0x, 0 and 0b known */
bool parse_i64(const char *s, int base, int64_t *out);
bool parse_double(const char *s, double *out);
/* ... the nearest value and PARSE_RANGE when it is too large or too close to 0. */
enum parse_status parse_real(const char *s, double *out);
/* A real number in fixed point, `bits` <= 32: "1.5" with 8 is 384; rounded half up. */
bool parse_real_fixed(const char *s, unsigned bits, uint64_t *out);
bool parse_fraction(const char *s, double *out);            /* 0.5, 50% */
bool parse_time(const char *s, int64_t *ns);                /* 10, 1.5s, 5ms, 3us, 2h */
bool parse_bandwidth(const char *s, uint64_t *bytes_per_s); /* 10Mbps, 100kBps, 5000 */
bool parse_ip(const struct element *context, const char *s, uint32_t *addr);
/* 10.0.0.0/8, 10.0.0.0/255.0.0.0; a bare address is /32 if `allow_bare`. */
bool parse_ip_prefix(const struct element *context, const char *s, bool allow_bare,
                     struct ip_prefix *out);
bool parse_ip6(const struct element *context, const char *s, struct ip6_addr *out);
bool parse_ip6_prefix(const struct element *context, const char *s,
                      struct ip6_addr *out, unsigned *prefix_len);
bool parse_ether(const struct element *context, const char *s, struct ether_addr *out);
/* Where an Ethernet address is in the data: "src", "dst", or a number of bytes. */
bool parse_ether_offset(const char *s, uint32_t *offset);
/* Number or service name; `protocol` is IPPROTO_TCP or IPPROTO_UDP. */
bool parse_port(const struct element *context, const char *s, int protocol,
                uint16_t *port);
/* A number, of any size and sign, or a name; those that stand for several are above 255. */
bool parse_ip_protocol(const struct element *context, const char *s, int32_t *protocol);
/* "PAINT", "17", "20/4", "ANNO 4"; `size` is what a bare number means, 0: any. */
bool parse_anno(const char *s, unsigned size, struct anno_ref *out);
/* The same, with the names that AnnotationInfo has given where `context` stands. */
bool parse_anno_at(const struct element *context, const char *s, unsigned size,
                   struct anno_ref *out);
/* An identifier made of Click's name characters. */
bool parse_is_word(const char *s);

/* Text of a value, the way Click prints it. Buffers of 64 bytes are enough. */
const char *unparse_ip(uint32_t addr, char *buf);
const char *unparse_ip_prefix(struct ip_prefix p, char *buf);
const char *unparse_ip6(const struct ip6_addr *a, char *buf);
const char *unparse_ether(const struct ether_addr *a,
                          char *buf);            /* 00-11-22-33-44-55 */
const char *unparse_time(int64_t ns, char *buf); /* 5ms, 1.500000s, 0ms */
const char *unparse_bandwidth(uint64_t bytes_per_s, char *buf); /* 384kbps */

#endif
