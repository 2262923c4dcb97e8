// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckARPHeader -- drop packets whose ARP header makes no sense
 *
 * Usage:    CheckARPHeader([OFFSET, keywords VERBOSE, DETAILS])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     OFFSET   bytes before the ARP header, default 0
 *           VERBOSE  say so for every bad packet, not only for the first; default false
 *           DETAILS  count by reason, default false: handler drop_details
 * Counters: drops  bad packets
 * Example:  c[0] -> CheckARPHeader(14) -> ...
 * See also: ARPPrint, ARPQuerier, ARPResponder, ARPFaker
 *
 * Bad are packets shorter than the header, or than the addresses whose lengths it gives;
 * Ethernet with addresses of other than 6 bytes, and IPv4 and IPv6 with other than 4 and 16.
 * They leave by output 1 if there is one. Of the others the network header annotation is set.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { ARP_FIXED = 8 }; /* bytes of the header before its addresses */
enum { TINY, SHORT, HARDWARE, PROTOCOL, N_REASONS };

static const char *const check_arp_header_reasons[N_REASONS] = {
    [TINY] = "tiny packet",
    [SHORT] = "too small for addresses",
    [HARDWARE] = "bad hardware type/length",
    [PROTOCOL] = "bad protocol type/length",
};

struct check_arp_header {
    uint32_t offset;
    bool verbose, details;
    uint32_t reasons[N_REASONS];
};

static const struct arg_spec check_arp_header_args[] = {
    ARG_U32(check_arp_header, offset, "OFFSET", ARG_POS, "0",
            "bytes before the ARP header"),
    ARG_BOOL(check_arp_header, verbose, "VERBOSE", 0, "false",
             "say so for every bad packet"),
    ARG_BOOL(check_arp_header, details, "DETAILS", 0, "false", "count by reason"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec check_arp_header_counters[] = {
    [C_DROPS] = {"drops", "bad packets"},
    {NULL, NULL},
};

/* What is wrong with the packet, N_REASONS if nothing is; then sets `len`. */
static inline unsigned check_arp_header_fault(const struct pkt *p, uint32_t offset,
                                              uint32_t *len)
{
    const struct arp_hdr *h;
    uint32_t left = p->len - offset;

    if (p->len < offset || left < ARP_FIXED)
        return TINY;
    h = (const void *)(p->data + offset);
    *len = ARP_FIXED + 2u * h->hln + 2u * h->pln;
    if (left < *len)
        return SHORT;
    if (h->hrd == BE16(ARP_HRD_ETHER) && h->hln != 6)
        return HARDWARE;
    if ((h->pro == BE16(ETHERTYPE_IP) && h->pln != 4) ||
        (h->pro == BE16(ETHERTYPE_IP6) && h->pln != 16))
        return PROTOCOL;
    return N_REASONS;
}

static inline verdict_t check_arp_header_one(struct element *e, struct pkt *p)
{
    struct check_arp_header *s = element_state(e);
    uint32_t len = 0;
    unsigned fault = check_arp_header_fault(p, s->offset, &len);

    if (__builtin_expect(fault == N_REASONS, 1)) {
        p->network = p->data + s->offset;
        p->transport = p->network + len;
        return 0;
    }
    if (s->verbose || e->counters[C_DROPS] == 0)
        element_say(e, "ARP header check failed: %s\n",
                    check_arp_header_reasons[fault]);
    s->reasons[fault]++;
    return spill(e, 1, C_DROPS);
}
ELEMENT_LOOP(check_arp_header)

static int check_arp_header_read(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d)
{
    const struct check_arp_header *s = element_state(e);

    for (unsigned i = 0; i < N_REASONS; i++)
        sbuf_printf(out, "%u\t%s\n", s->reasons[i], check_arp_header_reasons[i]);
    return 0;
}

/* It is only there with DETAILS. */
static const struct handler_spec *check_arp_header_more(struct element *e,
                                                        const char *name, size_t i)
{
    static const struct handler_spec details = HANDLER_READER(
        check_arp_header_read, "drop_details", "bad packets by reason");
    const struct check_arp_header *s = element_state(e);

    if (!s->details || (name ? strcmp(name, details.name) != 0 : i != 0))
        return NULL;
    return &details;
}

ELEMENT(CheckARPHeader) = {
    .name = "CheckARPHeader",
    .state_size = sizeof(struct check_arp_header),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_arp_header_args,
    .counters = check_arp_header_counters,
    .more_handlers = check_arp_header_more,
    .push = check_arp_header_push,
    .pull = check_arp_header_pull,
};
