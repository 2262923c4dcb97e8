// A transparent firewall: interface 0 faces the clients, interface 1 the servers. Frames
// pass unchanged; what the rules do not allow is dropped and counted.
//
//     clickos run fw examples/firewall.click --net client --net server
//     clickos read fw in/dropped.count

client :: FromNetfront(0);
server :: FromNetfront(1);
to_client :: ToNetfront(0);
to_server :: ToNetfront(1);

// ARP passes, IPv4 goes through the rules, anything else is dropped.
elementclass Firewall {
    input -> kind :: Classifier(12/0806, 12/0800, -);
    kind[0] -> arp :: Counter -> output;
    kind[1] -> Strip(14) -> check :: CheckIPHeader
        -> rules :: IPFilter(
            0 icmp,
            0 tcp port 80,          // web
            0 tcp port 5201,        // iperf3
            0 udp port 53,
            1 all)
        -> Unstrip(14) -> allowed :: Counter -> output;
    rules[1] -> dropped :: Counter -> Discard;
    kind[2] -> other :: Counter -> Discard;
}

client -> in :: Firewall -> to_server;
server -> out :: Firewall -> to_client;
