// SPDX-License-Identifier: BSD-3-Clause
/*
 * daemon.h -- all that clickosd keeps: one struct, lent to every route
 */

#ifndef CTL_DAEMON_H
#define CTL_DAEMON_H

#include "base/diag.h"
#include "base/strmap.h"
#include "ctl/call.h"
#include "ctl/loop.h"
#include "ctl/order.h"
#include "ctl/quota.h"
#include "ctl/store.h"
#include "switch/backplane.h"
#include "vmm/client.h"

struct daemon_state {
    struct loop *loop; /* owned, as all that follow */
    struct store *store;
    struct vmm_host *host;
    struct backplane *bp;
    struct server *server;
    struct tasks *tasks;           /* what takes long */
    struct strmap vms;             /* name -> struct vm */
    struct order vm_order;         /* the same by their names */
    struct strmap nets;            /* name -> struct net */
    struct strmap ports;           /* name -> struct user_port */
    struct strmap captures;        /* id as text -> struct capture */
    char *image;                   /* owned; path of the guest image */
    struct symbolizer *symbolizer; /* owned; opened when the first VM crashes */
    struct loop_watch host_watch, bp_watch;
    struct loop_timer adopt_timer, start_timer, tick_timer;
    struct quota *quota; /* owned; NULL: there are no control groups */
    bool sweep;          /* groups may be left over */
    size_t max_vms;      /* 0: no limit */
    uint64_t park_after; /* s without traffic before a VM is parked; 0: never */
    struct vm *awake; /* those that run: a hundred thousand parked ones cost no look */
    uint64_t wake_due_ns; /* no timer of a parked one is due before */
    unsigned adopting;    /* VMs that have not answered yet after a restart */
    bool adopt_short;     /* some wait until there are descriptors; that was said */
    struct vm *adopt_first, *adopt_last; /* of these, still to be connected to */
    struct vm_loading *loading; /* owned; NULL: all VMs are there: ctl/vm_load.c */
    unsigned asking;            /* descriptors that those connected to will send */
    uint64_t guest_poll_ns;     /* of VMs started from now on; 0: default */
    char *control_dir;          /* owned; NULL: VMs have no control sockets */
    const char *control_group;  /* borrowed; of these sockets */
    void (*ready)(struct daemon_state *s); /* called once, when that is 0 */
    void (*log)(const char *text);         /* one line for the daemon's own log */
    uint64_t started_us;                   /* wall clock */
    uint32_t uid_base, uid_next; /* users of monitors: first, and next to be used */
};

/* As many users as there are above the default base below 2^31. */
enum { DAEMON_UID_BASE = 0x70000000, DAEMON_UIDS = 1 << 28 };

struct daemon_options {
    const char *state_dir, *socket_path;
    const char *group;           /* of the socket; NULL: leave it */
    const char *control_dir;     /* of the VMs' control sockets; NULL: none */
    const char *monitor, *image; /* NULL: beside our own program */
    unsigned workers;            /* of the switch; 0: default */
    uint32_t uid_base;           /* of the monitors' users; 0: they stay what we are */
    uint64_t poll_min_ns,
        poll_max_ns;        /* of the switch before a port sleeps; 0: default */
    uint64_t guest_poll_ns; /* of guests before they sleep; 0: default */
    uint64_t park_after;    /* s; 0: VMs are not parked unless they ask for it */
    size_t max_vms;         /* 0: no limit */
    unsigned pool;          /* shells kept ready: vmm_host_keep_shells() */
    void (*ready)(struct daemon_state *s);
    void (*log)(const char *text);
};

/* Take up everything that the state folder tells of, and serve. -1 with a message; the
 * caller calls daemon_close() in any case. */
int daemon_open(struct daemon_state *s, const struct daemon_options *o, struct diag *d);

/* Stop serving. VMs go on running, for the next daemon to find. */
void daemon_close(struct daemon_state *s);

void daemon_run(struct daemon_state *s);

__attribute__((format(printf, 2, 3))) void daemon_log(struct daemon_state *s,
                                                      const char *fmt, ...);

/* All messages of `d`, a line each. */
void daemon_log_all(struct daemon_state *s, const struct diag *d);

/* For crash reports; NULL if the image cannot be read, which those reports can take. */
struct symbolizer *daemon_symbolizer(struct daemon_state *s);

uint64_t daemon_wall_us(void);

#endif
