// SPDX-License-Identifier: BSD-3-Clause
/*
 * IP6NDAdvertiser -- answer neighbour solicitations for IPv6 addresses
 *
 * Usage:    IP6NDAdvertiser(ADDR/MASK... ETHER, ...)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ADDR/MASK... ETHER  IPv6 addresses or networks and the Ethernet address they
 *                               are answered with; any number of arguments
 * Counters: drops  packets that are no solicitations for these addresses
 * Handlers: none
 * Example:  c[0] -> IP6NDAdvertiser(2001:db8::1 00:11:22:33:44:55) -> q;
 * See also: IP6NDSolicitor, ARPResponder
 *
 * RFC 4861. Wants Ethernet frames that hold solicitations; the most specific
 * argument that covers the address decides, of equal ones the last. Frames with a wrong checksum or hop limit are ignored.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/words.h"

enum { ND_SOLICIT = 135, ND_ADVERTISE = 136, ND_SIZE = 24, FRAME = 14 + 40 + ND_SIZE };

struct nd_entry {
    struct ip6_addr addr;
    unsigned len;
    struct ether_addr ether;
};

struct ip6_nd_advertiser {
    struct nd_entry *entry; /* in the arena */
    uint32_t n, room;
};

enum { C_DROPS };
static const struct counter_spec ip6_nd_advertiser_counters[] = {
    [C_DROPS] = {"drops", "packets that are not for us"},
    {NULL, NULL},
};

static int nd_add(struct element *e, const struct nd_entry *x)
{
    struct ip6_nd_advertiser *s = element_state(e);

    if (s->n == s->room) {
        uint32_t room = s->room ? 2 * s->room : 8;
        struct nd_entry *more = element_alloc(e, room * sizeof *more);

        if (!more)
            return -1;
        if (s->n)
            memcpy(more, s->entry, s->n * sizeof *more);
        s->entry = more;
        s->room = room;
    }
    s->entry[s->n++] = *x;
    return 0;
}

static int nd_argument(struct element *e, int number, const char *text, struct diag *d)
{
    struct ip6_nd_advertiser *s = element_state(e);
    struct nd_entry x = {.len = 128};
    uint32_t first = s->n;
    char word[WORD_ROOM];
    bool have_ether = false;
    int rc = 0;

    while (word_next(&text, word)) {
        x.len = 128;
        if (parse_ip6_prefix(e, word, &x.addr, &x.len) || parse_ip6(e, word, &x.addr)) {
            if (nd_add(e, &x) < 0)
                return diag_err(d, "out of memory");
        } else if (!parse_ether(e, word, &x.ether)) {
            rc = diag_err(d, "argument %d should be `IP6/MASK ETHADDR'", number);
            break;
        } else if (have_ether) {
            rc = diag_err(d, "argument %d has more than one Ethernet address", number);
        } else {
            have_ether = true;
        }
    }
    if (s->n == first)
        rc = diag_err(d, "argument %d had no IP6 address and masks", number);
    for (uint32_t i = first; i < s->n; i++)
        s->entry[i].ether = x.ether;
    return rc;
}

static int ip6_nd_advertiser_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    int rc = 0;

    for (int i = 0; i < c->argc; i++)
        if (nd_argument(e, i, c->argv[i], d) < 0)
            rc = -1;
    return rc;
}

/* The most specific entry for an address, NULL if there is none. */
static const struct nd_entry *nd_find(const struct ip6_nd_advertiser *s,
                                      const uint8_t *addr)
{
    const struct nd_entry *best = NULL;

    for (uint32_t i = 0; i < s->n; i++) {
        const struct nd_entry *x = &s->entry[i];
        unsigned bytes = x->len / 8, bits = x->len % 8;

        if (!memcmp(x->addr.b, addr, bytes) &&
            (!bits || !((x->addr.b[bytes] ^ addr[bytes]) >> (8 - bits))) &&
            (!best || x->len >= best->len))
            best = x;
    }
    return best;
}

/* Whether the frame is a solicitation that RFC 4861, section 7.1.1 lets pass. */
static bool nd_is_solicitation(const struct pkt *p)
{
    const struct ip6_hdr *h = (const void *)(p->data + 14);
    const uint8_t *nd = p->data + 14 + sizeof *h;
    uint32_t len;

    if (p->len < FRAME || load16(p->data + 12) != BE16(ETHERTYPE_IP6))
        return false;
    len = be16(h->len);
    return p->data[14] >> 4 == 6 && h->next == IP_PROTO_ICMP6 && h->hlim == 255 &&
           len >= ND_SIZE && len <= p->len - 14 - sizeof *h && nd[0] == ND_SOLICIT &&
           !nd[1] &&
           !csum_finish(
               csum_add(csum_pseudo6(&h->src, &h->dst, IP_PROTO_ICMP6, len), nd, len));
}

static struct pkt *nd_answer(struct element *e, const struct pkt *p,
                             const struct nd_entry *x)
{
    static const struct ip6_addr none, all_nodes = {{0xff, 2, [15] = 1}};
    const struct ip6_hdr *was = (const void *)(p->data + 14);
    struct pkt *q = pkt_new(element_pool(e), PKT_HEADROOM, NULL, FRAME + 8, 0);
    bool dad = !memcmp(was->src.b, none.b, 16);
    struct ip6_hdr *h;
    uint8_t *nd;

    if (!q)
        return NULL;
    memset(q->data, 0, q->len);
    memcpy(q->data, p->data + 6, 6);
    if (dad) /* somebody asks whether the address is free: everybody shall hear */
        memcpy(q->data, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
    memcpy(q->data + 6, x->ether.b, 6);
    store16(q->data + 12, BE16(ETHERTYPE_IP6));
    pkt_set_mac(q, q->data, 14);
    q->transport = q->network + sizeof *h;
    h = pkt_ip6(q);
    nd = q->transport;
    *h = (struct ip6_hdr){.flow = BE32(6u << 28),
                          .len = BE16(ND_SIZE + 8),
                          .next = IP_PROTO_ICMP6,
                          .hlim = 255,
                          .dst = dad ? all_nodes : was->src};
    memcpy(h->src.b, p->data + 14 + 40 + 8, 16);
    nd[0] = ND_ADVERTISE;
    nd[4] = dad ? 0x80 : 0xc0; /* a router; solicited */
    memcpy(nd + 8, h->src.b, 16);
    nd[24] = 2; /* target link-layer address, 1 unit of 8 bytes */
    nd[25] = 1;
    memcpy(nd + 26, x->ether.b, 6);
    store16(nd + 2, csum_finish(csum_add(
                        csum_pseudo6(&h->src, &h->dst, IP_PROTO_ICMP6, ND_SIZE + 8), nd,
                        ND_SIZE + 8)));
    return q;
}

static void ip6_nd_advertiser_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct ip6_nd_advertiser *s = element_state(e);
    uint32_t kept = from;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i], *q = NULL;
        const struct nd_entry *x = nd_is_solicitation(p)
                                       ? nd_find(s, p->data + 14 + 40 + 8)
                                       : NULL;

        if (x)
            q = nd_answer(e, p, x);
        if (q)
            b->p[kept++] = q;
        else
            element_count(e, C_DROPS, 1);
        pkt_free(p);
    }
    b->n = kept;
}
ELEMENT_BATCH(ip6_nd_advertiser)

ELEMENT(IP6NDAdvertiser) = {
    .name = "IP6NDAdvertiser",
    .state_size = sizeof(struct ip6_nd_advertiser),
    .ports = "1/1",
    .any_args = true,
    .counters = ip6_nd_advertiser_counters,
    .configure = ip6_nd_advertiser_configure,
    .push = ip6_nd_advertiser_push,
    .pull = ip6_nd_advertiser_pull,
};
