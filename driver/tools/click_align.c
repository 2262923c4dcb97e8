// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_align.c -- `click-align`: Align elements where packets must be aligned
 *
 * For machines that trap on unaligned loads. What is known about the addresses of packets
 * flows down from sources, what elements demand flows up; where the first does not meet
 * the second an Align is put in. Those that change nothing are taken out again, and an
 * AlignmentInfo tells elements that ask. Our own elements need none of it.
 */

#include "driver/tools/alignment.h"
#include "driver/tools/tool.h"
#include "engine/catalogue.h"
#include "engine/element.h"
#include "engine/parse.h"
#include "engine/router_impl.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "'Click-align' adds the Align elements that a configuration needs on machines "
    "that\n"
    "do not allow unaligned accesses, and takes out those that it does not need.\n"
    "\n"
    "Usage: click-align [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "      --assertions          Insert CheckAlign assertions, not Aligns.\n"
    "  -V, --verbose             Tell what is added and why.\n"
    "  -b, --bsdmodule; -l, --linuxmodule; -u, --userlevel\n"
    "                            Accepted; elements demand the same in each driver.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

enum { OPT_ASSERTIONS = 2000 };

static const struct option options[] = {
    TOOL_NEGATABLE("assertions", OPT_ASSERTIONS),
    {"verbose", no_argument, NULL, 'V'},
    {"bsdmodule", no_argument, NULL, 'b'},
    {"linuxmodule", no_argument, NULL, 'l'},
    {"userlevel", no_argument, NULL, 'u'},
    {NULL, 0, NULL, 0},
};

static bool assertions, verbose, driver_given;

static int set_option(struct tool *t, int c, const char *arg)
{
    bool yes;

    (void)t, (void)arg;
    if (tool_option(c, &yes) == OPT_ASSERTIONS)
        assertions = yes;
    else if (c == 'V')
        verbose = true;
    else if (driver_given) {
        fputs("driver specified twice\n", stderr);
        return -1;
    } else
        driver_given = true;
    return 0;
}

/* --- what is known about elements ---------------------------------------------------------- */

enum aligner_kind {
    ALIGNER_FLOW,       /* packets stay where they are */
    ALIGNER_GENERATE,   /* those that come out are aligned as `a` says */
    ALIGNER_SHIFT,      /* they begin `shift` bytes further on */
    ALIGNER_WANT,       /* those that go in must be as `a` says */
    ALIGNER_CONSISTENT, /* ... must all be alike, and known modulo 4 */
    ALIGNER_ARP_QUERIER,
    ALIGNER_SHIFT_WANT, /* both */
    ALIGNER_NONE,
};

struct aligner {
    enum aligner_kind kind;
    struct alignment a;
    int32_t shift;
};

static const struct {
    const char *name;
    struct aligner aligner;
} classes[] = {
    {"ARPQuerier", {ALIGNER_ARP_QUERIER, {0, 0}, 0}},
    {"ARPResponder", {ALIGNER_WANT, {2, 0}, 0}},
    {"CheckSRHeader", {ALIGNER_GENERATE, {4, 2}, 0}},
    {"Classifier", {ALIGNER_CONSISTENT, {0, 0}, 0}},
    {"Discard", {ALIGNER_NONE, {0, 0}, 0}},
    {"EtherEncap", {ALIGNER_SHIFT, {0, 0}, -14}},
    {"GridEncap", {ALIGNER_SHIFT_WANT, {4, 0}, 98}},
    {"ICMPPingEncap", {ALIGNER_WANT, {4, 0}, 0}},
    {"IPEncap", {ALIGNER_WANT, {4, 0}, 0}},
    {"IPInputCombo", {ALIGNER_SHIFT_WANT, {4, 2}, 14}},
    {"Idle", {ALIGNER_GENERATE, {ALIGNMENT_UNIVERSAL, 0}, 0}},
    {"InfiniteSource", {ALIGNER_GENERATE, {4, 0}, 0}},
    {"RandomUDPIPEncap", {ALIGNER_WANT, {4, 0}, 0}},
    {"RatedSource", {ALIGNER_GENERATE, {4, 0}, 0}},
    {"RoundRobinTCPIPEncap", {ALIGNER_WANT, {4, 0}, 0}},
    {"RoundRobinUDPIPEncap", {ALIGNER_WANT, {4, 0}, 0}},
    {"SR2CheckHeader", {ALIGNER_GENERATE, {4, 2}, 0}},
    {"SR2SetChecksum", {ALIGNER_GENERATE, {4, 2}, 0}},
    {"SetSRChecksum", {ALIGNER_GENERATE, {4, 2}, 0}},
    {"StoreUDPTimeSeqRecord", {ALIGNER_WANT, {4, 0}, 0}},
    {"UDPIPEncap", {ALIGNER_WANT, {4, 0}, 0}},
};

/* Classes that ask AlignmentInfo. */
static const char *const asking[] = {"CheckIPHeader", "CheckIPHeader2", "Classifier",
                                     "ICMPPingEncap", "IPInputCombo",   "UDPIPEncap"};

/* The value of a keyword among the arguments, or else the positional one number `pos`;
 * NULL: there is none. */
static const char *argument(struct net *n, uint32_t e, const char *key, int pos)
{
    const char *const *args = NULL;
    int n_args = lang_split_args(n->arena, n->elements[e].config, &args);
    size_t len = strlen(key);

    for (int i = 0; i < n_args; i++)
        if (strncmp(args[i], key, len) == 0 && strchr(" \t\n", args[i][len]))
            return args[i] + len + strspn(args[i] + len, " \t\n");
    for (int i = 0; i < n_args && i <= pos; i++) {
        size_t word = strspn(args[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

        if (args[i][0] >= 'A' && args[i][0] <= 'Z' && strchr(" \t\n", args[i][word]))
            return NULL; /* keywords come last */
    }
    return pos >= 0 && pos < n_args ? args[pos] : NULL;
}

static bool number(const char *text, int64_t max, int32_t *value)
{
    int64_t n;

    if (!text || !parse_i64(text, 0, &n) || n < 0 || n > max)
        return false;
    *value = (int32_t)n;
    return true;
}

static bool parse_alignment(const char *modulus, const char *offset,
                            struct alignment *a)
{
    return number(modulus, ALIGNMENT_MAX, &a->modulus) && a->modulus > 0 &&
           number(offset, a->modulus - 1, &a->offset);
}

/* Say, once for each element, which of its arguments are no numbers. */
static void complain(struct net *n, uint32_t e, const char *const keys[2],
                     const char *const texts[2])
{
    struct net_element *x = &n->elements[e];
    const char *file = x->at.file ? x->at.file : "";
    int32_t value;

    if (x->mark)
        return;
    x->mark = 1;
    fprintf(stderr, "%s:%u: While analyzing alignment for '%s :: %s':\n", file,
            x->at.line, x->name, x->class_name);
    for (unsigned i = 0; i < 2 && keys[i]; i++)
        if (!number(texts[i], INT32_MAX, &value))
            fprintf(stderr, "%s:%u:   %s: %s\n", file, x->at.line, keys[i],
                    texts[i] ? "parse error" : "required argument missing");
}

static struct aligner align_aligner(struct net *n, uint32_t e)
{
    static const char *const keys[2] = {"MODULUS", "OFFSET"};
    const char *texts[2] = {argument(n, e, keys[0], 0), argument(n, e, keys[1], 1)};
    struct aligner r = {.kind = ALIGNER_GENERATE};

    if (parse_alignment(texts[0], texts[1], &r.a))
        return r;
    complain(n, e, keys, texts);
    return (struct aligner){.kind = ALIGNER_FLOW};
}

static struct aligner strip_aligner(struct net *n, uint32_t e)
{
    static const char *const keys[2] = {"LENGTH", NULL};
    const char *texts[2] = {argument(n, e, keys[0], 0), NULL};
    struct aligner r = {.kind = ALIGNER_SHIFT};

    if (number(texts[0], INT32_MAX, &r.shift)) {
        if (net_is(n, e, "Unstrip"))
            r.shift = -r.shift;
        return r;
    }
    complain(n, e, keys, texts);
    return (struct aligner){.kind = ALIGNER_FLOW};
}

/* In old configurations a list of addresses stands before the offset. */
static struct aligner header_aligner(struct net *n, uint32_t e)
{
    struct aligner r = {.kind = ALIGNER_WANT, .a = {4, 0}};
    const char *first = argument(n, e, "OFFSET", 0);

    if (!number(first, INT32_MAX, &r.shift) && first)
        number(argument(n, e, "OFFSET", 1), INT32_MAX, &r.shift);
    r.a = alignment_shift(r.a, -r.shift);
    return r;
}

static struct aligner device_aligner(struct net *n, uint32_t e, bool source)
{
    static const char *const keys[2] = {"MODULUS", "OFFSET"};
    struct aligner r = {.kind = source ? ALIGNER_GENERATE : ALIGNER_WANT, .a = {4, 2}};
    const char *text = argument(n, e, "ALIGNMENT", -1);
    const char *type = argument(n, e, "TYPE", -1), *const *words = NULL;
    const char *texts[2] = {NULL, NULL};
    int n_words = text ? lang_split_words(n->arena, text, &words) : 0;

    for (int i = 0; i < n_words && i < 2; i++)
        texts[i] = words[i];
    if (!text && type && strcmp(type, "IP") == 0)
        r.a.offset = 0;
    if (!text || parse_alignment(texts[0], texts[1], &r.a))
        return r;
    complain(n, e, keys, texts);
    return (struct aligner){.kind = ALIGNER_FLOW};
}

static struct aligner find_aligner(struct net *n, uint32_t e)
{
    const char *name = n->elements[e].class_name, *ether;

    if (strcmp(name, "Align") == 0)
        return align_aligner(n, e);
    if (strcmp(name, "Strip") == 0 || strcmp(name, "Unstrip") == 0)
        return strip_aligner(n, e);
    if (strcmp(name, "CheckIPHeader") == 0 || strcmp(name, "CheckIPHeader2") == 0 ||
        strcmp(name, "MarkIPHeader") == 0)
        return header_aligner(n, e);
    if (strcmp(name, "FromHost") == 0 || strcmp(name, "FromDevice") == 0 ||
        strcmp(name, "PollDevice") == 0)
        return device_aligner(n, e, true);
    if (strcmp(name, "ToHost") == 0)
        return device_aligner(n, e, false);
    if (strcmp(name, "ICMPError") == 0) {
        ether = argument(n, e, "ETHER", -1);
        return !ether || strcmp(ether, "true") != 0
                   ? (struct aligner){ALIGNER_GENERATE, {4, 0}, 0}
                   : (struct aligner){.kind = ALIGNER_FLOW};
    }
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].name, name) == 0)
            return classes[i].aligner;
    return (struct aligner){.kind = ALIGNER_FLOW};
}

static int compare_names(const void *key, const void *member)
{
    return strcmp(key, *(const char *const *)member);
}

static const char *flow_code(const char *name)
{
    const char *const *found = bsearch(name, catalogue_names, catalogue_n,
                                       sizeof *catalogue_names, compare_names);

    return found ? catalogue_classes[found - catalogue_names]->flow : NULL;
}

/* --- the flow of alignments ------------------------------------------------------------------ */

/* The alignments at all ports. */
struct flow {
    struct net *n;
    struct aligner *aligners; /* by element */
    const char **codes;
    uint32_t *base[2]; /* by element, and one more: its first port in "at" */
    struct alignment *at[2];
    uint32_t n_at[2];
};

static void *need(struct net *n, size_t count, size_t size)
{
    void *p = arena_alloc_aligned(n->arena, count + 1, size, 16);

    if (!p)
        err(1, NULL);
    return p;
}

static void flow_init(struct flow *f, struct net *n)
{
    *f = (struct flow){.n = n};
    f->aligners = need(n, n->n_elements, sizeof *f->aligners);
    f->codes = need(n, n->n_elements, sizeof *f->codes);
    for (unsigned end = 0; end < 2; end++) {
        f->base[end] = need(n, n->n_elements + 1u, sizeof *f->base[end]);
        for (uint32_t e = 0; e < n->n_elements; e++) {
            f->base[end][e] = f->n_at[end];
            f->n_at[end] += n->elements[e].n_ports[end];
        }
        f->base[end][n->n_elements] = f->n_at[end];
        f->at[end] = need(n, f->n_at[end], sizeof *f->at[end]);
    }
    for (uint32_t e = 0; e < n->n_elements; e++) {
        if (n->elements[e].freed || n->elements[e].dead)
            continue;
        f->aligners[e] = find_aligner(n, e);
        f->codes[e] = flow_code(n->elements[e].class_name);
    }
}

/* Inputs that the element had when the flow was set up. */
static uint32_t n_inputs(const struct flow *f, uint32_t e)
{
    return f->base[NET_TO][e + 1] - f->base[NET_TO][e];
}

static struct alignment *port_of(const struct flow *f, struct net_port p,
                                 enum net_end end)
{
    return &f->at[end][f->base[end][p.element] + p.port];
}

static struct alignment merge(const struct alignment *a, uint32_t n,
                              struct alignment (*how)(struct alignment,
                                                      struct alignment))
{
    struct alignment all = n ? a[0] : (struct alignment){1, 0};

    for (uint32_t i = 1; i < n; i++)
        all = how(all, a[i]);
    return all;
}

/* Along the flow code: what holds for the packets at a port of the other side. */
static struct alignment through(const struct flow *f, uint32_t e, enum net_end from,
                                uint32_t port)
{
    const struct alignment *a = f->at[from] + f->base[from][e];
    struct alignment all = {ALIGNMENT_EMPTY, 0};

    for (uint32_t i = 0; i < f->n->elements[e].n_ports[from]; i++) {
        if (from == NET_TO && flow_connects(f->codes[e], i, port))
            all = alignment_either(all, a[i]);
        if (from == NET_FROM && flow_connects(f->codes[e], port, i))
            all = alignment_both(all, a[i]);
    }
    return all;
}

/* What leaves output `port`. */
static struct alignment have_output(const struct flow *f, uint32_t e, uint32_t port)
{
    const struct aligner *r = &f->aligners[e];
    const struct alignment *in = f->at[NET_TO] + f->base[NET_TO][e];
    uint32_t n_in = f->n->elements[e].n_ports[NET_TO];

    switch (r->kind) {
    case ALIGNER_GENERATE:
        return r->a;
    case ALIGNER_SHIFT:
    case ALIGNER_SHIFT_WANT:
        return alignment_shift(merge(in, n_in, alignment_either), r->shift);
    case ALIGNER_ARP_QUERIER:
        if (!n_in)
            return (struct alignment){ALIGNMENT_EMPTY, 0};
        return port ? (struct alignment){4, 2} : alignment_shift(in[0], -14);
    case ALIGNER_NONE:
        return (struct alignment){ALIGNMENT_EMPTY, 0};
    default:
        return through(f, e, NET_TO, port);
    }
}

/* What is demanded at input `port`. */
static struct alignment want_input(const struct flow *f, uint32_t e, uint32_t port)
{
    const struct aligner *r = &f->aligners[e];
    const struct alignment *out = f->at[NET_FROM] + f->base[NET_FROM][e];
    uint32_t n_out = f->n->elements[e].n_ports[NET_FROM];

    switch (r->kind) {
    case ALIGNER_GENERATE:
    case ALIGNER_NONE:
        return (struct alignment){ALIGNMENT_EMPTY, 0};
    case ALIGNER_SHIFT:
        return alignment_shift(merge(out, n_out, alignment_both), -r->shift);
    case ALIGNER_WANT:
    case ALIGNER_SHIFT_WANT:
        return r->a;
    case ALIGNER_ARP_QUERIER:
        return port == 0 && n_out ? alignment_shift(out[0], 14)
                                  : (struct alignment){2, 0};
    default:
        return through(f, e, NET_FROM, port);
    }
}

/* Along the connections to the ports at `end`. True: something is new. */
static bool flow_connections(struct flow *f, enum net_end end)
{
    struct net *n = f->n;
    struct alignment *fresh = calloc(f->n_at[end] + 1u, sizeof *fresh);
    bool changed;

    if (!fresh)
        err(1, NULL);
    for (uint32_t c = n->head; c != NET_NONE; c = n->connections[c].after) {
        const struct net_connection *k = &n->connections[c];
        struct alignment from = *port_of(f, k->end[!end], !end);
        struct alignment *to = &fresh[port_of(f, k->end[end], end) - f->at[end]];

        *to = end == NET_TO ? alignment_either(*to, from) : alignment_both(*to, from);
    }
    changed = memcmp(fresh, f->at[end], f->n_at[end] * sizeof *fresh) != 0;
    memcpy(f->at[end], fresh, f->n_at[end] * sizeof *fresh);
    free(fresh);
    return changed;
}

/* Down: what packets have. Up: what elements want. A loop of shifts might go round for
 * ever; each alignment can only change a few times otherwise. */
static void flow_run(struct flow *f, bool down)
{
    uint32_t rounds = 64 + 4 * f->n->n_elements;
    enum net_end end = down ? NET_FROM : NET_TO;

    do
        for (uint32_t e = 0; e < f->n->n_elements; e++)
            for (uint32_t p = 0; p < f->n->elements[e].n_ports[end]; p++)
                f->at[end][f->base[end][e] + p] = down ? have_output(f, e, p)
                                                       : want_input(f, e, p);
    while (flow_connections(f, !end) && --rounds);
}

/* --- changes ----------------------------------------------------------------------------------- */

static struct place here(void)
{
    return (struct place){"<click-align>", 0, 0};
}

struct adder {
    struct net *n;
    uint32_t n_old;  /* elements that were there */
    uint32_t number; /* for the next name */
    unsigned added;
};

static void add_before(struct adder *a, struct net_port p, struct alignment want,
                       const char *class_name, const char *more)
{
    uint32_t e = net_element(
        a->n, net_format(a->n, "%s@click_align@%u", class_name, a->number++),
        class_name,
        net_format(a->n, "%d, %d%s", alignment_modulus(want), want.offset, more),
        here());

    net_insert_before(a->n, (struct net_port){e, 0}, p);
    a->added++;
}

static void describe(struct alignment a, char buf[24])
{
    snprintf(buf, 24, "%d/%d", a.modulus, a.offset);
    if (a.modulus <= 0)
        snprintf(buf, 24, "%s",
                 a.modulus == ALIGNMENT_BAD     ? "BAD"
                 : a.modulus == ALIGNMENT_EMPTY ? "EMPTY"
                                                : "UNIVERSAL");
}

/* Put an Align before each input that does not get what it wants. */
static void add_aligns(struct adder *a, const struct flow *have,
                       const struct flow *want, bool tell)
{
    for (uint32_t e = 0; e < a->n_old; e++)
        for (uint32_t p = 0; p < n_inputs(have, e); p++) {
            struct net_port at = {e, p};
            struct alignment is = *port_of(have, at, NET_TO);
            struct alignment wanted = *port_of(want, at, NET_TO);
            char text[24];

            if (alignment_meets(is, wanted) || wanted.modulus == ALIGNMENT_BAD)
                continue;
            describe(is, text);
            if (tell)
                fprintf(stderr, "%s[%u]: adding Align(%d, %d) to fix %s\n",
                        a->n->elements[e].name, p, alignment_modulus(wanted),
                        wanted.offset, text);
            add_before(a, at, wanted, "Align", "");
        }
}

static void add_wanted(struct adder *a)
{
    struct flow have, want;

    flow_init(&have, a->n);
    flow_run(&have, true);
    flow_init(&want, a->n);
    flow_run(&want, false);
    add_aligns(a, &have, &want, verbose);
}

/* Classifiers take what comes, if it is always the same. */
static void add_consistent(struct adder *a)
{
    struct flow have, want;

    flow_init(&have, a->n);
    flow_run(&have, true);
    flow_init(&want, a->n);
    memcpy(want.at[NET_TO], have.at[NET_TO],
           have.n_at[NET_TO] * sizeof *have.at[NET_TO]);
    for (uint32_t e = 0; e < a->n->n_elements; e++) {
        struct alignment *in = want.at[NET_TO] + want.base[NET_TO][e], all;
        uint32_t n_in = a->n->elements[e].n_ports[NET_TO];

        if (want.aligners[e].kind != ALIGNER_CONSISTENT)
            continue;
        all = merge(in, n_in, alignment_either);
        if (alignment_modulus(all) < 4)
            all.modulus = 4;
        for (uint32_t p = 0; p < n_in; p++)
            in[p] = all;
    }
    add_aligns(a, &have, &want, false);
}

static void add_assertions(struct adder *a)
{
    struct flow want;

    flow_init(&want, a->n);
    for (uint32_t e = 0; e < a->n_old; e++)
        for (uint32_t p = 0; p < n_inputs(&want, e); p++) {
            struct alignment wanted = want_input(&want, e, p);

            if (alignment_modulus(wanted) > 1)
                add_before(a, (struct net_port){e, p}, wanted, "CheckAlign",
                           ", ASSERT true");
        }
}

static struct alignment align_config(struct net *n, uint32_t e)
{
    struct alignment a;

    if (parse_alignment(argument(n, e, "MODULUS", 0), argument(n, e, "OFFSET", 1), &a))
        return a;
    return (struct alignment){ALIGNMENT_BAD, 0};
}

/* Where an Align follows another one, the first goes, unless it is the one that does the
 * work: the second is redundant then, and goes later. */
static void join_aligns(struct net *n)
{
    uint32_t next;

    for (uint32_t c = n->head; c != NET_NONE; c = next) {
        struct net_port from = n->connections[c].end[NET_FROM];
        struct net_port to = n->connections[c].end[NET_TO];
        uint32_t before;

        next = n->connections[c].after;
        if (!net_is(n, to.element, "Align") || !net_is(n, from.element, "Align") ||
            to.port || from.port ||
            alignment_meets(align_config(n, from.element), align_config(n, to.element)))
            continue;
        before = net_sole(n, from, NET_TO);
        if (net_sole(n, to, NET_TO) != NET_NONE && before != NET_NONE) {
            net_change(n, c, NET_FROM, n->connections[before].end[NET_FROM]);
        } else if (net_sole(n, from, NET_FROM) != NET_NONE) {
            net_disconnect(n, c);
            net_move(n, from, to, NET_TO);
        }
    }
}

/* Lead what is aligned already past an Align. False: there was none such. */
static bool skip_aligns(struct net *n)
{
    bool changed = false;
    struct flow f;
    uint32_t next;

    flow_init(&f, n);
    flow_run(&f, true);
    for (uint32_t c = n->head; c != NET_NONE; c = next) {
        struct net_port from = n->connections[c].end[NET_FROM];
        struct net_port to = n->connections[c].end[NET_TO];

        if (net_is(n, to.element, "Align") &&
            n->elements[to.element].n_ports[NET_FROM] &&
            alignment_meets(*port_of(&f, from, NET_FROM),
                            *port_of(&f, (struct net_port){to.element, 0}, NET_FROM))) {
            changed = true;
            for (uint32_t k = net_first(n, to, NET_FROM); k != NET_NONE;
                 k = net_next(n, k, NET_FROM))
                net_connect(n, from, n->connections[k].end[NET_TO]);
            next = n->connections[c].after;
            net_disconnect(n, c);
        } else {
            next = n->connections[c].after;
        }
    }
    return changed;
}

/* Aligns that nothing comes to or leaves, and what an earlier run told. */
static void remove_unused(struct adder *a)
{
    struct net *n = a->n;
    bool again;

    for (uint32_t e = 0; e < n->n_elements; e++)
        if (net_is(n, e, "AlignmentInfo"))
            n->elements[e].dead = true;
    do {
        again = false;
        for (uint32_t e = 0; e < n->n_elements; e++) {
            struct net_element *x = &n->elements[e];

            if (!net_is(n, e, "Align") || (x->n_ports[NET_TO] && x->n_ports[NET_FROM]))
                continue;
            if (x->at.file && strcmp(x->at.file, here().file) == 0)
                a->added--;
            x->dead = again = true;
            net_drop_dead_connections(n);
        }
    } while (again);
    net_remove_dead(n);
}

static bool asks(const char *class_name)
{
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
        if (strcmp(asking[i], class_name) == 0)
            return true;
    return false;
}

static void add_info(struct adder *a)
{
    struct sbuf text = SBUF_INIT;
    struct net *n = a->n;
    struct flow f;

    flow_init(&f, n);
    flow_run(&f, true);
    for (uint32_t e = 0; e < n->n_elements; e++) {
        const struct net_element *x = &n->elements[e];

        if (!x->n_ports[NET_TO] || !asks(x->class_name))
            continue;
        sbuf_printf(&text, "%s%s", text.len ? ",\n  " : "", x->name);
        for (uint32_t p = 0; p < x->n_ports[NET_TO]; p++) {
            struct alignment is = *port_of(&f, (struct net_port){e, p}, NET_TO);

            sbuf_printf(&text, "  %d %d", alignment_modulus(is), is.offset);
        }
    }
    if (text.len)
        net_element(n, net_format(n, "AlignmentInfo@click_align@%u", a->number),
                    "AlignmentInfo", sbuf_text(&text), here());
    sbuf_fini(&text);
}

static void align(struct net *n)
{
    struct adder a = {.n = n, .n_old = n->n_elements, .number = n->n_elements + 1};

    while (net_find(n, net_format(n, "Align@click_align@%u", a.number)) != NET_NONE)
        a.number++;
    if (assertions) {
        add_assertions(&a);
        return;
    }
    add_wanted(&a);
    join_aligns(n);
    add_consistent(&a);
    while (skip_aligns(n))
        ;
    remove_unused(&a);
    add_info(&a);
    if (a.added)
        fprintf(stderr, "warning: added %u Align element%s\n", a.added,
                a.added == 1 ? "" : "s");
}

static int work(struct tool *t, struct tool_config *c)
{
    align(&c->net);
    return tool_write_config(t, c);
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-align",
                     .usage = usage,
                     .short_options = "Vblu",
                     .long_options = options,
                     .option = set_option};

    return tool_main(&t, argc, argv, work);
}
