# What the engines' scripts share. A script (podman.bash, ...) starts its engine and then tries
# shellcheck shell=bash disable=SC2154
# features, one line each:
#
#   feature STATUS NAME COMMAND      runs COMMAND (bash) for at most a minute and keeps what it printed
#
# STATUS is the exit status that it must have, with every runtime. What it printed is compared between
# the runtimes, after that which differs in every run (ids, times) was made equal. So a command prints
# what matters, and nothing that is left to chance.
#
# Given by `run`: $runtime (a path), $name (runc, crun, hull), $work (an empty directory in memory),
# $results (a directory for the results), $only (features to try, a pattern; empty: all).

feature_limit=60
feature_n=0
as=() # a command that runs another as somebody else

# normal: what differs in every run becomes the same.
normal() {
	sed -E -e 's/\^@//g; s/\x1b\[[0-9;]*[a-zA-Z]//g; s/\r//g' \
		-e 's/\b[0-9a-f]{64}\b/ID/g; s/\b[0-9a-f]{12}\b/ID/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)/TIME/g' \
		-e 's/^Error: (OCI runtime error: )?(runc|crun|hull): /Error: /' \
		-e 's/(runc )?(create|exec) failed: unable to start container process: //g' \
		-e "s#$runtime#RUNTIME#g; s#$work#WORK#g; /failed to connect to syslog|resize pty|level=warning|error waiting for container/d"
}

feature() {
	local status=$1 title=$2 command=$3 file rc
	feature_n=$((feature_n + 1))
	[[ -z $only || $title =~ $only ]] || return 0
	file=$results/$(printf '%03d' "$feature_n")
	timeout -k 5 "$feature_limit" "${as[@]}" bash -c "$command" >"$file.raw" 2>&1 </dev/null
	rc=$?
	normal <"$file.raw" >"$file.out"
	printf '%s\t%s\t%s\n' "$title" "$status" "$rc" >"$file"
}

# until_true SECONDS COMMAND: for what an engine does in its own time.
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}
export -f until_true

# make_root DIRECTORY: a root filesystem of busybox with two users.
make_root() {
	mkdir -p "$1"/{bin,etc,tmp,root,dev,proc,sys,run,var}
	chmod 1777 "$1/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	chroot "$1" /bin/busybox --install -s /bin
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'app:x:1000:1000::/tmp:/bin/sh' >"$1/etc/passwd"
	printf '%s\n' 'root:x:0:' 'app:x:1000:' 'extra:x:2000:app' >"$1/etc/group"
	echo 'not a program' >"$1/bin/garbage"
	chmod 755 "$1/bin/garbage"
	echo 'data' >"$1/etc/data"
}

# in_terminal COMMAND: runs it with a terminal of its own, as a person would, whose other end does not
# hang up before the command has answered.
in_terminal() {
	script -qec "$1" /dev/null < <(exec sleep 20)
}
export -f in_terminal
