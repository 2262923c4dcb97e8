// SPDX-License-Identifier: BSD-3-Clause
/*
 * portset.h -- what can be said of every port, and changed while it runs
 *
 *     {"in_pps": "10k", "in_burst": 256, "allow_mac": "own", "allow_ip": ["10.0.0.1"]}
 *
 * The table is the truth for `clickos port add` and `port set`, for the interfaces of a VM
 * (`clickos run --if`), and for their help. A list is an array, or a string with commas.
 *
 * Memory: a struct portset owns nothing and refers to nothing.
 */

#ifndef CTL_PORTSET_H
#define CTL_PORTSET_H

#include "base/diag.h"
#include "switch/backplane.h"

#include <jansson.h>
#include <stdbool.h>

struct portset {
    struct port_settings settings;
    uint32_t n_static; /* addresses that are always behind the port */
    uint8_t static_macs[PORT_MAX_ALLOWED][6];
};

struct portset_key {
    const char *name, *help;
    int (*read)(struct portset *p, const struct portset_key *k, const json_t *o,
                const uint8_t *own, struct diag *d);
    size_t offset, offset_too; /* in struct portset; 0: none */
};

/* Ends with name NULL. */
extern const struct portset_key portset_keys[];

bool portset_has(const char *key);

/* Read what `o` (NULL: nothing) says of settings, from defaults on; members that are none
 * are not looked at. `own` is what "own" stands for as an address, NULL: refuse it. */
int portset_read(struct portset *p, const json_t *o, const uint8_t *own,
                 struct diag *d);

/* The members of `o` that are settings: a new object. */
json_t *portset_filter(const json_t *o);

/* `had` (may be NULL) with the members of `change` over it, null taking one away; NULL and
 * a message when one of them is no setting. A new object. */
json_t *portset_merge(const json_t *had, const json_t *change, struct diag *d);

/* What differs from the defaults, for people and programs: a new object. */
json_t *portset_describe(const struct portset *p);

#endif
