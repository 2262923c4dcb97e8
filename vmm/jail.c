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

    for (int cap = 0; cap < 64; cap++)
        if (cap >= 32 || !(keep & 1u << cap))
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* fails beyond the last one */
    return (int)syscall(SYS_capset, &h, c);
}

int jail_server(struct diag *d)
{
    char dir[] = "/tmp/clickos-XXXXXX";

    if (geteuid() != 0)
        return 0;
    /* The directory is gone as soon as we are in it: nothing can ever appear there. */
    if (!mkdtemp(dir))
        return diag_err(d, "mkdir %s: %s", dir, strerror(errno));
    if (chdir(dir) < 0 || rmdir(dir) < 0 || chroot(".") < 0)
        return diag_err(d, "chroot %s: %s", dir, strerror(errno));
    if (keep_capabilities(1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_KILL) < 0)
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

static struct sock_filter load(uint32_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}

static struct sock_filter unless_equal(uint32_t value, unsigned skip)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
                                        (uint8_t)skip);
}

static struct sock_filter verdict(uint32_t what)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what);
}

int jail_calls(const struct jail_rule *rules, size_t n, int trap, struct diag *d)
{
    struct sock_filter f[8 + 6 * MAX_RULES];
    const uint32_t no = trap ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS;
    unsigned k = 0;

    if (n > MAX_RULES)
        return diag_err(d, "too many rules for a system call filter");
    f[k++] = load(offsetof(struct seccomp_data, arch));
    f[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64,
                                          1, 0);
    f[k++] = verdict(no);
    f[k++] = load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < n; i++) {
        const struct jail_rule *r = &rules[i];

        if (r->arg < 0) {
            f[k++] = unless_equal((uint32_t)r->call, 1);
            f[k++] = verdict(SECCOMP_RET_ALLOW);
            continue;
        }
        f[k++] = unless_equal((uint32_t)r->call, 4);
        f[k++] = load((uint32_t)(offsetof(struct seccomp_data, args) +
                                 (size_t)r->arg * sizeof(uint64_t)));
        f[k++] = unless_equal(r->value, 1);
        f[k++] = verdict(SECCOMP_RET_ALLOW);
        f[k++] = load(offsetof(struct seccomp_data, nr));
    }
    f[k++] = verdict(no);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
              &(struct sock_fprog){.len = (unsigned short)k, .filter = f}) < 0)
        return diag_err(d, "system call filter: %s", strerror(errno));
    return 0;
}
