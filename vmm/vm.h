// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm.h -- one VM inside its monitor process
 *
 * The process has one thread. While the guest runs, a message from the daemon interrupts
 * it by a signal (the sockets are O_ASYNC); while the guest sleeps, the thread sits in
 * ppoll(). So a guest that never gives up the CPU cannot keep the daemon waiting, and an
 * idle VM costs one thread.
 *
 * Trust: guest memory is read through mailbox.h or copied once; nothing in it is
 *        believed.
 */

#ifndef VMM_VM_H
#define VMM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/diag.h"
#include "vmm/clock.h"
#include "vmm/image.h"
#include "vmm/link.h"
#include "vmm/mailbox.h"
#include "vmm/state.h"
#include "vmm/wire.h"

/* What the fork server did once for all VMs. */
struct vm_host {
    struct image image;
    struct clock_start clock;
    int kvm_fd;            /* -1: no KVM */
    int idle_vm, idle_cpu; /* with KVM: as long as the fork server is there */
    char kvm_why[WIRE_WHY];
    size_t vcpu_size;         /* of the mapping of struct kvm_run */
    struct kvm_cpuid2 *cpuid; /* owned */
    struct kvm_sregs *sregs;  /* owned: what the vCPU of every VM starts from */
    uint64_t xcr0;            /* 0: no XSAVE */
    bool sync_regs;           /* registers can be handed over with the first KVM_RUN */
    uint32_t owner;           /* uid that may connect to a VM's socket */
};

struct vm {
    const struct vm_host *host; /* borrowed */
    struct wire_spawn spec;
    int link, listen, wake, mem; /* owned; -1: none */
    int doorbells[NETMEM_MAX_IFS];
    struct clock_scale clock;
    struct wire_times times;

    /* Guest-physical memory as we see it: where the guest sees it, except that the first part
     * of the heap is where layout.h says. */
    uint8_t *base;
    uint64_t heap_have;
    uint32_t n_buffers;   /* of packet memory */
    struct state state;   /* what to go on from; its fd is owned; -1: start anew */
    uint64_t checkpoints; /* made for a process */

    struct mailbox mailbox;
    struct link daemon;
    bool async; /* sockets interrupt us by SIGIO */
    bool reported_ready;
    bool greeted;        /* the daemon, this one or an earlier one */
    uint64_t console_ns; /* when console_credit was filled up last */
    uint32_t console_credit;
    struct wire_crash crash; /* valid once crash.crash.valid */
};

/* Map the VM's memory and fill in boot page and data. `shared`: with a child process. */
int vm_map(struct vm *vm, bool shared, struct diag *d);

/* Where a guest's address is for us; the heap's first LAYOUT_HEAP_FIRST bytes do not lie
 * where the rest does. */
void *vm_at(const struct vm *vm, uint64_t guest_address);

/* Map `size` bytes of heap from `from` on, where the guest sees them. */
int vm_map_heap(const struct vm *vm, uint64_t from, uint64_t size, bool shared,
                struct diag *d);

/* A shell (wire_spawn.shell) has booted: say so and wait to be told which VM it is. -1
 * and a message when the daemon goes first. */
int vm_await_identity(struct vm *vm, struct diag *d);

/* Look after the daemon: new connections, requests, console, answers, time-outs. Never
 * blocks. Returns true if the guest should look at its mailbox. */
bool vm_serve(struct vm *vm);

/* Sleep until somebody writes to the wake event, a request was posted, or the guest's
 * steady time `until_ns` has come; serves the daemon meanwhile. */
void vm_wait(struct vm *vm, uint64_t until_ns);

/* How long ppoll() may sleep: until the guest's time, or the daemon's. */
struct timespec vm_patience(const struct vm *vm, uint64_t until_ns);

/* Fill in vm->crash, and where the guest's stack is. The caller returns next, and vm_main()
 * reports. */
void vm_crashed(struct vm *vm, const struct control_crash *crash);

/* Run a VM in this process until it ends. Returns the exit status for the process. */
int vm_main(struct vm *vm);

/* The two kinds; each returns when the VM has ended, with vm->crash filled in, or -1 with
 * a message if it could not be brought to life. */
int vm_run_kvm(struct vm *vm, struct diag *d);
int vm_run_process(struct vm *vm, struct diag *d);

/* Once, in the fork server: open /dev/kvm and learn what every VM needs. Without KVM
 * kvm_fd is -1 and kvm_why says why. */
void vm_host_probe_kvm(struct vm_host *h);

#endif
