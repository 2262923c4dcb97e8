// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckPacket -- say when packets are not as expected
 *
 * Usage:    CheckPacket(DATA, DATA_OFFSET 0, LENGTH, LENGTH_GE, LENGTH_LE, ALIGNMENT)
 * Ports:    1 in, 1 out; push or pull
 * Args:     DATA         what the packet must hold, to its end
 *           DATA_OFFSET  ... from which byte on
 *           LENGTH       bytes it must have; also called LENGTH_EQ
 *           LENGTH_GE    bytes it must have at least
 *           LENGTH_LE    bytes it must have at most
 *           ALIGNMENT    "MODULUS OFFSET": where its first byte must lie in memory
 * Counters: none
 * Handlers: none
 * Example:  ... -> CheckPacket(LENGTH 60, DATA abc, DATA_OFFSET 57) -> ...
 * See also: ComparePackets, CheckLength, Align
 *
 * What is not given is not checked. A packet that differs is told of in a line for each
 * difference; all packets go on.
 */

#include "engine/args.h"
#include "engine/element.h"

struct check_packet {
    struct text data, alignment;
    uint32_t data_offset;
    int32_t length, length_eq, length_ge, length_le; /* -1: not given */
    int32_t modulus, offset;
};

static const struct arg_spec check_packet_args[] = {
    ARG_STRING(check_packet, data, "DATA", ARG_KEY, NULL, "contents"),
    ARG_U32(check_packet, data_offset, "DATA_OFFSET", ARG_KEY, "0",
            "where DATA begins"),
    ARG_I32(check_packet, length, "LENGTH", ARG_KEY, "-1", "bytes"),
    ARG_I32(check_packet, length_eq, "LENGTH_EQ", ARG_OLD, "-1", "bytes"),
    ARG_I32(check_packet, length_ge, "LENGTH_GE", ARG_KEY, "-1", "least bytes"),
    ARG_I32(check_packet, length_le, "LENGTH_LE", ARG_KEY, "-1", "most bytes"),
    ARG_RAW(check_packet, alignment, "ALIGNMENT", ARG_KEY, NULL,
            "modulus and offset of the first byte"),
    ARG_END,
};

static const struct arg_spec check_packet_alignment[] = {
    ARG_I32(check_packet, modulus, "MODULUS", ARG_M, NULL, "a power of two"),
    ARG_I32(check_packet, offset, "OFFSET", ARG_M, NULL, "below MODULUS"),
    ARG_END,
};

static int check_packet_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct check_packet *s = element_state(e);

    if (s->length_eq < 0)
        s->length_eq = s->length;
    if ((s->length_eq >= 0) + (s->length_ge >= 0) + (s->length_le >= 0) > 1)
        return diag_err(d, "specify at most one of LENGTH_EQ, LENGTH_GE, and "
                           "LENGTH_LE");
    s->modulus = 0;
    if (!s->alignment.len)
        return 0;
    if (args_words(e, s->alignment.s, check_packet_alignment, s, d) < 0)
        return -1;
    if (s->modulus <= 1 || s->offset < 0 || s->offset >= s->modulus)
        return diag_err(d, "bad alignment modulus and/or offset");
    return 0;
}

static void check_packet_length(struct element *e, const struct pkt *p)
{
    const struct check_packet *s = element_state(e);
    const char *name = element_declaration(e);

    if (s->length_eq >= 0 && p->len != (uint32_t)s->length_eq)
        element_say(e, "%s: bad length %u (wanted %d)\n", name, p->len, s->length_eq);
    if (s->length_ge >= 0 && p->len < (uint32_t)s->length_ge)
        element_say(e, "%s: bad length %u (wanted > %d)\n", name, p->len,
                    s->length_ge - 1);
    if (s->length_le >= 0 && p->len > (uint32_t)s->length_le)
        element_say(e, "%s: bad length %u (wanted < %lld)\n", name, p->len,
                    s->length_le + 1ll);
}

static void check_packet_data(struct element *e, const struct pkt *p)
{
    const struct check_packet *s = element_state(e);
    const char *name = element_declaration(e);
    uint64_t want = (uint64_t)s->data_offset + s->data.len;

    if (p->len < want)
        element_say(e, "%s: data too short (%u bytes, wanted %llu)\n", name, p->len,
                    (unsigned long long)want);
    else if (p->len > want)
        element_say(e, "%s: data too long (%u bytes, wanted %llu)\n", name, p->len,
                    (unsigned long long)want);
    else if (memcmp(p->data + s->data_offset, s->data.s, s->data.len) != 0)
        element_say(e, "%s: bad data (does not match)\n", name);
}

static inline verdict_t check_packet_one(struct element *e, struct pkt *p)
{
    const struct check_packet *s = element_state(e);

    check_packet_length(e, p);
    if (s->data.s)
        check_packet_data(e, p);
    if (s->modulus) {
        int at = (int)((uintptr_t)p->data & (uintptr_t)(s->modulus - 1));

        if (at != s->offset)
            element_say(e, "%s: bad alignment (%d/%d, expected %d/%d)\n",
                        element_declaration(e), s->modulus, at, s->modulus, s->offset);
    }
    return 0;
}
ELEMENT_LOOP(check_packet)

ELEMENT(CheckPacket) = {
    .name = "CheckPacket",
    .state_size = sizeof(struct check_packet),
    .ports = "1/1",
    .args = check_packet_args,
    .configure = check_packet_configure,
    .talks = true,
    .push = check_packet_push,
    .pull = check_packet_pull,
};
