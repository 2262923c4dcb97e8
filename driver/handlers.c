// SPDX-License-Identifier: BSD-3-Clause
/* handlers.c -- what `click -h` prints and `click -x` returns: see handlers.h */

#include "driver/handlers.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static int read_one(struct router *r, const char *spec, const char *heading,
                    struct sbuf *out, struct diag *d)
{
    struct sbuf value = SBUF_INIT;
    char *param = strchr(spec, ' '), *name = strdup(spec);
    int rc;

    if (!name)
        return diag_err(d, "out of memory");
    if (param)
        name[param++ - spec] = '\0';
    rc = handler_read(r, NULL, name, param, &value, d);
    free(name);
    if (rc == 0) {
        if (heading)
            sbuf_printf(out, "%s:\n", heading);
        sbuf_add(out, sbuf_text(&value), value.len);
        if (heading && (!value.len || value.data[value.len - 1] != '\n'))
            sbuf_putc(out, '\n');
        if (heading)
            sbuf_putc(out, '\n');
    }
    sbuf_fini(&value);
    return rc == 0 ? 0 : -1;
}

static int read_pattern(struct router *r, const char *spec, const char *dot,
                        struct sbuf *out, struct diag *d)
{
    char *pattern = strndup(spec, (size_t)(dot - spec));
    bool any = false;
    int rc = 0;

    if (!pattern)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < router_n_elements(r); i++) {
        struct sbuf name = SBUF_INIT;

        if (fnmatch(pattern, router_element(r, i)->name, 0))
            continue;
        sbuf_printf(&name, "%s%s", router_element(r, i)->name, dot);
        if (handler_exists(r, NULL, sbuf_text(&name), HANDLER_READ)) {
            any = true;
            rc |= read_one(r, sbuf_text(&name), sbuf_text(&name), out, d);
        }
        sbuf_fini(&name);
    }
    free(pattern);
    return any ? rc
               : diag_err(d, "no element matching '%s' has a read handler '%s'", spec,
                          dot + 1);
}

int handlers_print(struct router *r, const char *spec, bool headings, struct sbuf *out,
                   struct diag *d)
{
    const char *dot = strchr(spec, '.');

    if (dot && strcspn(spec, "*?[") < (size_t)(dot - spec))
        return read_pattern(r, spec, dot, out, d);
    return read_one(r, spec, headings ? spec : NULL, out, d);
}

int handlers_exit_status(struct router *r, const char *name, struct diag *d)
{
    struct sbuf value = SBUF_INIT;
    int status = -1;
    bool truth;
    int64_t n;
    size_t len;

    if (handler_read(r, NULL, name, NULL, &value, d) < 0)
        return -1;
    len = value.len;
    while (len > 0 && strchr(" \t\n", value.data[len - 1]))
        value.data[--len] = '\0';
    if (parse_i64(sbuf_text(&value), 10, &n))
        status = (int)(n & 255);
    else if (parse_bool(sbuf_text(&value), &truth))
        status = truth ? 0 : 1;
    else
        diag_err(d, "exit handler '%s' has value '%s', which is no exit status", name,
                 sbuf_text(&value));
    sbuf_fini(&value);
    return status;
}
