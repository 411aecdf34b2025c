#!/usr/bin/env bats
# Attacks on a container with a user namespace of its own, and from inside of one. Each has a control;
# see lib.bash.

# shellcheck disable=SC2030,SC2031 # attacks set what start has found
load lib

setup() {
	attack_setup
	SPY=
}

teardown() {
	[[ -z $SPY ]] || { kill "$SPY" && wait "$SPY"; } 2>/dev/null || true
	attack_teardown
}

# new_user: root of the container is user 100000 of the host.
new_user() {
	config '.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
		.linux.gidMappings = .linux.uidMappings'
}

# A process with all rights in the pid namespace that is joined looks for a way to the host's files.
spied() {
	local n
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
	SPY=$!
	wait_for pgrep -P "$SPY" -x perl >/dev/null
	config --arg path "/proc/$(pgrep -P "$SPY")/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
	program /bin/true
	for ((n = 0; n < 40; n++)); do
		start
		[[ ! -s $T/found ]] || break
		[[ $status == 0 ]] || report "it does not run"
	done
	touch "$T/stop"
	wait "$SPY" || true
	SPY=
	grep -q found "$T/found"
}

@test "R-001: a process in a pid namespace that is joined, from a new user namespace" {
	new_user
	config '.mounts |= map(select(.type != "proc"))'
	compare MOVE spied
}
