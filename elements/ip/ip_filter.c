// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPFilter -- let IP packets pass, or not, by rules
 *
 * Usage:    IPFilter(ACTION EXPRESSION, ...)
 * Ports:    1 in, any number out; push
 * Args:     ACTION      an output number, "allow" (output 0), "drop" or "deny"
 *           EXPRESSION  which packets: see IPClassifier; none means all
 * Handlers: program  read    the rules as a decision program
 * Example:  IPFilter(allow icmp, allow dst tcp port 80 or 443, deny all)
 * See also: IPClassifier, Classifier, CheckIPHeader, MarkIPHeader, AddressInfo
 *
 * The first rule whose expression is true for a packet says what happens to it; a packet
 * that no rule speaks of is dropped. Packets must have their header annotations set, as
 * CheckIPHeader and MarkIPHeader do; one without is like one that is too short for
 * everything.
 *
 * The time that a packet takes hardly depends on how many rules there are. Writing the
 * `config` handler installs new rules between two packets; if they have an error, the old
 * ones stay.
 */

#include "engine/element.h"

#include "engine/classify/filter.h"

static int ip_filter_configure(struct element *e, struct conf *c, struct diag *d)
{
    return filter_configure(element_state(e), &filter_ip_actions, e, c, d);
}

static void ip_filter_cleanup(struct element *e)
{
    filter_cleanup(element_state(e));
}

static void ip_filter_push(struct element *e, unsigned port, struct batch *b)
{
    (void)port;
    filter_push(element_state(e), e, b);
}

static int ip_filter_program(struct element *e, const struct handler_spec *h,
                             const char *param, struct sbuf *out, struct diag *d)
{
    (void)h;
    (void)param;
    return filter_program(&filter_ip_actions, e, out, d);
}

static const struct handler_spec ip_filter_handlers[] = {
    HANDLER_READER(ip_filter_program, "program", "the rules as a decision program"),
    HANDLER_END,
};

ELEMENT(IPFilter) = {
    .name = "IPFilter",
    .state_size = sizeof(struct filter),
    .keeps = PKT_PARTS,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .live = true,
    .handlers = ip_filter_handlers,
    .configure = ip_filter_configure,
    .cleanup = ip_filter_cleanup,
    .push = ip_filter_push,
};
