// SPDX-License-Identifier: BSD-3-Clause
/*
 * ipsec.h -- security associations, and how ESP's elements find them and each other
 *
 * RadixIPsecLookup makes an association for each route that names one, and puts a
 * reference to it on packets; the elements behind it do what their names say with its keys.
 * The reference is a number and the SPI and is looked up again each time, so that a packet
 * may outlive its association, or the whole configuration, in a queue.
 *
 * How long an ESP header is, and where its digest lies, depends on the elements in between:
 * each tells through cast(IPSEC_STAGE) what it does, and asks who is before and behind it.
 *
 * Memory: the associations of a router live in its arena; their places are used again.
 */

#ifndef ENGINE_IPSEC_H
#define ENGINE_IPSEC_H

#include "engine/element.h"
#include "engine/ipsec_crypto.h"
#include "engine/net_headers.h"

enum {
    IPSEC_ESP_HEAD = 8,    /* SPI and sequence number; the IV follows */
    IPSEC_KEY_MAX = 36,    /* AES-256 and salt */
    IPSEC_AUTH_MAX = 64,   /* bytes of an HMAC key; longer ones gain nothing */
    IPSEC_WINDOW_MAX = 64, /* packets that may come late */
    IPSEC_SA_MAX = 32767,  /* associations of a router */
};

/* The keys as configured. `len` 20, 28, 36: an AES key with GCM's salt behind it. */
struct ipsec_keys {
    uint8_t key[IPSEC_KEY_MAX], auth[IPSEC_AUTH_MAX];
    uint8_t len, auth_len;
};

struct ipsec_sa {
    uint32_t spi;       /* host order; 0: this place is free */
    uint32_t index;     /* in the router's table */
    uint32_t next_seq;  /* of the next packet to be sent; 0: all are used up */
    uint32_t last_seq;  /* the highest one received */
    uint64_t seen;      /* bit i: last_seq - i has been received */
    uint32_t window;    /* packets */
    uint32_t iv_prefix; /* random, in front of the number in GCM's IV */
    struct ipsec_keys keys;
    struct ipsec_crypto *crypto; /* owned */
};

struct ipsec_table {
    struct ipsec_sa **sa; /* [n] */
    uint32_t n, room;
    uint32_t maybe_free; /* no place before this one is free */
};

/* The router's table; NULL when memory ran out. */
struct ipsec_table *ipsec_table(struct element *e);

/* A new association: sequence numbers begin at `first`, both ways. NULL, with a message,
 * when there is no memory or no number left. */
struct ipsec_sa *ipsec_sa_new(struct element *e, uint32_t spi,
                              const struct ipsec_keys *keys, uint32_t first,
                              uint32_t window, struct diag *d);
/* Forget the keys; the place may be used again. */
void ipsec_sa_free(struct ipsec_table *t, struct ipsec_sa *sa);

static inline bool ipsec_sa_has_salt(const struct ipsec_sa *sa)
{
    return sa->keys.len % 8 != 0;
}

/* Whether packet `seq` is new, by RFC 4303, 3.4.3; notes that it has been seen. */
bool ipsec_replay_ok(struct ipsec_sa *sa, uint32_t seq);

static inline void ipsec_set_sa(struct pkt *p, const struct ipsec_sa *sa)
{
    p->anno_u32[ANNO_IPSEC_SA_DATA / 4] = sa ? sa->index + 1 : 0;
    p->anno_u32[ANNO_IPSEC_SA_DATA / 4 + 1] = sa ? sa->spi : 0;
}

/* The packet's association; NULL when it has none, or none any more. */
static inline struct ipsec_sa *ipsec_get_sa(const struct ipsec_table *t,
                                            const struct pkt *p)
{
    uint32_t i = p->anno_u32[ANNO_IPSEC_SA_DATA / 4] - 1;
    struct ipsec_sa *sa = i < t->n ? t->sa[i] : NULL;

    return sa && sa->spi && sa->spi == p->anno_u32[ANNO_IPSEC_SA_DATA / 4 + 1] ? sa
                                                                               : NULL;
}

/* --- who does what ------------------------------------------------------------------ */

enum ipsec_role {
    IPSEC_ENCAP = 1,
    IPSEC_UNENCAP = 2,
    IPSEC_CIPHER = 4,
    IPSEC_AUTH = 8,
};

struct ipsec_stage {
    enum ipsec_role role;
    uint8_t iv,
        block;      /* of a cipher: bytes of its IV, what it wants payloads filled to */
    uint8_t digest; /* bytes that an AUTH appends or removes */
};

extern const char ipsec_stage_kind[]; /* for cast() */
#define IPSEC_STAGE ipsec_stage_kind

/* From initialize(): the nearest element of a role in `roles`, upstream or downstream, not
 * looking past ENCAP and UNENCAP; NULL when there is none. */
const struct ipsec_stage *ipsec_find_stage(struct element *e, bool down,
                                           unsigned roles);

#endif
