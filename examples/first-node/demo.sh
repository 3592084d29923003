#!/bin/bash
# SPDX-License-Identifier: MIT
# The first node, from nothing to whole, in a mount namespace of its own: nothing outside it and one scratch folder is
# touched. `make demo` runs it; by hand: examples/first-node/demo.sh build/reconcile
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${1:-$here/../../build/reconcile}")

if [ "${2:-}" != inside ]; then
	# Without root a user namespace makes us root of nothing but this demo.
	if [ "$(id -u)" = 0 ]; then
		exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "$program" inside
	fi
	if ! unshare --user --map-root-user --mount true 2>/dev/null; then
		echo "demo: this machine allows no user namespaces without root; try: sudo make demo" >&2
		exit 1
	fi
	exec unshare --user --map-root-user --mount --propagation private "${BASH_SOURCE[0]}" "$program" inside
fi

mount -t tmpfs -o mode=0755 scratch /mnt
install -d -m 0755 /mnt/.demo
cp -r "$here/state" /mnt/.demo/state
cp "$here/../parallelcluster/facts/compute-kernel-moved.json" /mnt/.demo/moved.json
cp -r "$here/../parallelcluster/state" /mnt/.demo/cluster
chmod -R go-w /mnt/.demo
cd /mnt/.demo

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\033[1m' plain=$'\033[0m'
fi

say() {
	printf '\n%s# %s%s\n' "$bold" "$*" "$plain"
}

# Runs a command, shows it, and insists on its exit code.
run() {
	local expected=$1 code=0
	shift
	printf '%s$ reconcile %s%s\n' "$bold" "$*" "$plain"
	"$program" "$@" -C "${tree:-/mnt/.demo}" --node "${node:-first-node}" --history /mnt/.demo/history.db \
		--run-dir /mnt/.demo/run </dev/null || code=$?
	if [ "$code" != "$expected" ]; then
		echo "demo: exit code $code, expected $expected" >&2
		exit 1
	fi
}

say "A tree says what this node should be. Is it well written?"
run 0 validate
say "What would be done? Nothing is changed yet (exit code 2: changes can be made)."
run 2 plan
say "Do it."
run 0 apply
say "Again: nothing is left to do (exit code 0: in sync)."
run 0 plan

say "Somebody breaks two things: a mode, and an option of a live mount."
chmod 0777 /mnt/scratch/data
# Without the options that are there now: in a user namespace one of them is the number of a user it does not know.
mount --options-mode ignore -o remount,nosuid,nodev,noexec,size=8m /mnt/scratch/fast
run 2 plan
say "Mend it."
run 0 apply
say "What happened, and when?"
run 0 history
run 0 history show 2

say "A cluster node whose kernel moved on its own: which mounts can it not have, and why? Planned from recorded facts."
tree=/mnt/.demo/moved-tree
install -d "$tree"
mv /mnt/.demo/cluster "$tree/state"
node=compute-gpu-st-distributed-ml-1
run 2 plan --facts /mnt/.demo/moved.json
say "Done. Nothing outside this namespace was touched."
