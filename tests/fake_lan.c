// SPDX-License-Identifier: BSD-3-Clause
/* fake_lan.c -- see fake_lan.h */

#include "tests/fake_lan.h"

#include "tests/test.h"

#include <stdio.h>

struct backplane *bp;
struct fake_guest *g[FAKE_LAN_GUESTS];
uint32_t port[FAKE_LAN_GUESTS], lan;
struct diag d;

uint32_t network(const char *name, enum network_mode mode)
{
    uint32_t id = 0;
    struct network_config c = {.name = name, .mode = mode};

    EXPECT_EQ(backplane_add_network(bp, &c, &id, &d), 0);
    return id;
}

void fake_lan_setup(void)
{
    d = DIAG_INIT;
    bp = backplane_new(&(struct backplane_config){.poll_min_ns = 1, .poll_max_ns = 1},
                       &d);
    lan = network("lan", NETWORK_LEARN);
    for (int i = 0; i < FAKE_LAN_GUESTS; i++) {
        g[i] = fake_guest_new(1);
        port[i] = 0;
    }
}

void fake_lan_teardown(void)
{
    backplane_free(bp);
    for (int i = 0; i < FAKE_LAN_GUESTS; i++)
        fake_guest_free(g[i]);
    diag_fini(&d);
}

void attach(int i, uint32_t net)
{
    char name[16];

    snprintf(name, sizeof name, "vm%d", i);
    port[i] = fake_guest_attach(g[i], 0, bp, net, name);
    EXPECT(port[i] != 0);
}

void settle(void)
{
    for (int quiet = 0; quiet < 4;) {
        struct worker *w = bp->workers[0];

        w->events_ns = 0; /* look at doorbells in each round */
        quiet = worker_round(w) ? 0 : quiet + 1;
    }
}

void send_one(int from, uint16_t dst, uint16_t src, uint8_t fill)
{
    uint8_t frame[100];

    fake_frame(frame, sizeof frame, dst, src, fill);
    EXPECT(fake_guest_put(g[from], 0, frame, sizeof frame));
    fake_guest_kick(g[from], 0);
    settle();
}

int got(int i)
{
    const uint8_t *data;
    int len = fake_guest_peek(g[i], 0, &data), fill;

    if (len < 0)
        return -1;
    EXPECT_EQ(len, 100);
    fill = data[99];
    fake_guest_take(g[i], 0);
    fake_guest_offer(g[i], 0);
    return fill;
}
