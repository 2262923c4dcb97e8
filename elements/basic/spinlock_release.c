// SPDX-License-Identifier: BSD-3-Clause
/*
 * SpinlockRelease -- give a lock back when a packet passes
 *
 * Usage:    SpinlockRelease(LOCK)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LOCK  name that a SpinlockInfo gives
 * Counters: none
 * Handlers: none
 * Example:  ... -> SpinlockAcquire(l) -> StoreData(0, x) -> SpinlockRelease(l) -> ...
 * See also: SpinlockInfo, SpinlockAcquire
 *
 * One thread runs a router here, so packets just pass.
 */

#include "engine/element.h"
#include "engine/nameinfo.h"

struct spinlock_release {
    struct text lock;
};

static const struct arg_spec spinlock_release_args[] = {
    ARG_STRING(spinlock_release, lock, "LOCK", ARG_M, NULL,
               "name that a SpinlockInfo gives"),
    ARG_END,
};

static int spinlock_release_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct spinlock_release *s = element_state(e);
    uint32_t lock;

    if (!name_query(e, NAME_SPINLOCK, s->lock.s, &lock, sizeof lock))
        return diag_err(d, "cannot locate spinlock %s", s->lock.s);
    return 0;
}

static void spinlock_release_batch(struct element *e, struct batch *b, uint32_t from)
{
}

ELEMENT_BATCH(spinlock_release)

ELEMENT(SpinlockRelease) = {
    .name = "SpinlockRelease",
    .state_size = sizeof(struct spinlock_release),
    .ports = "1/1",
    .args = spinlock_release_args,
    .configure = spinlock_release_configure,
    .push = spinlock_release_push,
    .pull = spinlock_release_pull,
};
