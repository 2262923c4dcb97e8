// SPDX-License-Identifier: BSD-3-Clause
/* link_type.c -- what packets of a capture begin with: see link_type.h */

#include "engine/os/link_type.h"

#include "engine/net_headers.h"

#include <stdio.h>

static const struct {
    const char *name;
    int type;
} names[] = {
    /* the first of several names is the one that is printed */
    {"NULL", LINK_NULL},
    {"IP", LINK_RAW},
    {"ETHER", LINK_ETHER},
    {"FDDI", LINK_FDDI},
    {"ATM", LINK_ATM_RFC1483},
    {"RFC1483", LINK_ATM_RFC1483},
    {"ATM_RFC1483", LINK_ATM_RFC1483},
    {"802_11", LINK_802_11},
    {"802.11", LINK_802_11},
    {"802_11_RADIO", LINK_802_11_RADIO},
    {"802.11_RADIO", LINK_802_11_RADIO},
    {"SLL", LINK_LINUX_SLL},
    {"AIRONET", LINK_AIRONET},
    {"HDLC", LINK_C_HDLC},
    {"PPP_HDLC", LINK_PPP_HDLC},
    {"PPP", LINK_PPP},
    {"SUNATM", LINK_SUNATM},
    {"PRISM", LINK_PRISM},
};
enum { N_NAMES = sizeof names / sizeof names[0] };

int link_type_parse(const char *name)
{
    uint64_t number;

    for (size_t i = 0; i < N_NAMES; i++)
        if (!strcmp(name, names[i].name))
            return names[i].type;
    if (name[0] == '#' && name[1] && parse_u64(name + 1, 0, &number) &&
        number < INT32_MAX)
        return (int)number;
    return -1;
}

const char *link_type_unparse(int type, char *buf)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (type == names[i].type)
            return names[i].name;
    if (type < 0)
        return "<none>";
    snprintf(buf, LINK_TYPE_ROOM, "#%d", type);
    return buf;
}

/* --- where IP starts -------------------------------------------------------------------- */

/* Bytes of a frame that are still to be looked at. */
struct rest {
    const uint8_t *at;
    uint32_t n;
};

static bool skip(struct rest *r, uint32_t n)
{
    if (r->n < n)
        return false;
    r->at += n;
    r->n -= n;
    return true;
}

static uint32_t net16(const uint8_t *at)
{
    return (uint32_t)(at[0] << 8 | at[1]);
}

static bool ip_type(const uint8_t *at)
{
    return net16(at) == ETHERTYPE_IP || net16(at) == ETHERTYPE_IP6;
}

static bool ether(struct rest *r)
{
    if (r->n >= 14 && ip_type(r->at + 12))
        return skip(r, 14);
    return r->n >= 18 && net16(r->at + 12) == ETHERTYPE_8021Q && ip_type(r->at + 16) &&
           skip(r, 18);
}

enum { LLC_IP = 0x06, LLC_SNAP = 0xaa };
enum { OUI_ETHER = 0x000000, OUI_CISCO_90 = 0x0000f8, OUI_RFC2684 = 0x0080c2 };

static bool fddi_llc(const struct rest *r)
{
    return r->n >= 21 && (r->at[0] & 0xf0) == 0x50;
}

/* LLC and SNAP, RFC 1483 and RFC 2684. A bridged frame may hold the next one, so this goes
 * round; every turn takes bytes away. */
static bool llc(struct rest *r)
{
    static const uint8_t snap_ip[6] = {LLC_SNAP, LLC_SNAP, 3, 0, 0, 0};

    for (;;) {
        uint32_t oui, protocol;

        if (r->n >= 8 && !memcmp(r->at, snap_ip, 6) && ip_type(r->at + 6))
            return skip(r, 8);
        if (r->n >= 4 && r->at[0] == LLC_IP && r->at[1] == LLC_IP)
            return skip(r, 4);
        if (r->n < 8 || r->at[0] != LLC_SNAP || r->at[1] != LLC_SNAP)
            return false;
        oui = (uint32_t)r->at[3] << 16 | net16(r->at + 4);
        protocol = net16(r->at + 6);
        if (oui == OUI_ETHER || oui == OUI_CISCO_90) {
            /* the type stands where that of an Ethernet header would */
            if (ip_type(r->at + 6))
                return skip(r, 8);
            return r->n >= 12 && protocol == ETHERTYPE_8021Q && ip_type(r->at + 10) &&
                   skip(r, 12);
        }
        if (oui != OUI_RFC2684)
            return false;
        if (protocol == 1 || protocol == 7)
            return skip(r, 8) && ether(r);
        if ((protocol != 4 && protocol != 10) || !skip(r, 9) || !fddi_llc(r))
            return false;
        skip(r, 13);
    }
}

static bool c_hdlc(struct rest *r)
{
    return r->n >= 4 && ip_type(r->at + 2) && skip(r, 4);
}

static bool ppp_ip(uint8_t protocol)
{
    return protocol == 0x21 || protocol == 0x57;
}

static bool ppp_hdlc(struct rest *r)
{
    if (r->n < 4)
        return false;
    if (r->at[0] == 0xff)
        return r->at[2] == 0 && ppp_ip(r->at[3]) && skip(r, 4);
    return (r->at[0] == 0x0f || r->at[0] == 0x8f) && c_hdlc(r);
}

static bool ppp(struct rest *r)
{
    if (r->n >= 2 && r->at[0] == 0xff && r->at[1] == 3)
        skip(r, 2);
    if (r->n < 2)
        return false;
    if (ppp_ip(r->at[0]))
        return skip(r, 1);
    return r->at[0] == 0 && ppp_ip(r->at[1]) && skip(r, 2);
}

static bool wifi(struct rest *r)
{
    return r->n >= 24 && (r->at[0] & 0x0c) == 0x08 &&
           skip(r, (r->at[1] & 3) == 3 ? 30 : 24) && llc(r);
}

static bool wifi_radio(struct rest *r)
{
    uint32_t len = r->n >= 4 ? (uint32_t)(r->at[3] << 8 | r->at[2]) : 0;

    return len >= 8 && skip(r, len) && wifi(r);
}

/* The address family of BSD systems, in whatever byte order. */
static bool null_family(struct rest *r)
{
    uint32_t family;

    if (r->n < 4)
        return false;
    family = (uint32_t)(r->at[0] | r->at[1] << 8);
    if (!family)
        family = net16(r->at + 2);
    return (family == 2 || family == 24 || family == 28 || family == 30) && skip(r, 4);
}

static bool find_ip(struct rest *r, int type)
{
    switch (type) {
    case LINK_RAW:
    case LINK_HOST_RAW:
        return true;
    case LINK_ETHER:
        return ether(r);
    case LINK_FDDI:
        return fddi_llc(r) && skip(r, 13) && llc(r);
    case LINK_SUNATM:
        return skip(r, 4) && llc(r);
    case LINK_ATM_RFC1483:
        return llc(r);
    case LINK_LINUX_SLL:
        return r->n >= 16 && ip_type(r->at + 14) && skip(r, 16);
    case LINK_C_HDLC:
        return c_hdlc(r);
    case LINK_PPP_HDLC:
        return ppp_hdlc(r);
    case LINK_PPP:
        return ppp(r);
    case LINK_PRISM:
        return skip(r, 144) && wifi(r);
    case LINK_802_11:
        return wifi(r);
    case LINK_802_11_RADIO:
        return wifi_radio(r);
    case LINK_NULL:
        return null_family(r);
    default:
        return false;
    }
}

bool link_type_has_ip(int type)
{
    static const int known[] = {
        LINK_RAW,       LINK_HOST_RAW,    LINK_ETHER,  LINK_SUNATM,       LINK_FDDI,
        LINK_LINUX_SLL, LINK_ATM_RFC1483, LINK_C_HDLC, LINK_802_11,       LINK_PRISM,
        LINK_PPP_HDLC,  LINK_PPP,         LINK_NULL,   LINK_802_11_RADIO,
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (type == known[i])
            return true;
    return false;
}

bool link_type_force_ip(struct pkt *p, int type)
{
    struct rest r = {p->data, p->len};
    uint8_t *ip;

    if (!find_ip(&r, type) || !r.n)
        return false;
    ip = p->data + (r.at - p->data);
    if (ip[0] >> 4 == 4) {
        uint32_t header = (ip[0] & 15u) * 4;

        if (header < sizeof(struct ip4_hdr) || header > r.n)
            return false;
        pkt_set_ip4(p, ip, header);
        pkt_set_dst_ip(p, pkt_ip4(p)->dst);
        return true;
    }
    if (ip[0] >> 4 != 6 || r.n < sizeof(struct ip6_hdr))
        return false;
    pkt_set_ip4(p, ip, sizeof(struct ip6_hdr));
    return true;
}
