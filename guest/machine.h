// SPDX-License-Identifier: BSD-3-Clause
/*
 * machine.h -- the VM as the engine sees it: its platform and the configurations in it
 */

#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include "engine/platform.h"
#include "engine/router.h"
#include "guest/guest.h"
#include "guest/netfront.h"

enum { MAX_CONFIGS = 64 };

struct config {
    char name[CONTROL_NAME];
    struct router *router; /* owned; NULL: a free place */
};

struct machine {
    struct platform platform;
    struct netfront netfronts[NETMEM_MAX_IFS];
    struct netdev netdevs[NETMEM_MAX_IFS];
    unsigned n_ifs;
    struct config configs[MAX_CONFIGS]; /* the first n_configs may be in use */
    unsigned n_configs;
    int64_t next;      /* when the first timer is due; INT64_MAX: there is none */
    bool quiet;        /* CONTROL_QUIESCE: nothing runs */
    uint32_t answered; /* requests */
    uint64_t poll_ns;  /* how long to look for work in vain before sleeping, adapts */
    unsigned tasks;    /* a turn, adapts */
    uint64_t now_ns;   /* what the configurations were last told */
    uint64_t turn_ns;  /* now_ns at the end of the last turn */
    uint64_t rounds, sleeps;
};

/* ---- request.c ---------------------------------------------------------------------- */

/* Carry out the request that is waiting, if there is one. Returns whether. */
bool machine_serve(struct machine *m);

/* Carry out CONTROL_CHECKPOINT: checkpoint.c. */
void machine_checkpoint(struct machine *m, bool hold);

/* Whether a request is waiting. */
static inline bool machine_asked(const struct machine *m)
{
    return atomic_load_explicit(&GUEST_CONTROL->asked, memory_order_acquire) !=
           m->answered;
}

#endif
