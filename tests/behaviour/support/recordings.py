#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Recordings of a node in which anything may be missing: for a tree that wants something of every kind,
facts with the fields of docs/state.md, each of them there or not. Whatever is made of them must be
words: no plan, check, doctor or import may print what stands for no text, end by a signal or blame
a bug.

	recordings.py RECONCILE STATE_MD FOLDER [COUNT [SEED]]
"""
import itertools
import json
import os
import random
import re
import subprocess
import sys

OLD, NEW = "6.8.0-1039-aws", "6.8.0-1042-aws"
MODULES = "lustre-client-modules-"

TREE = f"""version: 1
nodes: [n]
mode: full
kernel: @KERNEL@
reboot: @REBOOT@
preflight: refuse
modules:
  lustre: {{package: "{MODULES}{{kernel}}", version: "2.*", filesystem: lustre}}
  beegfs: {{dkms: beegfs, unsupported: @UNSUPPORTED@}}
mounts:
  /lustre: {{source: "10.1.30.23@tcp:/czrc3amv", type: lustre, options: [flock, _netdev], manage: @MANAGE@}}
  /nfs: {{source: "server:/export", type: nfs4}}
  /gone: {{state: absent}}
  /beegfs: {{source: beegfs_nodev, type: beegfs, manage: live, service: beegfs-client.service}}
packages:
  tool: {{version: "1.*"}}
  old: {{state: absent}}
holds: [linux-aws]
package_sources:
  fsx: {{uri: "https://fsx.example.org/ubuntu", suites: [jammy], components: [main], signed_by: /etc/apt/keyrings/k.asc}}
data_repositories:
  /lustre/data: {{repository: "s3://bucket/data/", file_system: fs-04cb64a224a31f75d, region: ap-northeast-2,
    import: [NEW], manage: @DATA@, owner: n}}
resources:
  - {{kind: file, path: /etc/a, content: "x", mode: "0644"}}
  - {{kind: directory, path: /srv/b, owner: root, mode: "0755"}}
  - {{kind: service, unit: x.service, enabled: true, active: true, masked: false}}
  - {{kind: command, name: c, argv: ["true"], unless: ["false"]}}
  - {{kind: apt_option, option: "APT::X", items: ["^a$"]}}
  - {{kind: package, name: whole, intact: true}}
  - {{kind: cached_package, name: kept}}
  - {{kind: package_index, source: apt, max_age: 1d}}
  - {{kind: dkms, module: "other@{NEW}"}}
  - {{kind: module, name: spare, state: absent}}
"""

KEYS = {
    "node": [""], "scheduler": [""], "kernel": [""], "reboot": [""],
    "filesystem": ["lustre", "nfs4", "beegfs"], "space": ["/lustre", "/nfs"], "port": ["10.1.30.23:988"],
    "rival": ["a"], "boot_entry": [OLD, NEW],
    "loadable": [f"{m}@{r}" for m in ("lustre", "beegfs") for r in (OLD, NEW)],
    "candidate": [MODULES + OLD, MODULES + NEW, "tool", "linux-headers-" + NEW, "linux-headers-" + OLD],
    "package_files": [MODULES + OLD, MODULES + NEW],
    "package_source": ["https://fsx.example.org/ubuntu"], "package_index": ["apt"],
    "cached_package": [MODULES + OLD, MODULES + NEW, "kept"],
    "apt_option": ["APT::X", "APT::NeverAutoRemove", "Unattended-Upgrade::Package-Blacklist"],
    "hold": ["linux-aws", "linux-image-" + OLD, MODULES + OLD],
    "package": [MODULES + OLD, MODULES + NEW, "tool", "old", "whole", "linux-image-" + OLD, "linux-headers-" + NEW],
    "dkms": [f"beegfs@{OLD}", f"beegfs@{NEW}", f"other@{NEW}"], "module": ["lustre", "beegfs", "spare"],
    "directory": ["/srv/b", "/lustre", "/nfs", "/beegfs", "/lustre/data"],
    "mount": ["/lustre", "/nfs", "/gone", "/beegfs", "/"],
    "file": ["/etc/a", "/etc/kernel/postinst.d/zzz-reconcile", "/etc/apt/apt.conf.d/zz-reconcile-preflight"],
    "data_repository": ["/lustre/data"], "service": ["x.service", "beegfs-client.service", "beegfs-helperd.service"],
    "command": ["c"],
}

WORDS = ["installed", "half-configured", "hold", "install", "grub", "bls", "open", "silent", "slurm", "drain", "failed",
         "no headers", "added", "excluded", "arrived", "came back", "lustre", "nfs4", "missing", "empty", "damaged",
         "AVAILABLE", "MISCONFIGURED", "x"]
TEXTS = ["a sentence", "10.1.30.23@tcp:/czrc3amv", "server:/export", "/dev/sda1", "enabled/active", "lustre", ""]


def value_of(r, kind):
    """A value of what docs/state.md calls it."""
    if kind.startswith("a list of"):
        return [value_of(r, "a " + kind[len("a list of "):].removesuffix("s")) for _ in range(r.randint(0, 2))]
    choices = re.match("one of (.*)$", kind) or re.match("a any of (.*)$", kind)
    if choices:
        return r.choice(choices.group(1).split(", "))
    if kind == "true or false":
        return r.random() < 0.5
    if kind.startswith("a whole number"):
        return r.choice([1, 3, 86401, 1 << 40][:1 if "from" in kind else 4])
    fixed = {
        "a SHA-256 in hex": "0" * 64, "a duration such as 90s, 5m, 2h or 7d": "5m", "a name or number": "root",
        'a quoted octal of four digits, "0644"': "0700", "an absolute path": "/x/y", "a mount option": "flock",
        "a unit name such as ssh.service": "x.service", "a name=value text": "a=1", "a package name": "tool",
        "s3://BUCKET or s3://BUCKET/PREFIX": "s3://bucket/data/", "a node name or glob": "n",
        'days, hours and time zone, "Sun 02:00-05:00 Asia/Seoul"': "Sun 02:00-05:00 UTC",
    }
    if kind in fixed:
        return fixed[kind]
    if "release" in kind:
        return r.choice([OLD, NEW])
    if "version" in kind:
        return r.choice(["1.0", "2.15.6-1"])
    return r.choice(WORDS if kind == "a word" else TEXTS)


def fields_of(state_md):
    """kind -> {field: what its value is called}."""
    kinds, kind = {}, None
    text = open(state_md, encoding="utf-8").read()
    for line in text[text.index("\n## Kinds"):].splitlines():
        head, row = re.match("### `([a-z_]+)`", line), re.match(r"\| `([a-z_]+)` \| ([^|]+) \|", line)
        if head:
            kind = kinds.setdefault(head.group(1), {})
        elif row:
            kind[row.group(1)] = row.group(2)
    return kinds


def recording(r, kinds):
    rows, often = [], r.choice([0.2, 0.5, 0.9])
    for kind, keys in KEYS.items():
        for key in keys:
            chance = r.random()
            row = {"kind": kind, "key": key, "state": "present" if chance < 0.8 else "absent" if chance < 0.93 else
                   "undetermined"}
            if row["state"] == "undetermined":
                row["why"] = "nobody asked"
            for field, called in kinds[kind].items():
                if row["state"] != "undetermined" and r.random() < often:
                    row[field] = value_of(r, called)
            if r.random() < 0.95:
                rows.append(row)
    return {"reconcile_facts": 1, "facts": rows}


def tree(r):
    said = {
        "KERNEL": r.choice([f"{{release: {OLD}, strategy: pin}}", '{release: "6.*", strategy: pin}', "{strategy: follow}",
                         "{strategy: none}"]),
        "REBOOT": r.choice(["{when: never}", "{when: now, trial: true}", "{when: slurm}",
                         '{when: window, window: "Sun 02:00-05:00 UTC"}']),
        "UNSUPPORTED": r.choice(["pin", "skip"]), "MANAGE": r.choice(["full", "live", "observe"]),
        "DATA": r.choice(["observe", "owner"]),
    }
    return re.sub("@([A-Z]+)@", lambda found: said[found.group(1)], TREE)


def look(program, folder, command):
    done = subprocess.run([program, *command, "-C", folder, "--facts", f"{folder}/facts.json"], capture_output=True,
                          text=True, check=False, timeout=60)
    for said in (done.stdout, done.stderr):
        assert "(null)" not in said, said[max(0, said.index("(null)") - 300):][:400]
        assert "this is a bug" not in said.lower() and "broke its contract" not in said, said[:400]
    assert done.returncode >= 0, f"ended by signal {-done.returncode}"
    return done


def main():
    program, state_md, folder = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 100
    first = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    kinds, planned = fields_of(state_md), 0
    os.makedirs(f"{folder}/state/nodes", exist_ok=True)
    for seed in itertools.islice(itertools.count(first), count):
        r = random.Random(seed)
        with open(f"{folder}/state/nodes/n.yaml", "w", encoding="utf-8") as out:
            out.write(tree(r))
        with open(f"{folder}/facts.json", "w", encoding="utf-8") as out:
            json.dump(recording(r, kinds), out)
        try:
            done = look(program, folder, ["plan", "--node", "n", "--all"])
            planned += done.returncode != 1
            refused = done.stderr
            look(program, folder, ["plan", "--node", "n", "--json"])
            look(program, folder, ["check", "--node", "n"])
            look(program, folder, ["doctor"])
            look(program, folder, ["import"])
        except AssertionError as error:
            print(f"seed {seed}: {error}")
            return 1
    if planned < count / 2:
        print(f"only {planned} of {count} recordings were planned for: {refused}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
