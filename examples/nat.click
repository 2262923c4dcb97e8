// A gateway with source NAT. Interface 0 faces the customers, interface 1 the outside.
// Connections from inside leave with the gateway's outside address, and their answers
// find the way back; nothing comes in unasked. The gateway answers ping on both sides.
//
//     clickos run nat examples/nat.click OUTSIDE=203.0.113.1/24 ROUTER=203.0.113.254 --net inside,outside
//     clickos read nat tcp_udp.tcp_table
//     clickos read nat not_mine.count                       # sent past the translation
//
// The bindings outlive a change of the configuration (clickos install).

define($INSIDE 192.168.1.1/24, $OUTSIDE 10.0.0.1/24, $ROUTER 10.0.0.254);

AddressInfo(inside $INSIDE 0, outside $OUTSIDE 1);

to_inside :: Queue -> ToNetfront(0);
to_outside :: Queue -> ToNetfront(1);

// ---- between Ethernet and IP: an address each, ARP asked and answered

elementclass Port {
    $ADDRESS |
    // input 0: Ethernet frames in; input 1: IP packets out, to their annotation
    input[0] -> kind :: Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -);
    arp :: ARPQuerier($ADDRESS);
    input[1] -> arp;
    kind[0] -> ARPResponder($ADDRESS) -> [1] output;
    kind[1] -> [1] arp;
    kind[2] -> Strip(14) -> CheckIPHeader -> [0] output;
    kind[3] -> other :: Counter -> Discard;
    arp -> [1] output;
}

in :: Port(inside);
out :: Port(outside);

FromNetfront(0) -> in;
FromNetfront(1) -> out;
in[1] -> to_inside;
out[1] -> to_outside;

// ---- routes: what is not on the outside network goes to the router

route_out :: StaticIPLookup($OUTSIDE 0, 0/0 $ROUTER 0)
    -> out_ttl :: DecIPTTL -> [1] out;
in_ttl :: DecIPTTL -> GetIPAddress(16) -> [1] in;

// ---- translation: inputs 0 take what goes out, inputs 1 what comes back

tcp_udp :: IPRewriter(pattern outside:ip 1024-65535# - - 0 1, drop);
pings :: ICMPPingRewriter(pattern outside:ip 1024-65535# - - 0 1, drop);
errors :: ICMPRewriter(tcp_udp pings);

in[0] -> from_inside :: IPClassifier(dst host inside, icmp type echo, tcp or udp, -);
from_inside[0] -> for_me :: IPClassifier(icmp type echo, -);
for_me[0] -> ICMPPingResponder -> GetIPAddress(16) -> [1] in;
for_me[1] -> Discard;
from_inside[1] -> [0] pings;
from_inside[2] -> [0] tcp_udp;
from_inside[3] -> untranslated :: Counter -> Discard;

out[0] -> mine :: IPClassifier(dst host outside, -);
mine[0] -> from_outside :: IPClassifier(icmp type echo, icmp type echo-reply, icmp, tcp or udp, -);
from_outside[0] -> ICMPPingResponder -> GetIPAddress(16) -> route_out;
from_outside[1] -> [1] pings;
from_outside[2] -> errors;
from_outside[3] -> [1] tcp_udp;
from_outside[4] -> unknown :: Counter -> Discard;
mine[1] -> not_mine :: Counter -> Discard;

tcp_udp[0] -> route_out;
pings[0] -> route_out;
tcp_udp[1] -> in_ttl;
pings[1] -> in_ttl;
errors[0] -> in_ttl;

// ---- errors of our own: a packet whose time is up

in_ttl[1] -> ICMPError(outside:ip, timeexceeded) -> GetIPAddress(16) -> route_out;
out_ttl[1] -> Discard;
