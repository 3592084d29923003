# Writes a C table of text files to stdout (core/base/embedded.h says what it holds).
#
#   LC_ALL=C awk -v table=embedded_policies -v below=policies -f embed.awk FILE...
#
# Every byte but NUL comes out as it went in: what is not plain ASCII is written in octal, and the
# end of a file is kept as it is, with or without a newline. One string literal a source line.

BEGIN {
	for (i = 1; i < 256; i++) {
		c = sprintf("%c", i)
		escape[c] = i >= 32 && i < 127 ? c : sprintf("\\%03o", i)
	}
	escape["\\"] = "\\\\"
	escape["\""] = "\\\""
	escape["\t"] = "\\t"
	escape["?"] = "\\?"  # no trigraphs

	RS = "\001"  # read a file as one record, so that its last newline is not lost
	print "#include \"base/embedded.h\"\n"
	print "const struct embedded " table "[] = {"
	for (i = 1; i < ARGC; i++)
		entry(ARGV[i])
	print "\t{NULL, NULL, 0},\n};\n"
	print "const size_t " table "_count = " ARGC - 1 ";"
}

function entry(file,    text, records, status) {
	text = ""
	records = 0
	while ((status = (getline record < file)) > 0)
		text = text (records++ ? RS : "") record
	if (status < 0) {
		print "embed.awk: cannot read " file > "/dev/stderr"
		exit 1
	}
	close(file)
	printf "\t{\"%s\",\n", substr(file, length(below) + 2)
	literals(text)
	printf "\t %d},\n", length(text)
}

function literals(text,    lines, n, i, last) {
	n = split(text, lines, "\n")
	last = n && lines[n] == "" ? n - 1 : n
	if (!last)
		print "\t \"\""
	for (i = 1; i <= last; i++)
		printf "\t \"%s%s\"\n", escaped(lines[i]), i < n ? "\\n" : ""
	print "\t ,"
}

function escaped(line,    out, i) {
	if (line ~ /^[ !#->@-[\]-~]*$/)
		return line
	out = ""
	for (i = 1; i <= length(line); i++)
		out = out escape[substr(line, i, 1)]
	return out
}
