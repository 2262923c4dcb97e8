// SPDX-License-Identifier: BSD-3-Clause
/* svg.c -- charts of measurements as SVG: see svg.h */

#include "bench/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    WIDTH = 560, /* of a chart with its margins */
    HEIGHT = 360,
    LEFT = 64,
    RIGHT = 150, /* room for the names */
    TOP = 44,
    BOTTOM = 48,
    HEADER = 56,
    TICKS = 5,
    SHAPES = 4 /* of points, so that lines are told apart in print, too */
};

static const char *const colours[SVG_SERIES] = {
    "#1b6ca8", "#c8553d", "#2f8f4e", "#8e5ea2", "#d19c1d", "#3aa6a6",
    "#7a4a2b", "#d0679d", "#5b6770", "#94a93b", "#23395b", "#e07b39"};

/* Where values lie on the paper. */
struct frame {
    double x0, y0, w, h; /* of the plot */
    double x_min, x_max, y_min, y_max;
};

void svg_point(struct svg_chart *c, const char *series, double x, double y)
{
    struct svg_series *s = NULL;

    for (unsigned i = 0; i < c->n && !s; i++)
        if (strcmp(c->series[i].name, series) == 0)
            s = &c->series[i];
    if (!s && c->n < SVG_SERIES) {
        s = &c->series[c->n++];
        s->name = series;
    }
    if (!s || s->n == SVG_POINTS)
        return;
    s->x[s->n] = x;
    s->y[s->n++] = y;
}

static double scale_x(const struct svg_chart *c, double x)
{
    return c->log_x ? log2(x) : x;
}

static double scale_y(const struct svg_chart *c, double y)
{
    return c->log_y ? log10(y) : y;
}

static bool drawable(const struct svg_chart *c, const struct svg_series *s, unsigned i)
{
    return (!c->log_x || s->x[i] > 0) && (!c->log_y || s->y[i] > 0);
}

/* The next of 1, 2, 5, 10, 20, ... that is not below `v`. */
static double round_up(double v)
{
    double ten = pow(10, floor(log10(v > 0 ? v : 1)));
    double digit = v > 0 ? v / ten : 1;

    return ten * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static void find_bounds(const struct svg_chart *c, struct frame *f)
{
    bool any = false;

    f->x_min = f->y_min = f->x_max = f->y_max = 0;
    for (unsigned k = 0; k < c->n; k++)
        for (unsigned i = 0; i < c->series[k].n; i++) {
            const struct svg_series *s = &c->series[k];
            double x, y;

            if (!drawable(c, s, i))
                continue;
            x = scale_x(c, s->x[i]);
            y = scale_y(c, s->y[i]);
            f->x_max = !any || x > f->x_max ? x : f->x_max;
            f->y_max = !any || y > f->y_max ? y : f->y_max;
            f->x_min = !any || x < f->x_min ? x : f->x_min;
            f->y_min = !any || y < f->y_min ? y : f->y_min;
            any = true;
        }
    if (c->reference)
        f->y_max = fmax(f->y_max, scale_y(c, c->reference_y));
    f->x_min = c->log_x ? floor(f->x_min) : 0;
    f->y_min = c->log_y ? floor(f->y_min) : 0;
    f->y_max = c->log_y ? ceil(f->y_max) : round_up(f->y_max);
    if (f->x_max <= f->x_min)
        f->x_max = f->x_min + 1;
    if (f->y_max <= f->y_min)
        f->y_max = f->y_min + 1;
}

static double at_x(const struct frame *f, double scaled)
{
    return f->x0 + (scaled - f->x_min) / (f->x_max - f->x_min) * f->w;
}

static double at_y(const struct frame *f, double scaled)
{
    return f->y0 + f->h - (scaled - f->y_min) / (f->y_max - f->y_min) * f->h;
}

static void text(FILE *out, double x, double y, const char *anchor, const char *s)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    for (; *s; s++)
        if (*s == '<' || *s == '&')
            fputs(*s == '<' ? "&lt;" : "&amp;", out);
        else
            putc(*s, out);
    fputs("</text>\n", out);
}

static void rule(FILE *out, double x1, double y1, double x2, double y2)
{
    fprintf(out,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
            "stroke=\"#ddd\"/>\n",
            x1, y1, x2, y2);
}

static void draw_axes(FILE *out, const struct svg_chart *c, const struct frame *f)
{
    double x_step = c->log_x ? 1 : round_up((f->x_max - f->x_min) / (2 * TICKS));
    double y_step = c->log_y ? 1 : (f->y_max - f->y_min) / TICKS;
    char label[32];

    for (double v = f->y_min; v <= f->y_max + y_step / 2; v += y_step) {
        snprintf(label, sizeof label, "%g", c->log_y ? pow(10, v) : v);
        rule(out, f->x0, at_y(f, v), f->x0 + f->w, at_y(f, v));
        text(out, f->x0 - 6, at_y(f, v) + 4, "end", label);
    }
    for (double v = f->x_min; v <= f->x_max + x_step / 100; v += x_step) {
        snprintf(label, sizeof label, "%.4g", c->log_x ? exp2(v) : v);
        rule(out, at_x(f, v), f->y0, at_x(f, v), f->y0 + f->h);
        text(out, at_x(f, v), f->y0 + f->h + 16, "middle", label);
    }
    text(out, f->x0 + f->w / 2, f->y0 + f->h + 36, "middle", c->x_label);
    text(out, f->x0 - 40, f->y0 - 10, "start", c->y_label);
}

static void draw_point(FILE *out, double x, double y, unsigned k)
{
    static const char *const shapes[SHAPES] = {
        "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z", "M-3-3h6v6h-6z",
        "M0-4l4 7h-8z", "M0-4.2l4.2 4.2l-4.2 4.2l-4.2-4.2z"};

    fprintf(out, "<path transform=\"translate(%.1f %.1f)\" d=\"%s\" fill=\"%s\"/>\n", x,
            y, shapes[k % SHAPES], colours[k]);
}

static void draw_reference(FILE *out, const struct svg_chart *c, const struct frame *f)
{
    double y = at_y(f, scale_y(c, c->reference_y));

    fprintf(out,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#333\" "
            "stroke-dasharray=\"6 4\"/>\n",
            f->x0, y, f->x0 + f->w, y);
    text(out, f->x0 + f->w + 10, y + 4, "start", c->reference);
}

static void draw_series(FILE *out, const struct svg_chart *c, const struct frame *f,
                        unsigned k)
{
    const struct svg_series *s = &c->series[k];

    fprintf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"",
            colours[k]);
    for (unsigned i = 0; i < s->n; i++)
        if (drawable(c, s, i))
            fprintf(out, "%.1f,%.1f ", at_x(f, scale_x(c, s->x[i])),
                    at_y(f, scale_y(c, s->y[i])));
    fputs("\"/>\n", out);
    for (unsigned i = 0; i < s->n; i++)
        if (drawable(c, s, i))
            draw_point(out, at_x(f, scale_x(c, s->x[i])), at_y(f, scale_y(c, s->y[i])),
                       k);
    draw_point(out, f->x0 + f->w + 16, f->y0 + 16.0 * k + 6, k);
    text(out, f->x0 + f->w + 26, f->y0 + 16.0 * k + 10, "start", s->name);
}

static void draw_chart(FILE *out, const struct svg_chart *c, double x, double y)
{
    struct frame f = {.x0 = x + LEFT,
                      .y0 = y + TOP,
                      .w = WIDTH - LEFT - RIGHT,
                      .h = HEIGHT - TOP - BOTTOM};

    find_bounds(c, &f);
    fputs("<g font-weight=\"bold\">", out);
    text(out, x + LEFT - 40, y + 18, "start", c->title);
    fputs("</g>\n", out);
    draw_axes(out, c, &f);
    if (c->reference)
        draw_reference(out, c, &f);
    for (unsigned k = 0; k < c->n; k++)
        draw_series(out, c, &f, k);
}

/* "2 x Some Processor at 2.5 GHz, Linux 6.1" */
static void machine(char *note, size_t size)
{
    char line[256], model[128] = "processor";
    FILE *f = fopen("/proc/cpuinfo", "r");
    struct utsname u;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "model name : %127[^\n]", model) == 1)
            break;
    if (f)
        fclose(f);
    if (uname(&u) < 0)
        strcpy(u.release, "?");
    snprintf(note, size, "%ld x %s, Linux %.40s", sysconf(_SC_NPROCESSORS_ONLN), model,
             u.release);
}

int svg_write(const char *path, const char *title, const struct svg_chart *charts,
              unsigned n)
{
    unsigned rows = (n + 1) / 2, width = n > 1 ? 2 * WIDTH : WIDTH;
    FILE *out = fopen(path, "w");
    char note[256];
    int failed;

    if (!out)
        return -1;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
            "font-family=\"sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            width, HEADER + rows * HEIGHT);
    fputs("<g font-size=\"16\">", out);
    text(out, 24, 28, "start", title);
    fputs("</g>\n", out);
    machine(note, sizeof note);
    text(out, 24, 46, "start", note);
    for (unsigned i = 0; i < n; i++)
        draw_chart(out, &charts[i], i % 2 * WIDTH, HEADER + i / 2 * HEIGHT);
    fputs("</svg>\n", out);
    failed = ferror(out);
    return fclose(out) != 0 || failed ? -1 : 0;
}
