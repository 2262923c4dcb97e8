// SPDX-License-Identifier: BSD-3-Clause
/*
 * graph_svg.c -- a configuration as a drawing: see graph.h
 *
 * Elements are put into layers, each below all that lead to it; connections that close a
 * cycle do not count. A connection across layers gets a joint in each, so that it goes
 * between the boxes. Then joints and boxes of a layer are ordered by where their
 * neighbours are, and moved towards them as far as there is room.
 */

#include "ctl/graph.h"

#include "engine/element.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHAR = 7,    /* width of a letter */
    LINE = 15,   /* height of a line */
    BOX = 44,    /* height of a box */
    LAYER = 104, /* from layer to layer */
    GAP = 24,    /* between boxes */
    PORT = 14,   /* least distance of ports */
    MARGIN = 24,
    SWEEPS = 12,
    MAX_JOINTS = 50000, /* above that connections go straight */
};

struct spot {              /* a box or a joint */
    uint32_t layer, place; /* place: in its layer's order */
    double x, width, wish;
};

struct hop { /* part of a connection between neighbouring layers */
    uint32_t from, to;
};

struct drawing {
    const struct router *r;
    const struct lang_graph *g;
    struct spot *spots; /* the elements, then the joints */
    uint32_t n_spots, n_layers;
    struct hop *hops;
    uint32_t n_hops;
    uint32_t *joint; /* by connection: the first of its joints, or 0 */
    bool *back;      /* by connection: it closes a cycle */
    uint32_t *order; /* spots, by layer and place */
    uint32_t *first; /* by layer: where it starts in the order */
    double width;
};

/* ---- layers ------------------------------------------------------------------------ */

/* Depth first, without recursion: a connection to an element that is still open closes a
 * cycle. Fills `list` with the elements in an order in which connections lead backwards. */
static void find_cycles(struct drawing *d, const uint32_t *start,
                        const uint32_t *by_from, uint32_t *list)
{
    uint32_t n = d->g->n_elements, top, done = 0;
    uint32_t *stack = calloc(n + 1, sizeof *stack), *next = calloc(n + 1, sizeof *next);
    char *state = calloc(n + 1, 1);

    for (uint32_t i = 0; stack && next && state && i < n; i++) {
        if (state[i])
            continue;
        stack[0] = i;
        state[i] = 1;
        for (top = 1; top > 0;) {
            uint32_t e = stack[top - 1], at = start[e] + next[e], to;

            if (at == start[e + 1]) {
                state[e] = 2;
                list[done++] = e;
                top--;
                continue;
            }
            next[e]++;
            to = d->g->connections[by_from[at]].to;
            d->back[by_from[at]] = state[to] == 1;
            if (!state[to]) {
                state[to] = 1;
                stack[top++] = to;
            }
        }
    }
    free(stack);
    free(next);
    free(state);
}

static bool find_layers(struct drawing *d)
{
    const struct lang_graph *g = d->g;
    uint32_t n = g->n_elements, m = g->n_connections;
    uint32_t *start = calloc(n + 2, sizeof *start), *list = calloc(n + 1, sizeof *list);
    uint32_t *by_from = calloc(m + 1, sizeof *by_from);
    bool good = start && list && by_from;

    for (uint32_t i = 0; good && i < m; i++)
        start[g->connections[i].from + 2]++;
    for (uint32_t i = 0; good && i < n; i++)
        start[i + 2] += start[i + 1];
    for (uint32_t i = 0; good && i < m; i++)
        by_from[start[g->connections[i].from + 1]++] = i;
    if (good)
        find_cycles(d, start, by_from, list);
    for (uint32_t k = n; good && k-- > 0;)
        for (uint32_t i = start[list[k]]; i < start[list[k] + 1]; i++) {
            struct spot *to = &d->spots[g->connections[by_from[i]].to];
            uint32_t below = d->spots[list[k]].layer + 1;

            if (!d->back[by_from[i]] && to->layer < below)
                to->layer = below;
        }
    for (uint32_t i = 0; i < n; i++)
        if (d->spots[i].layer >= d->n_layers)
            d->n_layers = d->spots[i].layer + 1;
    free(start);
    free(list);
    free(by_from);
    return good;
}

/* ---- joints ------------------------------------------------------------------------ */

static uint32_t count_joints(const struct drawing *d, uint32_t i)
{
    const struct lang_connection *c = &d->g->connections[i];

    return d->back[i] ? 0 : d->spots[c->to].layer - d->spots[c->from].layer - 1;
}

static bool add_joints(struct drawing *d)
{
    const struct lang_graph *g = d->g;
    uint64_t total = 0;
    struct spot *bigger;

    for (uint32_t i = 0; i < g->n_connections; i++)
        total += count_joints(d, i);
    if (total > MAX_JOINTS)
        total = 0;
    bigger = realloc(d->spots, (g->n_elements + total + 1) * sizeof *bigger);
    d->hops = calloc(g->n_connections + total + 1, sizeof *d->hops);
    if (bigger)
        d->spots = bigger;
    if (!bigger || !d->hops)
        return false;
    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *c = &g->connections[i];
        uint32_t n = total ? count_joints(d, i) : 0, last = c->from;

        if (d->back[i])
            continue;
        d->joint[i] = n ? d->n_spots : 0;
        for (uint32_t k = 0; k < n; k++) {
            d->spots[d->n_spots] = (struct spot){
                .layer = d->spots[c->from].layer + k + 1, .width = 4};
            d->hops[d->n_hops++] = (struct hop){last, d->n_spots};
            last = d->n_spots++;
        }
        d->hops[d->n_hops++] = (struct hop){last, c->to};
    }
    return true;
}

/* ---- order and place --------------------------------------------------------------- */

static const struct drawing *sorting; /* qsort() hands no context on */

static int compare(const void *va, const void *vb)
{
    const struct spot *a = &sorting->spots[*(const uint32_t *)va];
    const struct spot *b = &sorting->spots[*(const uint32_t *)vb];

    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    if (a->wish != b->wish)
        return a->wish < b->wish ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Wish each spot to the middle of its neighbours above (below). */
static void wish(struct drawing *d, bool above, double (*where)(const struct spot *))
{
    uint32_t *count = calloc(d->n_spots + 1, sizeof *count);

    if (!count)
        return;
    for (uint32_t i = 0; i < d->n_spots; i++)
        d->spots[i].wish = 0;
    for (uint32_t i = 0; i < d->n_hops; i++) {
        uint32_t me = above ? d->hops[i].to : d->hops[i].from;
        uint32_t other = above ? d->hops[i].from : d->hops[i].to;

        d->spots[me].wish += where(&d->spots[other]);
        count[me]++;
    }
    for (uint32_t i = 0; i < d->n_spots; i++)
        d->spots[i].wish = count[i] ? d->spots[i].wish / count[i] : where(&d->spots[i]);
    free(count);
}

static double its_place(const struct spot *s)
{
    return s->place;
}

static double its_x(const struct spot *s)
{
    return s->x;
}

static void renumber(struct drawing *d)
{
    uint32_t place = 0;

    for (uint32_t i = 0; i < d->n_spots; i++) {
        struct spot *s = &d->spots[d->order[i]];

        place = i && d->spots[d->order[i - 1]].layer == s->layer ? place + 1 : 0;
        if (!place)
            d->first[s->layer] = i;
        s->place = place;
    }
    d->first[d->n_layers] = d->n_spots;
}

static void find_order(struct drawing *d)
{
    for (uint32_t i = 0; i < d->n_spots; i++) {
        d->order[i] = i;
        d->spots[i].place = i;
    }
    sorting = d;
    qsort(d->order, d->n_spots, sizeof *d->order, compare);
    renumber(d);
    for (unsigned k = 0; k < SWEEPS; k++) {
        wish(d, k % 2 == 0, its_place);
        qsort(d->order, d->n_spots, sizeof *d->order, compare);
        renumber(d);
    }
}

/* Spots that touch each other and move together. */
struct block {
    double sum; /* of where its members would have its left end */
    uint32_t n;
};

/* Give the spots of a layer the places nearest to their wishes (least squares) at which
 * they keep their order and distance: neighbours whose wishes collide form a block. */
static void settle(struct drawing *d, uint32_t layer, struct block *blocks)
{
    const uint32_t *order = d->order + d->first[layer];
    uint32_t n = d->first[layer + 1] - d->first[layer], n_blocks = 0, at = 0;
    double offset = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct spot *s = &d->spots[order[i]];

        offset += s->width / 2;
        blocks[n_blocks++] = (struct block){s->wish - offset, 1};
        s->x = offset; /* within the layer, if all touched */
        offset += s->width / 2 + GAP;
        while (n_blocks > 1 && blocks[n_blocks - 2].sum * blocks[n_blocks - 1].n >
                                   blocks[n_blocks - 1].sum * blocks[n_blocks - 2].n) {
            n_blocks--;
            blocks[n_blocks - 1].sum += blocks[n_blocks].sum;
            blocks[n_blocks - 1].n += blocks[n_blocks].n;
        }
    }
    for (uint32_t b = 0; b < n_blocks; b++)
        for (uint32_t k = 0; k < blocks[b].n; k++)
            d->spots[order[at++]].x += blocks[b].sum / blocks[b].n;
}

static void find_places(struct drawing *d)
{
    struct block *blocks = calloc(d->n_spots + 1, sizeof *blocks);
    double left = 0, right = 0;

    for (unsigned k = 0; blocks && k <= SWEEPS; k++) {
        if (k)
            wish(d, k % 2 == 1, its_x);
        else
            for (uint32_t i = 0; i < d->n_spots; i++)
                d->spots[i].wish = 0;
        for (uint32_t layer = 0; layer < d->n_layers; layer++)
            settle(d, layer, blocks);
    }
    for (uint32_t i = 0; i < d->n_spots; i++) {
        const struct spot *s = &d->spots[i];

        left = !i || s->x - s->width / 2 < left ? s->x - s->width / 2 : left;
        right = !i || s->x + s->width / 2 > right ? s->x + s->width / 2 : right;
    }
    for (uint32_t i = 0; i < d->n_spots; i++)
        d->spots[i].x += MARGIN - left;
    d->width = right - left;
    free(blocks);
}

/* ---- drawing ----------------------------------------------------------------------- */

static void escape(struct sbuf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '&' || c == '<' || c == '>' || c == '"')
            sbuf_printf(out, "&#%u;", c);
        else
            sbuf_putc(out, c < ' ' ? ' ' : *text);
    }
}

static double port_x(const struct drawing *d, uint32_t e, unsigned port, bool output)
{
    const struct element *x = router_element(d->r, e);
    unsigned n = output ? x->n_out : x->n_in;
    const struct spot *s = &d->spots[e];

    return s->x - s->width / 2 + s->width * (port + 1) / (n + 1);
}

static double top_of(const struct spot *s)
{
    return MARGIN + (double)s->layer * LAYER;
}

static void curve(struct sbuf *out, double x, double y, double to_x, double to_y)
{
    sbuf_printf(out, " C %.1f %.1f %.1f %.1f %.1f %.1f", x, (y + to_y) / 2, to_x,
                (y + to_y) / 2, to_x, to_y);
}

/* Back up, round the right side of both boxes. */
static void loop(struct sbuf *out, const struct spot *from, const struct spot *to,
                 double to_x)
{
    double right = from->x + from->width / 2;

    if (to->x + to->width / 2 > right)
        right = to->x + to->width / 2;
    right += GAP / 2.0;
    sbuf_printf(out, " q 0 12 12 12 H %.1f q 8 0 8 -8 V %.1f q 0 -8 -8 -8 H %.1f",
                right - 8, top_of(to) - 4, to_x + 8);
    sbuf_puts(out, " q -8 0 -8 12");
}

static void draw_connection(const struct drawing *d, struct sbuf *out, uint32_t i)
{
    const struct lang_connection *c = &d->g->connections[i];
    const struct spot *from = &d->spots[c->from], *to = &d->spots[c->to];
    double x = port_x(d, c->from, c->from_port, true), y = top_of(from) + BOX;
    double to_x = port_x(d, c->to, c->to_port, false);

    sbuf_printf(out, "<path class=\"%s\" d=\"M %.1f %.1f",
                graph_is_push(d->r, c) ? "push" : "pull", x, y);
    if (d->back[i]) {
        loop(out, from, to, to_x);
    } else {
        uint32_t n = d->joint[i] ? count_joints(d, i) : 0;

        for (uint32_t k = 0; k < n; k++) {
            const struct spot *s = &d->spots[d->joint[i] + k];

            curve(out, x, y, s->x, top_of(s));
            sbuf_printf(out, " V %d", (int)top_of(s) + BOX);
            x = s->x;
            y = top_of(s) + BOX;
        }
        curve(out, x, y, to_x, top_of(to));
    }
    sbuf_puts(out, "\"/>\n");
}

static void draw_ports(const struct drawing *d, struct sbuf *out, uint32_t e)
{
    const struct element *x = router_element(d->r, e);
    double y = top_of(&d->spots[e]);

    for (unsigned p = 0; p < x->n_in; p++) {
        double at = port_x(d, e, p, false);

        sbuf_printf(out,
                    "<path class=\"port\" d=\"M %.1f %.1f l -4 0 l 4 6 l 4 -6 z\"/>\n",
                    at, y);
    }
    for (unsigned p = 0; p < x->n_out; p++)
        sbuf_printf(out,
                    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"7\" "
                    "height=\"5\"/>\n",
                    x->out[p].is_push ? "pushing" : "pulled",
                    port_x(d, e, p, true) - 3.5, y + BOX - 5);
}

static void draw_box(const struct drawing *d, struct sbuf *out, uint32_t e)
{
    const struct spot *s = &d->spots[e];
    struct sbuf class = SBUF_INIT;

    graph_class(&d->g->elements[e], &class);
    sbuf_printf(out, "<g><title>");
    escape(out, d->g->elements[e].name);
    sbuf_puts(out, " :: ");
    escape(out, d->g->elements[e].class_name);
    sbuf_putc(out, '(');
    escape(out, d->g->elements[e].config);
    sbuf_printf(out,
                ")</title><rect class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                "height=\"%d\" rx=\"3\"/>\n",
                s->x - s->width / 2, top_of(s), s->width, BOX);
    sbuf_printf(out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">", s->x,
                top_of(s) + LINE + 4);
    escape(out, d->g->elements[e].name);
    sbuf_printf(out, "</text><text x=\"%.1f\" y=\"%.1f\">", s->x,
                top_of(s) + 2 * LINE + 4);
    escape(out, sbuf_text(&class));
    sbuf_puts(out, "</text>\n");
    draw_ports(d, out, e);
    sbuf_puts(out, "</g>\n");
    sbuf_fini(&class);
}

static void draw(const struct drawing *d, struct sbuf *out)
{
    int width = (int)d->width + 2 * MARGIN;
    int height = (int)d->n_layers * LAYER - (LAYER - BOX) + 2 * MARGIN;

    sbuf_printf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                "viewBox=\"0 0 %d %d\">\n",
                width, height, width, height);
    sbuf_puts(out,
              "<style>text { font: 11px monospace; text-anchor: middle; fill: #333 }\n"
              ".name { font-weight: bold; fill: #000 }\n"
              ".box { fill: #f6f8fa; stroke: #57606a }\n"
              ".push, .pull { fill: none; stroke: #0550ae; stroke-width: 1.4 }\n"
              ".pull { stroke: #8250df; stroke-dasharray: 5 3 }\n"
              ".port, .pushing { fill: #57606a }\n"
              ".pulled { fill: #fff; stroke: #57606a }</style>\n"
              "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    for (uint32_t i = 0; i < d->g->n_connections; i++)
        draw_connection(d, out, i);
    for (uint32_t e = 0; e < d->g->n_elements; e++)
        draw_box(d, out, e);
    sbuf_puts(out, "</svg>\n");
}

/* ---- all of it --------------------------------------------------------------------- */

static void measure(struct drawing *d, uint32_t e)
{
    const struct element *x = router_element(d->r, e);
    struct sbuf class = SBUF_INIT;
    size_t letters = strlen(d->g->elements[e].name);
    unsigned ports = x->n_in > x->n_out ? x->n_in : x->n_out;

    graph_class(&d->g->elements[e], &class);
    if (class.len > letters)
        letters = class.len;
    d->spots[e].width = (double)letters * CHAR + 16;
    if (d->spots[e].width < (ports + 1.0) * PORT)
        d->spots[e].width = (ports + 1.0) * PORT;
    sbuf_fini(&class);
}

void graph_svg(const struct router *r, struct sbuf *out)
{
    struct drawing d = {.r = r, .g = router_graph(r)};
    uint32_t n = d.g->n_elements;
    bool good;

    d.spots = calloc(n + 1, sizeof *d.spots);
    d.joint = calloc(d.g->n_connections + 1, sizeof *d.joint);
    d.back = calloc(d.g->n_connections + 1, sizeof *d.back);
    d.n_spots = n;
    d.n_layers = 1;
    good = d.spots && d.joint && d.back && find_layers(&d) && add_joints(&d);
    d.order = good ? calloc(d.n_spots + 1, sizeof *d.order) : NULL;
    d.first = good ? calloc(d.n_layers + 1, sizeof *d.first) : NULL;
    if (d.order && d.first) {
        for (uint32_t e = 0; e < n; e++)
            measure(&d, e);
        find_order(&d);
        find_places(&d);
        draw(&d, out);
    } else {
        out->failed = true;
    }
    free(d.spots);
    free(d.hops);
    free(d.joint);
    free(d.back);
    free(d.order);
    free(d.first);
}
