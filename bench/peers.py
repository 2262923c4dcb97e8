#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The rows of the engine benchmark as anybody would run them: by whole drivers.

    bench/peers.py BUILDDIR [NAME=DRIVER ...] [--row TEXT] [--burst N] [--rounds N]
                   [--seconds S] [--json FILE]

Each row's configuration goes to our `click` and to every DRIVER named (Click's or FastClick's
`click`, say), a process of its own, pinned to one processor, in turn; printed are million
packets a second of processor time, medians of N rounds (3), and how many times the fastest
of the others ours is. Without other drivers it is compared with the figures that are known
of Click 2.1 and FastClick on a like machine.

A driver's figure is (n - m) / (time of n packets - time of m packets), so that its start is
not in it; n is as many as take it S seconds (0.4). Sources make bursts of 32 packets, or of
N; flows come from FastUDPFlows. A row that a driver cannot run has a dash. Traces, of up to
1.5 GB, lie in a folder below $TMPDIR (/tmp) while their row is measured.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile

FEEDER = "src :: FromNetfront(0, BURST 32, ACTIVE true)"


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("build")
    p.add_argument("peers", nargs="*", metavar="NAME=DRIVER")
    p.add_argument("--row", default="")
    p.add_argument("--burst", type=int, default=32)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.4)
    p.add_argument("--json")
    return p.parse_args()


def bench(*args):
    """Puts traces into the row's folder."""
    return subprocess.run([opt.build + "/engine_bench", *args], check=True, text=True,
                          env={**os.environ, "TMPDIR": folder or tempfile.gettempdir()},
                          stdout=subprocess.PIPE).stdout


class Row:
    def __init__(self, line):
        number, self.feed, size, packets, click, fastclick, self.name = line.split("\t")
        self.number, self.size, self.packets = int(number), int(size), int(packets)
        self.known = {"Click*": float(click) or None, "FastClick*": float(fastclick) or None}

    def config(self, packets):
        text = bench("--config", str(self.number), str(packets))
        if self.feed == "flows":
            text = text.replace(FEEDER, "FastUDPFlows(RATE 1000000000, LIMIT %d, "
                                "LENGTH 60, SRCETH 0:0:0:0:0:1, SRCIP 10.0.0.1, "
                                "DSTETH 0:0:0:0:0:2, DSTIP 2.0.0.2, FLOWS %d, "
                                "FLOWSIZE 1000000, STOP true) -> src :: Unqueue(BURST 32)"
                                % (packets, self.size))
        return text.replace("BURST 32", "BURST %d" % opt.burst)


def rows():
    listed = map(Row, bench("--list", "all").splitlines())
    return [r for r in listed if opt.row in r.name and not r.name.startswith("private: ")]


def seconds(driver, text):
    """None: it cannot."""
    name = os.path.join(folder, "row.click")
    with open(name, "w") as f:
        f.write(text)
    p = subprocess.Popen(["timeout", "120", "taskset", "-c", str(os.cpu_count() - 1),
                          driver, name], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = status
        return used.ru_utime + used.ru_stime if status == 0 else None
    finally:
        if p.returncode is None:  # we were told to stop; `timeout` ends the driver
            p.terminate()
            p.wait()


def enough(driver, row):
    """How many packets take long enough, or None. A trace is what it is."""
    n = 1 << 16
    while True:
        took = seconds(driver, row.config(n))
        if took is None:
            return None
        if row.feed == "trace":
            return row.packets
        if took >= opt.seconds or n >= 1 << 33:
            return n
        n *= 8 if took < opt.seconds / 10 else 2


def pace(driver, row, n):
    """Packets a second; None: not this time."""
    if row.feed == "trace":
        less, few = 0, "Script(stop)"
    else:
        less, few = n // 8, row.config(n // 8)
    long, short = seconds(driver, row.config(n)), seconds(driver, few)
    return (n - less) / (long - short) if long and short and long > short else None


def measure(drivers, row):
    global folder
    with tempfile.TemporaryDirectory(prefix="clickos-peers.") as folder:
        return medians(drivers, row)


def medians(drivers, row):
    n = {name: enough(path, row) for name, path in drivers}
    got = {name: [] for name, _ in drivers}
    for _ in range(opt.rounds):
        for name, path in drivers:
            p = pace(path, row, n[name]) if n[name] else None
            got[name] += [p / 1e6] if p else []
    return {name: statistics.median(v) if v else None for name, v in got.items()}


def cell(value, width):
    return ("%.2f" % value if value else "-").rjust(width)


def main():
    drivers = [("clickos", opt.build + "/click")]
    drivers += [tuple(p.split("=", 1)) for p in opt.peers]
    others = [name for name, _ in drivers[1:]] or ["Click*", "FastClick*"]
    out = []
    print("million packets a second of processor time, bursts of %d, medians of %d%s" % (
        opt.burst, opt.rounds, "" if opt.peers else "; *: known of a like machine"))
    print("%-34s%10s" % ("configuration", "clickos")
          + "".join("%12s" % o for o in others) + "%10s" % "x faster")
    for row in rows():
        got = measure(drivers, row)
        if not opt.peers:
            got.update(row.known)
        best = max([got[o] for o in others if got[o]], default=None)
        ours = got["clickos"]
        print("%-34s" % row.name + cell(ours, 10) + "".join(cell(got[o], 12) for o in others)
              + cell(ours / best if ours and best else None, 10), flush=True)
        out.append({"row": row.name, **got})
    if opt.json:
        with open(opt.json, "w") as f:
            json.dump(out, f, indent=1)


opt = options()
folder = None  # of the row that is measured: its configuration and its trace
signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
if any("=" not in p for p in opt.peers):
    sys.exit("a peer is NAME=DRIVER, e.g. click=/usr/local/bin/click")
try:
    main()
except KeyboardInterrupt:
    sys.exit("interrupted")
