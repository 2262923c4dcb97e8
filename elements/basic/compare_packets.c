// SPDX-License-Identifier: BSD-3-Clause
/*
 * ComparePackets -- count how two streams of packets differ
 *
 * Usage:    ComparePackets(TIMESTAMP true)
 * Ports:    2 in, 2 out; pull
 * Args:     TIMESTAMP  whether timestamps are compared, default true
 * Counters: none
 * Handlers: diffs         (read) packets that differ
 *           diff_details  (read) how often for which reason
 *           all_same      (read) whether none differ
 * Example:  a -> [0] cp :: ComparePackets; b -> [1] cp; cp[0] -> Discard; cp[1] -> Discard;
 * See also: CompareBlock, Counter
 *
 * Each packet pulled on one side is compared with the one at the same place on the other:
 * length, data, timestamp, and place and length of the network header. Both sides have to be
 * pulled from in turn; a side that is ahead waits for the other one.
 */

#include "engine/element.h"
#include "engine/relay.h"

enum {
    DIFF_LENGTH,
    DIFF_DATA,
    DIFF_TIMESTAMP,
    DIFF_NET_OFFSET,
    DIFF_NET_LENGTH,
    DIFF_NET,
    DIFF_MORE_0,
    DIFF_MORE_1,
    DIFFS
};

struct compare_packets {
    struct pkt
        *p[2];     /* owned: the last one pulled, waiting for its partner or its turn */
    bool fresh[2]; /* p[] has not been compared */
    struct signal *nonempty; /* [2] */
    uint64_t n;
    uint32_t details[DIFFS];
    bool timestamp;
};

static const struct arg_spec compare_packets_args[] = {
    ARG_BOOL(compare_packets, timestamp, "TIMESTAMP", ARG_KEY, "true",
             "compare timestamps"),
    ARG_END,
};

static int compare_packets_initialize(struct element *e, struct diag *d)
{
    struct compare_packets *s = element_state(e);

    s->fresh[0] = s->fresh[1] = true;
    s->nonempty = relay_signals(e, d);
    return s->nonempty ? 0 : -1;
}

static void compare_packets_cleanup(struct element *e)
{
    struct compare_packets *s = element_state(e);

    for (int i = 0; i < 2; i++) {
        pkt_free(s->p[i]);
        s->p[i] = NULL;
    }
}

static void compare_packets_check(struct compare_packets *s)
{
    const struct pkt *p = s->p[0], *q = s->p[1];
    uint32_t len = p->len < q->len ? p->len : q->len;
    bool differ[DIFFS] = {
        [DIFF_LENGTH] = p->len != q->len,
        [DIFF_DATA] = p->len > q->len || (len && memcmp(p->data, q->data, len) != 0),
        [DIFF_TIMESTAMP] = s->timestamp && p->timestamp != q->timestamp,
        [DIFF_NET] = !p->network != !q->network,
    };
    bool any = false;

    if (p->network && q->network) {
        differ[DIFF_NET_OFFSET] = p->network - p->data != q->network - q->data;
        differ[DIFF_NET_LENGTH] = p->transport - p->network !=
                                  q->transport - q->network;
    }
    for (int i = 0; i < DIFFS; i++) {
        s->details[i] += differ[i];
        any |= differ[i];
    }
    s->n += any;
}

/* What comes out of `port` now: the packet that waited there, or the one pulled. */
static struct pkt *compare_packets_one(struct element *e, unsigned port)
{
    struct compare_packets *s = element_state(e);
    unsigned other = !port;
    struct pkt *out = s->p[port];

    if (out && s->fresh[port])
        return NULL; /* it waits for its partner */
    if (out)
        s->fresh[port] = true;
    s->p[port] = in_pull_one(e, port);
    if (!s->p[port]) {
        if (!signal_active(&s->nonempty[port]) && s->p[other] && s->fresh[other]) {
            s->details[DIFF_MORE_0 + other]++;
            s->n++;
            s->fresh[other] = false;
        }
    } else if (s->p[other] && s->fresh[other]) {
        compare_packets_check(s);
        if (out) {
            s->fresh[port] = false;
        } else {
            out = s->p[port];
            s->p[port] = NULL;
        }
        s->fresh[other] = false;
    }
    return out;
}

static uint32_t compare_packets_pull(struct element *e, unsigned port, struct batch *b,
                                     uint32_t max)
{
    struct pkt *p = max ? compare_packets_one(e, port) : NULL;

    if (p)
        batch_add(b, p);
    return p != NULL;
}

static int compare_packets_read(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    static const char *const reasons[DIFFS] = {
        "different length",
        "different data",
        "different timestamp",
        "different network header offset",
        "different network header length",
        "different network header presence",
        "more packets in [0]",
        "more packets in [1]",
    };
    const struct compare_packets *s = element_state(e);

    for (int i = 0; i < DIFFS; i++)
        sbuf_printf(out, "%u\t%s\n", s->details[i], reasons[i]);
    return 0;
}

static int compare_packets_read_same(struct element *e, const struct handler_spec *h,
                                     const char *param, struct sbuf *out,
                                     struct diag *d)
{
    const struct compare_packets *s = element_state(e);

    sbuf_puts(out, s->n ? "false" : "true");
    return 0;
}

static const struct handler_spec compare_packets_handlers[] = {
    HANDLER_VALUE(compare_packets, n, ARG_KIND_U64, HANDLER_READ, "diffs",
                  "packets that differ"),
    HANDLER_READER(compare_packets_read, "diff_details", "how often for which reason"),
    HANDLER_READER(compare_packets_read_same, "all_same", "whether none differ"),
    HANDLER_END,
};

ELEMENT(ComparePackets) = {
    .name = "ComparePackets",
    .state_size = sizeof(struct compare_packets),
    .ports = "2/2",
    .processing = "l/l",
    .flow = "#/#",
    .args = compare_packets_args,
    .handlers = compare_packets_handlers,
    .initialize = compare_packets_initialize,
    .cleanup = compare_packets_cleanup,
    .pull = compare_packets_pull,
};
