// SPDX-License-Identifier: BSD-3-Clause
/* handler_value.c -- members of an element's state as text and back */

#include "engine/args.h"
#include "engine/config_room.h"
#include "engine/handler_impl.h"
#include "engine/router.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t load_unsigned(const void *member, size_t size)
{
    uint64_t v = 0;

    memcpy(&v, member, size);
    return v;
}

static void read_number(uint8_t kind, const void *member, struct sbuf *out)
{
    double f;
    uint64_t v;

    switch (kind) {
    case ARG_KIND_DOUBLE:
    case ARG_KIND_FRACTION:
        memcpy(&f, member, sizeof f);
        sbuf_printf(out, "%.12g", f);
        return;
    case ARG_KIND_I32:
        v = load_unsigned(member, 4);
        sbuf_printf(out, "%" PRId32, (int32_t)v);
        return;
    case ARG_KIND_I64:
        v = load_unsigned(member, 8);
        sbuf_printf(out, "%" PRId64, (int64_t)v);
        return;
    }
    v = load_unsigned(member, args_value_size(kind));
    sbuf_printf(out, "%" PRIu64, v);
}

static void read_text(const void *member, struct sbuf *out)
{
    struct text t;

    memcpy(&t, member, sizeof t);
    if (t.s)
        sbuf_add(out, t.s, t.len);
}

static void read_anno(const void *member, struct sbuf *out)
{
    struct anno_ref a;

    memcpy(&a, member, sizeof a);
    sbuf_printf(out, a.size ? "%u/%u" : "%u", a.offset, a.size);
}

static void read_prefix(const void *member, struct sbuf *out)
{
    struct ip_prefix p;
    char buf[64];

    memcpy(&p, member, sizeof p);
    sbuf_puts(out, unparse_ip_prefix(p, buf));
}

static void read_element(const void *member, struct sbuf *out)
{
    const struct element *e;

    memcpy(&e, member, sizeof e);
    sbuf_puts(out, e ? e->name : "");
}

void handler_value_read(const struct handler_spec *h, const void *member,
                        struct sbuf *out)
{
    char buf[64];

    switch (h->kind) {
    case ARG_KIND_BOOL:
        sbuf_puts(out, *(const bool *)member ? "true" : "false");
        break;
    case ARG_KIND_TIME:
        sbuf_puts(out, unparse_time((int64_t)load_unsigned(member, 8), buf));
        break;
    case ARG_KIND_BANDWIDTH:
        sbuf_puts(out, unparse_bandwidth(load_unsigned(member, 8), buf));
        break;
    case ARG_KIND_STRING:
    case ARG_KIND_WORD:
    case ARG_KIND_RAW:
    case ARG_KIND_FILENAME:
        read_text(member, out);
        break;
    case ARG_KIND_IP:
        sbuf_puts(out, unparse_ip((uint32_t)load_unsigned(member, 4), buf));
        break;
    case ARG_KIND_IP_PREFIX:
        read_prefix(member, out);
        break;
    case ARG_KIND_IP6:
        sbuf_puts(out, unparse_ip6(member, buf));
        break;
    case ARG_KIND_ETHER:
        sbuf_puts(out, unparse_ether(member, buf));
        break;
    case ARG_KIND_ANNO:
        read_anno(member, out);
        break;
    case ARG_KIND_ELEMENT:
        read_element(member, out);
        break;
    default:
        read_number(h->kind, member, out);
    }
}

static const char *expected(uint8_t kind)
{
    switch (kind) {
    case ARG_KIND_BOOL:
        return "boolean";
    case ARG_KIND_U8:
        return "uint8_t";
    case ARG_KIND_U16:
    case ARG_KIND_PORT_TCP:
    case ARG_KIND_PORT_UDP:
        return "uint16_t";
    case ARG_KIND_DOUBLE:
    case ARG_KIND_FRACTION:
        return "real number";
    case ARG_KIND_TIME:
        return "time in seconds";
    case ARG_KIND_BANDWIDTH:
        return "bandwidth";
    case ARG_KIND_IP:
        return "IP address";
    case ARG_KIND_IP_PREFIX:
        return "IP address prefix";
    case ARG_KIND_IP6:
        return "IPv6 address";
    case ARG_KIND_ETHER:
        return "Ethernet address";
    case ARG_KIND_ANNO:
        return "annotation";
    case ARG_KIND_ELEMENT:
        return "element name";
    }
    return "integer";
}

int handler_value_write(struct element *e, const struct handler_spec *h,
                        const char *value, struct diag *d)
{
    uint8_t *member = (uint8_t *)element_state(e) + h->offset;
    const struct arg_spec spec = {.name = h->name, .kind = h->kind};
    alignas(16) uint8_t parsed[ARGS_VALUE_MAX];

    if (args_is_text(h->kind)) {
        struct text t = {value, strlen(value)};

        if (!config_keep_text(e, h->offset, &t))
            return diag_err(d, "out of memory");
        memcpy(member, &t, sizeof t);
        return 0;
    }
    if (args_value(e, &spec, value, NULL, parsed, NULL) < 0)
        return diag_err(d, "expected %s", expected(h->kind));
    memcpy(member, parsed, args_value_size(h->kind));
    return 0;
}
