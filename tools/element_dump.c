// SPDX-License-Identifier: BSD-3-Clause
/*
 * element_dump.c -- what is known of the elements: their records and their manuals
 *
 *     element_dump --json           all records, for tools
 *     element_dump --markdown DIR   a page for each element and an index
 *     element_dump --check          where manual and record disagree; used by
 *                                   tools/check-elements
 */

#include "engine/element_docs.h"
#include "engine/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int problems;

static void say(const struct element_doc *doc, const char *what, const char *name)
{
    printf("%s: %s: %s %s\n", doc->file, doc->name, what, name);
    problems++;
}

/* --- the manual's fields ----------------------------------------------------------------- */

enum { TEXT_COLUMN = 10 }; /* where the values of fields begin */

/* The first line of a field, behind its name; NULL if there is no such field. */
static const char *field_of(const char *text, const char *field)
{
    size_t len = strlen(field);

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            return line;
    }
    return NULL;
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end ? end + 1 : line + strlen(line);
}

/* Whether a line belongs to the field above it: it is indented. */
static bool continues(const char *line)
{
    return *line == ' ';
}

/* Call `visit` with each entry of a field: the words before the explanation of lines that
 * begin in the field's column; "a, b  text" are two. */
static void each_entry(const char *text, const char *field,
                       void (*visit)(void *ctx, const char *name, size_t len),
                       void *ctx)
{
    const char *line = field_of(text, field);

    for (bool first = true; line && *line && (first || continues(line));
         line = next_line(line), first = false) {
        size_t width = strcspn(line, "\n");
        const char *s = line + TEXT_COLUMN;

        if (width <= TEXT_COLUMN || (!first && line[TEXT_COLUMN - 1] != ' ') ||
            *s == ' ')
            continue;
        for (bool more = true; more;) {
            size_t len = strcspn(s, " ,\n");

            if (len == 4 && strncmp(s, "none", 4) == 0)
                return;
            visit(ctx, s, len);
            more = s[len] == ',' && s[len + 1] == ' ';
            s += len + 2;
        }
    }
}

struct search {
    const char *name;
    bool found;
};

static void compare_entry(void *ctx, const char *name, size_t len)
{
    struct search *s = ctx;

    s->found = s->found || (strlen(s->name) == len && memcmp(s->name, name, len) == 0);
}

static bool has_entry(const char *text, const char *field, const char *name)
{
    struct search s = {name, false};

    each_entry(text, field, compare_entry, &s);
    return s.found;
}

/* --- check ------------------------------------------------------------------------------- */

struct check {
    const struct element_doc *doc;
    const struct element_class *cls;
};

static bool in_args(const struct element_class *cls, const char *name, size_t len)
{
    for (const struct arg_spec *a = cls->args; a && a->name; a++)
        if (strlen(a->name) == len && memcmp(a->name, name, len) == 0)
            return true;
    return cls->any_args;
}

static bool in_counters(const struct element_class *cls, const char *name, size_t len)
{
    for (const struct counter_spec *c = cls->counters; c && c->name; c++)
        if (strlen(c->name) == len && memcmp(c->name, name, len) == 0)
            return true;
    return false;
}

static bool in_handlers(const struct element_class *cls, const char *name, size_t len)
{
    for (const struct handler_spec *h = cls->handlers; h && h->name; h++)
        if (strlen(h->name) == len && memcmp(h->name, name, len) == 0)
            return true;
    return false;
}

static void stale(const struct check *c, bool known, const char *what, const char *name,
                  size_t len)
{
    char copy[80];

    if (known)
        return;
    snprintf(copy, sizeof copy, "%.*s", (int)len, name);
    say(c->doc, what, copy);
}

static void check_arg_entry(void *ctx, const char *name, size_t len)
{
    const struct check *c = ctx;

    stale(c, in_args(c->cls, name, len), "the manual has an argument too many:", name,
          len);
}

static void check_counter_entry(void *ctx, const char *name, size_t len)
{
    const struct check *c = ctx;

    stale(c, in_counters(c->cls, name, len), "the manual has a counter too many:", name,
          len);
}

static void check_handler_entry(void *ctx, const char *name, size_t len)
{
    const struct check *c = ctx;
    bool config = c->cls->live && len == 6 && memcmp(name, "config", 6) == 0;

    stale(c, config || in_handlers(c->cls, name, len),
          "the manual has a handler too many:", name, len);
}

/* Handlers that are kept for old scripts are left out of the manual, as old arguments are;
 * their help says so. */
static bool is_old(const struct handler_spec *h)
{
    return h->help && strncmp(h->help, "old name", 8) == 0;
}

/* Of handlers with numbers, one for each port or pattern, the manual shows the first and
 * speaks of the others. */
static bool is_numbered(const struct handler_spec *h)
{
    size_t n = strlen(h->name), digits = 0;

    while (digits < n && h->name[n - digits - 1] >= '0' &&
           h->name[n - digits - 1] <= '9')
        digits++;
    return digits && digits < n && strcmp(h->name + n - digits, "0") != 0;
}

/* What the record has must be in the manual. */
static void check_tables(const struct check *c)
{
    const char *text = c->doc->text;

    for (const struct arg_spec *a = c->cls->args; a && a->name; a++)
        if (!(a->flags & ARG_OLD) && !has_entry(text, "Args", a->name))
            say(c->doc, "the manual lacks the argument", a->name);
    for (const struct counter_spec *k = c->cls->counters; k && k->name; k++)
        if (!has_entry(text, "Counters", k->name))
            say(c->doc, "the manual lacks the counter", k->name);
    for (const struct handler_spec *h = c->cls->handlers; h && h->name; h++)
        if (!is_old(h) && !is_numbered(h) && !has_entry(text, "Handlers", h->name))
            say(c->doc, "the manual lacks the handler", h->name);
}

static void check_fields(const struct check *c)
{
    static const char *const fields[] = {"Usage", "Ports", "Example", "See also"};
    size_t len = strlen(c->doc->name);

    if (strncmp(c->doc->text, c->doc->name, len) != 0 ||
        strncmp(c->doc->text + len, " -- ", 4) != 0)
        say(c->doc, "the manual does not begin with", c->doc->name);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!field_of(c->doc->text, fields[i]))
            say(c->doc, "the manual lacks the field", fields[i]);
}

static int check_all(void)
{
    for (size_t i = 0; i < n_element_docs; i++) {
        const struct element_doc *doc = &element_docs[i];
        struct check c = {doc, router_class_find(doc->name)};

        if (!c.cls) {
            say(doc, "is not in the catalogue:", doc->name);
            continue;
        }
        if (strcmp(doc->name, doc->class_name) != 0)
            continue; /* an alias shares the manual of its class */
        check_fields(&c);
        check_tables(&c);
        each_entry(doc->text, "Args", check_arg_entry, &c);
        each_entry(doc->text, "Counters", check_counter_entry, &c);
        each_entry(doc->text, "Handlers", check_handler_entry, &c);
    }
    return problems ? 1 : 0;
}

/* --- JSON -------------------------------------------------------------------------------- */

static void put_string(const char *s)
{
    putchar('"');
    for (; s && *s; s++) {
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < ' ')
            printf("\\u%04x", *s);
        else
            putchar(*s);
    }
    putchar('"');
}

static void put_field(const char *comma, const char *name, const char *value)
{
    printf("%s\"%s\": ", comma, name);
    if (value)
        put_string(value);
    else
        printf("null");
}

static void put_args(const struct arg_spec *a)
{
    const char *comma = "";

    printf(", \"args\": [");
    for (; a && a->name; a++, comma = ", ") {
        printf("%s{", comma);
        put_field("", "name", a->name);
        put_field(", ", "default", a->def);
        put_field(", ", "help", a->help);
        printf(", \"positional\": %s, \"required\": %s, \"old\": %s}",
               a->flags & ARG_POS ? "true" : "false",
               a->flags & ARG_REQUIRED ? "true" : "false",
               a->flags & ARG_OLD ? "true" : "false");
    }
    printf("]");
}

static void put_tables(const struct element_class *cls)
{
    const char *comma = "";

    put_args(cls->args);
    printf(", \"counters\": [");
    for (const struct counter_spec *c = cls->counters; c && c->name;
         c++, comma = ", ") {
        printf("%s{", comma);
        put_field("", "name", c->name);
        put_field(", ", "help", c->help);
        printf("}");
    }
    comma = "";
    printf("], \"handlers\": [");
    for (const struct handler_spec *h = cls->handlers; h && h->name;
         h++, comma = ", ") {
        printf("%s{", comma);
        put_field("", "name", h->name);
        put_field(", ", "help", h->help);
        printf(", \"read\": %s, \"write\": %s}",
               h->flags & HANDLER_READ ? "true" : "false",
               h->flags & HANDLER_WRITE ? "true" : "false");
    }
    printf("]");
}

static int dump_json(void)
{
    printf("[\n");
    for (size_t i = 0; i < n_element_docs; i++) {
        const struct element_doc *doc = &element_docs[i];
        const struct element_class *cls = router_class_find(doc->name);

        if (!cls)
            continue;
        put_field(i ? ",\n{" : "{", "name", doc->name);
        put_field(", ", "class", doc->class_name);
        put_field(", ", "file", doc->file);
        put_field(", ", "ports", cls->ports);
        put_field(", ", "processing", cls->processing ? cls->processing : "a/a");
        put_field(", ", "flow", cls->flow ? cls->flow : "x/x");
        printf(", \"any_args\": %s, \"live\": %s, \"driver_only\": %s",
               cls->any_args ? "true" : "false", cls->live ? "true" : "false",
               cls->driver_only ? "true" : "false");
        put_tables(cls);
        put_field(", ", "manual", doc->text);
        printf("}");
    }
    printf("\n]\n");
    return 0;
}

/* --- Markdown ---------------------------------------------------------------------------- */

/* The line behind "Name -- ". */
static void put_summary(FILE *f, const char *text)
{
    const char *dash = strstr(text, " -- ");
    const char *from = dash ? dash + 4 : text;

    fprintf(f, "%.*s", (int)strcspn(from, "\n"), from);
}

static int write_page(const char *dir, const struct element_doc *doc)
{
    char path[4096];
    const char *body = strchr(doc->text, '\n');
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.md", dir, doc->name);
    f = fopen(path, "w");
    if (!f) {
        perror(path);
        return -1;
    }
    fprintf(f, "# %s\n\n", doc->name);
    put_summary(f, doc->text);
    if (strcmp(doc->name, doc->class_name) != 0)
        fprintf(f, "\n\nAnother name for [%s](%s.md).", doc->class_name,
                doc->class_name);
    fprintf(f, "\n\n```text\n%s```\n\nSource: `%s`\n",
            body ? body + 1 + (body[1] == '\n') : "\n", doc->file);
    return fclose(f);
}

static int write_index(const char *dir)
{
    char path[4096], group[64] = "";
    FILE *f;

    snprintf(path, sizeof path, "%s/README.md", dir);
    f = fopen(path, "w");
    if (!f) {
        perror(path);
        return -1;
    }
    fprintf(f,
            "# Elements\n\nGenerated from the sources by `make docs`.\n\n| element | "
            "what it does | group |\n|---|---|---|\n");
    for (size_t i = 0; i < n_element_docs; i++) {
        const char *from = strchr(element_docs[i].file, '/');

        snprintf(group, sizeof group, "%.*s", from ? (int)strcspn(from + 1, "/") : 0,
                 from ? from + 1 : "");
        fprintf(f, "| [%s](%s.md) | ", element_docs[i].name, element_docs[i].name);
        put_summary(f, element_docs[i].text);
        fprintf(f, " | %s |\n", group);
    }
    return fclose(f);
}

static int write_markdown(const char *dir)
{
    for (size_t i = 0; i < n_element_docs; i++)
        if (write_page(dir, &element_docs[i]) < 0)
            return 1;
    return write_index(dir) < 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--json") == 0)
        return dump_json();
    if (argc == 2 && strcmp(argv[1], "--check") == 0)
        return check_all();
    if (argc == 3 && strcmp(argv[1], "--markdown") == 0)
        return write_markdown(argv[2]);
    fprintf(stderr, "usage: element_dump --json | --check | --markdown DIR\n");
    return 2;
}
