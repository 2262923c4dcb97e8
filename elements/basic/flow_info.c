// SPDX-License-Identifier: BSD-3-Clause
/*
 * FlowInfo -- say how packets travel through elements
 *
 * Usage:    FlowInfo(ELEMENT CODE, ...)
 * Ports:    none
 * Args:     ELEMENT CODE  the element's flow code, such as "xy/x"
 * Counters: none
 * Handlers: none
 * Example:  FlowInfo(my_switch x/x);
 * See also: ScheduleInfo
 *
 * An element that looks up or down the graph for others, as Unqueue does for queues, goes
 * through an element from an input to the outputs that have a letter in common with it.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/router.h"

static int flow_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    int rc = 0; /* of memory only: other errors keep nobody from running, as in Click */

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);
        const struct element *at;

        if (n != 2)
            diag_err(d, "expected 'ELEMENT CODE'");
        else if ((at = element_find(e, words[0], d)) &&
                 router_set_flow(e->router, at, words[1]) < 0)
            rc = diag_err(d, "out of memory");
    }
    return rc;
}

ELEMENT(FlowInfo) = {
    .name = "FlowInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
    .configure = flow_info_configure,
};
