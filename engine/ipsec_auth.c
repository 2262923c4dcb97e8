// SPDX-License-Identifier: BSD-3-Clause
/* ipsec_auth.c -- digests behind ESP packets: see ipsec_auth.h */

#include "engine/ipsec_auth.h"

const struct arg_spec ipsec_auth_args[] = {
    ARG_I32(ipsec_auth, verify, "VERIFY", ARG_M, NULL,
            "0: append a digest; 1: check it and take it away"),
    ARG_END,
};

enum { C_DROPS, C_NO_SA, C_SHORT, C_MEMORY };
const struct counter_spec ipsec_auth_counters[] = {
    [C_DROPS] = {"drops", "packets whose digest is wrong"},
    [C_NO_SA] = {"no_sa", "packets without a security association or its key"},
    [C_SHORT] = {"short", "packets too short for ESP and a digest"},
    [C_MEMORY] = {"no_memory", "packets for which memory ran out"},
    {NULL, NULL},
};

int ipsec_auth_setup(struct element *e, enum ipsec_hash hash, uint8_t digest,
                     struct diag *d)
{
    struct ipsec_auth *s = element_state(e);

    s->stage = (struct ipsec_stage){.role = IPSEC_AUTH, .digest = digest};
    s->hash = hash;
    s->table = ipsec_table(e);
    return s->table ? 0 : diag_err(d, "out of memory");
}

void *ipsec_auth_cast(struct element *e, const char *kind)
{
    struct ipsec_auth *s = element_state(e);

    return kind == IPSEC_STAGE ? &s->stage : NULL;
}

static verdict_t append_digest(struct element *e, const struct ipsec_sa *sa,
                               struct pkt *p)
{
    const struct ipsec_auth *s = element_state(e);
    uint8_t out[IPSEC_HASH_MAX], *at;

    ipsec_hmac(sa->crypto, s->hash, p->data, p->len, out);
    at = pkt_put(p, s->stage.digest);
    if (!at)
        return drop(e, C_MEMORY);
    memcpy(at, out, s->stage.digest);
    return 0;
}

static verdict_t check_digest(struct element *e, const struct ipsec_sa *sa,
                              struct pkt *p)
{
    const struct ipsec_auth *s = element_state(e);
    uint8_t out[IPSEC_HASH_MAX];
    uint32_t n = p->len - s->stage.digest;

    ipsec_hmac(sa->crypto, s->hash, p->data, n, out);
    if (!ipsec_equal(out, p->data + n, s->stage.digest)) {
        if (e->counters[C_DROPS] == 0)
            element_say(e, "Invalid %s authentication digest\n",
                        s->hash == IPSEC_SHA1 ? "SHA1" : "SHA256");
        return spill(e, 1, C_DROPS);
    }
    pkt_take(p, s->stage.digest);
    return 0;
}

verdict_t ipsec_auth_one(struct element *e, struct pkt *p)
{
    const struct ipsec_auth *s = element_state(e);
    const struct ipsec_sa *sa = ipsec_get_sa(s->table, p);

    if (!sa || !sa->keys.auth_len)
        return spill(e, 1, C_NO_SA);
    if (!s->verify)
        return append_digest(e, sa, p);
    if (p->len < (uint32_t)IPSEC_ESP_HEAD + s->stage.digest)
        return spill(e, 1, C_SHORT);
    return check_digest(e, sa, p);
}
