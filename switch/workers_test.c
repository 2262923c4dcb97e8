// SPDX-License-Identifier: BSD-3-Clause
/*
 * However many workers share the ports, the same packets come out: each receiver gets
 * what it got with one worker, from each sender in order, and nothing of another network.
 */
#include "switch/backplane.h"
#include "tests/fake_guest.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NETS = 3, MEMBERS = 4, ROUNDS = 60, EACH = 24, LEN = 120, PATIENCE = 300000 };
enum { ALL = NETS * MEMBERS };

/* What must not depend on the number of workers. */
struct outcome {
    uint64_t order[ALL][MEMBERS]; /* a digest of what came, by receiver and sender */
    uint64_t n[ALL][MEMBERS];
    uint64_t in[ALL], out[ALL], bytes[ALL], floods[ALL], drops[ALL];
};

static struct backplane *bp;
static struct fake_guest *g[ALL];
static uint32_t port[ALL];
static struct diag d;

/* Guest `i` is member i % MEMBERS of network i / MEMBERS; all networks use the same
 * addresses. */
static void open_all(unsigned workers)
{
    struct backplane_config c = {.n_workers = workers};

    d = DIAG_INIT;
    bp = backplane_new(&c, &d);
    EXPECT(bp != NULL);
    for (int n = 0; n < NETS; n++) {
        char name[16];
        struct network_config net = {.name = name};
        uint32_t id;

        snprintf(name, sizeof name, "net%d", n);
        EXPECT_EQ(backplane_add_network(bp, &net, &id, &d), 0);
        for (int m = 0; m < MEMBERS; m++) {
            const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(m + 1)};
            int i = n * MEMBERS + m;

            snprintf(name, sizeof name, "vm%d", i);
            g[i] = fake_guest_new(1);
            port[i] = fake_guest_attach(g[i], 0, bp, id, name);
            EXPECT_EQ(backplane_add_address(bp, port[i], mac, &d), 0);
        }
    }
    EXPECT_EQ(backplane_start(bp, &d), 0);
}

static void close_all(void)
{
    backplane_free(bp);
    for (int i = 0; i < ALL; i++)
        fake_guest_free(g[i]);
    diag_fini(&d);
}

/* Packet `k` of a member goes to one of them in turn, its own address too, or to all. */
static unsigned send_some(int i, unsigned from)
{
    unsigned expected = 0;
    uint8_t frame[LEN];

    for (unsigned k = from; k < from + EACH; k++) {
        unsigned to = k % (MEMBERS + 1), member = (unsigned)(i % MEMBERS);

        fake_frame(frame, sizeof frame, (uint16_t)to, (uint16_t)(member + 1),
                   (uint8_t)(i / MEMBERS));
        memcpy(frame + 20, &k, sizeof k);
        EXPECT(fake_guest_put(g[i], 0, frame, sizeof frame));
        expected += to == 0 ? MEMBERS - 1 : to != member + 1;
    }
    fake_guest_kick(g[i], 0);
    return expected;
}

static unsigned receive(int i, struct outcome *o)
{
    const uint8_t *data;
    unsigned n = 0;

    for (; fake_guest_peek(g[i], 0, &data) == LEN; n++) {
        unsigned from = data[11] - 1u, k;

        EXPECT(from < MEMBERS);
        EXPECT_EQ(data[LEN - 1], i / MEMBERS); /* the network it was sent on */
        memcpy(&k, data + 20, sizeof k);
        o->order[i][from] = (o->order[i][from] + k + 1) * 0x9e3779b97f4a7c15u;
        o->n[i][from]++;
        fake_guest_take(g[i], 0);
        fake_guest_offer(g[i], 0);
    }
    return n;
}

/* All send some and wait for all of it, so that nothing is lost to a full ring. */
static void run(unsigned workers, struct outcome *o)
{
    struct backplane_totals totals;

    memset(o, 0, sizeof *o);
    open_all(workers);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned expected = 0, received = 0;

        for (int i = 0; i < ALL; i++)
            expected += send_some(i, round * EACH);
        for (int idle = 0; received < expected && idle < PATIENCE; idle++) {
            unsigned before = received;

            for (int i = 0; i < ALL; i++)
                received += receive(i, o);
            if (received == before)
                usleep(100);
        }
        EXPECT_EQ(received, expected);
    }
    backplane_totals(bp, &totals);
    EXPECT_EQ(totals.n_workers, workers);
    backplane_stop(bp);
    for (int i = 0; i < ALL; i++) {
        struct port_stats s;

        EXPECT(backplane_port_stats(bp, port[i], &s));
        o->in[i] = s.in_packets;
        o->out[i] = s.out_packets;
        o->bytes[i] = s.out_bytes;
        o->floods[i] = s.floods;
        for (int k = 0; k < DROP_REASONS; k++)
            o->drops[i] += s.drops[k];
    }
    close_all();
}

static void expect_the_same(const struct outcome *a, const struct outcome *b)
{
    for (int i = 0; i < ALL; i++) {
        for (int m = 0; m < MEMBERS; m++) {
            EXPECT_EQ(a->n[i][m], b->n[i][m]);
            EXPECT_EQ(a->order[i][m], b->order[i][m]);
        }
        EXPECT_EQ(a->in[i], b->in[i]);
        EXPECT_EQ(a->out[i], b->out[i]);
        EXPECT_EQ(a->bytes[i], b->bytes[i]);
        EXPECT_EQ(a->floods[i], b->floods[i]);
        EXPECT_EQ(a->drops[i], b->drops[i]);
    }
}

TEST(several_workers_have_the_same_results_as_one)
{
    static struct outcome one, more;

    run(1, &one);
    EXPECT_EQ(one.in[0], ROUNDS * EACH);
    EXPECT(one.floods[0] > 0);
    EXPECT(one.drops[0] > 0); /* to its own address */
    for (unsigned workers = 2; workers <= 5; workers++) {
        run(workers, &more);
        expect_the_same(&one, &more);
    }
}
