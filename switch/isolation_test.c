// SPDX-License-Identifier: BSD-3-Clause
/*
 * Networks at random: guests join, leave and move between networks that come and go, all
 * of which use the same few addresses, and say whatever they like.
 *
 * First against a model of what a switch is, packet by packet: who gets a packet, exactly.
 * Then with several workers and everything at once: no packet of one network reaches
 * another, whatever happens to it meanwhile.
 */
#include "switch/plane.h"
#include "tests/fake_guest.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    GUESTS = 10,
    NETS = 4,
    MACS = 6, /* 1..MACS; 0 is broadcast, one above is never anybody's */
    LEN = 80,
    STEPS = 20000,
    ROUNDS = 3000
};

struct segment {
    uint32_t id;     /* of the network, 0: there is none */
    uint32_t serial; /* no two networks ever have the same */
    bool wire;
    int owner[MACS + 2]; /* who has the address; -1: nobody */
    bool fixed[MACS + 2];
};

static struct backplane *bp;
static struct fake_guest *g[GUESTS];
static struct parked *parked[GUESTS];
static uint32_t port[GUESTS], serials, seed;
static int net_of[GUESTS]; /* -1: none */
static bool promiscuous[GUESTS];
static struct segment nets[NETS];
static struct diag d;

/* The same every time: a failure can be looked at again. */
static unsigned any(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 10) % n;
}

static void add_net(int n, bool wire)
{
    char name[16];
    struct network_config c = {.name = name,
                               .mode = wire ? NETWORK_WIRE : NETWORK_LEARN};

    snprintf(name, sizeof name, "net%d", n);
    nets[n] = (struct segment){.serial = ++serials, .wire = wire};
    for (int m = 0; m < MACS + 2; m++)
        nets[n].owner[m] = -1;
    EXPECT_EQ(backplane_add_network(bp, &c, &nets[n].id, &d), 0);
}

static void open_all(unsigned workers, uint32_t first)
{
    struct backplane_config c = {
        .n_workers = workers, .poll_min_ns = 1, .poll_max_ns = 1};

    seed = first;
    d = DIAG_INIT;
    bp = backplane_new(&c, &d);
    for (int i = 0; i < GUESTS; i++) {
        g[i] = fake_guest_new(1);
        net_of[i] = -1;
        port[i] = 0;
        parked[i] = NULL;
        promiscuous[i] = false;
    }
    for (int n = 0; n < NETS; n++)
        add_net(n, n == 0);
}

static void close_all(void)
{
    backplane_free(bp);
    for (int i = 0; i < GUESTS; i++)
        fake_guest_free(g[i]);
    diag_fini(&d);
}

/* ---- what happens ----------------------------------------------------------------- */

static int members(int n)
{
    int sum = 0;

    for (int i = 0; i < GUESTS; i++)
        sum += net_of[i] == n;
    return sum;
}

static void join(int i, int n)
{
    char name[16];

    snprintf(name, sizeof name, "vm%d", i);
    port[i] = fake_guest_attach(g[i], 0, bp, nets[n].id, name);
    EXPECT(port[i] != 0);
    net_of[i] = n;
    promiscuous[i] = false;
}

static void leave(int i)
{
    struct segment *p = &nets[net_of[i]];

    EXPECT_EQ(backplane_remove_port(bp, port[i], &d), 0);
    for (int m = 0; m < MACS + 2; m++)
        if (p->owner[m] == i)
            p->owner[m] = -1, p->fixed[m] = false;
    net_of[i] = -1;
    port[i] = 0;
}

static void bind_address(int i, int m)
{
    const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)m};
    struct segment *p = &nets[net_of[i]];

    if (p->wire)
        return;
    if (p->fixed[m] && p->owner[m] != i) {
        EXPECT_EQ(backplane_add_address(bp, port[i], mac, &d), -1);
        diag_reset(&d);
        return;
    }
    EXPECT_EQ(backplane_add_address(bp, port[i], mac, &d), 0);
    p->owner[m] = i;
    p->fixed[m] = true;
}

static void toggle_promiscuous(int i)
{
    struct port_settings s = {.promiscuous = !promiscuous[i]};

    EXPECT_EQ(backplane_set_port(bp, port[i], &s, &d), 0);
    promiscuous[i] = s.promiscuous;
}

/* One network goes with all its ports, another takes its name. */
static void renew_net(int n)
{
    EXPECT_EQ(backplane_remove_network(bp, nets[n].id, &d), 0);
    for (int i = 0; i < GUESTS; i++)
        if (net_of[i] == n) {
            net_of[i] = -1;
            port[i] = 0;
            parked[i] = NULL;
        }
    add_net(n, any(3) == 0);
}

/* ---- packet by packet ------------------------------------------------------------- */

static void settle(void)
{
    for (int quiet = 0; quiet < 4; quiet++)
        for (unsigned k = 0; k < bp->config.n_workers; k++) {
            bp->workers[k]->events_ns = 0;
            quiet = worker_round(bp->workers[k]) ? 0 : quiet;
        }
}

/* Whether the model says that `i` gets what `from` sends. */
static bool gets(int i, int from, int dst, int n)
{
    const struct segment *p = &nets[n];
    int owner = dst ? p->owner[dst] : -1;

    if (net_of[i] != n || i == from)
        return false;
    return p->wire || owner < 0 || owner == i || promiscuous[i];
}

static void send_one(int from, int dst, int src, uint32_t number)
{
    struct segment *p = &nets[net_of[from]];
    uint8_t frame[LEN];

    fake_frame(frame, LEN, (uint16_t)dst, (uint16_t)src, 0);
    memcpy(frame + 20, &p->serial, 4);
    memcpy(frame + 24, &number, 4);
    EXPECT(fake_guest_put(g[from], 0, frame, LEN));
    fake_guest_kick(g[from], 0);
    if (!p->wire && !p->fixed[src])
        p->owner[src] = from;
}

static void expect_one(int i, bool something, uint32_t serial, uint32_t number)
{
    const uint8_t *data;
    int len = fake_guest_peek(g[i], 0, &data);

    EXPECT_EQ(len, something ? LEN : -1);
    if (!something)
        return;
    EXPECT_MEM(data + 20, &serial, 4);
    EXPECT_MEM(data + 24, &number, 4);
    fake_guest_take(g[i], 0);
    fake_guest_offer(g[i], 0);
}

static void say_something(int from, uint32_t number)
{
    int dst = (int)any(MACS + 2), src = 1 + (int)any(MACS), n = net_of[from];

    send_one(from, dst, src, number);
    settle();
    for (int i = 0; i < GUESTS; i++)
        expect_one(i, gets(i, from, dst, n), nets[n].serial, number);
}

static void join_somewhere(int i)
{
    int n = (int)any(NETS);

    if (!nets[n].wire || members(n) < 2)
        join(i, n);
}

static void step(uint32_t number)
{
    int i = (int)any(GUESTS);
    unsigned what = any(200);

    if (what == 0)
        renew_net((int)any(NETS));
    else if (net_of[i] < 0)
        join_somewhere(i);
    else if (what < 4)
        leave(i);
    else if (what < 6)
        bind_address(i, 1 + (int)any(MACS));
    else if (what < 8)
        toggle_promiscuous(i);
    else
        say_something(i, number);
}

TEST(who_gets_a_packet_is_what_the_model_says)
{
    for (uint32_t first = 1; first <= 5; first++) {
        open_all(1 + first % 3, first);
        for (uint32_t number = 1; number <= STEPS; number++)
            step(number);
        close_all();
    }
}

/* ---- everything at once ------------------------------------------------------------- */

static void receive_all(int i)
{
    const uint8_t *data;
    int len;

    while ((len = fake_guest_peek(g[i], 0, &data)) >= 0) {
        EXPECT(net_of[i] >= 0);
        EXPECT_EQ(len, LEN);
        EXPECT_MEM(data + 20, &nets[net_of[i]].serial, 4);
        fake_guest_take(g[i], 0);
        fake_guest_offer(g[i], 0);
    }
}

/* What was sent and not yet taken would go out on the next network. */
static void finish_sending(int i)
{
    for (int t = 0; t < 200000; t++) {
        if (fake_guest_room(g[i], 0) == NETMEM_SLOTS)
            return;
        fake_guest_kick(g[i], 0);
        usleep(20);
    }
    EXPECT(!"the switch takes no packets");
}

static void park(int i)
{
    char name[16];
    struct park_config c = {.name = name,
                            .network = nets[net_of[i]].id,
                            .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + any(MACS))},
                            .own_only = any(2)};

    snprintf(name, sizeof name, "vm%d", i);
    parked[i] = backplane_park(bp, port[i], &c, &d);
    EXPECT(parked[i] != NULL);
    port[i] = 0;
}

static void unpark(int i, bool forget)
{
    char name[16];
    struct port_config c = {.name = name,
                            .network = nets[net_of[i]].id,
                            .kind = PORT_VM,
                            .vm = fake_guest_port(g[i], 0)};

    snprintf(name, sizeof name, "vm%d", i);
    EXPECT_EQ(backplane_unpark(bp, parked[i], forget ? NULL : &c, &port[i], &d), 0);
    parked[i] = NULL;
    if (forget)
        net_of[i] = -1, port[i] = 0;
}

static void burst(int i)
{
    for (unsigned k = any(40); k > 0 && fake_guest_room(g[i], 0) > 0; k--)
        send_one(i, (int)any(MACS + 2), 1 + (int)any(MACS), k);
}

/* Guests of a network that goes are quiet before, and look at what came. */
static void renew_quiet(int n)
{
    for (int i = 0; i < GUESTS; i++)
        if (net_of[i] == n && port[i])
            finish_sending(i);
    for (int i = 0; i < GUESTS; i++)
        if (net_of[i] == n)
            EXPECT_EQ(port[i] ? backplane_remove_port(bp, port[i], &d) : 0, 0);
    for (int i = 0; i < GUESTS; i++)
        receive_all(i);
    renew_net(n);
}

static void change(int i, unsigned what)
{
    if (parked[i]) {
        unpark(i, what < 20);
        return;
    }
    finish_sending(i);
    if (what < 25) {
        park(i);
        receive_all(i);
        return;
    }
    EXPECT_EQ(backplane_remove_port(bp, port[i], &d), 0);
    receive_all(i);
    net_of[i] = -1;
    port[i] = 0;
}

static void wild_step(void)
{
    int i = (int)any(GUESTS);
    unsigned what = any(100);

    receive_all(i);
    if (what == 0)
        renew_quiet((int)any(NETS));
    else if (net_of[i] < 0)
        join_somewhere(i);
    else if (what < 50 && parked[i])
        change(i, what);
    else if (what < 30)
        change(i, what);
    else if (what < 33 && port[i])
        toggle_promiscuous(i);
    else if (port[i])
        burst(i);
}

TEST(no_packet_of_one_network_ever_reaches_another)
{
    for (uint32_t first = 1; first <= 3; first++) {
        open_all(first, first);
        EXPECT_EQ(backplane_start(bp, &d), 0);
        for (int k = 0; k < ROUNDS; k++)
            wild_step();
        for (int i = 0; i < GUESTS; i++)
            receive_all(i);
        close_all();
    }
}
