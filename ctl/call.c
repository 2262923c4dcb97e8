// SPDX-License-Identifier: BSD-3-Clause
/* call.c -- one request of the API: see call.h */

#include "ctl/call.h"

#include "base/suggest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct route *const __start_routes[] __attribute__((weak));
extern const struct route *const __stop_routes[] __attribute__((weak));

static size_t n_routes(void)
{
    return (size_t)(__stop_routes - __start_routes);
}

static void forget_args(struct call *c)
{
    for (unsigned i = 0; i < c->n_args; i++)
        free(c->args[i]);
    c->n_args = 0;
}

void call_fini(struct call *c)
{
    forget_args(c);
    for (unsigned i = 0; i < c->n_query; i++)
        free(c->query[i].value);
    sbuf_fini(&c->body);
    sbuf_fini(&c->answer);
    *c = (struct call){0};
}

/* ---- routes ---------------------------------------------------------------------- */

static bool keep_arg(struct call *c, const char *at, size_t len)
{
    char *arg;

    if (len == 0 || c->n_args == CALL_MAX_ARGS || !(arg = strndup(at, len)))
        return false;
    c->args[c->n_args++] = arg;
    return true;
}

/* One part of pattern and path each, without its slash; false when they do not agree. */
static bool match_part(struct call *c, const char *pattern, size_t pattern_len,
                       const char *path, size_t path_len)
{
    if (pattern[0] == '{')
        return keep_arg(c, path, path_len);
    return pattern_len == path_len && !memcmp(pattern, path, path_len);
}

static bool match(struct call *c, const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        size_t pattern_len = strcspn(++pattern, "/"), path_len = strcspn(++path, "/");

        if (pattern[0] == '{' && pattern[pattern_len - 2] == '*')
            path_len = strlen(path);
        if (!match_part(c, pattern, pattern_len, path, path_len))
            return false;
        pattern += pattern_len;
        path += path_len;
    }
    return *pattern == '\0' && (*path == '\0' || !strcmp(path, "/"));
}

int call_route(struct call *c, const char *method, const char *path)
{
    size_t len = 0;

    c->allow[0] = '\0';
    for (size_t i = 0; i < n_routes(); i++) {
        const struct route *r = __start_routes[i];

        forget_args(c);
        if (!match(c, r->path, path))
            continue;
        if (!strcmp(r->method, method)) {
            c->route = r;
            return 0;
        }
        if (len < sizeof c->allow)
            len += (size_t)snprintf(c->allow + len, sizeof c->allow - len, "%s%s",
                                    len ? ", " : "", r->method);
    }
    forget_args(c);
    if (len)
        call_fail(c, HTTP_BAD_METHOD, "bad_method",
                  "%.16s is not possible for %.200s, which has %s", method, path,
                  c->allow);
    else
        call_fail(c, HTTP_NOT_FOUND, "no_such_path",
                  "there is no %.200s: GET /v1 lists what there is", path);
    return -1;
}

/* Copy the next word of a list into `word`; returns what is left, NULL at the end. */
static const char *next_word(const char *list, char word[32])
{
    size_t len;

    if (!list || !*list)
        return NULL;
    len = strcspn(list, " ");
    snprintf(word, 32, "%.*s", (int)len, list);
    return list[len] ? list + len + 1 : list + len;
}

static void fail_query(struct call *c, const char *name)
{
    struct suggest s;
    const char *known = c->route->query;
    char words[CALL_MAX_QUERY][32];
    size_t n = 0;

    suggest_init(&s, name);
    while (n < CALL_MAX_QUERY && (known = next_word(known, words[n])))
        suggest_add(&s, words[n++]);
    if (s.best)
        call_fail(c, HTTP_BAD_REQUEST, "bad_request",
                  "unknown parameter '%.60s': did you mean '%s'?", name, s.best);
    else
        call_fail(c, HTTP_BAD_REQUEST, "bad_request", "unknown parameter '%.60s'",
                  name);
}

/* Where `name` stands in the route's list, so that no copy is needed. */
static const char *known_name(const char *list, const char *name)
{
    char word[32];
    const char *at = list;

    while ((list = next_word(list, word))) {
        if (!strcmp(word, name))
            return at;
        at = list;
    }
    return NULL;
}

int call_add_query(struct call *c, const char *name, const char *value)
{
    const char *known = known_name(c->route->query, name);
    char *copy;

    if (!known) {
        fail_query(c, name);
        return -1;
    }
    copy = strdup(value ? value : "");
    if (!copy || c->n_query == CALL_MAX_QUERY) {
        free(copy);
        call_fail(c, HTTP_BAD_REQUEST, "bad_request", "too many parameters");
        return -1;
    }
    c->query[c->n_query++] = (struct call_param){known, copy};
    return 0;
}

const char *call_query(const struct call *c, const char *name)
{
    size_t len = strlen(name);

    for (unsigned i = 0; i < c->n_query; i++)
        if (strcspn(c->query[i].name, " ") == len &&
            !memcmp(c->query[i].name, name, len))
            return c->query[i].value;
    return NULL;
}

int call_query_number(struct call *c, const char *name, uint64_t *n)
{
    const char *text = call_query(c, name);
    uint64_t value;
    char *end;

    if (!text)
        return 0;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno) {
        call_fail(c, HTTP_BAD_REQUEST, "bad_request", "'%s' must be a number", name);
        return -1;
    }
    *n = value;
    return 0;
}

static int compare_routes(const void *a, const void *b)
{
    const struct route *x = *(const struct route *const *)a;
    const struct route *y = *(const struct route *const *)b;
    int order = strcmp(x->path, y->path);

    return order ? order : strcmp(x->method, y->method);
}

json_t *call_routes(void)
{
    const struct route **sorted = malloc((n_routes() + 1) * sizeof *sorted);
    json_t *list = json_array();

    if (!sorted)
        return list;
    memcpy(sorted, __start_routes, n_routes() * sizeof *sorted);
    qsort(sorted, n_routes(), sizeof *sorted, compare_routes);
    for (size_t i = 0; i < n_routes(); i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "method",
                                              sorted[i]->method, "path",
                                              sorted[i]->path, "query",
                                              sorted[i]->query ? sorted[i]->query : "",
                                              "help", sorted[i]->help));
    free(sorted);
    return list;
}

/* ---- calls that wait for the same ------------------------------------------------- */

bool call_list_add(struct call_list **list, struct call *c)
{
    struct call_list *l = calloc(1, sizeof *l);

    if (!l) {
        call_fail(c, HTTP_NO_SPACE, "no_memory", "out of memory");
        return false;
    }
    l->call = c;
    while (*list)
        list = &(*list)->next;
    *list = l;
    return true;
}

void call_list_run(struct call_list **list, struct daemon_state *s)
{
    struct call_list *l = *list, *next;

    for (*list = NULL; l; l = next) {
        next = l->next;
        l->call->route->run(s, l->call);
        free(l);
    }
}

void call_list_free(struct call_list **list)
{
    for (struct call_list *l = *list, *next; l; l = next) {
        next = l->next;
        free(l);
    }
    *list = NULL;
}

/* ---- answers --------------------------------------------------------------------- */

static void answer(struct call *c, unsigned status, const char *content_type)
{
    c->status = status;
    c->content_type = content_type;
    c->answered = true;
    c->cancel = NULL;
    if (c->wake)
        c->wake(c);
}

static int append(const char *bytes, size_t len, void *out)
{
    sbuf_add(out, bytes, len);
    return 0;
}

void call_json(struct call *c, unsigned status, json_t *value)
{
    sbuf_reset(&c->answer);
    if (!value || json_dump_callback(value, append, &c->answer,
                                     JSON_INDENT(2) | JSON_ENCODE_ANY) < 0) {
        status = HTTP_INTERNAL;
        sbuf_puts(&c->answer,
                  "{\"error\": \"out of memory\", \"code\": \"no_memory\"}");
    }
    json_decref(value);
    sbuf_putc(&c->answer, '\n');
    answer(c, status, "application/json");
}

void call_written(struct call *c, unsigned status)
{
    answer(c, status, "application/json");
}

void call_text(struct call *c, unsigned status, const char *text, size_t len)
{
    sbuf_reset(&c->answer);
    sbuf_add(&c->answer, text, len);
    answer(c, status, "text/plain");
}

void call_done(struct call *c)
{
    sbuf_reset(&c->answer);
    answer(c, HTTP_NO_CONTENT, NULL);
}

static void fail(struct call *c, unsigned status, const char *code, json_t *details,
                 const char *text)
{
    json_t *o = json_object(), *message = json_string(text);

    /* jansson refuses text that is not UTF-8, which names in an error may be. */
    json_object_set_new(o, "error",
                        message ? message : json_string("a name is not valid UTF-8"));
    json_object_set_new(o, "code", json_string(code));
    if (details)
        json_object_set_new(o, "details", details);
    call_json(c, status, o);
}

void call_fail(struct call *c, unsigned status, const char *code, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    fail(c, status, code, NULL, sbuf_text(&text));
    sbuf_fini(&text);
}

void call_fail_details(struct call *c, unsigned status, const char *code,
                       json_t *details, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    fail(c, status, code, details, sbuf_text(&text));
    sbuf_fini(&text);
}

const char *diag_first(const struct diag *d)
{
    for (size_t i = 0; i < d->n_messages; i++)
        if (d->messages[i].level == DIAG_ERROR && d->messages[i].text)
            return d->messages[i].text;
    return "out of memory";
}

void call_fail_diag(struct call *c, unsigned status, const char *code,
                    const struct diag *d)
{
    fail(c, status, code, NULL, diag_first(d));
}
