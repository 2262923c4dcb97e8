// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToRawSocket -- IP packets to a raw socket, as old configurations say it
 *
 * Usage:    ToRawSocket(TYPE [, PORT, SNAPLEN 2048, HEADROOM])
 * Ports:    0-1 in, 0-1 out; pull in, push out
 * Args:     TYPE      protocol of IP, by name or number: tcp, udp, icmp, gre, ...
 *           PORT      with TCP and UDP: port that is kept for us as long as the
 *                     configuration runs
 *           SNAPLEN   bytes of a packet that are received, default 2048
 *           HEADROOM  room before the data, default 28
 * Counters: received  packets received
 *           sent      packets sent
 *           drops     packets that could not be sent
 * Handlers: scheduled, tickets  (rw) the task, with an input
 * Example:  FromDump(t.pcap, FORCE_IP true) -> Strip(14) -> Queue -> ToRawSocket(udp);
 * See also: RawSocket
 *
 * Another name of RawSocket, which is to be preferred.
 */

#include "engine/os/raw_socket.h"

static int to_raw_socket_configure(struct element *e, struct conf *c, struct diag *d)
{
    element_say(e, "warning: ToRawSocket is deprecated, use RawSocket instead\n");
    return raw_socket_configure(e, c, d);
}

ELEMENT(ToRawSocket) = {
    .name = "ToRawSocket",
    .state_size = sizeof(struct raw_socket),
    .ports = "0-1/0-1",
    .processing = "l/h",
    .flow = "x/y",
    .driver_only = true,
    .args = raw_socket_args,
    .counters = raw_socket_counters,
    .handlers = raw_socket_handlers,
    .configure = to_raw_socket_configure,
    .initialize = raw_socket_initialize,
    .cleanup = raw_socket_cleanup,
};
