// SPDX-License-Identifier: BSD-3-Clause
/*
 * snapshot.h -- VMs in files: what the daemon knows of one, and its state (vmm/state.h)
 *
 *     struct snapshot_head
 *     blocks of up to 64 KiB, each behind two words that say how long it is and how long
 *     it was before zlib had it (states of 4 MiB and more are not packed); in them:
 *
 *     record           JSON, as in the state folder
 *     state            head and runs as they are
 *     pages            of the state; for each 64 bytes that say which of its 512 words are
 *                      not zero, and then those
 *
 * A file is read as a whole and its sum compared before anything of it is used. Pages are
 * mostly zeros and pointers into a few others, so that a file takes a tenth of them.
 *
 * Trust: a file may have been damaged, or made by somebody who wishes us ill and can
 *        compute a sum, too: sizes are bounded, the record is judged like a request, the
 *        state as one that comes from a monitor.
 */

#ifndef CTL_SNAPSHOT_H
#define CTL_SNAPSHOT_H

#include "base/diag.h"

#include <jansson.h>
#include <stdint.h>

#define SNAPSHOT_VERSION 2u

/* Write to `fd`, from its beginning. -1 with a message and errno; `*bytes` is the size. */
int snapshot_write(int fd, const json_t *record, int state_fd, uint64_t *bytes,
                   struct diag *d);

/* The record (the caller's) and the state as a sealed memfd (the caller's to close). -1
 * with a message. */
int snapshot_read(int fd, json_t **record, int *state_fd, struct diag *d);

/* The same with a file's name, which a new file gets only when it is complete. Writing
 * returns -1, or SNAPSHOT_FULL when the disk is. */
enum { SNAPSHOT_FULL = -2 };
int snapshot_save(const char *file, const json_t *record, int state_fd, uint64_t *bytes,
                  struct diag *d);
int snapshot_load(const char *file, json_t **record, int *state_fd, struct diag *d);

#endif
