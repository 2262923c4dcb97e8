// SPDX-License-Identifier: BSD-3-Clause
/*
 * jail.h -- giving up rights: the fork server once, each monitor before its guest runs
 *
 * The fork server goes into an empty directory that no longer exists and keeps only the
 * rights to change identity and to end its children. A monitor takes its own uid, can
 * gain no privileges, and is left with the system calls that a running VM needs; opening
 * anything, starting anything, making sockets or mapping executable memory is not among
 * them. A memfd, which a checkpoint goes into, is the one thing it can make. A call outside the list kills it.
 */

#ifndef VMM_JAIL_H
#define VMM_JAIL_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

/* One allowed system call; with arg >= 0 only if that argument has the value (its lower
 * 32 bits). */
struct jail_rule {
    int call;
    int arg;
    uint32_t value;
};
#define JAIL_ANY(call)                                                                 \
    {                                                                                  \
        (call), -1, 0                                                                  \
    }
#define JAIL_IF(call, arg, value)                                                      \
    {                                                                                  \
        (call), (arg), (uint32_t)(value)                                               \
    }

/* Fork server, when started as root: chroot to nowhere, drop capabilities. */
int jail_server(struct diag *d);

/* Become `uid` (0: stay), limits, no new privileges. */
int jail_identity(uint32_t uid, struct diag *d);

/* Allow `rules` only; anything else kills, or with `trap` raises SIGSYS. */
int jail_calls(const struct jail_rule *rules, size_t n, int trap, struct diag *d);

#endif
