# The texts in quotes of a C file, each into a file of its own: PREFIX.1, PREFIX.2, ...
#
#   LC_ALL=C awk -v prefix=PREFIX -f literals.awk FILE
#
# What C joins is joined, with those macros in between that stand for one text. Short ones are left
# out: they are names and messages.

BEGIN {
	LEAST = 12
}

/^#include/ {
	next
}

/^#define [A-Z0-9_]+ / {
	macro = $2
	defining = 1
	sub(/^#define [A-Z0-9_]+ */, "")
}

{
	take($0)
	if (defining && !/\\$/) {
		texts[macro] = text
		text = ""
		defining = 0
	}
}

END {
	flush()
}

function take(line,    at, c, name) {
	for (at = 1; at <= length(line); at++) {
		c = substr(line, at, 1)
		if (c == "\"") {
			at = quoted(line, at + 1)
		} else if (c ~ /[A-Za-z_]/) {
			match(substr(line, at), /^[A-Za-z0-9_]+/)
			name = substr(line, at, RLENGTH)
			at += RLENGTH - 1
			if (name in texts)
				text = text texts[name]
		} else if (c == "'") {
			at += substr(line, at + 1, 1) == "\\" ? 3 : 2
		} else if (c ~ /[;,(){}=]/ && !defining) {
			flush()
		}
	}
}

# Adds a text up to its closing quote; returns where that stands.
function quoted(line, at,    c) {
	for (; at <= length(line); at++) {
		c = substr(line, at, 1)
		if (c == "\"")
			return at
		if (c != "\\") {
			text = text c
			continue
		}
		c = substr(line, ++at, 1)
		if (c ~ /[0-7]/) {
			match(substr(line, at), /^[0-7]+/)
			text = text sprintf("%c", octal(substr(line, at, RLENGTH)))
			at += RLENGTH - 1
		} else {
			text = text (c == "n" ? "\n" : c == "t" ? "\t" : c == "r" ? "\r" : c)
		}
	}
	return at
}

function octal(text,    n, i) {
	for (i = 1; i <= length(text); i++)
		n = n * 8 + substr(text, i, 1)
	return n
}

function flush() {
	if (length(text) >= LEAST) {
		file = prefix "." ++count
		printf "%s", text >file
		close(file)
	}
	text = ""
}
