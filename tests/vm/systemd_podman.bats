#!/usr/bin/env bats
# podman on hull with --cgroup-manager=systemd, by root, as Debian's podman is set. Run by `run -s`.

# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test has variables of its own; ../lib.bash uses them
load lib

setup() {
	guest_setup
	[[ $(</proc/1/comm) == systemd ]] || skip "process 1 is not systemd: ./tests/vm/run -s"
	P=$T/podman
	mkdir -p "$P"
	cat >"$P/containers.conf" <<-CONF
		[containers]
		log_driver = "k8s-file"
		[engine]
		runtime = "hull"
		runtime_supports_json = ["crun", "runc", "hull"]
		events_logger = "file"
		[engine.runtimes]
		hull = ["$HULL"]
	CONF
	export CONTAINERS_CONF=$P/containers.conf
}

teardown() {
	[[ -z ${P:-} ]] || pod rm --all --force --time 0 >/dev/null 2>&1 || true
	hull_teardown
}

pod() {
	timeout 120 podman --root "$P/root" --runroot "$P/run" --storage-driver vfs \
		--cgroup-manager systemd --log-level error "$@" 3>&-
}

@test "systemd, podman: run, limits, update, exec, stop and rm" {
	tar -C "$BUNDLE/rootfs" -c . | pod import -q - localhost/test:1 >/dev/null
	capture pod run --rm --network none --memory 64m localhost/test:1 cat /proc/self/cgroup
	expect 0 "0::/"
	capture pod run -d --name "$ID" --network none --memory 64m --pids-limit 20 --cpus 0.5 \
		localhost/test:1 sleep 1000
	expect 0
	UNIT=libpod-$output.scope
	capture systemctl show "$UNIT"
	expect_line MemoryMax=67108864
	expect_line TasksMax=20
	expect_line CPUQuotaPerSecUSec=500ms
	expect_line Slice=machine.slice
	[[ $(<"$CGROUPS/machine.slice/$UNIT/memory.max") == 67108864 ]] || fail "memory.max"
	capture pod exec "$ID" echo inside
	expect 0 inside
	capture pod rm --force --time 0 "$ID"
	expect 0
	[[ -z $(systemctl list-units --all --no-legend --plain "$UNIT") ]] || fail "the unit is left"
	[[ ! -e $CGROUPS/machine.slice/$UNIT ]] || fail "the cgroup is left"
}
