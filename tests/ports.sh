#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What an operator can say of a port, and whether it is so: limits, allowed sources, static
# addresses, storms, generators, sinks and pcap files; with real hosts in network
# namespaces, under traffic, across kill -9 and parking. tests/ports.sh BUILDDIR; needs root.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
area=ports
. tests/daemon.bash

setting() { # PORT KEY: from `clickos port show`
    clickos port show "$1" --json | python3 -c 'import json, sys
v = json.load(sys.stdin)["settings"].get(sys.argv[1], "-")
print(",".join(v) if isinstance(v, list) else v)' "$2"
}
stat() { # PORT KEY: a counter, a reason for drops, or what a sink measured
    clickos port show "$1" --json | python3 -c 'import json, sys
p = json.load(sys.stdin)
print(p["stats"].get(sys.argv[1], p["stats"]["drops"].get(sys.argv[1], p.get("sink", {}).get(sys.argv[1], 0))))' "$2"
}
ours() { # what came from generators: hosts with IPv6 say something now and then, too
    clickos port show sk --json | python3 -c 'import json, sys
p = json.load(sys.stdin)["sink"]
print(p["packets"] - p["foreign"])'
}
seen() { # what has become of packets, at all ports; but for what the hosts say
    clickos port stats --json | python3 -c 'import json, sys
for p in json.load(sys.stdin)["ports"]:
    print(p["name"], p["stats"] if p["name"] not in ("ta", "tb") else "")'
}
until_done() { # PORT: a generator or a file has come to its end
    for _ in $(seq 400); do
        clickos port ls | grep -q "^$1 .* done" && break
        sleep 0.05
    done
}
done_playing() { # PORT: and its packets to theirs
    local before now=
    until_done "$1"
    for _ in $(seq 100); do
        before=$now
        now=$(seen)
        [ "$now" = "$before" ] && break
        sleep 0.1
    done
}
until_stat() { # PORT KEY COUNT: it is so much, or more
    for _ in $(seq 400); do
        [ "$(stat "$1" "$2")" -ge "$3" ] && break
        sleep 0.05
    done
}
# What 10,000 packets, 20,000 a second, of a new generator bring to the sink, into $got; again
# if that is not within the bounds, as time goes on while a busy machine lets nobody run.
play_some() { # LEAST MOST OPTION ...
    for _ in 1 2 3 4 5; do
        clickos port rm gen 2>/dev/null
        clickos port reset sk
        clickos port add gen gen --net lan rate=20k count=10k "${@:3}"
        done_playing gen
        got=$(stat sk packets)
        [ "$got" -ge "$1" ] && [ "$got" -le "$2" ] && break
    done
}
between() { # NAME GOT LEAST MOST
    if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then pass "$1"; else fail "$1" "$2 is not from $3 to $4"; fi
}
# Hosts: two network namespaces on the network "lan".
hosts() {
    expect net-add 0 '' clickos net add lan --storm 1000 --max-addresses 5000 --port-limit 50 --age 60
    clickos port add ta tap --net lan --netns "$NS1" ifname=eth0 mac=02:00:00:00:01:01
    clickos port add tb tap --net lan --netns "$NS2" ifname=eth0 mac=02:00:00:00:01:02
    ip -n "$NS1" addr add 10.77.0.1/24 dev eth0
    ip -n "$NS2" addr add 10.77.0.2/24 dev eth0
    ip -n "$NS1" addr add fd77::1/64 dev eth0 nodad
    ip -n "$NS2" addr add fd77::2/64 dev eth0 nodad
    reaches plain 10.77.0.2
    reaches plain-ip6 fd77::2
}
reaches() { # NAME ADDRESS: of the second host, from the first; or "-I SOURCE ADDRESS"
    # shellcheck disable=SC2086
    if ip netns exec "$NS1" ping -c 2 -i 0.05 -W 1 $2 >"$T/out" 2>"$T/err"; then pass "reaches-$1"
    else fail "reaches-$1" "no ping to $2"; fi
}
lost() {
    # shellcheck disable=SC2086
    if ip netns exec "$NS1" ping -c 2 -i 0.05 -W 1 $2 >"$T/out" 2>"$T/err"; then fail "lost-$1" "a ping to $2 came through"
    else pass "lost-$1"; fi
}

# ---- wrong requests ---------------------------------------------------------------------
wrong() {
    refuse set-unknown-port 4 "no port 'tz'" clickos port set tz pps=1
    refuse set-unknown-key 1 "no setting of a port: did you mean 'allow_ip'" clickos port set ta alow_ip=10.0.0.1
    refuse set-no-key 2 'is no KEY=VALUE' clickos port set ta pps
    refuse set-bad-rate 1 "'in_pps' must be a rate" clickos port set ta in_pps=fast
    refuse set-bad-ip 1 "'300.1.1.1' is no IPv4 or IPv6 address" clickos port set ta allow_ip=10.0.0.1,300.1.1.1
    refuse set-bad-mac 1 "'01:00:5e:00:00:01' is no MAC address of one host" clickos port set ta allow_mac=01:00:5e:00:00:01
    refuse set-too-many 1 'takes at most 16 addresses' clickos port set ta allow_ip="$(seq -s, -f 10.0.0.%.0f 17)"
    refuse set-own 1 "'own' is for interfaces of VMs" clickos port set sk allow_mac=own
    refuse set-kind-key 1 "no setting of a port" clickos port set ta mtu=1400
    is nothing-changed "$(clickos port show ta --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["settings"])')" '{}'
    refuse add-bad-setting 1 "did you mean 'in_pps'" clickos port add x sink --net lan in_ps=1
    refuse run-bad-setting 1 "did you mean 'allow_mac'" clickos run x -e 'Idle -> Discard;' --if lan,allow_macs=own
}

# ---- allowed sources ----------------------------------------------------------------------
sources() {
    expect allow 0 '' clickos port set ta allow_mac=own allow_ip=10.77.0.1,fd77::1
    is allow-shown "$(setting ta allow_mac) $(setting ta allow_ip)" "02:00:00:00:01:01 10.77.0.1,fd77::1"
    ip -n "$NS1" neigh flush dev eth0
    reaches allowed 10.77.0.2
    reaches allowed-ip6 fd77::2
    clickos port reset ta
    ip -n "$NS1" addr add 10.77.0.66/24 dev eth0
    ip -n "$NS1" addr add fd77::66/64 dev eth0 nodad
    lost other-ip "-I 10.77.0.66 10.77.0.2"
    lost other-ip6 "-I fd77::66 fd77::2"
    # Nor does it answer for that address: the neighbour's question stays open.
    ip netns exec "$NS2" ping -c 1 -W 1 10.77.0.66 >/dev/null 2>&1
    ip netns exec "$NS2" ping -c 1 -W 1 fd77::66 >/dev/null 2>&1
    is no-arp-answer "$(ip -n "$NS2" neigh show 10.77.0.66 | grep -c lladdr)" 0
    is no-nd-answer "$(ip -n "$NS2" neigh show fd77::66 | grep -c lladdr)" 0
    between spoof-counted "$(stat ta spoof)" 4 1000
    expect allow-prefix 0 '' clickos port set ta allow_ip=10.77.0.64/30,fd77::/121
    is allow-prefix-shown "$(setting ta allow_ip)" 10.77.0.64/30,fd77::/121
    ip -n "$NS1" neigh flush dev eth0
    reaches in-prefix "-I 10.77.0.66 10.77.0.2"
    reaches in-prefix-ip6 "-I fd77::66 fd77::2"
    lost out-of-prefix "-I 10.77.0.1 10.77.0.2"
    refuse set-bad-prefix 1 "has bits behind its prefix" clickos port set ta allow_ip=10.77.0.66/30
    clickos port set ta allow_ip=10.77.0.1
    lost other-family fd77::2
    expect take-back 0 '' clickos port set ta allow_mac= allow_ip=
    is taken-back "$(setting ta allow_ip)" -
    ip -n "$NS1" neigh flush dev eth0
    reaches all-again fd77::2
}

# ---- limits ---------------------------------------------------------------------------------
# Packets that 0.5 s of a generator of 20,000 packets a second bring to the sink.
limits() {
    local mac=dst_mac=02:00:00:00:01:09
    clickos port set sk static_mac=02:00:00:00:01:09
    is static-shown "$(clickos net addresses lan | awk '/01:09/ {print $2, $3}')" "sk static"
    refuse static-taken 1 "port 'sk' of network 'lan' has this address already" \
        clickos port add other sink --net lan static_mac=02:00:00:00:01:09
    clickos port add gen gen --net lan rate=20k count=10k $mac size=64,512 flows=7
    done_playing gen
    is unlimited "$(ours)" 10000
    is flows "$(stat sk flows) $(stat sk lost) $(stat sk reordered)" "7 0 0"
    clickos port rm gen
    clickos port reset sk
    expect limit-out 0 '' clickos port set sk out_pps=2k out_burst=100
    play_some 600 2500 $mac
    between limited-out "$got" 600 2500
    between limited-out-drops "$(stat sk rate)" 7500 9400
    between all-accounted "$(($(ours) + $(stat sk rate)))" 10000 10050
    clickos port rm gen
    clickos port set sk out_pps= out_burst= && clickos port reset sk
    # Inwards nothing is lost: it waits.
    for _ in 1 2 3 4 5; do
        clickos port rm gen 2>/dev/null
        clickos port reset sk
        clickos port add gen gen --net lan rate=20k count=2k $mac in_bps=4M in_burst_bytes=10k size=500
        sleep 0.5
        got=$(stat sk packets)
        [ "$got" -ge 250 ] && [ "$got" -le 1000 ] && break
    done
    between limited-in-bits "$got" 250 1000
    clickos port set gen in_bps=
    done_playing gen
    is limited-in-loses-nothing "$(ours)" 2000
    clickos port rm gen
    clickos port reset sk
    # Broadcasts are a storm above 1,000 a second.
    play_some 400 1500
    between storm "$got" 400 1500
    is storm-accounted "$(($(ours) + $(stat gen storm)))" 10000
    clickos port rm gen
    # And each kind can have a limit of its own, at its port.
    play_some 200 1000 storm_pps=100k broadcast_pps=500 unknown_pps=10
    between storm-broadcast "$got" 200 1000
    is storm-broadcast-accounted "$(($(ours) + $(stat gen broadcast)))" 10000
    is storm-broadcast-counted "$(stat gen broadcasts)-$(stat gen multicasts)" 10000-0
    is storm-shown "$(setting gen storm_pps) $(setting gen broadcast_pps)" "100000 500"
    clickos port rm gen
    play_some 200 1000 dst_mac=02:00:00:00:77:77 storm_pps=100k unknown_pps=500
    between storm-unknown "$got" 200 1000
    is storm-unknown-accounted "$(($(ours) + $(stat gen unknown)))" 10000
    clickos port rm gen
    refuse storm-net 1 "'multicast_pps' must be" clickos net add x --multicast much
    expect disable 0 '' clickos port set ta disabled=true
    lost disabled 10.77.0.2
    clickos port set ta disabled=
    reaches enabled 10.77.0.2
}

# ---- files ---------------------------------------------------------------------------------
files() {
    local start took played=0
    # 20 packets, 20 ms apart, by hand.
    python3 - "$T/in.pcap" <<'END'
import struct, sys
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for i in range(20):
        p = bytes.fromhex("020000000109020000000333 0800") + bytes(50)
        f.write(struct.pack("<IIII", 100, i * 20000, len(p), len(p)) + p)
END
    for how in timed timed-double fast; do
        for _ in 1 2 3 4 5; do # a busy machine may need several
            clickos port reset sk
            start=$(date +%s%N)
            case $how in
            timed) clickos port add play pcap-in --net lan file="$T/in.pcap" timed=true ;;
            timed-double) clickos port add play pcap-in --net lan file="$T/in.pcap" timed=true speed=2 ;;
            fast) clickos port add play pcap-in --net lan file="$T/in.pcap" repeat=3 ;;
            esac
            until_done play
            took=$((($(date +%s%N) - start) / 1000000))
            done_playing play
            clickos port rm play
            [ $took -le 1900 ] && break
        done
        case $how in
        timed) between play-timed-ms $took 380 2000 ;;
        timed-double) between play-double-ms $took 190 1900 ;;
        esac
        echo "# $how: $took ms"
        played=$((played + $(stat sk foreign)))
    done
    between played $played 100 120
    expect play-forever 0 '' clickos port add play pcap-in --net lan file="$T/in.pcap" repeat=forever in_pps=1k
    is forever-goes-on "$(clickos port ls | grep -c '^play .* up')" 1
    clickos port rm play
    refuse play-repeat 1 "a number or 'forever'" clickos port add play pcap-in --net lan file="$T/in.pcap" repeat=ever
}

# ---- VMs -------------------------------------------------------------------------------------
vms() {
    local echo='FromNetfront(0) -> EtherMirror -> Queue -> c :: Counter -> ToNetfront(0);'
    expect vm-run 0 '' clickos run vm -e "$echo" --isolation $iso \
        --if lan,wake=own,mac=02:00:00:00:01:07,allow_mac=own,static_mac=own,pps=1M,allow_ip=10.77.0.7,allow_ip=fd77::7
    is vm-settings "$(setting vm.0 allow_mac) $(setting vm.0 allow_ip) $(setting vm.0 in_pps)" \
        "02:00:00:00:01:07 10.77.0.7,fd77::7 1000000"
    is vm-static "$(clickos net addresses lan | grep -c '01:07 *vm.0 *static')" 1
    # What it sends back has the generator's address as its source.
    clickos port add gen gen --net lan rate=1k count=50 dst_mac=02:00:00:00:01:07
    done_playing gen
    until_stat vm.0 spoof 45
    between vm-spoofs "$(stat vm.0 spoof)" 45 80
    expect vm-set 0 '' clickos port set vm.0 allow_ip= allow_mac= pps=2M
    clickos port rm gen
    clickos port add gen gen --net lan rate=1k count=50 dst_mac=02:00:00:00:01:07
    done_playing gen
    until_stat gen device 45
    between vm-may-now "$(stat gen device)" 45 80
    clickos port rm gen
    stop_daemon KILL
    start_daemon
    clickos wait vm --timeout 10
    is vm-settings-stay "$(setting vm.0 in_pps) $(setting vm.0 allow_mac) $(setting sk static_mac)" \
        "2000000 - 02:00:00:00:01:09"
    is vm-static-stays "$(clickos net addresses lan | grep -cE '01:07 *vm.0 *static|01:09 *sk *static')" 2
    expect vm-park 0 '' clickos park vm
    is parked-shown "$(clickos port show vm.0 | grep -c '^state *parked')" 1
    expect parked-set 0 '' clickos port set vm.0 in_pps=3M
    expect vm-wake 0 '' clickos wake vm
    is parked-settings "$(setting vm.0 in_pps) $(setting vm.0 out_pps)" "3000000 2000000"
    clickos port set vm.0 allow_mac=own
    expect vm-clone 0 '' clickos clone vm -n 1
    is clone-own "$(setting vm-1.0 allow_mac)" "$(clickos ps vm-1 --json | grep -o '02:[0-9a-f:]*')"
    clickos rm vm vm-1
    is static-goes "$(clickos net addresses lan | grep -c 'vm.0')" 0
}

echoes() { # that have come back to the first host
    ip netns exec "$NS1" awk '/^Icmp:/ { if (at) print $at; for (i = 2; i <= NF; i++) if ($i == "InEchoReps") at = i }' /proc/net/snmp
}
# Two veth pairs from hosts to the switch, one end of each an AF_XDP port.
xdp() {
    local a=cxa$$ b=cxb$$ before
    clickos net add fast
    for i in 1 2; do
        ip link add $a$i type veth peer name $b$i
        ip link set $b$i up
    done
    ip link set $a''1 netns "$NS1" name x0
    ip link set $a''2 netns "$NS2" name x0
    for ns in "$NS1" "$NS2"; do
        ip -n $ns link set x0 up
        ip netns exec $ns ethtool -K x0 tx off >/dev/null 2>&1
    done
    ip -n "$NS1" addr add 10.78.0.1/24 dev x0
    ip -n "$NS2" addr add 10.78.0.2/24 dev x0
    if ! clickos port add xa xdp --net fast ifname=${b}1 2>"$T/err"; then
        echo "SKIP ports/none/xdp: $(cat "$T/err")"
    else
        refuse xdp-busy 1 'queue 0|program' clickos port add xc xdp --net fast ifname=${b}1
        refuse xdp-no-if 1 "no interface 'nosuch'" clickos port add xc xdp --net fast ifname=nosuch
        refuse xdp-needs-if 1 'needs ifname' clickos port add xc xdp --net fast
        expect xdp-add 0 '' clickos port add xb xdp --net fast ifname=${b}2
        reaches xdp 10.78.0.2
        before=$(echoes)
        ip netns exec "$NS1" ping -c 3000 -i 0.0001 -s 1400 -q -f 10.78.0.2 >"$T/out" 2>&1
        for _ in $(seq 200); do # ping itself does not wait for the last of them
            [ $(($(echoes) - before)) = 3000 ] && break
            sleep 0.05
        done
        is xdp-flood "$(($(echoes) - before))" 3000
        # A VM between them, and TCP: the checksums are right.
        ip netns exec "$NS2" timeout 30 python3 -c 'import socket
s = socket.create_server(("10.78.0.2", 7000)); c, _ = s.accept()
n = 0
while d := c.recv(65536): n += len(d)
print(n)' >"$T/received" &
        for _ in $(seq 400); do # until it listens
            ip netns exec "$NS2" grep -qi ' 02004E0A:1B58 ' /proc/net/tcp && break
            sleep 0.05
        done
        ip netns exec "$NS1" python3 -c 'import socket
c = socket.create_connection(("10.78.0.2", 7000), 5); c.sendall(bytes(5000000)); c.close()'
        wait $!
        is xdp-tcp "$(cat "$T/received")" 5000000
        clickos port rm xa xb
        is xdp-program-gone "$(ip link show ${b}1 | grep -c xdp)" 0
        expect xdp-again 0 '' clickos port add xa xdp --net fast ifname=${b}1
        stop_daemon KILL
        start_daemon
        is xdp-after-restart "$(clickos port ls | grep -cE '^xa +xdp +fast +up')" 1
        clickos port rm xa
    fi
    ip link del ${b}1
    ip link del ${b}2
    clickos net rm fast
}

show() {
    clickos port reset sk
    clickos port add gen gen --net lan rate=5k count=500 dst_mac=02:00:00:00:01:09
    done_playing gen
    clickos port show sk >"$T/out"
    is show-histogram "$(awk '/^latency/ {on = 1; next} on {n += $2} END {print n}' "$T/out")" 500
    is show-sections "$(grep -cE '^(settings|stats|sink):' "$T/out")" 3
    clickos port rm gen
    refuse show-unknown 4 "did you mean 'sk'" clickos port show sc
    is reset-unknown "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$CLICKOS_SOCKET" -X POST http://clickos/v1/ports/nosuch/reset)" 404
}

ip netns add "$NS1"
ip netns add "$NS2"
iso=none
start_daemon || { fail start "the daemon does not start"; exit 1; }
hosts
clickos port add sk sink --net lan
wrong
sources
limits
files
xdp
show
kinds=process
clickos version --json | grep -q '"kvm": true' && kinds="kvm process"
for iso in $kinds; do vms; done
iso=none
stop_daemon TERM
DAEMON=
is no-sanitizer-reports "$(grep -cE 'ERROR: |runtime error|WARNING: ThreadSanitizer' "$T/log")" 0
