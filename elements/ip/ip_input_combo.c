// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPInputCombo -- Paint, Strip(14) and CheckIPHeader in one
 *
 * Usage:    IPInputCombo(COLOR [, BADSRC, keywords INTERFACES, BADSRC, GOODDST])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     COLOR       the paint
 *           INTERFACES, BADSRC, GOODDST  as CheckIPHeader's; BADSRC by position means
 *                       0.0.0.0 and 255.255.255.255 too
 * Counters: drops  packets that failed the checks
 * Example:  c[2] -> IPInputCombo(1, INTERFACES 10.0.0.1/24) -> rt;
 * See also: Paint, Strip, CheckIPHeader, IPOutputCombo
 *
 * For packets that begin with an Ethernet header.
 */

#include "engine/element.h"
#include "engine/ip_check.h"

struct ip_input_combo {
    struct ip_check check;
    uint8_t color;
};

static int ip_input_combo_old(struct element *e, const char *text, void *member,
                              struct diag *d)
{
    struct ip_input_combo *s = element_state(e);

    (void)member;
    return ip_check_parse_old_badsrc(e, text, &s->check, d);
}

#define COMBO_LIST(name_, flags_, member_, parse_, help_)                              \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_CUSTOM, .flags = flags_, .help = help_,        \
        .offset = offsetof(struct ip_input_combo, member_), .parse = parse_            \
    }
static const struct arg_spec ip_input_combo_args[] = {
    ARG_U8(ip_input_combo, color, "COLOR", ARG_M, NULL, "the paint"),
    COMBO_LIST("BADSRC*", ARG_POS | ARG_OLD, check, ip_input_combo_old,
               "addresses that no packet may come from"),
    COMBO_LIST("INTERFACES", 0, check, ip_check_parse_interfaces,
               "the router's own ADDR/MASKs"),
    COMBO_LIST("BADSRC", 0, check.bad_src, ip_list_parse,
               "addresses that no packet may come from"),
    COMBO_LIST("GOODDST", 0, check.good_dst, ip_list_parse,
               "destinations that make up for a bad source"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec ip_input_combo_counters[] = {
    [C_DROPS] = {"drops", "packets that failed the checks"},
    {NULL, NULL},
};

static int ip_input_combo_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ip_input_combo *s = element_state(e);

    s->check.checksum = true;
    return 0;
}

static inline verdict_t ip_input_combo_one(struct element *e, struct pkt *p)
{
    const struct ip_input_combo *s = element_state(e);

    pkt_set_paint(p, s->color);
    pkt_pull(p, sizeof(struct eth_hdr));
    if (__builtin_expect(ip_check_packet(&s->check, p) == IP_CHECK_OK, 1))
        return 0;
    if (e->counters[C_DROPS] == 0)
        element_say(e, "IP checksum failed\n");
    return spill(e, 1, C_DROPS);
}
ELEMENT_LOOP(ip_input_combo)

ELEMENT(IPInputCombo) = {
    .name = "IPInputCombo",
    .state_size = sizeof(struct ip_input_combo),
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = ip_input_combo_args,
    .counters = ip_input_combo_counters,
    .configure = ip_input_combo_configure,
    .push = ip_input_combo_push,
    .pull = ip_input_combo_pull,
};
