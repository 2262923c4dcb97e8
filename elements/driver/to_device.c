// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToDevice -- packets to a network device of the system
 *
 * Usage:    ToDevice(DEVNAME [, BURST 1, METHOD, DEBUG])
 * Ports:    1 in, 0-2 out; pull or push in, push out
 * Args:     DEVNAME  name of the device, or tap:NAME for a TAP interface of our own
 *           BURST    default 1: packets pulled at a time
 *           METHOD   PCAP or LINUX; no difference
 *           DEBUG    default false: tell when the device is busy
 *           QUIET, UNIQUE, NO_PAD  accepted for old configurations
 * Counters: drops    packets that the device refused
 * Handlers: debug    (rw) DEBUG
 *           pulls    (read) packets asked for
 *           signal   (read) whether there are packets upstream
 *           q        (read) whether a packet waits for the device
 *           scheduled, tickets  (rw) the task, with a pull input
 * Example:  FromDevice(eth0) -> Queue -> ToDevice(eth1);
 * See also: FromDevice, ToDump, ToNetfront
 *
 * What has been sent leaves by output 0, what the device refuses by output 1, if they are
 * connected. With a pull input a packet waits while the device is busy; with a push input,
 * which Click's ToDevice does not have, it is refused.
 * In a virtual machine ToDevice is another name of ToNetfront.
 */

#include "engine/element.h"
#include "engine/host.h"
#include "engine/netdev.h"
#include "engine/os/packet_socket.h"
#include "engine/router.h"
#include "engine/task_handlers.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKOFF_MAX_US = 256 };

struct to_device {
    struct text name, method;
    int32_t burst;
    bool debug, ignored;

    struct netdev *tap; /* netdev_put() in cleanup; NULL: it is a packet socket */
    bool open, ours;    /* there is a socket; it is not FromDevice's */
    int fd;
    struct pkt *waiting; /* owned */
    int32_t backoff_us;
    uint64_t pulls;
    struct task task;
    struct timer timer;
    struct signal signal;
};

static const struct arg_spec to_device_args[] = {
    ARG_STRING(to_device, name, "DEVNAME", ARG_M, NULL, "device"),
    ARG_BOOL(to_device, debug, "DEBUG", 0, "false", "tell when it is busy"),
    ARG_WORD(to_device, method, "METHOD", 0, NULL, "PCAP or LINUX"),
    ARG_I32(to_device, burst, "BURST", 0, "1", "packets at a time"),
    ARG_BOOL(to_device, ignored, "QUIET", ARG_OLD, "false", "accepted"),
    ARG_BOOL(to_device, ignored, "UNIQUE", ARG_OLD, "false", "accepted"),
    ARG_BOOL(to_device, ignored, "NO_PAD", ARG_OLD, "false", "accepted"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec to_device_counters[] = {
    [C_DROPS] = {"drops", "packets that the device refused"},
    {NULL, NULL},
};

static int to_device_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct to_device *t = element_state(e);

    if (!t->name.len)
        return diag_err(d, "interface not set");
    if (t->burst <= 0)
        return diag_err(d, "bad BURST");
    if (t->method.len && strcmp(t->method.s, "PCAP") != 0 &&
        strcmp(t->method.s, "LINUX") != 0)
        return diag_err(d, "bad METHOD");
    return 0;
}

/* --- packets ---------------------------------------------------------------------------- */

/* 0, or an errno. The packet stays the caller's, but with a TAP interface it may be gone
 * afterwards, and is NULL then. */
static int send_one(struct to_device *t, struct pkt **p)
{
    struct batch b;

    if (!t->tap)
        return send(t->fd, (*p)->data, (*p)->len, MSG_DONTWAIT) < 0 ? errno : 0;
    b.n = 1;
    b.p[0] = *p;
    t->tap->ops->tx(t->tap->dev, &b);
    if (b.n)
        return EAGAIN;
    *p = NULL;
    return 0;
}

static void done(struct element *e, unsigned port, struct pkt *p)
{
    if (p && port < e->n_out)
        out_push_one(e, port, p);
    else
        pkt_free(p);
}

static void refused(struct element *e, struct pkt *p, int why)
{
    const struct to_device *t = element_state(e);

    element_count(e, C_DROPS, 1);
    if (why != ENOBUFS && why != EAGAIN)
        element_say(e, "ToDevice(%s): %s\n", t->name.s, strerror(why));
    done(e, 1, p);
}

static void to_device_push(struct element *e, unsigned port, struct batch *b)
{
    struct to_device *t = element_state(e);
    struct pkt *all[BATCH_MAX];
    uint32_t n = b->n;

    pkts_copy(all, b->p, n);
    for (uint32_t i = 0; i < n; i++) {
        int why = send_one(t, &all[i]);

        if (why)
            refused(e, all[i], why);
        else
            done(e, 0, all[i]);
    }
}

static void to_device_ready(void *arg, int fd, short revents)
{
    struct element *e = arg;
    const struct platform *p = element_platform(e);
    struct to_device *t = element_state(e);

    p->host->unwatch(p->ctx, fd);
    task_schedule(&t->task);
}

/* The device is busy: wait until it says that it is not, the next time for a while. */
static void back_off(struct element *e, struct pkt *p)
{
    const struct platform *platform = element_platform(e);
    struct to_device *t = element_state(e);

    t->waiting = p;
    if (!t->backoff_us && !t->tap && t->ours) {
        t->backoff_us = 1;
        platform->host->watch(platform->ctx, t->fd, POLLOUT, to_device_ready, e);
        return;
    }
    t->backoff_us = t->backoff_us ? t->backoff_us : 1;
    timer_after(&t->timer, (int64_t)t->backoff_us * 1000);
    if (t->backoff_us < BACKOFF_MAX_US)
        t->backoff_us *= 2;
    if (t->debug)
        element_say(e, "%s backing off for %d\n", element_declaration(e),
                    t->backoff_us);
}

static bool to_device_run(struct element *e, struct task *task)
{
    struct to_device *t = element_state(e);
    int32_t count = 0;
    int why = 0;
    struct pkt *p;

    do {
        p = t->waiting;
        t->waiting = NULL;
        if (!p) {
            t->pulls++;
            p = in_pull_one(e, 0);
        }
        if (!p)
            break;
        why = send_one(t, &p);
        if (why)
            break;
        t->backoff_us = 0;
        done(e, 0, p);
    } while (++count < t->burst);
    if (why == ENOBUFS || why == EAGAIN) {
        back_off(e, p);
        return count > 0;
    }
    if (why)
        refused(e, p, why);
    if (count == t->burst || why || signal_active(&t->signal))
        task_reschedule(task);
    return count > 0;
}

static void to_device_fire(struct element *e, struct timer *timer)
{
    task_schedule(&((struct to_device *)element_state(e))->task);
}

/* --- life ------------------------------------------------------------------------------- */

static const struct packet_device *find_from_device(struct element *e)
{
    const struct to_device *t = element_state(e);

    for (uint32_t i = 0; i < router_n_elements(e->router); i++) {
        struct element *other = router_element(e->router, i);
        const struct packet_device *f = other->cls->cast && other->configured
                                            ? other->cls->cast(other, "FromDevice")
                                            : NULL;

        if (f && f->name && !strcmp(f->name, t->name.s) && f->fd >= 0)
            return f;
    }
    return NULL;
}

/* Only one element may write to a device. */
static int claim(struct element *e, struct diag *d)
{
    const struct to_device *t = element_state(e);
    struct sbuf key = SBUF_INIT;
    bool *used;

    sbuf_printf(&key, "device_writer_%s", t->name.s);
    used = router_shared(e->router, sbuf_text(&key), sizeof *used);
    sbuf_fini(&key);
    if (!used)
        return diag_err(d, "out of memory");
    if (*used)
        return diag_err(d, "duplicate writer for device '%s'", t->name.s);
    *used = true;
    return 0;
}

static int to_device_initialize(struct element *e, struct diag *d)
{
    const struct packet_device *f = find_from_device(e);
    struct to_device *t = element_state(e);

    if (!element_platform(e)->host)
        return diag_err(d, "there are no devices here");
    if (!strncmp(t->name.s, "tap:", 4)) {
        t->tap = netdev_get(e, t->name.s, d);
        if (!t->tap)
            return -1;
    } else {
        t->ours = !f;
        t->fd = f ? f->fd : packet_socket_open(t->name.s, d);
        t->open = t->fd >= 0;
        if (!t->open)
            return -1;
    }
    if (claim(e, d) < 0)
        return -1;
    timer_init(&t->timer, e, to_device_fire);
    if (!element_input_is_push(e, 0)) {
        task_join(&t->task, e, to_device_run, true, d);
        signal_up(&t->signal, e, 0, &t->task);
    }
    return 0;
}

static void to_device_cleanup(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct to_device *t = element_state(e);

    pkt_free(t->waiting);
    t->waiting = NULL;
    netdev_put(e, t->tap);
    t->tap = NULL;
    if (t->open && t->ours) {
        p->host->unwatch(p->ctx, t->fd);
        close(t->fd);
    }
    t->open = false;
}

enum { H_SIGNAL, H_Q };

static int read_state(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct to_device *t = element_state(e);
    bool value = h->user == H_Q ? t->waiting != NULL : signal_active(&t->signal);

    sbuf_puts(out, value ? "true" : "false");
    return 0;
}

static const struct handler_spec to_device_handlers[] = {
    TASK_HANDLERS(to_device, task),
    HANDLER_VALUE(to_device, debug, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX, "debug", "DEBUG"),
    HANDLER_VALUE(to_device, pulls, ARG_KIND_U64, HANDLER_READ, "pulls",
                  "packets asked for"),
    {.name = "signal",
     .help = "whether there are packets upstream",
     .flags = HANDLER_READ,
     .user = H_SIGNAL,
     .read = read_state},
    {.name = "q",
     .help = "whether a packet waits",
     .flags = HANDLER_READ,
     .user = H_Q,
     .read = read_state},
    HANDLER_END,
};

ELEMENT(ToDevice) = {
    .name = "ToDevice",
    .state_size = sizeof(struct to_device),
    .ports = "1/0-2",
    .processing = "a/h",
    .flow = "x/x",
    .driver_only = true,
    .phase = PHASE_DEFAULT - 1,
    .args = to_device_args,
    .counters = to_device_counters,
    .handlers = to_device_handlers,
    .configure = to_device_configure,
    .initialize = to_device_initialize,
    .cleanup = to_device_cleanup,
    .push = to_device_push,
};
