// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToHost -- Ethernet frames to the kernel, through FromHost's interface
 *
 * Usage:    ToHost(DEVNAME)
 * Ports:    1 in, 0 out; push
 * Args:     DEVNAME   name of an interface that a FromHost of this configuration has made
 * Counters: drops     frames that were too short or that the kernel refused
 * Handlers: dev_name  (read) DEVNAME
 * Example:  FromHost(fake0, 192.0.2.1/24) -> EtherMirror -> ToHost(fake0);
 * See also: FromHost, KernelTap
 *
 * The frames come to the kernel as if they had been received by the interface.
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/router.h"

#include <errno.h>
#include <unistd.h>

struct to_host {
    struct text name;
    const int *fd; /* borrowed, of FromHost: 1 + the descriptor */
    bool complained;
};

static const struct arg_spec to_host_args[] = {
    ARG_STRING(to_host, name, "DEVNAME", ARG_M, NULL, "interface"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec to_host_counters[] = {
    [C_DROPS] = {"drops", "frames that were refused"},
    {NULL, NULL},
};

static int to_host_initialize(struct element *e, struct diag *d)
{
    struct to_host *t = element_state(e);

    for (uint32_t i = 0; i < router_n_elements(e->router); i++) {
        struct element *other = router_element(e->router, i);
        const char *name = other->cls->cast ? other->cls->cast(other, "FromHost name")
                                            : NULL;

        if (name && !strcmp(name, t->name.s)) {
            t->fd = other->cls->cast(other, "FromHost fd");
            if (*t->fd)
                return 0;
        }
    }
    return diag_err(d,
                    "ToHost(%s) requires an initialized FromHost with the same "
                    "dev_name",
                    t->name.s);
}

static void to_host_push(struct element *e, unsigned port, struct batch *b)
{
    struct to_host *t = element_state(e);

    for (uint32_t i = 0; i < b->n; i++) {
        const struct pkt *p = b->p[i];

        if (p->len < sizeof(struct eth_hdr)) {
            element_say(e, "ToHost: packet too small\n");
        } else if (write(*t->fd - 1, p->data, p->len) == (ssize_t)p->len) {
            continue;
        } else if (errno != ENOBUFS || !t->complained) {
            t->complained = true;
            element_say(e, "ToHost(%s): write failed: %s\n", t->name.s,
                        strerror(errno));
        }
        element_count(e, C_DROPS, 1);
    }
    batch_free(b);
}

static const struct handler_spec to_host_handlers[] = {
    HANDLER_VALUE(to_host, name, ARG_KIND_STRING, HANDLER_READ, "dev_name", "DEVNAME"),
    HANDLER_END,
};

ELEMENT(ToHost) = {
    .name = "ToHost",
    .state_size = sizeof(struct to_host),
    .ports = "1/0",
    .processing = "h/h",
    .driver_only = true,
    .phase = PHASE_DEFAULT + 1, /* behind FromHost */
    .args = to_host_args,
    .counters = to_host_counters,
    .handlers = to_host_handlers,
    .initialize = to_host_initialize,
    .push = to_host_push,
};
