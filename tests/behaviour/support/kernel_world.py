#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Nodes on paper, and what becomes of them when each plan is carried out as shown. For many a start
(which kernels there are, which runs, which boots, for which the module is there or published, what is
wanted) reconcile plans for recorded facts, the world changes as the plan says, and it plans again.

What must hold: no plan is refused; after a few passes there is nothing more to change; no kernel
without a module becomes the default; no node is rebooted again and again; what a plan says that it
puts right is right afterwards.

	kernel_world.py RECONCILE FOLDER [COUNT [SEED]]
"""
import itertools
import json
import os
import random
import subprocess
import sys

PREFIX = "lustre-client-modules-"
TARGET = "/storage"
PASSES = 10

# How the module stands under a kernel: by package; built by DKMS.
BY_PACKAGE = ["installed", "published", "missing", "damaged"]
BY_DKMS = ["installed", "added", "no headers", "failed", "excluded"]
STRATEGIES = {
    "pin": "kernel: {{release: {old}, strategy: pin}}\n",
    "pin newest": "kernel: {{release: {new}, strategy: pin}}\n",
    "pin glob": 'kernel: {{release: "6.*", strategy: pin}}\n',
    "follow": "kernel: {{strategy: follow}}\n",
    "none": "kernel: {{strategy: none}}\n",
    "unset": "",
}
REBOOTS = {
    "never": "",
    "now": "reboot: {when: now, attempts_per_kernel: 2}\n",
    "trial": "reboot: {when: now, trial: true, attempts_per_kernel: 2}\n",
}


def package_of(release):
    return PREFIX + release


class World:
    def __init__(self, rng):
        self.dkms = rng.random() < 0.4
        self.old, self.new = ("6.1.0-50-amd64", "6.12.38-amd64") if self.dkms else ("6.8.0-1039-aws", "6.8.0-1042-aws")
        self.module = "beegfs" if self.dkms else "lustre"
        self.strategy = rng.choice(list(STRATEGIES))
        self.reboot = rng.choice(list(REBOOTS))
        self.unsupported = rng.choice([None, None, "pin", "skip"])
        self.installed = rng.choice([[self.old], [self.old, self.new], [self.old, self.new]])
        self.image = rng.choice([False, True])  # kernels that are not installed are published
        self.running = rng.choice(self.installed)
        self.default = rng.choice(self.installed)
        self.own = rng.choice([False, True])
        self.once = rng.choice([None, None, None] + self.installed)
        self.standing = {r: rng.choice(BY_DKMS if self.dkms else BY_PACKAGE) for r in (self.old, self.new)}
        self.hangs = rng.random() < 0.15  # of the new one: it comes up and the mount never does
        self.loaded = self.standing[self.running] == "installed" and rng.random() < 0.5
        self.mounted = self.loaded and rng.random() < 0.5
        self.held, self.options = set(), {"APT::NeverAutoRemove": [], "Unattended-Upgrade::Package-Blacklist": []}
        self.ledger = None
        self.attempts = {}
        self.boots = 0
        self.unproved = []
        if rng.random() < 0.3:
            self.pinned_before(rng.choice(self.installed))
        self.put_back = rng.random() < 0.5  # a damaged package is still published

    # What a pin of an earlier tree has left.
    def pinned_before(self, release):
        self.held = {"linux-aws", "linux-image-" + release}
        for option in self.options:
            self.options[option] = sorted(self.pattern(name) for name in self.held)

    @staticmethod
    def pattern(name):
        return "^" + name.replace(".", "\\.") + "$"

    def __str__(self):
        return json.dumps({k: v for k, v in vars(self).items() if k != "held"}, default=str)

    def tree(self, folder):
        extra = f", unsupported: {self.unsupported}" if self.unsupported else ""
        brought = "dkms: beegfs" if self.dkms else f'package: "{PREFIX}{{kernel}}"'
        os.makedirs(f"{folder}/state/nodes", exist_ok=True)
        with open(f"{folder}/state/nodes/n.yaml", "w", encoding="utf-8") as out:
            out.write(
                "version: 1\nnodes: [n]\nmode: full\n"
                + STRATEGIES[self.strategy].format(old=self.old, new=self.new) + REBOOTS[self.reboot]
                + f"modules:\n  {self.module}: {{{brought}, filesystem: {self.module}{extra}}}\n"
                + f'mounts:\n  {TARGET}: {{source: "10.0.0.1@tcp:/fsx", type: {self.module}, manage: live}}\n')

    def would_load(self, release):
        return self.standing[release] == "installed"

    def facts(self):
        def fact(kind, key="", state="present", **fields):
            fields = {k: v for k, v in fields.items() if v is not None}
            return {"kind": kind, "key": key, "state": state, **fields}

        entries = [f"{r}=menu>{r}" for r in self.installed]
        rows = [
            fact("node", name="n", os="ubuntu", os_version="22.04", architecture="x86_64", boot_id=str(self.boots)),
            fact("scheduler", state="absent"),
            fact("kernel", running=self.running, installed=self.installed, boot_default=self.default,
                 boot_next=self.once, loader="grub", default_entry=f"menu>{self.default}",
                 own_entry=f"menu>{self.default}" if self.own else None, entries=entries,
                 metapackages=["linux-aws"]),
            fact("package_index", "apt", age=60),
            fact("module", self.module, "present" if self.would_load(self.running) else "absent",
                 loaded=self.loaded, file="/m.ko" if self.would_load(self.running) else None,
                 obstacle=None if self.would_load(self.running) else "there is no such module"),
            fact("mount", TARGET, live=True, source="10.0.0.1@tcp:/fsx", type=self.module, options=["rw"])
            if self.mounted else fact("mount", TARGET, "absent", beneath="empty"),
            fact("reboot", into=self.running, attempts=[f"{r}={n}" for r, n in sorted(self.attempts.items()) if n],
                 **(self.ledger or {})),
        ]
        for r in (self.old, self.new):
            rows += self.module_facts(fact, r) + [
                fact("package", "linux-image-" + r, version="1", status="installed") if r in self.installed else
                fact("package", "linux-image-" + r, "absent", candidate="1" if self.image else None,
                     offered=["1"] if self.image else []),
                fact("candidate", "linux-image-" + r, version="1", index_age=60) if self.image else
                fact("candidate", "linux-image-" + r, "absent", index_age=60),
                fact("boot_entry", r, packages=["linux-image-" + r]) if r in self.installed else
                fact("boot_entry", r, "absent"),
            ]
        for name in sorted({"linux-aws"} | {n + r for r in (self.old, self.new) for n in ("linux-image-", PREFIX)}):
            rows.append(fact("hold", name, selection="hold", manual=True) if name in self.held else
                        fact("hold", name, "absent", selection="install", manual=False))
        for option, items in self.options.items():
            rows.append(fact("apt_option", option, items=items, ours=items) if items else fact("apt_option", option, "absent"))
        return {"reconcile_facts": 1, "facts": rows}

    def module_facts(self, fact, r):
        standing = self.standing[r]
        rows = [
            fact("loadable", f"{self.module}@{r}", verdict="yes") if standing == "installed" else
            fact("loadable", f"{self.module}@{r}", verdict="no",
                 cause="damaged" if standing == "damaged" else "missing",
                 reason="its file is cut off" if standing == "damaged" else "there is none"),
        ]
        if self.dkms:
            headers = standing != "no headers"
            return rows + [
                fact("dkms", f"beegfs@{r}", version="7.4.6", status=standing, headers=headers,
                     log="error: a\nerror: b" if standing == "failed" else None),
                fact("package", "linux-headers-" + r, "present" if headers else "absent",
                     version="1" if headers else None, status="installed" if headers else None, candidate="1",
                     offered=["1"]),
                fact("candidate", "linux-headers-" + r, version="1", versions=["1"], index_age=60),
            ]
        there, name = standing in ("installed", "damaged"), package_of(r)
        if standing == "damaged" and self.put_back:
            return rows + [
                fact("package", name, version="1", status="installed", intact=False, damaged="/m.ko", candidate="1"),
                fact("package_files", name, damaged=["/m.ko"]),
                fact("candidate", name, version="1", versions=["1"], index_age=60),
            ]
        return rows + [
            fact("package", name, version="1", status="installed") if there else
            fact("package", name, "absent", candidate="1" if standing == "published" else None,
                 offered=["1"] if standing == "published" else []),
            fact("candidate", name, version="1", versions=["1"], index_age=60) if standing == "published" else
            fact("candidate", name, "absent", index_age=60),
        ]

    # What a step that was carried out makes of the node.
    def carry_out(self, step):
        kind, key, want = step["kind"], step["key"], step["wanted"]
        if kind == "package" and key.startswith(PREFIX):
            self.standing[key[len(PREFIX):]] = "installed"
        elif kind == "package" and key.startswith("linux-headers-"):
            self.standing[key[len("linux-headers-"):]] = "added"
        elif kind == "package":
            self.installed = sorted(self.installed + [key[len("linux-image-"):]], key=[self.old, self.new].index)
            self.own = True  # preflight: guard keeps the default where it was
        elif kind == "dkms":
            self.standing[key[len("beegfs@"):]] = "installed"
        elif kind == "hold":
            (self.held.discard if want["state"] == "absent" else self.held.add)(key)
        elif kind == "apt_option":
            self.options[key] = [] if want["state"] == "absent" else sorted(want["items"])
        elif kind == "kernel":
            self.set_kernel(want)
        elif kind == "module":
            self.loaded = self.would_load(self.running)
        elif kind == "mount":
            self.mounted = self.loaded and not (self.hangs and self.running == self.new)
        elif kind == "reboot":
            self.start_anew(want)
        else:
            raise AssertionError(f"nobody expected {kind}:{key}")

    def set_kernel(self, want):
        default = want.get("boot_default")
        if default == "distribution":
            self.own, self.default = False, self.installed[-1]
        elif default:
            self.own = True
            self.become_default(default)
            if self.ledger and self.ledger.get("open") == default and self.ledger.get("open_trial"):
                self.ledger, self.attempts[default] = None, 0
        if want.get("boot_next"):
            self.once = None if want["boot_next"] == "none" else want["boot_next"]

    def become_default(self, release):
        if release != self.default and self.unsupported != "skip" and not self.would_load(release):
            self.unproved.append(release)
        self.default = release

    def start_anew(self, want):
        self.boots += 1
        came = self.once or self.default
        trial = bool(want.get("trial"))
        self.once = None
        self.running, self.loaded, self.mounted = came, False, False
        arrived = came == want["into"]
        well = arrived and not trial
        self.attempts[want["into"]] = 0 if well else self.attempts.get(want["into"], 0) + 1
        self.ledger = None if well else {"open": want["into"], "result": "arrived" if arrived else "came back",
                                         "open_trial": trial}


def plan(program, folder, world):
    with open(f"{folder}/facts.json", "w", encoding="utf-8") as out:
        json.dump(world.facts(), out)
    done = subprocess.run([program, "plan", "--json", "-C", folder, "--facts", f"{folder}/facts.json"],
                          capture_output=True, text=True, check=False)
    if done.returncode == 1:
        raise AssertionError(f"the plan was refused: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


def check_plan(world, made):
    lost = made.get("next_boot", {}).get("lost", 0)
    boots = world.once or world.default
    if world.unsupported != "skip" and boots in world.standing:
        assert bool(lost) == (not world.would_load(boots)), f"next boot of {boots}: {lost} lost"
    if lost and not made["next_boot"]["remedied"]:
        assert made["counts"]["blocked"], "a loss that does not count"


def live(program, folder, world):
    told, promised = [], False
    world.tree(folder)
    for _ in range(PASSES):
        made = plan(program, folder, world)
        check_plan(world, made)
        lost = made.get("next_boot", {}).get("lost", 0)
        assert not (promised and lost), f"a plan promised to put the next boot right and did not: {told}"
        # A reboot of this very plan is the boot that was spoken of.
        promised = bool(lost) and made["next_boot"]["remedied"] and \
            not any(s["id"] == "reboot" and s["outcome"] == "change" for s in made["steps"])
        steps = [s for s in made["steps"] if s["outcome"] == "change"]
        told.append([s["id"] for s in steps])
        # A mount that fails is tried again, with a pause: that is not what is looked at here.
        if all(s["kind"] == "mount" and world.hangs for s in steps):
            break
        for step in steps:
            world.carry_out(step)
    else:
        raise AssertionError(f"it does not settle: {told}")
    assert world.boots <= 4, f"rebooted {world.boots} times: {told}"
    assert not world.unproved, f"made default without a module: {world.unproved}: {told}"
    if world.strategy == "none":
        assert not world.own and not world.held, "the pin was not undone"
    if world.strategy == "follow" and world.unsupported != "pin":
        assert not world.held and not any(world.options.values()), f"the pin was not undone: {told}"
    for option, items in world.options.items():
        for name in world.held if items and world.strategy in ("pin", "follow") else ():
            assert world.pattern(name) in items or option == "APT::NeverAutoRemove" or world.strategy == "pin", \
                f"{name} is held and nothing tells by whom: {told}"


def main():
    program, folder = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    for seed in itertools.islice(itertools.count(first), count):
        world = World(random.Random(seed))
        start = str(world)
        try:
            live(program, folder, world)
        except AssertionError as error:
            print(f"seed {seed}: {error}\nfrom {start}\nto   {world}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
