// SPDX-License-Identifier: BSD-3-Clause
/*
 * lang_fuzz.c -- any text at all as a configuration
 *
 * Loading must end, in bounds, with a graph or with errors. A graph's flat text is a
 * configuration again; as long as no variables are in play, it is the same one.
 */

#include "base/sbuf.h"
#include "engine/lang/flatten.h"
#include "engine/lang/lang.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const classes[] = {"A",       "B",    "Classifier", "Counter",
                                      "Discard", "Idle", "Queue",      "Tee"};

/* A library that uses itself and declares a class. */
static int library(void *ctx, const char *name, const char *from, char **path,
                   char **text, size_t *len)
{
    static const char body[] = "require(library lib); elementclass L { -> Counter -> }";

    (void)ctx;
    (void)from;
    if (strcmp(name, "lib") != 0)
        return -1;
    *path = strdup(name);
    *text = strdup(body);
    *len = sizeof body - 1;
    return 0;
}

static const struct lang_define defines[] = {{"N", "5"}, {"Q", "\"x y\""}};

static void check_graph(const struct lang_graph *g)
{
    for (uint32_t i = 0; i < g->n_elements; i++)
        if (!*g->elements[i].name || !*g->elements[i].class_name)
            __builtin_trap();
    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *k = &g->connections[i];

        if (k->from >= g->n_elements || k->to >= g->n_elements ||
            k->from_port > LANG_MAX_PORT || k->to_port > LANG_MAX_PORT)
            __builtin_trap();
    }
}

static int load(struct arena *a, const char *text, size_t len, bool known,
                struct sbuf *flat)
{
    struct lang_options o = {.defines = defines, .n_defines = 2, .library = library};
    struct diag d = DIAG_INIT;
    struct lang_graph g;
    int rc;

    if (known) {
        o.classes = classes;
        o.n_classes = sizeof classes / sizeof classes[0];
    }
    rc = lang_load(&g, a, text, len, "fuzz", &o, &d);
    if ((rc < 0) != (d.n_errors > 0))
        __builtin_trap();
    (void)diag_text_columns(&d);
    if (rc == 0) {
        check_graph(&g);
        lang_unparse(&g, flat);
    }
    diag_fini(&d);
    return rc;
}

static void round_trip(struct arena *a, const char *text, size_t len, bool known)
{
    struct sbuf flat = SBUF_INIT, again = SBUF_INIT;

    /* Large graphs are slow to write and teach nothing more. */
    if (load(a, text, len, known, &flat) == 0 && flat.len < 100000 && flat.len &&
        !memchr(text, '$', len)) {
        if (load(a, flat.data, flat.len, known, &again) < 0 || flat.len != again.len ||
            memcmp(flat.data, again.data, flat.len) != 0)
            __builtin_trap();
    }
    sbuf_fini(&flat);
    sbuf_fini(&again);
}

/* Quoting is undone by unquoting, whatever the bytes. */
static void quotes(struct arena *a, const uint8_t *data, size_t size)
{
    char *quoted = lang_quote(a, (const char *)data, size), *text, *back;
    const char *const *parts;
    size_t len = 0;

    back = quoted ? lang_unquote(a, quoted, &len) : NULL;
    if (!back || len != size || memcmp(back, data, size) != 0)
        __builtin_trap();
    text = arena_strndup(a, (const char *)data, size);
    if (lang_split_args(a, text, &parts) < 0 || lang_split_words(a, text, &parts) < 0 ||
        !lang_unquote(a, text, &len) || len > size)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0);

    if (!a)
        return 0;
    if (size)
        quotes(a, data, size);
    round_trip(a, (const char *)data, size, true);
    round_trip(a, (const char *)data, size, false);
    arena_free(a);
    return 0;
}
