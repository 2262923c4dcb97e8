// SPDX-License-Identifier: BSD-3-Clause
/*
 * stride.h -- ports that take turns by tickets: StrideSched and StrideSwitch
 *
 * Stride scheduling (Waldspurger and Weihl, 1995): each port has a pass, the lowest is
 * next, and its turn raises it by a stride that is the smaller the more tickets it has.
 */

#ifndef ENGINE_STRIDE_H
#define ENGINE_STRIDE_H

#include "engine/element.h"

enum { STRIDE_MAX_TICKETS = 1 << 15 };

struct stride_port {
    uint32_t tickets, stride, pass;
};

struct stride {
    struct stride_port *ports; /* [n], in the router's arena */
    uint32_t *order;           /* [n_order]: ports with tickets, the next one first */
    uint32_t n, n_order;
};

/* One argument for each of the `n` ports: its tickets. */
int stride_configure(struct element *e, struct stride *s, struct conf *c, uint32_t n,
                     const char *port_kind, struct diag *d);

/* The first `n` ports of the order have had their turn. */
void stride_took(struct stride *s, uint32_t n);

/* Handlers tickets0, tickets1, ... (read/write) and config (read); struct stride is the
 * state. */
#define STRIDE_HANDLERS                                                                \
    {.name = "tickets",                                                                \
     .help = "tickets of the port with this number",                                   \
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_NUMBERED,                         \
     .read = stride_read_tickets,                                                      \
     .write = stride_write_tickets},                                                   \
        HANDLER_READER(stride_read_config, "config", "tickets of all ports")

int stride_read_tickets(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d);
int stride_write_tickets(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d);
int stride_read_config(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d);

#endif
