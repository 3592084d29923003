# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A Slurm of one node in the root of bootroot.bash: the release's own slurmctld, slurmd and munge, and
# a network and host name that nobody else sees. All of it runs under other names than usual (slurmctld-wlm,
# as the files are called), so that a test beside this one does not take itself for a node with jobs.
#
#	slurm_tools			unpacked once, kept in $TEST_CACHE
#	slurm_open			in ROOT; compute7 is idle then
#	in_slurm COMMAND ARG...		as in_root, in that network
#	slurm_says FIELD		of compute7: State (but for NOT_RESPONDING, which is until Slurm pings it), Reason (without how
#					far a reboot is)

SLURM_PACKAGES=(slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge libmunge2 libhwloc15
	liblua5.1-0 libnuma1 libreadline8 libdbus-1-3 libjson-c5)

# slurm_tools: sets SLURM_TOOLS
slurm_tools()
{
	local key

	need_root
	need_command flock dpkg-deb unshare
	key=$(cat "$TOP/tests/behaviour/support/slurm.bash" /etc/os-release | sha256sum | cut -c1-16)
	SLURM_TOOLS=$TEST_CACHE/slurm-$key
	[[ ! -e $SLURM_TOOLS/.complete ]] || return 0
	mkdir -p "$TEST_CACHE"
	exec {SLURM_LOCK}>"$TEST_CACHE/slurm.lock"
	flock "$SLURM_LOCK"
	[[ -e $SLURM_TOOLS/.complete ]] || _slurm_unpack "$SLURM_TOOLS" || return
	exec {SLURM_LOCK}>&-
}

_slurm_unpack()
{
	local dir=$1 deb folder name

	rm -rf "$TEST_CACHE"/slurm-*
	mkdir -p "$dir/debs"
	_slurm_download "$dir" || { archive_refresh "$dir/log" && _slurm_download "$dir"; } ||
		skip "needs the packages of Slurm: $(grep '^E:' "$dir/log" | head -n 1)"
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/tree" || return
	done
	# as the root has it, where /lib is a link
	for folder in lib sbin bin; do
		[[ -d $dir/tree/$folder ]] || continue
		mkdir -p "$dir/tree/usr/$folder"
		cp -a "$dir/tree/$folder/." "$dir/tree/usr/$folder/"
		rm -rf "${dir:?}/tree/$folder"
	done
	for name in slurmctld slurmd slurmstepd; do
		[[ -x $dir/tree/usr/sbin/$name-wlm ]] ||
			skip "needs packages of Slurm that are made as in Debian 12"
	done
	rm -rf "$dir/debs" "$dir/tree/usr/share" "$dir/tree/etc/init.d" "$dir/tree/usr/lib/systemd"
	touch "$dir/.complete"
}

_slurm_download()
{
	(cd "$1/debs" && apt-get "${ARCHIVE[@]}" -q -o APT::Sandbox::User=root download \
		"${SLURM_PACKAGES[@]}") >"$1/log" 2>&1
}

in_slurm()
{
	nsenter -t "$(<"$SCRATCH/.slurm-ns")" -m -n -u chroot "$ROOT" env -i \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LC_ALL=C.UTF-8 "$@"
}

# _slurm_daemon COMMAND ARG...: one that goes to the background by itself
_slurm_daemon()
{
	in_slurm "$@" </dev/null >>"$SCRATCH/.slurm-log" 2>&1 3>&- 4>&- ||
		skip "Slurm does not run here: $1: $(grep -E 'error|fatal' "$SCRATCH/.slurm-log" | tail -n 1)"
}

slurm_open()
{
	local pid

	pid=$(in_ns bash -c 'unshare -n -u sleep 3600 </dev/null >/dev/null 2>&1 3>&- 4>&- & echo $!') || return
	wait_for 10 _is_named "$pid" sleep || skip "needs a network namespace"
	echo "$pid" >"$SCRATCH/.slurm-ns"
	nsenter -t "$pid" -n ip link set lo up && nsenter -t "$pid" -n ip addr add 10.9.9.9/32 dev lo ||
		skip "needs ip(8)" # an address beside 127.0.0.1, or no name is looked up at all
	nsenter -t "$pid" -u hostname cn7.example.org
	in_ns cp -a "$SLURM_TOOLS/tree/." "$ROOT/"
	in_root bash -euc '
		mkdir -p /etc/slurm /var/spool/ctld /var/spool/slurmd /run/munge
		mkdir -p -m 0700 /etc/munge /var/lib/munge /var/log/munge
		chmod 0700 /etc/munge
		head -c 64 /dev/urandom >/etc/munge/munge.key
		chmod 0600 /etc/munge/munge.key
		mount -t tmpfs tmpfs /sys/fs/cgroup
		echo "127.0.0.1 localhost cn7.example.org cn7 elsewhere" >/etc/hosts
		printf "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n" >/etc/slurm/cgroup.conf
		printf "#!/bin/sh\necho reboot >>/root/rebooted\n" >/usr/local/sbin/node-reboot
		chmod 0755 /usr/local/sbin/node-reboot
		cat >/etc/slurm/slurm.conf' <<'CONF'
ClusterName=field
SlurmctldHost=cn7(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
StateSaveLocation=/var/spool/ctld
SlurmdSpoolDir=/var/spool/slurmd/%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurmctld.log
SlurmdLogFile=/var/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
ReturnToService=2
MessageTimeout=5
ResumeTimeout=60
RebootProgram=/usr/local/sbin/node-reboot
NodeName=compute7 NodeHostname=cn7 NodeAddr=127.0.0.1 Port=17001 CPUs=1 State=UNKNOWN
NodeName=compute8 NodeHostname=elsewhere NodeAddr=127.0.0.1 Port=17002 CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES
CONF
	_slurm_daemon munged
	slurmctld_starts
	slurmd_starts
	wait_for 60 is_node IDLE || skip "Slurm does not run here: $(in_root tail -n 3 /var/log/slurmd.log)"
}

slurm_says()
{
	local line

	line=$(in_slurm scontrol show node -o compute7) || return
	case $1 in
	State) sed -n 's/.* State=\([^ ]*\).*/\1/p' <<<"$line" | sed 's/+NOT_RESPONDING//' ;;
	Reason) sed -n 's/.* Reason=\(.*\) \[.*\]/\1/p' <<<"$line" | sed 's/ : reboot .*//' ;;
	esac
}

# is_node STATE: exactly
is_node()
{
	[[ $(slurm_says State 2>/dev/null) == "$1" ]]
}

job_runs()
{
	[[ -n $(in_slurm squeue -h -t running) ]]
}

# slurmd_starts OPTION...: which finds its slurmstepd by the name it is told, not by the usual one
slurmd_starts()
{
	_slurm_daemon slurmd-wlm -N compute7 -d /usr/sbin/slurmstepd-wlm "$@"
}

slurmctld_starts()
{
	_slurm_daemon slurmctld-wlm
	wait_for 60 in_slurm scontrol ping >/dev/null 2>&1
}

slurmctld_ends()
{
	local pid

	pid=$(in_root cat /run/slurmctld.pid)
	kill "$pid" && wait_for 60 test ! -e "/proc/$pid"
}

# slurmd_again: as after a boot, and Slurm has noticed
slurmd_again()
{
	local pid

	pid=$(in_root cat /run/slurmd.pid)
	kill "$pid" && wait_for 60 test ! -e "/proc/$pid"
	sleep 1 # Slurm's clock has seconds: the boot is later than the reboot was asked for
	slurmd_starts -b
	wait_for 60 _is_back
}

_is_back()
{
	local state

	state=$(slurm_says State) && [[ $state != *REBOOT* && $state != *DOWN* ]]
}
