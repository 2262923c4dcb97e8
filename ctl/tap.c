// SPDX-License-Identifier: BSD-3-Clause
/* tap.c -- tap devices that outlive the daemon: see tap.h */

#include "ctl/tap.h"

#include "base/errtext.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Enter a namespace; returns a descriptor of the old one for netns_leave(), or -1. With
 * no name there is nothing to enter and the result is -2. */
static int netns_enter(const char *netns, struct diag *d)
{
    char path[256];
    int old, fd;

    if (!netns)
        return -2;
    snprintf(path, sizeof path, strchr(netns, '/') ? "%s" : "/run/netns/%s", netns);
    old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        diag_err(d, "there is no network namespace '%s': %s", netns, strerror(errno));
    else if (fd < 0 || old < 0 || setns(fd, CLONE_NEWNET) < 0)
        diag_err(d, "cannot enter network namespace '%s': %s", netns, errtext(errno));
    else {
        close(fd);
        return old;
    }
    if (fd >= 0)
        close(fd);
    if (old >= 0)
        close(old);
    return -1;
}

static void netns_leave(int old)
{
    if (old < 0)
        return;
    /* Coming home cannot fail: the descriptor is good and so are the privileges. */
    if (setns(old, CLONE_NEWNET) < 0)
        _exit(1);
    close(old);
}

static int open_tap(const char *ifname, struct ifreq *r)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    *r = (struct ifreq){.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    snprintf(r->ifr_name, sizeof r->ifr_name, "%s", ifname);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, r) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int set_persistent(const char *ifname, int on)
{
    struct ifreq r;
    int fd = open_tap(ifname, &r), rc, saved;

    if (fd < 0)
        return -1;
    rc = ioctl(fd, TUNSETPERSIST, on);
    saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

static int explain(const char *ifname, struct diag *d)
{
    if (errno == EPERM || errno == EACCES)
        return diag_err(d,
                        "no permission to make the network device %s: clickosd needs "
                        "CAP_NET_ADMIN",
                        ifname);
    if (errno == ENOENT || errno == ENODEV)
        return diag_err(d,
                        "cannot make the network device %s: /dev/net/tun is not "
                        "there: modprobe tun",
                        ifname);
    return diag_err(d, "cannot make the network device %s: %s", ifname, errtext(errno));
}

static void write_setting(const char *family, const char *ifname, const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", family, ifname, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "0", 1) < 0) {
        /* As with a kernel before 5.16: addresses are asked for again. */
    }
    close(fd);
}

/* A tap that nobody has open has no carrier, and the kernel then forgets its neighbours:
 * after a restart of the daemon it would have to ask for them first, and it repeats a
 * question that was lost after a second only. They are still there: let it keep them. */
static void keep_neighbours(const char *ifname)
{
    write_setting("ipv4", ifname, "arp_evict_nocarrier");
    write_setting("ipv6", ifname, "ndisc_evict_nocarrier");
}

int tap_make(const char *ifname, const char *netns, bool *made, struct diag *d)
{
    int old, rc = 0;

    *made = false;
    if (!*ifname || strlen(ifname) >= IFNAMSIZ)
        return diag_err(d,
                        "'%s' is no name of a network device: at most %d characters; "
                        "give another with ifname=NAME",
                        ifname, IFNAMSIZ - 1);
    old = netns_enter(netns, d);
    if (old == -1)
        return -1;
    if (!if_nametoindex(ifname)) {
        rc = set_persistent(ifname, 1) < 0 ? explain(ifname, d) : 0;
        *made = rc == 0;
        if (*made)
            keep_neighbours(ifname);
    }
    netns_leave(old);
    return rc;
}

void tap_remove(const char *ifname, const char *netns)
{
    int old = netns_enter(netns, NULL);

    if (old == -1) /* the namespace is gone, and its devices with it */
        return;
    if (if_nametoindex(ifname))
        set_persistent(ifname, 0);
    netns_leave(old);
}
