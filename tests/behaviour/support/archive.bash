# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Where this machine's packages come from, for the harnesses that fetch some of them. Nothing of the
# machine is changed: when its own lists are missing or out of date, lists of our own are made
# beside the other things kept in $TEST_CACHE.

ARCHIVE=() # the options that make apt use our lists; empty as long as the machine's own will do

# archive_refresh LOG: lists of our own, from now on
archive_refresh()
{
	local own=$TEST_CACHE/apt

	mkdir -p "$own/lists/partial" "$own/cache/archives/partial"
	ARCHIVE=(-o "Dir::State::lists=$own/lists" -o "Dir::Cache=$own/cache")
	apt-get "${ARCHIVE[@]}" -q -o APT::Sandbox::User=root update >>"$1" 2>&1
}

# archive_of_release: address and suite that this machine's release itself comes from; nothing when
# its lists are missing
archive_of_release()
{
	local codename

	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # they are apt's
	apt-get "${ARCHIVE[@]}" indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk -v suite="$codename" '$2 == suite {sub(/\/$/, "", $1); print $1, $2; exit}'
}

# archive_fetch DIR PACKAGE-OF-WHICH-THE-FIRST-DEPENDENCY-IS-WANTED: leaves that .deb in DIR
archive_fetch()
{
	local package

	package=$(apt-cache "${ARCHIVE[@]}" depends "$2" | awk '$1 == "Depends:" {print $2; exit}')
	[[ -n $package ]] || return
	(cd "$1" && apt-get "${ARCHIVE[@]}" -q -o APT::Sandbox::User=root download "$package")
}
