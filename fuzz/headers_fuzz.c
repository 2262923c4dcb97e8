// SPDX-License-Identifier: BSD-3-Clause
/*
 * headers_fuzz.c -- any bytes at all as packets, through every element that reads headers
 *
 * The first byte of the input chooses a chain of elements, the second what is made right
 * about the packets, so that mutations get behind the first checks. The rest is packets:
 * a length (two bytes) and so many bytes each. Nothing may be read or written out of
 * bounds, and no packet may be lost.
 *
 * With bit 7 of the second byte set the two choose an element alone, any class of the
 * catalogue that gets packets, and which header is marked before it; so there is no class
 * that this does not reach. All of them are tried once at the start: one that is new and
 * cannot do without arguments must be given some here.
 */

#include "engine/checksum.h"
#include "engine/router.h"
#include "fuzz/class_ports.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN    "FromNetfront(0) -> "
#define SINKS "; Idle -> d :: Discard;"
#define ESP_TABLE                                                                      \
    "n :: Null; d :: Discard; rt :: RadixIPsecLookup(10.0.0.1/32 0, 10.2.0.0/16 1 1 "  \
    "0123456789abcdef k 1 32, 10.3.0.0/16 1 2 0123456789abcdefsalt k 1 9); n -> "

static const char *const chains[] = {
    IN
    "c :: CheckIPHeader(INTERFACES 10.0.0.1/8, DETAILS true) -> g :: IPGWOptions("
    "10.0.0.1) -> f :: FixIPSrc(10.0.0.1) -> t :: DecIPTTL -> "
    "i :: IPPrint(CONTENTS hex, ID true) -> fr :: IPFragmenter(68, false) -> Discard;"
    "g[1] -> ICMPError(1.2.3.4, parameterproblem) -> Discard;"
    "t[1] -> ICMPError(1.2.3.4, timeexceeded) -> Discard",
    IN
    "MarkIPHeader -> IPPrint(PAYLOAD ascii, ETHER true) -> IPMirror -> SetIPDSCP(3) -> "
    "SetIPECN(ce) -> StoreIPAddress(1.2.3.4, src) -> SetIPChecksum -> Discard",
    IN
    "MarkIPHeader(14) -> IPPrint -> EnsureEther -> StripIPHeader -> UnstripIPHeader -> "
    "MarkIPCE(true) -> TruncateIPPayload(3) -> GetIPAddress(IP src) -> Discard",
    IN "CheckIPHeader2 -> rw :: IPRewriter(pattern 9.9.9.9 1024-65535 - - 0 0, "
       "MAPPING_CAPACITY 4) -> IPPrint -> Discard",
    IN "CheckIPHeader2 -> TCPRewriter(pattern 9.9.9.9 5 - - 0 0) -> "
       "SetTCPChecksum(true) -> "
       "CheckTCPHeader -> Discard",
    IN "MarkIPHeader -> UDPRewriter(keep 0 0) -> SetUDPChecksum -> CheckUDPHeader -> "
       "Discard",
    IN "MarkIPHeader -> IPAddrRewriter(pattern 1.0.0.1-1.0.0.9 - 0 0) -> "
       "IPAddrPairRewriter(keep 0 0) -> ICMPPingRewriter(pass) -> Discard",
    IN "MarkIPHeader -> CheckICMPHeader(CHECKSUM false) -> IPPrint -> r :: "
       "ICMPPingResponder -> Discard; r[1] -> ICMPError(1.1.1.1, 3, 3) -> IPPrint -> "
       "Discard",
    IN "ARPResponder(0/0 1:1:1:1:1:1) -> [1]q :: ARPQuerier(10.0.0.1, 1:1:1:1:1:1) -> "
       "Discard; Idle -> q",
    IN
    "t :: Tee -> GetIPAddress(0) -> q :: ARPQuerier(10.0.0.1, 1:1:1:1:1:1, CAPACITY 3) "
    "-> Discard; t[1] -> [1]q",
    IN "EtherMirror -> HostEtherFilter(1:1:1:1:1:1, OFFSET 1) -> VLANDecap -> "
       "VLANEncap(VLAN_ID 5) -> EtherRewrite(1:1:1:1:1:1, 2:2:2:2:2:2) -> "
       "StripEtherVLANHeader -> Discard",
    IN "[0]s :: EtherSwitch -> Discard; FromNetfront(1) -> [1]s[1] -> Discard",
    IN
    "c :: IPInputCombo(1, 9.9.9.9) -> o :: IPOutputCombo(1, 2.2.2.2, 60) -> d :: "
    "Discard;"
    "o[1] -> d; o[2] -> ICMPError(1.1.1.1, parameterproblem) -> d; o[3] -> d; o[4] -> "
    "IPFragmenter(60) -> d",
    IN
    "MarkIPHeader -> IPEncap(4, 1.1.1.1, DST_ANNO) -> UDPIPEncap(1.1.1.1, 1, DST_ANNO, "
    "2) -> CheckIPHeader -> rt :: LinearIPLookup(0.0.0.1/0.0.0.1 0, 1.0.0.0/8 1.2.3.4 "
    "0) "
    "-> Discard",
    IN ESP_TABLE
    "MarkIPHeader -> SetIPAddress(10.0.0.1) -> rt; rt[0] -> StripIPHeader -> t :: "
    "Tee(4);"
    "t[0] -> IPsecAES(0) -> u :: IPsecESPUnencap -> d; t[1] -> IPsecAuthHMACSHA1(1) -> "
    "d;"
    "t[2] -> IPsecAuthHMACSHA256(1) -> d; t[3] -> IPsecAESGCM(0) -> d; rt[1] -> d;"
    "rt[2] -> StripIPHeader -> IPsecESPUnencap(IV 0) -> d",
    IN ESP_TABLE
    "CheckIPHeader2 -> SetIPAddress(10.2.0.1) -> rt; rt[1] -> t :: Tee(2);"
    "t[0] -> IPsecESPEncap -> IPsecAuthHMACSHA1(0) -> IPsecAES(1) -> IPsecEncap(50) ->"
    "StripIPHeader -> IPsecAES(0) -> IPsecAuthHMACSHA1(1) -> IPsecESPUnencap -> d;"
    "t[1] -> SetIPAddress(10.3.0.1) -> r2 :: RadixIPsecLookup(10.3.0.0/16 1 2 "
    "0123456789abcdefsalt k 1 9); r2[0] -> d; r2[1] -> IPsecESPEncap -> IPsecAESGCM(1) "
    "-> IPsecAESGCM(0) -> IPsecESPUnencap -> d; rt[0] -> d; rt[2] -> d",
    IN
    "MarkIPHeader -> r :: IPReassembler(HIMEM 2000, MAX_MTU_ANNO 20) -> CheckIPHeader "
    "-> IPPrint -> Discard; r[1] -> ICMPError(1.1.1.1, timeexceeded, reassembly) -> "
    "Discard",
    IN
    "MarkIPHeader -> TCPMSS(MSS 900, MTU 500) -> TCPFragmenter(MTU 48) -> f :: "
    "FTPPortMapper(rw, rw, 0) -> rw :: TCPRewriter(pattern 9.9.9.9 1024-65535 - - 0 0, "
    "MAPPING_CAPACITY 4) -> CheckTCPHeader -> Discard; "
    "Script(TYPE ACTIVE, write rw.flows 6 1.0.0.1 1 2.0.0.2 21 1.0.0.1 1 2.0.0.2 21 0 "
    "0 "
    "99999 0 0 - 3 0 100 -5 1 200 7)",
    IN
    "MarkIPHeader -> ir :: ICMPRewriter(rw pr ar) -> CheckICMPHeader -> Discard; "
    "ir[1] -> t :: Tee -> rw :: IPRewriter(keep 0 0) -> Discard; t[1] -> "
    "pr :: ICMPPingRewriter(keep 0 0) -> Discard; t[2] -> ar :: IPAddrRewriter(pattern "
    "9.9.9.1-9.9.9.9 - 0 0) -> Discard",
    IN
    "UDPIP6Encap(::1, 1, ::2, 2) -> DynamicUDPIPEncap(1.1.1.1, 1, 2.2.2.2, 2, true, 3) "
    "-> ICMPPingEncap(1.1.1.1, 2.2.2.2) -> ICMPIPEncap(1.1.1.1, 2.2.2.2, timestamp) -> "
    "CheckIPHeader -> IPPrint -> Discard",
    IN "MarkIPHeader -> m :: IPRateMonitor(BYTES, 1, 1, 100) -> t :: Tee -> s :: "
       "SnoopTCP(2) -> Discard; t[1] -> [1]s[1] -> StatelessTCPResponder(abcdefgh) -> "
       "Discard; s[2] -> Discard",
};

enum { N_CHAINS = sizeof chains / sizeof *chains, FIX_IP_SUM = 1, MAX_PACKETS = 64 };

struct machine {
    const uint8_t *data; /* packets that have not come in yet */
    size_t left;
    uint8_t fix;
    struct pkt_pool *pool;
    int64_t now;
};

static void fix_packet(uint8_t *bytes, uint32_t len, uint8_t fix)
{
    uint32_t hlen = len ? (bytes[0] & 15u) * 4 : 0;

    if (!(fix & FIX_IP_SUM) || hlen < 20 || hlen > len)
        return;
    store16(bytes + 10, 0);
    store16(bytes + 10, csum(bytes, hlen));
}

static uint32_t port_rx(void *dev, struct batch *b, uint32_t max)
{
    struct machine *m = dev;
    uint32_t n = 0;

    for (; n < max && m->left >= 2; n++) {
        uint32_t len = (uint32_t)(m->data[0] << 8 | m->data[1]) & 0x7ff;
        struct pkt *p;
        m->data += 2;
        m->left -= 2;
        len = len > m->left ? (uint32_t)m->left : len;
        p = pkt_new(m->pool, PKT_HEADROOM, m->data, len, 0);
        m->data += len;
        m->left -= len;
        if (!p)
            break;
        fix_packet(p->data, len, m->fix);
        batch_add(b, p);
    }
    return n;
}

static uint32_t port_tx(void *dev, struct batch *b)
{
    uint32_t n = b->n;

    (void)dev;
    batch_free(b);
    return n;
}

static const struct netdev_ops port_ops = {port_rx, port_tx};

static int64_t clock_now(void *ctx)
{
    return ((struct machine *)ctx)->now += 1000000;
}

static int64_t clock_offset(void *ctx)
{
    (void)ctx;
    return 0;
}

static void console(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    (void)text;
    (void)len;
}

static void run(struct machine *m, const char *chain)
{
    struct netdev devs[2] = {{&port_ops, m, "0", {2}, 1500},
                             {&port_ops, m, "1", {2}, 1500}};
    struct platform platform = {.ctx = m,
                                .now = clock_now,
                                .wall_offset = clock_offset,
                                .console = console,
                                .pool = m->pool,
                                .netdevs = devs,
                                .n_netdevs = 2,
                                .seed = 1,
                                .program = "fuzz"};
    struct diag d = DIAG_INIT;
    struct router *r = router_new(&platform, chain, strlen(chain), "fuzz", NULL, &d);
    int64_t next;

    if (!r) { /* what does not load would test nothing */
        fprintf(stderr, "%s\n%s", chain, diag_text(&d));
        __builtin_trap();
    }
    router_activate(r, NULL);
    for (int i = 0; i < MAX_PACKETS && m->left >= 2; i++)
        (void)router_run(r, 64, &next);
    (void)router_run(r, 64, &next);
    router_free(r);
    diag_fini(&d);
}

/* --- an element alone ------------------------------------------------------------------- */

/* A value for an argument that must be there. */
static const char *value_of(const struct arg_spec *a)
{
    switch (a->kind) {
    case ARG_KIND_IP:
        return "1.0.0.1";
    case ARG_KIND_IP_PREFIX:
        return "10.0.0.1/8";
    case ARG_KIND_IP6:
        return "2001::1";
    case ARG_KIND_ETHER:
        return "2:0:0:0:0:1";
    case ARG_KIND_BOOL:
        return "true";
    default:
        return "8";
    }
}

static void add_arguments(const struct element_class *c, struct sbuf *out)
{
    const char *sep = "";

    for (const struct arg_spec *a = c->args; a && a->name; a++)
        if (a->flags & ARG_REQUIRED) {
            sbuf_printf(out, "%s%s%s%s", sep, a->flags & ARG_POS ? "" : a->name,
                        a->flags & ARG_POS ? "" : " ", value_of(a));
            sep = ", ";
        }
}

/* Arguments of classes that need others than those, and elements that they need. */
static const struct {
    const char *cls, *args, *more;
} needs[] = {
    {"ARPQuerier", "1.0.0.1/8, 2:0:0:0:0:1", ""},
    {"AdaptiveRED", "8, 0.1", ""},
    {"AddressTranslator", "0, true, true, 0, 2001::1 5000 5001", ""},
    {"AggregateIP", "ip src/8", ""},
    {"Align", "4, 2", ""},
    {"BandwidthMeter", "1000Bps, 2000Bps", ""},
    {"Classifier", "12/0800, -", ""},
    {"Error", NULL, NULL}, /* is refused, for that is what it is for */
    {"EtherSpanTree", "2:0:0:0:0:1, a, b, s",
     "a :: Suppressor; b :: Suppressor; s :: EtherSwitch;"
     "Idle -> a -> s -> b -> Discard; Idle -> [1]a[1] -> [1]s[1] -> [1]b[1] -> "
     "Discard"},
    {"FTPPortMapper", "rw, rw, 0", "Idle -> rw :: TCPRewriter(keep 0 0) -> Discard"},
    {"GetIPAddress", "IP src", ""},
    {"ICMP6Error", "2001::1, 1, 3", ""},
    {"ICMPError", "1.0.0.1, unreachable, port", ""},
    {"ICMPPingRewriter", "keep 0 1, pass 0", ""},
    {"ICMPRewriter", "rw", "Idle -> rw :: UDPRewriter(keep 0 0) -> Discard"},
    {"IP6Classifier", "src net 2001::/16 or frag, tcp or udp port 80", ""},
    {"IP6Encap", "59, 2001::1, 2001::2", ""},
    {"IP6Filter", "allow tcp dst port 80, deny frag, allow icmp6 type 1", ""},
    {"IPAddrPairRewriter", "keep 0 1, pass 0", ""},
    {"IPAddrRewriter", "pattern 1.0.0.1-1.0.0.9 - 0 1, drop", ""},
    {"IPClassifier", "tcp opt syn or ip frag or udp port 53, icmp type echo or ip hl 6",
     ""},
    {"IPEncap", "4, 1.0.0.1, DST_ANNO", ""},
    {"IPFilter", "allow tcp dst port 80, deny ip frag, allow icmp type 8", ""},
    {"IPRateMonitor", "PACKETS, 1, 1", ""},
    {"IPRewriter", "pattern 9.9.9.9 1024-65535 - - 0 1, drop", ""},
    {"LinkUnqueue", "1ms, 1Mbps", ""},
    {"Meter", "1000, 2000", ""},
    {"PI", "0.1, 0.1, 0.1, 10", ""},
    {"RED", "2, 8, 0.5", ""},
    {"RandomBitErrors", "0.5", ""},
    {"RandomSample", "0.5", ""},
    {"RoutingZeroEncap", "17, \"2001::1 2001::2\"", ""},
    {"SetIPECN", "ce", ""},
    {"SetIP6ECN", "ce", ""},
    {"SetPacketType", "host", ""},
    {"SpinlockAcquire", "l", "SpinlockInfo(l)"},
    {"SpinlockPush", "l", "SpinlockInfo(l)"},
    {"SpinlockRelease", "l", "SpinlockInfo(l)"},
    {"StoreEtherAddress", "1:1:1:1:1:1, src", ""},
    {"StoreIP6Address", "2001::1, dst", ""},
    {"StoreIPAddress", "1.0.0.1, src", ""},
    {"StoreTimestamp", "OFFSET 4", ""},
    {"StrideSched", "1, 2", ""},
    {"StrideSwitch", "1, 2", ""},
    {"TCPFragmenter", "MTU 60", ""},
    {"TCPMSS", "MSS 500, MTU 500", ""},
    {"TCPRewriter", "pattern 9.9.9.9 1024-65535 - - 0 1, drop", ""},
    {"ToNetfront", "1", ""},
    {"UDPIP6Encap", "2001::1, 8, 2001::2, 8", ""},
    {"UDPIPEncap", "1.0.0.1, 8, DST_ANNO, 8", ""},
    {"UDPRewriter", "keep 0 1, pass 0", ""},
    {"RadixIPLookup", "1.0.0.0/8 9.9.9.9 0, 0/0 1", ""},
    {"LookupIP6Route", "2001::/16 3::1 0, ::/0 1", ""},
    {"ProtocolTranslator46", "", ""},
    {"IP6NDAdvertiser", "2001::/16 2:0:0:0:0:1", ""},
    {"ARPResponder", "0/0 2:0:0:0:0:1", ""},
};

static const char *const marks[] = {
    "",
    "MarkIPHeader -> GetIPAddress(16) -> ",
    "MarkMACHeader(0, 14) -> MarkIPHeader(14) -> ",
    "MarkIP6Header -> GetIP6Address(24) -> ",
};

enum { ALONE = 0x80, CLASS_BITS = 5 }; /* of the second byte; 2 bits for the mark */

static void add_inputs(const struct element_class *c, unsigned n, const char *mark,
                       struct sbuf *out)
{
    const char *how = c->processing ? c->processing : "a/a";

    sbuf_printf(out, "FromNetfront(0) -> t :: Tee(%u);\n", n);
    for (unsigned i = 0; i < n; i++)
        sbuf_printf(out, "t[%u] -> %s%s[%u]e;\n", i, mark,
                    port_letter(how, i) == 'l' ? "Queue -> " : "", i);
}

static void add_outputs(const struct element_class *c, unsigned n, struct sbuf *out)
{
    const char *how = c->processing ? strchr(c->processing, '/') : NULL;

    for (unsigned i = 0; i < n; i++)
        sbuf_printf(out, "e[%u] -> %sUnqueue -> Discard;\n", i,
                    port_letter(how ? how + 1 : "a", i) == 'l' ? "" : "Queue -> ");
}

/* An element of the class with all its ports, or two where there may be any number. NULL if
 * the class gets no packets; the caller's to free. */
static char *alone(const struct element_class *c, const char *mark)
{
    struct sbuf out = SBUF_INIT;
    const char *args = NULL, *more = "", *outs;
    unsigned n_in, n_out;

    if (c->driver_only || c->info || !c->ports)
        return NULL;
    n_in = least_ports(c->ports) + more_ports(c->ports);
    outs = strchr(c->ports, '/') + 1;
    n_out = *outs == '=' ? n_in + (outs[1] == '+')
                         : least_ports(outs) + more_ports(outs);
    if (!n_in)
        return NULL;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (strcmp(needs[i].cls, c->name) == 0) {
            args = needs[i].args;
            more = needs[i].more;
            if (!args)
                return NULL;
        }
    sbuf_printf(&out, "e :: %s(%s", c->name, args ? args : "");
    if (!args)
        add_arguments(c, &out);
    sbuf_printf(&out, ");\n%s\n", more);
    add_inputs(c, n_in, mark, &out);
    add_outputs(c, n_out, &out);
    return sbuf_take(&out);
}

static char *alone_by_bytes(uint8_t low, uint8_t high)
{
    size_t class = (size_t)(high & ((1u << CLASS_BITS) - 1)) << 8 | low;

    return alone(router_class(class % router_n_classes()),
                 marks[high >> CLASS_BITS & 3]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct machine m = {.now = 1, .pool = pkt_pool_new(0)};

    if (!m.pool)
        return 0;
    for (size_t i = 0; i < router_n_classes(); i++)
        for (unsigned mark = 0; mark < sizeof marks / sizeof marks[0]; mark++) {
            char *text = alone(router_class(i), marks[mark]);

            if (text)
                run(&m, text);
            free(text);
        }
    pkt_pool_free(m.pool);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine m = {.now = 1};
    char *text = NULL;

    if (size < 2)
        return 0;
    m.fix = data[1];
    m.data = data + 2;
    m.left = size - 2;
    m.pool = pkt_pool_new(0);
    if (!m.pool)
        return 0;
    if (data[1] & ALONE)
        text = alone_by_bytes(data[0], data[1] & (ALONE - 1));
    if (text || !(data[1] & ALONE))
        run(&m, text ? text : chains[data[0] % N_CHAINS]);
    free(text);
    if (pkt_pool_live(m.pool))
        __builtin_trap();
    pkt_pool_free(m.pool);
    return 0;
}
