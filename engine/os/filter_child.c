// SPDX-License-Identifier: BSD-3-Clause
/* filter_child.c -- a program like zcat between us and a file: see filter_child.h */

#include "engine/os/filter_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool begins(const uint8_t *data, size_t n, const char *magic, size_t len)
{
    return n >= len && !memcmp(data, magic, len);
}

const char *filter_for_data(const uint8_t *data, size_t n)
{
    if (n >= 3 && (begins(data, n, "\x1f\x8b", 2) || begins(data, n, "\x1f\x9d", 2)))
        return "zcat";
    if (begins(data, n, "BZh", 3))
        return "bzcat";
    if (begins(data, n,
               "\xfd"
               "7zXZ",
               6)) /* with its NUL */
        return "xzcat";
    return NULL;
}

const char *filter_for_name(const char *name)
{
    size_t n = strlen(name);

    if (n >= 3 && !strcmp(name + n - 3, ".gz"))
        return "gzip";
    if (n >= 4 && !strcmp(name + n - 4, ".bz2"))
        return "bzip2";
    if (n >= 3 && !strcmp(name + n - 3, ".xz"))
        return "xz";
    return NULL;
}

int filter_start(const char *program, int fd, bool writing, pid_t *child)
{
    char name[16] = {0}, *argv[] = {name, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, pipe_signal;
    int ends[2], rc;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    strncpy(name, program, sizeof name - 1);
    sigemptyset(&none);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, writing ? ends[0] : fd, 0);
    posix_spawn_file_actions_adddup2(&files, writing ? fd : ends[1], 1);
    posix_spawnattr_init(&attr);
    /* Ours are blocked or ignored; it shall end when nobody listens to it. A group of its
     * own keeps it alive when the terminal interrupts us: what was written is whole. */
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &pipe_signal);
    rc = posix_spawnp(child, program, &files, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    close(ends[writing ? 0 : 1]);
    if (!rc)
        return ends[writing ? 1 : 0];
    close(ends[writing ? 1 : 0]);
    errno = rc;
    return -1;
}

bool filter_end(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool filter_gzip(const char *name)
{
    const char *const argv[] = {"gzip", "-f", "--", name, NULL};
    pid_t child;

    return posix_spawnp(&child, argv[0], NULL, NULL, (char *const *)(const void *)argv,
                        environ) == 0 &&
           filter_end(child);
}
