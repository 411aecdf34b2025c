#!/usr/bin/env bats
# What podman, docker, containerd and buildah write as config.json (tests/inputs/engine-configs)
# starts here: with the root, the sources of its binds and its hooks, which are of another machine,
# exchanged, and without limits that this host may not have. All the rest is as the engine wrote it.

load ../lib

setup() {
	need_root
	hull_setup
	mkdir "$T/directory"
	echo file >"$T/file"
}

teardown() {
	hull_teardown
}

# adapt NAME: the bundle's config.json from that of the engine.
adapt() {
	jq --arg file "$T/file" --arg directory "$T/directory" --arg cgroup "/hull-test/$ID" --arg mark "HULL_TEST=$ID" '
		def is_bind: (.options // []) | any(. == "bind" or . == "rbind");
		def is_kernels: .source | test("^/(dev|sys|proc)(/|$)");
		.root.path = "rootfs" | del(.hooks) | .linux.cgroupsPath = $cgroup
		| del(.linux.resources["cpu", "memory", "pids", "blockIO"], .process.apparmorProfile)
		| .linux.namespaces[] |= del(.path)
		| .process.terminal = false | .process.env += [$mark]
		| .process.args = ["/bin/sh", "-c", "echo started; id -u; umask; ls -d /proc/self /dev/null /sys/kernel"]
		| .mounts |= map(if is_bind and (is_kernels | not) then
			.source = (if .destination | test("shm$|mnt") then $directory else $file end) else . end)' \
		"$TOP/tests/inputs/engine-configs/$1.json" >"$BUNDLE/config.json"
}

# start_all ENGINE
start_all() {
	local input name n=0
	for input in "$TOP"/tests/inputs/engine-configs/"$1"-*.json; do
		name=$(basename "$input" .json)
		[[ $name != *-exec-process* ]] || continue
		adapt "$name"
		if jq -e '.linux.uidMappings[0].hostID // 0 | . != 0' "$BUNDLE/config.json" >/dev/null; then
			chown -hR "$(jq -r '.linux.uidMappings[0].hostID' "$BUNDLE/config.json")" "$BUNDLE/rootfs"
		fi
		capture timeout -k 5 30 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
		[[ $status == 0 && $output == $'started\n'[0-9]*$'\n00'*$'\n/dev/null\n/proc/self\n/sys/kernel' ]] ||
			report "$name"
		chown -hR 0:0 "$BUNDLE/rootfs"
		assert_clean
		n=$((n + 1))
	done
	((n > 0)) || fail "no configs of $1"
}

@test "configs of podman start" {
	start_all podman
}

@test "configs of docker start" {
	start_all docker
}

@test "configs of containerd start" {
	start_all ctr
}

@test "configs of buildah start" {
	start_all buildah
}

@test "podman --read-only: its tmpfs have the image's content and modes" {
	adapt podman-readonly
	mkdir -p "$BUNDLE/rootfs/var/tmp"
	chmod 1777 "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/var/tmp"
	chmod 755 "$BUNDLE/rootfs/run"
	echo image >"$BUNDLE/rootfs/run/file"
	config '.process.args = ["/bin/sh", "-c", "stat -c %a /run /tmp /var/tmp; cat /run/file; touch /x 2>/dev/null || echo read-only"]'
	hull_run
	expect 0 $'755\n1777\n1777\nimage\nread-only'
	assert_clean
}
