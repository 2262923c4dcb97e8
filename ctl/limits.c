// SPDX-License-Identifier: BSD-3-Clause
/* limits.c -- the kernel's limits that many VMs run into first: see limits.h */

#include "ctl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* For each VM: packet memory, socket, wake-up, and a doorbell an interface, in the daemon
 * and once more in the switch. */
enum { FILES_A_VM = 10, VMS_WANTED = 1000 };

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

void limits_raise(struct diag *d)
{
    rlim_t files = raise_files();
    unsigned long pids = read_number("/proc/sys/kernel/pid_max");

    if (files < FILES_A_VM * VMS_WANTED)
        diag_warn(d,
                  "%llu open files are enough for about %llu VMs: raise RLIMIT_NOFILE "
                  "(LimitNOFILE= of the service)",
                  (unsigned long long)files, (unsigned long long)files / FILES_A_VM);
    if (pids && pids < 2 * VMS_WANTED)
        diag_warn(d, "kernel.pid_max is %lu: raise it for more VMs", pids);
}
