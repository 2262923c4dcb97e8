// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIP6ECN -- set the congestion field of IPv6 packets
 *
 * Usage:    SetIP6ECN(ECN)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ECN  0 to 3, or "no" ("-"), "ect1" ("ECT(1)"), "ect2" ("ECT(0)"), "ce" ("CE")
 * Counters: drops  packets without an IPv6 header
 * Handlers: ecn  (rw) the argument ECN
 * Example:  ... -> MarkIP6Header(14) -> SetIP6ECN(ce) -> ...
 * See also: SetIPECN, SetIP6DSCP, MarkIP6Header
 *
 * The network header must be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct set_ip6_ecn {
    struct text name;
    uint8_t ecn;
};

static const struct arg_spec set_ip6_ecn_args[] = {
    ARG_RAW(set_ip6_ecn, name, "ECN", ARG_M, NULL, "0 to 3, or a name"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec set_ip6_ecn_counters[] = {
    [C_DROPS] = {"drops", "packets without an IPv6 header"},
    {NULL, NULL},
};

static int set_ip6_ecn_configure(struct element *e, struct conf *c, struct diag *d)
{
    static const char *const names[][3] = {
        {"0", "no", "-"},
        {"1", "ect1", "ECT(1)"},
        {"2", "ect2", "ECT(0)"},
        {"3", "ce", "CE"},
    };
    struct set_ip6_ecn *s = element_state(e);

    for (uint8_t i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            if (!strcmp(s->name.s, names[i][k])) {
                s->ecn = i;
                return 0;
            }
    return diag_err(d, "bad ECN argument");
}

static inline verdict_t set_ip6_ecn_one(struct element *e, struct pkt *p)
{
    const struct set_ip6_ecn *s = element_state(e);

    if (pkt_avail(p, p->network) < sizeof(struct ip6_hdr) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    /* In the second byte: ddee ffff */
    p->network[1] = (uint8_t)((p->network[1] & 0xcf) | s->ecn << 4);
    return 0;
}
ELEMENT_LOOP(set_ip6_ecn)

static const struct handler_spec set_ip6_ecn_handlers[] = {
    HANDLER_ARGUMENT("0 ECN", "ecn", "the congestion field"),
    HANDLER_END,
};

ELEMENT(SetIP6ECN) = {
    .name = "SetIP6ECN",
    .state_size = sizeof(struct set_ip6_ecn),
    .ports = "1/1",
    .args = set_ip6_ecn_args,
    .counters = set_ip6_ecn_counters,
    .live = true,
    .handlers = set_ip6_ecn_handlers,
    .configure = set_ip6_ecn_configure,
    .push = set_ip6_ecn_push,
    .pull = set_ip6_ecn_pull,
};
