// SPDX-License-Identifier: BSD-3-Clause
/*
 * ipsec_auth.h -- what IPsecAuthHMACSHA1 and IPsecAuthHMACSHA256 have in common: all but
 * the hash
 */

#ifndef ENGINE_IPSEC_AUTH_H
#define ENGINE_IPSEC_AUTH_H

#include "engine/ipsec.h"

struct ipsec_auth {
    struct ipsec_stage stage;
    struct ipsec_table *table;
    int32_t verify;
    enum ipsec_hash hash;
};

extern const struct arg_spec ipsec_auth_args[];
extern const struct counter_spec ipsec_auth_counters[];

/* From configure(): `digest` bytes of `hash`. */
int ipsec_auth_setup(struct element *e, enum ipsec_hash hash, uint8_t digest,
                     struct diag *d);
void *ipsec_auth_cast(struct element *e, const char *kind);
verdict_t ipsec_auth_one(struct element *e, struct pkt *p);

#endif
