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

static inline bool check_ip6_header_refused(const struct ip6_addr *bad, uint32_t n_bad,
                                            const struct ip6_addr *src)
{
    uint64_t first = load64(src->b), second = load64(src->b + 8);

    for (uint32_t i = 0; i < n_bad; i++)
        if (first == load64(bad[i].b) && second == load64(bad[i].b + 8))
            return true;
    return false;
}

static inline bool check_ip6_header_good(const struct ip6_addr *bad, uint32_t n_bad,
                                         uint32_t offset, struct pkt *p)
{
    uint8_t *at = p->data + offset;
    const struct ip6_hdr *h = (const void *)at;
    int64_t left = (int64_t)p->len - offset;
    uint32_t len;

    if (__builtin_expect(left < (int64_t)sizeof *h, 0))
        return false;
    len = sizeof *h + be16(h->len);
    if (__builtin_expect(*at >> 4 != 6, 0) || __builtin_expect(len > left, 0) ||
        __builtin_expect(check_ip6_header_refused(bad, n_bad, &h->src), 0))
        return false;
    pkt_set_ip4(p, at, sizeof *h);
    p->len = offset + len;
    return true;
}

static inline verdict_t check_ip6_header_one(struct element *e, struct pkt *p)
{
    const struct check_ip6_header *s = element_state(e);

    return check_ip6_header_good(s->bad, s->n_bad, s->offset, p)
               ? 0
               : check_ip6_header_bad(e);
}

static inline uint32_t check_ip6_header_run(struct element *e, struct batch *b,
                                            uint32_t from)
{
    const struct check_ip6_header *s = element_state(e);
    /* what is written might be these */
    const uint32_t n = b->n, n_bad = s->n_bad, offset = s->offset;

    while (from < n && check_ip6_header_good(s->bad, n_bad, offset, b->p[from]))
        from++;
    return from;
}
ELEMENT_LOOP_RUN(check_ip6_header)

ELEMENT(CheckIP6Header) = {
    .name = "CheckIP6Header",
    .state_size = sizeof(struct check_ip6_header),
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_ip6_header_args,
    .counters = check_ip6_header_counters,
    .configure = check_ip6_header_configure,
    .push = check_ip6_header_push,
    .pull = check_ip6_header_pull,
};
