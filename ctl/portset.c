// SPDX-License-Identifier: BSD-3-Clause
/* portset.c -- what can be said of every port: see portset.h */

#include "ctl/portset.h"

#include "base/suggest.h"
#include "ctl/json_get.h"
#include "ctl/names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member)    offsetof(struct portset, member)
#define MEMBER(type_) ((type_ *)(void *)((char *)p + k->offset))

static int read_bool(struct portset *p, const struct portset_key *k, const json_t *o,
                     const uint8_t *own, struct diag *d)
{
    (void)own;
    return json_get_bool(o, k->name, MEMBER(bool), d);
}

/* Into both members, if there are two. */
static int read_rate(struct portset *p, const struct portset_key *k, const json_t *o,
                     const uint8_t *own, struct diag *d)
{
    double rate = 0;

    (void)own;
    if (json_get_rate(o, k->name, &rate, d) < 0)
        return -1;
    *MEMBER(uint64_t) = (uint64_t)rate;
    if (k->offset_too)
        memcpy((char *)p + k->offset_too, MEMBER(uint64_t), sizeof(uint64_t));
    return 0;
}

static int read_size(struct portset *p, const struct portset_key *k, const json_t *o,
                     const uint8_t *own, struct diag *d)
{
    (void)own;
    return json_get_count(o, k->name, UINT64_C(1) << 40, MEMBER(uint64_t), d);
}

/* ---- lists ----------------------------------------------------------------------- */

typedef int add_item(struct portset *p, const struct portset_key *k, const char *text,
                     const uint8_t *own, struct diag *d);

/* "a,b" */
static int add_each(struct portset *p, const struct portset_key *k, const char *text,
                    const uint8_t *own, add_item *add, struct diag *d)
{
    while (*text) {
        size_t len = strcspn(text, ",");
        char item[64];

        if (len >= sizeof item)
            return diag_err(d, "'%s': '%.40s...' is no address", k->name, text);
        memcpy(item, text, len);
        item[len] = '\0';
        if (add(p, k, item, own, d) < 0)
            return -1;
        text += len + (text[len] == ',');
    }
    return 0;
}

static int read_list(struct portset *p, const struct portset_key *k, const json_t *o,
                     const uint8_t *own, add_item *add, struct diag *d)
{
    const json_t *list = json_object_get(o, k->name), *item;
    size_t i;

    if (json_is_string(list))
        return add_each(p, k, json_string_value(list), own, add, d);
    if (!json_is_array(list))
        return diag_err(d, "'%s' must be a list of addresses", k->name);
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            return diag_err(d, "'%s' must be a list of addresses", k->name);
        if (add_each(p, k, json_string_value(item), own, add, d) < 0)
            return -1;
    }
    return 0;
}

static int full(const struct portset_key *k, struct diag *d)
{
    return diag_err(d, "'%s' takes at most %u addresses", k->name, PORT_MAX_ALLOWED);
}

static int add_mac(const struct portset_key *k, const char *text, const uint8_t *own,
                   uint8_t (*macs)[6], uint32_t *n, struct diag *d)
{
    if (*n == PORT_MAX_ALLOWED)
        return full(k, d);
    if (!strcmp(text, "own")) {
        if (!own)
            return diag_err(d,
                            "'%s': 'own' is for interfaces of VMs, and taps with "
                            "mac=: name the address",
                            k->name);
        memcpy(macs[*n], own, 6);
    } else if (!mac_parse(text, macs[*n])) {
        return diag_err(d, "'%s': '%.40s' is no MAC address of one host", k->name,
                        text);
    }
    ++*n;
    return 0;
}

static int add_allowed_mac(struct portset *p, const struct portset_key *k,
                           const char *text, const uint8_t *own, struct diag *d)
{
    struct port_allow *a = &p->settings.allow;

    return add_mac(k, text, own, a->macs, &a->n_macs, d);
}

static int add_static_mac(struct portset *p, const struct portset_key *k,
                          const char *text, const uint8_t *own, struct diag *d)
{
    return add_mac(k, text, own, p->static_macs, &p->n_static, d);
}

/* "/24" of an address of `bits` bits: how many are free. */
static bool parse_free(const char *slash, unsigned bits, uint8_t *n_free)
{
    char *end = NULL;
    unsigned long n = slash ? strtoul(slash + 1, &end, 10) : bits;

    if (slash && (slash[1] < '0' || slash[1] > '9' || *end || n > bits))
        return false;
    *n_free = (uint8_t)(bits - n);
    return true;
}

static bool is_prefix(const uint8_t *ip, unsigned len, unsigned n_free)
{
    for (unsigned i = 0; i < n_free; i++)
        if (ip[len - 1 - i / 8] >> i % 8 & 1)
            return false;
    return true;
}

/* An address of `family`, "10.0.0.0/24" or "10.0.0.1". 0: it is none. */
static int parse_prefix(const char *text, int family, uint8_t ip[16], uint8_t *n_free)
{
    unsigned len = family == AF_INET ? 4 : 16;
    const char *slash = strchr(text, '/');
    char address[64];

    snprintf(address, sizeof address, "%.*s",
             (int)(slash ? (size_t)(slash - text) : strlen(text)), text);
    return inet_pton(family, address, ip) == 1 && parse_free(slash, 8 * len, n_free);
}

static int add_allowed_ip(struct portset *p, const struct portset_key *k,
                          const char *text, const uint8_t *own, struct diag *d)
{
    struct port_allow *a = &p->settings.allow;
    uint8_t ip[16], n_free;
    bool is_ip4 = parse_prefix(text, AF_INET, ip, &n_free);
    uint32_t *n = is_ip4 ? &a->n_ip4 : &a->n_ip6, be;

    (void)own;
    if (!is_ip4 && !parse_prefix(text, AF_INET6, ip, &n_free))
        return diag_err(d, "'%s': '%.40s' is no IPv4 or IPv6 address or prefix",
                        k->name, text);
    if (!is_prefix(ip, is_ip4 ? 4 : 16, n_free))
        return diag_err(d, "'%s': '%.40s' has bits behind its prefix", k->name, text);
    if (*n == PORT_MAX_ALLOWED)
        return full(k, d);
    memcpy(&be, ip, sizeof be);
    if (is_ip4)
        a->ip4[*n] = ntohl(be);
    else
        memcpy(a->ip6[*n], ip, 16);
    (is_ip4 ? a->ip4_free : a->ip6_free)[*n] = n_free;
    ++*n;
    a->other_family_refused = true;
    return 0;
}

static int read_allowed_macs(struct portset *p, const struct portset_key *k,
                             const json_t *o, const uint8_t *own, struct diag *d)
{
    return read_list(p, k, o, own, add_allowed_mac, d);
}

static int read_allowed_ips(struct portset *p, const struct portset_key *k,
                            const json_t *o, const uint8_t *own, struct diag *d)
{
    return read_list(p, k, o, own, add_allowed_ip, d);
}

static int read_static_macs(struct portset *p, const struct portset_key *k,
                            const json_t *o, const uint8_t *own, struct diag *d)
{
    return read_list(p, k, o, own, add_static_mac, d);
}

/* ---- the table ------------------------------------------------------------------- */

#define IN(member)  AT(settings.in.member)
#define OUT(member) AT(settings.out.member)

/* Limits either way stand first, so that those of one direction go before them. */
const struct portset_key portset_keys[] = {
    {"disabled", "takes and gives nothing", read_bool, AT(settings.disabled), 0},
    {"promiscuous", "gets a copy of all packets of its network", read_bool,
     AT(settings.promiscuous), 0},
    {"pps", "limit either way, packets a second", read_rate, IN(pps), OUT(pps)},
    {"bps", "limit either way, bits a second", read_rate, IN(bps), OUT(bps)},
    {"in_pps", "limit inwards, packets a second: more wait", read_rate, IN(pps), 0},
    {"in_bps", "limit inwards, bits a second", read_rate, IN(bps), 0},
    {"in_burst", "packets at once; default 10 ms' worth, 64 at least", read_size,
     IN(burst_packets), 0},
    {"in_burst_bytes", "bytes at once", read_size, IN(burst_bytes), 0},
    {"out_pps", "limit outwards, packets a second: more are dropped", read_rate,
     OUT(pps), 0},
    {"out_bps", "limit outwards, bits a second", read_rate, OUT(bps), 0},
    {"out_burst", "packets at once", read_size, OUT(burst_packets), 0},
    {"out_burst_bytes", "bytes at once", read_size, OUT(burst_bytes), 0},
    {"storm_pps", "limit inwards of what goes to many, packets a second", read_rate,
     AT(settings.storm_pps[STORM_ALL]), 0},
    {"broadcast_pps", "of broadcasts alone", read_rate,
     AT(settings.storm_pps[STORM_BROADCAST]), 0},
    {"multicast_pps", "of multicasts alone", read_rate,
     AT(settings.storm_pps[STORM_MULTICAST]), 0},
    {"unknown_pps", "of packets to addresses that are not known alone", read_rate,
     AT(settings.storm_pps[STORM_UNKNOWN]), 0},
    {"allow_mac", "source addresses it may use, or 'own'", read_allowed_macs, 0, 0},
    {"allow_ip", "source IP addresses or prefixes, in ARP and ND too", read_allowed_ips,
     0, 0},
    {"static_mac", "addresses that are always behind it", read_static_macs, 0, 0},
    {.name = NULL},
};

bool portset_has(const char *key)
{
    for (const struct portset_key *k = portset_keys; k->name; k++)
        if (!strcmp(k->name, key))
            return true;
    return false;
}

int portset_read(struct portset *p, const json_t *o, const uint8_t *own, struct diag *d)
{
    struct portset new = {.n_static = 0};

    for (const struct portset_key *k = portset_keys; k->name; k++) {
        const json_t *v = json_object_get(o, k->name);

        if (v && !json_is_null(v) && k->read(&new, k, o, own, d) < 0)
            return -1;
    }
    *p = new;
    return 0;
}

json_t *portset_filter(const json_t *o)
{
    json_t *out = json_object();

    for (const struct portset_key *k = portset_keys; k->name; k++)
        if (json_object_get(o, k->name))
            json_object_set(out, k->name, json_object_get(o, k->name));
    return out;
}

static int unknown(const char *key, struct diag *d)
{
    struct suggest s;

    suggest_init(&s, key);
    for (const struct portset_key *k = portset_keys; k->name; k++)
        suggest_add(&s, k->name);
    if (s.best)
        return diag_err(d, "'%.40s' is no setting of a port: did you mean '%s'?", key,
                        s.best);
    return diag_err(d, "'%.40s' is no setting of a port: see clickos port set -h", key);
}

/* A limit either way takes the place of what was said of one way before. */
static void forget_ways(json_t *o, const json_t *change, const char *key)
{
    static const char *const ways[] = {"in", "out"};
    char way[16];

    if (strcmp(key, "pps") && strcmp(key, "bps"))
        return;
    for (int i = 0; i < 2; i++) {
        snprintf(way, sizeof way, "%s_%s", ways[i], key);
        if (!json_object_get(change, way))
            json_object_del(o, way);
    }
}

json_t *portset_merge(const json_t *had, const json_t *change, struct diag *d)
{
    json_t *out = had ? json_copy((json_t *)(uintptr_t)had) : json_object(), *value;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)change, key, value)
    {
        if (!portset_has(key)) {
            unknown(key, d);
            json_decref(out);
            return NULL;
        }
        if (json_is_null(value))
            json_object_del(out, key);
        else
            json_object_set(out, key, value);
        forget_ways(out, change, key);
    }
    return out;
}

/* ---- describing ------------------------------------------------------------------ */

static void put_number(json_t *o, const char *key, uint64_t value)
{
    if (value)
        json_object_set_new(o, key, json_integer((json_int_t)value));
}

static void put_macs(json_t *o, const char *key, const uint8_t (*macs)[6], uint32_t n)
{
    json_t *list = json_array();
    char text[MAC_TEXT];

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(mac_format(macs[i], text)));
    if (n)
        json_object_set(o, key, list);
    json_decref(list);
}

static void put_ip(json_t *list, int family, const void *ip, unsigned n_free)
{
    unsigned bits = family == AF_INET ? 32 : 128;
    char text[INET6_ADDRSTRLEN];

    inet_ntop(family, ip, text, sizeof text);
    json_array_append_new(list, n_free ? json_sprintf("%s/%u", text, bits - n_free)
                                       : json_string(text));
}

static void put_ips(json_t *o, const struct port_allow *a)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < a->n_ip4; i++) {
        struct in_addr ip = {htonl(a->ip4[i])};

        put_ip(list, AF_INET, &ip, a->ip4_free[i]);
    }
    for (uint32_t i = 0; i < a->n_ip6; i++)
        put_ip(list, AF_INET6, a->ip6[i], a->ip6_free[i]);
    if (json_array_size(list))
        json_object_set(o, "allow_ip", list);
    json_decref(list);
}

json_t *portset_describe(const struct portset *p)
{
    const struct rate_limit *in = &p->settings.in, *out = &p->settings.out;
    json_t *o = json_object();

    if (p->settings.disabled)
        json_object_set_new(o, "disabled", json_true());
    if (p->settings.promiscuous)
        json_object_set_new(o, "promiscuous", json_true());
    put_number(o, "in_pps", in->pps);
    put_number(o, "in_bps", in->bps);
    put_number(o, "in_burst", in->burst_packets);
    put_number(o, "in_burst_bytes", in->burst_bytes);
    put_number(o, "out_pps", out->pps);
    put_number(o, "out_bps", out->bps);
    put_number(o, "out_burst", out->burst_packets);
    put_number(o, "out_burst_bytes", out->burst_bytes);
    put_number(o, "storm_pps", p->settings.storm_pps[STORM_ALL]);
    put_number(o, "broadcast_pps", p->settings.storm_pps[STORM_BROADCAST]);
    put_number(o, "multicast_pps", p->settings.storm_pps[STORM_MULTICAST]);
    put_number(o, "unknown_pps", p->settings.storm_pps[STORM_UNKNOWN]);
    put_macs(o, "allow_mac", p->settings.allow.macs, p->settings.allow.n_macs);
    put_ips(o, &p->settings.allow);
    put_macs(o, "static_mac", p->static_macs, p->n_static);
    return o;
}
