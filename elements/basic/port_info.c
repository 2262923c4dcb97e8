// SPDX-License-Identifier: BSD-3-Clause
/*
 * PortInfo -- give names to TCP and UDP ports
 *
 * Usage:    PortInfo(NAME PORT[/PROTOCOL] [NAME ...], ...)
 * Ports:    none
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  PortInfo(api 8443/tcp); IPFilter(allow dst port api, deny all) ...
 * See also: AddressInfo
 *
 * PROTOCOL is tcp, udp or any other that has a name or a number; without one, the port is
 * TCP's and UDP's. Several names mean the same; '#' begins a comment. A name can be used in
 * place of a port in all configuration strings of the compound element in which PortInfo
 * stands, and of those inside it; where it is given twice, the last counts.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/nameinfo.h"

enum { TCP = 6, UDP = 17 };

/* "80", "80/tcp", "80/sctp". Returns whether it begins with a port; `*protocol` is then
 * NAME_PROTO_TCP_OR_UDP without a protocol, and -1 if that is unknown. */
static bool port_info_parse(struct element *e, char *text, uint16_t *port,
                            int64_t *protocol)
{
    char *slash = strchr(text, '/');
    uint32_t number;
    uint64_t v;

    *protocol = NAME_PROTO_TCP_OR_UDP;
    if (slash) {
        *slash = 0;
        *protocol = -1;
        if (name_query_int(e, NAME_IP_PROTO, slash + 1, &number) &&
            number <= NAME_PROTO_TCP_OR_UDP)
            *protocol = number;
    }
    if (!parse_u64(text, 0, &v) || v > 65535)
        return false;
    *port = (uint16_t)v;
    return true;
}

/* The names are those of `names`, up to a comment. */
static int port_info_define(struct element *e, const char *const *names, int n,
                            unsigned protocol, uint32_t port, struct diag *d)
{
    bool both = protocol == NAME_PROTO_TCP_OR_UDP;

    for (int i = 0; i < n && names[i][0] != '#'; i++)
        if (name_define(e, NAME_PORT + (both ? TCP : protocol), names[i], &port,
                        sizeof port) < 0 ||
            (both && name_define(e, NAME_PORT + UDP, names[i], &port, sizeof port) < 0))
            return diag_err(d, "out of memory");
    return 0;
}

static int port_info_one(struct element *e, const char *const *words, int n,
                         struct arena *scratch, struct diag *d)
{
    char *spec = n > 1 ? arena_strdup(scratch, words[1]) : NULL;
    int64_t protocol;
    uint16_t port;

    if (!spec || !port_info_parse(e, spec, &port, &protocol))
        return diag_err(d, "expected 'NAME PORT/PROTO'");
    if (protocol < 0)
        return 0; /* of no use here, but no mistake */
    if (port_info_define(e, words, 1, (unsigned)protocol, port, d) < 0)
        return -1;
    return port_info_define(e, words + 2, n - 2, (unsigned)protocol, port, d);
}

static int port_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);

        if (n > 0 && words[0][0] != '#' &&
            port_info_one(e, words, n, c->scratch, d) < 0)
            rc = -1;
    }
    return rc;
}

ELEMENT(PortInfo) = {
    .name = "PortInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
    .configure = port_info_configure,
};
