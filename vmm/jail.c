// SPDX-License-Identifier: BSD-3-Clause
/* Giving up rights; see jail.h. The filter is written out here rather than with a library,
 * because it is built and loaded once a VM and must cost microseconds. */

#include "vmm/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_RULES = 40 };

static int keep_capabilities(uint32_t keep)
{
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct c[2] = {{.effective = keep, .permitted = keep}};

    return (int)syscall(SYS_capset, &h, c);
}

/* For good, and for all children; later we no longer may. */
static void bound_capabilities(uint32_t keep)
{
    for (int cap = 0; cap < 64; cap++)
        if (cap >= 32 || !(keep & 1u << cap))
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* fails beyond the last one */
}

int jail_server(struct diag *d)
{
    const uint32_t keep = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_KILL;
    char dir[] = "/tmp/clickos-XXXXXX";

    if (geteuid() != 0)
        return 0;
    /* The directory is gone as soon as we are in it: nothing can ever appear there. */
    if (!mkdtemp(dir))
        return diag_err(d, "mkdir %s: %s", dir, strerror(errno));
    if (chdir(dir) < 0 || rmdir(dir) < 0 || chroot(".") < 0)
        return diag_err(d, "chroot %s: %s", dir, strerror(errno));
    bound_capabilities(keep);
    if (keep_capabilities(keep) < 0)
        return diag_err(d, "dropping capabilities: %s", strerror(errno));
    return 0;
}

int jail_identity(uint32_t uid, struct diag *d)
{
    const struct rlimit none = {0, 0}, few = {64, 64};
    const struct rlimit state = {1 << 30, 1 << 30}; /* of a checkpoint, in a memfd */

    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_NOFILE, &few);
    setrlimit(RLIMIT_FSIZE, &state);
    if (geteuid() == 0 && uid != 0 &&
        (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
         setresuid(uid, uid, uid) < 0))
        return diag_err(d, "becoming user %u: %s", uid, strerror(errno));
    if (geteuid() == 0 && keep_capabilities(0) < 0)
        return diag_err(d, "dropping capabilities: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return diag_err(d, "no_new_privs: %s", strerror(errno));
    return 0;
}

/* ---- system calls --------------------------------------------------------------------- */

/* When a filter is loaded the kernel walks it once for every call there is, to find those
 * that it need not be asked about: 50 us with a list of 30 calls, 25 with a tree. It gives
 * up at an instruction that has nothing to do with calls, so there is one in front, and what
 * that costs later is a few nanoseconds a call. Each test ends in a verdict or in the next
 * instruction; the verdicts stand behind all tests, and jumps to them are filled in last. */
enum { ALLOW = 254, DENY = 255, MAX_CODE = 9 + 4 * MAX_RULES };
_Static_assert(MAX_CODE < ALLOW, "a jump reaches over all of it");

struct filter {
    struct sock_filter code[MAX_CODE];
    unsigned n;
};

static void put_load(struct filter *f, size_t offset)
{
    f->code[f->n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                   (uint32_t)offset);
}

static void put_test(struct filter *f, unsigned how, uint32_t value, unsigned yes,
                     unsigned no)
{
    f->code[f->n++] = (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | how),
                                                   value, (uint8_t)yes, (uint8_t)no);
}

static void put_verdicts(struct filter *f, uint32_t no)
{
    unsigned end = f->n;

    for (unsigned i = 0; i < end; i++) {
        struct sock_filter *c = &f->code[i];

        if (BPF_CLASS(c->code) != BPF_JMP)
            continue;
        if (c->jt >= ALLOW)
            c->jt = (uint8_t)(end - i - 1 + (c->jt == DENY));
        if (c->jf >= ALLOW)
            c->jf = (uint8_t)(end - i - 1 + (c->jf == DENY));
    }
    f->code[f->n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    f->code[f->n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, no);
}

/* `rules` are those of one call. */
static void put_call(struct filter *f, const struct jail_rule *rules, size_t n)
{
    int loaded = -1;

    for (size_t i = 0; i < n; i++)
        if (rules[i].arg < 0) {
            put_test(f, BPF_JEQ, (uint32_t)rules[i].call, ALLOW, DENY);
            return;
        }
    put_test(f, BPF_JEQ, (uint32_t)rules->call, 0, DENY);
    for (size_t i = 0; i < n; i++) {
        if (rules[i].arg != loaded)
            put_load(f, offsetof(struct seccomp_data, args) +
                            (size_t)rules[i].arg * sizeof(uint64_t));
        loaded = rules[i].arg;
        put_test(f, BPF_JEQ, rules[i].value, ALLOW, i + 1 < n ? 0 : DENY);
    }
}

/* `rules` are sorted by call. */
static void put_calls(struct filter *f, const struct jail_rule *rules, size_t n)
{
    size_t half = n / 2;
    unsigned branch;

    if (rules[0].call == rules[n - 1].call) {
        put_call(f, rules, n);
        return;
    }
    while (half < n && rules[half].call == rules[half - 1].call)
        half++;
    if (half == n)
        for (half = n / 2; rules[half].call == rules[half - 1].call;)
            half--;
    branch = f->n;
    put_test(f, BPF_JGE, (uint32_t)rules[half].call, 0, 0);
    put_calls(f, rules, half);
    f->code[branch].jt = (uint8_t)(f->n - branch - 1);
    put_calls(f, rules + half, n - half);
}

int jail_calls(const struct jail_rule *rules, size_t n, int trap, struct diag *d)
{
    struct jail_rule sorted[MAX_RULES];
    struct filter f = {.n = 0};
    size_t at;

    if (n < 1 || n > MAX_RULES)
        return diag_err(d, "%zu rules for a system call filter", n);
    for (size_t i = 0; i < n; i++) {
        for (at = i; at > 0 && sorted[at - 1].call > rules[i].call; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = rules[i];
    }
    f.code[f.n++] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 0);
    put_load(&f, offsetof(struct seccomp_data, arch));
    put_test(&f, BPF_JEQ, AUDIT_ARCH_X86_64, 0, DENY);
    put_load(&f, offsetof(struct seccomp_data, nr));
    put_calls(&f, sorted, n);
    put_verdicts(&f, trap ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
              &(struct sock_fprog){.len = (unsigned short)f.n, .filter = f.code}) < 0)
        return diag_err(d, "system call filter: %s", strerror(errno));
    return 0;
}
