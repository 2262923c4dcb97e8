// SPDX-License-Identifier: BSD-3-Clause
/* handlers.c -- what `click -h` prints and `click -x` returns: see handlers.h */

#include "driver/handlers.h"

#include "engine/lang/lang.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* One value, with its name above and an empty line below if `heading`. As with Click, a
 * handler that fails has an empty value and is no error, and a NUL ends the text. */
static int read_one(struct router *r, const char *name, bool heading, struct sbuf *out,
                    struct diag *d)
{
    struct sbuf value = SBUF_INIT;

    if (!handler_exists(r, NULL, name, HANDLER_READ | HANDLER_PRIVATE)) {
        if (handler_exists(r, NULL, name, HANDLER_WRITE))
            return diag_err(d, "'%s' is a write handler", name);
        return diag_err(d, "no '%s' handler", name);
    }
    if (handler_read(r, NULL, name, NULL, &value, NULL) < 0)
        sbuf_reset(&value);
    if (heading)
        sbuf_printf(out, "%s:\n", name);
    sbuf_puts(out, sbuf_text(&value));
    if (value.len && strlen(value.data) == value.len &&
        value.data[value.len - 1] != '\n' &&
        !handler_exists(r, NULL, name, HANDLER_READ | HANDLER_RAW))
        sbuf_putc(out, '\n');
    if (heading)
        sbuf_putc(out, '\n');
    sbuf_fini(&value);
    return 0;
}

/* Whether a pattern, or the name of a class, means this element. */
static bool is_meant(struct element *e, const char *pattern, bool glob)
{
    if (glob)
        return fnmatch(pattern, e->name, 0) == 0;
    return strcmp(pattern, element_class_name(e)) == 0 ||
           strcmp(pattern, e->cls->name) == 0 ||
           (e->cls->cast && e->cls->cast(e, pattern)); /* "Storage" */
}

static int read_pattern(struct router *r, const char *pattern, const char *handler,
                        struct sbuf *out, struct diag *d)
{
    bool glob = strpbrk(pattern, "*?[") != NULL, any = false;
    int rc = 0;

    for (uint32_t i = 0; i < router_n_elements(r); i++) {
        struct sbuf name = SBUF_INIT;

        if (!is_meant(router_element(r, i), pattern, glob))
            continue;
        any = true;
        sbuf_printf(&name, "%s.%s", router_element(r, i)->name, handler);
        if (handler_exists(r, NULL, sbuf_text(&name), HANDLER_READ | HANDLER_PRIVATE))
            rc |= read_one(r, sbuf_text(&name), true, out, d);
        sbuf_fini(&name);
    }
    if (!any)
        return diag_err(d, glob ? "no element matching '%s'" : "no element '%s'",
                        pattern);
    return rc;
}

int handlers_print(struct router *r, const char *spec, bool headings, struct sbuf *out,
                   struct diag *d)
{
    const char *dot = strchr(spec, '.');
    char *element;
    int rc;

    if (!dot)
        return read_one(r, spec, headings, out, d);
    element = strndup(spec, (size_t)(dot - spec));
    if (!element)
        return diag_err(d, "out of memory");
    rc = router_find(r, element) ? read_one(r, spec, headings, out, d)
                                 : read_pattern(r, element, dot + 1, out, d);
    free(element);
    return rc;
}

/* The handler's name and, behind a blank, its argument. */
static int read_call(struct router *r, const char *call, struct sbuf *out,
                     struct diag *d)
{
    size_t len = strcspn(call, " \t");
    char *name = strndup(call, len);
    int rc;

    if (!name)
        return diag_err(d, "out of memory");
    rc = handler_read(r, NULL, name, call + len + strspn(call + len, " \t"), out, d);
    free(name);
    return rc;
}

int handlers_exit_status(struct router *r, const char *call, struct diag *d)
{
    struct sbuf value = SBUF_INIT, bare = SBUF_INIT;
    int status = 255;
    bool truth;
    int64_t n;

    if (read_call(r, call, &value, d) == 0) {
        lang_uncomment_into(&bare, sbuf_text(&value), value.len);
        if (parse_i64(sbuf_text(&bare), 0, &n) && n >= INT32_MIN && n <= INT32_MAX)
            status = (int)(n & 255);
        else if (parse_bool(sbuf_text(&bare), &truth))
            status = truth ? 0 : 1;
        else
            diag_err(d, "exit handler value should be integer");
    }
    sbuf_fini(&value);
    sbuf_fini(&bare);
    return status;
}
