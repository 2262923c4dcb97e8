// SPDX-License-Identifier: BSD-3-Clause
/*
 * UDPRewriter -- translate addresses and ports of UDP and TCP as datagrams
 *
 * Usage:    UDPRewriter(INPUTSPEC, ... [, keywords])
 * Ports:    one or more in, one or more out; push
 * Args:     INPUTSPEC  one for each input, about packets of flows that are not known yet:
 *             drop                  drop them
 *             pass [OUTPUT]         send them on unchanged
 *             keep FOUT ROUT        make a mapping that changes nothing
 *             pattern SADDR SPORT DADDR DPORT FOUT ROUT
 *                                   map to these addresses and ports; "-" keeps one.
 *                                   SPORT may be a range L-H, SADDR a range or prefix;
 *                                   "#" behind it: in turn, "?": at random
 *             NAME FOUT ROUT        as "pattern", by a name from IPRewriterPatterns
 *             ELEMENT               ask a mapper, such as RoundRobinIPMapper
 *           TIMEOUT           time without packets after which mappings go,
 *                             default 5min
 *           GUARANTEE         time that a mapping is safe from newer ones, default 5s
 *           CAPACITY, MAPPING_CAPACITY  most mappings, or the name of another rewriter, to
 *                             share its capacity
 *           REAP_INTERVAL     how often expired mappings are removed, default 15min
 *           DST_ANNO          set the destination annotation, default true
 *           REPLY_ANNO        1-byte annotation that replies get from the first packet
 *           STREAMING_TIMEOUT as TIMEOUT, once there were three packets, and some of them
 *                             replies
 *           UDP_TIMEOUT, UDP_STREAMING_TIMEOUT, UDP_GUARANTEE  the same, by the names
 *                             that IPRewriter has for them
 * Handlers: table         (r) all mappings, both directions, with seconds to live
 *           mappings      (r) its old name
 *           flows         (rw) all mappings in a form that can be written to another
 *                         rewriter, see below
 *           nmappings     (r) mappings
 *           mapping_failures  (r) flows that could not be mapped
 *           patterns      (r) the inputs' specifications; pattern0, pattern1 ... (rw) are
 *                         those of one input
 *           size          (r) mappings of all rewriters that share the capacity
 *           capacity      (rw) most mappings
 *           clear         (w) remove all mappings
 * Example:  rw :: UDPRewriter(pattern 1.0.0.1 1024-65535 - - 0 1, drop);
 * See also: IPRewriter, TCPRewriter
 *
 * As IPRewriter, without a look at TCP's flags: one timeout for all.
 *
 * Mappings live on when the configuration is exchanged, whatever the specifications then
 * say, as long as their input and outputs exist. A line of `flows` is PROTO SADDR SPORT
 * DADDR DPORT, the same four of what it becomes, INPUT STATE MS, the milliseconds to live;
 * and where there is something to say, REPLY_ANNO, and changes of sequence numbers,
 * DIRECTION TRIGGER DELTA.
 */

#include "engine/rewrite.h"

static const struct arg_spec udp_rewriter_args[] = {
    REWRITE_ARGS("300"),
    REWRITE_UDP_ARGS,
    REWRITE_SEEN_TIME(udp_streaming_ns, have_udp_streaming, "STREAMING_TIMEOUT", NULL,
                      "as UDP_STREAMING_TIMEOUT"),
    ARG_END,
};

static int udp_rewriter_configure(struct element *e, struct conf *c, struct diag *d)
{
    return rewriter_configure(e, c, REWRITE_UDP, d);
}

ELEMENT(UDPRewriter) = {
    .name = "UDPRewriter",
    .state_size = sizeof(struct rewriter),
    .apart = APART_SHARES,
    .is_apart = rewriter_is_apart,
    .ports = "1-/1-",
    .processing = "h/h",
    .args = udp_rewriter_args,
    .any_args = true,
    .handlers = rewriter_handlers,
    .more_handlers = rewriter_more_handlers,
    .configure = udp_rewriter_configure,
    .initialize = rewriter_initialize,
    .take_state = rewriter_take_state,
    .cleanup = rewriter_cleanup,
    .push = rewriter_push,
    .llrpc = rewriter_llrpc,
    .cast = rewriter_cast,
};
