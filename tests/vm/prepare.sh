#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs once in the guest before its snapshot is taken.
#
#	prepare.sh RUNNING MODULE VARIANT
#
# base: the node as its image was made, with the module for kernel A, whose vendor has one for A and B
# by now. It runs B. dkms: it runs C, and DKMS knows beegfs and has built nothing.
set -eu
source='deb [signed-by=/srv/vendor/vendor.gpg] file:/srv/vendor'
echo "$source/debian ./" >/etc/apt/sources.list.d/debian.list
echo "$source/full ./" >/etc/apt/sources.list.d/lustre.list
apt-get -q update
test "$(uname -r)" = "$1"
dpkg -i /srv/vendor/full/lustre-client-utils_*.deb "/srv/vendor/full/lustre-client-modules-$2"_*.deb
mkdir -p /lustre
if [ "$3" = dkms ]; then
	dpkg -i /srv/vendor/beegfs-client_*.deb
	dkms add beegfs/7.4.4
	systemctl daemon-reload
fi
systemctl is-system-running --wait || systemctl --failed
sync
