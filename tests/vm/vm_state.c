// SPDX-License-Identifier: BSD-3-Clause
/*
 * Checkpoints: what is made from a copy of a VM goes on where that was. On KVM and as
 * processes, and from the one to the other.
 *
 *     vm_state BUILDDIR [shells]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/vm/kit.h"
#include "tests/vm/vm_wire.h"
#include "vmm/state.h"

static const uint8_t macs[][6] = {{3, 0, 0, 0, 7, 1}, {2, 0, 0, 0, 7, 2}};
static const uint8_t other_macs[][6] = {{3, 0, 0, 0, 8, 1}, {2, 0, 0, 0, 8, 2}};

static char why_text[512];
static bool shells; /* copies begin as shells */

/* Packets wait in a queue until somebody sets u.active. */
static const char *hoard = "FromNetfront(0) -> c :: Counter -> q :: Queue(64)"
                           " -> u :: Unqueue(ACTIVE false) -> ToNetfront(1);"
                           "FromNetfront(1) -> ToNetfront(0);";

static struct vmm_spec like(enum vmm_isolation i, int state_fd)
{
    struct vmm_spec s = {.name = "copy",
                         .isolation = i,
                         .n_ifs = 2,
                         .state_fd = state_fd,
                         .uid = geteuid() == 0 ? 190003 : 0};

    memcpy(s.macs, macs, sizeof macs);
    return s;
}

/* ---- taking a copy --------------------------------------------------------------------- */

struct copying {
    bool answered;
    uint32_t status;
    int fd;
};

static void on_copy(struct vmm *vm, void *ctx, uint32_t status, const char *text,
                    size_t len)
{
    struct copying *c = ctx;

    (void)text, (void)len;
    c->answered = true;
    c->status = status;
    c->fd = vmm_take_state(vm);
}

/* Have a shell for what is made of the copy. */
static void await_shell(struct kit *k)
{
    struct vmm_spec s = like(VMM_KVM, 0);

    vmm_host_keep_shells(k->host, 2, &s);
    for (int i = 0; i < 500 && vmm_host_shells(k->host) < 2; i++)
        kit_pause(k, 10);
}

/* A state's descriptor, or -1. */
static int copy(struct kit_vm *v, const char *how)
{
    const struct vmm_request r = {.verb = CONTROL_CHECKPOINT, .handler = how};
    struct copying c = {.fd = -1};
    struct diag d = DIAG_INIT;

    if (vmm_request(v->vm, &r, on_copy, &c, &d) == 0)
        kit_wait(v->kit, &c.answered, KIT_HANGS_MS);
    diag_fini(&d);
    if (shells)
        await_shell(v->kit);
    return c.status == CONTROL_OK ? c.fd : -1;
}

static bool value_is(struct kit_vm *v, const char *handler, const char *want)
{
    if (kit_ask(v, CONTROL_READ, handler, NULL, 0) == CONTROL_OK &&
        strncmp(sbuf_text(&v->reply), want, strlen(want)) == 0)
        return true;
    snprintf(why_text, sizeof why_text, "%s: %u '%.200s', not '%s'", handler, v->answer,
             sbuf_text(&v->reply), want);
    return false;
}

/* A VM that holds `n` packets. */
static const char *fill(struct kit *k, struct kit_vm *v, enum vmm_isolation i,
                        unsigned n)
{
    struct vmm_spec s = like(i, 0);
    uint8_t packet[64];
    char count[16];
    struct wire w;

    s.name = "first";
    if (!kit_spawn(k, v, &s) ||
        kit_ask(v, CONTROL_INSTALL, NULL, hoard, 0) != CONTROL_OK)
        return "no VM to begin with";
    if (!wire_open(&w, v))
        return "packet memory cannot be mapped";
    for (unsigned at = 0; at < n; at++) {
        memset(packet, (int)(at + 1), sizeof packet);
        if (!wire_send(&w, 0, packet, sizeof packet))
            return "no buffer is offered";
        usleep(500);
    }
    wire_close(&w);
    snprintf(count, sizeof count, "%u", n);
    for (int tries = 0; !value_is(v, "c.count", count); tries++) {
        if (tries == 500)
            return why_text;
        usleep(10000);
    }
    return NULL;
}

/* It has `n` packets and gives them away. */
static const char *empty(struct kit_vm *v, unsigned n)
{
    uint8_t want[64], got[2048];
    char count[16];
    struct wire w;
    const char *why = NULL;

    snprintf(count, sizeof count, "%u", n);
    if (!value_is(v, "c.count", count) || !value_is(v, "q.length", count))
        return why_text;
    if (!wire_open(&w, v))
        return "packet memory cannot be mapped";
    if (kit_ask(v, CONTROL_WRITE, "u.active", "true", 0) != CONTROL_OK)
        why = "u.active cannot be written";
    for (unsigned at = 0; at < n && !why; at++) {
        memset(want, (int)(at + 1), sizeof want);
        if (wire_receive(&w, 1, got, sizeof got) != sizeof want)
            why = "a packet is lost";
        else if (memcmp(got, want, sizeof want))
            why = "a packet has changed";
    }
    wire_close(&w);
    return why;
}

/* ---- the tests ------------------------------------------------------------------------- */

typedef const char *test_fn(struct kit *k, enum vmm_isolation i);

static const char *go_on_as(struct kit *k, struct kit_vm *v, enum vmm_isolation i)
{
    struct vmm_spec s;
    struct kit_vm c;
    const char *why;
    int fd = copy(v, NULL);

    if (fd < 0)
        return "no copy";
    s = like(i, fd);
    if (!kit_spawn(k, &c, &s)) {
        close(fd);
        return "the copy cannot be spawned";
    }
    close(fd);
    why = kit_wait(k, &c.ready, KIT_HANGS_MS) ? empty(&c, 5) : "the copy is not ready";
    if (c.ended || c.crashed) {
        snprintf(why_text, sizeof why_text,
                 "the copy ended: %.100s; %u at %llx, %llx %.200s", c.why,
                 c.crash.vector, (unsigned long long)c.crash.rip,
                 (unsigned long long)c.crash.address, c.crash.message);
        why = why_text;
    }
    kit_end(&c);
    return why;
}

static const char *a_copy_goes_on_and_so_does_the_original(struct kit *k,
                                                           enum vmm_isolation i)
{
    struct kit_vm v;
    const char *why = fill(k, &v, i, 5);

    why = why ? why : go_on_as(k, &v, i);
    why = why ? why : go_on_as(k, &v, i);
    why = why ? why : empty(&v, 5);
    kit_end(&v);
    return why;
}

static const char *a_copy_may_change_its_isolation(struct kit *k, enum vmm_isolation i)
{
    struct kit_vm v;
    const char *why = fill(k, &v, i, 5);

    why = why ? why : go_on_as(k, &v, i == VMM_KVM ? VMM_PROCESS : VMM_KVM);
    kit_end(&v);
    return why;
}

static const char *a_held_vm_stands_still(struct kit *k, enum vmm_isolation i)
{
    struct kit_vm v;
    struct wire w;
    uint8_t got[64], packet[64] = {0};
    const char *why = fill(k, &v, i, 5);
    int fd = why ? -1 : copy(&v, "hold");

    if (why || !wire_open(&w, &v)) {
        kit_end(&v);
        return why ? why : "packet memory cannot be mapped";
    }
    if (fd < 0)
        why = "no copy";
    else if (!vmm_state_is_current(fd, vmm_net(v.vm)))
        why = "the copy is out of date at once";
    else if (!wire_send(&w, 1, packet, sizeof packet))
        why = "no buffer is offered";
    else if (wire_waits(&w, 0, 500))
        why = "it forwards packets";
    else if (vmm_state_is_current(fd, vmm_net(v.vm)))
        why = "a packet that came does not count";
    else if (kit_ask(&v, CONTROL_PING, NULL, NULL, 0) != CONTROL_OK)
        why = "it does not go on";
    else if (wire_receive(&w, 0, got, sizeof got) != sizeof packet)
        why = "the packet is lost";
    close(fd);
    wire_close(&w);
    kit_end(&v);
    return why;
}

static const char *a_grown_heap_is_copied(struct kit *k, enum vmm_isolation i)
{
    const size_t len = 3 << 20;
    char *text = malloc(len + 1);
    struct vmm_spec s = like(i, 0);
    struct kit_vm v, c = {.kit = k};
    const char *why = NULL;
    int fd = -1;

    memset(text, ' ', len);
    memcpy(text + len - strlen(hoard), hoard, strlen(hoard) + 1);
    if (!kit_spawn(k, &v, &s) ||
        kit_ask(&v, CONTROL_INSTALL, NULL, text, 20000) != CONTROL_OK)
        why = "no VM to begin with";
    else if ((fd = copy(&v, NULL)) < 0)
        why = "no copy";
    s = like(i, fd);
    if (!why && !kit_spawn(k, &c, &s))
        why = "the copy cannot be spawned";
    if (!why &&
        (kit_ask(&c, CONTROL_READ, "config", NULL, 20000) != CONTROL_OK ||
         c.reply.len < strlen(hoard) || !strstr(sbuf_text(&c.reply), "Unqueue")))
        why = "the text has changed";
    /* And it can grow on. */
    if (!why && kit_ask(&c, CONTROL_INSTALL, NULL, text, 20000) != CONTROL_OK)
        why = "nothing can be installed any more";
    close(fd);
    free(text);
    kit_end(&v);
    kit_end(&c);
    return why;
}

/* A group address that is the interface's own is taken for its own. */
static const char *a_copy_learns_who_it_is(struct kit *k, enum vmm_isolation i)
{
    struct vmm_spec s = like(i, 0);
    struct kit_vm v, c = {.kit = k};
    const char *config = "FromNetfront(0) -> DropBroadcasts -> ToNetfront(1);"
                         "FromNetfront(1) -> Discard;";
    uint8_t packet[64] = {0}, got[64];
    struct wire w;
    const char *why = NULL;
    int fd = -1;

    if (!kit_spawn(k, &v, &s) ||
        kit_ask(&v, CONTROL_INSTALL, NULL, config, 0) != CONTROL_OK ||
        (fd = copy(&v, NULL)) < 0)
        why = "no copy";
    s = like(i, fd);
    memcpy(s.macs, other_macs, sizeof other_macs);
    if (!why && (!kit_spawn(k, &c, &s) ||
                 kit_ask(&c, CONTROL_INSTALL, NULL, config, 0) != CONTROL_OK ||
                 !wire_open(&w, &c)))
        why = "nothing can be installed in the copy";
    close(fd);
    kit_end(&v);
    if (!why) {
        memcpy(packet, macs[0], 6);
        wire_send(&w, 0, packet, sizeof packet);
        memcpy(packet, other_macs[0], 6);
        wire_send(&w, 0, packet, sizeof packet);
        if (wire_receive(&w, 1, got, sizeof got) != sizeof packet ||
            memcmp(got, packet, sizeof packet))
            why = "it takes the original's address for its own";
        wire_close(&w);
    }
    kit_end(&c);
    return why;
}

static uint64_t clock_of(struct kit_vm *v)
{
    unsigned long ns = 0;

    if (kit_ask(v, CONTROL_STATS, NULL, NULL, 0) != CONTROL_OK ||
        sscanf(sbuf_text(&v->reply), "steady_ns %lu", &ns) != 1)
        return 0;
    return ns;
}

/* A kept state goes on at its time; one that only was put aside has missed some. However
 * slow the machine is: what a clock shows lies between what must have passed and what has. */
static const char *its_time_goes_on(struct kit *k, enum vmm_isolation i)
{
    const uint64_t pause_ns = 300000000u, slack_ns = 20000000u;
    struct vmm_spec s = like(i, 0);
    struct kit_vm v, c = {.kit = k}, e = {.kit = k};
    const char *why = NULL;
    uint64_t began = kit_now_ns(), before, kept, aside;
    int fd = -1;

    if (!kit_spawn(k, &v, &s) || !(before = clock_of(&v)) ||
        (fd = copy(&v, NULL)) < 0) {
        kit_end(&v);
        return "no copy";
    }
    kit_pause(k, (int)(pause_ns / 1000000u));
    s = like(i, fd);
    if (!kit_spawn(k, &c, &s) || !(kept = clock_of(&c)) || kept < before ||
        kept - before > kit_now_ns() - began - pause_ns + slack_ns)
        why = "a kept state's time did not stand still";
    s.elapse = true;
    if (!why &&
        (!kit_spawn(k, &e, &s) || !(aside = clock_of(&e)) ||
         aside < before + pause_ns || aside - before > kit_now_ns() - began + slack_ns))
        why = "a state that was put aside has missed no time";
    close(fd);
    kit_end(&v);
    kit_end(&c);
    kit_end(&e);
    return why;
}

/* Every byte of head and index in turn is wrong: refused, or harmless. */
static const char *damage_is_refused_or_harmless(struct kit *k, enum vmm_isolation i)
{
    struct vmm_spec s;
    struct kit_vm v;
    struct state st;
    const char *why = fill(k, &v, i, 5);
    int fd = why ? -1 : copy(&v, NULL), bad;
    uint8_t page[STATE_PAGE];
    struct diag d = DIAG_INIT;

    if (fd < 0 || pread(fd, page, sizeof page, 0) != sizeof page) {
        kit_end(&v);
        return "no copy";
    }
    for (unsigned at = 0; at < sizeof(struct state_head) && !why; at++) {
        if (at >= offsetof(struct state_head, image) && at < 24)
            continue; /* the image's number may be any */
        bad = memfd_create("bad", 0);
        page[at] ^= 0x80;
        if (pwrite(bad, page, sizeof page, 0) != sizeof page)
            why = "no memfd";
        page[at] ^= 0x80;
        if (state_open(&st, bad, &d) == 0) {
            state_close(&st);
            why = "a state without pages is accepted";
        }
        close(bad);
    }
    s = like(i, fd);
    s.n_ifs = 1;
    if (!why && vmm_spawn(k->host, &s, NULL, NULL, &d))
        why = "a state of two interfaces makes a VM of one";
    diag_fini(&d);
    close(fd);
    kit_end(&v);
    return why;
}

static const struct {
    const char *name;
    test_fn *run;
} tests[] = {
    {"a_copy_goes_on_and_so_does_the_original",
     a_copy_goes_on_and_so_does_the_original},
    {"a_copy_may_change_its_isolation", a_copy_may_change_its_isolation},
    {"a_held_vm_stands_still", a_held_vm_stands_still},
    {"a_grown_heap_is_copied", a_grown_heap_is_copied},
    {"a_copy_learns_who_it_is", a_copy_learns_who_it_is},
    {"its_time_goes_on", its_time_goes_on},
    {"damage_is_refused_or_harmless", damage_is_refused_or_harmless},
};

int main(int argc, char **argv)
{
    enum vmm_isolation kinds[2];
    struct kit k;
    unsigned n;

    if (argc < 2 || !kit_start(&k, argv[1], "guest.elf"))
        return 1;
    n = kit_isolations(&k, kinds);
    shells = argc > 2 && n == 2;
    for (unsigned i = 0; i < (shells ? 1 : n); i++)
        for (unsigned t = 0; t < sizeof tests / sizeof tests[0]; t++) {
            const char *why;

            if (n < 2 && tests[t].run == a_copy_may_change_its_isolation) {
                printf("SKIP vm/state/%s: no KVM\n", tests[t].name);
                continue;
            }
            why = tests[t].run(&k, kinds[i]);
            kit_report(!why, tests[t].name, kinds[i], why);
        }
    kit_stop(&k);
    return kit_failures() != 0;
}
