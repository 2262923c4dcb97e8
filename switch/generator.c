// SPDX-License-Identifier: BSD-3-Clause
/*
 * generator.c -- a port that makes packets: UDP over IPv4, numbered and with a time
 *
 * Packets lie ready in memory of the port, one for each place in a batch; what changes
 * from one to the next is written anew: length, flow, sequence number, time.
 */

#include "switch/plane.h"
#include "switch/probe.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { IMIX_LEN = 12, BEHIND_NS = 10000000 };

static const uint16_t imix[IMIX_LEN] = {64, 594,  64, 64,  594, 64,
                                        64, 1518, 64, 594, 64,  594};

struct generator {
    struct port port;
    struct generator_config config;
    const uint16_t *sizes; /* the config's or imix */
    uint32_t n_sizes, next_size, next_flow;
    uint8_t *packets; /* owned: FRAME_BATCH, `stride` bytes apart */
    size_t stride;
    uint64_t *sequences; /* owned: of the flows */
    uint64_t sent, start_ns, sent_since;
};

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static void set_ip_checksum(uint8_t *ip)
{
    uint32_t sum = 0;

    put16(ip + 10, 0);
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~sum);
}

/* What is the same in all packets. */
static void fill_template(const struct generator_config *c, uint8_t *b)
{
    memcpy(b, c->dst_mac, 6);
    memcpy(b + 6, c->src_mac, 6);
    put16(b + 12, 0x0800);
    b[14] = 0x45;
    b[22] = 64; /* TTL */
    b[23] = 17; /* UDP */
    put32(b + 30, c->dst_ip);
    put16(b + 36, c->dst_port);
}

/* What depends on length and flow. Flows differ in 1024 ports, then in the address. */
static void set_flow(const struct generator_config *c, uint8_t *b, uint32_t len,
                     uint32_t flow)
{
    if (c->spread > 1)
        put16(b + 4, ((uint32_t)c->dst_mac[4] << 8 | c->dst_mac[5]) + flow % c->spread);
    put16(b + 16, len - 14);
    put32(b + 26, c->src_ip + (flow >> 10));
    put16(b + 34, c->src_port + (flow & 1023));
    put16(b + 38, len - 34);
    set_ip_checksum(b + 14);
}

/* Packets that may go now at the rate. */
static unsigned due(struct generator *g, uint64_t now, unsigned max)
{
    const struct generator_config *c = &g->config;
    uint64_t left = c->count ? c->count - g->sent : UINT64_MAX;
    double owed;

    if (left < max)
        max = (unsigned)left;
    if (c->rate_pps <= 0)
        return max;
    if (g->start_ns == 0)
        g->start_ns = now;
    owed = (double)(now - g->start_ns) * c->rate_pps / 1e9 + 1 - (double)g->sent_since;
    if (owed * 1e9 / c->rate_pps > BEHIND_NS && owed > 2 * FRAME_BATCH) {
        /* Too slow for the rate, or held up: do not make up for it in one burst. */
        g->start_ns = now;
        g->sent_since = 0;
        owed = 1;
    }
    if (owed < 1) {
        double next = (double)g->sent_since * 1e9 / c->rate_pps;

        g->port.due_ns = g->start_ns + (uint64_t)next + 1;
        return 0;
    }
    return owed < max ? (unsigned)owed : max;
}

static void make_packet(struct generator *g, struct frame *f, uint8_t *b, uint64_t now)
{
    const struct generator_config *c = &g->config;
    uint32_t len = g->sizes[g->next_size], flow = g->next_flow;
    struct probe probe = {PROBE_MAGIC, c->stream, (uint16_t)flow, g->sequences[flow]++,
                          now};

    if (g->n_sizes > 1 || c->flows > 1)
        set_flow(c, b, len, flow);
    memcpy(b + PROBE_AT, &probe, sizeof probe);
    if (++g->next_size == g->n_sizes)
        g->next_size = 0;
    if (++g->next_flow == c->flows)
        g->next_flow = 0;
    *f = (struct frame){.data = b, .len = len, .total = len, .parts = 1};
}

static unsigned generator_rx(struct port *p, struct worker *w, struct frame *frames,
                             unsigned max)
{
    struct generator *g = (struct generator *)p;
    uint64_t now = plane_clock_ns();
    unsigned n = due(g, worker_now(w), max);

    for (unsigned i = 0; i < n; i++)
        make_packet(g, &frames[i], g->packets + i * g->stride, now);
    g->sent += n;
    g->sent_since += n;
    if (g->config.count && g->sent >= g->config.count)
        port_report(p, EVENT_PORT_DONE, "%llu packets sent",
                    (unsigned long long)g->sent);
    return n;
}

/* After a pause, by being disabled for one, the rate counts from now. */
static void generator_settle(struct port *p, uint64_t now)
{
    struct generator *g = (struct generator *)p;

    g->start_ns = now;
    g->sent_since = 0;
}

static void generator_free(struct port *p)
{
    struct generator *g = (struct generator *)p;

    free(g->packets);
    free(g->sequences);
    free(g);
}

static const struct port_ops generator_ops = {
    .kind = PORT_GENERATOR,
    .rx = generator_rx,
    .settle = generator_settle,
    .free = generator_free,
};

static bool is_zero(const uint8_t mac[6])
{
    static const uint8_t none[6];

    return memcmp(mac, none, 6) == 0;
}

static void set_defaults(struct generator_config *c)
{
    const uint8_t src[6] = {2, 0, 0, 0, (uint8_t)(c->stream >> 8), (uint8_t)c->stream};

    if (c->n_sizes == 0) {
        c->n_sizes = 1;
        c->sizes[0] = 64;
    }
    c->flows = c->flows ? c->flows : 1;
    if (is_zero(c->src_mac))
        memcpy(c->src_mac, src, 6);
    if (is_zero(c->dst_mac))
        memset(c->dst_mac, 0xff, 6);
    c->src_ip = c->src_ip ? c->src_ip : 0x0a000001;
    c->dst_ip = c->dst_ip ? c->dst_ip : 0x0a000002;
    c->src_port = c->src_port ? c->src_port : 1024;
    c->dst_port = c->dst_port ? c->dst_port : 9;
}

static int check(const struct generator_config *c, struct diag *d)
{
    if (c->rate_pps < 0)
        return diag_err(d, "rate %g is below 0", c->rate_pps);
    if (c->n_sizes > GENERATOR_SIZES)
        return diag_err(d, "%u sizes are more than %u", c->n_sizes, GENERATOR_SIZES);
    for (uint32_t i = 0; i < c->n_sizes; i++)
        if (c->sizes[i] < 64 || c->sizes[i] > 1900)
            return diag_err(d, "size %u is not between 64 and 1900", c->sizes[i]);
    if (c->flows > GENERATOR_FLOWS)
        return diag_err(d, "%u flows are more than %u", c->flows, GENERATOR_FLOWS);
    return 0;
}

static int allocate(struct generator *g)
{
    uint32_t longest = 0;

    for (uint32_t i = 0; i < g->n_sizes; i++)
        longest = g->sizes[i] > longest ? g->sizes[i] : longest;
    /* An odd number of lines apart, so that they spread over the cache's sets. */
    g->stride = (((size_t)longest + 63) / 64 | 1) * 64;
    g->packets = aligned_alloc(64, FRAME_BATCH * g->stride);
    g->sequences = calloc(g->config.flows, sizeof *g->sequences);
    return g->packets && g->sequences ? 0 : -1;
}

struct port *generator_new(const struct generator_config *c, struct diag *d)
{
    struct generator *g;

    if (check(c, d) < 0)
        return NULL;
    g = calloc(1, sizeof *g);
    if (!g)
        goto fail;
    g->port.ops = &generator_ops;
    g->port.fd = -1;
    g->config = *c;
    set_defaults(&g->config);
    g->sizes = c->imix ? imix : g->config.sizes;
    g->n_sizes = c->imix ? IMIX_LEN : g->config.n_sizes;
    if (allocate(g) < 0)
        goto fail;
    memset(g->packets, 0, FRAME_BATCH * g->stride);
    for (unsigned i = 0; i < FRAME_BATCH; i++) {
        fill_template(&g->config, g->packets + i * g->stride);
        set_flow(&g->config, g->packets + i * g->stride, g->sizes[0], 0);
    }
    return &g->port;
fail:
    diag_err(d, "out of memory");
    if (g)
        generator_free(&g->port);
    return NULL;
}
