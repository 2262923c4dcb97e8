// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPsecESPUnencap -- take ESP header and trailer away
 *
 * Usage:    IPsecESPUnencap([keywords IV])
 * Ports:    1 in, 1 out; push or pull
 * Args:     IV  bytes of the initialisation vector: 0, 8 or 16
 * Counters: no_sa    packets without a security association
 *           short    packets too short for ESP
 *           replay   packets that were seen before, or are too old to tell
 *           padding  packets whose padding is not as RFC 4303 says
 * Handlers: none
 * Example:  rt[0] -> StripIPHeader -> IPsecAuthHMACSHA1(1) -> IPsecAES(0)
 *               -> IPsecESPUnencap -> CheckIPHeader -> ...
 * See also: IPsecESPEncap, IPsecAES, IPsecAESGCM, RadixIPsecLookup
 *
 * Drops what the association's window has seen, then checks the padding and removes
 * header, padding and trailer. The element believes what it gets: let an
 * IPsecAuthHMACSHA1, IPsecAuthHMACSHA256 or IPsecAESGCM stand before it. IV follows from the
 * cipher before it, and is 8 without one.
 *
 * In Click a packet with the first sequence number opens the window anew, so that whoever
 * repeats it can repeat all others too; here it is a packet like any other.
 */

#include "engine/ipsec.h"

struct ipsec_esp_unencap {
    struct ipsec_stage stage;
    struct ipsec_table *table;
    uint32_t iv;
    bool have_iv;
};

static const struct arg_spec ipsec_esp_unencap_args[] = {
    {.name = "IV",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct ipsec_esp_unencap, iv),
     .seen = 1 + offsetof(struct ipsec_esp_unencap, have_iv),
     .max = IPSEC_BLOCK,
     .help = "bytes of the initialisation vector"},
    ARG_END,
};

enum { C_NO_SA, C_SHORT, C_REPLAY, C_PADDING };
static const struct counter_spec ipsec_esp_unencap_counters[] = {
    [C_NO_SA] = {"no_sa", "packets without a security association"},
    [C_SHORT] = {"short", "packets too short for ESP"},
    [C_REPLAY] = {"replay", "packets that were seen before, or are too old to tell"},
    [C_PADDING] = {"padding", "packets whose padding is not as RFC 4303 says"},
    {NULL, NULL},
};

static int ipsec_esp_unencap_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct ipsec_esp_unencap *s = element_state(e);

    s->stage.role = IPSEC_UNENCAP;
    if (s->iv != 0 && s->iv != IPSEC_GCM_IV && s->iv != IPSEC_BLOCK)
        return diag_err(d, "IV: must be 0, 8 or 16");
    s->table = ipsec_table(e);
    return s->table ? 0 : diag_err(d, "out of memory");
}

static int ipsec_esp_unencap_initialize(struct element *e, struct diag *d)
{
    struct ipsec_esp_unencap *s = element_state(e);
    const struct ipsec_stage *cipher = ipsec_find_stage(e, false, IPSEC_CIPHER);

    if (!s->have_iv)
        s->iv = cipher ? cipher->iv : 8;
    return 0;
}

static void *ipsec_esp_unencap_cast(struct element *e, const char *kind)
{
    struct ipsec_esp_unencap *s = element_state(e);

    return kind == IPSEC_STAGE ? &s->stage : NULL;
}

/* Whether the `n` >= 2 bytes end with padding 1, 2, 3 ..., its length and a protocol. */
static inline bool padding_ok(const uint8_t *at, uint32_t n)
{
    uint32_t padding = at[n - 2];

    if (padding + 2 > n)
        return false;
    for (uint32_t i = 0; i < padding; i++)
        if (at[n - 2 - padding + i] != i + 1)
            return false;
    return true;
}

static inline verdict_t ipsec_esp_unencap_one(struct element *e, struct pkt *p)
{
    struct ipsec_esp_unencap *s = element_state(e);
    struct ipsec_sa *sa = ipsec_get_sa(s->table, p);
    uint32_t head = IPSEC_ESP_HEAD + s->iv;

    if (!sa)
        return drop(e, C_NO_SA);
    if (p->len < head + 2)
        return drop(e, C_SHORT);
    if (!ipsec_replay_ok(sa, be32(load32(p->data + 4))))
        return drop(e, C_REPLAY);
    if (!padding_ok(p->data + head, p->len - head))
        return drop(e, C_PADDING);
    pkt_pull(p, head);
    pkt_take(p, p->data[p->len - 2] + 2u);
    return 0;
}

ELEMENT_LOOP(ipsec_esp_unencap)

ELEMENT(IPsecESPUnencap) = {
    .name = "IPsecESPUnencap",
    .state_size = sizeof(struct ipsec_esp_unencap),
    .ports = "1/1",
    .args = ipsec_esp_unencap_args,
    .counters = ipsec_esp_unencap_counters,
    .configure = ipsec_esp_unencap_configure,
    .initialize = ipsec_esp_unencap_initialize,
    .cast = ipsec_esp_unencap_cast,
    .push = ipsec_esp_unencap_push,
    .pull = ipsec_esp_unencap_pull,
};
