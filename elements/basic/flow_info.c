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
 * Flow codes are known for every class, so what is said here is checked for its form and
 * is otherwise not used.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"

static int flow_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);

        if (n && (n != 2 || !strchr(words[1], '/')))
            rc = diag_err(d, "expected 'ELEMENT FLOWCODE'");
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
