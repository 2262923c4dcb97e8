// SPDX-License-Identifier: BSD-3-Clause
/*
 * host_names.c -- what names mean on this host: interfaces and services
 *
 * An interface's name can stand for its addresses: ARPQuerier(eth0). The list of the
 * interfaces is kept for a while, since every word that has no other meaning is looked up
 * in it.
 */

#include "driver/host.h"

#include "engine/nameinfo.h"
#include "engine/parse.h"

#include <ifaddrs.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KEEP_S = 30, ROUTE_LINE_MAX = 512 };

static const struct ifaddrs *interfaces(struct host *h)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!h->interfaces || now.tv_sec - h->interfaces_s > KEEP_S) {
        host_forget_names(h);
        if (getifaddrs(&h->interfaces) < 0)
            h->interfaces = NULL;
        h->interfaces_s = now.tv_sec;
    }
    return h->interfaces;
}

void host_forget_names(struct host *h)
{
    if (h->interfaces)
        freeifaddrs(h->interfaces);
    h->interfaces = NULL;
}

static uint32_t ip_of(const struct sockaddr *a)
{
    struct sockaddr_in in;

    memcpy(&in, a, sizeof in);
    return in.sin_addr.s_addr;
}

static bool ether_of(const struct sockaddr *a, struct ether_addr *out)
{
    struct sockaddr_ll ll;

    memcpy(&ll, a, sizeof ll);
    if ((ll.sll_hatype != ARPHRD_ETHER && ll.sll_hatype != ARPHRD_IEEE80211) ||
        ll.sll_halen != sizeof out->b)
        return false;
    memcpy(out->b, ll.sll_addr, sizeof out->b);
    return true;
}

/* The address of that kind that `i` has, if it has one. */
static bool address_of(const struct ifaddrs *i, unsigned kind, void *value, size_t size)
{
    sa_family_t family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;
    struct ip_prefix net;

    if (kind == NAME_ETHER)
        return family == AF_PACKET && size == sizeof(struct ether_addr) &&
               ether_of(i->ifa_addr, value);
    if (family != AF_INET)
        return false;
    net.addr = ip_of(i->ifa_addr);
    if (kind == NAME_IP && size == sizeof net.addr) {
        memcpy(value, &net.addr, size);
        return true;
    }
    if (kind != NAME_IP_PREFIX || size != sizeof net || !i->ifa_netmask)
        return false;
    net.mask = ip_of(i->ifa_netmask);
    memcpy(value, &net, size);
    return true;
}

static bool interface_address(struct host *h, unsigned kind, const char *name,
                              void *value, size_t size)
{
    for (const struct ifaddrs *i = interfaces(h); i; i = i->ifa_next)
        if (strcmp(i->ifa_name, name) == 0 && address_of(i, kind, value, size))
            return true;
    return false;
}

/* The gateway of the default route over that interface. */
static bool interface_gateway(const char *name, void *value, size_t size)
{
    FILE *f = fopen("/proc/net/route", "r");
    char line[ROUTE_LINE_MAX], interface[64];
    unsigned net, gateway, flags, mask;
    bool found = false;

    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f))
        found = sscanf(line, "%63s %x %x %x %*d %*d %*d %x", interface, &net, &gateway,
                       &flags, &mask) == 5 &&
                !net && !mask && gateway && strcmp(interface, name) == 0;
    fclose(f);
    if (!found || size != sizeof gateway)
        return false;
    memcpy(value, &gateway, size); /* the file has it as it lies in memory */
    return true;
}

static bool service_port(unsigned protocol, const char *name, void *value, size_t size)
{
    const struct servent *s = getservbyname(name,
                                            protocol == IPPROTO_TCP ? "tcp" : "udp");
    uint32_t port;

    if (!s || size != sizeof port)
        return false;
    port = ntohs((uint16_t)s->s_port);
    memcpy(value, &port, size);
    return true;
}

bool host_find_name(void *ctx, unsigned kind, const char *name, void *value,
                    size_t size)
{
    switch (kind) {
    case NAME_IP:
    case NAME_IP_PREFIX:
    case NAME_ETHER:
        return interface_address(ctx, kind, name, value, size);
    case NAME_IP_GATEWAY:
        return interface_gateway(name, value, size);
    case NAME_PORT + IPPROTO_TCP:
    case NAME_PORT + IPPROTO_UDP:
        return service_port(kind - NAME_PORT, name, value, size);
    }
    return false;
}
