// SPDX-License-Identifier: BSD-3-Clause
/*
 * kit.h -- what tests need to start VMs and to wait for things to happen to them
 *
 * Every wait has a limit; what does not happen in time makes the test fail, not hang.
 */

#ifndef TESTS_VM_KIT_H
#define TESTS_VM_KIT_H

#include "base/sbuf.h"
#include "vmm/client.h"

struct kit {
    struct vmm_host *host; /* owned */
    const char *dir;       /* borrowed: where the programs are */
};

struct kit_vm {
    struct kit *kit;
    struct vmm *vm; /* owned */
    bool ready, crashed, ended;
    struct vmm_timing timing;
    struct sbuf console;
    uint64_t console_lost;
    struct control_crash crash;
    uint64_t stack_at;
    struct sbuf stack; /* bytes */
    enum vmm_end end;
    int status;
    char why[256];

    /* Of the newest kit_ask(). */
    bool answered;
    uint32_t answer;
    struct sbuf reply;
};

/* Start the fork server with `dir`/`image`. False with a message on stderr. */
bool kit_start(struct kit *k, const char *dir, const char *image);
void kit_stop(struct kit *k);

/* Spawn a VM; it is freed, and killed if it lives, by kit_end(). */
bool kit_spawn(struct kit *k, struct kit_vm *v, const struct vmm_spec *spec);
void kit_end(struct kit_vm *v);

/* Connect to a VM at its socket. */
bool kit_adopt(struct kit *k, struct kit_vm *v, const char *path);

/* For what comes at once, or never: even with many others on the machine. */
enum { KIT_HANGS_MS = 60000 };

/* Run the event loop until `*flag` or for `ms`; returns *flag. */
bool kit_wait(struct kit *k, const bool *flag, int ms);

/* Run the event loop for `ms`, whatever happens. */
void kit_pause(struct kit *k, int ms);

/* One request and its answer; the status, or UINT32_MAX if there was none. `timeout_ms` 0:
 * KIT_HANGS_MS. */
uint32_t kit_ask(struct kit_vm *v, enum control_verb verb, const char *handler,
                 const char *text, unsigned timeout_ms);

uint64_t kit_now_ns(void); /* steady time */

/* What to run VMs with: fills `out`, returns how many; VMM_KVM only where there is one. */
unsigned kit_isolations(const struct kit *k, enum vmm_isolation out[2]);

const char *kit_isolation_name(enum vmm_isolation i);

/* "PASS name (isolation)" or "FAIL name (isolation): why"; counts the failures. */
void kit_report(bool passed, const char *name, enum vmm_isolation i, const char *why);
int kit_failures(void);

#endif
