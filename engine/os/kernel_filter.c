// SPDX-License-Identifier: BSD-3-Clause
/* kernel_filter.c -- rules that keep the kernel from handling packets: see kernel_filter.h */

#include "engine/os/kernel_filter.h"

#include "base/sbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Run it with its output in `out`; whether it could be started and ended well. */
static bool run(const char *const argv[], struct sbuf *out)
{
    posix_spawn_file_actions_t files;
    int ends[2], status = -1, rc;
    char piece[512];
    ssize_t n;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], 1);
    posix_spawn_file_actions_adddup2(&files, ends[1], 2);
    rc = posix_spawnp(&child, argv[0], &files, NULL, (char *const *)(const void *)argv,
                      environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    if (rc)
        sbuf_puts(out, strerror(rc));
    while (!rc &&
           ((n = read(ends[0], piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR)))
        sbuf_add(out, piece, n > 0 ? (size_t)n : 0);
    close(ends[0]);
    while (!rc && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return !rc && status == 0;
}

int kernel_filter(const char *device, bool add, const char *iptables, struct diag *d)
{
    struct sbuf out = SBUF_INIT;
    const char *program = iptables                              ? iptables
                          : access("/sbin/iptables", X_OK) == 0 ? "/sbin/iptables"
                          : access("/usr/sbin/iptables", X_OK) == 0
                              ? "/usr/sbin/iptables"
                              : NULL;
    const char *const argv[] = {
        program, add ? "-A" : "-D", "INPUT", "-i", device, "-j", "DROP", NULL};
    int rc = 0;

    if (!program)
        return diag_err(d, "no 'iptables' executable found");
    if (!run(argv, &out) || out.len) {
        while (out.len && out.data[out.len - 1] == '\n')
            out.data[--out.len] = '\0';
        rc = diag_err(d, "%s %s INPUT -i %s -j DROP: %s", program, argv[1], device,
                      out.len ? sbuf_text(&out) : "failed");
    }
    sbuf_fini(&out);
    return rc;
}
