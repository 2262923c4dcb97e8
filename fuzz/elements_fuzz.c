// SPDX-License-Identifier: BSD-3-Clause
/*
 * elements_fuzz.c -- any chain of elements with plausible arguments, and any packets
 *
 * Input: one byte says how many elements (1 to 8) the chain has; each is then described by
 * two bytes of class number and bytes for its arguments, as many as they ask for. What
 * follows are packets: a template, how it is damaged, and what happens between them (time
 * passes, handlers are read and written, the configuration is exchanged for itself).
 * Elements that need an operating system do not take part.
 *
 * Configurations that are refused must be refused with a message; those that run must not
 * break, and no packet may be left over at the end.
 */

#include "engine/platform.h"
#include "engine/router.h"
#include "fuzz/class_ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_MAX = 8, PACKETS_MAX = 48, LEN_MAX = 2048, ROUNDS = 3, TASKS = 24 };

struct input {
    const uint8_t *p, *end;
};

static unsigned take(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static unsigned below(struct input *in, unsigned n)
{
    return n ? take(in) % n : 0;
}

/* --- a machine with one interface and a clock of its own --------------------------------- */

struct machine {
    struct platform platform;
    struct netdev netdev;
    struct pkt *waiting[PACKETS_MAX];
    unsigned n_waiting;
    int64_t now;
    struct router *router;
};

static uint32_t machine_rx(void *dev, struct batch *b, uint32_t max)
{
    struct machine *m = dev;
    uint32_t n = m->n_waiting < max ? m->n_waiting : max;

    for (uint32_t i = 0; i < n; i++)
        batch_add(b, m->waiting[i]);
    memmove(m->waiting, m->waiting + n, (m->n_waiting - n) * sizeof m->waiting[0]);
    m->n_waiting -= n;
    return n;
}

static uint32_t machine_tx(void *dev, struct batch *b)
{
    uint32_t n = b->n;

    batch_free(b);
    return n;
}

static const struct netdev_ops machine_ops = {machine_rx, machine_tx};

static int64_t machine_now(void *ctx)
{
    return ((struct machine *)ctx)->now;
}

static int64_t machine_offset(void *ctx)
{
    return 1000000000000000000;
}

static void machine_console(void *ctx, const char *text, size_t len)
{
    volatile char sum = 0;

    for (size_t i = 0; i < len; i++) /* have the sanitizers look at it */
        sum = (char)(sum + text[i]);
}

static void machine_init(struct machine *m)
{
    *m = (struct machine){.now = 1000000000};
    m->netdev = (struct netdev){.ops = &machine_ops,
                                .dev = m,
                                .name = "0",
                                .mac = {2, 0, 0, 0, 0, 1},
                                .mtu = 1500};
    m->platform = (struct platform){
        .ctx = m,
        .now = machine_now,
        .wall_offset = machine_offset,
        .console = machine_console,
        .pool = pkt_pool_new(20000),
        .netdevs = &m->netdev,
        .n_netdevs = 1,
        .seed = 7,
        .simtime = true,
        .program = "fuzz",
    };
}

static void machine_run(struct machine *m)
{
    int64_t next;

    for (unsigned i = 0; i < ROUNDS; i++)
        if (!router_run(m->router, TASKS, &next) && next > m->now)
            break;
}

/* --- configurations ---------------------------------------------------------------------- */

static const char *const numbers[] = {"0",  "1",    "2",     "3",     "4",   "8",
                                      "14", "20",   "64",    "100",   "255", "576",
                                      "-1", "1500", "65535", "40000", "0.5", "10"};
static const char *const words[] = {"true",
                                    "false",
                                    "src",
                                    "dst",
                                    "x",
                                    "HEX",
                                    "ASCII",
                                    "drop",
                                    "allow all",
                                    "allow icmp6 or dst port 53 or frag",
                                    "dst net 2001::/16 and hlim > 5",
                                    "1.2.3.4/24 1:2:3:4:5:6",
                                    "1.2.3.4",
                                    "10.0.0.0/8",
                                    "10.0.0.0/8 0",
                                    "2001::1",
                                    "2001::/16 0",
                                    "::/0",
                                    "1:2:3:4:5:6",
                                    "12/0800",
                                    "-",
                                    "tcp",
                                    "udp",
                                    "ip src/8",
                                    "tcp dport",
                                    "dst port 80",
                                    "1.2.3.4 1:2:3:4:5:6",
                                    "pattern 1.0.0.1 1024-65535 - - 0 0",
                                    "pass 0",
                                    "0.0.0.0/0 0",
                                    "10ms",
                                    "1Mbps",
                                    "PAINT",
                                    "20/4",
                                    "unreachable",
                                    "timeexceeded",
                                    "\"abc\"",
                                    "1 2",
                                    "keep 0 0",
                                    "nochange 0",
                                    "0-9"};

#define PICK(in, list) (list)[below(in, sizeof(list) / sizeof *(list))]

static const char *value_for(struct input *in, const struct arg_spec *a)
{
    switch (a->kind) {
    case ARG_KIND_BOOL:
        return take(in) & 1 ? "true" : "false";
    case ARG_KIND_TIME:
        return take(in) & 1 ? "10ms" : "1s";
    case ARG_KIND_BANDWIDTH:
        return take(in) & 1 ? "1Mbps" : "1000";
    case ARG_KIND_IP:
        return take(in) & 1 ? "1.0.0.1" : "2.0.0.2";
    case ARG_KIND_IP_PREFIX:
        return take(in) & 1 ? "10.0.0.0/8" : "2.0.0.2/32";
    case ARG_KIND_IP6:
        return take(in) & 1 ? "2001::1" : "2001::2";
    case ARG_KIND_ETHER:
        return take(in) & 1 ? "2:0:0:0:0:1" : "00:11:22:33:44:55";
    case ARG_KIND_PORT_TCP:
    case ARG_KIND_PORT_UDP:
        return "80";
    case ARG_KIND_ANNO:
        return take(in) & 1 ? "PAINT" : "20";
    case ARG_KIND_FRACTION:
        return take(in) & 1 ? "0.5" : "1";
    case ARG_KIND_ELEMENT:
        return "q0";
    case ARG_KIND_STRING:
    case ARG_KIND_WORD:
    case ARG_KIND_RAW:
    case ARG_KIND_CUSTOM:
        return take(in) & 3 ? PICK(in, words) : PICK(in, numbers);
    default:
        return PICK(in, numbers);
    }
}

static void add_arguments(struct input *in, const struct element_class *c,
                          struct sbuf *out)
{
    const char *sep = "";
    unsigned extra;

    sbuf_putc(out, '(');
    for (const struct arg_spec *a = c->args; a && a->name; a++) {
        bool required = (a->flags & ARG_REQUIRED) != 0;

        if (!required && take(in) % 4)
            continue;
        if (required && !(a->flags & ARG_POS))
            sbuf_printf(out, "%s%s %s", sep, a->name, value_for(in, a));
        else if (required)
            sbuf_printf(out, "%s%s", sep, value_for(in, a));
        else
            sbuf_printf(out, "%s%s %s", sep, a->name, value_for(in, a));
        sep = ", ";
    }
    for (extra = c->any_args ? 1 + below(in, 3) : 0; extra; extra--) {
        sbuf_printf(out, "%s%s", sep, PICK(in, words));
        sep = ", ";
    }
    sbuf_putc(out, ')');
}

/* What goes into and comes out of the other ports: something that fits. */
static void add_other_ports(struct input *in, const struct element_class *c, unsigned i,
                            unsigned n_in, unsigned n_out, bool pull, struct sbuf *out)
{
    const char *how = c->processing ? c->processing : "a/a", *slash = strchr(how, '/');

    for (unsigned p = 1; p < n_in; p++) {
        char letter = port_letter(how, p);

        if (letter == 'l' || (letter == 'a' && pull))
            sbuf_printf(out, "Idle -> Queue -> [%u] e%u;\n", p, i);
        else
            sbuf_printf(out, "Idle -> [%u] e%u;\n", p, i);
    }
    for (unsigned p = 1; p < n_out; p++) {
        char letter = port_letter(slash ? slash + 1 : how, p);

        if (letter == 'l' || (letter == 'a' && pull))
            sbuf_printf(out, "e%u [%u] -> Unqueue -> Discard;\n", i, p);
        else
            sbuf_printf(out, "e%u [%u] -> Discard;\n", i, p);
    }
}

/* Append one element to the chain; `*pull` says how packets come. False at its end. */
static bool add_element(struct input *in, unsigned i, bool *pull, struct sbuf *decl,
                        struct sbuf *chain, struct sbuf *rest)
{
    size_t number = take(in) << 8;
    const struct element_class *c;
    const char *how, *slash, *outs;
    unsigned n_in, n_out;

    number |= take(in);
    c = router_class(number % router_n_classes());
    how = c->processing ? c->processing : "a/a";
    slash = strchr(how, '/');
    outs = strchr(c->ports ? c->ports : "0/0", '/');
    if (c->driver_only || c->info || !outs)
        return true;
    n_in = least_ports(c->ports);
    n_in += more_ports(c->ports) && (take(in) & 1);
    n_out = outs[1] == '=' ? n_in : least_ports(outs + 1);
    n_out += outs[1] != '=' && more_ports(outs + 1) && (take(in) & 1);
    sbuf_printf(decl, "e%u :: %s", i, c->name);
    add_arguments(in, c, decl);
    sbuf_puts(decl, ";\n");
    if (!n_in && n_out) {
        sbuf_printf(rest, "e%u -> %s Discard;\n", i,
                    slash && slash[1] == 'l' ? "Unqueue ->" : "");
        return true;
    }
    if (n_in) {
        if (how[0] == 'l' && !*pull)
            sbuf_puts(chain, " -> Queue");
        if (how[0] == 'h' && *pull)
            sbuf_puts(chain, " -> Unqueue(BURST 7)");
        *pull = how[0] == 'l' || (how[0] == 'a' && *pull);
        sbuf_printf(chain, " -> e%u", i);
    }
    add_other_ports(in, c, i, n_in, n_out, *pull, rest);
    if (slash && slash[1] != 'a')
        *pull = slash[1] == 'l';
    return n_out > 0 || !n_in;
}

static char *make_configuration(struct input *in)
{
    struct sbuf decl = SBUF_INIT, chain = SBUF_INIT, rest = SBUF_INIT;
    unsigned n = 1 + below(in, CHAIN_MAX);
    bool pull = false, open = true;

    sbuf_puts(&chain, "FromNetfront(0) -> q0 :: Queue -> Unqueue(BURST 5)");
    for (unsigned i = 1; i <= n && open; i++)
        open = add_element(in, i, &pull, &decl, &chain, &rest);
    if (open)
        sbuf_puts(&chain, pull ? " -> Unqueue -> Discard" : " -> Discard");
    sbuf_puts(&chain, ";\n");
    sbuf_add(&decl, sbuf_text(&chain), chain.len);
    sbuf_add(&decl, sbuf_text(&rest), rest.len);
    sbuf_fini(&chain);
    sbuf_fini(&rest);
    return sbuf_take(&decl);
}

/* --- packets and what else happens -------------------------------------------------------- */

static const struct {
    uint8_t len;
    const char *bytes;
} templates[] = {
    {28,
     "\x45\0\0\x1c\0\1\0\0\x40\x11\x76\xcd\1\0\0\1\2\0\0\2\0\5\0\x0a\0\x08\xfc\xd4"},
    {40, "\x45\0\0\x28\0\1\0\0\x40\6\x76\xcc\1\0\0\1\2\0\0\2\0\5\0\x50\0\0\0\1\0\0\0\2"
         "\x50\x12\1\0\0\0\0\0"},
    {44,
     "\x46\0\0\x2c\0\1\0\0\x40\6\0\0\1\0\0\1\2\0\0\2\7\4\4\0\0\5\0\x50\0\0\0\1\0\0\0"
     "\2\x50\x02\1\0\0\0\0\0"},
    {28, "\x45\0\0\x1c\0\1\0\0\x40\1\x76\xdd\1\0\0\1\2\0\0\2\x08\0\xf7\xff\0\0\0\0"},
    {56,
     "\x45\0\0\x38\0\1\0\0\x40\1\0\0\1\0\0\1\2\0\0\2\3\3\0\0\0\0\0\0\x45\0\0\x1c\0\1\0"
     "\0\x40\x11\0\0\2\0\0\2\1\0\0\1\0\x0a\0\5\0\x08\0\0"},
    {42, "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x08\6\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\1\0"
         "\0\1\0"
         "\0\0\0\0\0\2\0\0\2"},
    {42, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45\0\0\x1c\0\1\0\0\x40\x11\x76\xcd\1\0\0\1\2"
         "\0\0\2"
         "\0\5\0\x0a\0\x08\0\0"},
    {48, "\x60\0\0\0\0\x08\x11\x40\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\0\0\0\0\0\0"
         "\0\0\0"
         "\0\0\0\0\2\0\5\0\x0a\0\x08\0\0"},
    {72, "\x60\0\0\0\0\x20\x3a\xff\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xff\2\0\0\0\0\0\0"
         "\0\0\0"
         "\1\xff\0\0\2\x87\0\0\0\0\0\0\0\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2\1\1\2\0\0\0"
         "\0\1"},
    {28,
     "\x45\0\0\x1c\0\1\x20\0\x40\x11\x76\xcd\1\0\0\1\2\0\0\2\0\5\0\x0a\0\x08\xfc\xd4"},
    {28,
     "\x45\0\0\x1c\0\1\0\1\x40\x11\x76\xcd\1\0\0\1\2\0\0\2\0\5\0\x0a\0\x08\xfc\xd4"},
    {0, ""},
};
enum { N_TEMPLATES = sizeof templates / sizeof templates[0] };

static void add_packet(struct machine *m, struct input *in)
{
    unsigned which = below(in, N_TEMPLATES), changes, len = templates[which].len, marks;
    uint8_t bytes[LEN_MAX] = {0};
    struct pkt *p;

    memcpy(bytes, templates[which].bytes, len);
    for (changes = below(in, 6); changes; changes--) {
        unsigned at = take(in);

        bytes[at % 80] ^= (uint8_t)take(in);
    }
    switch (take(in) % 8) {
    case 0: /* cut */
        len = len ? below(in, len) : 0;
        break;
    case 1: /* lengthen */
        len += take(in) * 7;
        break;
    default:
        break;
    }
    p = pkt_new(m->platform.pool, take(in) % 3 ? PKT_HEADROOM : 0, bytes, len, 0);
    if (!p || m->n_waiting == PACKETS_MAX) {
        pkt_free(p);
        return;
    }
    marks = take(in);
    if (marks & 1 && len)
        p->network = p->data + (marks & 2 && len > 14 ? 14 : 0);
    if (marks & 4 && p->network)
        p->transport = p->network + 20; /* wherever that is */
    if (marks & 8)
        p->mac = p->data;
    if (marks & 16)
        memset(p->anno, (int)marks, sizeof p->anno);
    p->type = marks >> 5;
    m->waiting[m->n_waiting++] = p;
}

static void touch_handlers(struct machine *m, struct input *in)
{
    uint32_t number = take(in) % router_n_elements(m->router);
    const struct element *e = router_element(m->router, number);
    const struct handler_spec *h = e->cls->handlers;
    const char *param = take(in) & 1 ? PICK(in, words) : NULL;
    struct sbuf out = SBUF_INIT;
    struct diag d = DIAG_INIT;
    char name[512];

    for (; h && h->name; h++) {
        snprintf(name, sizeof name, "%s.%s", e->name, h->name);
        if (h->flags & HANDLER_READ)
            handler_read(m->router, NULL, name, h->flags & HANDLER_PARAM ? param : NULL,
                         &out, &d);
        if (h->flags & HANDLER_WRITE && take(in) % 4 == 0) {
            const char *value = take(in) & 1 ? PICK(in, words) : PICK(in, numbers);

            handler_write(m->router, NULL, name, value, strlen(value), &d);
        }
    }
    sbuf_fini(&out);
    diag_fini(&d);
}

static void exchange(struct machine *m, const char *text)
{
    struct diag d = DIAG_INIT;
    struct router *next = router_new(&m->platform, text, strlen(text), "fuzz", NULL,
                                     &d);

    if (next) {
        router_activate(next, m->router);
        router_free(m->router);
        m->router = next;
    }
    diag_fini(&d);
}

static void play(struct machine *m, struct input *in, const char *text)
{
    for (unsigned step = 0; in->p < in->end && step < PACKETS_MAX; step++) {
        unsigned what = take(in);

        if (what % 16 < 10) {
            add_packet(m, in);
        } else if (what % 16 < 13) {
            m->now += 1000ll << below(in, 34);
        } else if (what % 16 < 15) {
            touch_handlers(m, in);
        } else {
            exchange(m, text);
        }
        machine_run(m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct machine m;
    struct diag d = DIAG_INIT;
    char *text = make_configuration(&in);

    if (!text)
        return 0;
    machine_init(&m);
    if (getenv("FUZZ_SHOW"))
        fputs(text, stderr);
    m.router = router_new(&m.platform, text, strlen(text), "fuzz", NULL, &d);
    if (getenv("FUZZ_SHOW"))
        fputs(diag_text(&d), stderr);
    if (!m.router && !d.n_errors)
        __builtin_trap();
    if (m.router) {
        router_activate(m.router, NULL);
        play(&m, &in, text);
        router_free(m.router);
    }
    for (unsigned i = 0; i < m.n_waiting; i++)
        pkt_free(m.waiting[i]);
    if (pkt_pool_free(m.platform.pool))
        __builtin_trap();
    diag_fini(&d);
    free(text);
    return 0;
}
