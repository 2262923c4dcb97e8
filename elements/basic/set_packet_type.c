// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetPacketType -- set packets' link-level type
 *
 * Usage:    SetPacketType(TYPE)
 * Ports:    1 in, 1 out; push or pull
 * Args:     TYPE  HOST, BROADCAST, MULTICAST, OTHERHOST, OUTGOING or LOOPBACK
 * Counters: none
 * Handlers: none
 * Example:  FromDump(in.pcap) -> SetPacketType(HOST) -> ...
 * See also: DropBroadcasts, HostEtherFilter
 */

#include "engine/element.h"

struct set_packet_type {
    struct text name;
    uint8_t type;
};

static const struct arg_spec set_packet_type_args[] = {
    ARG_WORD(set_packet_type, name, "TYPE", ARG_M, NULL,
             "HOST, BROADCAST, MULTICAST, OTHERHOST, OUTGOING or LOOPBACK"),
    ARG_END,
};

/* Whether `text`, in any case, is `upper`. */
static bool set_packet_type_is(const char *text, const char *upper)
{
    for (; *text && *upper; text++, upper++)
        if (*text != *upper && (*text < 'a' || *text > 'z' || *text - 32 != *upper))
            return false;
    return *text == *upper;
}

static int set_packet_type_configure(struct element *e, struct conf *c, struct diag *d)
{
    static const char *const names[] = {
        [PKT_HOST] = "HOST",           [PKT_BROADCAST] = "BROADCAST",
        [PKT_MULTICAST] = "MULTICAST", [PKT_OTHERHOST] = "OTHERHOST",
        [PKT_OUTGOING] = "OUTGOING",   [PKT_LOOPBACK] = "LOOPBACK",
    };
    struct set_packet_type *s = element_state(e);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (set_packet_type_is(s->name.s, names[i])) {
            s->type = (uint8_t)i;
            return 0;
        }
    return diag_err(d, "unrecognized packet type '%s'", s->name.s);
}

static void set_packet_type_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_packet_type *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++)
        b->p[i]->type = s->type;
}

ELEMENT_BATCH(set_packet_type)

ELEMENT(SetPacketType) = {
    .name = "SetPacketType",
    .state_size = sizeof(struct set_packet_type),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = set_packet_type_args,
    .configure = set_packet_type_configure,
    .push = set_packet_type_push,
    .pull = set_packet_type_pull,
};
