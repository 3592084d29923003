# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A signed package source beside the unsigned one of aptroot.bash. Needs that.
#
#	signed_open		makes a key, and takes the root's own source away: nothing but what a test
#				adds is known to apt
#	sign			signs what publish wrote; after every publish
#	key_text, key_yaml	the armoured public key, as it is and as a YAML block at a depth

signed_open()
{
	need_command gpg gpgv
	export GNUPGHOME=$SCRATCH/gnupg
	mkdir -m 0700 "$GNUPGHOME"
	at_end gpgconf --homedir "$GNUPGHOME" --kill all
	gpg --batch --quiet --passphrase '' --quick-generate-key 'Field <field@example.org>' \
		rsa2048 sign never 2>/dev/null || return
	in_root rm -f /etc/apt/sources.list.d/field.list
	sign
}

sign()
{
	local dists=$REPOSITORY/dists/$REPOSITORY_CODENAME

	rm -f "$dists/InRelease"
	gpg --batch --quiet --yes --clearsign -o "$dists/.InRelease" "$dists/Release" || return
	touch -r "$dists/Release" "$dists/.InRelease"
	mv "$dists/.InRelease" "$dists/InRelease"
}

key_text()
{
	gpg --batch --armor --export field@example.org
}

# key_yaml INDENT
key_yaml()
{
	key_text | sed "s/^/$(printf '%*s' "$1" '')/; s/ *\$//"
}
