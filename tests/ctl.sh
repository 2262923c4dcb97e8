#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# clickosd and clickos as an operator uses them: every verb, every way to get it wrong, and
# the daemon's death. tests/ctl.sh BUILDDIR; needs root.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
area=ctl
. tests/daemon.bash

json() { # NAME COMMAND...: what --json prints is JSON
    local name=$1
    shift
    if "$@" 2>"$T/err" | tee "$T/out" | python3 -c 'import json,sys; json.load(sys.stdin)' 2>>"$T/err"; then
        pass "$name"
    else
        fail "$name" "no JSON from: $*"
    fi
}
pings() { # NAME: real packets from one namespace through the VM into the other
    if ip netns exec $NS1 ping -c 3 -i 0.05 -W 2 10.77.0.2 >"$T/out" 2>"$T/err"; then
        pass "$1"
    else
        fail "$1" "no ping"
    fi
}
monitors() { # how many of ours run, but for the fork server and its shells, by their names
    local p n=0
    for p in $(grep -lsz "^CLICKOS_SOCKET=$T/sock$" /proc/[0-9]*/environ); do
        p=${p%/environ}
        [[ $(readlink "$p/exe") == */clickos-vmm && $(cat "$p/comm" 2>/dev/null) != @(clickos-vmm|shell|) ]] && n=$((n + 1))
    done
    echo $n
}
api() { # METHOD PATH [BODY]: prints the status
    curl -s -o "$T/out" -w '%{http_code}' --unix-socket "$CLICKOS_SOCKET" -X "$1" \
        -H 'Content-Type: application/json' "http://clickos$2" ${3+-d "$3"}
}

cat >"$T/fw.click" <<'END'
FromNetfront(0) -> there :: Counter -> ToNetfront(1);
FromNetfront(1) -> back :: Counter -> ToNetfront(0);
END
cat >"$T/fw2.click" <<'END'
define($N 7);
FromNetfront(0) -> there :: Counter -> p :: Paint($N) -> ToNetfront(1);
FromNetfront(1) -> back :: Counter -> ToNetfront(0);
END
cat >"$T/bad.click" <<'END'
FromNetfront(0) -> q :: Quee(100) -> ToNetfront(1);
FromNetfront(1) -> c :: Conter -> ToNetfront(0);
END
cat >"$T/badarg.click" <<'END'
FromNetfront(0) -> Queue(NONSENSE 3) -> ToNetfront(1);
FromNetfront(1) -> Paint(red) -> ToNetfront(0);
END

# ---- without a daemon -------------------------------------------------------------------
no_daemon() {
    iso=none
    refuse no-daemon 3 'clickosd is not running .*start it' clickos ps
    refuse no-daemon-json 3 'clickosd is not running' clickos --json ps
    refuse wait-times-out 3 'clickosd is not running' clickos wait --timeout 0.1
    expect overview 0 '' clickos -h
    refuse unknown-verb 2 "did you mean 'logs'" clickos lags
    refuse unknown-option 2 'did you mean --memory' clickos run --memroy 5 x
    refuse missing-words 2 'usage: clickos read' clickos read
    expect verb-group 2 'clickos net add' clickos net
    for v in $(clickos complete | tr ' ' '_'); do
        # shellcheck disable=SC2086
        expect "help-$v" 0 '' clickos ${v//_/ } -h
        grep -q '^example:' "$T/out" || fail "help-$v" "no example"
    done
    expect lint-good 0 '' clickos lint "$T/fw.click"
    expect lint-bad 1 "bad.click:1:[0-9]+: .*Quee" clickos lint "$T/bad.click"
    refuse lint-no-file 1 'cannot read .*No such file' clickos lint "$T/none.click"
    expect lint-unused 0 'warning: there is no .NN in .*fw2.click' \
        clickos lint "$T/fw2.click" NN=1
    json lint-json clickos lint --json "$T/fw.click"
    json elements-json clickos elements --json
    json element-json clickos elements Queue --json
    refuse element-unknown 4 "did you mean 'Queue'" clickos elements Queu
    expect graph 0 '' clickos graph "$T/fw.click"
    grep -q 'n0:o0:s -> n1:i0:n' "$T/out" || fail graph "no edge"
    expect graph-svg 0 '' clickos graph "$T/fw.click" --format svg
    is graph-svg-boxes "$(python3 -c '
import sys, xml.dom.minidom as x
d = x.parse(sys.argv[1])
print(sum(r.getAttribute("class") == "box" for r in d.getElementsByTagName("rect")),
      sum(p.getAttribute("class") == "push" for p in d.getElementsByTagName("path")))' "$T/out")" '6 4'
    is graph-text "$(clickos graph -f text -e 'Idle -> p :: Print("<&>") -> q :: Queue -> Discard')" 'Idle@1 :: Idle
    [0] -> [0] p
p :: Print("<&>")
    [0] -> [0] q
q :: Queue
    [0] ~> [0] Discard@4
Discard@4 :: Discard

-> push, ~> pull'
    refuse graph-format 2 "no format 'png'" clickos graph -f png "$T/fw.click"
    refuse daemon-usage 2 'unexpected argument' clickosd --foreground extra
    refuse daemon-number 2 "--workers 'x' is no number from 1 to" clickosd --workers x
    refuse daemon-option 2 'unknown option --sokcet: see clickosd --help' clickosd --sokcet /x
    refuse daemon-value 2 '--socket needs a value' clickosd --socket
    refuse daemon-no-image 1 'clickosd: .*none.elf' \
        clickosd --foreground --state "$T/s2" --socket "$T/s2.sock" --image "$T/none.elf"
    expect permission-denied 3 'no permission for' sh -c "
        mkdir -m 700 $T/closed; cp $B/clickos $T/clickos; chmod 755 $T $T/clickos
        setpriv --reuid=65534 --clear-groups $T/clickos --socket $T/closed/sock ps"
}

# ---- networks and ports -----------------------------------------------------------------
networks() {
    expect net-add 0 '' clickos net add left
    expect net-add-wire 0 '' clickos net add right --wire
    refuse net-name-taken 1 "exists: remove it with 'clickos net rm left'" clickos net add left
    refuse net-bad-name 1 'is no network name' clickos net add a/b
    refuse net-unknown 4 "did you mean 'left'" clickos net rm lfet
    json net-ls clickos net ls --json
    json net-addresses clickos net addresses left --json
    expect tap-add 0 '' clickos port add ta tap --net left --netns $NS1 \
        ifname=eth0 mac=02:00:00:00:01:01
    expect tap-add-2 0 '' clickos port add tb tap --net right --netns $NS2 \
        ifname=eth0 mac=02:00:00:00:01:02
    refuse port-name-taken 1 "exists: remove it with 'clickos port rm ta'" \
        clickos port add ta tap --net left
    refuse port-no-net 1 'needs a network' clickos port add x sink
    refuse port-unknown-net 4 "did you mean 'left'" clickos port add x sink --net lef
    refuse port-unknown-kind 1 'no kind of port' clickos port add x tpa --net left
    refuse port-unknown-key 1 "did you mean 'rate'" clickos port add x gen --net left rte=5
    refuse port-no-netns 1 'nosuchns' clickos port add x tap --net left --netns nosuchns
    refuse port-no-file 1 'No such file' clickos port add x pcap-in --net left file="$T/none.pcap"
    printf 'no pcap at all, but long enough to be one.' >"$T/junk.pcap"
    refuse port-bad-pcap 1 'junk.pcap' clickos port add x pcap-in --net left file="$T/junk.pcap"
    refuse port-long-ifname 1 'no name of a network device' \
        clickos port add x tap --net left ifname=abcdefghijklmnopq
    refuse port-unknown 4 "no port 'nosuch'" clickos port rm nosuch
    refuse net-in-use 1 "network 'left' has 1 port \(ta\): remove it first" clickos net rm left
    json port-ls clickos port ls --json
    json port-stats clickos port stats --json
    json port-stats-one clickos port stats ta --json
    ip -n $NS1 addr add 10.77.0.1/24 dev eth0
    ip -n $NS2 addr add 10.77.0.2/24 dev eth0
    # Nothing but what the tests send: they count packets.
    ip -n $NS1 neigh replace 10.77.0.2 lladdr 02:00:00:00:01:02 dev eth0
    ip -n $NS2 neigh replace 10.77.0.1 lladdr 02:00:00:00:01:01 dev eth0
}

# ---- VMs ----------------------------------------------------------------------------------
vms() {
    refuse run-unknown-net 4 "no network 'lfet': did you mean 'left'" \
        clickos run fw "$T/fw.click" --net lfet,right --isolation $iso
    refuse run-new-net 4 "clickos net add zzz.*--create-net" \
        clickos run fw "$T/fw.click" --net zzz --isolation $iso
    refuse run-bad-name 1 'is no VM name' clickos run a:b "$T/fw.click"
    refuse run-no-file 1 'cannot read .*No such file' clickos run "$T/none.click"
    refuse run-endless 1 'is no configuration: longer than' timeout 20 clickos run /dev/zero
    refuse verb-of-others 2 "did you mean 'ps'" clickos list
    refuse run-bad-isolation 1 'use auto, kvm or process' clickos run "$T/fw.click" --isolation x
    refuse run-bad-mac 1 'is no MAC address' clickos run "$T/fw.click" --if left,mac=1:2
    expect run-bad-config 1 'bad.click:2:[0-9]+:' clickos run fw "$T/bad.click" \
        --net left,right --isolation $iso
    grep -q '^clickos: [0-9]* errors in .*bad.click$' "$T/err" || fail run-bad-config "no summary"
    is run-bad-leaves-nothing "$(clickos ps | wc -l)-$(find "$T"/state/vms "$T"/state/run -type f -o -type s | wc -l)" 1-0
    expect run-too-few-ifs 1 '[0-9]:' clickos run fw "$T/fw.click" --net left --isolation $iso
    expect run 0 '' clickos run fw "$T/fw.click" --net left,right --isolation $iso --timing
    grep -q "running ($iso)" "$T/out" || fail run "not $iso"
    is timing-adds-up "$(awk '$1 == "total" { print $2 - sum < 20 && sum <= $2; exit } NR > 1 { sum += $2 }' "$T/out")" 1
    refuse run-name-taken 1 "a VM named 'fw' exists.*clickos rm fw" clickos run "$T/fw.click"
    pings ping-through
    clickos install fw "$T/fw.click" NOSUCH=1 >/dev/null 2>"$T/err"
    is unused-variable "$(cat "$T/err")" "clickos: warning: there is no \$NOSUCH in $T/fw.click"
    expect ps 0 '' clickos ps
    expect wait-vm 0 '' clickos wait fw
    refuse wait-unknown 4 "no VM 'nosuch'" clickos wait nosuch --timeout 1
    json ps-json clickos ps --json
    expect ps-memory 0 '' clickos ps --memory
    is ps-memory-adds-up "$(clickos ps --memory fw --json | python3 -c 'import json,sys
m = json.load(sys.stdin)["vms"][0]
print(m["own"] == sum(m[k] for k in ("guest", "heap", "packets", "monitor", "tables")) and
      m["guest"] > 0 and m["heap"] > 0 and m["image"] > 0)')" True
    json ps-one-json clickos ps fw --json
    is ps-list-as-one "$( (clickos --json ps; clickos --json ps fw) | python3 -c 'import json,sys
d=json.JSONDecoder(); t=sys.stdin.read(); a,n=d.raw_decode(t); b,_=d.raw_decode(t[n:].strip())
a=[v for v in a["vms"] if v["name"]=="fw"]; b=b["vms"]; b[0].pop("timing",None); print(a==b)')" True
    is ps-state "$(clickos ps --state running | wc -l)-$(clickos ps --state parked | wc -l)" "$(clickos ps | wc -l)-1"
    is ps-limit "$(clickos ps --limit 1 | wc -l)-$(clickos ps --limit 0 | wc -l)" 2-1
    is ps-after "$(clickos ps --after fv | tail -n +2 | head -n 1 | cut -d' ' -f1)-$(clickos ps --after zzz | wc -l)" fw-1
    refuse ps-bad-state 1 "'asleep' is no state .*crashed, ending or parked" clickos ps --state asleep
    refuse ps-bad-limit 1 "'limit' must be a number" clickos ps --limit many
    refuse ps-one-of-a-list 2 'are for the list' clickos ps fw --limit 1
    refuse ps-unknown 4 "did you mean 'fw'" clickos ps fx
    expect run-created-net 0 '' clickos run vm2 -e 'Idle -> Discard;' --create-net --net extra \
        --isolation $iso
    expect rm 0 '' clickos rm vm2
    expect net-rm 0 '' clickos net rm extra
    refuse rm-unknown 4 "no VM 'vm2'" clickos rm vm2
    refuse port-of-vm 1 "belongs to a VM" clickos port rm fw.0
}

handlers() {
    is read "$(clickos read fw there.count | grep -cE '^[0-9]+$')" 1
    expect read-list 0 '' clickos read fw
    grep -qx there "$T/out" || fail read-list "no element 'there'"
    json read-json clickos read fw there.count --json
    refuse read-unknown-element 4 "no element named 'thre': did you mean 'there.count'" \
        clickos read fw thre.count
    refuse read-unknown-handler 4 "no 'there.cout' read handler: did you mean 'there.count'" \
        clickos read fw there.cout
    refuse read-empty 2 'a handler has a name' clickos read fw ''
    refuse read-unknown-handler 4 "no 'there.nosuch'" clickos read fw there.nosuch
    refuse read-unknown-vm 4 "did you mean 'fw'" clickos read fwx there.count
    expect write 0 '' clickos write fw there.reset
    is write-worked "$(clickos read fw there.count)" 0
    refuse write-unknown 4 "no 'there.nosuch' write handler" clickos write fw there.nosuch 5
    refuse write-readonly 4 'there.count' clickos write fw there.count 5
    is graph-vm "$(clickos graph --vm fw --format text | head -n 2)" 'FromNetfront@1 :: FromNetfront(0)
    [0] -> [0] there'
    refuse graph-vm-unknown 4 "did you mean 'fw'" clickos graph --vm fwx
    refuse graph-vm-file 2 'no configuration is given' clickos graph --vm fw "$T/fw.click"
    is write-config "$(clickos install fw "$T/fw2.click" >/dev/null && clickos write fw p.color 3 && clickos read fw p.color)" 3
}

# A client of Click's protocol: control NAME [FILE]: sends the file or what comes in, all at
# once, and prints all answers.
control() {
    python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
s.shutdown(socket.SHUT_WR)
while (b := s.recv(65536)):
    sys.stdout.buffer.write(b)' "$T/vm/$1.control" 2>&1 | tr -d '\r'
}
# One that means no harm of its own: FLOOD of commands whose answers nobody reads, half a
# line, a long line without end, and a lot of connections, all at once.
control_hostile() { # NAME SECONDS
    timeout "$2" python3 -c '
import socket, sys, time
def one():
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    s.connect(sys.argv[1])
    return s
flood, half, line = one(), one(), one()
half.send(b"READ there.co")
rest = [one() for i in range(40)]
while True:
    for s, text in (flood, b"READ list\nHELP\nREAD config\n" * 100), (line, b"x" * 65536):
        try:
            s.send(text)
        except OSError:
            pass
    gone = one()
    try:
        gone.send(b"READ flatconfig\n" * 50)
    except OSError:
        pass
    gone.close()' "$T/vm/$1.control"
}
controls() {
    is control-read "$(printf 'READ there.count\nREADDATA back.class 0\nQUIT\n' | control fw)" \
        "$(printf "Click::ControlSocket/1.3\n200 Read handler 'there.count' OK\nDATA %d\n%d200 Read \
handler 'back.class' OK\nDATA 7\nCounter200 Goodbye!" \
        "$(clickos read fw there.count | tr -d '\n' | wc -c)" "$(clickos read fw there.count)")"
    is control-write "$(printf 'WRITE there.reset\nWRITEUNTIL back.reset END\nx\nEND\n' | control fw | tail -n +2)" \
        "200 Write handler 'there.reset' OK
200 Write handler 'back.reset' OK"
    is control-errors "$(printf 'READ no.count\nREAD there.no\nREAD there.reset\nWRITE there.count 1\nFOO\nLLRPC there#1\n' |
        control fw | tail -n +2)" "510 No element named 'no'
511 No handler named 'there.no'
530 Handler 'there.reset' write-only
530 Handler 'there.count' read-only
501 Command 'FOO' unimplemented
501 Cannot call LLRPC 'there#1' remotely"
    is control-check "$(printf 'CHECKREAD there.count\nCHECKWRITE there.count\nCHECKWRITE hotconfig\n' |
        control fw | tail -n +2 | cut -c 1-3 | tr '\n' ' ')" '200 511 200 '
    echo 'define($N 7); Idle -> there :: Counter -> p :: Paint($N) -> Discard' >"$T/side.click"
    expect control-other-config 0 '' clickos install fw "$T/side.click" N=3 --config side
    is control-configs "$(cd "$T/vm" && echo fw*)" 'fw.control fw@side.control'
    is control-right-config "$(printf 'READ p.color\nWRITE p.color 9\nREAD p.color\n' | control fw@side | tail -n +2)" \
        "200 Read handler 'p.color' OK
DATA 1
3200 Write handler 'p.color' OK
200 Read handler 'p.color' OK
DATA 1
9"
    is control-hotconfig "$(printf 'WRITE hotconfig %s\nREAD there.class\nREAD p.color\n' \
        'define($N 1); Idle -> there :: Counter -> p :: Paint($N) -> Null -> Discard' |
        control fw@side | tail -n +2)" "200 Write handler 'hotconfig' OK
200 Read handler 'there.class' OK
DATA 7
Counter200 Read handler 'p.color' OK
DATA 1
3"
    is control-hotconfig-shown "$(clickos show fw --config side | grep -c 'Null -> Discard')" 1
    is control-hotconfig-refused "$(printf 'WRITE hotconfig x :: Foo\nREAD p.color\n' | control fw@side |
        sed -n '3p;$p' | sed 's/ .*: / /')" "520 unknown element class 'Foo'
3"
    expect control-config-removed 0 '' clickos remove fw side
    is control-configs-after "$(cd "$T/vm" && echo fw*)" 'fw.control'
    control_hostile fw 3 2>/dev/null &
    local hostile=$!
    for _ in 1 2 3 4 5; do
        expect control-flooded-api 0 '' clickos read fw there.class
    done
    # No place may be free when we come.
    is control-flooded "$(for _ in $(seq 50); do
        printf 'READ there.class\n' | control fw | grep -x Counter && break
    done)" Counter
    wait $hostile
    # Somebody else holds all places and says nothing; then so do we.
    for user in 65534 0; do
        chmod 755 "$T"; chmod 777 "$T/vm" "$T/vm/fw.control"
        timeout 6 python3 -c '
import os, socket, sys, time
os.setgroups([])
os.setuid(int(sys.argv[2]))
held = [socket.socket(socket.AF_UNIX) for i in range(90)]
for s in held:
    s.connect(sys.argv[1])
time.sleep(9)' "$T/vm/fw.control" $user &
        local holder=$!
        if [ $user = 0 ]; then sleep 3; else sleep 0.7; fi
        is control-places-held-$user "$(printf 'READ there.class\n' | control fw | tail -n 1)" Counter
        kill $holder
        wait $holder 2>/dev/null
    done
    is control-after "$(printf 'READ there.class\n' | control fw | tail -n 1)" Counter
}

installs() {
    expect install 0 '' clickos install fw "$T/fw.click"
    pings ping-after-install
    before=$(clickos read fw there.count)
    expect install-bad 1 'bad.click:1:[0-9]+: ' clickos install fw "$T/bad.click"
    grep -qE '^ +FromNetfront\(0\) -> q :: Quee' "$T/err" && grep -qE '^ +\^$' "$T/err" ||
        fail install-bad "no line with a caret"
    is install-bad-both "$(grep -cE 'bad.click:[12]:[0-9]+: ' "$T/err")-$(tail -n 1 "$T/err")" \
        "2-clickos: 2 errors in $T/bad.click"
    expect install-bad-argument 1 'badarg.click:1:[0-9]+: ' clickos install fw "$T/badarg.click"
    is install-bad-arguments "$(grep -cE 'badarg.click:2:[0-9]+: ' "$T/err" | sed 's/[1-9].*/some/')" some
    is install-bad-untouched "$(clickos read fw there.count)" "$before"
    is show-after-bad "$(clickos show fw)" "$(cat "$T/fw.click")"
    pings ping-after-bad
    expect install-define 0 '' clickos install fw "$T/fw2.click" N=9
    is install-define-wins "$(clickos read fw p.color)" 9
    is install-keeps-state "$(($(clickos read fw there.count) > before))" 1
    expect install-bad-define 1 'fw2.click:2:' clickos install fw "$T/fw2.click" N=x
    refuse install-unknown 4 "no VM 'nosuch'" clickos install nosuch "$T/fw.click"
    expect install-stdin 0 '' sh -c "clickos install fw - <$T/fw.click"
    expect install-expression 1 'expression:1:' clickos install fw -e 'Idle -> Quee;'
    json install-json clickos install fw "$T/fw.click" --json
    expect install-message 0 'hello world' clickos install fw \
        -e 'Message("hello $X"); FromNetfront(0) -> there :: Counter -> ToNetfront(1); FromNetfront(1) -> ToNetfront(0);' X=world
    expect logs 0 '' clickos logs fw
    grep -q 'hello world' "$T/out" || fail logs "the message is not there"
    json logs-json clickos logs fw --json
    refuse logs-unknown 4 "no VM 'nosuch'" clickos logs nosuch
    expect second-config 0 '' clickos install fw -e 'Idle -> aux :: Counter -> Discard;' -c aux
    is second-config-read "$(clickos read fw aux.count -c aux)" 0
    expect second-config-remove 0 '' clickos remove fw aux
    refuse second-config-gone 4 "no configuration 'aux'" clickos show fw -c aux
    head -c 10000000 /dev/zero | tr '\0' ' ' >"$T/long.click"
    refuse install-too-long 1 'longer than 9 MiB' clickos install fw "$T/long.click"
    printf 'Idle;\xff' >"$T/latin.click"
    refuse install-no-utf8 1 'not valid UTF-8' clickos install fw "$T/latin.click"
}

# The bindings of a NAT move from one VM to another, as text: a reply that arrives there finds
# its way back.
flows_move() {
    local nat="rw :: IPRewriter(pattern 1.0.0.1 1024-65535 - - 0 1, drop)
        rw[0] -> Discard; rw[1] -> back :: IPClassifier(dst udp port 1234 && dst host 10.0.0.1, -)
        back[0] -> right :: Counter -> Discard; back[1] -> wrong :: Counter -> Discard
        InfiniteSource(LIMIT \$N) -> UDPIPEncap(10.0.0.1, 1234, 2.0.0.2, 53) -> [0]rw
        reply :: InfiniteSource(LIMIT 1, ACTIVE false) -> UDPIPEncap(2.0.0.2, 53, 1.0.0.1, \$PORT) -> [1]rw"
    local port
    clickos run nat-a -e "$nat" N=3 PORT=1 --isolation $iso >/dev/null
    port=$(clickos read nat-a rw.flows | awk '{print $7}')
    clickos run nat-b -e "$nat" N=0 "PORT=$port" --isolation $iso >/dev/null
    clickos write nat-b reply.active true
    for _ in $(seq 400); do
        [ "$(clickos read nat-b reply.count)" = 1 ] && break
        sleep 0.05
    done
    is flows-none-yet "$(clickos read nat-b right.count)" 0
    expect flows-write 0 '' clickos write nat-b rw.flows "$(clickos read nat-a rw.flows)"
    is flows-same "$(clickos read nat-b rw.flows | cut -d ' ' -f 1-11)" \
        "$(clickos read nat-a rw.flows | cut -d ' ' -f 1-11)"
    clickos write nat-b reply.reset
    clickos write nat-b reply.active true
    for _ in $(seq 400); do
        [ "$(clickos read nat-b right.count)" = 1 ] && break
        sleep 0.05
    done
    is flows-moved "$(clickos read nat-b right.count)-$(clickos read nat-b wrong.count)" 1-0
    clickos rm nat-a nat-b
}

follow_logs() {
    clickos run talk -e 'InfiniteSource(LIMIT 0) -> Discard; Idle -> Discard;' --isolation $iso >/dev/null
    clickos logs -f talk >"$T/follow" 2>"$T/err" &
    local follower=$!
    sleep 0.2
    clickos install talk -e 'Message("later"); Idle -> Discard;' >/dev/null 2>&1
    for _ in $(seq 400); do grep -q later "$T/follow" && break; sleep 0.05; done
    is logs-follow "$(grep -c later "$T/follow")" 1
    clickos rm talk
    if timeout 20 tail --pid=$follower -f /dev/null; then pass logs-follow-ends
    else fail logs-follow-ends "still there"; kill $follower; fi
    wait $follower 2>/dev/null
}

traffic() {
    expect gen-add 0 '' clickos port add src gen --net lab count=5000 rate=100k size=64,512
    expect sink-add 0 '' clickos port add dst sink --net lab
    clickos port rm src && clickos port add src gen --net lab count=5000 rate=100k
    for _ in $(seq 200); do
        n=$(clickos port stats dst --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["sink"]["packets"])')
        [ "$n" -ge 5000 ] && break
        sleep 0.1
    done
    is sink-counts "$((n >= 5000))" 1
    expect top 0 '' clickos top -n 1 -i 50ms
    grep -q '^dst ' "$T/out" || fail top "no port"
    clickos port rm src && clickos port add src gen --net lab rate=1000
    expect capture 0 '50 packets' clickos capture dst "$T/cap.pcap" -n 50 -s 10
    is capture-pcap "$(tcpdump -nr "$T/cap.pcap" 2>/dev/null | wc -l)" 50
    is top-json "$(clickos top -n 2 -i 50ms --json | python3 -c 'import json, sys
print(sum(p["in_pps"] >= 0 for l in sys.stdin for p in json.loads(l)["ports"] if p["name"] == "fw.0"))')" 2
    refuse capture-no-packets 2 "'0' is no number of packets" clickos capture fw.0 - -n 0
    refuse capture-unknown 4 "no port 'nosuch'" clickos capture nosuch "$T/x.pcap"
    refuse capture-no-folder 1 'cannot write' clickos capture dst "$T/none/x.pcap"
    expect pcap-in 0 '' clickos port add play pcap-in --net lab file="$T/cap.pcap"
    (cd "$T" && clickos port add rec pcap-out --net lab file=rec.pcap)
    for _ in $(seq 400); do
        clickos port show rec | grep -q 'out_packets *[1-9]' && break
        sleep 0.05
    done
    clickos port rm rec
    is pcap-out-relative "$(($(tcpdump -nr "$T/rec.pcap" 2>/dev/null | wc -l) > 0))" 1
    expect traffic-rm 0 '' clickos port rm src dst play
}

# ---- the daemon's death -------------------------------------------------------------------
restart() {
    local started i
    before=$(clickos read fw there.count)
    stop_daemon KILL
    refuse killed 3 'clickosd is not running' clickos ps
    started=$(date +%s%N)
    start_daemon
    echo "# ready again after $((($(date +%s%N) - started) / 1000000)) ms"
    is adopted "$(vm_member fw state)" running
    is ports-sorted "$(clickos port ls | tail -n +2 | LC_ALL=C sort -c && echo yes)" yes
    is adopted-ports "$(clickos port ls | grep -cE '^(ta|tb|fw.0|fw.1) ')" 4
    is adopted-nets "$(clickos net ls | grep -cE '^(left|right) ')" 2
    pings ping-after-restart
    is adopted-count "$(($(clickos read fw there.count) > before))" 1
    is adopted-config "$(clickos show fw | grep -c there)" 1
    expect adopted-install 0 '' clickos install fw "$T/fw2.click"
    stop_daemon TERM
    start_daemon
    pings ping-after-stop
    expect second-daemon 1 'another clickosd uses' \
        clickosd --foreground --state "$T/state" --socket "$T/other.sock"
    expect second-socket 1 'another daemon answers' \
        clickosd --foreground --state "$T/state2" --socket "$CLICKOS_SOCKET"
    expect ready-fd 0 '' sh -c "
        clickosd --foreground --state $T/state3 --socket $T/three.sock --ready-fd 3 3>$T/ready 2>/dev/null & p=\$!
        for i in \$(seq 400); do [ -s $T/ready ] && break; sleep 0.05; done
        [ -s $T/ready ] && clickos --socket $T/three.sock ps >/dev/null; s=\$?; kill \$p; wait \$p; exit \$s"
    # Many at once: more descriptors than may be on their way.
    for i in $(seq 40); do
        clickos run "many$i" "$T/fw.click" --net many,many --isolation $iso >/dev/null
    done
    stop_daemon KILL
    start_daemon
    for i in $(seq 40); do clickos wait "many$i" --timeout 10; done
    is many-adopted "$(clickos ps | grep -cE '^many[0-9]+ +running')" 40
    # shellcheck disable=SC2046
    clickos rm $(seq -f 'many%.0f' 40)
    is many-removed "$(clickos ps | grep -c many)" 0
    # A monitor that dies while nobody looks.
    expect gone-run 0 "" clickos run gone -e "Idle -> Discard;" --isolation $iso
    pid=$(vm_member gone pid)
    stop_daemon KILL
    kill -9 "$pid"
    start_daemon
    refuse gone-wait 1 "has crashed" clickos wait gone --timeout 10
    is gone-is-crashed "$(clickos ps gone | tail -n 1 | awk '{print $2}')" crashed
    expect gone-rm 0 '' clickos rm gone
    # A damaged state file costs one VM, not the daemon.
    stop_daemon KILL
    echo '{"spec":' >"$T/state/vms/broken"
    start_daemon
    is damaged-set-aside "$(find "$T/state/vms" -name broken.damaged | wc -l)" 1
    rm -f "$T/state/vms/broken.damaged"
    pings ping-after-damage
}

crashes() {
    expect victim-run 0 "" clickos run victim -e "Idle -> Discard;" --isolation $iso
    pid=$(vm_member victim pid)
    kill -9 "$pid"
    for _ in $(seq 400); do clickos ps victim | grep -q crashed && break; sleep 0.05; done
    is killed-monitor "$(clickos ps victim | grep -c 'killed by signal 9')" 1
    refuse crashed-read 1 "does not run \(crashed\)" clickos read victim list
    refuse crashed-install 1 "does not run \(crashed\)" clickos install victim "$T/fw.click"
    expect crashed-logs 0 '' clickos logs victim
    grep -q 'signal 9' "$T/out" || fail crashed-logs "no reason"
    expect crashed-rm 0 '' clickos rm victim
    pings ping-after-crash
}

# A guest that breaks: its report names what happened, everything else goes on.
hostile() {
    [ -e "$B/hostile.elf" ] || { echo "SKIP ctl/$iso/hostile: no hostile.elf"; return; }
    local sock=$CLICKOS_SOCKET
    clickosd --foreground --state "$T/hs" --socket "$T/hs.sock" --image "$B/hostile.elf" >>"$T/log" 2>&1 &
    local hp=$!
    export CLICKOS_SOCKET=$T/hs.sock
    clickos wait --timeout 20
    is hostile-create "$(api POST /v1/vms "{\"name\": \"h\", \"isolation\": \"$iso\"}")" 201
    refuse hostile-crash 1 "has ended: see 'clickos logs h'" clickos read h read_null
    is hostile-state "$(clickos ps h | grep -cE 'crashed .*read_null')" 1
    expect hostile-logs 0 '' clickos logs h
    grep -qE 'crashed: .*read_null.*hostile.c:[0-9]+' "$T/out" || fail hostile-logs "no function and line"
    clickos rm --all
    kill $hp
    wait $hp 2>/dev/null
    export CLICKOS_SOCKET=$sock
    pings ping-beside-hostile
}

# ---- no KVM -------------------------------------------------------------------------------
no_kvm() { # a daemon for which /dev/kvm is a device that is no KVM
    local sock=$CLICKOS_SOCKET
    unshare -m --propagation private sh -c "mount --bind /dev/null /dev/kvm && exec clickosd \
        --foreground --state $T/nokvm --socket $T/nokvm.sock" >>"$T/log" 2>&1 &
    local np=$!
    export CLICKOS_SOCKET=$T/nokvm.sock
    if clickos wait --timeout 10 2>/dev/null; then
        refuse no-kvm 1 'no KVM \(.*/dev/kvm.*--isolation process' \
            clickos run "$T/fw.click" --isolation kvm
        expect no-kvm-auto 0 '' clickos run x -e 'Idle -> Discard;'
        is no-kvm-is-process "$(clickos ps x | tail -n 1 | awk '{print $3}')" process
        clickos rm --all
    else
        echo "SKIP ctl/no-kvm: cannot hide /dev/kvm"
    fi
    kill $np 2>/dev/null
    wait $np 2>/dev/null
    export CLICKOS_SOCKET=$sock
}

# ---- a full disk --------------------------------------------------------------------------
full_disk() {
    mkdir -p "$T/small"
    mount -t tmpfs -o size=256k,mode=755 none "$T/small" 2>/dev/null ||
        { echo "SKIP ctl/$iso/full-disk: cannot mount tmpfs"; return; }
    local sock=$CLICKOS_SOCKET
    clickosd --foreground --state "$T/small/state" --socket "$T/small.sock" >>"$T/log" 2>&1 &
    local sp=$!
    export CLICKOS_SOCKET=$T/small.sock
    clickos wait --timeout 20
    clickos net add n
    clickos run fw "$T/fw.click" --net n,n --isolation $iso >/dev/null
    head -c 300k /dev/zero >"$T/small/fill" 2>/dev/null
    refuse full-run 1 'the disk is full: make room' clickos run x "$T/fw.click" --net n,n --isolation $iso
    refuse full-net 1 'the disk is full' clickos net add m
    refuse full-port 1 'the disk is full' clickos port add s sink --net n
    refuse full-install 1 'the disk is full' clickos install fw "$T/fw2.click"
    is full-nothing-half-made "$(clickos ps | wc -l)-$(clickos net ls | wc -l)-$(clickos port ls | wc -l)" 2-2-3
    is full-untouched "$(clickos show fw)" "$(cat "$T/fw.click")"
    expect full-read 0 '' clickos read fw there.count
    rm "$T/small/fill"
    expect full-room-again 0 '' clickos install fw "$T/fw2.click"
    clickos rm --all
    kill $sp
    wait $sp 2>/dev/null
    export CLICKOS_SOCKET=$sock
    umount "$T/small"
}

rest() {
    is rest-index "$(api GET /v1)" 200
    is rest-404 "$(api GET /v1/nosuch)" 404
    is rest-405 "$(api PATCH /v1/vms)" 405
    is rest-bad-json "$(api POST /v1/vms '{"name":')" 400
    grep -q '"code": "bad_request"' "$T/out" || fail rest-bad-json "no code"
    is rest-bad-query "$(api GET '/v1/vms/fw/logs?form=1')" 400
    is rest-lint "$(api POST /v1/lint '{"text": "Idle -> Quee;"}')" 200
    grep -q '"column": 9' "$T/out" || fail rest-lint "no column"
    is rest-elements "$(api GET /v1/elements/Queue)" 200
    is rest-raw-config "$(curl -s -o "$T/out" -w '%{http_code}' --unix-socket "$CLICKOS_SOCKET" -T "$T/fw.click" \
        'http://c/v1/vms/fw/config?file=fw.click')" 200
    is rest-raw-config-bad "$(curl -s -o "$T/out" -w '%{http_code}' --unix-socket "$CLICKOS_SOCKET" -T "$T/bad.click" \
        'http://c/v1/vms/fw/config?file=bad.click')" 422
    grep -q '"file": "bad.click"' "$T/out" || fail rest-raw-config-bad "no details"
    is rest-handler "$(curl -s --unix-socket "$CLICKOS_SOCKET" http://c/v1/vms/fw/handlers/there.class)" Counter
    head -c 17000000 /dev/zero >"$T/huge"
    is rest-too-large "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$CLICKOS_SOCKET" -H 'Expect:' \
        --data-binary @"$T/huge" http://c/v1/vms)" 413
    json version-json clickos version --json
    if command -v curl >/dev/null; then # many clients at once
        seq 200 | xargs -P 20 -I{} curl -s -o /dev/null --unix-socket "$CLICKOS_SOCKET" http://c/v1/vms/fw/handlers/there.count
        expect rest-after-many 0 '' clickos read fw there.count
    fi
}

goodbye() {
    expect rm-all 0 '' clickos rm --all
    expect port-rm 0 '' clickos port rm ta tb
    is tap-removed "$(ip -n $NS1 -br link | grep -c eth0)" 0
    expect nets-rm 0 '' clickos net rm left right lab many
    is nothing-left "$(find "$T/state" -mindepth 2 | wc -l)" 0
    for _ in $(seq 100); do
        [ "$(monitors)" = 0 ] && break
        sleep 0.1
    done
    is no-monitors "$(monitors)" 0
}

completion() {
    is completion "$(bash -c '
        . packaging/clickos.bash
        COMP_WORDS=(clickos ins) COMP_CWORD=1; _clickos; echo "${COMPREPLY[@]}"
        COMP_WORDS=(clickos net "") COMP_CWORD=2; _clickos; echo "${COMPREPLY[@]}"
        COMP_WORDS=(clickos run --isol) COMP_CWORD=2; _clickos; echo "${COMPREPLY[@]}"
        COMP_WORDS=(clickos run --restart a) COMP_CWORD=3; _clickos; echo "${COMPREPLY[@]}"
        COMP_WORDS=(clickos help sn) COMP_CWORD=2; _clickos; echo "${COMPREPLY[@]}"
        COMP_WORDS=(clickos elements FromNetf) COMP_CWORD=2; _clickos; echo "${COMPREPLY[@]}"
    ' | tr '\n' ';')" 'install;add addresses ls rm;--isolation;always;snapshot;FromNetfront;'
}

no_daemon
ip netns add $NS1
ip netns add $NS2
for ns in $NS1 $NS2; do
    ip netns exec $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
start_daemon || { iso=none; fail start "the daemon does not start"; exit 1; }
kinds=process
if clickos version --json | grep -q '"kvm": true'; then
    kinds="kvm process"
    iso=none
    no_kvm
else
    echo "SKIP ctl/kvm: no /dev/kvm"
    iso=none
    refuse no-kvm 1 'no KVM .*--isolation process' clickos run "$T/fw.click" --isolation kvm
fi
for iso in $kinds; do
    networks
    clickos net add lab
    clickos net add many
    vms
    handlers
    controls
    installs
    flows_move
    follow_logs
    traffic
    rest
    restart
    crashes
    hostile
    full_disk
    goodbye
done
iso=none
stop_daemon TERM
DAEMON=
is no-sanitizer-reports "$(grep -cE 'ERROR: |runtime error|WARNING: ThreadSanitizer' "$T/log")" 0
completion
