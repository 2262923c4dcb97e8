// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToSocket -- packets to a socket, as old configurations say it
 *
 * Usage:    ToSocket(TYPE, ADDRESS... [, CLIENT, SNAPLEN 2048, VERBOSE, ...])
 * Ports:    0-1 in, 0-1 out; push or pull in, push out
 * Args:     TYPE ADDRESS...  TCP or UDP: IP, PORT [, LOCALIP, LOCALPORT];
 *                    UNIX or UNIX_DGRAM: FILENAME [, LOCALFILENAME]
 *           CLIENT   true: connect to the address; false: be found under it. Default:
 *                    true without an output, or with a local address
 *           SNAPLEN  longest packet that is received, default 2048
 *           NODELAY  default true: send TCP data at once
 *           SNDBUF, RCVBUF  sizes of the kernel's buffers
 *           TIMESTAMP  default true: set the timestamp of received packets
 *           HEADROOM default 28: room before the data of received packets
 *           VERBOSE  default false: tell about connections
 *           ALLOW    a routing table, as RadixIPLookup: addresses with a route may connect or
 *                    send datagrams
 *           DENY     a routing table: of the others, those with a route may not
 *           PROPER  accepted; has no effect
 * Counters: received   packets received
 *           sent       packets sent
 *           drops      packets that could not be sent
 * Handlers: scheduled, tickets  (rw) the task, with a pull input
 * Example:  FromDevice(eth0) -> ToSocket(UDP, 10.0.0.2, 6000);
 * See also: Socket
 *
 * Another name of Socket, which is to be preferred.
 */

#include "engine/os/socket_element.h"

static int to_socket_configure(struct element *e, struct conf *c, struct diag *d)
{
    element_say(e, "warning: ToSocket is deprecated, use Socket instead\n");
    return socket_element_configure(e, c, d);
}

ELEMENT(ToSocket) = {
    .name = "ToSocket",
    .state_size = sizeof(struct socket_element),
    .ports = "0-1/0-1",
    .processing = "a/h",
    .flow = "x/y",
    .driver_only = true,
    .any_args = true,
    .args = socket_element_args,
    .counters = socket_element_counters,
    .handlers = socket_element_handlers,
    .configure = to_socket_configure,
    .initialize = socket_element_initialize,
    .cleanup = socket_element_cleanup,
    .push = socket_element_push,
};
