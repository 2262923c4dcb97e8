// SPDX-License-Identifier: BSD-3-Clause
/*
 * latency_bench.c -- round trips through a VM, and what waking up costs
 *
 *     latency_bench [--pings N] [--json FILE] [--svg FILE]
 *
 * The same pings, one every 2 ms, from a network namespace to another and back:
 *
 *     bridge    veth, Linux bridge, veth: what a user has without us
 *     kvm       TAP, switch, VM, switch, TAP
 *     process   the same with the VM as a sandboxed process
 *
 * each alone and beside a stream of 64-byte packets that is half of what the path was
 * found to carry just before. The VM's path is measured with three times of polling
 * before a side sleeps: `lazy` (1 us: every packet wakes everybody), the default, and
 * `eager` (10 ms: nobody sleeps between pings). On a machine with a processor for each
 * side eager's median is the path's own time, the difference to lazy is what four
 * wake-ups cost (switch and VM, there and back), and the processor time beside it is the
 * price of not paying it. Where processors are shared eager is the slowest by far: who
 * polls keeps the other from running, and the scheduler takes its time. Needs root.
 */

#include "bench/bridge.h"
#include "bench/fleet.h"
#include "bench/svg.h"

#include <dirent.h>
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_PINGS = 100000, MAX_ROWS = 32 };

struct row {
    char path[12], polling[12], load[8];
    unsigned sent, received;
    double p50, p90, p99, max; /* us */
    double cpu;                /* processors used by switch and VM; < 0: not known */
    double load_mpps;
};

static struct row rows[MAX_ROWS];
static unsigned n_rows, n_pings = 400;
static double times_us[MAX_PINGS];
static struct svg_chart charts[2] = {
    {.title = "round trips, alone", .x_label = "us", .y_label = "share", .log_x = true},
    {.title = "under half load", .x_label = "us", .y_label = "share", .log_x = true},
};

/* ---- pings ------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double quantile(unsigned n, double share)
{
    return n ? times_us[(unsigned)(share * (n - 1))] : 0;
}

static void ping(struct row *r, const char *netns, const char *address)
{
    char command[256], line[256];
    FILE *p;

    snprintf(command, sizeof command,
             "ip netns exec %s ping -c %u -i 0.002 -W 1 %s 2>/dev/null", netns, n_pings,
             address);
    p = popen(command, "r");
    if (!p)
        err(1, "ping");
    r->sent = n_pings;
    while (fgets(line, sizeof line, p)) {
        const char *time = strstr(line, "time=");

        if (time && r->received < MAX_PINGS)
            times_us[r->received++] = strtod(time + 5, NULL) * 1e3;
    }
    pclose(p);
    qsort(times_us, r->received, sizeof times_us[0], by_value);
    r->p50 = quantile(r->received, 0.5);
    r->p90 = quantile(r->received, 0.9);
    r->p99 = quantile(r->received, 0.99);
    r->max = quantile(r->received, 1);
}

static const char *series_name(const struct row *r)
{
    static char names[MAX_ROWS][32];
    char *name = names[r - rows];

    snprintf(name, sizeof names[0], "%s %s", r->path, r->polling);
    return name;
}

/* The distribution, a point for each step of a quarter of a power of two. */
static void draw(const struct row *r)
{
    struct svg_chart *c = &charts[strcmp(r->load, "half") == 0];
    unsigned i = 0;

    for (double edge = 8; edge < 65536 && r->received; edge *= 1.189207) {
        while (i < r->received && times_us[i] <= edge)
            i++;
        if (i)
            svg_point(c, series_name(r), edge, (double)i / r->received);
        if (i == r->received)
            break;
    }
}

static void print_row(const struct row *r)
{
    printf("%-8s %-8s %-5s %5u/%-5u %8.0f %8.0f %8.0f %8.0f", r->path, r->polling,
           r->load, r->received, r->sent, r->p50, r->p90, r->p99, r->max);
    if (r->cpu >= 0)
        printf(" %6.2f", r->cpu);
    else
        printf(" %6s", "-");
    if (r->load_mpps > 0)
        printf(" %8.3f", r->load_mpps);
    putchar('\n');
    fflush(stdout);
}

static struct row *new_row(const char *path, const char *polling, const char *load)
{
    struct row *r = &rows[n_rows++];

    if (n_rows > MAX_ROWS)
        errx(1, "too many rows");
    *r = (struct row){.cpu = -1};
    snprintf(r->path, sizeof r->path, "%s", path);
    snprintf(r->polling, sizeof r->polling, "%s", polling);
    snprintf(r->load, sizeof r->load, "%s", load);
    return r;
}

/* ---- processor time --------------------------------------------------------------- */

static double own_cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Of all threads of another process. */
static double cpu_s(pid_t pid)
{
    char path[400];
    double sum = 0;
    struct dirent *e;
    DIR *d;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    d = opendir(path);
    while (d && (e = readdir(d))) {
        unsigned long long ns;
        FILE *f;

        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, e->d_name);
        f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (f && fscanf(f, "%llu", &ns) == 1)
            sum += (double)ns / 1e9;
        if (f)
            fclose(f);
    }
    if (d)
        closedir(d);
    return sum;
}

/* ---- through a VM ----------------------------------------------------------------- */

static const char forwarder[] = "FromNetfront(0, TIMESTAMP false) -> ToNetfront(1);\n"
                                "FromNetfront(1, TIMESTAMP false) -> ToNetfront(0);\n";

struct path {
    char ns[2][32];
    uint32_t nets[2], sink;
};

static void run_command(const char *command)
{
    if (system(command) != 0)
        errx(1, "failed: %s", command);
}

static void open_path(struct fleet *f, struct path *p)
{
    const uint8_t mac[6] = {2, 0xff, 0, 0, 0, 1};
    struct diag d = DIAG_INIT;
    char command[256];

    for (int i = 0; i < 2; i++) {
        snprintf(p->ns[i], sizeof p->ns[i], "cosl-%d-%d", (int)getpid(), i);
        snprintf(command, sizeof command, "ip netns add %s", p->ns[i]);
        run_command(command);
        p->nets[i] = fleet_net(f, (struct network_config){0});
        fleet_port(f, (struct port_config){.network = p->nets[i],
                                           .kind = PORT_TAP,
                                           .tap = {.ifname = "e0", .netns = p->ns[i]}});
        snprintf(command, sizeof command, "ip -n %s addr add 10.99.1.%d/24 dev e0",
                 p->ns[i], i + 1);
        run_command(command);
    }
    p->sink = fleet_port(
        f, (struct port_config){.network = p->nets[1], .kind = PORT_SINK});
    if (backplane_add_address(f->bp, p->sink, mac, &d) < 0)
        errx(1, "%s", diag_text(&d));
    diag_fini(&d);
    fleet_add(f, forwarder, 2, p->nets);
    fleet_wait(f);
}

static void close_path(struct fleet *f, struct path *p)
{
    char command[128];

    fleet_clear(f);
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "ip netns del %s", p->ns[i]);
        run_command(command);
    }
}

static uint32_t add_load(struct fleet *f, const struct path *p, double pps)
{
    return fleet_port(
        f, (struct port_config){
               .network = p->nets[0],
               .kind = PORT_GENERATOR,
               .generator = {.rate_pps = pps, .dst_mac = {2, 0xff, 0, 0, 0, 1}}});
}

/* Packets a second that come out at the sink. */
static double sink_pps(struct fleet *f, const struct path *p)
{
    uint64_t before = fleet_stats(f, p->sink).out_packets;
    double start = fleet_now_s();

    usleep(300000);
    return (double)(fleet_stats(f, p->sink).out_packets - before) /
           (fleet_now_s() - start);
}

static void ping_path(struct fleet *f, struct path *p, const char *name,
                      const char *polling, const char *load, double mpps)
{
    struct row *r = new_row(name, polling, load);
    double own = own_cpu_s(), vm = cpu_s(vmm_pid(f->vms[0].vm)), start = fleet_now_s();

    r->load_mpps = mpps;
    ping(r, p->ns[0], "10.99.1.2");
    r->cpu = (own_cpu_s() - own + cpu_s(vmm_pid(f->vms[0].vm)) - vm) /
             (fleet_now_s() - start);
    print_row(r);
    draw(r);
}

static void report_idle(struct fleet *f, const char *name)
{
    double own = own_cpu_s(), vm = cpu_s(vmm_pid(f->vms[0].vm)), start = fleet_now_s();

    sleep(1);
    printf("%s: without traffic switch and VM use %.4f processors\n", name,
           (own_cpu_s() - own + cpu_s(vmm_pid(f->vms[0].vm)) - vm) /
               (fleet_now_s() - start));
}

struct polling {
    const char *name;
    uint64_t ns; /* of both sides; 0: default */
};

static void bench_vm(struct fleet *f, enum vmm_isolation isolation,
                     const struct polling *polling)
{
    const struct backplane_config c = {.poll_min_ns = polling->ns,
                                       .poll_max_ns = polling->ns};
    const char *name = isolation == VMM_KVM ? "kvm" : "process";
    struct path p;
    uint32_t load;
    double half;

    fleet_reopen(f, &c);
    f->isolation = isolation;
    f->guest_poll_ns = polling->ns;
    open_path(f, &p);
    ping_path(f, &p, name, polling->name, "none", 0);
    if (polling->ns == 0) {
        report_idle(f, name);
        load = add_load(f, &p, 0);
        half = sink_pps(f, &p) / 2;
        fleet_drop_port(f, load);
        load = add_load(f, &p, half > 1 ? half : 1);
        ping_path(f, &p, name, polling->name, "half", half / 1e6);
        fleet_drop_port(f, load);
    }
    close_path(f, &p);
}

/* ---- through a bridge ------------------------------------------------------------- */

struct stream {
    struct bridge *bridge;
    double pps, seconds;
};

static void *run_stream(void *arg)
{
    struct stream *s = arg;

    bridge_mpps(s->bridge, 64, s->pps, s->seconds);
    return NULL;
}

static void bench_bridge(void)
{
    struct bridge b;
    struct stream s = {.bridge = &b, .seconds = 0.0025 * n_pings};
    pthread_t thread;
    struct row *r;

    if (!bridge_open(&b))
        return;
    r = new_row("bridge", "-", "none");
    ping(r, b.left, "10.99.0.2");
    print_row(r);
    draw(r);
    s.pps = bridge_mpps(&b, 64, 0, 0.3) * 1e6 / 2;
    r = new_row("bridge", "-", "half");
    r->load_mpps = s.pps / 1e6;
    if (s.pps > 0 && pthread_create(&thread, NULL, run_stream, &s) == 0) {
        ping(r, b.left, "10.99.0.2");
        pthread_join(thread, NULL);
        print_row(r);
        draw(r);
    }
    bridge_close(&b);
}

/* ---- results ---------------------------------------------------------------------- */

static const struct row *find(const char *path, const char *polling, const char *load)
{
    for (unsigned i = 0; i < n_rows; i++)
        if (!strcmp(rows[i].path, path) && !strcmp(rows[i].polling, polling) &&
            !strcmp(rows[i].load, load))
            return &rows[i];
    return NULL;
}

static void conclude(const char *path)
{
    const struct row *lazy = find(path, "lazy", "none");
    const struct row *eager = find(path, "eager", "none");
    const struct row *usual = find(path, "default", "none");
    const struct row *bridge = find("bridge", "-", "none");

    if (!lazy || !eager || !usual)
        return;
    if (eager->p50 < lazy->p50)
        printf("%s: four wake-ups cost %.0f us, one %.0f us", path,
               lazy->p50 - eager->p50, (lazy->p50 - eager->p50) / 4);
    else
        printf("%s: processors are shared, so nobody gains by polling", path);
    if (bridge && bridge->p50 > 0)
        printf("; to the bridge: %.2f by default, %.2f lazy", usual->p50 / bridge->p50,
               lazy->p50 / bridge->p50);
    putchar('\n');
}

static void write_json(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f)
        err(1, "%s", path);
    fprintf(f, "[\n");
    for (unsigned i = 0; i < n_rows; i++) {
        const struct row *r = &rows[i];

        fprintf(f,
                "  {\"path\": \"%s\", \"polling\": \"%s\", \"load\": \"%s\", \"sent\": "
                "%u, \"received\": %u, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": "
                "%.1f, \"max_us\": %.1f, \"cpu\": %.3f, \"load_mpps\": %.4f}%s\n",
                r->path, r->polling, r->load, r->sent, r->received, r->p50, r->p90,
                r->p99, r->max, r->cpu, r->load_mpps, i + 1 < n_rows ? "," : "");
    }
    fprintf(f, "]\n");
    if (fclose(f) != 0)
        err(1, "%s", path);
}

static void bench_all(struct fleet *f)
{
    static const struct polling pollings[] = {
        {"lazy", 1000}, {"default", 0}, {"eager", 10000000}};
    const char *why;
    bool kvm = vmm_host_has_kvm(f->host, &why);

    if (!kvm)
        printf("SKIP kvm: %s\n", why);
    for (int i = 0; i < 3; i++) {
        if (kvm)
            bench_vm(f, VMM_KVM, &pollings[i]);
        bench_vm(f, VMM_PROCESS, &pollings[i]);
    }
}

int main(int argc, char **argv)
{
    const char *json = NULL, *svg = NULL;
    static struct fleet fleet;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--pings") == 0)
            n_pings = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--json") == 0)
            json = argv[i + 1];
        else if (strcmp(argv[i], "--svg") == 0)
            svg = argv[i + 1];
        else
            errx(2, "unknown option '%s'", argv[i]);
    }
    if (n_pings < 1 || n_pings > MAX_PINGS)
        errx(2, "--pings must be 1 to %d", MAX_PINGS);
    if (geteuid() != 0 || system("type ping ip >/dev/null 2>&1") != 0) {
        printf("SKIP latency: needs root, ping and ip\n");
        return 0;
    }
    printf("%-8s %-8s %-5s %11s %8s %8s %8s %8s %6s %8s\n", "path", "polling", "load",
           "pings", "p50 us", "p90", "p99", "max", "cpus", "Mp/s");
    bench_bridge();
    fleet_open(&fleet, NULL);
    bench_all(&fleet);
    fleet_close(&fleet);
    conclude("kvm");
    conclude("process");
    if (json)
        write_json(json);
    if (svg && svg_write(svg, "ClickOS round trips: share of pings back within", charts,
                         2) < 0)
        err(1, "%s", svg);
    return 0;
}
