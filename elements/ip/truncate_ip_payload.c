// SPDX-License-Identifier: BSD-3-Clause
/*
 * TruncateIPPayload -- cut the payload of IPv4 packets
 *
 * Usage:    TruncateIPPayload(LENGTH)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LENGTH  bytes that stay behind the IP header
 * Example:  FromDump(t.pcap) -> CheckIPHeader(OFFSET 14) -> TruncateIPPayload(20) -> ...
 * See also: Truncate, EraseIPPayload
 *
 * The IP header stays as it is: its length field tells how long the packet once was. The
 * extra length annotation grows by what was cut. Wants the IP header to be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct truncate_ip_payload {
    uint32_t length;
};

static const struct arg_spec truncate_ip_payload_args[] = {
    ARG_U32(truncate_ip_payload, length, "LENGTH", ARG_M, NULL,
            "bytes that stay behind the IP header"),
    ARG_END,
};

static void truncate_ip_payload_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct truncate_ip_payload *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];
        uint32_t left = pkt_has_ip4(p) ? pkt_avail(p, p->network) : 0, keep;

        if (!left)
            continue;
        keep = ip4_hlen(pkt_ip4(p)) + s->length;
        if (keep >= s->length && left > keep) {
            p->anno_u32[ANNO_EXTRA_LENGTH / 4] += left - keep;
            pkt_take(p, left - keep);
        }
    }
}
ELEMENT_BATCH(truncate_ip_payload)

ELEMENT(TruncateIPPayload) = {
    .name = "TruncateIPPayload",
    .state_size = sizeof(struct truncate_ip_payload),
    .ports = "1/1",
    .args = truncate_ip_payload_args,
    .push = truncate_ip_payload_push,
    .pull = truncate_ip_payload_pull,
};
