// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMPRewriter -- translate ICMP errors about packets that were translated
 *
 * Usage:    ICMPRewriter(MAPS [, DST_ANNO true, REPLY_ANNO])
 * Ports:    1 in, one or more out; push
 * Args:     MAPS        rewriters, with blanks between them: IPRewriter and its kin. NAME:N
 *                       says that errors about its flows leave by N plus the output that
 *                       the mapping has, otherwise by output 0
 *           DST_ANNO    set the destination annotation
 *           REPLY_ANNO  1-byte annotation that errors get from the flow's first packet
 * Counters: drops  packets that are no ICMP, or found no output
 * Example:  ir :: ICMPRewriter(rw pingrw);
 *           in -> IPClassifier(icmp) -> ir -> CheckIPHeader -> ...;  ir[1] -> Discard;
 * See also: IPRewriter, ICMPPingRewriter, ICMPError
 *
 * An ICMP error carries the beginning of the packet that it is about, as it looked behind the
 * rewriter. Where one of MAPS has a mapping whose replies would be the answers to that
 * packet, the error becomes one about the packet as it was before: its destination, the
 * addresses and ports or the identifier inside, and all checksums. Types 3, 4, 5, 11 and
 * 12 are known. Errors without a mapping and all other ICMP packets leave by output 1 if
 * there is one. Wants the IP header to be marked.
 */

#include "engine/rewrite.h"

#include "engine/checksum.h"
#include "engine/spread.h"
#include "engine/words.h"

enum { UNMAPPED = 1, PORTS_LEN = 8, ECHO_LEN = 6, TCP_SUM_AT = 16, UDP_SUM_AT = 6 };

struct icmp_rewriter_map {
    struct rewriter *rw;
    int32_t offset; /* of outputs; < 0: output 0 */
};

struct icmp_rewriter {
    struct text maps_text;
    bool dst_anno, have_reply_anno;
    struct anno_ref reply_anno;
    struct icmp_rewriter_map *maps; /* in the router's arena */
    uint32_t n_maps;
};

static const struct arg_spec icmp_rewriter_args[] = {
    ARG_RAW(icmp_rewriter, maps_text, "MAPS", ARG_M, NULL, "rewriters"),
    ARG_BOOL(icmp_rewriter, dst_anno, "DST_ANNO", 0, "true",
             "set the destination annotation"),
    {.name = "REPLY_ANNO",
     .kind = ARG_KIND_ANNO,
     .offset = offsetof(struct icmp_rewriter, reply_anno),
     .seen = 1 + offsetof(struct icmp_rewriter, have_reply_anno),
     .max = 1,
     .help = "annotation from the flow's first packet"},
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec icmp_rewriter_counters[] = {
    [C_DROPS] = {"drops", "packets that are no ICMP, or found no output"},
    {NULL, NULL},
};

/* "NAME" or "NAME:N". */
static int icmp_rewriter_add(struct element *e, char *word, struct diag *d)
{
    struct icmp_rewriter *s = element_state(e);
    struct icmp_rewriter_map *m = &s->maps[s->n_maps];
    char *colon = strchr(word, ':');
    struct element *rw;
    int64_t offset = -1;

    if (colon) {
        if (!parse_i64(colon + 1, 0, &offset) || offset > INT32_MAX)
            return diag_err(d, "%s not an IP rewriter", word);
        *colon = '\0';
    }
    rw = element_find(e, word, NULL);
    if (!rw)
        return diag_err(d, "%s not an IP rewriter", word);
    if (offset >= 0 && offset + rw->n_out > e->n_out)
        return diag_err(d, "%s:%d port offset requires more than %u %s", word,
                        (int)offset, e->n_out, e->n_out == 1 ? "output" : "outputs");
    m->rw = rw->cls->cast ? rw->cls->cast(rw, "IPRewriterBase") : NULL;
    if (!m->rw)
        return diag_err(d, "%s not an IP rewriter", word);
    m->offset = (int32_t)offset;
    s->n_maps++;
    return 0;
}

static int icmp_rewriter_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct icmp_rewriter *s = element_state(e);
    const char *text = s->maps_text.s;
    char word[WORD_ROOM];
    int rc = 0;

    s->maps = element_alloc(e, (s->maps_text.len / 2 + 1) * sizeof *s->maps);
    if (!s->maps)
        return diag_err(d, "out of memory");
    while (word_next(&text, word))
        if (icmp_rewriter_add(e, word, d) < 0)
            rc = -1;
    if (!s->n_maps)
        return diag_err(d, "no IP rewriters supplied");
    return rc;
}

/* The packet inside an error. */
struct icmp_rewriter_inner {
    struct ip4_hdr *h;
    uint8_t *transport; /* NULL: there is none to be changed */
    uint32_t left;      /* bytes of it */
    uint32_t sums;      /* offset of its checksum; 0: none that is there */
};

static bool icmp_rewriter_is_error(uint8_t type)
{
    return type == ICMP_UNREACH || type == ICMP_TIMXCEED || type == ICMP_PARAMPROB ||
           type == ICMP_SOURCEQUENCH || type == ICMP_REDIRECT;
}

/* Find it, and the flow of which its answers are; false when there is no such packet. */
static bool icmp_rewriter_look(const struct pkt *p, struct icmp_rewriter_inner *in,
                               struct flow_id *reply)
{
    uint32_t left = pkt_avail(p, p->transport), hlen;
    uint8_t *t;

    if (left < sizeof(struct icmp_hdr) + sizeof(struct ip4_hdr) ||
        !icmp_rewriter_is_error(pkt_icmp(p)->type))
        return false;
    in->h = (struct ip4_hdr *)(void *)(p->transport + sizeof(struct icmp_hdr));
    left -= (uint32_t)sizeof(struct icmp_hdr);
    hlen = ip4_hlen(in->h);
    if (in->h->vhl >> 4 != 4 || hlen < sizeof *in->h)
        return false;
    *reply = (struct flow_id){in->h->dst, in->h->src, 0, 0};
    in->transport = NULL;
    in->sums = 0;
    if (hlen > left || ip4_is_later_fragment(in->h))
        return true;
    in->left = left - hlen;
    t = (uint8_t *)in->h + hlen;
    switch (in->h->proto) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
    case IP_PROTO_DCCP:
        if (in->left < PORTS_LEN)
            return true;
        in->transport = t;
        reply->sport = load16(t + 2);
        reply->dport = load16(t);
        break;
    case IP_PROTO_ICMP:
        if (in->left < ECHO_LEN || t[0] != ICMP_ECHO)
            return true;
        in->transport = t;
        reply->sport = load16(t + 4);
        break;
    }
    return true;
}

/* A 16-bit word becomes another; `delta` sums up what that does to checksums over it. */
static void icmp_rewriter_set16(void *at, uint16_t is, uint64_t *delta)
{
    *delta += csum_delta16(load16(at), is);
    store16(at, is);
}

static void icmp_rewriter_set32(void *at, uint32_t is, uint64_t *delta)
{
    *delta += csum_delta32(load32(at), is);
    store32(at, is);
}

/* Ports or identifier, unless the flow is one of addresses alone, and the checksum that
 * covers them and the addresses, whose change is `addrs`. Returns what the outer checksum
 * has to learn of it. */
static uint64_t icmp_rewriter_inner_transport(const struct icmp_rewriter_inner *in,
                                              const struct flow_id *is, bool has_ports,
                                              uint64_t addrs)
{
    uint64_t ports = 0, all = 0;
    uint8_t *t = in->transport, *sum = NULL;

    if (in->h->proto == IP_PROTO_ICMP) {
        if (has_ports)
            icmp_rewriter_set16(t + 4, is->dport, &ports);
        sum = t + 2;
        addrs = 0; /* there is no pseudo header */
    } else {
        if (has_ports) {
            icmp_rewriter_set16(t, is->dport, &ports);
            icmp_rewriter_set16(t + 2, is->sport, &ports);
        }
        if (in->h->proto == IP_PROTO_TCP && in->left >= TCP_SUM_AT + 2)
            sum = t + TCP_SUM_AT;
        else if (in->h->proto == IP_PROTO_UDP && load16(t + UDP_SUM_AT))
            sum = t + UDP_SUM_AT;
    }
    if (sum)
        icmp_rewriter_set16(sum, csum_apply(load16(sum), addrs + ports), &all);
    return all + ports;
}

static void icmp_rewriter_apply(const struct icmp_rewriter *s, struct pkt *p,
                                const struct icmp_rewriter_inner *in,
                                const struct flow_id *was, const struct flow_id *is,
                                bool has_ports)
{
    struct ip4_hdr *h = pkt_ip4(p);
    uint64_t outer = 0, addrs = 0, all = 0;

    if (h->dst == was->dst) {
        icmp_rewriter_set32(&h->dst, is->dst, &outer);
        h->sum = csum_apply(h->sum, outer);
        if (s->dst_anno)
            pkt_set_dst_ip(p, is->dst);
    }
    icmp_rewriter_set32(&in->h->src, is->dst, &addrs);
    if (is->src) /* IPAddrRewriter does not know of the other side */
        icmp_rewriter_set32(&in->h->dst, is->src, &addrs);
    icmp_rewriter_set16(&in->h->sum, csum_apply(in->h->sum, addrs), &all);
    all += addrs;
    if (in->transport)
        all += icmp_rewriter_inner_transport(in, is, has_ports, addrs);
    pkt_icmp(p)->sum = csum_apply(pkt_icmp(p)->sum, all);
}

/* The output for an ICMP packet, which is changed if it is one of ours. */
static uint32_t icmp_rewriter_handle(struct element *e, struct pkt *p)
{
    const struct icmp_rewriter *s = element_state(e);
    struct icmp_rewriter_inner in;
    struct flow_id was, is;
    const struct flow *f;
    unsigned direction;
    flow_ref ref = 0;
    uint32_t i;

    if (!icmp_rewriter_look(p, &in, &was))
        return UNMAPPED;
    for (i = 0; i < s->n_maps; i++)
        if ((ref = rewriter_get(s->maps[i].rw, in.h->proto, &was, REWRITE_REPLY)))
            break;
    if (!ref)
        return UNMAPPED;
    f = flow_ref_flow(&s->maps[i].rw->flows, ref);
    direction = flow_ref_direction(ref);
    is = flow_id_reverse(f->id[!direction]);
    icmp_rewriter_apply(s, p, &in, &was, &is, f->proto != 0);
    if (direction && s->have_reply_anno)
        p->anno[s->reply_anno.offset] = f->reply_anno;
    return s->maps[i].offset < 0 ? 0 : (uint32_t)s->maps[i].offset + f->out[direction];
}

static int32_t icmp_rewriter_one(struct element *e, struct pkt *p)
{
    uint32_t out = e->n_out;

    if (pkt_has_ip4(p) && pkt_ip4(p)->proto == IP_PROTO_ICMP &&
        !ip4_is_later_fragment(pkt_ip4(p)) && pkt_writable(p) == 0)
        out = icmp_rewriter_handle(e, p);
    if (out < e->n_out)
        return (int32_t)out;
    element_count(e, C_DROPS, 1);
    return -1;
}

static void icmp_rewriter_push(struct element *e, unsigned port, struct batch *b)
{
    int32_t out[BATCH_MAX];

    for (uint32_t i = 0; i < b->n; i++)
        out[i] = icmp_rewriter_one(e, b->p[i]);
    spread_push(e, b, out);
}

ELEMENT(ICMPRewriter) = {
    .name = "ICMPRewriter",
    .state_size = sizeof(struct icmp_rewriter),
    .ports = "1/1-",
    .processing = "h/h",
    .args = icmp_rewriter_args,
    .counters = icmp_rewriter_counters,
    .phase = PHASE_DEFAULT + 1,
    .configure = icmp_rewriter_configure,
    .push = icmp_rewriter_push,
};
