// SPDX-License-Identifier: BSD-3-Clause
/* config.c -- the text of a row's configuration, and the traces: see bench.h */

#include "bench/engine/bench.h"
#include "engine/checksum.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct expansion {
    const struct row *row;
    uint64_t packets;
    const char *sink;
};

static void put_addr(struct sbuf *s, uint32_t host)
{
    sbuf_printf(s, "%u.%u.%u.%u", host >> 24, host >> 16 & 255, host >> 8 & 255,
                host & 255);
}

/* As many flows from so many addresses, to as few as a NAT with one address of its own can
 * tell apart by ports. */
static void put_flows(struct sbuf *s, uint32_t n)
{
    enum { PORTS = 50000 };

    sbuf_printf(s,
                " -> MarkIPHeader(14) -> SetRandIPAddress(10.0.0.0/8, %u) "
                "-> StoreIPAddress(src)",
                n < PORTS ? n : PORTS);
    if (n > PORTS)
        sbuf_printf(s, " -> SetRandIPAddress(2.0.0.0/8, %u) -> StoreIPAddress(dst)",
                    n / PORTS);
}

static void put_a_source(struct sbuf *s, const struct expansion *x, const char *active)
{
    const struct row *row = x->row;
    int burst = row->flags & ONE_BY_ONE ? 1 : 32;

    if (row->feed != FEED_CLONES && !(row->flags & NO_INTERFACES)) {
        sbuf_printf(s, "src :: FromNetfront(0, BURST %d, ACTIVE %s)", burst, active);
        return;
    }
    sbuf_printf(s,
                "src :: InfiniteSource(DATA %s, LIMIT %lld, BURST %d, STOP true, "
                "ACTIVE %s)",
                packet_data, x->packets ? (long long)x->packets : -1, burst, active);
    if (row->feed == FEED_PRIVATE)
        sbuf_puts(s, " -> StoreData(12, \\<0800>)");
    if (row->feed == FEED_FLOWS)
        put_flows(s, row->size);
}

/* Long packets, whatever the feed. */
static void put_long(struct sbuf *s, const struct expansion *x)
{
    uint8_t packet[PACKET_LONG];

    packet_make_long(packet);
    sbuf_puts(s, "src :: InfiniteSource(DATA \\<");
    for (unsigned i = 0; i < sizeof packet; i++)
        sbuf_printf(s, "%02x", packet[i]);
    sbuf_printf(s, ">, LIMIT %lld, BURST 32, STOP true)",
                x->packets ? (long long)x->packets : -1);
}

static void put_source6(struct sbuf *s, const struct expansion *x)
{
    uint8_t packet[PACKET_SLOT];

    packet_make6(packet);
    sbuf_puts(s, "src :: InfiniteSource(DATA \\<");
    for (unsigned i = 0; i < PACKET_LEN; i++)
        sbuf_printf(s, "%02x", packet[i]);
    sbuf_printf(s, ">, LIMIT %lld, BURST 32, STOP true)",
                x->packets ? (long long)x->packets : -1);
}

static void put_routes6(struct sbuf *s, const struct expansion *x)
{
    for (uint32_t i = 0; i < x->row->size; i++) {
        struct bench_route6 r = bench_route6(i);
        struct ip6_addr a;
        char text[64];

        memcpy(a.b, r.addr, sizeof a.b);
        sbuf_printf(s, "%s%s/%u %u", i ? ", " : "", unparse_ip6(&a, text), r.bits,
                    r.port);
    }
}

static void put_strings(struct sbuf *s, const struct expansion *x)
{
    char text[PATTERN_ROOM];

    for (uint32_t i = 0; i < x->row->size; i++) {
        bench_pattern(i, text);
        sbuf_printf(s, "%s%s", i ? ", " : "", text);
    }
}

static void put_tunnel(struct sbuf *s, const struct expansion *x)
{
    put_addr(s, ESP_GATEWAY);
    sbuf_printf(s, " 1 %u \\<", ESP_SPI);
    for (unsigned i = 0; i < sizeof esp_key; i++)
        sbuf_printf(s, "%02x", esp_key[i]);
    sbuf_puts(s, "> \"\" 1 32");
}

static void put_source(struct sbuf *s, const struct expansion *x)
{
    put_a_source(s, x, "true");
}

static void put_waiting(struct sbuf *s, const struct expansion *x)
{
    put_a_source(s, x, "false");
}

static void put_rules(struct sbuf *s, const struct expansion *x)
{
    for (uint32_t i = 0; i < x->row->size; i++) {
        struct tuple t = bench_rule(i, x->row->size);

        sbuf_puts(s, "allow src host ");
        put_addr(s, be32(t.src));
        sbuf_puts(s, " dst host ");
        put_addr(s, be32(t.dst));
        sbuf_printf(s, " src udp port %u dst udp port %u, ", be16(t.sport),
                    be16(t.dport));
    }
    sbuf_puts(s, "deny all");
}

static void put_routes(struct sbuf *s, const struct expansion *x)
{
    for (uint32_t i = 0; i < x->row->size; i++) {
        struct bench_route r = bench_route(i);

        sbuf_puts(s, i ? ", " : "");
        put_addr(s, r.addr);
        sbuf_printf(s, "/%u %u", r.bits, r.port);
    }
}

static void put_sink(struct sbuf *s, const struct expansion *x)
{
    sbuf_puts(s, x->sink);
}

static void put_trace(struct sbuf *s, const struct expansion *x)
{
    sbuf_puts(s, bench_trace(x->row));
}

static const struct {
    const char *word;
    void (*put)(struct sbuf *s, const struct expansion *x);
} words[] = {
    {"%SOURCE", put_source},    {"%WAITING", put_waiting},  {"%SINK", put_sink},
    {"%RULES", put_rules},      {"%ROUTES", put_routes},    {"%TRACE", put_trace},
    {"%V6SOURCE", put_source6}, {"%V6ROUTES", put_routes6}, {"%LONG", put_long},
    {"%STRINGS", put_strings},  {"%TUNNEL", put_tunnel},
};

char *bench_config(const struct row *row, uint64_t packets, const char *sink)
{
    struct expansion x = {row, packets, sink};
    struct sbuf s = SBUF_INIT;
    const char *c = row->config;

    while (*c) {
        size_t n = 0;

        for (size_t i = 0; i < sizeof words / sizeof words[0] && !n; i++)
            if (!strncmp(c, words[i].word, strlen(words[i].word))) {
                words[i].put(&s, &x);
                n = strlen(words[i].word);
            }
        if (!n)
            sbuf_putc(&s, *c);
        c += n ? n : 1;
    }
    return sbuf_take(&s);
}

/* --- traces --------------------------------------------------------------------------- */

enum { TRACE_NAME = 512 };

static void trace_packet(uint8_t *p, const struct row *row, struct flow_order *order)
{
    if (row->feed == FEED_FLOWS) {
        packet_make_flow(p, flow_next(order));
        return;
    }
    packet_make(p);
    store16(p + 16, be16((uint16_t)(row->size - 14)));
    store16(p + 24, 0);
    store16(p + 24, csum(p + 14, 20));
}

static void trace_write(FILE *f, const struct row *row)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
    uint32_t bytes = row->feed == FEED_FLOWS ? PACKET_LEN : row->size;
    struct flow_order order = {.n = row->size};
    uint8_t p[2048] = {0};

    fwrite(header, sizeof header, 1, f);
    for (uint32_t i = 0; i < row->packets * 1000000; i++) {
        uint32_t head[4] = {1 + (i >> 10), i & 1023, bytes, bytes};

        trace_packet(p, row, &order);
        fwrite(head, sizeof head, 1, f);
        fwrite(p, bytes, 1, f);
    }
}

static const char *trace_name(const struct row *row)
{
    static char name[TRACE_NAME];
    const char *folder = getenv("TMPDIR");
    int n = snprintf(name, sizeof name, "%s/clickos-bench-%u-%s%u-%uM.pcap",
                     folder ? folder : "/tmp", (unsigned)getuid(),
                     row->feed == FEED_FLOWS ? "flows" : "", row->size, row->packets);

    if (n < 0 || n >= TRACE_NAME)
        errx(1, "TMPDIR is too long");
    return name;
}

void bench_trace_remove(const struct row *row)
{
    unlink(trace_name(row));
}

const char *bench_trace(const struct row *row)
{
    const char *name = trace_name(row);
    char partial[TRACE_NAME + 16];
    FILE *f;

    if (!access(name, R_OK))
        return name;
    snprintf(partial, sizeof partial, "%s.%u", name, (unsigned)getpid());
    f = fopen(partial, "wx");
    if (!f)
        err(1, "%s", partial);
    trace_write(f, row);
    if (fclose(f) || rename(partial, name))
        err(1, "%s", name);
    return name;
}
