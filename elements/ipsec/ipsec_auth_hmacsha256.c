// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPsecAuthHMACSHA256 -- append a digest to ESP packets, or check it
 *
 * Usage:    IPsecAuthHMACSHA256(VERIFY)
 * Ports:    1 in, any number out; push or pull, further outputs push
 * Args:     VERIFY  0: append a digest; 1: check it and take it away
 * Counters: drops      packets whose digest is wrong
 *           no_sa      packets without a security association or its key
 *           short      packets too short for ESP and a digest
 *           no_memory  packets for which memory ran out
 * Handlers: none
 * Example:  ... -> IPsecESPEncap -> IPsecAES(1) -> IPsecAuthHMACSHA256(0) -> ...
 * See also: IPsecAuthHMACSHA1, IPsecESPEncap, IPsecAES, RadixIPsecLookup
 *
 * RFC 4868: the first 128 bits of the keyed hash of the whole packet, with the
 * authentication key of its association, which should be 32 bytes. Packets that fail
 * leave by output 1 if that is connected.
 */

#include "engine/ipsec_auth.h"

static int ipsec_auth_hmacsha256_configure(struct element *e, struct conf *c,
                                           struct diag *d)
{
    return ipsec_auth_setup(e, IPSEC_SHA256, 16, d);
}

static inline verdict_t ipsec_auth_hmacsha256_one(struct element *e, struct pkt *p)
{
    return ipsec_auth_one(e, p);
}

ELEMENT_LOOP(ipsec_auth_hmacsha256)

ELEMENT(IPsecAuthHMACSHA256) = {
    .name = "IPsecAuthHMACSHA256",
    .state_size = sizeof(struct ipsec_auth),
    .ports = "1/-",
    .processing = "a/ah",
    .args = ipsec_auth_args,
    .counters = ipsec_auth_counters,
    .configure = ipsec_auth_hmacsha256_configure,
    .cast = ipsec_auth_cast,
    .push = ipsec_auth_hmacsha256_push,
    .pull = ipsec_auth_hmacsha256_pull,
};
