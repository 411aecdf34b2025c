# 9. Devices
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

device() {
	config --argjson device "$1" '.linux.devices += [$device]'
}

rule S-131 MUST - "devices: type c, u, b or p; path is required, and so are major and minor but of p" \
	"one of each type; no path, no major, no minor, no type, type x"
S_131() {
	device '{"path": "/dev/c", "type": "c", "major": 1, "minor": 3}'
	device '{"path": "/dev/u", "type": "u", "major": 1, "minor": 5}'
	device '{"path": "/dev/b", "type": "b", "major": 7, "minor": 200}'
	device '{"path": "/dev/p", "type": "p"}'
	script 'stat -c "%F %t:%T" /dev/c /dev/u /dev/b /dev/p'
	prints $'character special file 1:3\ncharacter special file 1:5\nblock special file 7:c8\nfifo 0:0'
	local member
	for member in path major minor type; do
		refuses "del(.linux.devices[0].$member)" "linux.devices[0].$member"
	done
	refuses '.linux.devices[0].type = "x"' 'linux.devices[0].type'
}

rule S-132 MUST - "a device may be anywhere in the container" "/srv/null and /deep/er/null"
S_132() {
	device '{"path": "/srv/null", "type": "c", "major": 1, "minor": 3}'
	device '{"path": "/deep/er/null", "type": "c", "major": 1, "minor": 3}'
	script 'echo x >/srv/null && stat -c %t:%T /srv/null /deep/er/null'
	prints $'1:3\n1:3'
}

rule S-133 MUST crun,runc "a file at its path that is not that device is an error" \
	"a regular file; a device of other numbers, in the image"
S_133() {
	echo keep >"$BUNDLE/rootfs/srv/file"
	mknod "$BUNDLE/rootfs/srv/zero" c 1 5
	refuses '.linux.devices = [{"path": "/srv/file", "type": "c", "major": 1, "minor": 3}]' 'linux.devices[0]'
	refuses '.linux.devices = [{"path": "/srv/zero", "type": "c", "major": 1, "minor": 3}]' 'linux.devices[0]'
	same "the file" "$(<"$BUNDLE/rootfs/srv/file")" keep
}

rule S-134 MAY - "a node that matches may be there already" "the same device in the image"
S_134() {
	mknod "$BUNDLE/rootfs/srv/null" c 1 3
	device '{"path": "/srv/null", "type": "c", "major": 1, "minor": 3}'
	script 'echo x >/srv/null && stat -c %t:%T /srv/null'
	prints 1:3
}

rule S-135 MAY - "fileMode, uid and gid of a device; the umask is not applied" \
	"0624 (404), 7, 8, with a caller that has umask 077"
S_135() {
	umask 077
	device '{"path": "/dev/c", "type": "c", "major": 1, "minor": 3, "fileMode": 404, "uid": 7, "gid": 8}'
	script 'stat -c "%a %u:%g" /dev/c'
	prints "624 7:8"
}

rule S-136 "SHOULD NOT" - "one device under several paths (a rule for authors, so no error)" "1:3 twice"
S_136() {
	device '{"path": "/dev/one", "type": "c", "major": 1, "minor": 3}'
	device '{"path": "/dev/two", "type": "c", "major": 1, "minor": 3}'
	script 'stat -c %t:%T /dev/one /dev/two'
	prints $'1:3\n1:3'
}

rule S-137 MUST - "null, zero, full, random, urandom and tty are always there" \
	"a config without devices: numbers, mode, owner"
S_137() {
	config '.process.user.umask = 0'
	script 'cd /dev; stat -c "%n %t:%T %a %u:%g" null zero full random urandom tty; head -c 4 zero | wc -c'
	prints $'null 1:3 666 0:0\nzero 1:5 666 0:0\nfull 1:7 666 0:0\nrandom 1:8 666 0:0\nurandom 1:9 666 0:0\ntty 5:0 666 0:0\n4'
}

rule S-138 INFO - "a device of the config at the path of a default one" "/dev/null with mode 0600"
S_138() {
	device '{"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 384, "uid": 0, "gid": 0}'
	script 'stat -c "%a" /dev/null'
	prints 600
}

rule S-139 MUST - "/dev/console is there if terminal is true, a bind of the terminal" \
	"with a terminal: what is written to it comes out; without: nothing is there"
S_139() {
	shows . 'test -e /dev/console || echo none' none
	script 'echo "to the console" >/dev/console; grep -c " /dev/console .* devpts " /proc/self/mountinfo'
	ends_on_terminal
	wait_for grep -q '^[0-9]' "$T/received.tty" || fail "nothing came"
	same "the terminal shows" "$(tr -d '\r' <"$T/received.tty")" $'to the console\n1'
}

rule S-140 MUST - "/dev/ptmx is that of the container's devpts" "its target; opening it makes a terminal there"
S_140() {
	script 'readlink /dev/ptmx || grep -c " /dev/ptmx " /proc/self/mountinfo; exec 5<>/dev/ptmx; ls /dev/pts'
	run
	expect 0
	case ${lines[0]} in
	pts/ptmx | /dev/pts/ptmx | 1) ;;
	*) fail "/dev/ptmx: $output" ;;
	esac
	same "/dev/pts" "${lines[1]} ${lines[2]}" "0 ptmx"
}

rule S-141 MUST - "links /dev/fd, stdin, stdout, stderr, if /proc/self/fd is there after the mounts" \
	"where they lead; the same without /proc"
S_141() {
	shows . 'cd /dev; for l in fd stdin stdout stderr; do readlink $l; done' \
		$'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2'
	only_hull "they fail without /proc, or make links to nothing"
	shows '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []' \
		'ls /dev | grep -E "^(fd|std.*)$" || echo none' none
}

rule S-142 INFO - "/dev/core, a link to /proc/kcore, where the kernel has that (all runtimes make it)" \
	"the link, or nothing where there is no /proc/kcore"
S_142() {
	if [[ -e /proc/kcore ]]; then
		shows . 'readlink /dev/core' /proc/kcore
	else
		run
		expect 0
		shows . 'test -e /dev/core || echo none' none
	fi
	SAW="as the kernel has it"
}

rule S-143 INFO - "what the device cgroup always allows: mknod, default devices, terminals" \
	"a rule that denies all: null and ptmx open, mknod works, /dev/kmsg's numbers do not open"
S_143() {
	config '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
	script 'echo x >/dev/null && echo null; (exec 5<>/dev/ptmx) && echo ptmx; mknod /dev/k c 1 11 && echo made
		(exec 5</dev/k) 2>/dev/null || echo denied'
	prints $'null\nptmx\nmade\ndenied'
}
