#!/usr/bin/env bats
# Attacks: images, configs, callers and moments that are out to break a start, by the numbers of
# the list of known attacks (R-nnn) where they have one. Most are bugs that other runtimes had; some
# hull had itself. What they have in common: nothing on the host changes, nothing is left behind,
# and no program runs with less protection than it was given.

load ../lib

setup() {
	need_root
	hull_setup
	HOST=$T/host
	mkdir -p "$HOST/dir"
	echo secret >"$HOST/file"
	host_before=$(host_listing)
}

teardown() {
	if [[ -n ${SPY:-} ]]; then
		touch "$HOST/stop"
		wait "$SPY" || true
	fi
	hull_teardown
}

# A tree of the host that hostile links lead to: nothing may appear or change there.
host_listing() {
	find "$HOST" -printf '%p %y %m %U %G %s %T@\n' | sort
	stat -c '%a %u %g %t:%T' /dev/null
}

assert_host_untouched() {
	[[ $(host_listing) == "$host_before" ]] || fail "changed on the host:" "$(host_listing)"
}

# run_within SECONDS [COMMAND...]: hull_run that must not hang; COMMAND goes before hull.
run_within() {
	local seconds=$1
	shift
	capture timeout -s KILL "$seconds" "$@" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ $status != 137 ]] || report "hung"
}

# Replaces NAME of the image by a link to TARGET.
plant() {
	rm -rf "$BUNDLE/rootfs/${1:?}"
	ln -s "$2" "$BUNDLE/rootfs/$1"
}

# hold_pid_namespace: makes $HOLDER, a process alone in a pid namespace of its own.
hold_pid_namespace() {
	unshare --pid --fork --mount-proc --kill-child sleep 60 3>&- &
	HOLDER_PARENT=$!
	wait_for pgrep -P "$HOLDER_PARENT" -x sleep
	HOLDER=$(pgrep -P "$HOLDER_PARENT")
	config --arg path "/proc/$HOLDER/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
}

# ---- images ------------------------------------------------------------------------------------

@test "R-005, R-018: /proc, /sys and /dev of the image are links" {
	local name target
	for name in proc sys dev; do
		for target in "$HOST/dir" "../../../../../../../../..$HOST/dir" /missing . "$name" \
			/proc/self/root; do
			plant "$name" "$target"
			run_within 10
			[[ $status == 1 ]] || report "/$name -> $target: started"
			assert_clean
		done
		rm "$BUNDLE/rootfs/$name"
		mkdir "$BUNDLE/rootfs/$name"
	done
	assert_host_untouched
}

@test "R-014, R-019: /dev/null of the image is a link or a file" {
	local target
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	for target in "$HOST/file" /proc/sys/kernel/core_pattern missing null; do
		plant dev/null "$target"
		run_within 10
		expect_error "'/dev/null' of the image is not the device"
	done
	rm "$BUNDLE/rootfs/dev/null"
	echo text >"$BUNDLE/rootfs/dev/null"
	run_within 10
	expect_error "'/dev/null' of the image is not the device"
	assert_clean
	assert_host_untouched
}

@test "R-006, R-012: mounts and devices through links of the image stay in it" {
	local target
	for target in "$HOST/dir" "../../../../../../../../..$HOST/dir"; do
		plant link "$target"
		config --arg source "$HOST" '.mounts += [
			{ "destination": "/link/a/b", "type": "tmpfs", "source": "tmpfs" },
			{ "destination": "/link/f", "type": "bind", "source": ($source + "/file"),
			  "options": ["bind", "ro"] }]
			| .linux.devices = [{ "path": "/link/n", "type": "c", "major": 1, "minor": 3 }]'
		script 'cat /link/f; test -c /link/n; echo $?'
		run_within 10
		expect 0 $'secret\n0'
		assert_clean
		assert_host_untouched
	done
}

@test "R-006: loops and long chains of links are errors" {
	local n
	for ((n = 1; n <= 45; n++)); do
		ln -s "link$((n + 1))" "$BUNDLE/rootfs/link$n"
	done
	ln -s loop "$BUNDLE/rootfs/loop"
	for n in /loop/x /link1; do
		config --arg to "$n" '.mounts[7] = { "destination": $to, "type": "tmpfs", "source": "t" }'
		run_within 10
		expect_error 'too many levels of symbolic links|ELOOP'
		assert_clean
	done
}

@test "R-007, R-012: a directory that is exchanged for a link while containers start" {
	local n
	command -v python3 >/dev/null || skip "needs python3"
	mkdir "$BUNDLE/rootfs/volume"
	ln -s "$HOST/dir" "$BUNDLE/rootfs/volume.link"
	python3 -c 'import ctypes, sys
libc = ctypes.CDLL(None)
a, b = sys.argv[1].encode(), sys.argv[2].encode()
while True:
    libc.syscall(316, -100, a, -100, b, 2)' \
		"$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/volume.link" 3>&- &
	local exchanger=$!
	config '.mounts += [{ "destination": "/volume/a/b", "type": "tmpfs", "source": "tmpfs" }]
		| .linux.devices = [{ "path": "/volume/d/n", "type": "c", "major": 1, "minor": 3 }]'
	for ((n = 0; n < 30; n++)); do
		run_within 10
		((status <= 1)) || report "neither started nor refused"
		assert_host_untouched
	done
	kill "$exchanger"
	wait "$exchanger" 2>/dev/null || true
	assert_clean
}

@test "R-020: a volume over /proc does not lead hull astray" {
	local n
	mkdir -p "$HOST/proc/self/fd" "$HOST/proc/sys/net/ipv4"
	for ((n = 0; n < 30; n++)); do
		ln -s "$HOST/dir" "$HOST/proc/self/fd/$n"
	done
	echo untouched >"$HOST/proc/sys/net/ipv4/ip_default_ttl"
	host_before=$(host_listing)
	config --arg source "$HOST/proc" '
		(.mounts[] | select(.destination == "/proc")) =
			{ "destination": "/proc", "source": $source, "options": ["bind"] }
		| .root.readonly = true | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .linux.sysctl = { "net.ipv4.ip_default_ttl": "9" }'
	script 'cat /proc/sys/net/ipv4/ip_default_ttl; echo x 2>&1 >/x || echo read-only'
	run_within 10
	expect 0
	expect_line untouched
	[[ ! -e $BUNDLE/rootfs/x ]]
	assert_clean
	assert_host_untouched
}

@test "a masked file is no way to the host's /dev/null" {
	config '.linux.maskedPaths = ["/proc/keys", "/etc/passwd"]'
	script 'chmod 600 /proc/keys /etc/passwd; chown 1:1 /proc/keys; wc -c </proc/keys
		echo x >/proc/keys && echo written'
	run_within 10
	expect_line 0
	expect_line written
	assert_clean
	assert_host_untouched
}

# ---- configs -----------------------------------------------------------------------------------

@test "R-011: the working directory is no way out" {
	local n
	for n in 3 5 7 10 14 20; do
		config --arg cwd "/proc/self/fd/$n" '.process.cwd = $cwd'
		capture timeout -s KILL 10 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" \
			5</ 7</etc 10</ 20</
		[[ $status == 1 ]] || report "cwd /proc/self/fd/$n: started"
		assert_clean
	done
	for n in /proc/self/cwd /proc/1/root; do
		config --arg cwd "$n" '.process.cwd = $cwd'
		run_within 10
		expect_error 'working directory'
	done
}

@test "R-030: cgroup paths and ids that lead elsewhere" {
	local text
	for text in '/x/../../../../tmp/x' ../x a/../b / ./a a//b; do
		config --arg path "$text" '.linux.cgroupsPath = $path'
		run_within 10
		[[ $status == 1 ]] || report "cgroupsPath $text: started"
	done
	for text in . .. a/b '' ' ' ../x $'a\nb' @seccomp "$(printf 'a%.0s' {1..256})"; do
		capture hull run -b "$BUNDLE" -- "$text"
		expect_error 'cannot be the id of a container'
	done
	assert_clean
}

@test "the root itself cannot be masked, protected or replaced by a mount" {
	local path
	for path in / /. /.. //../.; do
		config --arg path "$path" '.linux.readonlyPaths = [$path]'
		run_within 10
		expect_error 'the root filesystem itself'
		config --arg path "$path" '.linux.readonlyPaths = [] | .linux.maskedPaths = [$path]'
		run_within 10
		expect_error 'the root filesystem itself'
		config --arg path "$path" '.linux.maskedPaths = [] | .mounts[7] =
			{ "destination": $path, "type": "tmpfs", "source": "tmpfs" }'
		run_within 10
		expect_error 'cannot replace the root filesystem'
		config 'del(.mounts[7])'
	done
	assert_clean
}

@test "R-054: a remount does not reach /proc by a link of the image" {
	plant srv proc
	config '.mounts += [{ "destination": "/srv", "options": ["remount", "bind", "ro"] }]'
	run_within 10
	expect 1
	expect_error "'/srv' cannot be changed: it leads into /proc"
	assert_clean
}

@test "a terminal gets no control bytes from config.json" {
	config '.process.args = ["/bin/\u001b[2Jx\u202e\u0007"] | .["\u001b[31mx"] = 1'
	run_within 10
	expect_error '\\x1b'
	assert_no_control_bytes
	capture hull check -b "$BUNDLE"
	assert_no_control_bytes
}

assert_no_control_bytes() {
	if grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae' "$T/stdout" "$T/stderr"; then
		report "control bytes"
	fi
}

@test "R-008: long values and deep nesting" {
	config '.process.env += ["LONG=" + "x" * 100000]
		| .mounts += [range(300) | { "destination": "/m/\(.)", "type": "tmpfs", "source": "t" }]'
	script 'echo ${#LONG}; ls /m | wc -l'
	run_within 30
	expect 0 $'100000\n300'
	printf '[%.0s' {1..100000} >"$BUNDLE/config.json"
	run_within 10
	expect 1
	assert_clean
}

# ---- what the program gets ---------------------------------------------------------------------

@test "R-056: open descriptors of the caller do not reach the program" {
	script 'ls /proc/1/fd; true'
	capture hull run -b "$BUNDLE" "$ID" 3</ 4</etc 9</
	expect 0 $'0\n1\n2'
}

@test "R-065: capabilities, for all users, with and without no_new_privs and a filter" {
	local uid nnp filter want
	script 'echo $(grep -E "Cap(Inh|Prm|Bnd|Amb)" /proc/self/status | cut -f2)'
	config '.process.capabilities |= map_values(["CAP_KILL", "CAP_CHOWN"])
		| .process.capabilities.ambient = ["CAP_KILL"]
		| .process.capabilities.inheritable = ["CAP_KILL"]'
	for uid in 0 1000; do
		want="0000000000000020 0000000000000021 0000000000000021 0000000000000020"
		((uid == 0)) || want="0000000000000020 0000000000000020 ${want:34}"
		for nnp in true false; do
			for filter in null '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
				{ "names": ["sync"], "action": "SCMP_ACT_ERRNO" }] }'; do
				config --argjson uid "$uid" --argjson nnp "$nnp" --argjson filter "$filter" '
					.process.user = { "uid": $uid, "gid": $uid }
					| .process.noNewPrivileges = $nnp | .linux.seccomp = $filter
					| if $filter == null then del(.linux.seccomp) else . end'
				run_within 10
				expect 0 "$want"
			done
		done
	done
}

@test "R-001: root in a joined pid namespace finds no way out through hull's processes" {
	hold_pid_namespace
	# All the time, and of every other process there: its files, its rights, what it was told.
	nsenter -t "$HOLDER" -p -m perl -e '
		my ($canary, $caps, $seen) = (shift, shift, 0);
		$| = 1;
		my $end = time + 60;
		while (time < $end) {
			last if -e "$canary/stop";
			for my $p (grep { $_ > 1 && $_ != $$ } map { m{(\d+)$} } glob "/proc/[0-9]*") {
				print "files\n" if -e "/proc/$p/root$canary";
				for my $fd (glob "/proc/$p/fd/*") {
					# Out of a directory ".." leads up to the root of its mount.
					print "descriptor\n" if -e "$fd$canary" || -e "$fd/1/root$canary"
						|| -e "$fd/../1/root$canary"
						|| grep { -e "$fd/" . "../" x $_ . substr($canary, 1) } 1 .. 12;
				}
				my $same = readlink("/proc/$p/ns/user") eq readlink("/proc/self/ns/user");
				if (open my $f, "<", "/proc/$p/status") {
					$seen++;
					for (<$f>) {
						# Over a user namespace of its own it may have all rights.
						print "rights $1\n" if $same && /^Cap(?:Eff|Prm):\s*(\w+)/
							&& hex($1) & ~hex($caps);
					}
				}
				for my $file ("environ", "cmdline") {
					open my $f, "<", "/proc/$p/$file" or next;
					my $text = join "", <$f>;
					print "$file\n" if index($text, $canary) >= 0;
				}
			}
		}
		print "seen\n" if $seen' "$HOST" 0000000000000021 >"$T/found" 2>&1 3>&- &
	SPY=$!
	local n
	config '.process.capabilities |= map_values(["CAP_CHOWN", "CAP_KILL"])'
	for ((n = 0; n < 25; n++)); do
		HULL_TEST_SECRET=$HOST run_within 20
		expect 0
	done
	touch "$HOST/stop"
	wait "$SPY"
	SPY=
	[[ $(sort "$T/found" | uniq -c | sort -rn | awk '{ print $2 }') == seen ]] ||
		fail "$(sort "$T/found" | uniq -c)"
	kill -KILL "$HOLDER_PARENT"
	assert_clean
}

@test "/proc of a joined pid namespace is that namespace's" {
	hold_pid_namespace
	script 'cat /proc/1/comm; cd /proc; ls -d [0-9]* | wc -l; test -L /dev/fd && echo linked'
	run_within 10
	expect 0
	[[ ${lines[0]} == sleep ]] || report "the host's /proc"
	((lines[1] <= 4)) || report "too many processes"
	[[ ${lines[2]} == linked ]] || report "no /dev/fd"
	kill "$HOLDER_PARENT"
	assert_clean
}

@test "a start that fails in a joined pid namespace ends" {
	hold_pid_namespace
	program /missing
	run_within 10
	expect_error missing
	script 'kill -9 $$'
	capture timeout -s KILL 10 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 137
	kill "$HOLDER_PARENT"
	assert_clean
}

@test "a working directory that only the user may enter" {
	mkdir -p "$BUNDLE/rootfs/home/app/own"
	chown -R 1000:1000 "$BUNDLE/rootfs/home/app"
	chmod 700 "$BUNDLE/rootfs/home/app"
	config '.process.user = { "uid": 1000, "gid": 1000 } | .process.cwd = "/home/app/own"'
	program /bin/pwd
	mkdir -p "$CGROUPS/hull-test" # which is not hull's to make without the capability
	run_within 10 setpriv --bounding-set -dac_override,-dac_read_search
	expect 0 /home/app/own
	assert_clean
}

# ---- the state ---------------------------------------------------------------------------------

# sleeping_container: one whose hull is dead, so that only delete can remove it.
sleeping_container() {
	program /bin/sleep 60
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
}

@test "R-081: delete --force that lacks descriptors never forgets a container" {
	local n
	sleeping_container
	for ((n = 4; n < 14; n++)); do
		capture prlimit --nofile="$n" "$HULL" --root "$STATE" delete --force "$ID"
		[[ $status != 0 ]] || break
		[[ -e /proc/$PID && -d $STATE/$ID ]] || [[ ! -e $CGROUP || -d $STATE/$ID ]] ||
			report "with $n descriptors: forgotten"
	done
	hull delete --force "$ID"
	assert_clean
}

@test "R-081: delete removes nothing that runs, whatever it cannot find out" {
	local n
	sleeping_container
	for ((n = 4; n < 14; n++)); do
		capture prlimit --nofile="$n" "$HULL" --root "$STATE" delete "$ID"
		[[ $status != 0 ]] || report "with $n descriptors: deleted"
		[[ -e /proc/$PID ]] || report "with $n descriptors: killed"
	done
	hull delete --force "$ID"
	assert_clean
}

@test "R-081: a state of another version, and one that is cut short" {
	sleeping_container
	jq -c '.version = 99' "$STATE/$ID/state.json" >"$T/newer"
	cp "$T/newer" "$STATE/$ID/state.json"
	capture hull delete "$ID"
	expect_error 'another version'
	[[ -e /proc/$PID ]]
	hull delete --force "$ID"
	assert_clean
	mkdir "$STATE/$ID"
	printf '{ "version":' >"$STATE/$ID/state.json"
	hull delete --force "$ID"
	assert_clean
}

@test "a start that lacks descriptors leaves nothing" {
	local n
	config '.linux.devices = [{ "path": "/dev/x", "type": "c", "major": 1, "minor": 3 }]'
	for ((n = 4; n < 20; n += 3)); do
		run_within 10 prlimit --nofile="$n"
		assert_clean
	done
	expect 0
}

@test "R-026, R-041: state directories of others, and links in them" {
	mkdir -m 777 "$STATE"
	run_within 10
	expect_error 'can be written by others'
	chmod 700 "$STATE"
	chown 1000 "$STATE"
	run_within 10
	expect_error 'belongs to user 1000'
	chown 0 "$STATE"
	ln -s "$HOST/dir" "$STATE/$ID"
	capture hull delete --force "$ID"
	expect_error 'not a directory'
	rm "$STATE/$ID"
	assert_host_untouched
}

# ---- moments -----------------------------------------------------------------------------------

@test "R-083: of many starts with one id exactly one wins" {
	local n pids=() won=0
	program /bin/sleep 1
	for ((n = 0; n < 20; n++)); do
		hull run -b "$BUNDLE" "$ID" 2>>"$T/refused" 3>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		! wait "$n" || ((won += 1))
	done
	((won == 1)) || fail "$won have won"
	(($(grep -c 'exists already' "$T/refused") == 19))
	assert_clean
}

@test "R-083: delete --force at any moment of a start" {
	local n
	program /bin/sleep 60
	for ((n = 0; n < 20; n += 2)); do
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" >"$T/out" 2>&1 3>&- &
		sleep "0.0$((n / 10))$((n % 10))"
		hull delete --force "$ID"
		# It may have come before the start: then there is something to be deleted now.
		wait_for delete_until_dead $!
		wait $! || true
		assert_clean
	done
}

delete_until_dead() {
	hull delete --force "$ID"
	! kill -0 "$1" 2>/dev/null
}

@test "R-080: hull is killed at any moment, and delete --force finds all" {
	local n
	program /bin/sleep 60
	for ((n = 0; n < 20; n += 2)); do
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" >"$T/out" 2>&1 3>&- &
		sleep "0.0$((n / 10))$((n % 10))"
		kill -KILL $!
		wait $! || true
		hull delete --force "$ID"
		wait_for nothing_starts
		assert_clean
	done
}

# A child whose hull died before it had a cgroup or a name needs a moment to give up.
nothing_starts() {
	[[ -z $(container_processes) ]] && ! pgrep -x hull:init >/dev/null
}

@test "R-088: SIGTERM at any moment ends the start or the program" {
	local n
	script 'trap "exit 9" TERM; while :; do sleep 0.01; done'
	for ((n = 0; n < 20; n += 2)); do
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" >"$T/out" 2>&1 3>&- &
		sleep "0.0$((n / 10))$((n % 10))"
		kill -TERM $!
		# Lost only where the program had no trap yet.
		wait_for term_until_dead $!
		status=0
		wait $! || status=$?
		[[ $status == 143 || $status == 9 ]] || report "neither hull nor the program"
		assert_clean
	done
}

term_until_dead() {
	! kill -TERM "$1" 2>/dev/null
}

@test "a hull that comes late leaves the id and cgroup of the next one alone" {
	program /bin/sleep 60
	hull_start
	local first=$HULL_PID
	kill -STOP "$first"
	hull delete --force "$ID"
	rm "$T/pid"
	script 'sleep 1; echo survived'
	hull_start
	kill -CONT "$first"
	status=0
	wait "$first" || status=$?
	expect 137
	hull_wait
	expect 0 survived
	assert_clean
}

@test "R-089: a thousand orphans without a pid namespace" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	script 'i=0; while [ $i -lt 1000 ]; do (sleep 0.01 &); i=$((i + 1)); done; exit 5'
	run_within 60
	expect 5
	assert_clean
}

@test "R-002: a user id is a number, whatever the image's passwd says" {
	printf '1000:x:0:0::/:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	config '.process.user = { "uid": 1000, "gid": 1000 }'
	program /bin/id -u
	run_within 10
	expect 0 1000
}

@test "R-021: there is no checkpoint, and nothing of one is made" {
	capture hull checkpoint --image-path "$T/image" "$ID"
	expect_error "hull makes no checkpoints"
	capture hull restore --image-path "$T/image" "$ID"
	expect_error "hull (makes|restores) no checkpoints"
	[[ ! -e $T/image ]] || fail "made"
	assert_clean
}

@test "R-031: annotations of other runtimes change nothing" {
	script 'cat /proc/self/cgroup; id; ls /'
	run_within 10
	expect 0
	local before=$output
	config '.annotations = { "run.oci.delegate-cgroup": "../../..", "run.oci.keep_original_groups": "1",
		"run.oci.handler": "krun", "run.oci.seccomp_bpf_data": "AAAA", "run.oci.hooks.stdout": "/x",
		"run.oci.mount_context_type": "context", "dev.hull.unknown": "1" }'
	run_within 10
	expect 0 "$before"
	assert_clean
}
