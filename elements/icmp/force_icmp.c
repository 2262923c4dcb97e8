// SPDX-License-Identifier: BSD-3-Clause
/*
 * ForceICMP -- make an ICMP message of any IP packet
 *
 * Usage:    ForceICMP(TYPE, CODE)
 * Ports:    1 in, 1 out; push or pull
 * Args:     TYPE  ICMP type that packets get, a number or name
 *           CODE  ICMP code that packets get, a number or a name of that type
 * Counters: drops  packets that are too short, or without IP header
 * Handlers: none
 * Example:  RandomSource(60) -> ForceIP -> ForceICMP(echo, 0) -> device under test;
 * See also: ForceIP, ForceTCP, ForceUDP, CheckICMPHeader
 *
 * What follows the IP header, which must be marked, becomes an ICMP header whose checksum is
 * right; the protocol that the IP header names stays. For tests with packets that get past the
 * checks.
 */

#include "engine/checksum.h"
#include "engine/force.h"
#include "engine/nameinfo.h"

struct force_icmp {
    struct text type_text, code_text;
    uint8_t type, code;
};

static const struct arg_spec force_icmp_args[] = {
    ARG_WORD(force_icmp, type_text, "TYPE", ARG_M, NULL, "ICMP type"),
    ARG_WORD(force_icmp, code_text, "CODE", ARG_M, NULL, "ICMP code"),
    ARG_END,
};

static int force_icmp_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct force_icmp *s = element_state(e);
    uint32_t type, code;

    if (!name_query_int(e, NAME_ICMP_TYPE, s->type_text.s, &type))
        return diag_err(d, "TYPE: parse error");
    if (type > 255)
        return diag_err(d, "ICMP type must be between 0 and 255");
    if (!name_query_int(e, NAME_ICMP_CODE + type, s->code_text.s, &code) || code > 255)
        return diag_err(d, "argument 2 takes ICMP code");
    s->type = (uint8_t)type;
    s->code = (uint8_t)code;
    return 0;
}

static verdict_t force_icmp_one(struct element *e, struct pkt *p)
{
    const struct force_icmp *s = element_state(e);
    uint32_t len = force_begin(e, p, sizeof(struct icmp_hdr));
    struct icmp_hdr *icmp;

    if (!len)
        return VERDICT_DROP;
    icmp = force_at(p);
    icmp->type = s->type;
    icmp->code = s->code;
    icmp->sum = 0;
    icmp->sum = csum(icmp, len);
    return 0;
}
ELEMENT_LOOP(force_icmp)

ELEMENT(ForceICMP) = {
    .name = "ForceICMP",
    .state_size = sizeof(struct force_icmp),
    .ports = "1/1",
    .args = force_icmp_args,
    .counters = force_counters,
    .configure = force_icmp_configure,
    .push = force_icmp_push,
    .pull = force_icmp_pull,
};
