// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromDevice -- packets from a network device of the system
 *
 * Usage:    FromDevice(DEVNAME [, PROMISC, SNAPLEN, SNIFFER, FORCE_IP, BPF_FILTER, ...])
 * Ports:    0 in, 1-2 out; push
 * Args:     DEVNAME    name of the device, or tap:NAME for a TAP interface of our own
 *           PROMISC    default false: receive what is meant for others, too
 *           SNAPLEN    14 to 8190, default 2046: bytes of a packet that are received
 *           SNIFFER    default true: the kernel handles the packets, too; false: it is kept
 *                      from it with iptables, as by KernelFilter
 *           FORCE_IP   default false: emit IP packets only, with their network header set;
 *                      others go to output 1 or are dropped
 *           METHOD     PCAP or LINUX, default PCAP (see below)
 *           BPF_FILTER  packets that are received, as tcpdump describes them
 *           OUTBOUND   default false: emit what the system sends by the device, too
 *           HEADROOM   room before the data, default 130
 *           ENCAP      what packets begin with, instead of what the device says
 *           BURST      default 1: packets read at a time
 *           TIMESTAMP  default true: packets get the time at which the kernel got them
 *           CAPTURE    another name of METHOD
 *           ACTIVE     accepted for configurations of virtual machines
 * Counters: none
 * Handlers: count      (read) packets received
 *           reset_counts  (write) set count to 0
 *           kernel_drops  (read) packets that the kernel had no room for, ?? if that is not
 *                      known
 *           encap      (read) what packets begin with: ETHER, IP, ...
 * Example:  FromDevice(eth0, PROMISC true) -> Print -> Discard;
 * See also: ToDevice, FromDump, KernelFilter, FromNetfront
 *
 * Packets have their MAC header pointer, packet type, timestamp and extra length set. Both
 * methods read from a packet socket; PCAP also has filters and counts what the kernel drops.
 * Needs the right to open packet sockets.
 * In a virtual machine FromDevice is another name of FromNetfront.
 */

#include "engine/element.h"
#include "engine/host.h"
#include "engine/netdev.h"
#include "engine/os/kernel_filter.h"
#include "engine/os/link_type.h"
#include "engine/os/packet_socket.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LEN_MIN = 14, LEN_MAX = 8190 };

struct from_device {
    struct text name, method, filter, encap;
    uint32_t snaplen, headroom;
    int32_t burst;
    bool promisc, sniffer, force_ip, outbound, timestamp, ignored;

    struct packet_device device;
    struct netdev *tap; /* netdev_put() in cleanup; NULL: it is a packet socket */
    bool filtered;      /* the kernel filter is there */
    int link_type;
    uint64_t count, kernel_drops;
    struct task task; /* asks a TAP interface */
};

static const struct arg_spec from_device_args[] = {
    ARG_STRING(from_device, name, "DEVNAME", ARG_M, NULL, "device"),
    ARG_BOOL(from_device, promisc, "PROMISC", ARG_POS, "false", "receive all"),
    ARG_U32(from_device, snaplen, "SNAPLEN", ARG_POS, "2046", "bytes of a packet"),
    ARG_BOOL(from_device, sniffer, "SNIFFER", 0, "true", "the kernel has them, too"),
    ARG_BOOL(from_device, force_ip, "FORCE_IP", 0, "false", "IP packets only"),
    ARG_WORD(from_device, method, "METHOD", 0, NULL, "PCAP or LINUX"),
    ARG_WORD(from_device, method, "CAPTURE", ARG_OLD, NULL, "old name of METHOD"),
    ARG_STRING(from_device, filter, "BPF_FILTER", 0, NULL, "what is received"),
    ARG_BOOL(from_device, outbound, "OUTBOUND", 0, "false", "what is sent, too"),
    ARG_U32(from_device, headroom, "HEADROOM", 0, "130", "room before the data"),
    ARG_WORD(from_device, encap, "ENCAP", 0, NULL, "what packets begin with"),
    ARG_I32(from_device, burst, "BURST", 0, "1", "packets at a time"),
    ARG_BOOL(from_device, timestamp, "TIMESTAMP", 0, "true", "set timestamps"),
    ARG_BOOL(from_device, ignored, "ACTIVE", ARG_OLD, "true", "accepted"),
    ARG_END,
};

static int from_device_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_device *f = element_state(e);

    f->device = (struct packet_device){.name = f->name.s, .fd = -1};
    if (f->snaplen < LEN_MIN || f->snaplen > LEN_MAX)
        return diag_err(d, "SNAPLEN out of range");
    if (f->headroom > LEN_MAX)
        return diag_err(d, "HEADROOM out of range");
    if (f->burst <= 0)
        return diag_err(d, "BURST out of range");
    if (f->burst > BATCH_MAX)
        f->burst = BATCH_MAX;
    f->link_type = f->encap.len ? link_type_parse(f->encap.s) : -1;
    if (f->encap.len && f->link_type < 0)
        return diag_err(d, "bad encapsulation type");
    f->device.method_linux = f->method.len && !strcmp(f->method.s, "LINUX");
    if (f->method.len && !f->device.method_linux && strcmp(f->method.s, "PCAP") != 0)
        return diag_err(d, "bad METHOD");
    if (f->filter.len && f->device.method_linux)
        diag_warn(d, "not using METHOD PCAP, BPF filter ignored");
    return 0;
}

/* --- packets ---------------------------------------------------------------------------- */

static void emit(struct element *e, struct pkt *p)
{
    struct from_device *f = element_state(e);

    p->mac = p->data;
    f->count++;
    if (!f->force_ip || link_type_force_ip(p, f->link_type))
        out_push_one(e, 0, p);
    else if (e->n_out > 1)
        out_push_one(e, 1, p);
    else
        pkt_free(p);
}

static int64_t arrival(struct element *e, int fd)
{
    struct timeval at;

    if (ioctl(fd, SIOCGSTAMP, &at) < 0)
        return element_wall_now(e);
    return (int64_t)at.tv_sec * 1000000000 + (int64_t)at.tv_usec * 1000;
}

/* Receive one packet; false when there is none. */
static bool receive(struct element *e)
{
    struct from_device *f = element_state(e);
    struct pkt *p = pkt_new(element_pool(e), f->headroom, NULL, f->snaplen, 0);
    struct sockaddr_ll from = {.sll_pkttype = PKT_HOST};
    socklen_t from_len = sizeof from;
    ssize_t len;

    if (!p)
        return false;
    len = recvfrom(f->device.fd, p->data, p->len, MSG_TRUNC, (struct sockaddr *)&from,
                   &from_len);
    if (len <= 0 || (from.sll_pkttype == PACKET_OUTGOING && !f->outbound)) {
        pkt_free(p);
        if (len < 0 && errno != EAGAIN && errno != EINTR)
            element_say(e, "FromDevice(%s): recvfrom: %s\n", f->name.s,
                        strerror(errno));
        return len > 0;
    }
    if ((size_t)len > f->snaplen)
        p->anno_u32[ANNO_EXTRA_LENGTH / 4] = (uint32_t)len - f->snaplen;
    else
        pkt_take(p, f->snaplen - (uint32_t)len);
    p->type = from.sll_pkttype;
    if (f->timestamp)
        p->timestamp = arrival(e, f->device.fd);
    emit(e, p);
    return true;
}

static void from_device_ready(void *arg, int fd, short revents)
{
    struct element *e = arg;
    const struct from_device *f = element_state(e);

    for (int i = 0; i < f->burst && receive(e); i++)
        ;
}

/* A TAP interface belongs to the whole program and says nothing: ask it. */
static bool from_device_run(struct element *e, struct task *t)
{
    struct from_device *f = element_state(e);
    int64_t now = f->timestamp ? element_coarse_wall_now(e) : 0;
    struct batch b;
    uint32_t n;

    b.n = 0;
    n = f->tap->ops->rx(f->tap->dev, &b, (uint32_t)f->burst);
    task_reschedule(t);
    for (uint32_t i = 0; i < n; i++) {
        b.p[i]->timestamp = now;
        emit(e, b.p[i]);
    }
    return n > 0;
}

/* --- life ------------------------------------------------------------------------------- */

static int open_tap(struct element *e, struct diag *d)
{
    struct from_device *f = element_state(e);

    f->tap = netdev_get(e, f->name.s, d);
    if (!f->tap)
        return -1;
    f->link_type = LINK_ETHER;
    task_init(&f->task, e, from_device_run);
    task_schedule(&f->task);
    return 0;
}

static int open_socket(struct element *e, struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct from_device *f = element_state(e);
    int fd = f->device.fd = packet_socket_open(f->name.s, d);

    if (fd < 0)
        return -1;
    if (packet_socket_promisc(fd, f->name.s, f->promisc) < 0 && f->promisc)
        diag_warn(d, "cannot set promiscuous mode");
    if (f->device.method_linux)
        f->link_type = LINK_ETHER;
    else if (f->link_type < 0)
        f->link_type = packet_socket_link_type(fd, f->name.s);
    if (f->filter.len && !f->device.method_linux) {
        if (packet_socket_filter(fd, f->name.s, f->filter.s, f->link_type, d) < 0)
            return -1;
    }
    if (f->force_ip && !link_type_has_ip(f->link_type))
        diag_warn(d, "%s: strange data link type %d, FORCE_IP will not work", f->name.s,
                  f->link_type);
    if (p->host->watch(p->ctx, fd, POLLIN, from_device_ready, e) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

static int from_device_initialize(struct element *e, struct diag *d)
{
    struct from_device *f = element_state(e);

    if (!f->name.len)
        return diag_err(d, "interface not set");
    if (!element_platform(e)->host)
        return diag_err(d, "there are no devices here");
    if (!strncmp(f->name.s, "tap:", 4))
        return open_tap(e, d);
    if (open_socket(e, d) < 0)
        return -1;
    f->filtered = !f->sniffer && kernel_filter(f->name.s, true, NULL, d) == 0;
    return f->sniffer || f->filtered ? 0 : -1;
}

static void from_device_cleanup(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct from_device *f = element_state(e);
    struct diag d = DIAG_INIT;

    if (f->filtered && kernel_filter(f->name.s, false, NULL, &d) < 0)
        element_say(e, "%s", diag_text(&d));
    diag_fini(&d);
    f->filtered = false;
    netdev_put(e, f->tap);
    f->tap = NULL;
    if (!e->configured || f->device.fd < 0 || !f->device.name)
        return;
    p->host->unwatch(p->ctx, f->device.fd);
    close(f->device.fd);
    f->device.fd = -1;
}

static void *from_device_cast(struct element *e, const char *kind)
{
    struct from_device *f = element_state(e);

    return strcmp(kind, "FromDevice") ? NULL : &f->device;
}

static int read_drops(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    struct from_device *f = element_state(e);
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;

    if (f->tap || f->device.method_linux ||
        getsockopt(f->device.fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0) {
        sbuf_puts(out, "??");
        return 0;
    }
    f->kernel_drops += stats.tp_drops; /* reading sets the kernel's to 0 */
    sbuf_printf(out, "%llu", (unsigned long long)f->kernel_drops);
    return 0;
}

static int read_encap(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    char buf[LINK_TYPE_ROOM];

    sbuf_puts(out, link_type_unparse(
                       ((const struct from_device *)element_state(e))->link_type, buf));
    return 0;
}

static int press_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    ((struct from_device *)element_state(e))->count = 0;
    return 0;
}

static const struct handler_spec from_device_handlers[] = {
    HANDLER_READER(read_drops, "kernel_drops", "packets that the kernel dropped"),
    HANDLER_READER(read_encap, "encap", "what packets begin with"),
    HANDLER_VALUE(from_device, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets received"),
    HANDLER_PRESS(press_reset, "reset_counts", "set count to 0"),
    HANDLER_END,
};

ELEMENT(FromDevice) = {
    .name = "FromDevice",
    .state_size = sizeof(struct from_device),
    .ports = "0/1-2",
    .processing = "h/h",
    .driver_only = true,
    .phase = PHASE_DEFAULT - 2, /* before ToDevice, which may use its socket */
    .args = from_device_args,
    .handlers = from_device_handlers,
    .configure = from_device_configure,
    .initialize = from_device_initialize,
    .cleanup = from_device_cleanup,
    .cast = from_device_cast,
};
