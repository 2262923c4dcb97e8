// SPDX-License-Identifier: BSD-3-Clause
/*
 * The ways out of a guest; see abi/boot.h. In a VM a service is an `out`, in a sandboxed
 * process a system call: this is the only file of the image that may contain one
 * (tools/check-guest-symbols).
 */

#include "guest/guest.h"

#include <string.h>

enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_EXIT_GROUP = 231,
    SYS_PPOLL = 271,
    POLL_IN = 1
};

static void out(uint16_t port)
{
    __asm__ volatile("outb %%al, %%dx" : : "d"(port), "a"(0) : "memory");
}

static long guest_syscall(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static bool in_process(void)
{
    return GUEST_BOOT->mode == GUEST_PROCESS;
}

static void ring_fd(int fd)
{
    const uint64_t one = 1;

    guest_syscall(SYS_WRITE, fd, (long)&one, sizeof one, 0);
}

void guest_ring_net(unsigned n)
{
    if (in_process())
        ring_fd(GUEST_BOOT->net_fds[n]);
    else
        out((uint16_t)(PORT_NET_DOORBELL + n));
}

void guest_ring_control(void)
{
    if (in_process())
        ring_fd(GUEST_BOOT->control_fd);
    else
        out(PORT_CONTROL_DOORBELL);
}

void guest_ready(void)
{
    atomic_store_explicit(&GUEST_CONTROL->ready, 1, memory_order_release);
    /* A monitor of a VM sees it when we first come to it. */
    if (in_process())
        guest_ring_control();
}

static void poll_wake(uint64_t until_ns)
{
    struct {
        int32_t fd;
        int16_t events, revents;
    } p = {.fd = GUEST_BOOT->wake_fd, .events = POLL_IN};
    struct {
        int64_t s, ns;
    } t = {0};
    uint64_t now = guest_now(), count;

    if (until_ns != UINT64_MAX && until_ns > now) {
        t.s = (int64_t)((until_ns - now) / 1000000000u);
        t.ns = (int64_t)((until_ns - now) % 1000000000u);
    }
    guest_syscall(SYS_PPOLL, (long)&p, 1, until_ns == UINT64_MAX ? 0 : (long)&t, 0);
    if (p.revents & POLL_IN)
        guest_syscall(SYS_READ, p.fd, (long)&count, sizeof count, 0);
}

void guest_wait(uint64_t until_ns)
{
    if (in_process()) {
        poll_wake(until_ns);
        return;
    }
    GUEST_WAIT->until_ns = until_ns;
    out(PORT_WAIT);
}

void guest_grow_heap(uint64_t bytes)
{
    /* A process has all of its heap from the start. */
    if (in_process())
        return;
    GUEST_WAIT->heap_want = bytes;
    out(PORT_HEAP);
}

bool guest_checkpoint(void)
{
    uint64_t asked;

    if (guest_save())
        return true;
    if (!in_process()) {
        out(PORT_CHECKPOINT);
        return false;
    }
    asked = GUEST_WAIT->asked + 1;
    GUEST_WAIT->asked = asked;
    guest_ring_control();
    while (GUEST_WAIT->done != asked)
        poll_wake(UINT64_MAX);
    return false;
}

/* What the callers' frames are found by, all at one instruction. */
static inline __attribute__((always_inline)) void where(struct control_crash *c)
{
    __asm__ volatile("lea (%%rip), %%rax\n\t"
                     "mov %%rax, %0\n\t"
                     "mov %%rsp, %1\n\t"
                     "mov %%rbp, %2\n\t"
                     "mov %%rbx, %3\n\t"
                     "mov %%r12, %4\n\t"
                     "mov %%r13, %5\n\t"
                     "mov %%r14, %6\n\t"
                     "mov %%r15, %7"
                     : "=m"(c->rip), "=m"(c->rsp), "=m"(c->rbp), "=m"(c->rbx),
                       "=m"(c->r12), "=m"(c->r13), "=m"(c->r14), "=m"(c->r15)
                     :
                     : "rax");
}

_Noreturn void guest_panic(const char *why)
{
    struct control_crash *c = &GUEST_CONTROL->crash;
    size_t n = strlen(why);

    n = n < sizeof c->message - 1 ? n : sizeof c->message - 1;
    memcpy(c->message, why, n);
    c->message[n] = '\0';
    c->vector = CONTROL_PANIC;
    where(c);
    c->valid = 1;
    if (in_process())
        guest_syscall(SYS_EXIT_GROUP, 0, 0, 0, 0);
    for (;;)
        out(PORT_PANIC);
}
