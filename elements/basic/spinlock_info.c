// SPDX-License-Identifier: BSD-3-Clause
/*
 * SpinlockInfo -- give names to locks
 *
 * Usage:    SpinlockInfo(NAME, ...)
 * Ports:    none
 * Args:     NAME ...  locks for SpinlockAcquire and SpinlockRelease
 * Counters: none
 * Handlers: none
 * Example:  SpinlockInfo(table_lock);
 * See also: SpinlockAcquire, SpinlockRelease
 *
 * One thread runs a router here, so the locks are always free.
 */

#include "engine/args.h"
#include "engine/nameinfo.h"

#include "engine/element.h"

static int spinlock_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    uint32_t lock = 0;
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        struct text name;

        if (!args_string(c->scratch, c->argv[i], &name))
            rc = diag_err(d, "bad NAME");
        else if (name_define(e, NAME_SPINLOCK, name.s, &lock, sizeof lock) < 0)
            rc = diag_err(d, "out of memory");
    }
    return rc;
}

ELEMENT(SpinlockInfo) = {
    .name = "SpinlockInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
    .configure = spinlock_info_configure,
};
