// SPDX-License-Identifier: BSD-3-Clause
/* control_protocol.c -- Click's control protocol: see control_protocol.h */

#include "engine/control_protocol.h"

#include "engine/llrpc.h"
#include "engine/parse.h"
#include "engine/parse_chars.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Click's numbers. */
enum code {
    CODE_OK = 200,
    CODE_OK_WARNING = 220,
    CODE_SYNTAX = 500,
    CODE_UNIMPLEMENTED = 501,
    CODE_NO_ELEMENT = 510,
    CODE_NO_HANDLER = 511,
    CODE_HANDLER_ERROR = 520,
    CODE_TOO_BIG = 521,
    CODE_LLRPC_ERROR = 522,
    CODE_PERMISSION = 530,
    CODE_UNSPECIFIED = 590,
};

/* What became of a command. */
enum result { DONE, INCOMPLETE };

struct part {
    const char *s;
    size_t len;
};

enum {
    MAX_WORDS = 4,
    MAX_DATA_LINE =
        65536, /* of commands that wait for data: they are read again and again */
};

/* A command line. */
struct command {
    struct part words[MAX_WORDS];
    size_t n_words;   /* may be more than there is room for */
    struct part rest; /* from the third word to the end of the last one */
    char *name;       /* the second word, owned */
};

/* --- answers ------------------------------------------------------------------------------ */

static void put_printable(struct sbuf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c >= 32 && c < 127)
            sbuf_putc(out, s[i]);
        else
            sbuf_printf(out, "\\%03o", c);
    }
}

static void put_line(struct control *c, unsigned code, bool more, const char *s,
                     size_t len)
{
    sbuf_printf(&c->out, "%u%c", code, more ? '-' : ' ');
    put_printable(&c->out, s, len);
    sbuf_add(&c->out, "\r\n", 2);
}

static enum result answer(struct control *c, unsigned code, const char *text)
{
    put_line(c, code, false, text, strlen(text));
    return DONE;
}

/* "Handler 'c.count' write-only" */
static enum result answer_about(struct control *c, enum code code, const char *before,
                                const char *name, const char *after)
{
    struct sbuf text = SBUF_INIT;

    sbuf_printf(&text, "%s'%s'%s", before, name, after);
    put_line(c, code, false, sbuf_text(&text), text.len);
    sbuf_fini(&text);
    return DONE;
}

/* The same, with the messages of a handler below it. */
static enum result answer_messages(struct control *c, enum code code,
                                   const char *before, const char *name,
                                   const char *after, struct diag *d)
{
    const char *line = diag_text(d);
    struct sbuf text = SBUF_INIT;
    bool any = *line;

    sbuf_printf(&text, "%s'%s'%s%s", before, name, after, any ? ":" : "");
    put_line(c, code, any, sbuf_text(&text), text.len);
    sbuf_fini(&text);
    while (*line) {
        size_t len = strcspn(line, "\n");
        const char *next = line + len + (line[len] == '\n');

        put_line(c, code, *next, line, len);
        line = next;
    }
    return DONE;
}

/* --- handlers ------------------------------------------------------------------------------ */

/* ".list" and "0.list" are the router's "list". */
static const char *canonical(const char *name)
{
    if (name[0] == '.')
        return name + 1;
    return name[0] == '0' && name[1] == '.' ? name + 2 : name;
}

/* What the name leads to; 0 after an answer that there is no such thing. */
static int find_handler(struct control *c, const char *name)
{
    const char *bare = canonical(name), *dot = strchr(bare, '.');
    int found = c->ops->check(c->ctx, bare);
    struct sbuf element = SBUF_INIT;

    if (found & (CONTROL_CAN_READ | CONTROL_CAN_WRITE))
        return found;
    if (found & CONTROL_NO_ELEMENT) {
        sbuf_add(&element, bare, dot ? (size_t)(dot - bare) : strlen(bare));
        answer_about(c, CODE_NO_ELEMENT, "No element named ", sbuf_text(&element), "");
        sbuf_fini(&element);
    } else {
        answer_about(c, CODE_NO_HANDLER,
                     found & CONTROL_NOT_PROXIED ? "No proxied handler named "
                                                 : "No handler named ",
                     name, "");
    }
    return 0;
}

/* The command is somebody else's business. */
static bool forwarded(struct control *c, const char *name)
{
    if (!c->ops->forward ||
        !(c->ops->check(c->ctx, canonical(name)) & CONTROL_ELSEWHERE))
        return false;
    c->busy = true;
    c->ops->forward(c->ctx, sbuf_text(&c->in) + c->start, c->in_at - c->start);
    return true;
}

static enum result do_read(struct control *c, const char *name, struct part param)
{
    struct sbuf value = SBUF_INIT, text = SBUF_INIT;
    struct diag d = DIAG_INIT;
    int found;

    if (forwarded(c, name) || !(found = find_handler(c, name)))
        return DONE;
    if (!(found & CONTROL_CAN_READ))
        return answer_about(c, CODE_PERMISSION, "Handler ", name, " write-only");
    sbuf_add(&text, param.s, param.len);
    c->ops->read(c->ctx, canonical(name), sbuf_text(&text), &value, &d);
    if (d.n_errors) {
        answer_messages(c, CODE_UNSPECIFIED, "Read handler ", name, " error", &d);
    } else {
        answer_about(c, CODE_OK, "Read handler ", name, " OK");
        sbuf_printf(&c->out, "DATA %zu\r\n", value.len);
        sbuf_add(&c->out, sbuf_text(&value), value.len);
    }
    sbuf_fini(&text);
    sbuf_fini(&value);
    diag_fini(&d);
    return DONE;
}

static void answer_written(struct control *c, const char *name, int rc, struct diag *d)
{
    if (rc < 0 || d->n_errors)
        answer_messages(c, CODE_HANDLER_ERROR, "Write handler ", name, " error", d);
    else if (d->n_warnings)
        answer_messages(c, CODE_OK_WARNING, "Write handler ", name, " OK with warnings",
                        d);
    else
        answer_messages(c, CODE_OK, "Write handler ", name, " OK", d);
}

static enum result do_write(struct control *c, const char *name, struct part value)
{
    struct sbuf text = SBUF_INIT;
    struct diag d = DIAG_INIT;
    int found, rc;

    if (forwarded(c, name) || !(found = find_handler(c, name)))
        return DONE;
    if (!(found & CONTROL_CAN_WRITE))
        return answer_about(c, CODE_PERMISSION, "Handler ", name, " read-only");
    if (c->read_only)
        return answer_about(c, CODE_PERMISSION, "Permission denied for ", name, "");
    sbuf_add(&text, value.s, value.len);
    rc = c->ops->write(c->ctx, canonical(name), sbuf_text(&text), text.len, &d);
    if (rc == CONTROL_LATER) {
        c->later = strdup(name);
        c->busy = true;
    } else {
        answer_written(c, name, rc, &d);
    }
    sbuf_fini(&text);
    diag_fini(&d);
    return DONE;
}

static enum result do_check(struct control *c, const char *name, bool write)
{
    int found;
    bool ok;

    if (forwarded(c, name) || !(found = find_handler(c, name)))
        return DONE;
    ok = found & (write ? CONTROL_CAN_WRITE : CONTROL_CAN_READ);
    if (write && ok && c->read_only)
        return answer_about(c, CODE_PERMISSION, "Permission denied for ", name, "");
    if (ok)
        return answer_about(c, CODE_OK, write ? "Write handler " : "Read handler ",
                            name, " OK");
    return answer_about(c, CODE_NO_HANDLER, "Handler ", name,
                        write ? " not writable" : " not readable");
}

/* Carry out a call whose data have the right size; the element's name ends at `hash`. */
static enum result call_llrpc(struct control *c, const char *name, const char *hash,
                              uint32_t call, struct part data)
{
    _Alignas(8) char room[LLRPC_MAX_SIZE] = {0};
    struct sbuf element = SBUF_INIT, after = SBUF_INIT;
    size_t out = call & LLRPC_OUT ? llrpc_size(call) : 0;
    const char *why;

    memcpy(room, data.s, data.len);
    sbuf_add(&element, name, (size_t)(hash - name));
    why = c->ops->llrpc
              ? c->ops->llrpc(c->ctx, canonical(sbuf_text(&element)), call, room)
              : LLRPC_EINVAL;
    sbuf_fini(&element);
    if (why) {
        sbuf_printf(&after, " error: %s", why);
        answer_about(c, CODE_LLRPC_ERROR, "LLRPC ", name, sbuf_text(&after));
        sbuf_fini(&after);
        return DONE;
    }
    answer_about(c, CODE_OK, "LLRPC ", name, " OK");
    sbuf_printf(&c->out, "DATA %zu\r\n", out);
    sbuf_add(&c->out, room, out);
    return DONE;
}

static enum result do_llrpc(struct control *c, const char *name, struct part data)
{
    const char *hash = strchr(name, '#');
    struct sbuf handler = SBUF_INIT, after = SBUF_INIT;
    uint64_t number;
    uint32_t call;
    int found;

    if (!parse_u64(hash ? hash + 1 : "", 16, &number) || number > UINT32_MAX)
        return answer_about(c, CODE_SYNTAX, "Syntax error in LLRPC name ", name, "");
    sbuf_printf(&handler, "%.*s.name", (int)(hash - name), name);
    found = !forwarded(c, sbuf_text(&handler)) && find_handler(c, sbuf_text(&handler));
    sbuf_fini(&handler);
    if (!found)
        return DONE;
    call = (uint32_t)number;
    /* Only where the number tells what is copied which way. */
    if (!llrpc_size(call) || !(call & (LLRPC_IN | LLRPC_OUT)) || !(call & LLRPC_FLAT))
        return answer_about(c, CODE_UNIMPLEMENTED, "Cannot call LLRPC ", name,
                            " remotely");
    if (c->read_only) /* the number does not tell what it changes */
        return answer_about(c, CODE_PERMISSION, "Permission denied for ", name, "");
    if (!(call & LLRPC_IN))
        data.len = 0;
    else if (data.len != llrpc_size(call)) {
        sbuf_printf(&after, " requires %u bytes input data", llrpc_size(call));
        answer_about(c, CODE_LLRPC_ERROR, "LLRPC ", name, sbuf_text(&after));
        sbuf_fini(&after);
        return DONE;
    }
    return call_llrpc(c, name, hash, call, data);
}

static enum result do_help(struct control *c)
{
    static const char *const lines[] = {
        "Commands supported:",
        "READ handler [arg...]   call read handler, return DATA",
        "READDATA handler len    call read handler with len data bytes, return DATA",
        "READUNTIL handler term  call read handler, take data until term, return DATA",
        "WRITE handler [arg...]  call write handler",
        "WRITEDATA handler len   call write handler, pass len data bytes",
        "WRITEUNTIL handler term call write handler, take data until term",
        "CHECKREAD handler       check if read handler is valid",
        "CHECKWRITE handler      check if write handler is valid",
        "LLRPC elt#number [len]  call LLRPC, pass len data bytes, return DATA",
        "QUIT                    close connection",
    };
    size_t n = sizeof lines / sizeof *lines;

    for (size_t i = 0; i < n; i++)
        put_line(c, CODE_OK, i + 1 < n, lines[i], strlen(lines[i]));
    return DONE;
}

static enum result do_quit(struct control *c, const struct command *cmd)
{
    if (cmd->n_words != 1)
        answer(c, CODE_SYNTAX, "Bad command syntax");
    answer(c, CODE_OK, "Goodbye!");
    c->in_closed = true;
    sbuf_reset(&c->in);
    c->in_at = c->scanned = c->line_len = 0;
    return DONE;
}

/* --- data behind a command ----------------------------------------------------------------- */

static struct part unread(const struct control *c)
{
    return (struct part){sbuf_text(&c->in) + c->in_at, c->in.len - c->in_at};
}

static enum result insufficient(struct control *c)
{
    return c->in_closed ? answer(c, CODE_SYNTAX, "Not enough data") : INCOMPLETE;
}

/* The length that the third word gives; -1: it gives none. */
static int64_t data_length(const struct command *cmd)
{
    char word[24];
    int64_t n;

    if (cmd->words[2].len >= sizeof word)
        return -1;
    memcpy(word, cmd->words[2].s, cmd->words[2].len);
    word[cmd->words[2].len] = '\0';
    return parse_i64(word, 0, &n) && n >= 0 && n <= INT32_MAX ? n : -1;
}

static enum result do_data(struct control *c, const struct command *cmd, bool write)
{
    struct part data = unread(c);
    int64_t len = data_length(cmd);

    if (len < 0)
        return answer(c, CODE_SYNTAX, "Syntax error in '%s'"); /* Click's very words */
    if (data.len < (size_t)len)
        return insufficient(c);
    data.len = (size_t)len;
    c->in_at += data.len;
    return write ? do_write(c, cmd->name, data) : do_read(c, cmd->name, data);
}

static enum result do_llrpc_data(struct control *c, const struct command *cmd)
{
    struct part data = unread(c);
    int64_t len = cmd->n_words == 3 ? data_length(cmd) : 0;

    if (len < 0)
        return answer(c, CODE_SYNTAX, "Syntax error in 'llrpc'");
    if (data.len < (size_t)len)
        return insufficient(c);
    data.len = (size_t)len;
    c->in_at += data.len;
    return do_llrpc(c, cmd->name, data);
}

/* One line of what is unread, from `at` on: its text without blanks at the end, and where
 * the next one starts; 0: it is not complete. */
static size_t next_line(struct part data, size_t at, struct part *text)
{
    size_t i = at, end = at;

    for (; i < data.len && data.s[i] != '\n' && data.s[i] != '\r'; i++)
        if (!char_is_space(data.s[i]))
            end = i + 1;
    if (i == data.len)
        return 0;
    *text = (struct part){data.s + at, end - at};
    return i + (data.s[i] == '\r' && i + 1 < data.len && data.s[i + 1] == '\n' ? 2 : 1);
}

static enum result do_until(struct control *c, const struct command *cmd, bool write)
{
    struct part data = unread(c), line;
    size_t at = c->scanned > c->in_at ? c->scanned - c->in_at : 0, next;

    while ((next = next_line(data, at, &line))) {
        if (line.len == cmd->rest.len && !memcmp(line.s, cmd->rest.s, line.len)) {
            data.len = at;
            c->in_at += next;
            return write ? do_write(c, cmd->name, data) : do_read(c, cmd->name, data);
        }
        at = next;
        c->scanned = c->in_at + at;
    }
    return insufficient(c);
}

/* --- commands --------------------------------------------------------------------------------- */

static bool split_command(struct part line, struct command *cmd)
{
    const char *s = line.s, *end = s + line.len;

    *cmd = (struct command){.rest = {line.s, 0}};
    while (s < end) {
        const char *first;

        while (s < end && char_is_space(*s))
            s++;
        for (first = s; s < end && !char_is_space(*s); s++)
            ;
        if (first == s)
            break;
        if (cmd->n_words < MAX_WORDS)
            cmd->words[cmd->n_words] = (struct part){first, (size_t)(s - first)};
        if (++cmd->n_words == 3)
            cmd->rest.s = first;
        if (cmd->n_words >= 3)
            cmd->rest.len = (size_t)(s - cmd->rest.s);
    }
    if (cmd->n_words < 2)
        return true;
    cmd->name = malloc(cmd->words[1].len + 1);
    if (!cmd->name)
        return false;
    memcpy(cmd->name, cmd->words[1].s, cmd->words[1].len);
    cmd->name[cmd->words[1].len] = '\0';
    return true;
}

enum verb {
    UNKNOWN,
    READ,
    WRITE,
    READDATA,
    WRITEDATA,
    READUNTIL,
    WRITEUNTIL,
    CHECKREAD,
    CHECKWRITE,
    LLRPC,
    QUIT,
    HELP,
};

static const struct {
    const char *name;
    enum verb verb;
    uint8_t min, max; /* words, the verb included; 0: any number */
} verbs[] = {
    {"READ", READ, 2, 0},
    {"GET", READ, 2, 0},
    {"WRITE", WRITE, 2, 0},
    {"SET", WRITE, 2, 0},
    {"READDATA", READDATA, 3, 3},
    {"WRITEDATA", WRITEDATA, 3, 3},
    {"SETDATA", WRITEDATA, 3, 3},
    {"READUNTIL", READUNTIL, 2, 0},
    {"WRITEUNTIL", WRITEUNTIL, 2, 0},
    {"CHECKREAD", CHECKREAD, 2, 2},
    {"CHECKWRITE", CHECKWRITE, 2, 2},
    {"LLRPC", LLRPC, 2, 3},
    {"QUIT", QUIT, 0, 0},
    {"CLOSE", QUIT, 0, 0},
    {"HELP", HELP, 0, 0},
};

static void upper(struct part word, struct sbuf *out)
{
    for (size_t i = 0; i < word.len; i++)
        sbuf_putc(out, word.s[i] >= 'a' && word.s[i] <= 'z' ? (char)(word.s[i] - 32)
                                                            : word.s[i]);
}

static enum result run_verb(struct control *c, enum verb verb,
                            const struct command *cmd)
{
    switch (verb) {
    case READ:
        return do_read(c, cmd->name, cmd->rest);
    case WRITE:
        return do_write(c, cmd->name, cmd->rest);
    case READDATA:
    case WRITEDATA:
        return do_data(c, cmd, verb == WRITEDATA);
    case READUNTIL:
    case WRITEUNTIL:
        return do_until(c, cmd, verb == WRITEUNTIL);
    case CHECKREAD:
    case CHECKWRITE:
        return do_check(c, cmd->name, verb == CHECKWRITE);
    case LLRPC:
        return do_llrpc_data(c, cmd);
    case QUIT:
        return do_quit(c, cmd);
    default:
        return do_help(c);
    }
}

static enum result run_command(struct control *c, const struct command *cmd)
{
    struct sbuf name = SBUF_INIT;
    enum result result = DONE;
    bool known = false;

    upper(cmd->words[0], &name);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs && !known; i++) {
        if (strcmp(verbs[i].name, sbuf_text(&name)) != 0)
            continue;
        known = true;
        if (cmd->n_words < verbs[i].min ||
            (verbs[i].max && cmd->n_words > verbs[i].max))
            answer(c, CODE_SYNTAX, "Wrong number of arguments");
        else
            result = run_verb(c, verbs[i].verb, cmd);
    }
    if (!known)
        answer_about(c, CODE_UNIMPLEMENTED, "Command ", sbuf_text(&name),
                     " unimplemented");
    sbuf_fini(&name);
    return result;
}

/* --- the connection --------------------------------------------------------------------------- */

/* Give back what was taken from the front, now and then: each byte moves once or so. */
static void contract(struct sbuf *s, size_t *at)
{
    if (*at < s->len && *at < s->len - *at)
        return;
    if (*at < s->len)
        memmove(s->data, s->data + *at, s->len - *at);
    s->len -= *at;
    *at = 0;
    if (s->data)
        s->data[s->len] = '\0';
}

void control_init(struct control *c, const struct control_ops *ops, void *ctx,
                  bool read_only)
{
    *c = (struct control){.ops = ops,
                          .ctx = ctx,
                          .read_only = read_only,
                          .max_input = CONTROL_MAX_INPUT,
                          .max_output = CONTROL_MAX_OUTPUT};
    sbuf_puts(&c->out, "Click::ControlSocket/1.3\r\n");
}

void control_fini(struct control *c)
{
    sbuf_fini(&c->in);
    sbuf_fini(&c->out);
    free(c->later);
}

static void give_up(struct control *c, const char *why)
{
    answer(c, CODE_TOO_BIG, why);
    sbuf_reset(&c->in);
    c->in_at = c->scanned = c->line_len = 0;
    c->in_closed = true;
}

void control_feed(struct control *c, const char *bytes, size_t len)
{
    if (c->in_closed)
        return;
    sbuf_add(&c->in, bytes, len);
    if (c->in.failed || c->in.len - c->in_at > c->max_input)
        give_up(c, "Data too large");
}

void control_close_input(struct control *c)
{
    c->in_closed = true;
}

/* The length of the line in front, its end included; 0: it is not complete. */
static size_t find_line(struct control *c)
{
    size_t at = c->scanned > c->in_at ? c->scanned : c->in_at;
    const char *in = sbuf_text(&c->in);

    while (at < c->in.len && in[at] != '\n' && in[at] != '\r')
        at++;
    c->scanned = at;
    if (at == c->in.len)
        return c->in_closed ? at - c->in_at : 0;
    at += in[at] == '\r' && at + 1 < c->in.len && in[at + 1] == '\n' ? 2 : 1;
    return at - c->in_at;
}

bool control_step(struct control *c)
{
    struct part data = unread(c);
    struct command cmd;
    size_t start = c->in_at;
    enum result result = DONE;

    /* A client that does not read its answers must wait. */
    if (c->busy || !data.len || c->out.len - c->out_at > c->max_output)
        return false;
    if (!c->line_len && !(c->line_len = find_line(c)))
        return false;
    c->start = start;
    c->in_at += c->line_len;
    if (!split_command((struct part){data.s, c->line_len}, &cmd)) {
        give_up(c, "out of memory");
        return true;
    }
    if (cmd.n_words)
        result = run_command(c, &cmd);
    free(cmd.name);
    if (result == INCOMPLETE && c->line_len <= MAX_DATA_LINE) {
        c->in_at = start;
        return false;
    }
    if (result == INCOMPLETE)
        give_up(c, "Command too long");
    c->scanned = c->line_len = 0;
    contract(&c->in, &c->in_at);
    return true;
}

/* --- what is carried out elsewhere ------------------------------------------------------------ */

void control_reply(struct control *c, const char *text, size_t len)
{
    sbuf_add(&c->out, text, len);
    c->busy = false;
}

void control_refuse(struct control *c, unsigned code, const char *text)
{
    answer(c, code, text);
    c->busy = false;
}

void control_written(struct control *c, int rc, struct diag *d)
{
    answer_written(c, c->later ? c->later : "", rc, d);
    free(c->later);
    c->later = NULL;
    c->busy = false;
}

void control_run(const struct control_ops *ops, void *ctx, const char *text, size_t len,
                 struct sbuf *out)
{
    struct control c;

    control_init(&c, ops, ctx, false);
    sbuf_reset(&c.out);
    control_feed(&c, text, len);
    control_close_input(&c);
    while (control_step(&c))
        ;
    sbuf_add(out, sbuf_text(&c.out), c.out.len);
    out->failed |= c.out.failed;
    control_fini(&c);
}

const char *control_output(const struct control *c, size_t *len)
{
    *len = c->out.len - c->out_at;
    return sbuf_text(&c->out) + c->out_at;
}

void control_sent(struct control *c, size_t len)
{
    c->out_at += len;
    contract(&c->out, &c->out_at);
}

bool control_finished(const struct control *c)
{
    return !c->busy && c->in_closed && c->in_at == c->in.len && c->out_at == c->out.len;
}
