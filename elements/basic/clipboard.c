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

#include "engine/element.h"

struct clip_range {
    uint32_t offset, length;
};

struct clipboard {
    struct clip_range *ranges; /* [n], in the router's arena */
    uint8_t *bytes;            /* as many as all ranges have */
    uint32_t n, min_length;
};

enum { C_DROPS };
static const struct counter_spec clipboard_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static int clip_range_parse(struct arena *a, const char *text, int i,
                            struct clip_range *range, struct diag *d)
{
    const char *slash = strchr(text, '/'), *offset;
    uint64_t from, n;

    if (!slash || slash == text || !slash[1])
        return diag_err(d, "range %d: expected '/' between offset and length", i);
    offset = arena_strndup(a, text, (size_t)(slash - text));
    if (!offset || !parse_u64(offset, 0, &from) || !parse_u64(slash + 1, 0, &n) ||
        from > PKT_MAX_LEN || n > PKT_MAX_LEN)
        return diag_err(d, "range %d: invalid offset or length", i);
    *range = (struct clip_range){(uint32_t)from, (uint32_t)n};
    return 0;
}

static int clipboard_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct clipboard *s = element_state(e);
    size_t total = 0;

    s->ranges = element_alloc(e, ((size_t)c->argc + 1) * sizeof(struct clip_range));
    if (!s->ranges)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++) {
        struct clip_range *r = &s->ranges[i];

        if (clip_range_parse(c->scratch, c->argv[i], i, r, d) < 0)
            return -1;
        total += r->length;
        if (r->offset + r->length > s->min_length)
            s->min_length = r->offset + r->length;
    }
    s->bytes = element_alloc(e, total + 1);
    if (!s->bytes)
        return diag_err(d, "out of memory");
    s->n = (uint32_t)c->argc;
    return 0;
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
    .counters = clipboard_counters,
    .configure = clipboard_configure,
    .push = clipboard_push,
    .pull = clipboard_pull,
};
