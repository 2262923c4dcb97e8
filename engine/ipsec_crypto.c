// SPDX-License-Identifier: BSD-3-Clause
/* ipsec_crypto.c -- the library's calls behind ipsec_crypto.h */

#include "engine/ipsec_crypto.h"

#include <bearssl.h>
#include <string.h>

struct ipsec_crypto {
    br_aes_gen_cbcenc_keys cbc_enc;
    br_aes_gen_cbcdec_keys cbc_dec;
    br_aes_gen_ctr_keys ctr;
    br_gcm_context gcm; /* refers to `ctr`; copied for each packet */
    br_hmac_key_context hmac[2];
    uint8_t salt[IPSEC_SALT];
};

bool ipsec_crypto_plain;

size_t ipsec_crypto_size(void)
{
    return sizeof(struct ipsec_crypto);
}

/* The library asks the processor what it can do; where it cannot, code without tables. */
static void init_aes(struct ipsec_crypto *k, const uint8_t *key, size_t len)
{
    const br_block_cbcenc_class *enc = br_aes_x86ni_cbcenc_get_vtable();
    const br_block_cbcdec_class *dec = br_aes_x86ni_cbcdec_get_vtable();
    const br_block_ctr_class *ctr = br_aes_x86ni_ctr_get_vtable();
    br_ghash ghash = br_ghash_pclmul_get();

    enc = enc && !ipsec_crypto_plain ? enc : &br_aes_ct64_cbcenc_vtable;
    dec = dec && !ipsec_crypto_plain ? dec : &br_aes_ct64_cbcdec_vtable;
    ctr = ctr && !ipsec_crypto_plain ? ctr : &br_aes_ct64_ctr_vtable;
    ghash = ghash && !ipsec_crypto_plain ? ghash : br_ghash_ctmul64;
    enc->init(&k->cbc_enc.vtable, key, len);
    dec->init(&k->cbc_dec.vtable, key, len);
    ctr->init(&k->ctr.vtable, key, len);
    br_gcm_init(&k->gcm, &k->ctr.vtable, ghash);
}

void ipsec_crypto_init(struct ipsec_crypto *k, const uint8_t *aes, size_t aes_len,
                       const uint8_t *salt, const uint8_t *auth, size_t auth_len)
{
    memset(k, 0, sizeof *k);
    init_aes(k, aes, aes_len);
    br_hmac_key_init(&k->hmac[IPSEC_SHA1], &br_sha1_vtable, auth, auth_len);
    br_hmac_key_init(&k->hmac[IPSEC_SHA256], &br_sha256_vtable, auth, auth_len);
    if (salt)
        memcpy(k->salt, salt, sizeof k->salt);
}

void ipsec_wipe(void *p, size_t n)
{
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}

void ipsec_cbc_encrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_BLOCK],
                       uint8_t *data, size_t len)
{
    uint8_t chain[IPSEC_BLOCK]; /* the library leaves the next IV here */

    memcpy(chain, iv, sizeof chain);
    k->cbc_enc.vtable->run(&k->cbc_enc.vtable, chain, data, len);
}

void ipsec_cbc_decrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_BLOCK],
                       uint8_t *data, size_t len)
{
    uint8_t chain[IPSEC_BLOCK];

    memcpy(chain, iv, sizeof chain);
    k->cbc_dec.vtable->run(&k->cbc_dec.vtable, chain, data, len);
}

static void gcm_run(br_gcm_context *g, const struct ipsec_crypto *k, const uint8_t *iv,
                    const uint8_t *aad, size_t aad_len, bool encrypt, uint8_t *data,
                    size_t len)
{
    uint8_t nonce[IPSEC_SALT + IPSEC_GCM_IV];

    memcpy(nonce, k->salt, IPSEC_SALT);
    memcpy(nonce + IPSEC_SALT, iv, IPSEC_GCM_IV);
    *g = k->gcm;
    br_gcm_reset(g, nonce, sizeof nonce);
    br_gcm_aad_inject(g, aad, aad_len);
    br_gcm_flip(g);
    br_gcm_run(g, encrypt, data, len);
}

void ipsec_gcm_encrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_GCM_IV],
                       const uint8_t *aad, size_t aad_len, uint8_t *data, size_t len,
                       uint8_t tag[IPSEC_GCM_TAG])
{
    br_gcm_context g;

    gcm_run(&g, k, iv, aad, aad_len, true, data, len);
    br_gcm_get_tag(&g, tag);
}

bool ipsec_gcm_decrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_GCM_IV],
                       const uint8_t *aad, size_t aad_len, uint8_t *data, size_t len,
                       const uint8_t tag[IPSEC_GCM_TAG])
{
    br_gcm_context g;

    gcm_run(&g, k, iv, aad, aad_len, false, data, len);
    if (br_gcm_check_tag(&g, tag))
        return true;
    /* Nobody may see what an attacker's bytes decrypt to. */
    gcm_run(&g, k, iv, aad, aad_len, true, data, len);
    return false;
}

void ipsec_hmac(const struct ipsec_crypto *k, enum ipsec_hash hash, const uint8_t *data,
                size_t len, uint8_t out[IPSEC_HASH_MAX])
{
    br_hmac_context c;

    br_hmac_init(&c, &k->hmac[hash], 0);
    br_hmac_update(&c, data, len);
    br_hmac_out(&c, out);
}

bool ipsec_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    volatile uint8_t different = 0;

    for (size_t i = 0; i < n; i++)
        different = (uint8_t)(different | (a[i] ^ b[i]));
    return different == 0;
}
