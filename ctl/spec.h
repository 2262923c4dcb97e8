// SPDX-License-Identifier: BSD-3-Clause
/*
 * spec.h -- what somebody wants: VMs, configurations and networks as JSON and as structs
 *
 * The same JSON comes in through the API, lies in the state folder and is read back from
 * there, so there is one parser for all of it.
 *
 * Memory: a spec owns the JSON it was read from (`json`), and its strings live in there.
 *         After a failed call there is nothing to free.
 */

#ifndef CTL_SPEC_H
#define CTL_SPEC_H

#include "abi/netmem.h"
#include "base/diag.h"
#include "ctl/quota.h"
#include "switch/backplane.h"
#include "vmm/client.h"

#include <jansson.h>
#include <stdbool.h>

#define SPEC_MAIN "main" /* the configuration's name when none is given */

/* A configuration: {"text", "file"?, "defines"?: {"PORT": "80"}}. */
struct spec_config {
    json_t *json;     /* owned */
    const char *text; /* in json, as the next */
    size_t len;
    const char *file; /* "config" if none was given */
};
int spec_config_read(struct spec_config *c, json_t *o, struct diag *d);
int spec_config_make(struct spec_config *c, const char *text, size_t len,
                     const char *file, json_t *defines, struct diag *d);
void spec_config_fini(struct spec_config *c);

/* The one text that the guest gets: base/confhead.h above the configuration. Heap; NULL
 * with a message if it is too long. */
char *spec_config_wire(const struct spec_config *c, size_t *len, struct diag *d);

/* An interface: {"network"?: "left", "mac"?: "02:...", "wake"?: "any" | "own",
 *                "ip"?: ["10.0.0.1"], and what ctl/portset.h knows}. */
struct spec_if {
    const char *network; /* NULL: connected to nothing */
    uint8_t mac[6];
    const json_t *json; /* borrowed; its settings are among it, and right */
    bool own_only;      /* what wakes it: as struct park_config has it */
    uint32_t n_ip4;
    uint32_t ip4[PARK_MAX_IPS];
};

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS };
const char *spec_restart_name(enum restart_policy policy);

#define SPEC_PARK_DEFAULT UINT64_MAX /* as the daemon was told */

/* A VM: {"name", "interfaces": [...], "isolation", "memory", "buffers", "mtu",
 *        "create_networks", "restart", "park_after", "lazy", "cpu", "memory_max",
 *        "config": {...}} */
struct spec_vm {
    json_t *json; /* owned */
    const char *name;
    enum vmm_isolation isolation;
    uint64_t memory, buffers, mtu; /* 0: default */
    unsigned n_ifs;
    struct spec_if ifs[NETMEM_MAX_IFS];
    bool create_networks;
    struct quota_limits limits;
    bool lazy;           /* starts with its first packet */
    uint64_t park_after; /* s without traffic; 0: never */
    enum restart_policy restart;
    json_t *config; /* in json; NULL: none */
};
int spec_vm_read(struct spec_vm *v, const char *text, size_t len, struct diag *d);

/* The same of JSON that was read already: an object, which is taken over in any case, or
 * NULL after a message. */
int spec_vm_take(struct spec_vm *v, json_t *json, struct diag *d);
void spec_vm_fini(struct spec_vm *v);

const char *spec_isolation_name(enum vmm_isolation isolation);

/* A network: {"name", "mode"?: "learn" | "wire", "backpressure", "max_addresses",
 *             "port_limit", "age_s", "storm_pps"} */
struct spec_net {
    json_t *json; /* owned */
    struct network_config config;
};
int spec_net_read(struct spec_net *n, const char *text, size_t len, struct diag *d);
void spec_net_fini(struct spec_net *n);

#endif
