# The bundles of tests/faults/run. What can be left out of a start is in them: seccomp, masks, mounts
# with flags, ids, limits, names.
#
# bundle_NAME prints the config.json and prepares $bundle/rootfs; options_NAME adds to the options of
# `run` and create. $user is who runs the runtime: 0, or one without privilege. Those with something
# of their own outside the container are in outside.bash.
# shellcheck shell=bash disable=SC2154,SC2034,SC2317,SC2016 # of run; called by their names

all=(plain overlay userns hooks terminal init joined rootless subids process)

bundle_plain() {
	jq --slurpfile docker "$top/tests/inputs/engine-configs/docker-run.json" \
		--arg ns "HOST_NS=$host_ns" --arg ro "$work/ro" --arg cgroup "$parent/c" \
		--arg mark "$mark" '
		.ociVersion = "1.0.2" | .linux.seccomp = $docker[0].linux.seccomp
		| .process.args = ["/bin/probe"] | .process.env += [$ns, $mark]
		| .process.user = { "uid": 0, "gid": 0, "additionalGids": [10, 20] }
		| .process.rlimits = [{ "type": "RLIMIT_NOFILE", "soft": 512, "hard": 1024 }]
		| .process.oomScoreAdj = 100 | .root.readonly = true
		| .mounts += [{ "destination": "/ro", "type": "bind", "source": $ro,
			"options": ["rbind", "ro", "nosuid", "nodev", "noexec"] },
			{ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
			"options": ["nosuid", "nodev", "size=1m"] }]
		| .linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.msgmax": "4096" }
		| .linux.devices = [{ "path": "/dev/made", "type": "c", "major": 1, "minor": 3,
			"fileMode": 384, "uid": 1, "gid": 2 }]
		| .linux.cgroupsPath = $cgroup' "$top/tests/base.json"
}

# As another user, without a capability, above an overlay.
bundle_overlay() {
	bundle_plain | jq '.process.user = { "uid": 1000, "gid": 1000, "additionalGids": [10] }
		| .process.capabilities = {} | .root.readonly = false'
}

options_overlay() {
	[[ $runtime != hull ]] || echo --overlay
}

bundle_userns() {
	bundle_plain | jq '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$bundle/rootfs"
}

# All kinds; each says in $work/hooked that it was there, the one in the container in its /tmp.
bundle_hooks() {
	local hook
	for hook in "$work/bin/hook" "$bundle/rootfs/bin/hook"; do
		printf '#!/bin/sh\ncat >/dev/null\necho "$1" >>"$2"\n' >"$hook"
		chmod 755 "$hook"
	done
	bundle_plain | jq --arg hook "$work/bin/hook" --arg log "$work/hooked" '
		def hook($kind): [{ "path": $hook, "args": ["hook", $kind, $log] }];
		.hooks = { "prestart": hook("prestart"), "createRuntime": hook("createRuntime"),
			"createContainer": hook("createContainer"),
			"startContainer": [{ "path": "/bin/hook", "args": ["hook", "in", "/tmp/hooked"] }],
			"poststart": hook("poststart"), "poststop": hook("poststop") }'
}

bundle_terminal() {
	bundle_plain | jq '.process.terminal = true | .process.consoleSize = { "width": 81, "height": 26 }'
}

bundle_init() {
	bundle_plain
}

options_init() {
	[[ $runtime != hull ]] || echo --init
}

# The namespaces of a process that lives as long as the sweep; a sysctl of the network would stay.
bundle_joined() {
	[[ -n ${holder:-} ]] || hold_namespaces
	bundle_plain | jq --arg pid "/proc/$held/ns/pid" --arg net "/proc/$held/ns/net" '
		del(.linux.sysctl["net.ipv4.ip_forward"])
		| (.linux.namespaces[] | select(.type == "pid")).path = $pid
		| (.linux.namespaces[] | select(.type == "network")).path = $net'
}

hold_namespaces() {
	local tries
	unshare --pid --net --fork --kill-child sleep 20000 </dev/null >/dev/null 2>&1 &
	holder=$!
	for tries in {1..200}; do
		held=$(cat "/proc/$holder/task/$holder/children" 2>/dev/null)
		held=${held%% *}
		[[ -z $held || $(readlink "/proc/$held/exe") != */sleep ]] || return 0
		sleep 0.05
	done
	echo "# no namespaces to join" >&2
}

# Somebody without privilege: without limits and devices, and with what one user may map.
user_rootless=54321
bundle_rootless() {
	bundle_plain | jq --argjson id "$user_rootless" '
		.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": $id, "size": 1 }]
		| .linux.gidMappings = .linux.uidMappings
		| del(.process.user.additionalGids, .linux.cgroupsPath, .linux.devices, .linux.resources)'
	chown -R "$user_rootless:$user_rootless" "$bundle" "$work/tmp"
}

# The same with ranges of ids, which newuidmap and newgidmap write.
user_subids=$user_rootless
bundle_subids() {
	if [[ ! -d $work/etc ]]; then
		cp -a /etc "$work/etc"
		echo "faults:x:$user_rootless:$user_rootless::/:/bin/sh" >>"$work/etc/passwd"
		echo "faults:x:$user_rootless:" >>"$work/etc/group"
		echo "faults:200000:65536" | tee "$work/etc/subuid" >"$work/etc/subgid"
		mount --bind "$work/etc" /etc
	fi
	bundle_rootless | jq '.process.user.additionalGids = [10]
		| .linux.uidMappings += [{ "containerID": 1, "hostID": 200000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
}

# How it is scheduled, and where its memory is from; the processors are for what is executed later.
bundle_process() {
	bundle_plain | jq '.process.scheduler = { "policy": "SCHED_BATCH", "nice": 5,
			"flags": ["SCHED_FLAG_RESET_ON_FORK"] }
		| .process.ioPriority = { "class": "IOPRIO_CLASS_BE", "priority": 6 }
		| .process.execCPUAffinity = { "initial": "0", "final": "0" }
		| .linux.memoryPolicy = { "mode": "MPOL_BIND", "nodes": "0" }
		| .linux.personality = { "domain": "LINUX" }'
}
