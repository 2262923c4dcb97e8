// SPDX-License-Identifier: BSD-3-Clause
/* element_case.c -- the cases of a .test file: see element_case.h */

#include "tests/element_case.h"

#include "base/sbuf.h"
#include "engine/parse_chars.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key;
    enum step_kind kind;
    bool port; /* may be followed by a port number */
} keys[] = {
    {"graph", STEP_GRAPH, false},
    {"install", STEP_INSTALL, false},
    {"error", STEP_ERROR, false},
    {"warning", STEP_WARNING, false},
    {"in", STEP_IN, true},
    {"out", STEP_OUT, true},
    {"count", STEP_COUNT, false},
    {"read", STEP_READ, false},
    {"write", STEP_WRITE, false},
    {"fail", STEP_FAIL, false},
    {"time", STEP_TIME, false},
    {"run", STEP_RUN, false},
    {"console", STEP_CONSOLE, false},
    {"pull", STEP_PULL, false},
};

struct parser {
    struct element_cases *out;
    const char *file;
    uint32_t line;
    struct diag *d;
    bool open; /* a block is being read */
    struct sbuf title;
};

static int bad(struct parser *p, const char *what)
{
    struct place at = {p->file, p->line, 0};

    return diag_err_at(p->d, at, "%s", what);
}

static struct element_case *current(struct parser *p)
{
    return &p->out->cases[p->out->n - 1];
}

static int begin_case(struct parser *p)
{
    struct element_case *grown = realloc(p->out->cases,
                                         (p->out->n + 1) * sizeof *grown);

    if (!grown)
        return bad(p, "out of memory");
    p->out->cases = grown;
    grown[p->out->n++] = (struct element_case){.line = p->line};
    current(p)->title = p->title.len ? sbuf_take(&p->title) : strdup("without a title");
    p->open = true;
    return 0;
}

static int add_step(struct parser *p, enum step_kind kind, unsigned port,
                    const char *text, size_t column)
{
    struct element_case *c;
    struct step *grown;

    if (!p->open && begin_case(p) < 0)
        return -1;
    c = current(p);
    grown = realloc(c->steps, (c->n_steps + 1) * sizeof *grown);
    if (!grown)
        return bad(p, "out of memory");
    c->steps = grown;
    grown[c->n_steps++] = (struct step){kind, port, strdup(text), p->line, column};
    return 0;
}

/* "out1: ..." */
static int parse_step(struct parser *p, const char *s)
{
    const char *colon = strchr(s, ':'), *text;

    if (!colon)
        return bad(p, "expected 'key: value'");
    for (text = colon + 1; char_is_space(*text);)
        text++;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t len = strlen(keys[i].key);
        const char *end = s + len;
        unsigned port = 0;

        if (strncmp(s, keys[i].key, len) != 0)
            continue;
        if (keys[i].port)
            for (; char_is_digit(*end); end++)
                port = 10 * port + (unsigned)(*end - '0');
        if (end != colon)
            continue;
        if (port >= CASE_MAX_PORTS)
            return bad(p, "there are only 8 ports");
        return add_step(p, keys[i].kind, port, text, (size_t)(text - s));
    }
    return bad(p, "unknown key");
}

/* An indented line goes on with the step before it. Blanks beyond the column where that
 * step's own text begins belong to the text. */
static int continue_step(struct parser *p, const char *s)
{
    struct step *step;
    char *joined;
    size_t len;

    if (!p->open || !current(p)->n_steps)
        return bad(p, "an indented line continues nothing");
    step = &current(p)->steps[current(p)->n_steps - 1];
    len = strlen(step->text);
    for (size_t i = 0; char_is_space(*s) && (!len || i < step->column); i++)
        s++;
    joined = realloc(step->text, len + strlen(s) + 2);
    if (!joined)
        return bad(p, "out of memory");
    /* nothing stood behind the key itself: the text begins here */
    if (len)
        joined[len++] = '\n';
    memcpy(joined + len, s, strlen(s) + 1);
    step->text = joined;
    return 0;
}

static int parse_line(struct parser *p, char *s)
{
    size_t len = strlen(s);

    while (len && char_is_space(s[len - 1]))
        s[--len] = 0;
    if (!len) {
        p->open = false;
        sbuf_reset(&p->title);
        return 0;
    }
    if (*s == '#') {
        if (!p->open) {
            for (s++; char_is_space(*s);)
                s++;
            sbuf_printf(&p->title, "%s%s", p->title.len ? " " : "", s);
        }
        return 0;
    }
    return char_is_space(*s) ? continue_step(p, s) : parse_step(p, s);
}

int element_cases_parse(struct element_cases *c, const char *text, const char *file,
                        struct diag *d)
{
    struct parser p = {.out = c, .file = file, .d = d};
    int rc = 0;

    *c = (struct element_cases){0};
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = strndup(text, len);

        p.line++;
        if (!line || parse_line(&p, line) < 0)
            rc = -1;
        free(line);
        text += len + (text[len] == '\n');
    }
    for (size_t i = 0; i < c->n; i++)
        if (c->cases[i].steps[0].kind != STEP_GRAPH &&
            c->cases[i].steps[0].kind != STEP_PULL) {
            p.line = c->cases[i].line;
            rc = bad(&p, "a case begins with its graph");
        }
    sbuf_fini(&p.title);
    return rc;
}

void element_cases_fini(struct element_cases *c)
{
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = 0; k < c->cases[i].n_steps; k++)
            free(c->cases[i].steps[k].text);
        free(c->cases[i].steps);
        free(c->cases[i].title);
    }
    free(c->cases);
    *c = (struct element_cases){0};
}

/* --- the graph's ends ------------------------------------------------------------------- */

static bool is_name_char(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '_' || c == '/' || c == '@' ||
           c == '$';
}

/* "in", "in3", "out0": sets *port. `in` alone is port 0. */
static bool is_end(const char *s, size_t len, const char *name, bool bare,
                   unsigned *port)
{
    size_t n = strlen(name);

    if (len < n || memcmp(s, name, n) != 0)
        return false;
    *port = 0;
    if (len == n)
        return bare;
    if (len != n + 1 || !char_is_digit(s[n]) || s[n] - '0' >= CASE_MAX_PORTS)
        return false;
    *port = (unsigned)(s[n] - '0');
    return true;
}

struct ends {
    bool in[CASE_MAX_PORTS], out[CASE_MAX_PORTS], bare_in;
};

static const char *skip_config(const char *s)
{
    int depth = 0;

    for (; *s; s++) {
        if (*s == '"')
            for (s++; *s && *s != '"'; s++)
                s += *s == '\\' && s[1];
        depth += *s == '(';
        depth -= *s == ')';
        if (!*s || !depth)
            break;
    }
    return *s ? s + 1 : s;
}

static void find_ends(const char *s, struct ends *e)
{
    while (*s) {
        const char *start = s;
        unsigned port;

        if (*s == '(') {
            s = skip_config(s);
            continue;
        }
        if (!is_name_char(*s)) {
            s++;
            continue;
        }
        while (is_name_char(*s))
            s++;
        if (is_end(start, (size_t)(s - start), "in", true, &port)) {
            e->in[port] = true;
            e->bare_in = e->bare_in || s - start == 2;
        } else if (is_end(start, (size_t)(s - start), "out", false, &port)) {
            e->out[port] = true;
        }
    }
}

char *element_case_graph(const char *graph, bool pull)
{
    struct sbuf s = SBUF_INIT;
    struct ends e = {0};

    find_ends(graph, &e);
    for (unsigned i = 0; i < CASE_MAX_PORTS; i++) {
        char name[8] = {'i', 'n', (char)('0' + i), 0};

        if (i == 0 && e.bare_in)
            name[2] = 0;
        if (e.in[i] && pull)
            sbuf_printf(&s,
                        "%s :: { FromNetfront(%u) -> SimpleQueue(5000) -> output };",
                        name, i);
        else if (e.in[i])
            sbuf_printf(&s, "%s :: FromNetfront(%u);", name, i);
        if (e.out[i])
            sbuf_printf(&s, "out%u :: ToNetfront(%u);", i, i);
    }
    sbuf_puts(&s, graph);
    return sbuf_take(&s);
}
