// SPDX-License-Identifier: BSD-3-Clause
/*
 * server.h -- the fork server: one message, one fork, one VM
 *
 * Runs until its daemon goes away; the VMs stay.
 */

#ifndef VMM_SERVER_H
#define VMM_SERVER_H

#include "vmm/vm.h"

/* Serve the daemon at the other end of `fd` (SOCK_SEQPACKET). Returns the exit status. In
 * each VM's process it returns as well, with that VM's status. */
int server_run(struct vm_host *h, int fd);

#endif
