// SPDX-License-Identifier: BSD-3-Clause
/* script_run.c -- running a script: instructions, steps, the timer; see script.h */

#include "engine/host.h"
#include "engine/lang/lang.h"
#include "engine/parse_chars.h"
#include "engine/platform.h"
#include "engine/router.h"
#include "engine/script.h"

#include <stdlib.h>

/* What an instruction does to the loop that runs it. */
enum outcome {
    NEXT,   /* go on at s->pos */
    BLOCK,  /* stop until the next step */
    FINISH, /* the script has come to its end */
};

struct stepper {
    struct script *s;
    struct script_scope scope;
    int64_t goal; /* value of step_count up to which steps are to be taken */
    enum step_type type;
};

/* Tell the console what went wrong in a run that nobody called. */
static void report(struct element *e, struct diag *d)
{
    if (d->n_messages)
        element_say(e, "%s", diag_text(d));
    diag_forget(d);
}

/* --- instructions ------------------------------------------------------------------------- */

static enum outcome wait_step(struct stepper *x, struct script_insn *in)
{
    struct script *s = x->s;

    while (s->step_count < x->goal && in->done < in->arg) {
        in->done++;
        s->step_count++;
    }
    if (s->step_count == x->goal && in->done < in->arg) {
        s->pos--;
        return BLOCK;
    }
    return NEXT;
}

/* Set the timer for a wait instruction; false if its text is no time. */
static bool set_timer(const struct script_scope *scope, struct script *s,
                      const struct script_insn *in)
{
    struct sbuf text = SBUF_INIT;
    int64_t ns;
    bool ok;

    script_expand(scope, in->text, false, &text);
    ok = parse_time(sbuf_text(&text), &ns);
    if (ok)
        timer_after(&s->timer, ns);
    else
        diag_err(scope->d, "syntax error at 'wait'");
    sbuf_fini(&text);
    return ok;
}

static enum outcome wait_time(struct stepper *x, const struct script_insn *in)
{
    struct script *s = x->s;

    if (s->step_count == x->goal) {
        if (set_timer(&x->scope, s, in))
            s->pos--;
        return BLOCK;
    }
    s->step_count++;
    timer_cancel(&s->timer);
    return NEXT;
}

/* Where print puts its text: the standard output if `file` is "-". */
static void output(const struct script_scope *scope, const char *file, bool append,
                   const struct sbuf *text)
{
    const struct platform *p = element_platform(scope->e);
    const char *why;

    if (strcmp(file, "-") != 0) {
        why = p->write_file(p->ctx, file, append, sbuf_text(text), text->len);
        if (why)
            diag_err(scope->d, "%s: %s", file, why);
    } else if (text->len && p->output) {
        p->output(p->ctx, sbuf_text(text), text->len);
    } else if (text->len && p->console) {
        p->console(p->ctx, sbuf_text(text), text->len);
    }
}

/* The text that print stands for: a handler's value, or its own. */
static void print_value(const struct script_scope *scope, const char *text,
                        bool unquote, struct sbuf *out)
{
    struct sbuf expanded = SBUF_INIT;

    if (char_is_alpha(text[0]) || text[0] == '@' || text[0] == '_') {
        script_expand(scope, text, false, &expanded);
        script_call_read(scope, slice_of(sbuf_text(&expanded), expanded.len), unquote,
                         true, out);
    } else {
        script_expand(scope, text, true, &expanded);
        script_unquote(slice_of(sbuf_text(&expanded), expanded.len), out);
    }
    sbuf_fini(&expanded);
}

static void print_to(const struct script_scope *scope, int op, const char *text,
                     const char *file, bool append)
{
    struct sbuf out = SBUF_INIT;
    size_t errors = scope->d->n_errors;

    print_value(scope, text, op == OP_PRINTQ || op == OP_PRINTNQ, &out);
    if (scope->d->n_errors == errors && op != OP_PRINTN && op != OP_PRINTNQ &&
        (!out.len || out.data[out.len - 1] != '\n'))
        sbuf_putc(&out, '\n');
    output(scope, file, append, &out);
    sbuf_fini(&out);
}

/* print [>FILE|>>FILE] TEXT */
static void print(const struct script_scope *scope, int op, const char *text)
{
    struct sbuf file = SBUF_INIT;
    struct slice rest, name;
    bool append;

    if (text[0] != '>') {
        print_to(scope, op, text, "-", false);
        return;
    }
    append = text[1] == '>';
    rest = slice_of(text + 1 + append, strlen(text + 1 + append));
    name = script_shift(&rest);
    sbuf_add(&file, name.s, (size_t)(name.end - name.s));
    if (element_platform(scope->e)->write_file)
        print_to(scope, op, rest.s, file.len ? sbuf_text(&file) : "-", append);
    else
        diag_err(scope->d, "file redirection not supported here");
    sbuf_fini(&file);
}

/* save and append HANDLER [FILE] */
static void save(const struct script_scope *scope, int op, const char *text)
{
    struct slice rest = slice_of(text, strlen(text)), word = script_shift(&rest);
    struct sbuf handler = SBUF_INIT;

    sbuf_add(&handler, word.s, (size_t)(word.end - word.s));
    print_to(scope, op, sbuf_text(&handler), *rest.s ? rest.s : "-", op == OP_APPEND);
    sbuf_fini(&handler);
}

/* read and write HANDLER [TEXT] */
static void call(const struct script_scope *scope, struct script *s, int op,
                 const char *text)
{
    struct router *r = scope->e->router;
    struct sbuf expanded = SBUF_INIT, out = SBUF_INIT, name = SBUF_INIT;
    struct slice c, rest;
    int rc;

    script_expand(scope, text, false, &expanded);
    c = rest = slice_of(sbuf_text(&expanded), expanded.len);
    if (op == OP_WRITE || op == OP_WRITEQ) {
        rc = script_call_write(scope, c, op == OP_WRITEQ);
        if (rc != HANDLER_NONE)
            s->write_status = rc;
    } else if (script_call_read(scope, c, op == OP_READQ, true, &out) != HANDLER_NONE) {
        script_unquote(script_shift(&rest), &name);
        sbuf_add(&out, "\n", 1);
        sbuf_reset(&expanded);
        handler_full_name(r, scope->e, sbuf_text(&name), &expanded);
        element_say(scope->e, "%s:\n%s", sbuf_text(&expanded), sbuf_text(&out));
    }
    sbuf_fini(&expanded);
    sbuf_fini(&out);
    sbuf_fini(&name);
}

static void assign(const struct script_scope *scope, struct script *s, int32_t var,
                   const char *text, bool unquote)
{
    struct sbuf value = SBUF_INIT, bare = SBUF_INIT;

    script_expand(scope, text, false, &value);
    if (unquote) {
        script_unquote(slice_of(sbuf_text(&value), value.len), &bare);
        sbuf_fini(&value);
        value = bare;
    }
    sbuf_fini(&s->vars[var].value);
    s->vars[var].value = value;
}

/* Whether a jump is to be made. */
static bool condition(const struct script_scope *scope, const char *text)
{
    struct sbuf value = SBUF_INIT;
    bool truth = true;

    script_expand(scope, text, false, &value);
    if (value.len && !parse_bool(sbuf_text(&value), &truth)) {
        diag_err(scope->d, "bad condition '%s'", sbuf_text(&value));
        truth = false;
    }
    sbuf_fini(&value);
    return truth;
}

void script_reset_waits(struct script *s, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++)
        s->insns[i].done = 0;
}

static enum outcome jump(struct stepper *x, int32_t at)
{
    struct script *s = x->s;
    int32_t target = s->insns[at].arg;

    if (!condition(&x->scope, s->insns[at].text))
        return NEXT;
    if (target < 0) {
        if (target == OP_STOP && x->type != STEP_ROUTER)
            router_stop(x->scope.e->router);
        s->pos--;
        return FINISH;
    }
    script_reset_waits(s, target, at);
    s->pos = target;
    return NEXT;
}

static void error(const struct script_scope *scope, const char *text, bool unquote)
{
    struct sbuf message = SBUF_INIT, bare = SBUF_INIT;

    script_expand(scope, text, false, &message);
    if (unquote)
        script_unquote(slice_of(sbuf_text(&message), message.len), &bare);
    else
        sbuf_add(&bare, sbuf_text(&message), message.len);
    if (bare.len)
        diag_err(scope->d, "%s", sbuf_text(&bare));
    sbuf_fini(&message);
    sbuf_fini(&bare);
}

static enum outcome finish(struct stepper *x, const struct script_insn *in)
{
    struct script *s = x->s;

    if (in->op == OP_STOP) {
        s->step_count++;
        if (x->type != STEP_ROUTER)
            router_stop(x->scope.e->router);
    } else if (in->op == OP_ERROR || in->op == OP_ERRORQ) {
        error(&x->scope, in->text, in->op == OP_ERRORQ);
    }
    s->pos--;
    return FINISH;
}

static enum outcome run_one(struct stepper *x, int32_t at)
{
    struct script *s = x->s;
    struct script_insn *in = &s->insns[at];

    switch (in->op) {
    case OP_WAIT_STEP:
        return wait_step(x, in);
    case OP_WAIT_TIME:
        return wait_time(x, in);
    case OP_INITIAL:
        s->step_count += in->arg;
        in->arg = 0;
        return NEXT;
    case OP_SAVE:
    case OP_APPEND:
        save(&x->scope, in->op, in->text);
        return NEXT;
    case OP_PRINT:
    case OP_PRINTQ:
    case OP_PRINTN:
    case OP_PRINTNQ:
        print(&x->scope, in->op, in->text);
        return NEXT;
    case OP_READ:
    case OP_READQ:
    case OP_WRITE:
    case OP_WRITEQ:
        call(&x->scope, s, in->op, in->text);
        return NEXT;
    case OP_SET:
    case OP_SETQ:
        assign(&x->scope, s, in->arg, in->text, in->op == OP_SETQ);
        return NEXT;
    case OP_RETURN:
    case OP_RETURNQ:
        assign(&x->scope, s, in->arg, in->text, in->op == OP_RETURNQ);
        if (s->pos != at + 1) /* a handler in the value has jumped */
            return NEXT;
        s->pos--;
        return BLOCK;
    case OP_GOTO:
        return jump(x, at);
    case OP_EXIT:
    case OP_END:
    case OP_STOP:
    case OP_ERROR:
    case OP_ERRORQ:
        return finish(x, in);
    default: /* label, init, export */
        return NEXT;
    }
}

/* --- steps ---------------------------------------------------------------------------------- */

static void give_up(struct element *e, struct script *s)
{
    element_say(e, "%s: too many jumps, giving up\n", element_declaration(e));
    s->pos = s->n_insns;
    timer_cancel(&s->timer);
}

int script_step(struct element *e, int64_t steps, enum step_type type, int jumps,
                struct diag *d)
{
    struct script *s = element_state(e);
    struct stepper x = {.s = s, .scope = {e, d}, .type = type};
    enum outcome outcome = NEXT;

    if (__builtin_add_overflow(steps, s->step_count, &x.goal))
        x.goal = INT64_MAX;
    while (x.goal >= s->step_count && s->pos < s->n_insns && jumps < SCRIPT_MAX_JUMPS) {
        int32_t at = s->pos++;

        if (!script_spend(e, 1, d))
            s->pos = s->n_insns;
        else
            outcome = run_one(&x, at);
        if (s->alone == d)
            report(e, d);
        if (outcome == FINISH)
            return jumps + 1;
        if (outcome == BLOCK)
            break;
        if (s->pos != at + 1)
            jumps++;
    }
    if (jumps >= SCRIPT_MAX_JUMPS)
        give_up(e, s);
    if (type == STEP_ROUTER)
        router_adjust_run_count(e->router, 1);
    return jumps + 1;
}

static void signal_came(void *arg)
{
    struct element *e = arg;
    struct diag d = DIAG_INIT;

    handler_write(e->router, e, "run", "", 0, &d);
    report(e, &d);
    diag_fini(&d);
}

static void watch_signals(struct element *e)
{
    const struct script *s = element_state(e);
    const struct platform *p = element_platform(e);

    for (uint32_t i = 0; i < s->n_signals; i++)
        p->host->watch_signal(p->ctx, s->signals[i], signal_came, e);
}

int script_complete(struct element *e, struct sbuf *value)
{
    struct script *s = element_state(e);
    int op = 0;
    int32_t var;

    if (s->pos >= 0 && s->pos < s->n_insns) {
        op = s->insns[s->pos].op;
        if (op == OP_GOTO && s->insns[s->pos].arg < 0)
            op = s->insns[s->pos].arg;
    }
    if (op == OP_END && s->type == SCRIPT_SIGNAL)
        watch_signals(e);
    if (value && (op == OP_RETURN || op == OP_RETURNQ)) {
        var = script_variable(s, "_", 1, false);
        if (var >= 0)
            sbuf_add(value, sbuf_text(&s->vars[var].value), s->vars[var].value.len);
    } else if (value && op == OP_END && s->type == SCRIPT_PACKET) {
        sbuf_puts(value, "0");
    }
    if (op == OP_ERROR || op == OP_ERRORQ)
        return -1;
    return op == OP_STOP;
}

/* Run for nobody who could be told of errors. */
static void run_alone(struct element *e, int64_t steps, enum step_type type,
                      struct sbuf *value)
{
    struct script *s = element_state(e);
    const struct diag *outer = s->alone;
    struct diag d = DIAG_INIT;

    diag_enter(&d, NO_PLACE, "While executing '%s'", element_declaration(e));
    if (script_enter(e, &d)) {
        s->alone = &d;
        if (type == STEP_JUMP)
            s->pos = 0;
        script_step(e, steps, type, 0, &d);
        script_complete(e, value);
        s->alone = outer;
        script_leave(e);
    }
    diag_leave(&d);
    report(e, &d);
    diag_fini(&d);
}

static void timer_fired(struct element *e, struct timer *t)
{
    (void)t;
    run_alone(e, 1, STEP_TIMER, NULL);
}

int script_packet(struct element *e, unsigned port)
{
    struct script *s = element_state(e);
    struct sbuf out = SBUF_INIT;
    int32_t var = script_variable(s, "input", 5, true);
    int64_t output_port;

    if (var < 0)
        return -1;
    sbuf_reset(&s->vars[var].value);
    sbuf_printf(&s->vars[var].value, "%u", port);
    run_alone(e, 0, STEP_JUMP, &out);
    if (!parse_i64(sbuf_text(&out), 0, &output_port) || output_port < 0 ||
        output_port >= e->n_out)
        output_port = -1;
    sbuf_fini(&out);
    return (int)output_port;
}

/* --- life ------------------------------------------------------------------------------------ */

static void init_variables(struct element *e, struct script *s, struct diag *d)
{
    const struct script_scope scope = {e, d};

    for (int32_t i = 0; i < s->n_insns; i++) {
        const struct script_insn *in = &s->insns[i];

        if (in->op == OP_INIT || in->op == OP_EXPORT || in->op == OP_INITQ ||
            in->op == OP_EXPORTQ)
            assign(&scope, s, in->arg, in->text,
                   in->op == OP_INITQ || in->op == OP_EXPORTQ);
    }
}

int script_initialize(struct element *e, struct diag *d)
{
    struct script *s = element_state(e);
    const struct script_scope scope = {e, d};
    size_t errors = d->n_errors;

    timer_init(&s->timer, e, timer_fired);
    if (!script_enter(e, d))
        return -1;
    init_variables(e, s, d);
    if (s->type == SCRIPT_SIGNAL) {
        watch_signals(e);
    } else if (s->type == SCRIPT_ACTIVE || s->type == SCRIPT_DRIVER) {
        if (s->insns[0].op == OP_WAIT_TIME) {
            set_timer(&scope, s, &s->insns[0]);
        } else if (s->insns[0].op == OP_INITIAL) {
            s->insns[0].arg = 1;
            /* A stop script gets its first step because nothing keeps the router up. */
            if (s->type == SCRIPT_DRIVER)
                router_stop(e->router);
            else
                timer_after(&s->timer, 0);
        }
    }
    script_leave(e);
    return d->n_errors == errors ? 0 : -1;
}

void script_cleanup(struct element *e)
{
    struct script *s = element_state(e);
    const struct platform *p = element_platform(e);

    if (s->n_signals && p->host)
        p->host->unwatch_signals(p->ctx, e);
    for (uint32_t i = 0; i < s->n_vars; i++) {
        free(s->vars[i].name);
        sbuf_fini(&s->vars[i].value);
    }
    free(s->vars);
    strmap_fini(&s->var_index);
    strmap_fini(&s->labels);
    sbuf_fini(&s->run_name);
    sbuf_fini(&s->run_args);
    sbuf_fini(&s->proxy_name);
}
