// SPDX-License-Identifier: BSD-3-Clause
/* listen.c -- server sockets for ControlSocket and ChatterSocket: see host.h */

#include "driver/host.h"
#include "engine/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_TRIES = 11, BACKLOG = 2 };

static int fail(int fd, struct host_address *a, const char *call)
{
    int why = errno;

    if (fd >= 0)
        close(fd);
    a->call = call;
    errno = why;
    return -1;
}

static int bind_tcp(int fd, struct host_address *a)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(a->local ? INADDR_LOOPBACK : INADDR_ANY)};
    size_t len = strlen(a->name);
    bool next = len && a->name[len - 1] == '+' && !a->sole;
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    a->port = (unsigned)strtoul(a->name, NULL, 10);
    for (int tries = 0;; tries++, a->port++) {
        sin.sin_port = htons((uint16_t)a->port);
        if (bind(fd, (struct sockaddr *)&sin, sizeof sin) == 0)
            return 0;
        if (!next || tries >= MAX_TRIES || a->port >= 65534)
            return -1;
    }
}

static int bind_unix(int fd, const struct host_address *a)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    size_t len = strlen(a->name);
    struct stat st;

    if (len >= sizeof sun.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(sun.sun_path, a->name, len + 1);
    if (a->replace && lstat(a->name, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(a->name);
    return bind(fd, (struct sockaddr *)&sun, sizeof sun);
}

int host_listen(void *ctx, struct host_address *a)
{
    int fd = socket(a->is_unix ? AF_UNIX : AF_INET,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)ctx;
    if (fd < 0)
        return fail(fd, a, "socket");
    if ((a->is_unix ? bind_unix(fd, a) : bind_tcp(fd, a)) < 0)
        return fail(fd, a, "bind");
    if (listen(fd, BACKLOG) < 0)
        return fail(fd, a, "listen");
    return fd;
}
