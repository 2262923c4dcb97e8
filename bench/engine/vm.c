// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm.c -- a row's configuration inside a VM: see bench.h
 *
 * The VM has no interfaces: its source and its sink are elements. What its source has
 * counted is read over the control channel now and then, and the processor time of the
 * VM's process in between is what it took.
 */

#include "bench/engine/bench.h"
#include "bench/engine/turns.h"
#include "vmm/client.h"

#include <err.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP_MS = 200, CACHES_MS = 2 };

struct answer {
    bool come;
    uint32_t status;
    char text[1024];
};

static void on_reply(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                     size_t len)
{
    struct answer *a = ctx;

    len = len < sizeof a->text ? len : sizeof a->text - 1;
    memcpy(a->text, text, len);
    a->text[len] = '\0';
    a->status = status;
    a->come = true;
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    *(bool *)ctx = true;
    if (end != VMM_END_KILLED)
        errx(1, "the VM ended: %s", why);
}

static const struct vmm_events events = {.end = on_end};

static void dispatch(struct vmm_host *h, int timeout_ms)
{
    struct pollfd p = {.fd = vmm_host_fd(h), .events = POLLIN};

    if (poll(&p, 1, timeout_ms) > 0)
        vmm_host_dispatch(h);
}

/* The VM would live on, and hold our standard output open. */
__attribute__((noreturn)) static void give_up(struct vmm_host *h, struct vmm *vm,
                                              const char *why)
{
    warnx("%s", why);
    vmm_kill(vm);
    if (vmm_pid(vm) > 0)
        kill(vmm_pid(vm), SIGKILL);
    vmm_host_free(h);
    exit(1);
}

/* Make a request and wait for its answer. */
static struct answer ask(struct vmm_host *h, struct vmm *vm,
                         const struct vmm_request *r)
{
    struct answer a = {.come = false};
    struct diag d = DIAG_INIT;

    if (vmm_request(vm, r, on_reply, &a, &d) < 0)
        give_up(h, vm, diag_text(&d));
    while (!a.come)
        dispatch(h, 100);
    if (a.status != CONTROL_OK)
        give_up(h, vm, a.text[0] ? a.text : vmm_status_text(a.status));
    return a;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Packets made so far, and the processor time until then. */
static uint64_t sample(struct vmm_host *h, struct vmm *vm, clockid_t clock, double *s)
{
    struct answer a = ask(h, vm,
                          &(struct vmm_request){.verb = CONTROL_READ,
                                                .name = "bench",
                                                .handler = "src.count"});

    *s = seconds_of(clock);
    return strtoull(a.text, NULL, 10);
}

static void pin_vm(pid_t pid)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
    sched_setaffinity(pid, sizeof set, &set);
}

/* Whoever waits for a processor with an answer in hand takes the time too late. Without the
 * right to it, it is as good as it gets. */
static void go_first(void)
{
    const struct sched_param p = {.sched_priority = 1};

    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p);
}

/* Let the VM run for a while. */
static void pause_ms(struct vmm_host *h, int ms)
{
    double until = seconds_of(CLOCK_MONOTONIC) + ms / 1000.0;
    double left;

    while ((left = until - seconds_of(CLOCK_MONOTONIC)) > 0)
        dispatch(h, (int)(left * 1000) + 1);
}

struct running {
    struct vmm_host *h;
    struct vmm *vm;
    clockid_t clock;
};

/* Packets a second while it runs for a little; before and behind it stands still. */
static double pace(void *ctx)
{
    const struct running *r = ctx;
    double start, end;
    uint64_t before;

    kill(vmm_pid(r->vm), SIGCONT);
    pause_ms(r->h, CACHES_MS);
    before = sample(r->h, r->vm, r->clock, &start);
    pause_ms(r->h, PACE_MS);
    before = sample(r->h, r->vm, r->clock, &end) - before;
    kill(vmm_pid(r->vm), SIGSTOP);
    return (double)before / (end - start);
}

double bench_vm(const struct row *row, bool in_turns)
{
    char *config = bench_config(row, 0, "Discard");
    bool ended = false;
    struct vmm_spec spec = {.name = "bench", .heap = VMM_HEAP_MAX};
    struct diag d = DIAG_INIT;
    struct vmm_host *h = vmm_host_new(&(struct vmm_host_options){0}, &d);
    struct vmm *vm = h ? vmm_spawn(h, &spec, &events, &ended, &d) : NULL;
    struct running r = {h, vm, 0};
    double pps;

    if (!vm)
        errx(1, "%s", diag_text(&d));
    ask(h, vm,
        &(struct vmm_request){.verb = CONTROL_INSTALL,
                              .name = "bench",
                              .text = config,
                              .len = strlen(config),
                              .timeout_ms = 60000});
    pin_vm(vmm_pid(vm));
    if (clock_getcpuclockid(vmm_pid(vm), &r.clock))
        give_up(h, vm, "no processor time of the VM");
    go_first();
    pause_ms(h, WARM_UP_MS);
    kill(vmm_pid(vm), SIGSTOP);
    pps = turns_best_pace(pace, &r, in_turns);
    kill(vmm_pid(vm), SIGCONT);
    vmm_kill(vm);
    while (!ended)
        dispatch(h, 100);
    vmm_free(vm);
    vmm_host_free(h);
    free(config);
    diag_fini(&d);
    return pps;
}
