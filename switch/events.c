// SPDX-License-Identifier: BSD-3-Clause
/* events.c -- what the switch tells the daemon, and the names of things */

#include "base/errtext.h"
#include "switch/plane.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_EVENTS = 256 };

int events_init(struct backplane *bp, struct diag *d)
{
    bp->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bp->event_fd < 0)
        return diag_err(d, "cannot make an event fd: %s", errtext(errno));
    bp->events = calloc(MAX_EVENTS, sizeof *bp->events);
    if (!bp->events)
        return diag_err(d, "out of memory");
    return 0;
}

void events_fini(struct backplane *bp)
{
    if (bp->event_fd >= 0)
        close(bp->event_fd);
    free(bp->events);
}

void events_ring(struct backplane *bp)
{
    uint64_t one = 1;

    if (write(bp->event_fd, &one, sizeof one) < 0)
        return; /* full: it is readable */
}

static void add_locked(struct backplane *bp, const struct backplane_event *event)
{
    if (bp->n_events == MAX_EVENTS)
        bp->events_lost = true;
    else
        bp->events[(bp->first_event + bp->n_events++) % MAX_EVENTS] = *event;
    events_ring(bp);
}

void event_add(struct backplane *bp, const struct backplane_event *event)
{
    pthread_mutex_lock(&bp->event_lock);
    add_locked(bp, event);
    pthread_mutex_unlock(&bp->event_lock);
}

int backplane_event_fd(const struct backplane *bp)
{
    return bp->event_fd;
}

bool backplane_next_event(struct backplane *bp, struct backplane_event *event)
{
    uint64_t count;
    bool got = true;

    pthread_mutex_lock(&bp->event_lock);
    if (bp->n_events > 0) {
        *event = bp->events[bp->first_event];
        bp->first_event = (bp->first_event + 1) % MAX_EVENTS;
        bp->n_events--;
    } else if (bp->events_lost) {
        *event = (struct backplane_event){.kind = EVENT_LOST,
                                          .text = "events were lost"};
        bp->events_lost = false;
    } else {
        got = false;
        if (!bp->first_wanted && read(bp->event_fd, &count, sizeof count) < 0)
            count = 0; /* was not readable: nothing happened since the last call */
    }
    pthread_mutex_unlock(&bp->event_lock);
    return got;
}

void port_report(struct port *p, enum backplane_event_kind kind, const char *fmt, ...)
{
    struct backplane *bp = p->bp;
    struct backplane_event e = {.kind = kind};
    char text[sizeof p->trouble];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (kind != EVENT_PORT_FAULT)
        p->stopped = true;
    if (kind == EVENT_PORT_DOWN)
        p->closed = true;
    if (!bp)
        return; /* is still being made */
    e.port = p->id;
    e.network = p->net->id;
    snprintf(e.text, sizeof e.text, "port '%s': %.180s", p->name, text);
    pthread_mutex_lock(&bp->event_lock);
    if (kind == EVENT_PORT_DOWN)
        p->state = PORT_DOWN;
    else if (kind == EVENT_PORT_DONE)
        p->state = PORT_DONE;
    if (kind != EVENT_PORT_DONE)
        memcpy(p->trouble, text, sizeof text);
    add_locked(bp, &e);
    pthread_mutex_unlock(&bp->event_lock);
}

/* ---- names ------------------------------------------------------------------------ */

const char *backplane_kind_name(enum port_kind kind)
{
    static const char *const names[] = {
        [PORT_VM] = "vm",
        [PORT_TAP] = "tap",
        [PORT_PACKET] = "packet",
        [PORT_XDP] = "xdp",
        [PORT_PCAP_IN] = "pcap-in",
        [PORT_PCAP_OUT] = "pcap-out",
        [PORT_GENERATOR] = "generator",
        [PORT_SINK] = "sink",
        [PORT_LOT] = "parked",
    };

    return kind >= PORT_VM && kind <= PORT_LOT ? names[kind] : "?";
}

const char *backplane_state_name(enum port_state state)
{
    static const char *const names[] = {
        [PORT_UP] = "up",
        [PORT_DISABLED] = "disabled",
        [PORT_DONE] = "done",
        [PORT_DOWN] = "down",
    };

    return state >= PORT_UP && state <= PORT_DOWN ? names[state] : "?";
}

static const struct {
    const char *name, *help;
} drop_names[DROP_REASONS] = {
    [DROP_BAD_SLOT] = {"bad-slot", "buffer, offset or length outside of the memory"},
    [DROP_RUNT] = {"runt", "shorter than an Ethernet header"},
    [DROP_NO_PORT] = {"no-port", "no other port to go to"},
    [DROP_SAME_PORT] = {"same-port", "the destination is behind the port it came from"},
    [DROP_STORM] = {"storm", "more packets to many than allowed"},
    [DROP_BROADCAST] = {"broadcast", "more broadcasts than allowed"},
    [DROP_MULTICAST] = {"multicast", "more multicasts than allowed"},
    [DROP_UNKNOWN] = {"unknown", "more packets to unknown addresses than allowed"},
    [DROP_SPOOF] = {"spoof", "a source address that the port may not use"},
    [DROP_TOO_MANY] = {"too-many", "a packet of too many slots"},
    [DROP_FULL] = {"full", "the receiver had no room"},
    [DROP_BAD_BUFFER] = {"bad-buffer",
                         "the receiver offered a buffer outside of memory"},
    [DROP_TOO_LONG] = {"too-long", "longer than the receiver can take"},
    [DROP_OFFLOAD] = {"offload", "segmentation that the receiver does not understand"},
    [DROP_RATE] = {"rate", "above the receiver's rate limit"},
    [DROP_DISABLED] = {"disabled", "the receiver is disabled or down"},
    [DROP_DEVICE] = {"device", "refused by the kernel, the disk or the reader"},
};

const char *backplane_drop_name(enum drop_reason reason)
{
    return reason < DROP_REASONS ? drop_names[reason].name : "?";
}

const char *backplane_drop_help(enum drop_reason reason)
{
    return reason < DROP_REASONS ? drop_names[reason].help : "?";
}
