// SPDX-License-Identifier: BSD-3-Clause
/*
 * ProgressBar -- draw on the terminal how far something has come
 *
 * Usage:    ProgressBar(POSHANDLER [, SIZEHANDLER, UPDATE 0.25, BANNER, ...])
 * Ports:    none
 * Args:     POSHANDLER    read handlers whose sum says how far it is
 *           SIZEHANDLER   read handlers whose sum says where the end is; asked once
 *           UPDATE        time between drawings, default 0.25 s
 *           BANNER        text in front of the bar
 *           ACTIVE        default true: draw
 *           DELAY         time before the first drawing, default 0
 *           CHECK_STDOUT  default false: do not draw if the standard output is a terminal
 *           FIXED_SIZE    the end, instead of SIZEHANDLER
 * Counters: none
 * Handlers: mark_stopped  (write) it has stopped: draw for the last time
 *           mark_done     (write) it is through: draw for the last time
 *           active        (rw) whether it draws
 *           banner        (rw) BANNER
 *           poshandler, sizehandler  (rw) names of the handlers
 *           pos           (read) how far it was when it was last drawn
 *           size          (rw) where the end is
 *           reset         (write) begin anew
 * Example:  f :: FromDump(big.pcap.gz, STOP true) -> ...; ProgressBar(f.filepos, f.filesize)
 * See also: FromDump, Script
 *
 * Nothing is drawn when the standard error is no terminal, or while the program is in the
 * background.
 */

#include "engine/element.h"

#include "engine/lang/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_MAX = 240, STALLED_S = 5, NS_PER_S = 1000000000 };

enum status { ST_FIRST, ST_MIDDLE, ST_DONE, ST_DEAD };

struct progress_bar {
    struct text pos_arg, size_arg, banner_arg;
    int64_t interval, delay;
    bool active, check_stdout, have_size_arg;
    double size;

    struct sbuf pos_names, size_names, banner;
    enum status status;
    bool have_size;
    double last_pos;
    int64_t start, last, stalled; /* ns */
    struct timer timer;
};

static const struct arg_spec progress_bar_args[] = {
    ARG_RAW(progress_bar, pos_arg, "POSHANDLER", ARG_M, NULL, "how far"),
    ARG_RAW(progress_bar, size_arg, "SIZEHANDLER", ARG_POS, NULL, "where the end is"),
    ARG_TIME(progress_bar, interval, "UPDATE", 0, "0.25", "between drawings"),
    ARG_STRING(progress_bar, banner_arg, "BANNER", 0, NULL, "text in front"),
    ARG_BOOL(progress_bar, active, "ACTIVE", 0, "true", "draw"),
    ARG_TIME(progress_bar, delay, "DELAY", 0, "0", "before the first drawing"),
    ARG_BOOL(progress_bar, check_stdout, "CHECK_STDOUT", 0, "false", "look at it, too"),
    {.name = "FIXED_SIZE",
     .kind = ARG_KIND_DOUBLE,
     .offset = offsetof(struct progress_bar, size),
     .def = "-1",
     .seen = 1 + offsetof(struct progress_bar, have_size_arg),
     .help = "the end"},
    ARG_END,
};

/* --- values ----------------------------------------------------------------------------- */

/* Call `each` for every name; false when one returns false. */
static bool for_names(struct element *e, const struct sbuf *names, void *ctx,
                      bool (*each)(struct element *e, const char *name, void *ctx))
{
    struct arena *a = arena_new(0);
    const char *const *words = NULL;
    int n = a ? lang_split_words(a, sbuf_text(names), &words) : 0;
    bool good = a != NULL;

    for (int i = 0; good && i < n; i++)
        good = each(e, words[i], ctx);
    arena_free(a);
    return good;
}

static bool add_value(struct element *e, const char *name, void *ctx)
{
    struct sbuf text = SBUF_INIT;
    struct diag d = DIAG_INIT;
    double value = 0;
    bool good = handler_read(e->router, e, name, NULL, &text, &d) == 0 &&
                parse_double(sbuf_text(&text), &value);

    *(double *)ctx += value;
    sbuf_fini(&text);
    diag_fini(&d);
    return good;
}

static bool get_value(struct element *e, const struct sbuf *names, double *value)
{
    *value = 0;
    return names->len && for_names(e, names, value, add_value);
}

static bool check_name(struct element *e, const char *name, void *ctx)
{
    return handler_exists(e->router, e, name, HANDLER_READ) ||
           diag_err(ctx, "no '%s' read handler", name) == 0;
}

static int set_names(struct element *e, struct sbuf *names, const char *text,
                     size_t len, struct diag *d)
{
    struct sbuf new = SBUF_INIT;

    sbuf_add(&new, text, len);
    if (!for_names(e, &new, d, check_name)) {
        sbuf_fini(&new);
        return -1;
    }
    sbuf_fini(names);
    *names = new;
    return 0;
}

/* --- drawing ---------------------------------------------------------------------------- */

static bool in_foreground(void)
{
    pid_t group = tcgetpgrp(STDERR_FILENO);

    return group != -1 && group == getpgrp();
}

static int terminal_width(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

static void repeat(struct sbuf *out, char c, int n)
{
    for (; n > 0; n--)
        sbuf_putc(out, c);
}

/* How far, of 100; -1: not known. Without a size it goes to and fro. */
static double percent(const struct progress_bar *s, bool have_pos, double pos)
{
    double p;
    int swing;

    if (!have_pos)
        return -1;
    if (!s->have_size) {
        swing = (int)((long long)(pos / 100000) % 200);
        return swing > 100 ? 200 - swing : swing;
    }
    p = s->size > 0 ? 100 * pos / s->size : 100;
    return p < 0 ? 0 : p > 100 ? 100 : (int)p;
}

static void draw_bar(const struct progress_bar *s, struct sbuf *out, double at, int len)
{
    int mark = len > 3 ? 3 : 1, before;

    len = len < BAR_MAX ? len : BAR_MAX;
    if (len <= 0)
        return;
    sbuf_putc(out, '|');
    if (at < 0 || (!s->have_size && s->status >= ST_DONE)) {
        repeat(out, '-', len);
    } else if (!s->have_size) {
        before = (int)((len - mark) * at / 100);
        repeat(out, ' ', before);
        repeat(out, '*', mark);
        repeat(out, ' ', len - before - mark);
    } else {
        before = (int)(len * at / 100);
        repeat(out, '*', before);
        repeat(out, ' ', len - before);
    }
    sbuf_putc(out, '|');
}

static void draw_pos(const struct progress_bar *s, struct sbuf *out, bool have_pos,
                     double pos)
{
    static const char prefixes[] = " KMGTP";
    size_t prefix = 0;

    if (s->have_size && !s->size_names.len) {
        sbuf_putc(out, ' ');
        return;
    }
    if (!have_pos) {
        sbuf_puts(out, " -----   ");
        return;
    }
    for (; pos >= 100000 && prefix + 2 < sizeof prefixes; prefix++)
        pos /= 1024;
    sbuf_printf(out, " %5lu%c%c ", (unsigned long)pos, prefixes[prefix],
                prefix ? 'B' : ' ');
}

static void draw_time(const struct progress_bar *s, struct sbuf *out, bool have_pos,
                      double pos, double elapsed, int64_t wait)
{
    bool eta = s->status < ST_DONE && have_pos && pos >= 1e-6;
    int left;

    if (s->status < ST_DONE &&
        (!have_pos || !s->have_size || elapsed <= 0 || pos > s->size)) {
        sbuf_puts(out, "   --:-- ETA");
        return;
    }
    if (wait >= (int64_t)STALLED_S * NS_PER_S) {
        sbuf_puts(out, " - stalled -");
        return;
    }
    left = (int)(eta ? s->size / (pos / elapsed) - elapsed : elapsed);
    if (left / 3600)
        sbuf_printf(out, "%2d:", left / 3600);
    else
        sbuf_puts(out, "   ");
    sbuf_printf(out, "%02d:%02d%s", left % 3600 / 60, left % 60, eta ? " ETA" : "    ");
}

static void put_out(const struct sbuf *text)
{
    size_t done = 0;
    ssize_t n;

    while (done < text->len) {
        n = write(STDERR_FILENO, text->data + done, text->len - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            break;
    }
}

static void draw(struct element *e, int64_t now)
{
    struct progress_bar *s = element_state(e);
    struct sbuf out = SBUF_INIT;
    double pos, at;
    bool have_pos = get_value(e, &s->pos_names, &pos);
    int64_t wait = now - s->last;

    at = percent(s, have_pos, pos);
    sbuf_putc(&out, '\r');
    if (s->banner.len)
        sbuf_printf(&out, "%s ", sbuf_text(&s->banner));
    if (have_pos && s->have_size)
        sbuf_printf(&out, "%3d%% ", (int)at);
    else if (s->have_size)
        sbuf_puts(&out, "  -% ");
    draw_bar(s, &out, at,
             terminal_width() - ((int)out.len + 25) +
                 (s->have_size && !s->size_names.len ? 8 : 0));
    draw_pos(s, &out, have_pos, pos);
    if (pos > s->last_pos) {
        s->last = now;
        s->last_pos = pos;
        s->stalled += wait >= (int64_t)STALLED_S * NS_PER_S ? wait : 0;
        wait = 0;
    }
    draw_time(s, &out, have_pos, pos, (double)(now - s->start - s->stalled) / NS_PER_S,
              wait);
    if (s->status >= ST_DONE)
        sbuf_putc(&out, '\n');
    put_out(&out);
    sbuf_fini(&out);
}

static void progress_bar_fire(struct element *e, struct timer *t)
{
    struct progress_bar *s = element_state(e);
    int64_t now = element_now(e);

    if (!s->active || s->status == ST_DEAD)
        return;
    if (s->status == ST_FIRST) {
        if (!s->have_size)
            s->have_size = get_value(e, &s->size_names, &s->size);
        s->last_pos = 0;
        s->last = s->start = now;
        s->stalled = 0;
        s->status = ST_MIDDLE;
    }
    if (!in_foreground()) {
        timer_after(t, s->interval);
        return;
    }
    if (now < s->start + s->delay) {
        timer_at(t, s->start + s->delay);
        return;
    }
    draw(e, now);
    if (s->status < ST_DONE)
        timer_after(t, s->interval);
    else
        s->active = false;
}

/* --- life ------------------------------------------------------------------------------- */

static int progress_bar_initialize(struct element *e, struct diag *d)
{
    struct progress_bar *s = element_state(e);

    if (set_names(e, &s->pos_names, s->pos_arg.s, s->pos_arg.len, d) < 0 ||
        (s->size_arg.len &&
         set_names(e, &s->size_names, s->size_arg.s, s->size_arg.len, d) < 0))
        return -1;
    sbuf_add(&s->banner, s->banner_arg.s ? s->banner_arg.s : "", s->banner_arg.len);
    s->have_size = s->have_size_arg;
    s->status = !isatty(STDERR_FILENO) || (s->check_stdout && isatty(STDOUT_FILENO))
                    ? ST_DEAD
                    : ST_FIRST;
    timer_init(&s->timer, e, progress_bar_fire);
    if (s->active && s->status != ST_DEAD)
        timer_after(&s->timer, 0);
    return 0;
}

static void progress_bar_cleanup(struct element *e)
{
    struct progress_bar *s = element_state(e);

    /* other elements may be gone: the last drawing only ends the line */
    if (s->status == ST_MIDDLE && s->active)
        put_out(&(struct sbuf){.data = (char[]){'\n', 0}, .len = 1});
    sbuf_fini(&s->pos_names);
    sbuf_fini(&s->size_names);
    sbuf_fini(&s->banner);
}

/* --- handlers --------------------------------------------------------------------------- */

enum { H_STOPPED, H_DONE };

static int press_mark(struct element *e, const struct handler_spec *h,
                      const char *value, size_t len, struct diag *d)
{
    struct progress_bar *s = element_state(e);

    if (s->status >= ST_DONE || !s->active)
        return 0;
    if (h->user == H_DONE) {
        s->have_size = true;
        get_value(e, &s->pos_names, &s->size);
    }
    if (s->status == ST_FIRST)
        s->last = s->start = element_now(e);
    s->status = ST_DONE;
    timer_cancel(&s->timer);
    progress_bar_fire(e, &s->timer);
    return 0;
}

static int write_active(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct progress_bar *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "type mismatch");
    if (s->active && !timer_scheduled(&s->timer))
        timer_after(&s->timer, 0);
    return 0;
}

static struct sbuf *text_of(struct element *e, const struct handler_spec *h)
{
    return (struct sbuf *)(void *)(e->state + h->offset);
}

static int read_text(struct element *e, const struct handler_spec *h, const char *param,
                     struct sbuf *out, struct diag *d)
{
    const struct sbuf *s = text_of(e, h);

    sbuf_add(out, sbuf_text(s), s->len);
    return 0;
}

static int write_banner(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct sbuf *s = text_of(e, h);

    sbuf_reset(s);
    sbuf_add(s, value, len);
    return 0;
}

static int write_names(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    struct progress_bar *s = element_state(e);

    if (set_names(e, text_of(e, h), value, len, d) < 0)
        return -1;
    if (text_of(e, h) == &s->size_names)
        s->have_size = false;
    return 0;
}

static int press_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    struct progress_bar *s = element_state(e);

    s->have_size = false;
    if (s->status != ST_DEAD)
        s->status = ST_FIRST;
    s->active = true;
    timer_after(&s->timer, 0);
    return 0;
}

#define TEXT_HANDLER(name_, member, write_, flags_, help_)                             \
    {                                                                                  \
        .name = (name_), .help = (help_),                                              \
        .flags = HANDLER_READ | HANDLER_WRITE | (flags_),                              \
        .offset = offsetof(struct progress_bar, member), .read = read_text,            \
        .write = (write_)                                                              \
    }

static const struct handler_spec progress_bar_handlers[] = {
    {.name = "mark_stopped",
     .help = "it has stopped",
     .flags = HANDLER_WRITE,
     .user = H_STOPPED,
     .write = press_mark},
    {.name = "mark_done",
     .help = "it is through",
     .flags = HANDLER_WRITE,
     .user = H_DONE,
     .write = press_mark},
    {.name = "active",
     .help = "whether it draws",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct progress_bar, active),
     .write = write_active},
    TEXT_HANDLER("banner", banner, write_banner, HANDLER_RAW, "text in front"),
    TEXT_HANDLER("poshandler", pos_names, write_names, 0, "how far"),
    TEXT_HANDLER("sizehandler", size_names, write_names, 0, "where the end is"),
    HANDLER_VALUE(progress_bar, last_pos, ARG_KIND_DOUBLE, HANDLER_READ, "pos",
                  "how far it was"),
    HANDLER_VALUE(progress_bar, size, ARG_KIND_DOUBLE, HANDLER_READ | HANDLER_WRITE,
                  "size", "where the end is"),
    HANDLER_PRESS(press_reset, "reset", "begin anew"),
    HANDLER_END,
};

ELEMENT(ProgressBar) = {
    .name = "ProgressBar",
    .state_size = sizeof(struct progress_bar),
    .ports = "0/0",
    .driver_only = true,
    .args = progress_bar_args,
    .handlers = progress_bar_handlers,
    .initialize = progress_bar_initialize,
    .cleanup = progress_bar_cleanup,
};
