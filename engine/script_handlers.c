// SPDX-License-Identifier: BSD-3-Clause
/* script_handlers.c -- the handlers of scripts: see script.h */

#include "engine/lang/lang.h"
#include "engine/script.h"

enum { DO_STEP, DO_RUN, DO_GOTO };

/* Steps given to a script that is stepping already are taken by that call. */
static void take_steps(struct element *e, struct script *s, intptr_t what,
                       int64_t steps, enum step_type type, struct diag *d)
{
    int64_t mine = steps;
    int jumps = 0;

    if (s->cur_steps) {
        if (what == DO_STEP && __builtin_add_overflow(*s->cur_steps, steps, &mine))
            mine = INT64_MAX;
        if (what == DO_STEP)
            *s->cur_steps = mine;
        return;
    }
    s->cur_steps = &mine;
    while ((steps = mine) >= 0) {
        mine = -1;
        jumps = script_step(e, steps, type, jumps, d);
        type = STEP_NORMAL;
    }
    s->cur_steps = NULL;
}

/* What a call of step, run or goto asks for. */
static int prepare(struct script *s, intptr_t what, const char *text, size_t len,
                   int64_t *steps, enum step_type *type, struct diag *d)
{
    struct sbuf bare = SBUF_INIT;
    int32_t target;
    int rc = 0;

    *steps = what == DO_STEP;
    *type = what == DO_STEP ? STEP_NORMAL : STEP_JUMP;
    lang_uncomment_into(&bare, text, len);
    if (what == DO_RUN) {
        s->pos = 0;
        sbuf_reset(&s->run_args);
        sbuf_add(&s->run_args, text, len);
    } else if (what == DO_GOTO) {
        target = script_label(s, sbuf_text(&bare), bare.len);
        if (target < 0 || target >= s->n_insns) {
            rc = diag_err(d, "jump to nonexistent label");
        } else {
            script_reset_waits(s, target, s->n_insns);
            s->pos = target;
        }
    } else if (strcmp(sbuf_text(&bare), "router") == 0) {
        *type = STEP_ROUTER;
    } else if (bare.len && !parse_i64(sbuf_text(&bare), 0, steps)) {
        rc = diag_err(d, "syntax error");
    }
    sbuf_fini(&bare);
    return rc;
}

static int run_handler(struct element *e, const struct handler_spec *h, bool write,
                       const char *text, size_t len, struct sbuf *out, struct diag *d)
{
    struct script *s = element_state(e);
    intptr_t what = h->user;
    enum step_type type;
    int64_t steps;
    int rc;

    if (!script_enter(e, d))
        return -1;
    sbuf_reset(&s->run_name);
    sbuf_puts(&s->run_name, h->name);
    s->run_write = write;
    rc = prepare(s, what, text, len, &steps, &type, d);
    if (rc == 0) {
        take_steps(e, s, what, steps, type, d);
        rc = script_complete(e, out);
    }
    sbuf_reset(&s->run_name);
    if (rc)
        sbuf_reset(&s->run_args);
    s->run_write = false;
    script_leave(e);
    return rc;
}

static int write_run(struct element *e, const struct handler_spec *h, const char *value,
                     size_t len, struct diag *d)
{
    return run_handler(e, h, true, value, len, NULL, d);
}

static int read_run(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d)
{
    return run_handler(e, h, false, param, strlen(param), out, d);
}

int script_read_export(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d)
{
    const struct script *s = element_state(e);

    (void)param;
    sbuf_add(out, sbuf_text(&s->vars[h->user].value), s->vars[h->user].value.len);
    return 0;
}

const struct handler_spec *script_more_handlers(struct element *e, const char *name,
                                                size_t i)
{
    struct script *s = element_state(e);

    if (!name)
        return i < s->n_exports ? &s->exports[i] : NULL;
    for (i = 0; i < s->n_exports; i++)
        if (strcmp(s->exports[i].name, name) == 0)
            return &s->exports[i];
    if (s->type != SCRIPT_PROXY)
        return NULL;
    sbuf_reset(&s->proxy_name);
    sbuf_puts(&s->proxy_name, name);
    s->proxy = (struct handler_spec){
        .name = sbuf_text(&s->proxy_name),
        .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_PARAM | HANDLER_VERBATIM,
        .read = read_run,
        .write = write_run,
        .user = DO_RUN,
    };
    return &s->proxy;
}

/* --- variables from outside --------------------------------------------------------------- */

/* The value of the variable that the first word of `rest` names; NULL with a message. */
static struct sbuf *named_variable(struct script *s, struct slice *rest, bool add,
                                   bool args_by_default, struct diag *d)
{
    struct slice word = script_shift(rest);
    size_t len = (size_t)(word.end - word.s);
    int32_t var;

    if (!len && args_by_default)
        return &s->run_args;
    if (!len) {
        diag_err(d, "no variable");
        return NULL;
    }
    if (!add && rest->s != rest->end) {
        diag_err(d, "too many arguments");
        return NULL;
    }
    if (len == 4 && memcmp(word.s, "args", 4) == 0)
        return &s->run_args;
    var = script_variable(s, word.s, len, add);
    if (var >= 0)
        return &s->vars[var].value;
    diag_err(d, "undefined variable '%.*s'", (int)len, word.s);
    return NULL;
}

static int read_get(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d)
{
    struct slice rest = slice_of(param, strlen(param));
    struct sbuf *value = named_variable(element_state(e), &rest, false, false, d);

    if (!value)
        return -1;
    sbuf_add(out, sbuf_text(value), value->len);
    return 0;
}

static int read_shift(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    struct slice rest = slice_of(param, strlen(param)), word;
    struct sbuf *value = named_variable(element_state(e), &rest, false, true, d), left;

    if (!value)
        return -1;
    rest = slice_of(sbuf_text(value), value->len);
    word = script_shift(&rest);
    sbuf_add(out, word.s, (size_t)(word.end - word.s));
    left = SBUF_INIT;
    sbuf_add(&left, rest.s, (size_t)(rest.end - rest.s));
    sbuf_fini(value);
    *value = left;
    return 0;
}

static int write_set(struct element *e, const struct handler_spec *h, const char *text,
                     size_t len, struct diag *d)
{
    struct slice rest = slice_of(text, len);
    struct sbuf *value = named_variable(element_state(e), &rest, true, false, d);

    if (!value)
        return -1;
    sbuf_reset(value);
    sbuf_add(value, rest.s, (size_t)(rest.end - rest.s));
    return 0;
}

#define STEP(name_, what_, help_)                                                      \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_WRITE | HANDLER_VERBATIM,   \
        .write = write_run, .user = (what_)                                            \
    }
#define FUNCTION_(name_, read_, user_, more_, help_)                                   \
    {                                                                                  \
        .name = (name_), .help = (help_), .read = (read_), .user = (user_),            \
        .flags = HANDLER_READ | HANDLER_PARAM | (more_)                                \
    }
#define FUNCTION(name, user, help) FUNCTION_(name, script_function, user, 0, help)
#define NUMBERS(name, user, help)  FUNCTION_(name, script_arithmetic, user, 0, help)
#define COMPARE(name, user, help)  FUNCTION_(name, script_compare, user, 0, help)
#define SECRET(name, user, help)                                                       \
    FUNCTION_(name, script_function, user, HANDLER_PRIVATE, help)

/* In Click's order, which the `handlers` handler shows. */
const struct handler_spec script_handlers[] = {
    STEP("step", DO_STEP, "take a step, or as many as written"),
    STEP("goto", DO_GOTO, "go on at a label"),
    {.name = "run",
     .help = "run from the beginning; reading gives what it returns",
     .flags = HANDLER_READ | HANDLER_PARAM | HANDLER_WRITE | HANDLER_VERBATIM,
     .read = read_run,
     .write = write_run,
     .user = DO_RUN},
    NUMBERS("add", FN_ADD, "sum of numbers"),
    NUMBERS("sub", FN_SUB, "first number minus the others"),
    NUMBERS("min", FN_MIN, "smallest number"),
    NUMBERS("max", FN_MAX, "largest number"),
    NUMBERS("mul", FN_MUL, "product of numbers"),
    NUMBERS("div", FN_DIV, "first number divided by the others"),
    NUMBERS("idiv", FN_IDIV, "the same without a fraction"),
    NUMBERS("mod", FN_MOD, "remainder of two integers"),
    NUMBERS("rem", FN_REM, "remainder of two numbers"),
    NUMBERS("neg", FN_NEG, "minus the number"),
    NUMBERS("abs", FN_ABS, "the number without its sign"),
    COMPARE("eq", FN_EQ, "whether two values are equal"),
    COMPARE("ne", FN_NE, "whether two values differ"),
    COMPARE("gt", FN_GT, "whether the first value is greater"),
    COMPARE("ge", FN_GE, "whether the first value is not smaller"),
    COMPARE("lt", FN_LT, "whether the first value is smaller"),
    COMPARE("le", FN_LE, "whether the first value is not greater"),
    FUNCTION("not", FN_NOT, "the opposite of a truth value"),
    FUNCTION_("sprintf", script_sprintf, 0, 0, "values printed by a format"),
    FUNCTION("first", FN_FIRST, "first word"),
    FUNCTION("random", FN_RANDOM, "random number: of 31 bits, below N, or N1 to N2"),
    FUNCTION("and", FN_AND, "whether all are true"),
    FUNCTION("or", FN_OR, "whether one is true"),
    FUNCTION("nand", FN_NAND, "whether one is false"),
    FUNCTION("nor", FN_NOR, "whether all are false"),
    FUNCTION("if", FN_IF, "second word if the first is true, else the third"),
    FUNCTION("in", FN_IN, "whether the first word is among the others"),
    {.name = "now",
     .help = "the time",
     .flags = HANDLER_READ,
     .read = script_function,
     .user = FN_NOW},
    FUNCTION("readable", FN_READABLE, "whether all these read handlers exist"),
    FUNCTION("writable", FN_WRITABLE, "whether all these write handlers exist"),
    FUNCTION("length", FN_LENGTH, "length of the text"),
    FUNCTION("unquote", FN_UNQUOTE, "the text without a layer of quotes"),
    FUNCTION("htons", FN_SWAP16, "16-bit number in network byte order"),
    FUNCTION("htonl", FN_SWAP32, "32-bit number in network byte order"),
    FUNCTION("ntohs", FN_SWAP16, "16-bit number in host byte order"),
    FUNCTION("ntohl", FN_SWAP32, "32-bit number in host byte order"),
    SECRET("cat", FN_CAT, "contents of a file"),
    SECRET("catq", FN_CATQ, "contents of a file, quoted"),
    SECRET("kill", FN_KILL, "send a signal to processes"),
    FUNCTION_("get", read_get, 0, 0, "value of a variable"),
    {.name = "set",
     .help = "give a variable a value",
     .flags = HANDLER_WRITE | HANDLER_VERBATIM,
     .write = write_set},
    FUNCTION_("shift", read_shift, 0, 0, "take the first word off a variable"),
    HANDLER_END,
};
