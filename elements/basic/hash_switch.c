// SPDX-License-Identifier: BSD-3-Clause
/*
 * HashSwitch -- choose the output by some bytes of the packet
 *
 * Usage:    HashSwitch(OFFSET, LENGTH)
 * Ports:    1 in, 1 or more out; push
 * Args:     OFFSET  first byte that counts
 *           LENGTH  number of bytes that count, at least 1
 * Counters: none
 * Handlers: none
 * Example:  ... -> hs :: HashSwitch(26, 8) -> a;  hs[1] -> b;  // IP addresses
 * See also: RoundRobinSwitch, RandomSwitch, Switch
 *
 * Packets with equal bytes leave by the same output. Those that are too short to have all
 * of them leave by output 0.
 */

#include "engine/element.h"

struct hash_switch {
    uint32_t offset, length;
};

static const struct arg_spec hash_switch_args[] = {
    ARG_U32(hash_switch, offset, "OFFSET", ARG_M, NULL, "first byte that counts"),
    ARG_U32(hash_switch, length, "LENGTH", ARG_M, NULL, "number of bytes that count"),
    ARG_END,
};

static int hash_switch_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct hash_switch *s = element_state(e);

    return s->length ? 0 : diag_err(d, "length must be > 0");
}

static inline verdict_t hash_switch_one(struct element *e, struct pkt *p)
{
    const struct hash_switch *s = element_state(e);
    uint32_t sum = 0, n = e->n_out;

    if ((uint64_t)s->offset + s->length > p->len)
        return 0;
    for (uint32_t i = 0; i < s->length; i++)
        sum += p->data[s->offset + i];
    /* Click's function, so that flows keep their outputs. */
    if (n == 2 || n == 4 || n == 8)
        return (verdict_t)((sum ^ sum >> 4) & (n - 1));
    return (verdict_t)(sum % n);
}

ELEMENT_LOOP(hash_switch)

ELEMENT(HashSwitch) = {
    .name = "HashSwitch",
    .state_size = sizeof(struct hash_switch),
    .ports = "1/1-",
    .processing = "h/h",
    .args = hash_switch_args,
    .configure = hash_switch_configure,
    .push = hash_switch_push,
    .pull = hash_switch_pull,
};
