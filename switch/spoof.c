// SPDX-License-Identifier: BSD-3-Clause
/*
 * spoof.c -- source addresses a port may use: MAC, IPv4, IPv6, and what ARP and neighbour
 *            discovery claim
 *
 * The sender can change a packet while it is forwarded, so the check is done on a copy of
 * its head, and that copy is what goes out.
 *
 * A filter of this kind is got round by hiding the addresses from it where the receiver
 * still finds them. So with IP addresses to check: one VLAN tag is looked behind, and a
 * second one refused; so is IP in LLC/SNAP (RFC 1042, CVE-2021-27854 and its like); the
 * extension headers of IPv6 are walked, and what could be neighbour discovery behind more
 * of them than the head holds, or in fragments (RFC 6980), is refused. A hop limit that is
 * not 255 makes it something else for every receiver.
 */

#include "switch/plane.h"

enum {
    TYPE_IP4 = 0x0800,
    TYPE_ARP = 0x0806,
    TYPE_RARP = 0x8035,
    TYPE_VLAN = 0x8100,
    TYPE_IP6 = 0x86dd,
    TYPE_QINQ = 0x88a8,
    TYPE_LENGTH = 0x0600 /* below: IEEE 802.3, the length */
};

enum {
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_AUTH = 51,
    NEXT_ICMP6 = 58,
    NEXT_OPTIONS = 60
};

enum {
    MLD_QUERY = 130,
    MLD_REPORT = 131,
    MLD_DONE = 132,
    ND_ROUTER_SOLICIT = 133,
    ND_ROUTER_ADVERT = 134,
    ND_SOLICIT = 135,
    ND_ADVERT = 136,
    ND_REDIRECT = 137,
    MLD2_REPORT = 143
};

/* A packet's head, and where its IP begins. */
struct head {
    const struct port_allow *allow;
    const uint8_t *bytes;
    uint32_t len;   /* of what is here */
    uint32_t total; /* of the packet */
};

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static bool checks_ip(const struct port_allow *a)
{
    return a->n_ip4 || a->n_ip6;
}

static bool mac_allowed(const struct port_allow *a, const uint8_t *mac)
{
    for (uint32_t i = 0; i < a->n_macs; i++)
        if (memcmp(a->macs[i], mac, 6) == 0)
            return true;
    return a->n_macs == 0;
}

static bool ip4_allowed(const struct port_allow *a, const uint8_t *ip)
{
    for (uint32_t i = 0; i < a->n_ip4; i++)
        if ((uint64_t)(a->ip4[i] ^ be32(ip)) >> a->ip4_free[i] == 0)
            return true;
    return a->n_ip4 == 0 && !(a->n_ip6 && a->other_family_refused);
}

/* fe80:: with the interface part made of that MAC (RFC 4291): every host has it. */
static bool is_link_local_of(const uint8_t *ip, const uint8_t *mac)
{
    const uint8_t want[16] = {0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2],
                              0xff, 0xfe, mac[3],           mac[4], mac[5]};

    return memcmp(ip, want, 16) == 0;
}

/* Alike but for the last `n_free` bits. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, uint32_t n_free)
{
    uint32_t whole = (128 - n_free) / 8, bits = n_free % 8;

    return memcmp(a, b, whole) == 0 && (!bits || (a[whole] ^ b[whole]) >> bits == 0);
}

static bool ip6_allowed(const struct port_allow *a, const uint8_t *ip)
{
    for (uint32_t i = 0; i < a->n_ip6; i++)
        if (same_prefix(a->ip6[i], ip, a->ip6_free[i]))
            return true;
    for (uint32_t i = 0; a->n_ip6 && i < a->n_macs; i++)
        if (is_link_local_of(ip, a->macs[i]))
            return true;
    return a->n_ip6 == 0 && !(a->n_ip4 && a->other_family_refused);
}

/* ---- ARP -------------------------------------------------------------------------- */

/* A claim of address and MAC. A probe (RFC 5227) has no address yet, and asks for the one
 * it wants. */
static bool arp_allowed(const struct head *h, uint32_t at)
{
    const struct port_allow *a = h->allow;
    const uint8_t *arp = h->bytes + at;

    if (h->len < at + 28 || be16(arp) != 1 || be16(arp + 2) != TYPE_IP4 ||
        arp[4] != 6 || arp[5] != 4)
        return false;
    if (!mac_allowed(a, arp + 8))
        return false;
    if (be32(arp + 14) != 0)
        return ip4_allowed(a, arp + 14);
    return be32(arp + 24) == 0 || ip4_allowed(a, arp + 24);
}

/* ---- IPv6 ------------------------------------------------------------------------- */

/* Options from `at` to `end`: the MAC that one of `type` gives must be the sender's. */
static bool nd_options_allowed(const struct head *h, uint32_t at, uint32_t end,
                               uint8_t type)
{
    while (at + 8 <= end && at + 8 <= h->len) {
        uint32_t len = 8u * h->bytes[at + 1];

        if (len == 0)
            return false;
        if (h->bytes[at] == type && !mac_allowed(h->allow, h->bytes + at + 2))
            return false;
        at += len;
    }
    return true;
}

/* `at` is that of the ICMPv6 header, `end` that of the IP packet. */
static bool nd_allowed(const struct head *h, uint32_t at, uint32_t end, bool nobody)
{
    enum { SOURCE = 1, TARGET = 2 };
    const uint8_t *icmp = h->bytes + at;

    if (icmp[0] == ND_ROUTER_SOLICIT)
        return end <= h->len && nd_options_allowed(h, at + 8, end, SOURCE);
    if (icmp[0] == ND_ROUTER_ADVERT)
        return !nobody && nd_options_allowed(h, at + 16, end, SOURCE);
    if (icmp[0] == ND_REDIRECT)
        return !nobody;
    if (end > h->len || at + 24 > end)
        return false;
    /* Who asks from nowhere asks whether it may have the address. */
    if ((icmp[0] == ND_ADVERT || nobody) && !ip6_allowed(h->allow, icmp + 8))
        return false;
    return nd_options_allowed(h, at + 24, end, icmp[0] == ND_ADVERT ? TARGET : SOURCE);
}

static bool is_nd(uint8_t type)
{
    return type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT;
}

/* What may come from nobody: those who have no address yet, and say to which groups they
 * belong. */
static bool may_be_nobody(uint8_t type)
{
    return type == ND_SOLICIT || type == ND_ROUTER_SOLICIT || type == MLD_REPORT ||
           type == MLD_DONE || type == MLD2_REPORT;
}

struct upper {
    uint32_t at;
    uint8_t next;
    bool fragment, later; /* a part of a packet; one without its head */
};

/* Find what is behind the extension headers. False: not within the head. */
static bool find_upper(const struct head *h, uint32_t at, struct upper *u)
{
    *u = (struct upper){.next = h->bytes[at + 6], .at = at + 40};
    for (;;) {
        const uint8_t *ext = h->bytes + u->at;

        if (u->next != NEXT_HOP_BY_HOP && u->next != NEXT_ROUTING &&
            u->next != NEXT_OPTIONS && u->next != NEXT_FRAGMENT && u->next != NEXT_AUTH)
            return u->next != NEXT_ICMP6 || u->at + 8 <= h->len;
        if (u->at + 8 > h->len)
            return false;
        if (u->next == NEXT_FRAGMENT) {
            u->fragment = true;
            u->later = (be16(ext + 2) & 0xfff8) != 0;
        }
        u->at += u->next == NEXT_FRAGMENT ? 8
                 : u->next == NEXT_AUTH   ? 4u * (ext[1] + 2u)
                                          : 8u * (ext[1] + 1u);
        u->next = ext[0];
        if (u->later)
            return true;
    }
}

static bool ip6_packet_allowed(const struct head *h, uint32_t at)
{
    static const uint8_t none[16];
    uint32_t end;
    struct upper u;
    bool nobody;

    if (h->len < at + 40)
        return false;
    nobody = memcmp(h->bytes + at + 8, none, 16) == 0;
    if (!nobody && !ip6_allowed(h->allow, h->bytes + at + 8))
        return false;
    if (!find_upper(h, at, &u))
        return !nobody && h->bytes[at + 7] != 255;
    if (u.next != NEXT_ICMP6 || u.later)
        return !nobody;
    if (nobody && !may_be_nobody(h->bytes[u.at]))
        return false;
    if (!is_nd(h->bytes[u.at]) || h->bytes[at + 7] != 255)
        return true;
    end = at + 40 + be16(h->bytes + at + 4);
    end = end < h->total ? end : h->total;
    return !u.fragment && nd_allowed(h, u.at, end, nobody);
}

/* ---- the whole -------------------------------------------------------------------- */

static bool is_tag(uint32_t type)
{
    return type == TYPE_VLAN || type == TYPE_QINQ || type == 0x9100 || type == 0x9200 ||
           type == 0x9300;
}

/* LLC/SNAP with an EtherType behind it; what is not cut off is told by its first bytes. */
static bool hides_type(const struct head *h, uint32_t at)
{
    static const uint8_t snap[5] = {0xaa, 0xaa, 3, 0, 0};

    return h->len >= at + 6 && memcmp(h->bytes + at, snap, 5) == 0;
}

/* A copy of the first `len` bytes, at most FRAME_HEAD and at least 14, of a packet. */
bool spoof_allowed(const struct port_allow *a, const uint8_t *bytes, uint32_t len,
                   uint32_t total)
{
    const struct head h = {a, bytes, len, total};
    uint32_t at = 12, type = be16(bytes + at);

    if (!mac_allowed(a, bytes + 6))
        return false;
    if (is_tag(type) && len >= 18) {
        at = 16;
        type = be16(bytes + at);
    }
    at += 2;
    if (type == TYPE_ARP || type == TYPE_RARP)
        return arp_allowed(&h, at);
    if (type == TYPE_IP6)
        return ip6_packet_allowed(&h, at);
    if (type == TYPE_IP4)
        return !checks_ip(a) || (len >= at + 20 && ip4_allowed(a, bytes + at + 12));
    if (is_tag(type) || (type < TYPE_LENGTH && hides_type(&h, at)))
        return !checks_ip(a);
    return true;
}

/* The head may reach over several parts of a packet. */
static uint32_t copy_head(uint8_t *to, const struct frame *f)
{
    uint32_t len = 0;

    for (unsigned i = 0; i < f->parts && len < FRAME_HEAD; i++) {
        uint32_t n = f[i].len < FRAME_HEAD - len ? f[i].len : FRAME_HEAD - len;

        memcpy(to + len, f[i].data, n);
        len += n;
    }
    return len;
}

void spoof_filter(struct worker *w, struct port *from)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < w->n_list; i++) {
        struct frame *f = &w->frames[w->list[i]];
        uint8_t *head = w->heads[w->list[i]];
        uint32_t len = copy_head(head, f);

        if (!spoof_allowed(&from->settings.allow, head, len, f->total))
            continue;
        f->head = head;
        w->list[kept++] = w->list[i];
    }
    if (kept < w->n_list)
        port_drop(from, DROP_SPOOF, w->n_list - kept);
    w->n_list = kept;
}
