// SPDX-License-Identifier: BSD-3-Clause
/* cli_capture.c -- clickos capture: a port's packets as a pcap file */

#include "ctl/cli.h"

#include "base/errtext.h"
#include "ctl/names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct cli_option capture_options[] = {
    {"count", 'n', "N", "stop after N packets"},
    {"seconds", 's', "S", "stop after S seconds"},
    {"snaplen", 0, "BYTES", "bytes kept of a packet"},
    {.name = NULL},
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

struct capture {
    char folder[32], fifo[48];
    int in; /* the FIFO's end that we read */
    FILE *out;
    json_t *state; /* the daemon's answer */
};

/* A FIFO in a folder of our own; opened for reading without waiting for the daemon. */
static int make_fifo(struct cli *c, struct capture *k)
{
    strcpy(k->folder, "/tmp/clickos-XXXXXX");
    if (!mkdtemp(k->folder)) {
        k->folder[0] = '\0';
        return cli_fail(c, EXIT_FAILED, "cannot make a folder in /tmp: %s",
                        errtext(errno));
    }
    snprintf(k->fifo, sizeof k->fifo, "%s/fifo", k->folder);
    if (mkfifo(k->fifo, 0600) < 0 ||
        (k->in = open(k->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
        return cli_fail(c, EXIT_FAILED, "cannot make a FIFO in /tmp: %s",
                        errtext(errno));
    return 0;
}

static int start(struct cli *c, const struct cli_args *a, struct capture *k)
{
    json_t *o = json_pack("{s:s, s:s}", "port", a->words[0], "fifo", k->fifo);

    if (!o)
        return cli_fail(c, EXIT_USAGE, "the port's name is not valid UTF-8");
    if (cli_value(a, "count"))
        json_object_set_new(o, "count", json_string(cli_value(a, "count")));
    if (cli_value(a, "snaplen"))
        json_object_set_new(o, "snaplen", json_string(cli_value(a, "snaplen")));
    return api(c, "POST", o, &k->state, "/v1/captures");
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until the daemon closes its end, the time is up, or somebody interrupts. */
static int copy(struct cli *c, struct capture *k, double seconds)
{
    double until = seconds > 0 ? now_s() + seconds : 0;
    char chunk[65536];

    while (!interrupted) {
        struct pollfd p = {.fd = k->in, .events = POLLIN};
        int ms = until > 0 ? (int)((until - now_s()) * 1000) : 1000;
        ssize_t n;

        if (until > 0 && ms <= 0)
            break;
        if (poll(&p, 1, ms) <= 0)
            continue;
        n = read(k->in, chunk, sizeof chunk);
        if (n == 0)
            break;
        if (n > 0 &&
            (fwrite(chunk, 1, (size_t)n, k->out) != (size_t)n || fflush(k->out) != 0))
            return cli_fail(c, EXIT_FAILED, "cannot write: %s", errtext(errno));
    }
    return 0;
}

/* What was under way when the capture was stopped still comes. */
static int copy_rest(struct cli *c, struct capture *k)
{
    char chunk[65536];
    ssize_t n;

    while ((n = read(k->in, chunk, sizeof chunk)) > 0)
        if (fwrite(chunk, 1, (size_t)n, k->out) != (size_t)n)
            return cli_fail(c, EXIT_FAILED, "cannot write: %s", errtext(errno));
    return fflush(k->out) == 0
               ? 0
               : cli_fail(c, EXIT_FAILED, "cannot write: %s", errtext(errno));
}

/* `copied`: the status so far; after an error there is nothing to be said but that. */
static int stop(struct cli *c, struct capture *k, const char *file, int copied)
{
    json_t *o = NULL;
    int status = api(c, "DELETE", NULL, &o, "/v1/captures/%s",
                     json_str(k->state, "id"));

    if (!status && !copied)
        copied = copy_rest(c, k);
    if (status || copied) {
        json_decref(o);
        return copied ? copied : status;
    }
    if (c->json && k->out != c->out)
        return cli_print_json(c, o);
    fprintf(c->err,
            "%s: %" JSON_INTEGER_FORMAT " packets, %" JSON_INTEGER_FORMAT " missed\n",
            file, json_num(o, "packets"), json_num(o, "missed"));
    json_decref(o);
    return EXIT_OK;
}

/* `empty`: a file that nothing came into goes again. */
static void clean_up(struct cli *c, struct capture *k, const char *empty)
{
    struct stat st;

    if (k->in >= 0)
        close(k->in);
    if (k->folder[0]) {
        unlink(k->fifo);
        rmdir(k->folder);
    }
    if (empty && k->out != c->out && fstat(fileno(k->out), &st) == 0 &&
        S_ISREG(st.st_mode) && st.st_size == 0)
        unlink(empty);
    if (k->out && k->out != c->out)
        fclose(k->out);
    json_decref(k->state);
}

static int capture(struct cli *c, const struct cli_args *a)
{
    const char *file = a->words[1], *limit = cli_value(a, "seconds");
    const char *count = cli_value(a, "count");
    struct sigaction action = {.sa_handler = on_interrupt};
    struct capture k = {.in = -1};
    uint64_t ms = 0;
    int status, copied;

    if (limit && !seconds_parse(limit, &ms))
        return cli_fail(c, EXIT_USAGE, "'%s' is no time in seconds", limit);
    if (count && strtol(count, NULL, 10) <= 0)
        return cli_fail(c, EXIT_USAGE, "'%s' is no number of packets", count);
    k.out = strcmp(file, "-") ? fopen(file, "we") : c->out;
    if (!k.out)
        return cli_fail(c, EXIT_FAILED, "cannot write %s: %s", file, errtext(errno));
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL); /* so that the FIFO goes, too */
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    status = make_fifo(c, &k);
    if (status == 0)
        status = start(c, a, &k);
    if (status == 0) {
        copied = copy(c, &k, (double)ms / 1000);
        status = stop(c, &k, file, copied);
    }
    clean_up(c, &k, status ? file : NULL);
    return status;
}

COMMAND(capture) = {
    .name = "capture",
    .usage = "PORT FILE [-n N] [-s SECONDS]",
    .summary = "write a port's packets to a pcap file",
    .more = "The file '-' is standard output. Ctrl-C ends the capture.",
    .example = "  clickos capture fw.0 - | tcpdump -nr -",
    .options = capture_options,
    .min_words = 2,
    .max_words = 2,
    .run = capture,
};
