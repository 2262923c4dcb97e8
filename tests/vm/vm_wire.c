// SPDX-License-Identifier: BSD-3-Clause
/* The switch's side of a VM's rings; see vm_wire.h. */

#include "tests/vm/vm_wire.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t steady_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool wire_open(struct wire *w, struct kit_vm *v)
{
    w->net = vmm_net(v->vm);
    w->size = w->net->mem_size;
    w->base = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, w->net->mem_fd,
                   0);
    for (unsigned i = 0; i < 2 && w->base != MAP_FAILED; i++) {
        w->rx_done[i] = atomic_load(&netmem_if(w->base, i)->rx.done);
        w->tx_done[i] = atomic_load(&netmem_if(w->base, i)->tx.done);
    }
    return w->base != MAP_FAILED;
}

void wire_close(struct wire *w)
{
    munmap(w->base, w->size);
}

static uint8_t *buffer(struct wire *w, uint32_t n)
{
    return w->base + netmem_buffers_at(2) + (size_t)n * NETMEM_BUFFER;
}

bool wire_send(struct wire *w, unsigned i, const void *bytes, uint16_t len)
{
    struct netmem_ring *r = &netmem_if(w->base, i)->rx;
    struct netmem_head *h = (struct netmem_head *)w->base;
    struct netmem_slot *s = &r->slots[w->rx_done[i] % NETMEM_SLOTS];
    const uint64_t one = 1;

    if (atomic_load(&r->offered) == w->rx_done[i])
        return false;
    s->offset = 130;
    s->len = len;
    s->flags = 0;
    memcpy(buffer(w, s->buffer) + s->offset, bytes, len);
    atomic_store(&r->done, ++w->rx_done[i]);
    if (atomic_load(&h->guest_sleep) & 1 &&
        write(w->net->wake_fd, &one, sizeof one) < 0)
        return false;
    return true;
}

bool wire_waits(struct wire *w, unsigned i, unsigned ms)
{
    struct netmem_ring *r = &netmem_if(w->base, i)->tx;
    uint64_t end = steady_ns() + UINT64_C(1000000) * ms;

    while (atomic_load(&r->offered) == w->tx_done[i]) {
        if (steady_ns() > end)
            return false;
        usleep(50);
    }
    return true;
}

int wire_receive(struct wire *w, unsigned i, void *bytes, size_t room)
{
    struct netmem_ring *r = &netmem_if(w->base, i)->tx;
    struct netmem_slot s;

    if (!wire_waits(w, i, KIT_HANGS_MS))
        return -1;
    s = r->slots[w->tx_done[i] % NETMEM_SLOTS];
    if (s.len > room || s.offset + s.len > NETMEM_BUFFER)
        return -1;
    memcpy(bytes, buffer(w, s.buffer) + s.offset, s.len);
    atomic_store(&r->done, ++w->tx_done[i]);
    return s.len;
}

const char *forward_some(struct wire *w, unsigned n)
{
    uint8_t packet[64], got[2048];

    for (unsigned i = 0; i < n; i++) {
        unsigned in = i % 3 == 0;

        memset(packet, (int)(i + 1), sizeof packet);
        if (!wire_send(w, in, packet, sizeof packet))
            return "no buffer is offered";
        if (wire_receive(w, !in, got, sizeof got) != sizeof packet)
            return "a packet is lost";
        if (memcmp(got, packet, sizeof packet) != 0)
            return "a packet has changed";
    }
    return NULL;
}
