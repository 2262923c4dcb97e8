// SPDX-License-Identifier: BSD-3-Clause
/* kernel_filter.h -- rules that keep the kernel from handling a device's packets */

#ifndef ENGINE_OS_KERNEL_FILTER_H
#define ENGINE_OS_KERNEL_FILTER_H

#include "base/diag.h"

#include <stdbool.h>

/* Add (or take away) a rule that drops all that comes in by `device`, with `iptables` (NULL:
 * the system's). -1 with a message in `d`. */
int kernel_filter(const char *device, bool add, const char *iptables, struct diag *d);

#endif
