// SPDX-License-Identifier: BSD-3-Clause
/* vm_events.c -- the life cycle of a VM, as it happens: see vm.h */

#include "ctl/control.h"
#include "ctl/vm.h"

#include "vmm/symbolize.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* ---- logs ------------------------------------------------------------------------ */

static json_t *log_lines(const struct vm *vm, uint64_t from)
{
    const struct logring *r = &vm->log;
    json_t *lines = json_array();
    uint64_t first = from > r->first ? from : r->first;

    for (uint64_t n = first; n < r->next; n++) {
        const struct logring_line *l = logring_get(r, n);

        if (l && l->text)
            json_array_append_new(lines,
                                  json_pack("{s:I, s:I, s:s%}", "n", (json_int_t)n,
                                            "time_us", (json_int_t)l->time_us, "text",
                                            l->text, (size_t)l->len));
    }
    return json_pack("{s:o, s:I, s:I}", "lines", lines, "next", (json_int_t)r->next,
                     "lost", (json_int_t)(first - from));
}

static void wait_free(struct log_wait *w)
{
    loop_timer_cancel(w->vm->s->loop, &w->timer);
    free(w);
}

/* Answer all who wait; `over`: there will be no more lines. */
void vm_wake_logs(struct vm *vm, bool over)
{
    struct log_wait *w = vm->waits;

    vm->waits = NULL;
    while (w) {
        struct log_wait *next = w->next;
        struct call *c = w->call;

        c->cancel = NULL;
        if (over && w->from >= vm->log.next)
            call_fail(c, HTTP_NOT_FOUND, "no_such_vm", "VM '%s' was removed", vm->name);
        else
            call_json(c, HTTP_OK, log_lines(vm, w->from));
        wait_free(w);
        w = next;
    }
}

static void unlink_wait(struct log_wait *w)
{
    struct log_wait **at = &w->vm->waits;

    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

static void wait_expired(void *ctx)
{
    struct log_wait *w = ctx;

    unlink_wait(w);
    w->call->cancel = NULL;
    call_json(w->call, HTTP_OK, log_lines(w->vm, w->from));
    wait_free(w);
}

static void wait_cancelled(struct call *c, void *ctx)
{
    struct log_wait *w = ctx;

    (void)c;
    unlink_wait(w);
    wait_free(w);
}

void vm_logs(struct vm *vm, struct call *c, uint64_t from, uint64_t wait_ms)
{
    struct log_wait *w;

    if (from < vm->log.next || wait_ms == 0 || !(w = calloc(1, sizeof *w))) {
        call_json(c, HTTP_OK, log_lines(vm, from));
        return;
    }
    *w = (struct log_wait){.vm = vm, .call = c, .from = from, .next = vm->waits};
    w->timer = (struct loop_timer){.expired = wait_expired, .ctx = w};
    vm->waits = w;
    c->cancel = wait_cancelled;
    c->cancel_ctx = w;
    loop_timer_set(vm->s->loop, &w->timer, wait_ms);
}

void vm_console(struct vm *vm, const char *text, size_t len, uint32_t lost)
{
    unsigned lines = 0;

    if (lost)
        vm_say(vm, "clickos: %u bytes of output were lost here", lost);
    lines = logring_add(&vm->log, text, len);
    if (lines)
        vm_wake_logs(vm, false);
}

void vm_say(struct vm *vm, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    sbuf_putc(&text, '\n');
    logring_flush(&vm->log);
    logring_add(&vm->log, sbuf_text(&text), text.len);
    sbuf_fini(&text);
    vm_wake_logs(vm, false);
}

/* ---- events from the monitor ------------------------------------------------------ */

/* False: it is no more, since it could not be limited as it should. */
static bool limit(struct vm *vm)
{
    struct diag d = DIAG_INIT;
    bool well = (!vm->limits.cpu && !vm->limits.memory) ||
                quota_set(vm->s->quota, vm->name, &vm->limits, vmm_pid(vm->vmm), &d) ==
                    0;

    if (!well)
        vm_fail(vm, HTTP_INTERNAL, "vm_failed", NULL, "VM '%s': %s", vm->name,
                diag_first(&d));
    diag_fini(&d);
    return well;
}

static void on_ready(struct vmm *vmm, void *ctx, const struct vmm_timing *t)
{
    struct vm *vm = ctx;
    struct diag d = DIAG_INIT;

    if (vm->state == VM_ENDING) { /* removed before we knew which process it is */
        vmm_kill(vmm);
        return;
    }
    vm->times.boot = *t;
    vm->isolation = vmm_isolation_of(vmm);
    if (vm->state == VM_STARTING && !limit(vm))
        return;
    if (vm->limits.memory)
        vm->memory_kills = quota_kills(vm->s->quota, vm->name);
    if (vm->state == VM_ADOPTING) {
        vm_set_running(vm);
        if (vm_attach(vm, &d) < 0) {
            vm_say(vm, "clickos: %s", diag_first(&d));
            daemon_log(vm->s, "VM %s: %s", vm->name, diag_first(&d));
        }
        vm_control_update(vm);
        vm_adopt_answered(vm);
        vm_adopted(vm, true);
        vm_adopt_next(vm->s);
    }
    diag_fini(&d);
}

static void on_console(struct vmm *vmm, void *ctx, const char *text, size_t len,
                       uint32_t lost)
{
    (void)vmm;
    vm_console(ctx, text, len, lost);
}

/* The first line of the report is why it crashed; all of it goes into the log. */
static void on_crash(struct vmm *vmm, void *ctx, const struct control_crash *crash,
                     const struct vmm_stack *stack)
{
    struct vm *vm = ctx;
    struct sbuf report = SBUF_INIT, clean = SBUF_INIT;

    (void)vmm;
    symbolize_crash(daemon_symbolizer(vm->s), crash, stack, &report);
    sbuf_puts(&clean, "crashed: ");
    logring_clean(&clean, sbuf_text(&report), strcspn(sbuf_text(&report), "\n"));
    free(vm->trouble);
    vm->trouble = sbuf_take(&clean);
    logring_flush(&vm->log);
    vm_console(vm, "crashed: ", 9, 0);
    vm_console(vm, sbuf_text(&report), report.len, 0);
    sbuf_fini(&report);
}

static void explain_end(struct sbuf *out, enum vmm_end end, int status, const char *why)
{
    if (end == VMM_END_KILLED && status >= 0 && WIFSIGNALED(status))
        sbuf_printf(out, "its monitor was killed by signal %d (%s)", WTERMSIG(status),
                    strsignal(WTERMSIG(status)));
    else if (end == VMM_END_KILLED)
        sbuf_puts(out, "its monitor is gone");
    else if (end == VMM_END_PROTOCOL)
        sbuf_printf(out, "its monitor broke the protocol and was killed: %s",
                    why ? why : "");
    else if (end == VMM_END_SPAWN)
        sbuf_printf(out, "it could not be started: %s", why ? why : "");
    else
        sbuf_printf(out, "its monitor gave up: %s", why ? why : "");
}

/* The kernel ended it because of its own limit, and of nobody else's doing. */
static bool took_too_much(struct vm *vm)
{
    unsigned long before = vm->memory_kills;

    if (vm->limits.memory)
        vm->memory_kills = quota_kills(vm->s->quota, vm->name);
    return vm->memory_kills > before;
}

static void set_trouble(struct vm *vm, enum vmm_end end, int status, const char *why)
{
    struct sbuf text = SBUF_INIT, clean = SBUF_INIT;

    if (took_too_much(vm))
        sbuf_printf(&text,
                    "out of memory: it took more than its limit (--memory-max), "
                    "%llu KiB",
                    (unsigned long long)vm->limits.memory >> 10);
    else if (end == VMM_END_CRASH && vm->trouble)
        return;
    else
        explain_end(&text, end, status, why);
    logring_clean(&clean, sbuf_text(&text), text.len);
    sbuf_fini(&text);
    free(vm->trouble);
    vm->trouble = sbuf_take(&clean);
    vm_say(vm, "clickos: %s", vm->trouble ? vm->trouble : "ended");
}

/* ---- again ----------------------------------------------------------------------- */

enum { AGAIN_MIN_MS = 100, AGAIN_MAX_MS = 60000, WELL_NS = 2000000000 };

static void run_again(void *ctx)
{
    struct vm *vm = ctx;

    if (vm->state != VM_CRASHED)
        return;
    vm_say(vm, "clickos: started again (%u)", vm->restarts);
    vm->how = (struct vm_how){.late = false};
    vm->times = (struct vm_times){.asked = loop_now_ns()};
    vm_bring_up(vm);
}

/* Each time twice as long, as long as it does not run well. */
void vm_restart_later(struct vm *vm, bool daemon_was_down)
{
    uint64_t wait = AGAIN_MIN_MS;

    if (vm->restart == RESTART_NO || (daemon_was_down && vm->restart != RESTART_ALWAYS))
        return;
    if (vm->times.installed && loop_now_ns() - vm->times.installed > WELL_NS)
        vm->restarts = 0;
    for (unsigned i = 0; i < vm->restarts && wait < AGAIN_MAX_MS; i++)
        wait *= 2;
    vm->restarts++;
    vm->restart_timer = (struct loop_timer){.expired = run_again, .ctx = vm};
    loop_timer_set(vm->s->loop, &vm->restart_timer,
                   wait < AGAIN_MAX_MS ? wait : AGAIN_MAX_MS);
}

/* It ended although nobody wanted it to: keep what it said. */
static void on_unwanted_end(struct vm *vm)
{
    json_t *record;

    vm->state = VM_CRASHED;
    vm_control_update(vm);
    vm_detach(vm);
    record = vm_record(vm, "crashed");
    store_put(vm->s->store, STORE_VM, vm->name, record, NULL);
    json_decref(record);
    daemon_log(vm->s, "VM %s: %s", vm->name, vm->trouble ? vm->trouble : "ended");
    vm_fail_waiting(vm);
    vm_restart_later(vm, false);
}

static void answer_ended(struct vm *vm)
{
    struct call *creator = vm->creator, *remover = vm->remover;
    struct vm_waiter *waiter = vm->waiter;
    struct failure f = vm->failure;

    vm->failure = (struct failure){0};
    vm_free(vm); /* first, so that the name is free when the client hears */
    vm_tell_failure(creator, waiter, &f);
    if (remover)
        call_done(remover);
    free(f.text);
}

static void on_end(struct vmm *vmm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    struct vm *vm = ctx;
    enum vm_state before = vm->state;

    vmm_free(vmm);
    vm->vmm = NULL;
    if (before == VM_ENDING) {
        answer_ended(vm);
        return;
    }
    if (before == VM_ADOPTING) {
        vm_adopt_answered(vm);
        if (end == VMM_END_EXIT && vm_adopt_again(vm)) {
            vm_adopt_next(vm->s);
            return;
        }
    }
    set_trouble(vm, end, status, why);
    if (before == VM_STARTING) {
        vm_fail(vm, HTTP_INTERNAL, end == VMM_END_CRASH ? "vm_crashed" : "vm_failed",
                NULL, "VM '%s': %s", vm->name, vm->trouble ? vm->trouble : "ended");
        return;
    }
    on_unwanted_end(vm);
    if (before == VM_ADOPTING) {
        vm_adopted(vm, false);
        vm_adopt_next(vm->s);
    }
}

const struct vmm_events vm_events = {
    .ready = on_ready, .console = on_console, .crash = on_crash, .end = on_end};
