// SPDX-License-Identifier: BSD-3-Clause
/* limits.h -- the kernel's limits that many VMs run into first */

#ifndef CTL_LIMITS_H
#define CTL_LIMITS_H

#include "base/diag.h"

/* Of the daemon, for a VM of two interfaces: packet memory, connection, wake-up, control
 * socket; for each interface a doorbell, and that and the wake-up once more in the switch. */
enum { LIMITS_FILES_A_VM = 10 };

/* Raise the limit of open files as far as it goes, and return it. Limits that are too low
 * for `n_vms` VMs, each of which takes so many files (0: do not mind) of this process, are
 * warnings in `d`, which say what to raise. */
unsigned long limits_raise(unsigned files_a_vm, unsigned n_vms, struct diag *d);

/* Whether `need` more descriptors can be had, and some are left over for those who ask
 * what is the matter. -1 and a message if not. */
int limits_have_files(unsigned need, struct diag *d);

#endif
