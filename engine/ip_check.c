// SPDX-License-Identifier: BSD-3-Clause
/* ip_check.c -- arguments of the IPv4 header checks: see ip_check.h */

#include "engine/ip_check.h"

#include "engine/element.h"

const char *const ip_check_texts[IP_CHECK_REASONS] = {
    [IP_CHECK_TINY] = "tiny packet",          [IP_CHECK_VERSION] = "bad IP version",
    [IP_CHECK_HLEN] = "bad IP header length", [IP_CHECK_LEN] = "bad IP length",
    [IP_CHECK_SUM] = "bad IP checksum",       [IP_CHECK_SRC] = "bad source address",
};

static int add_never_sources(struct element *e, struct ip_check *c, struct diag *d)
{
    if (ip_list_add(e, &c->bad_src, 0) < 0 ||
        ip_list_add(e, &c->bad_src, 0xffffffffu) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

int ip_check_parse_interfaces(struct element *e, const char *text, void *member,
                              struct diag *d)
{
    struct ip_check *c = member;
    char word[WORD_ROOM];
    struct ip_prefix p;
    uint32_t addr;

    while (word_next(&text, word)) {
        char *slash = strchr(word, '/');

        if (!parse_ip_prefix(e, word, true, &p))
            return diag_err(d, "parse error");
        /* The address itself: the prefix parser may have cleared its host part. */
        if (slash)
            *slash = '\0';
        if (!parse_ip(e, word, &addr))
            addr = p.addr;
        if (ip_list_add(e, &c->bad_src, (p.addr & p.mask) | ~p.mask) < 0 ||
            ip_list_add(e, &c->good_dst, addr) < 0)
            return diag_err(d, "out of memory");
    }
    return add_never_sources(e, c, d);
}

int ip_check_parse_old_badsrc(struct element *e, const char *text, struct ip_check *c,
                              struct diag *d)
{
    if (ip_list_parse(e, text, &c->bad_src, d) < 0)
        return -1;
    return add_never_sources(e, c, d);
}

const struct counter_spec ip_check_counters[] = {
    [IP_CHECK_DROPS] = {"drops", "packets that failed the checks"},
    {NULL, NULL},
};

/* What is given by position: [BADSRC [OFFSET]] or [OFFSET]. */
int ip_check_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ip_check_element *s = element_state(e);
    int64_t offset;

    if (c->argc > 2)
        return diag_err(d, "too many arguments");
    for (int i = 0; i < c->argc; i++) {
        if (i == c->argc - 1 && parse_i64(c->argv[i], 0, &offset) && offset >= 0)
            s->check.offset = (uint32_t)offset;
        else if (i == 1)
            return diag_err(d, "OFFSET: parse error");
        else if (ip_check_parse_old_badsrc(e, c->argv[0], &s->check, d) < 0)
            return -1;
    }
    return 0;
}

int ip_check_thorough(const struct ip_check *c, struct pkt *p)
{
    struct ip4_hdr *h = (struct ip4_hdr *)(void *)(p->data + c->offset);
    uint32_t left = p->len - c->offset, hlen, len;

    if (p->len < c->offset || left < sizeof *h)
        return IP_CHECK_TINY;
    if (h->vhl >> 4 != 4)
        return IP_CHECK_VERSION;
    hlen = ip4_hlen(h);
    if (hlen < sizeof *h)
        return IP_CHECK_HLEN;
    len = be16(h->len);
    if (len > left || len < hlen)
        return IP_CHECK_LEN;
    if (c->checksum && csum(h, hlen) != 0)
        return IP_CHECK_SUM;
    if (ip_list_has(&c->bad_src, h->src) && !ip_list_has(&c->good_dst, h->dst))
        return IP_CHECK_SRC;
    pkt_set_ip4(p, (uint8_t *)h, hlen);
    p->len = c->offset + len;
    pkt_set_dst_ip(p, h->dst);
    return IP_CHECK_OK;
}

bool ip_check_says(const struct element *e)
{
    const struct ip_check_element *s = element_state(e);

    return s->verbose || e->counters[IP_CHECK_DROPS] == 0;
}

verdict_t ip_check_bad(struct element *e, int reason)
{
    struct ip_check_element *s = element_state(e);

    if (ip_check_says(e))
        element_say(e, "%s: IP header check failed: %s\n", e->name,
                    ip_check_texts[reason]);
    s->reasons[reason]++;
    return spill(e, 1, IP_CHECK_DROPS);
}

static int ip_check_details(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d)
{
    const struct ip_check_element *s = element_state(e);

    for (int i = 0; i < IP_CHECK_REASONS; i++)
        sbuf_printf(out, "%llu\t%s\n", (unsigned long long)s->reasons[i],
                    ip_check_texts[i]);
    return 0;
}

/* It is only there with DETAILS. */
const struct handler_spec *ip_check_more(struct element *e, const char *name, size_t i)
{
    static const struct handler_spec details = HANDLER_READER(
        ip_check_details, "drop_details", "drops by reason");
    const struct ip_check_element *s = element_state(e);

    if (!s->details || (name ? strcmp(name, details.name) != 0 : i != 0))
        return NULL;
    return &details;
}

void ip_check_take_state(struct element *e, struct element *old)
{
    struct ip_check_element *s = element_state(e);
    const struct ip_check_element *o = element_state(old);

    memcpy(s->reasons, o->reasons, sizeof s->reasons);
}
