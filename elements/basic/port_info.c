// SPDX-License-Identifier: BSD-3-Clause
/*
 * PortInfo -- give names to TCP and UDP ports
 *
 * Usage:    PortInfo(NAME PORT[/PROTOCOL], ...)
 * Ports:    none
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  PortInfo(api 8443/tcp); IPFilter(allow dst port api, deny all) ...
 * See also: AddressInfo
 *
 * PROTOCOL is tcp, udp or tcpudp, the default. A name can be used in place of a port in
 * all configuration strings of the compound element in which PortInfo stands, and of
 * those inside it.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/nameinfo.h"

enum { TCP = 6, UDP = 17 };

/* "80", "80/tcp": sets which of the two protocols are meant. */
static bool parse_port_spec(char *s, uint16_t *port, bool *tcp, bool *udp)
{
    char *slash = strchr(s, '/');
    const char *protocol = slash ? slash + 1 : "tcpudp";
    uint64_t v;

    if (slash)
        *slash = 0;
    *tcp = strcmp(protocol, "udp") != 0;
    *udp = strcmp(protocol, "tcp") != 0;
    if (*tcp && *udp && strcmp(protocol, "tcpudp") != 0)
        return false;
    if (!parse_u64(s, 0, &v) || v > 65535)
        return false;
    *port = (uint16_t)v;
    return true;
}

static void define(struct element *e, const char *name, unsigned protocol,
                   uint16_t port, struct diag *d)
{
    uint32_t old, new = port;

    if (name_query_here(e, NAME_PORT + protocol, name, &old, sizeof old) && old != new)
        diag_warn(d, "\"%s\" %s ports conflict", name, protocol == TCP ? "TCP" : "UDP");
    if (name_define(e, NAME_PORT + protocol, name, &new, sizeof new) < 0)
        diag_err(d, "out of memory");
}

static int port_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    size_t errors = d ? d->n_errors : 0;

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);
        char *spec = n == 2 ? arena_strdup(c->scratch, words[1]) : NULL;
        uint16_t port;
        bool tcp, udp;

        if (n == 0)
            continue;
        if (!spec || !parse_port_spec(spec, &port, &tcp, &udp)) {
            diag_err(d, "expected 'NAME PORT[/PROTOCOL]', got '%s'", c->argv[i]);
            continue;
        }
        if (tcp)
            define(e, words[0], TCP, port, d);
        if (udp)
            define(e, words[0], UDP, port, d);
    }
    return d && d->n_errors != errors ? -1 : 0;
}

ELEMENT(PortInfo) = {
    .name = "PortInfo",
    .ports = "0/0",
    .any_args = true,
    .info = true,
    .configure = port_info_configure,
};
