// SPDX-License-Identifier: BSD-3-Clause
/* tun.h -- TUN and TAP interfaces of our own, for KernelTun, KernelTap and FromHost */

#ifndef ENGINE_OS_TUN_H
#define ENGINE_OS_TUN_H

#include "engine/element.h"

#include <net/if.h>

struct tun_config {
    uint32_t addr, mask, gateway;   /* network byte order; 0: leave as it is */
    const struct ether_addr *ether; /* NULL: leave as it is */
    uint32_t mtu;                   /* 0: leave as it is */
};

/* Make an interface called `want` ("": as the kernel likes) and open it, not blocking. Its
 * name goes to `name`. Returns the descriptor, or -1 with a message. */
int tun_open(const char *want, bool tap, char name[IFNAMSIZ], struct diag *d);

/* Give it addresses and set it up. -1 with a message. */
int tun_setup(const char *name, const struct tun_config *c, struct diag *d);

#endif
