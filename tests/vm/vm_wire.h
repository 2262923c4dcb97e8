// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm_wire.h -- plays the switch for a VM with two interfaces: packets in, packets out
 */

#ifndef TESTS_VM_VM_WIRE_H
#define TESTS_VM_VM_WIRE_H

#include "tests/vm/kit.h"

struct wire {
    uint8_t *base;
    uint64_t size;
    const struct vmm_net *net;
    uint32_t rx_done[2], tx_done[2];
};

/* Map the VM's packet memory, and go on from the indices in it. */
bool wire_open(struct wire *w, struct kit_vm *v);
void wire_close(struct wire *w);

/* Hand the guest a packet as the switch would; false: it offers no buffer. */
bool wire_send(struct wire *w, unsigned i, const void *bytes, uint16_t len);

/* Whether the guest has sent a packet within `ms`. */
bool wire_waits(struct wire *w, unsigned i, unsigned ms);

/* Take a packet that the guest has sent; -1: none comes. */
int wire_receive(struct wire *w, unsigned i, void *bytes, size_t room);

/* Send `n` packets through a VM that forwards. NULL, or what went wrong. */
const char *forward_some(struct wire *w, unsigned n);

/* CLOCK_MONOTONIC */
uint64_t steady_ns(void);

#endif
