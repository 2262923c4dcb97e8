// SPDX-License-Identifier: BSD-3-Clause
/* clickosd_main.c -- the daemon: command line, signals, log; see docs/man/clickosd.8 */

#include "ctl/daemon.h"
#include "ctl/limits.h"
#include "ctl/version.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Limits that are too low for so many VMs are worth a word. */
enum { MAX_POLL_US = 1000000, VMS_WANTED = 10000 };

struct settings {
    struct daemon_options options;
    bool foreground;
    int ready_fd; /* -1: none */
};

static struct settings settings = {
    .options.uid_base = DAEMON_UID_BASE, .options.pool = 2, .ready_fd = -1};
static bool log_to_syslog;

static const char help[] =
    "usage: clickosd [options]\n"
    "Keeps ClickOS virtual machines, their networks and ports; see clickos(1).\n"
    "\n"
    "  --socket PATH     listen here ($CLICKOS_SOCKET, " CLICKOS_SOCKET_PATH ")\n"
    "  --state DIR       keep state here (" CLICKOS_STATE_DIR ")\n"
    "  --group NAME      who may use the socket besides root\n"
    "  --foreground      stay, log to standard error\n"
    "  --ready-fd N      write a newline to this descriptor when ready\n"
    "  --workers N       threads of the switch (1)\n"
    "  --uid-base N      first of the users that the VMs' monitors run as, one each;\n"
    "                    0: they stay what clickosd is (1879048192)\n"
    "  --poll MIN[:MAX]  microseconds the switch looks at an idle port (5:200)\n"
    "  --guest-poll US   microseconds an idle VM looks at its rings (50)\n"
    "  --max-vms N       keep no more VMs than that (0: no limit)\n"
    "  --park-after S    put VMs aside that had no packet for S seconds (0: none)\n"
    "  --pool N          VMs kept booted for the next to be run (2)\n"
    "  --control DIR     folder for the VMs' control sockets (vm, beside the socket)\n"
    "  --monitor PATH    the clickos-vmm program (beside clickosd)\n"
    "  --image PATH      the guest image (beside clickosd)\n"
    "  --version, --help\n";

static void log_line(const char *text)
{
    fprintf(stderr, log_to_syslog ? "<5>%s\n" : "clickosd: %s\n", text);
}

/* ---- readiness ------------------------------------------------------------------- */

/* systemd's protocol, without its library: a datagram to a socket that it names. */
static void notify_systemd(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (!path || !*path || strlen(path) >= sizeof a.sun_path)
        return;
    strcpy(a.sun_path, path);
    if (*path == '@')
        a.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&a,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
        log_line("cannot tell systemd that we are ready");
    close(fd);
}

static void on_ready(struct daemon_state *s)
{
    (void)s;
    notify_systemd();
    if (settings.ready_fd >= 0) {
        if (write(settings.ready_fd, "\n", 1) < 0)
            log_line("cannot write to --ready-fd");
        close(settings.ready_fd);
        settings.ready_fd = -1;
    }
}

/* Leave the terminal: the parent ends when the child is ready, or with its failure. */
static void go_to_background(void)
{
    int pipe_fds[2];
    char byte;
    pid_t pid;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        fprintf(stderr, "clickosd: cannot fork: %s\n", strerror(errno));
        exit(1);
    }
    if (pid > 0) {
        close(pipe_fds[1]);
        _exit(read(pipe_fds[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(pipe_fds[0]);
    setsid();
    if (settings.ready_fd < 0)
        settings.ready_fd = pipe_fds[1];
}

/* ---- signals --------------------------------------------------------------------- */

static struct loop_watch signal_watch;

static void on_signal(void *ctx, uint32_t events)
{
    struct daemon_state *s = ctx;
    struct signalfd_siginfo info;

    (void)events;
    if (read(signal_watch.fd, &info, sizeof info) != sizeof info)
        return;
    daemon_log(s, "%s: VMs go on running, for the next clickosd to find",
               strsignal((int)info.ssi_signo));
    loop_stop(s->loop);
}

static int watch_signals(struct daemon_state *s)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    signal_watch = (struct loop_watch){.ready = on_signal, .ctx = s};
    return fd < 0 ? -1 : loop_add(s->loop, &signal_watch, fd, EPOLLIN);
}

/* ---- command line ---------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static _Noreturn void usage_error(const char *fmt,
                                                                        ...)
{
    va_list ap;

    fputs("clickosd: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs(": see clickosd --help\n", stderr);
    exit(2);
}

static long number(const char *text, long min, long max, const char *what)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < min || n > max)
        usage_error("%s '%s' is no number from %ld to %ld", what, text, min, max);
    return n;
}

/* MIN or MIN:MAX, microseconds. MIN alone is both, so that nothing adapts. */
static void parse_poll(struct daemon_options *o, char *text)
{
    char *colon = strchr(text, ':');
    long min, max;

    if (colon)
        *colon = '\0';
    min = number(text, 1, MAX_POLL_US, "--poll");
    max = colon ? number(colon + 1, min, MAX_POLL_US, "--poll") : min;
    o->poll_min_ns = 1000 * (uint64_t)min;
    o->poll_max_ns = 1000 * (uint64_t)max;
}

static void parse_arguments(int argc, char **argv)
{
    static const struct option longs[] = {{"socket", required_argument, NULL, 's'},
                                          {"state", required_argument, NULL, 'd'},
                                          {"group", required_argument, NULL, 'g'},
                                          {"foreground", no_argument, NULL, 'f'},
                                          {"ready-fd", required_argument, NULL, 'r'},
                                          {"workers", required_argument, NULL, 'w'},
                                          {"uid-base", required_argument, NULL, 'u'},
                                          {"poll", required_argument, NULL, 'p'},
                                          {"guest-poll", required_argument, NULL, 'P'},
                                          {"park-after", required_argument, NULL, 'a'},
                                          {"max-vms", required_argument, NULL, 'M'},
                                          {"pool", required_argument, NULL, 'n'},
                                          {"control", required_argument, NULL, 'c'},
                                          {"monitor", required_argument, NULL, 'm'},
                                          {"image", required_argument, NULL, 'i'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct daemon_options *o = &settings.options;
    int c;

    while ((c = getopt_long(argc, argv, ":fh", longs, NULL)) != -1)
        switch (c) {
        case 'M':
            o->max_vms = (size_t)number(optarg, 0, 1 << 30, "--max-vms");
            break;
        case 'a':
            o->park_after = (uint64_t)number(optarg, 0, 1 << 30, "--park-after");
            break;
        case 's':
            o->socket_path = optarg;
            break;
        case 'd':
            o->state_dir = optarg;
            break;
        case 'g':
            o->group = optarg;
            break;
        case 'f':
            settings.foreground = true;
            break;
        case 'r':
            settings.ready_fd = (int)number(optarg, 0, 1 << 20, "--ready-fd");
            break;
        case 'w':
            o->workers = (unsigned)number(optarg, 1, BACKPLANE_MAX_WORKERS,
                                          "--workers");
            break;
        case 'u':
            o->uid_base = (uint32_t)number(optarg, 0, INT32_MAX - DAEMON_UIDS + 1l,
                                           "--uid-base");
            break;
        case 'p':
            parse_poll(o, optarg);
            break;
        case 'P':
            o->guest_poll_ns = 1000 *
                               (uint64_t)number(optarg, 1, MAX_POLL_US, "--guest-poll");
            break;
        case 'n':
            o->pool = (unsigned)number(optarg, 0, VMM_POOL_MAX, "--pool");
            break;
        case 'c':
            o->control_dir = optarg;
            break;
        case 'm':
            o->monitor = optarg;
            break;
        case 'i':
            o->image = optarg;
            break;
        case 'V':
            printf("clickosd %s\n", CLICKOS_VERSION);
            exit(0);
        case 'h':
            fputs(help, stdout);
            exit(0);
        case ':':
            usage_error("%s needs a value", argv[optind - 1]);
        default:
            usage_error("unknown option %s", argv[optind - 1]);
        }
    if (optind < argc)
        usage_error("unexpected argument '%s'", argv[optind]);
}

/* The default socket's folder is ours to make; any other is its owner's. */
static void default_paths(struct daemon_options *o)
{
    static char control_dir[PATH_MAX];
    const char *slash, *set = getenv("CLICKOS_SOCKET");

    if (!o->socket_path && set && *set)
        o->socket_path = set;
    if (!o->socket_path) {
        o->socket_path = CLICKOS_SOCKET_PATH;
        mkdir("/run/clickos", 0755);
    }
    if (!o->state_dir)
        o->state_dir = CLICKOS_STATE_DIR;
    slash = strrchr(o->socket_path, '/');
    snprintf(control_dir, sizeof control_dir, "%.*svm",
             slash ? (int)(slash + 1 - o->socket_path) : 0, o->socket_path);
    if (!o->control_dir)
        o->control_dir = control_dir;
}

static void print_diag(const struct diag *d)
{
    for (size_t i = 0; i < d->n_messages; i++)
        log_line(d->messages[i].text ? d->messages[i].text : "out of memory");
}

int main(int argc, char **argv)
{
    static struct daemon_state state;
    struct diag d = DIAG_INIT, limits = DIAG_INIT;
    int rc = 1;

    parse_arguments(argc, argv);
    default_paths(&settings.options);
    settings.options.ready = on_ready;
    settings.options.log = log_line;
    log_to_syslog = getenv("JOURNAL_STREAM") != NULL;
    if (!settings.foreground)
        go_to_background();
    if (settings.ready_fd >= 0)
        fcntl(settings.ready_fd, F_SETFD, FD_CLOEXEC);
    limits_raise(LIMITS_FILES_A_VM, VMS_WANTED, &limits);
    if (daemon_open(&state, &settings.options, &d) < 0 || watch_signals(&state) < 0) {
        print_diag(&d);
    } else {
        print_diag(&limits);
        print_diag(&d);
        daemon_run(&state);
        rc = 0;
    }
    daemon_close(&state);
    diag_fini(&d);
    diag_fini(&limits);
    return rc;
}
