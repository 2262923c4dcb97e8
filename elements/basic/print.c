// SPDX-License-Identifier: BSD-3-Clause
/*
 * Print -- print the packets that pass
 *
 * Usage:    Print(LABEL, MAXLENGTH 24, CONTENTS HEX, TIMESTAMP false, PRINTANNO false,
 *                 HEADROOM false, ACTIVE true)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LABEL      text at the start of each line
 *           MAXLENGTH  most bytes printed of a packet, default 24; < 0 means all
 *           CONTENTS   NONE, HEX (the default) or ASCII; or a boolean
 *           TIMESTAMP  print the packet's time
 *           PRINTANNO  print the annotation area
 *           HEADROOM   print the room before and behind the data
 *           ACTIVE     print at all, default true
 * Counters: none
 * Handlers: active  (read/write) the argument ACTIVE
 * Example:  FromDevice(0) -> Print(in, CONTENTS ASCII) -> Discard;
 * See also: IPPrint, Message
 *
 * A line goes to the console: label, time, length in four columns, and behind bars the
 * annotations and the first bytes, "in:   64 | 00112233 44556677".
 */

#include "engine/contents.h"
#include "engine/element.h"
#include "engine/unparse.h"

struct print {
    struct text label, contents;
    int32_t max_length;
    bool timestamp, annotations, headroom, cpu, active;
    int how; /* enum contents */
};

static const struct arg_spec print_args[] = {
    ARG_STRING(print, label, "LABEL", ARG_POS, NULL, "text at the start of each line"),
    ARG_I32(print, max_length, "MAXLENGTH", ARG_POS, "24",
            "most bytes printed, < 0: all"),
    ARG_I32(print, max_length, "LENGTH", ARG_DEPRECATED, NULL, "MAXLENGTH"),
    ARG_I32(print, max_length, "NBYTES", ARG_DEPRECATED, NULL, "MAXLENGTH"),
    ARG_WORD(print, contents, "CONTENTS", ARG_KEY, "HEX", "NONE, HEX or ASCII"),
    ARG_BOOL(print, timestamp, "TIMESTAMP", ARG_KEY, "false",
             "print the packet's time"),
    ARG_BOOL(print, annotations, "PRINTANNO", ARG_KEY, "false",
             "print the annotation area"),
    ARG_BOOL(print, active, "ACTIVE", ARG_KEY, "true", "print at all"),
    ARG_BOOL(print, headroom, "HEADROOM", ARG_KEY, "false",
             "print the room around the data"),
    ARG_BOOL(print, cpu, "CPU", ARG_OLD, NULL, "has no effect"),
    ARG_END,
};

static int print_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct print *s = element_state(e);

    s->how = contents_parse(&s->contents, d);
    return s->how < 0 ? -1 : 0;
}

static void print_hex(struct sbuf *out, const uint8_t *at, uint32_t n, bool groups)
{
    static const char digits[] = "0123456789abcdef";

    for (uint32_t i = 0; i < n; i++) {
        char two[3] = {' ', digits[at[i] >> 4], digits[at[i] & 15]};
        bool blank = groups && i && i % 4 == 0;

        sbuf_add(out, two + !blank, blank ? 3 : 2);
    }
}

static void print_ascii(struct sbuf *out, const uint8_t *at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            sbuf_putc(out, ' ');
        sbuf_putc(out, at[i] < 32 || at[i] > 126 ? '.' : (char)at[i]);
    }
}

static void print_line(const struct print *s, const struct pkt *p, struct sbuf *out)
{
    uint32_t bytes = s->how == CONTENTS_NONE ? 0 : (uint32_t)s->max_length;
    char time[UNPARSE_ROOM];
    const char *colon = "";

    if (s->label.len) {
        sbuf_add(out, s->label.s, s->label.len);
        colon = ": ";
    }
    if (s->timestamp) {
        sbuf_printf(out, "%s%s", colon, unparse_timestamp(p->timestamp, time));
        colon = ": ";
    }
    sbuf_printf(out, "%s%4u", colon, p->len);
    if (s->headroom)
        sbuf_printf(out, " (h%u t%u)", pkt_headroom(p), pkt_tailroom(p));
    if (s->annotations) {
        sbuf_puts(out, " | ");
        print_hex(out, p->anno, PKT_ANNO_SIZE, false);
    }
    bytes = bytes < p->len ? bytes : p->len; /* a negative one is a large one */
    if (bytes) {
        sbuf_puts(out, " | ");
        if (s->how == CONTENTS_HEX)
            print_hex(out, p->data, bytes, true);
        else
            print_ascii(out, p->data, bytes);
    }
    sbuf_putc(out, '\n');
}

static void print_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct print *s = element_state(e);
    struct sbuf out = SBUF_INIT;

    if (!s->active)
        return;
    for (uint32_t i = from; i < b->n; i++) {
        sbuf_reset(&out);
        print_line(s, b->p[i], &out);
        if (out.failed)
            element_say(e, "no memory for Print\n");
        else
            element_say(e, "%s", sbuf_text(&out));
    }
    sbuf_fini(&out);
}

ELEMENT_BATCH(print)

static const struct handler_spec print_handlers[] = {
    HANDLER_VALUE(print, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX | HANDLER_CALM,
                  "active", "whether packets are printed"),
    HANDLER_END,
};

ELEMENT(Print) = {
    .name = "Print",
    .talks = true,
    .state_size = sizeof(struct print),
    .ports = "1/1",
    .args = print_args,
    .handlers = print_handlers,
    .configure = print_configure,
    .push = print_push,
    .pull = print_pull,
};
