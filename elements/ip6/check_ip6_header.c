// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckIP6Header -- pass IPv6 packets whose header makes sense
 *
 * Usage:    CheckIP6Header([BADADDRS, OFFSET 0])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     BADADDRS  source addresses that are refused, besides ffff:...:ffff
 *           OFFSET    bytes before the IPv6 header
 * Counters: drops  packets that are not right
 * Handlers: none
 * Example:  FromDevice(0) -> Strip(14) -> CheckIP6Header -> ...
 * See also: MarkIP6Header, CheckIPHeader
 *
 * Sets the network and the transport header, and cuts off what lies behind the IPv6
 * packet. Packets that are too short, of another version, shorter than they say or from a
 * bad address leave by output 1 if that is connected.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/net_headers.h"
#include "engine/words.h"

enum { BAD_MAX = 64 };

struct check_ip6_header {
    struct text bad_arg;
    struct ip6_addr bad[BAD_MAX];
    uint32_t n_bad, offset;
};

static const struct arg_spec check_ip6_header_args[] = {
    ARG_RAW(check_ip6_header, bad_arg, "BADADDRS", ARG_POS, NULL, "refused sources"),
    ARG_U32(check_ip6_header, offset, "OFFSET", ARG_POS, "0",
            "bytes before the header"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec check_ip6_header_counters[] = {
    [C_DROPS] = {"drops", "packets that are not right"},
    {NULL, NULL},
};

static int check_ip6_header_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct check_ip6_header *s = element_state(e);
    size_t len = s->bad_arg.len;
    const char *text = lang_unquote(c->scratch, len ? s->bad_arg.s : "", &len);
    char word[WORD_ROOM];

    if (!text)
        return diag_err(d, "out of memory");
    memset(s->bad[0].b, 0xff, 16);
    for (s->n_bad = 1; word_next(&text, word); s->n_bad++) {
        if (s->n_bad == BAD_MAX)
            return diag_err(d, "BADADDRS: too many addresses");
        if (!parse_ip6(e, word, &s->bad[s->n_bad]))
            return diag_err(d, "expects IP6ADDRESS -a ");
    }
    return 0;
}

static verdict_t check_ip6_header_bad(struct element *e)
{
    if (!e->counters[C_DROPS])
        element_say(e, "IP6 header check failed\n");
    return spill(e, 1, C_DROPS);
}

static inline verdict_t check_ip6_header_one(struct element *e, struct pkt *p)
{
    const struct check_ip6_header *s = element_state(e);
    const struct ip6_hdr *h;
    uint32_t left, len;

    if (p->len < s->offset || (left = p->len - s->offset) < sizeof *h)
        return check_ip6_header_bad(e);
    h = (const void *)(p->data + s->offset);
    len = sizeof *h + be16(h->len);
    if (p->data[s->offset] >> 4 != 6 || len > left)
        return check_ip6_header_bad(e);
    for (uint32_t i = 0; i < s->n_bad; i++)
        if (!memcmp(h->src.b, s->bad[i].b, 16))
            return check_ip6_header_bad(e);
    pkt_set_ip4(p, p->data + s->offset, sizeof *h);
    if (len < left)
        pkt_take(p, left - len);
    return 0;
}
ELEMENT_LOOP(check_ip6_header)

ELEMENT(CheckIP6Header) = {
    .name = "CheckIP6Header",
    .state_size = sizeof(struct check_ip6_header),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_ip6_header_args,
    .counters = check_ip6_header_counters,
    .configure = check_ip6_header_configure,
    .push = check_ip6_header_push,
    .pull = check_ip6_header_pull,
};
