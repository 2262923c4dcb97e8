// SPDX-License-Identifier: BSD-3-Clause
/*
 * spoof.c -- source addresses a port may use: MAC, IPv4, IPv6, and what ARP claims
 *
 * The sender can change a packet while it is forwarded, so the check is done on a copy of
 * its head, and that copy is what goes out. One VLAN tag is looked behind; a second one
 * hides the addresses and is refused when IP addresses are checked.
 */

#include "switch/plane.h"

enum {
    TYPE_IP4 = 0x0800,
    TYPE_ARP = 0x0806,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    TYPE_IP6 = 0x86dd
};

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
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
        if (a->ip4[i] == be32(ip))
            return true;
    return a->n_ip4 == 0;
}

static bool ip6_allowed(const struct port_allow *a, const uint8_t *ip)
{
    static const uint8_t none[16];

    /* Duplicate address detection has no source yet. */
    if (memcmp(ip, none, 16) == 0)
        return true;
    for (uint32_t i = 0; i < a->n_ip6; i++)
        if (memcmp(a->ip6[i], ip, 16) == 0)
            return true;
    return a->n_ip6 == 0;
}

/* A claim of address and MAC; probes (RFC 5227) have no address yet. */
static bool arp_allowed(const struct port_allow *a, const uint8_t *arp, uint32_t len)
{
    if (len < 28)
        return false;
    return mac_allowed(a, arp + 8) && (be32(arp + 14) == 0 || ip4_allowed(a, arp + 14));
}

/* `h` holds the first `len` bytes, at most FRAME_HEAD, of a packet. */
static bool head_allowed(const struct port_allow *a, const uint8_t *h, uint32_t len)
{
    uint32_t at = 12, type = be16(h + at);

    if (!mac_allowed(a, h + 6))
        return false;
    if ((type == TYPE_VLAN || type == TYPE_QINQ) && len >= 18) {
        at = 16;
        type = be16(h + at);
    }
    at += 2;
    switch (type) {
    case TYPE_IP4:
        return a->n_ip4 == 0 || (len >= at + 20 && ip4_allowed(a, h + at + 12));
    case TYPE_IP6:
        return a->n_ip6 == 0 || (len >= at + 40 && ip6_allowed(a, h + at + 8));
    case TYPE_ARP:
        return arp_allowed(a, h + at, len - at);
    case TYPE_VLAN:
    case TYPE_QINQ:
        return a->n_ip4 == 0 && a->n_ip6 == 0;
    default:
        return true;
    }
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

        if (!head_allowed(&from->settings.allow, head, len))
            continue;
        f->head = head;
        w->list[kept++] = w->list[i];
    }
    if (kept < w->n_list)
        port_drop(from, DROP_SPOOF, w->n_list - kept);
    w->n_list = kept;
}
