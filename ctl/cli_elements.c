// SPDX-License-Identifier: BSD-3-Clause
/* cli_elements.c -- clickos elements: what there is, and each one's manual */

#include "ctl/cli.h"
#include "base/sbuf.h"
#include "ctl/lint.h"
#include "engine/element_docs.h"

#include <string.h>

/* A manual begins with "Queue -- what it is", which goes on to the first empty line. */
static void print_summary(struct sbuf *out, const struct element_doc *doc)
{
    const char *dash = strstr(doc->text, " -- ");

    for (const char *s = dash ? dash + 4 : doc->text; *s; s++) {
        if (*s == '\n' && s[1] == '\n')
            return;
        if (*s != '\n')
            sbuf_putc(out, *s);
        else
            for (sbuf_putc(out, ' '); s[1] == ' ';)
                s++;
    }
}

static const struct element_doc *doc_of(const char *name)
{
    for (size_t i = 0; i < n_element_docs; i++)
        if (strcmp(element_docs[i].name, name) == 0)
            return &element_docs[i];
    return NULL;
}

static void print_row(struct table *t, const json_t *o)
{
    const struct element_doc *doc = doc_of(json_str(o, "name"));
    const char *alias_of = json_str(o, "alias_of");
    struct sbuf summary = SBUF_INIT;

    if (doc)
        print_summary(&summary, doc);
    table_cell(t, "%s", json_str(o, "name"));
    table_cell(t, "%s", json_str(o, "ports"));
    table_cell(t, "%s", json_str(o, "processing"));
    if (*alias_of)
        table_cell(t, "another name for %s", alias_of);
    else
        table_cell(t, "%s", sbuf_text(&summary));
    sbuf_fini(&summary);
}

static int list_elements(struct cli *c)
{
    json_t *list = lint_classes();
    struct table t;
    size_t i;
    const json_t *o;

    if (c->json)
        return cli_print_json(c, json_pack("{s:o}", "elements", list));
    table_init(&t, "ELEMENT PORTS PROCESSING SUMMARY");
    json_array_foreach(list, i, o) print_row(&t, o);
    table_print(&t, c->out);
    json_decref(list);
    return EXIT_OK;
}

static int no_element(struct cli *c, const char *name)
{
    const char *near = lint_nearest(name);

    return cli_fail(c, EXIT_UNKNOWN, "there is no element class '%s'%s%s%s", name,
                    near ? ": did you mean '" : "", near ? near : "",
                    near ? "'?" : ": see clickos elements");
}

/* Elements of the click program's own have a manual, but no place in a VM. */
static int show_element(struct cli *c, const char *name)
{
    const struct element_doc *doc = doc_of(name);
    json_t *o = lint_class(name);

    if (!o && !doc)
        return no_element(c, name);
    if (c->json) {
        o = o ? o : json_pack("{s:s, s:b}", "name", name, "driver_only", 1);
        if (doc)
            json_object_set_new(o, "manual", json_string(doc->text));
        return cli_print_json(c, o);
    }
    if (doc)
        fputs(doc->text, c->out);
    if (doc && strcmp(doc->class_name, name) != 0)
        fprintf(c->out, "\n%s is another name for %s.\n", name, doc->class_name);
    if (o)
        fprintf(c->out, "\nProcessing %s, flow %s.\n", json_str(o, "processing"),
                json_str(o, "flow"));
    else
        fputs("\nIt needs an operating system: for the click program, not for VMs.\n",
              c->out);
    json_decref(o);
    return EXIT_OK;
}

static int elements(struct cli *c, const struct cli_args *a)
{
    return a->n_words ? show_element(c, a->words[0]) : list_elements(c);
}

COMMAND(elements) = {
    .name = "elements",
    .usage = "[CLASS]",
    .summary = "list element classes, or show one's manual",
    .more = "Needs no daemon.",
    .example = "  clickos elements IPFilter",
    .max_words = 1,
    .run = elements,
};
