// SPDX-License-Identifier: BSD-3-Clause
/* options.c -- the command line of `click`: see options.h */

#include "driver/options.h"

#include "base/sbuf.h"
#include "engine/parse.h"

#include <ctype.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_usage[] =
    "'Click' runs a Click router configuration at user level. It reports errors in "
    "the\n"
    "configuration on the standard error, and then runs until it stops or is\n"
    "interrupted.\n"
    "\n"
    "Usage: click [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "  -f, --file FILE               Read the configuration from FILE ('-': stdin).\n"
    "  -e, --expression EXPR         Use EXPR as the configuration.\n"
    "  -j, --threads N               Accepted; one thread runs everything.\n"
    "  -a, --affinity[=N]            Accepted, likewise.\n"
    "  -p, --port PORT               Listen for control connections on a TCP port; "
    "with\n"
    "                                '+' behind it, on the first free one from there.\n"
    "  -u, --unix-socket FILE        Listen for control connections on a Unix socket.\n"
    "      --socket FD               Use an open descriptor as a control connection.\n"
    "  -R, --allow-reconfigure       Provide a 'hotconfig' handler; HUP reads FILE "
    "again.\n"
    "  -h, --handler ELEMENT.H       At the end (and when USR1 comes) print the value "
    "of\n"
    "                                read handler H; ELEMENT may be a pattern or a "
    "class.\n"
    "  -x, --exit-handler ELEMENT.H  Use the value of handler H as the exit status.\n"
    "  -o, --output FILE             Write the flat configuration to FILE.\n"
    "  -q, --quit                    Initialise, print handlers, leave without "
    "running.\n"
    "  -t, --time                    Print how long it ran.\n"
    "  -w, --no-warnings             Do not warn about an empty configuration.\n"
    "      --simtime[=T]             Run in simulated time, as fast as possible.\n"
    "  -C, --clickpath PATH          Look for libraries there (default: $CLICKPATH, "
    "'.').\n"
    "      --help                    Print this message and exit.\n"
    "  -v, --version                 Print the version and exit.\n"
    "\n"
    "Devices: FromDevice(eth0) uses an interface that exists, FromDevice(tap:NAME) "
    "makes\n"
    "a TAP interface.\n"
    "Example: click -e 'InfiniteSource(LIMIT 5, STOP true) -> c :: Counter -> Discard' "
    "-h c.count";

enum {
    OPT_HELP = 1000,
    OPT_SIMTIME,
    OPT_IGNORED,
    OPT_SOCKET,
    OPT_WARNINGS,
    OPT_NO_RECONFIGURE,
};

static const struct option long_options[] = {
    {"file", required_argument, NULL, 'f'},
    {"expression", required_argument, NULL, 'e'},
    {"handler", required_argument, NULL, 'h'},
    {"exit-handler", required_argument, NULL, 'x'},
    {"output", required_argument, NULL, 'o'},
    {"quit", no_argument, NULL, 'q'},
    {"time", no_argument, NULL, 't'},
    {"no-warnings", no_argument, NULL, 'w'},
    {"clickpath", required_argument, NULL, 'C'},
    {"allow-reconfigure", no_argument, NULL, 'R'},
    {"threads", required_argument, NULL, 'j'},
    {"affinity", optional_argument, NULL, 'a'},
    {"no-affinity", no_argument, NULL, OPT_IGNORED},
    {"cpu", optional_argument, NULL, 'a'},
    {"port", required_argument, NULL, 'p'},
    {"unix-socket", required_argument, NULL, 'u'},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"warnings", no_argument, NULL, OPT_WARNINGS},
    {"no-allow-reconfigure", no_argument, NULL, OPT_NO_RECONFIGURE},
    {"simtime", optional_argument, NULL, OPT_SIMTIME},
    {"simulation-time", optional_argument, NULL, OPT_SIMTIME},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* "NAME=VALUE" with a name as variables have it. */
static bool is_definition(const char *arg)
{
    size_t n = 0;

    while (isalnum((unsigned char)arg[n]) || arg[n] == '_')
        n++;
    return n > 0 && arg[n] == '=';
}

/* Click says that a second value is wrong, and goes on with the first. */
static int add_definition(struct options *o, char *arg, struct diag *d)
{
    char *equals = strchr(arg, '=');

    if (o->n_defines == OPTIONS_MAX)
        return diag_err(d, "more than %d definitions", OPTIONS_MAX);
    *equals = '\0';
    for (size_t i = 0; i < o->n_defines; i++)
        if (strcmp(o->defines[i].name, arg) == 0)
            return diag_err(d, "parameter '%s' multiply defined", arg), 0;
    o->defines[o->n_defines++] = (struct lang_define){arg, equals + 1};
    return 0;
}

static int set_source(struct options *o, const char **where, const char *what,
                      struct diag *d)
{
    if (o->file || o->expression)
        return diag_err(d, "router configuration specified twice");
    *where = what;
    return 0;
}

static int set_once(const char **where, const char *what, const char *option,
                    struct diag *d)
{
    if (*where)
        return diag_err(d, "%s specified twice", option);
    *where = what;
    return 0;
}

static int set_flag(struct options *o, int c)
{
    switch (c) {
    case 'q':
        o->quit = true;
        break;
    case 't':
        o->print_time = true;
        break;
    case 'w':
        o->no_warnings = true;
        break;
    case 'R':
        o->allow_reconfigure = true;
        break;
    case 'v':
        o->version = true;
        break;
    case OPT_WARNINGS:
        o->no_warnings = false;
        break;
    case OPT_NO_RECONFIGURE:
        o->allow_reconfigure = false;
        break;
    case OPT_HELP:
        o->help = true;
        break;
    }
    return 0; /* 'j' and 'a' change nothing */
}

static int socket_rank(const char *type)
{
    return *type == 'T' ? 0 : *type == 'U' ? 1 : 2;
}

/* As in Click, those on TCP come first, and those on a descriptor last. */
static int add_socket(struct options *o, const char *type, const char *value,
                      struct diag *d)
{
    size_t at = o->n_sockets;

    if (o->n_sockets == OPTIONS_MAX)
        return diag_err(d, "more than %d control sockets", OPTIONS_MAX);
    while (at > 0 && socket_rank(o->sockets[at - 1].type) > socket_rank(type))
        at--;
    memmove(&o->sockets[at + 1], &o->sockets[at],
            (o->n_sockets - at) * sizeof o->sockets[0]);
    o->sockets[at].type = type;
    o->sockets[at].value = value;
    o->n_sockets++;
    return 0;
}

static int add_port_number(struct options *o, uint16_t port, struct diag *d)
{
    char *text = o->ports[o->n_sockets % OPTIONS_MAX];

    snprintf(text, sizeof o->ports[0], "%u", port);
    return add_socket(o, "TCP", text, d);
}

/* A port number or service name, or a number with '+'. */
static int add_port(struct options *o, const char *value, const char *option,
                    struct diag *d)
{
    size_t digits = strspn(value, "0123456789");
    uint16_t port;
    long n = strtol(value, NULL, 10);

    if (parse_port(NULL, value, IPPROTO_TCP, &port))
        return add_port_number(o, port, d);
    if (digits && strcmp(value + digits, "+") == 0 && n > 0 && n < 65536)
        return add_socket(o, "TCP", value, d);
    return diag_err(d, "click: '%s' expects a TCP port number, not '%s'", option,
                    value);
}

static int set_simtime(struct options *o, const char *value, struct diag *d)
{
    o->simtime = true;
    o->sim_start = 1000000000;
    if (value && (!parse_double(value, &o->sim_start) || !(o->sim_start >= 0) ||
                  o->sim_start > 9e9))
        return diag_err(d, "click: '--simtime' expects a real number, not '%s'", value);
    return 0;
}

/* The option as the user is to hear of it: "-h", "--handler". `index` is that of a long
 * one, or -1. */
static const char *option_name(int c, int index, char name[32])
{
    if (index >= 0)
        snprintf(name, 32, "--%s", long_options[index].name);
    else
        snprintf(name, 32, "-%c", c);
    return name;
}

/* Whether the long option that `word` begins to spell could be several; then which. */
static bool is_ambiguous(const char *word, struct sbuf *which)
{
    size_t len = strlen(word + 2);
    const struct option *found[8];
    unsigned n = 0;

    for (const struct option *l = long_options; l->name; l++)
        if (strncmp(l->name, word + 2, len) == 0 && n < sizeof found / sizeof found[0])
            found[n++] = l;
    for (unsigned i = 0; i < n; i++)
        sbuf_printf(which, "%s%s'--%s'", i && n > 2 ? "," : "",
                    i == 0       ? ""
                    : i == n - 1 ? " and "
                                 : " ",
                    found[i]->name);
    return n > 1;
}

static int ambiguous_option(const char *word, struct diag *d)
{
    struct sbuf which = SBUF_INIT;
    bool several = strncmp(word, "--", 2) == 0 && is_ambiguous(word, &which);

    if (several)
        diag_err(d,
                 "click: option '%s' is ambiguous\n"
                 "click: (Possibilities are %s.)",
                 word, sbuf_text(&which));
    sbuf_fini(&which);
    return several ? -1 : 0;
}

/* What getopt did not understand: '?' an option, ':' that its argument is missing. */
static int bad_option(int c, const char *word, struct diag *d)
{
    size_t len = strcspn(word, "=");
    char name[32];

    if (c == '?' && ambiguous_option(word, d) < 0)
        return -1;
    for (const struct option *l = long_options; l->name; l++) {
        bool this_one = word[0] == '-' && word[1] == '-' && word[len] &&
                        strncmp(l->name, word + 2, len - 2) == 0 && !l->has_arg;

        if (c == '?' && this_one)
            return diag_err(d, "click: '--%s' can't take an argument", l->name);
        if (c == ':' && word[1] == '-' && l->val == optopt && l->has_arg)
            return diag_err(d, "click: '--%s' requires an argument", l->name);
    }
    if (c == ':')
        return diag_err(d, "click: '%s' requires an argument",
                        option_name(optopt, -1, name));
    if (word[1] != '-' && optopt)
        word = option_name(optopt, -1, name);
    return diag_err(d, "click: unrecognized option '%.*s'", (int)strcspn(word, "="),
                    word);
}

static int check_integer(const char *option, const char *value, struct diag *d)
{
    int64_t n;

    if (value && !parse_i64(value, 0, &n))
        return diag_err(d, "click: '%s' expects an integer, not '%s'", option, value);
    return 0;
}

static int set_option(struct options *o, int c, const char *arg, const char *option,
                      struct diag *d)
{
    switch (c) {
    case 'f':
        return set_source(o, &o->file, arg, d);
    case 'e':
        return set_source(o, &o->expression, arg, d);
    case 'h':
        if (o->n_handlers == OPTIONS_MAX)
            return diag_err(d, "more than %d handlers", OPTIONS_MAX);
        o->handlers[o->n_handlers++] = arg;
        return 0;
    case 'x':
        return set_once(&o->exit_handler, arg, "--exit-handler", d);
    case 'o':
        return set_once(&o->output, arg, "output file", d);
    case 'p':
        return add_port(o, arg, option, d);
    case 'u':
        return add_socket(o, "UNIX", arg, d);
    case 'j':
        return check_integer(option, arg, d);
    case OPT_SOCKET:
        if (check_integer(option, arg, d) < 0)
            return -1;
        return add_socket(o, "SOCKET", arg, d);
    case OPT_SIMTIME:
        return set_simtime(o, arg, d);
    case 'C':
        o->click_path = arg;
        return 0;
    }
    return set_flag(o, c);
}

int options_parse(struct options *o, int argc, char **argv, struct diag *d)
{
    int c, index = -1;
    char name[32];

    *o = (struct options){.click_path = getenv("CLICKPATH")};
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":f:e:h:x:o:qtwC:Rj:a::p:u:v", long_options,
                            &index)) != -1) {
        const char *word = argv[optind > 0 ? optind - 1 : 0];

        if (c == '?' || c == ':'
                ? bad_option(c, word, d) < 0
                : set_option(o, c, optarg, option_name(c, index, name), d) < 0)
            return -1;
        index = -1;
    }
    for (; optind < argc; optind++) {
        char *arg = argv[optind];

        if (is_definition(arg) ? add_definition(o, arg, d) < 0
                               : set_source(o, &o->file, arg, d) < 0)
            return -1;
    }
    return 0;
}
