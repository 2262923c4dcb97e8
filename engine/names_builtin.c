// SPDX-License-Identifier: BSD-3-Clause
/*
 * names_builtin.c -- the names that need no information element
 *
 * There is no /etc/services under the engine, so the ports that people write by name are
 * here; they are the same in every VM.
 */

#include "engine/names_builtin.h"

#include "engine/nameinfo.h"
#include "engine/pkt.h"

#include <stddef.h>
#include <string.h>

struct builtin {
    const char *name;
    uint32_t value;
};

#define ANNO(offset_, size_) ((uint32_t)(size_) << 16 | (uint32_t)(offset_))

static const struct builtin annotations[] = {
    {"AGGREGATE", ANNO(ANNO_AGGREGATE, 4)},
    {"DST_IP", ANNO(ANNO_DST_IP, 4)},
    {"DST_IP6", ANNO(ANNO_DST_IP6, 16)},
    {"EXTRA_LENGTH", ANNO(ANNO_EXTRA_LENGTH, 4)},
    {"EXTRA_PACKETS", ANNO(ANNO_EXTRA_PACKETS, 4)},
    {"FIRST_TIMESTAMP", ANNO(ANNO_FIRST_TIMESTAMP, 8)},
    {"FIX_IP_SRC", ANNO(ANNO_FIX_IP_SRC, 1)},
    {"FWD_RATE", ANNO(ANNO_FWD_RATE, 4)},
    {"ICMP_PARAMPROB", ANNO(ANNO_ICMP_PARAMPROB, 1)},
    {"IPREASSEMBLER", ANNO(ANNO_IPREASSEMBLER, 4)},
    {"IPSEC_SA_DATA_REFERENCE", ANNO(ANNO_IPSEC_SA_DATA, 8)},
    {"IPSEC_SPI", ANNO(ANNO_IPSEC_SPI, 4)},
    {"MISC_IP", ANNO(ANNO_MISC_IP, 4)},
    {"PACKET_NUMBER", ANNO(ANNO_PACKET_NUMBER, 4)},
    {"PAINT", ANNO(ANNO_PAINT, 1)},
    {"PERFCTR", ANNO(ANNO_PERFCTR, 8)},
    {"REV_RATE", ANNO(ANNO_REV_RATE, 4)},
    {"SEQUENCE_NUMBER", ANNO(ANNO_SEQUENCE_NUMBER, 4)},
    {"VLAN", ANNO(ANNO_VLAN_TCI, 2)},
    {"VLAN_TCI", ANNO(ANNO_VLAN_TCI, 2)},
    {NULL, 0},
};

static const struct builtin protocols[] = {
    {"icmp", 1},
    {"igmp", 2},
    {"ipip", 4},
    {"tcp", 6},
    {"udp", 17},
    {"dccp", 33},
    {"gre", 47},
    {"esp", 50},
    {"ah", 51},
    {"icmp6", 58},
    {"ospf", 89},
    {"sctp", 132},
    {"udplite", 136},
    {"tcpudp", NAME_PROTO_TCP_OR_UDP},
    {"transp", NAME_PROTO_TRANSP},
    {NULL, 0},
};

static const struct builtin icmp_types[] = {
    {"echo-reply", 0},
    {"unreachable", 3},
    {"sourcequench", 4},
    {"redirect", 5},
    {"echo", 8},
    {"routeradvert", 9},
    {"routersolicit", 10},
    {"timeexceeded", 11},
    {"parameterproblem", 12},
    {"timestamp", 13},
    {"timestamp-reply", 14},
    {"inforeq", 15},
    {"inforeq-reply", 16},
    {"maskreq", 17},
    {"maskreq-reply", 18},
    {NULL, 0},
};

static const struct builtin unreachable_codes[] = {
    {"net", 0},
    {"host", 1},
    {"protocol", 2},
    {"port", 3},
    {"needfrag", 4},
    {"srcroutefail", 5},
    {"netunknown", 6},
    {"hostunknown", 7},
    {"isolated", 8},
    {"netprohibited", 9},
    {"hostprohibited", 10},
    {"tosnet", 11},
    {"toshost", 12},
    {"filterprohibited", 13},
    {"hostprecedence", 14},
    {"precedencecutoff", 15},
    {NULL, 0},
};

static const struct builtin redirect_codes[] = {
    {"net", 0}, {"host", 1}, {"tosnet", 2}, {"toshost", 3}, {NULL, 0},
};

static const struct builtin time_exceeded_codes[] = {
    {"transit", 0},
    {"reassembly", 1},
    {NULL, 0},
};

static const struct builtin parameter_codes[] = {
    {"erroratptr", 0},
    {"missingopt", 1},
    {"length", 2},
    {NULL, 0},
};

static const struct builtin ports[] = {
    {"echo", 7},          {"discard", 9},       {"daytime", 13},  {"chargen", 19},
    {"ftp-data", 20},     {"ftp", 21},          {"ssh", 22},      {"telnet", 23},
    {"smtp", 25},         {"time", 37},         {"whois", 43},    {"tacacs", 49},
    {"domain", 53},       {"dns", 53},          {"bootps", 67},   {"bootpc", 68},
    {"tftp", 69},         {"gopher", 70},       {"finger", 79},   {"www", 80},
    {"http", 80},         {"kerberos", 88},     {"pop3", 110},    {"sunrpc", 111},
    {"auth", 113},        {"nntp", 119},        {"ntp", 123},     {"netbios-ns", 137},
    {"netbios-dgm", 138}, {"netbios-ssn", 139}, {"imap", 143},    {"imap2", 143},
    {"snmp", 161},        {"snmp-trap", 162},   {"bgp", 179},     {"irc", 194},
    {"imap3", 220},       {"ldap", 389},        {"https", 443},   {"microsoft-ds", 445},
    {"isakmp", 500},      {"syslog", 514},      {"rip", 520},     {"route", 520},
    {"submission", 587},  {"ldaps", 636},       {"imaps", 993},   {"pop3s", 995},
    {"socks", 1080},      {"openvpn", 1194},    {"radius", 1812}, {"nfs", 2049},
    {"mysql", 3306},      {"rdp", 3389},        {"sip", 5060},    {"xmpp-client", 5222},
    {"postgresql", 5432}, {"http-alt", 8080},   {NULL, 0},
};

static const struct builtin *table_for(unsigned kind)
{
    switch (kind) {
    case NAME_ANNO:
        return annotations;
    case NAME_IP_PROTO:
        return protocols;
    case NAME_ICMP_TYPE:
        return icmp_types;
    case NAME_ICMP_CODE + 3:
        return unreachable_codes;
    case NAME_ICMP_CODE + 5:
        return redirect_codes;
    case NAME_ICMP_CODE + 11:
        return time_exceeded_codes;
    case NAME_ICMP_CODE + 12:
        return parameter_codes;
    case NAME_PORT + 6:
    case NAME_PORT + 17:
        return ports;
    }
    return NULL;
}

bool names_builtin_value(unsigned kind, const char *name, uint32_t *value)
{
    const struct builtin *b = table_for(kind);

    for (; b && b->name; b++)
        if (strcmp(b->name, name) == 0) {
            *value = b->value;
            return true;
        }
    return false;
}

const char *names_builtin_name(unsigned kind, uint32_t value)
{
    const struct builtin *b = table_for(kind);

    for (; b && b->name; b++)
        if (b->value == value)
            return b->name;
    return NULL;
}
