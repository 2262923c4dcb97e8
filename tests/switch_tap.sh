#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# TAP and AF_PACKET ports with the kernel's own network stack behind them, in network
# namespaces that are made and removed here: tests/switch_tap.sh BUILDDIR
set -u
b=$1
a=swa$$ z=swz$$
dir=$(mktemp -d)
pid=

if [ "$(id -u)" != 0 ] || ! ip netns add "$a" 2>/dev/null; then
    echo "SKIP switch_tap: cannot make network namespaces"
    exit 0
fi
if [ ! -c /dev/net/tun ]; then
    ip netns del "$a"
    echo "SKIP switch_tap: no /dev/net/tun"
    exit 0
fi
ip netns add "$z"

stop() {
    [ -n "$pid" ] || return 0
    exec 3>&-
    wait "$pid"
    pid=
}
cleanup() {
    stop
    for ns in "$a" "$z"; do
        ip netns pids "$ns" | xargs -r kill 2>/dev/null
        ip netns del "$ns" 2>/dev/null
    done
    rm -rf "$dir"
}
trap cleanup EXIT

result() { # NAME: by the status of the last command
    if [ $? -eq 0 ]; then echo "PASS switch_tap/$1"; else echo "FAIL switch_tap/$1"; fi
}

start() { # arguments of switch_tap
    rm -f "$dir/in" "$dir/out"
    mkfifo "$dir/in"
    "$b/tests/switch_tap" "$@" <"$dir/in" >"$dir/out" 2>"$dir/err" 3>&- &
    pid=$!
    exec 3>"$dir/in"
    for _ in $(seq 100); do
        grep -q ready "$dir/out" && return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    sed 's/^/  /' "$dir/err"
    return 1
}

addresses() {
    ip -n "$a" addr add 10.77.0.1/24 dev t0
    ip -n "$z" addr add 10.77.0.2/24 dev t1
    ip -n "$a" link set t0 up
    ip -n "$z" link set t1 up
}

ask() { # COMMAND PATTERN: waits for a line of the answer
    : >"$dir/out"
    echo "$1" >&3
    for _ in $(seq 400); do
        grep -qE "$2" "$dir/out" && return 0
        sleep 0.05
    done
    return 1
}

echoes() { # that have come back
    ip netns exec "$a" awk '/^Icmp:/ { if (at) print $at; for (i = 2; i <= NF; i++) if ($i == "InEchoReps") at = i }' /proc/net/snmp
}
# Asks the kernel: ping waits for the last replies no longer than others took, and a busy
# machine may hold up the switch just then.
ping_all() { # COUNT [ADDRESS]
    local before
    before=$(echoes)
    ip netns exec "$a" ping -c "$1" -i 0.01 -W 2 -q "${2:-10.77.0.2}" >/dev/null
    for _ in $(seq 400); do
        [ $(($(echoes) - before)) = "$1" ] && return 0
        sleep 0.05
    done
    return 1
}

tcp_rate() { # megabits a second into $rate
    ip netns exec "$z" iperf3 -s -1 >/dev/null 2>&1 3>&- &
    local server=$!
    for _ in $(seq 50); do
        ip netns exec "$z" ss -Hltn 2>/dev/null | grep -q 5201 && break
        sleep 0.05
    done
    rate=$(ip netns exec "$a" timeout 20 iperf3 -c 10.77.0.2 -t 1 -f m 2>/dev/null |
        awk '/receiver/ {for (i = 1; i < NF; i++) if ($(i+1) ~ /bits/) print int($i)}')
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    [ -n "$rate" ] && [ "$rate" -gt 0 ]
}

start net tap:t0@"$a" tap:t1@"$z"
result two_taps_in_namespaces_are_made
addresses
ping_all 50
result ping_loses_nothing
ask idle '^idle 0\.00'
result an_idle_switch_uses_no_processor
if command -v iperf3 >/dev/null; then
    tcp_rate
    result tcp_passes_with_offloads
    echo "  offloads: ${rate:-0} Mbit/s"
    # Segments of up to 64 KiB: far fewer packets than of 1500 bytes.
    ask ports '^t1 ' && awk '$1 == "t0" {exit !($4 > 0 && $5 / $4 > 3000)}' "$dir/out"
    result segments_are_passed_on_whole
    stop

    start net tap:t0@"$a" tap:t1@"$z" vm && addresses && tcp_rate
    result tcp_passes_beside_a_vm
    echo "  beside a vm: ${rate:-0} Mbit/s"
    ask ports '^t1 ' && awk '$1 == "t0" {exit !($4 > 0 && $5 / $4 < 1515)}' "$dir/out"
    result beside_a_vm_the_kernel_cuts_segments
    stop

    start wire limit=20000000 tap:t0@"$a" tap:t1@"$z" && addresses &&
        for _ in 1 2 3 4 5; do # a second in which the machine was busy says nothing
            tcp_rate && [ "$rate" -ge 10 ] && [ "$rate" -lt 30 ] && break
        done && [ "${rate:-0}" -ge 10 ] && [ "$rate" -lt 30 ]
    result a_rate_limit_holds_for_tcp
    echo "  limited to 20: ${rate:-0} Mbit/s"
else
    echo "SKIP switch_tap/tcp: no iperf3"
fi

# The namespace with the device goes away under traffic.
ip netns exec "$a" ping -i 0.01 -q 10.77.0.2 >/dev/null 2>&1 3>&- &
ping=$!
sleep 0.2
ip -n "$z" link del t1
sleep 0.2
ask ports '^t1 down' && ask ports '^t0 up'
result a_device_that_goes_takes_its_port_down_only
kill "$ping"
stop

# AF_PACKET on a veth pair whose other end is the peer's.
ip link add "p$$" type veth peer name t1 netns "$z" &&
    ip link set "p$$" up && ip netns exec "$z" ethtool -K t1 tx off tso off >/dev/null &&
    start net tap:t0@"$a" packet:"p$$" && addresses && ping_all 50
result af_packet_on_a_veth_pair_passes_ping
if ip -n "$z" link add link t1 name v7 type vlan id 7 2>/dev/null; then
    ip -n "$z" addr add 10.78.0.2/24 dev v7 && ip -n "$z" link set v7 up &&
        ip -n "$a" link add link t0 name v7 type vlan id 7 &&
        ip -n "$a" addr add 10.78.0.1/24 dev v7 && ip -n "$a" link set v7 up &&
        ping_all 5 10.78.0.2
    result vlan_tags_are_kept
else
    echo "SKIP switch_tap/vlan_tags_are_kept: the kernel has no VLAN devices"
fi
stop
ip link del "p$$" 2>/dev/null

start net tap:t0@nowhere$$
[ $? -ne 0 ] && grep -q "cannot open network namespace 'nowhere$$'" "$dir/err"
result a_namespace_that_does_not_exist_is_named
