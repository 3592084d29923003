# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion for bash. What there is to complete the program itself tells (--help), so that nothing
# here has to follow its tables; only what a value may be stands here.

# _reconcile_help PROGRAM SECTION [COMMAND]: the first words of the lines of a section of the help
# (Commands, ptions for both kinds of options), or with SECTION "usage" the literal words that the
# command takes.
_reconcile_help()
{
	"$1" ${3:+"$3"} --help 2>/dev/null | awk -v section="$2" '
		section == "usage" && /^Usage:/ {
			for (i = 4; i <= NF; i++) { gsub(/[][|]/, "", $i); if ($i ~ /^[a-z]+$/) print $i }
		}
		/^[^ ].*:$/ { on = index($0, section) }
		/^$/ { on = 0 }
		on && /^  -?-?[a-zA-Z]/ { sub(/,$/, "", $1); print $1; if ($2 ~ /^--/) print $2 }'
}

_reconcile()
{
	local program=$1 word=$2 before=$3 command="" commands choices i

	COMPREPLY=()
	# --name=value comes as three words
	[[ $word != = ]] || word=""
	[[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
	case $before in
	-C | --dir | --run-dir | -o | --out | --facts | --history)
		compopt -o default
		return
		;;
	--color) choices="auto always never" ;;
	--allow) choices="disruptive irreversible reboot" ;;
	--kernel | --guard | kernel) choices=$(ls /lib/modules 2>/dev/null) ;;
	--node | --lock-timeout | --max-age | --only | --prune-only | --until-in-sync | --interval | \
		--splay | --for | --until | --reason | -n | --limit) return ;;
	*)
		commands=$(_reconcile_help "$program" Commands)
		for ((i = 1; i < COMP_CWORD && ${#command} == 0; i++)); do
			[[ $'\n'$commands$'\n' != *$'\n'${COMP_WORDS[i]}$'\n'* ]] || command=${COMP_WORDS[i]}
		done
		if [[ $word == -* ]]; then
			choices=$(_reconcile_help "$program" ptions "$command")
		elif [[ -z $command ]]; then
			choices=$commands
		else
			choices=$(_reconcile_help "$program" usage "$command")
			[[ $command != apply && $command != doctor ]] || compopt -o default
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _reconcile reconcile
