// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clipboard -- copy bytes from packets of one stream into those of another
 *
 * Usage:    Clipboard(OFFSET/LENGTH, ...)
 * Ports:    2 in, 2 out; push or pull
 * Args:     OFFSET/LENGTH  ranges of bytes that are copied
 * Counters: drops  packets for which memory ran out
 * Handlers: none
 * Example:  requests -> cb :: Clipboard(6/6) -> ...;  answers -> [1] cb [1] -> ...
 * See also: StoreData
 *
 * Bytes are taken from each packet that goes from input 0 to output 0, and put into the
 * same places of each that goes from input 1 to output 1. Packets too short for all the
 * ranges pass without either.
 */

#include "engine/args.h"
#include "engine/element.h"

#include <stdlib.h>

struct clip_range {
    uint32_t offset, length;
};

struct clipboard {
    struct clip_range *ranges; /* owned; [n], and behind them the bytes of all */
    uint8_t *bytes;
    uint32_t n, min_length;
};

enum { C_DROPS };
static const struct counter_spec clipboard_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static int clip_range_parse(struct element *e, struct arena *a, const char *text, int i,
                            struct clip_range *range, struct diag *d)
{
    static const struct arg_spec specs[] = {
        ARG_U32(clip_range, offset, "OFFSET", ARG_M, NULL, "first byte"),
        ARG_U32(clip_range, length, "LENGTH", ARG_M, NULL, "bytes"),
    };
    const char *slash = strchr(text, '/'), *offset;
    int rc;

    if (!slash || slash == text || !slash[1])
        return diag_err(d, "range %d: expected '/' between offset and length", i);
    offset = arena_strndup(a, text, (size_t)(slash - text));
    if (!offset)
        return diag_err(d, "out of memory");
    rc = args_value(e, &specs[0], offset, a, &range->offset, d);
    rc |= args_value(e, &specs[1], slash + 1, a, &range->length, d);
    if (rc < 0 || range->offset > PKT_MAX_LEN || range->length > PKT_MAX_LEN)
        return diag_err(d, "range %d: invalid offset or length", i);
    return 0;
}

static int clipboard_configure(struct element *e, struct conf *c, struct diag *d)
{
    size_t table = ((size_t)c->argc + 1) * sizeof(struct clip_range), total = 0;
    struct clip_range *ranges = arena_alloc(c->scratch, table);
    struct clipboard *s = element_state(e), new = {.n = (uint32_t)c->argc};

    if (!ranges)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++) {
        struct clip_range *r = &ranges[i];

        if (clip_range_parse(e, c->scratch, c->argv[i], i, r, d) < 0)
            return -1;
        total += r->length;
        if (r->offset + r->length > new.min_length)
            new.min_length = r->offset + r->length;
    }
    new.ranges = calloc(1, table + total);
    if (!new.ranges)
        return diag_err(d, "out of memory");
    memcpy(new.ranges, ranges, table);
    new.bytes = (uint8_t *)new.ranges + table;
    free(s->ranges);
    *s = new;
    return 0;
}

static void clipboard_cleanup(struct element *e)
{
    struct clipboard *s = element_state(e);

    free(s->ranges);
    s->ranges = NULL;
}

static void clipboard_copy(struct clipboard *s, const struct pkt *p)
{
    uint8_t *to = s->bytes;

    for (uint32_t i = 0; i < s->n; to += s->ranges[i++].length)
        memcpy(to, p->data + s->ranges[i].offset, s->ranges[i].length);
}

static void clipboard_paste(const struct clipboard *s, struct pkt *p)
{
    const uint8_t *from = s->bytes;

    for (uint32_t i = 0; i < s->n; from += s->ranges[i++].length)
        memcpy(p->data + s->ranges[i].offset, from, s->ranges[i].length);
}

/* Work on b->p[from ...], dropping what cannot be made writable. */
static void clipboard_batch(struct element *e, unsigned port, struct batch *b,
                            uint32_t from)
{
    struct clipboard *s = element_state(e);
    uint32_t kept = from;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (p->len >= s->min_length && port == 0) {
            clipboard_copy(s, p);
        } else if (p->len >= s->min_length) {
            if (pkt_writable(p) < 0) {
                element_count(e, C_DROPS, 1);
                pkt_free(p);
                continue;
            }
            clipboard_paste(s, p);
        }
        b->p[kept++] = p;
    }
    b->n = kept;
}

static void clipboard_push(struct element *e, unsigned port, struct batch *b)
{
    clipboard_batch(e, port, b, 0);
    out_push(e, port, b);
}

static uint32_t clipboard_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    uint32_t from = b->n;

    if (in_pull(e, port, b, max))
        clipboard_batch(e, port, b, from);
    return b->n - from;
}

ELEMENT(Clipboard) = {
    .name = "Clipboard",
    .state_size = sizeof(struct clipboard),
    .ports = "2/2",
    .flow = "#/#",
    .any_args = true,
    .live = true,
    .counters = clipboard_counters,
    .configure = clipboard_configure,
    .cleanup = clipboard_cleanup,
    .push = clipboard_push,
    .pull = clipboard_pull,
};
