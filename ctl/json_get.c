// SPDX-License-Identifier: BSD-3-Clause
/* json_get.c -- members of a JSON object: see json_get.h */

#include "ctl/json_get.h"

#include "base/sbuf.h"
#include "base/suggest.h"
#include "ctl/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

json_t *json_get_object(const char *text, size_t len, struct diag *d)
{
    json_error_t error;
    json_t *o;

    if (len == 0)
        return json_object();
    o = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!o) {
        diag_err(d, "the request is no JSON: %s (line %d, column %d)", error.text,
                 error.line, error.column);
        return NULL;
    }
    if (!json_is_object(o)) {
        diag_err(d, "the request must be a JSON object");
        json_decref(o);
        return NULL;
    }
    return o;
}

int json_get_only(const json_t *o, const char *const *known, size_t n, struct diag *d)
{
    const char *key, *near;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)o, key, value)
    {
        size_t i = 0;

        while (i < n && strcmp(known[i], key))
            i++;
        if (i < n)
            continue;
        near = suggest_nearest(key, known, n);
        if (near)
            return diag_err(d, "unknown member '%.60s': did you mean '%s'?", key, near);
        return diag_err(d, "unknown member '%.60s'", key);
    }
    return 0;
}

int json_get_string(const json_t *o, const char *key, const char **out, struct diag *d)
{
    const json_t *v = json_object_get(o, key);

    if (!v || json_is_null(v))
        return 0;
    if (!json_is_string(v))
        return diag_err(d, "'%s' must be a string", key);
    if (strlen(json_string_value(v)) != json_string_length(v))
        return diag_err(d, "'%s' must not contain NUL", key);
    *out = json_string_value(v);
    return 0;
}

int json_get_bool(const json_t *o, const char *key, bool *out, struct diag *d)
{
    const json_t *v = json_object_get(o, key);
    const char *text = json_string_value(v);

    if (!v || json_is_null(v))
        return 0;
    if (json_is_boolean(v))
        *out = json_is_true(v);
    else if (text && (!strcmp(text, "true") || !strcmp(text, "yes")))
        *out = true;
    else if (text && (!strcmp(text, "false") || !strcmp(text, "no")))
        *out = false;
    else
        return diag_err(d, "'%s' must be true or false", key);
    return 0;
}

/* "64M" of what is whole MiB, as people give it; else the number. */
static void put_size(struct sbuf *b, uint64_t n, bool is_size)
{
    if (is_size && n && n % (1 << 30) == 0)
        sbuf_printf(b, "%" PRIu64 "G", n >> 30);
    else if (is_size && n && n % (1 << 20) == 0)
        sbuf_printf(b, "%" PRIu64 "M", n >> 20);
    else
        sbuf_printf(b, "%" PRIu64, n);
}

/* What begins with a whole MiB is a size. */
static int outside(const char *key, const json_t *v, uint64_t min, uint64_t max,
                   struct diag *d)
{
    bool is_size = min && min % (1 << 20) == 0;
    struct sbuf b = SBUF_INIT;
    uint64_t n;
    int rc;

    sbuf_printf(&b, "'%s' ", key);
    if (json_is_string(v))
        sbuf_printf(&b,
                    size_parse(json_string_value(v), &n) ? "is %.40s, but "
                                                         : "is '%.40s', but ",
                    json_string_value(v));
    else if (json_is_integer(v))
        sbuf_printf(&b, "is %" JSON_INTEGER_FORMAT ", but ", json_integer_value(v));
    sbuf_puts(&b, "must be a number from ");
    put_size(&b, min, is_size);
    if (max < INT64_MAX) {
        sbuf_puts(&b, " to ");
        put_size(&b, max, is_size);
    } else {
        sbuf_puts(&b, " on");
    }
    rc = diag_err(d, "%s", sbuf_text(&b));
    sbuf_fini(&b);
    return rc;
}

int json_get_u64(const json_t *o, const char *key, uint64_t min, uint64_t max,
                 uint64_t *out, struct diag *d)
{
    const json_t *v = json_object_get(o, key);
    uint64_t n;

    if (!v || json_is_null(v))
        return 0;
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        n = (uint64_t)json_integer_value(v);
    else if (!json_is_string(v) || !size_parse(json_string_value(v), &n))
        return outside(key, v, min, max, d);
    if (n < min || n > max)
        return outside(key, v, min, max, d);
    *out = n;
    return 0;
}

/* Powers of ten, as everywhere in networking; -1: it is no number. */
static double decimal(const json_t *v)
{
    static const char units[] = "kmg";
    const char *text = json_string_value(v), *unit;
    double n = json_is_number(v) ? json_number_value(v) : -1;
    char *end;

    if (!text)
        return n;
    n = strtod(text, &end);
    if (end == text)
        return -1;
    if (!*end)
        return n;
    unit = strchr(units, *end | 0x20);
    if (!unit || end[1])
        return -1;
    for (const char *u = units; u <= unit; u++)
        n *= 1000;
    return n;
}

int json_get_rate(const json_t *o, const char *key, double *out, struct diag *d)
{
    const json_t *v = json_object_get(o, key);
    double rate = decimal(v);

    if (!v || json_is_null(v))
        return 0;
    if (!(rate >= 0) || rate > 1e15)
        return diag_err(d, "'%s' must be a rate, as 1000 or 1.5M", key);
    *out = rate;
    return 0;
}

int json_get_count(const json_t *o, const char *key, uint64_t max, uint64_t *out,
                   struct diag *d)
{
    const json_t *v = json_object_get(o, key);
    double n = decimal(v);

    if (!v || json_is_null(v))
        return 0;
    /* The second: not a whole number, or one that a double does not hold. */
    if (!(n >= 0) || n > 1e15 || n != (double)(uint64_t)n)
        return diag_err(d, "'%s' must be a number, as 1000 or 10k", key);
    if (n > (double)max)
        return diag_err(d, "'%s' is %.0f, but must be from 0 to %" PRIu64, key, n, max);
    *out = (uint64_t)n;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const char *x = json_string_value(json_object_get(*(json_t *const *)a, "name"));
    const char *y = json_string_value(json_object_get(*(json_t *const *)b, "name"));

    return strcmp(x ? x : "", y ? y : "");
}

void json_sort_by_name(json_t *list)
{
    size_t n = json_array_size(list);
    json_t **items = calloc(n + 1, sizeof *items);

    if (!items)
        return;
    for (size_t i = 0; i < n; i++)
        items[i] = json_incref(json_array_get(list, i));
    qsort(items, n, sizeof *items, compare_names);
    for (size_t i = 0; i < n; i++)
        json_array_set_new(list, i, items[i]);
    free(items);
}
