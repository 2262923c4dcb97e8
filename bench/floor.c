// SPDX-License-Identifier: BSD-3-Clause
/* floor.c -- the least that starting a VM can cost on this machine: see floor.h */

#include "bench/floor.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY = 4 << 20,
    PML4 = 0x1000, /* guest-physical addresses of the page tables, each one page */
    PDPT = 0x2000,
    PD = 0x3000,
    CODE = 0x100000,
    STACK = 0x200000,
    PORT = 0x3f8,
    CPUID_ENTRIES = 200,
};

static const uint8_t code[] = {
    0xba, PORT & 255, PORT >> 8, 0, 0, /* mov $PORT, %edx */
    0xee,                              /* out %al, (%dx) */
    0xeb, 0xfe,                        /* jmp . */
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Ring 3, 64-bit, one identity map of 4 MiB in 2 MiB pages. */
static int enter_ring3(int vcpu)
{
    const struct kvm_segment cs = {.limit = 0xffffffff,
                                   .selector = 0x33,
                                   .type = 11,
                                   .present = 1,
                                   .dpl = 3,
                                   .s = 1,
                                   .l = 1,
                                   .g = 1};
    const struct kvm_segment ds = {.limit = 0xffffffff,
                                   .selector = 0x2b,
                                   .type = 3,
                                   .present = 1,
                                   .dpl = 3,
                                   .db = 1,
                                   .s = 1,
                                   .g = 1};
    struct kvm_regs regs = {.rip = CODE, .rsp = STACK, .rflags = 0x3202};
    struct kvm_sregs s;

    if (ioctl(vcpu, KVM_GET_SREGS, &s) < 0)
        return -1;
    s.cs = cs;
    s.ds = s.es = s.fs = s.gs = s.ss = ds;
    s.cr3 = PML4;
    s.cr4 = 1 << 5 | 1 << 9 | 1 << 10;
    s.cr0 = 0x80050033;
    s.efer = 0xd01;
    return ioctl(vcpu, KVM_SET_SREGS, &s) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0
               ? -1
               : 0;
}

static void fill_memory(uint8_t *m)
{
    uint64_t *pd = (uint64_t *)(void *)(m + PD);

    *(uint64_t *)(void *)(m + PML4) = PDPT | 7;
    *(uint64_t *)(void *)(m + PDPT) = PD | 7;
    pd[0] = 0x87;
    pd[1] = 2 << 20 | 0x87;
    memcpy(m + CODE, code, sizeof code);
}

/* In the child: 0 when the guest came to its `out`. */
static int boot(int kvm, struct kvm_cpuid2 *cpuid)
{
    struct kvm_userspace_memory_region region = {.memory_size = MEMORY};
    int vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu, size;
    struct kvm_run *run;
    uint8_t *m;

    m = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (vm < 0 || m == MAP_FAILED)
        return -1;
    fill_memory(m);
    region.userspace_addr = (uint64_t)(uintptr_t)m;
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -1;
    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (vcpu < 0 || size <= 0)
        return -1;
    run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED || ioctl(vcpu, KVM_SET_CPUID2, cpuid) < 0 ||
        enter_ring3(vcpu) < 0)
        return -1;
    if (ioctl(vcpu, KVM_RUN, 0) < 0)
        return -1;
    return run->exit_reason == KVM_EXIT_IO && run->io.port == PORT ? 0 : -1;
}

static uint64_t fork_and_boot(int kvm, struct kvm_cpuid2 *cpuid)
{
    uint64_t start, end = 0;
    int done[2], status;
    char ok = 0;
    pid_t pid;

    if (pipe(done) < 0)
        return 0;
    start = now_ns();
    pid = fork();
    if (pid == 0) {
        ok = boot(kvm, cpuid) == 0;
        _exit(write(done[1], &ok, 1) == 1 ? 0 : 1);
    }
    if (pid > 0 && read(done[0], &ok, 1) == 1 && ok)
        end = now_ns();
    if (pid > 0)
        waitpid(pid, &status, 0);
    close(done[0]);
    close(done[1]);
    return end ? end - start : 0;
}

uint64_t floor_boot_ns(void)
{
    size_t size = sizeof(struct kvm_cpuid2) +
                  CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2);
    struct kvm_cpuid2 *cpuid = calloc(1, size);
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    uint64_t ns = 0;

    if (cpuid && kvm >= 0) {
        cpuid->nent = CPUID_ENTRIES;
        if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0)
            ns = fork_and_boot(kvm, cpuid);
    }
    if (kvm >= 0)
        close(kvm);
    free(cpuid);
    return ns;
}
