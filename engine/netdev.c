// SPDX-License-Identifier: BSD-3-Clause
/* netdev.c -- the network interfaces that an element can name: see netdev.h */

#include "engine/netdev.h"

#include <string.h>

static bool is_own(const struct platform *p, const struct netdev *dev)
{
    return dev >= p->netdevs && dev < p->netdevs + p->n_netdevs;
}

static struct netdev *find_own(const struct platform *p, const char *name)
{
    uint64_t number;

    for (unsigned i = 0; i < p->n_netdevs; i++)
        if (p->netdevs[i].name && strcmp(p->netdevs[i].name, name) == 0)
            return &p->netdevs[i];
    if (parse_u64(name, 10, &number) && number < p->n_netdevs)
        return &p->netdevs[number];
    return NULL;
}

static void complain(const struct platform *p, const char *name, struct diag *d)
{
    struct sbuf s = SBUF_INIT;

    for (unsigned i = 0; i < p->n_netdevs; i++)
        sbuf_printf(&s, "%s%s", i ? ", " : "", p->netdevs[i].name);
    diag_err(d, "no interface '%s' (there is: %s)", name,
             p->n_netdevs ? sbuf_text(&s) : "none");
    sbuf_fini(&s);
}

struct netdev *netdev_get(struct element *e, const char *name, struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct netdev *dev = find_own(p, name);

    if (dev)
        return dev;
    if (p->open_netdev)
        return p->open_netdev(p->ctx, name, d);
    complain(p, name, d);
    return NULL;
}

void netdev_put(struct element *e, struct netdev *dev)
{
    const struct platform *p = element_platform(e);

    if (dev && !is_own(p, dev) && p->close_netdev)
        p->close_netdev(p->ctx, dev);
}

uint8_t netdev_number(const struct element *e, const struct netdev *dev)
{
    const struct platform *p = element_platform(e);

    return is_own(p, dev) && dev - p->netdevs < 255 ? (uint8_t)(dev - p->netdevs) : 255;
}
