// SPDX-License-Identifier: BSD-3-Clause
/* limits.h -- the kernel's limits that many VMs run into first */

#ifndef CTL_LIMITS_H
#define CTL_LIMITS_H

#include "base/diag.h"

/* Raise the limit of open files as far as it goes. Limits that are too low for a good
 * number of VMs are warnings in `d`, which say what to raise. */
void limits_raise(struct diag *d);

/* Whether `need` more descriptors can be had, and some are left over for those who ask
 * what is the matter. -1 and a message if not. */
int limits_have_files(unsigned need, struct diag *d);

#endif
