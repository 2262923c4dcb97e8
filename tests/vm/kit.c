// SPDX-License-Identifier: BSD-3-Clause
/* Starting VMs and waiting for what happens to them; see kit.h. */

#include "tests/vm/kit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int failures;

uint64_t kit_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t now_ms(void)
{
    return kit_now_ns() / 1000000u;
}

bool kit_start(struct kit *k, const char *dir, const char *image)
{
    struct diag d = DIAG_INIT;
    char monitor[4096], path[4096];

    snprintf(monitor, sizeof monitor, "%s/clickos-vmm", dir);
    snprintf(path, sizeof path, "%s/%s", dir, image);
    k->dir = dir;
    k->host = vmm_host_new(
        &(struct vmm_host_options){.monitor = monitor, .image = path}, &d);
    if (!k->host)
        fputs(diag_text(&d), stderr);
    diag_fini(&d);
    return k->host != NULL;
}

void kit_stop(struct kit *k)
{
    vmm_host_free(k->host);
    k->host = NULL;
}

/* ---- events ------------------------------------------------------------------------- */

static void on_ready(struct vmm *vm, void *ctx, const struct vmm_timing *t)
{
    struct kit_vm *v = ctx;

    v->ready = true;
    v->timing = *t;
}

static void on_console(struct vmm *vm, void *ctx, const char *text, size_t len,
                       uint32_t lost)
{
    struct kit_vm *v = ctx;

    sbuf_add(&v->console, text, len);
    v->console_lost += lost;
}

static void on_crash(struct vmm *vm, void *ctx, const struct control_crash *crash,
                     const struct vmm_stack *stack)
{
    struct kit_vm *v = ctx;

    v->crashed = true;
    v->crash = *crash;
    v->stack_at = stack->at;
    sbuf_add(&v->stack, (const char *)stack->bytes, stack->len);
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    struct kit_vm *v = ctx;

    v->ended = true;
    v->end = end;
    v->status = status;
    snprintf(v->why, sizeof v->why, "%s", why);
}

static const struct vmm_events events = {
    .ready = on_ready, .console = on_console, .crash = on_crash, .end = on_end};

bool kit_spawn(struct kit *k, struct kit_vm *v, const struct vmm_spec *spec)
{
    struct diag d = DIAG_INIT;

    *v = (struct kit_vm){.kit = k};
    v->vm = vmm_spawn(k->host, spec, &events, v, &d);
    if (!v->vm)
        fputs(diag_text(&d), stderr);
    diag_fini(&d);
    return v->vm != NULL;
}

bool kit_adopt(struct kit *k, struct kit_vm *v, const char *path)
{
    struct diag d = DIAG_INIT;

    *v = (struct kit_vm){.kit = k};
    v->vm = vmm_adopt(k->host, path, &events, v, &d);
    if (!v->vm)
        fputs(diag_text(&d), stderr);
    diag_fini(&d);
    return v->vm != NULL;
}

void kit_end(struct kit_vm *v)
{
    if (v->vm && !v->ended) {
        vmm_kill(v->vm);
        kit_wait(v->kit, &v->ended, KIT_HANGS_MS);
    }
    vmm_free(v->vm);
    v->vm = NULL;
    sbuf_fini(&v->console);
    sbuf_fini(&v->stack);
    sbuf_fini(&v->reply);
}

bool kit_wait(struct kit *k, const bool *flag, int ms)
{
    uint64_t end = now_ms() + (uint64_t)ms, now;

    while (!*flag && (now = now_ms()) < end) {
        struct pollfd p = {.fd = vmm_host_fd(k->host), .events = POLLIN};

        if (poll(&p, 1, (int)(end - now)) > 0)
            vmm_host_dispatch(k->host);
    }
    return *flag;
}

void kit_pause(struct kit *k, int ms)
{
    const bool never = false;

    kit_wait(k, &never, ms);
}

/* ---- requests ----------------------------------------------------------------------- */

static void on_reply(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                     size_t len)
{
    struct kit_vm *v = ctx;

    v->answered = true;
    v->answer = status;
    sbuf_add(&v->reply, text, len);
}

uint32_t kit_ask(struct kit_vm *v, enum control_verb verb, const char *handler,
                 const char *text, unsigned timeout_ms)
{
    const struct vmm_request r = {.verb = verb,
                                  .handler = handler,
                                  .text = text,
                                  .len = text ? strlen(text) : 0,
                                  .timeout_ms = timeout_ms ? timeout_ms : KIT_HANGS_MS};

    v->answered = false;
    sbuf_reset(&v->reply);
    if (vmm_request(v->vm, &r, on_reply, v, NULL) < 0)
        return UINT32_MAX;
    if (!kit_wait(v->kit, &v->answered, (int)r.timeout_ms + KIT_HANGS_MS))
        return UINT32_MAX;
    return v->answer;
}

/* ---- reports ------------------------------------------------------------------------ */

unsigned kit_isolations(const struct kit *k, enum vmm_isolation out[2])
{
    unsigned n = 0;

    if (vmm_host_has_kvm(k->host, NULL))
        out[n++] = VMM_KVM;
    out[n++] = VMM_PROCESS;
    return n;
}

const char *kit_isolation_name(enum vmm_isolation i)
{
    return i == VMM_KVM ? "kvm" : "process";
}

void kit_report(bool passed, const char *name, enum vmm_isolation i, const char *why)
{
    if (passed)
        printf("PASS vm/%s (%s)\n", name, kit_isolation_name(i));
    else
        printf("FAIL vm/%s (%s): %s\n", name, kit_isolation_name(i), why);
    fflush(stdout);
    failures += !passed;
}

int kit_failures(void)
{
    return failures;
}
