// SPDX-License-Identifier: BSD-3-Clause
/* filter_child.h -- a program like zcat between us and a file */

#ifndef ENGINE_OS_FILTER_CHILD_H
#define ENGINE_OS_FILTER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The program that decompresses what begins like this; NULL: it is not compressed. */
const char *filter_for_data(const uint8_t *data, size_t n);
/* The program that compresses a file of that name (.gz, .bz2, .xz); NULL: none. */
const char *filter_for_name(const char *name);

/* Start `program`, found by PATH, with `fd` as its standard input (output if `writing`).
 * Returns our end of the pipe to its other side, -1 with errno set. `fd` stays the
 * caller's. */
int filter_start(const char *program, int fd, bool writing, pid_t *child);
/* Wait for it, after our end of the pipe has been closed. Returns whether all went well. */
bool filter_end(pid_t child);

/* Replace the file by one that gzip has made smaller, NAME.gz. Returns whether it did. */
bool filter_gzip(const char *name);

#endif
