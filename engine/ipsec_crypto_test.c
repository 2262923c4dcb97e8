// SPDX-License-Identifier: BSD-3-Clause
/* Known answers from the standards, with the processor's AES and without. */

#include "engine/ipsec_crypto.h"

#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static uint8_t key[64], iv[64], aad[64], data[128], want[128], tag[IPSEC_HASH_MAX];
static struct ipsec_crypto *k;

SETUP()
{
    k = malloc(ipsec_crypto_size());
}

TEARDOWN()
{
    free(k);
    ipsec_crypto_plain = false;
}

static size_t hex(const char *text, uint8_t *out)
{
    size_t n = strlen(text) / 2;

    for (size_t i = 0; i < n; i++) {
        char two[3] = {text[2 * i], text[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return n;
}

static void expect_cbc(const char *key_text, const char *iv_text, const char *plain,
                       const char *cipher)
{
    for (int plain_code = 0; plain_code < 2; plain_code++) {
        size_t key_len = hex(key_text, key), n = hex(plain, data);

        ipsec_crypto_plain = plain_code;
        hex(iv_text, iv);
        hex(cipher, want);
        ipsec_crypto_init(k, key, key_len, NULL, NULL, 0);
        ipsec_cbc_encrypt(k, iv, data, n);
        EXPECT_MEM(data, want, n);
        ipsec_cbc_decrypt(k, iv, data, n);
        hex(plain, want);
        EXPECT_MEM(data, want, n);
    }
}

TEST(aes_cbc_gives_the_answers_of_rfc_3602)
{
    expect_cbc("06a9214036b8a15b512e03d534120006", "3dafba429d9eb430b422da802c9fac41",
               "53696e676c6520626c6f636b206d7367", "e353779c1079aeb82708942dbe77181a");
    expect_cbc("c286696d887c9aa0611bbb3e2025a45a", "562e17996d093d28ddb3ba695a2e6f58",
               "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
               "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1");
}

TEST(aes_cbc_gives_the_answers_of_sp_800_38a_for_longer_keys)
{
    expect_cbc("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
               "000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172a",
               "4f021db243bc633d7178183a9fa071e8");
    expect_cbc("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
               "000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172a",
               "f58c4c04d6e5f1ba779eabfb5f7bfbd6");
}

/* Test cases 4 and 16 of the GCM specification; the nonce is salt and IV together. */
static void expect_gcm(const char *key_text, const char *cipher, const char *tag_text)
{
    static const char plain[] =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    uint8_t want_tag[IPSEC_GCM_TAG];
    uint8_t got[IPSEC_GCM_TAG];

    for (int plain_code = 0; plain_code < 2; plain_code++) {
        size_t key_len = hex(key_text, key), n = hex(plain, data);
        size_t aad_len = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);

        ipsec_crypto_plain = plain_code;
        hex("cafebabefacedbaddecaf888", iv);
        hex(cipher, want);
        hex(tag_text, want_tag);
        ipsec_crypto_init(k, key, key_len, iv, NULL, 0);
        ipsec_gcm_encrypt(k, iv + IPSEC_SALT, aad, aad_len, data, n, got);
        EXPECT_MEM(data, want, n);
        EXPECT_MEM(got, want_tag, sizeof got);

        got[15] ^= 1; /* a forgery is refused and not decrypted */
        EXPECT(!ipsec_gcm_decrypt(k, iv + IPSEC_SALT, aad, aad_len, data, n, got));
        EXPECT_MEM(data, want, n);
        got[15] ^= 1;
        aad[0] ^= 1;
        EXPECT(!ipsec_gcm_decrypt(k, iv + IPSEC_SALT, aad, aad_len, data, n, got));
        aad[0] ^= 1;
        EXPECT(ipsec_gcm_decrypt(k, iv + IPSEC_SALT, aad, aad_len, data, n, got));
        hex(plain, want);
        EXPECT_MEM(data, want, n);
    }
}

TEST(aes_gcm_gives_the_answers_of_its_specification)
{
    expect_gcm("feffe9928665731c6d6a8f9467308308",
               "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
               "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
               "5bc94fbc3221a5db94fae95ae7121a47");
    expect_gcm("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
               "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
               "76fc6ece0f4e1768cddf8853bb2d551b");
}

static void expect_hmac(enum ipsec_hash hash, const char *auth, size_t auth_len,
                        const char *text, const char *answer)
{
    size_t n = hex(answer, want);

    ipsec_crypto_init(k, (const uint8_t *)"0123456789abcdef", 16, NULL,
                      (const uint8_t *)auth, auth_len);
    ipsec_hmac(k, hash, (const uint8_t *)text, strlen(text), tag);
    EXPECT_MEM(tag, want, n);
}

TEST(hmac_sha1_gives_the_answers_of_rfc_2202)
{
    static char b20[20];

    memset(b20, 0x0b, sizeof b20);
    expect_hmac(IPSEC_SHA1, b20, 20, "Hi There",
                "b617318655057264e28bc0b6fb378c8ef146be00");
    expect_hmac(IPSEC_SHA1, "Jefe", 4, "what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

TEST(hmac_sha256_gives_the_answers_of_rfc_4868)
{
    static char b32[32];

    memset(b32, 0x0b, sizeof b32);
    expect_hmac(IPSEC_SHA256, b32, 32, "Hi There",
                "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7");
    expect_hmac(IPSEC_SHA256, "JefeJefeJefeJefeJefeJefeJefeJefe", 32,
                "what do ya want for nothing?",
                "167f928588c5cc2eef8e3093caa0e87c9ff566a14794aa61648d81621a2a40c6");
}

TEST(comparison_sees_a_difference_in_any_byte)
{
    uint8_t a[12] = {0}, b[12] = {0};

    EXPECT(ipsec_equal(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 0x80;
        EXPECT(!ipsec_equal(a, b, sizeof a));
        b[i] = 0;
    }
}
