// SPDX-License-Identifier: BSD-3-Clause
/* l4_check.c -- checks of transport headers: see l4_check.h */

#include "engine/l4_check.h"

const struct counter_spec l4_check_counters[] = {
    [L4_CHECK_DROPS] = {"drops", "packets that failed the checks"},
    {NULL, NULL},
};

static void reason_text(const char *protocol, int reason, struct sbuf *out)
{
    if (reason == L4_NOT)
        sbuf_printf(out, "not %s", protocol);
    else if (reason == L4_LENGTH)
        sbuf_puts(out, "bad packet length");
    else
        sbuf_printf(out, "bad %s checksum", protocol);
}

verdict_t l4_check_bad(struct element *e, const char *protocol, int reason)
{
    struct l4_check_element *s = element_state(e);
    struct sbuf text = SBUF_INIT;

    if (s->verbose || e->counters[L4_CHECK_DROPS] == 0) {
        reason_text(protocol, reason, &text);
        if (strcmp(protocol, "UDP") != 0) /* as in Click */
            element_say(e, "%s: ", element_declaration(e));
        element_say(e, "%s header check failed: %s\n", protocol, sbuf_text(&text));
        sbuf_fini(&text);
    }
    s->reasons[reason]++;
    return spill(e, 1, L4_CHECK_DROPS);
}

static int read_details(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d)
{
    const struct l4_check_element *s = element_state(e);
    char protocol[8] = "";
    size_t n = 0;

    /* "CheckTCPHeader" */
    for (const char *c = e->cls->name + 5; *c && strcmp(c, "Header") != 0 && n < 7; c++)
        protocol[n++] = *c;
    for (int i = 0; i < L4_REASONS; i++) {
        sbuf_printf(out, "%llu\t", (unsigned long long)s->reasons[i]);
        reason_text(protocol, i, out);
        sbuf_putc(out, '\n');
    }
    return 0;
}

/* It is only there with DETAILS. */
const struct handler_spec *l4_check_more(struct element *e, const char *name, size_t i)
{
    static const struct handler_spec details = HANDLER_READER(
        read_details, "drop_details", "drops by reason");
    const struct l4_check_element *s = element_state(e);

    if (!s->details || (name ? strcmp(name, details.name) != 0 : i != 0))
        return NULL;
    return &details;
}

void l4_check_take_state(struct element *e, struct element *old)
{
    struct l4_check_element *s = element_state(e);
    const struct l4_check_element *o = element_state(old);

    memcpy(s->reasons, o->reasons, sizeof s->reasons);
}
