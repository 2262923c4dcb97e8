// SPDX-License-Identifier: BSD-3-Clause
/*
 * store.h -- what outlives the daemon: one small JSON file for each VM, network and port
 *
 *     DIR/lock             held by the daemon that uses DIR
 *     DIR/networks/NAME    {...}
 *     DIR/ports/NAME       {...}
 *     DIR/vms/NAME         {...}
 *     DIR/parked/NAME      the state of a VM that is parked (ctl/snapshot.h)
 *     DIR/run/NAME.sock    where a VM's monitor listens for the next daemon
 *
 * A file is written beside its place and renamed into it: whoever dies in between, or
 * finds the disk full, leaves the old file as it was.
 */

#ifndef CTL_STORE_H
#define CTL_STORE_H

#include "base/diag.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* STORE_SOCKET has names only: of VMs whose monitor listens, or did when it was killed. */
enum store_kind { STORE_NETWORK, STORE_PORT, STORE_VM, STORE_SOCKET };

/* Monitors listen at DIR/run/NAME.sock, of which sockaddr_un holds 107 bytes. */
enum { STORE_MAX_PATH = 107 - (int)sizeof "/run/x.sock" + 1 };

/* Use the folder `dir`, made if it is not there. NULL with a message when that cannot be
 * or when another daemon uses it. */
struct store *store_open(const char *dir, struct diag *d);
void store_close(struct store *s);

/* Returned beside -1 by store_put(): the disk is full. */
enum { STORE_FULL = -2 };

/* 0, -1 or STORE_FULL with a message. */
int store_put(struct store *s, enum store_kind kind, const char *name,
              const json_t *value, struct diag *d);
void store_remove(struct store *s, enum store_kind kind, const char *name);

/* The same in two steps, for changes that something else may still refuse: prepare takes
 * the room on the disk, commit puts the file in its place, abort forgets it. Preparing
 * again forgets what was prepared before. */
int store_prepare(struct store *s, enum store_kind kind, const char *name,
                  const json_t *value, struct diag *d);
int store_commit(struct store *s, enum store_kind kind, const char *name,
                 struct diag *d);
void store_abort(struct store *s, enum store_kind kind, const char *name);

/* Call `each` for every file of the kind, sorted by name; damaged ones are reported in
 * `d` as warnings and set aside as NAME.damaged. `value` is borrowed. */
void store_each(struct store *s, enum store_kind kind,
                void (*each)(void *ctx, const char *name, json_t *value), void *ctx,
                struct diag *d);

/* The same for one file. 0: there is none of that name; -1 with a message: it cannot be
 * read now. */
int store_load(struct store *s, enum store_kind kind, const char *name,
               void (*each)(void *ctx, const char *name, json_t *value), void *ctx,
               struct diag *d);

/* The names alone, in no order, so that many can be gone through a few at a time. Files
 * may come and go meanwhile: what was there all along is named. */
struct store_names;
struct store_names *store_names_open(const struct store *s, enum store_kind kind,
                                     struct diag *d);
const char *
store_names_next(struct store_names *n); /* until the next call; NULL: end */
void store_names_close(struct store_names *n);

/* Path of a VM's socket, and of the file a parked one lies in: heap, NULL when memory ran
 * out. */
char *store_parked_path(const struct store *s, const char *name);
char *store_socket_path(const struct store *s, const char *name);

#endif
