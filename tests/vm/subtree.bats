#!/usr/bin/env bats
# Containers that manage a part of the cgroup tree themselves: one with a user namespace, to which
# its cgroup is delegated (S-156 to S-161), and one whose program is systemd.
# shellcheck disable=SC2034,SC2153 # variables of and for lib.bash

load lib

setup() { guest_setup; }

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	[[ ! -d ${T:-/none}/root ]] || umount "$T/root" || true
	guest_teardown
}

writable_cgroup() {
	config '(.mounts[] | select(.type == "cgroup")).options |= map(select(. != "ro"))'
}

@test "delegation: a user namespace's root shares out what it has, and cannot have more" {
	writable_cgroup
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	resources '{ "pids": { "limit": 30 }, "memory": { "limit": 67108864 } }'
	script 'cd /sys/fs/cgroup
		(echo +memory >cgroup.subtree_control) 2>/dev/null || echo "not with processes of its own"
		mkdir own below && echo $$ >own/cgroup.procs &&
			echo "+memory +pids" >cgroup.subtree_control &&
			echo 3 >below/pids.max && echo "below $(cat below/pids.max)"
		(echo 100 >pids.max) 2>/dev/null || echo "its own limit is not its own"
		echo "owners $(stat -c %u . cgroup.procs cgroup.subtree_control pids.max memory.max cgroup.freeze |
			paste -sd " ")"'
	hull_run
	expect 0
	expect_seen "not with processes of its own"
	expect_seen "below 3"
	expect_seen "its own limit is not its own"
	expect_seen "owners 0 0 0 65534 65534 65534"
	assert_clean
}

# What a fork bomb, a freezer of its own and cgroups in cgroups have in common: they must not keep
# who ends the container from doing so (R-076).
@test "removal: delete --force ends what a container has frozen in cgroups of its own, and a fork bomb there" {
	local before
	writable_cgroup
	resources '{ "pids": { "limit": 60 } }'
	script 'cd /sys/fs/cgroup && mkdir -p own a/b/c bomb && echo $$ >own/cgroup.procs &&
		echo +pids >cgroup.subtree_control
		sh -c "echo \$\$ >a/b/c/cgroup.procs; sleep 61 & sleep 62 & wait" &
		until [ "$(wc -l <a/b/c/cgroup.procs)" = 3 ]; do sleep 0.1; done
		echo 1 >a/cgroup.freeze
		until grep -q "frozen 1" a/b/c/cgroup.events; do sleep 0.1; done
		cat >/tmp/bomb <<-"END"
			while :; do sh /tmp/bomb & sleep 0.2; done
		END
		sh -c "echo \$\$ >bomb/cgroup.procs; exec sh /tmp/bomb" 2>/dev/null &
		exec sleep 63'
	hull_start
	# Nobody in there can look: there is no process left to look with.
	wait_for eval 'sleep 0.3; grep -q "max [1-9]" "$CGROUP"{,/bomb}/pids.events' ||
		fail "$(<"$T/stdout")" "$(<"$T/stderr")"
	grep -q 'frozen 1' "$CGROUP/a/b/c/cgroup.events"
	before=${EPOCHREALTIME/[.,]/}
	capture timeout -s KILL 60 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	observed "a fork bomb and frozen cgroups are gone after $(((${EPOCHREALTIME/[.,]/} - before) / 1000)) ms"
	hull_wait
	expect 137
	assert_clean
}

# A root with systemd: the guest's own, read-only, with nothing of the host's units.
systemd_bundle() {
	mkdir -p "$T/root" "$T/units" "$T/out"
	mount --bind / "$T/root"
	printf '[Unit]\nDefaultDependencies=no\nRequires=test.service\n' >"$T/units/test.target"
	cat >"$T/units/test.service" <<-'UNIT'
		[Unit]
		DefaultDependencies=no
		Conflicts=shutdown.target
		Before=shutdown.target
		[Service]
		MemoryMax=48M
		ExecStart=/bin/sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/system.slice/test.service/memory.max >/mnt/log; exec sleep 1000'
		ExecStopPost=/bin/sh -c 'echo stopped >>/mnt/log'
	UNIT
	writable_cgroup
	config --arg root "$T/root" --arg units "$T/units" --arg out "$T/out" '
		def volatile: { destination: ., type: "tmpfs", source: "tmpfs", options: ["mode=755"] };
		.root = { path: $root, readonly: true } |
		.process.env += ["container=hull", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"] |
		.process.args = ["/lib/systemd/systemd", "--unit=test.target"] |
		.mounts += [("/run", "/run/lock", "/tmp", "/var", "/etc/systemd/system",
			"/usr/lib/systemd/system-generators" | volatile),
			{ destination: "/run/systemd/system", type: "bind", source: $units,
				options: ["bind", "ro"] },
			{ destination: "/mnt", type: "bind", source: $out, options: ["bind"] }]'
}

@test "systemd: boots in a container, manages its cgroups, and shuts down cleanly" {
	[[ -x /lib/systemd/systemd ]] || skip "no systemd here"
	systemd_bundle
	config '.linux.resources = { memory: { limit: 268435456 } }'
	ROW_SET='systemd as the program, memory.limit 268435456'
	host_mounts >"$T/mountinfo"
	hull_start
	touch "$T/out/log"
	wait_for eval 'sleep 0.3; (($(wc -l <"$T/out/log") == 2))' ||
		fail "$(cat "$T/out/log")" "$(<"$T/stdout")" "$(<"$T/stderr")" "$(find "$CGROUP" -type d)"
	[[ $(<"$T/out/log") == $'0::/system.slice/test.service\n50331648' ]] || fail "$(<"$T/out/log")"
	shown system.slice/test.service/memory.max 50331648
	# The container's own cgroup takes no process any more: exec goes where systemd itself is.
	capture timeout -s KILL 60 "$HULL" --root "$STATE" exec "$ID" cat /proc/self/cgroup
	expect 0 0::/init.scope
	observed "exec goes to init.scope"
	hull kill "$ID" RTMIN+3
	hull_wait
	expect 0
	[[ $(tail -n 1 "$T/out/log") == stopped ]] || fail "$(<"$T/out/log")"
	observed "booted, stopped its unit, exit status 0"
	[[ ! -e $CGROUP ]] || fail "the cgroup is left"
	[[ ! -e $STATE/$ID ]] || fail "the state is left"
}
