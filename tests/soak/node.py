# SPDX-License-Identifier: MIT
"""The node that is kept whole: its tree, the agent that keeps it, and whether it is whole, which ordinary
tools say (the mount table, stat, dpkg-query) and never reconcile itself.

Everything lies below $SCRATCH, in namespaces of our own (see run).
"""
import json
import os
import shutil
import signal
import stat
import subprocess
import time

RECONCILE = os.environ["RECONCILE"]
PROGRAMS = os.environ["TEST_PROGRAMS"]
NODE = "soak"
INTERVAL = 2  # seconds between two passes


def run(*argv, check=True):
    """A program to its end, without our descriptors; its output as text."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def mounts():
    """Target to (type, options of the mount and of its file system), the topmost one; never asks a file system."""
    table = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        for line in lines:
            left, right = line.rstrip("\n").split(" - ")
            fields, tail = left.split(), right.split()
            table[fields[4]] = (tail[0], set(fields[5].split(",")) | set(tail[2].split(",")))
    return table


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Thing:
    """Something that the tree wants; `wrong` says what is wrong with it, or None."""

    def __init__(self, name, wrong):
        self.name, self.wrong = name, wrong


class Node:
    def __init__(self, scratch):
        self.area = scratch + "/area"
        self.tree = scratch + "/tree"
        self.keep = scratch + "/keep"
        self.var = scratch + "/var"
        self.run_dir = scratch + "/run"
        self.log_path = scratch + "/agent.log"
        self.agent = None
        self.generation = 1  # of the text that the tree wants in a file
        self.dead = False  # does the file system on area/dead hang?
        self.has_dpkg = shutil.which("dpkg-query") is not None
        self.hangfs = None
        self.samples = []  # (life, seconds, RSS in KiB, descriptors)
        self.life = 0
        self.in_time = 0  # seconds that the clocks since boot are ahead for the agent
        self.prepare(scratch)
        self.things = self.wanted()

    # ---- before anything runs

    def prepare(self, scratch):
        for folder in (self.area, self.keep, self.var, self.run_dir, self.tree + "/state/nodes"):
            os.makedirs(folder)
        for target in (self.var, self.run_dir):
            run("mount", "-t", "tmpfs", "-o", "size=6m,mode=0755", "tmpfs", target)
        for n, folder in enumerate(("/etc", "/var/lib")):
            upper = f"{scratch}/upper{n}"
            os.makedirs(upper)
            run("mount", "-t", "tmpfs", "-o", "size=64m,mode=0755", "tmpfs", upper)
            os.makedirs(upper + "/up")
            os.makedirs(upper + "/work")
            run("mount", "-t", "overlay", "-o", f"lowerdir={folder},upperdir={upper}/up,workdir={upper}/work",
                "overlay", folder)
        write(self.keep + "/data", "not to be lost\n")
        os.makedirs(self.area + "/d0")
        write(self.area + "/d0/somebodys", "not ours\n")
        os.makedirs(self.area + "/foreign")
        run("mount", "-t", "tmpfs", "-o", "size=1m", "foreign", self.area + "/foreign")
        self.start_hangfs()
        self.write_tree()

    def start_hangfs(self):
        if not (os.path.exists("/dev/fuse") and os.access(PROGRAMS + "/hangfs", os.X_OK)):
            return
        target = self.area + "/dead"
        os.makedirs(target)
        printed = run(PROGRAMS + "/hangfs", "-o",
                      "fsname=10.1.30.23@tcp:/soak,subtype=lustre,allow_other,dirs=d,lifetime=1000000", target)
        self.hangfs = int(printed.split()[0])

    def write_tree(self):
        a = self.area
        lines = [
            "version: 1", f'nodes: ["{NODE}"]', "mode: full", "mounts:",
            f"  {a}/ram: {{source: tmpfs, type: tmpfs, options: [rw, size=1m, nosuid, nodev], manage: live}}",
            f"  {a}/data: {{source: {self.keep}, type: none, options: [bind], manage: live}}",
        ]
        if self.hangfs:
            lines.append(f'  {a}/dead: {{source: "10.1.30.23@tcp:/soak", type: fuse.lustre, manage: live}}')
        if self.has_dpkg:
            lines.append("holds: [bash]")
        lines.append("resources:")
        for n in range(4):
            lines.append(f'  - {{kind: directory, path: {a}/d{n}, mode: "0750"}}')
            lines.append(f'  - {{kind: file, path: {a}/d{n}/f, content: "{n}\\n", mode: "0640"}}')
        lines.append(f'  - {{kind: directory, path: {a}/ram/sub, mode: "0711"}}')
        lines.append(f'  - {{kind: file, path: {a}/ram/sub/f, content: "on it\\n"}}')
        lines.append(f'  - {{kind: file, path: {a}/text, content: "{self.generation}\\n"}}')
        lines.append(f"  - {{kind: command, name: once, argv: [cp, {a}/d0/f, {a}/made], creates: {a}/made}}")
        if self.hangfs:
            lines.append(f"  - {{kind: directory, path: {a}/dead/d}}")
        path = f"{self.tree}/state/nodes/{NODE}.yaml"
        write(path + ".new", "\n".join(lines) + "\n")
        os.rename(path + ".new", path)

    # ---- whole?

    def wanted(self):
        a = self.area
        things = [Thing("ram", lambda: self.wrong_mount(a + "/ram", "tmpfs", {"nosuid", "nodev"})),
                  Thing("data", self.wrong_data)]
        if self.has_dpkg:
            things.append(Thing("hold", self.wrong_hold))
        for n in range(4):
            things.append(Thing(f"d{n}", lambda n=n: self.wrong_folder(f"{a}/d{n}", 0o750)))
            things.append(Thing(f"d{n}/f", lambda n=n: self.wrong_file(f"{a}/d{n}/f", f"{n}\n", 0o640)))
        things.append(Thing("ram/sub", lambda: self.wrong_folder(a + "/ram/sub", 0o711)))
        things.append(Thing("ram/sub/f", lambda: self.wrong_file(a + "/ram/sub/f", "on it\n", 0o644)))
        things.append(Thing("text", lambda: self.wrong_file(a + "/text", f"{self.generation}\n", 0o644)))
        things.append(Thing("once", lambda: None if os.path.exists(a + "/made") else "the command was not run"))
        return things

    @staticmethod
    def wrong_mount(target, kind, options):
        found = mounts().get(target)
        if not found:
            return f"{target} is not mounted"
        if found[0] != kind:
            return f"{target} is a {found[0]}"
        if "ro" in found[1]:
            return f"{target} is read-only"
        return f"{target} has no {options - found[1]}" if options - found[1] else None

    def wrong_data(self):
        if self.area + "/data" not in mounts():
            return "data is not mounted"
        return None if read(self.area + "/data/data") == b"not to be lost\n" else "data holds something else"

    @staticmethod
    def wrong_hold():
        said = run("dpkg-query", "-W", "-f", "${Status}", "bash", check=False)
        return None if said.startswith("hold ") else f"bash: {said}"

    @staticmethod
    def wrong_folder(path, mode):
        try:
            found = os.lstat(path).st_mode
        except OSError as error:
            return str(error)
        if not stat.S_ISDIR(found):
            return f"{path} is no directory"
        return None if stat.S_IMODE(found) == mode else f"{path} has mode {stat.S_IMODE(found):04o}"

    @staticmethod
    def wrong_file(path, text, mode):
        found = read(path)
        if found is None:
            return f"{path} is not there"
        if found != text.encode():
            return f"{path} holds {found[:40]!r}"
        found = stat.S_IMODE(os.lstat(path).st_mode)
        return None if found == mode else f"{path} has mode {found:04o}"

    def wrong(self, excused=()):
        """What is not as wanted, as sentences."""
        said = [(thing.name, thing.wrong()) for thing in self.things if thing.name not in excused]
        return [f"{name}: {why}" for name, why in said if why]

    def lost(self):
        """What was nobody's to touch and is not there any more."""
        said = []
        if read(self.keep + "/data") != b"not to be lost\n":
            said.append("the data behind the bind mount")
        if read(self.area + "/d0/somebodys") not in (b"not ours\n",):
            said.append("somebody's file in a folder of ours")
        if self.area + "/foreign" not in mounts():
            said.append("a mount that the tree does not name")
        return said

    # ---- the agent

    def options(self):
        return ["-C", self.tree, "--node", NODE, "--history", self.var + "/history.db", "--run-dir", self.run_dir]

    def start(self):
        argv = [RECONCILE, "run", "--interval", f"{INTERVAL}s", *self.options()]
        if self.in_time:
            argv = ["unshare", "--time", "--monotonic", str(self.in_time), "--boottime", str(self.in_time),
                    "--fork", "--kill-child", *argv]
        with open(self.log_path, "ab") as log:
            self.agent = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.life += 1

    def agent_pid(self):
        """Of the agent itself, which unshare may have started; None when there is none."""
        if not self.agent or self.agent.poll() is not None:
            return None
        if not self.in_time:
            return self.agent.pid
        children = read(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children") or b""
        return int(children.split()[0]) if children.split() else None

    def signal(self, number):
        pid = self.agent_pid()
        if pid:
            os.kill(pid, number)

    def stop(self, patience=30):
        """As a service manager does: asks, waits, and starts it no more. False: it had to be killed."""
        self.signal(signal.SIGTERM)
        try:
            self.agent.wait(patience)
            return True
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.agent.wait()
            return False

    def tend(self):
        """What a service manager does: what has ended is started again."""
        if self.agent.poll() is not None:
            self.start()
        pid = self.agent_pid()
        if not pid:
            return
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
                rss = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)
            self.samples.append((self.life, time.monotonic(), rss, len(os.listdir(f"/proc/{pid}/fd"))))
        except OSError:
            pass

    def command(self, *argv, patience=120):
        """A command of reconcile by hand: its exit code and what it printed."""
        done = subprocess.run([RECONCILE, *argv, *self.options()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=patience)
        return done.returncode, done.stdout, done.stderr

    def processes(self):
        """Pids of the program, the agent's own not among them."""
        found = []
        for pid in os.listdir("/proc"):
            try:
                if pid.isdigit() and os.readlink(f"/proc/{pid}/exe") == os.path.realpath(RECONCILE):
                    found.append(int(pid))
            except OSError:
                pass
        return [pid for pid in found if pid != self.agent_pid()]

    def stuck(self):
        """Those of them that wait for a file system that does not answer."""
        return [pid for pid in self.processes() if b"request_wait_answer" in (read(f"/proc/{pid}/wchan") or b"")]

    def runs(self):
        code, out, err = self.command("history", "--json", "--limit", "1000000")
        if code:
            raise RuntimeError(f"history: {err}")
        return json.loads(out)
