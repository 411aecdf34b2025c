#!/usr/bin/env bats
# Attacks by the program inside: what it would have if one step of a start were left out. Each has a
# control; see lib.bash.

# shellcheck disable=SC2030,SC2031 # attacks set what start has found
load lib

setup() {
	attack_setup
}

teardown() {
	[[ -z ${SUID:-} ]] || rm -rf "$SUID"
	attack_teardown
}

# $SUID: a root filesystem in which set-user-ID works, with the payload as root's.
suid_root() {
	[[ -z ${SUID:-} ]] || return 0
	SUID=$BATS_TEST_TMPDIR/suid
	cp -a "$BUNDLE/rootfs" "$SUID"
	install -m 4755 "$PAYLOAD" "$SUID/bin/rights"
	config --arg root "$SUID" '.root.path = $root | .process.user = { "uid": 1000, "gid": 1000 }
		| .process.capabilities = { "bounding": ["CAP_CHOWN"] }'
	program /bin/rights rights
}

inherited_descriptor() {
	program /bin/cat "/proc/self/fd/7$HOST/file"
	start 7</
	[[ $output == secret ]]
}

@test "R-055, R-056, R-057: a directory of the host that the caller left open" {
	compare DESCRIPTORS inherited_descriptor
}

inheritable() {
	script 'grep CapInh /proc/self/status'
	start
	[[ $output == CapInh:* && $output != *0000000000000000 ]]
}

@test "R-009: inheritable capabilities that nobody asked for" {
	compare INHERITABLE inheritable
}

new_privileges() {
	suid_root
	start
	[[ $output == *"user 0"* ]]
}

@test "R-065: no_new_privs, and a set-user-ID program of the image" {
	compare NO_NEW_PRIVS new_privileges
}

# Bit 21 is CAP_SYS_ADMIN.
regained() {
	suid_root
	config '.process.noNewPrivileges = false'
	start
	[[ $output == *CapPrm:* ]] && ((0x$(sed -n 's/^CapPrm:\t//p' <<<"$output") >> 21 & 1))
}

@test "R-066: a set-user-ID program regains what the bounding set lacks" {
	compare BOUNDING regained
}

groups_of_caller() {
	echo secret >"$BUNDLE/rootfs/srv/group"
	chown 0:4444 "$BUNDLE/rootfs/srv/group"
	chmod 640 "$BUNDLE/rootfs/srv/group"
	config '.process.user = { "uid": 1000, "gid": 1000 }'
	program /bin/cat /srv/group
	start setpriv --groups 4444
	[[ $output == secret ]]
}

@test "R-066: the groups of the caller" {
	compare GROUPS groups_of_caller
}

@test "R-066: a right that could not be taken away is noticed, and nothing is started" {
	local case what
	config '.process.user = { "uid": 1000, "gid": 1000, "additionalGids": [7] }
		| .process.noNewPrivileges = true'
	program /bin/true
	start
	expect 0
	for case in USER:user GROUPS:groups INHERITABLE:capabilities BOUNDING:bounding \
		NO_NEW_PRIVS:no_new_privs HIDE:tracing; do
		what=${case#*:}
		# The change of the user hides it, too, unless fs.suid_dumpable says otherwise.
		[[ $case != HIDE:* ]] || config '.process.user = { "uid": 0, "gid": 0 }'
		RUNTIME=(env HULL_VERIFIES=1 HULL_WITHOUT="${case%:*}" "$WITHOUT")
		start
		expect 1
		expect_error "the kernel does not report the .*$what"
		assert_clean
	done
}

keyring_of_caller() {
	cp "$PAYLOAD" "$BUNDLE/rootfs/bin/payload"
	program /bin/payload keyring
	start perl -e 'my $name = "of-the-caller"; syscall(250, 1, $name) >= 0 or die; exec @ARGV'
	[[ $output == *of-the-caller* ]]
}

@test "R-065: the keys of the caller's session" {
	compare KEYRING keyring_of_caller
}

forbidden_call() {
	config '.linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{ "names": ["chmod", "fchmodat", "fchmod"], "action": "SCMP_ACT_ERRNO" }] }'
	script 'chmod 700 /srv && echo done'
	start
	[[ $output == "done" ]]
}

@test "R-069: a system call that the profile forbids" {
	compare FILTER forbidden_call
}

kernel_log() {
	config '.process.capabilities |= map_values(. + ["CAP_MKNOD", "CAP_SYSLOG"] | unique)
		| .linux.resources.devices = [{ "allow": false, "access": "rwm" }]'
	script 'mknod /dev/k c 1 11 && head -c 1 /dev/k >/srv/log && echo read'
	start
	[[ $output == *read* ]]
}

@test "R-077: a device that the rules forbid, made by the program itself" {
	compare DEVICES kernel_log
}

whole_tree() {
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	script "ls -d /sys/fs/cgroup/$PARENT"
	start
	[[ $output == /sys/fs/cgroup/$PARENT ]]
}

@test "R-010, R-028: without a cgroup namespace the host's cgroups are seen" {
	compare CGROUP whole_tree
}

# Types a line for whoever reads from the terminal after the container.
typed() {
	cp "$PAYLOAD" "$BUNDLE/rootfs/bin/payload"
	program /bin/payload type $'injected\n'
	printf '%s\n' '#!/bin/bash' "$(printf '%q ' "${RUNTIME[@]}" --root "$STATE" run -b "$BUNDLE" "$ID")" \
		'for n in 1 2 3; do read -r -t 1 line && echo "read=$line"; done' >"$T/caller"
	chmod 755 "$T/caller"
	capture timeout -s KILL 10 script -qefc "$T/caller" /dev/null
	[[ $output == *read=injected* ]]
}

@test "R-025: the program types into the caller's terminal" {
	[[ $(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1) == 1 ]] ||
		skip "this kernel lets nobody do it"
	compare SESSION typed
}

# A process with all rights in the pid namespace that is joined looks for a way to the host's files.
spied() {
	local n spy
	rm -f "$T/found" "$T/stop"
	unshare --pid --fork --kill-child --mount-proc perl -e 'my ($canary, $stop) = @ARGV;
		my $end = time + 60;
		while (time < $end && !-e $stop) {
			for my $p (grep { $_ > 1 } map { m{(\d+)$} } glob "/proc/[0-9]*") {
				next if !-e "/proc/$p/root$canary";
				# Its own children see the host as it does.
				open my $f, "<", "/proc/$p/comm" or next;
				print "found\n" if <$f> ne "perl\n";
				exit;
			}
		}' "$HOST/file" "$T/stop" >"$T/found" 2>&1 </dev/null 3>&- &
	spy=$!
	wait_for pgrep -P "$spy" -x perl >/dev/null
	config --arg path "/proc/$(pgrep -P "$spy")/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
	program /bin/true
	for ((n = 0; n < 40; n++)); do
		start
		[[ ! -s $T/found ]] || break
	done
	touch "$T/stop"
	wait "$spy" || true
	grep -q found "$T/found"
}

@test "R-001: a process in a pid namespace that is joined finds the host's files" {
	compare LATE_PID spied
}
