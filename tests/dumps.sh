#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Capture files in all their forms: tests/dumps.sh BUILDDIR
set -u
click=$1/click
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
rc=0

# same NAME GOT WANTED
same() {
    if [ "$2" == "$3" ]; then
        echo "PASS dumps/$1"
    else
        echo "FAIL dumps/$1"
        diff <(echo "$3") <(echo "$2")
        rc=1
    fi
}
run() { timeout 20 "$click" "$@" 2>&1 </dev/null; }
bytes() { xxd -r -p <<<"$*"; }
swap() { sed -E 's/^(..)(..)(..)(..)$/\4\3\2\1/' <<<"$1"; }
word() { swap "$(printf %08x "$1")"; } # little endian

ip=4500001c0000000040110000010203040506070800010002000800ff
# header MAGIC LINKTYPE [VERSION]; record SECOND FRACTION BYTES [LENGTH]
header() { echo "$(word "$1") ${3:-02000400} 00000000 00000000 ffff0000 $(word "$2")"; }
record() { echo "$(word "$1") $(word "$2") $(word $((${#3} / 2))) $(word "${4:-$((${#3} / 2))}") $3"; }
five() { for i in 0 1 2 3 4; do record $((10 + i)) $((i * 1000)) $ip; done; }
bytes "$(header 0xa1b2c3d4 101)" "$(five)" >"$d/plain"
bytes "$(header 0xa1b23c4d 101)" "$(five)" >"$d/nano"
bytes "$(header 0xa1b2c3d4 12)" "$(five)" >"$d/host_raw"
bytes "$(header 0xa1b2cd34 101)" "$(five | sed -E 's/(( [0-9a-f]{8}){3}) /\1 0000000000000000 /')" >"$d/longer"
bytes a1b2c3d4 00020004 00000000 00000000 0000ffff 00000065 \
    0000000a 00000000 0000001c 0000001c $ip 0000000b 000003e8 0000001c 0000001e $ip >"$d/swapped"
bytes "$(header 0xa1b2c3d4 101 02000200)" "$(word 10) $(word 0) $(word 30) $(word 28) $ip" >"$d/old"

print='-> p :: IPPrint(x) -> Discard'
five_lines=$(for i in 0 1 2 3 4; do echo "x: 1$i.00${i}000: 1.2.3.4.1 > 5.6.7.8.2: udp 8"; done)
for f in plain host_raw longer; do
    same $f "$(run -e "FromDump($d/$f, STOP true) $print")" "$five_lines"
done
same nano "$(run -e "FromDump($d/nano, STOP true, START_AFTER 3) -> ToIPSummaryDump(-, FIELDS timestamp, HEADER false)")" \
    $'13.000003\n14.000004'
same swapped "$(run -e "FromDump($d/swapped, STOP true) -> ToIPSummaryDump(-, FIELDS timestamp ip_src, HEADER false)")" \
    $'10.000000 1.2.3.4\n11.001000 1.2.3.4'
same home "$(HOME=$d run -e "f :: FromDump(\"~//plain\", STOP true) -> c :: Counter -> Discard" -h f.filename -h c.count)" \
    "f.filename:
$d/plain

c.count:
5"
same no_filename "$(run -e 'FromDump("") -> Discard' | sed -n 2p)" "config:1:   FILENAME: parse error"
lengths() { run -e "FromDump($1, STOP true) -> ToDump($d/o)"; xxd -p -s "$2" -l 8 "$d/o"; }
same old_version "$(lengths "$d/old" 32)" 1c0000001e000000
same extra_length "$(lengths "$d/swapped" 76)" 1c0000001e000000
for z in gzip bzip2 xz; do
    command -v $z >/dev/null || { echo "SKIP dumps/$z: not installed"; continue; }
    $z -c "$d/plain" >"$d/z"
    same $z "$(run -e "f :: FromDump($d/z, STOP true) -> c :: Counter -> Discard" -h c.count -h f.filesize -h f.filepos)" \
        $'c.count:\n5\n\nf.filesize:\n-\n\nf.filepos:\n244'
done
run -e "f :: FromDump($d/plain, STOP true) -> ToDump($d/out.gz, USE_ENCAP_FROM f, SNAPLEN 20)"
same gzip_out "$(zcat "$d/out.gz" | wc -c) $(lengths "$d/out.gz" 32)" '204 140000001c000000'
same stdin "$(timeout 20 "$click" -e "f :: FromDump(-, STOP true) -> c :: Counter -> Discard" -h c.count -h f.filename <"$d/plain")" \
    $'c.count:\n5\n\nf.filename:\n<stdin>'

# --- times and positions ---
count() { run --simtime -e "f :: FromDump($d/plain, $1) -> c :: Counter -> Discard; DriverManager(wait 0.05s)" -h c.count -h f.active | tr -d '\n'; }
same start_after "$(count 'START_AFTER 2')" 'c.count:3f.active:true'
same end_after "$(count 'END_AFTER 2')" 'c.count:2f.active:false'
same interval "$(count 'START 11, INTERVAL 2')" 'c.count:2f.active:false'
same end "$(count 'END 12.5')" 'c.count:3f.active:false'
same filepos "$(count 'FILEPOS 112')" 'c.count:3f.active:true'
same inactive "$(count 'ACTIVE false')" 'c.count:0f.active:false'
same end_call "$(run -e "f :: FromDump($d/plain, END_AFTER 1, END_CALL s.run) -> c :: Counter -> Discard;
    s :: Script(TYPE PASSIVE, print \$(c.count), print \$(f.packet_filepos), goto done \$(ge \$(c.count) 5),
    write f.extend_interval 2, end, label done, write stop)" -h c.count)" $'1\n68\n3\n156\n5\n244\n5'
same timing "$(run --simtime -e "FromDump($d/plain, true, STOP true) -> c :: Counter -> Discard;
    Script(wait 2.5s, print c.count)" -h c.count)" $'3\n5'
same seek "$(run -e "f :: FromDump($d/plain, END_CALL s.run) -> c :: Counter -> Discard;
    s :: Script(TYPE PASSIVE, goto done \$(ge \$(c.count) 10), write f.filepos 24, write f.active true, end, label done,
    write stop)" -h c.count)" 10
same pulled "$(run -e "f :: FromDump($d/plain, STOP true) -> Unqueue -> c :: Counter -> Discard" -h c.count -h f.count -h f.encap)" \
    $'c.count:\n5\n\nf.count:\n5\n\nf.encap:\nIP'
same sample_zero "$(run -e "FromDump($d/plain, STOP true, SAMPLE 0) -> c :: Counter -> Discard" -h c.count)" \
    "config:1: While configuring 'FromDump@1 :: FromDump':
config:1:   warning: SAMPLE probability is 0; emitting no packets
0"

# --- packets lie where they were read: many wait, are written, and others follow ---
run -e "RandomSource(LENGTH 400, LIMIT 4000, STOP true) -> ToDump($d/long)"
run -e "RandomSource(LENGTH 1, LIMIT 40000, STOP true) -> ToDump($d/short)"
gzip -c "$d/long" >"$d/long.gz"
digest() { md5sum "$@" | cut -d' ' -f1; }
# all_wait FILE BURST
all_wait() {
    timeout 20 "$click" -e "FromDump($1, BURST $2, END_CALL s.run) -> q :: Queue(50000)
        -> u :: Unqueue(ACTIVE false) -> ToDump($d/o);
        s :: Script(TYPE PASSIVE, print q.length, write u.active true, label more, wait 1ms,
        goto more \$(gt \$(q.length) 0), stop)"
    digest "$d/o"
}
for b in 1 32; do
    same "all_wait_$b" "$(all_wait "$d/long" $b)" "4000"$'\n'"$(digest "$d/long")"
    same "all_wait_short_$b" "$(all_wait "$d/short" $b)" "40000"$'\n'"$(digest "$d/short")"
done
same all_wait_gzip "$(all_wait "$d/long.gz" 7)" "4000"$'\n'"$(digest "$d/long")"
same all_wait_stdin "$(all_wait - 64 <"$d/long")" "4000"$'\n'"$(digest "$d/long")"
written() {
    timeout 20 "$click" -e "FromDump($1, BURST 32, STOP true) -> Strip(30) -> Unstrip(32)
        -> StoreData(0, ABC) -> t :: Tee -> EtherEncap(1, 1:1:1:1:1:1, 2:2:2:2:2:2) -> Pad(2000) -> ToDump($d/o);
        t[1] -> Truncate(5) -> Strip(1) -> UDPIPEncap(1.0.0.1, 2, 3.0.0.3, 4) -> ToDump($d/p)"
    digest "$d/o" "$d/p"
}
same written "$(written "$d/long")" "$(cat "$d/long" | written -)"
same read_again "$(run -e "f :: FromDump($d/plain, END_CALL s.run) -> IPPrint(x) -> StoreData(0, 0000) -> Strip(28) -> Unstrip(44) -> StoreData(0, 0000000000000000) -> Discard;
    s :: Script(TYPE PASSIVE, goto done \$(eq \$(f.count) 10), write f.filepos 24, write f.active true, end, label done,
    write stop)")" "$five_lines
$five_lines"
same raw_ip "$(run -e "f :: FromDump($d/plain, BURST 4, STOP true) -> IPPrint(x) -> Discard" -h f.count -h f.packet_filepos)" "$five_lines
f.count:
5

f.packet_filepos:
244"

# --- what packets begin with ---
link() { # LINKTYPE BYTES: handler encap, packets that are IP and those that are not
    bytes "$(header 0xa1b2c3d4 "$1")" "$(record 1 0 "$2$ip")" "$(record 2 0 "ff$ip")" "$(record 3 0 "$2")" >"$d/link"
    run -e "f :: FromDump($d/link, FORCE_IP true, STOP true) -> MarkIPHeader(0) -> c :: Counter -> Discard; f[1] -> n :: Counter -> Discard" \
        -h f.encap -h c.count -h n.count | grep -v : | tr '\n' ' ' | tr -s ' '
}
mac=000102030405060708090a0b
same ether "$(link 1 ${mac}0800)" 'ETHER 1 2 '
same vlan "$(link 1 ${mac}810000020800)" 'ETHER 1 2 '
same null "$(link 0 02000000)" 'NULL 1 2 '
same ppp "$(link 9 ff030021)" 'PPP 1 2 '
same fddi "$(link 10 50${mac}aaaa030000000800)" 'FDDI 1 2 '
same ppp_hdlc "$(link 50 ff030021)" 'PPP_HDLC 1 2 '
same atm "$(link 100 aaaa030000000800)" 'ATM 1 2 '
same hdlc "$(link 104 0f000800)" 'HDLC 1 2 '
same wifi "$(link 105 0801${mac}${mac:0:20}aaaa030000000800)" '802_11 1 2 '
same sll "$(link 113 00000001000600010203040500000800)" 'SLL 1 2 '
same sunatm "$(link 123 00000000aaaa030000000800)" 'SUNATM 1 2 '

# --- records of other tools ---
# tsh SECOND INTERFACE; its time has half a second behind it
tsh() { printf '%08x%02x%06x%s%016x' "$1" "$2" 500000 "$ip" 0; }
bytes "$(tsh 11 1)" "$(tsh 12 2)" "$(tsh 13 3)" "$(tsh 14 4 | sed s/4500001c/4600001c/)" >"$d/t.tsh"
print="-> p :: IPPrint(x, PAINT true) -> Discard"
nlanr() { run --simtime -e "f :: FromNLANRDump($d/t.tsh, $1) -> c :: Counter -> Discard; DriverManager(wait 0.05s)" -h c.count -h f.active | tr -d '\n'; }
same tsh "$(run -e "f :: FromNLANRDump($d/t.tsh, STOP true) $print; f[1] -> n :: Counter -> Discard" -h n.count)" \
    $'x: 11.500000: paint 1: 1.2.3.4.1 > 5.6.7.8.2: udp 8
x: 12.500000: paint 2: 1.2.3.4.1 > 5.6.7.8.2: udp 8
x: 13.500000: paint 3: 1.2.3.4.1 > 5.6.7.8.2: udp 8
1'
same tsh_pulled "$(run -e "FromNLANRDump($d/t.tsh, STOP true) -> Unqueue -> c :: Counter -> Discard" -h c.count)" 3
same tsh_interval "$(nlanr 'INTERVAL 1')" 'c.count:1f.active:false'
same tsh_start "$(nlanr 'START 12.5')" 'c.count:2f.active:true'
same tsh_position "$(nlanr 'FILEPOS 88')" 'c.count:2f.active:true'
same tsh_extended "$(run -e "f :: FromNLANRDump($d/t.tsh, END_AFTER 1, END_CALL s.run) -> c :: Counter -> Discard;
    s :: Script(TYPE PASSIVE, print \$(c.count), goto done \$(ge \$(c.count) 3), write f.extend_interval 1.5, end,
    label done, write stop)")" $'1\n3\n3' # and once more at the end of the file
same tsh_plus "$(cp "$d/t.tsh" "$d/t.Fr+"; run -e "FromNLANRDump($d/t.Fr+, STOP true) -> ToIPSummaryDump(-, FIELDS ts link, HEADER false)")" \
    $'28.277216 0\n46.054432 0\n63.831648 0'
same tsh_bad_format "$(run -e "FromNLANRDump($d/t.tsh, FORMAT x) -> Discard" | sed -n 2p)" "config:1:   bad FORMAT"
same tsh_guess "$(cp "$d/t.tsh" "$d/t.x"; run -e "FromNLANRDump($d/t.x, STOP true) -> Discard" | sed -n 2p)" \
    "config:1:   warning: cannot guess file format from filename, assuming 'tsh'"

# erf SECOND HALVES TYPE LENGTH_ON_WIRE REST; old HEAD_BYTES_8_TO_15 48_BYTES
erf() { printf '%s%s%s00%04x0000%04x%s' "$(word $(($2 << 31)))" "$(word "$1")" "$3" $((16 + ${#5} / 2)) "$4" "$5"; }
mac=000102030405060708090a0b
bytes "$(erf 5 1 02 46 "0000${mac}0800$ip")" "$(erf 6 0 01 32 "0f000800$ip")" "$(erf 7 0 03 41 "00000000aaaa030000000800$ip")" >"$d/erf"
dag() { run -e "f :: FromDAGDump($d/$1, STOP true, $2) -> ToIPSummaryDump(-, FIELDS ts ip_src, HEADER false); f[1] -> n :: Counter -> Discard" -h f.encap -h n.count | tr '\n' ' '; }
same erf "$(dag erf 'FORCE_IP true')" '5.500000 1.2.3.4 6.000000 1.2.3.4 7.000000 1.2.3.4 f.encap: SUNATM  n.count: 0  '
same erf_length "$(run -e "FromDAGDump($d/erf, STOP true) -> Print(x) -> ToIPSummaryDump(-, FIELDS payload_len, HEADER false)" | grep -v x:)" $'42\n32\n41'
same erf_skipped "$(dag erf 'FORCE_IP true, START 7')" '7.000000 1.2.3.4 f.encap: SUNATM  n.count: 0  '
pad() { printf '%s%0*d' "$1" $((2 * $2 - ${#1})) 0; }
old() { printf '%s%s%s%s' "$(word 0)" "$(word 9)" "$1" "$(pad "$2" 48)"; }
bytes "$(old 0000000000000000 "aaaa030000000800$ip")" >"$d/atm"
bytes "$(old "${ip:0:16}" "${ip:16}")" >"$d/raw"
bytes "$(old "0060${mac:0:12}" "${mac:12}0800$ip")" >"$d/ether"
same erf_old "$(dag atm 'FORCE_IP true')" '9.000000 1.2.3.4 f.encap: ATM  n.count: 0  '
same erf_old_ip "$(dag raw 'FORCE_IP true, ENCAP IP')" '9.000000 1.2.3.4 f.encap: IP  n.count: 0  '
same erf_old_ether "$(dag ether 'FORCE_IP true, ENCAP ETHER')" '9.000000 1.2.3.4 f.encap: ETHER  n.count: 0  '
same erf_odd "$(bytes "$(old 2200000000000000 "aaaa030000000800$ip")" >"$d/odd"; dag odd 'FORCE_IP true')" \
    "config:1: While initializing 'f :: FromDAGDump': config:1:   warning: odd DAG cell type 34, assuming old-style ATM encapsulation config:1:   (To avoid this warning, specify an explicit ENCAP.) 9.000000 1.2.3.4 f.encap: ATM  n.count: 0  "
same erf_encap "$(run -e "FromDAGDump($d/erf, ENCAP NULL) -> Discard" | sed -n 2p)" "config:1:   bad encapsulation type"
same erf_timing "$(run -e "FromDAGDump($d/erf, FORCE_IP true, TIMING true) -> Discard" | sed -n 2p)" \
    "config:1:   FORCE_IP and TIMING options are incompatible"

cat >"$d/cap" <<'END'
SND 0
INF - cap v2.13
SYN > 1046102982.856142 0 0 40 0
SYN < 1046102982.931832 0 0 40 0
DAT > 1046102982.931941 1 1 1500 1460
ACK < 1046102983.156387 1 1 40 0
DAT > 1046102983.156531 2 2 1500 1460
ACK < 1046102983.156587 2 1 40 0 SACK:2-2:4-5 SACK_NEW
DAT > 1046102983.2 3 3 100 60 FR FIN
ACK < 1046102983.3 4 3 40 0 DSACK:1
DAT > x
DAT > 1046102983.2 3 99999999 100 60
RCV 0
SYN > 7 0 0 40 0
END
cap() { run -e "f :: FromCapDump($d/cap, STOP true$1) -> ToIPSummaryDump(-, FIELDS $2, HEADER false)"; }
same cap "$(cap '' 'ts ip_src sport dport link ip_len tcp_flags tcp_seq tcp_ack tcp_opt')" \
    '1046102982.856142 1.0.0.1 1 2 0 40 S 0 0 .
1046102982.931832 2.0.0.2 2 1 1 40 SA 0 1 .
1046102982.931941 1.0.0.1 1 2 0 1500 A 1 1 .
1046102983.156387 2.0.0.2 2 1 1 40 A 1 1461 .
1046102983.156531 1.0.0.1 1 2 0 1500 A 1461 1 .
1046102983.156587 2.0.0.2 2 1 1 60 A 1 1461 sack1461-2921;sack4381-7301
1046102983.200000 1.0.0.1 1 2 0 100 FA 2921 1 .
1046102983.300000 2.0.0.2 2 1 1 52 A 1 2982 sack1-1461
7.000000 1.0.0.1 1 2 1 40 S 0 0 .'
same cap_aggregate "$(cap ', AGGREGATE 7' 'aggregate payload_len' | sed -n 3p)" '7 1460'
same cap_handlers "$(run -q -e "f :: FromCapDump($d/cap) -> Discard" -h f.encap -h f.sampling_prob -h f.active | tr '\n' ' ')" \
    'f.encap: IP  f.sampling_prob: 1  f.active: true  '

# --- what is wrong ---
why() { run -e "$1" | sed -n '2s/^config:1: *//p'; }
same too_short "$(head -c 20 "$d/plain" >"$d/s"; why "FromDump($d/s) -> Discard")" "$d/s: not a tcpdump file (too short)"
same bad_magic "$(why "FromDump($0) -> Discard")" "$0: not a tcpdump file (bad magic number)"
same bad_version "$(bytes "$(header 0xa1b2c3d4 1 03000400)" >"$d/s"; why "FromDump($d/s) -> Discard")" "$d/s: unknown major version 3"
same empty "$(: >"$d/s"; why "FromDump($d/s) -> Discard")" "$d/s: empty file"
same cannot_force "$(bytes "$(header 0xa1b2c3d4 147)" >"$d/s"; why "FromDump($d/s, FORCE_IP true) -> Discard")" \
    "$d/s: unknown linktype 147; can't force IP packets"
same two_starts "$(why "FromDump(x, START 1, START_AFTER 2) -> Discard")" "START and START_AFTER are mutually exclusive"
same two_ends "$(why "FromDump(x, END 1, INTERVAL 2) -> Discard")" "END, END_AFTER, and INTERVAL are mutually exclusive"
same stop_and_call "$(why "FromDump(x, STOP true, END_CALL stop) -> Discard")" "END_CALL and STOP are mutually exclusive"
same behind_the_end "$(why "FromDump($d/plain, FILEPOS 1000) -> Discard")" "FILEPOS out of range"
same bad_encap "$(why "Idle -> ToDump($d/o, ENCAP X)")" "bad encapsulation type"
same two_encaps "$(why "i :: Idle -> ToDump($d/o, ENCAP IP, USE_ENCAP_FROM i)")" \
    "specify at most one of 'ENCAP' and 'USE_ENCAP_FROM'"
same no_encap "$(why "i :: Idle -> ToDump($d/o, USE_ENCAP_FROM i)")" "'i' has no 'encap' read handler"
same huge_length "$(bytes "$(header 0xa1b2c3d4 1)" 01000000 00000000 ffffff7f ffffff7f 00 >"$d/s"
    run -e "FromDump($d/s, STOP true) -> Discard")" "$d/s: bad packet header; giving up"

# --- writing ---
dump() { run -e "InfiniteSource(DATA \\<0102030405>, LIMIT 1, STOP true) -> SetTimestamp(7.123456789) -> ToDump($d/o, $1)"; xxd -p -c 60 "$d/o" | tr -d "\n"; }
same to_dump "$(dump '')" "d4c3b2a1020004000000000000000000d0070000010000000700000040e2010005000000050000000102030405"
same to_dump_nano "$(dump 'SNAPLEN 2, ENCAP IP, NANO true')" \
    4d3cb2a102000400000000000000000002000000650000000700000015cd5b0702000000050000000102
exit $rc
