# Arrows between rooms, foreign headers behind their doors, calls that have one home.
#
#   awk -f code.awk -f arrows.awk core/rooms.mk FILE...
#
# The first file is the table; the others are sources under core/.

NR == FNR {
	if ($1 !~ /^#/ && $2 == ":=")
		row($1)
	next
}

FNR == 1 {
	code_start()
	split(FILENAME, part, "/")
	room = part[2]
	if (!(room in rooms))
		fault("core/" room " is not a room of core/rooms.mk")
	prints = FILENAME ~ printers
}

{
	if (!code_in_comment && $0 ~ /^[ \t]*#[ \t]*include[ \t]/)
		include($0)
	text = code($0)
	if (text ~ /\(/)
		calls(text)
}

END {
	if (NR == FNR) {
		print "core: there is nothing to check"
		faults++
	}
	exit faults > 0
}

function row(name,    i) {
	for (i = 3; i <= NF; i++) {
		if (name == "ROOMS")
			rooms[$i] = 1
		else if (name == "PRINTS")
			printers = (printers == "" ? "" : printers "|") glob($i)
		else if (name ~ /^ARROWS_/)
			arrow[substr(name, 8), $i] = 1
		else if (name ~ /^DOOR_/)
			door[substr(name, 6)] = door[substr(name, 6)] " " $i
		else if (name ~ /^HOME_/)
			home[substr(name, 6)] = home[substr(name, 6)] " " $i
	}
}

# Is the file at hand one of these patterns?
function is_one_of(patterns,    list, n, i) {
	n = split(patterns, list, " ")
	for (i = 1; i <= n; i++)
		if (FILENAME ~ glob(list[i]))
			return 1
	return 0
}

function include(line,    quoted, path, to, stem) {
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", line)
	quoted = line ~ /^"/
	if (!match(line, /^["<][^">]*[">]/)) {
		fault("an #include that names no header")
		return
	}
	path = substr(line, 2, RLENGTH - 2)
	to = path ~ /\// ? substr(path, 1, index(path, "/") - 1) : ""
	stem = path
	sub(/.*\//, "", stem)
	if (!(to in rooms) && stem in door && !is_one_of(door[stem]))
		fault("<" stem "> belongs to" door[stem])
	else if (!quoted && to in rooms)
		fault("write #include \"" path "\"")
	else if (quoted && !(to in rooms))
		fault("\"" path "\" is not \"room/file.h\"")
	else if (quoted && to != room && !((room, to) in arrow) && !((room, path) in arrow))
		fault(room " may not include \"" path "\"")
}

function calls(text,    name) {
	for (name in home)
		if (index(text, name) && calls_one(text, name) && !is_one_of(home[name]))
			fault(name "() belongs to" home[name])
	if (!prints && (calls_one(text, "(v?printf|puts|putchar|perror|psignal|v?warnx?|v?errx?)") ||
	    calls_one(text, "(v?fprintf|fputs|fputc|putc|fwrite)", ".*(stdout|stderr)") ||
	    calls_one(text, "v?dprintf", "[ \t]*([12]|STDOUT_FILENO|STDERR_FILENO)[ \t]*,")))
		fault("only the files of PRINTS in core/rooms.mk print")
}

# Does the text call a function of this name, not a member of that name, with arguments like these?
function calls_one(text, name, arguments) {
	return text ~ ("(^|[^A-Za-z0-9_.>])" name "[ \t]*\\(" arguments)
}
