// SPDX-License-Identifier: BSD-3-Clause
/*
 * classify_bench.c -- what a packet costs in a filter of 1 to 100,000 rules
 *
 *     classify_bench [MAX_RULES]
 *
 * Rules go in as IPFilter reads them, text and all. Two kinds: `exact` names addresses,
 * protocol and ports; `mixed` has prefixes of all lengths, open fields and port ranges.
 * Packets of 64 bytes arrive in batches of 64: all for the last rule, or for random
 * rules, of a working set that does not fit into the nearest caches. `loop` compares five
 * fields with one rule after the other, in C: what the index has to beat.
 */

#include "engine/classify/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

enum { PACKETS = 4096, PACKET_LEN = 64, ROUNDS = 60 };

static uint64_t seed = 42;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

/* Of processor time: the machine may be shared. */
static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One rule, and a packet that matches it (and possibly an earlier one). */
struct flow {
    uint32_t src, dst; /* host byte order */
    unsigned src_bits, dst_bits;
    uint16_t sport, dport;
    bool any_sport, high_dport, udp;
};

static struct flow random_flow(bool mixed)
{
    struct flow f = {.src = 10u << 24 | rnd(1 << 24),
                     .dst = 172u << 24 | rnd(1 << 24),
                     .src_bits = 32,
                     .dst_bits = 32,
                     .sport = (uint16_t)rnd(65536),
                     .dport = (uint16_t)(1 + rnd(65535)),
                     .udp = rnd(2)};

    if (mixed) {
        f.src_bits = rnd(4) ? 16 + rnd(17) : 0;
        f.dst_bits = rnd(4) || !f.src_bits ? 16 + rnd(17) : 0;
        f.any_sport = rnd(3);
        f.high_dport = rnd(4) == 0;
        if (f.high_dport)
            f.dport |= 0x8000;
    }
    return f;
}

static void add_net(char *text, size_t room, const char *side, uint32_t addr,
                    unsigned bits)
{
    size_t at = strlen(text);

    if (!bits)
        return;
    addr &= UINT32_MAX << (32 - bits);
    snprintf(text + at, room - at, "%s net %u.%u.%u.%u/%u and ", side, addr >> 24,
             addr >> 16 & 255, addr >> 8 & 255, addr & 255, bits);
}

static void flow_rule(const struct flow *f, char *text, size_t room)
{
    size_t at;

    snprintf(text, room, "allow ");
    add_net(text, room, "src", f->src, f->src_bits);
    add_net(text, room, "dst", f->dst, f->dst_bits);
    at = strlen(text);
    if (!f->any_sport)
        at += (size_t)snprintf(text + at, room - at, "src port %u and ", f->sport);
    snprintf(text + at, room - at, "%s dst port %s%u", f->udp ? "udp" : "tcp",
             f->high_dport ? "> " : "", f->high_dport ? 1023 : f->dport);
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static struct pkt *flow_packet(struct pkt_pool *pool, const struct flow *f)
{
    struct pkt *p = pkt_new(pool, PKT_HEADROOM, NULL, PACKET_LEN, 0);

    if (!p)
        abort();
    memset(p->data, 0, PACKET_LEN);
    p->network = p->data + 14;
    p->transport = p->data + 34;
    p->network[0] = 0x45;
    p->network[9] = f->udp ? 17 : 6;
    put32(p->network + 12, f->src);
    put32(p->network + 16, f->dst);
    put32(p->transport, (uint32_t)f->sport << 16 | f->dport);
    return p;
}

/* --- building ----------------------------------------------------------------------------- */

static struct classify *build(const struct flow *flows, uint32_t n)
{
    struct classify_builder *b = classify_builder_new();
    struct element e = {.n_out = 1};
    struct diag d = DIAG_INIT;
    struct ip_lang words;

    ip_lang_init(&words, NULL, NULL, &d);
    for (uint32_t i = 0; i < n; i++) {
        struct filter_rule rule;
        struct arena *a = arena_new(0);
        char text[256];

        flow_rule(&flows[i], text, sizeof text);
        words.arena = a;
        if (filter_ip_actions.rule(&words, &e, a, i, text, &rule, &d) < 0 ||
            classify_add(b, rule.x, (int)i) < 0) {
            fprintf(stderr, "%s\n%s", text, diag_text(&d));
            exit(1);
        }
        arena_free(a);
    }
    ip_lang_fini(&words);
    diag_fini(&d);
    return classify_build(b);
}

/* --- measuring ---------------------------------------------------------------------------- */

static volatile int sink;

/* The least of some rounds, in ns a packet; *cycles in ticks of the time stamp counter. */
static double measure(const struct classify *c, struct pkt **p, double *cycles)
{
    enum { REPEAT = 8 };
    double least = 1e9;
    int out[BATCH_MAX];

    for (int round = 0; round < ROUNDS; round++) {
        double start = now_s(), ns;
        uint64_t tsc = __rdtsc();

        for (int r = 0; r < REPEAT; r++)
            for (uint32_t i = 0; i < PACKETS; i += BATCH_MAX) {
                classify_match_batch(c, p + i, BATCH_MAX, out);
                sink = out[0];
            }
        ns = 1e9 * (now_s() - start) / (REPEAT * PACKETS);
        if (ns < least) {
            least = ns;
            *cycles = (double)(__rdtsc() - tsc) / (REPEAT * PACKETS);
        }
    }
    return least;
}

static double measure_loop(const struct flow *f, uint32_t n, struct pkt **p)
{
    double start = now_s();
    uint32_t packets = n > 10000 ? 64 : PACKETS;

    for (uint32_t i = 0; i < packets; i++) {
        const uint8_t *net = p[i]->network, *t = p[i]->transport;
        uint32_t src, dst, ports;

        memcpy(&src, net + 12, 4);
        memcpy(&dst, net + 16, 4);
        memcpy(&ports, t, 4);
        src = __builtin_bswap32(src);
        dst = __builtin_bswap32(dst);
        ports = __builtin_bswap32(ports);
        for (uint32_t k = 0; k < n; k++)
            if (f[k].src == src && f[k].dst == dst && net[9] == (f[k].udp ? 17 : 6) &&
                f[k].sport == ports >> 16 && f[k].dport == (ports & 0xFFFF)) {
                sink = (int)k;
                break;
            }
    }
    return 1e9 * (now_s() - start) / packets;
}

static void fill(struct pkt_pool *pool, struct pkt **p, const struct flow *flows,
                 uint32_t n, bool last)
{
    for (uint32_t i = 0; i < PACKETS; i++)
        p[i] = flow_packet(pool, &flows[last ? n - 1 : rnd(n)]);
}

static void drain(struct pkt **p)
{
    for (uint32_t i = 0; i < PACKETS; i++)
        pkt_free(p[i]);
}

static void row(bool mixed, uint32_t n)
{
    struct pkt_pool *pool = pkt_pool_new(0);
    struct flow *flows = calloc(n, sizeof *flows);
    static struct pkt *p[PACKETS];
    double start, installed, cycles[2], ns[2], loop = 0;
    struct classify_stats st;
    struct classify *c;

    for (uint32_t i = 0; i < n; i++)
        flows[i] = random_flow(mixed);
    start = now_s();
    c = build(flows, n);
    installed = now_s() - start;
    st = classify_stats(c);
    for (int last = 1; last >= 0; last--) {
        fill(pool, p, flows, n, last);
        ns[last] = measure(c, p, &cycles[last]);
        if (!mixed && last)
            loop = measure_loop(flows, n, p);
        drain(p);
    }
    printf(
        "%-6s %7u  %7.1f %7.1f %6.1f  %7.1f %7.1f %6.1f  %9.1f  %8.1f %7.1f %6u %5u\n",
        mixed ? "mixed" : "exact", n, ns[1], cycles[1], 1e3 / ns[1], ns[0], cycles[0],
        1e3 / ns[0], loop, 1e3 * installed, (double)st.bytes / 1024, st.tables,
        st.trees);
    fflush(stdout);
    classify_free(c);
    free(flows);
    pkt_pool_free(pool);
}

int main(int argc, char **argv)
{
    uint32_t max = argc > 1 ? (uint32_t)atoi(argv[1]) : 100000;

    printf("%-6s %7s  %23s  %22s  %9s  %8s %7s %6s %5s\n", "", "", "last rule matches",
           "random rules match", "loop", "install", "memory", "", "");
    printf("%-6s %7s  %7s %7s %6s  %7s %7s %6s  %9s  %8s %7s %6s %5s\n", "kind",
           "rules", "ns", "cycles", "Mpps", "ns", "cycles", "Mpps", "ns", "ms", "KiB",
           "tables", "trees");
    for (int mixed = 0; mixed < 2; mixed++)
        for (uint32_t n = 1; n <= max; n *= 10)
            row(mixed, n);
    return 0;
}
