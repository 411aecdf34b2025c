# Prints C source with comments and the contents of strings and characters blanked, line for line,
# so that checks which search for words see code only. Include lines keep their names.
function blank(text, i, c, two, out) {
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		two = substr(text, i, 2)
		if (state == "comment") {
			if (two == "*/") {
				state = ""
				i++
			}
		} else if (state != "") {
			if (c == "\\")
				i++
			else if (c == state) {
				state = ""
				out = out c
			}
		} else if (two == "/*") {
			state = "comment"
			i++
		} else if (two == "//") {
			break
		} else {
			if (c == "\"" || c == "'")
				state = c
			out = out c
		}
	}
	return out
}
FNR == 1 { state = "" }
state == "" && /^[ \t]*#[ \t]*include/ { print; next }
{ print blank($0) }
