// SPDX-License-Identifier: BSD-3-Clause
/*
 * call.h -- one request of the API: its route, its arguments, its answer
 *
 * A route is a record, registered with ROUTE(name) = {...}; its path is a pattern:
 *
 *     /v1/vms/{vm}/config/{config}      {x} matches one part
 *     /v1/vms/{vm}/handlers/{handler*}  {x*} matches all that is left, slashes included
 *
 * The route's function answers with one of the call_*() functions, now or later: a call
 * that was not answered when the function returns stays open until somebody does.
 *
 * Threads: the loop's.
 * Memory:  a call belongs to whoever transports it (server.c); it stays valid until it
 *          has been answered, even when its client goes away.
 * Trust:   path, query and body come from the client, are bounded and otherwise unchecked.
 */

#ifndef CTL_CALL_H
#define CTL_CALL_H

#include "base/diag.h"
#include "base/sbuf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon_state;
struct call;

enum { CALL_MAX_ARGS = 4, CALL_MAX_QUERY = 32, CALL_MAX_BODY = 16 * 1024 * 1024 };

enum http_status {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_NO_CONTENT = 204,
    HTTP_BAD_REQUEST = 400,
    HTTP_NOT_FOUND = 404,
    HTTP_BAD_METHOD = 405,
    HTTP_CONFLICT = 409,
    HTTP_TOO_LARGE = 413,
    HTTP_REFUSED = 422, /* the configuration, the handler's value */
    HTTP_INTERNAL = 500,
    HTTP_UNAVAILABLE = 503,
    HTTP_TIMEOUT = 504,
    HTTP_NO_SPACE = 507,
};

struct route {
    const char *method, *path;
    const char *query; /* names of parameters, one blank between; NULL: none */
    void (*run)(struct daemon_state *s, struct call *c);
    const char *help; /* one line, for GET /v1 */
};

#define ROUTE(name_)                                                                   \
    static const struct route route_##name_;                                           \
    __attribute__((used, retain, section("routes"))) static const struct route         \
        *const route_ptr_##name_ = &route_##name_;                                     \
    static const struct route route_##name_

struct call_param {
    const char *name; /* points into the route's table */
    char *value;      /* owned */
};

struct call {
    const struct route *route; /* NULL until call_route() */
    char *args[CALL_MAX_ARGS]; /* owned; what the {x} matched, in order */
    struct call_param query[CALL_MAX_QUERY];
    unsigned n_args, n_query;
    bool body_is_json; /* as its Content-Type says */
    struct sbuf body;
    void *ctx; /* for the route; borrowed */

    bool answered;
    unsigned status;
    const char *content_type; /* static */
    char allow[40];           /* with 405: the path's methods, commas between */
    struct sbuf answer;
    void (*wake)(struct call *c); /* tells the transport that the answer is there */
    void *transport;              /* for wake */

    /* For routes that wait: told that the client has gone or the daemon ends; answers or
     * leaves the call to later. May be NULL. */
    void (*cancel)(struct call *c, void *ctx);
    void *cancel_ctx;
};

void call_fini(struct call *c);

/* Find the route for a method and a decoded path. On failure the call is answered with
 * 404 or 405 and -1 is returned. */
int call_route(struct call *c, const char *method, const char *path);

/* Take in one decoded query parameter, after call_route(). Answers 400 and returns -1
 * for a name that the route does not know. `value` NULL counts as "". */
int call_add_query(struct call *c, const char *name, const char *value);

/* The parameter's first value, or NULL. */
const char *call_query(const struct call *c, const char *name);

/* The same as a number; *n stays as it is if it was not given. -1, answered with 400, if it
 * is none. */
int call_query_number(struct call *c, const char *name, uint64_t *n);

/* ---- calls that wait for the same ------------------------------------------------- */

struct call_list {
    struct call *call; /* borrowed */
    struct call_list *next;
};

/* To the end; false when memory ran out and the call was answered so. */
bool call_list_add(struct call_list **list, struct call *c);

/* Run their routes, in order, with the list empty before the first; forget them. */
void call_list_run(struct call_list **list, struct daemon_state *s);
void call_list_free(struct call_list **list);

/* ---- answers --------------------------------------------------------------------- */

void call_json(struct call *c, unsigned status, json_t *value /* taken over */);
void call_written(struct call *c, unsigned status); /* JSON that is in c->answer */
void call_text(struct call *c, unsigned status, const char *text, size_t len);
void call_done(struct call *c); /* 204, nothing to say */

/* {"error": "...", "code": "..."}: one line that says what to do. `code` is a word for
 * programs, see docs/api.md. */
__attribute__((format(printf, 4, 5))) void
call_fail(struct call *c, unsigned status, const char *code, const char *fmt, ...);

/* The same with "details", which are taken over. */
__attribute__((format(printf, 5, 6))) void
call_fail_details(struct call *c, unsigned status, const char *code, json_t *details,
                  const char *fmt, ...);

/* The same with the first error of a diag as its text. */
void call_fail_diag(struct call *c, unsigned status, const char *code,
                    const struct diag *d);

/* The first error's text, never NULL. */
const char *diag_first(const struct diag *d);

/* All routes, sorted by path and method, for GET /v1. A new list. */
json_t *call_routes(void);

#endif
