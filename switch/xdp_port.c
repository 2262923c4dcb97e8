// SPDX-License-Identifier: BSD-3-Clause
/*
 * xdp_port.c -- AF_XDP: an interface that is there already, past the kernel's network stack
 *
 * A program of five instructions on the interface sends what comes in on one queue to our
 * socket; what is on other queues goes on into the kernel (ethtool -L IF combined 1 makes
 * one queue of all). Drivers that can share their rings with us do, others copy. No library
 * is needed: the socket is four rings in mapped memory, and the program is short.
 *
 * The memory is cut into frames of 2 KiB, half for either way. What has come in stays where
 * it is until the receivers have copied it (xdp_rx_done()).
 *
 * The kernel neither finishes checksums nor cuts segments here. Behind a veth pair turn
 * that off at the other end: ethtool -K IF tx off.
 *
 * Trust: the other side of the rings is the kernel.
 */

#include "base/errtext.h"
#include "switch/netns.h"
#include "switch/port.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FRAME_SIZE = 2048,
    RING = 2048, /* entries of each ring, and frames of either way */
    MEMORY = 2 * RING * FRAME_SIZE,
    QUEUES = 64, /* of the interface, at most */
    KICKS = 128, /* the kernel sends some 32 packets a call */
    BIND_TRIES = 60,
    BIND_WAIT_US = 5000
};

/* One of the four: both indices are in shared memory. */
struct xdp_ring {
    void *map; /* owned */
    size_t size;
    _Atomic uint32_t *producer, *consumer; /* in map, as what follows */
    union {
        struct xdp_desc *descs; /* of rx and tx */
        uint64_t *addrs;        /* of fill and done */
    };
};

struct xdp_port {
    struct port port;
    const struct xdp_port_config *config; /* borrowed, while it is being made */
    uint8_t *memory;                      /* owned */
    struct xdp_ring fill, done, rx, tx;
    uint64_t taken[FRAME_BATCH]; /* what rx() gave out, until rx_done() */
    unsigned n_taken;
    uint64_t spare[RING]; /* frames to send with */
    unsigned n_spare;
    int map_fd, program_fd, link_fd, promisc_fd;
};

static struct xdp_port *of(struct port *p)
{
    return (struct xdp_port *)p;
}

/* ---- receiving -------------------------------------------------------------------- */

static void give_back(struct xdp_port *x, uint64_t addr)
{
    uint32_t at = atomic_load_explicit(x->fill.producer, memory_order_relaxed);

    x->fill.addrs[at % RING] = addr & ~(uint64_t)(FRAME_SIZE - 1);
    atomic_store_explicit(x->fill.producer, at + 1, memory_order_release);
}

static unsigned xdp_rx(struct port *p, struct worker *w, struct frame *frames,
                       unsigned max)
{
    struct xdp_port *x = of(p);
    uint32_t at = atomic_load_explicit(x->rx.consumer, memory_order_relaxed);
    uint32_t end = atomic_load_explicit(x->rx.producer, memory_order_acquire);
    unsigned n = 0;

    (void)w;
    for (; at != end && n < max && n < FRAME_BATCH; at++) {
        const struct xdp_desc *d = &x->rx.descs[at % RING];

        if (d->len < 14) {
            port_drop(p, DROP_RUNT, 1);
            give_back(x, d->addr);
            continue;
        }
        frames[n] = (struct frame){
            .data = x->memory + d->addr, .len = d->len, .total = d->len, .parts = 1};
        x->taken[n++] = d->addr;
    }
    x->n_taken = n;
    atomic_store_explicit(x->rx.consumer, at, memory_order_release);
    return n;
}

static void xdp_rx_done(struct port *p)
{
    struct xdp_port *x = of(p);

    for (unsigned i = 0; i < x->n_taken; i++)
        give_back(x, x->taken[i]);
    x->n_taken = 0;
}

/* ---- sending ---------------------------------------------------------------------- */

static void reclaim(struct xdp_port *x)
{
    uint32_t at = atomic_load_explicit(x->done.consumer, memory_order_relaxed);
    uint32_t end = atomic_load_explicit(x->done.producer, memory_order_acquire);

    for (; at != end; at++)
        x->spare[x->n_spare++] = x->done.addrs[at % RING];
    atomic_store_explicit(x->done.consumer, at, memory_order_release);
}

static void kick(struct port *p)
{
    struct xdp_port *x = of(p);

    for (int i = 0; i < KICKS; i++) {
        if (atomic_load(x->tx.consumer) == atomic_load(x->tx.producer))
            return;
        if (sendto(p->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) == 0 || errno == EAGAIN)
            continue;
        if (errno == ENXIO || errno == EBADF)
            port_report(p, EVENT_PORT_DOWN, "interface '%s': %s", p->device,
                        strerror(errno));
        return; /* down or busy: the next packet tries again */
    }
}

/* Into a frame of ours; false when it was dropped. */
static bool put(struct xdp_port *x, const struct frame *f, uint32_t slot)
{
    uint64_t addr;

    if (f->total > FRAME_SIZE) {
        port_drop(&x->port, DROP_TOO_LONG, 1);
        return false;
    }
    if (x->n_spare == 0) {
        port_drop(&x->port, DROP_FULL, 1);
        return false;
    }
    addr = x->spare[--x->n_spare];
    frame_gather(x->memory + addr, f);
    if (f->flags & NETMEM_CSUM)
        frame_finish_checksum(x->memory + addr, f);
    x->tx.descs[slot % RING] = (struct xdp_desc){.addr = addr, .len = f->total};
    count_add(&x->port.count.out_packets, 1);
    count_add(&x->port.count.out_bytes, f->total);
    return true;
}

static void xdp_tx(struct port *p, struct worker *w, const struct frame *frames,
                   const uint16_t *list, unsigned n)
{
    struct xdp_port *x = of(p);
    uint32_t at = atomic_load_explicit(x->tx.producer, memory_order_relaxed);

    reclaim(x);
    if (x->n_spare < n) { /* what waits to be sent has all of them */
        kick(p);
        reclaim(x);
    }
    for (unsigned i = 0; i < n; i++)
        at += put(x, &frames[list[i]], at);
    atomic_store_explicit(x->tx.producer, at, memory_order_release);
    worker_owe_wake(w, p);
}

/* ---- making ------------------------------------------------------------------------ */

static int bpf(int cmd, union bpf_attr *a)
{
    return (int)syscall(SYS_bpf, cmd, a, sizeof *a);
}

static void ring_fini(struct xdp_ring *r)
{
    if (r->map)
        munmap(r->map, r->size);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void xdp_free(struct port *p)
{
    struct xdp_port *x = of(p);

    close_fd(x->link_fd); /* takes the program off the interface */
    close_fd(x->program_fd);
    close_fd(x->map_fd);
    close_fd(x->promisc_fd);
    close_fd(p->fd);
    ring_fini(&x->fill);
    ring_fini(&x->done);
    ring_fini(&x->rx);
    ring_fini(&x->tx);
    if (x->memory)
        munmap(x->memory, MEMORY);
    free(x);
}

static const struct port_ops xdp_ops = {
    .kind = PORT_XDP,
    .rx = xdp_rx,
    .rx_done = xdp_rx_done,
    .tx = xdp_tx,
    .wake = kick,
    .free = xdp_free,
};

static int ring_init(struct xdp_ring *r, int fd, const struct xdp_ring_offset *o,
                     uint64_t offset, size_t entry)
{
    r->size = o->desc + RING * entry;
    r->map = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                  (off_t)offset);
    if (r->map == MAP_FAILED) {
        r->map = NULL;
        return -1;
    }
    r->producer = (void *)((char *)r->map + o->producer);
    r->consumer = (void *)((char *)r->map + o->consumer);
    r->descs = (void *)((char *)r->map + o->desc);
    return 0;
}

static int make_rings(struct xdp_port *x)
{
    static const int options[] = {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING,
                                  XDP_RX_RING, XDP_TX_RING};
    struct xdp_umem_reg reg = {
        .addr = (uintptr_t)x->memory, .len = MEMORY, .chunk_size = FRAME_SIZE};
    struct xdp_mmap_offsets o;
    socklen_t len = sizeof o;
    int fd = x->port.fd, entries = RING;

    if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof reg) < 0)
        return -1;
    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++)
        if (setsockopt(fd, SOL_XDP, options[i], &entries, sizeof entries) < 0)
            return -1;
    if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &o, &len) < 0)
        return -1;
    if (ring_init(&x->fill, fd, &o.fr, XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t)) <
            0 ||
        ring_init(&x->done, fd, &o.cr, XDP_UMEM_PGOFF_COMPLETION_RING,
                  sizeof(uint64_t)) < 0 ||
        ring_init(&x->rx, fd, &o.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc)) < 0 ||
        ring_init(&x->tx, fd, &o.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc)) < 0)
        return -1;
    for (uint64_t i = 0; i < RING; i++) {
        give_back(x, i * FRAME_SIZE);
        x->spare[x->n_spare++] = (RING + i) * FRAME_SIZE;
    }
    return 0;
}

/* return bpf_redirect_map(&map, ctx->rx_queue_index, XDP_PASS); */
static int load_program(struct xdp_port *x)
{
    const struct bpf_insn code[] = {
        {.code = BPF_LDX | BPF_W | BPF_MEM,
         .dst_reg = 2,
         .src_reg = 1,
         .off = offsetof(struct xdp_md, rx_queue_index)},
        {.code = BPF_LD | BPF_DW | BPF_IMM,
         .dst_reg = 1,
         .src_reg = BPF_PSEUDO_MAP_FD,
         .imm = x->map_fd},
        {.code = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr a;

    memset(&a, 0, sizeof a);
    a.prog_type = BPF_PROG_TYPE_XDP;
    a.insn_cnt = sizeof code / sizeof code[0];
    a.insns = (uintptr_t)code;
    a.license = (uintptr_t) "BSD";
    a.expected_attach_type = BPF_XDP;
    x->program_fd = bpf(BPF_PROG_LOAD, &a);
    return x->program_fd < 0 ? -1 : 0;
}

/* The map first, so that nothing is redirected to nowhere. */
static int attach_program(struct xdp_port *x, uint32_t ifindex)
{
    uint32_t queue = x->config->queue, fd = (uint32_t)x->port.fd;
    union bpf_attr map, set, link;

    memset(&map, 0, sizeof map);
    map.map_type = BPF_MAP_TYPE_XSKMAP;
    map.key_size = map.value_size = sizeof queue;
    map.max_entries = QUEUES;
    x->map_fd = bpf(BPF_MAP_CREATE, &map);
    if (x->map_fd < 0)
        return -1;
    memset(&set, 0, sizeof set);
    set.map_fd = (uint32_t)x->map_fd;
    set.key = (uintptr_t)&queue;
    set.value = (uintptr_t)&fd;
    if (bpf(BPF_MAP_UPDATE_ELEM, &set) < 0 || load_program(x) < 0)
        return -1;
    memset(&link, 0, sizeof link);
    link.link_create.prog_fd = (uint32_t)x->program_fd;
    link.link_create.target_ifindex = ifindex;
    link.link_create.attach_type = BPF_XDP;
    x->link_fd = bpf(BPF_LINK_CREATE, &link);
    return x->link_fd < 0 ? -1 : 0;
}

/* For packets that are for the VMs, not for the interface's own address. */
static int set_promiscuous(struct xdp_port *x, int ifindex)
{
    struct packet_mreq m = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};

    x->promisc_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (x->promisc_fd < 0)
        return -1;
    return setsockopt(x->promisc_fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m);
}

static int open_socket(struct xdp_port *x, struct diag *d)
{
    x->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    if (x->memory == MAP_FAILED) {
        x->memory = NULL;
        return diag_err(d, "out of memory");
    }
    x->port.fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (x->port.fd < 0)
        return diag_err(d, "cannot open an AF_XDP socket: %s", errtext(errno));
    if (make_rings(x) < 0)
        return diag_err(d, "cannot make AF_XDP rings: %s", errtext(errno));
    return 0;
}

/* A daemon that was killed holds the queue for some milliseconds more. */
static int bind_patiently(int fd, const struct sockaddr_xdp *to)
{
    for (int i = 0; i < BIND_TRIES; i++) {
        if (bind(fd, (const struct sockaddr *)to, sizeof *to) == 0)
            return 0;
        if (errno != EBUSY)
            return -1;
        usleep(BIND_WAIT_US);
    }
    errno = EBUSY;
    return -1;
}

/* Runs in the namespace of the interface. */
static int xdp_open(void *ctx, struct diag *d)
{
    struct xdp_port *x = ctx;
    const char *name = x->config->ifname;
    struct sockaddr_xdp to = {.sxdp_family = AF_XDP,
                              .sxdp_flags = XDP_USE_NEED_WAKEUP,
                              .sxdp_queue_id = x->config->queue};

    if (!name || !*name)
        return diag_err(d, "an AF_XDP port needs the name of an interface");
    if (x->config->queue >= QUEUES)
        return diag_err(d, "queue %u is above %d", x->config->queue, QUEUES - 1);
    to.sxdp_ifindex = if_nametoindex(name);
    if (to.sxdp_ifindex == 0)
        return diag_err(d, "there is no interface '%s'", name);
    snprintf(x->port.device, sizeof x->port.device, "%s", name);
    if (open_socket(x, d) < 0)
        return -1;
    if (bind_patiently(x->port.fd, &to) < 0)
        return diag_err(d, "cannot bind to queue %u of '%s': %s", x->config->queue,
                        name, strerror(errno));
    if (attach_program(x, to.sxdp_ifindex) < 0)
        return diag_err(d, "cannot put a program on '%s': %s", name, strerror(errno));
    if (set_promiscuous(x, (int)to.sxdp_ifindex) < 0)
        return diag_err(d, "cannot make '%s' promiscuous: %s", name, strerror(errno));
    return 0;
}

struct port *xdp_port_new(const struct xdp_port_config *c, struct diag *d)
{
    struct xdp_port *x = calloc(1, sizeof *x);

    if (!x) {
        diag_err(d, "out of memory");
        return NULL;
    }
    x->port.ops = &xdp_ops;
    x->port.fd = x->map_fd = x->program_fd = x->link_fd = x->promisc_fd = -1;
    x->config = c;
    if (netns_run(c->netns, c->netns_fd, xdp_open, x, d) < 0) {
        xdp_free(&x->port);
        return NULL;
    }
    x->config = NULL;
    return &x->port;
}
