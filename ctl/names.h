// SPDX-License-Identifier: BSD-3-Clause
/*
 * names.h -- what operators type: names, MAC addresses, sizes
 *
 * Shared by the daemon, which judges them, and the command line.
 */

#ifndef CTL_NAMES_H
#define CTL_NAMES_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_ROOM = 56 }; /* bytes with the NUL: leaves ".15" within BACKPLANE_NAME */

#define NAME_DAMAGED ".damaged" /* what the store adds to files that it cannot read */

/* Names begin with a letter or digit, go on with these and "_-" and, where `dots` says
 * so, '.', but do not end in NAME_DAMAGED. Names are also file names: nothing here can
 * leave a folder. `what` is "VM", "network" ... for the message. */
int name_check(const char *what, const char *name, bool dots, struct diag *d);

/* "02:00:00:00:00:01"; false if it is no unicast address. */
bool mac_parse(const char *text, uint8_t mac[6]);

enum { MAC_TEXT = 18 };
const char *mac_format(const uint8_t mac[6], char text[MAC_TEXT]);

/* The address of interface `n` of the VM of that name: the same every time, locally
 * administered. */
void mac_from_name(const char *vm, unsigned n, uint8_t mac[6]);

/* "64M", "1G", "4096", also with "iB" or "B" behind: bytes, powers of two. */
bool size_parse(const char *text, uint64_t *bytes);

/* "1.5s", "200ms", "10": seconds to ms. */
bool seconds_parse(const char *text, uint64_t *ms);

#endif
