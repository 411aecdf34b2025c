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

# bats test_tags=guest
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

# bats test_tags=guest
@test "R-077: a device that the rules forbid, made by the program itself" {
	compare DEVICES kernel_log
}

whole_tree() {
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	script "ls -d /sys/fs/cgroup/$PARENT"
	start
	[[ $output == /sys/fs/cgroup/$PARENT ]]
}

# bats test_tags=guest
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

# spy: a process with all rights in a pid namespace of its own, which is the one of config.json, looks
# for a way to the host's files, and says so in $T/found.
spy() {
	rm -f "$T/found" "$T/stop"
	unshare --pid --fork --kill-child --mount-proc perl -e 'my ($canary, $stop) = @ARGV;
		my $end = time + 60;
		while (time < $end && !-e $stop) {
			for my $p (grep { $_ > 1 } map { m{(\d+)$} } glob "/proc/[0-9]*") {
				my $seen = -e "/proc/$p/root$canary";
				# Out of a directory ".." leads up to the root of its mount.
				$seen ||= grep { my $fd = $_;
					-e "$fd/1/root$canary" || grep { -e "$fd/" . "../" x $_ . substr($canary, 1) } 1 .. 12
				} glob "/proc/$p/fd/[3-9]*";
				next if !$seen;
				# Its own children see the host as it does.
				open my $f, "<", "/proc/$p/comm" or next;
				print "found\n" if <$f> ne "perl\n";
				exit;
			}
		}' "$HOST/file" "$T/stop" >"$T/found" 2>&1 </dev/null 3>&- &
	SPY=$!
	wait_for pgrep -P "$SPY" -x perl >/dev/null
	config --arg path "/proc/$(pgrep -P "$SPY")/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
}

# Whether the spy has found something.
spy_found() {
	touch "$T/stop"
	wait "$SPY" || true
	grep -q found "$T/found"
}

spied() {
	local n
	spy
	program /bin/true
	for ((n = 0; n < 40; n++)); do
		start
		[[ ! -s $T/found ]] || break
	done
	spy_found
}

@test "R-001: a process in a pid namespace that is joined finds the host's files" {
	compare LATE_PID spied
}

# The same with a container that is there, in which one process after the other is executed.
spied_exec() {
	local n found=1
	spy
	program /bin/sleep 60
	hull_start
	for ((n = 0; n < 40; n++)); do
		capture timeout -s KILL 10 "${RUNTIME[@]}" --root "$STATE" exec "$ID" /bin/true
		[[ ! -s $T/found ]] || break
	done
	spy_found || found=0
	timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	hull_wait
	rm -f "$T/pid"
	((found))
}

@test "R-001: a process in the container finds the host's files in one that is executed" {
	compare LATE_PID spied_exec
}

# Without a pid namespace: elsewhere the child has no /proc/self of its own there.
exec_in_host_directory() {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	program /bin/sleep 60
	hull_start
	capture bash -c 'for i in {3..14}; do eval "exec $i<\"$1\""; done; shift
		exec timeout -s KILL 10 "$@" --cwd /proc/self/fd/9 "$0" /bin/cat file' \
		"$ID" "$HOST" "${RUNTIME[@]}" --root "$STATE" exec --preserve-fds 12
	local text=$output
	timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	hull_wait
	rm -f "$T/pid"
	[[ $text == secret ]]
}

@test "R-011: exec with a directory of the host as its working directory" {
	compare CWD exec_in_host_directory
}
