// The same firewall with a stricter rule set: clients open connections, servers only answer.
// The names are those of firewall.click, so its counters go on when this one is installed
// over it:
//
//     clickos install fw examples/firewall-strict.click

client :: FromNetfront(0);
server :: FromNetfront(1);
to_client :: ToNetfront(0);
to_server :: ToNetfront(1);

elementclass Firewall { $web, $iperf |
    input -> kind :: Classifier(12/0806, 12/0800, -);
    kind[0] -> arp :: Counter -> output;
    kind[1] -> Strip(14) -> check :: CheckIPHeader
        -> rules :: IPFilter(0 icmp, 0 $web, 0 $iperf, 1 all)
        -> Unstrip(14) -> allowed :: Counter -> output;
    rules[1] -> dropped :: Counter -> Discard;
    kind[2] -> other :: Counter -> Discard;
}

client -> in :: Firewall(tcp dst port 80, tcp dst port 5201) -> to_server;
server -> out :: Firewall(tcp src port 80 and tcp opt ack,
                          tcp src port 5201 and tcp opt ack) -> to_client;
