// SPDX-License-Identifier: BSD-3-Clause
/* main.c -- `click`: run a Click configuration as an ordinary program */

#include "driver/handlers.h"
#include "driver/host.h"
#include "driver/options.h"
#include "engine/version.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void print_diag(struct diag *d)
{
    fputs(isatty(STDERR_FILENO) ? diag_text_columns(d) : diag_text(d), stderr);
    diag_reset(d);
}

/* A printf into an arena; the program ends without memory. */
__attribute__((format(printf, 2, 3))) static const char *text_in(struct arena *a,
                                                                 const char *fmt, ...)
{
    struct sbuf s = SBUF_INIT;
    const char *text;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&s, fmt, ap);
    va_end(ap);
    text = s.failed ? NULL : arena_strdup(a, sbuf_text(&s));
    sbuf_fini(&s);
    if (!text)
        errx(1, "out of memory");
    return text;
}

/* The elements behind -p, -u and --socket; those of later configurations wait until the
 * old ones are gone. They live in `a`. */
static struct lang_element *control_sockets(struct arena *a, const struct options *o,
                                            const char *more)
{
    struct lang_element *all = arena_alloc(a, (o->n_sockets + 1) * sizeof *all);

    if (!all)
        errx(1, "out of memory");
    for (size_t i = 0; i < o->n_sockets; i++) {
        const char *number = i ? text_in(a, "@%zu", i) : "";

        all[i] = (struct lang_element){
            .name = text_in(a, "click_driver@@ControlSocket%s", number),
            .class_name = "ControlSocket",
            .config = text_in(a, "%s, %s%s", o->sockets[i].type, o->sockets[i].value,
                              more),
            .at = {"click", 0, 0},
        };
    }
    return all;
}

static int load(struct host *h, const struct options *o, struct diag *d)
{
    char *text = NULL;
    size_t len = 0;
    int rc;

    h->file = o->expression                     ? "config"
              : o->file && strcmp(o->file, "-") ? o->file
                                                : "<stdin>";
    if (o->expression)
        return host_install(h, o->expression, strlen(o->expression), h->file, d);
    if (host_read_file(o->file ? o->file : "-", &text, &len, d) < 0)
        return -1;
    rc = host_install(h, text, len, h->file, d);
    free(text);
    return rc;
}

static int write_output(const struct host *h, const char *name, struct diag *d)
{
    struct sbuf text = SBUF_INIT;
    FILE *f = strcmp(name, "-") ? fopen(name, "w") : stdout;
    int rc = 0;

    if (!f)
        return diag_err(d, "%s: %s", name, strerror(errno));
    handler_read(h->router, NULL, "flatconfig", NULL, &text, d);
    fputs(sbuf_text(&text), f);
    if (f == stdout ? fflush(f) != 0 : fclose(f) != 0)
        rc = diag_err(d, "%s: %s", name, strerror(errno));
    sbuf_fini(&text);
    return rc;
}

static int print_handlers(const struct host *h, const struct options *o, struct diag *d)
{
    struct sbuf out = SBUF_INIT;
    int rc = 0;

    for (size_t i = 0; i < o->n_handlers; i++)
        rc |= handlers_print(h->router, o->handlers[i], o->n_handlers > 1, &out, d);
    fwrite(sbuf_text(&out), 1, out.len, stdout);
    fflush(stdout);
    sbuf_fini(&out);
    return rc;
}

/* HUP with -R: read the file again. USR1 with -h: print the handlers now. */
static void on_signals(struct host *h, uint32_t came)
{
    const struct options *o = h->signalled_ctx;
    struct diag d = DIAG_INIT;

    if ((came & 1u << SIGHUP) && o->allow_reconfigure)
        load(h, o, &d);
    if ((came & 1u << SIGUSR1) && o->n_handlers)
        print_handlers(h, o, &d);
    print_diag(&d);
    diag_fini(&d);
}

static void catch_signals(struct host *h, const struct options *o)
{
    h->signalled = on_signals;
    h->signalled_ctx = o;
    signals_catch(SIGINT, true);
    signals_catch(SIGTERM, true);
    if (o->allow_reconfigure && o->file && strcmp(o->file, "-") != 0)
        signals_catch(SIGHUP, false);
    if (o->n_handlers)
        signals_catch(SIGUSR1, false);
    signal(SIGPIPE, SIG_IGN);
}

static struct timeval since(struct timeval now, struct timeval before, long round_us)
{
    struct timeval t;

    timersub(&now, &before, &t);
    t.tv_usec += round_us / 2;
    if (t.tv_usec >= 1000000) {
        t.tv_usec -= 1000000;
        t.tv_sec++;
    }
    t.tv_usec /= round_us;
    return t;
}

struct clocks {
    struct rusage cpu;
    struct timespec real;
};

static void clocks_read(struct clocks *c)
{
    getrusage(RUSAGE_SELF, &c->cpu);
    clock_gettime(CLOCK_MONOTONIC, &c->real);
}

static void print_time(const struct clocks *then)
{
    struct clocks now;
    struct timeval u, s, r;

    clocks_read(&now);
    u = since(now.cpu.ru_utime, then->cpu.ru_utime, 1000);
    s = since(now.cpu.ru_stime, then->cpu.ru_stime, 1000);
    r = since((struct timeval){now.real.tv_sec, now.real.tv_nsec / 1000},
              (struct timeval){then->real.tv_sec, then->real.tv_nsec / 1000}, 10000);
    printf("%ld.%03ldu %ld.%03lds %ld:%02ld.%02ld\n", (long)u.tv_sec, (long)u.tv_usec,
           (long)s.tv_sec, (long)s.tv_usec, (long)(r.tv_sec / 60),
           (long)(r.tv_sec % 60), (long)r.tv_usec);
}

/* Run and report; returns the exit status. */
static int run(struct host *h, const struct options *o, struct diag *d)
{
    struct clocks start;
    int status = 0;

    clocks_read(&start);
    if (o->output && write_output(h, o->output, d) < 0)
        status = 1;
    if (!o->quit && router_n_elements(h->router))
        host_run(h);
    else if (!o->quit &&
             !o->no_warnings) /* the only one that -w is about, as in Click */
        diag_warn(d, "%s: configuration has no elements, exiting", h->file);
    print_diag(d);
    if (o->print_time)
        print_time(&start);
    if (print_handlers(h, o, d) < 0)
        status = 1;
    if (o->exit_handler)
        status = handlers_exit_status(h->router, o->exit_handler, d);
    print_diag(d);
    return status;
}

/* Build the configuration and run it; returns the exit status. */
static int load_and_run(struct host *h, struct arena *a, const struct options *o,
                        struct diag *d)
{
    h->options = (struct router_options){
        .defines = o->defines,
        .n_defines = o->n_defines,
        .extra = control_sockets(a, o, ""),
        .n_extra = o->n_sockets,
        .by_phase = !isatty(STDERR_FILENO),
        .last_word = "Router could not be initialized!",
    };
    h->extra_hot = control_sockets(a, o, ", RETRIES 1, RETRY_WARNINGS false");
    if (load(h, o, d) < 0) {
        print_diag(d);
        return 1;
    }
    print_diag(d);
    return run(h, o, d);
}

int main(int argc, char **argv)
{
    struct options o;
    struct diag d = DIAG_INIT;
    struct arena *a = arena_new(0);
    struct host h;
    int status;

    if (!a)
        errx(1, "out of memory");
    if (options_parse(&o, argc, argv, &d) < 0) {
        fputs(diag_text(&d), stderr);
        fputs("Usage: click [OPTION]... [ROUTERFILE]\n"
              "Try 'click --help' for more information.\n",
              stderr);
        arena_free(a);
        diag_fini(&d);
        return 1;
    }
    if (o.help || o.version) {
        puts(o.help ? options_usage : CLICK_VERSION_TEXT);
        arena_free(a);
        return 0;
    }
    print_diag(&d);
    if (host_init(&h, o.simtime, o.sim_start, &d) < 0)
        errx(1, "%s", diag_text(&d));
    h.click_path = o.click_path;
    h.platform.may_reconfigure = o.allow_reconfigure;
    catch_signals(&h, &o);
    status = load_and_run(&h, a, &o, &d);
    host_fini(&h);
    arena_free(a);
    diag_fini(&d);
    return status;
}
