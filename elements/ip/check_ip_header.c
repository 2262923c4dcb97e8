// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckIPHeader -- pass packets whose IPv4 header can be believed
 *
 * Usage:    CheckIPHeader([keywords INTERFACES, BADSRC, GOODDST, OFFSET, ...])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     INTERFACES  list of ADDR/MASK, the router's own: shorthand for BADSRC with the
 *                       broadcast addresses, 0.0.0.0 and 255.255.255.255, and GOODDST
 *                       with the ADDRs
 *           BADSRC      addresses that no packet may come from
 *           GOODDST     destinations that make up for a bad source
 *           OFFSET      bytes before the IP header, default 0
 *           CHECKSUM    look at the header checksum, default true
 *           VERBOSE     complain about every bad packet, not only the first
 *           DETAILS     count drops by reason: handler drop_details
 * Counters: drops  packets that failed the checks
 * Example:  FromDevice(0) -> Strip(14) -> CheckIPHeader(INTERFACES 10.0.0.1/24) -> ...
 * See also: MarkIPHeader, CheckIPHeader2, Strip
 *
 * Good packets get their header pointers and the destination address annotation, and lose
 * what stands behind the end of the IP packet (Ethernet padding). Bad ones leave by
 * output 1, or are dropped where there is none. Old configurations give the bad sources
 * and the offset by position.
 */

#include "engine/element.h"
#include "engine/ip4_plain.h"
#include "engine/ip_check.h"
#include "engine/turns.h"

static const struct arg_spec check_ip_header_args[] = {IP_CHECK_ARGS("true")};

static inline __attribute__((always_inline)) verdict_t
check_ip_header_one(struct element *e, struct pkt *p)
{
    const struct ip_check_element *s = element_state(e);
    int reason = ip_check_packet(&s->check, p);

    return __builtin_expect(reason == IP_CHECK_OK, 1) ? 0 : ip_check_bad(e, reason);
}

static inline __attribute__((always_inline)) uint32_t
check_ip_header_run(struct element *e, struct batch *b, uint32_t from)
{
    const struct ip_check_element *s = element_state(e);
    const struct ip_check c = s->check; /* what is written might be this */
    const uint32_t n = b->n;
    struct ip_check_four four;

    if (ip_check_four_get(&c, &four))
        while (from < n && ip_check_plain(&c, &four, b->p[from]))
            from++;
    else
        while (from < n && ip_check_plain(&c, NULL, b->p[from]))
            from++;
    return from;
}
ELEMENT_RUN_BATCH(check_ip_header)
ELEMENT_BATCH_PULL(check_ip_header)

static void check_ip_header_push(struct element *e, unsigned port, struct batch *b)
{
    const struct ip_check_element *s = element_state(e);
    uint32_t n = b->n, good = check_ip_header_run(e, b, 0);

    if (__builtin_expect(good == n, 1) && s->check.offset == 0) {
        out_push_ip4(e, 0, b);
        return;
    }
    if (good < n && n > 1 && ip_check_says(e)) {
        turns_push_singly(e, port, b, 0); /* to check again changes nothing */
        return;
    }
    if (good < n)
        check_ip_header_rest(e, b, good);
    out_push(e, 0, b);
}

ELEMENT(CheckIPHeader) = {
    .name = "CheckIPHeader",
    .state_size = sizeof(struct ip_check_element),
    .keeps = PKT_STAMPS,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_ip_header_args,
    .any_args = true,
    .counters = ip_check_counters,
    .more_handlers = ip_check_more,
    .configure = ip_check_configure,
    .take_state = ip_check_take_state,
    .push = check_ip_header_push,
    .pull = check_ip_header_pull,
};
