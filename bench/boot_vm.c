// SPDX-License-Identifier: BSD-3-Clause
/* boot_vm.c -- VMs of one port that stay: see boot.h */

#include "bench/boot.h"

#include "engine/checksum.h"
#include "switch/backplane.h"
#include "tests/fake_guest.h"
#include "vmm/client.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Knocks come in volleys: on a busy machine thousands of packets would go by until we look,
 * and each touches a buffer of the VM's. */
enum { KNOCK_PPS = 10000, VOLLEY = 64, PATIENCE_MS = 60000, MAC_ROOM = 20 };

#define CONFIG                                                                         \
    "FromNetfront(0) -> c :: Classifier(12/0806 20/0001, 12/0800, -);\n"               \
    "c[0] -> ARPResponder(%s %s) -> out :: ToNetfront(0);\n"                           \
    "c[1] -> CheckIPHeader(14)\n"                                                      \
    "     -> f :: IPFilter(0 icmp type echo and dst host %s, 1 tcp port 80,\n"         \
    "                      1 udp port 53, 1 src host 10.2.%u.%u, 2 all);\n"            \
    "f[0] -> ICMPPingResponder -> EtherMirror -> out;\n"                               \
    "f[1] -> n :: Counter -> EtherMirror -> out;\n"                                    \
    "f[2] -> Discard; c[2] -> Discard;\n"

/* Who knocks, and where a mirror's answer to that goes; who pings. */
static const uint8_t knock_mac[6] = {2, 0, 0, 0, 0, 8},
                     ping_mac[6] = {2, 0, 0, 0, 0, 9};
static const uint8_t ping_ip[4] = {10, 0, 0, 9};

struct one {
    struct boot_group *group; /* borrowed */
    unsigned number;
    struct vmm *vmm;
    uint64_t spawned_ns;
    bool installed, ending, ended;
};

struct boot_group {
    struct vmm_host *hosts[BOOT_KINDS]; /* a pool serves every spawn of its host */
    struct backplane *bp;
    uint32_t lan;
    struct fake_guest *pinger;
    unsigned from, to;
    struct boot_result *results; /* borrowed */
    struct one *vms;             /* owned */
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

static struct boot_result *result(const struct one *v)
{
    return &v->group->results[v->number];
}

static void mac_of(unsigned vm, uint8_t mac[6])
{
    memcpy(mac, (uint8_t[]){2, 0, 1, 0, (uint8_t)(vm >> 8), (uint8_t)vm}, 6);
}

static void ip_of(unsigned vm, uint8_t ip[4])
{
    memcpy(ip, (uint8_t[]){10, 1, (uint8_t)(vm >> 8), (uint8_t)vm}, 4);
}

/* ---- what VMs say ----------------------------------------------------------------------- */

static void on_ready(struct vmm *vm, void *ctx, const struct vmm_timing *t)
{
    struct one *v = ctx;

    result(v)->ns[BOOT_READY] = t->ready - v->spawned_ns;
}

static void on_end(struct vmm *vm, void *ctx, enum vmm_end end, int status,
                   const char *why)
{
    struct one *v = ctx;

    v->ended = true;
    if (!v->ending)
        errx(1, "VM %u ended: %s", v->number + 1, why);
}

static void on_console(struct vmm *vm, void *ctx, const char *text, size_t len,
                       uint32_t lost)
{
    fprintf(stderr, "VM %u: %.*s", ((struct one *)ctx)->number + 1, (int)len, text);
}

static void on_installed(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                         size_t len)
{
    struct one *v = ctx;

    if (status != CONTROL_OK)
        errx(1, "install: %s: %.*s", vmm_status_text(status), (int)len, text);
    v->installed = true;
    result(v)->ns[BOOT_INSTALLED] = now_ns() - v->spawned_ns;
}

static const struct vmm_events events = {
    .ready = on_ready, .console = on_console, .end = on_end};

static void pump(struct boot_group *g, enum boot_kind k, int timeout_ms)
{
    struct pollfd p = {.fd = vmm_host_fd(g->hosts[k]), .events = POLLIN};

    if (poll(&p, 1, timeout_ms) > 0)
        vmm_host_dispatch(g->hosts[k]);
}

/* ---- ports ------------------------------------------------------------------------------ */

/* A port of the network, behind which `mac` is, and nowhere else. */
static uint32_t add_port(struct boot_group *g, struct port_config c, const uint8_t *mac)
{
    struct diag d = DIAG_INIT;
    uint32_t id;

    c.network = g->lan;
    must(backplane_add_port(g->bp, &c, &id, &d), &d);
    if (mac)
        must(backplane_add_address(g->bp, id, mac, &d), &d);
    diag_fini(&d);
    return id;
}

static void drop_port(struct boot_group *g, uint32_t id)
{
    struct diag d = DIAG_INIT;

    must(backplane_remove_port(g->bp, id, &d), &d);
    diag_fini(&d);
}

/* One flow: clearing a table for many would take longer than the VM's start. */
static uint32_t add_sink(struct boot_group *g)
{
    return add_port(g,
                    (struct port_config){
                        .name = "sink", .kind = PORT_SINK, .sink = {.max_flows = 1}},
                    knock_mac);
}

static uint32_t add_generator(struct boot_group *g, const struct one *v)
{
    struct port_config c = {
        .name = "gen",
        .kind = PORT_GENERATOR,
        .generator = {.rate_pps = KNOCK_PPS, .count = VOLLEY, .dst_port = 53}};

    memcpy(c.generator.src_mac, knock_mac, 6);
    mac_of(v->number, c.generator.dst_mac);
    return add_port(g, c, NULL);
}

static uint32_t attach(struct boot_group *g, const struct one *v)
{
    const struct vmm_net *net = vmm_net(v->vmm);
    char name[16];
    uint8_t mac[6];

    snprintf(name, sizeof name, "vm%u", v->number);
    mac_of(v->number, mac);
    return add_port(g,
                    (struct port_config){.name = name,
                                         .kind = PORT_VM,
                                         .vm = {.memory_fd = net->mem_fd,
                                                .wake_fd = net->wake_fd,
                                                .doorbell_fd = net->doorbell_fds[0]}},
                    mac);
}

/* ---- a start ---------------------------------------------------------------------------- */

static void await_shell(struct boot_group *g)
{
    for (int i = 0; i < PATIENCE_MS && vmm_host_shells(g->hosts[BOOT_SHELL]) == 0; i++)
        pump(g, BOOT_SHELL, 1);
}

static int config_of(const struct one *v, char *text, size_t room)
{
    char mac_text[MAC_ROOM], ip_text[MAC_ROOM];
    uint8_t mac[6], ip[4];

    mac_of(v->number, mac);
    ip_of(v->number, ip);
    snprintf(mac_text, sizeof mac_text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
             mac[2], mac[3], mac[4], mac[5]);
    snprintf(ip_text, sizeof ip_text, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
    return snprintf(text, room, CONFIG, ip_text, mac_text, ip_text, ip[2], ip[3]);
}

static void spawn(struct boot_group *g, struct one *v)
{
    struct vmm_spec spec = {.name = "boot", .isolation = VMM_KVM, .n_ifs = 1};
    char config[sizeof CONFIG + 80];
    const struct vmm_request install = {
        .verb = CONTROL_INSTALL,
        .name = "fw",
        .text = config,
        .len = (size_t)config_of(v, config, sizeof config)};
    struct diag d = DIAG_INIT;

    mac_of(v->number, spec.macs[0]);
    v->spawned_ns = now_ns();
    v->vmm = vmm_spawn(g->hosts[boot_kind(v->number)], &spec, &events, v, &d);
    must(v->vmm ? 0 : -1, &d);
    must(vmm_request(v->vmm, &install, on_installed, v, &d), &d);
    diag_fini(&d);
}

/* Wait until each packet of the generator's came out again or was dropped at the VM: what
 * is still on its way would be the next VM's first one. With the first to come out it is
 * told to stop. Returns when that was, 0: none came. */
static uint64_t volley(struct boot_group *g, const struct one *v, uint32_t gen,
                       uint32_t vm, uint32_t sink, uint64_t end)
{
    const struct port_settings off = {.disabled = true};
    struct port_stats in = {.in_packets = 0}, at;
    struct sink_report r = {.packets = 0};
    struct diag d = DIAG_INIT;
    bool stopped = false;
    uint64_t seen = 0;

    while (now_ns() < end &&
           (seen != in.in_packets || !(stopped || in.in_packets == VOLLEY))) {
        pump(g, boot_kind(v->number), 1);
        if (!backplane_sink_report(g->bp, sink, &r) ||
            !backplane_port_stats(g->bp, vm, &at))
            errx(1, "a port is gone");
        if (r.packets && !stopped)
            must(backplane_set_port(g->bp, gen, &off, &d), &d);
        stopped = r.packets;
        backplane_port_stats(g->bp, gen, &in);
        seen = r.packets;
        for (int i = 0; i < DROP_REASONS; i++)
            seen += at.drops[i];
    }
    must(backplane_reset_stats(g->bp, vm, &d), &d);
    diag_fini(&d);
    return r.packets ? r.first_ns : 0;
}

/* Knock when the configuration is known to be there, until somebody opens; returns when
 * the first packet came through, 0: none. A sender that knocks all the while takes its
 * wake-ups, each 100 us, from the processor that the VM starts on, or from its twin. */
static uint64_t knock(struct boot_group *g, const struct one *v, uint32_t vm,
                      uint32_t sink)
{
    uint64_t end = now_ns() + PATIENCE_MS * UINT64_C(1000000), first = 0;

    while (now_ns() < end && !v->installed)
        pump(g, boot_kind(v->number), 1);
    while (now_ns() < end && !first) {
        uint32_t gen = add_generator(g, v);

        first = volley(g, v, gen, vm, sink, end);
        drop_port(g, gen);
    }
    return v->installed ? first : 0;
}

void boot_start(struct boot_group *g, unsigned vm)
{
    struct one *v = &g->vms[vm - g->from];
    uint32_t sink = add_sink(g);
    uint64_t first;

    v->group = g;
    v->number = vm;
    if (boot_kind(vm) == BOOT_SHELL)
        await_shell(g);
    spawn(g, v);
    first = knock(g, v, attach(g, v), sink);
    drop_port(g, sink);
    if (!first)
        errx(1, "VM %u: no packet came through", vm + 1);
    result(v)->ns[BOOT_FIRST] = first - v->spawned_ns;
    result(v)->pid = vmm_pid(v->vmm);
}

/* ---- ping ------------------------------------------------------------------------------- */

enum { ETHER = 14, ARP_LEN = 28, IP_LEN = 20, ICMP_LEN = 8, DATA_LEN = 56 };

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void ether(const struct one *v, uint8_t *f, unsigned type)
{
    mac_of(v->number, f);
    memcpy(f + 6, ping_mac, 6);
    put16(f + 12, type);
}

/* To the VM alone: a broadcast would wake all the others. */
static unsigned arp_request(const struct one *v, uint8_t *f)
{
    uint8_t *a = f + ETHER;

    memset(f, 0, ETHER + ARP_LEN);
    ether(v, f, 0x0806);
    memcpy(a, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, 1}, 8);
    memcpy(a + 8, ping_mac, 6);
    memcpy(a + 14, ping_ip, 4);
    ip_of(v->number, a + 24);
    return ETHER + ARP_LEN;
}

static bool is_arp_reply(const struct one *v, const uint8_t *f, unsigned len)
{
    const uint8_t *a = f + ETHER;
    uint8_t mac[6], ip[4];

    mac_of(v->number, mac);
    ip_of(v->number, ip);
    return len >= ETHER + ARP_LEN && f[12] == 8 && f[13] == 6 && a[7] == 2 &&
           !memcmp(a + 8, mac, 6) && !memcmp(a + 14, ip, 4);
}

static unsigned echo_request(const struct one *v, uint8_t *f)
{
    uint8_t *ip = f + ETHER, *icmp = ip + IP_LEN;

    memset(f, 0, ETHER + IP_LEN);
    ether(v, f, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, IP_LEN + ICMP_LEN + DATA_LEN);
    ip[8] = 64;
    ip[9] = 1;
    memcpy(ip + 12, ping_ip, 4);
    ip_of(v->number, ip + 16);
    store16(ip + 10, csum(ip, IP_LEN));
    memcpy(icmp, (uint8_t[]){8, 0, 0, 0, 0, 0, 0, 1}, ICMP_LEN);
    put16(icmp + 4, v->number);
    for (unsigned i = 0; i < DATA_LEN; i++)
        icmp[ICMP_LEN + i] = (uint8_t)(v->number + i);
    store16(icmp + 2, csum(icmp, ICMP_LEN + DATA_LEN));
    return ETHER + IP_LEN + ICMP_LEN + DATA_LEN;
}

static bool is_echo_reply(const struct one *v, const uint8_t *f, unsigned len)
{
    const uint8_t *ip = f + ETHER, *icmp = ip + IP_LEN;
    uint8_t sent[ETHER + IP_LEN + ICMP_LEN + DATA_LEN], from[4];
    unsigned want = echo_request(v, sent);

    ip_of(v->number, from);
    return len == want && f[12] == 8 && f[13] == 0 && csum(ip, IP_LEN) == 0 &&
           !memcmp(ip + 12, from, 4) && !memcmp(ip + 16, ping_ip, 4) && ip[9] == 1 &&
           icmp[0] == 0 && csum(icmp, ICMP_LEN + DATA_LEN) == 0 &&
           !memcmp(icmp + 4, sent + ETHER + IP_LEN + 4, 4 + DATA_LEN);
}

/* Send a frame and wait for what `wanted` says is its answer. */
static bool ask(struct boot_group *g, const struct one *v, const uint8_t *frame,
                unsigned len,
                bool (*wanted)(const struct one *v, const uint8_t *f, unsigned len))
{
    uint64_t end = now_ns() + PATIENCE_MS * UINT64_C(1000000);
    bool there = false;

    if (!fake_guest_put(g->pinger, 0, frame, len))
        return false;
    fake_guest_kick(g->pinger, 0);
    while (!there && now_ns() < end) {
        const uint8_t *data;
        int got;

        fake_guest_wait(g->pinger, 100);
        while ((got = fake_guest_peek(g->pinger, 0, &data)) >= 0) {
            there |= wanted(v, data, (unsigned)got);
            fake_guest_take(g->pinger, 0);
        }
        fake_guest_offer(g->pinger, 0);
    }
    return there;
}

static bool ping(struct boot_group *g, const struct one *v)
{
    uint8_t f[ETHER + IP_LEN + ICMP_LEN + DATA_LEN];
    uint64_t start;

    if (!ask(g, v, f, arp_request(v, f), is_arp_reply))
        return false;
    start = now_ns();
    if (!ask(g, v, f, echo_request(v, f), is_echo_reply))
        return false;
    result(v)->ns[BOOT_PING] = now_ns() - start;
    return true;
}

unsigned boot_ping(struct boot_group *g)
{
    unsigned answered = 0;

    for (unsigned i = 0; i < g->to - g->from; i++)
        answered += ping(g, &g->vms[i]);
    return answered;
}

/* ---- open and close --------------------------------------------------------------------- */

struct boot_group *boot_open(unsigned from, unsigned to, struct boot_result *results)
{
    const struct network_config lan = {.name = "lan"};
    const struct vmm_spec shape = {.n_ifs = 1};
    struct boot_group *g = calloc(1, sizeof *g);
    struct diag d = DIAG_INIT;

    if (!g || !(g->vms = calloc(to - from, sizeof *g->vms)))
        err(1, "memory");
    g->from = from;
    g->to = to;
    g->results = results;
    for (int k = 0; k < BOOT_KINDS; k++) {
        g->hosts[k] = vmm_host_new(&(struct vmm_host_options){0}, &d);
        must(g->hosts[k] ? 0 : -1, &d);
    }
    if (!vmm_host_has_kvm(g->hosts[BOOT_COLD], NULL))
        errx(77, "no KVM");
    vmm_host_keep_shells(g->hosts[BOOT_SHELL], 1, &shape);
    g->bp = backplane_new(NULL, &d);
    must(g->bp ? 0 : -1, &d);
    must(backplane_start(g->bp, &d), &d);
    must(backplane_add_network(g->bp, &lan, &g->lan, &d), &d);
    g->pinger = fake_guest_new(1);
    if (!g->pinger || !fake_guest_attach(g->pinger, 0, g->bp, g->lan, "pinger"))
        errx(1, "no port to ping from");
    diag_fini(&d);
    return g;
}

/* One after the other: VMs outlive their fork server, so each must be seen to end. */
static void end_vm(struct boot_group *g, struct one *v)
{
    if (!v->vmm)
        return;
    v->ending = true;
    vmm_kill(v->vmm);
    for (int t = 0; t < PATIENCE_MS && !v->ended; t++)
        pump(g, boot_kind(v->number), 1);
    if (!v->ended)
        warnx("VM %u does not end", v->number + 1);
    vmm_free(v->vmm);
}

void boot_close(struct boot_group *g)
{
    backplane_free(g->bp);
    fake_guest_free(g->pinger);
    for (unsigned i = 0; i < g->to - g->from; i++)
        end_vm(g, &g->vms[i]);
    for (int k = 0; k < BOOT_KINDS; k++)
        vmm_host_free(g->hosts[k]);
    free(g->vms);
    free(g);
}
