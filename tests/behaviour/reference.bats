#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# docs/state.md is what the field tables say today, and its example is a tree that holds. The manual
# page and the completion know what the program knows.

load support/common

setup()
{
	scratch_open
}

teardown()
{
	scratch_close
}

# The blocks of YAML of the reference, each into the file that its first line names.
write_example()
{
	awk -v top="$1" '
		/^```/ { inside = $0 == "```yaml"; file = ""; next }
		inside && file == "" && /^# state\// {
			file = top "/" $2
			folder = file
			sub(/\/[^\/]*$/, "", folder)
			if (system("mkdir -p \"" folder "\""))
				exit 1
		}
		inside && file != "" { print >file }' "$TOP/docs/state.md"
}

@test "docs/state.md is what the program prints" {
	need_program state_reference
	"$TEST_PROGRAMS/state_reference" >"$SCRATCH/state.md"
	diff -u "$TOP/docs/state.md" "$SCRATCH/state.md" || fail "make docs writes it anew"
}

@test "the example of docs/state.md validates" {
	write_example "$SCRATCH/tree"
	[[ $(find "$SCRATCH/tree" -name '*.yaml' | wc -l) == 3 ]]
	run_reconcile validate -C "$SCRATCH/tree"
	assert_status 0
	run_reconcile show --json -C "$SCRATCH/tree" --node compute-7
	assert_status 0
	assert_output -p '"linux-modules-extra-aws"'
	assert_output -p '"linux-image-aws"'
	refute_output -p '"lustre-client-utils"'
}

@test "every tree of docs/from-your-script.md validates as it stands" {
	local n=0 tree

	awk -v top="$SCRATCH" '
		/^```yaml/ { n++; next }
		/^```/ { n += 0; inside = 0; next }
		/^# state\// && n { file = sprintf("%s/tree%d/%s", top, n, $2); folder = file
			sub(/\/[^\/]*$/, "", folder); system("mkdir -p \"" folder "\""); inside = 1 }
		inside { print >file }' "$TOP/docs/from-your-script.md"
	for tree in "$SCRATCH"/tree*; do
		run_reconcile validate -C "$tree"
		assert_status 0
		n=$((n + 1))
	done
	((n == 5)) || fail "expected 5 trees, found $n"
}

# The commands of the program's help.
commands()
{
	"$RECONCILE" --help | awk '/^Commands:/ {on = 1; next} /^$/ {on = 0} on {print $1}'
}

# page_tags SECTION: the tags of a section of the manual page, as text
page_tags()
{
	awk -v section=".SH $1" '
		/^\.SH/ { on = $0 == section; next }
		on && tag { gsub(/\\f.|"|\\/, ""); print }
		{ tag = /^\.TP/ }' "$TOP/docs/man/reconcile.8"
}

@test "the manual page has every command, every global option and every exit code" {
	local word tags codes

	tags=$(page_tags COMMANDS)
	for word in $(commands); do
		grep -qwE "^\.BR? $word" <<<"$tags" || fail "no command $word in docs/man/reconcile.8"
	done
	[[ $(wc -l <<<"$tags") == "$(commands | wc -l)" ]] || fail "too many commands: $tags"
	tags=$(page_tags OPTIONS)
	for word in $("$RECONCILE" --help | grep -oE '^  (-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
		grep -qF -- "$word" <<<"$tags" || fail "no option $word in docs/man/reconcile.8"
	done
	codes=$(awk -F '|' '$2 ~ /^ [0-9]+ $/ {print $2 + 0}' "$TOP/docs/exit-codes.md" | sort -n)
	[[ $(page_tags "EXIT STATUS" | awk '{print $2}') == "$codes"$'\n'10 ]] ||
		fail "the exit codes of docs/exit-codes.md are others: $codes"
}

@test "the manual page is right for man" {
	need_command groff
	run groff -ww -z -man -Tutf8 "$TOP/docs/man/reconcile.8"
	assert_status 0
	assert_output ""
}

# complete_line WORD...: what bash would offer for the last word
complete_line()
{
	bash --norc -c '
		source "$TOP/state/completion/reconcile.bash"
		compopt() { echo "compopt $*"; }
		program=$1
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_reconcile "$program" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$RECONCILE" "$@"
}

@test "bash completes commands, options and their values" {
	local command

	[[ $(complete_line reconcile "") == "$(commands)" ]]
	[[ $(complete_line reconcile va) == validate ]]
	[[ $(complete_line reconcile --js) == --json ]]
	[[ $(complete_line reconcile -C /srv/tree plan --on) == --only ]]
	[[ $(complete_line reconcile history "") == show ]]
	[[ $(complete_line reconcile plan --color = al) == always ]]
	[[ $(complete_line reconcile apply --dir /e) == "compopt -o default"* ]]
	for command in $(commands); do
		[[ $(complete_line reconcile "$command" --ru) == --run-dir ]] || fail "$command"
	done
}

@test "what is installed is taken away again, manual page and completion with it" {
	local root=$SCRATCH/root file
	local -a make=(make -s -C "$TOP" -o "$RECONCILE" -o "$RECONCILE-fsx" BIN="$RECONCILE"
		DESTDIR="$root")

	"${make[@]}" install
	for file in bin/reconcile share/man/man8/reconcile.8 \
		share/bash-completion/completions/reconcile share/doc/reconcile/README.md; do
		[[ -f $root/usr/local/$file ]] || fail "$file is not installed"
	done
	"${make[@]}" uninstall
	run find "$root" -not -type d
	assert_output ""
}

@test "every command that the guides name is one" {
	local name commands

	commands=$(commands)
	for name in $(grep -ohE '`(sudo )?reconcile [a-z]+|^ +(sudo )?reconcile [a-z]+' \
		"$TOP"/docs/field-guide.md "$TOP"/docs/from-your-script.md "$TOP/README.md" |
		awk '{print $NF}' | sort -u); do
		grep -qx "$name" <<<"$commands" || fail "reconcile $name: there is no such command"
	done
}
