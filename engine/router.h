// SPDX-License-Identifier: BSD-3-Clause
/*
 * router.h -- a configuration that runs
 *
 * For those who embed the engine: the driver, the guest, the test runner, the fuzzers.
 *
 *     struct router *r = router_new(&platform, text, len, "fw.click", &options, &d);
 *     router_activate(r, NULL);
 *     while (router_run(r, &next) ...) ...
 *     router_free(r);
 *
 * Installing is a transaction. router_new() parses, builds and initialises the new
 * configuration completely while an old one goes on running; on any error it returns NULL
 * and nothing has changed. router_activate(new, old) then moves queued packets and flow
 * state between elements of the same name and class, and starts the new one; nothing in
 * it can fail. The caller frees the old one.
 *
 * Threads: a router is used by one thread.
 * Memory:  everything a router has lives in its arena; packets live in the platform's
 *          pool.
 */

#ifndef ENGINE_ROUTER_H
#define ENGINE_ROUTER_H

#include "base/diag.h"
#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/platform.h"

struct router;

struct router_options {
    const struct lang_define *defines; /* from outside; borrowed during router_new() */
    size_t n_defines;
    size_t memory_limit; /* bytes of the arena; 0: none */
    /* Elements besides those of the text: sockets that the driver was asked for. */
    const struct lang_element *extra;
    size_t n_extra;
    /* Report what Click does: only the errors of the first phase that has any (port
     * numbers, push and pull, unused ports, configuration), one failed initialization. */
    bool by_phase;
    bool
        only_wire; /* stop before elements get their arguments: the result cannot run */
    /* Said behind the errors of a text that is well-formed; may be NULL. */
    const char *last_word;
};

/* Build a configuration. NULL with errors in `d` (warnings may be there in any case).
 * `platform` is borrowed for the life of the router; `options` may be NULL. */
struct router *router_new(const struct platform *platform, const char *text, size_t len,
                          const char *file, const struct router_options *options,
                          struct diag *d);

/* Take over from `old` (NULL: from nothing) and start. `old` stops; free it next. */
void router_activate(struct router *r, struct router *old);

void router_free(struct router *r);

enum { ROUTER_FOREVER = -1 };

/* Run due timers and scheduled tasks for about `budget` task runs. Returns whether tasks
 * are still scheduled that did something. `*next_ns` is the steady time of the next
 * timer, or INT64_MAX. */
bool router_run(struct router *r, unsigned budget, int64_t *next_ns);

/* Whether no task is scheduled: only a timer or a packet can make it go on. */
bool router_idle(const struct router *r);

/* Whether the router has come to its end. */
bool router_stopped(const struct router *r);

/* Click's driver stop events. Each takes one from the router's run count, which starts at
 * 1; router_adjust_run_count() may also give one back. When it is 0 or less after a
 * round, the stop script (a Script of TYPE DRIVER, if there is one) is stepped with
 * "router"; if it does not bring the count above 0, the router stops. */
void router_stop(struct router *r);
void router_adjust_run_count(struct router *r, int32_t delta);

/* From configure(): make `e` the stop script. -1: there is one already. */
int router_set_stop_script(struct router *r, struct element *e);

/* Elements, in the order of the text. */
uint32_t router_n_elements(const struct router *r);
struct element *router_element(const struct router *r, uint32_t index);
struct element *router_find(const struct router *r, const char *name);
/* Let visits go through `e` by this flow code instead of its class's. -1: no memory. */
int router_set_flow(struct router *r, const struct element *e, const char *code);
const struct lang_graph *router_graph(const struct router *r);
const char *router_text(const struct router *r, size_t *len);
const struct platform *router_platform(const struct router *r);
struct arena *router_arena(const struct router *r);
struct sched *router_sched(const struct router *r);

/* A place where the elements of one kind keep what they share in one router, found by
 * key: AddressInfo's names, for instance. Zeroed when first asked for. NULL when memory
 * ran out. */
void *router_shared(struct router *r, const char *key, size_t size);

/* --- the catalogue ------------------------------------------------------------------- */

/* All names that a configuration may use, aliases included, sorted (ASCII), and the classes
 * they mean. */
size_t router_n_classes(void);
const struct element_class *router_class(size_t i);
const char *const *router_class_names(size_t *n);

/* Whether this engine has what `require(package NAME)` asks for. */
bool router_provides(const char *name);

/* NULL when there is none. */
const struct element_class *router_class_find(const char *name);

#endif
