// SPDX-License-Identifier: BSD-3-Clause
/* portspec.c -- what somebody wants of a port: see portspec.h */

#include "ctl/portspec.h"

#include "base/sbuf.h"
#include "base/suggest.h"
#include "ctl/json_get.h"
#include "ctl/names.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct port_config, member)

const struct portkind portkinds[] = {
    {PORT_TAP, "tap", "a network device of the kernel"},
    {PORT_PACKET, "packet", "an existing network interface (AF_PACKET)"},
    {PORT_XDP, "xdp",
     "an existing network interface (AF_XDP): faster, one queue of it"},
    {PORT_PCAP_IN, "pcap-in", "plays a pcap file"},
    {PORT_PCAP_OUT, "pcap-out", "writes a pcap file"},
    {PORT_GENERATOR, "gen", "generates UDP packets"},
    {PORT_SINK, "sink", "counts packets and measures latency and loss"},
    {.name = NULL},
};

const struct portkey portkeys[] = {
    {PORT_TAP, PORTKEY_STRING, "ifname", "the device's name; default the port's",
     AT(tap.ifname)},
    {PORT_TAP, PORTKEY_STRING, "netns", "network namespace of the device",
     AT(tap.netns)},
    {PORT_TAP, PORTKEY_MAC, "mac", "address of the kernel's side", AT(tap.mac)},
    {PORT_TAP, PORTKEY_U32, "mtu", "bytes of an IP packet", AT(tap.mtu)},
    {PORT_TAP, PORTKEY_BOOL, "down", "leave the device down", AT(tap.leave_down)},
    {PORT_TAP, PORTKEY_BOOL, "no_offload", "every packet whole, checksums done",
     AT(tap.no_offload)},
    {PORT_PACKET, PORTKEY_STRING, "ifname", "the interface's name", AT(packet.ifname)},
    {PORT_PACKET, PORTKEY_STRING, "netns", "network namespace of the interface",
     AT(packet.netns)},
    {PORT_XDP, PORTKEY_STRING, "ifname", "the interface's name", AT(xdp.ifname)},
    {PORT_XDP, PORTKEY_STRING, "netns", "network namespace of the interface",
     AT(xdp.netns)},
    {PORT_XDP, PORTKEY_U32, "queue", "of the interface; default 0", AT(xdp.queue)},
    {PORT_PCAP_IN, PORTKEY_PATH, "file", "the file to play", AT(pcap_in.path)},
    {PORT_PCAP_IN, PORTKEY_BOOL, "timed", "keep the recorded distances",
     AT(pcap_in.timed)},
    {PORT_PCAP_IN, PORTKEY_RATE, "speed", "of 'timed': 2 is twice as fast",
     AT(pcap_in.speed)},
    {PORT_PCAP_IN, PORTKEY_COUNT, "repeat", "how often to play it, or 'forever'",
     AT(pcap_in.repeat)},
    {PORT_PCAP_OUT, PORTKEY_PATH, "file", "the file to write", AT(pcap_out.path)},
    {PORT_PCAP_OUT, PORTKEY_U32, "snaplen", "bytes kept of a packet",
     AT(pcap_out.snaplen)},
    {PORT_GENERATOR, PORTKEY_RATE, "rate", "packets a second; default: all it can",
     AT(generator.rate_pps)},
    {PORT_GENERATOR, PORTKEY_U64, "count", "packets; default: without end",
     AT(generator.count)},
    {PORT_GENERATOR, PORTKEY_SIZES, "size", "bytes of a frame, as 64 or 64,1500",
     AT(generator.sizes)},
    {PORT_GENERATOR, PORTKEY_BOOL, "imix", "sizes as on the Internet",
     AT(generator.imix)},
    {PORT_GENERATOR, PORTKEY_U32, "flows", "addresses and ports vary so often",
     AT(generator.flows)},
    {PORT_GENERATOR, PORTKEY_U16, "stream", "tells generators apart at a sink",
     AT(generator.stream)},
    {PORT_GENERATOR, PORTKEY_MAC, "src_mac", "source address", AT(generator.src_mac)},
    {PORT_GENERATOR, PORTKEY_MAC, "dst_mac", "destination address; default broadcast",
     AT(generator.dst_mac)},
    {PORT_GENERATOR, PORTKEY_U32, "spread",
     "flows go round so many addresses, from dst_mac on", AT(generator.spread)},
    {PORT_GENERATOR, PORTKEY_IP, "src_ip", "source address", AT(generator.src_ip)},
    {PORT_GENERATOR, PORTKEY_IP, "dst_ip", "destination address", AT(generator.dst_ip)},
    {PORT_GENERATOR, PORTKEY_U16, "src_port", "source port of the first flow",
     AT(generator.src_port)},
    {PORT_GENERATOR, PORTKEY_U16, "dst_port", "destination port",
     AT(generator.dst_port)},
    {PORT_SINK, PORTKEY_U32, "max_flows", "flows that are followed one by one",
     AT(sink.max_flows)},
    {.name = NULL},
};

static const struct portkey *find_key(enum port_kind kind, const char *name)
{
    for (const struct portkey *k = portkeys; k->name; k++)
        if (k->kind == kind && !strcmp(k->name, name))
            return k;
    return NULL;
}

static int read_sizes(const json_t *o, const char *key, struct generator_config *g,
                      struct diag *d)
{
    const char *text = "";
    uint64_t one = 0;

    if (json_is_integer(json_object_get(o, key))) {
        if (json_get_u64(o, key, 64, 1900, &one, d) < 0)
            return -1;
        g->sizes[g->n_sizes++] = (uint16_t)one;
        return 0;
    }
    if (json_get_string(o, key, &text, d) < 0)
        return -1;
    for (;;) {
        char *end;
        unsigned long n = strtoul(text, &end, 10);

        if (end == text || (*end && *end != ',') || n < 64 || n > 1900)
            return diag_err(d, "'%s' must be sizes from 64 to 1900, as 64,1500", key);
        if (g->n_sizes == GENERATOR_SIZES)
            return diag_err(d, "'%s' takes at most %u sizes", key, GENERATOR_SIZES);
        g->sizes[g->n_sizes++] = (uint16_t)n;
        if (!*end)
            return 0;
        text = end + 1;
    }
}

static int read_ip(const json_t *o, const char *key, uint32_t *ip, struct diag *d)
{
    const char *text = "";
    struct in_addr a;

    if (json_get_string(o, key, &text, d) < 0)
        return -1;
    if (inet_pton(AF_INET, text, &a) != 1)
        return diag_err(d, "'%s' must be an IPv4 address", key);
    *ip = ntohl(a.s_addr);
    return 0;
}

static int read_number(struct spec_port *p, const struct portkey *k, struct diag *d)
{
    void *member = (char *)&p->config + k->offset;
    uint64_t n = 0, max = k->type == PORTKEY_U16   ? UINT16_MAX
                          : k->type == PORTKEY_U32 ? UINT32_MAX
                                                   : INT64_MAX;

    if (json_get_count(p->json, k->name, max, &n, d) < 0)
        return -1;
    if (k->type == PORTKEY_U16)
        *(uint16_t *)member = (uint16_t)n;
    else if (k->type == PORTKEY_U32)
        *(uint32_t *)member = (uint32_t)n;
    else
        *(uint64_t *)member = n;
    return 0;
}

static int read_count(struct spec_port *p, const struct portkey *k, struct diag *d)
{
    const char *text = json_string_value(json_object_get(p->json, k->name));

    if (text && strcmp(text, "forever") && (*text < '0' || *text > '9'))
        return diag_err(d, "'%s' must be a number or 'forever'", k->name);
    if (!text || strcmp(text, "forever"))
        return read_number(p, k, d);
    *(uint64_t *)(void *)((char *)&p->config + k->offset) = UINT64_MAX;
    return 0;
}

static int read_mac(struct spec_port *p, const struct portkey *k, struct diag *d)
{
    uint8_t *mac = k->kind == PORT_TAP ? p->tap_mac : (uint8_t *)&p->config + k->offset;
    const char *text = "";

    if (json_get_string(p->json, k->name, &text, d) < 0)
        return -1;
    if (!mac_parse(text, mac))
        return diag_err(d, "'%s' must be a MAC address of one host", k->name);
    return 0;
}

static int read_rate_member(struct spec_port *p, const struct portkey *k,
                            struct diag *d)
{
    void *member = (char *)&p->config + k->offset;
    double rate = 0;

    if (json_get_rate(p->json, k->name, &rate, d) < 0)
        return -1;
    *(double *)member = rate;
    return 0;
}

static int read_key(struct spec_port *p, const struct portkey *k, struct diag *d)
{
    void *member = (char *)&p->config + k->offset;

    switch (k->type) {
    case PORTKEY_STRING:
    case PORTKEY_PATH:
        return json_get_string(p->json, k->name, (const char **)member, d);
    case PORTKEY_BOOL:
        return json_get_bool(p->json, k->name, (bool *)member, d);
    case PORTKEY_RATE:
        return read_rate_member(p, k, d);
    case PORTKEY_MAC:
        return read_mac(p, k, d);
    case PORTKEY_IP:
        return read_ip(p->json, k->name, (uint32_t *)member, d);
    case PORTKEY_COUNT:
        return read_count(p, k, d);
    case PORTKEY_SIZES:
        return read_sizes(p->json, k->name, &p->config.generator, d);
    case PORTKEY_U16:
    case PORTKEY_U32:
    case PORTKEY_U64:
        break;
    }
    return read_number(p, k, d);
}

static int read_kind(struct spec_port *p, struct diag *d)
{
    const char *kind = NULL;
    struct suggest s;

    if (json_get_string(p->json, "kind", &kind, d) < 0)
        return -1;
    if (!kind)
        return diag_err(
            d, "a port needs a 'kind': tap, packet, xdp, pcap-in, pcap-out, gen "
               "or sink");
    suggest_init(&s, kind);
    for (const struct portkind *k = portkinds; k->name; k++) {
        if (!strcmp(k->name, kind)) {
            p->config.kind = k->kind;
            return 0;
        }
        suggest_add(&s, k->name);
    }
    if (s.best)
        return diag_err(d, "'%.40s' is no kind of port: did you mean '%s'?", kind,
                        s.best);
    return diag_err(d,
                    "'%.40s' is no kind of port: use tap, packet, xdp, pcap-in, "
                    "pcap-out, gen or sink",
                    kind);
}

static int unknown_key(const struct spec_port *p, const char *key, struct diag *d)
{
    struct suggest s;

    suggest_init(&s, key);
    for (const struct portkey *k = portkeys; k->name; k++)
        if (k->kind == p->config.kind)
            suggest_add(&s, k->name);
    for (const struct portset_key *k = portset_keys; k->name; k++)
        suggest_add(&s, k->name);
    if (s.best)
        return diag_err(d, "a port of this kind has no key '%.40s': did you mean '%s'?",
                        key, s.best);
    return diag_err(
        d, "a port of this kind has no key '%.40s': see clickos port add -h", key);
}

const uint8_t *spec_port_mac(const struct spec_port *p)
{
    return p->config.kind == PORT_TAP ? p->config.tap.mac : NULL;
}

static int read_keys(struct spec_port *p, struct diag *d)
{
    const char *key;
    json_t *value;

    json_object_foreach(p->json, key, value)
    {
        const struct portkey *k;

        if (!strcmp(key, "name") || !strcmp(key, "kind") || !strcmp(key, "network") ||
            json_is_null(value) || portset_has(key))
            continue;
        k = find_key(p->config.kind, key);
        if (!k)
            return unknown_key(p, key, d);
        if (read_key(p, k, d) < 0)
            return -1;
        if (k->type == PORTKEY_MAC && k->kind == PORT_TAP)
            p->config.tap.mac = p->tap_mac;
    }
    if (portset_read(&p->set, p->json, spec_port_mac(p), d) < 0)
        return -1;
    p->config.settings = p->set.settings;
    return 0;
}

/* What a kind cannot do without. */
static int check_needs(const struct port_config *c, struct diag *d)
{
    if ((c->kind == PORT_PACKET && !c->packet.ifname) ||
        (c->kind == PORT_XDP && !c->xdp.ifname))
        return diag_err(d, "port '%s' needs ifname=NAME, an existing interface",
                        c->name);
    if ((c->kind == PORT_PCAP_IN && !c->pcap_in.path) ||
        (c->kind == PORT_PCAP_OUT && !c->pcap_out.path))
        return diag_err(d, "port '%s' needs file=PATH", c->name);
    return 0;
}

int spec_port_read(struct spec_port *p, const char *text, size_t len, struct diag *d)
{
    *p = (struct spec_port){.json = json_get_object(text, len, d)};
    p->config.name = "";
    if (p->json && json_get_string(p->json, "name", &p->config.name, d) == 0 &&
        name_check("port", p->config.name, false, d) == 0 &&
        json_get_string(p->json, "network", &p->network, d) == 0 &&
        read_kind(p, d) == 0 && read_keys(p, d) == 0 && check_needs(&p->config, d) == 0)
        return 0;
    spec_port_fini(p);
    return -1;
}

void spec_port_fini(struct spec_port *p)
{
    json_decref(p->json);
    *p = (struct spec_port){0};
}
