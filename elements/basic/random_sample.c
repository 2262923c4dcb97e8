// SPDX-License-Identifier: BSD-3-Clause
/*
 * RandomSample -- pass packets with a probability
 *
 * Usage:    RandomSample(P, SAMPLE P, DROP P, ACTIVE true)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     P       probability of passing, 0 to 1
 *           SAMPLE  the same as P
 *           DROP    probability of not passing; one of the three must be given
 *           ACTIVE  while false, all packets pass; default true
 * Counters: drops  packets that did not pass
 * Handlers: sampling_prob, drop_prob, active  (read/write) the arguments
 *           config  (read) SAMPLE and ACTIVE
 * Example:  ... -> rs :: RandomSample(0.01) -> ToDump(sample.pcap);  rs[1] -> ...
 * See also: RandomSwitch, RandomBitErrors
 *
 * What does not pass leaves by output 1, or is dropped if that is not connected.
 */

#include "engine/element.h"
#include "engine/unparse.h"

enum { SAMPLE_BITS = 28 };
#define SAMPLE_ONE (UINT32_C(1) << SAMPLE_BITS)

struct random_sample {
    uint64_t pass, drop; /* probabilities in fixed point */
    bool p_given, sample_given, drop_given, active;
};

static int random_sample_parse(struct element *e, const char *text, void *member,
                               struct diag *d)
{
    return parse_real_fixed(text, SAMPLE_BITS, member) ? 0 : diag_err(d, "parse error");
}

#define RANDOM_SAMPLE_ARG_(name_, flags_, def_, member_, help_)                        \
    .name = (name_), .kind = ARG_KIND_CUSTOM, .flags = (flags_), .def = (def_),        \
    .offset = offsetof(struct random_sample, member_), .help = (help_),                \
    .parse = random_sample_parse

static const struct arg_spec random_sample_args[] = {
    {RANDOM_SAMPLE_ARG_("P", ARG_POS, NULL, pass, "probability of passing"),
     .seen = 1 + offsetof(struct random_sample, p_given)},
    {RANDOM_SAMPLE_ARG_("SAMPLE", ARG_KEY, NULL, pass, "the same as P"),
     .seen = 1 + offsetof(struct random_sample, sample_given)},
    {RANDOM_SAMPLE_ARG_("DROP", ARG_KEY, NULL, drop, "probability of not passing"),
     .seen = 1 + offsetof(struct random_sample, drop_given)},
    ARG_BOOL(random_sample, active, "ACTIVE", ARG_KEY, "true",
             "while false, all packets pass"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec random_sample_counters[] = {
    [C_DROPS] = {"drops", "packets that did not pass"},
    {NULL, NULL},
};

static int random_sample_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct random_sample *s = element_state(e);

    if (s->sample_given && s->drop_given)
        return diag_err(d, "give at most one of SAMPLE and DROP");
    if (s->drop_given)
        s->pass = SAMPLE_ONE - s->drop; /* one above 1 becomes a huge one */
    if (s->pass > SAMPLE_ONE || !(s->p_given || s->sample_given || s->drop_given))
        return diag_err(d, "sampling probability must be between 0 and 1");
    return 0;
}

static inline verdict_t random_sample_one(struct element *e, struct pkt *p)
{
    const struct random_sample *s = element_state(e);

    if (!s->active || (element_random(e) & (SAMPLE_ONE - 1)) < s->pass)
        return 0;
    return spill(e, 1, C_DROPS);
}

ELEMENT_LOOP(random_sample)

static int random_sample_read(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d)
{
    const struct random_sample *s = element_state(e);
    char buf[UNPARSE_ROOM];

    sbuf_puts(
        out, unparse_fixed(h->user ? SAMPLE_ONE - s->pass : s->pass, SAMPLE_BITS, buf));
    return 0;
}

static int random_sample_read_config(struct element *e, const struct handler_spec *h,
                                     const char *param, struct sbuf *out,
                                     struct diag *d)
{
    const struct random_sample *s = element_state(e);
    char buf[UNPARSE_ROOM];

    sbuf_printf(out, "SAMPLE %s, ACTIVE %s", unparse_fixed(s->pass, SAMPLE_BITS, buf),
                s->active ? "true" : "false");
    return 0;
}

static int random_sample_write(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    struct random_sample *s = element_state(e);
    uint64_t p;

    if (!parse_real_fixed(value, SAMPLE_BITS, &p) || p > SAMPLE_ONE)
        return diag_err(d, "Must be given a number between 0.0 and 1.0");
    s->pass = h->user ? SAMPLE_ONE - p : p;
    return 0;
}

static const struct handler_spec random_sample_handlers[] = {
    {.name = "sampling_prob",
     .help = "probability of passing",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .read = random_sample_read,
     .write = random_sample_write},
    {.name = "drop_prob",
     .help = "probability of not passing",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .user = 1,
     .read = random_sample_read,
     .write = random_sample_write},
    HANDLER_VALUE(random_sample, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX, "active",
                  "while false, all packets pass"),
    HANDLER_READER(random_sample_read_config, "config", "SAMPLE and ACTIVE"),
    HANDLER_END,
};

ELEMENT(RandomSample) = {
    .name = "RandomSample",
    .state_size = sizeof(struct random_sample),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = random_sample_args,
    .live = true,
    .counters = random_sample_counters,
    .handlers = random_sample_handlers,
    .configure = random_sample_configure,
    .push = random_sample_push,
    .pull = random_sample_pull,
};
