#!/usr/bin/env bats
# What a new tmpfs takes from the directory that it covers: its mode, and with tmpcopyup all of it
# (S-083, R-049), whatever the image has put there.

load ../lib

setup() {
	need_root
	hull_setup
	DIR=$BUNDLE/rootfs/data
	mkdir -m 1770 "$DIR"
}

teardown() {
	hull_teardown
}

# copy_up [OPTION...]: the tmpfs on /data.
copy_up() {
	config --arg words "$*" '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs",
		options: (["nosuid", "nodev", "tmpcopyup"] + ($words | split(" ")))}]'
}

@test "tmpcopyup: content, owners, modes, links and times are those of the image" {
	mkdir -p "$DIR/a/b"
	echo one >"$DIR/a/b/file"
	chown 4711:4712 "$DIR" "$DIR/a" "$DIR/a/b/file"
	chmod 4755 "$DIR/a/b/file"
	chmod 2711 "$DIR/a"
	ln -s ../../etc/passwd "$DIR/a/link"
	chown -h 4713:4713 "$DIR/a/link"
	ln -s /nowhere "$DIR/dangling"
	ln "$DIR/a/b/file" "$DIR/hard"
	mkfifo -m 640 "$DIR/pipe"
	perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) and bind(S, pack_sockaddr_un($ARGV[0])) or die' \
		"$DIR/socket"
	chmod 600 "$DIR/socket"
	truncate -s 1M "$DIR/empty"
	TZ=UTC touch -hd '2001-02-03 04:05:06' "$DIR/a/b/file" "$DIR/a/link" "$DIR/pipe" "$DIR/a"
	copy_up
	script 'grep -o "^tmpfs /data tmpfs rw,nosuid,nodev,relatime" /proc/mounts
		cd /data && find . | sort | while read -r f; do stat -c "%n %F %a %u:%g" "$f"; done
		stat -c "%n %Y" a a/b/file a/link pipe; cat a/b/file hard; readlink a/link; readlink dangling; stat -c %s empty'
	hull_run
	expect 0 'tmpfs /data tmpfs rw,nosuid,nodev,relatime
. directory 1770 4711:4712
./a directory 2711 4711:4712
./a/b directory 755 0:0
./a/b/file regular file 4755 4711:4712
./a/link symbolic link 777 4713:4713
./dangling symbolic link 777 0:0
./empty regular file 644 0:0
./hard regular file 4755 4711:4712
./pipe fifo 640 0:0
./socket socket 600 0:0
a 981173106
a/b/file 981173106
a/link 981173106
pipe 981173106
one
one
../../etc/passwd
/nowhere
1048576'
	assert_clean
}

@test "tmpcopyup: what the program changes is not the image's" {
	echo image >"$DIR/file"
	copy_up
	script 'echo container >/data/file; touch /data/new; cat /data/file'
	hull_run
	expect 0 container
	[[ $(<"$DIR/file") == image && ! -e $DIR/new ]] || fail "the image has changed"
	# Below a read-only root, read-only itself, and with what config.json says of its mode.
	config '.root.readonly = true | .mounts[-1].options += ["ro", "mode=700"]'
	script 'stat -c %a /data; cat /data/file; touch /data/new 2>/dev/null || echo refused'
	hull_run
	expect 0 $'700\nimage\nrefused'
	assert_clean
}

@test "tmpcopyup: file capabilities are kept" {
	cp /bin/true "$DIR/true"
	setcap cap_net_raw+ep "$DIR/true"
	copy_up
	script 'sleep 20'
	hull_start
	capture getcap "/proc/$PID/root/data/true"
	expect 0 "/proc/$PID/root/data/true cap_net_raw=ep"
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	hull_wait
	assert_clean
}

@test "tmpcopyup: a directory that the image does not have, or that it has as a link" {
	copy_up
	config '.mounts[-1].destination = "/missing"'
	script 'stat -c %a /missing; ls -A /missing'
	hull_run
	expect 0 1777
	ln -s ../data "$BUNDLE/rootfs/srv/link"
	echo x >"$DIR/file"
	config '.mounts[-1].destination = "/srv/link"'
	script 'cat /data/file; stat -c %a /data'
	hull_run
	expect 0 $'x\n1770'
	assert_clean
}

@test "a tmpfs without a mode has that of the directory that it covers" {
	config '.mounts += [{destination: "/data", type: "tmpfs"}, {destination: "/new", type: "tmpfs"}]'
	echo x >"$DIR/file"
	chown 4711 "$DIR"
	script 'stat -c "%a %u" /data /new; ls -A /data'
	hull_run
	expect 0 $'1770 0\n1777 0'
	config '.mounts[-2].options = ["ro"]'
	script 'stat -c "%a %u" /data; touch /data/x 2>/dev/null || echo refused'
	hull_run
	expect 0 $'1770 0\nrefused'
	assert_clean
}

@test "tmpcopyup: with a user namespace" {
	echo x >"$DIR/file"
	chown 4711 "$DIR/file"
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	chown 104711 "$DIR/file"
	copy_up
	script 'stat -c "%u:%g %a" /data /data/file'
	hull_run
	expect 0 $'0:0 1770\n4711:0 644'
	# An owner that nobody has in there is not made somebody else's.
	config '.linux.uidMappings[0].size = 1000 | .linux.gidMappings[0].size = 1000'
	hull_run
	expect 1
	expect_error "cannot copy 'file' of the image's '/data' for the new tmpfs"
	expect_error "hint +it may belong to a user whom the container's user namespace does not have"
	assert_clean
}

@test "R-049: tmpcopyup of too much, too deep, without an end" {
	local deep=$DIR i
	head -c 2M /dev/zero >"$DIR/large"
	copy_up size=1m
	hull_run
	expect 1
	expect_error "cannot copy 'large' of the image's '/data' for the new tmpfs: no space left"
	expect_error 'hint +the image.s directory is larger than the tmpfs'
	# A sparse file costs nothing.
	rm "$DIR/large"
	truncate -s 1T "$DIR/large"
	script 'stat -c %s /data/large'
	hull_run
	expect 0 1099511627776
	rm "$DIR/large"
	for ((i = 0; i < 70; i++)); do deep+=/d; done
	mkdir -p "$deep"
	hull_run
	expect 1
	expect_error "'/data' of the image is too deep"
	rm -r "$DIR/d"
	mkdir -p "${deep:0:${#deep}-20}"
	script 'find /data | wc -l'
	hull_run
	expect 0 61
	assert_clean
}

@test "R-049: tmpcopyup opens no pipe, makes no device, follows no link, and takes no mount along" {
	local canary=$T/canary
	mkdir "$canary" "$T/volume"
	echo secret >"$canary/secret"
	echo secret >"$T/volume/secret"
	mkfifo "$DIR/pipe"
	mknod "$DIR/device" c 1 5
	mknod "$DIR/block" b 7 0
	ln -s "$canary" "$DIR/outside"
	ln -s /proc/1/root "$DIR/magic"
	ln -s "../../../../../../../..$canary" "$DIR/up"
	mkdir "$DIR/volume"
	touch "$DIR/mounted"
	config --arg dir "$T/volume" '.mounts += [
		{destination: "/data/volume", source: $dir, options: ["bind"]},
		{destination: "/data/mounted", source: "\($dir)/secret", options: ["bind"]}]'
	copy_up
	script 'cd /data; find . | sort; ls volume; readlink outside; readlink magic'
	capture timeout -k 5 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ ${output//$'\n'/ } == ". ./magic ./outside ./pipe ./up ./volume $canary /proc/1/root" ]] ||
		report "something else was copied"
	[[ $(ls "$canary") == secret ]] || fail "the canary has changed"
	assert_clean
}

@test "R-006, R-049: tmpcopyup whose directory leads into /proc, or is no directory" {
	rm -d "$DIR"
	ln -s /proc/self "$DIR"
	copy_up
	hull_run
	expect 1
	expect_error "'/data' cannot be mounted on: it leads into /proc"
	rm "$DIR"
	ln -s data "$DIR"
	hull_run
	expect 1
	expect_error "'/data'"
	rm "$DIR"
	touch "$DIR"
	hull_run
	expect 1
	expect_error "'/data': what is mounted is a directory, the destination a file"
	assert_clean
}

@test "tmpcopyup is for a new tmpfs only" {
	config '.mounts += [{destination: "/data", type: "bind", source: "/srv", options: ["bind", "tmpcopyup"]}]'
	hull_run
	expect 1
	expect_error "mounts\[.*\].options\[1\] = \"tmpcopyup\"|options.1.: the option tmpcopyup is for a new tmpfs only"
	assert_clean
}
