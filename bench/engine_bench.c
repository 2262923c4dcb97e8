// SPDX-License-Identifier: BSD-3-Clause
/*
 * engine_bench.c -- the engine beside hand-written loops that do the same
 *
 *     engine_bench [--rounds N] [--json FILE] [--row TEXT]   the table
 *     engine_bench --one engine|limit ROW                    one measurement, Mp/s
 *     engine_bench --check                                   same packets on both sides?
 *
 * Every measurement is a process of its own, pinned to one processor, and the two sides
 * take turns (A B A B); medians are printed. Packets are counted at the source.
 */

#include "bench/limits/limits.h"
#include "engine/router.h"

#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 31, CHECK_PACKETS = 640 };

struct row {
    const char *name;
    const char *config; /* %N: packets, %SINK: Discard or what collects */
    void (*limit)(struct limit *l, uint64_t n);
    uint64_t packets;        /* millions */
    double click, fastclick; /* Mp/s, on a machine like the author's; 0: not known */
};

/* The source's packet: Ethernet, UDP 1.0.0.1:1234 > 2.0.0.2:1234, 64 bytes with FCS. */
#define PACKET                                                                         \
    "\\<00 00 00 00 00 02  00 00 00 00 00 01  08 00"                                   \
    "   45 00 00 2e 00 00 40 00 40 11 37 bd 01 00 00 01 02 00 00 02"                   \
    "   04 d2 04 d2 00 1a 00 00"                                                       \
    "   00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00>"
#define SOURCE "InfiniteSource(DATA " PACKET ", LIMIT %N, BURST 32, STOP true)"

#define TEN(x) x x x x x x x x x x

static const struct row rows[] = {
    {"source -> Discard", SOURCE " -> %SINK", limit_source_discard, 200, 157, 60.9},
    {"Queue -> Unqueue", SOURCE " -> Queue -> Unqueue(32) -> %SINK", limit_queue, 200,
     96.1, 27.4},
    {"10 Nulls", SOURCE TEN(" -> Null") " -> %SINK", limit_source_discard, 200, 46.6,
     61.3},
    {"Counter", SOURCE " -> Counter -> %SINK", limit_counter, 100, 19.9, 55.0},
    {"10 Counters", SOURCE TEN(" -> Counter") " -> %SINK", limit_counters10, 50, 2.4,
     25.3},
    {"Strip, CheckIPHeader", SOURCE " -> Strip(14) -> CheckIPHeader -> %SINK",
     limit_strip_check, 100, 54.6, 41.2},
    {"Classifier, 20 patterns",
     SOURCE
     " -> c :: Classifier(12/0900, 12/0901, 12/0902, 12/0903, 12/0904, 12/0905, "
     "12/0906, 12/0907, 12/0908, 12/0909, 12/090a, 12/090b, 12/090c, 12/090d, "
     "12/090e, 12/090f, 12/0910, 12/0911, 12/0912, 12/0800); c[19] -> %SINK;"
     "c[0] -> d :: Discard; c[1] -> d; c[2] -> d; c[3] -> d; c[4] -> d; c[5] -> d;"
     "c[6] -> d; c[7] -> d; c[8] -> d; c[9] -> d; c[10] -> d; c[11] -> d;"
     "c[12] -> d; c[13] -> d; c[14] -> d; c[15] -> d; c[16] -> d; c[17] -> d;"
     "c[18] -> d;",
     limit_classifier20, 50, 10.3, 18.5},
    {"EtherMirror", SOURCE " -> EtherMirror -> %SINK", limit_ether_mirror, 50, 21.5,
     16.0},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* --- what collects packets for --check ------------------------------------------------- */

struct collector {
    uint64_t packets, hash;
};

static void collect(void *ctx, const uint8_t *data, uint32_t len)
{
    struct collector *c = ctx;

    c->packets++;
    for (uint32_t i = 0; i < len; i++) /* FNV-1a */
        c->hash = (c->hash ^ data[i]) * 0x100000001b3ull;
    c->hash = (c->hash ^ len) * 0x100000001b3ull;
}

static uint32_t collector_tx(void *dev, struct batch *b)
{
    uint32_t n = b->n;

    for (uint32_t i = 0; i < n; i++)
        collect(dev, b->p[i]->data, b->p[i]->len);
    batch_free(b);
    return n;
}

static uint32_t collector_rx(void *dev, struct batch *b, uint32_t max)
{
    return 0;
}

/* --- the two sides ------------------------------------------------------------------------ */

static int64_t now_ns(void *ctx)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void console(void *ctx, const char *text, size_t len)
{
    fwrite(text, 1, len, stderr);
}

/* Replace what stands after '%' in a row's configuration. */
static char *config_of(const struct row *row, uint64_t packets, const char *sink)
{
    struct sbuf s = SBUF_INIT;

    for (const char *c = row->config; *c; c++) {
        if (!strncmp(c, "%N", 2)) {
            sbuf_printf(&s, "%llu", (unsigned long long)packets);
            c++;
        } else if (!strncmp(c, "%SINK", 5)) {
            sbuf_puts(&s, sink);
            c += 4;
        } else {
            sbuf_putc(&s, *c);
        }
    }
    return sbuf_take(&s);
}

/* Seconds that the engine takes. */
static double run_engine(const struct row *row, uint64_t packets, struct collector *c)
{
    static const struct netdev_ops ops = {collector_rx, collector_tx};
    struct netdev dev = {.ops = &ops, .dev = c, .name = "0"};
    struct platform p = {
        .now = now_ns, .console = console, .netdevs = &dev, .n_netdevs = c != NULL};
    char *config = config_of(row, packets, c ? "ToNetfront(0)" : "Discard");
    struct diag d = DIAG_INIT;
    struct router *r;
    int64_t start, next;

    p.pool = pkt_pool_new(0);
    r = router_new(&p, config, strlen(config), row->name, NULL, &d);
    if (!r)
        errx(1, "%s", diag_text(&d));
    router_activate(r, NULL);
    start = now_ns(NULL);
    while (!router_stopped(r))
        router_run(r, 128, &next);
    start = now_ns(NULL) - start;
    for (int i = 0; i < 64; i++) /* what is still in queues */
        router_run(r, 128, &next);
    router_free(r);
    pkt_pool_free(p.pool);
    free(config);
    return (double)start / 1e9;
}

static double run_limit(const struct row *row, uint64_t packets, struct collector *c)
{
    static struct limit l;
    struct arena *a = arena_new(0);
    size_t len;
    char *template = lang_unquote(a, PACKET, &len);
    int64_t start;

    if (!template || limit_init(&l, (const uint8_t *)template, (uint32_t)len) < 0)
        errx(1, "out of memory");
    if (c) {
        l.sink = collect;
        l.sink_ctx = c;
    }
    start = now_ns(NULL);
    row->limit(&l, packets);
    start = now_ns(NULL) - start;
    limit_fini(&l);
    arena_free(a);
    return (double)start / 1e9;
}

/* --- one measurement ---------------------------------------------------------------------- */

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static int one(const char *side, unsigned n)
{
    const struct row *row = &rows[n];
    double (*run)(const struct row *, uint64_t,
                  struct collector *) = strcmp(side, "engine") ? run_limit : run_engine;
    uint64_t packets = row->packets * 1000000;

    pin();
    run(row, packets / 16 / LIMIT_BATCH * LIMIT_BATCH, NULL); /* warm up */
    printf("%.3f\n", (double)packets / run(row, packets, NULL) / 1e6);
    return 0;
}

static int check(void)
{
    int rc = 0;

    for (unsigned i = 0; i < N_ROWS; i++) {
        struct collector engine = {0}, limit = {0};

        run_engine(&rows[i], CHECK_PACKETS, &engine);
        run_limit(&rows[i], CHECK_PACKETS, &limit);
        if (engine.packets == limit.packets && engine.hash == limit.hash &&
            engine.packets == CHECK_PACKETS) {
            printf("PASS bench/engine: %s\n", rows[i].name);
            continue;
        }
        printf("FAIL bench/engine: %s: engine %llu packets, limit %llu, bytes %s\n",
               rows[i].name, (unsigned long long)engine.packets,
               (unsigned long long)limit.packets,
               engine.hash == limit.hash ? "equal" : "differ");
        rc = 1;
    }
    return rc;
}

/* --- the table -------------------------------------------------------------------------------- */

static double measure(const char *self, const char *side, unsigned row)
{
    char command[4096];
    double mpps = 0;
    FILE *f;

    snprintf(command, sizeof command, "'%s' --one %s %u", self, side, row);
    f = popen(command, "r");
    if (!f || fscanf(f, "%lf", &mpps) != 1 || pclose(f))
        errx(1, "%s failed", command);
    return mpps;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

static void print_row(const char *self, unsigned i, unsigned rounds, FILE *json,
                      bool first)
{
    double engine[MAX_ROUNDS], limit[MAX_ROUNDS], e, l, peer;

    for (unsigned k = 0; k < rounds; k++) {
        engine[k] = measure(self, "engine", i);
        limit[k] = measure(self, "limit", i);
    }
    e = median(engine, rounds);
    l = median(limit, rounds);
    peer = rows[i].click > rows[i].fastclick ? rows[i].click : rows[i].fastclick;
    printf("%-26s %8.1f %8.1f %6.2f %9.1f %10.1f %8.2f\n", rows[i].name, e, l, e / l,
           rows[i].click, rows[i].fastclick, peer ? e / peer : 0);
    fflush(stdout);
    fprintf(json,
            "%s\n  {\"row\": \"%s\", \"engine_mpps\": %.2f, \"limit_mpps\": %.2f, "
            "\"ratio\": %.3f}",
            first ? "" : ",", rows[i].name, e, l, e / l);
}

static int table(const char *self, unsigned rounds, const char *only, const char *path)
{
    FILE *json = fopen(path, "w");
    bool first = true;

    if (!json)
        err(1, "%s", path);
    printf("Mp/s, 64 bytes, one core, medians of %u\n", rounds);
    printf("%-26s %8s %8s %6s %9s %10s %8s\n", "configuration", "engine", "limit",
           "ratio", "Click 2.1", "FastClick", "x faster");
    fprintf(json, "[");
    for (unsigned i = 0; i < N_ROWS; i++)
        if (strstr(rows[i].name, only)) {
            print_row(self, i, rounds, json, first);
            first = false;
        }
    fprintf(json, "\n]\n");
    return fclose(json) ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *only = "", *json = "/dev/null";
    unsigned rounds = 5;

    if (argc == 4 && !strcmp(argv[1], "--one")) {
        unsigned n = (unsigned)strtoul(argv[3], NULL, 10);

        return n < N_ROWS ? one(argv[2], n) : 2;
    }
    if (argc == 2 && !strcmp(argv[1], "--check"))
        return check();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--rounds"))
            rounds = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--json"))
            json = argv[i + 1];
        else if (!strcmp(argv[i], "--row"))
            only = argv[i + 1];
        else
            errx(2, "unknown option '%s'", argv[i]);
    }
    if (rounds < 1 || rounds > MAX_ROUNDS)
        errx(2, "--rounds must be 1 to %d", MAX_ROUNDS);
    return table(argv[0], rounds, only, json);
}
