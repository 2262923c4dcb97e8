#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""VMs made, changed, parked, copied and killed at random, under traffic.

    tests/soak.py BUILDDIR [SECONDS [SEED]]
    tests/soak.py BUILDDIR leaks

Every command must end in time and in one of the ways that it may. The time is divided into
rounds; at the end of each everything is removed, and then nothing may be left: no process,
descriptor, memory, network device, control group or file. With "leaks" something is left
each time on purpose, and must be found. Needs root; runs in a network namespace of its own.
"""

import glob
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

build = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "build/release")
leaks = sys.argv[2:3] == ["leaks"]
seconds = 2 if leaks else float(sys.argv[2]) if len(sys.argv) > 2 else 60
seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
rng = random.Random(seed)

ROUND = 20  # seconds
MANY = 24  # VMs at one time, about
GROWTH = 16 << 10  # KiB that the daemon may grow by from the second round on

CONFIGS = {
    "forward": "FromNetfront(0) -> c :: Counter -> ToNetfront(0);",
    "count": "FromNetfront(0) -> c :: Counter -> q :: Queue(100) -> Unqueue -> Discard;",
    "timer": "FromNetfront(0) -> c :: Counter -> Discard; TimedSource(0.5, x) -> Discard;",
    "define": "define($N 1); FromNetfront(0) -> c :: Counter -> Paint($N) -> Discard;",
    "busy": "FromNetfront(0) -> c :: Counter -> Discard; RatedSource(RATE 2000) -> Discard;",
}
BAD = "FromNetfront(0) -> Quee(3) -> Discard;"


# What is left on purpose, and how that reads.
LEAKS = {
    "file": "files: state/parked/left",
    "process": "processes: ",
    "descriptor": r"\+\d+ descriptors",
    "device": "devices: .*soakleak",
    "memory": "the daemon has grown by",
}


class Failure(Exception):
    pass


class Soak:
    def __init__(self, leak=None):
        self.leak = leak
        self.held = []
        self.dir = tempfile.mkdtemp(prefix="clickos-soak.")
        self.env = dict(os.environ, CLICKOS_SOCKET=self.dir + "/sock",
                        PATH=build + ":" + os.environ["PATH"])
        self.log = open(self.dir + "/log", "ab")
        self.daemon = None
        self.next = 0
        self.done = {}  # command -> [well, refused]
        self.files = []

    # ---- the daemon ------------------------------------------------------------------

    def start(self):
        self.daemon = subprocess.Popen(
            ["clickosd", "--foreground", "--state", self.dir + "/state", "--socket",
             self.dir + "/sock", "--pool", "2", "--park-after", "3"],
            env=self.env, stdout=self.log, stderr=self.log)
        self.run("wait", "--timeout", "30")

    def kill_daemon(self):
        self.daemon.send_signal(rng.choice([signal.SIGKILL, signal.SIGTERM]))
        self.daemon.wait()
        if rng.random() < 0.5:  # and some monitor with it, or while it is away
            self.kill_some(self.pids)
        self.start()

    def processes(self):
        """All that were ever started by a daemon of ours, itself and its fork server among
        them; they have its environment."""
        mark = ("CLICKOS_SOCKET=%s/sock\0" % self.dir).encode()
        return [p for p in map(int, filter(str.isdigit, os.listdir("/proc")))
                if mark in environment(p) and comm(p) != "clickos"]

    def children(self):
        """Monitors and guests, but for shells."""
        server = [p for p in pids_of(self.daemon.pid) if b"--server" in cmdline(p)]
        known = [self.daemon.pid] + server
        return [p for p in self.processes() if p not in known and comm(p) != "shell"]

    def descriptors(self):
        """But for those of shells: connection, wake-up, packet memory, doorbell."""
        server = [p for p in pids_of(self.daemon.pid) if b"--server" in cmdline(p)]
        shells = [p for s in server for p in pids_of(s) if comm(p) == "shell"]
        return len(os.listdir("/proc/%d/fd" % self.daemon.pid)) - 4 * len(shells)

    # ---- commands --------------------------------------------------------------------

    def run(self, *args, may_fail=False):
        try:
            p = subprocess.run(["clickos", *args], env=self.env, timeout=60,
                               capture_output=True, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            raise Failure("no end: clickos " + " ".join(args)) from None
        verb = args[0]
        self.done.setdefault(verb, [0, 0])[p.returncode != 0] += 1
        err = p.stderr.decode(errors="replace")
        if p.returncode not in ((0, 1, 4) if may_fail else (0,)):
            raise Failure("exit status %d: clickos %s\n%s" % (p.returncode, " ".join(args), err))
        if p.returncode and not err.startswith("clickos:") and "error" not in err:
            raise Failure("no reason: clickos %s\n%s" % (" ".join(args), err))
        return p.stdout.decode(errors="replace"), p.returncode

    def vms(self):
        lines = self.run("ps")[0].splitlines()[1:]
        rows = [l.split() for l in lines]
        self.pids = [int(r[3]) for r in rows if len(r) > 3 and r[3].isdigit()]
        return [r[0] for r in rows]

    def some(self):
        names = self.vms()
        return rng.choice(names) if names else None

    def name(self):
        self.next += 1
        return "v%d" % self.next

    # ---- what happens ------------------------------------------------------------------

    def do_run(self):
        if len(self.vms()) >= MANY:
            return self.do_rm()
        name, kind = self.name(), rng.choice(list(CONFIGS))
        options = ["--if", "a" + rng.choice(["", ",wake=own", ",ip=10.0.0.%d" % (self.next % 250),
                                             ",pps=5000"])]
        options += ["--isolation", rng.choice(["auto", "auto", "process"])]
        options += ["--restart", rng.choice(["no", "on-failure", "always"])]
        options += rng.choice([[], [], ["--lazy"], ["--park-after", "1"]])
        self.run("run", name, "-e", CONFIGS[kind], *options)
        return None

    def do_rm(self):
        if self.some():
            self.run("rm", self.some(), may_fail=True)

    def on_one(self, verb, *more):
        vm = self.some()
        if vm:
            self.run(verb, vm, *more, may_fail=True)

    def do_install(self):
        self.on_one("install", "-e", rng.choice(list(CONFIGS.values())))

    def do_second(self):
        self.on_one("install", "-c", "aux", "-e", "Idle -> c :: Counter -> Discard;")

    def do_bad(self):
        vm = self.some()
        if vm and self.run("install", vm, "-e", BAD, may_fail=True)[1] == 0:
            raise Failure("nonsense was installed in " + vm)

    def do_read(self):
        self.on_one("read", "c.count")

    def do_park(self):
        self.on_one("park")

    def do_wake(self):
        self.on_one("wake")

    def do_clone(self):
        if len(self.vms()) < MANY:
            self.on_one("clone", "-n", str(rng.randint(1, 3)), "--name", self.name() + "-{}", "N=2")

    def do_snapshot(self):
        vm = self.some()
        file = "%s/snap%d" % (self.dir, rng.randrange(4))
        if vm and self.run("snapshot", vm, file, may_fail=True)[1] == 0:
            self.files.append(file)

    def do_restore(self):
        if self.files and len(self.vms()) < MANY:
            self.run("restore", rng.choice(self.files), self.name(), may_fail=True)

    def do_traffic(self):
        """A stream to one of them."""
        vm = self.some()
        if not vm:
            return
        out, rc = self.run("ps", vm, "--json", may_fail=True)
        mac = re.search(r'"mac": "([^"]+)"', out)
        if rc == 0 and mac:
            self.run("port", "rm", "g%d" % rng.randrange(3), may_fail=True)
            self.run("port", "add", "g%d" % rng.randrange(3), "gen", "--net", "a",
                     "rate=%d" % rng.choice([5, 300, 5000]), "dst_mac=" + mac.group(1), may_fail=True)

    def do_tap(self):
        tap = "t%d" % rng.randrange(3)
        if self.run("port", "rm", tap, may_fail=True)[1]:
            self.run("port", "add", tap, "tap", "--net", "a")
            subprocess.run(["ip", "link", "set", tap, "up"], check=True)

    def kill_some(self, pids):
        if pids:
            try:
                os.kill(rng.choice(pids), rng.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGKILL]))
            except ProcessLookupError:
                pass  # it was quicker

    def do_kill(self):
        self.vms()
        self.kill_some(self.pids)

    def act(self):
        weights = {"run": 8, "rm": 4, "install": 4, "second": 2, "bad": 1, "read": 6, "park": 4,
                   "wake": 2, "clone": 2, "snapshot": 2, "restore": 2, "traffic": 4, "tap": 2, "kill": 2}
        what = rng.choices(list(weights), list(weights.values()))[0]
        getattr(self, "do_" + what)()

    # ---- on purpose --------------------------------------------------------------------

    def leak_file(self):
        open(self.dir + "/state/parked/left", "w").close()

    def leak_process(self):
        """A monitor that no daemon knows of any more."""
        self.run("run", "stray", "-e", CONFIGS["count"], "--net", "a")
        self.daemon.kill()
        self.daemon.wait()
        for f in ("/state/vms/stray", "/state/run/stray.sock"):
            os.unlink(self.dir + f)
        self.start()

    def leak_descriptor(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.dir + "/sock")
        self.held.append(s)

    def leak_device(self):
        subprocess.run(["ip", "tuntap", "add", "soakleak", "mode", "tap"], check=True)

    def leak_memory(self):
        """What the daemon keeps of a request that never ends."""
        self.leak_descriptor()
        self.fds += 1
        self.held[-1].sendall(b"POST /v1/lint HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000\r\n"
                              b"\r\n" + bytes(15900000))

    # ---- nothing is left --------------------------------------------------------------

    def clean_up(self):
        for p in ("g0", "g1", "g2", "t0", "t1", "t2"):
            self.run("port", "rm", p, may_fail=True)
        self.run("rm", "--all", may_fail=True)
        self.run("rm", "--all", may_fail=True)  # one that was being removed already
        for f in set(self.files):
            os.unlink(f)
        self.files = []

    def left(self):
        """What is there that should not be, as text."""
        state = [os.path.relpath(p, self.dir) for p in glob.glob(self.dir + "/state/*/*")]
        state = [p for p in state if not p.startswith("state/networks/")]
        temporary = glob.glob(self.dir + "/state/*/.*") + glob.glob(self.dir + "/vm/*")
        groups = glob.glob("/sys/fs/cgroup/**/clickos/v*", recursive=True)
        fds = self.descriptors() - self.fds
        return "; ".join(filter(None, [
            state and "files: " + " ".join(state),
            temporary and "files: " + " ".join(temporary),
            self.children() and "processes: %s" % self.children(),
            fds > 0 and "%+d descriptors" % fds,
            groups and "control groups: %s" % groups,
            device_names() - self.devices and "devices: %s" % (device_names() - self.devices)]))

    def settle(self):
        """Shells come and go by themselves: until all is as it was, or some seconds."""
        for _ in range(50):
            if not self.left():
                break
            time.sleep(0.1)
        return self.left()

    def round(self, until):
        while time.monotonic() < until:
            self.act()
        if rng.random() < 0.6 and not self.leak:
            self.vms()
            self.kill_daemon()
            for _ in range(5):
                self.act()
        self.clean_up()
        if self.leak:
            getattr(self, "leak_" + self.leak)()
        if self.settle():
            raise Failure("left over: " + self.left())
        return rss(self.daemon.pid)

    def main(self):
        self.start()
        self.run("net", "add", "a")
        # All VMs have the same shape, and so have the shells from now on.
        self.run("run", "warm", "-e", CONFIGS["count"], "--net", "a")
        self.run("rm", "warm")
        time.sleep(1)
        self.fds = self.descriptors()
        self.devices = device_names()
        end = time.monotonic() + seconds
        grown, pid, rounds = {}, None, 0
        while time.monotonic() < end or (self.leak and rounds < 4):
            rounds += 1
            kib = self.round(min(end, time.monotonic() + ROUND))
            if pid == self.daemon.pid and kib - grown.setdefault(pid, kib) > GROWTH:
                raise Failure("the daemon has grown by %d KiB" % (kib - grown[pid]))
            pid = self.daemon.pid
        print("# " + ", ".join("%s %d+%d" % (k, *v) for k, v in sorted(self.done.items())))

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            try:
                self.run("rm", "--all", may_fail=True)
            except Failure:
                pass
            self.daemon.terminate()
            self.daemon.wait()
        for p in self.processes():
            os.kill(p, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)


def pids_of(parent):
    try:
        with open("/proc/%d/task/%d/children" % (parent, parent)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def cmdline(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return f.read()
    except OSError:
        return b""


def environment(pid):
    try:
        with open("/proc/%d/environ" % pid, "rb") as f:
            return f.read() + b"\0"
    except OSError:
        return b""


def comm(pid):
    try:
        with open("/proc/%d/comm" % pid) as f:
            return f.read().strip()
    except OSError:
        return ""


def rss(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def device_names():
    return {name for _, name in socket.if_nameindex()}


def own_network():
    """Others on this machine make network devices, too."""
    if os.environ.get("SOAK_NETNS") or not shutil.which("unshare"):
        return
    os.environ["SOAK_NETNS"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable] + sys.argv)


def soak_once(leak=None):
    """None, or what was wrong, and the end of the log."""
    soak = Soak(leak)
    try:
        soak.main()
        return None, ""
    except Failure as e:
        with open(soak.dir + "/log", errors="replace") as f:
            return str(e), "".join("--- " + l for l in f.readlines()[-20:])
    finally:
        soak.close()


def find_leaks():
    failed = 0
    for leak, words in LEAKS.items():
        found = soak_once(leak)[0]
        good = found and re.search(words, found)
        failed += not good
        print("%s soak/finds-a-%s" % ("PASS" if good else "FAIL", leak) +
              ("" if good else ": %s" % found))
    return failed > 0


def main():
    if os.geteuid() != 0:
        print("SKIP soak: not root")
        return 0
    own_network()
    if leaks:
        return find_leaks()
    wrong, log = soak_once()
    print("%s soak/%ds seed %d%s" % ("FAIL" if wrong else "PASS", seconds, seed,
                                     ": " + wrong if wrong else ""))
    if wrong:
        print(log)
    return wrong is not None


sys.exit(main())
