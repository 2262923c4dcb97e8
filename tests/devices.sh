#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Devices and sockets of the driver, each in a network namespace of its own, which ends with
# the program in it: tests/devices.sh BUILDDIR
set -u
click=$1/click
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
rc=0

# same NAME GOT WANTED
same() {
    if [ "$2" == "$3" ]; then
        echo "PASS devices/$1"
    else
        echo "FAIL devices/$1"
        diff <(echo "$3") <(echo "$2")
        rc=1
    fi
}
why() { timeout 20 "$click" -q -e "$1" 2>&1 </dev/null | sed -n '2s/^config:1: *//p'; }

# --- arguments, which need no rights ---
same poshandler "$(why 'ProgressBar(x.pos)')" "no 'x.pos' read handler"
cat >"$d/bar.click" <<'END'
InfiniteSource(LIMIT 50) -> c :: Counter -> Discard;
b :: ProgressBar(c.count, FIXED_SIZE 100, BANNER "it is", ACTIVE false);
Script(wait 0.05s, write b.active true, wait 0.05s, write b.mark_stopped, stop)
END
same progress_bar "$(script -qec "$click --simtime $d/bar.click" /dev/null </dev/null 2>&1 | tr '\r' '\n' | grep -c '^it is  50% |\**  *|')" 2
same snaplen "$(why 'FromDevice(lo, SNAPLEN 10) -> Discard')" "SNAPLEN out of range"
same headroom "$(why 'FromDevice(lo, HEADROOM 9000) -> Discard')" "HEADROOM out of range"
same burst "$(why 'FromDevice(lo, BURST 0) -> Discard')" "BURST out of range"
same encap "$(why 'FromDevice(lo, ENCAP x) -> Discard')" "bad encapsulation type"
same method "$(why 'FromDevice(lo, METHOD x) -> Discard')" "bad METHOD"
same to_burst "$(why 'Idle -> ToDevice(lo, BURST 0)')" "bad BURST"
same to_method "$(why 'Idle -> ToDevice(lo, METHOD x)')" "bad METHOD"
same raw_type "$(why 'RawSocket(xyzzy) -> Discard')" "TYPE: parse error"
same raw_port "$(why 'RawSocket(tcp, 65536) -> Discard')" "PORT: overflow, range 0-65535"
same raw_no_ports "$(why 'RawSocket(icmp, 65536) -> Discard')" "PORT: out of range, bound 65535"
same mcast_port "$(why 'McastSocket(224.0.0.9, x) -> Discard')" "MCASTPORT: parse error"
same tun_needs_a_net "$(why 'Idle -> KernelTun(1.2.3.4) -> Discard')" "ADDR: parse error"
same kernel_filter "$(why 'KernelFilter(drop all)')" "arguments must follow 'drop dev DEVNAME'"

unshare -n true 2>/dev/null || {
    echo "SKIP devices: cannot make network namespaces"
    exit $rc
}
# inside COMMAND: in a namespace with two ends of a cable, v0 and v1. What is sent before the
# kernel has noticed that a cable is in it throws away.
inside() {
    timeout 30 unshare -n bash -c "click=$click d=$d
        sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
        ip link set lo up
        ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up &&
            for _ in \$(seq 100); do
                [ \$(ip link | grep -c 'v[01]@.* state UP') = 2 ] && break
                sleep 0.02
            done
        $1" 2>&1 </dev/null
}
# until HANDLER COUNT: elements that stop the driver once so much was counted, and a moment
# later, as more might come
until_count() {
    echo "DriverManager(wait 20s); Script(label more, wait 5ms, goto more \$(lt \$($1) $2), wait 0.1s, stop);"
}
inside true >"$d/can"
if [ -s "$d/can" ]; then
    echo "SKIP devices: $(head -n 1 "$d/can")"
    exit $rc
fi
frame='\<ffffffffffff 0200000000010800 4500001c0000000040110000010203040506070800010002000800ff>'
send="InfiniteSource(DATA $frame, LIMIT 3) -> q :: Queue"

# an interface's name stands for its addresses, a name that was given goes before it
same interface_names "$(inside "ip link set v0 address 02:00:00:00:00:aa; ip addr add 10.1.2.3/24 dev v0
    ip route add default via 10.1.2.77
    \$click -q -e 'a :: SetIPAddress(v0) -> Discard; b :: SetIPAddress(v0:ip4) -> Discard;
        c :: SetIPAddress(v0:bcast) -> Discard; d :: SetIPAddress(v0:gw) -> Discard;
        e :: SetIPAddress(v0:ipnet:bcast) -> Discard; f :: SetIPAddress(v1:gw) -> Discard;
        g :: ARPQuerier(v0) -> Discard; h :: StaticIPLookup(v0:net 0) -> Discard;
        InfiniteSource(LIMIT 0) -> a; Idle -> b; Idle -> c; Idle -> d; Idle -> e; Idle -> f;
        Idle -> g; Idle -> [1] g; Idle -> h; AddressInfo(v1 9.0.0.0/8);' \
        -h a.addr -h b.addr -h c.addr -h d.addr -h e.addr -h f.addr -h g.ipaddr -h h.table | grep -v '^.*:\$' | grep .")" \
    "10.1.2.3
10.1.2.3
10.1.2.255
10.1.2.77
10.1.2.255
9.0.0.1
10.1.2.3
10.1.2.0/24		-		0"
same cable "$(inside "\$click -e '$send -> ToDevice(v0) -> sent :: Counter -> Discard; f :: FromDevice(v1) -> p :: Print(x, 14, TIMESTAMP false) -> r :: Counter -> Discard;
    $(until_count r.count 3)' -h sent.count -h r.count -h f.count -h f.encap -h f.kernel_drops")" \
"x:   42 | ffffffff ffff0200 00000001 0800
x:   42 | ffffffff ffff0200 00000001 0800
x:   42 | ffffffff ffff0200 00000001 0800
sent.count:
3

r.count:
3

f.count:
3

f.encap:
ETHER

f.kernel_drops:
0"
same linux_method "$(inside "\$click -e '$send -> ToDevice(v0, METHOD LINUX); f :: FromDevice(v1, METHOD LINUX, SNAPLEN 20) -> t :: ToIPSummaryDump($d/o) -> Discard;
    f0 :: FromDevice(v0) -> c0 :: Counter -> Discard; f1 :: FromDevice(v0, OUTBOUND true) -> c1 :: Counter -> Discard;
    $(until_count f.count 3)' -h f.kernel_drops -h c0.count -h c1.count -h f.count | grep -v '^\$' | tr '\n' ' '")" \
    'f.kernel_drops: ?? c0.count: 0 c1.count: 3 f.count: 3 '
same filter "$(inside "\$click -e '$send -> ToDevice(v0); a :: FromDevice(v1, BPF_FILTER \"udp port 2\") -> c :: Counter -> Discard;
    FromDevice(v1, BPF_FILTER tcp) -> n :: Counter -> Discard; b :: FromDevice(v1, FORCE_IP true) -> IPClassifier(udp) -> g :: Counter -> Discard;
    $(until_count g.count 3)' -h c.count -h n.count -h g.count | grep -v '^\$' | tr '\n' ' '")" \
    'c.count: 3 n.count: 0 g.count: 3 '
same bad_filter "$(inside "\$click -q -e 'FromDevice(v1, BPF_FILTER \"no such\") -> Discard' 2>&1 | sed -nE '2s/: .*: /: /p'")" \
    'config:1: syntax error'
same no_device "$(inside "\$click -q -e 'FromDevice(nosuch) -> Discard' 2>&1 | sed -n 2p")" \
    'config:1:   nosuch: SIOCGIFINDEX: No such device'
same two_writers "$(inside "\$click -q -e 'Idle -> ToDevice(v0); Idle -> ToDevice(v0)' 2>&1 | sed -n 2p")" \
    "config:1:   duplicate writer for device 'v0'"
same down "$(inside "ip link set v0 down; \$click -e '$send -> t :: ToDevice(v0); t[0] -> Discard; t[1] -> c :: Counter -> Discard; $(until_count c.count 3)' -h c.count -h t.drops 2>&1 | grep -v '^\$' | tail -n 5 | tr -s '\n' ' '")" \
    'ToDevice(v0): Network is down c.count: 3 t.drops: 3 '
same pushed "$(inside "\$click -e 'InfiniteSource(DATA $frame, LIMIT 3) -> ToDevice(v0); FromDevice(v1) -> c :: Counter -> Discard; $(until_count c.count 3)' -h c.count")" 3

# --- sockets ---
same raw_socket "$(inside "\$click -e 'ICMPPingSource(127.0.0.1, 127.0.0.1, LIMIT 2, INTERVAL 0.05) -> Queue -> r :: RawSocket(icmp) -> IPClassifier(icmp type echo) -> c :: Counter -> Discard;
    $(until_count c.count 2)' -h c.count -h r.sent -h r.drops | grep -v '^\$' | tr '\n' ' '")" 'c.count: 2 r.sent: 2 r.drops: 0 '
same old_names "$(inside "\$click -e 'FromRawSocket(udp, 9999) -> Discard; FromSocket(UDP, 127.0.0.1, 7) -> Discard; Idle -> ToSocket(UDP, 127.0.0.1, 8); Idle -> Queue -> ToRawSocket(udp); Script(stop)'")" \
'warning: FromRawSocket is deprecated, use RawSocket instead
warning: FromSocket is deprecated, use Socket instead
warning: ToSocket is deprecated, use Socket instead
warning: ToRawSocket is deprecated, use RawSocket instead'
same mcast "$(inside "ip addr add 10.1.1.1/24 dev v0; ip route add 224.0.0.0/4 dev v0
    \$click -e 'a :: McastSocket(239.1.2.3, 4444, 10.1.1.1) -> own :: Counter -> Discard; InfiniteSource(LIMIT 3) -> a;
    McastSocket(239.1.2.3, 4444) -> other :: Counter -> Discard; $(until_count other.count 3)' -h own.count -h other.count -h a.sent | grep -v '^\$' | tr '\n' ' '")" \
    'own.count: 0 other.count: 3 a.sent: 3 '
same allow_and_deny "$(inside "ip addr add 127.0.0.2/8 dev lo
    \$click -e 'deny :: RadixIPLookup(127.0.0.0/8 0); allow :: RadixIPLookup(127.0.0.2/32 0); Idle -> deny -> Discard; Idle -> allow -> Discard;
    s :: Socket(UDP, 127.0.0.1, 7000, DENY deny, ALLOW allow) -> c :: Counter -> Discard;
    InfiniteSource(LIMIT 2) -> Socket(UDP, 127.0.0.1, 7000, 127.0.0.2, 7001); InfiniteSource(LIMIT 3) -> Socket(UDP, 127.0.0.1, 7000, 127.0.0.1, 7002);
    $(until_count c.count 2)' -h c.count")" 2
same no_table "$(why 'i :: Idle -> Discard; Socket(UDP, 127.0.0.1, 7000, DENY i) -> Discard')" 'i is not an IPRouteTable'
[ -w /dev/net/tun ] || {
    echo "SKIP devices: no /dev/net/tun"
    exit $rc
}
same from_host "$(inside "\$click -e 'FromHost(fake0, 10.2.0.1/24, ETHER 2:0:0:0:0:9) -> cl :: Classifier(12/0806, 12/0800, -);
    cl[0] -> ARPResponder(10.2.0.0/24 1:1:1:1:1:1) -> Queue -> Unqueue -> t :: ToHost(fake0); cl[1] -> Strip(14) -> CheckIPHeader -> ICMPPingResponder -> EtherEncap(0x0800, 1:1:1:1:1:1, 2:0:0:0:0:9) -> t; cl[2] -> Discard;
    DriverManager(wait 20s)' -h t.drops & for _ in \$(seq 100); do ip route get 10.2.0.7 >&- 2>&- && break; sleep 0.1; done; ping -c 1 -W 5 10.2.0.7 | grep -c '1 received'; kill %1; wait" 2>/dev/null | head -n 1)" 1
same tun_refuses "$(inside "\$click -e 'k :: KernelTun(10.2.1.1/24, DEVNAME fake1, MTU 100) -> Discard; InfiniteSource(DATA abc, LIMIT 1) -> k;
    InfiniteSource(LENGTH 200, LIMIT 1) -> UDPIPEncap(10.2.1.2, 1, 10.2.1.3, 2) -> k; InfiniteSource(LENGTH 20, LIMIT 1) -> MarkIPHeader -> k; InfiniteSource(LENGTH 50, LIMIT 1) -> UDPIPEncap(10.2.1.2, 1, 10.2.1.3, 2) -> k;
    $(until_count k.drops 3)' -h k.drops -h k.sent 2>&1 | grep -v '^\$' | LC_ALL=C sort")" '1
3
KernelTun(fake1): no network header
KernelTun(fake1): packet larger than MTU (100)
KernelTun(fake1): unknown IP version 5
k.drops:
k.sent:'
same no_from_host "$(why 'Idle -> ToHost(x)')" 'ToHost(x) requires an initialized FromHost with the same dev_name'
same bad_gateway "$(why 'KernelTun(10.0.0.1/24, 11.0.0.1) -> Discard')" 'bad GATEWAY'
same small_mtu "$(why 'KernelTun(10.0.0.1/24, MTU 10) -> Discard')" 'MTU must be greater than 20'
exit $rc
