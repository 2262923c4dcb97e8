// SPDX-License-Identifier: BSD-3-Clause
/*
 * SpinlockAcquire -- take a lock when a packet passes
 *
 * Usage:    SpinlockAcquire(LOCK)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LOCK  name that a SpinlockInfo gives
 * Counters: none
 * Handlers: none
 * Example:  ... -> SpinlockAcquire(l) -> StoreData(0, x) -> SpinlockRelease(l) -> ...
 * See also: SpinlockInfo, SpinlockRelease
 *
 * One thread runs a router here, so packets just pass.
 */

#include "engine/element.h"
#include "engine/nameinfo.h"

struct spinlock_acquire {
    struct text lock;
};

static const struct arg_spec spinlock_acquire_args[] = {
    ARG_STRING(spinlock_acquire, lock, "LOCK", ARG_M, NULL,
               "name that a SpinlockInfo gives"),
    ARG_END,
};

static int spinlock_acquire_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct spinlock_acquire *s = element_state(e);
    uint32_t lock;

    if (!name_query(e, NAME_SPINLOCK, s->lock.s, &lock, sizeof lock))
        return diag_err(d, "cannot locate spinlock %s", s->lock.s);
    return 0;
}

static void spinlock_acquire_batch(struct element *e, struct batch *b, uint32_t from)
{
}

ELEMENT_BATCH(spinlock_acquire)

ELEMENT(SpinlockAcquire) = {
    .name = "SpinlockAcquire",
    .state_size = sizeof(struct spinlock_acquire),
    .ports = "1/1",
    .args = spinlock_acquire_args,
    .configure = spinlock_acquire_configure,
    .push = spinlock_acquire_push,
    .pull = spinlock_acquire_pull,
};
