// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPRateMonitor -- measure how much goes to and comes from networks and hosts
 *
 * Usage:    IPRateMonitor(TYPE, RATIO, THRESH [, MEMORY 0, ANNO true])
 * Ports:    1-2 in, 1-2 out; push or pull
 * Args:     TYPE    PACKETS or BYTES: what is counted
 *           RATIO   chance that a packet is counted, 0 to 1
 *           THRESH  a network with so much a second is looked at more closely; said as if
 *                   RATIO were 1
 *           MEMORY  kilobytes that may be used, at least 100; 0: no limit but 64 MiB
 *           ANNO    annotate packets with the rates
 * Handlers: look        (r) time since the reset in 8 ms, and all rates
 *           thresh      (r) THRESH as it is used
 *           mem         (r) bytes in use
 *           memmax      (rw) bytes that may be used; written in kilobytes
 *           anno_level  (w) "ADDR LEVEL SECONDS": do not look closer than LEVEL (0-3) there
 *           reset       (w) forget all
 * Example:  IPRateMonitor(PACKETS, 0.5, 256, 600)
 * See also: CompareBlock, AggregateIP, BandwidthMeter
 *
 * What comes in by input 0 counts as coming from its source address, by input 1 as going to
 * its destination. Rates are kept for the first byte of the address; where one reaches
 * THRESH, for the two first bytes too, and so on. The rates of the smallest network known
 * go into the FWD_RATE and REV_RATE annotations. Once a second networks that have become
 * slower are given up, at most 1024 of them. Wants the IP header to be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/unparse.h"
#include "engine/words.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SHIFT = 5, /* of the average: a period moves it by 1/32 */
    SCALE = 10,
    PERIODS = 125, /* a second */
    WAYS = 256,
    COUNTER_BYTES = 40, /* what they count as, however large they are */
    NET_BYTES = 2080,
    MEMORY_MIN = 100,       /* kilobytes */
    MEMORY_MAX = 64 * 1024, /* ... when there is no limit */
    FOLD_MAX = 1024,
};

struct ip_rate_counter {
    uint32_t period, total[2], average[2]; /* from there, to there */
    uint32_t stay_until;                   /* not looked at more closely before */
    struct ip_rate_net *below;
};

struct ip_rate_net {
    struct ip_rate_counter *parent;  /* NULL: all addresses */
    struct ip_rate_net *prev, *next; /* by age */
    struct ip_rate_counter *way[WAYS];
};

struct ip_rate_monitor {
    struct text type, ratio_text;
    bool bytes, anno;
    int32_t thresh;
    uint32_t ratio;
    uint64_t mem, memmax; /* bytes; memmax 0: no limit */
    uint32_t memory_kb;
    struct ip_rate_net *base, *last; /* owned; base is the first by age */
    struct ip_rate_counter *way[4];  /* borrowed; from the base to the last one met */
    unsigned ways;
    uint32_t reset_period, fold_period;
};

static const struct arg_spec ip_rate_monitor_args[] = {
    ARG_WORD(ip_rate_monitor, type, "TYPE", ARG_M, NULL, "PACKETS or BYTES"),
    ARG_RAW(ip_rate_monitor, ratio_text, "RATIO", ARG_M, NULL, "chance to be counted"),
    ARG_I32(ip_rate_monitor, thresh, "THRESH", ARG_M, NULL, "rate to look closer at"),
    ARG_U32(ip_rate_monitor, memory_kb, "MEMORY", ARG_POS, "0", "kilobytes"),
    ARG_BOOL(ip_rate_monitor, anno, "ANNO", ARG_POS, "true", "annotate packets"),
    ARG_END,
};

static bool ip_rate_monitor_is(const char *text, const char *upper)
{
    for (; *text && *upper; text++, upper++)
        if ((*text >= 'a' && *text <= 'z' ? *text - 32 : *text) != *upper)
            return false;
    return *text == *upper;
}

static void ip_rate_monitor_set_memory(struct ip_rate_monitor *s, uint32_t kb)
{
    kb = kb && kb < MEMORY_MIN ? MEMORY_MIN : kb;
    s->memmax = (uint64_t)kb * 1024;
}

static int ip_rate_monitor_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ip_rate_monitor *s = element_state(e);
    uint64_t ratio;

    s->bytes = ip_rate_monitor_is(s->type.s, "BYTES");
    if (!s->bytes && !ip_rate_monitor_is(s->type.s, "PACKETS"))
        return diag_err(d, "monitor type should be \"PACKETS\" or \"BYTES\"");
    if (!parse_real_fixed(s->ratio_text.s, 16, &ratio))
        return diag_err(d, "RATIO: parse error");
    if (ratio > 0x10000)
        return diag_err(d, "ratio must be between 0 and 1");
    ip_rate_monitor_set_memory(s, s->memory_kb);
    s->ratio = (uint32_t)ratio;
    s->thresh = (int32_t)((int64_t)s->thresh * (int64_t)ratio >> 16);
    return 0;
}

static uint32_t ip_rate_monitor_period(const struct element *e)
{
    return (uint32_t)(element_coarse_now(e) / (1000000000 / PERIODS));
}

/* --- averages ----------------------------------------------------------------------------- */

static uint32_t ip_rate_monitor_average(uint32_t average, uint32_t total)
{
    int64_t difference = ((int64_t)total << SCALE) - average + (1 << (SHIFT - 1));

    return (uint32_t)(average + (difference >> SHIFT));
}

static void ip_rate_monitor_roll(struct ip_rate_counter *c, uint32_t now)
{
    uint32_t periods = now - c->period;

    if (!periods)
        return;
    for (unsigned w = 0; w < 2; w++) {
        c->average[w] = ip_rate_monitor_average(c->average[w], c->total[w]);
        for (uint32_t i = 1; i < periods && c->average[w] >> (SHIFT - 1); i++)
            c->average[w] = ip_rate_monitor_average(c->average[w], 0);
        c->total[w] = 0;
    }
    c->period = now;
}

static int32_t ip_rate_monitor_rate(const struct ip_rate_counter *c, unsigned w)
{
    return (int32_t)((uint64_t)c->average[w] * PERIODS >> SCALE);
}

/* --- networks ----------------------------------------------------------------------------- */

static bool ip_rate_monitor_room(const struct ip_rate_monitor *s, uint64_t bytes)
{
    return s->mem + bytes <= (s->memmax ? s->memmax : MEMORY_MAX * 1024ull);
}

static struct ip_rate_counter *ip_rate_monitor_counter(struct ip_rate_monitor *s,
                                                       struct ip_rate_net *net,
                                                       uint8_t way, uint32_t now,
                                                       const struct ip_rate_counter *as)
{
    struct ip_rate_counter *c = ip_rate_monitor_room(s, COUNTER_BYTES)
                                    ? calloc(1, sizeof *c)
                                    : NULL;

    if (!c)
        return NULL;
    if (as)
        *c = *as;
    c->below = NULL;
    c->stay_until = 0;
    c->period = as ? as->period : now;
    s->mem += COUNTER_BYTES;
    return net->way[way] = c;
}

static struct ip_rate_net *ip_rate_monitor_net(struct ip_rate_monitor *s,
                                               struct ip_rate_counter *parent)
{
    struct ip_rate_net *net = calloc(1, sizeof *net);

    if (!net)
        return NULL;
    net->parent = parent;
    net->prev = s->last;
    if (s->last)
        s->last->next = net;
    s->last = net;
    s->mem += NET_BYTES;
    if (parent)
        parent->below = net;
    return net;
}

static void ip_rate_monitor_unlink(struct ip_rate_monitor *s, struct ip_rate_net *net)
{
    if (net->next)
        net->next->prev = net->prev;
    else
        s->last = net->prev;
    if (net->prev)
        net->prev->next = net->next;
    if (net->parent)
        net->parent->below = NULL;
    s->mem -= NET_BYTES;
    free(net);
}

/* Its counters and all that is below: at most four levels. */
static void ip_rate_monitor_free(struct ip_rate_monitor *s, struct ip_rate_net *net)
{
    for (unsigned i = 0; i < WAYS; i++) {
        struct ip_rate_counter *c = net->way[i];

        if (!c)
            continue;
        if (c->below)
            ip_rate_monitor_free(s, c->below);
        free(c);
        s->mem -= COUNTER_BYTES;
    }
    ip_rate_monitor_unlink(s, net);
}

/* Give up networks that are slower than `thresh`, oldest first: one, and more until memory
 * is below `enough`. */
static void ip_rate_monitor_fold(struct element *e, int64_t thresh, uint64_t enough)
{
    struct ip_rate_monitor *s = element_state(e);
    uint32_t now = ip_rate_monitor_period(e), left = FOLD_MAX;
    struct ip_rate_net *net = s->base->next, *older;

    while (net && left--) {
        struct ip_rate_counter *c = net->parent;

        ip_rate_monitor_roll(c, now);
        if (c->average[0] >= thresh || c->average[1] >= thresh) {
            net = net->next;
            continue;
        }
        older = net->prev; /* those below are younger: they go too */
        ip_rate_monitor_free(s, net);
        net = older->next;
        if (s->mem < enough)
            return;
    }
}

/* --- packets ------------------------------------------------------------------------------ */

/* The counter of the smallest network known, all on the way having been updated, which lie in
 * s->way[]. `*shift` is where its byte of the address begins. */
static struct ip_rate_counter *ip_rate_monitor_walk(struct ip_rate_monitor *s,
                                                    uint32_t addr, uint32_t now,
                                                    uint32_t add, unsigned w,
                                                    int *shift)
{
    struct ip_rate_net *net = s->base;
    struct ip_rate_counter *c = NULL;

    s->ways = 0;
    for (*shift = 24;; *shift -= 8) {
        uint8_t way = (uint8_t)(addr >> *shift);

        c = net->way[way];
        if (!c && !(c = ip_rate_monitor_counter(s, net, way, now, NULL)))
            return NULL;
        if (add) {
            ip_rate_monitor_roll(c, now);
            c->total[w] += add;
        }
        s->way[s->ways++] = c;
        if (!c->below || !*shift)
            return c;
        net = c->below;
    }
}

/* What is the same for the packets of a train: they come from one address, within a period.
 * `known` says that the counters on their way have been updated and are the same still; what
 * the packets after the first add to them is in `more`. */
struct ip_rate_train {
    uint32_t now, addr, rate[2], more;
    bool known;
};

/* The end of a train. */
static void ip_rate_monitor_flush(struct ip_rate_monitor *s, struct ip_rate_train *t,
                                  unsigned w)
{
    for (unsigned i = 0; t->more && i < s->ways; i++)
        s->way[i]->total[w] += t->more;
    t->more = 0;
}

/* Look closer at the network of a counter, whose byte of the address begins at `shift`. */
static void ip_rate_monitor_split(struct ip_rate_monitor *s, struct ip_rate_counter *c,
                                  const struct ip_rate_train *t, int shift)
{
    struct ip_rate_net *net = ip_rate_monitor_net(s, c);

    if (net)
        (void)ip_rate_monitor_counter(s, net, (uint8_t)(t->addr >> (shift - 8)), t->now,
                                      c);
}

/* The first packet of a train, or one that changes what networks are known. */
static bool ip_rate_monitor_first(struct element *e, struct ip_rate_train *t,
                                  uint32_t add, unsigned w)
{
    struct ip_rate_monitor *s = element_state(e);
    struct ip_rate_counter *c;
    int shift;

    c = ip_rate_monitor_walk(s, t->addr, t->now, add, w, &shift);
    t->known = c && add;
    if (!c)
        return false;
    for (unsigned i = 0; i < 2; i++)
        t->rate[i] = (uint32_t)ip_rate_monitor_rate(c, i);
    if (c->stay_until < t->now &&
        ((int32_t)t->rate[0] >= s->thresh || (int32_t)t->rate[1] >= s->thresh) &&
        shift > 0 && ip_rate_monitor_room(s, COUNTER_BYTES + NET_BYTES)) {
        ip_rate_monitor_split(s, c, t, shift);
        t->known = false;
    }
    if (t->now - s->fold_period >= PERIODS) {
        s->fold_period = t->now;
        ip_rate_monitor_fold(e, s->thresh, s->memmax ? s->memmax : s->mem / 10 * 9);
        t->known = false;
    }
    return true;
}

/* A packet to be left out, as RATIO says. Others may draw random numbers, too. */
static bool ip_rate_monitor_skips(struct element *e)
{
    const struct ip_rate_monitor *s = element_state(e);

    element_not_plain(e);
    return (element_random(e) >> 5 & 0xffff) > s->ratio;
}

static void ip_rate_monitor_batch(struct element *e, unsigned w, struct batch *b,
                                  uint32_t from)
{
    struct ip_rate_monitor *s = element_state(e);
    struct ip_rate_train t = {.now = ip_rate_monitor_period(e)};
    bool all = s->ratio >= 0x10000, bytes = s->bytes, anno = s->anno;

    for (uint32_t i = from, n = b->n; i < n; i++) {
        struct pkt *p = b->p[i];
        const struct ip4_hdr *h = pkt_ip4(p);
        uint32_t addr, add;

        if (!pkt_has_ip4(p))
            continue;
        addr = be32(w ? h->dst : h->src);
        add = !all && ip_rate_monitor_skips(e) ? 0 : bytes ? be16(h->len) : 1;
        if (t.known && addr == t.addr) {
            t.more += add;
        } else {
            ip_rate_monitor_flush(s, &t, w);
            t.addr = addr;
            if (!ip_rate_monitor_first(e, &t, add, w))
                continue;
        }
        if (anno) {
            p->anno_u32[ANNO_FWD_RATE / 4] = t.rate[0];
            p->anno_u32[ANNO_REV_RATE / 4] = t.rate[1];
        }
    }
    ip_rate_monitor_flush(s, &t, w);
}

static void ip_rate_monitor_push(struct element *e, unsigned port, struct batch *b)
{
    ip_rate_monitor_batch(e, port, b, 0);
    out_push(e, port < e->n_out ? port : e->n_out - 1u, b);
}

static uint32_t ip_rate_monitor_pull(struct element *e, unsigned port, struct batch *b,
                                     uint32_t max)
{
    uint32_t from = b->n;

    if (port < e->n_in)
        in_pull(e, port, b, max);
    ip_rate_monitor_batch(e, port, b, from);
    return b->n - from;
}

/* --- the rest ----------------------------------------------------------------------------- */

static int ip_rate_monitor_initialize(struct element *e, struct diag *d)
{
    struct ip_rate_monitor *s = element_state(e);

    s->reset_period = s->fold_period = ip_rate_monitor_period(e);
    s->base = ip_rate_monitor_net(s, NULL);
    return s->base ? 0 : diag_err(d, "cannot allocate data structure.");
}

static void ip_rate_monitor_cleanup(struct element *e)
{
    struct ip_rate_monitor *s = element_state(e);

    if (s->base)
        ip_rate_monitor_free(s, s->base);
    s->base = s->last = NULL;
}

/* The rates go on. */
static void ip_rate_monitor_take_state(struct element *e, struct element *old)
{
    struct ip_rate_monitor *s = element_state(e), *o = element_state(old);

    if (s->bytes != o->bytes || !o->base)
        return;
    ip_rate_monitor_cleanup(e);
    s->base = o->base;
    s->last = o->last;
    s->mem = o->mem;
    s->reset_period = o->reset_period;
    o->base = o->last = NULL;
}

static void ip_rate_monitor_unparse_rate(uint32_t average, struct sbuf *out)
{
    char text[64];

    sbuf_printf(out, "\t%s", unparse_fixed((uint64_t)average * PERIODS, SCALE, text));
}

static void ip_rate_monitor_print(const struct ip_rate_net *net, const char *prefix,
                                  uint32_t now, struct sbuf *out)
{
    char name[64], below[72];

    for (unsigned i = 0; i < WAYS; i++) {
        struct ip_rate_counter *c = net->way[i];

        if (!c || !(c->average[0] | c->average[1]))
            continue;
        snprintf(name, sizeof name, *prefix ? "%s.%u" : "%s%u", prefix, i);
        ip_rate_monitor_roll(c, now);
        sbuf_puts(out, name);
        ip_rate_monitor_unparse_rate(c->average[0], out);
        ip_rate_monitor_unparse_rate(c->average[1], out);
        sbuf_putc(out, '\n');
        snprintf(below, sizeof below, "\t%s", name);
        if (c->below)
            ip_rate_monitor_print(c->below, below, now, out);
    }
}

static int ip_rate_monitor_look(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct ip_rate_monitor *s = element_state(e);
    uint32_t now = ip_rate_monitor_period(e);

    sbuf_printf(out, "%u\n", now - s->reset_period);
    ip_rate_monitor_print(s->base, "", now, out);
    return 0;
}

static int ip_rate_monitor_reset(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d)
{
    ip_rate_monitor_cleanup(e);
    return ip_rate_monitor_initialize(e, d);
}

static int ip_rate_monitor_write_memmax(struct element *e, const struct handler_spec *h,
                                        const char *value, size_t len, struct diag *d)
{
    struct ip_rate_monitor *s = element_state(e);
    int64_t kb;

    if (!*value)
        return diag_err(d, "expecting 1 integer");
    if (!parse_i64(value, 0, &kb) || kb < 0 || kb > INT32_MAX)
        return diag_err(d, "not an integer");
    ip_rate_monitor_set_memory(s, (uint32_t)kb);
    /* Give up whatever it takes, slow ones first. */
    for (int64_t thresh = s->thresh > 0 ? s->thresh : 1;
         s->memmax && s->mem > s->memmax && s->base->next; thresh *= 2)
        ip_rate_monitor_fold(e, thresh, s->memmax);
    return 0;
}

static int ip_rate_monitor_write_level(struct element *e, const struct handler_spec *h,
                                       const char *value, size_t len, struct diag *d)
{
    struct ip_rate_monitor *s = element_state(e);
    struct ip_rate_net *net = s->base;
    char word[3][WORD_ROOM], more[WORD_ROOM], text[WORD_ROOM];
    int64_t level, seconds;
    uint32_t addr;

    for (size_t i = 0; i <= len && i < sizeof text; i++)
        text[i] = value[i] == ',' ? ' ' : value[i];
    text[sizeof text - 1] = '\0';
    value = text;
    if (!word_next(&value, word[0]) || !word_next(&value, word[1]) ||
        !word_next(&value, word[2]) || word_next(&value, more))
        return diag_err(d, "expecting 3 arguments");
    if (!parse_ip(e, word[0], &addr))
        return diag_err(d, "not an IP address");
    if (!parse_i64(word[1], 0, &level) || level < 0 || level > 3)
        return diag_err(d,
                        "2nd argument specifies a level, between 0 and 3, to annotate");
    if (!parse_i64(word[2], 0, &seconds) || seconds < 1 ||
        seconds > INT32_MAX / PERIODS)
        return diag_err(d,
                        "3rd argument specifies when this rule expires, must be > 0");
    for (int shift = 24; shift >= 0; shift -= 8, level--) {
        struct ip_rate_counter *c = net->way[be32(addr) >> shift & 255];

        if (!c || (level && !c->below))
            return 0;
        if (!level) {
            c->stay_until = ip_rate_monitor_period(e) + (uint32_t)seconds * PERIODS;
            if (c->below)
                ip_rate_monitor_free(s, c->below);
            return 0;
        }
        net = c->below;
    }
    return 0;
}

static const struct handler_spec ip_rate_monitor_handlers[] = {
    HANDLER_VALUE(ip_rate_monitor, thresh, ARG_KIND_I32, HANDLER_READ, "thresh",
                  "rate to look closer at"),
    HANDLER_READER(ip_rate_monitor_look, "look", "all rates"),
    HANDLER_VALUE(ip_rate_monitor, mem, ARG_KIND_U64, HANDLER_READ, "mem",
                  "bytes in use"),
    {.name = "memmax",
     .help = "bytes that may be used",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_U64,
     .offset = offsetof(struct ip_rate_monitor, memmax),
     .write = ip_rate_monitor_write_memmax},
    HANDLER_WRITER(ip_rate_monitor_write_level, "anno_level", "do not look closer"),
    HANDLER_PRESS(ip_rate_monitor_reset, "reset", "forget all"),
    HANDLER_END,
};

ELEMENT(IPRateMonitor) = {
    .name = "IPRateMonitor",
    .state_size = sizeof(struct ip_rate_monitor),
    .plain = true,
    .apart = APART_ORDER,
    .ports = "1-2/1-2",
    .flow = "#/#",
    .args = ip_rate_monitor_args,
    .handlers = ip_rate_monitor_handlers,
    .configure = ip_rate_monitor_configure,
    .initialize = ip_rate_monitor_initialize,
    .take_state = ip_rate_monitor_take_state,
    .cleanup = ip_rate_monitor_cleanup,
    .push = ip_rate_monitor_push,
    .pull = ip_rate_monitor_pull,
};
