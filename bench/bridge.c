// SPDX-License-Identifier: BSD-3-Clause
/* bridge.c -- a Linux bridge between veth pairs: see bridge.h */

#include "bench/bridge.h"

#include "switch/netns.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MAX_SIZE = 1900 };

static bool run(const char *fmt, const char *a, const char *b)
{
    char command[256];

    snprintf(command, sizeof command, fmt, a, b);
    return system(command) == 0;
}

/* A namespace whose e0 is joined to the bridge, there called like the address's tail. */
static bool add_side(const char *ns, const char *number)
{
    return run("ip netns add %s", ns, "") &&
           run("ip -n %s link add e0 type veth peer name p%s", ns, number) &&
           run("ip -n %s addr add 10.99.0.%s/24 dev e0", ns, number) &&
           run("ip -n %s link set e0 up", ns, "");
}

static bool join_side(struct bridge *b, const char *ns, const char *port)
{
    char move[64];

    snprintf(move, sizeof move, "%s netns %s", port, b->middle);
    return run("ip -n %s link set %s", ns, move) &&
           run("ip -n %s link set %s master br0 up", b->middle, port);
}

bool bridge_open(struct bridge *b)
{
    int pid = (int)getpid();

    snprintf(b->left, sizeof b->left, "cosb-l%d", pid);
    snprintf(b->right, sizeof b->right, "cosb-r%d", pid);
    snprintf(b->middle, sizeof b->middle, "cosb-m%d", pid);
    if (geteuid() == 0 && run("ip netns add %s 2>/dev/null", b->middle, "") &&
        run("ip -n %s link add br0 type bridge 2>/dev/null", b->middle, "") &&
        run("ip -n %s link set br0 up", b->middle, "") && add_side(b->left, "1") &&
        add_side(b->right, "2") && join_side(b, b->left, "p1") &&
        join_side(b, b->right, "p2") &&
        /* It takes the links a moment to carry anything. */
        run("ip netns exec %s ping -q -c 3 -i 0.2 -W 2 10.99.0.2 >/dev/null", b->left,
            ""))
        return true;
    fprintf(stderr, "SKIP bridge: cannot make network namespaces with veth pairs\n");
    bridge_close(b);
    return false;
}

void bridge_close(struct bridge *b)
{
    run("ip netns del %s 2>/dev/null", b->left, "");
    run("ip netns del %s 2>/dev/null", b->right, "");
    run("ip netns del %s 2>/dev/null", b->middle, "");
}

/* ---- traffic ---------------------------------------------------------------------- */

struct traffic {
    uint32_t size;
    double pps, seconds;
    uint64_t received;
};

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Received packets of e0, in the namespace of the thread. */
static int read_received(void *ctx, struct diag *d)
{
    struct traffic *t = ctx;
    FILE *f = fopen("/proc/thread-self/net/dev", "r");
    char line[512];

    if (!f)
        return diag_err(d, "cannot read /proc/thread-self/net/dev");
    while (fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        unsigned long long bytes, packets;

        if (colon && colon - line >= 2 && memcmp(colon - 2, "e0", 2) == 0 &&
            sscanf(colon + 1, "%llu %llu", &bytes, &packets) == 2)
            t->received = packets;
    }
    fclose(f);
    return 0;
}

static int open_socket(struct diag *d)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = 0, /* receive nothing */
                            .sll_ifindex = (int)if_nametoindex("e0")};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        if (fd >= 0)
            close(fd);
        return diag_err(d, "cannot open an AF_PACKET socket");
    }
    /* Straight to the device, as a generator does; slower without, but right. */
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    return fd;
}

static int send_traffic(void *ctx, struct diag *d)
{
    struct traffic *t = ctx;
    static uint8_t frame[MAX_SIZE] = {
        2,    0xbb, 0, 0, 0, 2,    2,
        0xbb, 0,    0, 0, 1, 0x88, 0xb5}; /* an EtherType for experiments */
    struct iovec v = {frame, t->size};
    struct mmsghdr m[BATCH];
    double start = now_s();
    uint64_t sent = 0;
    int fd = open_socket(d);

    if (fd < 0)
        return -1;
    for (int i = 0; i < BATCH; i++)
        m[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    while (now_s() < start + t->seconds) {
        int n;

        if (t->pps > 0 && (double)sent > (now_s() - start) * t->pps) {
            usleep(100);
            continue;
        }
        n = sendmmsg(fd, m, BATCH, 0);
        sent += n > 0 ? (uint64_t)n : 0;
    }
    close(fd);
    return 0;
}

double bridge_mpps(struct bridge *b, uint32_t size, double pps, double seconds)
{
    struct traffic t = {
        .size = size <= MAX_SIZE ? size : MAX_SIZE, .pps = pps, .seconds = seconds};
    struct diag d = DIAG_INIT;
    uint64_t before;
    double mpps = 0;

    if (netns_run(b->right, 0, read_received, &t, &d) == 0) {
        before = t.received;
        if (netns_run(b->left, 0, send_traffic, &t, &d) == 0 &&
            netns_run(b->right, 0, read_received, &t, &d) == 0)
            mpps = (double)(t.received - before) / seconds / 1e6;
    }
    if (d.n_messages)
        fprintf(stderr, "bridge: %s\n", diag_text(&d));
    diag_fini(&d);
    return mpps;
}
