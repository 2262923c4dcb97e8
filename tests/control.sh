#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# ControlSocket and ChatterSocket of the click program: tests/control.sh BUILDDIR
set -u
click=$1/click
failed=0
dir=$(mktemp -d /tmp/clickos-control.XXXXXX)
pid=
trap '[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; rm -rf "$dir"' EXIT

is() { # NAME WANT GOT
    if [ "$2" = "$3" ]; then
        echo "PASS control/$1"
    else
        printf 'got:\n%s\nwanted:\n%s\n' "$3" "$2"
        echo "FAIL control/$1"
        failed=1
    fi
}
start() {
    rm -f "$dir/s"
    "$click" "$@" >"$dir/out" 2>"$dir/err" </dev/null &
    pid=$!
    for ((i = 0; i < 400; i++)); do
        [ -S "$dir/s" ] && return
        sleep 0.05
    done
}
stop() {
    kill -TERM "$pid" 2>/dev/null
    wait "$pid"
    pid=
}
# What comes back for the pieces that a client sends, without the greeting.
say() {
    timeout 20 python3 - "$dir/s" "$@" <<'PY'
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for piece in sys.argv[2:]:
    s.sendall(piece.encode("latin-1").decode("unicode_escape").encode("latin-1"))
    time.sleep(0.05)
s.shutdown(socket.SHUT_WR)
got = b""
while True:
    more = s.recv(65536)
    if not more:
        break
    got += more
print(got.decode("latin-1").replace("\r\n", "\n").split("\n", 1)[1], end="")
PY
}
config="c :: Counter; InfiniteSource(LIMIT 3) -> c -> s :: Switch(1) -> Discard; s[1] -> Discard"

# --- calls by number ---
start -e "$config; ControlSocket(UNIX, $dir/s)"
is llrpc_count "200 LLRPC 'c#C004C003' OK
DATA 4
$(printf '\003')xxx" "$(say 'LLRPC c#C004C003 4\n\0\0\0\0' | tr '\000' x)"
is llrpc_switch "200 LLRPC 's#4004C005' OK
DATA 4
$(printf '\001')xxx200 LLRPC 's#80044006' OK
DATA 0
200 Read handler 's.switch' OK
DATA 1
0522 LLRPC 's#80044006' error: Invalid argument
522 LLRPC 's#C004C003' error: Invalid argument" \
    "$(say 'LLRPC s#4004C005\nLLRPC s#80044006 4\n\0\0\0\0READ s.switch\n' \
        'LLRPC s#80044006 4\n\7\0\0\0LLRPC s#C004C003 4\n\0\0\0\0' | tr '\000' x)"
is llrpc_no_such_element "510 No element named 'x'" "$(say 'LLRPC x#C004C003 4\nabcd')"

# --- pieces and several clients ---
is pieces "200 Read handler 'c.count' OK
DATA 1
3200 Write handler 'c.reset' OK
501 Command 'X' unimplemented" "$(say 'RE' 'AD c.cou' 'nt\r' '\nWRITEDATA c.reset 2\n1' '2x\n')"
is not_enough "500 Not enough data
500 Not enough data" "$(say 'WRITEDATA c.reset 9\n'; say 'READUNTIL c.count x\n')"
is clients "ok" "$(timeout 20 python3 - "$dir/s" <<'PY'
import socket, sys
all = [socket.socket(socket.AF_UNIX) for i in range(20)]
for s in all:
    s.connect(sys.argv[1])
    s.sendall(b"READ s.class\n")
for s in reversed(all):
    got = b""
    while not got.endswith(b"Switch"):
        got += s.recv(4096)
print("ok")
PY
)"
stop

# --- arguments ---
start -e "$config; ControlSocket(unix, $dir/s, READONLY true)"
is readonly "530 Permission denied for 'c.reset'
530 Permission denied for 'c.reset'
530 Permission denied for 's#80044006'
530 Handler 'c.count' read-only
200 Read handler 'c.count' OK" \
    "$(say 'WRITE c.reset\nCHECKWRITE c.reset\nLLRPC s#80044006 4\n\0\0\0\0WRITE c.count 1\nCHECKREAD c.count\n')"
stop
start -e "$config; p :: Script(TYPE PROXY, goto fine \$(ne \$0 bad), error no such thing, label fine, return \$0); \
    q :: ControlSocket(UNIX, $dir/s, PROXY p)"
is proxy "200 Read handler 'any.thing' OK
DATA 9
any.thing200 Read handler 'p' OK
DATA 1
p522 LLRPC 'p#C004C003' error: Invalid argument
590-Read handler 'bad' error:
590 no such thing" "$(say 'READ any.thing\nREAD p\nLLRPC p#C004C003 4\n\0\0\0\0READ bad\n')"
stop
start -e "$config; ControlSocket(UNIX, $dir/s, PROXY c)"
is proxy_counter "200 Read handler 'count' OK
DATA 1
3511 No proxied handler named 'c.count'" "$(say 'READ count\nREAD c.count\n')"
stop
start -e "$config; v :: ControlSocket(UNIX, $dir/s, VERBOSE true)"
say 'QUIT\n' >/dev/null
stop
is verbose 'v :: ControlSocket: opened connection N
v :: ControlSocket: closed connection N' "$(sed 's/[0-9]*$/N/' "$dir/err")"
is unknown_type "config:1: While configuring 'c :: ControlSocket':
config:1:   unknown socket type 'FOO'
config:1: While configuring 'd :: ChatterSocket':
config:1:   unknown socket type \`BAR'" \
    "$("$click" -e 'c :: ControlSocket(foo, 1); d :: ChatterSocket(bar, 1)' 2>&1 | grep -v ^Router)"
long=$(printf '/%0120d' 0)
is too_long "config:1:   filename too long" \
    "$("$click" -e "ControlSocket(UNIX, $long)" 2>&1 | grep filename)"

# --- sockets that are there already, and that cannot be made ---
start -e "$config; ControlSocket(UNIX, $dir/s)"
kill -9 "$pid"
wait "$pid" 2>/dev/null
"$click" -e "$config; ControlSocket(UNIX, $dir/s); DriverManager(wait 60s)" 2>"$dir/err" &
pid=$!
for ((i = 0; i < 100; i++)); do # until it has taken the place of the one before
    got=$(say 'READ c.class\n' 2>/dev/null) && break
    sleep 0.05
done
is left_behind "200 Read handler 'c.class' OK
DATA 7
Counter" "$got"
stop
echo kept >"$dir/file"
is no_socket_is_replaced "config:1:   bind: Address already in use
kept" "$("$click" -e "ControlSocket(UNIX, $dir/file)" 2>&1 | grep bind; cat "$dir/file")"
is retries "config:1: While initializing 'ControlSocket@1 :: ControlSocket':
config:1:   warning: bind: No such file or directory (2 tries left)
warning: bind: No such file or directory (1 try left)
bind: No such file or directory" "$(timeout 20 "$click" -e "ControlSocket(UNIX, /no/such, RETRIES 2)" 2>&1)"
is retries_quiet "bind: No such file or directory" \
    "$(timeout 20 "$click" -e "ChatterSocket(UNIX, /no/such, RETRIES 1, RETRY_WARNINGS false)" 2>&1)"

# --- hot swap: the client stays ---
start -R -e "$config; cs :: ControlSocket(UNIX, $dir/s)"
is swap "200 Write handler 'hotconfig' OK
200 Read handler 'n.class' OK
DATA 4
Null" "$(say "WRITE hotconfig n :: Null; Idle -> n -> Discard; cs :: ControlSocket(UNIX, $dir/s)\n" 'READ n.class\n')"
stop

# --- chatter ---
hear() { # LINES
    timeout 20 python3 - "$dir/s" "$1" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
got = b""
while got.count(b"\n") < int(sys.argv[2]):
    got += s.recv(4096)
print("\n".join(got.decode().replace("\r", "<CR>").split("\n")[:int(sys.argv[2])]))
PY
}
udp="TimedSource(0.05, \\<00>) -> UDPIPEncap(1.0.0.1, 1, 1.0.0.2, 2)"
start -e "$udp -> IPPrint(far, CHANNEL far, TIMESTAMP false) -> Discard; ChatterSocket(UNIX, $dir/s, CHANNEL far)"
is channel 'Click::ChatterSocket/1.0<CR>
far: 1.0.0.1.1 > 1.0.0.2.2: udp 9' "$(hear 2)"
stop
is channel_is_quiet '' "$(cat "$dir/err")"
start -e "$udp -> IPPrint(far, CHANNEL far, TIMESTAMP false) -> Print(near, 1) -> Discard; \
    ChatterSocket(UNIX, $dir/s, CHANNEL far, QUIET_CHANNEL false, GREETING false)"
is channel_only 'far: 1.0.0.1.1 > 1.0.0.2.2: udp 9
far: 1.0.0.1.1 > 1.0.0.2.2: udp 9' "$(hear 2)"
stop
is channel_is_loud 'far: 1.0.0.1.1 > 1.0.0.2.2: udp 9
near:   29 | 45' "$(head -n 2 "$dir/err")"
exit "$failed"
