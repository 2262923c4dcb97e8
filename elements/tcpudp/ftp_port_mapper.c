// SPDX-License-Identifier: BSD-3-Clause
/*
 * FTPPortMapper -- let FTP's data connections through a rewriter
 *
 * Usage:    FTPPortMapper(CONTROL_REWRITER, DATA_REWRITER, DATA_REWRITER_INPUT)
 * Ports:    1 in, 1 out; push or pull
 * Args:     CONTROL_REWRITER     TCPRewriter or IPRewriter that the packets go through next
 *           DATA_REWRITER        rewriter that data connections go through; may be the same
 *           DATA_REWRITER_INPUT  input whose specification makes their mappings
 * Counters: mapped  PORT commands that were rewritten
 * Example:  rw :: TCPRewriter(pattern 1.0.0.1 1024-65535 - - 0 1, drop);
 *           in -> cl :: IPClassifier(dst tcp port 21, -) -> FTPPortMapper(rw, rw, 0) -> rw;
 * See also: TCPRewriter, IPRewriter, IPRewriterPatterns
 *
 * Wants control packets from client to server. One that begins with a PORT command (RFC 959)
 * of a connection that CONTROL_REWRITER knows gets a mapping for the data connection, as if
 * its first packet had come from the address and port in the command, for the port below
 * that of the server. The command is changed to what that becomes, and so are the length and
 * the checksums of the packet; if its length changes, CONTROL_REWRITER is told to patch
 * sequence numbers and acknowledgements from then on. The packet's own addresses and
 * ports stay. All other packets pass unchanged.
 */

#include "engine/rewrite.h"

#include "engine/checksum.h"

#include <stdio.h>

enum { NUMBERS = 6, ARG_ROOM = 30 };

struct ftp_port_mapper {
    struct element *control, *data;
    int32_t data_input;
    struct rewriter *control_rw, *data_rw;
};

static const struct arg_spec ftp_port_mapper_args[] = {
    ARG_ELEMENT(ftp_port_mapper, control, "CONTROL_REWRITER", ARG_M, NULL,
                "rewriter of control packets"),
    ARG_ELEMENT(ftp_port_mapper, data, "DATA_REWRITER", ARG_M, NULL,
                "rewriter of data packets"),
    ARG_I32(ftp_port_mapper, data_input, "DATA_REWRITER_INPUT", ARG_M, NULL,
            "input of the data rewriter"),
    ARG_END,
};

enum { C_MAPPED };
static const struct counter_spec ftp_port_mapper_counters[] = {
    [C_MAPPED] = {"mapped", "PORT commands that were rewritten"},
    {NULL, NULL},
};

static struct rewriter *ftp_port_mapper_cast(struct element *rw, const char *kind)
{
    return rw->cls->cast ? rw->cls->cast(rw, kind) : NULL;
}

static int ftp_port_mapper_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ftp_port_mapper *s = element_state(e);

    s->control_rw = ftp_port_mapper_cast(s->control, "TCPRewriter");
    if (!s->control_rw)
        return diag_err(
            d, "CONTROL_REWRITER: element type mismatch, expected TCPRewriter");
    s->data_rw = ftp_port_mapper_cast(s->data, "IPRewriterBase");
    if (!s->data_rw)
        return diag_err(
            d, "DATA_REWRITER: element type mismatch, expected IPRewriterBase");
    if (s->data_input < 0 || s->data_input >= s->data->n_in)
        return diag_err(d, "DATA_REWRITER_INPUT out of range");
    return 0;
}

struct ftp_port_mapper_search {
    const struct element *want;
    bool found;
};

static bool ftp_port_mapper_visit(void *ctx, struct element *at, unsigned port)
{
    struct ftp_port_mapper_search *s = ctx;

    s->found |= at == s->want;
    return !ftp_port_mapper_cast(at, "TCPRewriter");
}

static int ftp_port_mapper_initialize(struct element *e, struct diag *d)
{
    const struct ftp_port_mapper *s = element_state(e);
    struct ftp_port_mapper_search search = {s->control, false};

    element_visit_down(e, 0, ftp_port_mapper_visit, &search);
    if (!search.found)
        diag_warn(d, "control packet rewriter '%s' is not downstream",
                  element_declaration(s->control));
    return 0;
}

/* Six numbers with commas between them, at `*at` of the text; `*at` moves behind them. */
static bool ftp_port_mapper_numbers(const uint8_t *text, uint32_t len, uint32_t *at,
                                    uint32_t n[NUMBERS])
{
    uint32_t i = *at, which = 0;

    memset(n, 0, NUMBERS * sizeof *n);
    for (; i < len; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            n[which] = n[which] * 10 + text[i] - '0';
        else if (text[i] == ',' && which < NUMBERS - 1)
            which++;
        else
            break;
        if (n[which] > 255)
            return false;
    }
    *at = i;
    return which == NUMBERS - 1 && i < len && (text[i] == '\r' || text[i] == '\n');
}

/* A PORT command: where its argument is, and what it says. */
struct ftp_port_mapper_command {
    uint32_t data, data_len; /* TCP data, as offset and length in the packet */
    uint32_t arg, arg_len;   /* from there */
    uint32_t addr;
    uint16_t port; /* network byte order, as addr */
};

static bool ftp_port_mapper_parse(const struct pkt *p,
                                  struct ftp_port_mapper_command *c)
{
    static const char name[4] = "PORT";
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t left = pkt_avail(p, p->transport), at = sizeof name + 1, n[NUMBERS];
    const uint8_t *text;

    if (!pkt_has_ip4(p) || h->proto != IP_PROTO_TCP || ip4_is_fragment(h) ||
        left < sizeof(struct tcp_hdr) ||
        tcp_hlen(pkt_tcp(p)) < sizeof(struct tcp_hdr) ||
        tcp_hlen(pkt_tcp(p)) + at > left)
        return false;
    c->data = (uint32_t)(p->transport - p->data) + tcp_hlen(pkt_tcp(p));
    c->data_len = p->len - c->data;
    text = p->data + c->data;
    for (uint32_t i = 0; i < sizeof name; i++)
        if ((text[i] & ~0x20) != name[i])
            return false;
    if (text[sizeof name] != ' ')
        return false;
    while (at < c->data_len && text[at] == ' ')
        at++;
    c->arg = at;
    if (!ftp_port_mapper_numbers(text, c->data_len, &at, n))
        return false;
    c->arg_len = at - c->arg;
    c->addr = be32(n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3]);
    c->port = be16((uint16_t)(n[4] << 8 | n[5]));
    return true;
}

/* Put `arg` in the place of the argument. -1 without memory. */
static int ftp_port_mapper_edit(struct pkt *p, const struct ftp_port_mapper_command *c,
                                const char *arg, uint32_t len)
{
    uint32_t at = c->data + c->arg, behind = c->data_len - c->arg - c->arg_len;

    if (pkt_writable(p) < 0 || (len > c->arg_len && !pkt_put(p, len - c->arg_len)))
        return -1;
    memmove(p->data + at + len, p->data + at + c->arg_len, behind);
    memcpy(p->data + at, arg, len);
    if (len < c->arg_len)
        pkt_take(p, c->arg_len - len);
    return 0;
}

/* Length and checksums after a change. */
static void ftp_port_mapper_sums(struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);
    struct tcp_hdr *t = pkt_tcp(p);
    uint16_t len = be16((uint16_t)pkt_network_len(p));
    uint32_t tcp_len = pkt_avail(p, p->transport);

    h->sum = csum_replace16(h->sum, h->len, len);
    h->len = len;
    t->sum = 0;
    t->sum = csum_finish(
        csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_TCP, tcp_len), t, tcp_len));
}

/* What the address and port in a command become; false if there is no mapping for it. The
 * data connection inherits the annotation of replies. */
static bool ftp_port_mapper_map(struct ftp_port_mapper *s, const struct pkt *p,
                                const struct ftp_port_mapper_command *c,
                                uint8_t reply_anno, char arg[ARG_ROOM])
{
    const struct tcp_hdr *t = pkt_tcp(p);
    struct flow_id is = {c->addr, pkt_ip4(p)->dst, c->port,
                         be16((uint16_t)(be16(t->dport) - 1))};
    flow_ref ref = rewriter_get(s->data_rw, IP_PROTO_TCP, &is, s->data_input);
    struct flow *f;
    uint32_t addr, port;

    if (!ref)
        return false;
    f = flow_ref_flow(&s->data_rw->flows, ref);
    f->reply_anno = reply_anno;
    addr = be32(f->id[!flow_ref_direction(ref)].dst);
    port = be16(f->id[!flow_ref_direction(ref)].dport);
    snprintf(arg, ARG_ROOM, "%u,%u,%u,%u,%u,%u", addr >> 24, addr >> 16 & 255,
             addr >> 8 & 255, addr & 255, port >> 8, port & 255);
    return true;
}

static inline verdict_t ftp_port_mapper_one(struct element *e, struct pkt *p)
{
    struct ftp_port_mapper *s = element_state(e);
    struct ftp_port_mapper_command c;
    struct flow_id id;
    struct flow_seq *seq;
    struct flow *f;
    flow_ref ref;
    uint32_t len, from;
    char arg[ARG_ROOM];

    if (!ftp_port_mapper_parse(p, &c))
        return 0;
    id = (struct flow_id){pkt_ip4(p)->src, pkt_ip4(p)->dst, pkt_tcp(p)->sport,
                          pkt_tcp(p)->dport};
    ref = rewriter_get(s->control_rw, IP_PROTO_TCP, &id, REWRITE_CHECK);
    if (!ref)
        return 0;
    f = flow_ref_flow(&s->control_rw->flows, ref);
    if (!ftp_port_mapper_map(s, p, &c, f->reply_anno, arg))
        return 0;
    /* the new mapping may have taken the place of the old one */
    ref = rewriter_get(s->control_rw, IP_PROTO_TCP, &id, REWRITE_CHECK);
    len = (uint32_t)strlen(arg);
    if (!ref || ftp_port_mapper_edit(p, &c, arg, len) < 0)
        return 0;
    f = flow_ref_flow(&s->control_rw->flows, ref);
    from = be32(pkt_tcp(p)->seq) + c.data_len;
    if (len != c.arg_len && (seq = flow_seq_make(&s->control_rw->flows, f)))
        (void)flow_seq_change(seq, flow_ref_direction(ref), from,
                              (int32_t)len - (int32_t)c.arg_len);
    ftp_port_mapper_sums(p);
    element_count(e, C_MAPPED, 1);
    return 0;
}
ELEMENT_LOOP(ftp_port_mapper)

ELEMENT(FTPPortMapper) = {
    .name = "FTPPortMapper",
    .state_size = sizeof(struct ftp_port_mapper),
    .ports = "1/1",
    .args = ftp_port_mapper_args,
    .counters = ftp_port_mapper_counters,
    .phase = PHASE_DEFAULT + 1,
    .configure = ftp_port_mapper_configure,
    .initialize = ftp_port_mapper_initialize,
    .push = ftp_port_mapper_push,
    .pull = ftp_port_mapper_pull,
};
