#!/usr/bin/env bats
# Each check of tests/checks is proved able to fail: a small tree that passes, one thing spoiled,
# and the check must be red and say where.

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/core/base" "$tree/core/store" "$tree/core/cli" "$tree/tests/unit/base"
	cd "$tree"
	cp "$TOP/core/rooms.mk" core/
	c core/base/err.c '#include "base/err.h"' 'int err;'
	c core/base/err.h '/* Errors. */' 'extern int err;'
	c core/base/child.c '#include <unistd.h>' 'int child(void)' '{' '	return fork();' '}'
	c core/cli/main.c '#include "base/err.h"' '#include "store/db.h"' 'int main(void)' '{' \
		'	return puts("hi");' '}'
	c core/store/db.c '#include "store/db.h"' '#include "base/err.h"' '#include <sqlite3.h>' 'int db;'
	c core/store/db.h '// History.' 'extern int db;'
	mkdir -p tests/unit/store
	touch tests/unit/base/err_test.c tests/unit/base/child_test.c tests/unit/store/db_test.c
	for f in tests/unit/*/*_test.c; do
		c "$f" '/* A test. */'
	done
}

# c FILE LINE...: a C file under the licence line.
c() {
	local file=$1
	shift
	printf '%s\n' '// SPDX-License-Identifier: MIT' "$@" >"$file"
}

check() {
	"$TOP/tests/checks/run" "$@"
}

# red CHECK TEXT: the check fails and its output holds the text.
red() {
	run check "$1"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 - $1"* ]]
	[[ $output == *"$2"* ]]
}

@test "a tree in order passes every check" {
	run check
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1..3 ]
	[[ $output != *"not ok"* ]]
}

@test "a tree without sources is not in order" {
	mkdir empty
	cd empty
	mkdir -p core tests/unit
	cp ../core/rooms.mk core/
	run check
	echo "$output"
	[ "$status" -eq 1 ]
	[ "$(grep -c '^not ok' <<<"$output")" -eq 2 ]
	rm core/rooms.mk
	red arrows rooms.mk
}

@test "arrows: an upward include" {
	c core/base/up.c '#include "store/db.h"'
	red arrows 'core/base/up.c:2: base may not include "store/db.h"'
}

@test "arrows: an include between siblings" {
	mkdir core/policy
	c core/policy/x.c '#include "store/db.h"'
	red arrows 'core/policy/x.c:2: policy may not include "store/db.h"'
}

@test "arrows: engine sees host/self.h and nothing else of host" {
	mkdir core/engine
	c core/engine/run.c '#include "host/self.h"'
	run check arrows
	[ "$status" -eq 0 ]
	c core/engine/run.c '#  include  "host/mounts.h"'
	red arrows 'core/engine/run.c:2: engine may not include "host/mounts.h"'
}

@test "arrows: ways around the written form" {
	c core/base/x.c '#include "err.h"'
	red arrows 'core/base/x.c:2: "err.h" is not "room/file.h"'
	c core/base/x.c '#include "../store/db.h"'
	red arrows 'core/base/x.c:2: "../store/db.h" is not "room/file.h"'
	c core/base/x.c '#include <store/db.h>'
	red arrows 'core/base/x.c:2: write #include "store/db.h"'
	c core/base/x.c '#include DB_HEADER'
	red arrows 'core/base/x.c:2: an #include that names no header'
}

@test "arrows: a room that is not in the table" {
	mkdir core/helpers
	c core/helpers/x.c 'int x;'
	red arrows 'core/helpers is not a room'
}

@test "arrows: each foreign header outside its door" {
	for header in lua.h lauxlib.h lualib.h yaml.h sqlite3.h libmount.h libmount/libmount.h \
		libkmod.h jansson.h sha2.h; do
		c core/store/x.c "#include <$header>"
		red arrows "core/store/x.c:2: <${header##*/}> belongs to core/"
	done
}

@test "arrows: calls outside their home" {
	for call in 'fork()' 'vfork ()' 'posix_spawn(&pid)' 'posix_spawnp(&pid)' 'system("ls")' \
		'popen("ls", "r")' 'daemon(0, 0)' 'clone(x)'; do
		c core/store/x.c 'int x(void)' '{' "	return $call;" '}'
		red arrows "core/store/x.c:4: ${call%%[ (]*}() belongs to"
	done
}

@test "arrows: printing outside cli" {
	for call in 'printf("x")' 'puts(x)' 'perror("x")' 'fprintf(stderr, "x")' 'fputs(x, stdout)' \
		'putchar(10)' 'vfprintf(stderr, fmt, ap)' 'dprintf(2, "x")' 'dprintf(STDERR_FILENO, "x")' \
		'warnx("x")' 'err(1, "x")'; do
		c core/store/x.c 'int x(void)' '{' "	$call;" '}'
		red arrows 'core/store/x.c:4: only the files of PRINTS'
	done
}

@test "arrows: comments, texts and names that only look alike are left alone" {
	c core/store/x.c '/*' '#include "cli/main.h"' ' fork() */' '// system("x")' \
		'const char *x = "fork() \" printf(";' 'int y(void)' '{' \
		'	return ops->fork(1) + ops.system(2) + my_fork(3) + snprintf(4) + err_set(5); // puts(6)' '}'
	run check arrows
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "twins: a source without its test" {
	rm tests/unit/store/db_test.c
	red twins 'core/store/db.c: no tests/unit/store/db_test.c'
}

@test "twins: what the table exempts needs none" {
	c core/cli/cmd_plan.c 'int plan;'
	run check twins
	[ "$status" -eq 0 ]
	c core/cli/render.c 'int render;'
	red twins 'core/cli/render.c: no tests/unit/cli/render_test.c'
}

# lines N: so many lines of a C body.
lines() {
	yes '	x++;' | head -n "$1"
}

@test "budgets: a long function, warned about and refused" {
	c core/base/x.c 'static void grow(int x)' '{' "$(lines 80)" '}'
	run check -v budgets
	[ "$status" -eq 0 ]
	[[ $output == *"core/base/x.c:3: warning: grow() has 80 lines"* ]]
	sed -i '4i\	x++;' core/base/x.c
	red budgets 'grow() has 81 lines'
}

@test "budgets: a long file, warned about and refused" {
	{ echo '// SPDX-License-Identifier: MIT'; yes 'int x;' | head -n 699; } >core/base/x.c
	run check -v budgets
	[ "$status" -eq 0 ]
	[[ $output == *"core/base/x.c: warning: 700 lines"* ]]
	echo 'int y;' >>core/base/x.c
	red budgets 'core/base/x.c: 701 lines, 700 are the limit'
	mkdir policies
	yes 'x = 1' | head -n 701 >policies/x.lua
	c core/base/x.c 'int x;'
	red budgets 'policies/x.lua: 701 lines'
}

@test "budgets: a long line, a tab being four columns and a letter one" {
	wide=$(printf '%0120d' 0)
	c core/base/x.c "	${wide:0:96}"
	run check budgets
	[ "$status" -eq 0 ]
	c core/base/x.c "	${wide:0:97}"
	red budgets 'core/base/x.c:2: 101 columns'
	c core/base/x.c "// ${wide:0:97}ä"
	red budgets 'core/base/x.c:2: 101 columns'
	c core/base/x.c "// ${wide:0:96}ä"
	run check budgets
	[ "$status" -eq 0 ]
}

@test "budgets: marks of something unfinished" {
	for mark in TO''DO FIX''ME X''XX; do
		c core/base/x.c "/* $mark: later */"
		red budgets 'core/base/x.c:2: a mark of something unfinished'
	done
	c core/base/x.c 'char name[] = "/tmp/x.XXXXXX";'
	run check budgets
	[ "$status" -eq 0 ]
}

@test "budgets: how a file opens" {
	echo 'int x;' >core/base/x.c
	red budgets 'core/base/x.c:1: the first line is // SPDX'
	rm core/base/x.c
	c core/base/x.h '#ifndef BASE_X_H'
	red budgets 'core/base/x.h:2: a header opens with a comment'
}
