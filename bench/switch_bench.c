// SPDX-License-Identifier: BSD-3-Clause
/*
 * switch_bench.c -- how fast the backplane is, as ratios to a bare ring in the same run
 *
 *     switch_bench [--seconds S] [--rounds N] [--only PART] [--json FILE]
 *
 * --only runs the cases whose names contain PART, and the limit.
 *
 * The limit is bench/bare_ring.h. Guests are played by a thread, so what is measured is the
 * switch and not the engine: one worker thread, one guest thread, two processors. Cases
 * take turns and the best of the rounds counts, since others may use the machine, too.
 */

#include "bench/bare_ring.h"
#include "switch/backplane.h"
#include "switch/plane.h"
#include "tests/fake_guest.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 64,
    MAX_GUESTS = 128,
    N_SIZES = 6,
    MAX_ROWS = 128,
    IDLE_PORTS = 4000,
    ADDRESSES = 100000,
    COST_WINDOWS = 101,
    COST_TURNS = 50 /* of a window: bursts of all guests */
};

static const uint32_t sizes[N_SIZES] = {64, 128, 256, 512, 1024, 1500};

struct row {
    char name[40];
    uint32_t guests, size;
    double mpps, ratio,
        fairness; /* fairness: least served to mean; 0: does not apply */
};

static struct row rows[MAX_ROWS];
static unsigned n_rows;
static double seconds = 0.3;
static const char *only;
static double limit_mpps[N_SIZES];
/* Of a packet beside IDLE_PORTS, to that without, and of one to any of ADDRESSES, to that of
 * one to always the same; 0: not run. */
static double idle_cost, table_cost;

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- rows ---------------------------------------------------------------------- */

static struct row *row(const char *name, uint32_t guests, uint32_t size)
{
    for (unsigned i = 0; i < n_rows; i++)
        if (rows[i].guests == guests && rows[i].size == size &&
            strcmp(rows[i].name, name) == 0)
            return &rows[i];
    if (n_rows == MAX_ROWS)
        errx(1, "too many rows");
    rows[n_rows] = (struct row){.guests = guests, .size = size};
    snprintf(rows[n_rows].name, sizeof rows[n_rows].name, "%s", name);
    return &rows[n_rows++];
}

static void record(const char *name, uint32_t guests, uint32_t size, double mpps,
                   double fairness)
{
    struct row *r = row(name, guests, size);

    if (mpps > r->mpps) {
        r->mpps = mpps;
        r->fairness = fairness;
    }
}

/* ---- a guest, as fast as can be --------------------------------------------------- */

static struct netmem_if *nif(struct fake_guest *g, uint32_t n)
{
    return netmem_if(g->mem, n);
}

static uint8_t *buffer(struct fake_guest *g, uint32_t number)
{
    return g->mem + netmem_buffers_at(g->n_ifs) + (size_t)number * NETMEM_BUFFER;
}

/* Up to `n` copies of the frame; destinations (last two bytes) go round 1..n_dst if that
 * is not 0. Returns how many fitted. */
static unsigned send_burst(struct fake_guest *g, const uint8_t *frame, uint32_t len,
                           unsigned n, unsigned n_dst, unsigned *next_dst)
{
    struct netmem_ring *tx = &nif(g, 0)->tx;
    uint32_t room = fake_guest_room(g, 0);

    n = n < room ? n : room;
    for (unsigned i = 0; i < n; i++) {
        uint32_t slot = g->tx_offered[0]++ % NETMEM_SLOTS, b = NETMEM_SLOTS + slot;
        uint8_t *to = buffer(g, b);

        if (len == 64)
            memcpy(to, frame, 64);
        else
            memcpy(to, frame, len);
        if (n_dst) {
            *next_dst = *next_dst == n_dst ? 1 : *next_dst + 1;
            to[5] = (uint8_t)*next_dst;
        }
        tx->slots[slot] = (struct netmem_slot){.buffer = b, .len = (uint16_t)len};
    }
    if (n)
        fake_guest_kick(g, 0);
    return n;
}

/* Take all that has come; returns how many. */
static unsigned drain(struct fake_guest *g, uint32_t n)
{
    uint32_t done = atomic_load_explicit(&nif(g, n)->rx.done, memory_order_acquire);
    unsigned got = done - g->rx_next[n];

    if (got == 0)
        return 0;
    g->rx_next[n] = done;
    g->rx_offered[n] += got;
    fake_guest_offer(g, n);
    return got;
}

/* Forward from interface 0 to 1 by swapping buffers, as the engine does. */
static unsigned forward(struct fake_guest *g)
{
    struct netmem_ring *rx = &nif(g, 0)->rx, *tx = &nif(g, 1)->tx;
    uint32_t done = atomic_load_explicit(&rx->done, memory_order_acquire);
    unsigned n = done - g->rx_next[0], room = fake_guest_room(g, 1);

    n = n < room ? n : room;
    n = n < BATCH ? n : BATCH;
    for (unsigned i = 0; i < n; i++) {
        struct netmem_slot *in = &rx->slots[(g->rx_next[0] + i) % NETMEM_SLOTS];
        struct netmem_slot *out = &tx->slots[g->tx_offered[1]++ % NETMEM_SLOTS];
        uint32_t spare = out->buffer;

        *out = *in;
        in->buffer = spare;
    }
    if (n == 0)
        return 0;
    g->rx_next[0] += n;
    g->rx_offered[0] += n;
    fake_guest_offer(g, 0);
    fake_guest_kick(g, 1);
    return n;
}

/* ---- cases ------------------------------------------------------------------------ */

struct bench {
    struct backplane *bp;
    struct diag d;
    struct fake_guest *guests[MAX_GUESTS];
    uint32_t ports[MAX_GUESTS], n_guests;
    uint32_t lan, sink;
};

static void fail(struct bench *b)
{
    errx(1, "%s", diag_text(&b->d));
}

static uint32_t add_network(struct bench *b, struct network_config c)
{
    uint32_t id;

    if (backplane_add_network(b->bp, &c, &id, &b->d) < 0)
        fail(b);
    return id;
}

static uint32_t add_port(struct bench *b, struct port_config c)
{
    uint32_t id;

    if (backplane_add_port(b->bp, &c, &id, &b->d) < 0)
        fail(b);
    return id;
}

static void open_bench(struct bench *b, uint32_t n_guests)
{
    memset(b, 0, sizeof *b);
    b->bp = backplane_new(NULL, &b->d);
    if (!b->bp || backplane_start(b->bp, &b->d) < 0)
        fail(b);
    b->lan = add_network(b, (struct network_config){.name = "lan"});
    b->n_guests = n_guests;
    for (uint32_t i = 0; i < n_guests; i++) {
        char name[16];

        snprintf(name, sizeof name, "vm%u", i);
        b->guests[i] = fake_guest_new(1);
        if (!b->guests[i])
            err(1, "cannot make a guest");
        b->ports[i] = fake_guest_attach(b->guests[i], 0, b->bp, b->lan, name);
    }
}

static void close_bench(struct bench *b)
{
    backplane_free(b->bp);
    for (uint32_t i = 0; i < b->n_guests; i++)
        fake_guest_free(b->guests[i]);
    diag_fini(&b->d);
}

/* The sink's address is 02:..:00:63. */
static void add_sink(struct bench *b)
{
    const uint8_t mac[6] = {2, 0, 0, 0, 0, 99};

    b->sink = add_port(
        b, (struct port_config){.name = "sink", .network = b->lan, .kind = PORT_SINK});
    if (backplane_add_address(b->bp, b->sink, mac, &b->d) < 0)
        fail(b);
}

static uint64_t out_packets(struct bench *b, uint32_t port)
{
    struct port_stats s;

    if (!backplane_port_stats(b->bp, port, &s))
        errx(1, "a port is gone");
    return s.out_packets;
}

static uint64_t in_packets(struct bench *b, uint32_t port)
{
    struct port_stats s;

    if (!backplane_port_stats(b->bp, port, &s))
        errx(1, "a port is gone");
    return s.in_packets;
}

/* N guests send to one sink. */
static double run_into_sink(uint32_t n, uint32_t size, double *fairness)
{
    struct bench b;
    uint8_t frame[1500];
    uint64_t total = 0, least = UINT64_MAX;
    double start, end;
    unsigned dst = 0;

    open_bench(&b, n);
    add_sink(&b);
    start = now_s();
    while ((end = now_s()) < start + seconds)
        for (int turn = 0; turn < (n > 8 ? 1 : 8); turn++)
            for (uint32_t i = 0; i < n; i++) {
                fake_frame(frame, 14, 99, (uint16_t)(100 + i), 0);
                send_burst(b.guests[i], frame, size, BATCH, 0, &dst);
            }
    total = out_packets(&b, b.sink);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t in = in_packets(&b, b.ports[i]);

        least = in < least ? in : least;
    }
    *fairness = (double)least * n / (double)total;
    close_bench(&b);
    return (double)total / (end - start) / 1e6;
}

/* One guest sends, going round N others. */
static double run_out_of_one(uint32_t n, uint32_t size, double *fairness)
{
    struct bench b;
    uint8_t frame[1500];
    uint64_t total = 0, least = UINT64_MAX, got[MAX_GUESTS + 1] = {0};
    double start, end;
    unsigned dst = 0;

    n = n < MAX_GUESTS ? n : MAX_GUESTS - 1; /* the sender is one, too */
    open_bench(&b, n + 1);
    for (uint32_t i = 1; i <= n; i++) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)i};

        if (backplane_add_address(b.bp, b.ports[i], mac, &b.d) < 0)
            fail(&b);
    }
    fake_frame(frame, size, 1, 200, 0);
    start = now_s();
    while ((end = now_s()) < start + seconds) {
        for (int turn = 0; turn < 8; turn++) {
            send_burst(b.guests[0], frame, size, BATCH, n, &dst);
            for (uint32_t i = 1; i <= n; i++)
                got[i] += drain(b.guests[i], 0);
        }
    }
    for (uint32_t i = 1; i <= n; i++) {
        total += got[i];
        least = got[i] < least ? got[i] : least;
    }
    *fairness = (double)least * n / (double)total;
    close_bench(&b);
    return (double)total / (end - start) / 1e6;
}

/* Generator, a guest that forwards, sink; wires with backpressure. */
static double run_through(uint32_t size)
{
    struct bench b;
    struct fake_guest *g = fake_guest_new(2);
    uint32_t in, out;
    double start, end;

    open_bench(&b, 0);
    in = add_network(&b, (struct network_config){
                             .name = "in", .mode = NETWORK_WIRE, .backpressure = true});
    out = add_network(&b, (struct network_config){.name = "out",
                                                  .mode = NETWORK_WIRE,
                                                  .backpressure = true});
    for (uint32_t i = 0; i < NETMEM_SLOTS; i++) /* something to swap with */
        nif(g, 1)->tx.slots[i].buffer = 3 * NETMEM_SLOTS + i;
    if (!fake_guest_attach(g, 0, b.bp, in, "g.0") ||
        !fake_guest_attach(g, 1, b.bp, out, "g.1"))
        errx(1, "cannot attach");
    b.sink = add_port(
        &b, (struct port_config){.name = "sink", .network = out, .kind = PORT_SINK});
    add_port(&b, (struct port_config){
                     .name = "gen",
                     .network = in,
                     .kind = PORT_GENERATOR,
                     .generator = {.n_sizes = 1, .sizes = {(uint16_t)size}}});
    start = now_s();
    while ((end = now_s()) < start + seconds)
        for (int i = 0; i < 50; i++)
            forward(g);
    start = (double)out_packets(&b, b.sink) / (end - start) / 1e6;
    close_bench(&b);
    fake_guest_free(g);
    return start;
}

/* Ten guests that send to a sink. The switch has no thread here: its rounds are called, so
 * that nothing but they is measured. */
struct cost_case {
    struct bench bench;
    struct fake_guest *sleeper;   /* owned; all idle ports are interfaces of it */
    uint32_t n_addresses;         /* of the sink, and all are sent to; 0: one */
    uint32_t seed;                /* of the order in which */
    double cost_ns[COST_WINDOWS]; /* processor time of the switch for a packet */
    uint64_t packets;
    double seconds;
};

static void open_cost_case(struct cost_case *c)
{
    memset(c, 0, sizeof *c);
    open_bench(&c->bench, 10);
    backplane_stop(c->bench.bp);
    add_sink(&c->bench);
}

static void add_idle_ports(struct cost_case *c)
{
    c->sleeper = fake_guest_new(NETMEM_MAX_IFS);
    if (!c->sleeper)
        err(1, "cannot make a guest");
    for (uint32_t i = 0; i < IDLE_PORTS; i++) {
        char name[16];

        snprintf(name, sizeof name, "idle%u", i);
        if (!fake_guest_attach(c->sleeper, i % NETMEM_MAX_IFS, c->bench.bp,
                               c->bench.lan, name))
            errx(1, "cannot attach");
    }
}

static void put_address(uint8_t mac[6], uint32_t number)
{
    memcpy(mac, (uint8_t[]){2, 1}, 2);
    memcpy(mac + 2, &number, sizeof number);
}

static void add_addresses(struct cost_case *c)
{
    c->n_addresses = ADDRESSES;
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        uint8_t mac[6];

        put_address(mac, i);
        if (backplane_add_address(c->bench.bp, c->bench.sink, mac, &c->bench.d) < 0)
            fail(&c->bench);
    }
}

static void close_cost_case(struct cost_case *c)
{
    close_bench(&c->bench);
    fake_guest_free(c->sleeper);
}

static double own_cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* A burst of each guest; in the case of many addresses to any of them, in no order that a
 * cache could follow. */
static unsigned send_from_all(struct cost_case *c)
{
    uint8_t frame[64];
    unsigned dst = 0, sent = 0;

    fake_frame(frame, 64, 99, 100, 0);
    for (uint32_t i = 0; i < 10 && !c->n_addresses; i++)
        sent += send_burst(c->bench.guests[i], frame, 64, BATCH, 0, &dst);
    for (uint32_t i = 0; i < 10 && c->n_addresses; i++) {
        for (int k = 0; k < BATCH; k++) {
            c->seed = c->seed * 1664525 + 1013904223;
            put_address(frame, (c->seed >> 8) % c->n_addresses);
            sent += fake_guest_put(c->bench.guests[i], 0, frame, 64);
        }
        fake_guest_kick(c->bench.guests[i], 0);
    }
    return sent;
}

/* All ten send, and the switch moves it: only the latter is counted. */
static void run_cost_window(struct cost_case *c, unsigned window)
{
    struct worker *w = c->bench.bp->workers[0];
    unsigned sent = 0, moved = 0;
    double cpu = 0;

    for (int turn = 0; turn < COST_TURNS; turn++) {
        double start;

        sent += send_from_all(c);
        start = own_cpu_ns();
        while (moved < sent)
            moved += worker_round(w);
        cpu += own_cpu_ns() - start;
    }
    c->packets += moved;
    c->seconds += cpu / 1e9;
    c->cost_ns[window] = cpu / moved;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The two take turns, window by window, so that what others do to the machine meets both.
 * Returns the cost of the second in that of the first; closes both. */
static double compare(struct cost_case *one, struct cost_case *other,
                      const char *name_of_other)
{
    double ratios[COST_WINDOWS];

    for (unsigned i = 0; i < COST_WINDOWS; i++) {
        run_cost_window(one, i);
        run_cost_window(other, i);
        ratios[i] = other->cost_ns[i] / one->cost_ns[i];
    }
    close_cost_case(one);
    close_cost_case(other);
    record("10 vms to sink", 10, 64, (double)one->packets / one->seconds / 1e6, 0);
    record(name_of_other, 10, 64, (double)other->packets / other->seconds / 1e6, 0);
    qsort(ratios, COST_WINDOWS, sizeof ratios[0], by_value);
    return ratios[COST_WINDOWS / 2];
}

static void run_beside_idle(void)
{
    static struct cost_case none, many;

    open_cost_case(&none);
    open_cost_case(&many);
    add_idle_ports(&many);
    idle_cost = compare(&none, &many, "the same, 4000 idle ports");
}

static void run_many_addresses(void)
{
    static struct cost_case one, all;

    open_cost_case(&one);
    open_cost_case(&all);
    add_addresses(&all);
    table_cost = compare(&one, &all, "the same, 100000 addresses");
}

/* ---- the table -------------------------------------------------------------------- */

static bool wanted(const char *name)
{
    return !only || strstr(name, only);
}

static void run_sizes(void)
{
    double fair, mpps, best;

    for (int i = 0; i < N_SIZES; i++) {
        bare_ring_run(sizes[i], seconds, &mpps, &best);
        limit_mpps[i] = mpps > limit_mpps[i] ? mpps : limit_mpps[i];
        record("bare ring", 0, sizes[i], mpps, 0);
        if (wanted("vm to sink"))
            record("vm to sink", 1, sizes[i], run_into_sink(1, sizes[i], &fair), 0);
        if (wanted("generator, vm, sink"))
            record("generator, vm, sink", 1, sizes[i], run_through(sizes[i]), 0);
    }
}

static void one_round(void)
{
    double fair = 0, mpps;

    run_sizes();
    for (uint32_t n = 1; n <= MAX_GUESTS; n *= 2) {
        if (wanted("N vms to sink")) {
            mpps = run_into_sink(n, 64, &fair);
            record("N vms to sink", n, 64, mpps, fair);
        }
        if (wanted("vm to N vms")) {
            mpps = run_out_of_one(n, 64, &fair);
            record("vm to N vms", n, 64, mpps, fair);
        }
    }
    if (wanted("idle"))
        run_beside_idle();
    if (wanted("addresses"))
        run_many_addresses();
}

static double ratio_of(const struct row *r)
{
    for (int i = 0; i < N_SIZES; i++)
        if (sizes[i] == r->size)
            return r->mpps / limit_mpps[i];
    return 0;
}

static void print_table(void)
{
    printf("%-26s %5s %5s %8s %8s %7s %8s\n", "case", "N", "bytes", "Mp/s", "Gb/s",
           "ratio", "fairness");
    for (unsigned i = 0; i < n_rows; i++) {
        const struct row *r = &rows[i];

        printf("%-26s %5u %5u %8.2f %8.2f %7.2f", r->name, r->guests, r->size, r->mpps,
               r->mpps * r->size * 8 / 1e3, ratio_of(r));
        if (r->fairness > 0)
            printf(" %8.2f", r->fairness);
        putchar('\n');
    }
    if (idle_cost > 0)
        printf("processor time a packet beside %d idle ports: %.2f of that without\n",
               IDLE_PORTS, idle_cost);
    if (table_cost > 0)
        printf("processor time a packet to any of %d addresses: %.2f of that to one\n",
               ADDRESSES, table_cost);
}

static void print_json(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f)
        err(1, "%s", path);
    fprintf(f, "{\"idle_ports_cost\": %.3f, \"table_cost\": %.3f, \"rows\": [\n",
            idle_cost, table_cost);
    for (unsigned i = 0; i < n_rows; i++)
        fprintf(f,
                "  {\"case\": \"%s\", \"n\": %u, \"bytes\": %u, \"mpps\": %.3f, "
                "\"ratio\": %.3f, \"fairness\": %.3f}%s\n",
                rows[i].name, rows[i].guests, rows[i].size, rows[i].mpps,
                ratio_of(&rows[i]), rows[i].fairness, i + 1 < n_rows ? "," : "");
    fprintf(f, "]}\n");
    if (fclose(f) != 0)
        err(1, "%s", path);
}

int main(int argc, char **argv)
{
    const char *json = NULL;
    int rounds = 3;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seconds") == 0)
            seconds = atof(argv[i + 1]);
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
        else if (strcmp(argv[i], "--json") == 0)
            json = argv[i + 1];
        else
            errx(2, "usage: switch_bench [--seconds S] [--rounds N] [--only PART] "
                    "[--json FILE]");
    }
    for (int i = 0; i < rounds; i++)
        one_round();
    print_table();
    if (json)
        print_json(json);
    return 0;
}
