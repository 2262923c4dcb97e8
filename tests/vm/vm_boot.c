// SPDX-License-Identifier: BSD-3-Clause
/*
 * VMs with the real guest image: boot, requests, packets, sleep, clock, jail, adoption. With
 * KVM and as a process.
 *
 *     vm_boot BUILDDIR [kvm|process]
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/vm/kit.h"
#include "tests/vm/vm_wire.h"

static char socket_path[100];

/* Each test gets a fresh VM with two interfaces; NULL: passed. */
typedef const char *test_fn(struct kit *k, struct kit_vm *v);

static char why_text[512];

static const char *forward = "FromNetfront(0) -> ToNetfront(1);"
                             "FromNetfront(1) -> ToNetfront(0);";

static const char *said(struct kit_vm *v, const char *what)
{
    snprintf(why_text, sizeof why_text, "%s: %u %.300s", what, v->answer,
             sbuf_text(&v->reply));
    return why_text;
}

/* ---- requests ------------------------------------------------------------------------ */

static const char *it_boots_and_answers(struct kit *k, struct kit_vm *v)
{
    if (!kit_wait(k, &v->ready, KIT_HANGS_MS))
        return v->ended ? v->why : "not ready after a minute";
    if (!v->timing.forked || v->timing.forked < v->timing.spawn ||
        v->timing.created < v->timing.forked || v->timing.jailed < v->timing.created ||
        v->timing.ready < v->timing.entered || v->timing.reported < v->timing.ready)
        return "its times are out of order";
    return kit_ask(v, CONTROL_PING, NULL, NULL, 0) == CONTROL_OK ? NULL : "no answer";
}

static const char *bad_configurations_are_explained(struct kit *k, struct kit_vm *v)
{
    if (kit_ask(v, CONTROL_INSTALL, "a.click", "x :: Nonsuch;\n  y -> -> z;", 0) !=
            CONTROL_ERROR ||
        strncmp(sbuf_text(&v->reply), "a.click:1:", 10) != 0)
        return said(v, "errors");
    if (kit_ask(v, CONTROL_LIST, NULL, NULL, 0) != CONTROL_OK || v->reply.len)
        return said(v, "something was installed");
    return NULL;
}

static const char *handlers_are_read_and_written(struct kit *k, struct kit_vm *v)
{
    if (kit_ask(v, CONTROL_READ, "list", NULL, 0) != CONTROL_NO_CONFIG)
        return said(v, "read without a configuration");
    if (kit_ask(v, CONTROL_INSTALL, NULL, forward, 0) != CONTROL_OK)
        return said(v, "install");
    if (kit_ask(v, CONTROL_READ, "list", NULL, 0) != CONTROL_OK ||
        !strstr(sbuf_text(&v->reply), "FromNetfront@1"))
        return said(v, "read");
    if (kit_ask(v, CONTROL_READ, "nonsuch", NULL, 0) != CONTROL_NO_HANDLER)
        return said(v, "read of no handler");
    if (kit_ask(v, CONTROL_WRITE, "FromNetfront@1.active", "false", 0) != CONTROL_OK)
        return said(v, "write");
    if (kit_ask(v, CONTROL_REMOVE, NULL, NULL, 0) != CONTROL_OK)
        return said(v, "remove");
    if (kit_ask(v, CONTROL_READ, "list", NULL, 0) != CONTROL_NO_CONFIG)
        return said(v, "read after removal");
    return NULL;
}

/* Needs more heap than a VM starts with, and more bytes than any socket holds. */
static const char *long_texts_arrive(struct kit *k, struct kit_vm *v)
{
    const size_t len = 3 << 20;
    char *text = malloc(len + 1);
    const char *why = NULL;

    memset(text, ' ', len);
    memcpy(text + len - strlen(forward), forward, strlen(forward) + 1);
    if (kit_ask(v, CONTROL_INSTALL, NULL, text, 20000) != CONTROL_OK)
        why = said(v, "install");
    else if (kit_ask(v, CONTROL_READ, "config", NULL, 20000) != CONTROL_OK)
        why = said(v, "read");
    else if (v->reply.len < strlen(forward) ||
             !strstr(sbuf_text(&v->reply) + v->reply.len - strlen(forward) - 1,
                     "ToNetfront(0);"))
        why = "the text has changed";
    free(text);
    return why;
}

/* ---- packets ------------------------------------------------------------------------- */

static const char *packets_pass_through(struct kit *k, struct kit_vm *v)
{
    struct wire w = {.base = NULL};
    const char *why;

    if (kit_ask(v, CONTROL_INSTALL, NULL, forward, 0) != CONTROL_OK)
        return said(v, "install");
    if (!wire_open(&w, v))
        return "packet memory cannot be mapped";
    why = forward_some(&w, 2000);
    usleep(20000); /* now it sleeps */
    why = why ? why : forward_some(&w, 10);
    munmap(w.base, w.size);
    return why;
}

/* A group address belongs to nobody but who has it: an unusual one to have, by which the
 * guest's idea of its own address can be seen from outside. */
static const uint8_t macs[][6] = {{3, 0, 0, 0, 7, 1}, {2, 0, 0, 0, 7, 2}};

static const char *it_knows_who_it_is(struct kit *k, struct kit_vm *v)
{
    uint8_t packet[64] = {0}, got[2048];
    struct wire w = {.base = NULL};
    const char *why = NULL;

    if (kit_ask(v, CONTROL_INSTALL, NULL,
                "FromNetfront(0) -> DropBroadcasts -> ToNetfront(1);"
                "FromNetfront(1) -> Discard",
                0) != CONTROL_OK)
        return said(v, "install");
    if (!wire_open(&w, v))
        return "packet memory cannot be mapped";
    memcpy(packet, macs[0], 6);
    packet[5] ^= 0xff;
    if (!wire_send(&w, 0, packet, sizeof packet))
        why = "no buffer is offered";
    memcpy(packet, macs[0], 6);
    if (!why && !wire_send(&w, 0, packet, sizeof packet))
        why = "no second buffer is offered";
    if (!why && wire_receive(&w, 1, got, sizeof got) != sizeof packet)
        why = "it does not take its own address for its own";
    if (!why && memcmp(got, packet, sizeof packet) != 0)
        why = "it took another address for its own";
    munmap(w.base, w.size);
    return why;
}

/* Packets for an interface that nobody reads must not keep the guest awake. */
static const char *idle_takes_no_cpu(struct kit *k, struct kit_vm *v)
{
    struct wire w = {.base = NULL};
    unsigned long before, after;
    char path[64];
    uint64_t n;
    FILE *f;

    if (kit_ask(v, CONTROL_INSTALL, NULL, "FromNetfront(0) -> ToNetfront(0)", 0) !=
        CONTROL_OK)
        return said(v, "install");
    if (!wire_open(&w, v))
        return "packet memory cannot be mapped";
    for (n = 0; n < 4; n++)
        wire_send(&w, 1, "not for anybody", 16);
    munmap(w.base, w.size);
    snprintf(path, sizeof path, "/proc/%d/schedstat", vmm_pid(v->vm));
    usleep(50000);
    if (!(f = fopen(path, "r")) || fscanf(f, "%lu", &before) != 1)
        return f ? (fclose(f), "schedstat") : NULL; /* not in every kernel */
    usleep(300000);
    rewind(f);
    if (fscanf(f, "%lu", &after) != 1)
        after = ~0ul;
    fclose(f);
    return after - before < 3000000 ? NULL : "it used more than 1 % of a CPU";
}

static const char *its_clock_is_ours(struct kit *k, struct kit_vm *v)
{
    uint64_t before = steady_ns(), after, guest;
    const uint64_t slack = 2000000;

    if (kit_ask(v, CONTROL_STATS, NULL, NULL, 0) != CONTROL_OK ||
        sscanf(sbuf_text(&v->reply), "steady_ns %lu", &guest) != 1)
        return said(v, "stats");
    after = steady_ns();
    if (guest + slack < before || guest > after + slack) {
        snprintf(why_text, sizeof why_text, "it shows %ld us more",
                 ((long)guest - (long)after) / 1000);
        return why_text;
    }
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------- */

static const char *the_monitor_is_jailed(struct kit *k, struct kit_vm *v)
{
    char path[64], line[256];
    bool filter = false, no_new = false, no_caps = false, own_user = geteuid() != 0;
    FILE *f;

    kit_wait(k, &v->ready, KIT_HANGS_MS);
    snprintf(path, sizeof path, "/proc/%d/status", vmm_pid(v->vm));
    f = fopen(path, "r");
    if (!f)
        return "no such process";
    while (fgets(line, sizeof line, f)) {
        filter |= strcmp(line, "Seccomp:\t2\n") == 0;
        no_new |= strcmp(line, "NoNewPrivs:\t1\n") == 0;
        no_caps |= strcmp(line, "CapEff:\t0000000000000000\n") == 0;
        own_user |= strncmp(line, "Uid:\t190002\t190002\t190002", 25) == 0;
    }
    fclose(f);
    if (!filter)
        return "there is no system call filter";
    if (!no_new || !no_caps)
        return "it has privileges";
    return own_user ? NULL : "it runs as our user";
}

static const char *a_killed_monitor_is_noticed(struct kit *k, struct kit_vm *v)
{
    kit_wait(k, &v->ready, KIT_HANGS_MS);
    kill(vmm_pid(v->vm), SIGKILL);
    if (!kit_wait(k, &v->ended, KIT_HANGS_MS))
        return "not noticed";
    return v->end == VMM_END_KILLED ? NULL : v->why;
}

static pid_t parent_of(pid_t pid)
{
    char path[64];
    int parent = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    f = fopen(path, "r");
    if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
        parent = 0;
    if (f)
        fclose(f);
    return parent;
}

static const char *a_lost_fork_server_is_replaced(struct kit *k, struct kit_vm *v)
{
    struct vmm_spec s = {.name = "second", .isolation = vmm_isolation_of(v->vm)};
    const char *why = NULL;
    struct kit_vm second;
    pid_t server;

    kit_wait(k, &v->ready, KIT_HANGS_MS);
    server = parent_of(vmm_pid(v->vm));
    if (server <= 1 || kill(server, SIGKILL) < 0)
        return "the fork server cannot be found";
    kit_pause(k, 50);
    if (kit_ask(v, CONTROL_PING, NULL, NULL, 0) != CONTROL_OK)
        return "its VM has gone with it";
    if (!kit_spawn(k, &second, &s))
        return "no other VM can be spawned";
    if (kit_ask(&second, CONTROL_PING, NULL, NULL, 0) != CONTROL_OK)
        why = "the second VM does not answer";
    kit_end(&second);
    if (!why && kit_ask(v, CONTROL_PING, NULL, NULL, 0) != CONTROL_OK)
        why = "the first VM does not answer any more";
    vmm_kill(v->vm);
    if (!why && !kit_wait(k, &v->ended, KIT_HANGS_MS))
        why = "the first VM cannot be killed";
    return why;
}

/* The daemon dies with the fork server; another one finds the VM and its packets. */
static const char *a_new_daemon_finds_it(struct kit *k, struct kit_vm *v)
{
    struct wire w = {.base = NULL};
    const char *dir = k->dir, *why = NULL;

    if (kit_ask(v, CONTROL_INSTALL, NULL, forward, 0) != CONTROL_OK)
        return said(v, "install");
    vmm_free(v->vm);
    v->vm = NULL;
    kit_end(v);
    kit_stop(k);
    if (!kit_start(k, dir, "guest.elf") || !kit_adopt(k, v, socket_path))
        return "cannot connect";
    if (!kit_wait(k, &v->ready, KIT_HANGS_MS))
        return "no hello";
    if (strcmp(vmm_name(v->vm), "boot") != 0)
        return "another name";
    if (!wire_open(&w, v))
        return "packet memory cannot be mapped";
    why = forward_some(&w, 100);
    munmap(w.base, w.size);
    if (!why && kit_ask(v, CONTROL_PING, NULL, NULL, 0) != CONTROL_OK)
        why = "no answer";
    kit_end(v);
    if (!why && v->end != VMM_END_KILLED)
        why = "it could not be killed";
    if (!why && access(socket_path, F_OK) == 0)
        why = "its socket is still there";
    return why;
}

static const struct {
    const char *name;
    test_fn *run;
} tests[] = {
    {"it_boots_and_answers", it_boots_and_answers},
    {"bad_configurations_are_explained", bad_configurations_are_explained},
    {"handlers_are_read_and_written", handlers_are_read_and_written},
    {"long_texts_arrive", long_texts_arrive},
    {"packets_pass_through", packets_pass_through},
    {"it_knows_who_it_is", it_knows_who_it_is},
    {"idle_takes_no_cpu", idle_takes_no_cpu},
    {"its_clock_is_ours", its_clock_is_ours},
    {"the_monitor_is_jailed", the_monitor_is_jailed},
    {"a_killed_monitor_is_noticed", a_killed_monitor_is_noticed},
    {"a_lost_fork_server_is_replaced", a_lost_fork_server_is_replaced},
    {"a_new_daemon_finds_it", a_new_daemon_finds_it},
};

/* Have a shell for it; some tests end the fork server, and the shells with it. */
static void await_shell(struct kit *k, const struct vmm_spec *s)
{
    vmm_host_keep_shells(k->host, 1, s);
    for (int i = 0; i < 500 && !vmm_host_shells(k->host); i++)
        kit_pause(k, 10);
}

static void run_one(struct kit *k, unsigned t, enum vmm_isolation i, bool from_shell)
{
    char name[80];
    struct vmm_spec s = {.name = "boot",
                         .isolation = i,
                         .n_ifs = 2,
                         .socket_path = socket_path,
                         .uid = geteuid() == 0 ? 190002 : 0};
    const char *why = "cannot be spawned";
    struct kit_vm v;

    memcpy(s.macs, macs, sizeof macs);
    if (from_shell)
        await_shell(k, &s);
    if (kit_spawn(k, &v, &s)) {
        why = tests[t].run(k, &v);
        if (why && v.crashed) {
            snprintf(why_text, sizeof why_text, "crash %u at %llx, address %llx %.200s",
                     v.crash.vector, (unsigned long long)v.crash.rip,
                     (unsigned long long)v.crash.address, v.crash.message);
            why = why_text;
        }
        kit_end(&v);
    }
    snprintf(name, sizeof name, "%s%s", tests[t].name,
             from_shell ? ", from a shell" : "");
    kit_report(!why, name, i, why);
}

int main(int argc, char **argv)
{
    enum vmm_isolation kinds[2];
    struct kit k;
    unsigned n;
    bool shells;

    if (argc < 2 || !kit_start(&k, argv[1], "guest.elf"))
        return 1;
    snprintf(socket_path, sizeof socket_path, "/tmp/clickos-test-%d", getpid());
    n = kit_isolations(&k, kinds);
    shells = argc > 2 && strcmp(argv[2], "shells") == 0;
    if (n < 2 && !(argc > 2 && strcmp(argv[2], "process") == 0))
        printf("SKIP vm/boot (kvm): no KVM\n");
    for (unsigned i = 0; i < n; i++)
        for (unsigned t = 0; t < sizeof tests / sizeof tests[0]; t++)
            if (shells || argc < 3 ||
                strcmp(argv[2], kit_isolation_name(kinds[i])) == 0)
                run_one(&k, t, kinds[i], shells);
    kit_stop(&k);
    return kit_failures() != 0;
}
