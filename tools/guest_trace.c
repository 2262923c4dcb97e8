// SPDX-License-Identifier: BSD-3-Clause
/*
 * guest_trace.c -- which functions and constants a guest touches first
 *
 * Linked in place of vmm/jail.c it makes a monitor that does not jail: a guest as a process
 * is stepped one instruction at a time from its entry on, with its constants out of reach,
 * so that each fetch and each access to them ends in a handler here. Every line of 16 bytes
 * is noted once, in the order of first touches, as an address in /tmp/guest-trace.PID.
 * `make guest-order` makes the order of the image's sections of it (tools/gen-guest-order).
 *
 * Threads: none. The handler runs with the guest's FS: no libc in it.
 */

#include "vmm/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi/layout.h"

enum { LINE = 16, N_LINES = (LAYOUT_TEXT_MAX + LAYOUT_RODATA_MAX) / LINE, TF = 0x100 };
_Static_assert(LAYOUT_TEXT + LAYOUT_TEXT_MAX == LAYOUT_RODATA, "one range");

struct trace {
    uint32_t n, order[N_LINES]; /* written to the file */
    uint8_t seen[N_LINES];
};
static struct trace *trace;
static int reached; /* constants are readable for one instruction */

/* A part of the image is one or two huge pages long. */
static void set_access(uint64_t at, long prot)
{
    for (int i = 0; i < 2; i++) {
        long rc = SYS_mprotect;

        __asm__ volatile("syscall"
                         : "+a"(rc)
                         : "D"(at + (uint64_t)i * (2 << 20)), "S"(2ul << 20), "d"(prot)
                         : "rcx", "r11", "memory");
    }
}

static void note(uint64_t address)
{
    uint64_t line = (address - LAYOUT_TEXT) / LINE;

    if (line < N_LINES && !trace->seen[line]) {
        trace->seen[line] = 1;
        trace->order[trace->n++] = (uint32_t)(LAYOUT_TEXT + line * LINE);
    }
}

__attribute__((optimize("no-stack-protector"))) static void
on_step(int sig, siginfo_t *si, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t address = (uint64_t)si->si_addr;

    if (reached)
        set_access(LAYOUT_RODATA, PROT_NONE);
    reached = 0;
    if (sig == SIGSEGV && address >= LAYOUT_RODATA &&
        address < LAYOUT_RODATA + LAYOUT_RODATA_MAX) {
        note(address);
        set_access(LAYOUT_RODATA, PROT_READ);
        reached = 1;
    } else if (sig == SIGSEGV && regs[REG_RIP] == (greg_t)address) {
        set_access(LAYOUT_TEXT, PROT_READ | PROT_EXEC);
    } else if (sig == SIGSEGV) {
        signal(SIGSEGV, SIG_DFL); /* the guest's own fault: it happens again */
        return;
    }
    note((uint64_t)regs[REG_RIP]);
    regs[REG_EFL] |= TF;
}

static int start_trace(struct diag *d)
{
    struct sigaction sa = {.sa_sigaction = on_step,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK};
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/tmp/guest-trace.%d", (int)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *trace) < 0)
        return diag_err(d, "%s: %s", path, strerror(errno));
    trace = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (trace == MAP_FAILED)
        return diag_err(d, "%s: %s", path, strerror(errno));
    close(fd);
    sigfillset(&sa.sa_mask);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGTRAP, &sa, NULL);
    set_access(LAYOUT_TEXT, PROT_NONE);
    set_access(LAYOUT_RODATA, PROT_NONE);
    return 0;
}

int jail_server(struct diag *d)
{
    return 0;
}

int jail_identity(uint32_t uid, struct diag *d)
{
    return 0;
}

int jail_calls(const struct jail_rule *rules, size_t n, int trap, struct diag *d)
{
    return trap ? start_trace(d) : 0; /* it traps for a guest, and for nobody else */
}
