// SPDX-License-Identifier: BSD-3-Clause
/*
 * wire.h -- what daemon, fork server and monitors say to each other
 *
 * Two kinds of sockets, both Unix, both ends from the same build:
 *
 *     daemon <-> fork server   SOCK_SEQPACKET: WIRE_SPAWN with fds, WIRE_SIGNAL;
 *                              back come WIRE_SERVER, WIRE_SPAWNED, WIRE_EXITED
 *     daemon <-> monitor       SOCK_STREAM: a struct wire_head, then `len` bytes.
 *                              To the monitor: WIRE_REQUEST and its text; before all
 *                              else, if it is a shell, struct wire_give and its listener.
 *                              From it: WIRE_HELLO first, then the others
 *
 * Trust: the fork server and the daemon trust each other. A monitor may have been taken
 * over by its guest, so the daemon bounds everything that comes from one.
 */

#ifndef VMM_WIRE_H
#define VMM_WIRE_H

#include <stdint.h>

#include "abi/control.h"
#include "abi/netmem.h"

#define WIRE_ABI       5u
#define WIRE_MAX_STACK 32768u               /* bytes of a crashed guest's stack */
#define WIRE_WHY       240u                 /* bytes of a reason, with its NUL */
#define WIRE_MAX_FDS   (5 + NETMEM_MAX_IFS) /* of one WIRE_SPAWN */

enum wire_type {
    WIRE_SERVER = 1, /* fork server is ready: struct wire_server */
    WIRE_SPAWN,      /* struct wire_spawn; fds: link, wake, listen?, state?, memory?,
                   * doorbells */
    WIRE_SPAWNED,    /* struct wire_child */
    WIRE_EXITED,     /* struct wire_child */
    WIRE_SIGNAL,     /* struct wire_child: kill `id` with signal `status` */

    WIRE_HELLO = 16, /* struct wire_hello; fds if adopted: wake, memory?, doorbells */
    WIRE_READY,      /* struct wire_times */
    WIRE_CONSOLE,    /* uint32_t lost, then text */
    WIRE_REPLY,      /* struct wire_reply, then text; or fd: vmm/state.h */
    WIRE_CRASH,      /* struct wire_crash, then the stack from there on */
    WIRE_END,        /* text: why the monitor gives up */
    WIRE_REQUEST,    /* struct wire_request, then text */
};

struct wire_server {
    uint32_t type, abi;
    uint32_t has_kvm, pad;
    uint64_t image;     /* struct image's id */
    char why[WIRE_WHY]; /* why there is no KVM, or "" */
};

struct wire_spawn {
    uint32_t type, id;  /* id: the daemon's, for this server */
    uint32_t isolation; /* enum vmm_isolation, not VMM_AUTO */
    uint32_t n_ifs, has_listen, uid;
    uint32_t shell; /* boot, say hello, and wait for a struct wire_give */
    uint32_t n_buffers;
    uint32_t has_state, elapse; /* elapse: time has gone on since then */
    uint64_t heap, mem_size, spawn_ns, poll_ns;
    char name[64];
};

/* Makes a VM of a shell; with it come the listening socket and the state, if there are. */
struct wire_give {
    uint32_t uid, has_listen, has_state, elapse;
    uint64_t spawn_ns, poll_ns;
    char name[64];
};

struct wire_child {
    uint32_t type, id;
    int32_t pid, status; /* status as from waitpid(); or an errno if pid is -1 */
};

/* ---- between daemon and monitor ---- */

struct wire_head {
    uint32_t type;
    uint32_t len; /* bytes that follow */
};

struct wire_times {
    uint64_t spawn, forked, created, jailed, entered, ready;
};

struct wire_hello {
    uint32_t abi, isolation, n_ifs, ready;
    uint64_t mem_size;
    struct wire_times times;
    char name[64];
};

struct wire_request {
    uint32_t id, verb, timeout_ms, pad;
    char name[CONTROL_NAME];
    char handler[CONTROL_HANDLER];
};

struct wire_reply {
    uint32_t id, status;
};

struct wire_crash {
    struct control_crash crash;
    uint64_t stack_at; /* the guest's address of what follows */
};

#endif
