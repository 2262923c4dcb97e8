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
 * Each argument is a name and the addresses it stands for, at most one of each sort: IPv4
 * address, IPv4 prefix, IPv6 address, IPv6 prefix, Ethernet address. A prefix with bits
 * behind its mask, such as 10.0.0.1/24, is an address as well. The name of an interface
 * stands for its Ethernet address.
 *
 * A name can be used in place of an address in all configuration strings of the compound
 * element in which AddressInfo stands, and of those inside it. Where several sorts would
 * do, a suffix says which is meant: me:ip, me:ipnet, me:ip6, me:ip6net, me:eth.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/nameinfo.h"
#include "engine/platform.h"

/* Define a value of one sort; a different one that the name has here is a conflict. */
static void define(struct element *e, unsigned kind, const char *what, const char *name,
                   const void *value, size_t size, struct diag *d)
{
    uint8_t old[NAME_VALUE_MAX];

    if (name_query_here(e, kind, name, old, size) && memcmp(old, value, size) != 0)
        diag_warn(d, "\"%s\" %s conflict", name, what);
    if (name_define(e, kind, name, value, size) < 0)
        diag_err(d, "out of memory");
}

static void define_prefix(struct element *e, const char *name,
                          const struct ip_prefix *p, struct diag *d)
{
    define(e, NAME_IP_PREFIX, "IP address prefixes", name, p, sizeof *p, d);
    if (p->addr & ~p->mask)
        define(e, NAME_IP, "IP addresses", name, &p->addr, sizeof p->addr, d);
}

static void define_prefix6(struct element *e, const char *name,
                           const struct ip6_addr *a, unsigned bits, struct diag *d)
{
    struct name_ip6_prefix p = {.bits = bits};

    memcpy(p.addr, a->b, sizeof p.addr);
    define(e, NAME_IP6_PREFIX, "IPv6 address prefixes", name, &p, sizeof p, d);
}

static bool interface_mac(const struct element *e, const char *name,
                          struct ether_addr *mac)
{
    const struct platform *p = element_platform(e);

    for (unsigned i = 0; i < p->n_netdevs; i++)
        if (p->netdevs[i].name && strcmp(p->netdevs[i].name, name) == 0) {
            memcpy(mac->b, p->netdevs[i].mac, sizeof mac->b);
            return true;
        }
    return false;
}

static void define_address(struct element *e, const char *name, const char *s,
                           struct diag *d)
{
    struct ip_prefix prefix;
    struct ether_addr ether;
    struct ip6_addr ip6;
    uint32_t ip;
    unsigned bits;

    if (parse_ip(e, s, &ip))
        define(e, NAME_IP, "IP addresses", name, &ip, sizeof ip, d);
    else if (parse_ip_prefix(e, s, false, &prefix))
        define_prefix(e, name, &prefix, d);
    else if (parse_ip6(e, s, &ip6))
        define(e, NAME_IP6, "IPv6 addresses", name, &ip6, sizeof ip6, d);
    else if (parse_ip6_prefix(e, s, &ip6, &bits))
        define_prefix6(e, name, &ip6, bits, d);
    else if (parse_ether(e, s, &ether) || interface_mac(e, s, &ether))
        define(e, NAME_ETHER, "Ethernet addresses", name, &ether, sizeof ether, d);
    else
        diag_err(d, "\"%s\" '%s' is not a recognizable address", name, s);
}

static int address_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    size_t errors = d ? d->n_errors : 0;

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);

        if (n < 0)
            return diag_err(d, "out of memory");
        if (n == 1)
            diag_err(d, "expected 'NAME [ADDRS]', got '%s'", c->argv[i]);
        for (int k = 1; k < n; k++)
            define_address(e, words[0], words[k], d);
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
