// SPDX-License-Identifier: BSD-3-Clause
/*
 * ARPResponder -- answer ARP queries
 *
 * Usage:    ARPResponder(IP/MASK [IP/MASK...] ETH, ...)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     each names addresses or networks and the Ethernet address that answers for
 *           them; the most specific one wins
 * Handlers: table   (r) the entries, "IP/MASK ETH" lines
 *           lookup  (r) the answer for an address, empty if there is none
 *           add     (w) an entry, as in the arguments
 *           remove  (w) "IP/MASK"
 * Example:  c :: Classifier(12/0806 20/0001, -);
 *           c[0] -> ARPResponder(10.0.0.1 00:00:00:00:00:01) -> ToDevice(0);
 * See also: ARPQuerier, ARPFaker
 *
 * Takes ARP queries in Ethernet packets. What it has no answer to leaves by output 1, or
 * is dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/words.h"

#include <stdlib.h>

struct arp_answer {
    struct ip_prefix net;
    struct ether_addr eth;
};

struct arp_responder {
    struct arp_answer
        *v; /* heap: handlers change it; in the order of the arguments, but
                             a network behind those inside it */
    size_t n;
};

static bool answer_same_net(const struct arp_answer *a, const struct arp_answer *b)
{
    return a->net.addr == b->net.addr && a->net.mask == b->net.mask;
}

/* Whether the network of `a` holds that of `b`. */
static bool answer_holds(const struct arp_answer *a, const struct arp_answer *b)
{
    return (b->net.addr & a->net.mask) == a->net.addr &&
           (b->net.mask & a->net.mask) == a->net.mask;
}

/* Append the entries of one argument. On failure `s` is as it was. */
static int arp_responder_add(struct element *e, struct arp_responder *s,
                             const char *text, struct diag *d)
{
    char word[WORD_ROOM];
    struct ether_addr eth = {{0}};
    bool have_eth = false;
    const char *at = text;
    size_t was = s->n, words = 0;
    struct arp_answer *v;

    while (word_next(&at, word))
        words++;
    v = realloc(s->v, (s->n + words + 1) * sizeof *v);
    if (!v)
        return diag_err(d, "out of memory");
    s->v = v;
    for (at = text; word_next(&at, word);) {
        struct arp_answer *a = &v[s->n];
        if (parse_ip_prefix(e, word, true, &a->net)) {
            a->net.addr &= a->net.mask;
            s->n++;
        } else if (!parse_ether(e, word, &eth)) {
            s->n = was;
            return diag_err(d, "expected IP/MASK ETH");
        } else if (have_eth) {
            s->n = was;
            return diag_err(d, "more than one ETH");
        } else {
            have_eth = true;
        }
    }
    /* A name may stand for both addresses. */
    for (at = text; !have_eth && word_next(&at, word);)
        have_eth = parse_ether(e, word, &eth);
    if (s->n == was)
        return diag_err(d, "missing IP/MASK");
    if (!have_eth) {
        s->n = was;
        return diag_err(d, "missing ETH");
    }
    for (size_t i = was; i < s->n; i++)
        v[i].eth = eth;
    return 0;
}

/* Put `v[n]` in its place among the first `n`, which are in order: before the first network
 * that holds it, or instead of an older entry for the same one. */
static size_t arp_responder_place(struct arp_answer *v, size_t n, struct diag *d)
{
    struct arp_answer new = v[n];
    char text[64];
    size_t at = 0;

    while (at < n && !answer_holds(&v[at], &new))
        at++;
    if (at < n && answer_same_net(&v[at], &new)) {
        diag_warn(d, "multiple entries for %s", unparse_ip_prefix(new.net, text));
        v[at] = new;
        return n;
    }
    memmove(v + at + 1, v + at, (n - at) * sizeof *v);
    v[at] = new;
    return n + 1;
}

/* Order the entries, of which the first `sorted` are in order. */
static void arp_responder_normalize(struct arp_responder *s, size_t sorted,
                                    struct diag *d)
{
    size_t n = sorted;

    for (size_t i = sorted; i < s->n; i++) {
        s->v[n] = s->v[i];
        n = arp_responder_place(s->v, n, d);
    }
    s->n = n;
}

static int arp_responder_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct arp_responder next = {NULL, 0}, *s = element_state(e);
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        struct diag own = DIAG_INIT;
        if (arp_responder_add(e, &next, c->argv[i], &own) < 0)
            rc = diag_err(d, "argument %d: %s", i,
                          own.n_messages ? own.messages[0].text : "");
        diag_fini(&own);
    }
    if (rc < 0) {
        free(next.v);
        return -1;
    }
    arp_responder_normalize(&next, 0, d);
    free(s->v);
    *s = next;
    return 0;
}

static void arp_responder_cleanup(struct element *e)
{
    struct arp_responder *s = element_state(e);

    free(s->v);
    s->v = NULL;
    s->n = 0;
}

static const struct ether_addr *arp_responder_find(const struct arp_responder *s,
                                                   uint32_t ip)
{
    for (size_t i = 0; i < s->n; i++)
        if ((ip & s->v[i].net.mask) == s->v[i].net.addr)
            return &s->v[i].eth;
    return NULL;
}

/* Turn the query into its answer, in its own buffer. */
static verdict_t arp_responder_answer(struct pkt *p, struct ether_addr me)
{
    uint16_t tci = p->anno_u16[ANNO_VLAN_TCI / 2];
    struct arp_hdr asked;

    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    memcpy(&asked, p->data + sizeof(struct eth_hdr), sizeof asked);
    p->len = sizeof(struct eth_hdr) + sizeof asked;
    arp_make_reply(p->data, asked.sha, asked.spa, me, asked.tpa);
    /* A new packet in all but its memory; it seems to come from the query's device and
     * VLAN. */
    pkt_clear_anno(p);
    p->anno_u16[ANNO_VLAN_TCI / 2] = tci;
    p->timestamp = 0;
    p->type = PKT_HOST;
    p->offload = 0;
    p->transport = NULL;
    pkt_set_mac(p, p->data, sizeof(struct eth_hdr));
    return 0;
}

static inline verdict_t arp_responder_one(struct element *e, struct pkt *p)
{
    const struct arp_responder *s = element_state(e);
    const struct eth_hdr *h = (const void *)p->data;
    const struct arp_hdr *a = (const void *)(h + 1);
    const struct ether_addr *me = NULL;

    if (p->len >= sizeof *h + sizeof *a && h->type == BE16(ETHERTYPE_ARP) &&
        a->hrd == BE16(ARP_HRD_ETHER) && a->pro == BE16(ETHERTYPE_IP) &&
        a->op == BE16(ARP_REQUEST))
        me = arp_responder_find(s, a->tpa);
    if (!me)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    return arp_responder_answer(p, *me);
}
ELEMENT_LOOP(arp_responder)

static int arp_responder_table(struct element *e, const struct handler_spec *h,
                               const char *param, struct sbuf *out, struct diag *d)
{
    const struct arp_responder *s = element_state(e);
    char net[64], eth[64];

    for (size_t i = 0; i < s->n; i++)
        sbuf_printf(out, "%s %s\n", unparse_ip_prefix(s->v[i].net, net),
                    unparse_ether(&s->v[i].eth, eth));
    return 0;
}

static int arp_responder_lookup(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct ether_addr *eth;
    char text[64];
    uint32_t ip;

    if (!param || !parse_ip(e, param, &ip))
        return diag_err(d, "expected IP address");
    eth = arp_responder_find(element_state(e), ip);
    if (eth)
        sbuf_puts(out, unparse_ether(eth, text));
    return 0;
}

static int arp_responder_write_add(struct element *e, const struct handler_spec *h,
                                   const char *value, size_t len, struct diag *d)
{
    struct arp_responder *s = element_state(e);
    size_t sorted = s->n;

    if (arp_responder_add(e, s, value, d) < 0)
        return -1;
    arp_responder_normalize(s, sorted, NULL);
    return 0;
}

static int arp_responder_write_remove(struct element *e, const struct handler_spec *h,
                                      const char *value, size_t len, struct diag *d)
{
    struct arp_responder *s = element_state(e);
    struct ip_prefix net;
    char text[64];

    if (!parse_ip_prefix(e, value, true, &net))
        return diag_err(d, "expected IP/MASK");
    net.addr &= net.mask;
    for (size_t i = 0; i < s->n; i++)
        if (memcmp(&s->v[i].net, &net, sizeof net) == 0) {
            s->n--;
            memmove(s->v + i, s->v + i + 1, (s->n - i) * sizeof *s->v);
            return 0;
        }
    return diag_err(d, "%s not found", unparse_ip_prefix(net, text));
}

static const struct handler_spec arp_responder_handlers[] = {
    HANDLER_READER(arp_responder_table, "table", "\"IP/MASK ETH\" lines"),
    {.name = "lookup",
     .help = "the answer for an address",
     .flags = HANDLER_READ | HANDLER_PARAM,
     .read = arp_responder_lookup},
    HANDLER_WRITER(arp_responder_write_add, "add", "an entry"),
    HANDLER_WRITER(arp_responder_write_remove, "remove", "\"IP/MASK\""),
    HANDLER_END,
};

ELEMENT(ARPResponder) = {
    .name = "ARPResponder",
    .state_size = sizeof(struct arp_responder),
    .ports = "1/1-2",
    .processing = "a/ah",
    .any_args = true,
    .live = true,
    .handlers = arp_responder_handlers,
    .configure = arp_responder_configure,
    .cleanup = arp_responder_cleanup,
    .push = arp_responder_push,
    .pull = arp_responder_pull,
};
