// SPDX-License-Identifier: BSD-3-Clause
/*
 * portspec.h -- what somebody wants of a port: a table of keys a kind, read into a
 *               port_config; what all kinds have in common is in portset.h
 *
 *     {"name": "tap0", "kind": "tap", "network": "left", "netns": "client"}
 *
 * The table is the truth for the API, for `clickos port add KEY=VALUE` and for its help.
 * Every value may be given as a string, too.
 *
 * Memory: a spec owns the JSON it was read from; its strings live in there.
 */

#ifndef CTL_PORTSPEC_H
#define CTL_PORTSPEC_H

#include "base/diag.h"
#include "ctl/portset.h"

#include <jansson.h>
#include <stddef.h>

enum portkey_type {
    PORTKEY_STRING = 1,
    PORTKEY_PATH, /* a file; the command line makes it absolute */
    PORTKEY_BOOL,
    PORTKEY_U16,
    PORTKEY_U32,
    PORTKEY_U64,
    PORTKEY_COUNT, /* u64, or "forever" */
    PORTKEY_RATE,  /* double: "1M" is a million */
    PORTKEY_MAC,
    PORTKEY_IP,
    PORTKEY_SIZES, /* "64,594,1518" */
};

struct portkey {
    enum port_kind kind;
    enum portkey_type type;
    const char *name, *help;
    size_t offset; /* in struct port_config */
};

/* Ends with name NULL. */
extern const struct portkey portkeys[];

/* The kinds that can be made by hand; ends with name NULL. */
struct portkind {
    enum port_kind kind;
    const char *name, *help;
};
extern const struct portkind portkinds[];

struct spec_port {
    json_t *json;        /* owned */
    const char *network; /* NULL: none given */
    uint8_t tap_mac[6];  /* what config.tap.mac points to */
    struct portset set;  /* its settings are in config, too */
    struct port_config config;
};

/* config.network is still to be filled in, and config.tap.ifname may be NULL. */
int spec_port_read(struct spec_port *p, const char *text, size_t len, struct diag *d);
void spec_port_fini(struct spec_port *p);

/* The address of its device if one was asked for, NULL otherwise. Borrowed. */
const uint8_t *spec_port_mac(const struct spec_port *p);

#endif
