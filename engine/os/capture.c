// SPDX-License-Identifier: BSD-3-Clause
/* capture.c -- records of a capture file: see capture.h */

#include "engine/os/capture.h"

#include "engine/os/link_type.h"

#include <dlfcn.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAJOR = 2, LONGER_HEADER = 8 };
static const uint32_t MAGIC = 0xa1b2c3d4, MAGIC_NANO = 0xa1b23c4d,
                      MAGIC_LONGER = 0xa1b2cd34, MAGIC_NG = 0x0a0d0d0a;

/* --- pcapng ----------------------------------------------------------------------------- */

struct capture_ng {
    void *library;
    pcap_t *pcap;
    __typeof__(pcap_fopen_offline_with_tstamp_precision) *open;
    __typeof__(pcap_close) *close;
    __typeof__(pcap_datalink) *datalink;
    __typeof__(pcap_geterr) *geterr;
    __typeof__(pcap_next_ex) *next;
};

/* A function of the library, put into a pointer of whatever type. */
static bool symbol(struct capture_ng *n, const char *name, void *pointer)
{
    void *found = dlsym(n->library, name);

    memcpy(pointer, &found, sizeof found);
    return found != NULL;
}

static int ng_load(struct capture_ng *n, struct diag *d)
{
    n->library = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
    if (!n->library)
        n->library = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!n->library)
        return diag_err(d, "%s", dlerror());
    if (symbol(n, "pcap_fopen_offline_with_tstamp_precision", &n->open) &&
        symbol(n, "pcap_close", &n->close) &&
        symbol(n, "pcap_datalink", &n->datalink) &&
        symbol(n, "pcap_geterr", &n->geterr) && symbol(n, "pcap_next_ex", &n->next))
        return 0;
    return diag_err(d, "libpcap is too old");
}

/* What libpcap reads comes from the trace file, which may decompress. */
static ssize_t ng_read(void *cookie, char *to, size_t n)
{
    return (ssize_t)trace_file_read(cookie, to, n);
}

static int ng_open(struct capture *c, struct diag *d)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    FILE *f;

    c->ng = calloc(1, sizeof *c->ng);
    if (!c->ng)
        return diag_err(d, "out of memory");
    if (ng_load(c->ng, d) < 0)
        return -1;
    f = fopencookie(&c->file, "r", (cookie_io_functions_t){.read = ng_read});
    if (!f)
        return diag_err(d, "out of memory");
    c->ng->pcap = c->ng->open(f, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!c->ng->pcap) {
        fclose(f);
        return diag_err(d, "%s: %s", trace_file_name(&c->file), why);
    }
    c->link_type = c->ng->datalink(c->ng->pcap);
    return 0;
}

static bool ng_next(struct capture *c, struct capture_record *r)
{
    struct pcap_pkthdr *h;
    int rc = c->ng->next(c->ng->pcap, &h, &r->ng_bytes);

    if (rc != 1) {
        if (rc != PCAP_ERROR_BREAK)
            trace_file_complain(&c->file, "%s", c->ng->geterr(c->ng->pcap));
        return false;
    }
    if (h->caplen > PKT_MAX_LEN) {
        trace_file_complain(&c->file, "bad packet header; giving up");
        return false;
    }
    /* its seconds have 64 bits, anything at all */
    if (__builtin_mul_overflow((int64_t)h->ts.tv_sec, INT64_C(1000000000), &r->when) ||
        __builtin_add_overflow(r->when, (int64_t)h->ts.tv_usec, &r->when))
        r->when = INT64_MAX;
    r->caplen = h->caplen;
    r->len = h->len > h->caplen ? h->len : h->caplen;
    r->skip = 0;
    return true;
}

/* --- pcap ------------------------------------------------------------------------------- */

static uint32_t order32(const struct capture *c, uint32_t x)
{
    return c->swapped ? __builtin_bswap32(x) : x;
}

static bool magic_known(uint32_t magic)
{
    return magic == MAGIC || magic == MAGIC_NANO || magic == MAGIC_LONGER;
}

/* Magic, version 2+2 bytes, time zone, accuracy, snap length, link type. */
static int read_header(struct capture *c, struct diag *d)
{
    const char *name = trace_file_name(&c->file);
    uint32_t head[6], magic;
    uint16_t version[2];

    if (trace_file_read(&c->file, head, sizeof head) < sizeof head)
        return diag_err(d, "%s: not a tcpdump file (too short)", name);
    c->swapped = !magic_known(head[0]);
    magic = order32(c, head[0]);
    if (!magic_known(magic))
        return diag_err(d, "%s: not a tcpdump file (bad magic number)", name);
    c->nano = magic == MAGIC_NANO;
    c->more = magic == MAGIC_LONGER ? LONGER_HEADER : 0;
    memcpy(version, &head[1], sizeof version);
    for (int i = 0; c->swapped && i < 2; i++)
        version[i] = __builtin_bswap16(version[i]);
    if (version[0] != MAJOR)
        return diag_err(d, "%s: unknown major version %u", name, version[0]);
    c->minor = version[1];
    c->link_type = (int)order32(c, head[5]);
    return 0;
}

int capture_open(struct capture *c, struct element *e, const char *name, struct diag *d)
{
    const uint8_t *start;
    uint32_t magic;
    int rc;

    c->file.lends = true;
    if (trace_file_open(&c->file, e, name, d) < 0)
        return -1;
    start = trace_file_get(&c->file, sizeof magic);
    if (!start)
        return diag_err(d, "%s: not a tcpdump file (too short)",
                        trace_file_name(&c->file));
    memcpy(&magic, start, sizeof magic);
    c->file.at -= sizeof magic;
    rc = magic == MAGIC_NG ? ng_open(c, d) : read_header(c, d);
    if (c->link_type == LINK_HOST_RAW)
        c->link_type = LINK_RAW;
    return rc;
}

void capture_close(struct capture *c)
{
    if (c->ng && c->ng->pcap)
        c->ng->close(c->ng->pcap);
    if (c->ng && c->ng->library)
        dlclose(c->ng->library);
    free(c->ng);
    c->ng = NULL;
    trace_file_close(&c->file);
}

bool capture_next(struct capture *c, struct capture_record *r)
{
    uint32_t h[4]; /* seconds, fraction, length in the file, length */
    const uint8_t *head;

    r->pos = trace_file_pos(&c->file);
    if (c->ng)
        return !c->file.gave_up && ng_next(c, r);
    head = trace_file_get(&c->file, sizeof h);
    if (!head)
        return false;
    memcpy(h, head, sizeof h);
    for (int i = 0; c->swapped && i < 4; i++)
        h[i] = __builtin_bswap32(h[i]);
    /* at 2.3 and before the lengths may stand the other way round */
    if (c->minor < 3 || (c->minor == 3 && h[2] > h[3])) {
        uint32_t len = h[2];

        h[2] = h[3];
        h[3] = len;
    }
    if (h[2] > CAPTURE_LONGEST) {
        trace_file_complain(&c->file, "bad packet header; giving up");
        return false;
    }
    r->when = (int64_t)(int32_t)h[0] * 1000000000 +
              (int64_t)(int32_t)h[1] * (c->nano ? 1 : 1000);
    r->len = h[3];
    r->caplen = h[2] < h[3] ? h[2] : h[3]; /* tcptrace's files exceed it by one */
    r->skip = h[2] - r->caplen;
    trace_file_skip(&c->file, c->more);
    return true;
}

const uint8_t *capture_bytes(struct capture *c, const struct capture_record *r)
{
    const uint8_t *bytes;

    if (c->ng)
        return r->ng_bytes;
    bytes = trace_file_get(&c->file, r->caplen + r->skip);
    /* only the packet need be whole */
    return bytes || !r->skip ? bytes : trace_file_get(&c->file, r->caplen);
}

void capture_pass(struct capture *c, const struct capture_record *r)
{
    if (!c->ng)
        trace_file_skip(&c->file, r->caplen + r->skip);
}
