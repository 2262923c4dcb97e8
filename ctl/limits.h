// SPDX-License-Identifier: BSD-3-Clause
/* limits.h -- the kernel's limits that many VMs run into first */

#ifndef CTL_LIMITS_H
#define CTL_LIMITS_H

#include "base/diag.h"

/* Raise the limit of open files as far as it goes. Limits that are too low for a good
 * number of VMs are warnings in `d`, which say what to raise. */
void limits_raise(struct diag *d);

#endif
