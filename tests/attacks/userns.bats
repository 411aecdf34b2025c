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

# ---- a user namespace that is joined -------------------------------------------------------------

# Who has all rights in there looks at hull's child, before it is the container's program.
looked() {
	local holder n
	rm -f "$T/found" "$T/stop"
	unshare --user --map-root-user sleep 60 </dev/null >/dev/null 2>&1 3>&- &
	holder=$!
	wait_for grep -qx sleep "/proc/$holder/comm"
	config --arg path "/proc/$holder/ns/user" 'del(.hostname) |
		.linux.namespaces = (.linux.namespaces | map(select(.type != "user"))) + [{ "type": "user", "path": $path }]'
	program /bin/true
	timeout 60 nsenter -t "$holder" -U perl -e 'my ($stop) = @ARGV;
		sub name { open my $f, "<", "/proc/$_[0]/comm" or return ""; <$f> // "" }
		while (!-e $stop) {
			for my $p (grep { $_ > $$ } map { m{(\d+)$} } glob "/proc/[0-9]*") {
				next if name($p) !~ /^hull/ || !readlink "/proc/$p/root" || name($p) !~ /^hull/;
				print "found\n";
				exit;
			}
		}' "$T/stop" >"$T/found" 2>&1 </dev/null 3>&- &
	SPY=$!
	for ((n = 0; n < 30; n++)); do
		start
		[[ ! -s $T/found ]] || break
		[[ $status == 0 ]] || report "it does not run"
	done
	touch "$T/stop"
	wait "$SPY" || true
	SPY=
	kill -KILL "$holder"
	grep -q found "$T/found"
}

@test "R-072, R-073: root of a joined user namespace looks at hull's child" {
	compare HIDE looked
}

# ---- a helper in the new user namespace ----------------------------------------------------------

# opened: root of the host without a capability opens the memory of what hull starts, to write to
# it. Over who is in a user namespace that root has made he has all rights, also without any.
opened() {
	local n
	program /bin/true
	for ((n = 0; n < 40; n++)); do
		rm -f "$T/pid" "$T/found"
		timeout 20 setpriv --bounding-set -all --inh-caps -all perl -e 'my ($name) = @ARGV;
			my $end = time + 10;
			# Not the container, which is his: that is called otherwise.
			sub is_hulls { open my $f, "<", "/proc/$_[0]/comm" or return; <$f> =~ /^hull[-a-z]*$/ }
			while (!-s $name && time < $end) {}
			open my $f, "<", $name or exit;
			chomp(my $hull = <$f> // "");
			while (open my $list, "<", "/proc/$hull/task/$hull/children") {
				for my $p (split " ", <$list> // "") {
					is_hulls($p) && open my $memory, "+<", "/proc/$p/mem" or next;
					is_hulls($p) or next;
					print "found\n";
					exit;
				}
			}' "$T/pid" >"$T/found" 2>&1 </dev/null 3>&- &
		SPY=$!
		capture timeout -s KILL 10 bash -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec "$@"' "$T/pid" \
			"${RUNTIME[@]}" --root "$STATE" run -b "$BUNDLE" "$ID"
		wait "$SPY" || true
		SPY=
		[[ $status == 0 ]] || report "it does not run"
		[[ ! -s $T/found ]] || break
	done
	grep -qx found "$T/found"
}

@test "R-001, R-073: root without capabilities, and the memory of who makes the network of a user namespace" {
	new_user
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	compare HIDE opened
}

# Without a mount namespace there is no stage, and hull clones the container's process itself.
@test "R-001, R-073: root without capabilities, and the memory of a process in a new user namespace alone" {
	new_user
	config '.linux.namespaces |= map(select(.type == "user" or .type == "pid" or .type == "network")) |
		.mounts = [] | del(.hostname, .linux.maskedPaths, .linux.readonlyPaths, .linux.rootfsPropagation,
			.linux.devices, .linux.sysctl) | .root.path = "/"'
	compare HIDE opened
}

# The ids of a mount are mapped by a user namespace that a helper holds, for a moment each.
@test "R-001, R-073: root without capabilities, and the memory of who holds the map of a mount" {
	mkdir "$T/source"
	config --arg source "$T/source" '.mounts += [range(1; 40) | {"destination": "/tmp/\(.)", "type": "bind",
		"source": $source, "options": ["bind", "idmap"],
		"uidMappings": [{"containerID": 0, "hostID": 100000, "size": .}],
		"gidMappings": [{"containerID": 0, "hostID": 100000, "size": .}]}]'
	compare HIDE opened
}

# ---- users without privilege ---------------------------------------------------------------------

USER_ID=54321

# as_user COMMAND...: without privilege, but in group 7777.
as_user() {
	(cd / && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --groups 7777 \
		env -i PATH="$T/evil:$PATH" XDG_RUNTIME_DIR="$T/run" ${HULL_WITHOUT:+HULL_WITHOUT="$HULL_WITHOUT"} "$@")
}

# rootless SIZE: the bundle is the user's, who maps that many ids; his hull is $T/hull.
rootless() {
	mkdir -p "$T/run" "$T/evil"
	config --argjson size "$1" --argjson id "$USER_ID" 'del(.linux.cgroupsPath) |
		.linux.namespaces = (.linux.namespaces | map(select(.type != "user"))) + [{ "type": "user" }] |
		.linux.uidMappings = [{ "containerID": 0, "hostID": $id, "size": $size }] |
		.linux.gidMappings = .linux.uidMappings'
	chown -hR "$USER_ID:$USER_ID" "$T"
	chmod 755 "$T"
	install -m 755 "${RUNTIME[-1]}" "$T/hull"
}

# His own programs stand first in PATH, under the names of those that hull runs with privilege.
evil_helper() {
	local name without=
	[[ ${#RUNTIME[@]} == 1 ]] || without=${RUNTIME[1]#*=}
	rootless 2
	for name in newuidmap newgidmap; do
		printf '#!/bin/sh\n: >%s/evil/ran\n' "$T" >"$T/evil/$name"
		chmod 755 "$T/evil/$name"
	done
	HULL_WITHOUT=$without capture as_user timeout -s KILL 20 "$T/hull" run -b "$BUNDLE" "$ID"
	[[ -e $T/evil/ran ]]
}

@test "R-022: a program of the caller's PATH has the name of a helper" {
	[[ -x /usr/bin/newuidmap ]] || skip "needs newuidmap"
	compare PATH evil_helper
}

# A group may be there to keep its members out. Nobody may leave it by a user namespace: the control
# is one for which root did not deny it.
@test "R-068: a group that keeps its members out of a file is given up" {
	local real=refused control=refused pid job
	echo secret >"$T/secret"
	cp "$PAYLOAD" "$BUNDLE/rootfs/bin/payload"
	rootless 1
	chown 0:7777 "$T/secret"
	chmod 604 "$T/secret"
	config --arg source "$T/secret" '.mounts += [
		{ "destination": "/secret", "type": "bind", "source": $source, "options": ["bind"] }]'
	program /bin/payload groups /secret
	capture as_user timeout -s KILL 20 "$T/hull" run -b "$BUNDLE" "$ID"
	[[ $output != *secret* ]] || real=succeeded
	grep -q "setgroups: Operation not permitted" "$T/stderr" || report "groups can be given up"
	config '.process.user.additionalGids = [5]'
	capture as_user timeout -s KILL 20 "$T/hull" run -b "$BUNDLE" "$ID"
	expect_error "additional groups cannot be set"
	mkfifo "$T/go"
	as_user timeout 20 "$T/bundle/rootfs/bin/payload" groups "$T/secret" new \
		<"$T/go" >"$T/stdout" 2>"$T/stderr" 3>&- &
	job=$!
	exec 7>"$T/go"
	wait_for is_unshared || fail "no user namespace: $(<"$T/stderr")"
	pid=$(pgrep -x payload -u "$USER_ID")
	echo "0 $USER_ID 1" >"/proc/$pid/gid_map"
	echo "0 $USER_ID 1" >"/proc/$pid/uid_map"
	echo go >&7
	exec 7>&-
	wait "$job" || true
	! grep -q secret "$T/stdout" || control=succeeded
	verdict "$real" "without deny in setgroups" "$control"
}

is_unshared() {
	local pid
	pid=$(pgrep -x payload -u "$USER_ID") &&
		[[ $(readlink "/proc/$pid/ns/user") != "$(readlink /proc/self/ns/user)" ]]
}
