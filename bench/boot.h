// SPDX-License-Identifier: BSD-3-Clause
/*
 * boot.h -- VMs of one port that are started one after the other and then stay
 *
 * Each is a firewall with a rule of its own: it answers ARP and ping for its own address,
 * sends what its rules let through back to where it came from, and drops the rest. All of
 * a group share a network. A group is one process's; a benchmark of more VMs than a
 * process may have descriptors for has several.
 *
 * Any failure ends the program with a message.
 *
 * Threads: one. The backplane's worker is another.
 */

#ifndef BENCH_BOOT_H
#define BENCH_BOOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What starts differ in. A VM's number tells which it is: every other one comes out of a
 * pool of booted shells, so that both kinds meet the same machine. */
enum boot_kind { BOOT_COLD, BOOT_SHELL, BOOT_KINDS };
static inline enum boot_kind boot_kind(unsigned vm)
{
    return vm % BOOT_KINDS ? BOOT_SHELL : BOOT_COLD;
}

/* ns; but for the last one, from vmm_spawn() on. */
enum boot_step { BOOT_READY, BOOT_INSTALLED, BOOT_FIRST, BOOT_PING, BOOT_STEPS };

struct boot_result {
    pid_t pid;
    uint64_t ns[BOOT_STEPS]; /* BOOT_PING: round trip; 0: no answer */
};

/* Descriptors that a VM takes of its group's process. */
enum { BOOT_FILES = 6, BOOT_FILES_MORE = 200, BOOT_MAX = 60000 };

/* A group that can have VMs number `from` up to `to`. Ends the program with status 77 when
 * there is no KVM. */
struct boot_group;
struct boot_group *boot_open(unsigned from, unsigned to, struct boot_result *results);

/* Start the VM of that number, and return when it has forwarded its first packet. */
void boot_start(struct boot_group *g, unsigned vm);

/* ARP and an ICMP echo request to all of them, one after the other; returns how many have
 * answered as they should. */
unsigned boot_ping(struct boot_group *g);

void boot_close(struct boot_group *g);

#endif
