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
    uint32_t seq; /* a later one replaces an earlier one */
};

struct arp_responder {
    struct arp_answer *v; /* heap: handlers change it; most specific first */
    size_t n;
};

static int answer_compare(const void *ap, const void *bp)
{
    const struct arp_answer *a = ap, *b = bp;
    unsigned la = (unsigned)__builtin_popcount(a->net.mask);
    unsigned lb = (unsigned)__builtin_popcount(b->net.mask);

    if (la != lb)
        return la > lb ? -1 : 1;
    if (a->net.addr == b->net.addr && a->net.mask == b->net.mask)
        return a->seq > b->seq ? -1 : 1;
    return a->seq < b->seq ? -1 : 1;
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
            a->seq = (uint32_t)s->n++;
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

/* Sort; of several entries for one network the last one given stays. */
static void arp_responder_normalize(struct arp_responder *s, struct diag *d)
{
    size_t n = 0;
    char text[64];

    if (!s->n)
        return;
    qsort(s->v, s->n, sizeof *s->v, answer_compare);
    for (size_t i = 1; i < s->n; i++) {
        if (memcmp(&s->v[i].net, &s->v[n].net, sizeof s->v[i].net) != 0)
            s->v[++n] = s->v[i];
        else
            diag_warn(d, "multiple entries for %s",
                      unparse_ip_prefix(s->v[n].net, text));
    }
    s->n = n + 1;
    for (size_t i = 0; i < s->n; i++)
        s->v[i].seq = (uint32_t)i;
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
    arp_responder_normalize(&next, d);
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
    struct eth_hdr *h;
    struct arp_hdr *a;
    uint32_t asked;

    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    h = (struct eth_hdr *)(void *)p->data;
    a = (struct arp_hdr *)(void *)(h + 1);
    asked = a->tpa;
    p->len = sizeof *h + sizeof *a;
    h->dst = a->sha;
    h->src = me;
    a->hln = 6;
    a->pln = 4;
    a->op = BE16(ARP_REPLY);
    a->tha = a->sha;
    a->tpa = a->spa;
    a->sha = me;
    a->spa = asked;
    /* A new packet in all but its memory; it seems to come from the query's device. */
    pkt_clear_anno(p);
    p->timestamp = 0;
    p->type = PKT_HOST;
    p->offload = 0;
    p->transport = NULL;
    pkt_set_mac(p, p->data, sizeof *h);
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

    if (arp_responder_add(e, s, value, d) < 0)
        return -1;
    arp_responder_normalize(s, NULL);
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
