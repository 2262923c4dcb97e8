// SPDX-License-Identifier: BSD-3-Clause
/* daemon.c -- all that clickosd keeps, put together and taken apart: see daemon.h */

#include "ctl/daemon.h"

#include "ctl/captures.h"
#include "ctl/control.h"
#include "ctl/nets.h"
#include "ctl/server.h"
#include "ctl/task.h"
#include "ctl/vm.h"
#include "vmm/symbolize.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* How long the daemon waits for its VMs: with its ready message, and with all traffic. */
enum { ADOPT_TIMEOUT_MS = 5000, START_PATIENCE_MS = 60, TICK_MS = 1000 };

uint64_t daemon_wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

void daemon_log(struct daemon_state *s, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (s->log)
        s->log(sbuf_text(&text));
    sbuf_fini(&text);
}

void daemon_log_all(struct daemon_state *s, const struct diag *d)
{
    for (size_t i = 0; i < d->n_messages; i++)
        daemon_log(s, "%s", d->messages[i].text ? d->messages[i].text : "");
}

/* ---- crash reports --------------------------------------------------------------- */

/* Where the guest image is when nobody said so: beside our own program. */
static char *default_image(void)
{
    struct sbuf path = SBUF_INIT;
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n < 0)
        return NULL;
    self[n] = '\0';
    sbuf_printf(&path, "%.*s/guest.elf", (int)(strrchr(self, '/') - self), self);
    return sbuf_take(&path);
}

struct symbolizer *daemon_symbolizer(struct daemon_state *s)
{
    struct diag d = DIAG_INIT;

    if (!s->symbolizer && s->image) {
        s->symbolizer = symbolizer_open(s->image, &d);
        if (!s->symbolizer)
            daemon_log(s, "crash reports have no names: %s", diag_first(&d));
    }
    diag_fini(&d);
    return s->symbolizer;
}

/* ---- readiness ------------------------------------------------------------------- */

/* After a restart packets move only when all VMs are back: of two that are joined by a
 * wire, the first to come would find nobody to send to. */
static void start_traffic(struct daemon_state *s)
{
    struct diag d = DIAG_INIT;

    loop_timer_cancel(s->loop, &s->start_timer);
    if (backplane_start(s->bp, &d) < 0)
        daemon_log(s, "no packets move: %s", diag_text(&d));
    diag_fini(&d);
    vms_load_rest(s);
}

/* The others have waited long enough. */
static void start_expired(void *ctx)
{
    start_traffic(ctx);
}

static void tell_ready(struct daemon_state *s)
{
    void (*ready)(struct daemon_state *) = s->ready;

    start_traffic(s);
    s->ready = NULL;
    loop_timer_cancel(s->loop, &s->adopt_timer);
    if (ready)
        ready(s);
}

void vm_adopted(struct vm *vm, bool well)
{
    struct daemon_state *s = vm->s;

    if (well)
        daemon_log(s, "VM %s goes on", vm->name);
    if (s->adopting > 0 && --s->adopting == 0)
        tell_ready(s);
}

/* Some monitor does not answer: the others' users shall not wait for it. */
static void adopt_expired(void *ctx)
{
    struct daemon_state *s = ctx;

    daemon_log(s, "%u VMs have not answered yet", s->adopting);
    tell_ready(s);
}

/* ---- events ---------------------------------------------------------------------- */

static void host_ready(void *ctx, uint32_t events)
{
    struct daemon_state *s = ctx;

    (void)events;
    vmm_host_dispatch(s->host);
}

/* The name is in the text; a port of a VM tells that VM's log, too. */
static void backplane_ready(void *ctx, uint32_t events)
{
    struct daemon_state *s = ctx;
    struct backplane_event event;
    struct port_info info;
    struct vm *wanted;

    (void)events;
    while ((wanted = backplane_next_wanted(s->bp)))
        vm_wake(wanted);
    while (backplane_next_event(s->bp, &event)) {
        char *dot;
        struct vm *vm;

        daemon_log(s, "%s", event.text);
        if (event.capture)
            capture_done(s, event.capture);
        if (!event.port || !backplane_port_info(s->bp, event.port, &info) ||
            info.kind != PORT_VM || !(dot = strrchr(info.name, '.')))
            continue;
        *dot = '\0';
        if ((vm = vm_find(s, info.name)))
            vm_say(vm, "clickos: %s", event.text);
    }
}

static int watch(struct daemon_state *s, struct loop_watch *w, int fd,
                 void (*ready)(void *, uint32_t), struct diag *d)
{
    *w = (struct loop_watch){.ready = ready, .ctx = s};
    if (loop_add(s->loop, w, fd, EPOLLIN) < 0)
        return diag_err(d, "cannot watch a descriptor: too many are open");
    return 0;
}

/* ---- open, run, close ------------------------------------------------------------ */

static int start_switch(struct daemon_state *s, const struct daemon_options *o,
                        struct diag *d)
{
    struct backplane_config config = {.n_workers = o->workers,
                                      .poll_min_ns = o->poll_min_ns,
                                      .poll_max_ns = o->poll_max_ns};

    s->guest_poll_ns = o->guest_poll_ns;
    s->bp = backplane_new(&config, d);
    if (!s->bp)
        return -1;
    return watch(s, &s->bp_watch, backplane_event_fd(s->bp), backplane_ready, d);
}

static int start_host(struct daemon_state *s, const struct daemon_options *o,
                      struct diag *d)
{
    struct vmm_host_options options = {
        .monitor = o->monitor, .image = o->image, .wait_later = true};

    s->uid_base = o->uid_base;
    s->park_after = o->park_after;
    s->wake_due_ns = UINT64_MAX;
    s->max_vms = o->max_vms;
    s->quota = quota_open(NULL, NULL); /* before there are other processes of ours */
    s->host = vmm_host_new(&options, d);
    return !s->host ? -1
                    : watch(s, &s->host_watch, vmm_host_fd(s->host), host_ready, d);
}

/* The fork server has been starting all the while. */
static int await_host(struct daemon_state *s, const struct daemon_options *o,
                      struct diag *d)
{
    const char *why = NULL;

    if (vmm_host_wait(s->host, d) < 0)
        return -1;
    if (!vmm_host_has_kvm(s->host, &why))
        daemon_log(s, "no KVM (%s): VMs run as sandboxed processes",
                   why ? why : "/dev/kvm");
    vmm_host_keep_shells(s->host, o->pool, NULL);
    return 0;
}

static void take_up(struct daemon_state *s)
{
    struct diag d = DIAG_INIT;

    nets_load(s, &d);
    vms_load(s, &d);
    daemon_log_all(s, &d);
    diag_fini(&d);
    s->adopt_timer = (struct loop_timer){.expired = adopt_expired, .ctx = s};
    s->start_timer = (struct loop_timer){.expired = start_expired, .ctx = s};
    if (!s->adopting)
        return;
    loop_timer_set(s->loop, &s->adopt_timer, ADOPT_TIMEOUT_MS);
    loop_timer_set(s->loop, &s->start_timer, START_PATIENCE_MS);
}

int daemon_open(struct daemon_state *s, const struct daemon_options *o, struct diag *d)
{
    int fd;

    *s = (struct daemon_state){
        .ready = o->ready, .log = o->log, .started_us = daemon_wall_us()};
    s->vm_order.seed = s->started_us;
    s->image = o->image ? strdup(o->image) : default_image();
    s->loop = loop_new(d);
    if (!s->loop || !(s->tasks = tasks_new(s->loop, d)) ||
        !(s->store = store_open(o->state_dir, d)) || start_host(s, o, d) < 0 ||
        start_switch(s, o, d) < 0)
        return -1;
    fd = server_listen(o->socket_path, o->group, d);
    if (fd < 0)
        return -1;
    if (o->control_dir)
        control_open(s, o->control_dir, o->group);
    take_up(s);
    if (await_host(s, o, d) < 0) {
        close(fd);
        return -1;
    }
    s->server = server_new(s->loop, fd, s, d);
    return s->server ? 0 : -1;
}

static void tick(void *ctx)
{
    struct daemon_state *s = ctx;

    vms_tick(s);
    vm_adopt_next(s);
    if (!s->start_timer.live)
        vms_load_rest(s);
    server_tick(s->server);
    loop_timer_set(s->loop, &s->tick_timer, TICK_MS);
}

static int before_wait(void *ctx)
{
    struct daemon_state *s = ctx;

    return server_before_wait(s->server);
}

void daemon_run(struct daemon_state *s)
{
    if (!s->adopting)
        tell_ready(s);
    s->tick_timer = (struct loop_timer){.expired = tick, .ctx = s};
    loop_timer_set(s->loop, &s->tick_timer, TICK_MS);
    loop_run(s->loop, before_wait, s);
}

void daemon_close(struct daemon_state *s)
{
    /* The monitors keep the packet memory; nothing may move in it any more before the
     * ports' private indices are given up. */
    if (s->bp)
        backplane_stop(s->bp);
    if (s->host)
        loop_remove(s->loop, &s->host_watch);
    tasks_free(s->tasks);
    captures_free(s);
    vms_free(s);
    control_close(s);
    nets_free(s);
    server_free(s->server);
    if (s->host)
        vmm_host_free(s->host);
    if (s->bp) {
        loop_remove(s->loop, &s->bp_watch);
        backplane_free(s->bp);
    }
    quota_close(s->quota);
    symbolizer_close(s->symbolizer);
    free(s->image);
    store_close(s->store);
    loop_free(s->loop);
    *s = (struct daemon_state){0};
}
