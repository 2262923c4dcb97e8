// SPDX-License-Identifier: BSD-3-Clause
/* fake_guest.c -- plays the guest's side of abi/netmem.h: see fake_guest.h */

#include "tests/fake_guest.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct netmem_if *nif(const struct fake_guest *g, uint32_t n)
{
    return netmem_if(g->mem, n);
}

static uint32_t buffer_of(uint32_t n, uint32_t slot, bool tx)
{
    return (n * 2 + tx) * NETMEM_SLOTS + slot % NETMEM_SLOTS;
}

static uint8_t *buffer(const struct fake_guest *g, uint32_t number)
{
    const struct netmem_head *h = (const struct netmem_head *)(const void *)g->mem;

    return g->mem + h->buffers_at + (size_t)number * NETMEM_BUFFER;
}

static int map(struct fake_guest *g)
{
    uint32_t n_buffers = g->n_ifs * 2 * NETMEM_SLOTS;
    struct netmem_head *h;

    g->size = netmem_size(g->n_ifs, n_buffers);
    g->memory_fd = memfd_create("fake guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (g->memory_fd < 0 || ftruncate(g->memory_fd, (off_t)g->size) < 0)
        return -1;
    g->mem = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED, g->memory_fd, 0);
    if (g->mem == MAP_FAILED) {
        g->mem = NULL;
        return -1;
    }
    h = (struct netmem_head *)(void *)g->mem;
    h->magic = NETMEM_MAGIC;
    h->abi = NETMEM_ABI;
    h->n_ifs = g->n_ifs;
    h->n_buffers = n_buffers;
    h->buffers_at = netmem_buffers_at(g->n_ifs);
    h->size = g->size;
    return 0;
}

struct fake_guest *fake_guest_new(uint32_t n_ifs)
{
    struct fake_guest *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->n_ifs = n_ifs;
    g->memory_fd = -1;
    g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (uint32_t i = 0; i < n_ifs; i++)
        g->doorbell_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (g->wake_fd < 0 || map(g) < 0) {
        fake_guest_free(g);
        return NULL;
    }
    for (uint32_t n = 0; n < n_ifs; n++) {
        for (uint32_t i = 0; i < NETMEM_SLOTS; i++)
            nif(g, n)->rx.slots[i].buffer = buffer_of(n, i, false);
        g->rx_offered[n] = NETMEM_SLOTS;
        atomic_store(&nif(g, n)->rx.offered, NETMEM_SLOTS);
    }
    return g;
}

void fake_guest_free(struct fake_guest *g)
{
    if (!g)
        return;
    if (g->mem)
        munmap(g->mem, g->size);
    close(g->memory_fd);
    close(g->wake_fd);
    for (uint32_t i = 0; i < g->n_ifs; i++)
        close(g->doorbell_fds[i]);
    free(g);
}

struct vm_port_config fake_guest_port(const struct fake_guest *g, uint32_t n)
{
    return (struct vm_port_config){.memory_fd = g->memory_fd,
                                   .interface = n,
                                   .wake_fd = g->wake_fd,
                                   .doorbell_fd = g->doorbell_fds[n]};
}

uint32_t fake_guest_attach(struct fake_guest *g, uint32_t n, struct backplane *bp,
                           uint32_t network, const char *name)
{
    struct diag d = DIAG_INIT;
    uint32_t id = 0;
    struct port_config c = {
        .name = name, .network = network, .kind = PORT_VM, .vm = fake_guest_port(g, n)};

    if (backplane_add_port(bp, &c, &id, &d) < 0)
        fputs(diag_text(&d), stderr);
    diag_fini(&d);
    return id;
}

uint32_t fake_guest_room(const struct fake_guest *g, uint32_t n)
{
    uint32_t done = atomic_load_explicit(&nif(g, n)->tx.done, memory_order_acquire);

    return NETMEM_SLOTS - (g->tx_offered[n] - done);
}

bool fake_guest_put(struct fake_guest *g, uint32_t n, const void *data, uint32_t len)
{
    uint32_t slot = g->tx_offered[n], b = buffer_of(n, slot, true);

    if (fake_guest_room(g, n) == 0)
        return false;
    memcpy(buffer(g, b), data, len);
    nif(g, n)->tx.slots[slot % NETMEM_SLOTS] = (struct netmem_slot){
        .buffer = b, .len = (uint16_t)len};
    g->tx_offered[n]++;
    return true;
}

void fake_guest_kick(struct fake_guest *g, uint32_t n)
{
    uint64_t one = 1;
    uint32_t s;

    atomic_store(&nif(g, n)->tx.offered, g->tx_offered[n]);
    s = atomic_load(&nif(g, n)->host_sleep);
    if (!(s & 1) || s == g->answered[n])
        return;
    g->answered[n] = s;
    if (write(g->doorbell_fds[n], &one, sizeof one) == sizeof one)
        g->doorbells++;
}

int fake_guest_peek(struct fake_guest *g, uint32_t n, const uint8_t **data)
{
    struct netmem_ring *rx = &nif(g, n)->rx;
    const struct netmem_slot *s = &rx->slots[g->rx_next[n] % NETMEM_SLOTS];

    if (g->rx_next[n] == atomic_load_explicit(&rx->done, memory_order_acquire))
        return -1;
    *data = buffer(g, s->buffer) + s->offset;
    return s->len;
}

void fake_guest_take(struct fake_guest *g, uint32_t n)
{
    g->rx_next[n]++;
    g->rx_offered[n]++;
}

void fake_guest_offer(struct fake_guest *g, uint32_t n)
{
    atomic_store(&nif(g, n)->rx.offered, g->rx_offered[n]);
}

static bool has_received(struct fake_guest *g)
{
    for (uint32_t n = 0; n < g->n_ifs; n++)
        if (atomic_load(&nif(g, n)->rx.done) != g->rx_next[n])
            return true;
    return false;
}

/* Once: may come back for a wake-up that was meant for an earlier sleep. */
static void sleep_once(struct fake_guest *g, int ms)
{
    struct netmem_head *h = (struct netmem_head *)(void *)g->mem;
    struct pollfd pfd = {.fd = g->wake_fd, .events = POLLIN};
    uint64_t count;

    atomic_store(&h->guest_sleep, ++g->sleeping);
    if (!has_received(g) && poll(&pfd, 1, ms) == 1 &&
        read(g->wake_fd, &count, sizeof count) < 0)
        count = 0;
    atomic_store(&h->guest_sleep, ++g->sleeping);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool fake_guest_wait(struct fake_guest *g, int ms)
{
    int64_t end = now_ms() + ms;

    while (!has_received(g) && now_ms() < end)
        sleep_once(g, (int)(end - now_ms()));
    return has_received(g);
}

void fake_frame(uint8_t *frame, uint32_t len, uint16_t dst, uint16_t src, uint8_t fill)
{
    memset(frame, fill, len);
    memset(frame, dst ? 0 : 0xff, 6);
    memset(frame + 6, 0, 6);
    frame[6] = 2;
    frame[10] = (uint8_t)(src >> 8);
    frame[11] = (uint8_t)src;
    if (dst) {
        frame[0] = 2;
        frame[4] = (uint8_t)(dst >> 8);
        frame[5] = (uint8_t)dst;
    }
    frame[12] = 0x88;
    frame[13] = 0xb5; /* for experiments */
}
