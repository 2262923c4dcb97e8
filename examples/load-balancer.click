// A load balancer for TCP. Interface 0 faces the clients, interface 1 the servers, whose
// default route is the balancer. Each new connection to the service goes to the next
// server, and the packets of a connection stay with theirs.
//
//     clickos run lb examples/load-balancer.click SERVICE=10.0.0.1/24 --net clients,servers
//     clickos read lb balance.tcp_table
//
// With SourceIPHashMapper in place of RoundRobinIPMapper a client stays with its server.
// Connections outlive a change of the list of servers (clickos install).

define($SERVICE 10.0.0.1/24, $SERVERS 192.168.1.1/24, $PORT 80);
define($SERVER_A 192.168.1.2, $SERVER_B 192.168.1.3);

AddressInfo(service $SERVICE 0, servers $SERVERS 1);

to_clients :: Queue -> ToNetfront(0);
to_servers :: Queue -> ToNetfront(1);

// ---- between Ethernet and IP: an address each, ARP asked and answered

elementclass Port {
    $ADDRESS |
    // input 0: Ethernet frames in; input 1: IP packets out, to their destination
    input[0] -> kind :: Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -);
    arp :: ARPQuerier($ADDRESS);
    input[1] -> GetIPAddress(16) -> arp;
    kind[0] -> ARPResponder($ADDRESS) -> [1] output;
    kind[1] -> [1] arp;
    kind[2] -> Strip(14) -> CheckIPHeader
        -> me :: IPClassifier(dst host $ADDRESS and icmp type echo, -);
    kind[3] -> other :: Counter -> Discard;
    me[0] -> ICMPPingResponder -> arp;
    me[1] -> [0] output;
    arp -> [1] output;
}

clients :: Port(service);
inner :: Port(servers);

FromNetfront(0) -> clients;
FromNetfront(1) -> inner;
clients[1] -> to_clients;
inner[1] -> to_servers;

// ---- balancing: input 0 takes what clients send, input 1 what servers answer

servers_in_turn :: RoundRobinIPMapper(- - $SERVER_A $PORT 0 1, - - $SERVER_B $PORT 0 1);
balance :: IPRewriter(servers_in_turn, drop);

clients -> service_only :: IPClassifier(dst host service and tcp port $PORT, -);
service_only[0] -> [0] balance;
service_only[1] -> refused :: Counter -> Discard;

inner -> answers :: IPClassifier(tcp, -);
answers[0] -> [1] balance;
answers[1] -> not_tcp :: Counter -> Discard;

balance[0] -> DecIPTTL -> [1] inner;
balance[1] -> DecIPTTL -> [1] clients;
