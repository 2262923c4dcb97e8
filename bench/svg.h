// SPDX-License-Identifier: BSD-3-Clause
/*
 * svg.h -- charts of measurements as SVG, for `out/`
 *
 * A page is a grid of charts, each with lines through points; nothing but numbers and
 * names goes in, and any browser shows it.
 */

#ifndef BENCH_SVG_H
#define BENCH_SVG_H

#include <stdbool.h>
#include <stddef.h>

enum { SVG_SERIES = 12, SVG_POINTS = 64 };

struct svg_series {
    const char *name; /* borrowed */
    unsigned n;
    double x[SVG_POINTS], y[SVG_POINTS];
};

struct svg_chart {
    const char *title, *x_label, *y_label; /* borrowed */
    bool log_x; /* powers of two are equally far apart; otherwise from 0 on */
    bool log_y; /* powers of ten are; what is not above 0 is left out */
    const char *reference; /* borrowed; a line across at `reference_y`, NULL: none */
    double reference_y;
    unsigned n;
    struct svg_series series[SVG_SERIES];
};

/* Append a point to the series of that name, which is made if it does not exist. What is
 * above the bounds is left out. */
void svg_point(struct svg_chart *c, const char *series, double x, double y);

/* Write a page of charts, two in a row, under a title and what machine it was. Returns 0, or -1 with errno set. */
int svg_write(const char *path, const char *title, const struct svg_chart *charts,
              unsigned n);

#endif
