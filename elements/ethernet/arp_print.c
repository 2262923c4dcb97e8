// SPDX-License-Identifier: BSD-3-Clause
/*
 * ARPPrint -- print what ARP packets say, a line each, much like tcpdump
 *
 * Usage:    ARPPrint([LABEL, keywords TIMESTAMP, ETHER, ACTIVE, OUTFILE])
 * Ports:    1 in, 1 out; push or pull
 * Args:     LABEL      stands in front of each line
 *           TIMESTAMP  print the timestamp, default true
 *           ETHER      print the Ethernet addresses of the frame, default false
 *           ACTIVE     false: print nothing
 *           OUTFILE    a file that the lines go to instead; in the driver only
 * Counters: none
 * Handlers: active  (rw) as ACTIVE
 * Example:  c[0] -> CheckARPHeader(14) -> ARPPrint(arp) -> ...
 * See also: Print, CheckARPHeader
 *
 * Wants the network header to be marked; other packets, and those that are not about IPv4
 * addresses, pass in silence.
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/out_file.h"
#include "engine/unparse.h"

struct arp_print {
    struct text label;
    struct out_file file;
    bool timestamp, ether, active;
};

static const struct arg_spec arp_print_args[] = {
    ARG_STRING(arp_print, label, "LABEL", ARG_POS, NULL, "stands in front of lines"),
    ARG_BOOL(arp_print, timestamp, "TIMESTAMP", 0, "true", "print the timestamp"),
    ARG_BOOL(arp_print, ether, "ETHER", 0, "false", "print the frame's addresses"),
    ARG_BOOL(arp_print, active, "ACTIVE", 0, "true", "false: print nothing"),
    OUT_FILE_ARG(arp_print, file),
    ARG_END,
};

static int arp_print_initialize(struct element *e, struct diag *d)
{
    struct arp_print *s = element_state(e);

    return out_file_open(&s->file, e, d);
}

static void arp_print_cleanup(struct element *e)
{
    struct arp_print *s = element_state(e);

    out_file_close(&s->file, e);
}

enum { ARP_FIXED = 8 }; /* bytes of the header before its addresses */

/* The addresses of the frame, if there is one in front of the ARP header. */
static void arp_print_ether(const struct pkt *p, struct sbuf *out)
{
    const uint8_t *at = p->mac ? p->mac : p->data;
    const struct eth_hdr *h = (const void *)at;
    char src[64], dst[64];

    if (at + sizeof *h <= p->network && at + sizeof *h <= p->data + p->len)
        sbuf_printf(out, "%s > %s: ", unparse_ether(&h->src, src),
                    unparse_ether(&h->dst, dst));
}

static void arp_print_request(const struct arp_hdr *h, struct sbuf *out)
{
    static const struct ether_addr zero;
    char text[64];

    sbuf_printf(out, "arp who-has %s", unparse_ip(h->tpa, text));
    if (memcmp(&zero, &h->tha, h->hln < 6 ? h->hln : 6) != 0)
        sbuf_printf(out, " (%s)", unparse_ether(&h->tha, text));
    sbuf_printf(out, " tell %s", unparse_ip(h->spa, text));
}

static void arp_print_operation(const struct arp_hdr *h, struct sbuf *out)
{
    unsigned op = be16(h->op);
    const char *inverse = op == ARP_INVREQUEST || op == ARP_INVREPLY ? "inv" : "r";
    char ether[64], other[64];

    switch (op) {
    case ARP_REQUEST:
        arp_print_request(h, out);
        break;
    case ARP_REPLY:
        sbuf_printf(out, "arp reply %s is-at %s", unparse_ip(h->spa, other),
                    unparse_ether(&h->sha, ether));
        break;
    case ARP_REVREQUEST:
    case ARP_INVREQUEST:
        sbuf_printf(out, "%sarp who-is %s tell %s", inverse,
                    unparse_ether(&h->tha, ether), unparse_ether(&h->sha, other));
        break;
    case ARP_REVREPLY:
    case ARP_INVREPLY:
        sbuf_printf(out, "%sarp reply %s at %s", inverse, unparse_ether(&h->tha, ether),
                    unparse_ip(h->tpa, other));
        break;
    default:
        sbuf_printf(out, "arp-#%u", op);
    }
    if (h->hrd != BE16(ARP_HRD_ETHER))
        sbuf_printf(out, "hardware #%u", be16(h->hrd));
}

/* The line for `p`; false when it gets none. */
static bool arp_print_line(const struct arp_print *s, const struct pkt *p,
                           struct sbuf *out)
{
    uint32_t left = pkt_avail(p, p->network);
    struct arp_hdr h = {0}; /* what a short packet lacks reads as 0 */
    char text[UNPARSE_ROOM];

    if (s->label.len)
        sbuf_printf(out, "%s: ", s->label.s);
    if (s->timestamp)
        sbuf_printf(out, "%s: ", unparse_timestamp(p->timestamp, text));
    if (s->ether)
        arp_print_ether(p, out);
    if (left < ARP_FIXED) {
        sbuf_printf(out, "truncated-arp (%u)", left);
        return true;
    }
    memcpy(&h, p->network, left < sizeof h ? left : sizeof h);
    if ((h.pro != BE16(ETHERTYPE_IP) && h.pro != BE16(ETHERTYPE_TRAIL)) || h.pln != 4 ||
        h.hln == 0)
        return false;
    if (h.pro == BE16(ETHERTYPE_TRAIL))
        sbuf_puts(out, "trailer-");
    arp_print_operation(&h, out);
    return true;
}

static void arp_print_batch(struct element *e, struct batch *b, uint32_t from)
{
    struct arp_print *s = element_state(e);
    struct sbuf out = SBUF_INIT;

    if (!s->active)
        return;
    for (uint32_t i = from; i < b->n; i++) {
        if (!b->p[i]->network)
            continue;
        sbuf_reset(&out);
        if (!arp_print_line(s, b->p[i], &out))
            continue;
        sbuf_putc(&out, '\n');
        if (!out_file_write(&s->file, e, &out))
            element_say(e, "%s", sbuf_text(&out));
    }
    sbuf_fini(&out);
}
ELEMENT_BATCH(arp_print)

static const struct handler_spec arp_print_handlers[] = {
    HANDLER_VALUE(arp_print, active, ARG_KIND_BOOL, HANDLER_READ | HANDLER_WRITE,
                  "active", "whether packets are printed"),
    HANDLER_END,
};

ELEMENT(ARPPrint) = {
    .name = "ARPPrint",
    .talks = true,
    .state_size = sizeof(struct arp_print),
    .ports = "1/1",
    .args = arp_print_args,
    .handlers = arp_print_handlers,
    .initialize = arp_print_initialize,
    .cleanup = arp_print_cleanup,
    .push = arp_print_push,
    .pull = arp_print_pull,
};
