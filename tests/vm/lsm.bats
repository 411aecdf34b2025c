#!/usr/bin/env bats
# AppArmor in force: the program runs under the profile that config.json names, whatever its image
# or its volumes make of /proc, and does not run at all when that profile is not there (R-004,
# S-102).

# shellcheck disable=SC2030,SC2031 # each test is a process of its own
load lib

setup() {
	[[ ! -e /dev/vm-out || -d /sys/kernel/security/apparmor ]] ||
		mount -t securityfs securityfs /sys/kernel/security
	guest_setup
	profile hull-test '  deny /etc/hull-rootfs r,'
	config '.process.apparmorProfile = "hull-test"'
}

teardown() {
	[[ -z ${HOLDER_PARENT:-} ]] || kill -KILL "$HOLDER_PARENT" || true
	hull_teardown
}

# profile NAME RULES: loads a profile that allows everything but what the rules deny.
profile() {
	apparmor_parser -r --skip-cache <<-END
		profile $1 flags=(attach_disconnected) {
		  file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
		$2
		}
	END
}

# What a program can tell about its confinement, and what it may not read.
report='cat /proc/self/attr/current; cat /etc/hull-rootfs >/dev/null 2>&1 || echo denied'

@test "S-102: the program runs under its profile" {
	script "$report"
	local privileges
	for privileges in true false; do
		config --argjson value $privileges '.process.noNewPrivileges = $value'
		hull_run
		expect 0 $'hull-test (enforce)\ndenied'
		assert_clean
	done
}

@test "the control: without a profile it may read" {
	config 'del(.process.apparmorProfile)'
	script "$report"
	hull_run
	expect 0 unconfined
	config '.process.apparmorProfile = "unconfined"'
	hull_run
	expect 0 unconfined
}

@test "a profile that is not loaded is an error" {
	config '.process.apparmorProfile = "hull-nowhere"'
	hull_run
	expect 1 ""
	expect_error "cannot set the AppArmor profile 'hull-nowhere'"
	expect_error "config.json:[0-9]+:[0-9]+ +process.apparmorProfile"
	expect_error "no such profile is loaded"
	assert_clean
}

# unconfined_by_volume HULL...: it runs a container with a volume over /proc that has files of the
# names by which labels are set. Is the program inside unconfined?
unconfined_by_volume() {
	local file
	rm -rf "$T/fake"
	mkdir "$T/fake"
	for file in attr/exec attr/apparmor/exec; do
		mkdir -p "$T/fake/thread-self/${file%/*}" "$T/fake/self/${file%/*}"
		touch "$T/fake/thread-self/$file" "$T/fake/self/$file"
	done
	config --arg source "$T/fake" \
		'.mounts[0] = {destination: "/proc", source: $source, options: ["rbind", "rw"]}
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	script 'cat /etc/hull-rootfs >/dev/null 2>&1 || echo denied'
	capture timeout -s KILL 60 "$@" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ $status == 0 && $output != *denied* && -n $(find "$T/fake" -type f -size +0) ]]
}

# Without the protection, the same is an attack that succeeds (../attacks/without.c).
@test "R-004: a volume over /proc does not take the label" {
	local real=refused control=refused
	! unconfined_by_volume "$HULL" || real=succeeded
	expect 0 denied
	[[ -z $(find "$T/fake" -type f -size +0) ]] || fail "something was written to the volume"
	assert_clean
	! unconfined_by_volume env HULL_WITHOUT=SYSCTL_PATH "$(dirname "$HULL")/tests/attacks/hull-without" ||
		control=succeeded
	echo "# R-004: hull: $real; without SYSCTL_PATH: $control" >&3
	[[ $control == succeeded ]] || report "the control fails: is it an attack?"
}

@test "--init: process 1 is confined, too, and forwards signals" {
	script 'cat /proc/1/attr/current /proc/self/attr/current; echo $$
		cat /proc/1/root/etc/hull-rootfs >/dev/null 2>&1 || echo denied
		trap "echo term; exit 7" TERM; kill -TERM 1; while :; do sleep 0.1; done'
	local privileges
	for privileges in true false; do
		config --argjson value $privileges '.process.noNewPrivileges = $value |
			.process.user = {uid: 4711, gid: 4711}'
		capture timeout -k 5 60 "$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID"
		expect 7 $'hull-test (enforce)\nhull-test (enforce)\n2\ndenied\nterm'
		assert_clean
	done
	# The control: without one it is not.
	config 'del(.process.apparmorProfile)'
	script 'cat /proc/1/attr/current'
	capture timeout -k 5 60 "$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID"
	expect 0 unconfined
	assert_clean
}

@test "--init: a label that process 1 may not take stops the start" {
	profile hull-test '  change_profile -> hull-inner,'
	profile hull-inner ''
	# hull itself confined: it may give the program another profile, and itself none.
	profile hull-caller '  change_profile /** -> hull-test,'
	script 'echo ran'
	capture timeout -k 5 60 aa-exec -p hull-caller -- "$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "process 1 of --init cannot take the AppArmor profile 'hull-test'"
	assert_clean
}

# confined_exec [OPTION...]: what one more process tells of its confinement.
confined_exec() {
	capture timeout -s KILL 60 "$HULL" --root "$STATE" exec "$@" "$ID" /bin/sh -c "$report"
}

@test "exec: the container's profile, or that of --apparmor" {
	profile hull-other ''
	program /bin/sleep 120
	hull_start
	confined_exec
	expect 0 $'hull-test (enforce)\ndenied'
	confined_exec --apparmor hull-other
	expect 0 'hull-other (enforce)'
	confined_exec --apparmor hull-other --no-new-privs
	expect 0 'hull-other (enforce)'
	confined_exec --apparmor unconfined
	expect 0 unconfined
	confined_exec --apparmor hull-nowhere
	expect 255 ""
	expect_error "cannot set the AppArmor profile 'hull-nowhere'"
	expect_error "no such profile is loaded"
	# The first process has its own all the time.
	[[ $(</proc/"$PID"/attr/current) == "hull-test (enforce)" ]] || fail "the container's has changed"
	(($(wc -l <"$CGROUP/cgroup.procs") == 1)) || fail "a process is left"
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "exec: the profile of a process file, and the container's where it has none" {
	profile hull-other ''
	program /bin/sleep 120
	hull_start
	jq --arg script "$report" '.process | .args = ["/bin/sh", "-c", $script] |
		.apparmorProfile = "hull-other"' "$BUNDLE/config.json" >"$T/process.json"
	capture timeout -s KILL 60 "$HULL" --root "$STATE" exec -p "$T/process.json" "$ID"
	expect 0 'hull-other (enforce)'
	jq 'del(.apparmorProfile)' "$T/process.json" >"$T/bare.json"
	capture timeout -s KILL 60 "$HULL" --root "$STATE" exec -p "$T/bare.json" "$ID"
	expect 0 $'hull-test (enforce)\ndenied'
	# The command line is the last word.
	capture timeout -s KILL 60 "$HULL" --root "$STATE" exec --apparmor hull-test -p "$T/process.json" "$ID"
	expect 0 $'hull-test (enforce)\ndenied'
	jq '.apparmorProfile = "hull-nowhere"' "$T/process.json" >"$T/wrong.json"
	capture timeout -s KILL 60 "$HULL" --root "$STATE" exec -p "$T/wrong.json" "$ID"
	expect 255 ""
	expect_error 'wrong.json:[0-9]+:[0-9]+ +apparmorProfile'
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "exec: SELinux is not what this guest has" {
	program /bin/sleep 120
	hull_start
	confined_exec --process-label system_u:system_r:container_t:s0
	expect 255 ""
	expect_error "SELinux is not in force on this host"
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "the profile goes along into a joined pid namespace" {
	unshare --pid --fork --mount-proc --kill-child sleep 120 3>&- &
	HOLDER_PARENT=$!
	wait_for pgrep -P "$HOLDER_PARENT" -x sleep
	config --arg path "/proc/$(pgrep -P "$HOLDER_PARENT")/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
	script "$report"
	hull_run
	expect 0 $'hull-test (enforce)\ndenied'
}
