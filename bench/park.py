#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Very many parked VMs in one daemon, and some of them woken by a packet.

    bench/park.py BUILDDIR [N [WITH_STATE]] [--json FILE] [--test]

N VMs (100,000), each with an address, a MAC and a rule of its own, of which WITH_STATE (the
tenth part) have been started, given their configuration, and parked with what they are; the
others are declared, which is parked without a state. Then a sample of both kinds is pinged,
each with one packet that must not be lost, beside fresh starts of the like.

Printed, and written as JSON: how long it takes to make them, what one takes of the daemon's
memory and of the disk, what the daemon's answers take with that many, the processor's time
that all of them use together while nobody wants them, and how long it takes to wake one.

All goes through the API, as any client might do it. Needs root, for a TAP device. With
--test it says PASS or FAIL to what must be so on any machine.
"""

import http.client
import json
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

args = sys.argv[1:]
json_file = None
test = "--test" in args
if test:
    args.remove("--test")
if "--json" in args:
    at = args.index("--json")
    json_file = args[at + 1]
    del args[at:at + 2]
build = os.path.realpath(args[0] if args else "build/release")
total = int(args[1]) if len(args) > 1 else 100000
with_state = int(args[2]) if len(args) > 2 else total // 10
BURST = 64
clients = 4  # starts under way at a time
sample = min(50, with_state, total - with_state)
device = "park%d" % os.getpid()
my_mac, my_ip = bytes.fromhex("020000000009"), bytes((10, 64, 0, 1))

CONFIG = """
FromNetfront(0) -> c :: Classifier(12/0806 20/0001, 12/0800, -);
c[0] -> ARPResponder($IP $MAC) -> out :: ToNetfront(0);
c[1] -> CheckIPHeader(14)
     -> f :: IPFilter(0 icmp type echo and dst host $IP, 1 src host $FRIEND, 2 all);
f[0] -> ICMPPingResponder -> EtherMirror -> out;
f[1] -> n :: Counter -> EtherMirror -> out;
f[2] -> Discard; c[2] -> Discard;
"""


class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("clickos", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Failure(Exception):
    pass


class Api:
    """One connection, kept open."""

    def __init__(self, path):
        self.http = UnixHTTP(path)

    def __call__(self, method, path, body=None):
        self.http.request(method, path, None if body is None else json.dumps(body))
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise Failure("%s %s: %d %s" % (method, path, answer.status, text.decode()))
        return json.loads(text) if text else None


def ip_of(n):
    return "10.%d.%d.%d" % (65 + (n >> 16), n >> 8 & 255, n & 255)


def mac_of(n):
    return "02:00:01:%02x:%02x:%02x" % (n >> 16, n >> 8 & 255, n & 255)


def spec_of(n, lazy, name=None):
    return {"name": name or "p%d" % n, "lazy": lazy,
            "interfaces": [{"network": "lan", "mac": mac_of(n), "wake": "own",
                            "ip": [ip_of(n)]}],
            "config": {"text": CONFIG,
                       "defines": {"IP": ip_of(n), "MAC": mac_of(n),
                                   "FRIEND": "10.32.%d.%d" % (n >> 8 & 255, n & 255)}}}


class Daemon:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="clickos-park.")
        self.socket = self.dir + "/sock"
        self.log = open(self.dir + "/log", "wb")
        self.process = None

    def start(self):
        began = time.monotonic()
        self.process = subprocess.Popen(
            [build + "/clickosd", "--foreground", "--state", self.dir + "/state", "--socket",
             self.socket], stdout=self.log, stderr=self.log)
        while True:
            try:
                self.api = Api(self.socket)
                self.api("GET", "/v1/version")
                return time.monotonic() - began
            except (OSError, http.client.HTTPException):
                if self.process.poll() is not None:
                    raise Failure("clickosd: " + open(self.dir + "/log").read()) from None
                time.sleep(0.05)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.process = None

    def cpu_s(self):
        fields = open("/proc/%d/stat" % self.process.pid).read().rsplit(")")[-1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kib(self):
        for line in open("/proc/%d/status" % self.process.pid):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def disk_kib(self):
        """Of the state folder, in whole blocks."""
        kib = 0
        for folder, _, files in os.walk(self.dir + "/state"):
            for f in files:
                kib += os.lstat(os.path.join(folder, f)).st_blocks // 2
        return kib


def in_parallel(daemon, numbers, work):
    """work(api, n) for all of them, over a few connections."""
    queue, errors = iter(numbers), []
    lock = threading.Lock()

    def run():
        api = Api(daemon.socket)
        try:
            while not errors:
                with lock:
                    n = next(queue, None)
                if n is None:
                    return
                work(api, n)
        except (Failure, OSError, http.client.HTTPException) as e:
            errors.append(e)

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise Failure(str(errors[0]))


# ---- packets ---------------------------------------------------------------------------


def checksum(data):
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    s = (s >> 16) + (s & 0xffff)
    return ~(s + (s >> 16)) & 0xffff


def echo(n, seq):
    icmp = struct.pack("!BBHHH", 8, 0, 0, n & 0xffff, seq) + bytes(range(56))
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0, my_ip,
                     socket.inet_aton(ip_of(n)))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return bytes.fromhex(mac_of(n).replace(":", "")) + my_mac + b"\x08\x00" + ip + icmp


class Wire:
    def __init__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.sock.bind((device, 0x0800))

    def answers(self, n, first, until):
        """Sequence numbers of replies from `n`; the time of the first."""
        while not select.select([self.sock], [], [], max(0, until - time.monotonic()))[0]:
            return None
        frame = self.sock.recv(2048)
        if frame[26:30] == socket.inet_aton(ip_of(n)) and frame[34] == 0:
            return struct.unpack("!H", frame[40:42])[0]
        return -1

    def ping(self, n, count=1, patience=10):
        """ms from the first of `count` packets sent at once to its reply, and how many
        replies came in the end."""
        began, seen, first = time.monotonic(), set(), None
        for seq in range(count):
            self.sock.send(echo(n, seq))
        until = began + patience
        while len(seen) < count:
            seq = self.answers(n, first, until)
            if seq is None:
                break
            if seq >= 0:
                first = first or time.monotonic() - began
                seen.add(seq)
        return (first or 0) * 1e3, len(seen)


# ---- what is measured --------------------------------------------------------------------


def median(list_):
    return sorted(list_)[len(list_) // 2] if list_ else 0


def timed_ms(call, times=20):
    took = []
    for _ in range(times):
        began = time.monotonic()
        call()
        took.append((time.monotonic() - began) * 1e3)
    return median(took)


def timing(api, name):
    return api("GET", "/v1/vms/" + name)["timing"]["total_us"] / 1e3


def make_all(daemon, out):
    def park(api, n):
        api("POST", "/v1/vms", spec_of(n, False))
        api("POST", "/v1/vms/p%d/park" % n)

    def declare(api, n):
        api("POST", "/v1/vms", spec_of(n, True))

    for what, numbers, work in (("parked with a state", range(with_state), park),
                                ("declared", range(with_state, total), declare)):
        kib, disk, began = daemon.kib(), daemon.disk_kib(), time.monotonic()
        in_parallel(daemon, numbers, work)
        took, n = time.monotonic() - began, max(1, len(numbers))
        row = {"vms": len(numbers), "seconds": took, "ms_each": took / n * 1e3,
               "daemon_kib_each": (daemon.kib() - kib) / n,
               "disk_kib_each": (daemon.disk_kib() - disk) / n}
        out[what] = row
        print("%6d %-20s %6.1f s, %5.2f ms each; daemon %.1f KiB, files %.1f KiB each" %
              (row["vms"], what, took, row["ms_each"], row["daemon_kib_each"],
               row["disk_kib_each"]), flush=True)


def idle(daemon, out):
    time.sleep(2)
    cpu, began = daemon.cpu_s(), time.monotonic()
    time.sleep(10)
    out["idle_cpu_share"] = (daemon.cpu_s() - cpu) / (time.monotonic() - began)
    monitors = subprocess.run(["pgrep", "-c", "-P", str(daemon.process.pid)],
                              capture_output=True, text=True).stdout.strip()
    print("idle: %.4f of a processor for all of them, switch included; child processes of the "
          "daemon: %s" % (out["idle_cpu_share"], monitors))


def answers(daemon, out):
    api, n = daemon.api, total - 1
    out["show_ms"] = timed_ms(lambda: api("GET", "/v1/vms/p%d" % n))
    out["list_ms"] = timed_ms(lambda: api("GET", "/v1/vms"), 3)
    print("answers: one VM %.2f ms, the list of all %.0f ms" % (out["show_ms"], out["list_ms"]))


def wake_some(daemon, out):
    api, wire = daemon.api, Wire()
    kinds = {"parked": random.sample(range(with_state), sample),
             "declared": random.sample(range(with_state, total), sample)}
    took = {"fresh": [], "parked": [], "declared": []}
    ping = {"parked": [], "declared": []}
    lost = 0
    for i in range(sample):
        name = "fresh%d" % i
        api("POST", "/v1/vms", spec_of(total + i, False, name))
        took["fresh"].append(timing(api, name))
        api("DELETE", "/v1/vms/" + name)
        for kind, numbers in kinds.items():
            ms, answered = wire.ping(numbers[i])
            lost += answered != 1
            ping[kind].append(ms)
            took[kind].append(timing(api, "p%d" % numbers[i]))
            time.sleep(0.01)  # for the pool
    out["wake_ms"] = {kind: median(list_) for kind, list_ in took.items()}
    out["first_ping_ms"] = {kind: median(list_) for kind, list_ in ping.items()}
    out["woken"], out["lost"] = 2 * sample, lost
    ms = out["wake_ms"]
    print("woken by a ping: %d, answers lost: %d" % (out["woken"], lost))
    print("start %.2f ms; wake %.2f ms (%.2f x) with a state, %.2f ms (%.2f x) declared; to the "
          "ping's reply %.2f and %.2f ms" %
          (ms["fresh"], ms["parked"], ms["parked"] / ms["fresh"], ms["declared"],
           ms["declared"] / ms["fresh"], out["first_ping_ms"]["parked"],
           out["first_ping_ms"]["declared"]))
    return lost == 0


def bursts(daemon, out):
    """As many packets at once as are kept for a parked interface."""
    wire, asked = Wire(), 0
    out["burst_lost"] = 0
    for n in random.sample(range(total), min(10, total)):
        if daemon.api("GET", "/v1/vms/p%d" % n)["state"] == "parked":
            asked += BURST
            out["burst_lost"] += BURST - wire.ping(n, BURST)[1]
    print("woken by %d pings at once: lost %d of %d" % (BURST, out["burst_lost"], asked))
    return out["burst_lost"] == 0


def restart(daemon, out):
    """One ping each to some that are parked, at once: the new daemon knows none of them yet."""
    parked = [n for n in random.sample(range(total), min(4 * sample, total))
              if daemon.api("GET", "/v1/vms/p%d" % n)["state"] == "parked"][:2 * sample]
    daemon.stop()
    wire, waiting, took = Wire(), {socket.inet_aton(ip_of(n)) for n in parked}, []
    out["restart_s"] = daemon.start()
    began = time.monotonic()
    for n in parked:
        wire.sock.send(echo(n, 0))
    while waiting and select.select([wire.sock], [], [], 20)[0]:
        frame = wire.sock.recv(2048)
        if frame[34] == 0 and frame[26:30] in waiting:
            waiting.remove(frame[26:30])
            took.append(time.monotonic() - began)
    out["restart_pinged"], out["restart_lost"] = len(parked), len(waiting)
    out["restart_ping_s"] = {"median": median(took), "last": max(took, default=0)}
    print("a new daemon: %.2f s until it answers; of %d pings to parked VMs %d were lost, replies "
          "after %.2f s, the last after %.2f s" %
          (out["restart_s"], len(parked), len(waiting), median(took), max(took, default=0)))
    return not waiting


def check(what, holds):
    if test:
        print("%s park/%s" % ("PASS" if holds else "FAIL", what))
    return holds


def add_tap(daemon):
    """The kernel's own packets, which go to everybody, stay out of it."""
    daemon.api("POST", "/v1/ports",
               {"name": "tap", "kind": "tap", "network": "lan", "ifname": device})
    with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % device, "w") as f:
        f.write("1")
    subprocess.run(["ip", "link", "set", device, "up", "arp", "off", "multicast", "off"],
                   check=True)


def main():
    daemon, out, good = Daemon(), {"vms": total}, False
    try:
        daemon.start()
        daemon.api("POST", "/v1/networks", {"name": "lan", "max_addresses": 2 * total + 1000})
        make_all(daemon, out)
        add_tap(daemon)
        answers(daemon, out)
        idle(daemon, out)
        good = wake_some(daemon, out)
        check("no_packet_is_lost", good)
        good &= check("no_packet_of_a_burst_is_lost", bursts(daemon, out))
        good &= check("they_use_no_processor", out["idle_cpu_share"] < 0.02)
        good &= check("a_new_daemon_loses_no_packet", restart(daemon, out))
        if json_file:
            with open(json_file, "w") as f:
                json.dump(out, f, indent=1)
    except Failure as e:
        print("park: %s" % e, file=sys.stderr)
    finally:
        end(daemon)
    return 0 if good else 1


def end(daemon):
    try:
        for vm in daemon.api("GET", "/v1/vms")["vms"]:
            if vm["state"] != "parked":
                daemon.api("DELETE", "/v1/vms/" + vm["name"])
        daemon.api("DELETE", "/v1/ports/tap")
    except (Failure, OSError, http.client.HTTPException) as e:
        print("park: cleaning up: %s" % e, file=sys.stderr)
    daemon.stop()
    shutil.rmtree(daemon.dir, ignore_errors=True)


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print("SKIP park: no TAP device without root")
        sys.exit(0)
    sys.exit(main())
