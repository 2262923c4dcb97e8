// SPDX-License-Identifier: BSD-3-Clause
/* packet_source.c -- what the elements that make packets have in common */

#include "engine/packet_source.h"

#include <stdlib.h>

/* A packet of `data`, repeated as often as the length asks for; NULL with a message. */
static struct pkt *source_packet(struct element *e, const struct packet_source *s,
                                 const char *data, size_t data_len, struct diag *d)
{
    size_t len = s->length < 0 ? data_len : (size_t)s->length;
    struct pkt *p;

    if (len > PKT_MAX_LEN || s->headroom > PKT_MAX_LEN) {
        diag_err(d, "packet too long");
        return NULL;
    }
    p = pkt_new(element_pool(e), s->headroom, NULL, (uint32_t)len, 0);
    if (!p) {
        diag_err(d, "out of memory");
        return NULL;
    }
    for (size_t at = 0; at < len && data_len; at += data_len)
        memcpy(p->data + at, data, len - at < data_len ? len - at : data_len);
    if (!data_len)
        memset(p->data, 0, len);
    return p;
}

int packet_source_set_data(struct element *e, struct packet_source *s, const char *data,
                           size_t len, struct diag *d)
{
    struct pkt *p = source_packet(e, s, data, len, d);
    char *copy;

    if (!p)
        return -1;
    copy = malloc(len + 1);
    if (!copy) {
        pkt_free(p);
        return diag_err(d, "out of memory");
    }
    memcpy(copy, len ? data : "", len);
    packet_source_fini(s);
    s->data = copy;
    s->data_len = len;
    s->packet = p;
    return 0;
}

int packet_source_build(struct element *e, struct packet_source *s, struct diag *d)
{
    struct pkt *p = source_packet(e, s, s->data, s->data_len, d);

    if (!p)
        return -1;
    pkt_free(s->packet);
    s->packet = p;
    return 0;
}

void packet_source_fini(struct packet_source *s)
{
    free(s->data);
    pkt_free(s->packet);
    s->data = NULL;
    s->packet = NULL;
}

uint32_t packet_source_emit(struct packet_source *s, struct batch *b, uint32_t n,
                            int64_t wall_ns)
{
    /* Clones copy the record, the time in it too. A store just before would hold them up. */
    if (s->packet->timestamp != wall_ns)
        s->packet->timestamp = wall_ns;
    return batch_clone(b, s->packet, n);
}

static struct packet_source *source_of(struct element *e, const struct handler_spec *h)
{
    return (struct packet_source *)(void *)(e->state + h->offset);
}

int packet_source_read_data(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d)
{
    const struct packet_source *s = source_of(e, h);

    sbuf_add(out, s->data, s->data_len);
    return 0;
}

int packet_source_write_data(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    return packet_source_set_data(e, source_of(e, h), value, len, d);
}

int packet_source_read_length(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_printf(out, "%lld", (long long)source_of(e, h)->length);
    return 0;
}

int packet_source_write_length(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    struct packet_source *s = source_of(e, h);
    int64_t old = s->length, length;

    if (!parse_i64(value, 0, &length))
        return diag_err(d, h->user ? "syntax error" : "length must be integer");
    s->length = length;
    if (packet_source_build(e, s, d) < 0) {
        s->length = old;
        return -1;
    }
    return 0;
}
