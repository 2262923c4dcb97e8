// SPDX-License-Identifier: BSD-3-Clause
/*
 * l4_check.h -- what CheckTCPHeader, CheckUDPHeader and CheckICMPHeader have in common
 *
 * Their state is a struct l4_check_element; each brings a function that finds the reason
 * why a packet is bad, if any.
 */

#ifndef ENGINE_L4_CHECK_H
#define ENGINE_L4_CHECK_H

#include "engine/checksum.h"
#include "engine/element.h"

enum l4_check_reason {
    L4_NOT,    /* another protocol */
    L4_LENGTH, /* bad packet length */
    L4_SUM,    /* bad checksum */
    L4_REASONS,
    L4_OK = -1,
};

struct l4_check_element {
    bool verbose, details, checksum;
    uint64_t reasons[L4_REASONS];
};

#define L4_CHECK_ARGS                                                                  \
    ARG_BOOL(l4_check_element, verbose, "VERBOSE", 0, "false",                         \
             "complain about every bad packet"),                                       \
        ARG_BOOL(l4_check_element, details, "DETAILS", 0, "false",                     \
                 "count drops by reason"),                                             \
        ARG_BOOL(l4_check_element, checksum, "CHECKSUM", 0, "true",                    \
                 "look at the checksum"),                                              \
        ARG_END

enum { L4_CHECK_DROPS }; /* their counter */
extern const struct counter_spec l4_check_counters[];
/* The handler drop_details, with DETAILS. */
const struct handler_spec *l4_check_more(struct element *e, const char *name, size_t i);
void l4_check_take_state(struct element *e, struct element *old);

/* Count and, the first time, tell about a bad packet of `protocol` ("TCP"). */
verdict_t l4_check_bad(struct element *e, const char *protocol, int reason);

#endif
