#!/usr/bin/env bats
# What the program sees of file systems: the root, mounts and their options, devices, masks, layers;
# and that nothing of it reaches the host.

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	hull_teardown
}

@test "a read-only root cannot be written" {
	config '.root.readonly = true'
	script 'touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo shm'
	hull_run
	expect 0 $'refused\nshm'
	[[ ! -e $BUNDLE/rootfs/x ]]
	assert_clean
}

@test "the program's root is the bundle's, and the host's tree is out of reach" {
	echo inside >"$BUNDLE/rootfs/mark"
	script 'cat /mark; ls -d /../../mark; test -e /proc/1/root/lost+found || echo no host'
	hull_run
	expect 0 $'inside\n/../../mark\nno host'
}

# check_mounts [OPTION of run...]: the container has the mounts of tests/base.json and no other.
check_mounts() {
	hull_run "$@"
	expect 0 $'/\n/dev\n/dev/mqueue\n/dev/pts\n/dev/shm\n/proc\n/sys\n/sys/fs/cgroup'
}

@test "no mount of the host is left in the container, whatever its root is" {
	config 'del(.linux.maskedPaths, .linux.readonlyPaths)'
	script 'cut -d" " -f5 /proc/self/mountinfo | sort'
	check_mounts
	check_mounts --overlay
	check_mounts "--overlay=$T/changes"
	make_layers
	check_mounts
	config '.root.readonly = true'
	check_mounts
	assert_clean
}

@test "options of a mount" {
	add_mount '{ "destination": "/data", "type": "tmpfs", "source": "x",
		"options": ["nosuid", "nodev", "noexec", "ro", "size=64k"] }'
	script 'grep " /data " /proc/self/mounts; touch /data/x 2>/dev/null || echo refused'
	hull_run
	expect 0
	expect_match '^[^ ]+ /data tmpfs ro,nosuid,nodev,noexec,.*size=64k'
	expect_line refused
}

@test "a later mount covers an earlier one" {
	mkdir "$T/a" "$T/b"
	echo a >"$T/a/file"
	echo b >"$T/b/file"
	add_mount "{ \"destination\": \"/data\", \"source\": \"$T/a\", \"options\": [\"bind\"] }"
	add_mount "{ \"destination\": \"/data\", \"source\": \"$T/b\", \"options\": [\"bind\"] }"
	program /bin/cat /data/file
	hull_run
	expect 0 b
	assert_clean
}

@test "a bind mount: writable, read-only, of a file, relative to the bundle" {
	mkdir "$BUNDLE/data"
	add_mount '{ "destination": "/data", "source": "data", "options": ["bind"] }'
	add_mount '{ "destination": "/fixed", "source": "data", "options": ["bind", "ro"] }'
	echo "from the host" >"$T/file"
	add_mount "{ \"destination\": \"/etc/file\", \"source\": \"$T/file\", \"options\": [\"bind\"] }"
	script 'echo new >/data/x; cat /fixed/x; echo bad 2>/dev/null >/fixed/y || echo refused; cat /etc/file'
	hull_run
	expect 0 $'new\nrefused\nfrom the host'
	[[ $(<"$BUNDLE/data/x") == new ]]
	[[ ! -e $BUNDLE/data/y ]]
	assert_clean
}

@test "rro makes the mounts below read-only too" {
	mkdir -p "$T/top"
	add_mount "{ \"destination\": \"/data\", \"source\": \"$T/top\", \"options\": [\"rbind\", \"rro\"] }"
	script 'touch /data/sub/x 2>/dev/null || echo refused'
	capture unshare --mount --propagation private bash -c '
		mount -t tmpfs none "$1/top" && mkdir "$1/top/sub" && mount -t tmpfs none "$1/top/sub" &&
		shift && exec "$@"' bash "$T" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 refused
}

@test "masked and read-only paths" {
	mkdir "$BUNDLE/rootfs/secret"
	echo key >"$BUNDLE/rootfs/secret/key"
	echo key >"$BUNDLE/rootfs/key"
	config '.linux.maskedPaths += ["/secret", "/key", "/is/not/there"]
		| .linux.readonlyPaths += ["/srv"]'
	script 'ls /secret; cat /key; touch /secret/x 2>/dev/null || echo sealed
		touch /srv/x 2>/dev/null || echo read-only
		echo 1 2>/dev/null >/proc/sys/vm/drop_caches || echo proc'
	hull_run
	expect 0 $'sealed\nread-only\nproc'
}

@test "below a shared bind the host sees what the program mounts, and nothing of hull's" {
	mkdir "$T/volume"
	add_mount "{ \"destination\": \"/data\", \"source\": \"$T/volume\", \"options\": [\"rbind\", \"rshared\"] }"
	add_mount '{ "destination": "/data/of-config", "type": "tmpfs", "source": "tmpfs" }'
	config '.linux.maskedPaths += ["/data/secret", "/data/hidden"]
		| .linux.readonlyPaths += ["/data/fixed"]
		| .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
	script 'mount -t tmpfs none /data/of-program && touch /data/of-program/x
		cat /data/secret; ls /data/hidden
		touch /data/fixed/x 2>/dev/null || echo read-only'
	capture unshare --mount --propagation private bash -c '
		mount -t tmpfs none "$1" && mount --make-shared "$1" &&
		mkdir "$1/of-program" "$1/fixed" "$1/hidden" && echo key >"$1/secret" &&
		touch "$1/hidden/x" || exit 9
		"${@:2}" && cat "$1/secret" && ls "$1/of-program" "$1/hidden" && touch "$1/fixed/x" &&
		grep -F " $1/" /proc/self/mountinfo | cut -d" " -f5
	' bash "$T/volume" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 "read-only
key
$T/volume/hidden:
x

$T/volume/of-program:
x
$T/volume/of-program"
	assert_clean
}

@test "a directory of writes is of one container at a time" {
	program /bin/sleep 60
	config 'del(.linux.cgroupsPath)'
	hull_start --overlay="$T/changes"
	capture timeout 20 "$HULL" --root "$STATE" run --overlay="$T/changes" -b "$BUNDLE" "$ID-2"
	expect_error "another container writes to '$T/changes'"
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	hull_wait
	program /bin/true
	hull_run --overlay="$T/changes"
	expect 0
	assert_clean
}

# detached ID: run --detach with the directory of writes $T/changes.
detached() {
	capture timeout 20 "$HULL" --root "$STATE" run --detach --overlay="$T/changes" \
		-b "$BUNDLE" "$1" 3>&-
}

@test "a directory of writes is also that of a container which hull has left" {
	local pid
	program /bin/sleep 60
	config 'del(.linux.cgroupsPath)'
	detached "$ID"
	expect 0
	pid=$(jq .pid "$STATE/$ID/state.json")
	detached "$ID-2"
	expect_error "another container writes to '$T/changes': '$ID'"
	[[ ! -e $STATE/$ID-2 ]]
	# Once it is dead, its state alone keeps nobody out.
	kill -KILL "$pid"
	wait_for is_dead "$pid"
	program /bin/true
	capture timeout 20 "$HULL" --root "$STATE" run --overlay="$T/changes" -b "$BUNDLE" "$ID-2"
	expect 0
	capture timeout 20 "$HULL" --root "$STATE" delete "$ID"
	expect 0
	assert_clean
}

is_dead() {
	[[ $(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null) != [A-Y] ]]
}

@test "an id that the user namespace does not have is called that" {
	config 'del(.linux.cgroupsPath)
		| .mounts += [{ "destination": "/tmp", "type": "tmpfs", "options": ["gid=5"] }]'
	capture timeout 20 unshare -Urm "$HULL" --root "$T/other" run -b "$BUNDLE" "$ID"
	expect_error "\(option 'gid=5'\)"
	expect_error "the user namespace has no such id: map it, or leave 'gid' out"
}

@test "a chroot whose root is no mount point is called that" {
	mkdir -p "$T/jail"/{proc,bundle,bin,sys}
	cp "$HULL" "$T/jail/bin/hull"
	config 'del(.linux.cgroupsPath) | .mounts |= map(select(.type != "cgroup"))'
	# shellcheck disable=SC2016 # for the inner shell
	capture timeout 30 unshare --mount --propagation private bash -c '
		for dir in lib lib64 usr; do mkdir "$1/$dir" && mount --rbind "/$dir" "$1/$dir"; done
		mount -t proc proc "$1/proc" && mount --bind "$2" "$1/bundle" &&
		mount --rbind /sys "$1/sys" &&
		exec chroot "$1" /bin/hull --root /state run -b /bundle "$3"' \
		bash "$T/jail" "$BUNDLE" "$ID"
	expect_error 'hull runs in a chroot whose / is no mount point: bind that directory'
}

@test "the default devices are there and work" {
	script 'for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done
		for l in fd stdin stdout stderr ptmx; do test -L /dev/$l || echo no $l; done
		echo x >/dev/null && head -c 4 /dev/zero | wc -c; head -c 8 /dev/urandom | wc -c
		echo x 2>/dev/null >/dev/full || echo full
		test -d /dev/pts && test -d /dev/shm && stat -c %a /dev/null'
	hull_run
	expect 0 $'4\n8\nfull\n666'
}

@test "devices of the config: type, numbers, mode, owner" {
	config '.linux.devices = [{ "path": "/dev/mine", "type": "c", "major": 1, "minor": 3,
		"fileMode": 416, "uid": 1000, "gid": 5 }, { "path": "/dev/pipe", "type": "p" }]'
	script 'stat -c "%F %a %u %g %t:%T" /dev/mine; test -p /dev/pipe && echo a pipe'
	hull_run
	expect 0 $'character special file 640 1000 5 1:3\na pipe'
}

@test "mounts of the container are not seen on the host" {
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	script 'mkdir -p /tmp/m; mount -t tmpfs none /tmp/m && touch /tmp/m/x && echo mounted'
	hull_run
	expect 0 mounted
	[[ ! -e $BUNDLE/rootfs/tmp/m/x ]]
	assert_clean
}

@test "links of the image never lead to the host" {
	mkdir "$T/host"
	rmdir "$BUNDLE/rootfs/srv"
	ln -s "../../../../../../../$T/host" "$BUNDLE/rootfs/srv"
	ln -s "$T/host" "$BUNDLE/rootfs/absolute"
	add_mount '{ "destination": "/srv/a", "type": "tmpfs", "source": "x" }'
	add_mount '{ "destination": "/absolute/b", "type": "tmpfs", "source": "x" }'
	config '.linux.devices = [{ "path": "/srv/node", "type": "c", "major": 1, "minor": 3 }]
		| .process.cwd = "/srv/cwd"'
	hull_run
	[[ -z $(ls "$T/host") ]] || fail "made on the host: $(ls "$T/host")"
	assert_clean
}

@test "a /dev of the image that is a link gets no devices on the host" {
	mkdir "$T/host"
	rmdir "$BUNDLE/rootfs/dev"
	ln -s "$T/host" "$BUNDLE/rootfs/dev"
	config 'del(.mounts[] | select(.destination | startswith("/dev")))'
	hull_run
	[[ -z $(ls "$T/host") ]] || fail "made on the host: $(ls "$T/host")"
	assert_clean
}

# ---- overlays ----

# Two layers above the root: `top` hides a file of `middle`.
make_layers() {
	mkdir -p "$BUNDLE"/layers/{top,middle}/etc
	echo top >"$BUNDLE/layers/top/etc/name"
	echo middle >"$BUNDLE/layers/middle/etc/name"
	echo middle >"$BUNDLE/layers/middle/etc/only"
	config '.annotations["dev.hull.rootfs.lower"] = "layers/top:layers/middle"'
}

@test "an overlay of layers, whose writes end with the container" {
	make_layers
	script 'cat /etc/name /etc/only; test -x /bin/busybox && echo root; echo x >/etc/name && cat /etc/name'
	hull_run
	expect 0 $'top\nmiddle\nroot\nx'
	hull_run
	expect 0 $'top\nmiddle\nroot\nx'
	[[ $(<"$BUNDLE/layers/top/etc/name") == top ]]
	assert_clean
}

@test "an overlay with a directory for writes keeps them" {
	make_layers
	mkdir "$BUNDLE/upper" "$BUNDLE/work"
	config '.annotations["dev.hull.rootfs.upper"] = "upper"
		| .annotations["dev.hull.rootfs.work"] = "work"'
	script 'cat /etc/name; echo kept >/etc/name; rm /etc/only'
	hull_run
	expect 0 top
	[[ $(<"$BUNDLE/upper/etc/name") == kept ]]
	[[ -c $BUNDLE/upper/etc/only ]] # overlayfs marks a removed file so
	hull_run
	expect 1 kept
	assert_clean
}

@test "a read-only overlay" {
	make_layers
	config '.root.readonly = true'
	script 'cat /etc/name; touch /x 2>/dev/null || echo refused'
	hull_run
	expect 0 $'top\nrefused'
	assert_clean
}

@test "layers whose names have colons, commas and backslashes" {
	mkdir -p "$BUNDLE"/layers/{'a:b','c,d','e\f'}
	touch "$BUNDLE"/layers/{'a:b/1','c,d/2','e\f/3'}
	config --arg lower 'layers/a\:b:layers/c,d:layers/e\\f' \
		'.annotations["dev.hull.rootfs.lower"] = $lower'
	program /bin/ls /1 /2 /3
	hull_run
	expect 0 $'/1\n/2\n/3'
}

@test "a hundred layers" {
	local i list=layers/1
	for i in {1..100}; do
		mkdir -p "$BUNDLE/layers/$i"
		echo "$i" >"$BUNDLE/layers/$i/file-$i"
		((i == 1)) || list+=:layers/$i
	done
	config --arg lower "$list" '.annotations["dev.hull.rootfs.lower"] = $lower'
	script 'cat /file-* | wc -l'
	hull_run
	expect 0 100
	assert_clean
}

@test "--overlay: nothing of any bundle changes" {
	script 'echo x >/new; rm /etc/hosts; ls /new'
	hull_run --overlay
	expect 0 /new
	[[ ! -e $BUNDLE/rootfs/new && -e $BUNDLE/rootfs/etc/hosts ]]
	assert_clean
}

@test "--overlay: its layer in memory is mounted neither inside nor outside" {
	script 'cut -d" " -f5 /proc/self/mountinfo | grep -vE "^/(proc|dev|sys)(/|$)"'
	hull_run --overlay
	expect 0 /
	assert_clean
	# A hook in the container's namespace, for which the layer lies elsewhere, sees the state.
	config --arg state "$STATE/$ID" '.hooks.createContainer = [{
		path: "/bin/sh", args: ["sh", "-c", "test -e \($state)/state.json"]}]'
	hull_run --overlay
	expect 0 /
	assert_clean
}

@test "--overlay=DIR keeps the changes there" {
	script 'echo x >/new'
	hull_run "--overlay=$T/changes"
	expect 0
	[[ ! -e $BUNDLE/rootfs/new && $(<"$T/changes/upper/new") == x && -d $T/changes/work ]]
	assert_clean
}
