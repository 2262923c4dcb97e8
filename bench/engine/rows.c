// SPDX-License-Identifier: BSD-3-Clause
/* rows.c -- the rows of the engine benchmark: see bench.h */

#include "bench/engine/bench.h"

#define TEN(x) x x x x x x x x x x

#define CHECKED "%SOURCE -> Strip(14) -> CheckIPHeader "
#define FILTER  CHECKED "-> IPFilter(%RULES) -> %SINK"

#define CLASSIFIER                                                                     \
    "%SOURCE -> c :: Classifier(12/0900, 12/0901, 12/0902, 12/0903, 12/0904, 12/0905," \
    " 12/0906, 12/0907, 12/0908, 12/0909, 12/090a, 12/090b, 12/090c, 12/090d, "        \
    "12/090e, 12/090f, 12/0910, 12/0911, 12/0912, 12/0800); c[19] -> %SINK;"           \
    "c[0] -> d :: Discard; c[1] -> d; c[2] -> d; c[3] -> d; c[4] -> d; c[5] -> d;"     \
    "c[6] -> d; c[7] -> d; c[8] -> d; c[9] -> d; c[10] -> d; c[11] -> d;"              \
    "c[12] -> d; c[13] -> d; c[14] -> d; c[15] -> d; c[16] -> d; c[17] -> d;"          \
    "c[18] -> d;"

/* One direction of an IP router with two interfaces, as in "The Click modular router"
 * (Kohler et al., TOCS 2000), figure 8; `arpq` gives packets their Ethernet header. */
#define ROUTER(source, table, arpq)                                                    \
    source " -> c :: Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -);"        \
           "arpq :: " arpq "; out :: Queue(200) -> Unqueue(32) -> %SINK;"              \
           "c[0] -> ARPResponder(18.26.7.1 00:00:C0:4F:71:EF) -> out;"                 \
           "c[2] -> Paint(2) -> Strip(14) -> CheckIPHeader(18.26.4.255 1.255.255.255)" \
           " -> rt :: " table "; c[3] -> d :: Discard;"                                \
           "rt[0] -> DropBroadcasts -> cp :: PaintTee(1) -> gio :: "                   \
           "IPGWOptions(18.26.4.24)"                                                   \
           " -> FixIPSrc(18.26.4.24) -> dt :: DecIPTTL -> fr :: IPFragmenter(1500)"    \
           " -> [0]arpq; rt[1] -> d; rt[2] -> d; rt[3] -> d;"                          \
           "dt[1] -> ICMPError(18.26.4.24, timeexceeded) -> [0]rt;"                    \
           "fr[1] -> ICMPError(18.26.4.24, unreachable, needfrag) -> [0]rt;"           \
           "gio[1] -> ICMPError(18.26.4.24, parameterproblem) -> [0]rt;"               \
           "cp[1] -> ICMPError(18.26.4.24, redirect, host) -> [0]rt;"
#define FAKE_ROUTER                                                                    \
    ROUTER("%SOURCE", "StaticIPLookup(%ROUTES)",                                       \
           "EtherEncap(0x0800, 00:00:c0:ae:67:ef, 00:00:c0:4f:71:ef)")                 \
    "c[1] -> d;"                                                                       \
    "arpq -> out;"
#define ARP_ROUTER                                                                     \
    ROUTER("%WAITING", "RadixIPLookup(%ROUTES)",                                       \
           "ARPQuerier(18.26.4.24, 00:00:c0:ae:67:ef)")                                \
    "c[1] -> [1]arpq; arpq -> out;"                                                    \
    "Script(write arpq.insert 2.0.0.2 00:00:c0:4f:71:ef, write src.active true);"

#define ROUTER6                                                                        \
    "%V6SOURCE -> c :: Classifier(12/86dd, -) -> Strip(14) -> CheckIP6Header -> "      \
    "GetIP6Address(24) -> rt :: LookupIP6Route(%V6ROUTES); c[1] -> d :: Discard; "     \
    "rt[0] -> DecIP6HLIM -> EtherEncap(0x86dd, 00:00:c0:ae:67:ef, "                    \
    "00:00:c0:4f:71:ef) -> Queue(200) -> Unqueue(32) -> %SINK; rt[1] -> d; "           \
    "rt[2] -> d; rt[3] -> d;"

#define LOOKUP(class)                                                                  \
    "%SOURCE -> SetRandIPAddress(0.0.0.0/0) -> rt :: " class "(%ROUTES); s :: Null "   \
                                                             "-> %SINK; rt[0] -> s; "  \
                                                             "rt[1] -> s; rt[2] -> "   \
                                                             "s; rt[3] -> s;"

#define NAT                                                                            \
    CHECKED "-> IPRewriter(pattern 5.0.0.1 1024-65535# - - 0 0, MAPPING_CAPACITY "     \
            "2000000) -> %SINK;"
#define BALANCER                                                                       \
    "m :: RoundRobinIPMapper(- - 6.0.0.1 - 0 0, - - 6.0.0.2 - 0 0, - - 6.0.0.3 - 0 "   \
    "0, - - 6.0.0.4 - 0 0);" CHECKED "-> IPRewriter(m) -> %SINK;"

#define TRACE                                                                          \
    "FromDump(%TRACE, BURST 32, STOP true) -> Strip(14) -> CheckIPHeader "             \
    "-> Counter -> %SINK;"

#define TRACE_FLOWS                                                                    \
    "FromDump(%TRACE, BURST 32, STOP true) -> Strip(14) -> CheckIPHeader "             \
    "-> AggregateIPFlows -> %SINK;"

/* The association begins with numbers that the limit knows. */
#define ESP_GCM                                                                        \
    "%WAITING -> Strip(14) -> CheckIPHeader -> rt :: RadixIPsecLookup(0.0.0.0/0 "      \
    "%TUNNEL); rt[0] -> Discard; rt[1] -> IPsecESPEncap -> IPsecAESGCM(1) -> "         \
    "IPsecEncap(50) -> %SINK; Script(write rt.associations 256 1 1 0 0, write "        \
    "src.active true);"

/* name, configuration, limit, millions of packets, Click, FastClick, size, feed, flags */
const struct row bench_rows[] = {
    {"source -> Discard", "%SOURCE -> %SINK", limit_source_discard, 200, 157, 60.9, 0,
     FEED_CLONES, FEEDS_BOTH},
    {"Queue -> Unqueue", "%SOURCE -> Queue -> Unqueue(32) -> %SINK", limit_queue, 200,
     96.1, 27.4, 0, FEED_CLONES, FEEDS_BOTH},
    {"10 Nulls", "%SOURCE" TEN(" -> Null") " -> %SINK", limit_source_discard, 200, 46.6,
     61.3, 0, FEED_CLONES, 0},
    {"RED, Queue -> Unqueue",
     "%SOURCE -> RED(500, 800, 0.02) -> Queue -> Unqueue(32) -> %SINK", limit_red, 100,
     0, 0, 0, FEED_CLONES, 0},
    {"Queue -> CoDel -> Unqueue",
     "%SOURCE -> SetTimestamp(FIRST true) -> Queue -> CoDel -> Unqueue(32) -> %SINK",
     limit_codel, 100, 0, 0, 0, FEED_CLONES, 0},
    {"Counter", "%SOURCE -> Counter -> %SINK", limit_counter, 100, 19.9, 55.0, 0,
     FEED_CLONES, FEEDS_BOTH},
    {"10 Counters", "%SOURCE" TEN(" -> Counter") " -> %SINK", limit_counters10, 100,
     2.4, 25.3, 0, FEED_CLONES, 0},
    {"Strip, CheckIPHeader", CHECKED "-> %SINK", limit_strip_check, 100, 54.6, 41.2, 0,
     FEED_CLONES, FEEDS_BOTH},
    {"+ IPFilter, 10 rules", FILTER, limit_filter, 50, 24.5, 18.3, 10, FEED_CLONES,
     FEEDS_BOTH},
    {"+ IPFilter, 100", FILTER, limit_filter, 50, 3.0, 2.3, 100, FEED_CLONES, 0},
    {"+ IPFilter, 1,000", FILTER, limit_filter, 50, 0.28, 0.24, 1000, FEED_CLONES,
     FEEDS_BOTH},
    {"+ IPFilter, 10,000", FILTER, limit_filter, 30, 0, 0, 10000, FEED_CLONES, 0},
    {"+ IPFilter, 100,000", FILTER, limit_filter, 30, 0, 0, 100000, FEED_CLONES, 0},
    {"Classifier, 20 patterns", CLASSIFIER, limit_classifier20, 100, 10.3, 18.5, 0,
     FEED_CLONES, FEEDS_BOTH},
    {"fake-iprouter", FAKE_ROUTER, limit_router, 20, 7.6, 9.6, 9, FEED_CLONES,
     FEEDS_BOTH},
    {"IP router, 10 routes", ARP_ROUTER, limit_router, 20, 6.1, 7.6, 10, FEED_CLONES,
     FEEDS_BOTH},
    {"IP router, 1,000 routes", ARP_ROUTER, limit_router, 20, 6.1, 7.6, 1000,
     FEED_CLONES, 0},
    {"IP router, 100,000", ARP_ROUTER, limit_router, 20, 6.1, 7.6, 100000, FEED_CLONES,
     FEEDS_BOTH},
    {"IPv6 router, 1,000 routes", ROUTER6, limit_router6, 20, 0, 0, 1000, FEED_CLONES,
     0},
    {"random destinations", "%SOURCE -> SetRandIPAddress(0.0.0.0/0) -> %SINK",
     limit_random_address, 50, 34.4, 25.5, 0, FEED_CLONES, FEEDS_BOTH},
    {"+ radix, 1,000 routes", LOOKUP("RadixIPLookup"), limit_lookup, 40, 29.0, 22.1,
     1000, FEED_CLONES, 0},
    {"+ radix, 100,000", LOOKUP("RadixIPLookup"), limit_lookup, 20, 8.9, 10.4, 100000,
     FEED_CLONES, 0},
    {"+ range, 100,000", LOOKUP("RangeIPLookup"), limit_lookup, 20, 17.9, 15.9, 100000,
     FEED_CLONES, 0},
    {"1 flow", "%SOURCE -> %SINK", limit_source_discard, 100, 36.7, 26.4, 1, FEED_FLOWS,
     0},
    {"1,000 flows", "%SOURCE -> %SINK", limit_source_discard, 50, 31.8, 24.9, 1000,
     FEED_FLOWS, 0},
    {"100,000 flows", "%SOURCE -> %SINK", limit_source_discard, 40, 5.4, 7.5, 100000,
     FEED_FLOWS, 0},
    {"NAT, 1 flow", NAT, limit_nat, 20, 9.4, 8.1, 1, FEED_FLOWS, 0},
    {"NAT, 1,000 flows", NAT, limit_nat, 20, 5.8, 6.0, 1000, FEED_FLOWS, 0},
    {"NAT, 100,000 flows", NAT, limit_nat, 30, 0.57, 0.74, 100000, FEED_FLOWS, 0},
    {"1,000,000 flows", "%SOURCE -> %SINK", limit_source_discard, 20, 0, 0, 1000000,
     FEED_FLOWS, 0},
    {"NAT, 1,000,000 flows", NAT, limit_nat, 20, 0, 0, 1000000, FEED_FLOWS, 0},
    {"load balancer, 1,000", BALANCER, limit_balancer, 20, 5.9, 5.9, 1000, FEED_FLOWS,
     0},
    {"EtherMirror", "%SOURCE -> EtherMirror -> %SINK", limit_ether_mirror, 50, 21.5,
     16.0, 0, FEED_CLONES, FEEDS_BOTH},
    {"IPRateMonitor", CHECKED "-> IPRateMonitor(PACKETS, 1, 256, 600) -> %SINK",
     limit_rates, 50, 8.4, 8.6, 0, FEED_CLONES, FEEDS_BOTH},
    {"1,000 strings in 512 bytes", "%LONG -> StringMatcher(%STRINGS) -> %SINK",
     limit_strings, 10, 0, 0, 1000, FEED_CLONES, 0},
    {"AES-GCM ESP", ESP_GCM, limit_esp_gcm, 10, 0, 0, 0, FEED_CLONES, 0},
    {"pcap, 64 bytes", TRACE, limit_trace, 2, 11.1, 20.4, 60, FEED_CLONES, NEEDS_TRACE},
    {"pcap, AggregateIPFlows, 10,000", TRACE_FLOWS, limit_trace_flows, 2, 4.4, 6.0,
     10000, FEED_FLOWS, NEEDS_TRACE},
    {"pcap, AggregateIPFlows, 100,000", TRACE_FLOWS, limit_trace_flows, 2, 1.3, 2.7,
     100000, FEED_FLOWS, NEEDS_TRACE},
    {"pcap, 512 bytes", TRACE, limit_trace, 1, 6.0, 6.2, 508, FEED_CLONES, NEEDS_TRACE},
    /* In the private rows an interface has one packet whenever it is asked. */
    {"one by one: source -> Discard", "%SOURCE -> %SINK", limit_one_discard, 50, 0, 0,
     0, FEED_CLONES, FEEDS_BOTH | ONE_BY_ONE},
    {"one by one: Queue -> Unqueue", "%SOURCE -> Queue -> Unqueue(32) -> %SINK",
     limit_one_queue, 50, 0, 0, 0, FEED_CLONES, FEEDS_BOTH | ONE_BY_ONE},
    {"one by one: EtherMirror", "%SOURCE -> EtherMirror -> %SINK", limit_one_mirror, 30,
     0, 0, 0, FEED_CLONES, FEEDS_BOTH | ONE_BY_ONE},
    {"one by one: IP router, 10 routes", ARP_ROUTER, limit_one_router, 10, 0, 0, 10,
     FEED_CLONES, FEEDS_BOTH | ONE_BY_ONE},
};
const unsigned bench_n_rows = sizeof bench_rows / sizeof bench_rows[0];
