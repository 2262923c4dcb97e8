// SPDX-License-Identifier: BSD-3-Clause
/*
 * AddressInfo -- give names to addresses
 *
 * Usage:    AddressInfo(NAME ADDRESS..., ...)
 * Ports:    none
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  AddressInfo(me 10.0.0.1/24 00:01:02:03:04:05, web 10.0.0.80);
 *           ARPResponder(me) ...; IPFilter(allow dst host web, deny all) ...
 * See also: PortInfo
 *
 * Each argument is a name and the addresses it stands for, one of each sort: IPv4 address,
 * IPv4 prefix, IPv6 address, IPv6 prefix, Ethernet address; of several the last. A prefix
 * with bits behind its mask, such as 10.0.0.1/24, is an address as well, if there is no
 * other.
 *
 * A name can be used in place of an address in all configuration strings of the compound
 * element in which AddressInfo stands, and of those inside it. Where several sorts would
 * do, a suffix says which is meant: me:ip, me:ipnet, me:ip6, me:ip6net, me:eth. Of a prefix
 * there are also the broadcast address, me:bcast, and the first address, me:gw.
 *
 * Without AddressInfo, the name of an interface stands for its Ethernet address and in the
 * `click` program also for its IPv4 address and network; there eth0:gw is the gateway of its
 * default route.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/nameinfo.h"

enum {
    SORT_IP = 1,
    SORT_IP_PREFIX = 2,
    SORT_IP6 = 4,
    SORT_IP6_PREFIX = 8,
    SORT_ETHER = 16
};

/* What one word can be understood as. */
struct address {
    unsigned sorts;
    struct ip_prefix ip;
    struct name_ip6_prefix ip6;
    struct ether_addr ether;
};

/* Whether an IPv6 address has bits behind the first `bits`. */
static bool has_host_part(const uint8_t *addr, uint32_t bits)
{
    for (uint32_t i = bits; i < 128; i++)
        if (addr[i / 8] & 0x80 >> i % 8)
            return true;
    return false;
}

static void understand(struct element *e, const char *word, struct address *a)
{
    struct ip6_addr ip6;
    unsigned bits;

    a->sorts = 0;
    if (parse_ether(e, word, &a->ether))
        a->sorts |= SORT_ETHER;
    if (parse_ip(e, word, &a->ip.addr)) {
        a->sorts |= SORT_IP;
    } else if (parse_ip_prefix(e, word, false, &a->ip)) {
        a->sorts |= SORT_IP_PREFIX;
        a->sorts |= a->ip.addr & ~a->ip.mask ? SORT_IP : 0;
    }
    if (parse_ip6(e, word, &ip6)) {
        a->sorts |= SORT_IP6;
    } else if (parse_ip6_prefix(e, word, &ip6, &bits)) {
        a->sorts |= SORT_IP6_PREFIX;
        a->ip6.bits = bits;
        a->sorts |= has_host_part(ip6.b, bits) ? SORT_IP6 : 0;
    } else {
        return;
    }
    memcpy(a->ip6.addr, ip6.b, sizeof a->ip6.addr);
}

/* Let `name` stand for what `a` is. Words of several sorts leave alone what the name is
 * already: *sorts, which is brought up to date. */
static void define(struct element *e, const char *name, const struct address *a,
                   unsigned *sorts, struct diag *d)
{
    const struct {
        unsigned sort, kind;
        const void *value;
        size_t size;
    } parts[] = {
        {SORT_ETHER, NAME_ETHER, &a->ether, sizeof a->ether},
        {SORT_IP, NAME_IP, &a->ip.addr, sizeof a->ip.addr},
        {SORT_IP_PREFIX, NAME_IP_PREFIX, &a->ip, sizeof a->ip},
        {SORT_IP6, NAME_IP6, a->ip6.addr, sizeof a->ip6.addr},
        {SORT_IP6_PREFIX, NAME_IP6_PREFIX, &a->ip6, sizeof a->ip6},
    };
    bool one = (a->sorts & (a->sorts - 1)) == 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if ((a->sorts & parts[i].sort) && (one || !(*sorts & parts[i].sort)) &&
            name_define(e, parts[i].kind, name, parts[i].value, parts[i].size) < 0)
            diag_err(d, "out of memory");
    *sorts |= a->sorts;
}

static int address_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    size_t errors = d ? d->n_errors : 0;

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);

        unsigned sorts = 0;

        if (n < 0)
            return diag_err(d, "out of memory");
        if (n == 1)
            diag_err(d, "expected 'NAME [ADDRS]'");
        for (int k = 1; k < n; k++) {
            struct address a = {0};

            understand(e, words[k], &a);
            if (!a.sorts)
                diag_err(d, "'%s' is not a recognizable address", words[k]);
            define(e, words[0], &a, &sorts, d);
        }
    }
    return d && d->n_errors != errors ? -1 : 0;
}

ELEMENT(AddressInfo) = {
    .name = "AddressInfo",
    .ports = "0/0",
    .any_args = true,
    .info = true,
    .configure = address_info_configure,
};
