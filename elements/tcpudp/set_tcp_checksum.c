// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetTCPChecksum -- compute the checksum of TCP packets
 *
 * Usage:    SetTCPChecksum([FIXOFF false])
 * Ports:    1 in, 1 out; push or pull
 * Args:     FIXOFF  correct a header length that cannot be
 * Example:  ... -> CheckIPHeader -> SetTCPChecksum -> ...
 * See also: CheckTCPHeader, SetIPChecksum, SetUDPChecksum
 *
 * Wants the IP header to be marked. Packets that are shorter than their IP header says are
 * dropped.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct set_tcp_checksum {
    bool fix_off, told;
};

static const struct arg_spec set_tcp_checksum_args[] = {
    ARG_BOOL(set_tcp_checksum, fix_off, "FIXOFF", ARG_POS, "false",
             "correct a header length that cannot be"),
    ARG_END,
};

static void set_tcp_checksum_fix(struct tcp_hdr *t, uint32_t len, bool fragment)
{
    if (tcp_hlen(t) < sizeof *t)
        t->off = (uint8_t)((t->off & 15) | sizeof *t / 4 << 4);
    else if (tcp_hlen(t) > len && !fragment)
        t->off = (uint8_t)((t->off & 15) | (len / 4) << 4);
}

static inline verdict_t set_tcp_checksum_one(struct element *e, struct pkt *p)
{
    struct set_tcp_checksum *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4(p);
    uint32_t left = pkt_avail(p, p->transport), len;
    struct tcp_hdr *t;

    len = pkt_has_ip4(p) ? be16(h->len) - ip4_hlen(h) : 0;
    if (__builtin_expect(len < sizeof *t || len > left, 0)) {
        if (!s->told)
            element_say(e, "SetTCPChecksum: bad lengths\n");
        s->told = true;
        return VERDICT_DROP;
    }
    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    h = pkt_ip4(p);
    t = pkt_tcp(p);
    if (s->fix_off)
        set_tcp_checksum_fix(t, len, ip4_is_fragment(h));
    t->sum = 0;
    t->sum = csum_finish(
        csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_TCP, len), t, len));
    return 0;
}
ELEMENT_LOOP(set_tcp_checksum)

ELEMENT(SetTCPChecksum) = {
    .name = "SetTCPChecksum",
    .state_size = sizeof(struct set_tcp_checksum),
    .plain = true,
    .ports = "1/1",
    .args = set_tcp_checksum_args,
    .push = set_tcp_checksum_push,
    .pull = set_tcp_checksum_pull,
};
