#!/usr/bin/env bats
# The systemd driver where systemd is not to be had: what is refused and how, what is planned, and
# that nothing of it is loaded or left behind. With systemd: tests/vm/systemd.bats.
# shellcheck disable=SC2154 # of lib.bash

load ../lib

setup() { hull_setup; }
teardown() { hull_teardown; }

# without_bus COMMAND...: where no bus can be reached, whatever this machine has.
without_bus() {
	# shellcheck disable=SC2016 # for the shell inside
	unshare -m --propagation private sh -c '
		mkdir -p "$0" && mount -t tmpfs tmpfs "$0" && mkdir -p "$0/hull" &&
		mount --bind "$0" /run && exec "$@"' "$T/run" \
		env -u DBUS_SYSTEM_BUS_ADDRESS -u DBUS_SESSION_BUS_ADDRESS "$@"
}

systemd_path() {
	config --arg path "$1" '.linux.cgroupsPath = $path'
}

@test "systemd: without a bus a start is refused, with a hint, and nothing is left" {
	need_root
	systemd_path "system.slice:hull:$ID"
	capture without_bus "$HULL" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error 'cannot reach systemd over D-Bus'
	expect_error '^  step +cgroup'
	expect_error '^  hint .*systemd as process 1'
	assert_clean
}

@test "systemd: create and run --detach without a bus leave nothing either" {
	need_root
	systemd_path "system.slice:hull:$ID"
	for verb in create "run --detach"; do
		# shellcheck disable=SC2086 # words
		capture without_bus "$HULL" --root "$STATE" --systemd-cgroup $verb -b "$BUNDLE" "$ID"
		expect 1 ""
		expect_error 'cannot reach systemd over D-Bus'
		assert_clean
	done
}

@test "systemd: a user's own is asked for by who is not root" {
	need_root
	chmod 755 "$T"
	config '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 4711, "size": 1}]
		| .linux.gidMappings = [{"containerID": 0, "hostID": 4711, "size": 1}]
		| del(.linux.cgroupsPath)'
	cp "$HULL" "$T/hull"
	chmod -R a+rX "$BUNDLE"
	capture without_bus setpriv --reuid 4711 --regid 4711 --clear-groups \
		env -u XDG_RUNTIME_DIR "$T/hull" --root "$T/none" --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "cannot reach the user's systemd over D-Bus"
	expect_error '^  hint .*XDG_RUNTIME_DIR'
}

@test "systemd: without libsystemd the option is an error, and all else works" {
	need_root
	local library
	library=$(readlink -f "$(ldconfig -p | awk '$1 == "libsystemd.so.0" { print $NF; exit }')")
	[[ -f $library ]] || skip "this machine has no libsystemd"
	# shellcheck disable=SC2016 # for the shell inside
	local hidden='mount --bind /dev/null "$0" && exec "$@"'
	program /bin/echo works
	capture unshare -m --propagation private sh -c "$hidden" "$library" \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 works
	systemd_path "system.slice:hull:$ID"
	capture unshare -m --propagation private sh -c "$hidden" "$library" \
		"$HULL" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error 'cannot load libsystemd.so.0: '
	expect_error '^  hint .*--systemd-cgroup needs it'
	assert_clean
}

# The library is a copy of which only this test knows, so that nobody else opens it.
@test "systemd: an ordinary run does not touch libsystemd, one with the option does" {
	need_root
	local library
	library=$(readlink -f "$(ldconfig -p | awk '$1 == "libsystemd.so.0" { print $NF; exit }')")
	[[ -f $library ]] || skip "this machine has no libsystemd"
	cp "$library" "$T/library"
	# shellcheck disable=SC2016 # for the shell inside
	local mounted='mount --bind "$0" "$1" && shift && exec "$@"'
	capture unshare -m --propagation private sh -c "$mounted" "$T/library" "$library" \
		python3 "$BATS_TEST_DIRNAME/opens.py" "$T/library" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 '0 False'
	systemd_path "system.slice:hull:$ID"
	capture unshare -m --propagation private sh -c "$mounted" "$T/library" "$library" \
		python3 "$BATS_TEST_DIRNAME/opens.py" "$T/library" \
		env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent \
		"$HULL" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 0 '1 True'
}

@test "systemd: what is not SLICE:PREFIX:NAME is refused, with its place" {
	need_root
	local path
	for path in /hull/web web a.slice:web a:b:c a--b.slice:p:n a.slice:p: a.slice:p:n/m \
		a.slice:p:b.slice; do
		systemd_path "$path"
		capture hull --systemd-cgroup run -b "$BUNDLE" "$ID"
		expect 1 ""
		expect_error "is not what systemd can make a scope of"
		expect_error 'config.json:[0-9]+:[0-9]+  linux.cgroupsPath: '
		expect_error '^ +hint: .*SLICE:PREFIX:NAME'
	done
	assert_clean
}

@test "systemd: a broken annotation is refused by its name, and warned of without the option" {
	need_root
	systemd_path "a-b.slice:p:n"
	config '.annotations["org.systemd.property.CollectMode"] = "inactive"'
	capture hull --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error 'annotation org.systemd.property.CollectMode: .* is not a value'
	config '.annotations["org.systemd.property.CollectMode"] = "true"
		| .annotations["org.systemd.property.PIDs"] = "@as []"'
	capture hull --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error 'org.systemd.property.PIDs: no annotation may set the property PIDs'
	config --arg path "/hull-test/$ID" '.linux.cgroupsPath = $path'
	hull_run
	expect 0
	[[ $stderr == *"org.systemd.property.PIDs"*"systemd does not make the cgroup"* ]] ||
		report "expected a warning"
}

@test "systemd: an annotation that would reach beyond the container is refused, with its place (R-031)" {
	need_root
	systemd_path "a-b.slice:p:n"
	local pair
	for pair in "Conflicts=['sshd.service']" "SuccessAction='poweroff-force'"; do
		config --arg key "org.systemd.property.${pair%%=*}" --arg value "${pair#*=}" \
			'.annotations = {($key): $value}'
		capture hull --systemd-cgroup run -b "$BUNDLE" "$ID"
		expect 1 ""
		expect_error "no annotation may set the property ${pair%%=*}"
		expect_error 'config.json:[0-9]+:[0-9]+  annotations'
		expect_error '^ +hint: those that may be set are TimeoutStopUSec, '
	done
	assert_clean
}

@test "systemd: the plan has the scope, its cgroup and its properties" {
	need_root
	systemd_path "a-b.slice:p:n"
	config '.linux.resources = {"memory": {"limit": 33554432}, "pids": {"limit": 7},
			"cpu": {"quota": 20000, "period": 50000}}
		| .annotations["org.systemd.property.TimeoutStopSec"] = "1.5"'
	capture hull --systemd-cgroup plan -b "$BUNDLE" "$ID"
	expect 0
	expect_match '^cgroup +/a.slice/a-b.slice/p-n.scope$'
	expect_match '^systemd +scope p-n.scope in a-b.slice, of the system$'
	for property in "Delegate = yes" "MemoryMax = 33554432" "TasksMax = 7" \
		"CPUQuotaPerSecUSec = 400000" "TimeoutStopUSec = 1500000"; do
		expect_match "^systemd +$property$"
	done
	capture hull --cgroup-manager=systemd plan -b "$BUNDLE" "$ID"
	expect_match '^cgroup +/a.slice/a-b.slice/p-n.scope$'
}

@test "systemd: two options that contradict each other are refused" {
	capture hull --systemd-cgroup --cgroup-manager=cgroupfs list
	expect 1 ""
	expect_error "contradict"
	capture hull --systemd-cgroup --cgroup-manager=systemd list -q
	expect 0
}
