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

#include "engine/nd6.h"
#include "engine/words.h"

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

static struct pkt *nd_answer(struct element *e, const struct pkt *p,
                             const struct nd_entry *x)
{
    static const struct ip6_addr none, all_nodes = {{0xff, 2, [15] = 1}};
    static const struct ether_addr all = {{0x33, 0x33, 0, 0, 0, 1}};
    const struct eth_hdr *eth = (const void *)p->data;
    const struct ip6_hdr *was = (const void *)(eth + 1);
    /* somebody asks whether the address is free: everybody shall hear */
    bool dad = !memcmp(was->src.b, none.b, sizeof none.b);
    struct nd6_frame f = {.to = dad ? all : eth->src,
                          .from = x->ether,
                          .dst = dad ? all_nodes : was->src,
                          .type = ND6_ADVERTISE,
                          .flags = dad ? 0x80 : 0xc0, /* a router; solicited */
                          .option = ND6_TARGET};

    memcpy(f.target.b, nd6_target(p), sizeof f.target.b);
    f.src = f.target;
    return nd6_make(e, &f);
}

static void ip6_nd_advertiser_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct ip6_nd_advertiser *s = element_state(e);
    uint32_t kept = from;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i], *q = NULL;
        const struct nd_entry *x = nd6_message(p, ND6_SOLICIT)
                                       ? nd_find(s, nd6_target(p))
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
