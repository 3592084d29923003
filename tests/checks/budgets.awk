# Budgets of length, and marks that do not belong into a finished tree.
#
#   LC_ALL=C awk -f code.awk -f budgets.awk FILE...
#
# A file: 500 lines are a reason to think, 700 to split. A function of C: 40 and 80, counted between
# the braces in the first column. A line of C or Lua: 100 columns, a tab is four. What is only a
# reason to think comes out as a line with "warning:".

BEGIN {
	mark = "(^|[^A-Za-z0-9_])(TO" "DO|FIX" "ME|X" "XX)([^A-Za-z0-9_]|$)"
}

FNR == 1 {
	end_of_file()
	file = FILENAME
	is_c = file ~ /\.[ch]$/
	is_source = is_c || file ~ /\.lua$/
	signature = ""
	opened = 0
	if (is_c && $0 != "// SPDX-License-Identifier: MIT")
		fault("the first line is // SPDX-License-Identifier: MIT")
}

FNR == 2 && file ~ /\.h$/ && $0 !~ /^\/[\/*]/ {
	fault("a header opens with a comment: what it owns, what it may call, who frees what")
}

{
	length_of_file = FNR
	if ($0 ~ mark)
		fault("a mark of something unfinished")
	if (is_source && columns($0) > 100)
		fault(columns($0) " columns, 100 are the limit")
	if (is_c)
		function_line()
}

END {
	end_of_file()
	if (!NR) {
		print "core: there is nothing to check"
		faults++
	}
	exit faults > 0
}

function end_of_file() {
	if (length_of_file > 700) {
		print file ": " length_of_file " lines, 700 are the limit"
		faults++
	} else if (length_of_file > 500) {
		print file ": warning: " length_of_file " lines, 500 are a reason to think"
	}
	length_of_file = 0
}

function columns(line,    at, n) {
	if (length(line) <= 25)
		return 0  # short, however many tabs
	gsub(/[\200-\277]/, "", line)  # the tails of UTF-8
	for (n = 0; (at = index(line, "\t")) > 0; line = substr(line, at + 1))
		n += at + (4 - (n + at) % 4) % 4
	return n + length(line)
}

function function_line(    lines) {
	if ($0 ~ /^[A-Za-z_].*\(/) {
		signature = $0
		sub(/[ \t]*\(.*/, "", signature)
		sub(/.*[^A-Za-z0-9_]/, "", signature)
	} else if ($0 ~ /^\{/) {
		opened = FNR
	} else if ($0 ~ /^\}/ && opened) {
		lines = FNR - opened - 1
		if (lines > 80)
			fault(signature "() has " lines " lines, 80 are the limit")
		else if (lines > 40)
			print file ":" opened ": warning: " signature "() has " lines \
				" lines, 40 are a reason to think"
		opened = 0
	}
}
