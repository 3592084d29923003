# What the checks share. Reading C by line: code(line) is the line without its comments and without
# the insides of its string and character literals. Call it for every line, in order, and
# code_start() at the first line of a file. code_in_comment: did the line before end in a comment?

function code_start() {
	code_in_comment = 0
}

function code(line,    out, c, pair, i, n, quote) {
	if (!code_in_comment && line !~ /["'\/]/)
		return line
	out = ""
	quote = ""
	n = length(line)
	for (i = 1; i <= n; i++) {
		c = substr(line, i, 1)
		pair = substr(line, i, 2)
		if (code_in_comment) {
			if (pair == "*/") {
				code_in_comment = 0
				i++
			}
		} else if (quote != "") {
			if (c == "\\") {
				i++
			} else if (c == quote) {
				quote = ""
				out = out c
			}
		} else if (pair == "/*") {
			code_in_comment = 1
			out = out " "
			i++
		} else if (pair == "//") {
			break
		} else {
			if (c == "\"" || c == "'")
				quote = c
			out = out c
		}
	}
	return out
}

# A file pattern as an awk pattern: * stands for anything within one folder, as in a shell.
function glob(pattern) {
	gsub(/[.+]/, "\\\\&", pattern)
	gsub(/\*/, "[^/]*", pattern)
	return "^" pattern "$"
}

function fault(text) {
	print FILENAME ":" FNR ": " text
	faults++
}
