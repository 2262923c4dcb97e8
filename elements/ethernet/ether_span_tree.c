// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherSpanTree -- keep switches that are joined in circles from sending in circles
 *
 * Usage:    EtherSpanTree(ADDR, INPUT_SUPPRESSOR, OUTPUT_SUPPRESSOR, SWITCH)
 * Ports:    any number in, as many out; push
 * Args:     ADDR               Ethernet address of this switch
 *           INPUT_SUPPRESSOR   Suppressor in front of the switch
 *           OUTPUT_SUPPRESSOR  Suppressor behind it
 *           SWITCH             the EtherSwitch
 * Counters: short  messages that were too short
 * Handlers: msgs  (r) the best message of each port, and the one sent; a line each
 * Example:  t :: EtherSpanTree(0:0:0:0:0:1, is, os, sw); sw :: EtherSwitch;
 *           is, os :: Suppressor; c0, c1 :: Classifier(14/4242, -);
 *           FromDevice(0) -> c0 -> [0]t[0] -> q0 :: Queue -> ToDevice(0);
 *           FromDevice(1) -> c1 -> [1]t[1] -> q1 :: Queue -> ToDevice(1);
 *           c0[1] -> [0]is[0] -> [0]sw[0] -> [0]os[0] -> q0;
 *           c1[1] -> [1]is[1] -> [1]sw[1] -> [1]os[1] -> q1;
 * See also: EtherSwitch, Suppressor
 *
 * The spanning tree protocol of IEEE 802.1D. The inputs take its messages, frames with
 * EtherType 802.3 and 42-42 behind the length; every two seconds (or what the root says)
 * messages leave by the ports where this switch is the one nearest to the root. Ports that
 * would close a circle are blocked, by way of the suppressors; one that may be used again
 * first listens and then learns, for fifteen seconds each. Changes are told on the console.
 * The tree moves to the next configuration if address and number of ports stay.
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/suppressor.h"

#define S     1000000000ll
#define NEVER INT64_MAX

enum { PRIORITY = 0xdead }; /* high: unlikely to become the root */
enum { BPDU_CONFIG = 0, BPDU_CHANGE = 128, BPDU_TC = 1, BPDU_TC_ACK = 0x80 };

struct bpdu {
    struct ether_addr dst, src;
    uint16_t length, sap;
    uint8_t ctl;
    uint16_t protocol;
    uint8_t version, type, flags;
    uint64_t root;
    uint32_t cost;
    uint64_t bridge;
    uint16_t port, age, max_age, hello_time, forward_delay; /* times: s / 256 */
    uint8_t padding[8];
} NET_PACKED;
_Static_assert(sizeof(struct bpdu) == 60, "IEEE 802.1D");

/* A message as it was received, or our own. */
struct span_message {
    uint64_t root, bridge;
    uint32_t cost;
    uint16_t port;
    bool change;
    uint32_t max_age, hello_time, forward_delay; /* s */
    int64_t at_ns;                               /* NEVER: does not expire */
};

enum port_state { BLOCK, LISTEN, LEARN, FORWARD };

struct span_port {
    enum port_state state;
    int64_t since_ns;
    struct span_message msg;
};

struct ether_span_tree {
    struct ether_addr addr;
    struct element *in_element, *out_element, *switch_element;
    struct suppressor *in, *out;
    uint64_t id;
    bool send_change;
    struct span_message best;
    struct span_port *ports; /* [n_out], in the router's arena */
    struct timer hello;
};

static const struct arg_spec ether_span_tree_args[] = {
    ARG_ETHER(ether_span_tree, addr, "ADDR", ARG_M, NULL, "address of this switch"),
    ARG_ELEMENT(ether_span_tree, in_element, "INPUT_SUPPRESSOR", ARG_M, NULL,
                "Suppressor in front of the switch"),
    ARG_ELEMENT(ether_span_tree, out_element, "OUTPUT_SUPPRESSOR", ARG_M, NULL,
                "Suppressor behind it"),
    ARG_ELEMENT(ether_span_tree, switch_element, "SWITCH", ARG_M, NULL,
                "the EtherSwitch"),
    ARG_END,
};

enum { C_SHORT };
static const struct counter_spec ether_span_tree_counters[] = {
    [C_SHORT] = {"short", "messages that were too short"},
    {NULL, NULL},
};

static uint64_t be64(uint64_t x)
{
    return (uint64_t)be32((uint32_t)x) << 32 | be32((uint32_t)(x >> 32));
}

/* --- messages ----------------------------------------------------------------------- */

/* > 0 if `a` is better, < 0 if `b` is. */
static int span_compare(const struct span_message *a, const struct span_message *b)
{
    if (a->root != b->root)
        return a->root < b->root ? 4 : -4;
    if (a->cost != b->cost)
        return a->cost < b->cost ? 3 : -3;
    if (a->bridge != b->bridge)
        return a->bridge < b->bridge ? 2 : -2;
    if (a->port != b->port)
        return a->port < b->port ? 1 : -1;
    return 0;
}

/* The worst there is. */
static void span_expire(struct span_message *m)
{
    m->root = m->bridge = UINT64_MAX;
    m->cost = UINT16_MAX;
    m->at_ns = NEVER;
    m->change = false;
}

/* The one of a root, which we are until we hear of a better one. */
static void span_own(struct span_message *m, uint64_t id)
{
    m->root = m->bridge = id;
    m->cost = 0;
    m->at_ns = NEVER;
    m->change = false;
    m->max_age = 20;
    m->hello_time = 2;
    m->forward_delay = 15;
}

static void span_read(struct span_message *m, const struct bpdu *b, int64_t now)
{
    *m = (struct span_message){
        .root = be64(b->root),
        .cost = be32(b->cost),
        .bridge = be64(b->bridge),
        .port = be16(b->port),
        .change = b->flags & BPDU_TC,
        .max_age = be16(b->max_age) / 256u,
        .hello_time = be16(b->hello_time) / 256u,
        .forward_delay = be16(b->forward_delay) / 256u,
        .at_ns = now - be16(b->age) * S / 256,
    };
}

static void span_write(const struct span_message *m, struct bpdu *b, int64_t now)
{
    b->length = BE16(38);
    b->flags = m->change ? BPDU_TC : 0;
    b->root = be64(m->root);
    b->cost = be32(m->cost);
    if (m->at_ns != NEVER)
        b->age = be16((uint16_t)((now - m->at_ns) * 256 / S));
    b->max_age = be16((uint16_t)(m->max_age * 256));
    b->hello_time = be16((uint16_t)(m->hello_time * 256));
    b->forward_delay = be16((uint16_t)(m->forward_delay * 256));
}

/* --- the tree ------------------------------------------------------------------------- */

/* Open or close the switch's port as the state of ours says. */
static void span_suppress(struct ether_span_tree *s, unsigned i)
{
    enum port_state state = s->ports[i].state;

    suppressor_set(s->in, i, state == BLOCK || state == LISTEN);
    suppressor_set(s->out, i, state != FORWARD);
}

/* Towards forwarding, one step at a time, or to blocking. */
static void span_set_state(struct element *e, unsigned i, enum port_state want)
{
    struct ether_span_tree *s = element_state(e);
    struct span_port *p = &s->ports[i];
    enum port_state state = want;

    if (p->state == want)
        return;
    if (want == FORWARD && p->state == BLOCK)
        element_say(e, "Setting send_tc_msg: BLOCK -> FORWARD on %u\n", i);
    if (want == BLOCK)
        element_say(e, "Setting send_tc_msg: FORWARD -> BLOCK on %u\n", i);
    s->send_change |= want == BLOCK || p->state == BLOCK;
    if (want == FORWARD)
        state = p->state + 1;
    element_say(e, "Changing port %u from %d to %d\n", i, (int)p->state, (int)state);
    p->state = state;
    p->since_ns = element_now(e);
    span_suppress(s, i);
}

/* The best message there is, heard or our own: returns the port it came from, or -1. */
static int span_find_best(struct element *e)
{
    struct ether_span_tree *s = element_state(e);
    int root_port = -1;

    span_own(&s->best, s->id);
    for (unsigned i = 0; i < e->n_out; i++) {
        struct span_message m = s->ports[i].msg;

        m.cost++;
        if (span_compare(&s->best, &m) < 0) {
            s->best = m;
            root_port = (int)i;
        }
    }
    return root_port;
}

/* The tree has the port that leads to the root, and those on which nobody is nearer to it
 * than we are. */
static void span_find_tree(struct element *e)
{
    struct ether_span_tree *s = element_state(e);
    int root_port = span_find_best(e);

    for (unsigned i = 0; i < e->n_out; i++) {
        struct span_message ours = s->best;
        bool in_tree;

        ours.bridge = s->id;
        ours.port = (uint16_t)i;
        in_tree = (int)i == root_port || span_compare(&ours, &s->ports[i].msg) >= 0;
        if (!in_tree)
            span_set_state(e, i, BLOCK);
        else if (s->ports[i].state == BLOCK)
            span_set_state(e, i, FORWARD);
    }
}

/* What time brings about: ports that have waited long enough, messages that are too old. */
static void span_periodic(struct element *e)
{
    struct ether_span_tree *s = element_state(e);
    int64_t now = element_now(e);
    int64_t delay = s->best.forward_delay * S, max_age = s->best.max_age * S;

    for (unsigned i = 0; i < e->n_out; i++) {
        struct span_port *p = &s->ports[i];

        if ((p->state == LISTEN || p->state == LEARN) && p->since_ns < now - delay)
            span_set_state(e, i, FORWARD);
    }
    for (unsigned i = 0; i < e->n_out; i++)
        if (s->ports[i].msg.at_ns <= now - max_age) {
            span_expire(&s->ports[i].msg);
            element_say(e, "Expiring message on port %u\n", i);
        }
    span_find_tree(e);
}

/* --- packets -------------------------------------------------------------------------- */

static void ether_span_tree_hear(struct element *e, unsigned port, const struct pkt *p)
{
    struct ether_span_tree *s = element_state(e);
    struct span_port *at = &s->ports[port];
    struct span_message m;
    struct bpdu b;

    if (p->len < sizeof b - sizeof b.padding) {
        element_count(e, C_SHORT, 1);
        return;
    }
    memcpy(&b, p->data, sizeof b - sizeof b.padding);
    span_read(&m, &b, element_now(e));
    /* One that is equal is news: it has not expired. */
    if (span_compare(&at->msg, &m) <= 0) {
        at->msg = m;
        s->send_change &= !(b.flags & BPDU_TC_ACK);
    }
    span_find_tree(e);
}

static void ether_span_tree_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        ether_span_tree_hear(e, port, b->p[i]);
    batch_free(b);
}

/* The message for a port, NULL if there is none to be sent. */
static struct pkt *ether_span_tree_message(struct element *e, unsigned port)
{
    static const struct ether_addr all_bridges = {{0x01, 0x80, 0xc2, 0, 0, 0}};
    struct ether_span_tree *s = element_state(e);
    int better = span_compare(&s->best, &s->ports[port].msg);
    struct bpdu b = {.dst = all_bridges, .src = s->addr, .sap = 0x4242, .ctl = 3};

    if (better < 0 || (better == 0 && !s->send_change))
        return NULL;
    if (better == 0) { /* towards the root: there has been a change */
        b.length = BE16(7);
        b.type = BPDU_CHANGE;
    } else {
        span_write(&s->best, &b, element_now(e));
        b.bridge = be64(s->id);
        b.port = be16((uint16_t)port);
    }
    return pkt_new(element_pool(e), PKT_HEADROOM, &b, sizeof b, 0);
}

static void ether_span_tree_hello(struct element *e, struct timer *t)
{
    struct ether_span_tree *s = element_state(e);

    span_periodic(e);
    for (unsigned i = 0; i < e->n_out; i++) {
        struct pkt *p = ether_span_tree_message(e, i);

        if (p)
            out_push_one(e, i, p);
    }
    /* the root may say 0, but has no claim to all of our time */
    timer_after(t, s->best.hello_time ? s->best.hello_time * S : S / 10);
}

/* --- set-up --------------------------------------------------------------------------- */

static void *span_find(struct element *x, const char *arg, const char *kind,
                       struct diag *d)
{
    void *p = x->cls->cast ? x->cls->cast(x, kind) : NULL;

    if (!p)
        diag_err(d, "%s: element type mismatch, expected %s", arg, kind);
    return p;
}

static int ether_span_tree_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ether_span_tree *s = element_state(e);
    void *sw;

    s->in = span_find(s->in_element, "INPUT_SUPPRESSOR", "Suppressor", d);
    s->out = span_find(s->out_element, "OUTPUT_SUPPRESSOR", "Suppressor", d);
    sw = span_find(s->switch_element, "SWITCH", "EtherSwitch", d);
    if (!s->in || !s->out || !sw)
        return -1;
    s->id = (uint64_t)PRIORITY << 48;
    for (unsigned i = 0; i < 6; i++) /* as Click has it: the first byte is the last */
        s->id |= (uint64_t)s->addr.b[i] << 8 * i;
    s->ports = element_alloc(e, (e->n_out + 1u) * sizeof *s->ports);
    return s->ports ? 0 : diag_err(d, "out of memory");
}

static int ether_span_tree_initialize(struct element *e, struct diag *d)
{
    struct ether_span_tree *s = element_state(e);

    for (unsigned i = 0; i < e->n_out; i++) {
        span_expire(&s->ports[i].msg);
        span_set_state(e, i, FORWARD);
    }
    span_own(&s->best, s->id);
    timer_init(&s->hello, e, ether_span_tree_hello);
    timer_after(&s->hello, s->best.hello_time * S);
    return 0;
}

/* The tree stays what it was: ports need not listen and learn again. */
static void ether_span_tree_take_state(struct element *e, struct element *old)
{
    struct ether_span_tree *s = element_state(e);
    const struct ether_span_tree *o = element_state(old);

    if (s->id != o->id || e->n_out != old->n_out)
        return;
    memcpy(s->ports, o->ports, e->n_out * sizeof *s->ports);
    s->best = o->best;
    s->send_change = o->send_change;
    for (unsigned i = 0; i < e->n_out; i++)
        span_suppress(s, i);
}

static int ether_span_tree_msgs(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct ether_span_tree *s = element_state(e);

    for (unsigned i = 0; i <= e->n_out; i++) {
        const struct span_message *m = i < e->n_out ? &s->ports[i].msg : &s->best;

        sbuf_printf(out, " %16llx:%04x: %2s  %x -> %16llx  m/h/d: %x/%x/%x\n",
                    (unsigned long long)m->bridge, m->port, m->change ? "TC" : "tc",
                    m->cost, (unsigned long long)m->root, m->max_age, m->hello_time,
                    m->forward_delay);
    }
    return 0;
}

static const struct handler_spec ether_span_tree_handlers[] = {
    HANDLER_READER(ether_span_tree_msgs, "msgs", "the best message of each port"),
    HANDLER_END,
};

ELEMENT(EtherSpanTree) = {
    .name = "EtherSpanTree",
    .state_size = sizeof(struct ether_span_tree),
    .ports = "-/=",
    .processing = "h/h",
    .args = ether_span_tree_args,
    .counters = ether_span_tree_counters,
    .handlers = ether_span_tree_handlers,
    .configure = ether_span_tree_configure,
    .initialize = ether_span_tree_initialize,
    .take_state = ether_span_tree_take_state,
    .push = ether_span_tree_push,
};
