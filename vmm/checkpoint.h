// SPDX-License-Identifier: BSD-3-Clause
/*
 * checkpoint.h -- copying a guest out of its memory, and into a new VM's
 *
 * The guest stands still at PORT_CHECKPOINT (abi/boot.h) with its registers saved in its
 * own memory, so that pages are all there is to it. Making a checkpoint happens in the
 * jail; restoring one before it, in a fresh monitor.
 *
 * Trust: what the guest says about its free memory decides what is left out of the copy of
 *        that guest, and nothing else.
 */

#ifndef VMM_CHECKPOINT_H
#define VMM_CHECKPOINT_H

#include "vmm/vm.h"

/* The guest stands still. If that is because the daemon asked for a checkpoint, make it
 * and answer; with "hold" return only when the daemon wants something else, or is gone. */
void checkpoint_make(struct vm *vm);

/* Fill the fresh memory of `vm` with what is in vm->state, and let its clock go on from
 * there. The packet memory is the daemon's to fill. */
int checkpoint_restore(struct vm *vm, struct diag *d);

/* Make the memory of a guest that was booted zero again where a state has pages. */
void checkpoint_clear(struct vm *vm);

#endif
