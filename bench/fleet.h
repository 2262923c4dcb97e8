// SPDX-License-Identifier: BSD-3-Clause
/*
 * fleet.h -- real VMs on a backplane, for benchmarks
 *
 * Any failure ends the program with a message: a benchmark without its VMs has nothing to
 * say. All VMs of a fleet boot at once; fleet_wait() returns when each of them runs its
 * configuration.
 *
 * Threads: one. The backplane's worker is another.
 */

#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "switch/backplane.h"
#include "vmm/client.h"

#include <stdbool.h>
#include <stdint.h>

enum { FLEET_MAX = 128, FLEET_IFS = 2 };

struct fleet_vm {
    struct vmm *vm;
    uint32_t ports[FLEET_IFS]; /* of the backplane */
    bool installed, ended;
};

struct fleet {
    struct vmm_host *host;
    struct backplane *bp;
    enum vmm_isolation isolation; /* of the VMs added next */
    uint64_t guest_poll_ns;       /* 0: default */
    struct fleet_vm vms[FLEET_MAX];
    unsigned n, asked; /* asked: writes that were not answered yet */
    unsigned names;
};

double fleet_now_s(void);

/* `config` may be NULL. */
void fleet_open(struct fleet *f, const struct backplane_config *config);

/* A new backplane for the same host; the VMs must have been cleared. */
void fleet_reopen(struct fleet *f, const struct backplane_config *config);
void fleet_close(struct fleet *f);

/* Networks and ports. Names are made up; those of `c` are not used. */
uint32_t fleet_net(struct fleet *f, struct network_config c);
uint32_t fleet_wire(struct fleet *f); /* with backpressure */
uint32_t fleet_port(struct fleet *f, struct port_config c);
void fleet_drop_port(struct fleet *f, uint32_t port);

/* Start a VM with `n_ifs` interfaces on these networks and the configuration `click`,
 * called "c". Returns its number. Its MAC addresses are 02:00:00:ii:00:nn, nn from 1. */
unsigned fleet_add(struct fleet *f, const char *click, unsigned n_ifs,
                   const uint32_t *nets);
void fleet_mac(unsigned vm, unsigned interface, uint8_t mac[6]);
void fleet_wait(struct fleet *f);

/* Write a handler of all VMs from `first` on, `n` of them, and wait for the answers. */
void fleet_write(struct fleet *f, unsigned first, unsigned n, const char *handler,
                 const char *value);

/* End all VMs and take their ports away. */
void fleet_clear(struct fleet *f);

struct port_stats fleet_stats(struct fleet *f, uint32_t port);

#endif
