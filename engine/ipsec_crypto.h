// SPDX-License-Identifier: BSD-3-Clause
/*
 * ipsec_crypto.h -- the ciphers of ESP, as a library has them
 *
 * AES-CBC (RFC 3602), AES-GCM (RFC 4106), HMAC-SHA-1 (RFC 2404) and HMAC-SHA-256 (RFC
 * 4868) of BearSSL, whose code takes the same time whatever keys and data are: with the
 * processor's AES and carry-less multiplication where there are any, else bitsliced. Only
 * ipsec_crypto.c sees the library. mk/ipsec.mk takes in what it uses and nothing else.
 *
 * Memory:  the caller owns struct ipsec_crypto, ipsec_crypto_size() bytes, and wipes it.
 * Threads: one at a time.
 */

#ifndef ENGINE_IPSEC_CRYPTO_H
#define ENGINE_IPSEC_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPSEC_BLOCK = 16,   /* bytes of an AES block, and of the IV of CBC */
    IPSEC_SALT = 4,     /* bytes behind the AES key that begin GCM's nonce */
    IPSEC_GCM_IV = 8,   /* bytes of the nonce that a packet carries */
    IPSEC_GCM_TAG = 16, /* bytes of GCM's integrity check value */
    IPSEC_HASH_MAX = 32,
};

enum ipsec_hash { IPSEC_SHA1, IPSEC_SHA256 };

/* Keys of one security association, made ready for use. */
struct ipsec_crypto;

size_t ipsec_crypto_size(void);

/* For tests: do without the processor's AES in ipsec_crypto_init() from now on. */
extern bool ipsec_crypto_plain;

/* `aes_len` is 16, 24 or 32; `salt` (IPSEC_SALT bytes) may be NULL where GCM is not used;
 * `auth` may be empty where HMAC is not. */
void ipsec_crypto_init(struct ipsec_crypto *k, const uint8_t *aes, size_t aes_len,
                       const uint8_t *salt, const uint8_t *auth, size_t auth_len);

/* Overwrite keys, in a way that the compiler does not leave out. */
void ipsec_wipe(void *p, size_t n);

/* In place; `len` is a multiple of IPSEC_BLOCK. */
void ipsec_cbc_encrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_BLOCK],
                       uint8_t *data, size_t len);
void ipsec_cbc_decrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_BLOCK],
                       uint8_t *data, size_t len);

/* In place; `aad` are bytes that are authenticated but not encrypted. */
void ipsec_gcm_encrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_GCM_IV],
                       const uint8_t *aad, size_t aad_len, uint8_t *data, size_t len,
                       uint8_t tag[IPSEC_GCM_TAG]);
/* False when the tag is wrong; `data` is then as it was. */
bool ipsec_gcm_decrypt(const struct ipsec_crypto *k, const uint8_t iv[IPSEC_GCM_IV],
                       const uint8_t *aad, size_t aad_len, uint8_t *data, size_t len,
                       const uint8_t tag[IPSEC_GCM_TAG]);

/* The whole authentication code; ESP uses its first bytes. */
void ipsec_hmac(const struct ipsec_crypto *k, enum ipsec_hash hash, const uint8_t *data,
                size_t len, uint8_t out[IPSEC_HASH_MAX]);

/* Compare in a time that does not depend on where the difference is. */
bool ipsec_equal(const uint8_t *a, const uint8_t *b, size_t n);

#endif
