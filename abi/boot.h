// SPDX-License-Identifier: BSD-3-Clause
/*
 * boot.h -- how a guest starts and how it asks for service
 *
 * The monitor enters the guest image at its ELF entry point, in ring 3, with the address
 * of a read-only boot page in %rdi. The same image runs in two ways:
 *
 *     GUEST_KVM      in a VM: `out` to the ports below leaves the guest
 *     GUEST_PROCESS  in a sandboxed process: read() and write() on event fds instead
 *
 * Nothing else about the two differs: same addresses, same memory, same messages.
 */

#ifndef ABI_BOOT_H
#define ABI_BOOT_H

#include <stddef.h>
#include <stdint.h>

#define BOOT_MAGIC 0x746f6f626b636c63ull /* any constant */
#define BOOT_ABI   3u

enum guest_mode { GUEST_KVM = 1, GUEST_PROCESS = 2 };

/* What the guest may use beyond x86-64-v2: asking the processor would leave the VM. */
enum { BOOT_AVX2 = 1 };

/* Ports a KVM guest may write to; its I/O permission bitmap has no others. */
enum {
    PORT_NET_DOORBELL = 0x500,     /* +n: interface n has packets and its host sleeps */
    PORT_CONTROL_DOORBELL = 0x510, /* a reply is there, or text on the console */
    PORT_WAIT = 0x511,  /* sleep until woken or until boot_wait.until_ns has come */
    PORT_PANIC = 0x512, /* control_head.crash is filled in: end the VM */
    PORT_HEAP = 0x513,  /* back the heap up to boot_wait.heap_want */
    PORT_CHECKPOINT = 0x514, /* boot_wait.context is filled in: copy the VM's memory */
    PORT_FAULT = 0x520,      /* supervisor page only: exception report */
};

struct boot_info {
    uint64_t magic;
    uint32_t abi;
    uint32_t mode;   /* enum guest_mode */
    uint32_t resume; /* 1: memory is that of a checkpoint: go on at boot_wait.context */
    uint32_t pad;

    /* Steady time in ns = ((tsc - tsc_base) * tsc_mult >> 32) + ns_base, by a 128-bit
     * product; wall-clock ns = steady time + wall_offset_ns. */
    uint64_t tsc_base, tsc_mult, ns_base;
    int64_t wall_offset_ns;

    uint64_t heap, heap_size; /* zeroed private memory, to be touched sparingly; only
                               * boot_wait.heap_have bytes of it can be used yet */
    uint64_t netmem, netmem_size; /* abi/netmem.h; 0 without interfaces */
    uint64_t control;             /* abi/control.h */
    uint64_t wait;                /* struct boot_wait, writable */
    uint64_t seed[2];             /* for random elements */
    char vm_name[64];             /* NUL-terminated */
    uint64_t poll_ns; /* how long to look at the rings in vain before sleeping */
    uint64_t cpu;     /* BOOT_AVX2 */

    /* GUEST_PROCESS only. */
    int32_t wake_fd;     /* read() returns when somebody wakes us */
    int32_t control_fd;  /* write() does what PORT_CONTROL_DOORBELL does */
    int32_t net_fds[16]; /* write() does what PORT_NET_DOORBELL + n does */
};
#define BOOT_RESUME_AT 16 /* for the entry point, which is in assembler */
_Static_assert(offsetof(struct boot_info, resume) == BOOT_RESUME_AT, "boot ABI");
_Static_assert(sizeof(struct boot_info) <= 4096, "boot ABI");

/* What a call preserves: where a guest goes on that was copied inside guest_checkpoint(). */
struct boot_context {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

struct boot_wait {
    uint64_t until_ns;  /* guest: steady time; UINT64_MAX: no limit */
    uint64_t heap_want; /* guest: bytes of heap it would like to use */
    uint64_t heap_have; /* monitor: bytes of heap that are there, from its start */
    uint64_t asked;     /* guest, GUEST_PROCESS only: checkpoints asked for, */
    uint64_t done;      /* monitor: and made */
    uint64_t pad[3];
    struct boot_context context; /* guest: at BOOT_CONTEXT_AT */
};
#define BOOT_CONTEXT_AT 64 /* as above */
_Static_assert(offsetof(struct boot_wait, context) == BOOT_CONTEXT_AT, "boot ABI");

#endif
