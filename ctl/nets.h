// SPDX-License-Identifier: BSD-3-Clause
/*
 * nets.h -- networks and the ports that operators make: the switch's side of the API
 *
 * The backplane knows ids and what is attached; here are names, and what is written to
 * the state folder so that a restarted daemon can make all of it again.
 */

#ifndef CTL_NETS_H
#define CTL_NETS_H

#include "ctl/daemon.h"
#include "ctl/portspec.h"
#include "ctl/spec.h"

struct net {
    struct spec_net spec; /* owned */
    uint32_t id;
};

struct user_port {
    struct spec_port spec; /* owned; spec.json is what the state folder has */
    uint32_t id;           /* 0: could not be made again after a restart */
    bool made_device;      /* the tap device was made by us and goes with the port */
    char *trouble;         /* owned; why id is 0 */
};

/* Make what `spec` says and note it in the state folder. Takes over the spec on success.
 * 0, -1 or STORE_FULL with a message. */
int net_add(struct daemon_state *s, struct spec_net *spec, struct diag *d);
int net_add_by_name(struct daemon_state *s, const char *name, struct diag *d);
void net_remove(struct daemon_state *s, struct net *n);
struct net *net_find(struct daemon_state *s, const char *name);

/* As many as belong to the network, and the name of one of them. */
size_t net_ports(struct daemon_state *s, const struct net *n, char one[BACKPLANE_NAME]);

int port_add(struct daemon_state *s, struct spec_port *spec, struct diag *d);
int port_remove(struct daemon_state *s, struct user_port *p, struct diag *d);

/* Change its settings by `change` (portset_merge()), in the switch and in the state folder.
 * 0, -1 or STORE_FULL with a message; then nothing has changed. */
int port_change(struct daemon_state *s, struct user_port *p, const json_t *change,
                struct diag *d);

/* Give a port of the switch the settings `now` in place of `was`, addresses included; and
 * the addresses alone, to one that is new (`was` NULL). -1: all is as it was. */
int port_apply(struct daemon_state *s, uint32_t net, uint32_t port,
               const struct portset *was, const struct portset *now, struct diag *d);
int port_bind(struct daemon_state *s, uint32_t net, uint32_t port,
              const struct portset *was, const struct portset *now, struct diag *d);

/* Read networks and ports back from the state folder. What cannot be made again stays
 * listed with its trouble. */
void nets_load(struct daemon_state *s, struct diag *d);
void nets_free(struct daemon_state *s);

/* The name nearest to `name` among the keys of `m`, or NULL. Borrowed from the map. */
const char *nearest_key(const struct strmap *m, const char *name);

/* 404 for a name that is not in `m`, with a suggestion. `what` is "network", "VM" ... */
void fail_unknown(struct call *c, const struct strmap *m, const char *what,
                  const char *code, const char *name);

#endif
