// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateIP -- set the aggregate annotation from a field of the packet
 *
 * Usage:    AggregateIP(FIELD [, INCREMENTAL false, UNSHIFT_IP_ADDR false])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     FIELD            a field of at most 32 bits, see below
 *           INCREMENTAL      true: shift the old annotation left to make room for the field
 *           UNSHIFT_IP_ADDR  true: leave the bits of a part of an IP address where they
 *                            are in the address
 * Counters: none
 * Handlers: header      (read) protocol that the field belongs to, nothing for IP's header
 *           bit_offset  (read) where the field begins in the header
 *           bit_length  (read) how long it is
 *           field       (read) the field, by name if it has one
 * Example:  FromDump(t.pcap, FORCE_IP true) -> AggregateIP(ip src/8) -> AggregateCounter -> ...
 * See also: AggregateLength, AggregateIPFlows, AggregateCounter
 *
 * A field is a name ("ip src", "tcp dport", "sport"), or bytes or bits of the IP header, the
 * transport header or the payload ("ip[12]", "transp[4:2]", "data{0-3}"), then perhaps
 * "/BITS", how many of its first bits count, or "& MASK". It must not cross a boundary of 32
 * bits. Packets without the whole word of 32 bits that the field is in leave by output 1 if
 * that is connected. The annotation is in host byte order.
 */

#include "engine/ip_field.h"
#include "engine/lang/lang.h"

struct aggregate_ip {
    struct text text;
    struct ip_field field;
    bool incremental, unshift;
};

static const struct arg_spec aggregate_ip_args[] = {
    ARG_RAW(aggregate_ip, text, "FIELD", ARG_M, NULL, "field of at most 32 bits"),
    ARG_BOOL(aggregate_ip, incremental, "INCREMENTAL", 0, "false",
             "shift the old annotation"),
    ARG_BOOL(aggregate_ip, unshift, "UNSHIFT_IP_ADDR", 0, "false",
             "leave bits of addresses in place"),
    ARG_END,
};

static int aggregate_ip_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct aggregate_ip *s = element_state(e);
    struct ip_field *f = &s->field;
    size_t len = s->text.len;
    const char *text = lang_unquote(c->scratch, s->text.s, &len), *rest;

    if (!text)
        return diag_err(d, "out of memory");
    rest = ip_field_parse(f, e, text, d);

    if (!rest)
        return -1;
    if (*rest)
        return diag_err(d, "garbage after field specification");
    if (f->offset / 32 != (f->offset + f->length - 1) / 32)
        return diag_err(d, "field specification does not fit within a single word");
    if (f->length == 32 && s->incremental)
        return diag_err(d, "'INCREMENTAL' is incompatible with field length 32");
    s->unshift = s->unshift && f->base == FIELD_IP &&
                 (f->offset / 32 == 3 || f->offset / 32 == 4);
    return 0;
}

static inline verdict_t aggregate_ip_one(struct element *e, struct pkt *p)
{
    const struct aggregate_ip *s = element_state(e);
    const struct ip_field *f = &s->field;
    uint32_t *agg = &p->anno_u32[ANNO_AGGREGATE / 4], value;

    if (__builtin_expect(!ip_field_get(f, p, &value), 0))
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    if (s->unshift)
        value <<= 32 - (f->offset % 32 + f->length);
    if (s->incremental)
        *agg = (*agg << f->length) + value;
    else
        *agg = value;
    return 0;
}
ELEMENT_LOOP(aggregate_ip)

enum { H_HEADER, H_OFFSET, H_LENGTH, H_FIELD };

static int aggregate_ip_read(struct element *e, const struct handler_spec *h,
                             const char *param, struct sbuf *out, struct diag *d)
{
    const struct ip_field *f = &((const struct aggregate_ip *)element_state(e))->field;

    if (h->user == H_HEADER)
        sbuf_puts(out, ip_field_header(f));
    else if (h->user == H_FIELD)
        ip_field_print(f, out);
    else
        sbuf_printf(out, "%u", h->user == H_OFFSET ? f->offset : f->length);
    return 0;
}

#define AGGREGATE_IP_READER(user_, name_, help_)                                       \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_READ, .user = (user_),      \
        .read = aggregate_ip_read                                                      \
    }

static const struct handler_spec aggregate_ip_handlers[] = {
    AGGREGATE_IP_READER(H_HEADER, "header", "protocol that the field belongs to"),
    AGGREGATE_IP_READER(H_OFFSET, "bit_offset", "where the field begins"),
    AGGREGATE_IP_READER(H_LENGTH, "bit_length", "how long the field is"),
    AGGREGATE_IP_READER(H_FIELD, "field", "the field"),
    HANDLER_END,
};

ELEMENT(AggregateIP) = {
    .name = "AggregateIP",
    .state_size = sizeof(struct aggregate_ip),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = aggregate_ip_args,
    .handlers = aggregate_ip_handlers,
    .configure = aggregate_ip_configure,
    .push = aggregate_ip_push,
    .pull = aggregate_ip_pull,
};
