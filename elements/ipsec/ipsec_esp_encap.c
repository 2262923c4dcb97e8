// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPsecESPEncap -- put an ESP header in front and its trailer behind
 *
 * Usage:    IPsecESPEncap([keywords IV, BLOCK, NEXT_HEADER])
 * Ports:    1 in, 1 out; push or pull
 * Args:     IV           bytes of the initialisation vector: 0, 8 or 16
 *           BLOCK        payload and trailer fill multiples of so many bytes
 *           NEXT_HEADER  protocol of what is encapsulated; 0: that of the IP header
 * Counters: no_sa  packets without a security association
 *           spent  packets for which no sequence number was left
 *           drops  packets for which memory ran out
 * Handlers: none
 * Example:  rt[1] -> IPsecESPEncap -> IPsecAES(1) -> IPsecAuthHMACSHA1(0)
 *               -> IPsecEncap(esp) -> ...
 * See also: IPsecESPUnencap, IPsecAES, IPsecAESGCM, RadixIPsecLookup
 *
 * RFC 4303: SPI, sequence number, IV; the packet; bytes 1, 2, 3 ... of padding, their
 * number, and the next header. The security association is that of the annotation that
 * RadixIPsecLookup sets, the SPI also. An association is spent after 2^32 - 1 packets: it
 * does not begin again, as in Click, where an old packet could then be sent once more.
 *
 * IV and BLOCK follow from the cipher behind: 16 and 16 for IPsecAES, 8 and 4 for
 * IPsecAESGCM, and without one 8 and 8 as Click has it. An IV of 8 bytes is a number that
 * the association does not use twice, one of 16 cannot be foreseen.
 *
 * Click takes the protocol out of the IP header even where the packet begins with that
 * header. A tunnel to somebody else's gateway wants NEXT_HEADER 4.
 */

#include "engine/ipsec.h"

struct ipsec_esp_encap {
    struct ipsec_stage stage;
    struct ipsec_table *table;
    uint32_t iv, block, next_header;
    bool have_iv, have_block;
};

static const struct arg_spec ipsec_esp_encap_args[] = {
    {.name = "IV",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct ipsec_esp_encap, iv),
     .seen = 1 + offsetof(struct ipsec_esp_encap, have_iv),
     .max = IPSEC_BLOCK,
     .help = "bytes of the initialisation vector"},
    {.name = "BLOCK",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct ipsec_esp_encap, block),
     .seen = 1 + offsetof(struct ipsec_esp_encap, have_block),
     .min = 1,
     .max = 128,
     .help = "the payload is filled to a multiple"},
    {.name = "NEXT_HEADER",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct ipsec_esp_encap, next_header),
     .max = 255,
     .help = "protocol of what is encapsulated"},
    ARG_END,
};

enum { C_NO_SA, C_SPENT, C_DROPS };
static const struct counter_spec ipsec_esp_encap_counters[] = {
    [C_NO_SA] = {"no_sa", "packets without a security association"},
    [C_SPENT] = {"spent", "packets for which no sequence number was left"},
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static int ipsec_esp_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ipsec_esp_encap *s = element_state(e);

    s->stage.role = IPSEC_ENCAP;
    if (s->iv != 0 && s->iv != IPSEC_GCM_IV && s->iv != IPSEC_BLOCK)
        return diag_err(d, "IV: must be 0, 8 or 16");
    s->table = ipsec_table(e);
    return s->table ? 0 : diag_err(d, "out of memory");
}

static int ipsec_esp_encap_initialize(struct element *e, struct diag *d)
{
    struct ipsec_esp_encap *s = element_state(e);
    const struct ipsec_stage *cipher = ipsec_find_stage(e, true, IPSEC_CIPHER);

    if (!s->have_iv)
        s->iv = cipher ? cipher->iv : 8;
    if (!s->have_block)
        s->block = cipher ? cipher->block : 8;
    return 0;
}

static void *ipsec_esp_encap_cast(struct element *e, const char *kind)
{
    struct ipsec_esp_encap *s = element_state(e);

    return kind == IPSEC_STAGE ? &s->stage : NULL;
}

/* The protocol, or next header, of the packet's IP header; 0 without one. */
static inline uint8_t ip_protocol(const struct pkt *p)
{
    if (!p->network || pkt_avail(p, p->network) < sizeof(struct ip4_hdr))
        return 0;
    return p->network[0] >> 4 == 6 ? p->network[6]
                                   : ((const struct ip4_hdr *)p->network)->proto;
}

static inline void write_iv(const struct ipsec_esp_encap *s, struct element *e,
                            const struct ipsec_sa *sa, uint8_t *iv, uint32_t seq)
{
    static const uint8_t zero[IPSEC_BLOCK];

    if (s->iv == 0)
        return;
    store32(iv, be32(sa->iv_prefix));
    store32(iv + 4, be32(seq));
    if (s->iv == IPSEC_GCM_IV)
        return;
    /* SP 800-38A, appendix C: a number used once, encrypted with the same key. */
    store32(iv + 8, element_random(e));
    store32(iv + 12, sa->spi);
    ipsec_cbc_encrypt(sa->crypto, zero, iv, IPSEC_BLOCK);
}

static inline verdict_t ipsec_esp_encap_one(struct element *e, struct pkt *p)
{
    struct ipsec_esp_encap *s = element_state(e);
    struct ipsec_sa *sa = ipsec_get_sa(s->table, p);
    uint32_t padding, seq;
    uint8_t next, *head, *pad;

    if (!sa)
        return drop(e, C_NO_SA);
    if (!sa->next_seq)
        return drop(e, C_SPENT);
    next = s->next_header ? (uint8_t)s->next_header : ip_protocol(p);
    padding = (s->block - (p->len + 2) % s->block) % s->block;
    pad = pkt_put(p, padding + 2);
    head = pad ? pkt_push(p, IPSEC_ESP_HEAD + s->iv) : NULL;
    if (!head)
        return drop(e, C_DROPS);
    pad = p->data + p->len - padding - 2; /* the push may have moved it */
    for (uint32_t i = 0; i < padding; i++)
        pad[i] = (uint8_t)(i + 1);
    pad[padding] = (uint8_t)padding;
    pad[padding + 1] = next;
    seq = sa->next_seq++;
    store32(head, be32(sa->spi));
    store32(head + 4, be32(seq));
    write_iv(s, e, sa, head + IPSEC_ESP_HEAD, seq);
    return 0;
}

ELEMENT_LOOP(ipsec_esp_encap)

ELEMENT(IPsecESPEncap) = {
    .name = "IPsecESPEncap",
    .state_size = sizeof(struct ipsec_esp_encap),
    .ports = "1/1",
    .args = ipsec_esp_encap_args,
    .counters = ipsec_esp_encap_counters,
    .configure = ipsec_esp_encap_configure,
    .initialize = ipsec_esp_encap_initialize,
    .cast = ipsec_esp_encap_cast,
    .push = ipsec_esp_encap_push,
    .pull = ipsec_esp_encap_pull,
};
