// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckIPHeader2 -- as CheckIPHeader, without a look at the checksum
 *
 * Usage:    CheckIPHeader2([keywords INTERFACES, BADSRC, GOODDST, OFFSET, ...])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     INTERFACES, BADSRC, GOODDST, OFFSET, VERBOSE, DETAILS  as CheckIPHeader's
 *           CHECKSUM  look at the header checksum, default false
 * Counters: drops  packets that failed the checks
 * Example:  FromDump(trace.pcap) -> CheckIPHeader2(OFFSET 14) -> ...
 * See also: CheckIPHeader, MarkIPHeader
 */

#include "engine/element.h"
#include "engine/ip_check.h"

static const struct arg_spec check_ip_header2_args[] = {IP_CHECK_ARGS("false")};

static inline verdict_t check_ip_header2_one(struct element *e, struct pkt *p)
{
    const struct ip_check_element *s = element_state(e);
    int reason = ip_check_packet(&s->check, p);

    return __builtin_expect(reason == IP_CHECK_OK, 1) ? 0 : ip_check_bad(e, reason);
}
ELEMENT_LOOP(check_ip_header2)

ELEMENT(CheckIPHeader2) = {
    .name = "CheckIPHeader2",
    .state_size = sizeof(struct ip_check_element),
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_ip_header2_args,
    .any_args = true,
    .counters = ip_check_counters,
    .more_handlers = ip_check_more,
    .configure = ip_check_configure,
    .take_state = ip_check_take_state,
    .push = check_ip_header2_push,
    .pull = check_ip_header2_pull,
};
