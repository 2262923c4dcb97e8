// SPDX-License-Identifier: BSD-3-Clause
/*
 * KernelFilter -- keep the kernel from handling packets
 *
 * Usage:    KernelFilter(drop dev DEVNAME, ... [, IPTABLES_COMMAND])
 * Ports:    none
 * Args:     drop dev DEVNAME  drop what comes in by that device
 *           IPTABLES_COMMAND  the program to use, default /sbin/iptables or
 *                             /usr/sbin/iptables
 * Counters: none
 * Handlers: none
 * Example:  KernelFilter(drop dev eth0); FromDevice(eth0) -> ... -> ToDevice(eth1);
 * See also: FromDevice, KernelTun
 *
 * FromDevice gets the packets all the same. The rules are taken away when the configuration
 * ends, but not when the program is killed.
 */

#include "engine/element.h"
#include "engine/os/kernel_filter.h"

#include "engine/lang/lang.h"

struct kernel_filter {
    struct text iptables;
    const char **devices; /* in the arena */
    uint32_t n, added;
};

static const struct arg_spec kernel_filter_args[] = {
    ARG_STRING(kernel_filter, iptables, "IPTABLES_COMMAND", 0, NULL, "program to use"),
    ARG_END,
};

static int kernel_filter_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct kernel_filter *s = element_state(e);

    s->devices = element_alloc(e, sizeof *s->devices * (size_t)(c->argc + 1));
    if (!s->devices)
        return diag_err(d, "out of memory");
    for (int i = 0; i < c->argc; i++) {
        const char *const *words = NULL;
        int n = lang_split_words(c->scratch, c->argv[i], &words);
        size_t len = n == 3 ? strlen(words[2]) : 0;
        const char *name = n == 3 ? lang_unquote(c->scratch, words[2], &len) : NULL;
        char *copy;

        if (!name || !len || strcmp(words[0], "drop") != 0 ||
            strcmp(words[1], "dev") != 0)
            return diag_err(d, "arguments must follow 'drop dev DEVNAME'");
        copy = element_alloc(e, len + 1);
        if (!copy)
            return diag_err(d, "out of memory");
        memcpy(copy, name, len);
        s->devices[s->n++] = copy;
    }
    return 0;
}

static int kernel_filter_initialize(struct element *e, struct diag *d)
{
    struct kernel_filter *s = element_state(e);

    for (; s->added < s->n; s->added++)
        if (kernel_filter(s->devices[s->added], true, s->iptables.s, d) < 0)
            return -1;
    return 0;
}

static void kernel_filter_cleanup(struct element *e)
{
    struct kernel_filter *s = element_state(e);
    struct diag d = DIAG_INIT;

    while (s->added)
        kernel_filter(s->devices[--s->added], false, s->iptables.s, &d);
    if (d.n_messages)
        element_say(e, "%s", diag_text(&d));
    diag_fini(&d);
}

ELEMENT(KernelFilter) = {
    .name = "KernelFilter",
    .state_size = sizeof(struct kernel_filter),
    .ports = "0/0",
    .driver_only = true,
    .any_args = true,
    .args = kernel_filter_args,
    .configure = kernel_filter_configure,
    .initialize = kernel_filter_initialize,
    .cleanup = kernel_filter_cleanup,
};
