#!/usr/bin/env bats
# Labels of security modules on a host that has none: refused with the place and what to do. The
# guest of tests/vm has AppArmor, see lsm.bats there.

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	hull_teardown
}

without_apparmor() {
	[[ $(cat /sys/module/apparmor/parameters/enabled 2>&1) != Y ]] || skip "AppArmor is in force"
}

without_selinux() {
	[[ $(stat -f -c %T /sys/fs/selinux 2>&1) != selinux* ]] || skip "SELinux is in force"
}

@test "S-102: a profile without AppArmor is refused" {
	without_apparmor
	config '.process.apparmorProfile = "docker-default"'
	hull_run
	expect 1 ""
	expect_error "AppArmor is not in force on this host"
	expect_error "config.json:[0-9]+:[0-9]+ +process.apparmorProfile"
	expect_error "apparmor=1"
	assert_clean
}

@test "without AppArmor everything is unconfined" {
	without_apparmor
	config '.process.apparmorProfile = "unconfined"'
	hull_run
	expect 0
}

@test "exec: --apparmor and --process-label are refused without a module, and nobody is executed" {
	without_apparmor
	without_selinux
	program /bin/sleep 60
	hull_start
	capture timeout 30 "$HULL" --root "$STATE" exec --apparmor docker-default "$ID" /bin/echo ran
	expect 255 ""
	expect_error "AppArmor is not in force on this host"
	capture timeout 30 "$HULL" --root "$STATE" exec --apparmor unconfined "$ID" /bin/echo ran
	expect 0 ran
	capture timeout 30 "$HULL" --root "$STATE" exec --process-label system_u:system_r:container_t:s0 \
		"$ID" /bin/echo ran
	expect 255 ""
	expect_error "SELinux is not in force on this host"
	jq '.process | .args = ["/bin/echo", "ran"] | .apparmorProfile = "docker-default"' \
		"$BUNDLE/config.json" >"$T/process.json"
	capture timeout 30 "$HULL" --root "$STATE" exec -p "$T/process.json" "$ID"
	expect 255 ""
	expect_error 'process.json:[0-9]+:[0-9]+ +apparmorProfile'
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "S-110, S-225: labels without SELinux are refused" {
	without_selinux
	config '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	hull_run
	expect 1 ""
	expect_error "SELinux is not in force on this host"
	expect_error "process.selinuxLabel"
	config '.process.selinuxLabel = "" | .linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	hull_run
	expect 1 ""
	expect_error "linux.mountLabel"
	assert_clean
}
