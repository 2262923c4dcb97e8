// SPDX-License-Identifier: BSD-3-Clause
/*
 * SpinlockPush -- take a lock, push a packet on, release the lock
 *
 * Usage:    SpinlockPush(LOCK)
 * Ports:    1 in, 1 out; push
 * Args:     LOCK  name that a SpinlockInfo gives
 * Counters: none
 * Handlers: none
 * Example:  SpinlockInfo(l); ... -> SpinlockPush(l) -> StoreData(0, x) -> ...
 * See also: SpinlockInfo, SpinlockAcquire, SpinlockRelease
 *
 * One thread runs a router here, so packets just pass.
 */

#include "engine/element.h"
#include "engine/nameinfo.h"

struct spinlock_push {
    struct text lock;
};

static const struct arg_spec spinlock_push_args[] = {
    ARG_STRING(spinlock_push, lock, "LOCK", ARG_M, NULL,
               "name that a SpinlockInfo gives"),
    ARG_END,
};

static int spinlock_push_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct spinlock_push *s = element_state(e);
    uint32_t lock;

    if (!name_query(e, NAME_SPINLOCK, s->lock.s, &lock, sizeof lock))
        return diag_err(d, "cannot locate spinlock %s", s->lock.s);
    return 0;
}

static void spinlock_push_push(struct element *e, unsigned port, struct batch *b)
{
    out_push(e, 0, b);
}

ELEMENT(SpinlockPush) = {
    .name = "SpinlockPush",
    .state_size = sizeof(struct spinlock_push),
    .ports = "1/1",
    .processing = "h/h",
    .args = spinlock_push_args,
    .configure = spinlock_push_configure,
    .push = spinlock_push_push,
};
