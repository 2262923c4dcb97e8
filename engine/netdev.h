// SPDX-License-Identifier: BSD-3-Clause
/* netdev.h -- the network interfaces that an element can name; for elements/device */

#ifndef ENGINE_NETDEV_H
#define ENGINE_NETDEV_H

#include "engine/element.h"
#include "engine/platform.h"

/* The interface called `name`: one of the machine's own, by name or number, or, where
 * there is an operating system, one that is opened. NULL with a message in `d` that says
 * which there are. Give it back with netdev_put(). */
struct netdev *netdev_get(struct element *e, const char *name, struct diag *d);
void netdev_put(struct element *e, struct netdev *dev); /* accepts NULL */

/* Its place among the machine's own, 255 if it is not one of them. */
uint8_t netdev_number(const struct element *e, const struct netdev *dev);

#endif
