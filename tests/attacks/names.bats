#!/usr/bin/env bats
# Attacks by names: links and devices of the image, and directories that are exchanged while hull
# works on them. Each has a control; see lib.bash.

# shellcheck disable=SC2030,SC2031,SC2034 # attacks set what start has found, and what lib.bash reads
load lib

setup() {
	attack_setup
}

teardown() {
	attack_teardown
}

# ---- links -------------------------------------------------------------------------------------

fake_proc() {
	mkdir -p "$BUNDLE/rootfs/fake/self/attr"
	plant proc fake
	config '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	program /bin/true
	start
	[[ $status == 0 ]]
}

@test "R-005: /proc of the image is a link to a directory of its own" {
	compare NOFOLLOW fake_proc
}

# Directories, mount points, devices and the working directory below a link to the host.
through_link() {
	plant link "$HOST/dir"
	config --arg source "$HOST/file" '.mounts += [
		{ "destination": "/link/a/b", "type": "tmpfs", "source": "tmpfs" },
		{ "destination": "/link/f", "type": "bind", "source": $source, "options": ["bind"] }]
		| .linux.devices = [{ "path": "/link/n", "type": "c", "major": 1, "minor": 3 }]
		| .process.cwd = "/link/w"'
	program /bin/true
	start
	config 'del(.mounts[-2:]) | .linux.devices = [] | .process.cwd = "/"'
	changed
}

@test "R-006, R-012, R-013, R-024: what is missing is made through a link to the host" {
	compare IN_ROOT through_link
}

dev_link() {
	plant dev "$HOST/dir"
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	start
	changed
}

@test "R-018: /dev of the image leads to a directory of the host (crun)" {
	compare_peer crun dev_link
}

@test "R-018: /dev of the image leads to a directory of the host (runc)" {
	compare_peer runc dev_link
}

# ---- devices -----------------------------------------------------------------------------------

false_null() {
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	rm -f "$BUNDLE/rootfs/dev/null"
	: >"$BUNDLE/rootfs/dev/null"
	script 'echo password >/dev/null'
	start
	[[ $(<"$BUNDLE/rootfs/dev/null") == password ]]
}

@test "R-019, R-044: /dev/null of the image is a file that keeps what is written to it" {
	compare EXISTING false_null
}

# A volume over /dev, in which /dev/null is a device at one moment and a link at the next: /proc/keys
# must be masked by a device, and never by the host's file that the link leads to.
exchanged_null() {
	local n
	mkdir -p "$T/dev"
	for n in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
		[[ -e $T/dev/${n% *} ]] || mknod -m 666 "$T/dev/${n% *}" c 1 "${n#* }"
	done
	[[ -e $T/dev/tty ]] || mknod -m 666 "$T/dev/tty" c 5 0
	[[ -e $T/dev/ptmx ]] || ln -s pts/ptmx "$T/dev/ptmx"
	mkdir -p "$T/dev/pts" "$T/dev/shm" "$T/dev/mqueue"
	ln -sf "$HOST/file" "$T/dev/null.link"
	config --arg dev "$T/dev" '(.mounts[] | select(.destination == "/dev")) =
		{ "destination": "/dev", "type": "bind", "source": $dev, "options": ["bind"] }
		| .linux.maskedPaths = ["/proc/keys"]'
	program /bin/cat /proc/keys
	exchange "$T/dev/null" "$T/dev/null.link"
	for ((n = 0; n < 200; n++)); do
		start
		[[ $output != *secret* ]] || break
	done
	stop_exchange
	# Whichever name the device has now.
	[[ ! -L $T/dev/null ]] || mv -f "$T/dev/null.link" "$T/dev/null"
	((n < 200))
}

@test "R-014: /dev/null is exchanged for a link while 200 containers mask with it" {
	compare NULL exchanged_null
}

# ---- moments -----------------------------------------------------------------------------------

exchanged_directory() {
	local n
	rm -rf "$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/volume.link"
	mkdir "$BUNDLE/rootfs/volume"
	ln -s "$HOST/dir" "$BUNDLE/rootfs/volume.link"
	config '.mounts[7] = { "destination": "/volume/a/b", "type": "tmpfs", "source": "tmpfs" }
		| .linux.devices = [{ "path": "/volume/d/n", "type": "c", "major": 1, "minor": 3 }]'
	program /bin/true
	exchange "$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/volume.link"
	for ((n = 0; n < 200; n++)); do
		start
		! changed || break
	done
	stop_exchange
	((n < 200))
}

@test "R-007, R-012: a directory is exchanged for a link while 200 containers start" {
	compare IN_ROOT exchanged_directory
}

# The host's directory must not be copied into the container's tmpfs.
exchanged_content() {
	local n
	rm -rf "$BUNDLE/rootfs/data"
	mkdir -p "$BUNDLE/rootfs/data/volume"
	ln -s "$HOST/dir" "$BUNDLE/rootfs/data/link"
	echo secret >"$HOST/dir/secret"
	config '.mounts[7] = { "destination": "/data", "type": "tmpfs", "options": ["tmpcopyup"] }'
	script 'cat /data/*/secret 2>/dev/null'
	exchange "$BUNDLE/rootfs/data/volume" "$BUNDLE/rootfs/data/link"
	for ((n = 0; n < 200; n++)); do
		start
		[[ $output != *secret* ]] || break
	done
	stop_exchange
	((n < 200))
}

@test "R-006, R-049: a directory is exchanged for a link while 200 containers copy it into a tmpfs" {
	compare COPY_UP exchanged_content
}

# ---- /proc -------------------------------------------------------------------------------------

proc_volume() {
	mkdir -p "$T/proc/self/fd" "$T/proc/sys/net/ipv4"
	echo untouched >"$T/proc/sys/net/ipv4/ip_default_ttl"
	config --arg source "$T/proc" '(.mounts[] | select(.destination == "/proc")) =
			{ "destination": "/proc", "source": $source, "options": ["bind"] }
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .linux.sysctl = { "net.ipv4.ip_default_ttl": "9" }'
	start
	[[ $(<"$T/proc/sys/net/ipv4/ip_default_ttl") != untouched ]]
}

@test "R-016, R-020, R-052: a volume over /proc takes what is meant for a sysctl" {
	compare SYSCTL_PATH proc_volume
}

over_proc() {
	echo forged >"$T/forged"
	add_mount "$(jq -n --arg source "$T/forged" '{ "destination": "/proc/sys/kernel/msgmax",
		"type": "bind", "source": $source, "options": ["bind"] }')"
	config '.linux.readonlyPaths = []'
	program /bin/cat /proc/sys/kernel/msgmax
	start
	config 'del(.mounts[-1])'
	[[ $output == forged ]]
}

@test "R-054: a file of /proc is replaced by a mount" {
	compare_peer crun over_proc
}

# ---- other names -------------------------------------------------------------------------------

cgroup_dots() {
	config --arg path "/$PARENT/../../../../../../../../..$HOST/dir/made" '.linux.cgroupsPath = $path'
	start
	changed
}

# bats test_tags=guest
@test "R-030: cgroupsPath leads out of the cgroup tree" {
	compare_peer crun cgroup_dots
}

working_directory() {
	config '.process.cwd = "/proc/self/fd/7"'
	program /bin/cat ".$HOST/file"
	start 7</
	[[ $output == secret ]]
}

@test "R-011: the working directory is a descriptor that the caller left open" {
	compare CWD working_directory
}

# ---- terminals ---------------------------------------------------------------------------------

# /dev of the image itself, where /dev/console leads to a file of the host that is not there yet.
console_link() {
	plant dev/console "$HOST/dir/console"
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	config '.process.terminal = true | .mounts |= (map(select(.destination | startswith("/dev") | not)) + [
		{ "destination": "/dev/pts", "type": "devpts", "source": "devpts",
		  "options": ["newinstance", "ptmxmode=0666", "mode=0620"] }])'
	program /bin/true
	start "$BUILD/tests/pty" --
	changed
}

@test "R-015: /dev/console of the image leads to the host" {
	compare_peer crun console_link
}

# ---- the moment after a mount ------------------------------------------------------------------

# While hull looks away, right behind the mount, the place of the mount gets another name. Only a
# test build gives the time for that.
moved() {
	mkdir -p "$BUNDLE/rootfs/vol" "$BUNDLE/rootfs/other" "$T/volume"
	: >"$T/volume/mounted"
	config --arg source "$T/volume" '.mounts = [.mounts[0],
		{ "destination": "/vol", "type": "bind", "source": $source, "options": ["bind"] }]
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	script 'test -e /vol/mounted || echo bare'
	HULL_PAUSE=1 timeout -s KILL 20 "${RUNTIME[@]}" --root "$STATE" run -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$! # hull_wait's
	wait_for is_mounted || fail "the moment was missed: $(<"$T/stderr")"
	perl -e 'exit(syscall(316, -100, $ARGV[0], -100, $ARGV[1], 2) != 0)' \
		"$BUNDLE/rootfs/vol" "$BUNDLE/rootfs/other"
	hull_wait
	[[ $output == bare ]]
}

is_mounted() {
	local pid
	[[ -e $CGROUP/cgroup.procs ]] || return 1
	while read -r pid; do
		! grep -qs "/volume /vol " "/proc/$pid/mountinfo" || return 0
	done <"$CGROUP/cgroup.procs"
	return 1
}

@test "R-042: a mount is moved away right behind its being made" {
	local real=refused control=refused
	RUNTIME=(env HULL_WITHOUT=NOTHING "$WITHOUT")
	! moved || real=succeeded
	assert_clean
	grep -q "'/vol' was changed while it was being mounted on" "$T/stderr" || report "another error"
	RUNTIME=(env HULL_WITHOUT=VERIFY "$WITHOUT")
	! moved || control=succeeded
	verdict "$real" "without VERIFY" "$control"
}
