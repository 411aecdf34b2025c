# Helpers of the attacks that have a control. A test says how it attacks in a function that succeeds
# when the attack does, and compare runs it twice: against hull, where it must fail, and against hull
# without one protection (without.c) or against another runtime, where it must succeed.
# shellcheck disable=SC2034,SC2153,SC2154 # variables of the tests and of the other lib.bash

load ../lib

BUILD=${BUILD:-$TOP/build}
WITHOUT=$BUILD/tests/attacks/hull-without
PAYLOAD=$BUILD/tests/attacks/payload
INJECT=$BUILD/tests/faults/inject

# As hull_setup; cgroups below a parent of the test's own, and $HOST, a tree of the host that nothing
# of an image may reach.
attack_setup() {
	need_root
	[[ -x $WITHOUT ]] || skip "needs hull-without, which a release build has"
	hull_setup
	PARENT=hull-attacks-$$-$BATS_TEST_NUMBER-$RANDOM
	CGROUP=$CGROUPS/$PARENT/$ID
	config --arg path "/$PARENT/$ID" '.linux.cgroupsPath = $path'
	RUNTIME=("$HULL")
	EXCHANGER=
	HOST=$BATS_TEST_TMPDIR/host # not below /dev, which is a link in one of the images
	mkdir -p "$HOST/dir"
	echo secret >"$HOST/file"
	host_before=$(host_listing)
}

attack_teardown() {
	stop_exchange
	hull_teardown
	[[ -z ${PARENT:-} ]] || remove_cgroup "$CGROUPS/$PARENT"
}

host_listing() {
	find "$HOST" -printf '%p %y %m %U %G %s %T@\n' | sort
}

# changed: has anything on the host changed? Then it is made as before.
changed() {
	[[ $(host_listing) != "$host_before" ]] || return 1
	rm -rf "$HOST"
	mkdir -p "$HOST/dir"
	echo secret >"$HOST/file"
	host_before=$(host_listing)
}

# start [COMMAND...]: runs the bundle by $RUNTIME; COMMAND goes before it. Never longer than ten
# seconds.
start() {
	capture timeout -s KILL 10 "$@" "${RUNTIME[@]}" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ $status != 137 ]] || echo "# it hung, or was killed" >&3
}

# plant NAME TARGET: replaces NAME of the image by a link.
plant() {
	rm -rf "$BUNDLE/rootfs/${1:?}"
	ln -s "$2" "$BUNDLE/rootfs/$1"
}

# exchange A B: exchanges two names all the time, until stop_exchange.
exchange() {
	timeout 100 perl -e 'my ($a, $b, $end) = (@ARGV, time + 90);
		syscall(316, -100, $a, -100, $b, 2) while time < $end' "$1" "$2" \
		>/dev/null 2>&1 </dev/null 3>&- &
	EXCHANGER=$!
}

stop_exchange() {
	[[ -z ${EXCHANGER:-} ]] || { kill "$EXCHANGER" && wait "$EXCHANGER"; } 2>/dev/null || true
	EXCHANGER=
}

verdict() {
	echo "# ${BATS_TEST_DESCRIPTION%%:*}: hull: $1; $2: $3" >&3
	[[ -z ${HULL_TABLE:-} ]] || printf '%s\t%s\t\t%s\n' "${BATS_TEST_DESCRIPTION%%:*}" \
		"${BATS_TEST_DESCRIPTION#*: }" "hull: $1; $2: $3" >>"$HULL_TABLE"
	[[ $1 == refused ]] || report "the attack succeeds"
	[[ $3 == succeeded ]] || report "the control fails: is it an attack?"
}

# compare PROTECTION ATTACK [ARG...]
compare() {
	local protection=$1 real=refused control=refused
	shift
	! "$@" || real=succeeded
	assert_clean
	RUNTIME=(env HULL_WITHOUT="$protection" "$WITHOUT")
	! "$@" || control=succeeded
	RUNTIME=("$HULL")
	verdict "$real" "without $protection" "$control"
}

# compare_peer RUNTIME ATTACK [ARG...]: in a namespace of its own, with a /dev/null of its own.
compare_peer() {
	local peer=$1 real=refused control=refused
	shift
	command -v "$peer" >/dev/null || skip "needs $peer"
	config '.ociVersion = "1.0.2"' # the latest that it knows
	! "$@" || real=succeeded
	assert_clean
	RUNTIME=("$TOP/tests/ns" "$peer")
	! "$@" || control=succeeded
	RUNTIME=("$HULL")
	rm -rf "${STATE:?}/$ID"
	verdict "$real" "$peer" "$control"
}
