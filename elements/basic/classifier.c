// SPDX-License-Identifier: BSD-3-Clause
/*
 * Classifier -- sort packets by their bytes
 *
 * Usage:    Classifier(PATTERN_0, ..., PATTERN_N)
 * Ports:    1 in, one out for each pattern; push
 * Args:     PATTERN  clauses separated by blanks, all of which must hold, or "-", which
 *                    matches every packet
 * Handlers: program  read    the patterns as a decision program
 *           pattern  read/write  the pattern with this number: pattern0, pattern1 ...
 * Example:  c :: Classifier(12/0806 20/0001, 12/0800, -);
 * See also: IPClassifier, IPFilter
 *
 * A packet leaves by the output of the first pattern that it matches, and is dropped if
 * there is none. The clause OFFSET/VALUE holds if the packet has the bytes VALUE, in hex,
 * at OFFSET, in decimal, from its start; "?" stands for any hex digit. With a mask behind
 * it, as in 14/40%f0, only bits that are set there are compared. A "!" in front makes it
 * hold for all other packets, those that are too short included.
 *
 * The time that a packet takes hardly depends on how many patterns there are.
 */

#include "engine/element.h"

#include "engine/classify/filter.h"

static int classifier_configure(struct element *e, struct conf *c, struct diag *d)
{
    return filter_configure(element_state(e), &filter_data_patterns, e, c, d);
}

static void classifier_cleanup(struct element *e)
{
    filter_cleanup(element_state(e));
}

static void classifier_push(struct element *e, unsigned port, struct batch *b)
{
    (void)port;
    filter_push(element_state(e), e, b);
}

static int classifier_program(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d)
{
    (void)h;
    (void)param;
    return filter_program(&filter_data_patterns, e, out, d);
}

static const struct handler_spec classifier_handlers[] = {
    HANDLER_READER(classifier_program, "program", "the patterns as a decision program"),
    {.name = "pattern",
     .help = "the pattern with this number",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_NUMBERED,
     .read = filter_pattern_read,
     .write = filter_pattern_write},
    HANDLER_END,
};

ELEMENT(Classifier) = {
    .name = "Classifier",
    .state_size = sizeof(struct filter),
    .keeps = PKT_PARTS,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .live = true,
    .handlers = classifier_handlers,
    .configure = classifier_configure,
    .cleanup = classifier_cleanup,
    .push = classifier_push,
};
