// SPDX-License-Identifier: BSD-3-Clause
/*
 * clickos-vmm -- fork server and monitors of virtual machines
 *
 * Started by the daemon with its socket as fd 3; see server.h and client.h.
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/jail.h"
#include "vmm/server.h"

enum { DAEMON_FD = 3 };

static const char usage[] =
    "usage: clickos-vmm --server IMAGE    serve the daemon at file descriptor 3\n"
    "       clickos-vmm --probe           say whether VMs can run on KVM here\n"
    "This program is started by clickosd; see clickos-vmm(8).\n";

static int probe(void)
{
    struct vm_host h = {.kvm_fd = -1};

    vm_host_probe_kvm(&h);
    if (h.kvm_fd < 0)
        printf("no KVM: %s\n", h.kvm_why);
    else
        printf("KVM\n");
    return h.kvm_fd < 0;
}

static void load_image(struct vm_host *h, const char *path)
{
    struct diag d = DIAG_INIT;

    if (image_open(&h->image, path, &d) < 0)
        errx(1, "%s", d.messages[0].text);
}

static void enter_jail(void)
{
    struct diag d = DIAG_INIT;

    if (jail_server(&d) < 0)
        errx(1, "%s", d.messages[0].text);
}

static int serve(const char *image)
{
    struct vm_host h = {.kvm_fd = -1, .owner = geteuid()};
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(DAEMON_FD, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        errx(2, "file descriptor 3 is not the daemon's socket\n%s", usage);
    fcntl(DAEMON_FD, F_SETFD, FD_CLOEXEC);
    clock_init(&h.clock);
    load_image(&h, image);
    vm_host_probe_kvm(&h);
    enter_jail();
    return server_run(&h, DAEMON_FD);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--server") == 0)
        return serve(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--probe") == 0)
        return probe();
    fputs(usage, stderr);
    return 2;
}
