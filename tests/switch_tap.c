// SPDX-License-Identifier: BSD-3-Clause
/*
 * switch_tap.c -- a backplane from the command line, for system tests
 *
 *     switch_tap net|wire KIND:IFNAME[@NETNS] ... [vm] [limit=BPS]
 *
 * Makes one network with the ports, in the order given; KIND is tap, plain (a TAP without
 * offloads) or packet. `vm` adds a port of a guest that echoes nothing but keeps segments
 * from being passed on. Prints "ready", then waits for its standard input to end; prints
 * the counters of each port and how much processor time its threads used in the last
 * second of idleness when told "idle".
 */

#include "switch/backplane.h"
#include "tests/fake_guest.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct diag d;
static uint64_t limit_bps;

static void fail(void)
{
    errx(1, "%s", diag_text(&d));
}

static void add(struct backplane *bp, uint32_t net, char *spec)
{
    char *ifname = strchr(spec, ':'), *netns;
    struct port_config c = {.name = spec, .network = net};
    uint32_t id;

    if (!ifname)
        errx(2, "%s: not KIND:IFNAME[@NETNS]", spec);
    *ifname++ = 0;
    netns = strchr(ifname, '@');
    if (netns)
        *netns++ = 0;
    c.name = ifname;
    c.settings.in.bps = limit_bps;
    if (strcmp(spec, "packet") == 0) {
        c.kind = PORT_PACKET;
        c.packet = (struct packet_port_config){.ifname = ifname, .netns = netns};
    } else {
        c.kind = PORT_TAP;
        c.tap = (struct tap_port_config){
            .ifname = ifname, .netns = netns, .no_offload = strcmp(spec, "plain") == 0};
    }
    if (backplane_add_port(bp, &c, &id, &d) < 0)
        fail();
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void print_idle(void)
{
    double before = cpu_seconds();

    sleep(1);
    printf("idle %.4f\n", cpu_seconds() - before);
    fflush(stdout);
}

static void print_ports(struct backplane *bp)
{
    uint32_t ids[64];
    size_t n = backplane_list_ports(bp, 0, ids, 64);

    for (size_t i = 0; i < n && i < 64; i++) {
        struct port_info info;
        struct port_stats s;

        if (!backplane_port_info(bp, ids[i], &info) ||
            !backplane_port_stats(bp, ids[i], &s))
            continue;
        printf("%s %s in %llu %llu out %llu %llu", info.name,
               backplane_state_name(info.state), (unsigned long long)s.in_packets,
               (unsigned long long)s.in_bytes, (unsigned long long)s.out_packets,
               (unsigned long long)s.out_bytes);
        for (int r = 0; r < DROP_REASONS; r++)
            if (s.drops[r])
                printf(" %s %llu", backplane_drop_name((enum drop_reason)r),
                       (unsigned long long)s.drops[r]);
        putchar('\n');
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct backplane *bp = backplane_new(NULL, &d);
    struct network_config c = {.name = "net"};
    struct fake_guest *guest = NULL;
    char line[80];
    uint32_t net;

    if (argc < 2)
        errx(2, "usage: switch_tap net|wire KIND:IFNAME[@NETNS]... [vm] [limit=BPS]");
    c.mode = strcmp(argv[1], "wire") == 0 ? NETWORK_WIRE : NETWORK_LEARN;
    if (!bp || backplane_add_network(bp, &c, &net, &d) < 0 ||
        backplane_start(bp, &d) < 0)
        fail();
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "limit=", 6) == 0) {
            limit_bps = strtoull(argv[i] + 6, NULL, 10);
        } else if (strcmp(argv[i], "vm") == 0) {
            guest = fake_guest_new(1);
            if (!guest || !fake_guest_attach(guest, 0, bp, net, "vm"))
                errx(1, "cannot attach a guest");
        } else {
            add(bp, net, argv[i]);
        }
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "idle\n") == 0)
            print_idle();
        else
            print_ports(bp);
    }
    backplane_free(bp);
    fake_guest_free(guest);
    diag_fini(&d);
    return 0;
}
