// SPDX-License-Identifier: BSD-3-Clause
/*
 * script.h -- the interpreter behind Script and DriverManager
 *
 *     script_compile.c    instructions from the configuration
 *     script_run.c        running them: instructions, steps, the timer
 *     script_handlers.c   step, goto, run; the table of all handlers
 *     script_text.c       words, substitution, calls of handlers
 *     script_functions.c  add, lt, if, random, cat ...
 *     script_format.c     sprintf
 *
 * An instruction's text is substituted anew each time it runs. A script blocks at `pause`
 * and `wait`; between two blocking instructions it may jump SCRIPT_MAX_JUMPS times, then
 * it is given up. Scripts may run each other through handlers; how deeply, and how much
 * text one run from outside may produce, is bounded for all scripts of a router together.
 *
 * Memory: variables are on the heap, owned by the script; instructions live in the
 *         router's arena.
 */

#ifndef ENGINE_SCRIPT_H
#define ENGINE_SCRIPT_H

#include "base/strmap.h"
#include "engine/element.h"

enum {
    SCRIPT_MAX_JUMPS = 1000,
    SCRIPT_MAX_DEPTH = 12,      /* scripts that run each other */
    SCRIPT_MAX_VALUE = 1 << 20, /* bytes of one text */
    SCRIPT_MAX_WORK = 64 << 20, /* bytes substituted in one run from outside */
    SCRIPT_CALL_WORK = 1024,    /* what the call of a handler counts as */
    SCRIPT_MAX_SIGNALS = 8,
};

enum script_type {
    SCRIPT_ACTIVE,
    SCRIPT_DRIVER,
    SCRIPT_SIGNAL,
    SCRIPT_PASSIVE,
    SCRIPT_PROXY,
    SCRIPT_PACKET,
};

/* Those below 0 are also labels that every script has. */
enum script_op {
    OP_EXIT = -1,
    OP_END = -2,
    OP_STOP = -3,
    OP_ERROR = -4,
    OP_ERRORQ = -5,
    OP_INITIAL = 1, /* stands before a first instruction that does not block */
    OP_WAIT_STEP,
    OP_WAIT_TIME,
    OP_PRINT,
    OP_PRINTQ,
    OP_PRINTN,
    OP_PRINTNQ,
    OP_READ,
    OP_READQ,
    OP_WRITE,
    OP_WRITEQ,
    OP_SET,
    OP_SETQ,
    OP_INIT,
    OP_INITQ,
    OP_EXPORT,
    OP_EXPORTQ,
    OP_SAVE,
    OP_APPEND,
    OP_LABEL,
    OP_GOTO,
    OP_RETURN,
    OP_RETURNQ,
    OP_WAIT, /* wait_step or wait_time */
    OP_LOOP, /* goto the beginning */
};

struct script_insn {
    int8_t op;    /* enum script_op */
    int32_t arg;  /* a variable, the target of a jump (or an op below 0), or a count */
    int32_t done; /* OP_WAIT_STEP: steps taken so far */
    const char *text;
};

struct script_var {
    char *name; /* owned */
    struct sbuf value;
};

struct script {
    struct text type_arg; /* of the TYPE keyword */
    uint8_t type;         /* enum script_type */
    uint8_t default_type;
    struct script_insn *insns; /* [n_insns] in the arena */
    int32_t n_insns;
    struct script_var *vars; /* owned */
    uint32_t n_vars, room_vars;
    struct strmap var_index, labels; /* values are 1 + index */

    int32_t pos;        /* next instruction */
    int64_t step_count; /* steps taken since the start */
    int64_t *cur_steps; /* steps that the call in progress still has; NULL: none is */
    int write_status;   /* $? */
    const struct diag *alone;       /* of a run that nobody called; NULL: none is */
    struct sbuf run_name, run_args; /* $0 and $args */
    bool run_write;                 /* $write */
    struct timer timer;

    uint8_t signals[SCRIPT_MAX_SIGNALS];
    uint32_t n_signals;
    struct handler_spec *exports; /* [n_exports] in the arena */
    size_t n_exports;
    struct handler_spec proxy; /* PROXY: the handler that was asked for last ... */
    struct sbuf proxy_name;    /* ... and its name */
};

/* --- what element classes put into their records ------------------------------------- */

extern const struct arg_spec script_args[];
extern const struct handler_spec script_handlers[];
const struct handler_spec *script_more_handlers(struct element *e, const char *name,
                                                size_t i);
int script_configure(struct element *e, struct conf *c, enum script_type default_type,
                     struct diag *d);
int script_initialize(struct element *e, struct diag *d);
void script_cleanup(struct element *e);

/* Run a PACKET script for a packet of input `port`. Returns the output, or -1: drop. */
int script_packet(struct element *e, unsigned port);

/* Read handlers of exported variables, and all others of a PROXY script. */
int script_read_export(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d);

/* --- inside -------------------------------------------------------------------------- */

/* A piece of text, not NUL-terminated. */
struct slice {
    const char *s, *end;
};

static inline struct slice slice_of(const char *text, size_t len)
{
    return (struct slice){text, text + len};
}

/* Take the first word; what is left starts at the next one. An empty word: there is none. */
struct slice script_shift(struct slice *rest);
bool script_next(struct slice *rest, struct slice *word); /* false: there is none */

/* Append the word or text without a layer of quotes. */
void script_unquote(struct slice s, struct sbuf *out);

/* A copy for those who parse NUL-terminated text; false if it is too long to be a value. */
enum { SCRIPT_WORD_MAX = 256 };
bool script_word(struct slice s, char buf[SCRIPT_WORD_MAX]);

/* Index of a variable; with `add` it is made. -1: there is none, or no memory. */
int32_t script_variable(struct script *s, const char *name, size_t len, bool add);

/* The instruction that a label stands for: an index, an op below 0, or n_insns: none. */
int32_t script_label(const struct script *s, const char *name, size_t len);

/* The op of an instruction's name; 0: there is none such. */
int script_op_find(const char *name, size_t len);

/* The number of a signal, or -1. */
int script_signal(struct slice name);

/* Append `text` with its references replaced. */
struct script_scope {
    struct element *e;
    struct diag *d;
};
void script_expand(const struct script_scope *scope, const char *text,
                   bool quote_values, struct sbuf *out);

/* Call the read handler "name args"; 0, -1 it failed, or HANDLER_NONE. */
int script_call_read(const struct script_scope *scope, struct slice call, bool unquote,
                     bool context, struct sbuf *out);
/* Call a write handler: its result as Click's, -22 for an error, or HANDLER_NONE. */
int script_call_write(const struct script_scope *scope, struct slice call,
                      bool unquote);
enum { SCRIPT_EINVAL = -22 };

/* Who makes a script go on. */
enum step_type { STEP_NORMAL, STEP_ROUTER, STEP_TIMER, STEP_JUMP };

/* Take `steps` steps and go on up to where the script blocks. Returns how many jumps there
 * were so far. */
int script_step(struct element *e, int64_t steps, enum step_type type, int jumps,
                struct diag *d);

/* The result of a run: 0, 1 if it stopped, -1 if it ended with an error. `value`, which
 * may be NULL, gets what it returned. */
int script_complete(struct element *e, struct sbuf *value);

/* Let the pauses among these instructions count from 0 again. */
void script_reset_waits(struct script *s, int32_t from, int32_t to);

/* Enter and leave a run; false, with a message, when scripts are nested too deeply. */
bool script_enter(struct element *e, struct diag *d);
void script_leave(struct element *e);
/* Pay for `n` bytes of work; false when it is too much, which is reported once a run. */
bool script_spend(struct element *e, uint64_t n, struct diag *d);

/* script_functions.c, script_format.c: read handlers of scripts. */
int script_function(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d);
int script_sprintf(struct element *e, const struct handler_spec *h, const char *param,
                   struct sbuf *out, struct diag *d);
int script_arithmetic(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d);
int script_compare(struct element *e, const struct handler_spec *h, const char *param,
                   struct sbuf *out, struct diag *d);

enum script_fn {
    FN_ADD,
    FN_SUB,
    FN_MIN,
    FN_MAX,
    FN_MUL,
    FN_DIV,
    FN_IDIV,
    FN_MOD,
    FN_REM,
    FN_NEG,
    FN_ABS,
    FN_EQ,
    FN_NE,
    FN_GT,
    FN_GE,
    FN_LT,
    FN_LE,
    FN_NOT,
    FN_FIRST,
    FN_RANDOM,
    FN_AND,
    FN_OR,
    FN_NAND,
    FN_NOR,
    FN_IF,
    FN_IN,
    FN_NOW,
    FN_READABLE,
    FN_WRITABLE,
    FN_LENGTH,
    FN_UNQUOTE,
    FN_SWAP16, /* htons and ntohs */
    FN_SWAP32,
    FN_CAT,
    FN_CATQ,
    FN_KILL,
};

#endif
