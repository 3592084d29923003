#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# What bad input gets: an error on stderr that says where and what, exit 1, and nothing changed. Every
# case goes through plan and apply, within ten seconds.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree

setup()
{
	GUARD=10
	scratch_open
	tree_open
	node_file <<<"resources: [{kind: directory, path: $AREA/made}]"
}

teardown()
{
	scratch_close
}

# refused_all TEXT...: by validate (unless ONLY_RUNS), plan and apply; each says TEXT
refused_all()
{
	local text

	[[ -n ${ONLY_RUNS:-} ]] || run_node validate
	[[ -n ${ONLY_RUNS:-} ]] || assert_status 1
	refused plan
	for text; do
		assert_stderr -p "$text"
	done
	((EUID != 0)) || refused apply --yes
}

# raw BYTES: the whole node file, as printf says it
raw()
{
	printf "$1" >"$TREE/state/nodes/n.yaml"
}

NODE_FILE=state/nodes/n.yaml

@test "the untouched tree is a good one" {
	run_node plan
	assert_status 2
}

@test "no tree" {
	rm -r "$TREE"
	refused_all "no tree in $TREE"
}

@test "an empty file" {
	raw ''
	refused_all "$NODE_FILE:1:1: error: the file is empty"
}

@test "a file cut off in the middle" {
	raw 'version: 1\nnodes: [n\n'
	refused_all "$NODE_FILE:3:1: error: " "2:8"
}

@test "an empty value" {
	raw 'version: 1\nnodes: [n]\nmounts:\n'
	refused_all "$NODE_FILE:3:1: error: mounts: an empty value"
}

@test "tabs" {
	raw 'version: 1\nnodes: [n]\nkernel:\n\trelease: x\n'
	refused_all "$NODE_FILE:4:1: error: a tab"
}

@test "a byte order mark" {
	raw '\xef\xbb\xbfversion: 1\nnodes: [n]\n'
	refused_all "$NODE_FILE:1:1: error: the file begins with a byte order mark"
}

@test "UTF-16" {
	printf 'version: 1\nnodes: [n]\n' | iconv -t UTF-16 >"$TREE/$NODE_FILE"
	refused_all "$NODE_FILE:1:1: error: " "UTF-16"
}

@test "bytes that are not UTF-8" {
	raw 'version: 1\nnodes: ["n"]\nholds: ["a\xff"]\n'
	refused_all "$NODE_FILE:3:11: error: the byte 0xff is not UTF-8"
}

@test "NUL and control characters" {
	raw 'version: 1\nnodes: [n]\nholds: [a\0]\n'
	refused_all "$NODE_FILE:3:10: error: U+0000"
	raw 'version: 1\nnodes: [n]\nholds: ["\x1b[2J"]\n'
	refused_all "$NODE_FILE:3:10: error: U+001B"
	refute_stderr -p $'\e'
}

@test "a file of 100 MB" {
	head -c 100000000 /dev/zero | tr '\0' '#' >"$TREE/$NODE_FILE"
	refused_all "$NODE_FILE: is larger than 16 MiB"
}

@test "nesting 10000 deep" {
	printf 'version: 1\nnodes: [n]\nresources: %s\n' "$(printf '[%.0s' {1..10000})" >"$TREE/$NODE_FILE"
	refused_all "$NODE_FILE:3:43: error: nested deeper than 32"
	((${#stderr} < 4000))
}

@test "an alias bomb" {
	raw 'version: 1\nnodes: [n]\nholds: &a [x, x]\npackages: {a: &b [*a, *a], b: &c [*b, *b]}\n'
	refused_all "$NODE_FILE:3:8: error: an anchor"
}

@test "tags, merge keys and a second document" {
	raw 'version: 1\nnodes: [n]\nmounts: !!map {}\n'
	refused_all "$NODE_FILE:3:9: error: a tag"
	raw 'version: 1\nnodes: [n]\nmounts: {<<: {}}\n'
	refused_all "$NODE_FILE:3:10: error: a merge key"
	raw 'version: 1\nnodes: [n]\n---\nversion: 1\n'
	refused_all "$NODE_FILE:3:1: error: a second document"
}

@test "duplicate keys" {
	raw 'version: 1\nnodes: [n]\nmode: safe\nmode: full\n'
	refused_all "$NODE_FILE:4:1: error: 'mode' stands here a second time, first at 3:1"
	raw 'version: 1\nnodes: [n]\nholds: [a, b, a]\n'
	refused_all "$NODE_FILE:3:15: error: "
}

@test "unknown keys, with the nearest known one" {
	raw 'version: 1\nnodes: [n]\nmount: {}\n'
	refused_all "$NODE_FILE:3:1: error: 'mount'" "did you mean 'mounts'?"
}

@test "wrong types" {
	raw 'version: one\nnodes: n\nholds: 7\nmounts: [a]\n'
	refused_all "$NODE_FILE:1:10: error: version" "$NODE_FILE:2:8: error: nodes" \
		"$NODE_FILE:3:8: error: holds" "$NODE_FILE:4:10: error: mounts"
}

@test "relative targets and .. in paths" {
	node_file <<<'mounts: {srv/x: {source: tmpfs, type: tmpfs}}'
	refused_all '"srv/x" is relative, expected an absolute path'
	node_file <<<'resources: [{kind: file, path: /srv/../etc/passwd, content: "x"}]'
	refused_all "$NODE_FILE:3:32: error: " '".."'
}

@test "two files of equal right for one node" {
	cp "$TREE/$NODE_FILE" "$TREE/state/nodes/m.yaml"
	refused_all "state/nodes/m.yaml" "state/nodes/n.yaml"
}

@test "a node the tree does not know" {
	NODE=elsewhere ONLY_RUNS=1 refused_all "node 'elsewhere' is not in the tree" "the tree speaks of n"
}

@test "a role that is not there" {
	node_file <<<'roles: [computer]'
	put "$TREE/state/roles/compute.yaml" <<<'version: 1'
	refused_all "$NODE_FILE:3:9: error: roles: there is no roles/computer.yaml"
}

@test "a tree that others can write to: file, folder, parent; a sticky parent will do" {
	need_root
	chmod o+w "$TREE/$NODE_FILE"
	refused_all "$TREE/$NODE_FILE" "others may write it"
	chmod o-w "$TREE/$NODE_FILE"
	chgrp 65534 "$TREE/state/nodes"
	chmod g+w "$TREE/state/nodes"
	refused_all "$TREE/state/nodes" "others may write it"
	chmod g-w "$TREE/state/nodes"
	chmod o+w "$SCRATCH"
	refused_all "$SCRATCH" "others may write it"
	chmod 1777 "$SCRATCH"
	run_node plan
	assert_status 2
}

@test "a tree, a policy or a file of it that is somebody else's" {
	need_root
	chown 65534 "$TREE/$NODE_FILE"
	refused_all "$TREE/$NODE_FILE" "root"
	chown 0 "$TREE/$NODE_FILE"
	policy p <<<'local x = 1'
	chown 65534 "$TREE/policies/p.lua"
	refused_all "$TREE/policies/p.lua" "root"
	chown 0 "$TREE/policies/p.lua"
	chown 65534 "$TREE"
	refused_all "$TREE" "root"
}

@test "what a link in the tree leads to is judged as well" {
	need_root
	mv "$TREE/$NODE_FILE" "$SCRATCH/real.yaml"
	ln -s "$SCRATCH/real.yaml" "$TREE/$NODE_FILE"
	run_node plan
	assert_status 2
	mkdir "$SCRATCH/open"
	mv "$SCRATCH/real.yaml" "$SCRATCH/open/real.yaml"
	ln -sf "$SCRATCH/open/real.yaml" "$TREE/$NODE_FILE"
	chown 65534 "$SCRATCH/open"
	refused_all "$SCRATCH/open is not trusted"
	ln -sf n.yaml "$TREE/$NODE_FILE"
	refused_all "$NODE_FILE"
	ln -sf "$SCRATCH/none" "$TREE/$NODE_FILE"
	refused_all "$SCRATCH/none"
}

@test "what is no file: a folder, a pipe, a device" {
	rm "$TREE/$NODE_FILE"
	mkdir "$TREE/$NODE_FILE"
	refused_all "$NODE_FILE"
	rmdir "$TREE/$NODE_FILE"
	mkfifo "$TREE/$NODE_FILE"
	refused_all "$NODE_FILE"
	need_root
	rm "$TREE/$NODE_FILE"
	ln -s /dev/zero "$TREE/$NODE_FILE"
	refused_all
}

@test "Lua that does not compile, and Lua that fails" {
	policy p <<<'    local x = = 1'
	refused_all "$TREE/policies/p.lua:4: error: policy p: "
	policy p <<<'    local x = nil + 1'
	ONLY_RUNS=1 refused_all "$TREE/policies/p.lua:4: error: policy p: "
}

@test "Lua that plans an unknown kind or field, or a wrong type" {
	export ONLY_RUNS=1
	policy p <<<'    plan:folder{path = "/a", reason = "r"}'
	refused_all "$TREE/policies/p.lua:4: error: policy p: plan:folder"
	policy p <<<'    plan:directory{path = "/a", mod = "0755", reason = "r"}'
	refused_all "$TREE/policies/p.lua:4: error: policy p: plan:directory: mod" "did you mean mode?"
	policy p <<<'    plan:directory{path = "/a", mode = 493, reason = "r"}'
	refused_all "$TREE/policies/p.lua:4: error: policy p: plan:directory: mode"
	policy p <<<'    plan:directory{path = "a", reason = "r"}'
	refused_all "$TREE/policies/p.lua:4: error: policy p: plan:directory: path" "relative"
	policy p <<<'    plan:directory{path = "/a"}'
	refused_all "$TREE/policies/p.lua:4: error: policy p: plan:directory: reason"
}

@test "a section that no policy handles" {
	export ONLY_RUNS=1
	node_file <<<'holds: [bash]'
	put "$TREE/policies/holds.lua" <<<'return {name = "holds", summary = "none", handles = {}, plan = function() end}'
	refused_all "$NODE_FILE:3:" "holds"
}

@test "needs that go in a circle" {
	export ONLY_RUNS=1
	policy p <<'END'
    plan:directory{path = "/a/b", reason = "r", after = {"directory:/a/c"}}
    plan:directory{path = "/a/c", reason = "r", after = {"directory:/a/d"}}
    plan:directory{path = "/a/d", reason = "r", after = {"directory:/a/b"}}
END
	refused_all "$TREE/policies/p.lua:" "/a/b needs directory:/a/c needs directory:/a/d needs directory:/a/b"
}

@test "two policies that want two values of one field" {
	export ONLY_RUNS=1
	policy p <<<"    plan:directory{path = '$AREA/made', mode = '0700', reason = 'r'}"
	policy q <<<$'\n'"    plan:directory{path = '$AREA/made', mode = '0711', reason = 'r'}"
	refused_all "mode is wanted with two different values" "policies/p.lua:4" "policies/q.lua:5"
}

@test "a folder wanted absent with something wanted in it" {
	export ONLY_RUNS=1
	node_file <<END
resources:
  - {kind: directory, path: $AREA/up, state: absent}
  - {kind: directory, path: $AREA/up/low}
END
	refused_all "$NODE_FILE:4:" "$NODE_FILE:5"
}

@test "a plan that would flip for ever" {
	export ONLY_RUNS=1
	policy p <<END
    local there = facts.directory["$AREA/made"].state == "present"
    plan:file{path = "$AREA/f", content = there and "a" or "b", reason = "r"}
END
	refused_all "file:$AREA/f" "policies/p.lua:5"
}

# ---- saved plans

@test "a saved plan that is stale: the tree, a policy or the node moved" {
	need_root
	run_node plan -o "$SCRATCH/saved"
	assert_status 2
	in_ns mkdir "$AREA/made"
	refused apply "$SCRATCH/saved"
	assert_stderr -p "stale"
	in_ns rmdir "$AREA/made"
	cp "$TREE/$NODE_FILE" "$SCRATCH/kept"
	echo "# a comment" >>"$TREE/$NODE_FILE"
	refused apply "$SCRATCH/saved"
	assert_stderr -p "the desired state moved"
	cp "$SCRATCH/kept" "$TREE/$NODE_FILE"
	policy p <<<'    local x = 1'
	refused apply "$SCRATCH/saved"
	assert_stderr -p "a policy moved"
	rm "$TREE/policies/p.lua"
	run_node apply "$SCRATCH/saved"
	assert_status 0
	assert_dir "$AREA/made"
}

@test "a saved plan that is cut short, touched, empty, something else, missing, or of another node" {
	need_root
	run_node plan -o "$SCRATCH/saved"
	head -c 300 "$SCRATCH/saved" >"$SCRATCH/cut"
	refused apply "$SCRATCH/cut"
	assert_stderr -p "$SCRATCH/cut"
	sed "s:$AREA/made:$AREA/more:" "$SCRATCH/saved" >"$SCRATCH/touched"
	refused apply "$SCRATCH/touched"
	assert_stderr -p "touched or damaged"
	: >"$SCRATCH/empty"
	refused apply "$SCRATCH/empty"
	echo '{"reconcile_plan": 9}' >"$SCRATCH/other"
	refused apply "$SCRATCH/other"
	assert_stderr -p "not a saved plan of this version"
	refused apply "$SCRATCH/none"
	assert_stderr -p "$SCRATCH/none"
	refused apply "$AREA"
	sed 's/"n"/"m"/' "$TREE/$NODE_FILE" | put "$TREE/state/nodes/m.yaml"
	run_node plan -o "$SCRATCH/saved"
	NODE=m refused apply "$SCRATCH/saved"
	assert_stderr -p "stale: the node moved"
}

@test "a saved plan that is not root's own" {
	need_root
	run_node plan -o "$SCRATCH/saved"
	chmod o+w "$SCRATCH/saved"
	refused apply "$SCRATCH/saved"
	assert_stderr -p "others may write it"
	chmod o-w "$SCRATCH/saved"
	chown 65534 "$SCRATCH/saved"
	refused apply "$SCRATCH/saved"
	assert_stderr -p "root"
}

@test "a plan is not saved through a link, nor onto a full disk, and never in half" {
	need_root
	ln -s "$AREA/elsewhere" "$SCRATCH/link"
	refused plan -o "$SCRATCH/link"
	in_ns "mkdir '$SCRATCH/small' && mount -t tmpfs -o size=4k tmpfs '$SCRATCH/small' && head -c 4096 /dev/zero >'$SCRATCH/small/fill' || :"
	refused plan -o "$SCRATCH/small/saved"
	assert_stderr -p "No space left"
	assert_missing "$SCRATCH/small/saved"
}

@test "recorded facts that are broken, unknown or not root's own" {
	need_root
	echo '{"reconcile_facts": 1, "facts": [{"kind": "directory"' >"$SCRATCH/facts"
	refused plan --facts "$SCRATCH/facts"
	assert_stderr -p "$SCRATCH/facts"
	echo '{"reconcile_facts": 1, "facts": [{"kind": "folder", "key": "/a", "state": "present"}]}' >"$SCRATCH/facts"
	refused plan --facts "$SCRATCH/facts"
	assert_stderr -p "folder"
	echo '{"reconcile_facts": 1, "facts": [{"kind": "directory", "key": "/a", "mode": 7, "state": "present"}]}' >"$SCRATCH/facts"
	refused plan --facts "$SCRATCH/facts"
	assert_stderr -p "mode"
	printf '%s' "$(printf '[%.0s' {1..10000})" >"$SCRATCH/facts"
	refused plan --facts "$SCRATCH/facts"
	echo '{"reconcile_facts": 1, "facts": []}' >"$SCRATCH/facts"
	chmod o+w "$SCRATCH/facts"
	refused plan --facts "$SCRATCH/facts"
	assert_stderr -p "others may write it"
}

# ---- the command line

@test "apply without root" {
	need_root
	chmod 0755 "$SCRATCH"
	mark_area
	run_within 10 as_nobody "$(for_nobody "$RECONCILE")" apply --yes -C "$TREE" --node n \
		--history "$SCRATCH/h.db" --run-dir "$SCRATCH/run"
	assert_status 1
	assert_stderr -p "needs root"
	assert_untouched
	run_within 10 as_nobody "$(for_nobody "$RECONCILE")" run --once -C "$TREE" --node n \
		--history "$SCRATCH/h.db" --run-dir "$SCRATCH/run"
	assert_status 1
	assert_stderr -p "needs root"
	assert_missing "$SCRATCH/h.db" "$SCRATCH/run"
}

# usage TEXT ARG...: a usage error that says TEXT
usage()
{
	local text=$1

	shift
	mark_area
	run_reconcile "$@"
	assert_status 1
	assert_stderr -p "$text"
	refute_output
	assert_untouched
	assert_missing "$SCRATCH/history.db"
}

@test "usage errors, with the nearest known word" {
	usage "unknown command 'plna'; did you mean 'plan'?" plna
	usage "unknown command 'frobnicate'" frobnicate
	usage "unknown option --onyl; did you mean --only?" plan --onyl x
	usage "unknown option --bogus" --bogus plan
	usage "one word too many: 'now'" plan now
	usage "needs a value" plan --node
	usage "--json takes no value" plan --json=1
	usage "'sometimes' is not one of auto, always, never" plan --color sometimes
	usage "'soon' is no duration" apply --lock-timeout soon
	usage "did you mean file" plan --only fil:/x
	usage "--only" plan --only file:rel
	usage "'all' is not one of disruptive, irreversible, reboot" apply --allow all
	usage "--prune-only" apply --prune-only file
	usage "is no number" history --limit 0
	usage "no such kind" facts nokind
	usage "relative" facts mount:rel
	usage "history" history show x
	usage "usage: reconcile history" history list
	usage "say why" pause
}

@test "--only that names what nobody wants" {
	refused plan --only "directory:$AREA/other"
	assert_stderr -p "nothing of that name is wanted"
}

@test "without a command: usage, and status 1" {
	run_reconcile
	assert_status 1
	assert_output -p "Usage: reconcile"
}

# ---- the way out

# onto TARGET COMMAND...: stdout goes there
onto()
{
	local target=$1

	shift
	case $target in
	closed) node_run "$@" >&- ;;
	*) node_run "$@" >"$target" ;;
	esac
}

@test "output that cannot be written is an error, and nothing is changed without having been shown" {
	for target in /dev/full closed; do
		for command in plan "plan --json" validate show "facts directory:/tmp" "apply --yes"; do
			[[ $command != apply* || $EUID == 0 ]] || continue
			mark_area
			# shellcheck disable=SC2086
			run_within 10 onto "$target" $command
			assert_status 1
			assert_stderr
			assert_untouched
		done
	done
}

# into_nothing COMMAND...: its stdout is a pipe that nobody reads any more
into_nothing()
{
	local pipe=$SCRATCH/pipe

	mkfifo "$pipe"
	exec 8<>"$pipe" 9>"$pipe" 8<&-
	node_run "$@" >&9 9>&-
}

@test "a reader that went away is no error of ours" {
	run_within 10 into_nothing plan
	assert_status 2
	refute_stderr
}

@test "an error with --json is on stdout, too" {
	raw 'version: 1\nnodes: [n]\nmode: quick\n'
	run_node plan --json
	assert_status 1
	assert_stderr -p "$NODE_FILE:3:7: error: "
	assert_equal "1 $TREE/$NODE_FILE:3:7" \
		"$(jq -r '"\(.exit_code) \(.errors[0] | "\(.file):\(.line):\(.column)")"' <<<"$output")"
}

@test "what is no kernel release is refused by preflight and allow, and not shown raw" {
	local release long

	long=$(printf 'a%.0s' {1..4096})
	for release in '' . .. '../6.1' '$(id)' 'x;y' 'a|b' '[a]' 'a@b' 6.1.\* $'a\e[31mb' $'\xff' "$long"; do
		for command in "preflight --kernel" "preflight --guard" "allow --for 1h --reason why kernel"; do
			# shellcheck disable=SC2086
			run_reconcile ${command%% *} --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run" ${command#* } "$release"
			assert_status 1
			assert_stderr -p "is no kernel release, expected one like 6.8.0-1042-aws"
			[[ $stderr != *$'\e'* && ${#stderr} -lt 400 ]]
		done
	done
}
