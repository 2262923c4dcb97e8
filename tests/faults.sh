#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The machine has run out of something, really: descriptors, processes, memory, disk; or what
# is to go on has been killed. Whatever was asked for fails with one line that names what to
# raise, leaves nothing behind, and everything else goes on. tests/faults.sh BUILDDIR; needs
# root.
set -u
# Others on this machine make network devices, too.
[ -n "${FAULTS_NETNS:-}" ] || [ "$(id -u)" != 0 ] || FAULTS_NETNS=1 exec unshare -n "$0" "$@"
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
area=faults
. tests/daemon.bash
type -P prlimit >/dev/null || { echo "SKIP faults: no prlimit"; exit 0; }

PIDS=/sys/fs/cgroup/pids/clickos-faults-$$
SERVER=
: >"$T/err"

on_exit() {
    local p
    [ -d "$PIDS" ] || return
    for p in $(cat "$PIDS/cgroup.procs"); do
        echo "$p" >/sys/fs/cgroup/pids/cgroup.procs
    done 2>/dev/null
    sleep 0.2
    rmdir "$PIDS" 2>/dev/null
}
start() {
    start_daemon --pool 0
    find_server
}
find_server() { SERVER=$(pgrep -P "$DAEMON" -f 'clickos-vmm --server'); }
vm_pid() { vm_member "$1" pid; }
vm_state() { vm_member "$1" state; }
until_state() { # NAME STATE
    for _ in $(seq 400); do
        [ "$(vm_state "$1")" = "$2" ] && return
        sleep 0.05
    done
}
until_said() { # PATTERN: in the daemon's log
    for _ in $(seq 400); do
        grep -q "$1" "$T/log" && return
        sleep 0.05
    done
}
kill_server() { # and wait until the daemon has noticed
    kill -9 "$SERVER"
    for _ in $(seq 400); do
        kill -0 "$SERVER" 2>/dev/null || break
        sleep 0.05
    done
}
fds() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
# All that were ever started here, fork servers among them: they have our environment.
monitors() {
    local p n=0
    for p in $(grep -lsz "^CLICKOS_SOCKET=$T/sock$" /proc/[0-9]*/environ); do
        case $(readlink "${p%/environ}/exe") in */clickos-vmm) n=$((n + 1)) ;; esac
    done
    echo $n
}
# What there is: descriptors of the daemon and its fork server, its monitors, files, devices.
inventory() {
    echo "descriptors $(fds "$DAEMON") $(fds "$SERVER")"
    echo "monitors $(monitors)"
    (cd "$T" && find state vm snap* cap* -type f -o -type s 2>/dev/null | sort)
    ip -o link | wc -l
    ip -n $NS1 -o link | wc -l
    clickos ps --json | grep -c '"name"'
    clickos port ls | wc -l
}
settled() { # until it is as $1 says, or a while has passed
    for _ in $(seq 200); do
        [ "$(inventory)" = "$1" ] && break
        sleep 0.05
    done
    inventory
}

# A command with too little of something: one line that says why. 0 if it went well after all.
attempt() { # NAME PATTERN COMMAND...
    local name=$1 pattern=$2 got
    shift 2
    timeout 20 "$@" >"$T/out" 2>&1 </dev/null
    got=$?
    [ $got = 0 ] && return 0
    [ $got = 124 ] && fail "$name" "no end: $*"
    [ "$(wc -l <"$T/out")" = 1 ] || fail "$name" "not one line: $*"
    grep -qE -- "$pattern" "$T/out" || fail "$name" "no '$pattern' of: $*"
    return 1
}

cat >"$T/c.click" <<'END'
FromNetfront(0) -> c :: Counter -> ToNetfront(0);
END

# Every command with ever more of what is short, until it goes well: each attempt before that
# has its reason, and none leaves anything. `set` sets the limit to so much more than is used.
sweep() { # NAME SET UNSET PATTERN STEPS UNDO COMMAND...
    local name=$1 set=$2 unset=$3 pattern=$4 steps=$5 undo=$6 refused=0 well=0 before
    shift 6
    before=$(inventory)
    for more in $steps; do
        $set "$more"
        if attempt "$name+$more" "$pattern" "$@"; then well=$((well + 1)); else refused=$((refused + 1)); fi
        $unset
        $undo >/dev/null 2>&1
        [ "$(settled "$before")" = "$before" ] ||
            fail "$name+$more" "left over: $(diff <(echo "$before") <(inventory) | tr '\n' ' ')"
    done
    is "$name-was-short" "$((refused > 0))" 1
    is "$name-goes-well-with-more" "$((well > 0))" 1
}

# ---- descriptors -------------------------------------------------------------------------
few_files() { prlimit --pid "$1" --nofile=$(($2 + $3)):; }
daemon_files() { few_files "$DAEMON" "$(fds "$DAEMON")" "$1"; }
server_files() { few_files "$SERVER" "$(fds "$SERVER")" "$1"; }
files_again() { prlimit --pid "$DAEMON" --nofile="$files": && prlimit --pid "$SERVER" --nofile="$files":; }
descriptors() {
    local why='(raise RLIMIT_NOFILE|raise fs.file-max)' few='0 1 2 3 4 5 6 60' some='0 2 4 5 8 12 60'
    files=$(prlimit --pid "$DAEMON" --nofile -o SOFT --noheadings | tr -d ' ')
    sweep files-run daemon_files files_again "$why" "$few" 'clickos rm g' \
        clickos run g "$T/c.click" --net a --isolation $iso
    sweep files-server-run server_files files_again "$why" "$some" 'clickos rm g' \
        clickos run g "$T/c.click" --net a --isolation $iso
    sweep files-tap daemon_files files_again "$why" "$few" 'clickos port rm t' \
        clickos port add t tap --net a --netns $NS1
    sweep files-snapshot daemon_files files_again "$why" "$few" "rm -f $T/snap" \
        clickos snapshot other "$T/snap"
    sweep files-park daemon_files files_again "$why" "$few" 'clickos wake other' clickos park other
    sweep files-wake daemon_files files_again "$why" "$few" 'clickos park parked' clickos wake parked
    sweep files-clone daemon_files files_again "$why" "$few 120" 'clickos rm other-1 other-2' \
        clickos clone other -n 2
    sweep files-capture daemon_files files_again "$why" "$few" "rm -f $T/cap" \
        clickos capture other.0 "$T/cap" -s 0.05
    sweep files-pcap daemon_files files_again "$why" "$few" 'clickos port rm p' \
        clickos port add p pcap-out --net a file="$T/p.pcap"
    is files-others-go-on "$(clickos read other c.class)" Counter
    clients_wait
    too_few_to_adopt
    too_few_to_take_back
    full_table
}
# A client that comes while the daemon can have no more descriptors is served when it can.
clients_wait() {
    daemon_files 0
    python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); time.sleep(1.5)' "$T/sock" &
    local holder=$!
    sleep 0.3
    timeout 10 clickos ps >"$T/out" 2>&1 &
    local client=$!
    sleep 0.3
    files_again
    wait $client
    is files-client-is-served "$? $(grep -c other "$T/out")" '0 1'
    wait $holder
}
# VMs that a new daemon cannot connect to go on, and the next one finds them.
too_few_to_adopt() {
    for i in 1 2 3 4 5 6; do
        clickos run "many$i" "$T/c.click" --net a --isolation $iso --restart always >/dev/null
    done
    local pids far
    pids=$(for i in 1 2 3 4 5 6; do vm_pid "many$i"; done)
    stop_daemon KILL
    (ulimit -n 64 && exec clickosd --foreground --pool 0 --state "$T/state" --socket "$T/sock") >>"$T/log" 2>&1 &
    DAEMON=$!
    clickos wait --timeout 20
    until_said 'not connected to: .*raise RLIMIT_NOFILE'
    is adopt-some-wait "$(clickos ps | grep -c adopting | awk '{print ($1 > 0 && $1 < 7)}')" 1
    is adopt-says-why "$(grep -c 'not connected to: .*raise RLIMIT_NOFILE' "$T/log" | awk '{print ($1 > 0)}')" 1
    far=$(clickos ps | awk '/adopting/ {print $1; exit}')
    attempt adopt-no-rm 'raise RLIMIT_NOFILE' clickos rm "$far" && fail adopt-no-rm 'it was removed'
    stop_daemon KILL
    start
    until_state "$far" running
    is adopt-all-in-the-end "$(for i in 1 2 3 4 5 6; do vm_pid "many$i"; done)" "$pids"
    clickos rm many1 many2 many3 many4 many5 many6
}

# What had not finished starting when the daemon died is ended by the next one, even if that
# has no descriptor for it at first.
too_few_to_take_back() {
    local i pids
    for i in 1 2 3 4 5 6; do
        clickos run "half$i" "$T/c.click" --net a --isolation $iso >/dev/null
    done
    pids=$(for i in 1 2 3 4 5 6; do vm_pid "half$i"; done)
    stop_daemon KILL
    sed -i 's/"state": "running"/"state": "starting"/' "$T"/state/vms/half?
    (ulimit -n 50 && exec clickosd --foreground --pool 0 --state "$T/state" --socket "$T/sock") >>"$T/log" 2>&1 &
    DAEMON=$!
    clickos wait --timeout 20
    # shellcheck disable=SC2086
    is take-back-some-wait "$(kill -0 $pids 2>/dev/null && echo yes)" yes
    stop_daemon KILL
    start
    for i in $(seq 400); do
        # shellcheck disable=SC2086
        kill -0 $pids 2>/dev/null || break
        sleep 0.05
    done
    is take-back-in-the-end "$(kill -0 $pids 2>&1 | grep -c 'No such process') $(clickos ps | grep -c half)" '6 0'
}
# The kernel's table of open files is full: every call with a number fails so, of processes
# without privileges. A filter plays the kernel: monitors cannot be connected to, and no packet
# memory can be made. Runs clickosd under it.
cat >"$T/full_table.py" <<'END'
import ctypes, os, struct, sys
ENFILE, MEMFD, SETSOCKOPT, PASSCRED = 23, 319, 54, 16
def op(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
LD, JEQ, RET = 0x20, 0x15, 0x06
program = [op(LD, 0, 0, 0), op(JEQ, 3, 0, MEMFD), op(JEQ, 0, 3, SETSOCKOPT), op(LD, 0, 0, 32),
           op(JEQ, 0, 1, PASSCRED), op(RET, 0, 0, 0x50000 | ENFILE), op(RET, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(program))
class Filter(ctypes.Structure):
    _fields_ = [("n", ctypes.c_ushort), ("code", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(22, 2, ctypes.byref(Filter(len(program), ctypes.addressof(code))), 0, 0):
    sys.exit("no filter")
os.execvp(sys.argv[1], sys.argv[1:])
END
full_table() {
    local pid
    [ "$(uname -m)" = x86_64 ] || { echo "SKIP faults/$iso/full-table: x86_64 only"; return; }
    pid=$(vm_pid other)
    stop_daemon KILL
    python3 "$T/full_table.py" clickosd --foreground --pool 0 --state "$T/state" --socket "$T/sock" >>"$T/log" 2>&1 &
    DAEMON=$!
    clickos wait --timeout 20
    is table-waits "$(vm_state other)" adopting
    until_said 'not connected to: .*raise fs.file-max'
    attempt table-no-rm 'raise fs.file-max' clickos rm other && fail table-no-rm 'it was removed'
    attempt table-no-run 'raise fs.file-max' clickos run g "$T/c.click" --net a --isolation $iso &&
        fail table-no-run 'it was started'
    is table-says-why "$(grep -c 'not connected to: .*raise fs.file-max' "$T/log")" 1
    stop_daemon KILL
    start
    until_state other running
    is table-goes-on "$(vm_pid other) $(clickos ps | grep -cw g)" "$pid 0"
    : >"$T/log"
}

# ---- processes ---------------------------------------------------------------------------
few_tasks() { echo $(($(cat "$PIDS/pids.current") + $1)) >"$PIDS/pids.max"; }
tasks_again() { echo max >"$PIDS/pids.max"; }
processes() {
    mkdir "$PIDS" 2>/dev/null && echo "$SERVER" >"$PIDS/cgroup.procs" 2>/dev/null ||
        { echo "SKIP faults/$iso/processes: no control group of pids"; return; }
    local before again
    before=$(cat "$PIDS/pids.current")
    sweep tasks-run few_tasks tasks_again 'raise pids.max' '0 1 2 3' 'clickos rm g' \
        clickos run g "$T/c.click" --net a --isolation $iso
    for _ in $(seq 400); do
        [ "$(cat "$PIDS/pids.current")" = "$before" ] && break
        sleep 0.05
    done
    is tasks-none-left "$(cat "$PIDS/pids.current")" "$before"
    is tasks-others-go-on "$(clickos read other c.class)" Counter
    # The fork server is killed while no other can be started.
    echo "$DAEMON" >"$PIDS/cgroup.procs"
    kill_server
    few_tasks 0
    attempt tasks-no-server 'raise pids.max' clickos run g "$T/c.click" --net a --isolation $iso &&
        fail tasks-no-server 'it was started'
    tasks_again
    attempt tasks-server-again '' clickos run g "$T/c.click" --net a --isolation $iso
    find_server
    again=$(clickos read g c.class)
    is tasks-server-is-back "$again $(clickos read other c.class)" 'Counter Counter'
    clickos rm g
    echo "$DAEMON" >/sys/fs/cgroup/pids/cgroup.procs
    echo "$SERVER" >/sys/fs/cgroup/pids/cgroup.procs
    for _ in $(seq 100); do # what ended in there is on its way still
        rmdir "$PIDS" 2>/dev/null && break
        sleep 0.1
    done
}

# ---- memory --------------------------------------------------------------------------------
size_of() { awk '/VmSize/ {print $2 * 1024}' "/proc/$1/status"; }
daemon_memory() { prlimit --pid "$DAEMON" --as=$(($(size_of "$DAEMON") + $1 * 1000)):; }
server_memory() { prlimit --pid "$SERVER" --as=$(($(size_of "$SERVER") + $1 * 1000)):; }
memory_again() { prlimit --pid "$DAEMON" --as=unlimited: && prlimit --pid "$SERVER" --as=unlimited:; }
memory() {
    # A daemon that cannot even take the request closes the connection.
    local why='(raise what limits it|out of memory|there is no memory|went away before it answered)'
    sweep memory-run daemon_memory memory_again "$why" '0 300 1000 4000 8000 64000' 'clickos rm g' \
        clickos run g "$T/c.click" --net a --isolation $iso
    sweep memory-server-run server_memory memory_again "$why" '0 300 4000 16000 40000 200000' 'clickos rm g' \
        clickos run g "$T/c.click" --net a --isolation $iso
    is memory-others-go-on "$(clickos read other c.class)" Counter
}

# ---- disk ----------------------------------------------------------------------------------
disk() {
    local before f
    before=$(inventory)
    mkdir "$T/small"
    mount -t tmpfs -o size=64k none "$T/small" || { echo "SKIP faults/$iso/disk: no tmpfs"; return; }
    head -c 64k /dev/zero >"$T/small/full" 2>/dev/null
    # What a user writes to: the error is his, the status is not 0.
    for f in ps 'show other' 'read other c.class' elements 'elements Queue'; do
        # shellcheck disable=SC2086
        clickos $f >/dev/full 2>"$T/out"
        is "disk-stdout-${f%% *}" "$? $(grep -c 'No space left' "$T/out")" '1 1'
    done
    attempt disk-snapshot 'No space left on device: make room' clickos snapshot other "$T/small/s" &&
        fail disk-snapshot 'it was written'
    clickos port add g gen --net a rate=20000 dst_mac=02:00:00:00:00:99
    attempt disk-capture-nothing "no port" clickos capture nosuch "$T/small/n"
    attempt disk-capture 'No space left' clickos capture other.0 "$T/small/c" -s 5 &&
        fail disk-capture 'it was written'
    clickos port add p pcap-out --net a file="$T/small/p" >"$T/out" 2>&1
    for _ in $(seq 400); do
        clickos port ls >>"$T/out" 2>&1
        grep -qE 'No space left on device: make room' "$T/out" && break
        sleep 0.05
    done
    is disk-pcap-port "$(grep -cE 'No space left on device: make room' "$T/out")" 1
    clickos port rm p g 2>/dev/null || clickos port rm g
    mount --bind "$T/small" "$T/state/parked"
    attempt disk-park 'No space left on device: make room' clickos park other && fail disk-park 'it was parked'
    is disk-goes-on "$(vm_state other) $(clickos read other c.class)" 'running Counter'
    umount "$T/state/parked"
    rm -f "$T/small/p"
    is disk-leaves-nothing "$(cd "$T/small" && echo *)" full
    umount "$T/small"
    rmdir "$T/small"
    is disk-nothing-left "$(settled "$before")" "$before"
}

# ---- kill -9 -------------------------------------------------------------------------------
kills() {
    local before pid guest
    before=$(inventory)
    clickos run v "$T/c.click" --net a --isolation $iso >/dev/null
    pid=$(vm_pid v)
    if [ $iso = process ]; then # the guest alone
        guest=$(pgrep -P "$pid")
        kill -9 "$guest"
        until_state v crashed
        is kill-guest "$(clickos ps v | grep -c 'crashed .*Killed')" 1
        clickos rm v
        clickos run v "$T/c.click" --net a --isolation $iso >/dev/null
        pid=$(vm_pid v)
        guest=$(pgrep -P "$pid")
    fi
    kill -9 "$pid"
    until_state v crashed
    is kill-monitor "$(clickos ps v | grep -c 'crashed .*killed by signal 9')" 1
    [ $iso = kvm ] || is kill-monitor-ends-guest "$(ps -o stat= -p "$guest" | grep -vc Z)" 0
    clickos rm v
    # One that stands still costs whoever asks it some seconds, and nobody else anything.
    clickos run v "$T/c.click" --net a --isolation $iso >/dev/null
    kill -STOP "$(vm_pid v)"
    timeout 20 clickos read v c.class >"$T/out" 2>&1 &
    pid=$!
    is stopped-others-go-on "$(timeout 20 clickos read other c.class; kill -0 $pid && echo first)" "$(printf 'Counter\nfirst')"
    wait $pid
    is stopped-is-said "$(grep -cE 'does not answer|has ended|broke the protocol' "$T/out")" 1
    clickos rm v
    # The fork server: its VMs go on, and there is another one when it is needed.
    kill_server
    is kill-server-others-go-on "$(clickos read other c.class)" Counter
    clickos run v "$T/c.click" --net a --isolation $iso >/dev/null
    find_server
    is kill-server-and-run "$(clickos read v c.class)" Counter
    kill -9 "$(vm_pid other)" # one of the first fork server's
    until_state other crashed
    is kill-orphan "$(vm_state other)" crashed
    clickos rm v other
    clickos run other "$T/c.click" --net a --isolation $iso >/dev/null
    is kill-nothing-left "$(settled "$before" | grep -v '^descriptors')" "$(echo "$before" | grep -v '^descriptors')"
}

# Hundreds of monitors at once; then the fork server and the daemon with them.
pids_of() { # STATE: of all VMs in it
    clickos ps --json | python3 -c '
import json, sys
print(*sorted(v["pid"] for v in json.load(sys.stdin)["vms"] if v["state"] == sys.argv[1]))' "$1"
}
until_back() { # COUNT PIDS: so many run, and none of these
    python3 - "$@" <<'END'
import json, subprocess, sys, time
n, old = int(sys.argv[1]), set(sys.argv[2].split())
for _ in range(600):
    vms = json.loads(subprocess.run(["clickos", "ps", "--json"], capture_output=True).stdout or '{"vms": []}')["vms"]
    back = [v for v in vms if v["state"] == "running" and str(v["pid"]) not in old]
    if len(back) == n:
        break
    time.sleep(0.05)
print(len(back))
END
}
many() {
    local before old n=200
    before=$(inventory)
    expect many-run 0 '' clickos run all "$T/c.click" --net a --isolation $iso --restart always
    expect many-clone 0 '' clickos clone all -n $((n - 1))
    expect many-once 0 '' clickos run once "$T/c.click" --net a --isolation $iso
    expect many-once-clone 0 '' clickos clone once -n 9
    clickos rm other parked
    old=$(pids_of running)
    # shellcheck disable=SC2086
    kill -9 $old
    is many-are-back "$(until_back $n "$old")" $n
    is many-others-are-reported "$(clickos ps | grep -c '^once.*crashed.*killed by signal 9')" 10
    is many-work "$(clickos read all-$((n - 1)) c.class)" Counter
    old=$(pids_of running)
    # shellcheck disable=SC2086
    kill -9 $old "$SERVER" "$DAEMON"
    wait "$DAEMON" 2>/dev/null
    start
    is many-are-back-with-the-daemon "$(until_back $n "$old")" $n
    is many-others-still-are-reported "$(clickos ps | grep -c '^once.*crashed.*killed by signal 9')" 10
    clickos rm --all
    clickos run other "$T/c.click" --net a --isolation $iso >/dev/null
    clickos run parked "$T/c.click" --if a,wake=own --isolation $iso >/dev/null
    clickos park parked
    is many-nothing-left "$(settled "$before" | grep -v '^descriptors')" "$(echo "$before" | grep -v '^descriptors')"
}

ip netns add $NS1
start || { fail start "the daemon does not start"; exit 1; }
clickos net add a
kinds=process
if clickos version --json | grep -q '"kvm": true'; then
    kinds="kvm process"
else
    echo "SKIP faults/kvm: no /dev/kvm"
fi
for iso in $kinds; do
    clickos run other "$T/c.click" --net a --isolation $iso >/dev/null
    clickos run parked "$T/c.click" --if a,wake=own --isolation $iso >/dev/null
    clickos park parked
    for part in ${2:-descriptors processes memory disk kills many}; do
        $part
    done
    clickos rm --all
done
iso=none
stop_daemon TERM
DAEMON=
is no-sanitizer-reports "$(grep -cE 'ERROR: |runtime error|WARNING: ThreadSanitizer' "$T/log")" 0
