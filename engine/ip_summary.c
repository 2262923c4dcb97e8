// SPDX-License-Identifier: BSD-3-Clause
/* ip_summary.c -- the table of fields of IP summary dumps */

#include "engine/ip_summary.h"

enum { ANNO = 100, LINK = 200, NET = 300, TRANSP = 400, PAYLOAD = 500 };

static const struct ipsum_field fields[] = {
    {"none", IPSUM_NONE, 0, 0},
    {"timestamp", IPSUM_TIMESTAMP, 8, ANNO},
    {"ntimestamp", IPSUM_NTIMESTAMP, 8, ANNO},
    {"ts_sec", IPSUM_TS_SEC, 4, ANNO},
    {"ts_usec", IPSUM_TS_USEC, 4, ANNO},
    {"ts_usec1", IPSUM_TS_USEC1, 8, ANNO},
    {"first_timestamp", IPSUM_FIRST_TIMESTAMP, 8, ANNO},
    {"first_ntimestamp", IPSUM_FIRST_NTIMESTAMP, 8, ANNO},
    {"count", IPSUM_COUNT, 4, ANNO},
    {"link", IPSUM_LINK, 1, ANNO},
    {"paint", IPSUM_LINK, 1, ANNO},
    {"direction", IPSUM_DIRECTION, 1, ANNO},
    {"aggregate", IPSUM_AGGREGATE, 4, ANNO},
    {"wire_len", IPSUM_WIRE_LEN, 4, ANNO},
    {"eth_src", IPSUM_ETH_SRC, 6, LINK},
    {"eth_dst", IPSUM_ETH_DST, 6, LINK},
    {"eth_type", IPSUM_ETH_TYPE, 2, LINK},
    {"ip_src", IPSUM_IP_SRC, 4, NET},
    {"ip_dst", IPSUM_IP_DST, 4, NET},
    {"ip_tos", IPSUM_IP_TOS, 1, NET},
    {"ip_dscp", IPSUM_IP_DSCP, 1, NET},
    {"ip_ecn", IPSUM_IP_ECN, 1, NET},
    {"ip_ttl", IPSUM_IP_TTL, 1, NET},
    {"ip_frag", IPSUM_IP_FRAG, 1, NET - 2},
    {"ip_fragoff", IPSUM_IP_FRAGOFF, 2, NET - 1},
    {"ip_id", IPSUM_IP_ID, 2, NET},
    {"ip_sum", IPSUM_IP_SUM, 2, NET + 2},
    {"ip_proto", IPSUM_IP_PROTO, 1, NET},
    {"ip_hl", IPSUM_IP_HL, 1, NET - 1},
    {"ip_len", IPSUM_IP_LEN, 4, NET + 1},
    {"ip_capture_len", IPSUM_IP_CAPTURE_LEN, 4, PAYLOAD + 2},
    {"ip_opt", IPSUM_IP_OPT, IPSUM_VARIABLE, NET},
    {"sport", IPSUM_SPORT, 2, TRANSP},
    {"dport", IPSUM_DPORT, 2, TRANSP},
    {"tcp_seq", IPSUM_TCP_SEQ, 4, TRANSP},
    {"tcp_ack", IPSUM_TCP_ACK, 4, TRANSP},
    {"tcp_off", IPSUM_TCP_OFF, 1, TRANSP - 1},
    {"tcp_flags", IPSUM_TCP_FLAGS, 1, TRANSP},
    {"tcp_window", IPSUM_TCP_WINDOW, 2, TRANSP},
    {"tcp_urp", IPSUM_TCP_URP, 2, TRANSP},
    {"tcp_opt", IPSUM_TCP_OPT, IPSUM_VARIABLE, TRANSP + 3},
    {"tcp_ntopt", IPSUM_TCP_NTOPT, IPSUM_VARIABLE, TRANSP + 2},
    {"tcp_sack", IPSUM_TCP_SACK, IPSUM_VARIABLE, TRANSP + 1},
    {"udp_len", IPSUM_UDP_LEN, 4, TRANSP},
    {"icmp_type", IPSUM_ICMP_TYPE, 1, TRANSP},
    {"icmp_code", IPSUM_ICMP_CODE, 1, TRANSP + 1},
    {"icmp_type_name", IPSUM_ICMP_TYPE_NAME, 1, TRANSP},
    {"icmp_code_name", IPSUM_ICMP_CODE_NAME, 1, TRANSP + 1},
    {"icmp_flowid", IPSUM_ICMP_FLOWID, 2, TRANSP + 2},
    {"icmp_seq", IPSUM_ICMP_SEQ, 2, TRANSP + 2},
    {"icmp_nextmtu", IPSUM_ICMP_NEXTMTU, 2, TRANSP + 2},
    {"payload", IPSUM_PAYLOAD, IPSUM_NOT_BINARY, PAYLOAD},
    {"payload_len", IPSUM_PAYLOAD_LEN, 4, PAYLOAD + 1},
    {"payload_md5", IPSUM_PAYLOAD_MD5, 16, 0},
    {"payload_md5_hex", IPSUM_PAYLOAD_MD5_HEX, 16, 0},
};

static const char *const synonyms[][2] = {
    {"utimestamp", "timestamp"},
    {"ts", "timestamp"},
    {"sec", "ts_sec"},
    {"usec", "ts_usec"},
    {"usec1", "ts_usec1"},
    {"first_utimestamp", "first_timestamp"},
    {"first_ts", "first_timestamp"},
    {"pkt_count", "count"},
    {"packet_count", "count"},
    {"agg", "aggregate"},
    {"wire_length", "wire_len"},
    {"length", "ip_len"},
    {"ip_p", "ip_proto"},
    {"ether_src", "eth_src"},
    {"ether_dst", "eth_dst"},
    {"ether_type", "eth_type"},
    {"tcp_seqno", "tcp_seq"},
    {"tcp_ackno", "tcp_ack"},
    {"tcp_win", "tcp_window"},
    {"payload_length", "payload_len"},
};

static const struct ipsum_field *find_exact(const char *name)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (!strcmp(synonyms[i][0], name))
            name = synonyms[i][1];
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!strcmp(fields[i].name, name))
            return &fields[i];
    return NULL;
}

const struct ipsum_field *ipsum_find(const char *name)
{
    const struct ipsum_field *f = find_exact(name);
    char changed[64];
    size_t len = strlen(name);
    char *blank;

    if (f || len + 4 > sizeof changed)
        return f;
    memcpy(changed, name, len + 1);
    if ((blank = strchr(changed, ' '))) { /* as in old dumps: "ip src" */
        *blank = '_';
        return ipsum_find(changed);
    }
    if (strchr(name, '_'))
        return NULL;
    memcpy(changed, "ip_", 3);
    memcpy(changed + 3, name, len + 1);
    return find_exact(changed);
}

bool ipsum_icmp_has_id(uint8_t type)
{
    return type == ICMP_ECHO || type == ICMP_ECHOREPLY || type == ICMP_IREQ ||
           type == ICMP_IREQREPLY || type == ICMP_TSTAMP || type == ICMP_TSTAMPREPLY;
}
