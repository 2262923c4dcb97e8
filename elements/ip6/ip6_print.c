// SPDX-License-Identifier: BSD-3-Clause
/*
 * IP6Print -- print what IPv6 headers say
 *
 * Usage:    IP6Print([LABEL, keywords NBYTES 1500, CONTENTS false])
 * Ports:    1 in, 1 out; push or pull
 * Args:     LABEL     stands in front of each line
 *           NBYTES    most bytes of data that CONTENTS prints
 *           CONTENTS  true: print the data in hexadecimal, too
 * Counters: none
 * Handlers: none
 * Example:  ... -> CheckIP6Header -> IP6Print(in) -> ...
 * See also: IPPrint, Print, CheckIP6Header
 *
 * The network header must be marked; packets without an IPv6 header are said to be such.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct ip6_print {
    struct text label;
    uint32_t bytes;
    bool contents;
};

static const struct arg_spec ip6_print_args[] = {
    ARG_STRING(ip6_print, label, "LABEL", ARG_POS, NULL, "in front of each line"),
    ARG_U32(ip6_print, bytes, "NBYTES", 0, "1500", "most bytes of data"),
    ARG_BOOL(ip6_print, contents, "CONTENTS", 0, "false", "print the data"),
    ARG_END,
};

static void ip6_print_one(const struct ip6_print *s, const struct pkt *p,
                          struct sbuf *out)
{
    const struct ip6_hdr *h = pkt_ip6(p);
    char src[64], dst[64];

    if (s->label.len)
        sbuf_printf(out, "%s: ", s->label.s);
    if (pkt_avail(p, p->network) < sizeof *h) {
        sbuf_puts(out, "(no IP6 header)\n");
    } else {
        struct ip6_addr a = h->src, b = h->dst;

        sbuf_printf(out, "%s -> %s plen %u, next %u, hlim %u\n", unparse_ip6(&a, src),
                    unparse_ip6(&b, dst), be16(h->len), h->next, h->hlim);
    }
    if (!s->contents)
        return;
    sbuf_puts(out, "  ");
    for (uint32_t i = 0; i < p->len && i < s->bytes; i++) {
        sbuf_printf(out, "%02x", p->data[i]);
        sbuf_puts(out, i % 24 == 23 ? "\n  " : i % 4 == 3 ? " " : "");
    }
    sbuf_putc(out, '\n');
}

static void ip6_print_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct ip6_print *s = element_state(e);
    struct sbuf out = SBUF_INIT;

    for (uint32_t i = from; i < b->n; i++)
        ip6_print_one(s, b->p[i], &out);
    if (out.len)
        element_say(e, "%s", sbuf_text(&out));
    sbuf_fini(&out);
}
ELEMENT_BATCH(ip6_print)

ELEMENT(IP6Print) = {
    .name = "IP6Print",
    .talks = true,
    .state_size = sizeof(struct ip6_print),
    .ports = "1/1",
    .args = ip6_print_args,
    .push = ip6_print_push,
    .pull = ip6_print_pull,
};
