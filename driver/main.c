// SPDX-License-Identifier: BSD-3-Clause
/* main.c -- `click`: run a Click configuration as an ordinary program */

#include "driver/handlers.h"
#include "driver/host.h"
#include "driver/options.h"
#include "engine/lang/flatten.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define VERSION "ClickOS click 0.1 (language of Click 2.1)"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static void print_diag(struct diag *d, bool warnings)
{
    if (warnings || d->n_errors)
        fputs(isatty(STDERR_FILENO) ? diag_text_columns(d) : diag_text(d), stderr);
    diag_reset(d);
}

static int load(struct host *h, const struct options *o, struct diag *d)
{
    struct router_options ro = {.defines = o->defines, .n_defines = o->n_defines};
    char *text = NULL;
    size_t len = 0;
    int rc;

    h->file = o->expression                     ? "config"
              : o->file && strcmp(o->file, "-") ? o->file
                                                : "<stdin>";
    if (o->expression)
        return host_install(h, o->expression, strlen(o->expression), h->file, &ro, d);
    if (host_read_file(o->file ? o->file : "-", &text, &len, d) < 0)
        return -1;
    rc = host_install(h, text, len, h->file, &ro, d);
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
    lang_unparse(router_graph(h->router), &text);
    fputs(sbuf_text(&text), f);
    if (ferror(f) || (f != stdout && fclose(f)))
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

static void print_time(int64_t real_ns)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    fprintf(stderr, "%ld.%03ldu %ld.%03lds %lld:%02lld.%02lld\n",
            (long)u.ru_utime.tv_sec, (long)u.ru_utime.tv_usec / 1000,
            (long)u.ru_stime.tv_sec, (long)u.ru_stime.tv_usec / 1000,
            (long long)(real_ns / 60000000000), (long long)(real_ns / 1000000000 % 60),
            (long long)(real_ns / 10000000 % 100));
}

/* Run and report; returns the exit status. */
static int run(struct host *h, const struct options *o, struct diag *d)
{
    int64_t start = h->platform.now(h);
    int status = 0;

    if (o->output && write_output(h, o->output, d) < 0)
        status = 1;
    if (!o->quit)
        host_run(h, &interrupted);
    if (o->print_time)
        print_time(h->platform.now(h) - start);
    if (print_handlers(h, o, d) < 0)
        status = 1;
    if (o->exit_handler) {
        status = handlers_exit_status(h->router, o->exit_handler, d);
        status = status < 0 ? 1 : status;
    }
    print_diag(d, true);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct diag d = DIAG_INIT;
    struct host h;
    struct sigaction sa = {.sa_handler = on_signal};
    int status = 1;

    if (options_parse(&o, argc, argv, &d) < 0) {
        fprintf(stderr, "click: %sTry 'click --help' for more information.\n",
                diag_text(&d));
        diag_fini(&d);
        return 1;
    }
    if (o.help || o.version) {
        puts(o.help ? options_usage : VERSION);
        return 0;
    }
    if (host_init(&h, o.simtime, &d) < 0)
        errx(1, "%s", diag_text(&d));
    h.click_path = o.click_path;
    h.allow_reconfigure = o.allow_reconfigure;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (load(&h, &o, &d) < 0) {
        print_diag(&d, true);
        fputs("Router could not be initialized!\n", stderr);
    } else {
        print_diag(&d, !o.no_warnings);
        status = run(&h, &o, &d);
    }
    host_fini(&h);
    diag_fini(&d);
    return status;
}
