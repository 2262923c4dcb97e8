// SPDX-License-Identifier: BSD-3-Clause
/* cli_source.c -- configurations as the command line gets them: see cli.h */

#include "ctl/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Some times what the daemon takes; a file may have no end, as /dev/zero. */
enum { MAX_SOURCE = 64 << 20 };

static int read_stream(struct cli *c, struct source *s, FILE *in)
{
    struct sbuf text = SBUF_INIT;
    char chunk[16384];
    size_t n;

    while (text.len <= MAX_SOURCE && (n = fread(chunk, 1, sizeof chunk, in)) > 0)
        sbuf_add(&text, chunk, n);
    if (text.len > MAX_SOURCE) {
        sbuf_fini(&text);
        return cli_fail(c, EXIT_FAILED, "%s is no configuration: longer than %d MiB",
                        s->file, MAX_SOURCE >> 20);
    }
    if (ferror(in) || text.failed) {
        sbuf_fini(&text);
        return cli_fail(c, EXIT_FAILED, "cannot read %s: %s", s->file, strerror(errno));
    }
    s->len = text.len;
    s->text = text.len ? sbuf_take(&text) : calloc(1, 1);
    return s->text ? 0 : cli_fail(c, EXIT_FAILED, "out of memory");
}

int source_read(struct cli *c, struct source *s, const char *file,
                const char *expression)
{
    FILE *in;
    int status;

    *s = (struct source){.file = file};
    if (expression) {
        s->file = "expression";
        s->len = strlen(expression);
        s->text = strdup(expression);
        return s->text ? 0 : cli_fail(c, EXIT_FAILED, "out of memory");
    }
    if (!strcmp(file, "-")) {
        s->file = "stdin";
        return read_stream(c, s, stdin);
    }
    in = fopen(file, "re");
    if (!in)
        return cli_fail(c, EXIT_FAILED, "cannot read %s: %s", file, strerror(errno));
    status = read_stream(c, s, in);
    fclose(in);
    return status;
}

bool is_definition(const char *word)
{
    const char *p = word;

    while ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
        p++;
    while (p > word && (*p == '_' || (*p >= '0' && *p <= '9') ||
                        ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')))
        p++;
    return p > word && *p == '=';
}

int source_define(struct cli *c, struct source *s, const char *const *words, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *sep = strchr(words[i], '=');
        char *name;
        json_t *value;

        if (!is_definition(words[i]))
            return cli_fail(c, EXIT_USAGE, "'%s' is no VAR=VALUE", words[i]);
        name = strndup(words[i], (size_t)(sep - words[i]));
        value = json_string(sep + 1);
        if (!s->defines)
            s->defines = json_object();
        if (!name || !value || json_object_set_new(s->defines, name, value) < 0) {
            free(name);
            return cli_fail(c, EXIT_USAGE, "'%s' is not valid UTF-8", words[i]);
        }
        free(name);
    }
    return 0;
}

void source_fini(struct source *s)
{
    free(s->text);
    json_decref(s->defines);
    *s = (struct source){0};
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           c == '_';
}

/* Whether it says $NAME or ${NAME anywhere. */
static bool mentions(const struct source *s, const char *name)
{
    size_t len = strlen(name);
    const char *end = s->text + s->len, *p = s->text;

    while ((p = memchr(p, '$', (size_t)(end - p)))) {
        p++;
        p += p < end && *p == '{';
        if ((size_t)(end - p) >= len && !memcmp(p, name, len) &&
            ((size_t)(end - p) == len || !is_word(p[len])))
            return true;
    }
    return false;
}

/* Most likely it is misspelt, and the configuration's own value holds. */
void source_warn(struct cli *c, const struct source *s)
{
    const char *name;
    json_t *value;

    json_object_foreach(s->defines, name, value) if (!mentions(s, name))
        cli_fail(c, 0, "warning: there is no $%s in %s", name, s->file);
}

json_t *source_json(struct cli *c, const struct source *s)
{
    json_t *text = json_stringn(s->text, s->len), *o;

    if (!text) {
        cli_fail(c, EXIT_FAILED, "%s is not valid UTF-8", s->file);
        return NULL;
    }
    o = json_pack("{s:o, s:s}", "text", text, "file", s->file);
    if (o && s->defines)
        json_object_set(o, "defines", s->defines);
    if (!o)
        cli_fail(c, EXIT_FAILED, "out of memory");
    source_warn(c, s);
    return o;
}
