// SPDX-License-Identifier: BSD-3-Clause
/* chatter.c -- text for listeners: see chatter.h */

#include "engine/chatter.h"

#include "engine/router.h"

#include <string.h>

int chatter_find(const struct element *e, const char *name,
                 struct chatter_channel **channel)
{
    struct sbuf key = SBUF_INIT;

    *channel = NULL;
    if (!name || !*name || strcmp(name, "default") == 0)
        return 0;
    sbuf_printf(&key, "chatter %s", name);
    if (!key.failed)
        *channel = router_shared(e->router, sbuf_text(&key), sizeof **channel);
    sbuf_fini(&key);
    return *channel ? 0 : -1;
}

void chatter_listen(struct chatter_channel *c, struct chatter_listener *l, bool loud)
{
    c->loud = c->open ? c->loud : loud;
    c->open = true;
    l->next = c->listeners;
    c->listeners = l;
}

void chatter_leave(struct chatter_channel *c, struct chatter_listener *l)
{
    struct chatter_listener **at = &c->listeners;

    while (*at && *at != l)
        at = &(*at)->next;
    if (*at)
        *at = l->next;
}

void chatter_say(struct element *e, const struct chatter_channel *c,
                 const struct sbuf *line)
{
    if (!c || c->loud)
        element_say(e, "%s", sbuf_text(line));
    for (const struct chatter_listener *l = c ? c->listeners : NULL; l; l = l->next)
        l->hear(l->arg, sbuf_text(line), line->len);
}
