// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest writes anything at all into the page it shares with the switch, and rings. The
 * switch must stay within its memory, finish each round, and hand a second guest nothing
 * but packets of sensible shape.
 *
 * The input is a list of commands of 8 bytes: kind, where (2 bytes), value (4), how often.
 */

#include "switch/plane.h"
#include "tests/fake_guest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct backplane *bp;
static struct fake_guest *evil, *other;
static uint32_t lan, evil_port;

static void set_up(void)
{
    struct diag d = DIAG_INIT;
    struct network_config c = {.name = "lan"};

    bp = backplane_new(&(struct backplane_config){.poll_max_ns = 1}, &d);
    evil = fake_guest_new(1);
    other = fake_guest_new(1);
    if (!bp || !evil || !other || backplane_add_network(bp, &c, &lan, &d) < 0)
        abort();
    if (!fake_guest_attach(other, 0, bp, lan, "other"))
        abort();
    evil_port = fake_guest_attach(evil, 0, bp, lan, "evil");
    diag_fini(&d);
}

/* A page and a set of rings as new; what the switch knows of them goes with the port. */
static void renew(void)
{
    struct netmem_if *nif = netmem_if(evil->mem, 0);

    if (backplane_remove_port(bp, evil_port, NULL) < 0)
        abort();
    memset(nif, 0, sizeof *nif);
    nif->rx.offered = NETMEM_SLOTS;
    evil_port = fake_guest_attach(evil, 0, bp, lan, "evil");
    if (!evil_port)
        abort();
}

static void take_all(void)
{
    const uint8_t *data;
    int len;

    while ((len = fake_guest_peek(other, 0, &data)) >= 0) {
        if (len < 14 || len > (int)(NETMEM_BUFFER - NETMEM_HEADROOM))
            abort();
        fake_guest_take(other, 0);
        fake_guest_offer(other, 0);
    }
}

static void send_to_evil(uint8_t fill)
{
    uint8_t frame[100];

    fake_frame(frame, sizeof frame, 0, 3, fill);
    if (fake_guest_put(other, 0, frame, sizeof frame))
        fake_guest_kick(other, 0);
}

static void run(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        bp->workers[0]->events_ns = 0; /* look at doorbells each time */
        worker_round(bp->workers[0]);
        take_all();
    }
}

static void command(const uint8_t c[8])
{
    struct netmem_if *nif = netmem_if(evil->mem, 0);
    uint32_t value, where = c[1] | (uint32_t)c[2] << 8;
    uint64_t one = 1;

    memcpy(&value, c + 3, sizeof value);
    switch (c[0] % 8) {
    case 0: /* any word of the interface */
        memcpy((uint8_t *)nif + where % (sizeof *nif / 4) * 4, &value, 4);
        break;
    case 1: /* an index, by a step */
        nif->tx.offered += value % (2 * NETMEM_SLOTS);
        break;
    case 2:
        nif->rx.offered += value % (2 * NETMEM_SLOTS);
        break;
    case 3: /* a slot to send that might be good */
        nif->tx.slots[where % NETMEM_SLOTS] = (struct netmem_slot){
            .buffer = value & 1023,
            .len = (uint16_t)(value >> 16),
            .offset = c[7],
            .flags = (uint16_t)(where >> 8)};
        break;
    case 4: /* contents */
        memcpy(evil->mem + netmem_buffers_at(1) + where % 4096, &value, 4);
        break;
    case 5:
        send_to_evil(c[7]);
        break;
    case 6:
        if (write(evil->doorbell_fds[0], &one, sizeof one) < 0)
            abort();
        break;
    case 7:
        run(1 + c[7] % 4);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!bp)
        set_up();
    else
        renew();
    for (size_t i = 0; i + 8 <= size && i < 4096; i += 8)
        command(data + i);
    run(8);
    return 0;
}
