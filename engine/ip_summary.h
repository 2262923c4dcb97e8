// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_summary.h -- packets as lines of fields: the format of IP summary dumps
 *
 * Shared by FromIPSummaryDump, ToIPSummaryDump and ToIPFlowDumps. A dump is text, or binary
 * records behind a head of text:
 *
 *     !IPSummaryDump 1.3
 *     !data timestamp ip_src sport ip_proto
 *     996033261.451094 192.150.187.37 22 T
 *
 * The fields are in one table; writing takes them apart with struct ipsum_packet, reading
 * puts a packet together with struct ipsum_builder.
 */

#ifndef ENGINE_IP_SUMMARY_H
#define ENGINE_IP_SUMMARY_H

#include "engine/element.h"
#include "engine/net_headers.h"

enum { IPSUM_MAJOR = 1, IPSUM_MINOR = 3 };

enum ipsum_id {
    IPSUM_NONE,
    IPSUM_TIMESTAMP,
    IPSUM_NTIMESTAMP,
    IPSUM_TS_SEC,
    IPSUM_TS_USEC,
    IPSUM_TS_USEC1,
    IPSUM_FIRST_TIMESTAMP,
    IPSUM_FIRST_NTIMESTAMP,
    IPSUM_COUNT,
    IPSUM_LINK,
    IPSUM_DIRECTION,
    IPSUM_AGGREGATE,
    IPSUM_WIRE_LEN,
    IPSUM_ETH_SRC,
    IPSUM_ETH_DST,
    IPSUM_ETH_TYPE,
    IPSUM_IP_SRC,
    IPSUM_IP_DST,
    IPSUM_IP_TOS,
    IPSUM_IP_DSCP,
    IPSUM_IP_ECN,
    IPSUM_IP_TTL,
    IPSUM_IP_FRAG,
    IPSUM_IP_FRAGOFF,
    IPSUM_IP_ID,
    IPSUM_IP_SUM,
    IPSUM_IP_PROTO,
    IPSUM_IP_HL,
    IPSUM_IP_LEN,
    IPSUM_IP_CAPTURE_LEN,
    IPSUM_IP_OPT,
    IPSUM_SPORT,
    IPSUM_DPORT,
    IPSUM_TCP_SEQ,
    IPSUM_TCP_ACK,
    IPSUM_TCP_OFF,
    IPSUM_TCP_FLAGS,
    IPSUM_TCP_WINDOW,
    IPSUM_TCP_URP,
    IPSUM_TCP_OPT,
    IPSUM_TCP_NTOPT,
    IPSUM_TCP_SACK,
    IPSUM_UDP_LEN,
    IPSUM_ICMP_TYPE,
    IPSUM_ICMP_CODE,
    IPSUM_ICMP_TYPE_NAME,
    IPSUM_ICMP_CODE_NAME,
    IPSUM_ICMP_FLOWID,
    IPSUM_ICMP_SEQ,
    IPSUM_ICMP_NEXTMTU,
    IPSUM_PAYLOAD,
    IPSUM_PAYLOAD_LEN,
    IPSUM_PAYLOAD_MD5,
    IPSUM_PAYLOAD_MD5_HEX,
};

/* Bytes in binary records; two kinds have no fixed size. */
enum { IPSUM_VARIABLE = -1, IPSUM_NOT_BINARY = -2 };

struct ipsum_field {
    const char *name;
    uint8_t id;     /* enum ipsum_id */
    int8_t size;    /* in binary records */
    uint16_t order; /* in which fields are put into a packet; 0: cannot be read */
};

enum { IPSUM_FIELDS_MAX = 64 };

struct ipsum_fields {
    const struct ipsum_field *field[IPSUM_FIELDS_MAX]; /* NULL: to be skipped */
    uint32_t n;
};

/* The field of that name, of an old name or of a synonym; NULL when there is none. */
const struct ipsum_field *ipsum_find(const char *name);

/* Whether ICMP messages of that type have an identifier and a sequence number. */
bool ipsum_icmp_has_id(uint8_t type);

/* --- writing ---------------------------------------------------------------------------- */

struct ipsum_options {
    bool careful_trunc, extra_length, binary;
};

/* Append a packet's line or record to `out`, and what is wrong with it ("!bad ...\n") to
 * `bad`, which may be NULL. */
void ipsum_write(const struct ipsum_fields *f, const struct ipsum_options *o,
                 const struct pkt *p, struct sbuf *out, struct sbuf *bad);

/* --- reading ---------------------------------------------------------------------------- */

struct ipsum_flow { /* network byte order */
    uint32_t src, dst;
    uint16_t sport, dport;
};

struct ipsum_defaults {
    struct ipsum_flow flow;
    uint8_t proto;
    bool have_flow, checksum;
    int minor; /* version of the dump */
};

/* The packet that a line or the data of a record describes; NULL when no field made sense or
 * memory ran out, which `no_memory` tells. Bytes that are not said are 0. */
struct pkt *ipsum_read(const struct ipsum_fields *f, const struct ipsum_defaults *d,
                       struct element *e, const char *data, size_t len, bool binary,
                       bool *no_memory);

/* --- options of IP and TCP headers ------------------------------------------------------ */

enum {
    IPSUM_OPT_PADDING = 1,
    IPSUM_OPT_MSS = 2,
    IPSUM_OPT_WSCALE = 4,
    IPSUM_OPT_SACK = 8,
    IPSUM_OPT_TIMESTAMP = 16,
    IPSUM_OPT_UNKNOWN = 32,
    IPSUM_OPT_ROUTE = 64,
    IPSUM_OPT_ALL = 0xff,
};

/* As text, only kinds in `mask`: ".", "?" (invalid), or "mss1400;sackok". */
void ipsum_print_tcp_opt(struct sbuf *out, const uint8_t *opt, uint32_t n, int mask);
void ipsum_print_ip_opt(struct sbuf *out, const uint8_t *opt, uint32_t n, int mask);

/* One byte of length and the options themselves. */
void ipsum_binary_tcp_opt(struct sbuf *out, const uint8_t *opt, uint32_t n, int mask);

/* From text; at most 40 bytes. Returns how many, or -1. */
int ipsum_parse_tcp_opt(const char *text, int mask, uint8_t out[40]);
int ipsum_parse_ip_opt(const char *text, uint8_t out[40]);

#endif
