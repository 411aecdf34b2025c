#!/usr/bin/env bats
# One container of each engine, on hull, with limits of memory, processor time and processes that the
# engine's own options set: what the kernel's files show inside, and that each limit has its effect.
# Runs in the guest; ../engines has all else that engines do.
# shellcheck disable=SC1091,SC2016,SC2034,SC2153,SC2154 # names of and for the other libraries

load lib

setup() {
	guest_setup
	cd "$TOP/tests/engines" || return
	. ./lib.bash
	work=$T/engine name=hull runtime=$HULL DAEMONS=()
	mkdir -p "$work"
	CGROUP=$CGROUPS/hull-test-$ID
	ROW_SET=
}

teardown() {
	[[ -z ${DAEMONS[*]:-} ]] || stop_engine "${DAEMONS[@]}"
	umount_below "${T:-/none}"
	remove_cgroup "$CGROUP-daemon"
	[[ ! -e $T/swapped ]] || swapon /dev/vdb
	guest_teardown
}

# stop_engine PID...: daemons, the last one first.
stop_engine() {
	local pid tries
	for pid; do
		kill "$pid" 2>/dev/null || true
		for tries in {1..200}; do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
}

# What an engine keeps mounted: overlays and a bind mount of its own.
umount_below() {
	awk -v top="$1/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | tac |
		while read -r point; do umount -l "$point"; done
}

# The limits that each container has: 32 MB, half a processor, 20 processes. The program shows them,
# and then what they do: it computes, takes twice the memory, and makes twice as many processes.
MEMORY=33554432
memory_and_processor='
	cd /sys/fs/cgroup
	for file in memory.max memory.swap.max cpu.max cpu.weight; do echo "$file $(cat $file)"; done
	n=0; while grep -qx "nr_throttled 0" cpu.stat && [ $n -lt 500 ]; do n=$((n + 1)); done
	grep "^nr_throttled " cpu.stat
	dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; echo "dd $?"
	grep "^oom_kill " memory.events'
processes='
	cd /sys/fs/cgroup
	echo "pids.max $(cat pids.max)"
	sh -c "for i in $(seq 40 | tr "\n" " "); do sleep 600 & done" 2>/dev/null
	read -r word refused <pids.events; echo "forks-refused $refused"'

memory_and_processor_show() {
	expect 0
	expect_value memory.max $MEMORY
	expect_value cpu.max "50000 100000"
	expect_above nr_throttled 0
	expect_seen "dd 137"
	expect_above oom_kill 0
}

processes_show() {
	expect_value pids.max 20
	expect_above forks-refused 0
}

no_cgroups_left() {
	local left
	left=$(find "$CGROUP" -mindepth 1 -type d -path "*$1*" 2>/dev/null || true)
	[[ -z $left ]] || fail "cgroups are left: $left"
}

@test "podman: limits of memory, processor and processes by its own options" {
	. ./podman.lib
	podman_configure "$work"
	make_root "$work/image"
	tar -C "$work/image" -c . | timeout 100 podman import -q - localhost/bb:1 >/dev/null
	ROW_SET='podman run --memory 32m --memory-swap 32m --cpus 0.5 --pids-limit 20'
	capture timeout 120 podman run --rm --network none --cgroup-parent "/${CGROUP##*/}" \
		-e HULL_TEST="$ID" --memory 32m --memory-swap 32m --cpus 0.5 --pids-limit 20 \
		localhost/bb:1 /bin/sh -c "$memory_and_processor;$processes"
	memory_and_processor_show
	expect_value memory.swap.max 0
	processes_show
	no_cgroups_left libpod
}

# containerd with nothing for Kubernetes, for which dockerd would not wait long enough here.
containerd_begin() {
	. ./ctr.lib
	ctr_begin 3>&-
	DAEMONS=("$!")
}

docker_begin() {
	containerd_begin
	export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/config
	mkdir -p "$work"/{data,exec,config}
	cat >"$work/daemon.json" <<-X
		{ "data-root": "$work/data", "exec-root": "$work/exec", "pidfile": "$work/docker.pid",
		  "hosts": ["$DOCKER_HOST"], "containerd": "$CONTAINERD_ADDRESS", "storage-driver": "overlay2",
		  "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "/${CGROUP##*/}",
		  "bridge": "none", "iptables": false, "ip-forward": false, "oom-score-adjust": 0,
		  "runtimes": {"hull": {"path": "$HULL"}}, "default-runtime": "hull" }
	X
	# In the root cgroup it would think that nobody can limit swap: it looks for the file beside itself.
	echo +memory >"$CGROUPS/cgroup.subtree_control"
	mkdir "$CGROUP-daemon"
	(echo "$BASHPID" >"$CGROUP-daemon/cgroup.procs" &&
		exec dockerd --config-file "$work/daemon.json") >"$work/dockerd.log" 2>&1 </dev/null 3>&- &
	DAEMONS=("$!" "${DAEMONS[@]}")
	until_true 100 timeout 30 /usr/bin/docker version || fail "$(tail -20 "$work/dockerd.log")"
}

@test "docker: limits of memory, processor and processes by its own options" {
	docker_begin
	make_root "$work/image"
	tar -C "$work/image" -c . | timeout 100 /usr/bin/docker import - bb:1 >/dev/null
	ROW_SET='docker run --memory 32m --memory-swap 32m --cpus 0.5 --pids-limit 20'
	capture timeout 120 /usr/bin/docker run --rm --network none -e HULL_TEST="$ID" --memory 32m \
		--memory-swap 32m --cpus 0.5 --pids-limit 20 bb:1 /bin/sh -c "$memory_and_processor;$processes"
	memory_and_processor_show
	expect_value memory.swap.max 0
	processes_show
	no_cgroups_left ''
}

# ctr has options for memory and processors alone: the limit of processes is in a configuration.
@test "containerd: limits of memory and processor by ctr's own options, of processes by a file" {
	# Nor has it one for swap.
	swapoff /dev/vdb && touch "$T/swapped"
	containerd_begin
	ctr_import
	ROW_SET="ctr run --memory-limit $MEMORY --cpu-quota 50000 --cpu-period 100000 --cpu-shares 512"
	capture timeout 100 ctr run --rm --runtime io.containerd.runc.v2 --runc-binary "$HULL" \
		--cgroup "/${CGROUP##*/}/c1" --env HULL_TEST="$ID" --memory-limit $MEMORY \
		--cpu-quota 50000 --cpu-period 100000 --cpu-shares 512 \
		--mount type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro localhost/bb:1 c1 \
		/bin/sh -c "$memory_and_processor"
	memory_and_processor_show
	expect_value cpu.weight 20
	row_end
	ctr oci spec | jq --arg root "$work/image" --arg id "$ID" --arg cgroup "/${CGROUP##*/}/c2" \
		--arg program "$processes" '
		.root = { path: $root } | .linux.cgroupsPath = $cgroup | .process.terminal = false |
		.mounts += [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup" }] |
		.process.args = ["/bin/sh", "-c", $program] | .process.env += ["HULL_TEST=" + $id] |
		.linux.resources.pids.limit = 20' >"$work/spec.json"
	ROW_SET='ctr run --config SPEC, with pids.limit 20'
	capture timeout 60 ctr run --rm --runtime io.containerd.runc.v2 --runc-binary "$HULL" \
		--config "$work/spec.json" c2
	expect 0
	processes_show
	no_cgroups_left ''
}
