// SPDX-License-Identifier: BSD-3-Clause
/* script_compile.c -- instructions from a script's configuration: see script.h */

#include "engine/lang/text.h"
#include "engine/parse_chars.h"
#include "engine/platform.h"
#include "engine/router.h"
#include "engine/script.h"

#include <stdlib.h>

static const struct {
    const char *name;
    int8_t op;
} instructions[] = {
    {"append", OP_APPEND},
    {"end", OP_END},
    {"error", OP_ERROR},
    {"errorq", OP_ERRORQ},
    {"exit", OP_EXIT},
    {"export", OP_EXPORT},
    {"exportq", OP_EXPORTQ},
    {"goto", OP_GOTO},
    {"init", OP_INIT},
    {"initq", OP_INITQ},
    {"label", OP_LABEL},
    {"loop", OP_LOOP},
    {"pause", OP_WAIT_STEP},
    {"print", OP_PRINT},
    {"printn", OP_PRINTN},
    {"printnq", OP_PRINTNQ},
    {"printq", OP_PRINTQ},
    {"read", OP_READ},
    {"readq", OP_READQ},
    {"return", OP_RETURN},
    {"returnq", OP_RETURNQ},
    {"save", OP_SAVE},
    {"set", OP_SET},
    {"setq", OP_SETQ},
    {"stop", OP_STOP},
    {"wait", OP_WAIT},
    {"wait_for", OP_WAIT_TIME},
    {"wait_step", OP_WAIT_STEP},
    {"wait_stop", OP_WAIT_STEP},
    {"wait_time", OP_WAIT_TIME},
    {"write", OP_WRITE},
    {"writeq", OP_WRITEQ},
};

/* Numbers as Linux has them. */
static const struct {
    const char *name;
    uint8_t number;
} signal_names[] = {
    {"ABRT", 6}, {"ALRM", 14}, {"HUP", 1},   {"INT", 2},   {"IO", 29},   {"PIPE", 13},
    {"QUIT", 3}, {"TERM", 15}, {"TSTP", 20}, {"USR1", 10}, {"USR2", 12},
};

const struct arg_spec script_args[] = {
    ARG_RAW(script, type_arg, "TYPE", ARG_KEY, NULL,
            "ACTIVE, PASSIVE, PACKET, PROXY, DRIVER or SIGNAL with names of signals"),
    ARG_END,
};

static bool same(const char *name, struct slice s)
{
    size_t len = (size_t)(s.end - s.s);

    return strlen(name) == len && memcmp(name, s.s, len) == 0;
}

int script_op_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        if (same(instructions[i].name, slice_of(name, len)))
            return instructions[i].op;
    return 0;
}

int script_signal(struct slice name)
{
    char word[SCRIPT_WORD_MAX];
    uint64_t n;

    for (size_t i = 0; i < sizeof signal_names / sizeof *signal_names; i++)
        if (same(signal_names[i].name, name))
            return signal_names[i].number;
    return script_word(name, word) && parse_u64(word, 0, &n) && n < 32 ? (int)n : -1;
}

/* --- variables and labels ---------------------------------------------------------------- */

static bool grow_vars(struct script *s)
{
    uint32_t room = s->room_vars ? 2 * s->room_vars : 8;
    struct script_var *vars;

    if (s->n_vars < s->room_vars)
        return true;
    vars = realloc(s->vars, room * sizeof *vars);
    if (!vars)
        return false;
    s->vars = vars;
    s->room_vars = room;
    return true;
}

int32_t script_variable(struct script *s, const char *name, size_t len, bool add)
{
    uintptr_t at = (uintptr_t)strmap_get(&s->var_index, name, len);
    char *copy;

    if (at)
        return (int32_t)(at - 1);
    if (!add || !grow_vars(s) || !(copy = malloc(len + 1)))
        return -1;
    memcpy(copy, name, len);
    copy[len] = '\0';
    if (strmap_put(&s->var_index, copy, len, (void *)(uintptr_t)(s->n_vars + 1)) < 0) {
        free(copy);
        return -1;
    }
    s->vars[s->n_vars] = (struct script_var){copy, SBUF_INIT};
    return (int32_t)s->n_vars++;
}

int32_t script_label(const struct script *s, const char *name, size_t len)
{
    uintptr_t at = (uintptr_t)strmap_get(&s->labels, name, len);
    int op = script_op_find(name, len);

    if (at)
        return (int32_t)(at - 1);
    if (op < 0)
        return op;
    if (same("begin", slice_of(name, len)) || same("loop", slice_of(name, len)))
        return 0;
    return s->n_insns;
}

/* --- instructions ------------------------------------------------------------------------- */

static int syntax_error(struct diag *d, struct slice name)
{
    return diag_err(d, "syntax error at '%.*s'", (int)(name.end - name.s), name.s);
}

static void add(struct script *s, int op, int32_t arg, const char *text)
{
    bool waits = op == OP_INITIAL || op == OP_WAIT_STEP || op == OP_WAIT_TIME;

    if (s->n_insns == 0 && !waits)
        s->insns[s->n_insns++] = (struct script_insn){.op = OP_INITIAL, .text = ""};
    s->insns[s->n_insns++] = (struct script_insn){
        .op = (int8_t)op, .arg = arg, .text = text};
}

static int add_wait_step(struct script *s, struct slice name, const char *text,
                         struct diag *d)
{
    uint64_t n = 1;

    if (*text && (!parse_u64(text, 0, &n) || n > INT32_MAX))
        return syntax_error(d, name);
    add(s, OP_WAIT_STEP, (int32_t)n, "");
    return 0;
}

/* set, init, export: the variable's name is split off. */
static int add_assignment(struct script *s, int op, struct slice name, const char *text,
                          struct diag *d)
{
    struct slice rest = slice_of(text, strlen(text)), word = script_shift(&rest);
    int32_t var;

    if (word.s == word.end || ((op == OP_SET || op == OP_SETQ) && rest.s == rest.end))
        return syntax_error(d, name);
    var = script_variable(s, word.s, (size_t)(word.end - word.s), true);
    if (var < 0)
        return diag_err(d, "out of memory");
    add(s, op, var, rest.s);
    return 0;
}

static int add_return(struct script *s, int op, const char *text, struct diag *d)
{
    int32_t var = script_variable(s, "_", 1, true);

    if (var < 0)
        return diag_err(d, "out of memory");
    add(s, op, var, text);
    return 0;
}

static int add_label(struct script *s, struct slice name, const char *text,
                     struct diag *d)
{
    struct slice rest = slice_of(text, strlen(text)), word = script_shift(&rest);
    size_t len = (size_t)(word.end - word.s);

    if (!len || rest.s != rest.end)
        return syntax_error(d, name);
    add(s, OP_LABEL, 0, text);
    if (!strmap_has(&s->labels, word.s, len) &&
        strmap_put(&s->labels, word.s, len, (void *)(uintptr_t)s->n_insns) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

static int add_plain(struct script *s, int op, struct slice name, const char *text,
                     struct diag *d)
{
    switch (op) {
    case OP_LOOP:
    case OP_END:
    case OP_EXIT:
    case OP_STOP:
        if (*text)
            return syntax_error(d, name);
        break;
    }
    add(s, op == OP_LOOP ? OP_GOTO : op, 0, text);
    return 0;
}

/* One argument of the configuration; `text` lives as long as the script. */
static int compile_one(struct script *s, const char *text, bool has_files,
                       struct diag *d)
{
    struct slice rest = slice_of(text, strlen(text)), name = script_shift(&rest);
    int op = script_op_find(name.s, (size_t)(name.end - name.s));

    text = rest.s;
    if (name.s == name.end)
        return 0;
    if (!has_files && (op == OP_SAVE || op == OP_APPEND))
        op = 0;
    if (op == OP_WAIT)
        op = *text ? OP_WAIT_TIME : OP_WAIT_STEP;
    switch (op) {
    case 0:
        return syntax_error(d, name);
    case OP_WAIT_STEP:
        return add_wait_step(s, name, text, d);
    case OP_RETURN:
    case OP_RETURNQ:
        return add_return(s, op, text, d);
    case OP_INIT:
    case OP_INITQ:
    case OP_EXPORT:
    case OP_EXPORTQ:
    case OP_SET:
    case OP_SETQ:
        return add_assignment(s, op, name, text, d);
    case OP_LABEL:
        return add_label(s, name, text, d);
    default:
        return add_plain(s, op, name, text, d);
    }
}

/* Targets of jumps: what is left of the text is the condition. */
static int resolve_jumps(struct script *s, struct diag *d)
{
    int rc = 0;

    for (int32_t i = 0; i < s->n_insns; i++) {
        struct script_insn *in = &s->insns[i];
        struct slice rest = slice_of(in->text, strlen(in->text)), word;

        if (in->op != OP_GOTO || !*in->text)
            continue;
        word = script_shift(&rest);
        in->arg = script_label(s, word.s, (size_t)(word.end - word.s));
        in->text = rest.s;
        if (in->arg >= s->n_insns)
            rc = diag_err(d, "no such label '%.*s'", (int)(word.end - word.s), word.s);
    }
    return rc;
}

/* A handler for each exported variable. */
static int make_exports(struct element *e, struct script *s, struct diag *d)
{
    size_t n = 0;

    for (int32_t i = 0; i < s->n_insns; i++)
        n += s->insns[i].op == OP_EXPORT || s->insns[i].op == OP_EXPORTQ;
    s->exports = element_alloc(e, (n + 1) * sizeof *s->exports);
    if (!s->exports)
        return diag_err(d, "out of memory");
    for (int32_t i = 0; i < s->n_insns; i++)
        if (s->insns[i].op == OP_EXPORT || s->insns[i].op == OP_EXPORTQ)
            s->exports[s->n_exports++] = (struct handler_spec){
                .name = s->vars[s->insns[i].arg].name,
                .flags = HANDLER_READ,
                .read = script_read_export,
                .user = s->insns[i].arg};
    return 0;
}

/* --- TYPE --------------------------------------------------------------------------------- */

static int set_signals(struct element *e, struct script *s, struct slice rest,
                       struct diag *d)
{
    struct slice word;

    if (!element_platform(e)->host)
        return diag_err(d, "bad TYPE");
    s->type = SCRIPT_SIGNAL;
    while (script_next(&rest, &word)) {
        int n = script_signal(word);

        if (n < 0 || s->n_signals == SCRIPT_MAX_SIGNALS)
            return diag_err(d, "bad signal number");
        s->signals[s->n_signals++] = (uint8_t)n;
    }
    return s->n_signals ? 0 : diag_err(d, "bad signal number");
}

static int set_type(struct element *e, struct script *s, struct diag *d)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {
        {"ACTIVE", SCRIPT_ACTIVE}, {"PASSIVE", SCRIPT_PASSIVE},
        {"PACKET", SCRIPT_PACKET}, {"PUSH", SCRIPT_PACKET},
        {"PULL", SCRIPT_PACKET},   {"PROXY", SCRIPT_PROXY},
        {"DRIVER", SCRIPT_DRIVER},
    };
    struct slice rest = slice_of(s->type_arg.s ? s->type_arg.s : "", s->type_arg.len);
    struct slice word = script_shift(&rest);

    if (word.s == word.end) {
        s->type = s->default_type;
        if (s->type == SCRIPT_ACTIVE && (e->n_in || e->n_out))
            s->type = SCRIPT_PACKET;
        return 0;
    }
    if (same("SIGNAL", word))
        return set_signals(e, s, rest, d);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (same(types[i].name, word) && rest.s == rest.end) {
            s->type = types[i].type;
            return 0;
        }
    return diag_err(d, "bad TYPE");
}

static int check_type(struct element *e, const struct script *s, struct diag *d)
{
    if (s->type == SCRIPT_DRIVER && router_set_stop_script(e->router, e) < 0)
        return diag_err(d, "router has more than one driver script");
    if (s->type == SCRIPT_PACKET && e->n_in == 0)
        return diag_err(d, "PACKET script must have inputs");
    if (s->type != SCRIPT_PACKET && (e->n_in || e->n_out))
        return diag_err(d, "ports allowed only on PACKET scripts");
    return 0;
}

int script_configure(struct element *e, struct conf *c, enum script_type default_type,
                     struct diag *d)
{
    struct script *s = element_state(e);
    bool has_files = element_platform(e)->write_file != NULL;
    int rc = 0;

    s->default_type = (uint8_t)default_type;
    if (set_type(e, s, d) < 0 || check_type(e, s, d) < 0)
        return -1;
    s->insns = element_alloc(e, ((size_t)c->argc + 3) * sizeof *s->insns);
    if (!s->insns)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++) {
        const char *text = arena_strdup(router_arena(e->router), c->argv[i]);

        if (!text)
            return diag_err(d, "out of memory");
        rc |= compile_one(s, text, has_files, d);
    }
    rc |= resolve_jumps(s, d);
    if (s->n_insns == 0 && s->type == SCRIPT_DRIVER)
        add(s, OP_WAIT_STEP, 1, "");
    add(s, s->type == SCRIPT_DRIVER ? OP_STOP : OP_END, 0, "");
    return make_exports(e, s, d) < 0 ? -1 : rc;
}
