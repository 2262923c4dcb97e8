// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPsecAESGCM -- encrypt and authenticate ESP packets with AES-GCM, or check and decrypt
 *
 * Usage:    IPsecAESGCM(ENCRYPT)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ENCRYPT  1: encrypt and append a digest; 0: check it, take it away and decrypt
 * Counters: drops      packets whose digest is wrong
 *           no_sa      packets without a security association or its key
 *           short      packets too short for ESP and a digest
 *           no_memory  packets for which memory ran out
 * Handlers: none
 * Example:  rt[1] -> IPsecESPEncap -> IPsecAESGCM(1) -> IPsecEncap(esp) -> ...
 * See also: IPsecAES, IPsecESPEncap, IPsecESPUnencap, RadixIPsecLookup
 *
 * RFC 4106 with a digest of 16 bytes: one element does what IPsecAES and IPsecAuthHMACSHA1
 * do together, and much faster. The association's encryption key is an AES key of 16, 24 or
 * 32 bytes with 4 bytes of salt behind it; its authentication key is not used.
 *
 * Packets that fail leave by output 1, as they came, if that is connected.
 */

#include "engine/ipsec.h"

struct ipsec_aesgcm {
    struct ipsec_stage stage;
    struct ipsec_table *table;
    int32_t encrypt;
};

static const struct arg_spec ipsec_aesgcm_args[] = {
    ARG_I32(ipsec_aesgcm, encrypt, "ENCRYPT", ARG_M, NULL, "1: encrypt; 0: decrypt"),
    ARG_END,
};

enum { C_DROPS, C_NO_SA, C_SHORT, C_MEMORY };
static const struct counter_spec ipsec_aesgcm_counters[] = {
    [C_DROPS] = {"drops", "packets whose digest is wrong"},
    [C_NO_SA] = {"no_sa", "packets without a security association or its key"},
    [C_SHORT] = {"short", "packets too short for ESP and a digest"},
    [C_MEMORY] = {"no_memory", "packets for which memory ran out"},
    {NULL, NULL},
};

enum { HEAD = IPSEC_ESP_HEAD + IPSEC_GCM_IV, GCM_FILL = 4 };

static int ipsec_aesgcm_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ipsec_aesgcm *s = element_state(e);

    s->stage = (struct ipsec_stage){
        .role = IPSEC_CIPHER, .iv = IPSEC_GCM_IV, .block = GCM_FILL};
    s->table = ipsec_table(e);
    return s->table ? 0 : diag_err(d, "out of memory");
}

static void *ipsec_aesgcm_cast(struct element *e, const char *kind)
{
    struct ipsec_aesgcm *s = element_state(e);

    return kind == IPSEC_STAGE ? &s->stage : NULL;
}

static inline verdict_t gcm_seal(struct element *e, const struct ipsec_sa *sa,
                                 struct pkt *p)
{
    uint32_t n = p->len - HEAD;
    uint8_t *tag = pkt_put(p, IPSEC_GCM_TAG);

    if (!tag)
        return drop(e, C_MEMORY);
    ipsec_gcm_encrypt(sa->crypto, p->data + IPSEC_ESP_HEAD, p->data, IPSEC_ESP_HEAD,
                      p->data + HEAD, n, tag);
    return 0;
}

static inline verdict_t gcm_open(struct element *e, const struct ipsec_sa *sa,
                                 struct pkt *p)
{
    uint32_t n = p->len - HEAD - IPSEC_GCM_TAG;

    if (pkt_writable(p) < 0)
        return drop(e, C_MEMORY);
    if (!ipsec_gcm_decrypt(sa->crypto, p->data + IPSEC_ESP_HEAD, p->data,
                           IPSEC_ESP_HEAD, p->data + HEAD, n, p->data + HEAD + n))
        return spill(e, 1, C_DROPS);
    pkt_take(p, IPSEC_GCM_TAG);
    return 0;
}

static inline verdict_t ipsec_aesgcm_one(struct element *e, struct pkt *p)
{
    const struct ipsec_aesgcm *s = element_state(e);
    const struct ipsec_sa *sa = ipsec_get_sa(s->table, p);

    if (!sa || !ipsec_sa_has_salt(sa))
        return spill(e, 1, C_NO_SA);
    if (p->len < HEAD + (s->encrypt ? 0u : IPSEC_GCM_TAG))
        return spill(e, 1, C_SHORT);
    return s->encrypt ? gcm_seal(e, sa, p) : gcm_open(e, sa, p);
}

ELEMENT_LOOP(ipsec_aesgcm)

ELEMENT(IPsecAESGCM) = {
    .name = "IPsecAESGCM",
    .state_size = sizeof(struct ipsec_aesgcm),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = ipsec_aesgcm_args,
    .counters = ipsec_aesgcm_counters,
    .configure = ipsec_aesgcm_configure,
    .cast = ipsec_aesgcm_cast,
    .push = ipsec_aesgcm_push,
    .pull = ipsec_aesgcm_pull,
};
