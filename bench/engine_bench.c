// SPDX-License-Identifier: BSD-3-Clause
/*
 * engine_bench.c -- the engine beside hand-written loops that do the same
 *
 *     engine_bench [--rounds N] [--json FILE] [--row TEXT]   the tables
 *     engine_bench --guard BASELINE [--rounds N]     has a ratio fallen by more than 15%?
 *     engine_bench --vm [--rounds N] [--json FILE] [--row TEXT]   the driver and a VM
 *     engine_bench --one SIDE ROW                    one measurement, Mp/s and cycles
 *     engine_bench --turns SIDE ROW                  the same, see engine/turns.h
 *     engine_bench --install ROW                     its time and memory, ms and MiB
 *     engine_bench --check                           same packets on both sides?
 *     engine_bench --list [all]
 *     engine_bench --config ROW PACKETS              the text of its configuration
 *
 * Every measurement is a process of its own, pinned to one processor, after a warm-up.
 * The two sides are measured in turns of some 10 ms (A B A B), each round in new processes.
 * What counts is processor time. Printed are the pace of the best tenth of a side's turns and
 * the median of the ratios of neighbouring turns, which need not be that of the two paces:
 * it is what does not depend on how busy the machine was. Of several rounds the median.
 * Packets are counted at the source.
 *
 * Behind a row of flows through an element stands what is left of it without its source,
 * which is a row itself; behind a large filter what it takes to install it.
 *
 * A ROW is its number in --list; rows with packets of their own come behind the others. A SIDE
 * is `engine` or `limit`, and for rows without interfaces `driver` or `vm`.
 */

#include "abi/control.h"
#include "bench/engine/bench.h"
#include "bench/engine/stretches.h"
#include "bench/engine/turns.h"

#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { MAX_ROUNDS = 31, CHECK_PACKETS = 6400, TRACE_RUNS = 8 };

#define GUARD_FALL 0.85 /* of a ratio's baseline: less is a failure */

/* Row `n` of both sets; its name is the set's too. False when there is none. */
static bool row_get(unsigned n, struct row *row, char name[64])
{
    unsigned i = n;

    if (n >= bench_n_rows) {
        for (n -= bench_n_rows, i = 0; i < bench_n_rows; i++)
            if (bench_rows[i].flags & FEEDS_BOTH && !n--)
                break;
        if (i == bench_n_rows)
            return false;
        *row = bench_rows[i];
        row->feed = FEED_PRIVATE;
        row->click = row->fastclick = 0; /* they were measured with clones */
        snprintf(name, 64, "private: %s", bench_rows[i].name);
    } else {
        *row = bench_rows[i];
        snprintf(name, 64, "%s", row->name);
    }
    row->name = name;
    return true;
}

/* --- one measurement ------------------------------------------------------------------ */

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* Ticks of the time stamp counter a second. */
static double tsc_hz(void)
{
    static double hz;
    struct timespec a, b, pause = {.tv_nsec = 20000000};
    uint64_t start = __rdtsc();

    if (hz > 0)
        return hz;
    clock_gettime(CLOCK_MONOTONIC, &a);
    nanosleep(&pause, NULL);
    start = __rdtsc() - start;
    clock_gettime(CLOCK_MONOTONIC, &b);
    hz = (double)start /
         ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec));
    return hz;
}

/* Seconds a packet that a side takes; with `in_turns`, while it takes turns with another. */
static double side_seconds(const char *side, const struct row *row, bool in_turns)
{
    bool whole = row->flags & NEEDS_TRACE; /* a run is a turn */
    uint64_t packets = (uint64_t)row->packets * 1000000 / LIMIT_BATCH * LIMIT_BATCH;
    double (*run)(const struct row *, uint64_t,
                  struct collector *) = strcmp(side, "engine") ? bench_limit
                                                               : bench_engine;
    double took, best = 0;

    if (!strcmp(side, "vm"))
        return 1 / bench_vm(row, in_turns);
    pin();
    if (!strcmp(side, "driver"))
        return 1 / bench_driver(row, in_turns);
    run(row, packets / 16 / LIMIT_BATCH * LIMIT_BATCH, NULL); /* warm up */
    if (in_turns)
        turns_join();
    for (int i = 0; i < (whole ? TRACE_RUNS : 1); i++) {
        took = run(row, packets, NULL) / (double)packets;
        best = i == 0 || took < best ? took : best;
        if (in_turns && whole)
            turn_end(took);
    }
    if (in_turns)
        turns_leave(whole ? 1 : stretches_in_run() / (double)packets);
    return best;
}

/* The row of a side; a VM has no interfaces here, nor has the driver beside it. */
static bool side_row(const char *side, unsigned n, struct row *row, char name[64])
{
    if (!row_get(n, row, name))
        return false;
    if (!strcmp(side, "vm") || !strcmp(side, "driver"))
        row->flags |= NO_INTERFACES;
    return true;
}

static int take_turns(const char *side, unsigned n)
{
    struct row row;
    char name[64];

    if (!side_row(side, n, &row, name))
        return 2;
    side_seconds(side, &row, true);
    return 0;
}

static int one(const char *side, unsigned n)
{
    struct row row;
    char name[64];
    double s;

    if (!side_row(side, n, &row, name))
        return 2;
    s = side_seconds(side, &row, false);
    printf("%.3f %.1f\n", 1e-6 / s, tsc_hz() * s);
    return 0;
}

/* --- the same packets? ---------------------------------------------------------------- */

static bool check_row(const struct row *row)
{
    struct collector engine = {0}, limit = {0};

    bench_engine(row, CHECK_PACKETS, &engine);
    bench_limit(row, CHECK_PACKETS, &limit);
    /* A trace is longer than that; the engine reads all of it. */
    if (row->flags & NEEDS_TRACE && limit.packets == CHECK_PACKETS)
        return engine.packets > limit.packets;
    if (engine.packets == limit.packets && engine.hash == limit.hash &&
        engine.packets == CHECK_PACKETS)
        return true;
    printf("%s: engine %llu packets, limit %llu, bytes %s\n", row->name,
           (unsigned long long)engine.packets, (unsigned long long)limit.packets,
           engine.hash == limit.hash ? "equal" : "differ");
    return false;
}

static int check(void)
{
    struct row row;
    char name[64];
    int rc = 0;

    for (unsigned i = 0; row_get(i, &row, name); i++) {
        bool ok;

        if (row.flags & NEEDS_TRACE || row.size > 10000) {
            printf("SKIP bench/engine: %s: too large for a test\n", name);
            continue;
        }
        ok = check_row(&row);
        printf("%s bench/engine: %s\n", ok ? "PASS" : "FAIL", name);
        rc |= !ok;
    }
    return rc;
}

/* --- the tables ----------------------------------------------------------------------- */

/* Medians of the rounds. */
struct result {
    double mpps[2], cycles[2], ratio;
};

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

/* Seconds a packet in a round, of both sides, and their ratio. */
struct round {
    double seconds[2], ratio;
};

/* The pace of the best tenth of the turns, and the median of the ratios of neighbours; of what
 * the first two took more than the others, if there are four. */
static struct round round_of(const struct turns *t, bool less)
{
    static double took[2][TURNS_MAX], ratio[TURNS_MAX];
    struct round r;

    for (uint32_t k = 0; k < t->n; k++) {
        for (int i = 0; i < 2; i++)
            took[i][k] = t->took[i][k] - (less ? t->took[2 + i][k] : 0);
        ratio[k] = took[1][k] / took[0][k];
    }
    r.ratio = median(ratio, t->n);
    for (int i = 0; i < 2; i++) {
        median(took[i], t->n); /* sorts */
        r.seconds[i] = took[i][less ? t->n / 2 : t->n / 10];
    }
    return r;
}

static struct result result_of(struct round *rounds, unsigned n)
{
    double v[3][MAX_ROUNDS];
    struct result r;

    for (unsigned k = 0; k < n; k++) {
        v[0][k] = rounds[k].seconds[0];
        v[1][k] = rounds[k].seconds[1];
        v[2][k] = rounds[k].ratio;
    }
    for (int i = 0; i < 2; i++) {
        double s = median(v[i], n);

        r.mpps[i] = 1e-6 / s;
        r.cycles[i] = s * tsc_hz();
    }
    r.ratio = median(v[2], n);
    return r;
}

/* Two sides in turn; with a `source` row what is left without that, and four in turn. */
static struct result measure(const char *self, unsigned row, unsigned rounds,
                             const char *const sides[2], int source)
{
    const struct turns_player players[TURNS_PLAYERS] = {
        {sides[0], row},
        {sides[1], row},
        {sides[0], (unsigned)source},
        {sides[1], (unsigned)source},
    };
    struct round r[MAX_ROUNDS];
    static struct turns t;

    for (unsigned k = 0; k < rounds; k++) {
        turns_take(&t, self, players, source < 0 ? 2 : 4);
        r[k] = round_of(&t, source >= 0);
    }
    return result_of(r, rounds);
}

static const char *const against_limit[2] = {"engine", "limit"};
static const char *const against_driver[2] = {"vm", "driver"};

/* What the rows of a table come to: the least of both kinds of ratio. */
static struct {
    unsigned rows, short_of_aim;
    double least, least_faster;
    char where[96], where_faster[96];
} sum;

/* What the project aims at: this share of a limit, and of the driver in a VM. */
static double aim(const char *const sides[2])
{
    return sides == against_limit ? 0.6 : 0.95;
}

static void sum_add(const char *name, double ratio, double faster, double wanted)
{
    if (!sum.rows++ || ratio < sum.least) {
        sum.least = ratio;
        snprintf(sum.where, sizeof sum.where, "%s", name);
    }
    sum.short_of_aim += ratio < wanted;
    if (faster > 0 && (!sum.least_faster || faster < sum.least_faster)) {
        sum.least_faster = faster;
        snprintf(sum.where_faster, sizeof sum.where_faster, "%s", name);
    }
}

static void sum_print(double wanted)
{
    printf("%u of %u rows are below a ratio of %.2f; the least is %.2f (%s)\n",
           sum.short_of_aim, sum.rows, wanted, sum.least, sum.where);
    if (sum.least_faster > 0)
        printf("least beside the faster of Click and FastClick: %.1f times (%s)\n",
               sum.least_faster, sum.where_faster);
}

static void print_row(const struct row *row, const struct result *r,
                      const char *const sides[2], FILE *json, bool first)
{
    double peer = row->click > row->fastclick ? row->click : row->fastclick;

    if (sides != against_limit)
        peer = 0;
    sum_add(row->name, r->ratio, peer ? r->mpps[0] / peer : 0, aim(sides));
    printf("%-33s %7.1f %6.0f %8.1f %6.0f %6.2f ", row->name, r->mpps[0], r->cycles[0],
           r->mpps[1], r->cycles[1], r->ratio);
    if (peer)
        printf("%8.2f %9.2f %8.2f\n", row->click, row->fastclick, r->mpps[0] / peer);
    else
        printf("%8s %9s %8s\n", "-", "-", "-");
    fflush(stdout);
    fprintf(json,
            "%s\n  {\"row\": \"%s\", \"%s_mpps\": %.2f, \"%s_cycles\": %.1f, "
            "\"%s_mpps\": %.2f, \"%s_cycles\": %.1f, \"ratio\": %.3f}",
            first ? "" : ",", row->name, sides[0], r->mpps[0], sides[0], r->cycles[0],
            sides[1], r->mpps[1], sides[1], r->cycles[1], r->ratio);
}

/* The row that is nothing but the source of this one's flows; -1: there is none. */
static int source_of(const struct row *row)
{
    for (unsigned i = 0; i < bench_n_rows; i++)
        if (row->feed == FEED_FLOWS && !(row->flags & NEEDS_TRACE) &&
            row->limit != limit_source_discard && bench_rows[i].feed == FEED_FLOWS &&
            bench_rows[i].limit == limit_source_discard &&
            bench_rows[i].size == row->size)
            return (int)i;
    return -1;
}

/* What a row takes beyond its source. */
static void print_less_source(const char *self, unsigned i, const struct row *row,
                              unsigned rounds, FILE *json)
{
    struct row less = *row;
    int source = source_of(row);
    struct result r;
    char name[96];

    if (source < 0)
        return;
    r = measure(self, i, rounds, against_limit, source);
    snprintf(name, sizeof name, "%s, less source", row->name);
    less.name = name;
    less.click = less.fastclick = 0;
    if (r.mpps[0] > 0 && r.mpps[1] > 0)
        print_row(&less, &r, against_limit, json, false);
}

static void print_install(const char *self, unsigned i, const struct row *row,
                          FILE *json)
{
    char command[4096];
    double ms, mib;
    FILE *f;

    if (row->limit != limit_filter || row->size < 1000)
        return;
    snprintf(command, sizeof command, "'%s' --install %u", self, i);
    f = popen(command, "r");
    if (!f || fscanf(f, "%lf %lf", &ms, &mib) != 2 || pclose(f))
        errx(1, "%s failed", command);
    printf("  installed in %.1f ms of processor time, %.2f MiB\n", ms, mib);
    fprintf(json, ",\n  {\"row\": \"%s\", \"install_ms\": %.1f, \"mib\": %.2f}",
            row->name, ms, mib);
}

static void remove_traces(void)
{
    for (unsigned i = 0; i < bench_n_rows; i++)
        if (bench_rows[i].flags & NEEDS_TRACE)
            bench_trace_remove(&bench_rows[i]);
}

/* Whether a row can run on both sides: a VM reads no files, and takes configurations of
 * CONTROL_TEXT bytes at most. */
static bool comparable(const struct row *row, const char *const sides[2])
{
    char *config;
    bool fits;

    if (sides == against_limit)
        return true;
    if (row->flags & NEEDS_TRACE)
        return false;
    config = bench_config(row, 0, "Discard");
    fits = strlen(config) <= CONTROL_TEXT;
    free(config);
    return fits;
}

static int table(const char *self, unsigned rounds, const char *only, const char *path,
                 const char *const sides[2])
{
    FILE *json = fopen(path, "w");
    bool first = true;
    struct row row;
    char name[64];

    if (!json)
        err(1, "%s", path);
    printf("Mp/s and cycles a packet on one core, medians of %u\n", rounds);
    printf("%-32s %8s %6s %8s %6s %6s %8s %9s %8s\n", "configuration", sides[0], "cyc",
           sides[1], "cyc", "ratio", "Click", "FastClick", "x faster");
    fprintf(json, "[");
    for (unsigned i = 0; row_get(i, &row, name); i++)
        if (strstr(name, only) && comparable(&row, sides)) {
            struct result r = measure(self, i, rounds, sides, -1);

            print_row(&row, &r, sides, json, first);
            first = false;
            if (sides == against_limit)
                print_less_source(self, i, &row, rounds, json);
            if (sides == against_limit)
                print_install(self, i, &row, json);
        }
    fprintf(json, "\n]\n");
    if (sum.rows)
        sum_print(aim(sides));
    remove_traces();
    return fclose(json) ? 1 : 0;
}

/* --- the guard ------------------------------------------------------------------------ */

/* The ratio that the baseline gives for a row; 0: none. */
static double baseline_ratio(const char *text, const char *name)
{
    char key[96];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(text, key);
    return at ? strtod(at + strlen(key), NULL) : 0;
}

static char *read_text(const char *path)
{
    char *text = calloc(1, 1 << 16);
    FILE *f = fopen(path, "r");

    if (!text || !f || fread(text, 1, (1 << 16) - 1, f) == 0)
        err(1, "%s", path);
    fclose(f);
    return text;
}

/* A low ratio is measured once more: what is left then is no noise. */
static int guard(const char *self, unsigned rounds, const char *only, const char *path)
{
    char *text = read_text(path), name[64];
    struct row row;
    int rc = 0;

    printf("the engine's share of its hand-written limits, against that in %s;\n"
           "FAIL: less than %.2f of it, three times\n",
           path, GUARD_FALL);
    for (unsigned i = 0; row_get(i, &row, name); i++) {
        double was = baseline_ratio(text, name), is = 0;

        for (int tries = 0; was && strstr(name, only) && tries < 3; tries++) {
            struct result r = measure(self, i, rounds, against_limit, -1);

            is = r.ratio > is ? r.ratio : is;
            if (is >= GUARD_FALL * was)
                break;
        }
        if (!is)
            continue;
        printf("%s bench/guard: %s: %.2f of the limit, was %.2f\n",
               is < GUARD_FALL * was ? "FAIL" : "PASS", name, is, was);
        fflush(stdout);
        rc |= is < GUARD_FALL * was;
    }
    remove_traces();
    free(text);
    return rc;
}

static int install(unsigned n)
{
    struct bench_install in;
    struct row row;
    char name[64];

    if (!row_get(n, &row, name))
        return 2;
    in = bench_install(&row);
    printf("%.3f %.3f\n", 1e3 * in.seconds, (double)in.bytes / (1 << 20));
    return 0;
}

/* With `all` what else a program wants to know of a row, between tabs. */
static int list(bool all)
{
    static const char *const feeds[] = {"clones", "private", "flows"};
    struct row row;
    char name[64];

    for (unsigned i = 0; row_get(i, &row, name); i++)
        if (all)
            printf("%u\t%s\t%u\t%u\t%g\t%g\t%s\n", i,
                   row.flags & NEEDS_TRACE ? "trace" : feeds[row.feed], row.size,
                   row.packets * 1000000, row.click, row.fastclick, name);
        else
            printf("%u %s\n", i, name);
    return 0;
}

static int config(unsigned n, uint64_t packets)
{
    struct row row;
    char name[64], *text;

    if (!row_get(n, &row, name))
        return 2;
    text = bench_config(&row, packets, "Discard");
    puts(text);
    free(text);
    return 0;
}

struct options {
    const char *only, *json, *baseline;
    const char *const *sides;
    unsigned rounds;
};

static void parse_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = argv[i + 1];

        if (!strcmp(argv[i], "--vm")) {
            o->sides = against_driver;
            continue;
        }
        if (value && !strcmp(argv[i], "--rounds"))
            o->rounds = (unsigned)strtoul(value, NULL, 10);
        else if (value && !strcmp(argv[i], "--json"))
            o->json = value;
        else if (value && !strcmp(argv[i], "--row"))
            o->only = value;
        else if (value && !strcmp(argv[i], "--guard"))
            o->baseline = value;
        else
            errx(2, "unknown option '%s'", argv[i]);
        i++;
    }
    if (o->rounds < 1 || o->rounds > MAX_ROUNDS)
        errx(2, "--rounds must be 1 to %d", MAX_ROUNDS);
}

int main(int argc, char **argv)
{
    struct options o = {
        .only = "", .json = "/dev/null", .sides = against_limit, .rounds = 5};

    if (argc == 4 && !strcmp(argv[1], "--one"))
        return one(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    if (argc == 4 && !strcmp(argv[1], "--turns"))
        return take_turns(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    if (argc == 3 && !strcmp(argv[1], "--install"))
        return install((unsigned)strtoul(argv[2], NULL, 10));
    if (argc == 2 && !strcmp(argv[1], "--check"))
        return check();
    if (argc == 4 && !strcmp(argv[1], "--config"))
        return config((unsigned)strtoul(argv[2], NULL, 10),
                      strtoull(argv[3], NULL, 10));
    if (argc >= 2 && !strcmp(argv[1], "--list"))
        return list(argc > 2);
    parse_options(&o, argc, argv);
    if (o.baseline)
        return guard(argv[0], o.rounds, o.only, o.baseline);
    return table(argv[0], o.rounds, o.only, o.json, o.sides);
}
