# SPDX-License-Identifier: MIT
"""What the companion does to the node. A fault is injected, lasts for a while if that makes sense, and is undone
unless mending it is what the agent is for. While it lasts, everything it does not excuse must still converge.
"""
import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from node import mounts, read, run, write


class Fault:
    """One way to break a node. `lasts`: seconds between injection and undoing, (least, most)."""
    name = ""
    lasts = (0, 0)
    drift = False  # it makes something other than wanted; the others make it hard to mend
    alone = False  # while it lasts nothing is mended
    beside = ("Unmount", "Remount", "Edit", "Undone", "OtherTree", "Unhold")  # drift that it goes together with

    def __init__(self, node, random):
        self.node, self.random = node, random

    def possible(self):
        return True

    def inject(self):
        raise NotImplementedError

    def undo(self):
        pass

    def excuses(self):
        """Names of the things that need not be whole while it lasts."""
        return ()

    def complaint(self):
        """Asked while it lasts: what must not be, as a sentence, or None."""
        return None


def insist(*argv):
    """Whoever writes or stands there is in the way for a moment: it is tried until it succeeds."""
    for _ in range(200):
        if subprocess.run(argv, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.05)
    run(*argv)


def unmount(target):
    """Nobody of the node itself may be in the way of an unmount: it is tried until it succeeds."""
    for _ in range(100):
        if subprocess.run(["umount", target], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        if target not in mounts():
            return
        time.sleep(0.05)
    run("umount", "-l", target)


class Unmount(Fault):
    name = "unmounts"
    drift = True

    def inject(self):
        for target in self.random.sample(["ram", "data"], self.random.randint(1, 2)):
            if f"{self.node.area}/{target}" in mounts():
                unmount(f"{self.node.area}/{target}")


class Remount(Fault):
    name = "remounts with other options"
    drift = True

    def inject(self):
        target = self.node.area + "/ram"
        if target in mounts():
            options = self.random.choice(["suid,dev", "ro,nosuid,nodev", "rw,nosuid,dev"])
            subprocess.run(["mount", "-o", f"remount,bind,{options}", target], check=False, stderr=subprocess.DEVNULL)


class Edit(Fault):
    name = "edits and removes files"
    drift = True

    def inject(self):
        for n in self.random.sample(range(4), 2):
            folder = f"{self.node.area}/d{n}"
            what = self.random.randrange(5)
            try:
                if what == 0:
                    write(folder + "/f", "edited\n", 0o640)
                elif what == 1:
                    os.chmod(folder + "/f", 0o777)
                elif what == 2:
                    os.remove(folder + "/f")
                elif what == 3:
                    os.chmod(folder, 0o700)
                elif n:  # somebody's file is in the first one
                    shutil.rmtree(folder)
            except FileNotFoundError:
                pass


class Link(Fault):
    name = "puts a link in the place of a file"
    lasts = (1, 3)  # a link is not followed, and what somebody put there is not removed
    beside = ("Unmount", "Remount", "Edit", "Undone", "Unhold")

    def inject(self):
        self.path = self.node.area + "/text"
        if os.path.lexists(self.path):
            os.remove(self.path)
        os.symlink(self.node.keep + "/data", self.path)

    def undo(self):
        os.remove(self.path)

    def excuses(self):
        return ("text",)


class Undone(Fault):
    name = "takes back what a command made"
    drift = True

    def inject(self):
        if os.path.exists(self.node.area + "/made"):
            os.remove(self.node.area + "/made")


class OtherTree(Fault):
    name = "wants something else"
    drift = True

    def inject(self):
        self.node.generation += 1
        self.node.write_tree()


class NoTree(Fault):
    name = "takes the tree away"
    lasts = (1, 4)
    beside = ("Unmount", "Remount", "Edit", "Undone", "Unhold")

    def inject(self):
        os.rename(self.node.tree, self.node.tree + ".away")

    def undo(self):
        os.rename(self.node.tree + ".away", self.node.tree)


class BadTree(Fault):
    name = "breaks the tree"
    lasts = (1, 4)
    beside = ("Unmount", "Remount", "Edit", "Undone", "Unhold")

    def inject(self):
        write(f"{self.node.tree}/state/defaults.yaml", self.random.choice(
            ["version: 1\nmounts: [\n", "version: 1\nmunts: {}\n", "\0\0\0", "version: 1\nholds: {x: {held: 7}}\n"]))

    def undo(self):
        os.remove(f"{self.node.tree}/state/defaults.yaml")


class BadPolicy(Fault):
    name = "adds a policy that fails"
    lasts = (1, 4)
    beside = ("Unmount", "Remount", "Edit", "Undone", "Unhold")

    def inject(self):
        os.makedirs(self.node.tree + "/policies", exist_ok=True)
        write(self.node.tree + "/policies/mine.lua", self.random.choice([
            "return {", "while true do end", "return {name='mine', summary='s', handles={}, plan=function() error('x') end}"]))

    def undo(self):
        shutil.rmtree(self.node.tree + "/policies")


class Kill(Fault):
    name = "kills the agent"

    def inject(self):
        for _ in range(self.random.randint(1, 4)):
            time.sleep(self.random.random() * 0.3)
            self.node.signal(signal.SIGKILL)
            self.node.agent.wait()
            self.node.start()


class KillWorker(Fault):
    name = "kills the agent's children"

    def inject(self):
        for _ in range(10):
            time.sleep(self.random.random() * 0.05)
            for pid in self.node.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


class Restart(Fault):
    name = "restarts the agent"

    def inject(self):
        if not self.node.stop():
            raise AssertionError("the agent did not end within 30 s of SIGTERM")
        self.node.start()


class Freeze(Fault):
    name = "stops the agent for a while"
    lasts = (1, 3)
    alone = True

    def inject(self):
        self.node.signal(signal.SIGSTOP)

    def undo(self):
        self.node.signal(signal.SIGCONT)


class Clock(Fault):
    name = "lets the agent wake in another time"

    def possible(self):
        return not self.node.dead and subprocess.run(
            ["unshare", "--time", "--boottime", "5", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0

    def inject(self):
        self.node.stop()
        self.node.in_time = self.random.choice([0, 0, 86400, 30 * 86400])
        self.node.start()


class Hang(Fault):
    name = "lets a file system hang"
    lasts = (4, 8)

    def possible(self):
        return self.node.hangfs is not None

    def inject(self):
        os.kill(self.node.hangfs, signal.SIGUSR1)
        self.node.dead = True

    def undo(self):
        os.kill(self.node.hangfs, signal.SIGUSR2)
        self.node.dead = False

    def complaint(self):
        stuck = self.node.stuck()
        return f"{len(stuck)} processes hang on one dead file system: {stuck}" if len(stuck) > 1 else None


class FullHistory(Fault):
    name = "fills the disk of the history"
    lasts = (2, 5)

    def path(self):
        return self.node.var

    def inject(self):
        with open(self.path() + "/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"\0" * 4096)
            except OSError:
                pass

    def undo(self):
        os.remove(self.path() + "/filler")


class FullRunDir(FullHistory):
    name = "fills the disk of the run-dir"
    alone = True  # whoever cannot write down what he is about to do does not do all of it

    def path(self):
        return self.node.run_dir


class FullArea(FullHistory):
    name = "fills a disk that things are wanted on"
    beside = ("Edit", "Undone", "OtherTree", "Unhold")

    def possible(self):
        return self.path() in mounts()

    def path(self):
        return self.node.area + "/ram"

    def inject(self):
        super().inject()
        try:
            os.remove(self.path() + "/sub/f")
            write(self.path() + "/filler2", "x" * 4096)
        except OSError:
            pass

    def undo(self):
        for name in ("/filler", "/filler2"):
            if os.path.exists(self.path() + name):
                os.remove(self.path() + name)
        if self.random.random() < 0.7:  # who has made room says so, or waits for the next try
            self.node.signal(signal.SIGHUP)

    def excuses(self):
        return ("ram/sub", "ram/sub/f")


class ReadOnlyHistory(Fault):
    name = "makes the disk of the history read-only"
    lasts = (2, 5)

    def inject(self):
        insist("mount", "-o", "remount,bind,ro", self.node.var)

    def undo(self):
        insist("mount", "-o", "remount,bind,rw", self.node.var)


class DamagedHistory(Fault):
    name = "damages the history"

    def inject(self):
        path = self.node.var + "/history.db"
        try:
            with open(path, "r+b", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                for _ in range(20):
                    file.seek(self.random.randrange(max(size - 512, 1)))
                    file.write(self.random.randbytes(512))
        except FileNotFoundError:
            pass


class NoRunDir(Fault):
    name = "removes the run-dir's files"

    def inject(self):
        if self.node.dead:
            return  # who hangs on what stands there
        for name in os.listdir(self.node.run_dir):
            path = f"{self.node.run_dir}/{name}"
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.exists(path):
                os.remove(path)


class DpkgLock(Fault):
    name = "holds the lock of dpkg"
    lasts = (2, 5)
    beside = ("Unmount", "Remount", "Edit", "Undone", "OtherTree")
    files = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock")

    def possible(self):
        return self.node.has_dpkg

    def inject(self):
        self.held = [os.open(path, os.O_RDWR | os.O_CREAT, 0o640) for path in self.files]
        subprocess.run(["dpkg", "--set-selections"], input="bash install\n", text=True, check=True)
        for fd in self.held:
            fcntl.lockf(fd, fcntl.LOCK_EX)

    def undo(self):
        for fd in self.held:
            os.close(fd)

    def excuses(self):
        return ("hold",)


class Unhold(Fault):
    name = "releases a hold"
    drift = True

    def possible(self):
        return self.node.has_dpkg

    def inject(self):
        subprocess.run(["dpkg", "--set-selections"], input="bash install\n", text=True, check=True)


class Pause(Fault):
    name = "pauses the node"
    lasts = (3, 5)
    alone = True
    beside = ()

    def inject(self):
        os.makedirs("/etc/reconcile", exist_ok=True)
        write("/etc/reconcile/PAUSE", "")
        time.sleep(2)  # a pass that is under way is not paused any more
        os.chmod(self.node.area + "/d3", 0o701)

    def complaint(self):
        mode = os.stat(self.node.area + "/d3").st_mode & 0o7777
        return f"something was mended on a paused node: d3 has mode {mode:04o}" if mode != 0o701 else None

    def undo(self):
        os.remove("/etc/reconcile/PAUSE")


class ByHand(Fault):
    name = "applies by hand at the same time"

    def inject(self):
        os.chmod(self.node.area + "/d1", 0o700)
        codes = [self.node.command("apply", "--yes", "--lock-timeout", "20s")[0] for _ in range(3)]
        if any(code not in (0, 2, 4, 6) for code in codes):
            raise AssertionError(f"apply by hand ended with {codes}")


class ReadAlong(Fault):
    name = "reads the history for long"
    lasts = (2, 5)

    def inject(self):
        self.reader = None
        path = self.node.var + "/history.db"
        try:
            if read(path) is not None:
                self.reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
                self.reader.execute("BEGIN")
                self.reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:  # damaged, or not there
            self.reader = None

    def undo(self):
        if self.reader:
            self.reader.close()


class FewDescriptors(Fault):
    name = "leaves the agent few descriptors"
    lasts = (1, 3)

    def limit(self, most):
        pid = self.node.agent_pid()
        if pid:
            subprocess.run(["prlimit", f"--nofile={most}:", "-p", str(pid)], check=False, stderr=subprocess.DEVNULL)

    def possible(self):
        return shutil.which("prlimit") is not None

    def inject(self):
        self.limit(self.random.choice([6, 8, 12]))

    def undo(self):
        self.limit(1024)

    def excuses(self):
        return tuple(thing.name for thing in self.node.things)


FAULTS = [Unmount, Remount, Edit, Link, Undone, OtherTree, NoTree, BadTree, BadPolicy, Kill, KillWorker, Restart, Freeze,
          Clock, Hang, FullHistory, FullRunDir, FullArea, ReadOnlyHistory, DamagedHistory, NoRunDir, DpkgLock, Unhold,
          Pause, ByHand, ReadAlong, FewDescriptors]
