#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The life of a VM beyond running: snapshots, clones, parking, restarts, faults, quotas, with
# packets from one network namespace to another. tests/life.sh BUILDDIR [PART ...]; needs
# root.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
shift
area=life
ECHO=
on_exit() { [ -n "$ECHO" ] && kill "$ECHO" 2>/dev/null; }
. tests/daemon.bash

member() { # KEY: of the JSON on standard input
    python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}
vm_state() { vm_member "$1" state; }
vm_pid() { vm_member "$1" pid; }

# Ports 0 and 1 of the NAT; who asks from port 5000+n is told which port the server sees.
cat >"$T/nat.click" <<'END'
define($OUT 10.78.0.254, $MAC0 02:00:00:00:0a:00, $MAC1 02:00:00:00:0a:01);
rw :: IPRewriter(pattern $OUT 2000-2999# - - 0 1, drop);
FromNetfront(0) -> there :: Counter -> Strip(14) -> CheckIPHeader -> rw;
FromNetfront(1) -> back :: Counter -> Strip(14) -> CheckIPHeader -> [1]rw;
rw[0] -> EtherEncap(0x0800, $MAC1, 02:00:00:00:01:02) -> ToNetfront(1);
rw[1] -> EtherEncap(0x0800, $MAC0, 02:00:00:00:01:01) -> ToNetfront(0);
END
cat >"$T/echo.py" <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.78.0.2", 7))
while True:
    data, peer = s.recvfrom(100)
    s.sendto(b"%s %d" % (peer[0].encode(), peer[1]), peer)
END
cat >"$T/ask.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.1", 5000 + int(sys.argv[1])))
s.settimeout(float(sys.argv[2]) if len(sys.argv) > 2 else 3)
s.sendto(b"who", ("10.78.0.2", 7))
try:
    print(s.recvfrom(100)[0].decode())
except socket.timeout:
    print("nothing")
END
ask() { ip netns exec $NS1 python3 "$T/ask.py" "$@"; }
nat() { # NAME [OPTION ...]: run it
    local name=$1
    shift
    clickos run "$name" "$T/nat.click" --if left,mac=02:00:00:00:0a:00 \
        --if right,mac=02:00:00:00:0a:01 --isolation $iso "$@"
}

until_state() { # NAME STATE
    for _ in $(seq 400); do
        [ "$(vm_state "$1")" = "$2" ] && return
        sleep 0.05
    done
}
until_counted() { # VM HANDLER COUNT [-c NAME]: it is so much, or more
    for _ in $(seq 400); do
        [ "$(clickos read "$1" "$2" "${@:4}")" -ge "$3" ] && return
        sleep 0.05
    done
}
descriptors() { find "/proc/$DAEMON/fd" -mindepth 1 | wc -l; }
# The pool of processes fills itself meanwhile: how many there are when nothing changes.
steady_descriptors() {
    local n=0 same=0 now
    for _ in $(seq 200); do
        now=$(descriptors)
        if [ "$now" = "$n" ]; then same=$((same + 1)); else same=0; fi
        n=$now
        [ $same = 10 ] && break
        sleep 0.05
    done
    echo "$n"
}
# The best of some: now and then the machine is busy with something else.
shortest_stop() { # FILE: of snapshots of nat into it
    for _ in 1 2 3 4 5; do
        clickos snapshot nat "$1" --json | member stopped_us
    done | sort -n | head -n 1
}

neighbours() {
    sleep "${1:-0}"
    ip -n $NS1 neigh replace 10.77.0.254 lladdr 02:00:00:00:0a:00 dev eth0
    ip -n $NS2 neigh replace 10.78.0.254 lladdr 02:00:00:00:0a:01 dev eth0
}
setup() {
    clickos net add left
    clickos net add right
    clickos port add ta tap --net left --netns $NS1 ifname=eth0 mac=02:00:00:00:01:01
    clickos port add tb tap --net right --netns $NS2 ifname=eth0 mac=02:00:00:00:01:02
    ip -n $NS1 addr add 10.77.0.1/24 dev eth0
    ip -n $NS2 addr add 10.78.0.2/24 dev eth0
    ip -n $NS1 route add default via 10.77.0.254
    neighbours
    ip netns exec $NS2 python3 "$T/echo.py" &
    ECHO=$!
    for _ in $(seq 400); do # until it listens
        ip netns exec $NS2 grep -qi ' 02004E0A:0007 ' /proc/net/udp && break
        sleep 0.05
    done
}
teardown() {
    kill "$ECHO"
    wait "$ECHO" 2>/dev/null
    ECHO=
    expect rm-all 0 '' clickos rm --all
    clickos port rm ta tb
    clickos net rm left right
    is nothing-left "$(find "$T/state" -mindepth 2 | wc -l)" 0
    is no-monitors "$(ps -o comm= --ppid "$(pgrep -P "$DAEMON" -f 'clickos-vmm --server')" | grep -vcE 'shell|defunct')" 0
}

# ---- snapshots ---------------------------------------------------------------------------
snapshots() {
    nat nat >/dev/null
    is bindings "$(ask 0; ask 1; ask 2)" "$(printf '10.78.0.254 %s\n' 2000 2001 2002)"
    expect snapshot 0 '' clickos snapshot nat "$T/nat.snap" --json
    is snapshot-stops-for-ms "$(shortest_stop "$T/again.snap" | awk '{print ($1 > 0 && $1 < 50000)}')" 1
    is snapshot-is-small "$(awk -v n="$(member bytes <"$T/out")" 'BEGIN {print n < 20000}')" 1
    is original-goes-on "$(ask 1) $(clickos read nat there.count)" "10.78.0.254 2001 4"
    refuse restore-name-taken 1 "a VM named 'nat' exists" clickos restore "$T/nat.snap"
    expect rm-original 0 '' clickos rm nat
    is nobody-answers "$(ask 1 0.3)" nothing
    expect restore 0 '' clickos restore "$T/nat.snap"
    is restored-counter "$(clickos read nat there.count)" 3
    is restored-binding "$(ask 2)" "10.78.0.254 2002"
    is restored-goes-on "$(ask 3)" "10.78.0.254 2003"
    is restored-config "$(clickos show nat | cksum)" "$(cksum <"$T/nat.click")"
    expect snapshot-of-restored 0 '' clickos snapshot nat "$T/nat2.snap"
    expect rm-restored 0 '' clickos rm nat
    expect restore-again 0 '' clickos restore "$T/nat2.snap"
    is restored-again "$(ask 3)" "10.78.0.254 2003"
    expect rm-again 0 '' clickos rm nat
    bad_snapshots
    refuse snapshot-unknown 4 "no VM 'nosuch'" clickos snapshot nosuch "$T/x"
    expect run-again 0 '' clickos restore "$T/nat.snap"
    refuse snapshot-no-folder 1 'cannot write /nosuch/x: No such file' clickos snapshot nat /nosuch/x
    mkdir "$T/small" && mount -t tmpfs -o size=4k none "$T/small"
    refuse snapshot-full 1 "cannot write $T/small/x: No space" clickos snapshot nat "$T/small/x"
    is snapshot-full-leaves-nothing "$(find "$T/small" -type f | wc -l)" 0
    umount "$T/small" && rmdir "$T/small"
    is after-full "$(ask 2)" "10.78.0.254 2002"
    expect rm-last 0 '' clickos rm nat
    many_bindings
}
# 100,000 of them: each of two servers is asked from 50,000 ports.
many_bindings() {
    expect many-run 0 '' clickos run nat --memory 256M --isolation $iso -e '
        rw :: IPRewriter(pattern 1.0.0.1 1024-65535 - - 0 1, drop);
        Idle -> [1]rw; rw[0] -> there :: Counter -> Discard; rw[1] -> Discard;
        InfiniteSource(LENGTH 18, LIMIT 50000) -> DynamicUDPIPEncap(10.0.0.1, 1, 2.0.0.1, 53, INTERVAL 1) -> rw;
        InfiniteSource(LENGTH 18, LIMIT 50000) -> DynamicUDPIPEncap(10.0.0.1, 1, 2.0.0.2, 53, INTERVAL 1) -> rw;'
    until_counted nat there.count 100000
    is many-bindings "$(clickos read nat rw.size)" 100000
    expect many-snapshot 0 '' clickos snapshot nat "$T/many.snap" --json
    echo "# 100,000 bindings: stopped for $(member stopped_us <"$T/out") us, $(member bytes <"$T/out") bytes"
    is many-stops-for-ms "$(shortest_stop "$T/many.snap" | awk '{print ($1 > 0 && $1 < 200000)}')" 1
    expect many-rm 0 '' clickos rm nat
    expect many-restore 0 '' clickos restore "$T/many.snap"
    is many-restored "$(clickos read nat rw.size)" 100000
    expect many-rm-restored 0 '' clickos rm nat
    rm "$T/many.snap"
}
bad_snapshots() {
    refuse restore-no-file 1 'cannot read .*No such file' clickos restore "$T/none"
    refuse restore-foreign 1 'this is no snapshot' clickos restore "$T/nat.click"
    refuse restore-folder 1 'this is no file' clickos restore "$T"
    head -c 2000 "$T/nat.snap" >"$T/short.snap"
    refuse restore-cut-off 1 'it is damaged: 2000 bytes' clickos restore "$T/short.snap"
    for at in 8 20 70 200 2000 -500; do
        python3 - "$T/nat.snap" "$T/bad.snap" "$at" <<'END'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[int(sys.argv[3])] ^= 1
open(sys.argv[2], "wb").write(b)
END
        refuse "restore-damaged$at" 1 'bad.snap: (it is|this is no snapshot)' clickos restore "$T/bad.snap"
    done
    is bad-leaves-nothing "$(clickos ps | wc -l)-$(find "$T"/state/vms "$T"/state/run -type f -o -type s | wc -l)" 1-0
}

# ---- clones ------------------------------------------------------------------------------
clones() {
    nat nat >/dev/null
    is clone-binding "$(ask 0; ask 1)" "$(printf '10.78.0.254 %s\n' 2000 2001)"
    expect clone-one 0 '' clickos clone nat --name twin OUT=10.78.0.253
    is clone-brings-along "$(clickos read twin there.count)" 2
    is clone-mac "$(clickos ps twin --json | grep -c 02:00:00:00:0a)" 0
    is original-after-clone "$(ask 1)" "10.78.0.254 2001"
    # The clone in the original's place: its old bindings, and new ones from its own address.
    expect clone-same-mac 0 '' clickos rm nat
    ip -n $NS1 neigh replace 10.77.0.254 dev eth0 \
        lladdr "$(clickos ps twin --json | grep -o '02:[0-9a-f:]*' | head -n 1)"
    ip -n $NS2 neigh replace 10.78.0.253 dev eth0 \
        lladdr "$(clickos ps twin --json | grep -o '02:[0-9a-f:]*' | tail -n 1)"
    is clone-own-address "$(ask 7)" "10.78.0.253 2000"
    ip -n $NS1 neigh replace 10.77.0.254 lladdr 02:00:00:00:0a:00 dev eth0
    expect clone-many 0 '' clickos clone twin -n 100 OUT=10.78.1.0+
    is clone-count "$(clickos ps --json | grep -c '"name": "twin-')" 100
    is clone-variables "$(clickos read twin-77 rw.config | grep -c '10.78.1.77')" 1
    is clone-copies-on-write "$(clickos ps --memory twin-77 --json | python3 -c '
import json, sys
print(0 < json.load(sys.stdin)["vms"][0]["own"] < 1 << 20)')" True
    is clone-macs-differ "$(clickos ps --json | grep -o '"mac": "[^"]*"' | sort | uniq -d | wc -l)" 0
    refuse clone-name-taken 1 "a VM named 'twin-3' exists" clickos clone twin --name twin-3
    expect clone-bad-variable 1 'nat.click:[0-9]+:[0-9]+: ' clickos clone twin -n 3 --name 'x{}' OUT=nonsense
    expect clone-unknown-variable 0 'warning: there is no .OTU in twin' \
        clickos clone twin --name z1 OTU=10.78.2.0
    expect clone-prefix 0 '' clickos clone twin --name z2 OUT=10.78.3.0+/24
    is clone-prefix-kept "$(clickos read z2 rw.config | grep -c 10.78.3.1/24)" 1
    clickos rm z1 z2
    is clone-all-or-none "$(clickos ps --json | grep -c '"name": "x')" 0
    refuse clone-usage 2 'is no VAR=VALUE' clickos clone twin 5
    refuse clone-no-number 2 'has no .. for the number' clickos clone twin -n 2 --name y
    expect clones-rm 0 '' clickos rm --all
}

# ---- parking -----------------------------------------------------------------------------
# Who asks for something just when a VM is being parked wakes it again, or keeps it awake.
asked_while_parked() {
    local pids
    clickos run busy -e 'FromNetfront(0) -> c :: Counter -> Discard;' --net left --isolation $iso >/dev/null
    for _ in $(seq 30); do
        clickos park busy >/dev/null 2>&1 &
        pids=$!
        for _ in 1 2 3 4 5; do
            timeout 20 clickos read busy c.count >/dev/null 2>&1 || echo "$?" >>"$T/unanswered" &
            pids+=" $!"
        done
        # shellcheck disable=SC2086
        wait $pids
    done
    is asked-while-parked "$(cat "$T/unanswered" 2>/dev/null)" ""
    clickos rm busy
}

parking() {
    nat nat >/dev/null
    is park-binding "$(ask 0; ask 1)" "$(printf '10.78.0.254 %s\n' 2000 2001)"
    pid=$(vm_pid nat)
    expect park 0 '' clickos park nat
    is park-state "$(vm_state nat)" parked
    for _ in $(seq 400); do kill -0 "$pid" 2>/dev/null && sleep 0.05; done
    is park-monitor-gone "$(kill -0 "$pid" 2>&1 | grep -c 'No such process')" 1
    is park-file-is-small "$(find "$T/state/parked" -size -100k -name nat | wc -l)" 1
    is first-packet-wakes "$(ask 1)" "10.78.0.254 2001"
    is woken-state "$(vm_state nat)" running
    is woken-file-gone "$(find "$T/state/parked" -type f | wc -l)" 0
    is woken-counter "$(clickos read nat there.count)" 3
    expect park-again 0 '' clickos park nat
    is read-wakes "$(clickos read nat there.count)" 3
    expect park-2 0 '' clickos park nat
    # Packets from the other side, while it wakes: all are there in the end.
    ip netns exec $NS2 python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.78.0.2", 8))
for i in range(12): s.sendto(b"x", ("10.78.0.254", 2001))'
    clickos wait nat
    until_counted nat back.count 15
    is none-is-lost "$(clickos read nat back.count)" 15
    expect park-3 0 '' clickos park nat
    expect timer-run 0 '' clickos run clock --isolation $iso -e 'TimedSource(4) -> c :: Counter -> Discard'
    expect timer-park 0 '' clickos park clock
    stop_daemon KILL
    start_daemon
    neighbours 1.5 # the kernel forgets them up to a second after the devices were down
    is parked-over-restart "$(vm_state nat)" parked
    until_state clock running
    until_counted clock c.count 1
    is timer-wakes "$(vm_state clock) $(clickos read clock c.count | grep -c '^[1-9]')" "running 1"
    expect timer-rm 0 '' clickos rm clock
    is wakes-after-restart "$(ask 1)" "10.78.0.254 2001"
    expect park-4 0 '' clickos park nat
    expect snapshot-wakes 0 '' clickos snapshot nat "$T/nat.snap"
    expect park-5 0 '' clickos park nat
    printf junk >"$T/state/parked/nat"
    refuse damaged-state 1 "VM 'nat' does not run: .*snapshot" clickos read nat there.count
    is damaged-stays-parked "$(vm_state nat)" parked
    expect rm-parked 0 '' clickos rm nat
    refuse park-unknown 4 "no VM 'nosuch'" clickos park nosuch
    asked_while_parked
    lazy
    by_itself
}
lazy() {
    nat nat --lazy >/dev/null
    is lazy-is-parked "$(vm_state nat)-$(vm_pid nat)" parked-0
    is lazy-starts "$(ask 5)" "10.78.0.254 2000"
    is lazy-runs "$(vm_state nat)" running
    expect lazy-rm 0 '' clickos rm nat
    clickos run nat -e 'Idle -> Quee;' --net left --lazy --isolation $iso >/dev/null
    refuse lazy-bad-config 1 "VM 'nat' does not run" clickos read nat list
    expect lazy-bad-rm 0 '' clickos rm nat
    # Only for its own address: who has it is asked by broadcast.
    clickos run own -e 'FromNetfront(0) -> c :: Classifier(12/0806, -); c[1] -> Discard;
        c[0] -> ARPResponder(10.77.0.9 02:00:00:00:0b:00) -> ToNetfront(0);' \
        --if left,mac=02:00:00:00:0b:00,ip=10.77.0.9 --lazy --isolation $iso >/dev/null
    ip netns exec $NS1 ping -c 1 -W 1 10.77.0.8 >/dev/null
    is others-do-not-wake "$(vm_state own)" parked
    for _ in $(seq 20); do
        ip netns exec $NS1 ping -c 1 -W 1 10.77.0.9 >/dev/null
        ip -n $NS1 neigh show 10.77.0.9 | grep -q lladdr && break
    done
    is arp-wakes "$(vm_state own) $(ip -n $NS1 neigh show 10.77.0.9 | grep -c 02:00:00:00:0b:00)" "running 1"
    expect own-rm 0 '' clickos rm own
    refuse bad-wake 1 'is nothing to wake for' clickos run x -e 'Idle -> Discard;' --if left,wake=x
    refuse bad-ip 1 'is no IPv4 address' clickos run x -e 'Idle -> Discard;' --if left,ip=x
}
# After a restart the parked ones are read while everything else goes on: whatever is asked for
# meanwhile gets the answer it would get later.
many_parked() {
    local n=3000 pid
    clickos net add lone
    expect many-fw 0 '' clickos run fw --net left --isolation $iso -e 'Idle -> Discard;'
    expect many-declare 0 '' clickos run many --lazy --net lone --isolation $iso -e 'Idle -> Discard;'
    pid=$(vm_pid fw)
    stop_daemon KILL
    python3 -c '
import json, sys
folder, n = sys.argv[1], int(sys.argv[2])
record = json.load(open(folder + "/many"))
for i in range(1, n + 1):
    record["spec"]["name"] = f"many-{i}"
    record["spec"]["interfaces"][0]["mac"] = f"02:aa:00:00:{i >> 8:02x}:{i & 255:02x}"
    json.dump(record, open(f"{folder}/many-{i}", "w"))' "$T/state/vms" $n
    clickosd --foreground --state "$T/state" --socket "$CLICKOS_SOCKET" >>"$T/log" 2>&1 &
    DAEMON=$!
    clickos wait --timeout 20
    is many-asked-for "$(vm_state "many-$n")" parked
    is many-running "$(vm_pid fw)" "$pid"
    refuse many-name-is-taken 1 'exists \(parked\)' clickos run "many-$((n - 1))" -e 'Idle -> Discard;'
    is many-all "$(clickos ps --json | grep -c '"name": "many-')" $n
    stop_daemon KILL
    clickosd --foreground --state "$T/state" --socket "$CLICKOS_SOCKET" >>"$T/log" 2>&1 &
    DAEMON=$!
    clickos wait --timeout 20
    expect many-rm 0 '' clickos rm "many-$((n - 2))"
    refuse many-net-in-use 1 "has 1 port" clickos net rm lone
    expect many-wake 0 '' clickos read many-7 config
    is many-one-less "$(clickos ps --json | grep -c '"name": "many-')" $((n - 1))
    stop_daemon TERM
    rm -f "$T"/state/vms/many-[0-6]* "$T"/state/vms/many-[89]* "$T"/state/vms/many-7?*
    start_daemon
    neighbours 1.5 # the kernel forgets them up to a second after the devices were down
    expect many-rm-rest 0 '' clickos rm fw many many-7
    expect many-net-rm 0 '' clickos net rm lone
}

by_itself() {
    nat nat --park-after 4 >/dev/null
    ask 0 >/dev/null
    is not-parked-yet "$(vm_state nat)" running
    until_state nat parked
    is parked-by-itself "$(vm_state nat)" parked
    is wakes-by-itself "$(ask 0)" "10.78.0.254 2000"
    expect by-itself-rm 0 '' clickos rm nat
}

# ---- faults ------------------------------------------------------------------------------
faults() {
    restarts
    orphans
    shortages
}
restarts() {
    nat nat --restart on-failure >/dev/null
    clickos install nat -c aux -e 'Message("hello from aux"); Idle -> aux :: Counter -> Discard;' >/dev/null 2>&1
    first=$(vm_pid nat)
    kill -9 "$first"
    for _ in $(seq 400); do
        [ "$(vm_pid nat)" != "$first" ] && [ "$(vm_state nat)" = running ] && break
        sleep 0.05
    done
    is restarted "$(vm_state nat)" running
    is restarted-forwards "$(ask 0)" "10.78.0.254 2000"
    is restarted-both-configs "$(clickos read nat aux.class -c aux)" Counter
    clickos logs nat >"$T/out"
    is restarted-keeps-log "$(grep -c 'hello from aux' "$T/out")-$(grep -c 'signal 9' "$T/out")" 2-1
    second=$(vm_pid nat)
    kill -9 "$second"
    for _ in $(seq 400); do
        [ "$(vm_pid nat)" != "$second" ] && [ "$(vm_state nat)" = running ] && break
        sleep 0.05
    done
    is restarted-again "$(vm_state nat)" running
    expect restarts-rm 0 '' clickos rm nat
    # A configuration that cannot be run any more: it stays crashed between the attempts.
    nat nat >/dev/null
    kill -9 "$(vm_pid nat)"
    until_state nat crashed
    sleep 0.5
    is no-restart-unless-told "$(vm_state nat)" crashed
    expect crashed-rm 0 '' clickos rm nat
    refuse bad-policy 1 'use no, on-failure or always' clickos run x -e 'Idle -> Discard;' --restart maybe
    # The monitor, while no daemon is there; and both at once.
    nat nat --restart on-failure >/dev/null
    clickos run other -e 'Idle -> Discard;' --restart always --isolation $iso >/dev/null
    clickos run third -e 'Idle -> Discard;' --isolation $iso >/dev/null
    mine=$(vm_pid nat) others=$(vm_pid other)
    stop_daemon KILL
    kill -9 "$mine" "$others"
    start_daemon
    neighbours 1.5 # the kernel forgets them up to a second after the devices were down
    until_state other running
    until_state third running
    is both-killed "$(vm_state nat) $(vm_state other) $(vm_state third)" "crashed running running"
    expect both-killed-rm 0 '' clickos rm nat other third
}
# What a VM said last while no daemon was there.
orphans() {
    [ -e "$B/hostile.elf" ] || { echo "SKIP life/$iso/orphans: no hostile.elf"; return; }
    local sock=$CLICKOS_SOCKET hp
    export CLICKOS_SOCKET=$T/hs.sock
    hostile_daemon() {
        clickosd --foreground --pool 0 --state "$T/hs" --socket "$T/hs.sock" --image "$B/hostile.elf" >>"$T/log" 2>&1 &
        hp=$!
        clickos wait --timeout 20
    }
    hostile_daemon
    curl -s -o "$T/out" --unix-socket "$T/hs.sock" -d "{\"name\": \"h\", \"isolation\": \"$iso\"}" http://c/v1/vms
    clickos read h read_null_later >/dev/null 2>&1 &
    sleep 0.5
    kill -9 $hp
    wait $hp $! 2>/dev/null
    sleep 1.5
    hostile_daemon
    until_state h crashed
    is orphan-report "$(clickos ps h | grep -cE 'crashed .*(read_null|page fault)')" 1
    clickos rm --all
    kill $hp
    wait $hp 2>/dev/null
    rm -rf "$T/hs"
    export CLICKOS_SOCKET=$sock
}
shortages() {
    nat nat >/dev/null
    for _ in 1 2 3; do # the daemon's pool has VMs like it then
        nat greedy >/dev/null
        clickos rm greedy
        sleep 0.1
    done
    used=$(steady_descriptors)
    for more in 33 36 44 50; do
        prlimit --pid "$DAEMON" --nofile=$((used + more)):
        timeout 20 clickos run greedy "$T/nat.click" --net left,right --isolation $iso >"$T/out" 2>"$T/err"
        got=$?
        prlimit --pid "$DAEMON" --nofile=20000:
        [ $got = 0 ] || grep -q 'out of file descriptors' "$T/err" || fail "no-descriptors-$more" "another error"
        [ $got = 0 ] || [ "$(wc -l <"$T/err")" = 1 ] || fail "no-descriptors-$more" "not one line"
        [ $got = 0 ] && clickos rm greedy
    done
    clickos ps >"$T/out" 2>&1
    is no-descriptors-leaves-nothing "$(grep -c greedy "$T/out")-$(find "$T"/state/vms "$T"/state/run -name 'greedy*' | wc -l)" 0-0
    for _ in $(seq 200); do
        [ "$(descriptors)" = "$used" ] && break
        sleep 0.1
    done
    is no-descriptors-leaks-none "$(descriptors)" "$used"
    server=$(pgrep -P "$DAEMON" -f 'clickos-vmm --server')
    prlimit --pid "$server" --as=30000000:
    refuse no-memory 1 "VM 'greedy': .*(annot allocate|memory|not be started|gave up)" \
        clickos run greedy "$T/nat.click" --net left,right --isolation $iso --memory 63M
    prlimit --pid "$server" --as=unlimited:
    is others-go-on "$(ask 0)" "10.78.0.254 2000"
    expect afterwards 0 '' clickos run greedy "$T/nat.click" --net left,right --isolation $iso
    mkdir "$T/small" && mount -t tmpfs -o size=4k none "$T/small"
    mount --bind "$T/small" "$T/state/parked"
    refuse park-on-full-disk 1 "VM 'nat' is not parked: .*No space" clickos park nat
    is park-on-full-disk-goes-on "$(vm_state nat) $(ask 0)" "running 10.78.0.254 2000"
    umount "$T/state/parked" && umount "$T/small" && rmdir "$T/small"
    expect shortages-rm 0 '' clickos rm nat greedy
}

# ---- several configurations in one VM ----------------------------------------------------
several() {
    expect several-run 0 '' clickos run many -e 'Idle -> c :: Counter -> Discard;' \
        --memory 2M --isolation $iso
    python3 -c 'print("// " + 2500000 * "x" + "\nIdle -> Discard;")' >"$T/big.click"
    for n in 1 2 3; do
        expect several-install-$n 0 '' clickos install many -c "n$n" \
            -e "RatedSource(RATE 1000, LIMIT $n) -> c :: Counter -> Discard;"
        until_counted many c.count $n -c n$n
    done
    is several-handlers "$(for n in 1 2 3; do clickos read many c.count -c n$n; done | tr '\n' ' ')" "1 2 3 "
    expect several-ps 0 '' clickos ps many
    grep -q 'expression,n1:expression,n2:expression' "$T/out" || fail several-ps "no names"
    clickos install many -c n9 -e 'Idle -> x :: Counter -> Discard;' >"$T/out"
    is several-says-which "$(cat "$T/out")" 'many: expression installed as n9'
    refuse several-hint 4 "no element named 'x' in the configuration 'main': there are others" \
        clickos read many x.count
    expect several-remove-n9 0 '' clickos remove many n9
    is several-main "$(clickos read many c.count)" 0
    is several-list "$(clickos ps many --json | grep -o '"name": "[mn][a-z0-9]*"' | tr -d '\n')" \
        '"name": "many""name": "main""name": "n1""name": "n2""name": "n3"'
    expect several-show 0 '' clickos show many -c n2
    grep -q 'LIMIT 2' "$T/out" || fail several-show "another configuration"
    expect several-bad 1 'unknown element class|Quee' clickos install many -c n2 -e 'Idle -> Quee;'
    is several-bad-untouched "$(clickos read many c.count -c n2)" 2
    refuse several-unknown 4 "no such configuration|no configuration" clickos read many c.count -c n9
    # One that ends is stopped alone.
    expect several-stops 0 '' clickos install many -c n4 \
        -e 'RatedSource(RATE 1000, LIMIT 5, STOP true) -> c :: Counter -> Discard;'
    expect several-goes-on 0 '' clickos install many -c n3 -e 'RatedSource(RATE 1000) -> c :: Counter -> Discard;'
    until_counted many c.count 5 -c n4
    before=$(clickos read many c.count -c n3)
    until_counted many c.count $((before + 1)) -c n3
    is several-one-stopped "$(clickos read many c.count -c n4) $(($(clickos read many c.count -c n3) > before))" "5 1"
    # One that does not fit is an error of its own.
    refuse several-no-memory 1 'the VM is out of memory' clickos install many -c n5 "$T/big.click"
    is several-after-no-memory "$(clickos read many c.class -c n3)" Counter
    expect several-remove 0 '' clickos remove many n2
    refuse several-removed 4 'configuration' clickos read many c.count -c n2
    is several-others-stay "$(clickos read many c.count -c n1)" 1
    # All of them go with the VM, in a snapshot and over parking.
    expect several-snapshot 0 '' clickos snapshot many "$T/many.snap"
    expect several-park 0 '' clickos park many
    is several-after-park "$(clickos read many c.count -c n1)" 1
    expect several-rm 0 '' clickos rm many
    expect several-restore 0 '' clickos restore "$T/many.snap"
    is several-restored "$(clickos read many c.count -c n1)" 1
    expect several-rm-2 0 '' clickos rm many
}

# ---- quotas ------------------------------------------------------------------------------
# Another daemon starts just when a VM of ours has taken too much memory, and before ours has
# heard of it: why it ended is not forgotten.
other_daemons() {
    local pid
    expect hoard-run 0 '' clickos run hoard --memory-max 6M --memory 200M --isolation $iso -e '
        RatedSource(LENGTH 1400, RATE 2000) -> Queue(100000) -> Idle;'
    pid=$(vm_pid hoard)
    kill -STOP "$DAEMON"
    for _ in $(seq 400); do
        grep -q '^State:[^SRDT]*Z' "/proc/$pid/status" 2>/dev/null || [ ! -e "/proc/$pid" ] && break
        sleep 0.05
    done
    clickosd --foreground --state "$T/other" --socket "$T/other.sock" >>"$T/log" 2>&1 &
    clickos --socket "$T/other.sock" wait --timeout 20
    kill $!
    wait $!
    kill -CONT "$DAEMON"
    until_state hoard crashed
    is memory-limit-beside-another "$(clickos ps hoard | grep -c 'crashed .*out of memory: .*--memory-max')" 1
    expect hoard-rm 0 '' clickos rm hoard
}
python3 -c 'print("// " + 2500000 * "x" + "\nIdle -> Discard;")' >"$T/big.click"
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
quotas() {
    if clickos run busy -e 'i :: InfiniteSource -> Discard;' --cpu 20 --isolation $iso >"$T/out" 2>"$T/err"; then
        pid=$(vm_pid busy)
        [ $iso = process ] && pid=$(pgrep -P "$pid")
        start=$(date +%s%N)
        before=$(ticks "$pid")
        sleep 2
        used=$(($(ticks "$pid") - before))
        is cpu-share "$((used < ($(date +%s%N) - start) / 10000000 * 35 / 100))" 1
        expect cpu-rm 0 '' clickos rm busy
        for _ in $(seq 200); do
            [ -z "$(find /sys/fs/cgroup -type d -path '*/clickos/*' -name busy 2>/dev/null)" ] && break
            sleep 0.1
        done
        is no-groups-left "$(find /sys/fs/cgroup -type d -path '*/clickos/*' -name busy 2>/dev/null | wc -l)" 0
    else
        echo "SKIP life/$iso/cpu-share: $(cat "$T/err")"
    fi
    if clickos run fat -e 'Idle -> c :: Counter -> Discard;' --memory-max 6M --memory 200M --isolation $iso >"$T/out" 2>"$T/err"; then
        python3 -c 'print("// " + 3900000 * "x" + "\nIdle -> Discard;")' >"$T/fat.click"
        clickos run thin -e 'Idle -> c :: Counter -> Discard;' --isolation $iso >/dev/null
        expect memory-limit 1 'has ended|out of memory' clickos install fat "$T/fat.click"
        until_state fat crashed
        is memory-limit-says-so "$(clickos ps fat | grep -c 'crashed .*out of memory: .*--memory-max')" 1
        is memory-limit-in-logs "$(clickos logs fat | grep -c 'out of memory')" 1
        is memory-limit-of-one "$(clickos read thin c.class)" Counter
        expect memory-limit-rm 0 '' clickos rm fat thin
        other_daemons
    else
        echo "SKIP life/$iso/memory-limit: $(cat "$T/err")"
    fi
    refuse memory-of-vm 1 'the VM is out of memory' clickos run small "$T/big.click" --memory 1M --isolation $iso
    # Two hundred packets a second, of a thousand.
    clickos run limited -e 'FromNetfront(0) -> c :: Counter -> Discard;' --if left,pps=200 --isolation $iso >/dev/null
    start=$(date +%s%N)
    clickos port add src gen --net left rate=1000 dst_mac="$(clickos ps limited --json | grep -o '02:[0-9a-f:]*')"
    sleep 2
    until_counted limited c.count 201
    n=$(clickos read limited c.count)
    is packet-rate "$((n > 200 && n < ($(date +%s%N) - start) / 1000000 * 350 / 1000))" 1
    clickos port rm src
    expect rate-rm 0 '' clickos rm limited
    refuse bad-cpu 1 "'cpu' is 0, but must be" clickos run x -e 'Idle -> Discard;' --cpu 0
    stop_daemon TERM
    start_daemon --max-vms 2
    neighbours
    expect max-1 0 '' clickos run m1 -e 'Idle -> Discard;' --isolation $iso
    expect max-2 0 '' clickos run m2 -e 'Idle -> Discard;' --isolation $iso
    refuse max-3 1 'there are 2 VMs, and no more are allowed' clickos run m3 -e 'Idle -> Discard;' --isolation $iso
    expect max-rm 0 '' clickos rm m1 m2
    stop_daemon TERM
    start_daemon
    neighbours 1.5 # the kernel forgets them up to a second after the devices were down
}

parts=${*:-snapshots clones parking many_parked faults several quotas}
ip netns add $NS1
ip netns add $NS2
for ns in $NS1 $NS2; do
    ip netns exec $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
start_daemon || { iso=none; fail start "the daemon does not start"; exit 1; }
kinds=process
if clickos version --json | grep -q '"kvm": true'; then
    kinds="kvm process"
else
    echo "SKIP life/kvm: no /dev/kvm"
fi
for iso in $kinds; do
    setup
    for part in $parts; do
        $part
    done
    teardown
done
iso=none
stop_daemon TERM
DAEMON=
is no-sanitizer-reports "$(grep -cE 'ERROR: |runtime error|WARNING: ThreadSanitizer' "$T/log")" 0
