// SPDX-License-Identifier: BSD-3-Clause
/*
 * RadixIPsecLookup -- route IPv4 packets, some of them through ESP tunnels
 *
 * Usage:    RadixIPsecLookup(ADDR/MASK [GATEWAY] OUTPUT [SPI KEY AUTH_KEY REPLAY OOSIZE],
 *           ...)
 * Ports:    1 in, any number out; push
 * Args:     each is a route, as for RadixIPLookup, and maybe its security association:
 *           SPI       number of the association
 *           KEY       key of the cipher: 16, 24 or 32 bytes, and 4 more of salt for GCM
 *           AUTH_KEY  key of the digest: up to 64 bytes, none for GCM
 *           REPLAY    first sequence number
 *           OOSIZE    how many packets may come late, at most 64
 * Counters: no_sa  packets for which there is no security association
 *           short  ESP packets without a whole header
 * Handlers: table         (r)  the routes with their associations, keys included
 *           lookup        (r)  output and gateway for an address
 *           add           (w)  add a route, as in the arguments
 *           set           (w)  the same, replacing one to the same network
 *           remove        (w)  remove a route: ADDR/MASK [[GATEWAY] OUTPUT]
 *           ctrl          (w)  "add ...", "set ..." and "remove ..." lines: all, or none
 *           flush         (w)  remove all routes
 *           associations  (rw) a line each: SPI, next sequence number to send, highest
 *                              received, the 64 before that as bits, prefix of the IV
 * Example:  rt :: RadixIPsecLookup(10.0.0.1/32 0, 10.2.0.0/16 192.0.2.2 1
 *               234 \<0183A9471ABE01FFFA04103BB102CA11>
 *               \<02941A4FA1341ACC13BB0100F001200BE1E1A001> 1 32, 0/0 3);
 * See also: RadixIPLookup, IPsecESPEncap, IPsecESPUnencap, IPsecAES, IPsecAESGCM
 *
 * Output 1 is for packets that enter a tunnel: they get annotations with the SPI and the
 * association of their route. Output 0 is for packets to this gateway: ESP packets get the
 * association that their SPI names, others leave by output 2. The other outputs are as for
 * RadixIPLookup.
 *
 * An association serves both directions, as in Click, but each should have keys of its own:
 * let the route to the gateway itself name the association of what arrives,
 * "10.0.0.1/32 0 235 KEY AUTH_KEY 1 32", and that to the peer the one of what leaves.
 *
 * Associations keep their sequence numbers when a configuration is exchanged for one with
 * the same keys. A gateway that starts anew with old keys starts with old numbers: its peer
 * then takes its packets for old ones, and AES-GCM relies on a random 32-bit prefix not to
 * use a nonce twice. Keys that come from a key exchange have neither problem.
 */

#include "engine/ip_lookup.h"
#include "engine/ipsec.h"
#include "engine/lang/lang.h"
#include "engine/router.h"
#include "engine/spread.h"
#include "engine/words.h"

#include <stdlib.h>

enum { OUT_LOCAL_ESP = 0, OUT_TUNNEL = 1, OUT_LOCAL = 2, PROTO_ESP = 50 };

struct radix_ipsec_lookup {
    struct ip_lookup lookup; /* first: ip_lookup.c sees only this */
    struct ipsec_table *table;
    struct ipsec_sa **own; /* owned; this table's associations */
    uint32_t n_own, own_room;
    uint32_t *slots; /* owned; hash of SPI to place in `own` + 1 */
    uint32_t n_slots;
    bool stale; /* `slots` must be filled anew */
    uint32_t complaints;
};

enum { C_NO_SA, C_SHORT };
static const struct counter_spec radix_ipsec_lookup_counters[] = {
    [C_NO_SA] = {"no_sa", "packets for which there is no security association"},
    [C_SHORT] = {"short", "ESP packets without a whole header"},
    {NULL, NULL},
};

/* --- associations ------------------------------------------------------------------- */

static uint32_t spi_slot(const struct radix_ipsec_lookup *s, uint32_t spi)
{
    uint32_t i = (spi * 0x9e3779b1u >> 7) & (s->n_slots - 1);

    while (s->slots[i] && s->own[s->slots[i] - 1]->spi != spi)
        i = (i + 1) & (s->n_slots - 1);
    return i;
}

/* The first association with an SPI is the one that receives. */
static void fill_slots(struct radix_ipsec_lookup *s)
{
    if (s->n_slots)
        memset(s->slots, 0, s->n_slots * sizeof *s->slots);
    for (uint32_t i = 0; i < s->n_own; i++) {
        uint32_t at = spi_slot(s, s->own[i]->spi);

        if (!s->slots[at])
            s->slots[at] = i + 1;
    }
    s->stale = false;
}

static struct ipsec_sa *find_spi(struct radix_ipsec_lookup *s, uint32_t spi)
{
    uint32_t i;

    if (s->stale)
        fill_slots(s);
    i = s->n_slots ? s->slots[spi_slot(s, spi)] : 0;
    return i ? s->own[i - 1] : NULL;
}

/* Room for one more, and slots at most half full. */
static int reserve(struct radix_ipsec_lookup *s)
{
    uint32_t room = s->own_room ? 2 * s->own_room : 8;
    struct ipsec_sa **own;
    uint32_t *slots;

    if (s->n_own < s->own_room)
        return 0;
    own = realloc(s->own, room * sizeof(struct ipsec_sa *));
    if (!own)
        return -1;
    s->own = own;
    slots = realloc(s->slots, 2 * room * sizeof *slots);
    if (!slots)
        return -1;
    s->slots = slots;
    s->own_room = room;
    s->n_slots = 2 * room;
    s->stale = true;
    return 0;
}

static bool parse_key(struct arena *a, const char *word, uint8_t *out, uint8_t *out_len,
                      size_t max)
{
    size_t len;
    const char *text = lang_unquote(a, word, &len);

    if (!text || len > max)
        return false;
    memcpy(out, text, len);
    *out_len = (uint8_t)len;
    return true;
}

static bool good_key_length(size_t n)
{
    size_t aes = n - n % 8;

    return (aes == 16 || aes == 24 || aes == 32) && (n == aes || n == aes + IPSEC_SALT);
}

static struct ipsec_sa *parse_sa(struct element *e, struct arena *a, const char *text,
                                 struct diag *d)
{
    struct ipsec_keys keys = {.len = 0};
    uint64_t spi, first, window;
    const char *const *w;
    struct ipsec_sa *sa;

    if (lang_split_words(a, text, &w) != 5 || !parse_u64(w[0], 0, &spi) || spi == 0 ||
        spi > UINT32_MAX || !parse_u64(w[3], 0, &first) || first > UINT32_MAX ||
        !parse_u64(w[4], 0, &window) || window > 255) {
        diag_err(d, "expected 'SPI ENCRYPT_KEY AUTH_KEY REPLAY OOSIZE'");
        return NULL;
    }
    if (!parse_key(a, w[1], keys.key, &keys.len, sizeof keys.key) ||
        !parse_key(a, w[2], keys.auth, &keys.auth_len, sizeof keys.auth) ||
        !good_key_length(keys.len)) {
        diag_err(d, "key has bad length");
        return NULL;
    }
    sa = ipsec_sa_new(e, (uint32_t)spi, &keys, (uint32_t)first, (uint32_t)window, d);
    ipsec_wipe(&keys, sizeof keys);
    return sa;
}

/* For ip_lookup.c: the number of a route is that of its association, counted from 1. */
static int32_t radix_ipsec_lookup_parse(struct element *e, const char *text,
                                        struct diag *d)
{
    struct radix_ipsec_lookup *s = element_state(e);
    struct arena *a = arena_new(0);
    struct ipsec_sa *sa = NULL;

    if (!a || reserve(s) < 0)
        diag_err(d, "out of memory");
    else
        sa = parse_sa(e, a, text, d);
    arena_free(a);
    if (!sa)
        return -1;
    s->own[s->n_own++] = sa;
    s->stale = true;
    return (int32_t)sa->index + 1;
}

static void unparse_bytes(const uint8_t *b, size_t n, struct sbuf *out)
{
    for (size_t i = 0; i < n; i++)
        sbuf_printf(out, "%02x", b[i]);
}

static void radix_ipsec_lookup_unparse(const struct element *e, uint32_t number,
                                       struct sbuf *out)
{
    const struct radix_ipsec_lookup *s = element_state(e);
    const struct ipsec_sa *sa = s->table->sa[number - 1];

    sbuf_printf(out, "  |TUNNELED CONNECTION| \n|SPI| |ENC KEY| |AUTH KEY| ||\n |%u| |",
                sa->spi);
    unparse_bytes(sa->keys.key, sa->keys.len, out);
    sbuf_add(out, "| |", 3);
    unparse_bytes(sa->keys.auth, sa->keys.auth_len, out);
    sbuf_add(out, "|\n", 2);
}

/* Forget associations that no route names any more. */
static void radix_ipsec_lookup_sweep(struct element *e)
{
    struct radix_ipsec_lookup *s = element_state(e);
    const struct ip_routes *t = &s->lookup.routes;
    uint32_t kept = 0;
    uint8_t *used = calloc(s->table->n + 1, 1);

    if (!used)
        return; /* next time */
    for (uint32_t i = 0; i < t->n; i++)
        if (t->route[i].port > 0xffff)
            used[ip_lookup_number(t->route[i].port)] = 1;
    for (uint32_t i = 0; i < s->n_own; i++)
        if (used[s->own[i]->index + 1])
            s->own[kept++] = s->own[i];
        else
            ipsec_sa_free(s->table, s->own[i]);
    free(used);
    s->n_own = kept;
    s->stale = true;
}

static const struct ip_lookup_kind radix_ipsec_lookup_kind = {
    .parse = radix_ipsec_lookup_parse,
    .unparse = radix_ipsec_lookup_unparse,
    .sweep = radix_ipsec_lookup_sweep,
};

/* --- life ---------------------------------------------------------------------------- */

static int radix_ipsec_lookup_configure(struct element *e, struct conf *c,
                                        struct diag *d)
{
    struct radix_ipsec_lookup *s = element_state(e);
    int rc;

    s->table = ipsec_table(e);
    if (!s->table)
        return diag_err(d, "out of memory");
    s->lookup.kind = &radix_ipsec_lookup_kind;
    rc = ip_lookup_configure_order(e, c, IP_LOOKUP_RADIX, d);
    radix_ipsec_lookup_sweep(e);
    return rc;
}

static void radix_ipsec_lookup_cleanup(struct element *e)
{
    struct radix_ipsec_lookup *s = element_state(e);

    for (uint32_t i = 0; i < s->n_own; i++)
        ipsec_sa_free(s->table, s->own[i]);
    free(s->own);
    free(s->slots);
    ip_lookup_cleanup(e);
}

static void copy_counts(struct ipsec_sa *to, const struct ipsec_sa *from)
{
    to->next_seq = from->next_seq;
    to->last_seq = from->last_seq;
    to->seen = from->seen;
    to->iv_prefix = from->iv_prefix;
}

static bool same_sa(const struct ipsec_sa *a, const struct ipsec_sa *b)
{
    return a->spi == b->spi && memcmp(&a->keys, &b->keys, sizeof a->keys) == 0;
}

static void radix_ipsec_lookup_take_state(struct element *e, struct element *old)
{
    struct radix_ipsec_lookup *s = element_state(e), *was = element_state(old);

    for (uint32_t i = 0; i < s->n_own; i++) {
        const struct ipsec_sa *sa = find_spi(was, s->own[i]->spi);

        /* Several peers may have chosen the same SPI. */
        for (uint32_t j = 0; sa && !same_sa(sa, s->own[i]); j++)
            sa = j < was->n_own ? was->own[j] : NULL;
        if (sa)
            copy_counts(s->own[i], sa);
    }
}

/* --- packets ------------------------------------------------------------------------- */

/* The first five of a kind of complaint are printed. */
static bool may_complain(struct element *e)
{
    struct radix_ipsec_lookup *s = element_state(e);

    return s->complaints < 5 && ++s->complaints;
}

/* A packet for this gateway: which output? */
static int32_t route_local(struct element *e, struct pkt *p)
{
    struct radix_ipsec_lookup *s = element_state(e);
    const struct ip4_hdr *ip = (const struct ip4_hdr *)p->data;
    struct ipsec_sa *sa;
    uint32_t head, spi;

    if (p->len < sizeof *ip || ip->proto != PROTO_ESP)
        return e->n_out > OUT_LOCAL ? OUT_LOCAL : -1;
    head = ip4_hlen(ip);
    if (p->len < head + IPSEC_ESP_HEAD) {
        element_count(e, C_SHORT, 1);
        return -1;
    }
    spi = be32(load32(p->data + head));
    sa = spi ? find_spi(s, spi) : NULL;
    if (!sa) {
        element_count(e, C_NO_SA, 1);
        if (may_complain(e))
            element_say(e, "Invalid SPI %d, Dropping packet\n", (int)spi);
        return -1;
    }
    ipsec_set_sa(p, sa);
    return OUT_LOCAL_ESP;
}

/* A packet that goes through a tunnel. */
static void mark_tunnel(struct element *e, struct pkt *p, uint32_t number)
{
    const struct radix_ipsec_lookup *s = element_state(e);
    const struct ipsec_sa *sa = number ? s->table->sa[number - 1] : NULL;
    char text[64];

    if (!sa) {
        element_count(e, C_NO_SA, 1);
        if (may_complain(e))
            element_say(e, "No Ipsec tunnel for %s. Wrong tunnel setup\n",
                        unparse_ip(pkt_dst_ip(p), text));
    }
    p->anno_u32[ANNO_IPSEC_SPI / 4] = sa ? sa->spi : 0;
    ipsec_set_sa(p, sa);
}

static int32_t route_one(struct element *e, struct pkt *p, struct ip_hop hop)
{
    int32_t port = hop.port & 0xffff;
    char text[64];

    if (hop.port < 0) {
        if (may_complain(e))
            element_say(e, "IPsecRouteTable: no route for %s\n",
                        unparse_ip(pkt_dst_ip(p), text));
        return -1;
    }
    if (port == OUT_TUNNEL)
        mark_tunnel(e, p, ip_lookup_number(hop.port));
    else if (port == OUT_LOCAL_ESP)
        port = route_local(e, p);
    if (hop.gw && port >= 0)
        pkt_set_dst_ip(p, hop.gw);
    return port;
}

static void radix_ipsec_lookup_push(struct element *e, unsigned in, struct batch *b)
{
    struct radix_ipsec_lookup *s = element_state(e);
    struct ip_routes *t = &s->lookup.routes;
    int32_t port[BATCH_MAX];

    if (__builtin_expect(t->stale, 0))
        ip_routes_distill(t);
    for (uint32_t i = 0; i < b->n; i++)
        port[i] = route_one(e, b->p[i], ip_routes_find(t, pkt_dst_ip(b->p[i])));
    spread_push(e, b, port);
}

/* --- handlers ------------------------------------------------------------------------ */

static int radix_ipsec_lookup_read(struct element *e, const struct handler_spec *h,
                                   const char *param, struct sbuf *out, struct diag *d)
{
    const struct radix_ipsec_lookup *s = element_state(e);

    for (uint32_t i = 0; i < s->n_own; i++) {
        const struct ipsec_sa *sa = s->own[i];

        sbuf_printf(out, "%u %u %u %016llx %08x\n", sa->spi, sa->next_seq, sa->last_seq,
                    (unsigned long long)sa->seen, sa->iv_prefix);
    }
    return 0;
}

/* One line of `associations`; an empty one is nothing. */
static int write_counts(struct radix_ipsec_lookup *s, const char *line, struct diag *d)
{
    char word[5][WORD_ROOM], more[WORD_ROOM];
    uint64_t v[5];
    struct ipsec_sa *sa;

    for (int i = 0; i < 5; i++) {
        if (!word_next(&line, word[i]))
            return i ? diag_err(d, "expected 'SPI NEXT LAST SEEN PREFIX'") : 0;
        if (!parse_u64(word[i], i < 3 ? 10 : 16, &v[i]) ||
            (i != 3 && v[i] > UINT32_MAX))
            return diag_err(d, "expected 'SPI NEXT LAST SEEN PREFIX'");
    }
    if (word_next(&line, more))
        return diag_err(d, "expected 'SPI NEXT LAST SEEN PREFIX'");
    sa = find_spi(s, (uint32_t)v[0]);
    if (!sa)
        return diag_err(d, "no association with SPI %s", word[0]);
    sa->next_seq = (uint32_t)v[1];
    sa->last_seq = (uint32_t)v[2];
    sa->seen = v[3];
    sa->iv_prefix = (uint32_t)v[4];
    return 0;
}

static int radix_ipsec_lookup_write(struct element *e, const struct handler_spec *h,
                                    const char *value, size_t len, struct diag *d)
{
    const char *at = value, *end = value + len;
    struct sbuf line = SBUF_INIT;
    int rc = 0;

    while (rc == 0 && at < end) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));

        nl = nl ? nl : end;
        sbuf_reset(&line);
        sbuf_add(&line, at, (size_t)(nl - at));
        rc = write_counts(element_state(e), sbuf_text(&line), d);
        at = nl + 1;
    }
    sbuf_fini(&line);
    return rc;
}

static const struct handler_spec radix_ipsec_lookup_handlers[] = {
    IP_LOOKUP_HANDLERS,
    {.name = "associations",
     .help = "what associations have come to: SPI, sequence numbers, prefix of the IV",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_RAW,
     .read = radix_ipsec_lookup_read,
     .write = radix_ipsec_lookup_write},
    HANDLER_END,
};

ELEMENT(RadixIPsecLookup) = {
    .name = "RadixIPsecLookup",
    .state_size = sizeof(struct radix_ipsec_lookup),
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .counters = radix_ipsec_lookup_counters,
    .handlers = radix_ipsec_lookup_handlers,
    .configure = radix_ipsec_lookup_configure,
    .take_state = radix_ipsec_lookup_take_state,
    .cleanup = radix_ipsec_lookup_cleanup,
    .push = radix_ipsec_lookup_push,
};
