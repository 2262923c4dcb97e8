// SPDX-License-Identifier: BSD-3-Clause
/* class_ports.h -- what a class says of its ports, for fuzzers that make configurations */

#ifndef FUZZ_CLASS_PORTS_H
#define FUZZ_CLASS_PORTS_H

#include <stdbool.h>
#include <stdlib.h>

/* The least number of ports that a class wants on one side: "1/1-2". */
static inline unsigned least_ports(const char *s)
{
    return *s >= '0' && *s <= '9' ? (unsigned)atoi(s) : *s == '-' ? 1 : 0;
}

/* Whether there may be more than that. */
static inline bool more_ports(const char *s)
{
    for (; *s && *s != '/'; s++)
        if (*s == '-')
            return true;
    return *s == '=';
}

/* The processing code of a port: 'h' push, 'l' pull, 'a' agnostic. */
static inline char port_letter(const char *s, unsigned port)
{
    while (port-- && s[1] && s[1] != '/')
        s++;
    return *s;
}

#endif
