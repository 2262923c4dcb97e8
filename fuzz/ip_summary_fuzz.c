// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_summary_fuzz.c -- any line or record of an IP summary dump, read and written again
 *
 * Input: a byte of flags, a byte that says how many fields there are, a byte for each
 * field, then the line (or, with flag 1, the record).
 */

#include "engine/ip_summary.h"
#include "engine/platform.h"
#include "engine/router.h"

static int64_t fuzz_now(void *ctx)
{
    return 1;
}

static void fuzz_console(void *ctx, const char *text, size_t len)
{
}

static const char *const names[] = {
    "timestamp",      "ntimestamp",      "ts_sec",      "ts_usec",
    "ts_usec1",       "first_timestamp", "count",       "link",
    "direction",      "aggregate",       "wire_len",    "eth_src",
    "eth_dst",        "eth_type",        "ip_src",      "ip_dst",
    "ip_tos",         "ip_dscp",         "ip_ecn",      "ip_ttl",
    "ip_frag",        "ip_fragoff",      "ip_id",       "ip_sum",
    "ip_proto",       "ip_hl",           "ip_len",      "ip_capture_len",
    "ip_opt",         "sport",           "dport",       "tcp_seq",
    "tcp_ack",        "tcp_off",         "tcp_flags",   "tcp_window",
    "tcp_urp",        "tcp_opt",         "tcp_ntopt",   "tcp_sack",
    "udp_len",        "icmp_type",       "icmp_code",   "icmp_type_name",
    "icmp_code_name", "icmp_flowid",     "icmp_seq",    "icmp_nextmtu",
    "payload",        "payload_len",     "payload_md5", "payload_md5_hex"};
enum { N_NAMES = sizeof names / sizeof names[0], FIELDS = 16 };

static void write_again(const struct ipsum_fields *f, const struct pkt *p, bool binary)
{
    struct ipsum_options o = {true, true, binary};
    struct sbuf out = SBUF_INIT, bad = SBUF_INIT;
    struct ipsum_fields g = {.n = 0};

    for (uint32_t i = 0; i < f->n; i++)
        if (!binary || f->field[i]->size != IPSUM_NOT_BINARY)
            g.field[g.n++] = f->field[i];
    ipsum_write(&g, &o, p, &out, &bad);
    sbuf_fini(&out);
    sbuf_fini(&bad);
}

static void read_one(struct element *e, const uint8_t *data, size_t size)
{
    struct ipsum_defaults d = {.proto = IP_PROTO_TCP, .minor = IPSUM_MINOR};
    struct ipsum_fields f = {.n = 0};
    size_t n = data[1] % FIELDS;
    bool no_memory;
    struct pkt *p;

    d.have_flow = data[0] & 2;
    d.checksum = data[0] & 4;
    d.minor = data[0] & 8 ? 0 : IPSUM_MINOR;
    d.proto = data[0] & 16 ? IP_PROTO_UDP : data[0] & 32 ? IP_PROTO_ICMP : IP_PROTO_TCP;
    for (data += 2, size -= 2; n && size; n--, data++, size--)
        f.field[f.n++] = ipsum_find(names[*data % N_NAMES]);
    p = ipsum_read(&f, &d, e, (const char *)data, size, d.have_flow && size % 2,
                   &no_memory);
    if (!p)
        return;
    write_again(&f, p, false);
    write_again(&f, p, true);
    pkt_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct platform platform = {.now = fuzz_now,
                                .wall_offset = fuzz_now,
                                .console = fuzz_console,
                                .pool = pkt_pool_new(0),
                                .program = "fuzz"};
    struct diag d = DIAG_INIT;
    struct router *r = router_new(&platform, "Idle", 4, "fuzz", NULL, &d);

    if (!r)
        __builtin_trap();
    if (size > 2)
        read_one(router_element(r, 0), data, size);
    router_free(r);
    if (pkt_pool_free(platform.pool))
        __builtin_trap();
    diag_fini(&d);
    return 0;
}
