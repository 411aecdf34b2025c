# 16. Propagation, masks, labels, file descriptors
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

propagation='awk "\$5 == \"/\" { s = \"\"; for (i = 7; \$i != \"-\"; i++) { sub(\":.*\", \"\", \$i); s = s \$i \" \" }
	print s ? s : \"private \" }" /proc/self/mountinfo'

rule S-221 MUST crun "rootfsPropagation: shared, slave, private, unbindable; another is an error" \
	"the root's propagation as mountinfo has it; foo"
S_221() {
	# Of a slave there is something to see only below a mount that is shared.
	mount --bind "$BUNDLE/rootfs" "$BUNDLE/rootfs"
	mount --make-shared "$BUNDLE/rootfs"
	mounted_on_purpose
	shows '.linux.rootfsPropagation = "private"' "$propagation" "private "
	shows '.linux.rootfsPropagation = "unbindable"' "$propagation" "unbindable "
	changed '.linux.rootfsPropagation = "shared"'
	script "$propagation"
	run
	expect 0
	[[ $output == *shared* ]] || report "shared"
	config '.linux.rootfsPropagation = "slave"'
	run
	expect 0
	[[ $output != *shared* ]] || report "slave"
	unchanged
	saw "shared; slave"
	refuses '.linux.rootfsPropagation = "foo"' linux.rootfsPropagation
}

rule S-222 MUST crun,runc "maskedPaths and readonlyPaths are absolute" "proc/kcore in each"
S_222() {
	refuses '.linux.maskedPaths = ["proc/acpi"]' linux.maskedPaths
	refuses '.linux.readonlyPaths = ["proc/sys"]' linux.readonlyPaths
}

rule S-223 MUST - "a masked path cannot be read; one that is not there is skipped" \
	"a file, a directory, a name that is not there"
S_223() {
	mkdir "$BUNDLE/rootfs/secret"
	echo text | tee "$BUNDLE/rootfs/secret/file" >"$BUNDLE/rootfs/srv/file"
	config '.linux.maskedPaths = ["/secret", "/srv/file", "/not/there"]'
	script 'ls /secret | wc -l; touch /secret/x 2>/dev/null || echo "read-only"; wc -c </srv/file; test -e /not || echo none'
	prints $'0\nread-only\n0\nnone'
	same "on the host" "$(<"$BUNDLE/rootfs/srv/file")" text
}

rule S-224 MUST - "readonlyPaths cannot be written; one that is not there is skipped" \
	"a file, a directory, a name that is not there"
S_224() {
	mkdir "$BUNDLE/rootfs/fixed"
	touch "$BUNDLE/rootfs/srv/file"
	config '.linux.readonlyPaths = ["/fixed", "/srv/file", "/not/there"]'
	script 'touch /fixed/x 2>/dev/null || echo "read-only"; (echo x >/srv/file) 2>/dev/null || echo "read-only"
		touch /srv/other && echo written'
	prints $'read-only\nread-only\nwritten'
}

rule S-225 MAY - "mountLabel" "without SELinux: refused; with it: what the plan writes, on a fake host (unit test)"
S_225() {
	refuses '.linux.mountLabel = "system_u:object_r:container_file_t:s0"' linux.mountLabel
	unit test_plan_labels test_mount_label
}

rule S-226 MUST - "the program has 0, 1 and 2 open, and what is passed on purpose" \
	"a caller with 9 open; --preserve-fds 1; LISTEN_FDS=1 and LISTEN_PID"
S_226() {
	script 'ls /proc/self/fd | tr "\n" " "'
	exec 9<"$T/log"
	prints "0 1 2 3 "
	exec 3<"$T/log"
	run --preserve-fds 1
	expect 0 "0 1 2 3 4 "
	saw "--preserve-fds 1: 3, too"
	# As systemd does it: for the process that has this number.
	capture bash -c 'LISTEN_PID=$BASHPID LISTEN_FDS=1 exec "$@"' x "$PROGRAM" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 "0 1 2 3 4 "
	saw "LISTEN_FDS=1: 3, too (the last one is that of ls)"
}

rule S-227 MAY - "standard streams may be /dev/null" "a caller whose input is /dev/null"
S_227() {
	script 'cat; readlink /proc/self/fd/0'
	prints /dev/null
}
