// SPDX-License-Identifier: BSD-3-Clause
/* tun.c -- TUN and TAP interfaces of our own: see tun.h */

#include "engine/os/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int tun_open(const char *want, bool tap, char name[IFNAMSIZ], struct diag *d)
{
    struct ifreq ifr = {.ifr_flags = (short)((tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI)};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return diag_err(d, "/dev/net/tun: %s", strerror(errno));
    if (strlen(want) >= sizeof ifr.ifr_name) {
        close(fd);
        return diag_err(d, "%s: interface name too long", want);
    }
    memcpy(ifr.ifr_name, want, strlen(want));
    if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
        diag_err(d, "/dev/net/tun: %s", strerror(errno));
        close(fd);
        return -1;
    }
    memcpy(name, ifr.ifr_name, IFNAMSIZ);
    return fd;
}

static void set_addr(struct sockaddr *sa, uint32_t addr)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = addr};

    memcpy(sa, &in, sizeof in);
}

static int set_addresses(int sock, struct ifreq *ifr, const struct tun_config *c,
                         struct diag *d)
{
    set_addr(&ifr->ifr_addr, c->addr);
    if (ioctl(sock, SIOCSIFADDR, ifr) < 0)
        return diag_err(d, "SIOCSIFADDR failed: %s", strerror(errno));
    set_addr(&ifr->ifr_netmask, c->mask); /* behind the address, which sets one */
    if (ioctl(sock, SIOCSIFNETMASK, ifr) < 0)
        return diag_err(d, "SIOCSIFNETMASK failed: %s", strerror(errno));
    return 0;
}

static int set_up(int sock, struct ifreq *ifr, struct diag *d)
{
    if (ioctl(sock, SIOCGIFFLAGS, ifr) < 0)
        return diag_err(d, "SIOCGIFFLAGS failed: %s", strerror(errno));
    ifr->ifr_flags |= IFF_UP | IFF_RUNNING;
    if (ioctl(sock, SIOCSIFFLAGS, ifr) < 0)
        return diag_err(d, "SIOCSIFFLAGS failed: %s", strerror(errno));
    return 0;
}

static int add_route(int sock, uint32_t gateway, struct diag *d)
{
    struct rtentry rt = {.rt_flags = RTF_UP | RTF_GATEWAY};

    set_addr(&rt.rt_dst, 0);
    set_addr(&rt.rt_genmask, 0);
    set_addr(&rt.rt_gateway, gateway);
    if (ioctl(sock, SIOCADDRT, &rt) < 0)
        return diag_err(d, "SIOCADDRT failed: %s", strerror(errno));
    return 0;
}

static int setup(int sock, const char *name, const struct tun_config *c, struct diag *d)
{
    struct ifreq ifr = {0};

    memcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    if (c->ether) {
        ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
        memcpy(ifr.ifr_hwaddr.sa_data, c->ether->b, 6);
        if (ioctl(sock, SIOCSIFHWADDR, &ifr) < 0)
            diag_warn(d, "could not set interface Ethernet address: %s",
                      strerror(errno));
    }
    if (c->addr && set_addresses(sock, &ifr, c, d) < 0)
        return -1;
    ifr.ifr_mtu = (int)c->mtu;
    if (c->mtu && ioctl(sock, SIOCSIFMTU, &ifr) < 0)
        diag_warn(d, "could not set interface MTU: %s", strerror(errno));
    if (c->addr && set_up(sock, &ifr, d) < 0)
        return -1;
    return c->gateway ? add_route(sock, c->gateway, d) : 0;
}

int tun_setup(const char *name, const struct tun_config *c, struct diag *d)
{
    int rc, sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0)
        return diag_err(d, "socket() failed: %s", strerror(errno));
    rc = setup(sock, name, c, d);
    close(sock);
    return rc;
}
