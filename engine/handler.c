// SPDX-License-Identifier: BSD-3-Clause
/* handler.c -- reading and writing a router from outside: see handler.h */

#include "engine/handler.h"

#include "engine/args.h"
#include "engine/handler_impl.h"
#include "engine/parse_chars.h"
#include "engine/router.h"
#include "engine/sched_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a name leads to: a handler of `e`, or with e NULL one of the router's. */
struct target {
    struct element *e;
    const char *name;
};

/* Handlers of a numbered kind: one for each input or output, whichever are more. */
static unsigned spec_count(const struct element *e)
{
    return e->n_in > e->n_out ? e->n_in : e->n_out;
}

/* Whether `name` means `h`, and the number at its end if it has one. */
static bool spec_named(const struct element *e, const struct handler_spec *h,
                       const char *name, intptr_t *number)
{
    size_t len = strlen(h->name);
    uint64_t n;

    if (!(h->flags & HANDLER_NUMBERED))
        return strcmp(h->name, name) == 0;
    if (strncmp(h->name, name, len) != 0 || !char_is_digit(name[len]) ||
        (name[len] == '0' && name[len + 1]) || !parse_u64(name + len, 10, &n) ||
        n >= spec_count(e))
        return false;
    *number = (intptr_t)n;
    return true;
}

/* The entry of a class's table that does all of `flags`; a name may stand there twice,
 * once for reading and once for writing. */
static bool is_hidden(const struct element *e, const struct handler_spec *h)
{
    return (h->flags & HANDLER_OF_TASK) && e->cls->has_task && !e->cls->has_task(e);
}

static const struct handler_spec *find_spec(const struct element *e, const char *name,
                                            uint32_t flags)
{
    const struct handler_spec *h;
    intptr_t number;

    for (h = e->cls->handlers; h && h->name; h++)
        if ((h->flags & flags) == flags && spec_named(e, h, name, &number) &&
            !is_hidden(e, h))
            return h;
    if (!e->cls->more_handlers || handler_common(name))
        return NULL;
    h = e->cls->more_handlers(router_element(e->router, e->index), name, 0);
    return h && (h->flags & flags) == flags ? h : NULL;
}

/* What the functions of `h` get to see when it is called by this name. */
static struct handler_spec numbered(const struct element *e,
                                    const struct handler_spec *h, const char *name)
{
    struct handler_spec one = *h;

    spec_named(e, h, name, &one.user);
    return one;
}

static int find_counter(const struct element *e, const char *name)
{
    const struct counter_spec *c = e->cls->counters;

    for (int i = 0; c && c[i].name; i++)
        if (strcmp(c[i].name, name) == 0)
            return i;
    return -1;
}

static bool can_read(const struct element *e, const char *name)
{
    return find_spec(e, name, HANDLER_READ) || find_counter(e, name) >= 0 ||
           handler_common(name);
}

static bool can_write(const struct element *e, const char *name)
{
    return find_spec(e, name, HANDLER_WRITE) ||
           (e->cls->live && strcmp(name, "config") == 0);
}

static struct element *find_element(struct router *r, const struct element *context,
                                    const char *name, struct diag *d)
{
    struct element *e;

    if (context)
        return element_find(context, name, d);
    e = router_find(r, name);
    if (!e)
        diag_err(d, "no element named '%s'", name);
    return e;
}

/* Take "element.handler" or "handler" apart. The element's name ends at the first dot: a
 * handler's may contain more. */
static int resolve(struct router *r, const struct element *context, const char *name,
                   struct target *t, struct diag *d)
{
    const char *dot = strchr(name, '.');
    char *element;

    t->e = NULL;
    t->name = dot ? dot + 1 : name;
    if (!*name)
        return diag_err(d, "bad handler name format");
    if (!*t->name)
        return diag_err(d, "empty handler name");
    if (!dot) { /* one of the context's own, if it has that */
        if (context && (can_read(context, name) || can_write(context, name)))
            t->e = router_element(r, context->index);
        return 0;
    }
    if (dot == name)
        return 0;
    element = malloc((size_t)(dot - name) + 1);
    if (!element)
        return diag_err(d, "out of memory");
    memcpy(element, name, (size_t)(dot - name));
    element[dot - name] = 0;
    t->e = find_element(r, context, element, d);
    free(element);
    return t->e ? 0 : -1;
}

static int no_handler(const struct target *t, const char *what, struct diag *d)
{
    diag_err(d, "no '%s%s%s' %s handler", t->e ? t->e->name : "", t->e ? "." : "",
             t->name, what);
    return HANDLER_NONE;
}

static int no_parameters(const struct target *t, struct diag *d)
{
    diag_err(d, "read handler '%s%s%s' does not take parameters",
             t->e ? t->e->name : "", t->e ? "." : "", t->name);
    return HANDLER_NONE;
}

static int read_element(const struct target *t, const char *param, struct sbuf *out,
                        struct diag *d)
{
    const struct handler_spec *h = find_spec(t->e, t->name, HANDLER_READ);
    int counter = find_counter(t->e, t->name);
    const struct common_handler *c = handler_common(t->name);

    if (!h && counter < 0 && !c)
        return no_handler(t, "read", d);
    if (param && *param && !(h && (h->flags & HANDLER_PARAM)))
        return no_parameters(t, d);
    if (h && h->read) {
        struct handler_spec one = numbered(t->e, h, t->name);

        return one.read(t->e, &one, param ? param : "", out, d) < 0 ? -1 : 0;
    }
    if (h && (h->flags & HANDLER_KEYWORD) && !h->kind)
        return args_text(t->e, h->argument, out);
    if (h)
        handler_value_read(h, (uint8_t *)element_state(t->e) + h->offset, out);
    else if (counter >= 0)
        sbuf_printf(out, "%" PRIu64, t->e->counters[counter]);
    else
        c->read(t->e, out);
    return 0;
}

static int read_named(struct router *r, const struct element *context, const char *name,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct global_handler *g;
    struct target t;

    if (resolve(r, context, name, &t, d) < 0)
        return HANDLER_NONE;
    if (t.e)
        return read_element(&t, param, out, d);
    g = handler_global(r, t.name);
    if (!g || !g->read)
        return no_handler(&t, "read", d);
    if (param && *param)
        return no_parameters(&t, d);
    g->read(r, out);
    return 0;
}

/* Elements count on having a diag: those that parse again what they were given. */
int handler_read(struct router *r, const struct element *context, const char *name,
                 const char *param, struct sbuf *out, struct diag *d)
{
    struct diag own = DIAG_INIT;
    int rc = read_named(r, context, name, param, out, d ? d : &own);

    diag_fini(&own);
    return rc;
}

/* The value without blanks around it, and unquoted if it is one quoted string. In
 * `scratch`; NULL when memory ran out. */
static const char *clean_value(struct arena *scratch, const char *value, size_t *len)
{
    const char *s = value, *end = value + *len;
    char *text;
    struct text unquoted;

    while (s < end && char_is_space(*s))
        s++;
    while (end > s && char_is_space(end[-1]))
        end--;
    text = arena_strndup(scratch, s, (size_t)(end - s));
    if (!text)
        return NULL;
    *len = (size_t)(end - s);
    if ((*text == '"' || *text == '\'') && args_string(scratch, text, &unquoted)) {
        *len = unquoted.len;
        return unquoted.s;
    }
    return text;
}

static int write_spec(const struct target *t, const struct handler_spec *h,
                      const char *value, size_t len, struct diag *d)
{
    struct handler_spec one = numbered(t->e, h, t->name);
    struct arena *scratch = NULL;
    int rc = -1;

    if (!(h->flags & (HANDLER_RAW | HANDLER_VERBATIM))) {
        scratch = arena_new(0);
        if (!scratch || !(value = clean_value(scratch, value, &len))) {
            diag_err(d, "out of memory");
            goto out;
        }
    }
    if (h->flags & HANDLER_KEYWORD) {
        rc = args_reconfigure_one(t->e, h->argument, value, d);
        goto out;
    }
    rc = h->write ? h->write(t->e, &one, value, len, d)
                  : handler_value_write(t->e, h, value, d);
    if (rc >= 0 && h->argument)
        args_rewrite(t->e, h->argument, value);
out:
    arena_free(scratch);
    return rc < 0 ? -1 : rc;
}

int handler_write(struct router *r, const struct element *context, const char *name,
                  const char *value, size_t len, struct diag *d)
{
    const struct handler_spec *h;
    const struct global_handler *g;
    struct target t;

    router_sched(r)->changes++; /* see turns.h */
    if (resolve(r, context, name, &t, d) < 0)
        return HANDLER_NONE;
    if (!t.e) {
        g = handler_global(r, t.name);
        return g && g->write ? g->write(r, value, d) : no_handler(&t, "write", d);
    }
    h = find_spec(t.e, t.name, HANDLER_WRITE);
    if (h)
        return write_spec(&t, h, value, len, d);
    if (can_write(t.e, t.name))
        return args_reconfigure(t.e, value, d);
    return no_handler(&t, "write", d);
}

static bool is_private(const struct element *e, const char *name)
{
    const struct handler_spec *h = find_spec(e, name, 0);

    return h && (h->flags & HANDLER_PRIVATE);
}

bool handler_exists(struct router *r, const struct element *context, const char *name,
                    uint32_t flags)
{
    const struct global_handler *g;
    struct target t;

    if (resolve(r, context, name, &t, NULL) < 0)
        return false;
    if (!t.e) {
        g = handler_global(r, t.name);
        return g && (g->flags & flags) == (flags & ~(uint32_t)HANDLER_PRIVATE);
    }
    if ((flags & HANDLER_PRIVATE) && is_private(t.e, t.name))
        return false;
    if ((flags & HANDLER_PARAM) &&
        !find_spec(t.e, t.name, HANDLER_READ | HANDLER_PARAM))
        return false;
    if ((flags & HANDLER_RAW) && !find_spec(t.e, t.name, HANDLER_RAW))
        return false;
    if (!(flags & (HANDLER_READ | HANDLER_WRITE)))
        return can_read(t.e, t.name) || can_write(t.e, t.name);
    return (!(flags & HANDLER_READ) || can_read(t.e, t.name)) &&
           (!(flags & HANDLER_WRITE) || can_write(t.e, t.name));
}

int handler_full_name(struct router *r, const struct element *context, const char *name,
                      struct sbuf *out)
{
    struct target t;

    if (resolve(r, context, name, &t, NULL) < 0)
        return -1;
    sbuf_printf(out, "%s%s%s", t.e ? t.e->name : "", t.e ? "." : "", t.name);
    return 0;
}

/* The marks behind a name in the list: "rw", "w" with "b" for a button ... */
static void add_marks(uint32_t flags, struct sbuf *out)
{
    static const struct {
        uint32_t flag;
        char mark;
    } marks[] = {
        {HANDLER_READ, 'r'},       {HANDLER_WRITE, 'w'},  {HANDLER_PARAM, '+'},
        {HANDLER_RAW, '%'},        {HANDLER_CALM, '.'},   {HANDLER_EXPENSIVE, '$'},
        {HANDLER_DEPRECATED, 'D'}, {HANDLER_BUTTON, 'b'}, {HANDLER_CHECKBOX, 'c'}};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (flags & marks[i].flag)
            sbuf_putc(out, marks[i].mark);
}

/* Flags of all entries named as number `i`, 0 if an earlier one has that name: a name is
 * listed once. */
static uint32_t joined_flags(const struct handler_spec *table, size_t i)
{
    uint32_t flags = 0;

    for (size_t k = 0; table[k].name; k++) {
        if (strcmp(table[k].name, table[i].name) != 0)
            continue;
        if (k < i)
            return 0;
        flags |= table[k].flags;
    }
    return flags;
}

static void list_spec(const struct element *e, const struct handler_spec *h,
                      uint32_t flags, struct sbuf *out)
{
    bool many = flags & HANDLER_NUMBERED;

    for (int i = many ? (int)spec_count(e) - 1 : 0; i >= 0; i--) {
        sbuf_puts(out, h->name);
        if (many)
            sbuf_printf(out, "%d", i);
        sbuf_putc(out, '\t');
        add_marks(flags, out);
        sbuf_putc(out, '\n');
    }
}

/* Newest first, as Click does: its elements add their handlers after the common ones. */
void handler_list(const struct element *e, struct sbuf *out)
{
    const struct handler_spec *table = e->cls->handlers;
    const struct counter_spec *c = e->cls->counters;
    size_t n = 0, n_counters = 0;

    while (table && table[n].name)
        n++;
    while (c && c[n_counters].name)
        n_counters++;
    if (e->cls->more_handlers) {
        struct element *self = router_element(e->router, e->index);
        const struct handler_spec *h;

        for (size_t i = 0; (h = e->cls->more_handlers(self, NULL, i)); i++)
            list_spec(e, h, h->flags, out);
    }
    while (n-- > 0) {
        uint32_t flags = joined_flags(table, n);

        /* its own `config` stands in the place of the common one */
        if (flags && !(flags & HANDLER_PRIVATE) && !handler_common(table[n].name) &&
            !is_hidden(e, &table[n]))
            list_spec(e, &table[n], flags, out);
    }
    while (n_counters-- > 0)
        if (!find_spec(e, c[n_counters].name, HANDLER_READ))
            sbuf_printf(out, "%s\tr\n", c[n_counters].name);
    for (const struct common_handler *k = handler_commons; k->name; k++)
        sbuf_printf(out, "%s\t%s\n", k->name,
                    e->cls->live && strcmp(k->name, "config") == 0 ? "rw." : k->marks);
}
