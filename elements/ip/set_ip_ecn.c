// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIPECN -- set the ECN field of IPv4 headers
 *
 * Usage:    SetIPECN(ECN)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ECN  0 to 3, or: no or -; ect1 or ECT(1); ect2 or ECT(0); ce or CE
 * Handlers: ecn  (rw) as ECN
 * Example:  ... -> CheckIPHeader -> SetIPECN(no) -> ...
 * See also: MarkIPCE, SetIPDSCP
 *
 * Wants the IP header to be marked. The checksum is updated, not computed anew.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct set_ip_ecn {
    struct text text;
    uint8_t ecn;
};

static const struct arg_spec set_ip_ecn_args[] = {
    ARG_STRING(set_ip_ecn, text, "ECN", ARG_M, NULL, "0 to 3, no, ect1, ect2 or ce"),
    ARG_END,
};

/* -1: no such value. */
static int set_ip_ecn_value(const char *text)
{
    static const struct {
        const char *name;
        uint8_t ecn;
    } names[] = {
        {"0", 0},    {"1", 1},      {"2", 2},    {"3", 3},      {"no", 0}, {"-", 0},
        {"ect1", 1}, {"ECT(1)", 1}, {"ect2", 2}, {"ECT(0)", 2}, {"ce", 3}, {"CE", 3},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i].name) == 0)
            return names[i].ecn;
    return -1;
}

static int set_ip_ecn_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct set_ip_ecn *s = element_state(e);
    int ecn = set_ip_ecn_value(s->text.s);

    if (ecn < 0)
        return diag_err(d, "bad ECN argument");
    s->ecn = (uint8_t)ecn;
    return 0;
}

static inline verdict_t set_ip_ecn_one(struct element *e, struct pkt *p)
{
    const struct set_ip_ecn *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4_writable(p);
    uint16_t was;

    if (__builtin_expect(!h, 0))
        return VERDICT_DROP;
    was = load16(h);
    h->tos = (uint8_t)((h->tos & ~IP_ECN_MASK) | s->ecn);
    h->sum = csum_replace16(h->sum, was, load16(h));
    return 0;
}
ELEMENT_LOOP(set_ip_ecn)

static const struct handler_spec set_ip_ecn_handlers[] = {
    HANDLER_ARGUMENT("0 ECN", "ecn", "the field's new value"),
    HANDLER_END,
};

ELEMENT(SetIPECN) = {
    .name = "SetIPECN",
    .state_size = sizeof(struct set_ip_ecn),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = set_ip_ecn_args,
    .live = true,
    .handlers = set_ip_ecn_handlers,
    .configure = set_ip_ecn_configure,
    .push = set_ip_ecn_push,
    .pull = set_ip_ecn_pull,
};
