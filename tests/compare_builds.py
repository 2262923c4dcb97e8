#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Do two builds of click do the same? Random configurations over random packets tell.

    tests/compare_builds.py OLD NEW [--seed N] [--count N] [--keep DIR] [--swap] [--singly]

For whoever makes elements faster: OLD and NEW are two `click` programs. Each configuration is
a chain of elements, pushed through and pulled through, whose other outputs end in a ToDump, in
a chain of their own or further down in the first one, fed with packets of few or many flows,
good ones and damaged ones, with copies of one packet, or with both; what the two print, write
and count must be equal. With --swap the configuration is exchanged for one much like it after
some packets. A pair that differs is printed with its seed, and its configuration and
packets are kept in DIR (/tmp/compare_builds). Chains with an element that draws random
numbers by the clock, or that OLD does twice in two ways, are left out.

A chain may differ without a fault in which bytes are seen that no packet ever had (a short
packet made longer at its end), or which chance has a part in (RED).
"""

import argparse
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

FLOW_PORTS = [21, 53, 80, 1234]
HANDLERS = ["count", "drops", "mappings", "length", "highwater_length", "avg_queue_size"]

# What a chain is made of: elements for frames, from frames to IP packets, for IP packets,
# and back. %c is a small number, %b a burst.
FRAMES = """EtherMirror; Null; Counter; Paint(%c); CheckPaint(%c); DropBroadcasts; Tee(2)
HostEtherFilter(0:0:0:0:0:2); Classifier(12/0800, -); Classifier(12/0800 23/11, 12/86dd, -)
Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -); Queue -> Unqueue(%b); Pad(64)
Queue(5) -> Unqueue(%b); StripEtherVLANHeader; CheckLength(60); Truncate(60); Align(4, 0)
EtherVLANEncap(0x0800, 1:2:3:4:5:6, 6:5:4:3:2:1, 5); MarkIPHeader(14); CheckIPHeader(14)
StoreEtherAddress(1:2:3:4:5:6, dst); RoundRobinSwitch; Print(P, MAXLENGTH 20); SetCRC32
StaticSwitch(0); HashSwitch(14, 4); PaintSwitch; PaintTee(1); IPPrint(X); RED(2, 5, 0.5)
ARPResponder(10.0.0.0/8 1:2:3:4:5:6); IPClassifier(udp, tcp, -); SimpleQueue(3) -> Unqueue(%b)
AggregateLength; AggregateFirst; Suppressor; SetPacketType(HOST); VLANEncap(5); VLANDecap
SetVLANAnno(3); CheckARPHeader; StringMatcher(ab); CheckCRC32; SetAnnoByte(PAINT, 2); TimeRange
FrontDropQueue(5) -> Unqueue(%b); MixedQueue(5) -> Unqueue(%b); CoDel -> Queue -> Unqueue(%b)
AggregateLength -> AggregateLast(STOP_AFTER 3); AggregateLength -> AggregateCounter
StoreData(3, abc); Truncate(30); AverageCounter; TimeFilter(END 5); AdjustTimestamp(100)
SetTimestampDelta; StoreTimestamp(OFFSET 4); StripToNetworkHeader; EnsureEther
EtherRewrite(1:2:3:4:5:6, 6:5:4:3:2:1); CheckPacket(LENGTH 60)
ThreadSafeQueue(4) -> Unqueue(%b)"""
TO_IP = """Strip(14) -> CheckIPHeader; Strip(14) -> CheckIPHeader(18.26.4.255 1.255.255.255)
Strip(14) -> CheckIPHeader2; Strip(14) -> CheckIPHeader(CHECKSUM false)
Strip(14) -> CheckIPHeader(VERBOSE true, DETAILS true); Strip(14) -> MarkIPHeader
Paint(2) -> Strip(14) -> CheckIPHeader(18.26.4.255) -> GetIPAddress(16)
IPInputCombo(1, 18.26.4.255); Strip(14) -> CheckIP6Header; Strip(14) -> MarkIP6Header
Strip(14) -> CheckIP6Header -> GetIP6Address(24)"""
PACKETS = """Null; Counter; DecIPTTL; DecIPTTL(MULTICAST false); FixIPSrc(18.26.4.24)
IPGWOptions(18.26.4.24); IPFragmenter(500); IPFragmenter(1500); CheckIPHeader; Tee(2)
IPFilter(allow udp && dst port 53, deny tcp, allow all); IPFilter(1 src 10.0.0.0/8, 0 all)
IPFilter(0 ip frag, 1 tcp opt syn, 2 udp, drop all); IPClassifier(udp dst port 53, tcp, -)
StaticIPLookup(10.0.0.0/8 0, 18.26.4.0/24 1.1.1.1 1, 0.0.0.0/0 2); LinearIPLookup(0/0 0)
RadixIPLookup(10.0.0.0/8 0, 18.26.4.0/24 1, 18.26.4.5/32 9.9.9.9 2, 0/0 0)
RangeIPLookup(10.0.0.0/8 0, 18.26.4.0/24 1); DirectIPLookup(10.0.0.0/8 0, 0/0 1)
CheckUDPHeader; CheckTCPHeader; CheckICMPHeader; SetIPChecksum; SetUDPChecksum
SetTCPChecksum; SetIPDSCP(10); SetIPECN(1); MarkIPCE; IPMirror; IPReassembler
IPRewriter(pattern 5.0.0.1 1024-65535# - - 0 0); IPRewriter(keep 0 0)
IPRewriter(pattern 5.0.0.1 1024-1030# - - 0 0, drop)
TCPRewriter(pattern 5.0.0.1 1024-65535 - - 0 0)
UDPRewriter(pattern 5.0.0.1 1024-65535 - - 0 0); IPAddrRewriter(pattern 5.0.0.1-5.0.0.9# - 0 0)
IPAddrPairRewriter(pattern 5.0.0.1 6.0.0.2 0 0); StripIPHeader -> UnstripIPHeader
SetIPAddress(9.8.7.6); GetIPAddress(16); StoreIPAddress(4.3.2.1, 16); TruncateIPPayload(8)
Print(Q, MAXLENGTH 30); IPPrint(Y, TTL true, ID true, PAYLOAD hex); Queue -> Unqueue(%b)
Paint(%c); PaintTee(1); Strip(1) -> Unstrip(1); CheckLength(200); HashSwitch(12, 8)
IPOutputCombo(2, 18.26.4.24, 500); ICMPError(18.26.4.24, timeexceeded); AggregateIPFlows
ICMPError(18.26.4.24, unreachable, needfrag); IPRateMonitor(PACKETS, 1, 100, 600)
AggregateIP(ip src); IPEncap(4, 1.2.3.4, 5.6.7.8); UDPIPEncap(1.2.3.4, 5, 6.7.8.9, 10)
TCPMSS(1000); TCPFragmenter(300); CheckIP6Header; DecIP6HLIM; GetIP6Address(24); IP6Mirror
LookupIP6Route(::/0 ::0 0); LookupIP6Route(8000::/1 ::0 1, ::/0 1::2 0); IP6Fragmenter(60)
SetIP6DSCP(3); SetIP6ECN(1); SetIP6HLIM(4); SetIP6FlowLabel(9); IP6Print(Z); SnoopTCP
IP6Classifier(ip6 nxt 17, ip6 nxt 6, -); ProtocolTranslator46; ProtocolTranslator64
ICMP6Error(1::2, 1, 0); AggregateIPAddrPair; AggregateIPFlows -> AggregateCounter
AggregateIPFlows -> AggregateFirst; AggregateIPFlows -> AggregatePacketCounter
AggregateIPFlows -> AggregateLast(STOP_AFTER 3); EraseIPPayload; AnonymizeIPAddr(SEED false)
AggregateIPFlows(TCP_TIMEOUT 1s, UDP_TIMEOUT 1s, REAP 2s); StatelessTCPResponder
ICMPPingResponder; RFC2507Comp -> RFC2507Decomp; ICMPPingRewriter(pattern 5.0.0.1 - 0 0)
StripTCPHeader; SetIPChecksum -> CheckIPHeader; SortedIPLookup(18.0.0.0/8 0, 0/0 1)
IPReassembler -> IPFragmenter(200); IPFragmenter(100) -> IPReassembler; SetIPAddress(2.0.0.2)
IPClassifier(icmp type echo, tcp opt syn, src port < 1024, ip frag, -); TCPRewriter(keep 0 0)
IPRewriter(pattern 5.0.0.1 1024-65535 - - 0 0, drop) -> IPRewriter(pattern - - 6.6.6.6 - 0 0)
TimeRange; TimeFilter(END 20); StoreIPAddress(1.2.3.4, src); IPEncap(udp, 1.2.3.4, DST_ANNO)
DynamicUDPIPEncap(1.2.3.4, 5, 6.7.8.9, 10, 3); ICMPPingEncap(1.2.3.4, 5.6.7.8); CheckLength(60)
ForceIP; ForceUDP(53); ForceTCP(80); ForceICMP(8, 0); TCPReflector"""
TO_FRAMES = """EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2); Unstrip(14); ARPQuerier
EtherEncap(0x0800, 0:0:0:0:0:2, 2:2:2:2:2:2)"""
# The way through a router, of which some elements are left out.
ROUTER = """Classifier(12/0800, -); Paint(%c)
Strip(14) -> CheckIPHeader(18.26.4.255 1.255.255.255)
RadixIPLookup(10.0.0.0/8 0, 18.26.4.0/24 9.9.9.9 0, 2.0.0.0/8 1, 0/0 0); DropBroadcasts
PaintTee(1); IPGWOptions(18.26.4.24); FixIPSrc(18.26.4.24); DecIPTTL; IPFragmenter(500)
ARPQuerier; Queue(200) -> Unqueue(%b)"""

# What may stand between a Queue and an Unqueue.
PULLED = """Null; Counter; Paint(1); CheckPaint(1); CheckLength(100); DropBroadcasts; EtherMirror
Truncate(70); CheckIPHeader(OFFSET 14); HostEtherFilter(0:0:0:0:0:2); Print(L, MAXLENGTH 8)
SetIPChecksum; StoreEtherAddress(1:2:3:4:5:6, src); Pad(80); MarkIPHeader(14); DecIPTTL
EtherVLANEncap(0x0800, 1:2:3:4:5:6, 6:5:4:3:2:1, 5); PaintTee(1); IPGWOptions(18.26.4.24)
FixIPSrc(1.2.3.4); Paint(1, 19); Align(4, 2); SetIPDSCP(3); IPMirror"""

ONE_MORE = """CheckIPHeader CheckIPHeader2 DecIPTTL CheckPaint HostEtherFilter DropBroadcasts
StripEtherVLANHeader CheckLength CheckUDPHeader CheckTCPHeader CheckICMPHeader IPGWOptions
IPFragmenter AggregateFirst""".split()
TWO = """Tee RoundRobinSwitch HashSwitch PaintSwitch StaticSwitch PaintTee""".split()


def listed(text):
    return [e.strip() for line in text.splitlines() for e in line.split(";")]


def checksum(b):
    b += b"\0" * (len(b) % 2)
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


class Packets:
    def __init__(self, r):
        self.r = r
        n = r.choice([1, 2, 5, 40])
        self.flows = [(self.address(), self.address(), r.randrange(65536),
                       r.choice(FLOW_PORTS), r.choice([6, 17, 17])) for _ in range(n)]

    def noise(self, n):
        return bytes(self.r.randrange(256) for _ in range(n))

    def address(self):
        r = self.r
        return r.choice([bytes((10, 0, 0, r.randrange(4))), bytes((1, 0, 0, 1)),
                         bytes((2, 0, 0, 2)), bytes((18, 26, 4, r.randrange(256))),
                         bytes((224, 0, 0, 1)), b"\xff" * 4, bytes(4), self.noise(4)])

    def frame(self):
        r = self.r
        macs = r.choice([b"\0\0\0\0\0\2", b"\xff" * 6, b"\1\0\x5e\0\0\1"]) + b"\0\0\0\0\0\1"
        kind = r.random()
        if kind < .05:
            return (macs + bytes((8, 6, 0, 1, 8, 0, 6, 4, 0, r.choice([1, 2]))) + macs[6:]
                    + self.address() + bytes(6) + self.address() + bytes(r.choice([0, 18])))
        if kind < .1:
            return self.noise(r.choice([0, 1, 13, 14, 15, 33, 34, 41, 60, 100]))
        if kind < .15:
            body = self.noise(r.choice([8, 20, 40]))
            return (macs + b"\x86\xdd\x60\0\0\0"
                    + struct.pack("!HBB", len(body), r.choice([0, 6, 17, 44, 58]), 64)
                    + self.noise(32) + body)
        types = [b"\x08\0"] * 12 + [b"\x81\0\0\5\x08\0", b"\x08\6"]
        frame = macs + r.choice(types) + self.ip() + bytes(r.choice([0] * 9 + [20]))
        return frame[:r.randrange(len(frame) + 1)] if r.random() < .03 else frame

    def ip(self):
        r = self.r
        flow = r.choice(self.flows)
        if r.random() < .25:
            flow = (self.address(), self.address(), r.randrange(65536),
                    r.choice(FLOW_PORTS), r.choice([1, 6, 17, 47]))
        body = self.transport(*flow)
        options = b"" if r.random() < .93 else r.choice(
            [b"\1\1\1\0", b"\7\7\4\0\0\0\0\0", b"\x44\x08\5\0\0\0\0\0", b"\7\2\0\0"])
        first = 0x45 + len(options) // 4
        length = 20 + len(options) + len(body)
        if r.random() < .05:
            first = r.choice([0x44, 0x65, 0x4f, first])
            length = r.choice([0, 19, 20, 28, length + 1, length - 1, 65535]) & 0xffff
        part = 0x4000 if r.random() < .85 else r.choice([0, 0x2000, 0x2008, 16, 0x8000])
        head = struct.pack("!BBHHHBBH", first, r.choice([0, 0, 1, 2, 3, 184]), length,
                           r.randrange(65536), part, r.choice([0, 1, 2, 64, 64, 255]),
                           flow[4], 0) + flow[0] + flow[1] + options
        c = checksum(head) ^ (r.choice([1, 0x100]) if r.random() < .04 else 0)
        return head[:10] + struct.pack("!H", c) + head[12:] + body

    def transport(self, src, dst, sport, dport, proto):
        r = self.r
        n = r.choice([0, 4, 18, 100, 500, 1460, 1500]) if r.random() < .5 else 18
        data = self.noise(min(n, 32)) + b"x" * max(0, n - 32)
        if proto == 1:
            b = struct.pack("!BBHHH", r.choice([0, 3, 5, 8, 11]), 0, 0, sport, dport) + data
            return b[:2] + struct.pack("!H", checksum(b)) + b[4:]
        if proto == 17:
            at, b = 6, struct.pack("!HHHH", sport, dport, 8 + n, 0) + data
        elif proto == 6:
            options = r.choice([b"", b"", b"\2\4\5\xb4", b"\2\4\x20\0\1\3\3\7"])
            at, b = 16, struct.pack("!HHIIBBHHH", sport, dport, r.getrandbits(32),
                                    r.getrandbits(32), (5 + len(options) // 4) << 4,
                                    r.choice([2, 4, 16, 16, 17, 18, 24]), 8192, 0, 0)
            b += options + data
        else:
            return data
        c = checksum(src + dst + struct.pack("!HH", proto, len(b)) + b) or 0xffff
        return b[:at] + struct.pack("!H", c ^ (r.random() < .1)) + b[at + 2:]

    def write_trace(self, name):
        r = self.r
        n, train, at, us = r.choice([1, 5, 31, 32, 33, 64, 200, 500]), r.choice([1, 2, 8, 40]), 0, 1
        with open(name, "wb") as f:
            f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            while at < n:
                p = self.frame()
                for _ in range(r.randrange(1, train + 1)):
                    us += r.choice([0, 1, 1000, 1000000])
                    at += 1
                    f.write(struct.pack("<IIII", us // 1000000, us % 1000000, len(p), len(p)) + p)


# What makes packets go one by one, see push_singly() of engine/router_ports.c.
SINGLY = "\nIdle -> Print -> Discard;"


def outputs(element, r):
    """How many outputs of an element are connected."""
    name, _, args = element.partition("(")
    if name in ("Classifier", "IPClassifier", "IP6Classifier"):
        return args.count(",") + 1
    if name == "IPFilter":
        return 3 if "2 udp" in args else 2 if args.startswith("1 ") else 1
    if name == "LookupIP6Route":
        return args.count(",") + 1
    if name.endswith("IPLookup"):
        return max(int(a.rstrip(")").split()[-1]) for a in args.split(",")) + 1
    if name == "IPOutputCombo":
        return 5
    return 2 if name in TWO else r.choice([1, 2]) if name in ONE_MORE else 1


def chain(r):
    if r.random() < .35:
        return [e for e in listed(ROUTER) if r.random() < .85]
    out, frames = [], True
    for _ in range(r.randrange(1, 9)):
        other = r.random() < (.35 if frames else .08)
        pool = (TO_IP if other else FRAMES) if frames else (TO_FRAMES if other else PACKETS)
        out.append(r.choice(listed(pool)))
        frames ^= other
    return out


class Configuration:
    """The text, one statement a line."""

    def __init__(self, r, packets, trace, folder, swap, join):
        self.r, self.packets, self.trace, self.folder = r, packets, trace, folder
        self.lines, self.names, self.dumps, self.join = [], 0, 0, join
        at = self.source()
        if r.random() < .15:
            self.lines.append("both :: Null; %s -> both; %s -> both;" % (at, self.source()))
            at = "both"
        if swap:
            self.lines.append("watch :: Counter(COUNT_CALL %d swap.run); %s -> watch;" % (
                r.choice([1, 3, 30, 31, 32, 33, 64, 90]), at))
            at = "watch"
        self.chain(at, chain(r), 0)
        if swap:
            self.other(swap)

    def text(self):
        return "\n".join(self.lines)

    def source(self):
        r = self.r
        if r.random() < .7:
            return "FromDump(%s, STOP true, BURST %d%s)" % (
                self.trace, r.choice([1, 1, 4, 32, 64]), r.choice(["", "", "", ", END_AFTER 3"]))
        return "InfiniteSource(DATA \\<%s>, LIMIT %d, BURST %d, %s%s)" % (
            self.packets.frame().hex(), r.choice([1, 5, 33, 100, 300, 1000]),
            r.choice([1, 1, 1, 2, 3, 7, 32, 50]), r.choice(["STOP true", "END_CALL stop"]),
            r.choice(["", "", ", LENGTH 80"]))

    def dump(self):
        self.dumps += 1
        return "ToDump(%s/%d)" % (self.folder, self.dumps)

    def put(self, at, e):
        """Element `e` behind `at`; returns its name and how many outputs are connected."""
        r, name = self.r, "e%d" % self.names
        self.names += 1
        e = e.replace("%c", str(r.randrange(3))).replace("%b", str(r.choice([1, 2, 8, 32])))
        more = ""
        if e == "ARPQuerier":
            e = "ARPQuerier(18.26.4.24, 0:0:c0:ae:67:ef)"
            more = " Idle -> [1]%s; Script(write %s.insert 2.0.0.2 1:2:3:4:5:6);" % (name, name)
        self.lines += ["%s :: %s;%s" % (name, e, more), "%s -> %s;" % (at, name)]
        return name, 2 if e == "PaintTee(1)" else outputs(e, r)

    def pulled(self, at):
        r = self.r
        at, _ = self.put(at, "Queue(%s)" % r.choice(["2", "5", "50", "1000"]))
        for _ in range(r.randrange(4)):
            at, n = self.put(at, r.choice(listed(PULLED)))
            self.lines += ["%s[%d] -> %s;" % (at, k, self.dump()) for k in range(1, n)]
        limit = r.choice(["", "", "", ", LIMIT 7", ", LIMIT 40"])
        return self.put(at, "Unqueue(%%b%s)" % limit)[0]

    def chain(self, at, elements, depth):
        r, joins = self.r, []
        for e in [p.strip() for e in elements for p in e.split("->")]:
            if r.random() < .1:
                at = self.pulled(at)
            at, n = self.put(at, e)
            for k in range(1, n):
                side, what = "%s[%d]" % (at, k), r.random()
                if what < .2 and depth < 2:
                    self.chain(side, chain(r), depth + 1)
                elif what < .4 and self.join:
                    joins.append(side)
                else:
                    self.lines.append("%s -> %s;" % (side, self.dump()))
            if joins and r.random() < .5:
                name, _ = self.put(at, "Null")
                self.lines += ["%s -> %s;" % (j, name) for j in joins]
                at, joins = name, []
        name, _ = self.put(at, self.dump())
        self.lines += ["%s -> %s;" % (j, name) for j in joins]

    def other(self, name):
        """Write the configuration that comes after, and say so."""
        r, lines = self.r, []
        for line in self.lines:
            line = re.sub(r"Counter.COUNT_CALL \d+ swap.run.", "Counter", line)
            if re.match(r"e\d+ :: Queue", line) and r.random() < .5:
                line = re.sub(r":: Queue[^;]*", ":: Queue(%d)" % r.choice([1, 3, 60]), line)
            if r.random() < .15:
                line = re.sub(r" :: (Counter|Paint.\d.);", " :: Null;", line)
            lines.append(line.replace(self.folder + "/", self.folder + "/then"))
        with open(name, "w") as f:
            f.write("\n".join(lines))
        self.lines.append("swap :: Script(TYPE PASSIVE, write hotconfig $(cat %s));" % name)


def dumped(name):
    """The packets of a dump, with their times as far as they are the trace's and not now."""
    with open(name, "rb") as f:
        b, out, at = f.read(), [], 24
    while at + 16 <= len(b):
        s, us, caught, length = struct.unpack_from("<IIII", b, at)
        out.append(((s, us) if s < 1000000000 else None, length, b[at + 16:at + 16 + caught]))
        at += 16 + caught
    return out


def result(click, text, folder):
    os.makedirs(folder)
    args = [a for h in HANDLERS for a in ("-h", "*." + h)]
    p = subprocess.run(["timeout", "10", click, "-R", *args, "-e", text], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    files = {f: dumped(os.path.join(folder, f)) for f in os.listdir(folder)}
    shutil.rmtree(folder)
    return p.returncode, p.stdout, p.stderr, files


def without_order(result):
    """What does not depend on batches: lines of several elements may come in any order."""
    status, out, errors, files = result
    out = re.sub(rb"Discard@\d+\.count:\n0\n\n?", b"", out + b"\n").strip()
    return status, out, sorted(errors.split(b"\n")), files


def differ(opt, seed, scratch):
    """Whether the builds do; None: the configuration is not one."""
    r = random.Random(seed)
    packets = Packets(r)
    trace, folder, then = scratch + "/in.pcap", scratch + "/out", scratch + "/then.click"
    packets.write_trace(trace)
    text = Configuration(r, packets, trace, folder, opt.swap and then, not opt.singly).text()
    old = result(opt.old, text, folder)
    new = result(opt.new, text + SINGLY if opt.singly else text, folder)
    if opt.singly:
        old, new = without_order(old), without_order(new)
    if old == new:
        return None if old[0] else False
    again = result(opt.old, text, folder)
    if (without_order(again) if opt.singly else again) != old:
        return None
    kept = "%s/%d" % (opt.keep, seed)
    os.makedirs(kept, exist_ok=True)
    shutil.copy(trace, kept)
    if opt.swap:
        shutil.copy(then, kept)
    with open(kept + "/config.click", "w") as f:
        f.write(text.replace(trace, kept + "/in.pcap").replace(then, kept + "/then.click"))
    what = [w for w, a, b in zip(["status", "output", "errors"], old, new) if a != b]
    what += sorted(f for f in old[3] if old[3][f] != new[3].get(f))
    print("seed %d differs in %s: %s" % (seed, ", ".join(what), kept), flush=True)
    return True


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("old")
    p.add_argument("new")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=1000)
    p.add_argument("--keep", default="/tmp/compare_builds")
    p.add_argument("--swap", action="store_true", help="exchange configurations on the way")
    p.add_argument("--singly", action="store_true", help="packets go one by one in NEW")
    opt = p.parse_args()
    got = []
    for seed in range(opt.seed, opt.seed + opt.count):
        with tempfile.TemporaryDirectory() as scratch:
            got.append(differ(opt, seed, scratch))
    print("%d configurations ran, %d differ, %d were none" % (
        len(got) - got.count(None), got.count(True), got.count(None)))
    return 1 if True in got else 0


sys.exit(main())
