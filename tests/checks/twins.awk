# Every core/ROOM/FILE.c has its tests/unit/ROOM/FILE_test.c.
#
#   awk -f code.awk -f twins.awk twins.txt LIST
#
# twins.txt: a pattern of files without a twin and the reason, a line each.
# LIST: the sources and the tests, a path a line.

NR == FNR {
	if ($1 != "" && $1 !~ /^#/) {
		exempt[glob($1)] = $1
		if (NF < 2)
			fault($1 ": say why it has no twin")
	}
	next
}

/^core\/.*\.c$/ { sources[++count] = $0 }

/^tests\/unit\// { tests[$0] = 1 }

END {
	for (i = 1; i <= count; i++) {
		twin = sources[i]
		sub(/^core\//, "tests/unit/", twin)
		sub(/\.c$/, "_test.c", twin)
		if (!(twin in tests) && !is_exempt(sources[i])) {
			print sources[i] ": no " twin
			faults++
		}
	}
	if (!count) {
		print "core: there is nothing to check"
		faults++
	}
	exit faults > 0
}

function is_exempt(source,    pattern) {
	for (pattern in exempt)
		if (source ~ pattern)
			return 1
	return 0
}
