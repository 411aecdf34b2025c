# Finds calls that make a descriptor without its CLOEXEC flag, in code that strip.awk has cleaned.
# Reads whole statements: lines are joined until the parentheses are even.
BEGIN {
	plain = "open|openat|openat2|creat|socket|socketpair|pipe|pipe2|dup|dup2|dup3|memfd_create|" \
		"accept|accept4|fcntl|epoll_create|epoll_create1|eventfd|signalfd|timerfd_create|" \
		"inotify_init|inotify_init1|fsopen|fspick|fsmount|open_tree"
	raw = "syscall *\\( *(SYS|__NR)_(openat2|open_tree|fsopen|fspick|fsmount|memfd_create|accept4)"
	call = "(^|[^A-Za-z0-9_>.])((" plain ") *\\(|" raw ")"
	hopeless = " pipe dup dup2 accept epoll_create inotify_init creat "
}

# At a function's end: a call whose flags stand in a struct or a variable needs the flag there.
function judge(i) {
	for (i = 1; i <= calls; i++)
		if (!good[i] && !(loose[i] && flag_seen))
			printf "%s:%d:%s\n", file, line[i], name[i]
	calls = flag_seen = 0
}

function take(word, arguments) {
	if (word == "fcntl" && arguments !~ /F_DUPFD/)
		return
	calls++
	line[calls] = began
	name[calls] = word
	good[calls] = arguments ~ /CLOEXEC/ && !index(hopeless, " " word " ")
	loose[calls] = word ~ /openat2/ || arguments ~ /[, ]flags *[,)]/ ||
		arguments !~ /[A-Z]_[A-Z]|, *0 *\)/
	if (index(hopeless, " " word " "))
		loose[calls] = 0
}

function statement(text, word) {
	while (match(text, call)) {
		word = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		if (word ~ /syscall/)
			sub(/.*(SYS|__NR)_/, "", word)
		gsub(/[^a-z0-9_]/, "", word)
		take(word, text)
	}
}

/CLOEXEC/ { flag_seen = 1 }
{
	if (held == "")
		began = FNR
	held = held $0 " "
	rest = held
	if (gsub(/\(/, "", rest) > gsub(/\)/, "", rest) && !/^\}/)
		next
	statement(held)
	held = ""
}
/^\}/ { judge() }
END { judge() }
