#!/usr/bin/env bats
# Limits of a container that a user without privilege starts: in a cgroup that was delegated to that
# user, with the controllers that systemd would enable. (What needs no controller is tested on the
# host by ../integration/userns.bats.)

load lib

USER_ID=54321

setup() {
	guest_setup
	DELEGATED=$CGROUPS/hull-test-user
	echo "+memory +pids" >"$CGROUPS/cgroup.subtree_control"
	mkdir -p "$DELEGATED/session" "$T/run"
	chown -R "$USER_ID" "$DELEGATED"
	config --argjson id "$USER_ID" '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}] |
		.linux.gidMappings = .linux.uidMappings | .linux.cgroupsPath = "/hull-test-user/one"'
	cp "$HULL" "$T/hull"
	chown -hR "$USER_ID:$USER_ID" "$T"
	chmod 755 "$T"
	chmod 700 "$T/run"
}

teardown() {
	[[ -z ${DELEGATED:-} ]] || remove_cgroup "$DELEGATED"
	hull_teardown
}

# user_run: by the user, from a cgroup beside the container's.
user_run() {
	capture bash -c 'echo $$ >"$1/session/cgroup.procs" && shift && exec "$@"' - "$DELEGATED" \
		setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run" timeout 60 "$T/hull" run -b "$BUNDLE" "$ID"
}

@test "rootless: limits are set where the cgroup is delegated" {
	resources '{"pids": {"limit": 21}, "memory": {"limit": 33554432}}'
	script "$(show pids.max memory.max)"
	user_run
	expect 0
	expect_value pids.max 21
	expect_value memory.max 33554432
	[[ ! -e $DELEGATED/one ]] || fail "the cgroup is left"
	assert_clean
}

@test "rootless: a controller that was not delegated is an error" {
	# From the bottom up: no cgroup can give away what one below it still has.
	find "$CGROUPS" -depth -type d -exec sh -c 'echo "-memory" >"$1/cgroup.subtree_control"' - {} \;
	! grep -qw memory "$CGROUPS/cgroup.subtree_control" || fail "a cgroup of the guest holds on to memory"
	resources '{"memory": {"limit": 33554432}}'
	script 'echo ran'
	user_run
	expect_error "memory"
	expect_error "delegated"
	[[ $output != *ran* ]] || report "started without its limit"
	[[ ! -e $DELEGATED/one ]] || fail "the cgroup is left"
	assert_clean
}
