# The network namespace that is made while hull does other things (ahead.c): seen from outside.
load ../lib

setup() { hull_setup; }
teardown() { hull_teardown; }

# look_often COMMAND...: runs hull again and again, and looks at the process as soon as its number
# can be read. $INSIDE counts those that were seen in another network namespace than this one.
look_often() {
	local pid
	INSIDE=0
	for _ in {1..40}; do
		rm -f "$T/pid"
		"$@" </dev/null >>"$T/out" 2>&1 3>&- &
		pid=
		until [[ $pid || ! -d /proc/$! ]]; do
			{ read -r pid <"$T/pid"; } 2>/dev/null || true
		done
		if [[ $pid && /proc/$pid/ns/net -ef /proc/self/ns/net ]]; then
			wait $!
			fail "process $pid is in the host's network namespace"
			return 1
		fi
		[[ ! -e /proc/$pid/ns/net ]] || ((INSIDE += 1))
		wait $! || fail "$(<"$T/out")"
	done
	((INSIDE > 0)) || fail "nothing was seen in time"
}

@test "who reads the pid file finds the container's network namespace" {
	need_root
	program /bin/sleep 0.02
	untraced look_often "$HULL" --root "$STATE" run --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	assert_clean
}

@test "who reads the pid file finds the network namespace of a user namespace" {
	need_root
	program /bin/sleep 0.02
	chmod 755 "$T"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	config '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 1000 }]
		| .linux.gidMappings = .linux.uidMappings'
	untraced look_often "$HULL" --root "$STATE" run --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	assert_clean
}
