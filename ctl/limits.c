// SPDX-License-Identifier: BSD-3-Clause
/* limits.c -- the kernel's limits that many VMs run into first: see limits.h */

#include "ctl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the switch for each interface; a monitor, and its guest or a thread of KVM's. */
enum { MAPS_A_VM = 2, TASKS_A_VM = 2 };

static unsigned long read_number(const char *path)
{
    FILE *f = fopen(path, "re");
    unsigned long n = 0;

    if (!f)
        return 0;
    if (fscanf(f, "%lu", &n) != 1)
        n = 0;
    fclose(f);
    return n;
}

/* Above the hard limit only root can go, and only up to fs.nr_open. */
static rlim_t raise_files(void)
{
    unsigned long most = read_number("/proc/sys/fs/nr_open");
    struct rlimit r, wish;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return 0;
    wish = (struct rlimit){.rlim_cur = most, .rlim_max = most};
    if (most > r.rlim_max && setrlimit(RLIMIT_NOFILE, &wish) == 0)
        return most;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    getrlimit(RLIMIT_NOFILE, &r);
    return r.rlim_cur;
}

/* Of the control group we are in: "max", which reads as 0, is no limit. */
static unsigned long group_pids(void)
{
    unsigned long n = read_number("/sys/fs/cgroup/pids.max");

    return n ? n : read_number("/sys/fs/cgroup/pids/pids.max");
}

static unsigned long user_processes(void)
{
    struct rlimit r;

    return getrlimit(RLIMIT_NPROC, &r) < 0 || r.rlim_cur == RLIM_INFINITY ? 0
                                                                          : r.rlim_cur;
}

unsigned long limits_raise(unsigned files_a_vm, unsigned n_vms, struct diag *d)
{
    unsigned long files = raise_files();
    const struct {
        unsigned long n; /* 0: no limit, or not known */
        unsigned a_vm;
        const char *what, *how;
    } limits[] = {
        {files, files_a_vm, "open files", "RLIMIT_NOFILE (LimitNOFILE=)"},
        {user_processes(), TASKS_A_VM, "processes of a user",
         "RLIMIT_NPROC (LimitNPROC=)"},
        {group_pids(), TASKS_A_VM, "tasks of a control group", "pids.max (TasksMax=)"},
        {read_number("/proc/sys/kernel/pid_max"), TASKS_A_VM, "process ids",
         "kernel.pid_max"},
        {read_number("/proc/sys/kernel/threads-max"), TASKS_A_VM, "threads",
         "kernel.threads-max"},
        {read_number("/proc/sys/vm/max_map_count"), MAPS_A_VM, "mappings of a process",
         "vm.max_map_count"},
    };

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limits[i].n && limits[i].n / n_vms < limits[i].a_vm)
            diag_warn(d, "%lu %s are enough for about %lu VMs: raise %s for more",
                      limits[i].n, limits[i].what, limits[i].n / limits[i].a_vm,
                      limits[i].how);
    return files;
}

/* Linux says since 6.2 how many are open. */
static bool have_files(unsigned n, rlim_t limit)
{
    enum { MOST = 256 };
    int fds[MOST];
    unsigned i = 0;
    struct stat st;

    if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
        return (rlim_t)st.st_size + n <= limit;
    n = n < MOST ? n : MOST;
    while (i < n && (fds[i] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
        i++;
    for (unsigned k = 0; k < i; k++)
        close(fds[k]);
    return i == n;
}

int limits_have_files(unsigned need, struct diag *d)
{
    enum { SPARE = 32 };
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || have_files(need + SPARE, r.rlim_cur))
        return 0;
    return diag_err(d,
                    "out of file descriptors: %llu may be open: raise RLIMIT_NOFILE "
                    "(LimitNOFILE=), or remove something",
                    (unsigned long long)r.rlim_cur);
}
