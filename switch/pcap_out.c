// SPDX-License-Identifier: BSD-3-Clause
/*
 * pcap_out.c -- a port that writes what it gets into a pcap file
 *
 * A packet counts as delivered when it is written. When that fails, by a full disk for
 * one, it is reported once; from then on all packets are counted as dropped.
 */

#include "base/errtext.h"
#include "switch/pcap_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct pcap_out {
    struct port port;
    struct pcap_writer writer;
    bool reported;
};

static uint64_t wall_clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void pcap_out_flush(struct port *p)
{
    struct pcap_out *o = (struct pcap_out *)p;

    pcap_writer_flush(&o->writer, &p->count.out_packets, &p->count.out_bytes,
                      &p->count.drops[DROP_DEVICE]);
    if (o->writer.error && !o->reported) {
        o->reported = true;
        port_report(p, EVENT_PORT_FAULT, "cannot write %s: %s; dropping packets",
                    p->device, errtext(o->writer.error));
    }
}

static void pcap_out_tx(struct port *p, struct worker *w, const struct frame *frames,
                        const uint16_t *list, unsigned n)
{
    struct pcap_out *o = (struct pcap_out *)p;
    uint64_t now = wall_clock_ns();

    for (unsigned i = 0; i < n; i++) {
        if (pcap_writer_add(&o->writer, &frames[list[i]], now))
            continue;
        pcap_out_flush(p);
        if (!pcap_writer_add(&o->writer, &frames[list[i]], now))
            port_drop(p, o->writer.error ? DROP_DEVICE : DROP_FULL, 1);
    }
    worker_mark_dirty(w, p);
}

static void pcap_out_free(struct port *p)
{
    struct pcap_out *o = (struct pcap_out *)p;

    if (o->writer.room)
        pcap_writer_flush(&o->writer, NULL, NULL, NULL);
    pcap_writer_fini(&o->writer);
    free(o);
}

static const struct port_ops pcap_out_ops = {
    .kind = PORT_PCAP_OUT,
    .tx = pcap_out_tx,
    .flush = pcap_out_flush,
    .free = pcap_out_free,
};

struct port *pcap_out_new(const struct pcap_out_config *c, struct diag *d)
{
    struct pcap_out *o = calloc(1, sizeof *o);
    const char *name = c->path ? c->path : "pcap output";
    int fd;

    if (!o) {
        diag_err(d, "out of memory");
        return NULL;
    }
    o->port.ops = &pcap_out_ops;
    o->port.fd = -1;
    o->port.takes_offload = true;
    fd = c->fd > 0 ? fcntl(c->fd, F_DUPFD_CLOEXEC, 3)
         : c->path ? open(c->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)
                   : -1;
    if (fd < 0) {
        diag_err(d, "cannot open %s: %s", name,
                 c->path || c->fd > 0 ? errtext(errno) : "no path was given");
        free(o);
        return NULL;
    }
    if (pcap_writer_init(&o->writer, fd, c->snaplen, d) < 0) {
        free(o);
        return NULL;
    }
    snprintf(o->port.device, sizeof o->port.device, "%.*s", (int)BACKPLANE_NAME - 1,
             name);
    return &o->port;
}
