// SPDX-License-Identifier: BSD-3-Clause
/*
 * payload.c -- limits of what reads and writes whole packets: see limits.h
 *
 * Both use the library or the search that the engine uses, as the best that there is;
 * what they show is what the engine adds to it.
 */

#include "bench/limits/headers.h"
#include "engine/checksum.h"
#include "engine/ipsec_crypto.h"
#include "engine/multi_match.h"

#include <stdlib.h>
#include <string.h>

static int strings_build(struct multi_match *m, uint32_t n)
{
    struct multi_pattern *p = calloc(n, sizeof *p);
    char(*text)[PATTERN_ROOM] = calloc(n, sizeof *text);
    int rc = -1;

    if (p && text) {
        for (uint32_t i = 0; i < n; i++)
            p[i] = (struct multi_pattern){(const uint8_t *)text[i],
                                          bench_pattern(i, text[i])};
        rc = multi_match_build(m, p, n);
    }
    free(p);
    free(text);
    return rc;
}

/* No packet has one of the strings. */
void limit_strings(struct limit *l, uint64_t n)
{
    static uint8_t packet[PACKET_LONG];
    struct multi_match m = {.piece = 0};
    struct limit_pkt b[LIMIT_BATCH];

    packet_make_long(packet);
    if (strings_build(&m, l->size) < 0)
        return;
    for (; n; n -= LIMIT_BATCH) {
        unsigned kept = 0;

        limit_source_of(l, b, packet, sizeof packet);
        for (unsigned i = 0; i < LIMIT_BATCH; i++)
            if (!multi_match_any(&m, b[i].data, b[i].len))
                b[kept++] = b[i];
        limit_discard(l, b, kept);
    }
    multi_match_fini(&m);
}

struct tunnel {
    struct ipsec_crypto *crypto;
    struct ip4_hdr outer;
    uint32_t seq;
    uint16_t id;
};

/* RFC 4106: header and IV in front; padding, its length, the protocol and a tag behind. */
static inline void seal(struct limit *l, struct tunnel *t, struct limit_pkt *p)
{
    uint32_t padding = (0u - p->len - 2) % 4, n = p->len + padding + 2, seq = t->seq++;
    uint8_t protocol = ((const struct ip4_hdr *)p->data)->proto, *at;
    struct ip4_hdr *outer;

    limit_own(l, p);
    for (at = p->data + p->len; padding && at < p->data + n - 2; at++)
        *at = (uint8_t)(at - p->data - p->len + 1);
    p->data[n - 2] = (uint8_t)padding;
    p->data[n - 1] = protocol;
    at = p->data - 16;
    store32(at, be32(ESP_SPI));
    store32(at + 4, be32(seq));
    store32(at + 8, 0);
    store32(at + 12, be32(seq));
    ipsec_gcm_encrypt(t->crypto, at + 8, at, 8, p->data, n, p->data + n);
    p->data = at - 20;
    p->len = 20 + 16 + n + IPSEC_GCM_TAG;
    outer = (struct ip4_hdr *)p->data;
    *outer = t->outer;
    outer->len = be16((uint16_t)p->len);
    outer->id = be16(t->id++);
    outer->sum = csum_apply(outer->sum, (uint64_t)outer->len + outer->id);
}

void limit_esp_gcm(struct limit *l, uint64_t n)
{
    struct tunnel t = {.crypto = malloc(ipsec_crypto_size()), .seq = 1};
    struct limit_pkt b[LIMIT_BATCH];

    l->table = t.crypto;
    if (!t.crypto)
        return;
    ipsec_crypto_init(t.crypto, esp_key, 16, esp_key + 16, NULL, 0);
    t.outer = (struct ip4_hdr){
        .vhl = 0x45, .ttl = 250, .proto = 50, .dst = be32(ESP_GATEWAY)};
    t.outer.sum = csum_ip4_20(&t.outer);
    for (; n; n -= LIMIT_BATCH) {
        unsigned good;

        limit_source(l, b);
        good = limit_strip(b);
        for (unsigned i = 0; i < good; i++)
            seal(l, &t, &b[i]);
        limit_discard(l, b, good);
    }
}
