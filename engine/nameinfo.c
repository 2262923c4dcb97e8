// SPDX-License-Identifier: BSD-3-Clause
/* nameinfo.c -- names for values, by scope: see nameinfo.h */

#include "engine/nameinfo.h"

#include "base/strmap.h"
#include "engine/element.h"
#include "engine/host.h"
#include "engine/names_builtin.h"
#include "engine/parse.h"
#include "engine/parse_chars.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <string.h>

/* One name; the chain hangs off a bucket of the table. */
struct name {
    struct name *next;
    unsigned kind;
    uint32_t len;
    char *text; /* with its scope: "inner/web" */
    uint8_t value[NAME_VALUE_MAX];
};

/* Lies in the router's arena, so buckets that were outgrown are only given back with the
 * router: the waste is less than the table. */
struct name_table {
    struct name **buckets;
    size_t n_buckets; /* power of two or 0 */
    size_t count;
};

static struct name_table *table_of(const struct element *e)
{
    return e && e->router ? router_shared(e->router, "names", sizeof(struct name_table))
                          : NULL;
}

static size_t bucket_of(const struct name_table *t, unsigned kind, const char *text,
                        size_t len)
{
    return strmap_hash(kind, text, len) & (t->n_buckets - 1);
}

static struct name *table_find(const struct name_table *t, unsigned kind,
                               const char *text, size_t len)
{
    if (!t->n_buckets)
        return NULL;
    for (struct name *n = t->buckets[bucket_of(t, kind, text, len)]; n; n = n->next)
        if (n->kind == kind && n->len == len && memcmp(n->text, text, len) == 0)
            return n;
    return NULL;
}

static int table_grow(struct name_table *t, struct arena *a)
{
    size_t n_old = t->n_buckets, n_new = n_old ? 2 * n_old : 16;
    struct name **old = t->buckets, **b = arena_alloc(a, n_new * sizeof *b);

    if (!b)
        return -1;
    t->buckets = b;
    t->n_buckets = n_new;
    for (size_t i = 0; i < n_old; i++) {
        for (struct name *n = old[i], *next; n; n = next) {
            size_t at = bucket_of(t, n->kind, n->text, n->len);
            next = n->next;
            n->next = b[at];
            b[at] = n;
        }
    }
    return 0;
}

/* Bytes of the scope that `e` stands in: "a/b/" of "a/b/c". */
static size_t scope_len(const struct element *e)
{
    const char *slash = e && e->name ? strrchr(e->name, '/') : NULL;

    return slash ? (size_t)(slash - e->name) + 1 : 0;
}

/* Names come from configurations, whose length is bounded; longer ones are not found. */
enum { SCOPED_MAX = 1024 };

/* `name` below the first `scope` bytes of e's name. Returns its length, 0 if too long. */
static size_t scoped(char *buf, const struct element *e, size_t scope, const char *name)
{
    size_t len = strlen(name);

    if (scope + len >= SCOPED_MAX)
        return 0;
    if (scope)
        memcpy(buf, e->name, scope);
    memcpy(buf + scope, name, len + 1);
    return scope + len;
}

int name_define(const struct element *e, unsigned kind, const char *name,
                const void *value, size_t size)
{
    struct name_table *t = table_of(e);
    char text[SCOPED_MAX];
    size_t len = scoped(text, e, scope_len(e), name);
    struct name *n;

    if (!t || !len || size > NAME_VALUE_MAX)
        return -1;
    n = table_find(t, kind, text, len);
    if (!n) {
        struct arena *a = router_arena(e->router);

        if (t->count >= t->n_buckets && table_grow(t, a) < 0)
            return -1;
        n = arena_alloc(a, sizeof *n);
        if (!n || !(n->text = arena_strndup(a, text, len)))
            return -1;
        n->kind = kind;
        n->len = (uint32_t)len;
        n->next = t->buckets[bucket_of(t, kind, text, len)];
        t->buckets[bucket_of(t, kind, text, len)] = n;
        t->count++;
    }
    memcpy(n->value, value, size);
    return 0;
}

static bool query_at(const struct name_table *t, const struct element *e, size_t scope,
                     unsigned kind, const char *name, void *value, size_t size)
{
    char text[SCOPED_MAX];
    size_t len = scoped(text, e, scope, name);
    const struct name *n = len ? table_find(t, kind, text, len) : NULL;

    if (n)
        memcpy(value, n->value, size);
    return n != NULL;
}

bool name_query_here(const struct element *e, unsigned kind, const char *name,
                     void *value, size_t size)
{
    const struct name_table *t = table_of(e);

    return t && t->count && query_at(t, e, scope_len(e), kind, name, value, size);
}

bool name_query(const struct element *e, unsigned kind, const char *name, void *value,
                size_t size)
{
    const struct name_table *t = table_of(e);
    uint32_t builtin;

    if (t && t->count) {
        for (size_t scope = scope_len(e);;) {
            if (query_at(t, e, scope, kind, name, value, size))
                return true;
            if (!scope)
                break;
            scope--; /* over the slash, then back to the one before */
            while (scope && e->name[scope - 1] != '/')
                scope--;
        }
    }
    if (size != sizeof builtin || !names_builtin_value(kind, name, &builtin))
        return false;
    memcpy(value, &builtin, size);
    return true;
}

bool name_query_host(const struct element *e, unsigned kind, const char *name,
                     void *value, size_t size)
{
    const struct platform *p = e && e->router ? element_platform(e) : NULL;

    if (!p)
        return false;
    if (p->host && p->host->find_name)
        return p->host->find_name(p->ctx, kind, name, value, size);
    for (unsigned i = 0; kind == NAME_ETHER && i < p->n_netdevs; i++)
        if (p->netdevs[i].name && strcmp(p->netdevs[i].name, name) == 0) {
            memcpy(value, p->netdevs[i].mac, sizeof p->netdevs[i].mac);
            return true;
        }
    return false;
}

bool name_query_int(const struct element *e, unsigned kind, const char *name,
                    uint32_t *value)
{
    uint64_t number;

    if (name_query(e, kind, name, value, sizeof *value))
        return true;
    if ((kind == NAME_PORT + 6 || kind == NAME_PORT + 17) && char_is_alpha(*name) &&
        name_query_host(e, kind, name, value, sizeof *value))
        return true;
    if (!parse_u64(name, 0, &number) || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

const char *name_of(unsigned kind, uint32_t value)
{
    return names_builtin_name(kind, value);
}
