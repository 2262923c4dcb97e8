// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPRewriter -- translate addresses and ports of TCP and UDP
 *
 * Usage:    IPRewriter(INPUTSPEC, ... [, keywords])
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
 *           TIMEOUT           time without packets after which mappings go:
 *                             as TCP_TIMEOUT
 *           GUARANTEE         time that a mapping is safe from newer ones, default 5s
 *           CAPACITY, MAPPING_CAPACITY  most mappings, or the name of another rewriter, to
 *                             share its capacity
 *           REAP_INTERVAL     how often expired mappings are removed, default 15min
 *           DST_ANNO          set the destination annotation, default true
 *           REPLY_ANNO        1-byte annotation that replies get from the first packet
 *           TCP_TIMEOUT, TCP_NODATA_TIMEOUT, TCP_DONE_TIMEOUT, TCP_GUARANTEE
 *                             for TCP: with data both ways (24h), before that (5min),
 *                             after both ends have finished (4min), default guarantee 5s
 *           UDP_TIMEOUT, UDP_STREAMING_TIMEOUT, UDP_GUARANTEE
 *                             for UDP: default 5min, with packets both ways as
 *                             UDP_TIMEOUT, 5s
 * Handlers: tcp_table     (r) mappings of TCP, both directions, with seconds to live
 *           udp_table     (r) all others
 *           tcp_mappings, udp_mappings  (r) their old names
 *           tcp_lookup    (r) what the TCP flow "SADDR SPORT DADDR DPORT" becomes
 *           flows         (rw) all mappings in a form that can be written to another
 *                         rewriter, see below
 *           nmappings     (r) mappings
 *           mapping_failures  (r) flows that could not be mapped
 *           patterns      (r) the inputs' specifications; pattern0, pattern1 ... (rw) are
 *                         those of one input
 *           size          (r) mappings of all rewriters that share the capacity
 *           capacity      (rw) most mappings
 *           clear         (w) remove all mappings
 * Example:  rw :: IPRewriter(pattern 1.0.0.1 1024-65535 - - 0 1, drop);
 *           in -> rw; out -> [1]rw; rw[0] -> out; rw[1] -> in;
 * See also: TCPRewriter, UDPRewriter, IPAddrRewriter, ICMPPingRewriter, IPRewriterPatterns
 *
 * Packets of a known flow or replies to it are rewritten, with all their checksums, and
 * leave by the mapping's outputs FOUT and ROUT. Fragments but the first and other
 * protocols are dropped, or passed where the specification is "pass". Wants the IP header
 * to be marked.
 *
 * Mappings live on when the configuration is exchanged, whatever the specifications then
 * say, as long as their input and outputs exist. A line of `flows` is PROTO SADDR SPORT
 * DADDR DPORT, the same four of what it becomes, INPUT STATE MS, the milliseconds to live;
 * and where there is something to say, REPLY_ANNO, and changes of sequence numbers,
 * DIRECTION TRIGGER DELTA.
 */

#include "engine/rewrite.h"

static const struct arg_spec ip_rewriter_args[] = {
    REWRITE_ARGS("300"),
    REWRITE_TCP_ARGS,
    REWRITE_UDP_ARGS,
    ARG_END,
};

static int ip_rewriter_configure(struct element *e, struct conf *c, struct diag *d)
{
    return rewriter_configure(e, c, REWRITE_TCP_UDP, d);
}

ELEMENT(IPRewriter) = {
    .name = "IPRewriter",
    .state_size = sizeof(struct rewriter),
    .apart = APART_SHARES,
    .is_apart = rewriter_is_apart,
    .ports = "1-/1-",
    .processing = "h/h",
    .args = ip_rewriter_args,
    .any_args = true,
    .handlers = rewriter_ip_handlers,
    .more_handlers = rewriter_more_handlers,
    .configure = ip_rewriter_configure,
    .initialize = rewriter_initialize,
    .take_state = rewriter_take_state,
    .cleanup = rewriter_cleanup,
    .push = rewriter_push,
    .llrpc = rewriter_llrpc,
    .cast = rewriter_cast,
};
