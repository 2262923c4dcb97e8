// SPDX-License-Identifier: BSD-3-Clause
/* config_room.c -- where the configuration of a running element lies: see config_room.h */

#include "engine/config_room.h"

#include "engine/router.h"

struct room {
    char *text;
    size_t size;
};

struct text_rooms {
    struct text_rooms *next;
    uint32_t offset;
    struct room room[2];
};

struct config_rooms { /* of an element */
    struct room config;
    struct text_rooms *texts;
};

static struct config_rooms *rooms_of(struct element *e)
{
    uint32_t n = router_n_elements(e->router);
    struct config_rooms *rooms = router_shared(e->router, "config rooms",
                                               n * sizeof *rooms);

    return rooms ? rooms + e->index : NULL;
}

/* Room for `len` bytes and their end; NULL without memory. */
static char *make_room(struct element *e, struct room *r, size_t len)
{
    size_t size;
    char *text;

    if (len < r->size)
        return r->text;
    if (__builtin_mul_overflow(len + 1, 2, &size))
        return NULL;
    text = arena_alloc(router_arena(e->router), size);
    if (text)
        *r = (struct room){text, size};
    return text;
}

char *config_room(struct element *e, size_t len)
{
    struct config_rooms *rooms = rooms_of(e);

    return rooms ? make_room(e, &rooms->config, len) : NULL;
}

void config_keep(struct element *e, char *room, const char *config)
{
    struct lang_element *declaration =
        (struct lang_element *)(uintptr_t)&router_graph(e->router)->elements[e->index];

    memmove(room, config, strlen(config) + 1);
    e->config = room;
    declaration->config = room; /* for `flatconfig` */
}

static struct text_rooms *text_rooms_of(struct element *e, uint32_t offset)
{
    struct config_rooms *rooms = rooms_of(e);
    struct text_rooms *t;

    if (!rooms)
        return NULL;
    for (t = rooms->texts; t; t = t->next)
        if (t->offset == offset)
            return t;
    t = arena_alloc(router_arena(e->router), sizeof *t);
    if (t) {
        t->offset = offset;
        t->next = rooms->texts;
        rooms->texts = t;
    }
    return t;
}

bool config_keep_text(struct element *e, uint32_t offset, struct text *t)
{
    struct text_rooms *rooms = text_rooms_of(e, offset);
    struct text now;
    char *to;

    memcpy(&now, (const uint8_t *)element_state(e) + offset, sizeof now);
    if (!rooms)
        return false;
    to = make_room(e, &rooms->room[now.s && now.s == rooms->room[0].text], t->len);
    if (!to)
        return false;
    memcpy(to, t->s, t->len);
    to[t->len] = '\0';
    t->s = to;
    return true;
}
