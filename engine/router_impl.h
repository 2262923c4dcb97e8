// SPDX-License-Identifier: BSD-3-Clause
/*
 * router_impl.h -- inside a router: shared by the router_*.c files and nobody else
 *
 *     router.c        life cycle, running, accessors
 *     router_build.c  elements from the graph: create, configure, initialise
 *     router_ports.c  port counts, push and pull, wiring
 *     router_visit.c  walks through the graph along the flow codes
 *     classes.c       the catalogue of element classes
 */

#ifndef ENGINE_ROUTER_IMPL_H
#define ENGINE_ROUTER_IMPL_H

#include "base/strmap.h"
#include "engine/router.h"
#include "engine/sched_run.h"

struct shared_item {
    struct shared_item *next;
    const char *key;
    void *memory;
};

/* What the ports of one element do, while the graph is being checked and walked. */
struct ports {
    uint32_t first_in,
        first_out; /* number of its first port among all of the router's */
};

enum port_kind { PORT_AGNOSTIC, PORT_PUSH, PORT_PULL };

struct router {
    const struct platform *platform; /* borrowed */
    struct arena *arena;
    const char *text; /* in the arena, as is everything below without a word */
    size_t text_len;
    const char *file;
    struct lang_graph graph;

    const char **flow; /* [n], codes in place of the classes'; NULL: there are none */
    struct element **elements; /* [n], in the order of the graph */
    struct element **order;    /* [n], in the order of configuration */
    uint32_t n, n_created;
    struct strmap names; /* on the heap */

    struct ports *ports;         /* [n] */
    uint8_t *in_kind, *out_kind; /* enum port_kind of all ports of all elements */
    uint32_t n_in, n_out;
    /* Connections by where they start and where they end: index into the graph's list,
     * those of output port o are by_out[out_first[o]] .. by_out[out_first[o + 1]]. */
    uint32_t *by_out, *out_first, *by_in, *in_first;

    struct sched sched;
    int64_t coarse_ns, wall_offset_ns;
    uint64_t random;
    struct shared_item *shared;
    int32_t run_count; /* the driver stops when it is 0 or less: see router_stop() */
    struct element *stop_script; /* is asked before it does; NULL: nobody */
    uint32_t rounds, timer_stride, timers_in_time; /* see run_timers() */
    bool active, stopped;
    bool by_phase; /* stop at the first phase with errors: router_options.by_phase */
};

/* router_build.c */
int router_create_elements(struct router *r, struct diag *d);
int router_configure_elements(struct router *r, struct diag *d);
int router_initialize_elements(struct router *r, struct diag *d);

/* router_ports.c: decide port counts and kinds, wire. */
int router_connect(struct router *r, struct diag *d);

/* router_check.c: report what does not fit, in Click's words and order. */
bool router_has_connection(const struct router *r, const struct lang_connection *c);
int router_check_range(struct router *r, struct diag *d);
void router_report_conflicts(struct router *r, const uint8_t *own, struct diag *d);
int router_check_complete(struct router *r, struct diag *d);

/* Flow code of an element (NULL: "x/x"): whether input i leads to output o. */
bool flow_connects(const char *code, unsigned in, unsigned out);

#endif
