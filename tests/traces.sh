#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Trace elements of the driver, with real files: tests/traces.sh BUILDDIR
set -u
click=$1/click
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$(dirname "$0")/.." || exit 1
rc=0

# same NAME GOT WANTED
same() {
    if [ "$2" == "$3" ]; then
        echo "PASS traces/$1"
    else
        echo "FAIL traces/$1"
        diff <(echo "$3") <(echo "$2")
        rc=1
    fi
}

cat > "$dir/in" <<'END'
!IPSummaryDump 1.3
!data timestamp ip_src sport ip_dst dport ip_proto ip_len ip_id tcp_seq tcp_flags tcp_opt ip_opt payload
1.500000 18.26.4.44 30 10.0.0.4 40 T 68 7 1234 SA mss1400;sackok rr{1.0.0.1}+2 "wxyz"
2.500000 18.26.4.44 30 10.0.0.4 40 U 33 8 - - - . "ab\\ c"
3.250000 18.26.4.44 - 10.0.0.4 - I 28 9 - - - . -
4.000000 1.2.3.4 5 0.0.0.0 0 T 40 0 0 . . . -
END
fields="timestamp ip_src sport ip_dst dport ip_proto ip_len ip_id tcp_seq tcp_flags tcp_opt ip_opt"

same read_and_write "$($click -e "FromIPSummaryDump($dir/in, STOP true) -> ToIPSummaryDump(-, FIELDS $fields, HEADER false)")" \
"1.500000 18.26.4.44 30 10.0.0.4 40 T 68 7 1234 SA mss1400;sackok rr{1.0.0.1}+2
2.500000 18.26.4.44 30 10.0.0.4 40 U 33 8 - - - .
3.250000 18.26.4.44 - 10.0.0.4 - I 28 9 - - - .
4.000000 1.2.3.4 5 0.0.0.0 0 T 40 0 0 . . ."

$click -e "FromIPSummaryDump($dir/in, STOP true) -> ToIPSummaryDump($dir/bin, FIELDS $fields, BINARY true)"
same binary_is_the_same "$($click -e "FromIPSummaryDump($dir/bin, STOP true) -> ToIPSummaryDump(-, FIELDS $fields)")" \
"$($click -e "FromIPSummaryDump($dir/in, STOP true) -> ToIPSummaryDump(-, FIELDS $fields)")"

$click --simtime -e "FromIPSummaryDump($dir/in) -> IPPrint(ip, TIMESTAMP false, OUTFILE $dir/ipprint)
    -> Discard; TimedSource(DATA \\<0001 0800 06 04 0002 010101010101 0a000001 020202020202 0a000002>, LIMIT 1, INTERVAL 0)
    -> CheckARPHeader -> ARPPrint(arp, TIMESTAMP false, OUTFILE $dir/arpprint) -> Discard; DriverManager(wait 0.2s)" 2> "$dir/console"
same printed_into_files "$(cat "$dir/ipprint" "$dir/arpprint" "$dir/console")" \
"ip: 18.26.4.44.30 > 10.0.0.4.40: S 1234:1239(5,68,68) ack 0 win 0
ip: 18.26.4.44.30 > 10.0.0.4.40: udp 13
ip: 18.26.4.44 > 10.0.0.4: icmp echo-reply (0, 0)
ip: 1.2.3.4.5 > 0.0.0.0.0: . 0:0(0,40,40) win 0
arp: arp reply 10.0.0.1 is-at 01-01-01-01-01-01"
same no_such_folder "$($click -e "Idle -> IPPrint(OUTFILE $dir/no/x) -> Discard" 2>&1 | grep -c "$dir/no/x: No such file or directory")" 1

# reread FIELDS-IN LINE FIELDS-OUT
reread() {
    $click -e "FromIPSummaryDump(DATA \"!data $1
$2
\", STOP true) -> ToIPSummaryDump(-, FIELDS $3, HEADER false)" 2>/dev/null
}
same icmp_ids "$(reread 'ip_proto icmp_type icmp_flowid icmp_seq' 'I 8 7 9
I 3 7 9
I 13 7 9' 'icmp_type icmp_flowid icmp_seq ip_len')" $'8 7 9 28\n3 - - 28\n13 7 9 40'
same udplite_len "$(reread 'ip_proto udp_len sport' '136 99 5' 'ip_proto sport ip_len')" '136 5 28'
same no_ip "$(reread 'eth_type ip_src' '0806 1.2.3.4' 'eth_type ip_src')" '0806 -'
cut='\<45000040 00000000 40060000 01020304 05060708 00010002 00000003>'
same cut_off_tcp "$(timeout 20 $click -e "InfiniteSource(DATA $cut, LIMIT 1, STOP true) -> MarkIPHeader -> ToIPSummaryDump(-, FIELDS payload_len payload payload_md5 tcp_seq, HEADER false)" 2>/dev/null)" '24 - - 3'
same payload_and_checksums "$($click -e "FromIPSummaryDump($dir/in, STOP true, CHECKSUM true) -> c :: CheckIPHeader -> ToIPSummaryDump(-, FIELDS payload payload_len payload_md5_hex, HEADER false)" -h c.drops 2>/dev/null)" \
"\"wxyz\" 4 a7c3c2aa70d99921f9fb23ac87382997
\"ab\\\\ c\" 5 dd4db6d267966f110727e47cd8aa0197
\"\\<00>\\<00>\\<FF>\\<FF>\\<00>\\<00>\\<00>\\<00>\" 8 c486b6186582f355d0220858a95e20c1
\"\" 0 d41d8cd98f00b204e9800998ecf8427e
0"

same data_and_defaults "$($click -e 'FromIPSummaryDump(DATA "10 5
- 6", FIELDS ip_ttl sport, FLOWID 1.0.0.1 7 2.0.0.2 8 U, STOP true) -> ToIPSummaryDump(-, FIELDS ip_src sport ip_dst dport ip_proto ip_ttl udp_len)')" \
"!IPSummaryDump 1.3
!data ip_src sport ip_dst dport ip_proto ip_ttl udp_len
1.0.0.1 5 2.0.0.2 8 U 10 8
1.0.0.1 6 2.0.0.2 8 U 100 8"

same several_packets_a_line "$($click -e 'FromIPSummaryDump(DATA "!data timestamp first_timestamp count ip_len
7 5 3 90
8 8 1 40", MULTIPACKET true, STOP true) -> ToIPSummaryDump(-, FIELDS timestamp count ip_len, HEADER false)')" \
"5.000000 1 40
6.000000 1 40
7.000000 1 40
8.000000 1 40"

same bad_packets_are_told "$($click -e 'InfiniteSource(DATA \<46000014>, LIMIT 1, STOP true) -> MarkIPHeader -> ToIPSummaryDump(-, FIELDS ip_src ip_len, BAD_PACKETS true, HEADER false)')" \
"!bad IP length 20
- 4"

same errors "$($click -q -e "FromIPSummaryDump($dir/none) -> ToIPSummaryDump(-, FIELDS nothing)" 2>&1 | grep -c "unknown content type 'nothing'")" 1
same no_file "$($click -q -e "FromIPSummaryDump($dir/none) -> Discard" 2>&1 | grep -c "No such file")" 1
same allowed_to_be_missing "$($click -e "FromIPSummaryDump($dir/none, ALLOW_NONEXISTENT true, STOP true) -> c :: Counter -> Discard" -h c.count)" "0"
same nonsense_is_told_once "$($click -e 'FromIPSummaryDump(DATA "!data ip_src
x
y
1.2.3.4", STOP true) -> c :: Counter -> Discard' -h c.count 2>&1)" "<data>:2: packet parse error
1"

# Records, compressed files, filled names; flows with the place where they begin.
flows='DATA "!data timestamp ip_src sport ip_dst dport ip_proto tcp_flags tcp_seq tcp_ack payload_len tcp_opt
8 1.0.0.1 7 2.0.0.2 21 T S 100 0 0 mss1460
9.5 2.0.0.2 21 1.0.0.1 7 T SA 200 101 0 .
5 1.0.0.1 7 2.0.0.2 8 U - - - 9 .
"'
$click -e "FromIPSummaryDump($flows, STOP true) -> AggregateIPFlows -> ToIPFlowDumps($dir/y/%3n-%03S-%p, TCP_OPT true, BINARY true, GZIP true)"
same flow_records "$(zcat "$dir/y/__1-007-T.gz" | head -n 8 | sed -n '4p;8p'; zcat "$dir/y/__1-007-T.gz" | tail -c 57 | xxd -p -c 31)" \
"!data ntimestamp tcp_seq payload_len tcp_ack tcp_flags direction tcp_ntopt
!binary
0000001f0000000000000001000000000000000000000000020004020405b4
0000001a000000011dcd65010000000000000000000000011201"
same flow_records_again "$($click -e "FromIPSummaryDump($dir/y/__1-007-T.gz, STOP true) -> ToIPSummaryDump(-, HEADER false, FIELDS ip_src sport tcp_flags tcp_seq tcp_opt direction)")" \
"1.0.0.1 7 S 0 mss1460 >
1.0.0.1 7 SA 0 . <"
same no_aggregates "$($click -e "FromIPSummaryDump($flows, STOP true) -> ToIPFlowDumps($dir/z/%n)" 2>&1)" \
"ToIPFlowDumps@2 :: ToIPFlowDumps: warning: saw no packets with aggregate annotations"
$click -e "FromIPSummaryDump($flows, STOP true) -> ToDump($dir/f.pcap, ENCAP IP)"
for port in $(seq 2000); do echo "1 1.2.3.4 $port 5.6.7.8 9 U"; done >"$dir/many"
# trace_flows FILE
trace_flows() {
    $click -e "FromIPSummaryDump($dir/many, FIELDS timestamp ip_src sport ip_dst dport ip_proto, STOP true)
        -> AggregateIPFlows(TRACEINFO $1) -> Discard" 2>/dev/null
}
trace_flows "$dir/flows.xml"
# which of them comes first differs from run to run
same trace_info_in_a_file "$(grep '<flow' "$dir/flows.xml" | sort | cksum)" "$(trace_flows - | grep '<flow' | sort | cksum)"
same trace_info_ends "$(tail -n 1 "$dir/flows.xml")" '</trace>'
same all_flows_in_a_file "$(grep -c "<flow" "$dir/flows.xml")" 2000
same trace_info "$($click -e "f :: FromDump($dir/f.pcap, STOP true) -> AggregateIPFlows(TRACEINFO -, SOURCE f) -> Discard" | sed "s|$dir/||" | grep -v '</flow>')" \
"<?xml version='1.0' standalone='yes'?>
<trace file='f.pcap'>
<flow aggregate='1' src='1.0.0.1' sport='7' dst='2.0.0.2' dport='21' begin='8.000000000' duration='1.500000000' filepos='24'>
  <stream dir='0' packets='1' /><stream dir='1' packets='1' />
<flow aggregate='2' src='1.0.0.1' sport='7' dst='2.0.0.2' dport='8' begin='5.000000000' duration='0.000000000' filepos='140'>
  <stream dir='0' packets='1' /><stream dir='1' packets='0' />"

# What tcpdump printed, and NetFlow summaries.
cat > "$dir/tcpdump" <<'END'
1.5 1.2.3.4.80 > 5.6.7.8.99: S 1000:1000(0) win 512 <mss 1460,nop,wscale 3> (DF) [tos 0x10] (ttl 64, id 7, len 48)
1.6 5.6.7.8.99 > 1.2.3.4.80: S 7000:7000(0) ack 1001 win 512 (DF)
1.7 1.2.3.4.80 > 5.6.7.8.99: P 1:21(20) ack 1 win 512 <nop,nop,timestamp 5 6>
1.8 5.6.7.8.99 > 1.2.3.4.80: . ack 21 win 512 <nop,nop,sack sack 1 {30:40} >
1.9 1.2.3.4.53 > 5.6.7.8.99: udp 100 (ttl 3)
2.0 1.2.3.4 > 5.6.7.8: icmp: echo request
2.1 1.2.3.4.53 > nowhere: udp 100
nonsense
END
fields="timestamp ip_src sport ip_dst dport ip_proto ip_len ip_id ip_ttl ip_tos ip_fragoff tcp_flags tcp_seq tcp_ack tcp_opt payload_len"
same tcpdump_text "$($click -e "FromTcpdump($dir/tcpdump, STOP true, CHECKSUM true) -> ToIPSummaryDump(-, FIELDS $fields, HEADER false)" 2>&1)" \
"$dir/tcpdump:7: packet parse error
1.500000 1.2.3.4 80 5.6.7.8 99 T 48 7 64 16 0! S 1000 0 mss1460;wscale3 0
1.600000 5.6.7.8 99 1.2.3.4 80 T 40 0 2 0 0! SA 7000 1001 . 0
1.700000 1.2.3.4 80 5.6.7.8 99 T 72 0 2 0 0 PA 1001 7001 ts5:6 20
1.800000 5.6.7.8 99 1.2.3.4 80 T 52 0 2 0 0 A 7001 1021 sack1030-1040 0
1.900000 1.2.3.4 53 5.6.7.8 99 U 128 0 3 0 0 - - - - 100
2.000000 1.2.3.4 - 5.6.7.8 - I 20 0 2 0 0 - - - - 0"
same tcpdump_suspicious "$(echo hello > "$dir/t"; $click -e "f :: FromTcpdump($dir/t, STOP true) -> Discard" -h f.encap 2>&1 | grep -c 'first line suspicious\|packet parse error\|^IP')" 3
cat > "$dir/flows" <<'END'
!comment
192.4.1.32|18.26.4.44|0|14|16|5|10932|998006995|998006999|3917|80|0|18|6|0
1|2|3
1.2.3.4|5.6.7.8|0|1|300|1|100|5|0|1|2|0|0|17|4|x
END
same netflow "$($click -e "FromNetFlowSummaryDump($dir/flows, STOP true, LINK both) -> ToIPSummaryDump(-, HEADER false, FIELDS timestamp first_timestamp count link ip_src sport ip_dst dport ip_proto ip_len ip_tos tcp_flags)" 2>&1)" \
"$dir/flows:3: bad format
998006999.000000 998006995.000000 5 239 192.4.1.32 3917 18.26.4.44 80 T 10932 0 SA
5.000000 5.000000 1 31 1.2.3.4 1 5.6.7.8 2 U 100 4 -"
same netflow_packets "$($click -e "FromNetFlowSummaryDump($dir/flows, STOP true, MULTIPACKET true) -> Unqueue -> ToIPSummaryDump(-, FIELDS timestamp count ip_len, HEADER false)" 2>/dev/null)" \
"998006995.000000 1 2186
998006996.000000 1 2186
998006997.000000 1 2186
998006998.000000 1 2186
998006999.000000 1 2188
5.000000 1 100"
same netflow_link "$($click -e "FromNetFlowSummaryDump($dir/flows, LINK x) -> Discard" 2>&1 | grep -c "'LINK' should be 'input', 'output', or 'both'")" 1
gzip -c "$dir/in" > "$dir/in.gz"
same compressed "$($click -e "f :: FromIPSummaryDump($dir/in.gz, STOP true) -> c :: Counter -> Discard" -h c.count -h f.filesize | tr '\n' ' ')" "c.count: 4  f.filesize: -  "

# A file for each flow.
$click -e "FromIPSummaryDump(DATA \"!data timestamp ip_src sport ip_dst dport ip_proto tcp_flags tcp_seq tcp_ack payload_len tcp_opt
8 1.0.0.1 7 2.0.0.2 21 T S 2195313811 0 0 mss1460
9 2.0.0.2 21 1.0.0.1 7 T SA 2484225252 2195313812 0 sackok
10 1.0.0.1 7 2.0.0.2 21 T PA 2195313812 2484225253 5 sack2484225300-2484225310
5 1.0.0.1 7 2.0.0.2 8 U - - - 9 .
\", STOP true) -> a :: AggregateIPFlows -> ToIPFlowDumps($dir/x/%03n-%p-%.0s, NOTIFIER a, TCP_OPT true)"
same flow_dump "$(cat "$dir/x/001-T-1")" "!IPSummaryDump 1.3
!flowid 1.0.0.1 7 2.0.0.2 21 T
!aggregate 1
!data ntimestamp direction tcp_flags tcp_seq payload_len tcp_ack tcp_ntopt
!firstseq > 2195313811
!firstseq < 2484225252
!firsttime 7.999999999
0.000000001 > S 0 0 0 mss1460
1.000000001 < SA 0 0 1 sackok
2.000000001 > PA 1 5 1 sack48-58"
same another_flow_dump "$(tail -1 "$dir/x/002-U-1")" "0.000000001 > 29"

# Sockets: a server under a name, clients that come and go.
# until_is HANDLER VALUE: an element that stops the driver then
until_is() {
    echo "DriverManager(wait 20s); Script(label more, wait 5ms, goto more \$(ne \$($1) $2), wait 0.1s, $3)"
}
($click -e "Socket(UNIX, $dir/s) -> c :: Counter -> Discard; $(until_is c.byte_count 18 "print >$dir/all 18")" \
    -h c.byte_count > "$dir/served" 2>&1 &
    echo $! > "$dir/pid"; wait)&
for _ in $(seq 100); do [ -S "$dir/s" ] && break; sleep 0.05; done
$click -e "InfiniteSource(DATA hello, LIMIT 3) -> q :: Queue -> c :: Counter -> Socket(UNIX, $dir/s); $(until_is c.count 3 stop)"
$click -e "InfiniteSource(DATA you, LIMIT 1) -> c :: Counter -> Socket(UNIX, $dir/s); $(until_is c.count 1 stop)"
same a_socket_is_in_use "$($click -q -e "Socket(UNIX, $dir/s) -> Discard" 2>&1 | grep -c 'bind: Address already in use')$([ -S "$dir/s" ] && echo kept)" 1kept
for _ in $(seq 100); do [ -e "$dir/all" ] && break; sleep 0.05; done
kill -INT "$(cat "$dir/pid")"; wait
same socket_stream "$(cat "$dir/served")" 18
same unknown_user "$($click -q -e 'ChangeUID(nosuchuser)' 2>&1 | grep -c "no such user 'nosuchuser'")" 1
same tun_address "$($click -q -e 'KernelTun(10.9.0.x/24) -> Discard' 2>&1 | grep -c 'ADDR: parse error')" 1
if [ -w /dev/net/tun ] && unshare -n true 2>/dev/null; then
    same kernel_tun "$(unshare -n $click -e 'k :: KernelTun(10.9.0.1/24, DEVNAME tunx) -> CheckIPHeader -> ICMPPingResponder -> k;
        ICMPPingSource(10.9.0.7, 10.9.0.1, LIMIT 1, INTERVAL 0.2) -> k; DriverManager(wait 0.5s)' -h k.dev_name 2>/dev/null)" tunx
else
    echo "SKIP traces/kernel_tun: cannot make interfaces here"
fi
same socket_arguments "$($click -q -e 'Socket(SMOKE, x) -> Discard' 2>&1 | grep -c "unknown socket type 'SMOKE'")" 1
exit $rc
