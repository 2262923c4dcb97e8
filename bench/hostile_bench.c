// SPDX-License-Identifier: BSD-3-Clause
/*
 * hostile_bench.c -- what others lose while a VM attacks the switch
 *
 *     hostile_bench [--pps N] [--json FILE]
 *
 * Two VMs send at a fixed rate to two others. Beside them on the same network a VM with
 * an image of its own (tests/vm/hostile_net.c) does one bad thing after the other to its
 * packet memory. Printed for each: the honest ones' rate during the attack, as a share of
 * what it was just before, while the hostile VM slept. The aim is 0.95. The rate is fixed
 * well below what the machine can do, so that only what the switch loses or delays is
 * seen, and not that one more VM uses a processor.
 */

#include "bench/fleet.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAIRS = 2, STORM_PPS = 1000, MEASURE_MS = 1000 };

static const char *const attacks[] = {"net_indices", "net_rubbish", "net_chains",
                                      "net_bells",   "net_storm",   "net_silence"};

static struct fleet fleet;
static unsigned pps = 10000;

struct hostile {
    struct vmm_host *host;
    struct vmm *vm;
    uint32_t port;
    bool answered, ended;
};

static void pump(struct hostile *h, int ms)
{
    double end = fleet_now_s() + ms / 1e3;

    do {
        struct pollfd p = {.fd = vmm_host_fd(h->host), .events = POLLIN};

        if (poll(&p, 1, 20) > 0)
            vmm_host_dispatch(h->host);
    } while (fleet_now_s() < end);
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    (void)vm, (void)status;
    ((struct hostile *)ctx)->ended = true;
    if (end != VMM_END_KILLED)
        warnx("the hostile VM ended: %s", why);
}

static void on_answer(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                      size_t len)
{
    (void)vm, (void)status, (void)text, (void)len;
    ((struct hostile *)ctx)->answered = true;
}

static const struct vmm_events events = {.end = on_end};

static void open_hostile(struct hostile *h, const char *image, uint32_t lan)
{
    struct vmm_spec spec = {.name = "hostile",
                            .isolation = fleet.isolation,
                            .n_ifs = 1,
                            .macs = {{2, 0, 0, 0, 0, 0x66}}};
    struct diag d = DIAG_INIT;
    const struct vmm_net *n;

    *h = (struct hostile){0};
    h->host = vmm_host_new(&(struct vmm_host_options){.image = image}, &d);
    h->vm = h->host ? vmm_spawn(h->host, &spec, &events, h, &d) : NULL;
    if (!h->vm)
        errx(1, "%s", diag_text(&d));
    n = vmm_net(h->vm);
    h->port = fleet_port(
        &fleet, (struct port_config){.network = lan,
                                     .kind = PORT_VM,
                                     .vm = {.memory_fd = n->mem_fd,
                                            .wake_fd = n->wake_fd,
                                            .doorbell_fd = n->doorbell_fds[0]}});
    diag_fini(&d);
}

static void close_hostile(struct hostile *h)
{
    fleet_drop_port(&fleet, h->port);
    vmm_kill(h->vm);
    while (!h->ended)
        pump(h, 20);
    vmm_free(h->vm);
    vmm_host_free(h->host);
}

static void boot_honest(uint32_t lan)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        char text[512];

        snprintf(
            text, sizeof text,
            "RatedSource(DATA \\<02000000%04x 02000000%04x 0800 %0100x>, RATE %u)\n"
            "    -> Queue(4096) -> ToNetfront(0); FromNetfront(0) -> Discard;\n",
            2 * i + 2, 2 * i + 1, 0, pps);
        fleet_add(&fleet, text, 1, &lan);
        fleet_add(&fleet, "FromNetfront(0) -> Counter -> Discard;\n", 1, &lan);
    }
    fleet_wait(&fleet);
    for (unsigned i = 0; i < fleet.n; i++) {
        struct diag d = DIAG_INIT;
        uint8_t mac[6];

        fleet_mac(i, 0, mac);
        if (backplane_add_address(fleet.bp, fleet.vms[i].ports[0], mac, &d) < 0)
            errx(1, "%s", diag_text(&d));
        diag_fini(&d);
    }
}

/* Packets that the honest receivers got from the honest senders: broadcasts of the
 * hostile one reach all of them, so what came in from the senders counts, less what the
 * receivers lost. */
static uint64_t honest_packets(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < PAIRS; i++) {
        struct port_stats out = fleet_stats(&fleet, fleet.vms[2 * i + 1].ports[0]);
        struct port_stats in = fleet_stats(&fleet, fleet.vms[2 * i].ports[0]);

        sum += in.in_packets - out.drops[DROP_FULL];
    }
    return sum;
}

static double honest_pps(struct hostile *h)
{
    uint64_t before = honest_packets();
    double start = fleet_now_s();

    pump(h, MEASURE_MS);
    return (double)(honest_packets() - before) / (fleet_now_s() - start);
}

static double run_attack(struct hostile *h, const char *name, FILE *json)
{
    struct vmm_request r = {.verb = CONTROL_READ, .handler = name, .timeout_ms = 10000};
    struct diag d = DIAG_INIT;
    double before = honest_pps(h), during;
    struct port_stats was = fleet_stats(&fleet, h->port), is;

    h->answered = false;
    if (vmm_request(h->vm, &r, on_answer, h, &d) < 0)
        errx(1, "%s", diag_text(&d));
    pump(h, 100);
    during = honest_pps(h);
    is = fleet_stats(&fleet, h->port);
    while (!h->answered && !h->ended)
        pump(h, 50);
    printf("%-8s %-12s %9.0f %9.0f %6.3f  bad rings %llu, doorbells %llu",
           fleet.isolation == VMM_KVM ? "kvm" : "process", name, before, during,
           before > 0 ? during / before : 0,
           (unsigned long long)(is.bad_rings - was.bad_rings),
           (unsigned long long)(is.doorbells - was.doorbells));
    for (unsigned k = 0; k < DROP_REASONS; k++)
        if (is.drops[k] > was.drops[k])
            printf(", %s %llu", backplane_drop_name((enum drop_reason)k),
                   (unsigned long long)(is.drops[k] - was.drops[k]));
    putchar('\n');
    fflush(stdout);
    if (json)
        fprintf(json,
                "%s\n  {\"isolation\": \"%s\", \"attack\": \"%s\", \"before_pps\": "
                "%.0f, \"during_pps\": %.0f, \"ratio\": %.4f}",
                ftell(json) > 1 ? "," : "",
                fleet.isolation == VMM_KVM ? "kvm" : "process", name, before, during,
                before > 0 ? during / before : 0);
    diag_fini(&d);
    return before > 0 ? during / before : 0;
}

static double bench(enum vmm_isolation isolation, const char *image, FILE *json)
{
    uint32_t lan = fleet_net(&fleet, (struct network_config){.storm_pps = {STORM_PPS}});
    double worst = 2;
    struct hostile h;

    fleet.isolation = isolation;
    boot_honest(lan);
    /* A fresh one each time: indices that one attack has spoilt stay spoilt. */
    for (unsigned i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        double ratio;

        open_hostile(&h, image, lan);
        ratio = run_attack(&h, attacks[i], json);
        worst = ratio < worst ? ratio : worst;
        close_hostile(&h);
    }
    fleet_clear(&fleet);
    return worst;
}

/* Beside our own program. */
static void image_path(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 16);

    if (n < 0)
        err(1, "/proc/self/exe");
    path[n] = '\0';
    strcpy(strrchr(path, '/'), "/hostile.elf");
}

int main(int argc, char **argv)
{
    char image[4096];
    double worst = 2, ratio;
    FILE *json = NULL;
    const char *why;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--pps") == 0)
            pps = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--json") == 0 && !(json = fopen(argv[i + 1], "w")))
            err(1, "%s", argv[i + 1]);
    }
    image_path(image, sizeof image);
    fleet_open(&fleet, NULL);
    printf("%-8s %-12s %9s %9s %6s  at the hostile port\n", "as", "attack", "before/s",
           "during/s", "ratio");
    if (json)
        fprintf(json, "[");
    if (vmm_host_has_kvm(fleet.host, &why))
        worst = bench(VMM_KVM, image, json);
    else
        printf("SKIP kvm: %s\n", why);
    ratio = bench(VMM_PROCESS, image, json);
    worst = ratio < worst ? ratio : worst;
    printf("the worst of all: %.3f of the rate without an attack (aim: 0.95)\n", worst);
    fleet_close(&fleet);
    if (json) {
        fprintf(json, "\n]\n");
        if (fclose(json) != 0)
            err(1, "cannot write the results");
    }
    return 0;
}
