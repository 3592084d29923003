# SPDX-License-Identifier: MIT
"""A node under `reconcile run` and a companion that breaks it. One round: something that makes mending hard, and something
to mend; whatever is not excused has to be whole while it lasts, and everything after it ended. Started by `run` beside this file.
"""
import argparse
import json
import os
import random
import re
import signal
import statistics
import sys
import time

from faults import FAULTS
from node import Node

PATIENCE = 90  # seconds: who has not converged by then never does
GROWTH_KIB, GROWTH_FDS = 4096, 8


def seconds(text):
    match = re.fullmatch(r"(\d+)([smhd]?)", text)
    if not match:
        sys.exit(f"soak: SOAK={text} is no duration: expected 90s, 10m or 4h")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


class Failure(Exception):
    pass


class Soak:
    def __init__(self, node, seed, faults):
        self.node, self.random, self.faults = node, random.Random(seed), faults
        self.rounds = 0
        self.times = {}  # name of a fault → seconds until all was whole again
        self.deck = []

    def pause(self, span):
        """So long, with the agent tended."""
        end = time.monotonic() + span
        while time.monotonic() < end:
            self.node.tend()
            time.sleep(0.1)

    def until_whole(self, excused=(), watch=lambda: None):
        """Seconds until it is whole; raises when it never is."""
        began = time.monotonic()
        while True:
            wrong = self.node.wrong(excused)
            complaint = watch()
            if complaint:
                raise Failure(complaint)
            if not wrong:
                return time.monotonic() - began
            if time.monotonic() - began > PATIENCE:
                raise Failure(f"not whole after {PATIENCE} s: " + "; ".join(wrong))
            self.node.tend()
            time.sleep(0.02)

    def draw(self):
        """The faults of a round: one kind after the other, each before one comes up again; and something to mend
        together with those that make mending hard."""
        if not self.deck:
            self.deck = list(self.faults)
            self.random.shuffle(self.deck)
        first = self.deck.pop()
        drawn = [first(self.node, self.random)]
        drift = [fault for fault in FAULTS if fault.drift and fault.__name__ in first.beside]
        if not first.drift and drift:
            drawn.append(self.random.choice(drift)(self.node, self.random))
        return drawn if all(fault.possible() for fault in drawn) else []

    def round(self, drawn):
        begun = []
        try:
            for fault in drawn:
                fault.inject()
                begun.append(fault)
                self.pause(self.random.random() * 0.3)
            took = self.during(begun)
        finally:
            for fault in reversed(begun):
                fault.undo()
        took = max(took, self.until_whole())
        lost = self.node.lost()
        if lost:
            raise Failure("lost: " + "; ".join(lost))
        for fault in drawn:
            self.times.setdefault(fault.name, []).append(took)
        self.rounds += 1
        return took

    def during(self, begun):
        """While they last, the rest converges: seconds that it took."""
        def watch():
            return next((said for said in (fault.complaint() for fault in begun) if said), None)

        lasting = [fault for fault in begun if fault.lasts[1]]
        if not lasting:
            return 0
        took = 0
        end = time.monotonic() + max(self.random.uniform(*fault.lasts) for fault in lasting)
        if not any(fault.alone for fault in lasting):
            took = self.until_whole([name for fault in begun for name in fault.excuses()], watch)
        while time.monotonic() < end:
            if watch():
                raise Failure(watch())
            self.pause(0.3)
        return took

    def go(self, span, say):
        end = time.monotonic() + span
        while time.monotonic() < end:
            drawn = self.draw()
            if not drawn:
                continue
            names = " and ".join(fault.name for fault in drawn)
            try:
                took = self.round(drawn)
            except (Failure, AssertionError, OSError, RuntimeError) as error:
                raise Failure(f"round {self.rounds + 1}: {names}: {error}") from None
            say(f"{self.rounds:5}  {took:6.2f} s  {names}")

    # ---- the end

    def ended(self):
        """What must hold when all is over, as sentences that say what does not."""
        node, said = self.node, []
        if not node.stop():
            said.append("the agent did not end within 30 s of SIGTERM")
        for what, code in (("apply --yes", 0), ("apply --yes", 0), ("plan", 0)):
            got, out, err = node.command(*what.split())
            if got != code:
                said.append(f"{what} afterwards: exit {got}: {(out + err).strip()[-400:]}")
        said += [f"not whole at the end: {wrong}" for wrong in node.wrong()]
        said += [f"lost: {what}" for what in node.lost()]
        if node.processes():
            said.append(f"processes are left: {node.processes()}")
        said += self.left_over()
        said += [f"run {run['run']} has no end" for run in node.runs() if run["status"] == "running"]
        return said + self.grown()

    def left_over(self):
        """Files that a change leaves behind which was cut off."""
        node, said = self.node, []
        for top in (node.area, node.run_dir, node.var, "/var/lib/reconcile"):
            for folder, folders, names in os.walk(top):
                folders[:] = [name for name in folders if f"{folder}/{name}" != node.area + "/dead"]
                said += [f"left behind: {folder}/{name}" for name in names
                         if name.startswith(".") or name.endswith((".tmp", ".new"))]
        return said

    def grown(self):
        """Of each life of the agent that was long enough: did memory or descriptors grow?"""
        said = []
        for life in sorted({sample[0] for sample in self.node.samples}):
            samples = [sample for sample in self.node.samples if sample[0] == life]
            quarter = len(samples) // 4
            if quarter < 25:
                continue
            for column, most, what in ((2, GROWTH_KIB, "KiB of memory"), (3, GROWTH_FDS, "descriptors")):
                first = statistics.median(sample[column] for sample in samples[quarter:2 * quarter])
                last = statistics.median(sample[column] for sample in samples[-quarter:])
                if last > first + most:
                    said.append(f"the agent grew from {first:.0f} to {last:.0f} {what}")
        return said

    def report(self):
        lines = [f"{'fault':44} {'times':>5} {'median':>8} {'worst':>8}"]
        for name, times in sorted(self.times.items()):
            lines.append(f"{name:44} {len(times):5} {statistics.median(times):6.2f} s {max(times):6.2f} s")
        rss = [sample[2] for sample in self.node.samples if sample[2] > 1024]  # less: it has not begun yet
        fds = [sample[3] for sample in self.node.samples]
        if rss:
            lines.append(f"memory of the agent: {min(rss)} to {max(rss)} KiB, last {rss[-1]}; descriptors: "
                         f"{min(fds)} to {max(fds)}, last {fds[-1]}; {self.node.life} lives")
        return lines


def arguments():
    parser = argparse.ArgumentParser(prog="tests/soak/run", description="Breaks a node again and again; SOAK=DURATION")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--only", help="names of classes in faults.py, with commas")
    parser.add_argument("--list", action="store_true", help="the faults it knows")
    return parser.parse_args()


def main():
    given = arguments()
    if given.list:
        print("\n".join(f"{fault.__name__:16} {fault.name}" for fault in FAULTS))
        return 0
    span = seconds(os.environ["SOAK"])
    faults = [fault for fault in FAULTS if not given.only or fault.__name__ in given.only.split(",")]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"soak: {span} s, --seed {given.seed}", flush=True)
    node = Node(os.environ["SCRATCH"])
    soak = Soak(node, given.seed, faults)
    node.start()
    failed = []
    try:
        soak.until_whole()
        soak.go(span, lambda line: print(line, flush=True))
        failed = soak.ended()
    except Failure as error:
        failed = [str(error)]
    print("\n".join(soak.report()))
    injected = sum(len(times) for times in soak.times.values())
    print(f"{soak.rounds} rounds, {injected} faults injected, {len(soak.times)} of {len(faults)} kinds")
    if failed:
        print("\n".join(f"FAILED: {what}" for what in failed))
        with open(node.log_path, encoding="utf-8", errors="replace") as log:
            print("".join(["the agent said last:\n", *log.readlines()[-40:]]))
    every = len(node.samples) // 200 + 1
    summary = {"seed": given.seed, "seconds": span, "rounds": soak.rounds, "failed": failed, "times": soak.times,
               "life, second, KiB, descriptors": node.samples[::every]}
    os.makedirs(os.environ["BUILD"] + "/log", exist_ok=True)
    with open(os.environ["BUILD"] + "/log/soak.json", "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
