// SPDX-License-Identifier: BSD-3-Clause
/* out_file.c -- OUTFILE of the elements that print: see out_file.h */

#include "engine/out_file.h"

#include "engine/host.h"
#include "engine/platform.h"

int out_file_open(struct out_file *o, struct element *e, struct diag *d)
{
    const struct platform *p = element_platform(e);
    const char *why;

    if (!o->name.len)
        return 0;
    if (!p->host)
        return diag_err(d, "%s: there are no files here", o->name.s);
    o->file = p->host->create_file(p->ctx, o->name.s, &why);
    return o->file ? 0 : diag_err(d, "%s: %s", o->name.s, why);
}

bool out_file_write(struct out_file *o, struct element *e, const struct sbuf *text)
{
    const struct platform *p = element_platform(e);

    if (o->file)
        p->host->append_file(p->ctx, o->file, sbuf_text(text), text->len);
    return o->file != NULL;
}

void out_file_close(struct out_file *o, struct element *e)
{
    const struct platform *p = element_platform(e);
    const char *why = o->file ? p->host->close_file(p->ctx, o->file) : NULL;

    o->file = NULL;
    if (why)
        element_say(e, "%s: %s\n", o->name.s, why);
}
