// SPDX-License-Identifier: BSD-3-Clause
/* clickos_main.c -- the command line's main(): see docs/man/clickos.1 */

#include "ctl/cli.h"
#include "ctl/version.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct cli c = {.out = stdout, .err = stderr};
    const char *socket_path = getenv("CLICKOS_SOCKET");
    int status;

    signal(SIGPIPE, SIG_IGN);
    c.socket_path = socket_path && *socket_path ? socket_path : CLICKOS_SOCKET_PATH;
    status = cli_main(&c, argc - 1, argv + 1);
    if (fflush(stdout) != 0 && errno != EPIPE && status == EXIT_OK)
        status = cli_fail(&c, EXIT_FAILED, "cannot write to standard output: %s",
                          strerror(errno));
    return status;
}
