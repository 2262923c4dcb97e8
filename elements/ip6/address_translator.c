// SPDX-License-Identifier: BSD-3-Clause
/*
 * AddressTranslator -- NAT for IPv6: other addresses and ports in packets that pass
 *
 * Usage:    AddressTranslator(N [, PORTS, STATIC_1, ..., STATIC_N], DYNAMIC
 *                             [, DYNAMIC_PORTS, DIRECTION, POOL...])
 * Ports:    2 in, 2 out; push
 * Args:     N              number of static mappings; PORTS is left out when it is 0
 *           PORTS          whether static mappings are of ports, too
 *           STATIC         "INNER OUTER", or "INNER PORT OUTER PORT" with PORTS
 *           DYNAMIC        whether other packets make mappings as they come
 *           DYNAMIC_PORTS  whether these are of ports, too
 *           DIRECTION      whose packets make them: 0 (false) outward, 1 inward
 *           POOL           addresses to map to; with DYNAMIC_PORTS one "ADDRESS FIRST LAST"
 * Counters: drops  packets without a mapping, or of another protocol
 * Handlers: mappings  (r) dynamic mappings with ports: "ADDR PORT PEER PORT MAPPED-PORT"
 *           flows     (rw) all dynamic mappings in a form that can be written to another
 *                     AddressTranslator, see below
 * Example:  at :: AddressTranslator(0, true, true, 0, 2001:db8::1 1024 65535);
 *           FromDevice(0) -> Strip(14) -> [0]at[0] -> ...; c -> Strip(14) -> [1]at[1] -> ...
 * See also: ProtocolTranslator64, ProtocolTranslator46, IPRewriter
 *
 * Packets begin with their IPv6 header. In those of input 0, which go outward, the source is
 * replaced; in those of input 1 the destination. TCP, UDP and ICMPv6 are understood, right
 * behind the IPv6 header; the identifier of an echo takes the place of a port. Mappings stay
 * for good, but when there is no port left one that was idle for five minutes is given up.
 * They move to the next configuration if the pool there is the same.
 *
 * A line of `flows` is "port ADDR PORT PEER PORT MAPPED-PORT MS", where MS is for how many
 * milliseconds it was idle, or "address ADDR MAPPED-ADDR". What is written is added to what
 * is there; mappings to what is not in the pool are left out.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/net_headers.h"
#include "engine/words.h"

#include <stdlib.h>

#define IDLE_NS   300000000000ll
#define NS_PER_MS 1000000ll

enum { OUTWARD, INWARD };
enum { ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };
enum { NOTHING = UINT32_MAX, FIRST_ROOM = 64 };

/* One side of a flow. */
struct end {
    struct ip6_addr addr;
    uint16_t port; /* network byte order */
};

struct fixed {
    struct end inner, outer;
};

/* A dynamic mapping of addresses: free until `bound`. */
struct lease {
    struct ip6_addr pool, other;
    bool bound;
};

/* A dynamic mapping of ports; the mapped port is the first one plus its index. */
struct flow {
    struct end local, peer;
    uint32_t next; /* in the hash chain; index, or NOTHING */
    bool bound;    /* false: a gap, which is in no chain */
    int64_t used_ns;
};

struct address_translator {
    struct fixed *fixed; /* [n_fixed], in the router's arena, as is leases */
    struct lease *leases;
    uint32_t n_fixed, n_leases;
    bool fixed_ports, dynamic, dynamic_ports;
    uint8_t direction;

    struct ip6_addr pool;
    uint16_t first, last; /* ports, host byte order */
    struct flow *flows;   /* heap, [room]; moves to the next configuration */
    uint32_t *chains;     /* heap, [room] */
    uint32_t n_flows, room, seed;
    bool said_full, said_unknown;
};

enum { C_DROPS };
static const struct counter_spec address_translator_counters[] = {
    [C_DROPS] = {"drops", "packets without a mapping, or of another protocol"},
    {NULL, NULL},
};

static bool end_equal(const struct end *a, const struct end *b)
{
    return a->port == b->port && memcmp(&a->addr, &b->addr, sizeof a->addr) == 0;
}

/* --- arguments ------------------------------------------------------------------------ */

static const char *argument(const struct conf *c, uint32_t i)
{
    return i < (uint32_t)c->argc ? c->argv[i] : "";
}

static int get_bool(const struct conf *c, uint32_t i, bool *out, struct diag *d)
{
    return parse_bool(argument(c, i), out)
               ? 0
               : diag_err(d, "argument %u should be : bool", i);
}

static bool get_port(const char *s, uint16_t *port)
{
    uint64_t v;

    if (!parse_u64(s, 0, &v) || v > UINT16_MAX)
        return false;
    *port = be16((uint16_t)v);
    return true;
}

static int get_fixed(struct element *e, struct conf *c, uint32_t i, struct fixed *f,
                     struct diag *d)
{
    const struct address_translator *s = element_state(e);
    const char *const *w;
    int n = lang_split_words(c->scratch, argument(c, i), &w);
    int step = s->fixed_ports ? 2 : 1;

    if (n == 2 * step && parse_ip6(e, w[0], &f->inner.addr) &&
        parse_ip6(e, w[step], &f->outer.addr) &&
        (!s->fixed_ports ||
         (get_port(w[1], &f->inner.port) && get_port(w[3], &f->outer.port))))
        return 0;
    return diag_err(d, "argument %u should be : %s", i,
                    s->fixed_ports ? "<IP6Address> <port> <IP6Address> <port>"
                                   : "<IP6Address> <IP6Address>");
}

static int get_leases(struct element *e, struct conf *c, uint32_t from, struct diag *d)
{
    struct address_translator *s = element_state(e);
    uint32_t n = (uint32_t)c->argc > from ? (uint32_t)c->argc - from : 0;
    int rc = 0;

    s->leases = element_alloc(e, (n + 1) * sizeof *s->leases);
    if (!s->leases)
        return diag_err(d, "out of memory");
    for (s->n_leases = 0; s->n_leases < n; s->n_leases++)
        if (!parse_ip6(e, c->argv[from + s->n_leases], &s->leases[s->n_leases].pool))
            rc = diag_err(d, "argument %u should be : <IP6Address>", s->n_leases + 3);
    return rc;
}

static int get_pool(struct element *e, struct conf *c, uint32_t i, struct diag *d)
{
    struct address_translator *s = element_state(e);
    const char *const *w;
    int n = lang_split_words(c->scratch, argument(c, i), &w);

    if (n != 3 || !parse_ip6(e, w[0], &s->pool) || !get_port(w[1], &s->first) ||
        !get_port(w[2], &s->last))
        return diag_err(d, "argument 3 should be : <IP6Address> <unsigned char> "
                           "<unsigned char>");
    s->first = be16(s->first);
    s->last = be16(s->last);
    return s->first <= s->last ? 0 : diag_err(d, "port range is empty");
}

static int get_dynamic(struct element *e, struct conf *c, uint32_t at, struct diag *d)
{
    struct address_translator *s = element_state(e);
    bool inward = false;
    int rc = get_bool(c, at, &s->dynamic, d);

    if (rc < 0 || !s->dynamic)
        return rc;
    if (get_bool(c, at + 1, &s->dynamic_ports, d) < 0)
        rc = -1;
    if (get_bool(c, at + 2, &inward, d) < 0)
        rc = -1;
    s->direction = inward ? INWARD : OUTWARD;
    if ((s->dynamic_ports ? get_pool(e, c, at + 3, d) : get_leases(e, c, at + 3, d)) <
        0)
        rc = -1;
    return rc;
}

static int address_translator_configure(struct element *e, struct conf *c,
                                        struct diag *d)
{
    struct address_translator *s = element_state(e);
    uint64_t n = 0;
    int rc = 0;

    s->seed = element_random(e);
    if (!parse_u64(argument(c, 0), 0, &n) || n > (uint64_t)c->argc)
        return diag_err(d, "argument 0 should be : integer");
    s->n_fixed = (uint32_t)n;
    s->fixed = element_alloc(e, (s->n_fixed + 1) * sizeof *s->fixed);
    if (!s->fixed)
        return diag_err(d, "out of memory");
    if (!n)
        return get_dynamic(e, c, 1, d);
    if (!parse_bool(argument(c, 1), &s->fixed_ports))
        rc = diag_err(d, "argument 2 should be : bool");
    for (uint32_t i = 0; i < s->n_fixed; i++)
        if (get_fixed(e, c, 2 + i, &s->fixed[i], d) < 0)
            rc = -1;
    return get_dynamic(e, c, s->n_fixed + 2, d) < 0 ? -1 : rc;
}

/* --- mappings ------------------------------------------------------------------------- */

static uint32_t flow_hash(const struct address_translator *s, const struct end *local,
                          const struct end *peer)
{
    uint64_t h = s->seed, w[4];

    memcpy(w, &local->addr, 16);
    memcpy(w + 2, &peer->addr, 16);
    for (unsigned i = 0; i < 4; i++)
        h = ((h ^ w[i]) * 0x9e3779b97f4a7c15ull) ^ h >> 29;
    h = (h ^ ((uint32_t)local->port << 16 | peer->port)) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(h >> 32) & (s->room - 1);
}

static void flow_link(struct address_translator *s, uint32_t i)
{
    uint32_t *chain = &s->chains[flow_hash(s, &s->flows[i].local, &s->flows[i].peer)];

    s->flows[i].next = *chain;
    *chain = i;
}

static void flow_unlink(struct address_translator *s, uint32_t i)
{
    uint32_t *at = &s->chains[flow_hash(s, &s->flows[i].local, &s->flows[i].peer)];

    while (*at != i)
        at = &s->flows[*at].next;
    *at = s->flows[i].next;
}

static uint32_t flow_find(const struct address_translator *s, const struct end *local,
                          const struct end *peer)
{
    uint32_t i = s->room ? s->chains[flow_hash(s, local, peer)] : NOTHING;

    while (i != NOTHING && !(end_equal(&s->flows[i].local, local) &&
                             end_equal(&s->flows[i].peer, peer)))
        i = s->flows[i].next;
    return i;
}

static bool flow_grow(struct address_translator *s)
{
    uint32_t room = s->room ? 2 * s->room : FIRST_ROOM;
    struct flow *flows = realloc(s->flows, room * sizeof *flows);
    uint32_t *chains;

    if (!flows)
        return false;
    s->flows = flows;
    chains = realloc(s->chains, room * sizeof *chains);
    if (!chains)
        return false;
    s->chains = chains;
    s->room = room;
    memset(chains, 0xff, room * sizeof *chains);
    for (uint32_t i = 0; i < s->n_flows; i++)
        if (s->flows[i].bound)
            flow_link(s, i);
    return true;
}

/* A port for a new flow: the next one, or one that nobody has used for long among a few. */
static uint32_t flow_room(struct element *e, int64_t now)
{
    struct address_translator *s = element_state(e);
    uint32_t ports = s->last - s->first + 1u, at;
    enum { TRIES = 16 };

    if (s->n_flows < ports && (s->n_flows < s->room || flow_grow(s)))
        return s->n_flows++;
    for (unsigned i = 0; s->n_flows && i < TRIES; i++) {
        at = element_random(e) % s->n_flows;
        if (!s->flows[at].bound)
            return at;
        if (now - s->flows[at].used_ns > IDLE_NS) {
            flow_unlink(s, at);
            return at;
        }
    }
    if (!s->said_full)
        element_say(e, "AddressTranslator ran out of ports\n");
    s->said_full = true;
    return NOTHING;
}

/* Replace `local`, the side of the packet that is ours, by way of the flows. */
static bool map_port(struct element *e, unsigned direction, struct end *local,
                     const struct end *peer)
{
    struct address_translator *s = element_state(e);
    int64_t now = element_coarse_now(e);
    uint32_t i;

    if (direction != s->direction) {
        i = (uint32_t)be16(local->port) - s->first;
        if (memcmp(&local->addr, &s->pool, sizeof s->pool) != 0 || i >= s->n_flows ||
            !s->flows[i].bound || !end_equal(&s->flows[i].peer, peer))
            return false;
        *local = s->flows[i].local;
    } else {
        i = flow_find(s, local, peer);
        if (i == NOTHING) {
            i = flow_room(e, now);
            if (i == NOTHING)
                return false;
            s->flows[i] = (struct flow){.local = *local, .peer = *peer, .bound = true};
            flow_link(s, i);
        }
        *local = (struct end){s->pool, be16((uint16_t)(s->first + i))};
    }
    s->flows[i].used_ns = now;
    return true;
}

static bool map_address(struct address_translator *s, unsigned direction,
                        struct ip6_addr *local)
{
    bool forward = direction == s->direction;
    struct lease *unused = NULL;

    for (uint32_t i = 0; i < s->n_leases; i++) {
        struct lease *l = &s->leases[i];

        if (!l->bound)
            unused = unused ? unused : l;
        else if (memcmp(forward ? &l->other : &l->pool, local, sizeof *local) == 0) {
            *local = forward ? l->pool : l->other;
            return true;
        }
    }
    if (!forward || !unused)
        return false;
    unused->bound = true;
    unused->other = *local;
    *local = unused->pool;
    return true;
}

/* `has_port`: the local port is one, and not just nothing. */
static bool map_end(struct element *e, unsigned direction, struct end *local,
                    const struct end *peer, bool has_port)
{
    struct address_translator *s = element_state(e);

    for (uint32_t i = 0; i < s->n_fixed; i++) {
        const struct fixed *f = &s->fixed[i];
        const struct end *from = direction == OUTWARD ? &f->inner : &f->outer;
        const struct end *to = direction == OUTWARD ? &f->outer : &f->inner;

        if (memcmp(&from->addr, &local->addr, sizeof from->addr) != 0 ||
            (s->fixed_ports && (!has_port || from->port != local->port)))
            continue;
        local->addr = to->addr;
        local->port = s->fixed_ports ? to->port : local->port;
        return true;
    }
    if (!s->dynamic)
        return false;
    if (s->dynamic_ports)
        return has_port && map_port(e, direction, local, peer);
    return map_address(s, direction, &local->addr);
}

/* --- packets -------------------------------------------------------------------------- */

/* Where the transport header has its ports and checksum; 0: it has none of that. */
struct places {
    uint32_t ports[2], sum; /* source, destination */
};

/* False when the packet is of no protocol that we know, or too short. */
static bool find_places(const struct ip6_hdr *h, const uint8_t *at, uint32_t n,
                        struct places *where)
{
    *where = (struct places){{0, 2}, 0};
    switch (h->next) {
    case IP_PROTO_TCP:
        where->sum = 16;
        return n >= 18;
    case IP_PROTO_UDP:
        where->sum = 6;
        return n >= 8;
    case IP_PROTO_ICMP6:
        where->sum = 2;
        where->ports[0] = where->ports[1] = 0;
        if (n >= 8 && (at[0] == ECHO6_REQUEST || at[0] == ECHO6_REPLY))
            where->ports[0] = where->ports[1] = 4;
        return n >= 4;
    default:
        return false;
    }
}

static uint64_t addr_delta(const struct ip6_addr *was, const struct ip6_addr *is)
{
    uint64_t delta = 0;

    for (unsigned i = 0; i < 16; i += 4)
        delta += csum_delta32(load32(was->b + i), load32(is->b + i));
    return delta;
}

/* Put the new end of our side into the packet. */
static void replace_end(struct pkt *p, unsigned direction, const struct places *where,
                        const struct end *was, const struct end *is, bool has_port)
{
    uint8_t *at = p->data + sizeof(struct ip6_hdr);
    uint64_t delta = addr_delta(&was->addr, &is->addr);
    uint16_t sum;

    memcpy(p->data + (direction == OUTWARD ? 8 : 24), &is->addr, sizeof is->addr);
    if (has_port) {
        store16(at + where->ports[direction], is->port);
        delta += csum_delta16(was->port, is->port);
    }
    sum = csum_apply(load16(at + where->sum), delta);
    store16(at + where->sum, p->data[6] == IP_PROTO_UDP && !sum ? 0xffff : sum);
}

static verdict_t address_translator_one(struct element *e, unsigned direction,
                                        struct pkt *p)
{
    struct address_translator *s = element_state(e);
    struct end was = {.port = 0}, peer = {.port = 0}, is;
    bool has_port, icmp;
    struct places where;
    struct ip6_hdr h;
    const uint8_t *at;

    if (p->len < sizeof h || p->data[0] >> 4 != 6)
        return drop(e, C_DROPS);
    memcpy(&h, p->data, sizeof h);
    at = p->data + sizeof h;
    if (!find_places(&h, at, p->len - (uint32_t)sizeof h, &where)) {
        if (!s->said_unknown)
            element_say(e, " discard the packet, protocol unrecognized\n");
        s->said_unknown = true;
        return drop(e, C_DROPS);
    }
    icmp = h.next == IP_PROTO_ICMP6;
    has_port = !icmp || where.ports[0];
    was.addr = direction == OUTWARD ? h.src : h.dst;
    peer.addr = direction == OUTWARD ? h.dst : h.src;
    if (has_port)
        was.port = load16(at + where.ports[direction]);
    if (!icmp)
        peer.port = load16(at + where.ports[!direction]);
    is = was;
    if (pkt_writable(p) < 0 || !map_end(e, direction, &is, &peer, has_port))
        return drop(e, C_DROPS);
    replace_end(p, direction, &where, &was, &is, has_port);
    pkt_set_ip4(p, p->data, sizeof h);
    return 0;
}

static void address_translator_push(struct element *e, unsigned port, struct batch *b)
{
    struct batch out;

    out.n = 0;
    for (uint32_t i = 0; i < b->n; i++)
        if (address_translator_one(e, port, b->p[i]) >= 0)
            batch_add(&out, b->p[i]);
        else
            pkt_free(b->p[i]);
    out_push(e, port, &out);
}

/* --- life cycle ----------------------------------------------------------------------- */

static void address_translator_take_state(struct element *e, struct element *old)
{
    struct address_translator *s = element_state(e), *o = element_state(old);

    if (s->dynamic_ports && o->dynamic_ports && s->direction == o->direction &&
        s->first == o->first && s->last == o->last &&
        memcmp(&s->pool, &o->pool, sizeof s->pool) == 0) {
        s->flows = o->flows;
        s->chains = o->chains;
        s->n_flows = o->n_flows;
        s->room = o->room;
        s->seed = o->seed;
        o->flows = NULL;
        o->chains = NULL;
        o->n_flows = o->room = 0;
    }
    if (s->n_leases == o->n_leases && s->direction == o->direction)
        for (uint32_t i = 0; i < s->n_leases; i++)
            if (memcmp(&s->leases[i].pool, &o->leases[i].pool, 16) == 0)
                s->leases[i] = o->leases[i];
}

static void address_translator_cleanup(struct element *e)
{
    struct address_translator *s = element_state(e);

    free(s->flows);
    free(s->chains);
    s->flows = NULL;
    s->chains = NULL;
    s->n_flows = s->room = 0;
}

static int address_translator_mappings(struct element *e, const struct handler_spec *h,
                                       const char *param, struct sbuf *out,
                                       struct diag *d)
{
    const struct address_translator *s = element_state(e);
    char local[64], peer[64];

    for (uint32_t i = 0; i < s->n_flows; i++) {
        const struct flow *f = &s->flows[i];

        if (!f->bound)
            continue;
        sbuf_printf(out, "%s %u %s %u %u\n", unparse_ip6(&f->local.addr, local),
                    be16(f->local.port), unparse_ip6(&f->peer.addr, peer),
                    be16(f->peer.port), s->first + i);
    }
    return 0;
}

static int read_flows(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct address_translator *s = element_state(e);
    int64_t now = element_coarse_now(e);
    char local[64], peer[64];

    for (uint32_t i = 0; i < s->n_flows; i++) {
        const struct flow *f = &s->flows[i];

        if (f->bound)
            sbuf_printf(out, "port %s %u %s %u %u %lld\n",
                        unparse_ip6(&f->local.addr, local), be16(f->local.port),
                        unparse_ip6(&f->peer.addr, peer), be16(f->peer.port),
                        s->first + i, (long long)((now - f->used_ns) / NS_PER_MS));
    }
    for (uint32_t i = 0; i < s->n_leases; i++)
        if (s->leases[i].bound)
            sbuf_printf(out, "address %s %s\n", unparse_ip6(&s->leases[i].other, local),
                        unparse_ip6(&s->leases[i].pool, peer));
    return 0;
}

static bool next_addr(struct element *e, const char **text, struct ip6_addr *addr)
{
    char word[WORD_ROOM];

    return word_next(text, word) && parse_ip6(e, word, addr);
}

static bool next_end(struct element *e, const char **text, struct end *end)
{
    char word[WORD_ROOM];

    return next_addr(e, text, &end->addr) && word_next(text, word) &&
           get_port(word, &end->port);
}

/* Have flow `i`, with gaps before it if need be. False without memory. */
static bool flow_place(struct address_translator *s, uint32_t i)
{
    while (i >= s->room)
        if (!flow_grow(s))
            return false;
    while (s->n_flows <= i)
        s->flows[s->n_flows++] = (struct flow){.bound = false};
    return true;
}

/* "ADDR PORT PEER PORT MAPPED-PORT MS" */
static bool add_port(struct element *e, const char *line)
{
    struct address_translator *s = element_state(e);
    struct end local, peer;
    char word[WORD_ROOM];
    uint32_t i, old;
    uint16_t mapped;
    uint64_t ms;

    if (!next_end(e, &line, &local) || !next_end(e, &line, &peer) ||
        !word_next(&line, word) || !get_port(word, &mapped) ||
        !word_next(&line, word) || !parse_u64(word, 10, &ms) || ms > INT32_MAX ||
        word_next(&line, word))
        return false;
    mapped = be16(mapped);
    if (!s->dynamic_ports || mapped < s->first || mapped > s->last)
        return true; /* not in the pool */
    i = (uint32_t)mapped - s->first;
    if (!flow_place(s, i))
        return true;
    old = flow_find(s, &local, &peer);
    if (old != NOTHING) {
        flow_unlink(s, old);
        s->flows[old].bound = false;
    }
    if (s->flows[i].bound)
        flow_unlink(s, i);
    s->flows[i] = (struct flow){.local = local,
                                .peer = peer,
                                .bound = true,
                                .used_ns = element_coarse_now(e) -
                                           (int64_t)ms * NS_PER_MS};
    flow_link(s, i);
    return true;
}

/* "ADDR MAPPED-ADDR" */
static bool add_address(struct element *e, const char *line)
{
    struct address_translator *s = element_state(e);
    struct ip6_addr other, pool;
    struct lease *mine = NULL;
    char word[WORD_ROOM];

    if (!next_addr(e, &line, &other) || !next_addr(e, &line, &pool) ||
        word_next(&line, word))
        return false;
    for (uint32_t i = 0; i < s->n_leases; i++)
        if (memcmp(&s->leases[i].pool, &pool, sizeof pool) == 0)
            mine = &s->leases[i];
    if (!mine)
        return true; /* not in the pool */
    for (uint32_t i = 0; i < s->n_leases; i++)
        if (memcmp(&s->leases[i].other, &other, sizeof other) == 0)
            s->leases[i].bound = false;
    mine->bound = true;
    mine->other = other;
    return true;
}

static bool add_line(void *ctx, const char *line)
{
    char word[WORD_ROOM];

    if (!word_next(&line, word))
        return false;
    return strcmp(word, "port") == 0      ? add_port(ctx, line)
           : strcmp(word, "address") == 0 ? add_address(ctx, line)
                                          : false;
}

static int write_flows(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    return word_lines(value, len, add_line, e,
                      "port ADDR PORT PEER PORT MAPPED-PORT MS, or address ADDR "
                      "MAPPED-ADDR",
                      d);
}

static const struct handler_spec address_translator_handlers[] = {
    HANDLER_READER(address_translator_mappings, "mappings",
                   "dynamic mappings with ports"),
    {.name = "flows",
     .help = "all dynamic mappings, to be written to another one",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_RAW | HANDLER_EXPENSIVE,
     .read = read_flows,
     .write = write_flows},
    HANDLER_END,
};

ELEMENT(AddressTranslator) = {
    .name = "AddressTranslator",
    .state_size = sizeof(struct address_translator),
    .ports = "2/2",
    .processing = "h/h",
    .any_args = true,
    .counters = address_translator_counters,
    .handlers = address_translator_handlers,
    .configure = address_translator_configure,
    .take_state = address_translator_take_state,
    .cleanup = address_translator_cleanup,
    .push = address_translator_push,
};
