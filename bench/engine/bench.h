// SPDX-License-Identifier: BSD-3-Clause
/*
 * bench.h -- rows of the engine benchmark and their two sides
 *
 * A row is a configuration and the hand-written loop that does the same. In a row's
 * configuration
 *
 *     %SOURCE   packets in bursts of 32, or of 1: an InfiniteSource, or FromNetfront(0)
 *     %WAITING  the same, until somebody writes true to src.active
 *     %SINK     Discard, or what hands packets to the collector of --check
 *     %RULES    the row's rules for IPFilter, the last of which matches
 *     %ROUTES   the row's routes: 0.0.0.0/0 to output 0, others to 0 to 3
 *     %TRACE    name of a pcap file
 *     %V6SOURCE, %V6ROUTES  the same with IPv6
 *     %LONG     packets of 512 bytes with the FCS, in bursts of 32
 *     %STRINGS  the row's strings, which are not in them
 *     %TUNNEL   gateway, output and security association of a route
 *
 * Packets come from one of three feeds, on both sides alike:
 *
 *     FEED_CLONES   references to one packet: who writes copies first
 *     FEED_PRIVATE  packets of their own, filled at the source as a network card would
 *     FEED_FLOWS    the same, each a copy of one of row.size packets, in random order
 *
 * With NO_INTERFACES, which is how a VM is compared with the driver, elements behind an
 * InfiniteSource make packets of their own, and row.size flows from so many addresses.
 */

#ifndef BENCH_ENGINE_BENCH_H
#define BENCH_ENGINE_BENCH_H

#include "bench/limits/limits.h"
#include "engine/router.h"

enum { FEEDS_BOTH = 1, NEEDS_TRACE = 2, NO_INTERFACES = 4, ONE_BY_ONE = 8 };

struct row {
    const char *name;
    const char *config;
    void (*limit)(struct limit *l, uint64_t n);
    uint32_t packets;        /* millions */
    double click, fastclick; /* Mp/s, on a machine like the author's; 0: not known */
    uint32_t size;           /* rules, routes, flows, or bytes of a traced packet */
    uint8_t feed;            /* enum limit_feed */
    uint8_t flags;           /* FEEDS_BOTH: FEED_PRIVATE too; ONE_BY_ONE: BURST 1 */
};

extern const struct row bench_rows[];
extern const unsigned bench_n_rows;

/* What --check compares: how many packets came out, and a hash of their bytes. */
struct collector {
    uint64_t packets, hash;
};
void collector_add(void *ctx, const uint8_t *data, uint32_t len);

/* The configuration of a row for so many packets, 0: no end; a heap string. `sink` is the last
 * element. */
char *bench_config(const struct row *row, uint64_t packets, const char *sink);

/* Seconds of processor time that a side takes for so many packets, at the pace of the best
 * tenth of some hundred stretches. With `c` the packets that come out are handed to it. */
double bench_engine(const struct row *row, uint64_t packets, struct collector *c);
double bench_limit(const struct row *row, uint64_t packets, struct collector *c);

/* Packets a second of processor time in a VM, and the same here, for a row with NO_INTERFACES.
 * With `in_turns` they take turns with another process (see turns.h) once they are warm. */
double bench_vm(const struct row *row, bool in_turns);
double bench_driver(const struct row *row, bool in_turns);

/* What it takes to make a router of a row's configuration. */
struct bench_install {
    double seconds; /* of processor time */
    size_t bytes;   /* of the heap that it keeps */
};
struct bench_install bench_install(const struct row *row);

/* Name of a row's trace, which is made if it is not there: row.packets of `size` bytes, or
 * with FEED_FLOWS of `size` flows. */
const char *bench_trace(const struct row *row);
void bench_trace_remove(const struct row *row);

#endif
