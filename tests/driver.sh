#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The click program from outside: options, exit statuses, what it prints, files, sockets,
# signals. No root, no network but 127.0.0.1.
#     tests/driver.sh BUILDDIR
set -u
click=$1/click
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# is NAME WANT-STATUS WANT-STDOUT WANT-STDERR: compare with what `try` found. A text that
# begins with ~ need only be a part.
try() {
    timeout 20 "$click" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
}
same() {
    case $2 in
    "~"*) [[ $1 == *"${2#"~"}"* ]] ;;
    *) [[ $1 == "$2" ]] ;;
    esac
}
is() {
    local out err
    out=$(cat "$dir/out") err=$(tr -d '\0' <"$dir/err")
    if [ "$status" = "$2" ] && same "$out" "$3" && same "$err" "$4"; then
        echo "PASS driver/$1"
    else
        printf 'status %s, wanted %s\nstdout: %s\nwanted: %s\nstderr: %s\nwanted: %s\n' \
            "$status" "$2" "$out" "$3" "$err" "$4"
        echo "FAIL driver/$1"
        failed=1
    fi
}

five='s :: InfiniteSource(LIMIT 5, STOP true) -> c :: Counter -> d :: Discard'

# --- options ---
try -e "$five" -h c.count
is handler 0 5 ""
try -e "$five" -h c.count -h d.count
is handlers 0 $'c.count:\n5\n\nd.count:\n5' ""
try -e "$five" -h '?.count'
is pattern 0 $'s.count:\n5\n\nc.count:\n5\n\nd.count:\n5' ""
try -e "$five" -h Counter.count
is class 0 $'c.count:\n5' ""
try -e "$five" -h list
is global_handler 0 $'3\ns\nc\nd' ""
try -e "$five" -h c.nothing
is no_handler 1 "" "no 'c.nothing' handler"
try -e "$five" -h x.count
is no_element 1 "" "no element 'x'"
try -e "$five" -h 'x*.count'
is no_match 1 "" "no element matching 'x*'"
try -e "$five" -h c.reset
is write_handler 1 "" "'c.reset' is a write handler"
try -e "$five" -q -h c.count
is quit 0 0 ""
try -q -e 'Idle -> rt :: StaticIPLookup(1.0.0.0/8 0) -> Discard' -h rt.lookup -h rt.table
is handler_fails 0 $'rt.lookup:\n\nrt.table:\n1.0.0.0/8\t\t-\t\t0' ""
try -e "$five" -x c.count
is exit_number 5 "" ""
try -e "$five" -x s.active
is exit_truth 0 "" ""
try -e "$five" -x c.config
is exit_nonsense 255 "" "exit handler value should be integer"
try -q -e 's :: Script(TYPE PASSIVE, return 2147483648); Idle -> Discard' -x s.run
is exit_too_large 255 "" "exit handler value should be integer"
try -e "$five" -x c.nothing
is exit_missing 255 "" "~no 'c.nothing' read handler"
try -e "$five" -t
is time 0 "~u 0.0" ""
try -q -e 'Idle -> c :: Counter -> Discard' -o -
if grep -q 'Idle@1 -> c' "$dir/out" && grep -q 'c :: Counter;' "$dir/out"; then
    echo "PASS driver/output"
else
    cat "$dir/out"
    echo "FAIL driver/output" && failed=1
fi
try -q -e 'Idle -> Discard' -o "$dir/flat.click"
try -q "$dir/flat.click" -h list
is output_is_input 0 $'2\nIdle@1\nDiscard@2' ""
printf '!<arch>\n%-16s%-12d%-6d%-6d%-8d%-10d`\n%s' config/ 0 0 0 644 16 $'Idle -> Discard\n' >"$dir/archive"
try -q "$dir/archive" -h config
is archive_config 0 "Idle -> Discard" ""
try -q -e 'Idle -> Discard' -o /no/such/place
is output_fails 1 "" "/no/such/place: No such file or directory"
try -e 'Idle -> Discard; Script(stop)' -o /dev/full
is output_full 1 "" "/dev/full: No space left on device"
try --version
is version 0 "~click (Click) 2.1" ""
try --help
is help 0 "~--simtime" ""
try --nonsense
is bad_option 1 "" "~--help' for more information."
try -e 'Idle -> Discard' -f x
usage='
Usage: click [OPTION]... [ROUTERFILE]
Try '"'click --help'"' for more information.'
is two_sources 1 "" "router configuration specified twice$usage"
try -qz
is unknown_option 1 "" "click: unrecognized option '-z'$usage"
try -q -h
is no_argument 1 "" "click: '-h' requires an argument$usage"
try --handler
is no_argument_long 1 "" "click: '--handler' requires an argument$usage"
try --ex Idle
is ambiguous_option 1 "" "click: option '--ex' is ambiguous
click: (Possibilities are '--expression' and '--exit-handler'.)$usage"
try --no-a
is ambiguous_negation 1 "" "~(Possibilities are '--no-affinity' and '--no-allow-reconfigure'.)"
try --quit=yes
is argument_not_wanted 1 "" "click: '--quit' can't take an argument$usage"
try -j many
is no_integer 1 "" "click: '-j' expects an integer, not 'many'$usage"
try -q -e 'require(compact_config, package int64); a :: Idle -> Discard' -h requirements -h config
is compact_config 0 $'requirements:\ncompact_config\n\npackage\nint64\n\nconfig:
require(compact_config, package "int64");\n\na :: Idle;\nDiscard@2 :: Discard;\n\na -> Discard@2;' ""
try -e 'Script(print $(add $A 1), print "$B", stop)' A=41 B=x
is definitions 0 $'42\nx' ""
try -e 'Script(print $A, stop)' A=1 A=2
is defined_twice 0 1 "parameter 'A' multiply defined"
try /no/such/file
is no_file 1 "" "/no/such/file: No such file or directory"
try -e ''
is nothing_to_do 0 "" "warning: config: configuration has no elements, exiting"
try -w -e ''
is no_warnings 0 "" ""
echo 'Script(print "from a file", stop)' >"$dir/a.click"
try "$dir/a.click"
is file 0 "from a file" ""
echo 'elementclass Two { Idle -> Discard; Idle -> Discard }' >"$dir/two.click"
try -C "$dir" -q -e 'require(library two.click); t :: Two' -h list
is clickpath 0 "~t/Discard@4" ""
mkdir -p "$dir/path/conf"
echo 'require(library two.click); t :: Two; bad' >"$dir/asks.click"
try -q "$dir/asks.click"
is library_beside_the_file 1 "" "$dir/asks.click:1: undeclared element 'bad'"
echo 'Idle -> bad' >"$dir/path/conf/lib.click"
try -C "/nowhere:$dir/path" -q -e 'require(library lib.click)'
is library_in_conf 1 "" "$dir/path/conf/lib.click:1: undeclared element 'bad'"
try -C /nowhere -q -e 'require(library lib.click)'
is no_library 1 "" "config:1: library 'lib.click' not found in CLICKPATH/conf"
try -q -e 'require(int64, package foo); Idle -> Discard'
is no_package 1 "" "While loading package 'foo':
  can't find required package 'foo.uo'
  in CLICKPATH or '/usr/local/lib'
requirement 'foo' not available"
try -q -e 'InfiniteSource(DATA hello) -> Discard' -h InfiniteSource@1.data
[ "$(wc -c <"$dir/out")" = 5 ]
is_raw=$?
try -q -e 'InfiniteSource(DATA hello) -> Discard' -h InfiniteSource@1.data -h 'Storage.length'
is no_storage 1 $'InfiniteSource@1.data:\nhello' "no element 'Storage'"
[ $is_raw = 0 ] && echo "PASS driver/raw_values" || { echo "FAIL driver/raw_values"; failed=1; }
try -q -e 'Idle -> a :: Queue -> Unqueue -> b :: FrontDropQueue -> Discard' -h Storage.length
is by_cast 0 $'a.length:\n0\n\nb.length:\n0' ""
try -q -w -e 'Idle -> Block(50) -> BandwidthRatedUnqueue(5) -> Discard'
is warnings_stay 1 "" "~Router could not be initialized!"
"$click" -q - -h version >"$dir/out" 2>"$dir/err" <<<'Idle -> Discard'
status=$?
is stdin 0 2.1 ""
try -j 4 -a --affinity=2 --no-affinity -e "$five" -h c.count
is ignored_options 0 5 ""
try -q -u "$dir/sorted" -p 31499 -p https+ -e Idle
is bad_port_name 1 "" "~expects a TCP port number, not 'https+'"
try -q -u "$dir/sorted" -p 0x7b0b -o - -e 'Idle -> Discard'
is sockets_sorted 0 "Idle@1 :: Idle;
Discard@2 :: Discard;
click_driver@@ControlSocket :: ControlSocket(TCP, 31499);
click_driver@@ControlSocket@1 :: ControlSocket(UNIX, $dir/sorted);

Idle@1 -> Discard@2;" ""
try --port nonsense -e ''
is bad_port 1 "" "~expects a TCP port number, not 'nonsense'"

# --- errors in configurations ---
try -e 'Idle -> Foo -> Discard'
is unknown_class 1 "" "config:1: undeclared element 'Foo'"
try -e 'Idle -> Strip -> Discard'
is bad_arguments 1 "" "~LENGTH: required argument missing
Router could not be initialized!"
try -e 'Idle -> [1] Discard'
is unused_port 1 "" "~Router could not be initialized!"
# As in Click, a phase with errors is the last one.
try -q -e 'Idle -> [1] d :: Discard(x); Queue -> t :: Tee -> Discard'
is first_phase 1 "" "config:1: 'd :: Discard' has no input 1
Router could not be initialized!"
try -q -e 'q :: Queue -> t :: Tee -> Discard(x)'
is second_phase 1 "" "'q :: Queue' pull output 0 connected to 't :: Tee' push input 0
Router could not be initialized!"
try -q -e 'r :: RED; i :: InfiniteSource -> r; i -> Tee; i -> [0] r'
is third_phase 1 "" "config:1: illegal reuse of 'i :: InfiniteSource' push output 0
config:1: 'r :: RED' output 0 unused
config:1: 'Tee@3 :: Tee' output 0 unused
Router could not be initialized!"
try -q -e 'i :: Idle -> Discard; i[0]
j :: Idle -> Discard; Foo(1)

elementclass Foo { $a, $b | } '
is errors_behind_the_fact 1 "" "config:2: output ports ignored at end of chain
config:2: undeclared element 'Foo'"
try -q -e 'elementclass Foo { $a, $b |
 }
Foo(1)

'
is no_match_at_the_end 1 "" "config:5: no match for 'Foo[1 argument, 0 inputs, 0 outputs]'
config:1: candidates are:
config:1:   Foo(<arg>, <arg>)[0 inputs, 0 outputs]"
try -e 'Idle -> -> Discard'
is syntax 1 "" "~syntax error"
grep -q 'could not be initialized' "$dir/err" && echo "FAIL driver/syntax_only" && failed=1

# --- time ---
try --simtime -e 'Script(wait 1000s, print $(now), wait 500ms, print $(now), stop)'
is simtime 0 $'1000001000.000000\n1000001000.500000' ""
try --simtime=5 -e 'Script(print $(now), stop)' -h timewarp
is simtime_start 0 $'5.000000\nsimulation' ""
try --simtime -e 'InfiniteSource -> Discard; Script(wait 0.1s, print "there", stop)'
is simtime_goes_on_under_load 0 there ""
try --simtime -e "s :: InfiniteSource(LIMIT 1, STOP true) -> Discard; Script(write s.tickets 0,
    write s.tickets x, print s.tickets)"
is tickets 0 1 "While executing 'Script@3 :: Script':
  While calling 's.tickets 0':
    warning: tickets pinned at 1
  While calling 's.tickets x':
    syntax error"
for i in 1 2; do
    "$click" --simtime -e 'RatedSource(RATE 100, LIMIT 500, STOP true) -> RandomSample(0.5) -> c ::
        Counter -> Discard; Script(wait 2.5s, print c.count, loop)' >"$dir/sim$i" 2>&1 -h c.count
done
if [ -s "$dir/sim1" ] && cmp -s "$dir/sim1" "$dir/sim2"; then
    echo "PASS driver/simtime_repeats"
else
    head "$dir/sim1" "$dir/sim2"
    echo "FAIL driver/simtime_repeats"
    failed=1
fi

# --- captures ---
head4() { printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00'; }
packet() { printf '\x01\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x04\x00\x00\x00abcd'; }
read_dump() { try -e "FromDump($1, STOP true) -> c :: Counter -> Discard" -h c.count; }
{ head4; packet; packet; } >"$dir/good.pcap"
read_dump "$dir/good.pcap"
is pcap 0 2 ""
{ head4; packet; packet | head -c 18; } >"$dir/cut.pcap"
read_dump "$dir/cut.pcap"
is pcap_cut 0 1 ""
printf 'this is no capture at all, whatever it is' >"$dir/bad.pcap"
read_dump "$dir/bad.pcap"
is pcap_bad 1 "" "~$dir/bad.pcap"
: >"$dir/empty.pcap"
read_dump "$dir/empty.pcap"
is pcap_empty 1 "" "~$dir/empty.pcap"
read_dump "$dir/none.pcap"
is pcap_missing 1 "" "~$dir/none.pcap: No such file or directory"
{ head4; printf '\x01\x00\x00\x00\x02\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7fabcd'; } >"$dir/huge.pcap"
read_dump "$dir/huge.pcap"
is pcap_huge_length 0 0 "~$dir/huge.pcap"
try -e "FromDump($dir/good.pcap, STOP true) -> ToDump($dir/copy.pcap)"
read_dump "$dir/copy.pcap"
is pcap_copy 0 2 ""
try -e "InfiniteSource(LIMIT 100000, LENGTH 1000, STOP true) -> t :: ToDump(/dev/full)"
is pcap_disk_full 0 "" "ToDump(/dev/full): No space left on device"

# --- scripts with files and processes ---
try -e "Script(print >$dir/f 'one', print >>$dir/f \"two\", print \$(catq $dir/f), cat $dir/f, stop)"
is script_syntax 1 "" "~syntax error at 'cat'"
try -e "Script(print >$dir/f 'one', print >>$dir/f \"two\", printn \$(cat $dir/f), save list $dir/l,
        print \$(catq $dir/l), print >/no/such/dir/x 1, print \$(cat /no/such/file), stop)"
is script_files 0 $'one\ntwo\n"1\\nScript@1\\n"' "~/no/such/dir/x: No such file or directory"
try -e 'Script(TYPE SIGNAL USR2, print "got it", write stop); Script(print $(kill USR2 $$))'
is script_signal 0 $'\ngot it' ""
try -e 'Script(TYPE SIGNAL INT, print "no", end); Script(print $(kill INT $$), wait 0.1s, write stop)'
is script_catches_int 0 $'\nno' ""
try -e 'DriverManager(pause, print "first", pause, print "second"); Script(write stop, wait 0.05s, write stop)'
is driver_manager 0 $'first\nsecond' ""
try -e 'Script(write stop 1); Idle -> Discard'
is stop 0 "" ""

# --- signals ---
start() {
    "$click" "$@" >"$dir/out" 2>"$dir/err" </dev/null &
    pid=$!
}
until_there() { # FILE TEXT
    for ((i = 0; i < 400; i++)); do
        grep -qs -- "$2" "$1" && return
        sleep 0.05
    done
}
finish() {
    wait "$pid"
    status=$?
}
start -e 'Script(print "up"); c :: Counter; Idle -> c -> Discard' -h c.count
until_there "$dir/out" up
kill -USR1 "$pid"
until_there "$dir/out" 0
kill -TERM "$pid"
finish
is signals 0 $'up\n0\n0' ""
echo 'Script(print "one")' >"$dir/hup.click"
start -R "$dir/hup.click"
until_there "$dir/out" one
echo 'Script(print "two")' >"$dir/hup.click"
kill -HUP "$pid"
until_there "$dir/out" two
echo 'Script(dance)' >"$dir/hup.click"
kill -HUP "$pid"
until_there "$dir/err" dance
kill -INT "$pid"
finish
is hup 0 $'one\ntwo' "~hup.click:1:   syntax error at 'dance'"

# --- sockets ---
say() { # what the client sends; its answers go to out
    exec 5<>"/dev/tcp/127.0.0.1/$port" && printf '%b' "$1" >&5 && timeout 10 cat <&5 >"$dir/answer"
    exec 5>&- 5<&-
    tr -d '\r' <"$dir/answer" >"$dir/out"
}
get_port() {
    until_there "$dir/port" '[0-9]'
    port=$(cat "$dir/port")
}
print_port="Script(print >$dir/port \$(click_driver@@ControlSocket.port));"
start -R -p 31000+ -e "$print_port in :: InfiniteSource(LIMIT 7) -> q :: Queue -> Idle; c :: Counter; Idle -> c -> Discard"
get_port
say 'READ q.length\r\nWRITE q.capacity 2000\nREAD 1.class\nCHECKWRITE q.length\nREADDATA q.capacity 0\nQUIT\n'
status=0 && : >"$dir/err"
is control 0 $'Click::ControlSocket/1.3\n200 Read handler \'q.length\' OK\nDATA 1\n7200 Write handler \'q.capacity\' OK\n200 Read handler \'1.class\' OK\nDATA 6\nScript511 Handler \'q.length\' not writable\n200 Read handler \'q.capacity\' OK\nDATA 4\n2000200 Goodbye!' ""
say 'WRITE hotconfig Idle -> q :: Queue(2000) -> Idle; n :: Counter; Idle -> n -> Discard\nREAD q.length\nREAD n.count\nREAD c.count\nWRITE hotconfig Foo\nWRITE stop\nQUIT\n'
finish
if [ "$status" = 0 ] && grep -q "^7200 Read handler 'n.count' OK" "$dir/out" &&
    grep -q "^520.Write handler 'hotconfig' error" "$dir/out"; then
    echo "PASS driver/hot_swap"
else
    cat "$dir/out" "$dir/err"
    echo "FAIL driver/hot_swap"
    failed=1
fi
rm -f "$dir/port"
start -p 31000+ -e "$print_port Idle -> Discard; ChatterSocket(UNIX, $dir/chatter); ControlSocket(UNIX, $dir/control)"
get_port
say 'WRITE hotconfig Idle -> Discard\nWRITE stop\n'
finish
if [ "$status" = 0 ] && grep -q "^511 No handler named 'hotconfig'" "$dir/out" && [ ! -e "$dir/control" ] &&
    [ ! -e "$dir/chatter" ]; then
    echo "PASS driver/no_hot_swap_without_R"
else
    cat "$dir/out" "$dir/err"
    echo "FAIL driver/no_hot_swap_without_R"
    failed=1
fi

# --- arguments with old names ---
try -e 'InfiniteSource(x, LIMIT 1, STOP true) -> p :: Print(a, NBYTES 1) -> Discard'
is deprecated 0 "" "config:1: While configuring 'p :: Print':
config:1:   NBYTES: warning: argument deprecated
a:    1 | 78"
# --- what stops a router, and what does not ---
try -e 'Error -> Discard'
is error_is_silent 1 "" "Router could not be initialized!"
try -e 'Message(careful, WARNING)'
is message_warning 1 "" "config:1: While configuring 'Message@1 :: Message':
config:1:   warning: careful
config:1:   unspecified error
Router could not be initialized!"
try -e 's :: InfiniteSource(LIMIT 3, STOP true) -> c :: Counter -> Discard; i :: ScheduleInfo(s, s 40)' -h c.count
is schedule_info 0 3 "config:1: While configuring 'i :: ScheduleInfo':
config:1:   expected 'ELEMENTNAME PARAM'
config:1: While initializing 's :: InfiniteSource':
config:1:   warning: ScheduleInfo too high; reduced to 32"

# --- files that elements print into ---
udp='InfiniteSource(LIMIT 2, STOP true, DATA \<45000024 00000000 40110000 01020304 05060708 00010002 00100000 31323334 35363738>) -> MarkIPHeader'
try -e "$udp -> IPPrint(a, TIMESTAMP false, OUTFILE \"$dir//lines\") -> IPPrint(b, TIMESTAMP false) -> Discard"
line='1.2.3.4.1 > 5.6.7.8.2: udp 16'
is outfile 0 "" "b: $line"$'\n'"b: $line"
same "$(cat "$dir/lines")" "a: $line"$'\n'"a: $line" && echo "PASS driver/outfile_lines" || { cat "$dir/lines"; echo "FAIL driver/outfile_lines"; failed=1; }
arp='InfiniteSource(LIMIT 1, STOP true, DATA \<00010800 06040001 000000000001 01020304 000000000000 01020305>) -> MarkIPHeader'
echo old >"$dir/arp"
HOME=$dir try -e "$arp -> ARPPrint(TIMESTAMP false, OUTFILE ~/arp) -> Discard"
is outfile_arp 0 "" ""
same "$(cat "$dir/arp")" 'arp who-has 1.2.3.5 tell 1.2.3.4' && echo "PASS driver/outfile_home" || { cat "$dir/arp"; echo "FAIL driver/outfile_home"; failed=1; }
try -e "Idle -> p :: IPPrint(OUTFILE $dir/none/lines) -> Discard"
is outfile_missing 1 "" "config:1: While initializing 'p :: IPPrint':
config:1:   $dir/none/lines: No such file or directory
Router could not be initialized!"
try -e "$udp -> IPPrint(OUTFILE /dev/full) -> Discard"
is outfile_full 0 "" "/dev/full: No space left on device"

# A packet is printed by all before the next one is by any.
try -e 'InfiniteSource(DATA ab, LIMIT 2, BURST 2, STOP true) -> Print(x) -> t :: Tee -> Print(y) -> Discard; t[1] -> Print(z) -> Discard'
is one_after_the_other 0 "" "x:    2 | 6162
y:    2 | 6162
z:    2 | 6162
x:    2 | 6162
y:    2 | 6162
z:    2 | 6162"

try -e 'InfiniteSource(DATA ab, LIMIT 2, BURST 2, STOP true) -> Script(TYPE PACKET, print "a$input", return 0) -> Script(TYPE PACKET, print "b", return 0) -> Discard'
is one_script_after_the_other 0 "a0
b
a0
b" ""

# Handlers that parse their arguments anew.
try -q -e 'c :: Classifier(12/0800, -); Idle -> c; c[0] -> d :: Discard; c[1] -> d; f :: IPFilter(allow tcp, deny all); Idle -> f -> d' -h c.program -h f.program
is programs 0 "c.program:
 0  12/08000000%ffff0000  yes->[0]  no->[1]
safe length 14
alignment offset 0

f.program:
 0 264/00060000%00ff0000  yes->[0]  no->[X]
safe length 266
alignment offset 0" ""

# What Click's packets and elements say of themselves.
try -e 'InfiniteSource(DATA "abc", LIMIT 2, STOP true) -> Strip(14) -> c :: Counter -> Discard' -h c.byte_count
is strip_of_short_packets 0 0 "Packet::pull 14 > length 3
Packet::pull 14 > length 3"
try -e 'InfiniteSource(DATA "abc", LIMIT 2, STOP true) -> a :: AggregatePacketCounter -> Discard'
is no_aggregates 0 "" "a :: AggregatePacketCounter: warning: saw no packets with aggregate annotations"
try -q -e 's :: AggregateCounter(AGGREGATE_CALL 3 s.clear, COUNT_CALL 9 s.banner x y); Idle -> s -> Discard' -h 's.aggregate_call' -h s.count_call
is calls_of_counts 0 "s.aggregate_call:
3 s.clear

s.count_call:
9 s.banner x y" ""

rm -f "$dir/port"
start -e "s :: ChatterSocket(TCP, 31777); TimedSource(0.05, abcd) -> Print(here) -> Discard" -h version
for ((i = 0; i < 400; i++)); do
    (exec 5<>/dev/tcp/127.0.0.1/31777) 2>/dev/null && break
    sleep 0.05
done
exec 5<>/dev/tcp/127.0.0.1/31777
head -n 2 <&5 | tr -d '\r' >"$dir/answer"
exec 5>&- 5<&-
kill -TERM "$pid"
finish
if [ "$status" = 0 ] && [ "$(cat "$dir/answer")" = $'Click::ChatterSocket/1.0\nhere:    4 | 61626364' ]; then
    echo "PASS driver/chatter"
else
    cat "$dir/answer" "$dir/err"
    echo "FAIL driver/chatter"
    failed=1
fi
exit "$failed"
