// SPDX-License-Identifier: BSD-3-Clause
/* options.h -- the command line of `click`, which is Click's own */

#ifndef DRIVER_OPTIONS_H
#define DRIVER_OPTIONS_H

#include "base/diag.h"
#include "engine/lang/lang.h"

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_MAX = 256 }; /* handlers, definitions: more are an error */

struct options {
    const char *file;       /* -f or the first argument; "-": standard input */
    const char *expression; /* -e */
    const char *handlers[OPTIONS_MAX]; /* -h */
    size_t n_handlers;
    const char *exit_handler; /* -x: its value is the exit status */
    const char *output;       /* -o: flat configuration; NULL: none, "-": stdout */
    const char *click_path;   /* -C or CLICKPATH */
    struct lang_define defines[OPTIONS_MAX]; /* VAR=VALUE */
    size_t n_defines;
    struct {
        const char *type, *value; /* "TCP", "7777": as ControlSocket takes them */
    } sockets[OPTIONS_MAX];       /* -p, then -u, then --socket */
    size_t n_sockets;
    char ports[OPTIONS_MAX][8]; /* numbers among their values */
    double sim_start;           /* --simtime=T: seconds since 1970 */
    bool quit;                  /* -q: initialise, print handlers, leave */
    bool print_time;            /* -t */
    bool simtime;               /* --simtime */
    bool no_warnings;           /* -w */
    bool allow_reconfigure;     /* -R */
    bool help, version;
};

/* Returns -1 with a message for a person in `d`. Strings are borrowed from argv, which
 * is changed where a definition is split. */
int options_parse(struct options *o, int argc, char **argv, struct diag *d);

extern const char options_usage[];

#endif
