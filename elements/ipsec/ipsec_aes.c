// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPsecAES -- encrypt or decrypt ESP packets with AES-CBC
 *
 * Usage:    IPsecAES(ENCRYPT [, keywords IGNORE])
 * Ports:    1 in, 1 out; push or pull
 * Args:     ENCRYPT  1: encrypt; 0: decrypt
 *           IGNORE   bytes at the end that stay as they are
 * Counters: no_sa   packets without a security association or its key
 *           length  packets that are too short, or not whole blocks
 *           drops   packets for which memory ran out
 * Handlers: none
 * Example:  ... -> IPsecESPEncap -> IPsecAES(1) -> IPsecAuthHMACSHA1(0) -> ...
 * See also: IPsecAESGCM, IPsecESPEncap, IPsecAuthHMACSHA1, RadixIPsecLookup
 *
 * RFC 3602, with the association's key of 16, 24 or 32 bytes, and code that takes the same
 * time whatever key and packet are. Also called Aes.
 *
 * IGNORE follows from the elements between this one and the IPsecESPEncap or
 * IPsecESPUnencap of its packets: in Click's order, which appends the digest first and then
 * encrypts, it is the digest's length, else 0. Encrypting first is what other
 * implementations understand, and what is known to be safe.
 *
 * Click's element uses 8 of the 16 bytes of each block's predecessor, and understands
 * nobody but itself.
 */

#include "engine/ipsec.h"

struct ipsec_aes {
    struct ipsec_stage stage;
    struct ipsec_table *table;
    int32_t encrypt;
    uint32_t ignore;
    bool have_ignore;
};

static const struct arg_spec ipsec_aes_args[] = {
    ARG_I32(ipsec_aes, encrypt, "ENCRYPT", ARG_M, NULL, "1: encrypt; 0: decrypt"),
    {.name = "IGNORE",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct ipsec_aes, ignore),
     .seen = 1 + offsetof(struct ipsec_aes, have_ignore),
     .max = 65535,
     .help = "bytes at the end that stay as they are"},
    ARG_END,
};

enum { C_NO_SA, C_LENGTH, C_DROPS };
static const struct counter_spec ipsec_aes_counters[] = {
    [C_NO_SA] = {"no_sa", "packets without a security association or its key"},
    [C_LENGTH] = {"length", "packets that are too short, or not whole blocks"},
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

enum { HEAD = IPSEC_ESP_HEAD + IPSEC_BLOCK };

static int ipsec_aes_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ipsec_aes *s = element_state(e);

    s->stage = (struct ipsec_stage){
        .role = IPSEC_CIPHER, .iv = IPSEC_BLOCK, .block = IPSEC_BLOCK};
    s->table = ipsec_table(e);
    return s->table ? 0 : diag_err(d, "out of memory");
}

static int ipsec_aes_initialize(struct element *e, struct diag *d)
{
    struct ipsec_aes *s = element_state(e);
    const struct ipsec_stage *auth = ipsec_find_stage(e, !s->encrypt, IPSEC_AUTH);

    if (!s->have_ignore)
        s->ignore = auth ? auth->digest : 0;
    return 0;
}

static void *ipsec_aes_cast(struct element *e, const char *kind)
{
    struct ipsec_aes *s = element_state(e);

    return kind == IPSEC_STAGE ? &s->stage : NULL;
}

static inline verdict_t ipsec_aes_one(struct element *e, struct pkt *p)
{
    const struct ipsec_aes *s = element_state(e);
    const struct ipsec_sa *sa = ipsec_get_sa(s->table, p);
    uint32_t n;

    if (!sa || ipsec_sa_has_salt(sa))
        return drop(e, C_NO_SA);
    if (p->len < HEAD + s->ignore)
        return drop(e, C_LENGTH);
    n = p->len - HEAD - s->ignore;
    if (n % IPSEC_BLOCK != 0)
        return drop(e, C_LENGTH);
    if (pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    if (s->encrypt)
        ipsec_cbc_encrypt(sa->crypto, p->data + IPSEC_ESP_HEAD, p->data + HEAD, n);
    else
        ipsec_cbc_decrypt(sa->crypto, p->data + IPSEC_ESP_HEAD, p->data + HEAD, n);
    return 0;
}

ELEMENT_LOOP(ipsec_aes)

ELEMENT(IPsecAES) = {
    .name = "IPsecAES",
    .state_size = sizeof(struct ipsec_aes),
    .ports = "1/1",
    .args = ipsec_aes_args,
    .counters = ipsec_aes_counters,
    .configure = ipsec_aes_configure,
    .initialize = ipsec_aes_initialize,
    .cast = ipsec_aes_cast,
    .push = ipsec_aes_push,
    .pull = ipsec_aes_pull,
};
ELEMENT_ALIAS(Aes, IPsecAES);
