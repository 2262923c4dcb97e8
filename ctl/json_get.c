// SPDX-License-Identifier: BSD-3-Clause
/* json_get.c -- members of a JSON object: see json_get.h */

#include "ctl/json_get.h"

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
        return diag_err(d, "'%s' must be a number", key);
    if (n < min || n > max)
        return diag_err(d,
                        "'%s' is %" PRIu64 ", but must be from %" PRIu64 " to %" PRIu64,
                        key, n, min, max);
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
