// SPDX-License-Identifier: BSD-3-Clause
/* netns.h -- do something inside another network namespace */

#ifndef SWITCH_NETNS_H
#define SWITCH_NETNS_H

#include "base/diag.h"

/* Run fn(ctx, d) with the namespace `name` (of `ip netns`, or a path with a '/'), or that
 * of `fd` if it is above 0, or ours if neither is given. Returns what fn returns, or -1
 * with a message. The calling thread never leaves its own namespace. */
int netns_run(const char *name, int fd, int (*fn)(void *ctx, struct diag *d), void *ctx,
              struct diag *d);

#endif
