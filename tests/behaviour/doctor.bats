#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a person with a broken node types first: no tree, no root, no waiting, nothing changed.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree
load support/hangfs

setup()
{
	need_root
	scratch_open
	AREA=$SCRATCH/area
	mkdir -p "$AREA"
	ns_overlay /etc
	in_ns "rm -f /etc/fstab; mkdir -p $AREA/mine; mount -t tmpfs -o size=1m mine $AREA/mine"
}

teardown()
{
	scratch_close
}

# fstab <LINES: becomes the namespace's /etc/fstab
fstab()
{
	cat >"$SCRATCH/fstab"
	in_ns cp "$SCRATCH/fstab" /etc/fstab
}

doctor()
{
	run_reconcile doctor "$@"
}

# took_ms COMMAND ARG...: sets took
took_ms()
{
	local begun

	begun=$(date +%s%3N)
	"$@"
	took=$(($(date +%s%3N) - begun))
}

@test "what is mounted, what is not and what is armed, with sizes as df has them" {
	fstab <<END
tmpfs $AREA/there tmpfs size=4m 0 0
tmpfs $AREA/gone tmpfs size=1m 0 0
tmpfs $AREA/later tmpfs noauto 0 0
LABEL=none none swap sw 0 0
END
	in_ns "mkdir $AREA/there $AREA/later; mount $AREA/there; head -c 1048576 /dev/zero >$AREA/there/f"
	doctor
	assert_status 2
	assert_line -e "^MOUNT +STATE +SOURCE +SIZE +USED +AVAIL +USE%$"
	assert_line -e "^$AREA/there +MOUNTED +tmpfs +4.0M +1.0M +3.0M +25%$"
	assert_line -e "^$AREA/gone +NOT MOUNTED +tmpfs +- +- +- +-$"
	assert_line -e "^    the folder to mount it on is missing$"
	assert_line -e "^$AREA/later +NOT MOUNTED "
	assert_line -e "^    noauto: "
	refute_output -p swap
	assert_line -e "^Running +$(uname -r)"
	assert_line "Node $(hostname -s): CRITICAL"
	refute_output -p "$AREA/mine"
}

@test "all well is exit 0; sizes and percent are those of df" {
	fstab <<<"tmpfs $AREA/t tmpfs size=10m 0 0"
	in_ns "mkdir $AREA/t; mount $AREA/t; head -c 3333333 /dev/zero >$AREA/t/f"
	doctor --line "$AREA/t"
	assert_status 0
	read -r _ standing target source size used available percent rest <<<"$output"
	assert_equal MOUNTED "$standing"
	assert_equal "$AREA/t" "$target"
	assert_equal tmpfs "$source"
	assert_equal "" "$rest"
	read -r _ dsize dused davailable dpercent _ < <(in_ns "df -h $AREA/t" | tail -n 1)
	assert_equal "$dsize $dused $davailable $dpercent" "$size $used $available $percent"
}

@test "--line: eight fields for awk whatever a field holds, and the exit code" {
	fstab <<END
tmpfs $AREA/a\\040b tmpfs size=1m 0 0
server:/export $AREA/n nfs defaults 0 0
END
	in_ns "mkdir '$AREA/a b'; mount '$AREA/a b'"
	doctor --line
	assert_status 2
	assert_equal 2 "${#lines[@]}"
	assert_equal "8 8" "$(awk '{print NF}' <<<"$output" | xargs)"
	assert_line -e "^$(hostname -s) +MOUNTED +$AREA/a\\\\040b +tmpfs +1.0M +0 +1.0M +0%$"
	assert_line -e "^$(hostname -s) +NOT_MOUNTED +$AREA/n +server:/export +- +- +- +-$"
	doctor --line "$AREA/n"
	assert_equal 1 "${#lines[@]}"
}

@test "three dead file systems: HUNG, under two seconds together, and nobody waits for a fourth" {
	for n in 1 2 3; do
		hangfs_start "$AREA/dead$n"
	done
	hangfs_start "$AREA/well" fsname=server:/ok
	fstab <<<"tmpfs $AREA/dead1/below tmpfs noauto 0 0"
	for n in 1 2 3; do
		hangfs_hang "$AREA/dead$n"
	done
	took_ms doctor
	((took < 2000)) || is_sanitized || fail "took $took ms"
	assert_status 2
	for n in 1 2 3; do
		assert_line -e "^$AREA/dead$n +HUNG +$HANGFS_SOURCE "
	done
	assert_line -e "^$AREA/well +MOUNTED +server:/ok "
	assert_line -e "^$AREA/dead1/below +UNKNOWN "
	assert_output -p "no answer within 1"
	kept=$(for n in 1 2 3; do hangfs_kept "$AREA/dead$n"; done | xargs)
	took_ms doctor
	((took < 1500)) || is_sanitized || fail "the second one took $took ms"
	assert_status 2
	assert_output -p "has hung on it since"
	assert_equal "$kept" "$(for n in 1 2 3; do hangfs_kept "$AREA/dead$n"; done | xargs)"
}

@test "an armed automount is said and not triggered" {
	need_command python3
	fstab <<<"server:/export $AREA/auto nfs noauto,x-systemd.automount 0 0"
	in_ns "mkdir $AREA/auto"
	doctor
	assert_status 2
	assert_output -p "fstab wants an automount, and none is armed"
	# the kernel's side of an automount whose daemon never answers: whoever triggers it hangs
	in_ns "mkfifo $SCRATCH/pipe"
	in_ns 'python3 -c "
import os, sys, time, ctypes
r, w = os.pipe()
os.setpgid(0, 0)
libc = ctypes.CDLL(None, use_errno=True)
o = (\"fd=%d,pgrp=%d,minproto=5,maxproto=5,direct\" % (w, os.getpgrp())).encode()
if libc.mount(b\"systemd-1\", sys.argv[1].encode(), b\"autofs\", 0, o):
    sys.exit(7)
open(sys.argv[2], \"w\").write(\"up\")
time.sleep(300)
" '"$AREA/auto $SCRATCH/up >/dev/null 2>&1 3>&- 4>&- &" || skip "no autofs in this kernel"
	wait_for 5 test -s "$SCRATCH/up" || skip "no autofs in this kernel"
	doctor
	assert_status 0
	assert_line -e "^$AREA/auto +ARMED +server:/export "
	assert_output -p "an automount is armed"
	run_reconcile facts "space:$AREA/auto"
	assert_output -p "undetermined"
	assert_output -p "is armed: a look would mount it"
}

# armed VERDICT: a recording of a node with an automount whose module stands like that
armed()
{
	put "$SCRATCH/facts.json" <<-END
		{"reconcile_facts": 1, "facts": [
		  {"kind": "kernel", "key": "", "state": "present", "running": "6.1.0-1"},
		  {"kind": "mount", "key": "/fsx", "state": "present", "live": false, "automount": true, "fstab": true,
		   "fstab_type": "lustre", "fstab_source": "10.1.30.23@tcp:/fsx", "fstab_options": ["x-systemd.automount"]},
		  {"kind": "loadable", "key": "lustre@6.1.0-1", "state": "present", "verdict": "$1", "cause": "missing",
		   "reason": "there is no lustre.ko"}]}
	END
}

@test "an armed automount whose module cannot load is critical, also where only a line is asked for" {
	armed no
	doctor --line --facts "$SCRATCH/facts.json"
	assert_status 2
	assert_output -e "^[^ ]+ +ARMED +/fsx "
	doctor --facts "$SCRATCH/facts.json"
	assert_status 2
	assert_output -p "cannot load lustre"
	for verdict in yes unproven; do
		armed "$verdict"
		doctor --line --facts "$SCRATCH/facts.json"
		assert_status 0
	done
}

@test "nothing is changed: no mount, no file, no process left" {
	fstab <<<"tmpfs $AREA/gone tmpfs size=1m 0 0"
	before=$(mounts_listed; in_ns find /etc /run/reconcile /var/lib/reconcile "$AREA" -newer "$SCRATCH/fstab" 2>/dev/null | sort)
	doctor
	doctor --line
	doctor --json
	after=$(mounts_listed; in_ns find /etc /run/reconcile /var/lib/reconcile "$AREA" -newer "$SCRATCH/fstab" 2>/dev/null | sort)
	assert_equal "$before" "$after"
	none_left
	[[ ! -e $SCRATCH/history.db ]]
}

@test "without root: the same picture, and it says what only root may read" {
	local program
	program=$(for_nobody "$RECONCILE")
	fstab <<END
tmpfs $AREA/there tmpfs size=4m 0 0
tmpfs $AREA/closed/in tmpfs size=4m 0 0
END
	in_ns "mkdir $AREA/there; mount $AREA/there; mkdir -p $AREA/closed/in; mount $AREA/closed/in; chmod 0700 $AREA/closed
		mkdir -p /etc/cron.d; echo '@reboot root modprobe lustre' >/etc/cron.d/fix"
	run_within 60 as_nobody "$program" doctor --run-dir "$SCRATCH/run"
	assert_status 0
	assert_line -e "^$AREA/there +MOUNTED +tmpfs +4.0M "
	assert_line -e "^$AREA/closed/in +MOUNTED +tmpfs +- "
	assert_output -p "Permission denied"
	assert_output -p "/etc/cron.d/fix:1 (cron) repairs as well: modprobe lustre"
}

@test "without root a dead file system holds one process, however often it is asked" {
	local program
	program=$(for_nobody "$RECONCILE")
	in_ns "mkdir -p /run/user; mount -t tmpfs tmpfs /run/user; mkdir -m 0700 /run/user/65534; chown 65534 /run/user/65534"
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	run_within 60 as_nobody "$program" doctor --line --run-dir "$SCRATCH/run"
	assert_status 2
	assert_line -e " HUNG +$AREA/dead "
	kept=$(hangfs_kept "$AREA/dead")
	run_within 60 as_nobody "$program" doctor --run-dir "$SCRATCH/run"
	assert_status 2
	assert_output -p "has hung on it since"
	assert_equal "$kept" "$(hangfs_kept "$AREA/dead")"
}

@test "no fstab, an empty one, broken lines and one that is no file" {
	in_ns rm -f /etc/fstab
	doctor
	assert_status 0
	assert_output -p "fstab wants no file system"
	fstab </dev/null
	doctor
	assert_status 0
	fstab <<END
this
/dev/sda1
tmpfs relative tmpfs defaults 0 0
   # a comment
tmpfs $AREA/ok tmpfs size=1m
tmpfs $AREA/ok/../up tmpfs
END
	in_ns "mkdir $AREA/ok; mount $AREA/ok"
	doctor
	assert_status 0
	assert_line -e "^$AREA/ok +MOUNTED "
	assert_line -e "^fstab +/etc/fstab:1: \"this\" mounts nothing: source, target and type are needed"
	assert_line -e "^fstab +/etc/fstab:2: \"/dev/sda1\" mounts nothing"
	assert_line -e "^fstab +/etc/fstab:3: the target relative is relative, expected an absolute path"
	assert_line -e "^fstab +/etc/fstab:6: the target .* has a part"
	refute_output -p "fstab:4"
	refute_output -p "fstab:5"
	in_ns "rm /etc/fstab; mkdir /etc/fstab"
	hangfs_start "$AREA/live"
	doctor
	assert_status 3
	assert_line -e "^$AREA/live +MOUNTED "
	assert_line -e "^fstab +.*/etc/fstab: it is no regular file"
}

@test "an fstab that was cut off within a line is told, with the line" {
	printf 'tmpfs %s tmpfs size=1m 0 0\n10.1.30.23@tc' "$AREA/ok" >"$SCRATCH/fstab"
	in_ns "cp $SCRATCH/fstab /etc/fstab; mkdir $AREA/ok; mount $AREA/ok"
	doctor
	assert_status 0
	assert_line -e '^fstab +/etc/fstab:2: "10.1.30.23@tc" mounts nothing: .* the file ends within this line, it may be cut off$'
	doctor --json
	assert_equal 1 "$(jq '.fstab_faults | length' <<<"$output")"
}

@test "a file system that answers with an error is BROKEN" {
	hangfs_start "$AREA/dead"
	kill -KILL "$(hangfs_pid "$AREA/dead")"
	wait_for 5 eval '! kill -0 "$(hangfs_pid "$AREA/dead")" 2>/dev/null'
	doctor
	assert_status 2
	assert_line -e "^$AREA/dead +BROKEN "
	assert_output -p "it answers with an error: "
}

@test "another file system than fstab says is critical" {
	fstab <<<"10.1.30.23@tcp:/other $AREA/l fuse.lustre defaults 0 0"
	hangfs_start "$AREA/l"
	doctor
	assert_status 2
	assert_output -p "fstab says 10.1.30.23@tcp:/other, and something else is mounted"
}

@test "what is mounted over a line of fstab does not hide what the line wants" {
	fstab <<<"10.1.30.23@tcp:/czrc3amv $AREA/l lustre defaults 0 0"
	in_ns "mkdir $AREA/l; mount -t tmpfs -o size=1m tmpfs $AREA/l"
	doctor
	assert_status 2
	assert_output -p "fstab wants lustre, and something else is mounted: tmpfs"
	assert_line -e "^lustre +$(uname -r) "
	doctor --line
	assert_status 2
	for what in "" --next-boot; do
		run_reconcile check $what
		refute_output -p OK
	done
}

@test "a tree is not looked at, which is said with what does look at it" {
	in_ns "mkdir -p /etc/reconcile/state"
	doctor
	assert_status 0
	assert_line -e '^Tree +/etc/reconcile is not looked at here; `reconcile check` judges this node by it'
	assert_line -e "^  reconcile check +# judges this node by its tree"
	refute_output -p "--next-boot"
	doctor -C "$SCRATCH/elsewhere" --json
	assert_equal true "$(jq '.unjudged == null' <<<"$output")"
	mkdir -p "$SCRATCH/elsewhere/state"
	doctor -C "$SCRATCH/elsewhere"
	assert_output -p "reconcile check -C $SCRATCH/elsewhere"
}

@test "rivals are named with file and line, and none is said as well" {
	doctor
	assert_line -e "^Rivals +none"
	in_ns "mkdir -p /etc/systemd/system/multi-user.target.wants
		printf '[Service]\nExecStart=/sbin/modprobe lustre\n' >/etc/systemd/system/lustre-module-check.service
		ln -s ../lustre-module-check.service /etc/systemd/system/multi-user.target.wants/"
	doctor
	assert_line -e "^Rivals +lustre-module-check.service \(service\) repairs as well: /sbin/modprobe lustre \[/etc/systemd/system/lustre-module-check.service:2\]"
}

@test "two commands to run next, fit to what was found" {
	doctor
	assert_line -e "^  sudo reconcile import -o /etc/reconcile +#"
	assert_line -e "^  sudo reconcile plan +#"
	refute_output -p "not looked at"
	in_ns "mkdir -p /etc/reconcile/state"
	fstab <<<"tmpfs $AREA/gone tmpfs size=1m 0 0"
	doctor
	assert_line -e "^  sudo reconcile plan +#"
	assert_line -e "^  sudo reconcile apply +#"
}

@test "--json holds all of it" {
	fstab <<<"tmpfs $AREA/t tmpfs size=1m 0 0"
	in_ns "mkdir $AREA/t; mount $AREA/t"
	doctor --json
	assert_status 0
	assert_equal "OK $AREA/t MOUNTED 1048576 0" \
		"$(jq -r '[.health, (.mounts[0] | .target, .standing, .size, .percent)] | join(" ")' <<<"$output")"
	assert_equal "$(uname -r)" "$(jq -r '.kernels[0].release' <<<"$output")"
	assert_equal 2 "$(jq '.run_next | length' <<<"$output")"
}

@test "the kernel moved: a recording of such a node is critical, with the reason and who did it" {
	doctor --facts "$TOP/tests/behaviour/support/moved-kernel.json"
	assert_status 2
	assert_line -e "^Running +6.8.0-1042-aws +\(installed 2026-11-20T06:12:40Z by unattended-upgrades\)"
	assert_line -e "^/lustre +NOT MOUNTED +10.1.30.23@tcp:/czrc3amv "
	assert_output -p "the running kernel 6.8.0-1042-aws cannot load lustre: "
	assert_line -e "^lustre +6.8.0-1042-aws +running, default +no$"
	assert_line -e "^Next boot +6.8.0-1042-aws"
}

@test "healthy now and lost at the next boot is a warning" {
	jq '(.facts[] | select(.kind == "kernel") | .running) = "6.8.0-1039-aws"
		| (.facts[] | select(.kind == "mount" and .key == "/lustre")) |= {kind, key, state, live: true, fstab: true,
			source: "10.1.30.23@tcp:/czrc3amv", type: "lustre", fstab_source: "10.1.30.23@tcp:/czrc3amv", fstab_type: "lustre"}' \
		"$TOP/tests/behaviour/support/moved-kernel.json" >"$SCRATCH/facts.json"
	doctor --facts "$SCRATCH/facts.json"
	assert_status 1
	assert_line -e "^lustre +6.8.0-1039-aws +running +yes$"
	assert_line -e "^lustre +6.8.0-1042-aws +default, next +no$"
	assert_line -e "^Next boot +6.8.0-1042-aws.*/lustre"
}

@test "a word that is no option, and help" {
	doctor --lines
	assert_status 1
	doctor --help
	assert_status 0
	assert_output -p "Exit codes of a monitoring plugin"
}
