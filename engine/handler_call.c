// SPDX-License-Identifier: BSD-3-Clause
/* handler_call.c -- a handler that a configuration names: see handler_call.h */

#include "engine/handler_call.h"

#include <stdlib.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

int handler_call_set(struct handler_call *c, const char *text)
{
    size_t len, name_len = 0;
    char *name = NULL;

    while (text && is_blank(*text))
        text++;
    if (text && *text) {
        len = strlen(text);
        name = malloc(len + 1);
        if (!name)
            return -1;
        memcpy(name, text, len + 1);
        while (name[name_len] && !is_blank(name[name_len]))
            name_len++;
        text = name + name_len;
        while (is_blank(*text))
            text++;
        name[name_len] = '\0';
    }
    free(c->name);
    c->name = name;
    c->value = text;
    return 0;
}

void handler_call_fini(struct handler_call *c)
{
    free(c->name);
    *c = (struct handler_call){0};
}

int handler_call_check(const struct handler_call *c, struct element *e, uint32_t flag,
                       struct diag *d)
{
    const char *dot;
    char element[256];

    if (!c->name || handler_exists(e->router, e, c->name, flag))
        return 0;
    dot = strrchr(c->name, '.');
    if (dot && (size_t)(dot - c->name) < sizeof element) {
        memcpy(element, c->name, (size_t)(dot - c->name));
        element[dot - c->name] = '\0';
        if (!element_find(e, element, d))
            return -1;
    }
    return diag_err(d, "no '%s' %s handler", c->name,
                    flag == HANDLER_READ ? "read" : "write");
}

static int call_write(struct element *e, const char *name, const char *value)
{
    struct diag d = DIAG_INIT;
    int rc = handler_write(e->router, e, name, value, strlen(value), &d);

    if (d.n_messages)
        element_say(e, "%s", diag_text(&d));
    diag_fini(&d);
    return rc;
}

int handler_call_write(const struct handler_call *c, struct element *e)
{
    return c->name ? call_write(e, c->name, c->value) : 0;
}

void handler_call_stop(struct element *e)
{
    call_write(e, "stop", "");
}
