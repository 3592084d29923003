#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random trees of mounts, directories and files below one folder, and random states to start from.

    random_tree.py want SEED AREA     the resources of a node file, as YAML
    random_tree.py start SEED AREA    a shell script that makes some state of AREA: part of it as wanted, part
                                      with other modes, owners, contents and options, part missing, part foreign

The same seed gives the same tree. What is made stays such that it can converge: nothing is put in the place
of another kind of thing.
"""
import random
import shlex
import sys

OWNERS = ["root", "daemon", "nobody"]
OPTIONS = ["nosuid", "nodev", "noexec", "noatime"]


class Tree:
    def __init__(self, seed, area):
        self.random = random.Random(seed)
        self.area = area
        self.mounts, self.dirs, self.files = {}, {}, {}
        self.grow(area, 0)
        self.binds()

    def mode(self, modes):
        return self.random.choice(modes) if self.random.random() < 0.7 else None

    def grow(self, where, depth):
        r = self.random
        for n in range(r.randint(1, 4)):
            path = f"{where}/{r.choice('abcxyz')}{n}"
            what = r.random()
            if what < 0.3:
                self.mounts[path] = {
                    "source": "tmpfs", "type": "tmpfs",
                    "options": r.sample(OPTIONS, r.randint(0, 3)) + [f"size={r.choice([1, 2, 4])}m", "mode=0755"]}
            elif what < 0.7:
                self.dirs[path] = {"mode": self.mode(["0755", "0700", "0750", "2755", "1777"]),
                                   "owner": self.mode(OWNERS)}
            else:
                self.files[path] = {"content": r.choice(["", "x", "text\n", "lines\nof text\n", "ünicode"]),
                                    "mode": self.mode(["0644", "0600", "0755", "4755"]), "owner": self.mode(OWNERS)}
                continue
            if depth < 3:
                self.grow(path, depth + 1)

    def binds(self):
        r = self.random
        for n in range(r.randint(0, 2)):
            if self.dirs:
                source = r.choice(sorted(self.dirs))
                self.mounts[f"{self.area}/bind{n}"] = {
                    "source": source, "type": "none", "options": ["bind"] + r.sample(["ro", "nosuid"], r.randint(0, 1))}

    def want(self):
        lines = ["mounts:"] if self.mounts else []
        for path, m in sorted(self.mounts.items()):
            lines.append(f"  {path}: {{source: {m['source']}, type: {m['type']}, "
                         f"options: [{', '.join(m['options'])}], manage: live}}")
        lines.append("resources:")
        shuffled = [("directory", p, d) for p, d in self.dirs.items()] + [("file", p, f) for p, f in self.files.items()]
        random.Random(1).shuffle(shuffled)
        for kind, path, fields in shuffled:
            text = f"  - {{kind: {kind}, path: {path}"
            for name in ("mode", "owner"):
                text += f', {name}: "{fields[name]}"' if fields[name] else ""
            if kind == "file":
                text += ", content: \"" + fields["content"].replace("\n", "\\n") + '"'
            lines.append(text + "}")
        return "\n".join(lines if shuffled else lines[:-1]) + "\n"

    def start(self):
        r = random.Random(self.random.random())
        density = r.choice([0, 0.3, 0.7, 1])
        lines = ["set -e"]
        paths = sorted(set(self.mounts) | set(self.dirs) | set(self.files))
        there = {self.area}
        for path in paths:
            up = path.rsplit("/", 1)[0]
            if up not in there or r.random() > density or path.startswith(f"{self.area}/bind"):
                continue
            there.add(path)
            quoted = shlex.quote(path)
            if path in self.files:
                lines.append(f"printf %s {shlex.quote(r.choice(['x', 'other', '', 'text']))} >{quoted}")
            else:
                lines.append(f"mkdir {quoted}")
            if path in self.mounts and r.random() < 0.6:
                options = ",".join(r.sample(OPTIONS, r.randint(0, 2)) + [f"size={r.choice([1, 2])}m", "mode=0755"])
                lines.append(f"mount -t tmpfs -o {options} tmpfs {quoted}")
            elif path not in self.mounts:
                lines.append(f"chown {r.choice(OWNERS)} {quoted}")
                lines.append(f"chmod {r.choice(['0755', '0700', '0777', '0644'])} {quoted}")
            if path not in self.files and r.random() < 0.3:
                lines.append(f"touch {quoted}/foreign")
        return "\n".join(lines) + "\n"


def main():
    what, seed, area = sys.argv[1:]
    tree = Tree(int(seed), area)
    sys.stdout.write(tree.want() if what == "want" else tree.start())


main()
