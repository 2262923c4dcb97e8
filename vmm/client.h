// SPDX-License-Identifier: BSD-3-Clause
/*
 * client.h -- start, drive and find again virtual machines: the daemon's side of vmm/
 *
 * One struct vmm_host stands for the fork server, a process (`clickos-vmm --server`)
 * that has done everything expensive once: /dev/kvm is open, the guest image is loaded
 * and sealed. A spawn is one message to it and one fork in it. Each VM is a jailed
 * process of its own, joined to us by a Unix socket; nothing of it lives in the daemon.
 *
 *     daemon --(spawn, exits)--> fork server --fork--> monitor of vm1
 *        |                                        +--> monitor of vm2
 *        +--(requests, console, crash)--> monitor of vm1 (socketpair, or after a restart
 *                                         of the daemon a connection to socket_path)
 *
 * The library makes the packet memory and the event fds and hands them to the monitor,
 * so that vmm_net() can be given to the switch at once, while the VM still boots; a
 * request may be made at once, too, and is carried out before the guest's first packet.
 *
 * Event loop: add vmm_host_fd() to your epoll or poll set, for reading, and call
 *         vmm_host_dispatch() when it is readable. Time-outs are in there. Nothing here
 *         blocks, except vmm_host_new(), which waits for the fork server to be ready
 *         (some ten milliseconds).
 * Callbacks run only inside vmm_host_dispatch(), never inside vmm_spawn() or
 *         vmm_request(); every call of this header is allowed in them, vmm_free() of the
 *         VM that is reported on included.
 * Threads: none; one host and its VMs belong to one thread.
 * Memory: vmm_host_free() and vmm_free() close fds and free memory; they end no VM. What
 *         is passed in is copied unless it says "borrowed".
 * Trust:  the monitors are jailed, and may have been taken over by their guests: what
 *         they send is bounded and checked. A VM whose monitor breaks the protocol is
 *         reported as ended (VMM_END_PROTOCOL) and killed.
 */

#ifndef VMM_CLIENT_H
#define VMM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/control.h"
#include "abi/netmem.h"
#include "base/diag.h"

struct vmm_host;
struct vmm;

/* ---- the fork server ------------------------------------------------------------- */

struct vmm_host_options {
    const char *monitor; /* path of clickos-vmm; NULL: beside our own program */
    const char *image;   /* path of the guest image; NULL: beside our own program */
    bool wait_later;     /* vmm_host_wait() follows before anything but vmm_adopt() */
};

/* Start the fork server. NULL and a message in `d` on failure. */
struct vmm_host *vmm_host_new(const struct vmm_host_options *o, struct diag *d);

/* For `wait_later`: the fork server is ready then. -1 and a message in `d` if it cannot
 * be; vmm_host_free() is all that may follow. */
int vmm_host_wait(struct vmm_host *h, struct diag *d);

/* End the fork server, forget all VMs (as vmm_free() does); they keep running. */
void vmm_host_free(struct vmm_host *h);

int vmm_host_fd(const struct vmm_host *h);
void vmm_host_dispatch(struct vmm_host *h);

struct vmm_spec;

/* False where /dev/kvm is missing or refused; `*why` (if not NULL) then says in a few
 * words what is the matter: "/dev/kvm: Permission denied". Borrowed. */
bool vmm_host_has_kvm(const struct vmm_host *h, const char **why);

/* Keep up to `n` (at most VMM_POOL_MAX) shells: VMs that have booted, or processes that are
 * about to, and wait to be told which one they are. vmm_spawn() then uses one of the shape
 * that is asked for (isolation, interfaces, buffers, heap), if there is one; nothing else
 * changes for the caller. A process goes on from a state only when it is started for that.
 * Each spawn orders another of its shape; when there are more than `n`, the oldest goes.
 * The first are of the shape of `first`, if it is not NULL. They are made one by one in
 * vmm_host_dispatch(). A shell costs what an idle VM costs; 0 ends them. */
#define VMM_POOL_MAX 256u
void vmm_host_keep_shells(struct vmm_host *h, unsigned n, const struct vmm_spec *first);

/* How many of them have booted. */
unsigned vmm_host_shells(const struct vmm_host *h);

/* ---- a VM ------------------------------------------------------------------------ */

enum vmm_isolation {
    VMM_AUTO, /* KVM, or a sandboxed process where there is none */
    VMM_KVM,
    VMM_PROCESS,
};

#define VMM_HEAP_MIN     (1ull << 20)
#define VMM_HEAP_MAX     (512ull << 20)
#define VMM_HEAP_DEFAULT (64ull << 20) /* costs only what the guest touches */
#define VMM_POLL_DEFAULT 50000u        /* ns */

struct vmm_spec {
    const char *name; /* what boot_info.vm_name says; at most 63 bytes are kept */
    enum vmm_isolation isolation;
    unsigned n_ifs; /* 0 .. NETMEM_MAX_IFS */
    uint8_t macs[NETMEM_MAX_IFS][6];
    uint32_t mtu;            /* 0: 1500 */
    uint32_t n_buffers;      /* packet buffers of 2 KiB in all; 0: 4096 */
    uint64_t heap;           /* bytes; 0: VMM_HEAP_DEFAULT */
    uint64_t poll_ns;        /* how long the guest polls before it sleeps; 0: 50 us */
    const char *socket_path; /* where a later daemon finds the VM; NULL: it cannot. A
                              * stale socket of that name is replaced. */
    int state_fd; /* go on from there: a sealed memfd, borrowed; <= 0: start anew. Number
                   * of interfaces, buffers and heap must be those of vmm_state_shape() */
    bool elapse;  /* for the guest, time has gone on since then */
    uid_t uid;    /* user and group of the monitor; 0: stay what we are. One uid a VM is
                * right, since processes of one uid can send each other signals. */
};

/* When things happened, in ns of CLOCK_MONOTONIC; 0: not yet, or not known. */
struct vmm_timing {
    uint64_t spawn;    /* vmm_spawn() was called */
    uint64_t forked;   /* the monitor's first instruction */
    uint64_t created;  /* VM and vCPU exist, memory is in place; or the process does */
    uint64_t jailed;   /* no privileges left: now the guest may run */
    uint64_t entered;  /* just before the guest's first instruction */
    uint64_t ready;    /* the guest runs its main loop */
    uint64_t reported; /* we read about it */
};

enum vmm_end {
    VMM_END_KILLED = 1, /* by vmm_kill() or by somebody else's signal: status says */
    VMM_END_CRASH,      /* the guest crashed: the crash callback came before */
    VMM_END_EXIT,       /* the monitor gave up: `why` says why */
    VMM_END_SPAWN,      /* it never came to life: `why` says why */
    VMM_END_PROTOCOL,   /* the monitor talked nonsense and was killed */
};

/* What lay on the stack of a guest that crashed, from its stack pointer on: anything at all. */
struct vmm_stack {
    uint64_t at; /* the guest's address */
    const uint8_t *bytes;
    size_t len;
};

/* Each may be NULL. `ctx` is what vmm_spawn() or vmm_adopt() was given. */
struct vmm_events {
    /* The guest runs its main loop. For an adopted VM: we are connected, vmm_net() is
     * valid from now on. */
    void (*ready)(struct vmm *vm, void *ctx, const struct vmm_timing *t);
    /* Console text as it comes, not NUL-terminated, any bytes, not whole lines. `lost`
     * bytes were dropped before it because the guest wrote faster than it was read. */
    void (*console)(struct vmm *vm, void *ctx, const char *text, size_t len,
                    uint32_t lost);
    /* The guest's last words; see vmm/symbolize.h. `stack` is borrowed for the call. */
    void (*crash)(struct vmm *vm, void *ctx, const struct control_crash *crash,
                  const struct vmm_stack *stack);
    /* The VM is no more; nothing is reported after this and requests that are still
     * open have been answered with VMM_GONE. Call vmm_free(). `status` is as waitpid()
     * has it, or -1 where it is not known (VMs that were adopted). */
    void (*end)(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                const char *why);
};

/* Start a VM. NULL and a message in `d` if what we were given is impossible; that the VM
 * could not come to life is reported later, by events->end. `events` is borrowed for
 * the VM's life. */
struct vmm *vmm_spawn(struct vmm_host *h, const struct vmm_spec *spec,
                      const struct vmm_events *events, void *ctx, struct diag *d);

/* Connect to a VM that an earlier daemon started. events->ready comes once it has sent
 * its fds. NULL and a message if nobody listens there. */
struct vmm *vmm_adopt(struct vmm_host *h, const char *socket_path,
                      const struct vmm_events *events, void *ctx, struct diag *d);

/* Forget the VM: close our fds, drop its requests without calling back. It keeps
 * running, and can be adopted, unless vmm_kill() came first. */
void vmm_free(struct vmm *vm);

/* End it now, whatever it does. events->end follows. Its socket_path is unlinked. */
void vmm_kill(struct vmm *vm);

pid_t vmm_pid(const struct vmm *vm); /* 0: not known yet */
const char *vmm_name(const struct vmm *vm);
enum vmm_isolation vmm_isolation_of(const struct vmm *vm); /* VMM_AUTO: not known yet */

/* What the switch needs. All borrowed from the VM, which keeps them open until
 * vmm_free(); dup() what must live longer. */
struct vmm_net {
    int mem_fd; /* memfd of packet memory (abi/netmem.h), filled in; -1: n_ifs is 0 */
    uint64_t mem_size;
    unsigned n_ifs;
    int wake_fd; /* host to guest: write(8 bytes) wakes the guest */
    int doorbell_fds[NETMEM_MAX_IFS]; /* guest to host: eventfd, readable when rung */
};

/* NULL only for an adopted VM before its `ready`. */
const struct vmm_net *vmm_net(const struct vmm *vm);

/* ---- checkpoints ------------------------------------------------------------------ */

/* A request with the verb CONTROL_CHECKPOINT copies the VM's memory, with all that it is,
 * while the guest stands still between two rounds. With the handler "hold" it stands still
 * until the next request, or until its connection to us is gone. */

/* Inside the reply (status CONTROL_OK): the copy, sealed, the caller's to close; -1 if the
 * monitor sent none. It was made by a process that its guest may have taken over: what is
 * in it is judged by vmm_state_shape() and when it is used. */
int vmm_take_state(struct vmm *vm);

/* What a VM must be like to go on from a state: fills in n_ifs, n_buffers and heap. -1 and
 * a message if it is damaged, or of another version or guest image. */
int vmm_state_shape(const struct vmm_host *h, int fd, struct vmm_spec *spec,
                    struct diag *d);

/* What a state says of itself, as far as it can be believed. */
struct vmm_state_info {
    uint64_t pause_ns; /* for how long the guest stood still for it */
    uint64_t timer_ns; /* from then to its next timer; UINT64_MAX: it has none */
    uint64_t size;     /* bytes */
};
int vmm_state_info(int fd, struct vmm_state_info *info);

/* Whether no packet has come to a VM on hold since the copy, and all that it sent is gone:
 * then nothing is lost if the VM ends and the state goes on in its place. The switch must
 * have given up the interfaces before. */
bool vmm_state_is_current(int fd, const struct vmm_net *net);

/* ---- requests -------------------------------------------------------------------- */

/* Answers beside enum control_status. */
enum {
    VMM_TIMEOUT =
        1000,      /* the guest did not answer in time; it may still carry it out */
    VMM_BUSY,      /* the guest has not finished an earlier request that timed out */
    VMM_GONE,      /* the VM ended first */
    VMM_NO_COPY,   /* its memory could not be copied */
    VMM_NO_MEMORY, /* likewise, because there is none on the host */
    VMM_NO_FILES,  /* likewise, because we may have no more descriptors */
};

/* In words: "no such handler", "the VM does not answer". Never NULL. */
const char *vmm_status_text(uint32_t status);

/* `text` is borrowed for the call and not NUL-terminated. */
typedef void vmm_reply_fn(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                          size_t len);

struct vmm_request {
    enum control_verb verb;
    const char *name;    /* configuration; NULL: "" */
    const char *handler; /* NULL: "" */
    const void *text;
    size_t len;          /* at most CONTROL_TEXT */
    unsigned timeout_ms; /* 0: 5000; counts from when the guest could begin with it */
};

/* Queue a request; those of one VM are carried out in order. Returns 0, or -1 with a
 * message in `d` if it is too long, names are too long, or the VM has ended; `reply` is
 * then never called. Else it is called exactly once, unless vmm_free() comes first. */
int vmm_request(struct vmm *vm, const struct vmm_request *r, vmm_reply_fn *reply,
                void *ctx, struct diag *d);

/* Whether there are requests that have not been answered; inside a reply, further ones. */
bool vmm_pending(const struct vmm *vm);

#endif
