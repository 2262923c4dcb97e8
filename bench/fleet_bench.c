// SPDX-License-Identifier: BSD-3-Clause
/*
 * fleet_bench.c -- the paper's figure 6: up to 128 real VMs on one switch, and what there
 *                  is beside it, in one run
 *
 *     fleet_bench [--seconds S] [--vms N] [--only PART] [--no-others 1]
 *                 [--from N] [--bytes B] [--poll-us US] [--guest-poll-us US]
 *                 [--json FILE] [--svg FILE]
 *
 *     vms to sink      N VMs send into one sink
 *     source to vms    one generator spread over N receiving VMs
 *     gen, vm, sink    through one forwarding VM, on wires
 *     vm, k vms, vm    from VM to VM through a chain of k others, on wires
 *     bare ring        the limit (bench/bare_ring.h), the best seen
 *     linux bridge     veth, bridge, veth (bench/bridge.h)
 *     dpdk             testpmd without huge pages (bench/dpdk.sh), and Open vSwitch on it
 *                      between null ports (bench/ovs.sh)
 *
 * --from leaves out fewer VMs, --bytes all other sizes. The VMs run once under KVM and once
 * as sandboxed processes. A rate is what arrived, over the whole time and in the best
 * window; fairness is the least served VM's share of the mean; drops are those of the
 * switch, by reason, as shares of what was sent. `ns` is the processor time of the switch
 * for a packet, polling included, however many others use the machine. `limit` is what the
 * bare ring did just before or just after the row, whichever was more, and the ratio is of
 * the best window to that: a virtual machine's processors may be near to each other at one
 * time and far apart a minute later, and then pass 80 million packets or 23.
 */

#include "bench/bare_ring.h"
#include "bench/bridge.h"
#include "bench/fleet.h"
#include "bench/svg.h"

#include "abi/netmem.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

enum { N_SIZES = 6, MAX_ROWS = 512, CHAIN = 9, REPEATS = 3 };

#define WINDOW_S 0.02
#define LIMIT_S  0.06 /* a measurement of the limit beside a row */
#define WARM_S   5.0  /* for the first touch of all memory, at most */

static const uint32_t sizes[N_SIZES] = {64, 128, 256, 512, 1024, 1500};

/* Over the whole time, and in the best of many short windows: while others use the
 * machine, too, that is what the program can do. The limit is measured by windows as
 * well, and ratios are of one best window to the other. */
struct rate {
    double mean, best; /* Mp/s */
    double switch_ns;  /* of processor time a packet; 0: not known */
};

struct row {
    char name[24], isolation[12];
    uint32_t n, size;
    struct rate rate;
    double limit;    /* Mp/s of a bare ring at about that time */
    double fairness; /* 0: does not apply */
    char drops[96];
};

static struct row rows[MAX_ROWS];
static unsigned n_rows, min_vms = 1, max_vms = FLEET_MAX;
static uint32_t only_size; /* 0: all */
static double seconds = 0.25;
static struct rate limit_best[N_SIZES]; /* the best of the run */
static double limit_last[N_SIZES];      /* Mp/s */
static const char *only;

static struct fleet fleet;
static const char *isolation_name;

/* ---- rows ------------------------------------------------------------------------- */

static bool wanted(const char *name)
{
    return !only || strstr(name, only);
}

static bool wanted_size(uint32_t size)
{
    return !only_size || size == only_size;
}

static int size_index(uint32_t size)
{
    for (int i = 0; i < N_SIZES; i++)
        if (sizes[i] == size)
            return i;
    errx(1, "there is no limit for %u bytes", size);
}

/* The limit now; returns the better of this and the one before. */
static double measure_limit(uint32_t size)
{
    int i = size_index(size);
    double before = limit_last[i];
    struct rate r = {0};

    bare_ring_run(size, LIMIT_S, &r.mean, &r.best);
    if (r.best > limit_best[i].best)
        limit_best[i] = r;
    limit_last[i] = r.best;
    return r.best > before ? r.best : before;
}

static double ratio_of(const struct row *r)
{
    return r->limit > 0 ? r->rate.best / r->limit : 0;
}

static struct row *record(const char *name, const char *isolation, uint32_t n,
                          uint32_t size, struct rate rate)
{
    struct row *r = &rows[n_rows++];

    if (n_rows > MAX_ROWS)
        errx(1, "too many rows");
    *r = (struct row){.n = n, .size = size, .rate = rate};
    snprintf(r->name, sizeof r->name, "%s", name);
    snprintf(r->isolation, sizeof r->isolation, "%s", isolation);
    r->limit = measure_limit(size);
    return r;
}

static void print_row(const struct row *r)
{
    printf("%-14s %-8s %4u %5u %8.3f %8.3f %7.2f %8.3f %6.2f", r->name, r->isolation,
           r->n, r->size, r->rate.mean, r->rate.best, r->rate.best * r->size * 8 / 1e3,
           r->limit, ratio_of(r));
    if (r->rate.switch_ns > 0)
        printf(" %6.1f", r->rate.switch_ns);
    if (r->fairness > 0)
        printf(" %6.2f  %s", r->fairness, r->drops);
    putchar('\n');
    fflush(stdout);
}

/* ---- rates ------------------------------------------------------------------------ */

static void run_for(double s)
{
    usleep((useconds_t)(s * 1e6));
}

static uint64_t count_out(const uint32_t *ports, unsigned n)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += fleet_stats(&fleet, ports[i]).out_packets;
    return sum;
}

/* Of all threads but this one: of the switch's. */
static double switch_cpu_s(void)
{
    struct rusage all, own;

    getrusage(RUSAGE_SELF, &all);
    getrusage(RUSAGE_THREAD, &own);
    timersub(&all.ru_utime, &own.ru_utime, &all.ru_utime);
    timersub(&all.ru_stime, &own.ru_stime, &all.ru_stime);
    timeradd(&all.ru_utime, &all.ru_stime, &all.ru_utime);
    return (double)all.ru_utime.tv_sec + (double)all.ru_utime.tv_usec / 1e6;
}

/* Packets out of all these ports together. */
static struct rate measure(const uint32_t *ports, unsigned n)
{
    uint64_t first = count_out(ports, n), before = first, now = first;
    double start = fleet_now_s(), at = start, next = start;
    double cpu = switch_cpu_s();
    struct rate r = {0};

    while (at < start + seconds) {
        double mpps;

        run_for(WINDOW_S);
        next = fleet_now_s();
        now = count_out(ports, n);
        mpps = (double)(now - before) / (next - at) / 1e6;
        r.best = mpps > r.best ? mpps : r.best;
        before = now;
        at = next;
    }
    r.mean = (double)(now - first) / (at - start) / 1e6;
    if (now > first)
        r.switch_ns = (switch_cpu_s() - cpu) / (double)(now - first) * 1e9;
    return r;
}

/* Until all have used each of their buffers: the first touch of a page is a fault on both
 * sides, tens of microseconds each where KVM has no hardware behind it. */
static void warm_up(const uint32_t *ports, unsigned n)
{
    uint64_t enough = count_out(ports, n) + 2ull * NETMEM_SLOTS * n;
    double end = fleet_now_s() + WARM_S;

    run_for(seconds / 4);
    while (count_out(ports, n) < enough && fleet_now_s() < end)
        run_for(WINDOW_S);
}

/* ---- what went through some ports ------------------------------------------------- */

struct tally {
    uint64_t in[FLEET_MAX], out[FLEET_MAX], drops[DROP_REASONS];
};

/* Interface 0 of the first `n` VMs, and the drops of `other` as well. */
static void take_tally(struct tally *t, unsigned n, uint32_t other)
{
    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i <= n; i++) {
        struct port_stats s = fleet_stats(&fleet,
                                          i < n ? fleet.vms[i].ports[0] : other);

        if (i < n) {
            t->in[i] = s.in_packets;
            t->out[i] = s.out_packets;
        }
        for (unsigned k = 0; k < DROP_REASONS; k++)
            t->drops[k] += s.drops[k];
    }
}

/* What happened in between; `out` says which way. */
static void tally_row(const char *name, unsigned n, uint32_t size,
                      const struct tally *a, const struct tally *b, bool out,
                      struct rate rate)
{
    uint64_t total = 0, least = UINT64_MAX;
    struct row *r;
    size_t at = 0;

    for (unsigned i = 0; i < n; i++) {
        uint64_t moved = out ? b->out[i] - a->out[i] : b->in[i] - a->in[i];

        total += moved;
        least = moved < least ? moved : least;
    }
    r = record(name, isolation_name, n, size, rate);
    r->fairness = total ? (double)least * n / (double)total : 0;
    for (unsigned k = 0; k < DROP_REASONS && at < sizeof r->drops; k++) {
        uint64_t lost = b->drops[k] - a->drops[k];

        if (lost)
            at += (size_t)snprintf(r->drops + at, sizeof r->drops - at, "%s%s %.1f%%",
                                   at ? ", " : "",
                                   backplane_drop_name((enum drop_reason)k),
                                   100.0 * (double)lost / (double)(total + lost));
    }
    print_row(r);
}

/* ---- N VMs and a sink, a source and N VMs ----------------------------------------- */

/* Sends when told to, and counts what comes. The source is pulled, so that a VM whose ring
 * is full waits instead of making packets to drop them. */
static const char sender[] =
    "s :: InfiniteSource(DATA \\<02ff00000001 02000000%04x 0800 %0100x>, LENGTH 64,\n"
    "    TIMESTAMP false, ACTIVE false) -> PullNull -> ToNetfront(0);\n"
    "FromNetfront(0, TIMESTAMP false) -> Counter -> Discard;\n";

static const uint8_t sink_mac[6] = {2, 0xff, 0, 0, 0, 1};

static void add_address(uint32_t port, const uint8_t mac[6])
{
    struct diag d = DIAG_INIT;

    if (backplane_add_address(fleet.bp, port, mac, &d) < 0)
        errx(1, "%s", diag_text(&d));
    diag_fini(&d);
}

static void boot_senders(uint32_t lan)
{
    double start = fleet_now_s();

    for (unsigned i = 0; i < max_vms; i++) {
        uint8_t mac[6];
        char text[512];

        snprintf(text, sizeof text, sender, i + 1, 0);
        fleet_add(&fleet, text, 1, &lan);
        fleet_mac(i, 0, mac);
        add_address(fleet.vms[i].ports[0], mac);
    }
    fleet_wait(&fleet);
    fprintf(stderr, "%u VMs (%s) in %.2f s\n", max_vms, isolation_name,
            fleet_now_s() - start);
}

static void one_into_sink(unsigned n, uint32_t size, uint32_t sink)
{
    struct tally before, after;
    struct rate rate;
    char length[16];

    snprintf(length, sizeof length, "%u", size);
    fleet_write(&fleet, 0, n, "s.length", length);
    fleet_write(&fleet, 0, n, "s.active", "true");
    run_for(seconds / 4);
    take_tally(&before, n, sink);
    rate = measure(&sink, 1);
    take_tally(&after, n, sink);
    fleet_write(&fleet, 0, n, "s.active", "false");
    tally_row("vms to sink", n, size, &before, &after, false, rate);
}

static void one_out_of_source(unsigned n, uint32_t size, uint32_t lan)
{
    struct port_config c = {.network = lan,
                            .kind = PORT_GENERATOR,
                            .generator = {.n_sizes = 1,
                                          .sizes = {(uint16_t)size},
                                          .flows = n,
                                          .spread = n,
                                          .stream = 0xfffe}};
    struct tally before, after;
    uint32_t generator, ports[FLEET_MAX];
    struct rate rate;

    for (unsigned i = 0; i < n; i++)
        ports[i] = fleet.vms[i].ports[0];
    fleet_mac(0, 0, c.generator.dst_mac);
    generator = fleet_port(&fleet, c);
    warm_up(ports, n);
    take_tally(&before, n, generator);
    rate = measure(ports, n);
    take_tally(&after, n, generator);
    fleet_drop_port(&fleet, generator);
    tally_row("source to vms", n, size, &before, &after, true, rate);
}

static void bench_many(void)
{
    uint32_t lan = fleet_net(&fleet, (struct network_config){0});
    uint32_t sink = fleet_port(&fleet,
                               (struct port_config){.network = lan, .kind = PORT_SINK});

    add_address(sink, sink_mac);
    boot_senders(lan);
    for (int i = 0; i < N_SIZES; i++) {
        if (!wanted_size(sizes[i]))
            continue;
        measure_limit(sizes[i]);
        for (unsigned n = min_vms; n <= max_vms; n *= 2) {
            if (wanted("vms to sink"))
                one_into_sink(n, sizes[i], sink);
            if (wanted("source to vms"))
                one_out_of_source(n, sizes[i], lan);
        }
    }
    fleet_clear(&fleet);
}

/* ---- through VMs ------------------------------------------------------------------ */

static const char forwarder[] = "FromNetfront(0, TIMESTAMP false) -> ToNetfront(1);\n"
                                "FromNetfront(1, TIMESTAMP false) -> ToNetfront(0);\n";

/* What comes out of one port. */
static struct rate rate_out(uint32_t port)
{
    run_for(seconds / 4);
    return measure(&port, 1);
}

static void bench_through(void)
{
    uint32_t nets[2] = {fleet_wire(&fleet), fleet_wire(&fleet)};
    uint32_t sink = fleet_port(
        &fleet, (struct port_config){.network = nets[1], .kind = PORT_SINK});

    fleet_add(&fleet, forwarder, 2, nets);
    fleet_wait(&fleet);
    for (int i = 0; i < N_SIZES; i++) {
        struct port_config c = {
            .network = nets[0],
            .kind = PORT_GENERATOR,
            .generator = {.n_sizes = 1, .sizes = {(uint16_t)sizes[i]}}};
        uint32_t generator;

        if (!wanted_size(sizes[i]))
            continue;
        measure_limit(sizes[i]);
        generator = fleet_port(&fleet, c);
        print_row(record("gen, vm, sink", isolation_name, 1, sizes[i], rate_out(sink)));
        fleet_drop_port(&fleet, generator);
    }
    fleet_clear(&fleet);
}

/* From a VM through k others to a VM that counts. */
static void bench_chain(unsigned k, uint32_t size)
{
    uint32_t nets[CHAIN + 1];
    char text[512], length[16];

    for (unsigned i = 0; i <= k; i++)
        nets[i] = fleet_wire(&fleet);
    snprintf(text, sizeof text, sender, 1, 0);
    fleet_add(&fleet, text, 1, &nets[0]);
    for (unsigned i = 0; i < k; i++)
        fleet_add(&fleet, forwarder, 2, &nets[i]);
    fleet_add(&fleet, text, 1, &nets[k]);
    fleet_wait(&fleet);
    snprintf(length, sizeof length, "%u", size);
    fleet_write(&fleet, 0, 1, "s.length", length);
    fleet_write(&fleet, 0, 1, "s.active", "true");
    print_row(record("vm, k vms, vm", isolation_name, k, size,
                     rate_out(fleet.vms[k + 1].ports[0])));
    fleet_clear(&fleet);
}

static void bench_isolation(enum vmm_isolation isolation)
{
    fleet.isolation = isolation;
    isolation_name = isolation == VMM_KVM ? "kvm" : "process";
    if (wanted("vms to sink") || wanted("source to vms"))
        bench_many();
    if (wanted("gen, vm, sink"))
        bench_through();
    for (unsigned k = 0; k <= CHAIN && wanted("vm, k vms, vm"); k++) {
        if (wanted_size(64))
            bench_chain(k, 64);
        if (k <= 1 && wanted_size(1500))
            bench_chain(k, 1500);
    }
}

/* ---- beside us -------------------------------------------------------------------- */

static void bench_bridge(void)
{
    struct bridge b;

    if (!wanted("linux bridge") || !bridge_open(&b))
        return;
    for (int i = 0; i < N_SIZES; i++) {
        struct rate r = {0};

        if (!wanted_size(sizes[i]))
            continue;
        for (int k = 0; k < REPEATS; k++) {
            double mpps = bridge_mpps(&b, sizes[i], 0, seconds);

            r.mean += mpps / REPEATS;
            r.best = mpps > r.best ? mpps : r.best;
        }
        print_row(record("linux bridge", "-", 0, sizes[i], r));
    }
    bridge_close(&b);
}

static void bench_dpdk(const char *script)
{
    char line[128], name[24];
    FILE *p;

    if (!wanted("dpdk"))
        return;
    p = popen(script, "r");
    while (p && fgets(line, sizeof line, p)) {
        char what[16];
        double mpps, best;

        if (sscanf(line, "%15s %lf %lf", what, &mpps, &best) == 3) {
            snprintf(name, sizeof name, "dpdk %s", what);
            print_row(record(name, "-", 0, 64, (struct rate){mpps, best, 0}));
        } else {
            fputs(line, stdout);
        }
    }
    if (p)
        pclose(p);
}

/* ---- files ------------------------------------------------------------------------ */

static void write_json(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f)
        err(1, "%s", path);
    fprintf(f, "[\n");
    for (unsigned i = 0; i < n_rows; i++)
        fprintf(f,
                "  {\"case\": \"%s\", \"isolation\": \"%s\", \"n\": %u, \"bytes\": %u, "
                "\"mpps\": %.4f, \"best_mpps\": %.4f, \"limit_mpps\": %.4f, "
                "\"ratio\": %.4f, \"switch_ns\": %.1f, \"fairness\": %.3f, "
                "\"drops\": \"%s\"}%s\n",
                rows[i].name, rows[i].isolation, rows[i].n, rows[i].size,
                rows[i].rate.mean, rows[i].rate.best, rows[i].limit, ratio_of(&rows[i]),
                rows[i].rate.switch_ns, rows[i].fairness, rows[i].drops,
                i + 1 < n_rows ? "," : "");
    fprintf(f, "]\n");
    if (fclose(f) != 0)
        err(1, "%s", path);
}

static const char *size_name(uint32_t size)
{
    static const char *const names[N_SIZES] = {"64 bytes",  "128 bytes",  "256 bytes",
                                               "512 bytes", "1024 bytes", "1500 bytes"};

    for (int i = 0; i < N_SIZES; i++)
        if (sizes[i] == size)
            return names[i];
    return "";
}

/* Charts 0 and 1: the figure, for KVM; 2: chains and packet sizes beside the others; 3:
 * fairness. */
static void draw_row(struct svg_chart *c, const struct row *r)
{
    bool kvm = strcmp(r->isolation, "kvm") == 0;
    double gbps = r->rate.best * r->size * 8 / 1e3;

    if (strcmp(r->name, "vms to sink") == 0 && kvm)
        svg_point(&c[0], size_name(r->size), r->n, gbps);
    if (strcmp(r->name, "source to vms") == 0 && kvm)
        svg_point(&c[1], size_name(r->size), r->n, gbps);
    if (strcmp(r->name, "vms to sink") == 0 && r->size == 64)
        svg_point(&c[2], kvm ? "to sink, VMs" : "to sink, processes", r->n,
                  r->rate.best);
    if (strcmp(r->name, "source to vms") == 0 && r->size == 64)
        svg_point(&c[2], kvm ? "to VMs" : "to processes", r->n, r->rate.best);
    if (strcmp(r->name, "vm, k vms, vm") == 0 && r->size == 64)
        svg_point(&c[3], kvm ? "VMs" : "processes", r->n, r->rate.best);
    if (strcmp(r->name, "gen, vm, sink") == 0)
        svg_point(&c[4], kvm ? "through a VM" : "a process", r->size, r->rate.best);
    if (strcmp(r->name, "linux bridge") == 0 || strcmp(r->name, "dpdk loop") == 0 ||
        strcmp(r->name, "bare ring") == 0)
        svg_point(&c[4], r->name, r->size, r->rate.best);
    if (r->fairness > 0 && r->size == 64 && r->n > 1 && kvm)
        svg_point(&c[5], r->name, r->n, r->fairness);
}

static void write_svg(const char *path)
{
    static struct svg_chart c[6] = {
        {.title = "N VMs into one sink", .x_label = "VMs", .y_label = "Gb/s"},
        {.title = "one source into N VMs", .x_label = "VMs", .y_label = "Gb/s"},
        {.title = "64-byte packets", .x_label = "VMs", .y_label = "Mp/s"},
        {.title = "chain, 64 bytes", .x_label = "VMs in between", .y_label = "Mp/s"},
        {.title = "through one VM", .x_label = "bytes", .y_label = "Mp/s"},
        {.title = "least served / mean", .x_label = "VMs", .y_label = "share"},
    };

    for (int i = 0; i < 6; i++)
        c[i].log_x = i != 3;
    for (int i = 0; i < 2; i++) { /* what the paper's figure ends at */
        c[i].log_y = true;
        c[i].reference = "10 Gb/s link";
        c[i].reference_y = 10;
    }
    c[5].reference = "aim: 0.8";
    c[5].reference_y = 0.8;
    c[4].log_y = true;
    for (unsigned i = 0; i < n_rows; i++)
        draw_row(c, &rows[i]);
    if (svg_write(path, "ClickOS backplane: the best 20 ms of each case", c, 6) < 0)
        err(1, "%s", path);
}

/* ---- main ------------------------------------------------------------------------- */

struct options {
    const char *json, *svg;
    bool no_others;
    uint64_t poll_ns, guest_poll_ns; /* 0: defaults */
};

static void parse_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--seconds") == 0)
            seconds = atof(value);
        else if (strcmp(argv[i], "--vms") == 0)
            max_vms = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--from") == 0)
            min_vms = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--bytes") == 0)
            only_size = (uint32_t)atoi(value);
        else if (strcmp(argv[i], "--only") == 0)
            only = value;
        else if (strcmp(argv[i], "--json") == 0)
            o->json = value;
        else if (strcmp(argv[i], "--svg") == 0)
            o->svg = value;
        else if (strcmp(argv[i], "--poll-us") == 0)
            o->poll_ns = (uint64_t)(atof(value) * 1e3);
        else if (strcmp(argv[i], "--guest-poll-us") == 0)
            o->guest_poll_ns = (uint64_t)(atof(value) * 1e3);
        else if (strcmp(argv[i], "--no-others") == 0)
            o->no_others = true;
        else
            errx(2, "unknown option '%s'", argv[i]);
    }
    if (max_vms < 1 || max_vms > FLEET_MAX)
        errx(2, "--vms must be 1 to %d", FLEET_MAX);
    if (min_vms < 1 || min_vms > max_vms)
        errx(2, "--from must be 1 to %u", max_vms);
    if (only_size)
        size_index(only_size);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    const char *why;

    parse_options(&o, argc, argv);
    fleet_open(&fleet, &(struct backplane_config){.poll_max_ns = o.poll_ns});
    fleet.guest_poll_ns = o.guest_poll_ns;
    printf("%-14s %-8s %4s %5s %8s %8s %7s %8s %6s %6s %6s  %s\n", "case", "as", "n",
           "bytes", "Mp/s", "best", "Gb/s", "limit", "ratio", "ns", "fair", "drops");
    if (vmm_host_has_kvm(fleet.host, &why))
        bench_isolation(VMM_KVM);
    else
        printf("SKIP kvm: %s\n", why);
    bench_isolation(VMM_PROCESS);
    fleet_close(&fleet);
    if (!o.no_others) {
        bench_bridge();
        bench_dpdk("bench/dpdk.sh 3");
        bench_dpdk("bench/ovs.sh 3");
    }
    for (int i = 0; i < N_SIZES; i++)
        if (wanted_size(sizes[i]))
            print_row(record("bare ring", "-", 0, sizes[i], limit_best[i]));
    if (o.json)
        write_json(o.json);
    if (o.svg)
        write_svg(o.svg);
    return 0;
}
