// SPDX-License-Identifier: BSD-3-Clause
/* packet_socket.c -- AF_PACKET sockets: see packet_socket.h */

#include "engine/os/packet_socket.h"

#include "engine/os/link_type.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SNAPLEN = 65535 };

static struct ifreq request(const char *name)
{
    struct ifreq r = {0};

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return r;
}

int packet_socket_open(const char *name, struct diag *d)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct ifreq r = request(name);
    const char *call = "socket";
    /* no protocol yet: nothing of other interfaces shall come in before bind() */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        call = "SIOCGIFINDEX";
        if (ioctl(fd, SIOCGIFINDEX, &r) == 0) {
            call = "bind";
            at.sll_ifindex = r.ifr_ifindex;
            if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0)
                return fd;
        }
    }
    diag_err(d, "%s: %s: %s", name, call, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

int packet_socket_promisc(int fd, const char *name, bool promisc)
{
    struct packet_mreq m = {.mr_type = promisc ? PACKET_MR_PROMISC : PACKET_MR_ALLMULTI,
                            .mr_ifindex = (int)if_nametoindex(name)};

    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m);
}

int packet_socket_link_type(int fd, const char *name)
{
    struct ifreq r = request(name);

    if (ioctl(fd, SIOCGIFHWADDR, &r) < 0)
        return -1;
    switch (r.ifr_hwaddr.sa_family) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
        return LINK_ETHER;
    case ARPHRD_NONE:
    case ARPHRD_TUNNEL:
    case ARPHRD_RAWIP:
        return LINK_RAW;
    case ARPHRD_IEEE80211:
        return LINK_802_11;
    case ARPHRD_IEEE80211_RADIOTAP:
        return LINK_802_11_RADIO;
    default:
        return -1;
    }
}

/* A function of the library, put into a pointer of whatever type. */
static bool symbol(void *library, const char *name, void *pointer)
{
    void *found = dlsym(library, name);

    memcpy(pointer, &found, sizeof found);
    return found != NULL;
}

static int attach(void *library, int fd, const char *name, const char *filter,
                  int link_type, struct diag *d)
{
    __typeof__(pcap_open_dead) *open_dead;
    __typeof__(pcap_compile) *compile;
    __typeof__(pcap_geterr) *geterr;
    __typeof__(pcap_freecode) *freecode;
    __typeof__(pcap_close) *close_dead;
    struct bpf_program code;
    struct sock_fprog program;
    pcap_t *pcap;
    int rc = 0;

    if (!symbol(library, "pcap_open_dead", &open_dead) ||
        !symbol(library, "pcap_compile", &compile) ||
        !symbol(library, "pcap_geterr", &geterr) ||
        !symbol(library, "pcap_freecode", &freecode) ||
        !symbol(library, "pcap_close", &close_dead))
        return diag_err(d, "libpcap is too old");
    pcap = open_dead(link_type == LINK_RAW ? LINK_HOST_RAW : link_type, SNAPLEN);
    if (!pcap)
        return diag_err(d, "out of memory");
    if (compile(pcap, &code, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        rc = diag_err(d, "%s: %s", name, geterr(pcap));
    } else {
        program = (struct sock_fprog){(unsigned short)code.bf_len,
                                      (struct sock_filter *)(void *)code.bf_insns};
        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
            rc = diag_err(d, "%s: SO_ATTACH_FILTER: %s", name, strerror(errno));
        freecode(&code);
    }
    close_dead(pcap);
    return rc;
}

int packet_socket_filter(int fd, const char *name, const char *filter, int link_type,
                         struct diag *d)
{
    void *library = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
    int rc;

    if (!library)
        library = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return diag_err(d, "%s", dlerror());
    rc = attach(library, fd, name, filter, link_type, d);
    dlclose(library);
    return rc;
}
