// SPDX-License-Identifier: BSD-3-Clause
/*
 * quota.h -- shares of the machine for single VMs, by control groups
 *
 * Version 2 or version 1, whatever there is; a group for each VM that has a limit, below
 * the one that the daemon is in. A group outlives the daemon as its VM does, and goes when
 * that ends.
 *
 *     v2   OWN/clickos/NAME/{cpu.max,memory.max,cgroup.procs}
 *     v1   cpu/OWN/clickos/NAME/cpu.cfs_quota_us, memory/OWN/clickos/NAME/...
 */

#ifndef CTL_QUOTA_H
#define CTL_QUOTA_H

#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct quota;

/* Look at what there is below `root` (NULL: /sys/fs/cgroup), and remove groups that nobody
 * is in any more, and whose daemon has nothing to learn from them. NULL when there are no
 * control groups: `d` says why. */
struct quota *quota_open(const char *root, struct diag *d);
void quota_close(struct quota *q);

struct quota_limits {
    uint64_t cpu;    /* per cent of one processor; 0: no limit */
    uint64_t memory; /* bytes, of monitor and guest; 0: no limit */
};

/* -1 and a message when a limit cannot be had here; `q` may be NULL. */
int quota_check(const struct quota *q, const struct quota_limits *l, struct diag *d);

/* Put process `pid` and its children under these limits. */
int quota_set(struct quota *q, const char *name, const struct quota_limits *l,
              pid_t pid, struct diag *d);

/* How often so far a process of the VM was ended because it took more memory. */
unsigned long quota_kills(const struct quota *q, const char *name);

/* The VM has ended. As long as its processes are still ending its group cannot go:
 * quota_sweep() tries again, and returns whether there is any left. */
void quota_remove(struct quota *q, const char *name);
bool quota_sweep(struct quota *q);

#endif
