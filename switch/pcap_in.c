// SPDX-License-Identifier: BSD-3-Clause
/*
 * pcap_in.c -- plays a pcap file into the switch, in its own time or at full speed
 *
 * The file is read, not mapped: one that is cut short meanwhile must not kill us. It is
 * believed in nothing; the first record that makes no sense ends it with a message that
 * says where.
 */

#include "switch/pcap_format.h"
#include "switch/port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW = 512 * 1024 };

struct pcap_in {
    struct port port;
    int file;
    uint8_t *window; /* owned: bytes [at, end) of it are still to be played */
    size_t at, end;
    uint64_t offset; /* of window[at] in the file */
    bool swapped, nano, timed;
    double speed;
    uint64_t repeat, packet;     /* rounds to go; packet number in this one */
    uint64_t first_ns, start_ns; /* of the recording; of the playing, 0: not begun */
};

static uint32_t number(const struct pcap_in *s, uint32_t v)
{
    return s->swapped ? __builtin_bswap32(v) : v;
}

/* At least `n` bytes in the window, if the file has them. */
static bool fill(struct pcap_in *s, size_t n)
{
    while (s->end - s->at < n) {
        ssize_t got;

        if (s->at > 0) {
            memmove(s->window, s->window + s->at, s->end - s->at);
            s->end -= s->at;
            s->at = 0;
        }
        got = read(s->file, s->window + s->end, WINDOW - s->end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        s->end += (size_t)got;
    }
    return true;
}

static void skip(struct pcap_in *s, size_t n)
{
    s->at += n;
    s->offset += n;
}

static int read_head(struct pcap_in *s, const char *name, struct diag *d)
{
    struct pcap_head h;

    if (!fill(s, sizeof h))
        return diag_err(d, "%s: too short for a pcap file", name);
    memcpy(&h, s->window + s->at, sizeof h);
    s->swapped = h.magic == __builtin_bswap32(PCAP_MICRO) ||
                 h.magic == __builtin_bswap32(PCAP_NANO);
    h.magic = number(s, h.magic);
    if (h.magic == 0x0a0d0d0a)
        return diag_err(d,
                        "%s: this is pcapng, not pcap: convert it with "
                        "'editcap -F pcap'",
                        name);
    if (h.magic != PCAP_MICRO && h.magic != PCAP_NANO)
        return diag_err(d, "%s: not a pcap file", name);
    s->nano = h.magic == PCAP_NANO;
    if ((number(s, h.network) & 0xffff) != PCAP_ETHERNET)
        return diag_err(d, "%s: link type %u is not Ethernet", name,
                        number(s, h.network) & 0xffff);
    skip(s, sizeof h);
    return 0;
}

/* The file is at its end, or does not go on sensibly. */
static void finish(struct pcap_in *s, const char *trouble)
{
    if (trouble) {
        port_report(&s->port, EVENT_PORT_FAULT, "%s: packet %llu at byte %llu %s",
                    s->port.device, (unsigned long long)s->packet + 1,
                    (unsigned long long)s->offset, trouble);
    } else if (s->repeat != UINT64_MAX && --s->repeat == 0) {
        /* played often enough */
    } else if (s->packet == 0 ||
               lseek(s->file, sizeof(struct pcap_head), SEEK_SET) < 0) {
        trouble = "";
    } else {
        s->at = s->end = 0;
        s->offset = sizeof(struct pcap_head);
        s->packet = 0;
        s->start_ns = 0;
        return;
    }
    port_report(&s->port, EVENT_PORT_DONE, "%s: played", s->port.device);
}

static uint64_t record_ns(const struct pcap_in *s, const struct pcap_record *r)
{
    uint64_t fraction = number(s, r->fraction);

    return number(s, r->seconds) * 1000000000ull +
           (s->nano ? fraction : fraction * 1000);
}

/* True when the packet's time has not come; says when it will. */
static bool too_early(struct pcap_in *s, uint64_t at_ns, uint64_t now)
{
    double wait;

    if (!s->timed)
        return false;
    if (s->start_ns == 0) {
        s->start_ns = now;
        s->first_ns = at_ns;
    }
    if (at_ns <= s->first_ns)
        return false;
    wait = (double)(at_ns - s->first_ns) / s->speed;
    if (wait > 1e18 || s->start_ns + (uint64_t)wait <= now)
        return false;
    s->port.due_ns = s->start_ns + (uint64_t)wait;
    return true;
}

/* The next packet into `f`; its bytes go to `to`. 0: none now, -1: skipped. */
static int next_packet(struct pcap_in *s, struct frame *f, uint8_t *to, uint64_t now)
{
    struct pcap_record r;
    uint32_t kept;

    if (!fill(s, sizeof r)) {
        finish(s, s->end > s->at ? "is cut short" : NULL);
        return 0;
    }
    memcpy(&r, s->window + s->at, sizeof r);
    kept = number(s, r.kept);
    if (kept > PCAP_SNAPLEN) {
        finish(s, "has an impossible length");
        return 0;
    }
    if (!fill(s, sizeof r + kept)) {
        finish(s, "is cut short");
        return 0;
    }
    if (too_early(s, record_ns(s, &r), now))
        return 0;
    memcpy(&r, s->window + s->at, sizeof r); /* fill() may have moved it */
    skip(s, sizeof r);
    s->packet++;
    if (kept >= 14 && kept <= FRAME_MAX)
        memcpy(to, s->window + s->at, kept);
    skip(s, kept);
    if (kept < 14 || kept > FRAME_MAX) {
        port_drop(&s->port, kept < 14 ? DROP_RUNT : DROP_BAD_SLOT, 1);
        return -1;
    }
    *f = (struct frame){.data = to, .len = kept, .total = kept, .parts = 1};
    return 1;
}

static unsigned pcap_rx(struct port *p, struct worker *w, struct frame *frames,
                        unsigned max)
{
    struct pcap_in *s = (struct pcap_in *)p;
    uint8_t *to = worker_scratch(w), *end = to + FRAME_SCRATCH;
    unsigned n = 0;
    /* Skipped packets count against the turn, too. */
    for (unsigned tries = 0; tries < max && end - to >= (ptrdiff_t)FRAME_MAX; tries++) {
        int rc = next_packet(s, &frames[n], to, worker_now(w));

        if (rc == 0)
            break;
        if (rc < 0)
            continue;
        to += (frames[n++].len + 63) & ~63u;
    }
    if (n == 0 && !p->stopped && p->due_ns == 0)
        p->due_ns = worker_now(w) + 1; /* only skipped ones, or the file begins anew */
    return n;
}

static void pcap_in_free(struct port *p)
{
    struct pcap_in *s = (struct pcap_in *)p;

    if (s->file >= 0)
        close(s->file);
    free(s->window);
    free(s);
}

static const struct port_ops pcap_in_ops = {
    .kind = PORT_PCAP_IN,
    .rx = pcap_rx,
    .free = pcap_in_free,
};

static int pcap_in_open(struct pcap_in *s, const struct pcap_in_config *c,
                        struct diag *d)
{
    const char *name = c->path ? c->path : "pcap input";

    if (c->speed < 0)
        return diag_err(d, "%s: speed %g is below 0", name, c->speed);
    s->file = c->fd > 0 ? fcntl(c->fd, F_DUPFD_CLOEXEC, 3)
              : c->path ? open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                        : -1;
    if (s->file < 0)
        return diag_err(d, "cannot open %s: %s", name,
                        c->path ? strerror(errno) : "no path was given");
    s->window = malloc(WINDOW);
    if (!s->window)
        return diag_err(d, "out of memory");
    if (read_head(s, name, d) < 0)
        return -1;
    if (s->repeat > 1 && lseek(s->file, 0, SEEK_CUR) < 0)
        return diag_err(d, "%s: cannot be repeated: %s", name, strerror(errno));
    snprintf(s->port.device, sizeof s->port.device, "%.*s", (int)BACKPLANE_NAME - 1,
             name);
    return 0;
}

struct port *pcap_in_new(const struct pcap_in_config *c, struct diag *d)
{
    struct pcap_in *s = calloc(1, sizeof *s);

    if (!s) {
        diag_err(d, "out of memory");
        return NULL;
    }
    s->port.ops = &pcap_in_ops;
    s->port.fd = -1;
    s->file = -1;
    s->timed = c->timed;
    s->speed = c->speed > 0 ? c->speed : 1;
    s->repeat = c->repeat ? c->repeat : 1;
    if (pcap_in_open(s, c, d) < 0) {
        pcap_in_free(&s->port);
        return NULL;
    }
    return &s->port;
}
