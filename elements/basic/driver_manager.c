// SPDX-License-Identifier: BSD-3-Clause
/*
 * DriverManager -- say when the router stops, and do things on the way
 *
 * Usage:    DriverManager(INSTRUCTION, ...)
 * Ports:    none
 * Args:     instructions, carried out in order:
 *           wait [N], wait_step, wait_stop, pause  until N (1) requests to stop have come
 *           wait TIME, wait_time, wait_for         for a time, or until a request to stop
 *           print [>FILE | >>FILE] HANDLER | TEXT  print a handler's value, or the text
 *           printn ...                             the same without a line end
 *           read HANDLER [PARAM]                   print name and value on the console
 *           write HANDLER [VALUE]                  write a handler
 *           save HANDLER FILE, append HANDLER FILE put a handler's value into a file
 *           loop                                   go on with the first instruction
 *           stop, quit, exit, end                  stop the router
 * Counters: none
 * Handlers: step  (write) go on behind the instruction that waits
 * Example:  DriverManager(wait 1s, print c.count, write c.reset, wait_stop, stop);
 * See also: Script, Counter, QuitWatcher
 *
 * A request to stop, by the handler `stop` or by a source that has made its packets, does
 * not stop a router with a DriverManager: it ends the wait. Behind the last instruction
 * the router stops; without any instruction, at the first request.
 */

#include "engine/element.h"
#include "engine/platform.h"
#include "engine/router.h"

enum { DRIVER_MAX_JUMPS = 1000 };

enum driver_op {
    OP_WAIT_STEP,
    OP_WAIT_TIME,
    OP_PRINT,
    OP_PRINTN,
    OP_READ,
    OP_WRITE,
    OP_SAVE,
    OP_APPEND,
    OP_LOOP,
    OP_STOP,
};

struct driver_step {
    enum driver_op op;
    const char *text; /* behind the name, or the handler and its parameter */
    const char *file; /* NULL: standard output */
    bool append;
    int64_t wait_ns;
    uint64_t count;
};

struct driver_manager {
    struct driver_step *steps; /* [n], in the router's arena; the last one is a stop */
    uint32_t n, at;
    uint64_t requests; /* to stop, since the wait at `at` began */
    struct timer timer;
    bool running;
};

static const struct {
    const char *name;
    enum driver_op op;
} driver_names[] = {
    {"append", OP_APPEND},
    {"call", OP_WRITE},
    {"end", OP_STOP},
    {"exit", OP_STOP},
    {"loop", OP_LOOP},
    {"pause", OP_WAIT_STEP},
    {"print", OP_PRINT},
    {"printn", OP_PRINTN},
    {"quit", OP_STOP},
    {"read", OP_READ},
    {"save", OP_SAVE},
    {"stop", OP_STOP},
    {"wait", OP_WAIT_STEP},
    {"wait_for", OP_WAIT_TIME},
    {"wait_pause", OP_WAIT_STEP},
    {"wait_step", OP_WAIT_STEP},
    {"wait_stop", OP_WAIT_STEP},
    {"wait_time", OP_WAIT_TIME},
    {"write", OP_WRITE},
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* The word at *text, copied, with *text behind it and the blanks that follow; NULL when
 * memory ran out. */
static char *shift_word(struct arena *a, const char **text)
{
    const char *s = *text;
    size_t n = 0;

    while (s[n] && !is_blank(s[n]))
        n++;
    for (*text = s + n; is_blank(**text);)
        ++*text;
    return arena_strndup(a, s, n);
}

/* "HANDLER [PARAM] FILE": the last word is the file. */
static int parse_save(struct arena *a, struct driver_step *step)
{
    size_t n = strlen(step->text), end;

    while (n && is_blank(step->text[n - 1]))
        n--;
    for (end = n; end && !is_blank(step->text[end - 1]);)
        end--;
    step->append = step->op == OP_APPEND;
    step->file = arena_strndup(a, step->text + end, n - end);
    while (end && is_blank(step->text[end - 1]))
        end--;
    step->text = arena_strndup(a, step->text, end);
    return end && step->file && step->text ? 0 : -1;
}

/* "[>FILE | >>FILE] rest" */
static int parse_redirection(struct arena *a, struct driver_step *step)
{
    if (*step->text != '>')
        return 0;
    step->append = step->text[1] == '>';
    step->text += 1 + step->append;
    while (is_blank(*step->text))
        step->text++;
    step->file = shift_word(a, &step->text);
    return step->file ? 0 : -1;
}

static int parse_step(struct element *e, struct driver_step *step, const char *name)
{
    struct arena *a = router_arena(e->router);

    switch (step->op) {
    case OP_WAIT_STEP:
        step->count = 1;
        if (!*step->text ||
            (strcmp(name, "wait") && parse_u64(step->text, 0, &step->count)))
            return 0;
        step->op = OP_WAIT_TIME; /* `wait` with an argument */
        return strcmp(name, "wait") || !parse_time(step->text, &step->wait_ns) ? -1 : 0;
    case OP_WAIT_TIME:
        return parse_time(step->text, &step->wait_ns) ? 0 : -1;
    case OP_SAVE:
    case OP_APPEND:
        return parse_save(a, step);
    case OP_PRINT:
    case OP_PRINTN:
        return parse_redirection(a, step);
    case OP_READ:
    case OP_WRITE:
        return *step->text ? 0 : -1;
    case OP_LOOP:
    case OP_STOP:
        return *step->text ? -1 : 0;
    }
    return -1;
}

static int driver_manager_add(struct element *e, const char *text, struct diag *d)
{
    struct driver_manager *s = element_state(e);
    struct driver_step *step = &s->steps[s->n];
    const char *name;

    step->text = arena_strdup(router_arena(e->router), text);
    name = step->text ? shift_word(router_arena(e->router), &step->text) : NULL;
    if (!name)
        return diag_err(d, "out of memory");
    for (size_t i = 0; i < sizeof driver_names / sizeof driver_names[0]; i++)
        if (!strcmp(name, driver_names[i].name)) {
            step->op = driver_names[i].op;
            if (parse_step(e, step, name) < 0)
                break;
            s->n++;
            return 0;
        }
    return diag_err(d, "syntax error at '%s'", name);
}

static int driver_manager_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct driver_manager *s = element_state(e);
    bool *taken = router_shared(e->router, "driver script", sizeof *taken);
    int rc = 0;

    if (!taken || *taken)
        return diag_err(d, "router has more than one driver script");
    *taken = true;
    s->steps = element_alloc(e, ((size_t)c->argc + 2) * sizeof(struct driver_step));
    if (!s->steps)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++)
        if (*c->argv[i] && driver_manager_add(e, c->argv[i], d) < 0)
            rc = -1;
    if (s->n == 0)
        s->steps[s->n++] = (struct driver_step){
            .op = OP_WAIT_STEP, .count = 1, .text = ""};
    s->steps[s->n++] = (struct driver_step){.op = OP_STOP, .text = ""};
    return rc;
}

/* Read "HANDLER [PARAM]" into `out`; what goes wrong is said. */
static int driver_read(struct element *e, const char *text, struct sbuf *out)
{
    struct diag d = DIAG_INIT;
    struct arena *a = arena_new(0);
    char *name = a ? shift_word(a, &text) : NULL;
    int rc = -1;

    if (name) {
        diag_enter(&d, NO_PLACE, "While executing '%s'", element_declaration(e));
        rc = handler_read(e->router, e, name, *text ? text : NULL, out, &d);
        diag_leave(&d);
    }
    if (rc < 0)
        element_say(e, "%s", diag_text(&d));
    diag_fini(&d);
    arena_free(a);
    return rc;
}

static void driver_write(struct element *e, const char *text)
{
    struct diag d = DIAG_INIT;
    struct arena *a = arena_new(0);
    char *name = a ? shift_word(a, &text) : NULL;

    if (name) {
        diag_enter(&d, NO_PLACE, "While executing '%s'", element_declaration(e));
        diag_enter(&d, NO_PLACE, "While calling '%s%s%s'", name, *text ? " " : "",
                   text);
        if (handler_write(e->router, e, name, text, strlen(text), &d) < 0)
            element_say(e, "%s", diag_text(&d));
    }
    diag_fini(&d);
    arena_free(a);
}

static void driver_put(struct element *e, const struct driver_step *step,
                       const struct sbuf *text)
{
    const struct platform *p = element_platform(e);

    if (step->file && strcmp(step->file, "-") != 0) {
        if (!p->write_file)
            element_say(e, "%s: %s: there are no files here\n", e->name, step->file);
        else if (p->write_file(p->ctx, step->file, step->append, sbuf_text(text),
                               text->len) < 0)
            element_say(e, "%s: cannot be written\n", step->file);
    } else if (p->output) {
        p->output(p->ctx, sbuf_text(text), text->len);
    } else {
        p->console(p->ctx, sbuf_text(text), text->len);
    }
}

static void driver_print(struct element *e, const struct driver_step *step)
{
    struct sbuf out = SBUF_INIT;
    char c = step->text[0];
    bool line = step->op == OP_PRINT;
    struct arena *a;

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '@' || c == '_') {
        line = driver_read(e, step->text, &out) == 0 && line;
    } else if ((a = arena_new(0))) {
        size_t len = 0;
        const char *text = lang_unquote(a, step->text, &len);

        sbuf_add(&out, text ? text : "", text ? len : 0);
        arena_free(a);
    }
    if (step->op == OP_SAVE || step->op == OP_APPEND)
        line = false;
    if (line && (!out.len || out.data[out.len - 1] != '\n'))
        sbuf_putc(&out, '\n');
    driver_put(e, step, &out);
    sbuf_fini(&out);
}

static void driver_show(struct element *e, const char *text)
{
    struct sbuf out = SBUF_INIT;

    if (driver_read(e, text, &out) == 0)
        element_say(e, "%.*s:\n%s\n", (int)strcspn(text, " \t\r\n\f\v"), text,
                    sbuf_text(&out));
    sbuf_fini(&out);
}

static void driver_stop(struct element *e)
{
    router_on_stop(e->router, NULL, NULL);
    router_stop(e->router);
}

/* Requests that end a wait. */
static uint64_t driver_need(const struct driver_step *step)
{
    return step->op == OP_WAIT_STEP ? step->count : 1;
}

/* Whether the wait at hand is over. */
static bool driver_waited(struct driver_manager *s, const struct driver_step *step)
{
    if (s->requests >= driver_need(step))
        return true;
    return step->op == OP_WAIT_TIME && s->running && !timer_scheduled(&s->timer);
}

/* Go on until something has to be waited for. */
static void driver_manager_run(struct element *e)
{
    struct driver_manager *s = element_state(e);

    for (unsigned jumps = 0; jumps < DRIVER_MAX_JUMPS;) {
        const struct driver_step *step = &s->steps[s->at];

        if (step->op == OP_WAIT_STEP || step->op == OP_WAIT_TIME) {
            if (!driver_waited(s, step)) {
                if (step->op == OP_WAIT_TIME && !s->running)
                    timer_after(&s->timer, step->wait_ns);
                s->running = true;
                return;
            }
            timer_cancel(&s->timer);
            s->requests -= s->requests < driver_need(step) ? s->requests
                                                           : driver_need(step);
            s->running = false;
        } else if (step->op == OP_READ) {
            driver_show(e, step->text);
        } else if (step->op == OP_WRITE) {
            driver_write(e, step->text);
        } else if (step->op == OP_STOP) {
            driver_stop(e);
            return;
        } else if (step->op != OP_LOOP) {
            driver_print(e, step);
        }
        jumps += step->op == OP_LOOP;
        s->at = step->op == OP_LOOP ? 0 : s->at + 1;
    }
    element_say(e, "%s: too many jumps, giving up\n", element_declaration(e));
}

static void driver_manager_fire(struct element *e, struct timer *t)
{
    driver_manager_run(e);
}

/* Somebody wants to stop. We go on outside of whatever is running now. */
static bool driver_manager_stopped(struct element *e)
{
    struct driver_manager *s = element_state(e);

    s->requests++;
    timer_after(&s->timer, 0);
    return true;
}

static int driver_manager_initialize(struct element *e, struct diag *d)
{
    struct driver_manager *s = element_state(e);

    timer_init(&s->timer, e, driver_manager_fire);
    router_on_stop(e->router, driver_manager_stopped, e);
    timer_after(&s->timer, 0);
    return 0;
}

static int driver_manager_step(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    struct driver_manager *s = element_state(e);
    uint64_t n = 1;

    if (len && !parse_u64(value, 0, &n))
        return diag_err(d, "syntax error");
    s->requests += n;
    timer_after(&s->timer, 0);
    return 0;
}

static const struct handler_spec driver_manager_handlers[] = {
    HANDLER_WRITER(driver_manager_step, "step", "go on behind the wait"),
    HANDLER_END,
};

ELEMENT(DriverManager) = {
    .name = "DriverManager",
    .state_size = sizeof(struct driver_manager),
    .ports = "0/0",
    .any_args = true,
    .handlers = driver_manager_handlers,
    .configure = driver_manager_configure,
    .initialize = driver_manager_initialize,
};
