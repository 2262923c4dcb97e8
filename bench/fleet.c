// SPDX-License-Identifier: BSD-3-Clause
/* fleet.c -- real VMs on a backplane, for benchmarks: see fleet.h */

#include "bench/fleet.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 60 };

double fleet_now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void must(int rc, struct diag *d)
{
    if (rc < 0)
        errx(1, "%s", diag_text(d));
}

static void pump(struct fleet *f, int timeout_ms)
{
    struct pollfd p = {.fd = vmm_host_fd(f->host), .events = POLLIN};

    if (poll(&p, 1, timeout_ms) > 0)
        vmm_host_dispatch(f->host);
}

/* ---- open and close --------------------------------------------------------------- */

void fleet_reopen(struct fleet *f, const struct backplane_config *config)
{
    struct diag d = DIAG_INIT;

    backplane_free(f->bp);
    f->bp = backplane_new(config, &d);
    must(f->bp ? 0 : -1, &d);
    must(backplane_start(f->bp, &d), &d);
    diag_fini(&d);
}

void fleet_open(struct fleet *f, const struct backplane_config *config)
{
    struct diag d = DIAG_INIT;

    memset(f, 0, sizeof *f);
    f->host = vmm_host_new(&(struct vmm_host_options){0}, &d);
    must(f->host ? 0 : -1, &d);
    fleet_reopen(f, config);
    diag_fini(&d);
}

void fleet_close(struct fleet *f)
{
    fleet_clear(f);
    backplane_free(f->bp);
    vmm_host_free(f->host);
}

/* ---- networks and ports ----------------------------------------------------------- */

uint32_t fleet_net(struct fleet *f, struct network_config c)
{
    struct diag d = DIAG_INIT;
    char name[16];
    uint32_t id;

    snprintf(name, sizeof name, "net%u", f->names++);
    c.name = name;
    must(backplane_add_network(f->bp, &c, &id, &d), &d);
    diag_fini(&d);
    return id;
}

uint32_t fleet_wire(struct fleet *f)
{
    return fleet_net(
        f, (struct network_config){.mode = NETWORK_WIRE, .backpressure = true});
}

uint32_t fleet_port(struct fleet *f, struct port_config c)
{
    struct diag d = DIAG_INIT;
    char name[16];
    uint32_t id;

    snprintf(name, sizeof name, "port%u", f->names++);
    c.name = name;
    must(backplane_add_port(f->bp, &c, &id, &d), &d);
    diag_fini(&d);
    return id;
}

void fleet_drop_port(struct fleet *f, uint32_t port)
{
    struct diag d = DIAG_INIT;

    must(backplane_remove_port(f->bp, port, &d), &d);
    diag_fini(&d);
}

struct port_stats fleet_stats(struct fleet *f, uint32_t port)
{
    struct port_stats s;

    if (!backplane_port_stats(f->bp, port, &s))
        errx(1, "a port is gone");
    return s;
}

/* ---- VMs -------------------------------------------------------------------------- */

static void on_crash(struct vmm *vm, void *ctx, const struct control_crash *crash,
                     const struct vmm_stack *stack)
{
    (void)ctx;
    errx(1, "%s crashed: vector %u at %#llx %s", vmm_name(vm), crash->vector,
         (unsigned long long)crash->rip, crash->message);
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    ((struct fleet_vm *)ctx)->ended = true;
    if (end != VMM_END_KILLED)
        errx(1, "%s ended: %s", vmm_name(vm), why);
}

static void on_console(struct vmm *vm, void *ctx, const char *text, size_t len,
                       uint32_t lost)
{
    fprintf(stderr, "%s: %.*s", vmm_name(vm), (int)len, text);
}

static void on_installed(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                         size_t len)
{
    if (status != CONTROL_OK)
        errx(1, "install: %s: %.*s", vmm_status_text(status), (int)len, text);
    ((struct fleet_vm *)ctx)->installed = true;
}

static const struct vmm_events events = {NULL, on_console, on_crash, on_end};

void fleet_mac(unsigned vm, unsigned interface, uint8_t mac[6])
{
    memcpy(mac, (uint8_t[]){2, 0, 0, (uint8_t)interface, 0, (uint8_t)(vm + 1)}, 6);
}

unsigned fleet_add(struct fleet *f, const char *click, unsigned n_ifs,
                   const uint32_t *nets)
{
    struct fleet_vm *v = &f->vms[f->n];
    struct vmm_spec spec = {.name = "bench",
                            .isolation = f->isolation,
                            .n_ifs = n_ifs,
                            .poll_ns = f->guest_poll_ns};
    struct vmm_request install = {.verb = CONTROL_INSTALL,
                                  .name = "c",
                                  .text = click,
                                  .len = strlen(click),
                                  .timeout_ms = 1000 * PATIENCE_S};
    struct diag d = DIAG_INIT;
    const struct vmm_net *n;

    if (f->n == FLEET_MAX)
        errx(1, "more than %d VMs", FLEET_MAX);
    *v = (struct fleet_vm){0};
    for (unsigned i = 0; i < n_ifs; i++)
        fleet_mac(f->n, i, spec.macs[i]);
    v->vm = vmm_spawn(f->host, &spec, &events, v, &d);
    must(v->vm ? 0 : -1, &d);
    must(vmm_request(v->vm, &install, on_installed, v, &d), &d);
    n = vmm_net(v->vm);
    for (unsigned i = 0; i < n_ifs; i++)
        v->ports[i] = fleet_port(
            f, (struct port_config){.network = nets[i],
                                    .kind = PORT_VM,
                                    .vm = {.memory_fd = n->mem_fd,
                                           .interface = i,
                                           .wake_fd = n->wake_fd,
                                           .doorbell_fd = n->doorbell_fds[i]}});
    diag_fini(&d);
    return f->n++;
}

static bool all_installed(const struct fleet *f)
{
    for (unsigned i = 0; i < f->n; i++)
        if (!f->vms[i].installed)
            return false;
    return true;
}

void fleet_wait(struct fleet *f)
{
    double end = fleet_now_s() + PATIENCE_S;

    while (!all_installed(f)) {
        pump(f, 100);
        if (fleet_now_s() > end)
            errx(1, "the VMs did not start within %d seconds", PATIENCE_S);
    }
}

static void on_written(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                       size_t len)
{
    ((struct fleet *)ctx)->asked--;
    if (status != CONTROL_OK)
        errx(1, "write: %s: %.*s", vmm_status_text(status), (int)len, text);
}

void fleet_write(struct fleet *f, unsigned first, unsigned n, const char *handler,
                 const char *value)
{
    struct vmm_request r = {.verb = CONTROL_WRITE,
                            .name = "c",
                            .handler = handler,
                            .text = value,
                            .len = strlen(value),
                            .timeout_ms = 1000 * PATIENCE_S};
    struct diag d = DIAG_INIT;

    for (unsigned i = first; i < first + n; i++) {
        f->asked++;
        must(vmm_request(f->vms[i].vm, &r, on_written, f, &d), &d);
    }
    while (f->asked)
        pump(f, 100);
    diag_fini(&d);
}

void fleet_clear(struct fleet *f)
{
    for (unsigned i = 0; i < f->n; i++) {
        for (unsigned k = 0; k < FLEET_IFS; k++)
            if (f->vms[i].ports[k])
                fleet_drop_port(f, f->vms[i].ports[k]);
        vmm_kill(f->vms[i].vm);
    }
    for (unsigned i = 0; i < f->n; i++) {
        while (!f->vms[i].ended)
            pump(f, 100);
        vmm_free(f->vms[i].vm);
    }
    f->n = 0;
}
