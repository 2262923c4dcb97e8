// SPDX-License-Identifier: BSD-3-Clause
/*
 * Guests that misbehave (hostile.c): each ends in a clear report, or in nothing worse than
 * a wrong answer, while a VM beside it goes on. With KVM and as a process.
 *
 *     vm_crash BUILDDIR [kvm|process]
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi/layout.h"
#include "tests/vm/kit.h"

enum { ANY = -1, NONE = -2 };

/* What must become of a deed. `vector`, `process_vector`: of the crash report, with KVM and
 * in a process; a KVM may have a second way to say it. */
struct deed {
    const char *name;
    int vector, process_vector, other_vector;
    uint64_t address; /* UINT64_MAX: not looked at */
    bool in_text;     /* rip lies in the image's text */
};

#define ANYWHERE UINT64_MAX

static const struct deed deeds[] = {
    {"read_null", 14, 14, NONE, 0, true},
    {"write_null", 14, 14, NONE, 8, true},
    {"write_text", 14, 14, NONE, LAYOUT_TEXT, true},
    {"write_constant", 14, 14, NONE, ANYWHERE, true},
    {"write_boot", 14, 14, NONE, LAYOUT_BOOT, true},
    {"write_tables", 14, 14, NONE, LAYOUT_BASE + 0x3000, true},
    {"write_idt", 14, 14, NONE, LAYOUT_BASE + 0x5400, true},
    {"read_task", 14, 14, NONE, LAYOUT_BASE + 0x6000, true},
    {"jump_to_data", 14, 14, NONE, ANYWHERE, false},
    {"call_null", 14, 14, NONE, 0, false},
    {"high_memory", 14, 14, NONE, ANYWHERE, true},
    {"beyond_heap", 14, 14, CONTROL_OUTSIDE, ANYWHERE, true},
    {"beyond_netmem", 14, 14, CONTROL_OUTSIDE, ANYWHERE, true},
    {"overflow_stack", 14, 14, NONE, ANYWHERE, true},
    {"divide", 0, 0, NONE, ANYWHERE, true},
    {"invalid", 6, 6, NONE, ANYWHERE, true},
    {"halt", 13, 13, NONE, ANYWHERE, true},
    {"forbidden_port", 13, 13, CONTROL_PORT, ANYWHERE, true},
    {"fault_port", 13, 13, CONTROL_PORT, ANYWHERE, true},
    {"read_port", 13, 13, CONTROL_PORT, ANYWHERE, true},
    {"write_msr", 13, 13, NONE, ANYWHERE, true},
    {"system_call", 6, CONTROL_SYSCALL, CONTROL_SYSCALL, ANYWHERE, true},
    {"software_interrupt", 13, CONTROL_SYSCALL, 6, ANYWHERE, true},
    {"panic", CONTROL_PANIC, CONTROL_PANIC, NONE, ANYWHERE, true},
};

static const struct vmm_spec *spec(enum vmm_isolation i, const char *name)
{
    static struct vmm_spec s;

    s = (struct vmm_spec){.name = name, .isolation = i, .n_ifs = 1};
    if (geteuid() == 0)
        s.uid = 190001;
    return &s;
}

/* The innermost return address. */
static uint64_t caller(const struct kit_vm *v)
{
    uint64_t address = 0;

    if (v->stack.len >= sizeof address)
        memcpy(&address, sbuf_text(&v->stack), sizeof address);
    return address;
}

static bool in_text(uint64_t rip)
{
    return rip >= LAYOUT_TEXT && rip < LAYOUT_TEXT + LAYOUT_TEXT_MAX;
}

/* Why the report is not what it should be; NULL: it is. */
static const char *judge(const struct kit_vm *v, const struct deed *d,
                         enum vmm_isolation i)
{
    static char why[512];
    int want = i == VMM_KVM ? d->vector : d->process_vector;
    int got = (int)v->crash.vector;

    if (!v->ended)
        return "the VM goes on";
    if (!v->crashed)
        return "there was no crash report";
    if (v->end != VMM_END_CRASH)
        return "it did not end as a crash";
    /* An interrupt gate that is not there: #GP, #UD or a killed process, by kind of KVM. */
    if (got != want && !(i == VMM_KVM && got == d->other_vector)) {
        snprintf(why, sizeof why, "vector %d, not %d (rip %llx, address %llx) %s", got,
                 want, (unsigned long long)v->crash.rip,
                 (unsigned long long)v->crash.address, v->crash.message);
        return why;
    }
    if (d->address != ANYWHERE && v->crash.address != d->address) {
        snprintf(why, sizeof why, "address %llx, not %llx",
                 (unsigned long long)v->crash.address, (unsigned long long)d->address);
        return why;
    }
    if (d->in_text && !in_text(v->crash.rip))
        return "the report's rip is not in the text";
    if (!d->in_text && !in_text(caller(v)))
        return "the caller is not on top of the stack";
    return NULL;
}

static void must_end(struct kit *k, struct kit_vm *beside, const struct deed *d,
                     enum vmm_isolation i)
{
    struct kit_vm v;
    const char *why = "cannot be spawned";

    if (kit_spawn(k, &v, spec(i, d->name))) {
        uint32_t status = kit_ask(&v, CONTROL_READ, d->name, NULL, 3000);

        kit_wait(k, &v.ended, 3000);
        why = judge(&v, d, i);
        if (!why && status != VMM_GONE)
            why = "the request was not answered with VMM_GONE";
        if (!why && kit_ask(beside, CONTROL_PING, NULL, NULL, 3000) != CONTROL_OK)
            why = "the VM beside it does not answer";
        kit_end(&v);
    }
    kit_report(!why, d->name, i, why);
}

/* Deeds that must do no harm: the VM itself answers afterwards. */
static void must_survive(struct kit *k, struct kit_vm *beside, const char *deed,
                         enum vmm_isolation i)
{
    struct kit_vm v;
    const char *why = "cannot be spawned";

    if (kit_spawn(k, &v, spec(i, deed))) {
        uint32_t status = kit_ask(&v, CONTROL_READ, deed, NULL, 5000);

        why = NULL;
        if (status != CONTROL_OK && status != CONTROL_ERROR && status != VMM_TIMEOUT)
            why = "no answer to the deed";
        else if (v.ended)
            why = "it ended the VM";
        else if (kit_ask(beside, CONTROL_PING, NULL, NULL, 3000) != CONTROL_OK)
            why = "the VM beside it does not answer";
        kit_end(&v);
        if (!why && v.end != VMM_END_KILLED)
            why = "it could not be killed";
    }
    kit_report(!why, deed, i, why);
}

static void a_spinning_guest_times_out(struct kit *k, enum vmm_isolation i)
{
    struct kit_vm v;
    const char *why = "cannot be spawned";

    if (kit_spawn(k, &v, spec(i, "spin"))) {
        why = NULL;
        if (kit_ask(&v, CONTROL_READ, "spin", NULL, 300) != VMM_TIMEOUT)
            why = "the first request did not time out";
        else if (kit_ask(&v, CONTROL_PING, NULL, NULL, 300) != VMM_BUSY)
            why = "the second one was not told that the VM is busy";
        kit_end(&v);
        if (!why && v.end != VMM_END_KILLED)
            why = "it could not be killed";
    }
    kit_report(!why, "a_spinning_guest_times_out", i, why);
}

static void console_survives_forgery(struct kit *k, enum vmm_isolation i)
{
    struct kit_vm v;
    const char *why = "cannot be spawned";

    if (kit_spawn(k, &v, spec(i, "forge"))) {
        kit_ask(&v, CONTROL_READ, "forge_console", NULL, 3000);
        why = v.console.len > 3 * CONTROL_CONSOLE ? "more than the ring holds" : NULL;
        if (!why && kit_ask(&v, CONTROL_PING, NULL, NULL, 3000) != CONTROL_OK)
            why = "no answer afterwards";
        kit_end(&v);
    }
    kit_report(!why, "console_survives_forgery", i, why);
}

static void run_all(struct kit *k, enum vmm_isolation i)
{
    static const char *const harmless[] = {"forge_answers", "long_answer",
                                           "flood_console", "flood_doorbell",
                                           "want_heap",     "wait_for_nothing"};
    struct kit_vm beside;

    if (!kit_spawn(k, &beside, spec(i, "beside"))) {
        kit_report(false, "spawn", i, "no VM at all");
        return;
    }
    for (size_t n = 0; n < sizeof deeds / sizeof deeds[0]; n++)
        must_end(k, &beside, &deeds[n], i);
    for (size_t n = 0; n < sizeof harmless / sizeof harmless[0]; n++)
        must_survive(k, &beside, harmless[n], i);
    a_spinning_guest_times_out(k, i);
    console_survives_forgery(k, i);
    kit_end(&beside);
}

int main(int argc, char **argv)
{
    enum vmm_isolation kinds[2];
    struct kit k;
    unsigned n;

    if (argc < 2 || !kit_start(&k, argv[1], "hostile.elf"))
        return 1;
    n = kit_isolations(&k, kinds);
    if (n < 2 && !(argc > 2 && strcmp(argv[2], "process") == 0))
        printf("SKIP vm/crash (kvm): no KVM\n");
    for (unsigned i = 0; i < n; i++)
        if (argc < 3 || strcmp(argv[2], kit_isolation_name(kinds[i])) == 0)
            run_all(&k, kinds[i]);
    kit_stop(&k);
    return kit_failures() != 0;
}
