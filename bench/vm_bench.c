// SPDX-License-Identifier: BSD-3-Clause
/*
 * vm_bench.c -- what a VM costs: start, memory, forwarding, latency
 *
 *     vm_bench [--json FILE] [--rounds N] [--seconds S] [--only start] [--patience S]
 *
 * Everything is measured in one run and A B A B where two things are compared:
 *     start    from vmm_spawn() to the first packet that the VM has forwarded, against
 *              the floor (bench/floor.h)
 *     memory   of an idle VM that has forwarded a packet: resident pages of its process
 *     forward  64-byte packets, generator -> VM -> sink, as VM and as process
 *     latency  of a packet through an idle VM, at 200 packets a second
 *
 * The configuration is examples/firewall.click without its rules being hit before the
 * last: UDP to port 53, as the generator sends it.
 */

#include "bench/floor.h"
#include "switch/backplane.h"
#include "vmm/client.h"

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 1000 };

static const char config[] =
    "FromNetfront(0) -> c :: Classifier(12/0800, -);\n"
    "c[0] -> Strip(14) -> CheckIPHeader\n"
    "     -> f :: IPFilter(0 icmp, 0 tcp port 80, 0 udp port 53, 1 all)\n"
    "     -> Unstrip(14) -> n :: Counter -> ToNetfront(1);\n"
    "f[1] -> Discard; c[1] -> Discard; FromNetfront(1) -> Discard;\n";

struct bench {
    struct vmm_host *host;
    struct backplane *bp;
    uint32_t in_net, out_net;
    unsigned rounds, patience_s;
    double seconds;
    bool only_start;
    FILE *json;
};

/* One VM between a generator and a sink. */
struct path {
    struct vmm *vm;
    uint32_t ports[4]; /* generator, fw.0, fw.1, sink */
    uint64_t spawned_ns;
    struct vmm_timing timing;
    struct generator_config gen;
    bool sending;
    bool installed, failed, ended;
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

/* --- one path -------------------------------------------------------------------------- */

static void on_ready(struct vmm *vm, void *ctx, const struct vmm_timing *t)
{
    ((struct path *)ctx)->timing = *t;
}

static void on_crash(struct vmm *vm, void *ctx, const struct control_crash *crash,
                     const struct vmm_stack *stack)
{
    warnx("the guest crashed: vector %u at %#llx", crash->vector,
          (unsigned long long)crash->rip);
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    ((struct path *)ctx)->ended = true;
    if (end != VMM_END_KILLED)
        warnx("the VM ended: %s", why);
}

static void on_console(struct vmm *vm, void *ctx, const char *text, size_t len,
                       uint32_t lost)
{
    fprintf(stderr, "guest: %.*s", (int)len, text);
}

static void on_installed(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                         size_t len)
{
    struct path *p = ctx;

    p->installed = true;
    p->failed = status != CONTROL_OK;
    if (p->failed)
        warnx("install: %s: %.*s", vmm_status_text(status), (int)len, text);
}

static const struct vmm_events events = {on_ready, on_console, on_crash, on_end};

static void pump(struct bench *b, int timeout_ms)
{
    struct pollfd p = {.fd = vmm_host_fd(b->host), .events = POLLIN};

    if (poll(&p, 1, timeout_ms) > 0)
        vmm_host_dispatch(b->host);
}

static void add_port(struct bench *b, struct port_config c, uint32_t *id)
{
    struct diag d = DIAG_INIT;

    must(backplane_add_port(b->bp, &c, id, &d), &d);
    diag_fini(&d);
}

static void add_vm_port(struct bench *b, struct path *p, unsigned interface,
                        uint32_t net, uint32_t *id)
{
    const struct vmm_net *n = vmm_net(p->vm);

    add_port(b,
             (struct port_config){.name = interface ? "vm.1" : "vm.0",
                                  .network = net,
                                  .kind = PORT_VM,
                                  .vm = {.memory_fd = n->mem_fd,
                                         .interface = interface,
                                         .wake_fd = n->wake_fd,
                                         .doorbell_fd = n->doorbell_fds[interface]}},
             id);
}

static void start_generator(struct bench *b, struct path *p)
{
    add_port(b,
             (struct port_config){.name = "gen",
                                  .network = b->in_net,
                                  .kind = PORT_GENERATOR,
                                  .generator = p->gen},
             &p->ports[0]);
    p->sending = true;
}

/* Spawn, connect and install, without waiting for anything. A single packet is sent when
 * we hear that the configuration is there: one that waits for the VM keeps a thread of the
 * switch looking for it, on a processor that the VM could use. */
static void path_open(struct bench *b, struct path *p, enum vmm_isolation isolation,
                      struct generator_config gen)
{
    struct vmm_spec spec = {.name = "bench",
                            .isolation = isolation,
                            .n_ifs = 2,
                            .macs = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}};
    struct vmm_request install = {.verb = CONTROL_INSTALL,
                                  .name = "fw",
                                  .text = config,
                                  .len = sizeof config - 1,
                                  .timeout_ms = 1000 * b->patience_s};
    struct diag d = DIAG_INIT;

    *p = (struct path){.spawned_ns = now_ns()};
    p->vm = vmm_spawn(b->host, &spec, &events, p, &d);
    must(p->vm ? 0 : -1, &d);
    must(vmm_request(p->vm, &install, on_installed, p, &d), &d);
    add_vm_port(b, p, 0, b->in_net, &p->ports[1]);
    add_vm_port(b, p, 1, b->out_net, &p->ports[2]);
    /* One flow: clearing a table for many would take longer than the VM's start. */
    add_port(b,
             (struct port_config){.name = "sink",
                                  .network = b->out_net,
                                  .kind = PORT_SINK,
                                  .sink = {.max_flows = 1}},
             &p->ports[3]);
    p->gen = gen;
    p->gen.dst_port = 53;
    if (gen.count != 1)
        start_generator(b, p);
    diag_fini(&d);
}

static void path_close(struct bench *b, struct path *p)
{
    struct diag d = DIAG_INIT;

    for (int i = !p->sending; i < 4; i++)
        must(backplane_remove_port(b->bp, p->ports[i], &d), &d);
    vmm_kill(p->vm);
    for (int i = 0; i < 500 && !p->ended; i++)
        pump(b, 10);
    vmm_free(p->vm);
    diag_fini(&d);
}

static void sink_report(struct bench *b, struct path *p, struct sink_report *r)
{
    if (!backplane_sink_report(b->bp, p->ports[3], r))
        errx(1, "the sink is gone");
}

/* Wait until the first packet has come through; false when patience ends (5 seconds). */
static bool path_wait(struct bench *b, struct path *p)
{
    struct sink_report r;

    for (unsigned i = 0; i < 1000 * b->patience_s && !p->ended && !p->failed; i++) {
        pump(b, 1);
        if (p->installed && !p->sending)
            start_generator(b, p);
        sink_report(b, p, &r);
        if (r.packets && p->installed && p->timing.ready)
            return true;
    }
    warnx("no packet came through");
    return false;
}

/* --- numbers --------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static double median_us(uint64_t *ns, unsigned n)
{
    qsort(ns, n, sizeof *ns, by_value);
    return n ? (double)ns[n / 2] / 1e3 : 0;
}

static double p99_us(const uint64_t *ns, unsigned n) /* sorted */
{
    return n ? (double)ns[n * 99 / 100] / 1e3 : 0;
}

/* A field of /proc/PID/smaps_rollup in KiB. */
static long smaps_kib(pid_t pid, const char *field)
{
    char path[64], line[256];
    long kib = -1;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, field, strlen(field)))
            kib = strtol(line + strlen(field) + 1, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

/* --- the four measurements ---------------------------------------------------------------- */

static const struct generator_config one_packet = {.count = 1};

static uint64_t first_packet_ns(struct bench *b, enum vmm_isolation isolation,
                                struct vmm_timing *t)
{
    struct sink_report r;
    struct path p;
    uint64_t ns = 0;

    path_open(b, &p, isolation, one_packet);
    if (path_wait(b, &p)) {
        sink_report(b, &p, &r);
        ns = r.first_ns - p.spawned_ns;
        *t = p.timing;
    }
    path_close(b, &p);
    return ns;
}

/* Where the time goes: medians of each step, so that one disturbed start does not show. */
enum {
    STEP_FORK,
    STEP_CREATE,
    STEP_JAIL,
    STEP_ENTER,
    STEP_READY,
    STEP_PACKET,
    N_STEPS
};

struct steps {
    uint64_t ns[N_STEPS][MAX_ROUNDS];
    unsigned n;
};

static void add_steps(struct steps *s, const struct vmm_timing *t, uint64_t first_ns)
{
    const uint64_t at[N_STEPS + 1] = {t->spawn,           t->forked,  t->created,
                                      t->jailed,          t->entered, t->ready,
                                      t->spawn + first_ns};

    for (int i = 0; i < N_STEPS; i++)
        s->ns[i][s->n] = at[i + 1] > at[i] ? at[i + 1] - at[i] : 0;
    s->n++;
}

static void print_steps(struct steps *s)
{
    static const char *const names[N_STEPS] = {
        "fork", "VM and memory", "jail", "enter", "guest ready", "first packet"};

    printf("  steps, us, medians:");
    for (int i = 0; i < N_STEPS; i++)
        printf("%s %s %.0f", i ? "," : "", names[i], median_us(s->ns[i], s->n));
    printf("\n");
}

/* The same with a shell that waits for it. */
static uint64_t from_shell_ns(struct bench *b, struct vmm_timing *t)
{
    const struct vmm_spec shape = {.n_ifs = 2};
    uint64_t ns;

    vmm_host_keep_shells(b->host, 1, &shape);
    for (int i = 0; i < 2000 && vmm_host_shells(b->host) == 0; i++)
        pump(b, 1);
    ns = first_packet_ns(b, VMM_KVM, t);
    vmm_host_keep_shells(b->host, 0, NULL);
    return ns;
}

static void bench_start(struct bench *b)
{
    static uint64_t floor_ns[MAX_ROUNDS], kvm_ns[MAX_ROUNDS], process_ns[MAX_ROUNDS],
        shell_ns[MAX_ROUNDS];
    bool kvm = vmm_host_has_kvm(b->host, NULL);
    double floor_us, kvm_us, process_us, shell_us;
    struct vmm_timing t = {0}, unused;
    static struct steps steps, shell_steps;

    for (unsigned i = 0; i < b->rounds; i++) {
        floor_ns[i] = floor_boot_ns();
        if (kvm && (kvm_ns[i] = first_packet_ns(b, VMM_KVM, &t)))
            add_steps(&steps, &t, kvm_ns[i]);
        if (kvm && (shell_ns[i] = from_shell_ns(b, &t)))
            add_steps(&shell_steps, &t, shell_ns[i]);
        process_ns[i] = first_packet_ns(b, VMM_PROCESS, &unused);
    }
    floor_us = median_us(floor_ns, b->rounds);
    kvm_us = median_us(kvm_ns, b->rounds);
    process_us = median_us(process_ns, b->rounds);
    shell_us = median_us(shell_ns, b->rounds);
    printf("start: create to first packet forwarded, median of %u\n", b->rounds);
    printf("  floor (fork, VM, vCPU, first exit)  %8.0f us\n", floor_us);
    printf("  VM                                  %8.0f us   p99 %.0f   %.2f x floor\n",
           kvm_us, p99_us(kvm_ns, b->rounds), floor_us ? kvm_us / floor_us : 0);
    if (kvm)
        print_steps(&steps);
    printf("  VM from a shell                     %8.0f us   p99 %.0f   %.2f x floor\n",
           shell_us, p99_us(shell_ns, b->rounds), floor_us ? shell_us / floor_us : 0);
    if (kvm)
        print_steps(&shell_steps);
    printf("  process                             %8.0f us\n", process_us);
    fprintf(b->json,
            "\"start\": {\"floor_us\": %.1f, \"vm_us\": %.1f, \"vm_p99_us\": %.1f, "
            "\"process_us\": %.1f, \"shell_us\": %.1f, \"shell_p99_us\": %.1f, "
            "\"ratio\": %.3f, \"shell_ratio\": %.3f},\n",
            floor_us, kvm_us, p99_us(kvm_ns, b->rounds), process_us, shell_us,
            p99_us(shell_ns, b->rounds), floor_us ? kvm_us / floor_us : 0,
            floor_us ? shell_us / floor_us : 0);
}

static void bench_memory(struct bench *b, enum vmm_isolation isolation,
                         const char *name)
{
    struct path p;
    long rss, pss, private_kib;

    path_open(b, &p, isolation, one_packet);
    if (path_wait(b, &p)) {
        usleep(100000);
        rss = smaps_kib(vmm_pid(p.vm), "Rss:");
        pss = smaps_kib(vmm_pid(p.vm), "Pss:");
        private_kib = smaps_kib(vmm_pid(p.vm), "Private_Clean:") +
                      smaps_kib(vmm_pid(p.vm), "Private_Dirty:");
        printf("memory of an idle %s: resident %ld KiB, of that its own %ld KiB, its "
               "share "
               "%ld KiB\n",
               name, rss, private_kib, pss);
        fprintf(b->json,
                "\"memory_%s\": {\"rss_kib\": %ld, \"private_kib\": %ld, \"pss_kib\": "
                "%ld},\n",
                name, rss, private_kib, pss);
    }
    path_close(b, &p);
}

static double forward_mpps(struct bench *b, enum vmm_isolation isolation)
{
    struct sink_report first, last;
    struct path p;
    double mpps = 0;

    path_open(b, &p, isolation, (struct generator_config){.rate_pps = 0});
    if (path_wait(b, &p)) {
        usleep(200000);
        sink_report(b, &p, &first);
        usleep((useconds_t)(b->seconds * 1e6));
        sink_report(b, &p, &last);
        mpps = (double)(last.packets - first.packets) * 1e3 /
               (double)(last.last_ns - first.last_ns);
    }
    path_close(b, &p);
    return mpps;
}

static void bench_forward(struct bench *b)
{
    double kvm[3] = {0}, process[3] = {0};

    for (int i = 0; i < 3; i++) {
        if (vmm_host_has_kvm(b->host, NULL))
            kvm[i] = forward_mpps(b, VMM_KVM);
        process[i] = forward_mpps(b, VMM_PROCESS);
    }
    printf("forward 64 bytes, generator -> firewall -> sink, Mp/s: VM %.2f %.2f %.2f, "
           "process %.2f %.2f %.2f\n",
           kvm[0], kvm[1], kvm[2], process[0], process[1], process[2]);
    fprintf(b->json,
            "\"forward_mpps\": {\"vm\": [%.3f, %.3f, %.3f], \"process\": [%.3f, %.3f, "
            "%.3f]},\n",
            kvm[0], kvm[1], kvm[2], process[0], process[1], process[2]);
}

static void bench_latency(struct bench *b, enum vmm_isolation isolation,
                          const char *name)
{
    struct sink_report r;
    struct path p;

    path_open(b, &p, isolation, (struct generator_config){.rate_pps = 200});
    if (path_wait(b, &p)) {
        usleep(2000000);
        sink_report(b, &p, &r);
        printf("latency through an idle %s, one way, us: median %.0f, p99 %.0f, max "
               "%.0f\n",
               name, (double)backplane_latency_quantile(&r, 0.5) / 1e3,
               (double)backplane_latency_quantile(&r, 0.99) / 1e3,
               (double)r.latency_max_ns / 1e3);
        fprintf(b->json, "\"latency_%s_us\": {\"median\": %.1f, \"p99\": %.1f},\n",
                name, (double)backplane_latency_quantile(&r, 0.5) / 1e3,
                (double)backplane_latency_quantile(&r, 0.99) / 1e3);
    }
    path_close(b, &p);
}

/* --- main --------------------------------------------------------------------------------- */

static void parse_options(struct bench *b, int argc, char **argv)
{
    const char *json = "/dev/null";

    *b = (struct bench){.rounds = 20, .seconds = 1, .patience_s = 5};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--json"))
            json = argv[i + 1];
        else if (!strcmp(argv[i], "--rounds"))
            b->rounds = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--seconds"))
            b->seconds = strtod(argv[i + 1], NULL);
        else if (!strcmp(argv[i], "--patience"))
            b->patience_s = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--only") && !strcmp(argv[i + 1], "start"))
            b->only_start = true;
        else
            errx(2, "unknown option '%s'", argv[i]);
    }
    if (b->rounds < 1 || b->rounds > MAX_ROUNDS)
        errx(2, "--rounds must be 1 to %d", MAX_ROUNDS);
    b->json = fopen(json, "w");
    if (!b->json)
        err(1, "%s", json);
}

static void open_switch(struct bench *b)
{
    struct network_config in = {
        .name = "in", .mode = NETWORK_WIRE, .backpressure = true};
    struct network_config out = {
        .name = "out", .mode = NETWORK_WIRE, .backpressure = true};
    struct diag d = DIAG_INIT;

    b->host = vmm_host_new(&(struct vmm_host_options){0}, &d);
    must(b->host ? 0 : -1, &d);
    b->bp = backplane_new(NULL, &d);
    must(b->bp ? 0 : -1, &d);
    must(backplane_start(b->bp, &d), &d);
    must(backplane_add_network(b->bp, &in, &b->in_net, &d), &d);
    must(backplane_add_network(b->bp, &out, &b->out_net, &d), &d);
    diag_fini(&d);
}

static void bench_the_rest(struct bench *b)
{
    if (vmm_host_has_kvm(b->host, NULL))
        bench_memory(b, VMM_KVM, "vm");
    bench_memory(b, VMM_PROCESS, "process");
    bench_forward(b);
    if (vmm_host_has_kvm(b->host, NULL))
        bench_latency(b, VMM_KVM, "vm");
    bench_latency(b, VMM_PROCESS, "process");
}

int main(int argc, char **argv)
{
    struct bench b;
    const char *why;

    parse_options(&b, argc, argv);
    open_switch(&b);
    fprintf(b.json, "{");
    if (!vmm_host_has_kvm(b.host, &why))
        printf("no KVM (%s): sandboxed processes only\n", why);
    bench_start(&b);
    if (!b.only_start)
        bench_the_rest(&b);
    fprintf(b.json, "\"rounds\": %u}\n", b.rounds);
    fclose(b.json);
    backplane_free(b.bp);
    vmm_host_free(b.host);
    return 0;
}
