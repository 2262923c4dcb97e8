// SPDX-License-Identifier: BSD-3-Clause
/*
 * tap.h -- tap devices that outlive the daemon
 *
 * The switch opens a tap by name. One that was made persistent before stays when the
 * daemon dies, with the addresses and routes somebody gave it, and is opened again by the
 * next daemon.
 *
 * `netns` is a name of `ip netns`, a path with a '/' in it, or NULL for ours.
 */

#ifndef CTL_TAP_H
#define CTL_TAP_H

#include "base/diag.h"

#include <stdbool.h>

/* Make the device if it is not there; `*made` says whether it was. */
int tap_make(const char *ifname, const char *netns, bool *made, struct diag *d);

/* Remove one that nobody has open. */
void tap_remove(const char *ifname, const char *netns);

#endif
