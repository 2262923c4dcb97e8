// SPDX-License-Identifier: BSD-3-Clause
/* options.c -- the command line of `click`: see options.h */

#include "driver/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char options_usage[] =
    "Usage: click [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Runs a Click router configuration until it stops or is interrupted.\n"
    "\n"
    "  -f, --file FILE            read the configuration from FILE ('-': standard "
    "input)\n"
    "  -e, --expression EXPR      use EXPR as the configuration\n"
    "  -h, --handler EL.HANDLER   print this read handler's value at the end; '*' for "
    "an\n"
    "                             element prints that handler of every element\n"
    "  -x, --exit-handler HANDLER use this handler's value as the exit status\n"
    "  -o, --output FILE          write the flat configuration to FILE\n"
    "  -q, --quit                 initialise, print handlers and leave without "
    "running\n"
    "  -t, --time                 print how long it ran\n"
    "  -w, --no-warnings          do not print warnings\n"
    "  -C, --clickpath PATH       look for libraries there (default: $CLICKPATH or "
    "'.')\n"
    "  -R, --allow-reconfigure    let the 'hotconfig' handler replace the "
    "configuration\n"
    "      --simtime              run in simulated time, as fast as possible\n"
    "  -j, --threads N            accepted for old scripts; one thread runs "
    "everything\n"
    "  -v, --version              print the version\n"
    "      --help                 print this\n"
    "\n"
    "Devices: FromDevice(eth0) uses an interface that exists, FromDevice(tap:NAME) "
    "makes a\n"
    "TAP interface.\n"
    "Example: click -e 'InfiniteSource(LIMIT 5, STOP true) -> c :: Counter -> Discard' "
    "-h c.count\n";

enum { OPT_HELP = 1000, OPT_SIMTIME, OPT_NO_SIMTIME, OPT_AFFINITY };

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
    {"affinity", optional_argument, NULL, OPT_AFFINITY},
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

static int add_definition(struct options *o, char *arg, struct diag *d)
{
    char *equals = strchr(arg, '=');

    if (o->n_defines == OPTIONS_MAX)
        return diag_err(d, "more than %d definitions", OPTIONS_MAX);
    *equals = '\0';
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
        return diag_err(d, "%s given twice", option);
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
    case OPT_SIMTIME:
        o->simtime = true;
        break;
    case OPT_HELP:
        o->help = true;
        break;
    }
    return 0; /* 'j' and --affinity change nothing */
}

static int set_option(struct options *o, int c, const char *arg, const char *word,
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
        return set_once(&o->output, arg, "--output", d);
    case 'C':
        o->click_path = arg;
        return 0;
    case '?':
        return diag_err(d, "unrecognized option '%s'", word);
    case ':':
        return diag_err(d, "option '%s' requires an argument", word);
    }
    return set_flag(o, c);
}

int options_parse(struct options *o, int argc, char **argv, struct diag *d)
{
    int c;

    *o = (struct options){.click_path = getenv("CLICKPATH")};
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":f:e:h:x:o:qtwC:Rj:v", long_options, NULL)) !=
           -1)
        if (set_option(o, c, optarg, argv[optind > 0 ? optind - 1 : 0], d) < 0)
            return -1;
    for (; optind < argc; optind++) {
        char *arg = argv[optind];

        if (is_definition(arg) ? add_definition(o, arg, d) < 0
                               : set_source(o, &o->file, arg, d) < 0)
            return -1;
    }
    return 0;
}
