// SPDX-License-Identifier: BSD-3-Clause
/*
 * nameinfo.h -- names for values, by scope
 *
 * AddressInfo, PortInfo, IPFieldInfo and their kin give names a meaning inside the
 * compound element where they stand and inside those below it. A look-up begins in the
 * scope of the element that asks, goes outwards, and ends with the names that are built
 * in (protocols, well-known ports, ICMP types, annotations).
 *
 * Memory: names live in the router's arena.
 */

#ifndef ENGINE_NAMEINFO_H
#define ENGINE_NAMEINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct element;
struct place;

/* What a name stands for, and what its value looks like. */
enum name_kind {
    NAME_IP = 1,     /* uint32_t, network byte order */
    NAME_IP_PREFIX,  /* struct ip_prefix */
    NAME_IP6,        /* struct ip6_addr */
    NAME_IP6_PREFIX, /* struct name_ip6_prefix */
    NAME_ETHER,      /* struct ether_addr */
    NAME_ANNO,       /* uint32_t: size << 16 | offset */
    NAME_IP_FIELD, /* uint32_t: protocol, bit offset, bit length as IPFieldInfo packs */
    NAME_SCHEDULE, /* uint32_t: tickets */
    NAME_IP_PROTO, /* uint32_t: protocol number; beyond 255 see below */
    NAME_ICMP_TYPE,       /* uint32_t */
    NAME_SPINLOCK,        /* uint32_t: nothing */
    NAME_REWRITE_PATTERN, /* struct rewrite_pattern * */
    NAME_IP_GATEWAY,      /* uint32_t, network byte order; only the host knows any */
    /* uint32_t: code of one ICMP type, NAME_ICMP_CODE + type */
    NAME_ICMP_CODE = 0x100,
    /* uint32_t: host byte order, NAME_PORT + IP protocol */
    NAME_PORT = 0x200,
};

/* Values of NAME_IP_PROTO that stand for several protocols. */
enum { NAME_PROTO_TCP_OR_UDP = 256, NAME_PROTO_TRANSP = 257 };

struct name_ip6_prefix {
    uint8_t addr[16];
    uint32_t bits;
};

enum { NAME_VALUE_MAX = 24 }; /* bytes of the largest value */

/* Give `name` a value of `size` <= NAME_VALUE_MAX bytes in the scope where `e` stands; a
 * value it had there is replaced. Returns -1 when memory ran out. */
int name_define(const struct element *e, unsigned kind, const char *name,
                const void *value, size_t size);

/* The value that `name` has where `e` stands (NULL: only built-in names). Returns whether
 * there is one, and then sets `size` bytes of `value`. */
bool name_query(const struct element *e, unsigned kind, const char *name, void *value,
                size_t size);

/* The same in the very scope of `e` alone, for warnings about conflicts. */
bool name_query_here(const struct element *e, unsigned kind, const char *name,
                     void *value, size_t size);

/* What the host knows by that name: the addresses of its interfaces, by which they can be
 * called wherever an address can stand, and services that are not built in. A VM knows the
 * Ethernet addresses of its own interfaces. */
bool name_query_host(const struct element *e, unsigned kind, const char *name,
                     void *value, size_t size);

/* name_query() of a 32-bit value, or the number that `name` spells. */
bool name_query_int(const struct element *e, unsigned kind, const char *name,
                    uint32_t *value);

/* The built-in name of a value, NULL if there is none. */
const char *name_of(unsigned kind, uint32_t value);

#endif
