// SPDX-License-Identifier: BSD-3-Clause
/* version.h -- what `clickos version` and GET /v1/version say */

#ifndef CTL_VERSION_H
#define CTL_VERSION_H

#define CLICKOS_VERSION "0.1.0"
#define CLICKOS_API     1

#define CLICKOS_SOCKET_PATH "/run/clickos/clickosd.sock"
#define CLICKOS_STATE_DIR   "/var/lib/clickos"

#endif
