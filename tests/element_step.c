// SPDX-License-Identifier: BSD-3-Clause
/* element_step.c -- carrying out the steps of one case: see element_step.h */

#include "tests/element_step.h"

#include "engine/element.h"
#include "engine/parse_chars.h"
#include "tests/packet_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void case_fail(struct case_run *run, uint32_t line, const char *fmt, ...)
{
    va_list ap;

    run->failed = true;
    sbuf_printf(&run->report, "%s:%u: ", run->file, line);
    va_start(ap, fmt);
    sbuf_vprintf(&run->report, fmt, ap);
    va_end(ap);
    sbuf_putc(&run->report, '\n');
}

static void fail_diag(struct case_run *run, uint32_t line, const char *what,
                      struct diag *d)
{
    case_fail(run, line, "%s\n%s", what, diag_text(d));
}

/* --- graph, install, error, warning -------------------------------------------------------- */

static bool has_message(const struct diag *d, const char *text)
{
    for (size_t i = 0; i < d->n_messages; i++)
        if (d->messages[i].text && strstr(d->messages[i].text, text))
            return true;
    return false;
}

/* The error: and warning: steps that follow step `i` judge what it does. Returns whether
 * an error is expected. */
static bool expects_error(const struct element_case *c, size_t i)
{
    for (i++; i < c->n_steps; i++) {
        if (c->steps[i].kind == STEP_ERROR)
            return true;
        if (c->steps[i].kind != STEP_WARNING)
            break;
    }
    return false;
}

static void check_messages(struct case_run *run, const struct element_case *c, size_t i,
                           struct diag *d)
{
    for (i++; i < c->n_steps; i++) {
        const struct step *s = &c->steps[i];

        if (s->kind != STEP_ERROR && s->kind != STEP_WARNING)
            break;
        if (!has_message(d, s->text)) {
            case_fail(run, s->line, "expected the message: %s", s->text);
            sbuf_printf(&run->report, "got:\n%s", diag_text(d));
        }
    }
}

static void step_install(struct case_run *run, const struct element_case *c, size_t i)
{
    const struct step *s = &c->steps[i];
    bool bad = expects_error(c, i);
    char *graph = element_case_graph(s->text, run->pull);
    struct diag d = DIAG_INIT;

    if (s->kind == STEP_INSTALL)
        run->backend->run(run->ctx, 0);
    if (run->backend->install(run->ctx, graph, &d) < 0) {
        if (!bad)
            fail_diag(run, s->line, "the configuration was refused:", &d);
    } else {
        run->loaded = true;
        if (bad)
            case_fail(run, s->line, "the configuration was accepted");
    }
    if (!run->failed)
        check_messages(run, c, i, &d);
    diag_fini(&d);
    free(graph);
}

/* --- packets -------------------------------------------------------------------------------- */

static void step_in(struct case_run *run, const struct step *s)
{
    struct packet_text *p = NULL;
    struct diag d = DIAG_INIT;
    size_t n = 0;

    if (packet_text_parse(s->text, &p, &n, &d) < 0)
        fail_diag(run, s->line, "bad packet:", &d);
    for (size_t i = 0; i < n; i++)
        if (!run->backend->inject(run->ctx, s->port, p[i].bytes, p[i].len))
            run->skipped = "such a packet cannot come in there";
    packet_text_free(p, n);
    diag_fini(&d);
}

static bool same_bytes(const struct packet_text *want, const struct got_packet *got)
{
    if (want->len != got->len)
        return false;
    for (size_t i = 0; i < want->len; i++)
        if ((!want->mask || want->mask[i]) && want->bytes[i] != got->bytes[i])
            return false;
    return true;
}

static void show_bytes(struct sbuf *out, const uint8_t *bytes, const uint8_t *mask,
                       size_t len)
{
    bool text = len > 0;

    for (size_t i = 0; i < len && text; i++)
        text = bytes[i] > ' ' && bytes[i] < 127 && (!mask || mask[i]);
    if (text) {
        sbuf_printf(out, "\"%.*s\"", (int)len, (const char *)bytes);
        return;
    }
    sbuf_printf(out, "%zu bytes", len);
    for (size_t i = 0; i < len && i < 256; i++) {
        sbuf_puts(out, i % 16 == 0 ? "\n        " : i % 2 == 0 ? " " : "");
        if (mask && !mask[i])
            sbuf_puts(out, "??");
        else
            sbuf_printf(out, "%02x", bytes[i]);
    }
}

static int64_t load_anno(const struct pkt *p, const struct packet_anno *a)
{
    int64_t v = 0;

    memcpy(&v, p->anno + a->offset, a->size);
    return v;
}

static bool same_header(const struct pkt *p, const uint8_t *at,
                        const struct packet_anno *a, int64_t *got)
{
    *got = at ? at - p->data : -1;
    return a->none ? !at : at && *got == a->value;
}

static bool same_anno(const struct pkt *p, const struct packet_anno *a, int64_t *got)
{
    switch (a->what) {
    case ANNO_TIMESTAMP:
        *got = p->timestamp;
        break;
    case ANNO_TYPE:
        *got = p->type;
        break;
    case ANNO_MAC:
        return same_header(p, p->mac, a, got);
    case ANNO_NETWORK:
        return same_header(p, p->network, a, got);
    case ANNO_TRANSPORT:
        return same_header(p, p->transport, a, got);
    case ANNO_BYTES:
        *got = load_anno(p, a);
    }
    return *got == a->value;
}

static void compare(struct case_run *run, const struct step *s, size_t number,
                    const struct packet_text *want, const struct got_packet *got)
{
    if (!same_bytes(want, got)) {
        case_fail(run, s->line, "out%u: packet %zu differs; expected", s->port, number);
        sbuf_puts(&run->report, "    ");
        show_bytes(&run->report, want->bytes, want->mask, want->len);
        sbuf_puts(&run->report, "\n  got\n    ");
        show_bytes(&run->report, got->bytes, NULL, got->len);
        sbuf_putc(&run->report, '\n');
        return;
    }
    for (unsigned i = 0; i < want->n_annos; i++) {
        const struct packet_anno *a = &want->annos[i];
        int64_t v = 0;

        if (!run->backend->sees_annotations)
            run->skipped = "annotations cannot be seen from outside";
        else if (!same_anno(got->meta, a, &v))
            case_fail(run, s->line,
                      "out%u: annotation %u of packet %zu is %" PRId64
                      ", expected %s%" PRId64,
                      s->port, i + 1, number, v, a->none ? "none, not " : "", a->value);
    }
}

static void step_out(struct case_run *run, const struct step *s)
{
    struct packet_text *want = NULL;
    struct got_packet got;
    struct diag d = DIAG_INIT;
    size_t n = 0, i = 0;

    run->backend->run(run->ctx, 0);
    if (packet_text_parse(s->text, &want, &n, &d) < 0)
        fail_diag(run, s->line, "bad packet:", &d);
    for (size_t k = 0; k < n; k++)
        if (run->backend->max_len && want[k].len > run->backend->max_len)
            run->skipped = "such a packet cannot come out there";
    while (run->backend->collect(run->ctx, s->port, &got)) {
        if (run->skipped) {
            ;
        } else if (i < n) {
            compare(run, s, i + 1, &want[i], &got);
        } else if (i < n + 3) {
            case_fail(run, s->line, "out%u: packet %zu was not expected:", s->port,
                      i + 1);
            sbuf_puts(&run->report, "    ");
            show_bytes(&run->report, got.bytes, NULL, got.len);
            sbuf_putc(&run->report, '\n');
        }
        run->backend->release(run->ctx, &got);
        i++;
    }
    if (i < n && !run->skipped)
        case_fail(run, s->line, "out%u: %zu packets came, %zu expected", s->port, i, n);
    packet_text_free(want, n);
    diag_fini(&d);
}

/* --- handlers ------------------------------------------------------------------------------- */

static void trim(struct sbuf *s)
{
    while (s->len && char_is_space(s->data[s->len - 1]))
        s->data[--s->len] = 0;
}

/* Read "el.handler" or "el.handler(PARAM)". */
static int read_handler(struct case_run *run, const char *handler, struct sbuf *out,
                        struct diag *d)
{
    char *name = strdup(handler), *param = strchr(name, '(');
    int rc;

    if (param) {
        *param++ = 0;
        param[strcspn(param, ")")] = 0;
    }
    rc = run->backend->read(run->ctx, name, param, out, d);
    free(name);
    return rc;
}

static void check_read(struct case_run *run, const struct step *s, const char *handler,
                       const char *want)
{
    struct diag d = DIAG_INIT;
    struct sbuf out = SBUF_INIT;

    if (read_handler(run, handler, &out, &d) < 0) {
        fail_diag(run, s->line, handler, &d);
    } else {
        trim(&out);
        if (strcmp(sbuf_text(&out), want) != 0)
            case_fail(run, s->line, "%s is\n%s\n  expected\n%s", handler,
                      sbuf_text(&out), want);
    }
    sbuf_fini(&out);
    diag_fini(&d);
}

/* The first word of `s`, NUL-terminated in place; returns what follows it. */
static char *split_word(char *s)
{
    size_t n = strcspn(s, " \t\n");
    char *rest = s + n;

    if (*rest)
        *rest++ = 0;
    while (char_is_space(*rest))
        rest++;
    return rest;
}

static void step_count(struct case_run *run, const struct step *s)
{
    char *copy = strdup(s->text), *save = NULL;

    run->backend->run(run->ctx, 0);
    for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
        char *want;

        while (char_is_space(*p))
            p++;
        want = split_word(p);
        check_read(run, s, p, want);
    }
    free(copy);
}

static void step_read(struct case_run *run, const struct step *s)
{
    char *copy = strdup(s->text), *want = split_word(copy);

    run->backend->run(run->ctx, 0);
    check_read(run, s, copy, want);
    free(copy);
}

static void step_write(struct case_run *run, const struct step *s)
{
    char *copy = strdup(s->text), *value = split_word(copy);
    struct diag d = DIAG_INIT;

    run->backend->run(run->ctx, 0);
    if (run->backend->write(run->ctx, copy, value, strlen(value), &d) < 0)
        fail_diag(run, s->line, "write failed:", &d);
    diag_fini(&d);
    free(copy);
}

/* "q.capacity x | expected integer" is a write, "q.nothing | no" a read. */
static void step_fail(struct case_run *run, const struct step *s)
{
    char *copy = strdup(s->text), *bar = strstr(copy, "| "), *value;
    struct sbuf out = SBUF_INIT;
    struct diag d = DIAG_INIT;
    int rc;

    run->backend->run(run->ctx, 0);
    if (!bar) {
        case_fail(run, s->line, "fail: wants 'handler value | message'");
        goto out;
    }
    for (char *end = bar; end > copy && char_is_space(end[-1]);)
        *--end = 0;
    *bar = 0;
    value = split_word(copy);
    rc = *value ? run->backend->write(run->ctx, copy, value, strlen(value), &d)
                : read_handler(run, copy, &out, &d);
    if (rc >= 0)
        case_fail(run, s->line, "%s: did not fail", copy);
    else if (!has_message(&d, bar + 2))
        fail_diag(run, s->line, "the message is another one:", &d);
out:
    sbuf_fini(&out);
    diag_fini(&d);
    free(copy);
}

/* --- time and console ----------------------------------------------------------------------- */

static void step_time(struct case_run *run, const struct step *s)
{
    int64_t ns;

    if (!parse_time(s->text, &ns))
        case_fail(run, s->line, "bad time");
    else if (!run->backend->has_clock)
        run->skipped = "time cannot be moved there";
    else
        run->backend->advance(run->ctx, ns);
}

static void step_rounds(struct case_run *run, const struct step *s)
{
    uint64_t n;

    if (!parse_u64(s->text, 10, &n) || !n || n > 1000000)
        case_fail(run, s->line, "bad number of rounds");
    else
        run->backend->run(run->ctx, (unsigned)n);
}

static void step_console(struct case_run *run, const struct step *s)
{
    struct sbuf out = SBUF_INIT;

    run->backend->run(run->ctx, 0);
    run->backend->console(run->ctx, &out);
    trim(&out);
    if (strcmp(s->text, "*") != 0 && strcmp(sbuf_text(&out), s->text) != 0)
        case_fail(run, s->line, "the console said\n%s\n  expected\n%s", sbuf_text(&out),
                  s->text);
    sbuf_fini(&out);
}

void step_run(struct case_run *run, const struct element_case *c, size_t i)
{
    const struct step *s = &c->steps[i];
    static void (*const run_step[])(struct case_run *, const struct step *) = {
        [STEP_IN] = step_in,           [STEP_OUT] = step_out,
        [STEP_COUNT] = step_count,     [STEP_READ] = step_read,
        [STEP_WRITE] = step_write,     [STEP_FAIL] = step_fail,
        [STEP_TIME] = step_time,       [STEP_RUN] = step_rounds,
        [STEP_CONSOLE] = step_console, [STEP_PULL] = NULL,
    };

    if (s->kind == STEP_GRAPH || s->kind == STEP_INSTALL)
        step_install(run, c, i);
    else if (s->kind == STEP_ERROR || s->kind == STEP_WARNING || s->kind == STEP_PULL)
        return;
    else if (!run->loaded)
        case_fail(run, s->line, "no configuration is running");
    else
        run_step[s->kind](run, s);
}

void step_check_nothing_left(struct case_run *run, const struct element_case *c)
{
    struct sbuf out = SBUF_INIT;

    if (!run->loaded)
        return;
    run->backend->run(run->ctx, 0);
    for (unsigned port = 0; port < CASE_MAX_PORTS; port++) {
        struct step nothing = {STEP_OUT, port, (char *)(uintptr_t) "", c->line, 0};

        step_out(run, &nothing);
    }
    run->backend->console(run->ctx, &out);
    if (out.len)
        case_fail(run, c->line, "console text that no line expects:\n%s",
                  sbuf_text(&out));
    sbuf_fini(&out);
}
