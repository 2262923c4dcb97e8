// SPDX-License-Identifier: BSD-3-Clause
/*
 * backend_vm.c -- .test cases in a virtual machine, or in the process that stands in for one
 *
 * Every case gets a VM of its own; this file plays the switch at the other end of its
 * rings. Annotations cannot be seen from here and time cannot be moved.
 */

#include "tests/backend.h"
#include "tests/element_case.h"
#include "tests/vm/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    QUIET_MS = 3,      /* a guest that sleeps so long has nothing to do */
    RUN_MAX_MS = 2000, /* a source without an end stops being waited for */
    OFFSET = 128,      /* where the switch puts a packet in its buffer */
};

static struct kit kit;

struct packet {
    struct packet *next;
    uint8_t *bytes; /* owned */
    size_t len;
};

struct packet_queue {
    struct packet *first, **last;
};

struct port {
    struct packet_queue rx, tx;
    uint32_t rx_done, tx_done;
};

struct machine {
    struct kit_vm v;
    uint8_t *base;
    uint64_t size;
    size_t console_read;
    struct port ports[CASE_MAX_PORTS];
    unsigned fed_port; /* that got the last packet */
};

static void put(struct packet_queue *q, const uint8_t *bytes, size_t len)
{
    struct packet *p = calloc(1, sizeof *p);

    if (!p)
        return;
    p->bytes = malloc(len ? len : 1);
    if (p->bytes)
        memcpy(p->bytes, bytes, len);
    p->len = p->bytes ? len : 0;
    *q->last = p;
    q->last = &p->next;
}

static struct packet *take(struct packet_queue *q)
{
    struct packet *p = q->first;

    if (p && !(q->first = p->next))
        q->last = &q->first;
    return p;
}

static void drop_all(struct packet_queue *q)
{
    struct packet *p;

    while ((p = take(q))) {
        free(p->bytes);
        free(p);
    }
}

/* --- life --------------------------------------------------------------------------------- */

static bool start(const char *dir, const char **why)
{
    *why = "the fork server does not start";
    return kit_start(&kit, strdup(dir), "guest.elf");
}

static bool start_kvm(const char *dir, const char **why)
{
    return start(dir, why) && vmm_host_has_kvm(kit.host, why);
}

static struct netmem_head *head_of(const struct machine *m)
{
    return (struct netmem_head *)m->base;
}

static void *open_as(enum vmm_isolation isolation)
{
    struct vmm_spec spec = {.name = "test", .isolation = isolation, .n_ifs = 8};
    struct machine *m = calloc(1, sizeof *m);
    const struct vmm_net *net;

    if (!m)
        return NULL;
    spec.uid = geteuid() == 0 ? 190003 : 0;
    for (uint8_t i = 0; i < CASE_MAX_PORTS; i++) {
        memcpy(spec.macs[i], (uint8_t[6]){2, 0, 0, 0, 0, i}, 6);
        m->ports[i].rx.last = &m->ports[i].rx.first;
        m->ports[i].tx.last = &m->ports[i].tx.first;
    }
    if (!kit_spawn(&kit, &m->v, &spec) || !kit_wait(&kit, &m->v.ready, 5000))
        goto fail;
    net = vmm_net(m->v.vm);
    m->size = net->mem_size;
    m->base = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, net->mem_fd, 0);
    if (m->base != MAP_FAILED)
        return m;
fail:
    kit_end(&m->v);
    free(m);
    return NULL;
}

static void *open_kvm(void)
{
    return open_as(VMM_KVM);
}

static void *open_process(void)
{
    return open_as(VMM_PROCESS);
}

/* --- packets ------------------------------------------------------------------------------ */

static uint8_t *buffer(const struct machine *m, uint32_t n)
{
    return m->base + head_of(m)->buffers_at + (size_t)n * NETMEM_BUFFER;
}

/* As the switch does it: a short packet goes to the place that was offered for it. */
static void place_packet(const struct machine *m, struct netmem_slot *s,
                         const uint8_t *bytes, size_t len)
{
    uint32_t place = s->offset | (uint32_t)s->len << 16;

    s->offset = OFFSET;
    if (place && len <= NETMEM_SHORT - OFFSET) {
        s->buffer = (place - 1) / (NETMEM_BUFFER / NETMEM_SHORT);
        s->offset += (uint16_t)((place - 1) * NETMEM_SHORT % NETMEM_BUFFER);
    }
    s->len = (uint16_t)len;
    s->flags = 0;
    memcpy(buffer(m, s->buffer) + s->offset, bytes, len);
}

/* Fill the buffers that the guest offers with what waits to go in. */
static bool feed(struct machine *m, unsigned i)
{
    struct netmem_ring *r = &netmem_if(m->base, i)->rx;
    struct port *port = &m->ports[i];
    bool fed = false;

    while (port->rx.first && atomic_load(&r->offered) != port->rx_done) {
        struct netmem_slot *s = &r->slots[port->rx_done % NETMEM_SLOTS];
        struct packet *p = take(&port->rx);

        place_packet(m, s, p->bytes, p->len);
        free(p->bytes);
        free(p);
        atomic_store(&r->done, ++port->rx_done);
        fed = true;
    }
    return fed;
}

static bool drain(struct machine *m, unsigned i)
{
    struct netmem_ring *r = &netmem_if(m->base, i)->tx;
    struct port *port = &m->ports[i];
    bool drained = false;

    while (atomic_load(&r->offered) != port->tx_done) {
        struct netmem_slot s = r->slots[port->tx_done % NETMEM_SLOTS];

        if (s.offset + s.len <= NETMEM_BUFFER)
            put(&port->tx, buffer(m, s.buffer) + s.offset, s.len);
        atomic_store(&r->done, ++port->tx_done);
        drained = true;
    }
    return drained;
}

/* Ring if the guest sleeps. Returns the value of its counter that it must leave behind: 0,
 * which means awake, when it is awake and will look at its rings before it sleeps. */
static uint32_t wake(struct machine *m)
{
    uint32_t sleep = atomic_load(&head_of(m)->guest_sleep);
    const uint64_t one = 1;

    if (!(sleep & 1))
        return 0;
    if (write(vmm_net(m->v.vm)->wake_fd, &one, sizeof one) < 0)
        perror("wake");
    return sleep;
}

static void machine_run(void *ctx, unsigned rounds)
{
    struct machine *m = ctx;
    uint32_t last = 0, old = 0;

    for (int ms = 0, quiet = 0; ms < RUN_MAX_MS && quiet < QUIET_MS && !m->v.ended;
         ms++) {
        bool drained = false, fed = false;
        uint32_t sleep;

        for (unsigned i = 0; i < CASE_MAX_PORTS; i++) {
            drained |= drain(m, i);
            fed |= feed(m, i);
        }
        if (fed)
            old = wake(m);
        kit_pause(&kit, 1);
        sleep = atomic_load(&head_of(m)->guest_sleep);
        quiet = !drained && !fed && (sleep & 1) && sleep == last && sleep != old
                    ? quiet + 1
                    : 0;
        last = sleep;
    }
}

static bool machine_inject(void *ctx, unsigned port, const uint8_t *bytes, size_t len)
{
    struct machine *m = ctx;

    if (!len || len > NETMEM_BUFFER - OFFSET)
        return false;
    /* Which interface a guest looks at first is its own affair: let it be through with
     * one before another gets packets. */
    if (m->fed_port != port)
        machine_run(ctx, 0);
    m->fed_port = port;
    put(&m->ports[port].rx, bytes, len);
    return true;
}

static bool machine_collect(void *ctx, unsigned port, struct got_packet *out)
{
    struct packet *p = take(&((struct machine *)ctx)->ports[port].tx);

    if (!p)
        return false;
    *out = (struct got_packet){.bytes = p->bytes, .len = p->len};
    free(p);
    return true;
}

static void machine_release(void *ctx, struct got_packet *got)
{
    free(got->bytes);
    *got = (struct got_packet){0};
}

/* --- requests ----------------------------------------------------------------------------- */

/* The reply's lines as messages. */
static void add_lines(struct diag *d, const char *text, bool bad)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len && bad)
            diag_err(d, "%.*s", (int)len, text);
        else if (len)
            diag_warn(d, "%.*s", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static int ask(struct machine *m, enum control_verb verb, const char *handler,
               const char *text, struct diag *d)
{
    uint32_t status = kit_ask(&m->v, verb, handler, text, 0);
    bool bad = status != CONTROL_OK;

    if (bad && (m->v.ended || m->v.crashed))
        return diag_err(d, "the VM has crashed: %s", m->v.why);
    if (bad || verb == CONTROL_INSTALL)
        add_lines(d, sbuf_text(&m->v.reply), bad);
    if (bad && !m->v.reply.len)
        diag_err(d, "%s", vmm_status_text(status));
    return bad ? -1 : 0;
}

static int machine_install(void *ctx, const char *graph, struct diag *d)
{
    return ask(ctx, CONTROL_INSTALL, "config", graph, d);
}

static int machine_read(void *ctx, const char *handler, const char *param,
                        struct sbuf *out, struct diag *d)
{
    struct machine *m = ctx;

    if (ask(m, CONTROL_READ, handler, param, d) < 0)
        return -1;
    sbuf_puts(out, sbuf_text(&m->v.reply));
    return 0;
}

static int machine_write(void *ctx, const char *handler, const char *value, size_t len,
                         struct diag *d)
{
    return ask(ctx, CONTROL_WRITE, handler, value, d);
}

static void machine_console(void *ctx, struct sbuf *out)
{
    struct machine *m = ctx;

    sbuf_puts(out, sbuf_text(&m->v.console) + m->console_read);
    m->console_read = m->v.console.len;
}

static unsigned long stat_of(const struct machine *m, const char *key)
{
    const char *at = strstr(sbuf_text(&m->v.reply), key);

    return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

/* Packets that live when no configuration does. */
static size_t live_packets(struct machine *m)
{
    if (kit_ask(&m->v, CONTROL_REMOVE, NULL, NULL, 0) == UINT32_MAX)
        return 0;
    machine_run(m, 0);
    if (kit_ask(&m->v, CONTROL_STATS, NULL, NULL, 0) != CONTROL_OK)
        return 0;
    return stat_of(m, "packets_live ");
}

static size_t machine_close(void *ctx)
{
    struct machine *m = ctx;
    size_t live = m->v.ended ? 0 : live_packets(m);

    for (unsigned i = 0; i < CASE_MAX_PORTS; i++) {
        drop_all(&m->ports[i].rx);
        drop_all(&m->ports[i].tx);
    }
    munmap(m->base, m->size);
    kit_end(&m->v);
    free(m);
    return live;
}

#define MACHINE(name_, start_, open_)                                                  \
    {                                                                                  \
        .name = (name_), .max_len = NETMEM_BUFFER - OFFSET, .start = (start_),         \
        .open = (open_), .close = machine_close, .install = machine_install,           \
        .inject = machine_inject, .run = machine_run, .collect = machine_collect,      \
        .release = machine_release, .read = machine_read, .write = machine_write,      \
        .console = machine_console                                                     \
    }

const struct backend backend_kvm = MACHINE("kvm", start_kvm, open_kvm);
const struct backend backend_process = MACHINE("process", start, open_process);
