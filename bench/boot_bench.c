// SPDX-License-Identifier: BSD-3-Clause
/*
 * boot_bench.c -- what starting a VM costs when there are many already
 *
 *     boot_bench [--vms N] [--beside GROUPS] [--json FILE] [--svg FILE] [--click PROGRAM]
 *
 * Starts N VMs (1,000) one after the other, each with a rule of its own in its firewall, and
 * keeps them all. For each: how long from vmm_spawn() until the guest runs, until the
 * firewall is installed, and until it has forwarded the first packet of a sender that knocks
 * 10,000 times a second. Every other VM is made of a shell (vmm_host_keep_shells()), so that
 * both kinds meet the same machine; among them lie, every tenth time, the floor
 * (bench/floor.h) and the same configuration in a `click` process that runs one packet
 * through it and ends.
 *
 * At the end all are there: memory a VM, and one more packet through each of them.
 */

#include "bench/floor.h"
#include "bench/svg.h"
#include "switch/backplane.h"
#include "vmm/client.h"

#include <err.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KNOCK_PPS = 10000, EVERY = 10, MAX_VMS = 20000, FILES_A_VM = 6, BUCKETS = 20 };

/* `OWN` is a rule that tells one VM's firewall from another's, or nothing. */
#define FIREWALL(OWN)                                                                  \
    "-> c :: Classifier(12/0800, -);\n"                                                \
    "c[0] -> Strip(14) -> CheckIPHeader\n"                                             \
    "     -> f :: IPFilter(0 icmp, 0 tcp port 80, 0 udp port 53, " OWN "1 all)\n"      \
    "     -> Unstrip(14) -> n :: Counter -> "

#define OWN_RULE "0 src host 10.1.%u.%u, "
#define THE_REST                                                                       \
    "ToNetfront(1); f[1] -> Discard; c[1] -> Discard; FromNetfront(1) -> Discard;\n"
#define CONFIG "FromNetfront(0) " FIREWALL(OWN_RULE) THE_REST

/* UDP to port 53, as the generator makes it; then the process ends. */
static const char click_config[] =
    "InfiniteSource(DATA \\<ffffffffffff 020000000000 0800 4500003200000000401166b9"
    "0a0000010a000002 04000035001e0000 00000000000000000000000000000000000000000000>,"
    " LIMIT 1, STOP true) " FIREWALL("") "Discard; f[1] -> Discard; c[1] -> Discard;\n";

enum kind { COLD, SHELL, N_KINDS };

struct vm {
    struct vmm *vmm;
    uint64_t spawned_ns, ready_ns, installed_ns,
        first_ns; /* the last three: after it */
    struct vmm_timing timing;
    bool installed, ending, ended;
};

struct bench {
    struct vmm_host *hosts[N_KINDS]; /* a pool serves every spawn of its host */
    struct backplane *bp;
    uint32_t in, out;
    unsigned n_vms, n_floor;
    unsigned beside; /* groups of n_vms each that run already */
    struct vm *vms;  /* owned */
    uint64_t *floor_ns, *click_ns;
    const char *json, *svg, *click;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void must(int rc, struct diag *d)
{
    if (rc < 0)
        errx(1, "%s", diag_text(d));
}

static enum kind kind_of(const struct bench *b, const struct vm *v)
{
    return (v - b->vms) % N_KINDS ? SHELL : COLD;
}

/* ---- one VM --------------------------------------------------------------------------- */

static void on_ready(struct vmm *vm, void *ctx, const struct vmm_timing *t)
{
    ((struct vm *)ctx)->timing = *t;
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    struct vm *v = ctx;

    v->ended = true;
    if (!v->ending)
        warnx("a VM ended: %s", why);
}

static void on_installed(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                         size_t len)
{
    struct vm *v = ctx;

    if (status != CONTROL_OK)
        errx(1, "install: %s: %.*s", vmm_status_text(status), (int)len, text);
    v->installed = true;
    v->installed_ns = now_ns() - v->spawned_ns;
}

static const struct vmm_events events = {.ready = on_ready, .end = on_end};

static void pump(struct bench *b, enum kind k, int timeout_ms)
{
    struct pollfd p = {.fd = vmm_host_fd(b->hosts[k]), .events = POLLIN};

    if (poll(&p, 1, timeout_ms) > 0)
        vmm_host_dispatch(b->hosts[k]);
}

static void add_port(struct bench *b, struct port_config c, uint32_t *id)
{
    struct diag d = DIAG_INIT;

    must(backplane_add_port(b->bp, &c, id, &d), &d);
    diag_fini(&d);
}

/* Generator -> VM -> sink; returns when the first packet has come through, in ns of the
 * clock, or 0 when none has within 10 seconds. */
static uint64_t knock(struct bench *b, struct vm *v)
{
    static const struct generator_config gen = {.rate_pps = KNOCK_PPS, .dst_port = 53};
    const struct vmm_net *net = vmm_net(v->vmm);
    struct sink_report r = {.packets = 0};
    uint64_t end = now_ns() + 10000000000u;
    struct diag d = DIAG_INIT;
    uint32_t ports[4];

    for (unsigned i = 0; i < 2; i++)
        add_port(b,
                 (struct port_config){.name = i ? "vm.1" : "vm.0",
                                      .network = i ? b->out : b->in,
                                      .kind = PORT_VM,
                                      .vm = {.memory_fd = net->mem_fd,
                                             .interface = i,
                                             .wake_fd = net->wake_fd,
                                             .doorbell_fd = net->doorbell_fds[i]}},
                 &ports[i]);
    /* One flow: clearing a table for many would take longer than the VM's start. */
    add_port(b,
             (struct port_config){.name = "sink",
                                  .network = b->out,
                                  .kind = PORT_SINK,
                                  .sink = {.max_flows = 1}},
             &ports[2]);
    add_port(
        b,
        (struct port_config){
            .name = "gen", .network = b->in, .kind = PORT_GENERATOR, .generator = gen},
        &ports[3]);
    while (now_ns() < end && !v->ended && !(r.packets && v->installed)) {
        pump(b, kind_of(b, v), 1);
        if (!backplane_sink_report(b->bp, ports[2], &r))
            errx(1, "the sink is gone");
    }
    for (int i = 3; i >= 0; i--)
        must(backplane_remove_port(b->bp, ports[i], &d), &d);
    diag_fini(&d);
    return r.packets ? r.first_ns : 0;
}

static void await_shell(struct bench *b)
{
    for (int i = 0; i < 5000 && vmm_host_shells(b->hosts[SHELL]) == 0; i++)
        pump(b, SHELL, 1);
}

static void start_vm(struct bench *b, struct vm *v)
{
    unsigned n = (unsigned)(v - b->vms);
    const struct vmm_spec spec = {
        .name = "boot",
        .isolation = VMM_KVM,
        .n_ifs = 2,
        .macs = {{2, 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 1},
                 {2, 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 2}}};
    char config[sizeof CONFIG + 8];
    const struct vmm_request install = {
        .verb = CONTROL_INSTALL,
        .name = "fw",
        .text = config,
        .len = (size_t)snprintf(config, sizeof config, CONFIG, n >> 8 & 255, n & 255)};
    struct diag d = DIAG_INIT;
    uint64_t first;

    if (kind_of(b, v) == SHELL)
        await_shell(b);
    v->spawned_ns = now_ns();
    v->vmm = vmm_spawn(b->hosts[kind_of(b, v)], &spec, &events, v, &d);
    must(v->vmm ? 0 : -1, &d);
    must(vmm_request(v->vmm, &install, on_installed, v, &d), &d);
    first = knock(b, v);
    if (!first)
        errx(1, "VM %u: no packet came through", n + 1);
    v->first_ns = first - v->spawned_ns;
    v->ready_ns = v->timing.ready - v->spawned_ns;
    diag_fini(&d);
}

/* ---- what it is compared with ----------------------------------------------------------- */

extern char **environ;

static uint64_t click_ns(const struct bench *b)
{
    char *argv[] = {"click", "-e", strdup(click_config), NULL};
    uint64_t start = now_ns();
    int status = 1;
    pid_t pid;

    if (!argv[2] || posix_spawn(&pid, b->click, NULL, NULL, argv, environ) != 0)
        err(1, "%s", b->click);
    if (waitpid(pid, &status, 0) < 0 || status != 0)
        errx(1, "%s does not run the configuration", b->click);
    free(argv[2]);
    return now_ns() - start;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

struct summary {
    double median_us, p99_us;
};

static struct summary summarise(const uint64_t *ns, unsigned n)
{
    uint64_t *sorted = malloc((n ? n : 1) * sizeof *sorted);
    struct summary s = {0, 0};

    if (!sorted)
        err(1, "memory");
    memcpy(sorted, ns, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    if (n)
        s = (struct summary){(double)sorted[n / 2] / 1e3,
                             (double)sorted[n * 99 / 100] / 1e3};
    free(sorted);
    return s;
}

enum step { READY, INSTALLED, FIRST, N_STEPS };

/* Of the VMs of kind `k` from `from` up to `to`. */
static struct summary of_step(const struct bench *b, enum kind k, enum step step,
                              unsigned from, unsigned to)
{
    uint64_t *ns = malloc((to - from + 1) * sizeof *ns);
    struct summary s;
    unsigned n = 0;

    if (!ns)
        err(1, "memory");
    for (unsigned i = from; i < to; i++) {
        const struct vm *v = &b->vms[i];
        const uint64_t all[N_STEPS] = {v->ready_ns, v->installed_ns, v->first_ns};

        if (kind_of(b, v) == k)
            ns[n++] = all[step];
    }
    s = summarise(ns, n);
    free(ns);
    return s;
}

static struct summary of_others(const struct bench *b, const uint64_t *ns,
                                unsigned from, unsigned to)
{
    unsigned first = (from + EVERY - 1) / EVERY, last = (to + EVERY - 1) / EVERY;

    last = last < b->n_floor ? last : b->n_floor;
    return summarise(ns + first, last > first ? last - first : 0);
}

static long available_kib(void)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128];
    long kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

/* ---- reports ---------------------------------------------------------------------------- */

static const char *const kinds[N_KINDS] = {"VM", "VM from a shell"};
static const char *const steps[N_STEPS] = {"guest runs", "installed", "first packet"};

static void print_range(const struct bench *b, unsigned from, unsigned to)
{
    struct summary floor = of_others(b, b->floor_ns, from, to),
                   click = of_others(b, b->click_ns, from, to);

    printf("VM %u to %u, us from create: median (p99)\n", from + 1, to);
    printf("  %-34s %7.0f (%.0f)\n", "floor (fork, VM, vCPU, first exit)",
           floor.median_us, floor.p99_us);
    for (int k = 0; k < N_KINDS; k++)
        for (int s = 0; s < N_STEPS; s++) {
            struct summary x = of_step(b, k, s, from, to);

            printf("  %-16s %-17s %7.0f (%.0f)", s ? "" : kinds[k], steps[s],
                   x.median_us, x.p99_us);
            printf(s == FIRST ? "  %.2f x floor\n" : "\n",
                   x.median_us / floor.median_us);
        }
    printf("  %-34s %7.0f (%.0f)\n", "click, same configuration, process",
           click.median_us, click.p99_us);
}

static void write_json(const struct bench *b, double kib_a_vm, unsigned answered)
{
    FILE *f = fopen(b->json, "w");

    if (!f)
        err(1, "%s", b->json);
    fprintf(f, "{\"vms\": %u, \"kib_a_vm\": %.0f, \"answered\": %u,\n\"floor_us\": [",
            b->n_vms, kib_a_vm, answered);
    for (unsigned i = 0; i < b->n_floor; i++)
        fprintf(f, "%s%.0f", i ? ", " : "", (double)b->floor_ns[i] / 1e3);
    fprintf(f, "],\n\"click_us\": [");
    for (unsigned i = 0; i < b->n_floor; i++)
        fprintf(f, "%s%.0f", i ? ", " : "", (double)b->click_ns[i] / 1e3);
    fprintf(f, "],\n\"starts_us\": [");
    for (unsigned i = 0; i < b->n_vms; i++) {
        const struct vm *v = &b->vms[i];

        fprintf(f,
                "%s\n{\"vm\": %u, \"shell\": %s, \"ready\": %.0f, \"installed\": %.0f, "
                "\"first_packet\": %.0f}",
                i ? "," : "", i + 1, kind_of(b, v) == SHELL ? "true" : "false",
                (double)v->ready_ns / 1e3, (double)v->installed_ns / 1e3,
                (double)v->first_ns / 1e3);
    }
    fprintf(f, "]}\n");
    if (fclose(f) != 0)
        err(1, "%s", b->json);
}

static void draw(const struct bench *b)
{
    static struct svg_chart charts[2] = {
        {.title = "Create to first packet forwarded, median",
         .x_label = "VMs that run",
         .y_label = "us"},
        {.title = "Create to configuration installed, median",
         .x_label = "VMs that run",
         .y_label = "us"}};
    unsigned buckets = b->n_vms / EVERY < BUCKETS ? b->n_vms / EVERY : BUCKETS;

    for (unsigned i = 0; i < buckets; i++) {
        unsigned from = b->n_vms * i / buckets, to = b->n_vms * (i + 1) / buckets;

        for (int k = 0; k < N_KINDS; k++) {
            svg_point(&charts[0], kinds[k], to,
                      of_step(b, k, FIRST, from, to).median_us);
            svg_point(&charts[1], kinds[k], to,
                      of_step(b, k, INSTALLED, from, to).median_us);
        }
        for (int c = 0; c < 2; c++) {
            svg_point(&charts[c], "floor", to,
                      of_others(b, b->floor_ns, from, to).median_us);
            svg_point(&charts[c], "click process", to,
                      of_others(b, b->click_ns, from, to).median_us);
        }
    }
    if (svg_write(b->svg, "Starting virtual machines", charts, 2) < 0)
        err(1, "%s", b->svg);
}

/* ---- others beside them ----------------------------------------------------------------- */

static unsigned roll_call(struct bench *b);
static void open_bench(struct bench *b);
static void close_bench(struct bench *b);

/* A process with as many VMs, each of which has forwarded two packets; they stay until
 * `end` is closed. One process alone may not have descriptors for all of them. */
static void run_group(struct bench *b, int report, int end)
{
    char ok;

    open_bench(b);
    for (unsigned i = 0; i < b->n_vms; i++)
        start_vm(b, &b->vms[i]);
    ok = roll_call(b) == b->n_vms;
    if (write(report, &ok, 1) == 1 && read(end, &ok, 1) < 0)
        warn("pipe");
    close_bench(b);
}

static void start_groups(struct bench *b)
{
    int report[2], end[2];
    char ok = 0;

    if (pipe(report) < 0 || pipe(end) < 0)
        err(1, "pipe");
    for (unsigned i = 0; i < b->beside; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            close(end[1]); /* ours alone is what they wait for */
            run_group(b, report[1], end[0]);
            exit(0);
        }
        if (pid < 0 || read(report[0], &ok, 1) != 1 || !ok)
            errx(1, "group %u of VMs does not run", i + 1);
        printf("%u VMs run beside, %ld MiB of memory are left\n", (i + 1) * b->n_vms,
               available_kib() / 1024);
        fflush(stdout);
    }
}

/* ---- main ------------------------------------------------------------------------------- */

static void parse_options(struct bench *b, int argc, char **argv)
{
    *b = (struct bench){
        .n_vms = 1000, .json = "/dev/null", .svg = "/dev/null", .click = "click"};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--vms"))
            b->n_vms = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--beside"))
            b->beside = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--json"))
            b->json = argv[i + 1];
        else if (!strcmp(argv[i], "--svg"))
            b->svg = argv[i + 1];
        else if (!strcmp(argv[i], "--click"))
            b->click = argv[i + 1];
        else
            errx(2, "unknown option '%s'", argv[i]);
    }
    if (b->n_vms < EVERY || b->n_vms > MAX_VMS)
        errx(2, "--vms must be %d to %d", EVERY, MAX_VMS);
}

/* Descriptors are what runs out first. */
static void raise_limits(const struct bench *b)
{
    struct rlimit r = {(rlim_t)b->n_vms * FILES_A_VM + 1000,
                       (rlim_t)b->n_vms * FILES_A_VM + 1000};
    struct rlimit have;

    if (getrlimit(RLIMIT_NOFILE, &have) == 0 && have.rlim_cur < r.rlim_cur &&
        setrlimit(RLIMIT_NOFILE, &r) < 0)
        errx(1, "%u VMs need %llu open files: raise RLIMIT_NOFILE", b->n_vms,
             (unsigned long long)r.rlim_cur);
}

static void open_bench(struct bench *b)
{
    const struct network_config in = {.name = "in", .mode = NETWORK_WIRE},
                                out = {.name = "out", .mode = NETWORK_WIRE};
    const struct vmm_spec shape = {.n_ifs = 2};
    struct diag d = DIAG_INIT;

    raise_limits(b);
    for (int k = 0; k < N_KINDS; k++) {
        b->hosts[k] = vmm_host_new(&(struct vmm_host_options){0}, &d);
        must(b->hosts[k] ? 0 : -1, &d);
    }
    if (!vmm_host_has_kvm(b->hosts[COLD], NULL))
        errx(77, "no KVM");
    vmm_host_keep_shells(b->hosts[SHELL], 1, &shape);
    b->bp = backplane_new(NULL, &d);
    must(b->bp ? 0 : -1, &d);
    must(backplane_start(b->bp, &d), &d);
    must(backplane_add_network(b->bp, &in, &b->in, &d), &d);
    must(backplane_add_network(b->bp, &out, &b->out, &d), &d);
    b->vms = calloc(b->n_vms, sizeof *b->vms);
    b->floor_ns = calloc(b->n_vms, sizeof *b->floor_ns);
    b->click_ns = calloc(b->n_vms, sizeof *b->click_ns);
    if (!b->vms || !b->floor_ns || !b->click_ns)
        err(1, "memory");
    diag_fini(&d);
}

/* One more packet through each. */
static unsigned roll_call(struct bench *b)
{
    unsigned answered = 0;

    for (unsigned i = 0; i < b->n_vms; i++)
        answered += knock(b, &b->vms[i]) != 0;
    return answered;
}

static void close_bench(struct bench *b)
{
    backplane_free(b->bp);
    /* One after the other: VMs outlive their fork server, so each must be seen to end. */
    for (unsigned i = 0; i < b->n_vms; i++) {
        struct vm *v = &b->vms[i];

        v->ending = true;
        vmm_kill(v->vmm);
        for (int t = 0; t < 5000 && !v->ended; t++)
            pump(b, kind_of(b, v), 1);
        if (!v->ended)
            warnx("VM %u does not end", i + 1);
        vmm_free(v->vmm);
    }
    for (int k = 0; k < N_KINDS; k++)
        vmm_host_free(b->hosts[k]);
    free(b->vms);
    free(b->floor_ns);
    free(b->click_ns);
}

int main(int argc, char **argv)
{
    struct bench b;
    unsigned answered, ends;
    double kib;
    long before;

    parse_options(&b, argc, argv);
    start_groups(&b);
    open_bench(&b);
    before = available_kib();
    for (unsigned i = 0; i < b.n_vms; i++) {
        if (i % EVERY == 0) {
            b.floor_ns[b.n_floor] = floor_boot_ns();
            b.click_ns[b.n_floor++] = click_ns(&b);
        }
        start_vm(&b, &b.vms[i]);
    }
    kib = (double)(before - available_kib()) / b.n_vms;
    answered = roll_call(&b);
    ends = b.n_vms / 10 < 100 ? b.n_vms / 10 : 100;
    print_range(&b, 0, ends);
    print_range(&b, b.n_vms - ends, b.n_vms);
    printf("memory: %.0f KiB a VM, %.2f GiB in all; %u of %u forward packets\n", kib,
           kib * b.n_vms / (1 << 20), answered, b.n_vms);
    write_json(&b, kib, answered);
    draw(&b);
    close_bench(&b);
    return answered != b.n_vms;
}
