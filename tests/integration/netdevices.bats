# linux.netDevices (S-144 to S-151): devices that a test makes in network namespaces of its own.
# The machine's interfaces are never touched: hull itself runs in such a namespace.
load ../lib

setup() {
	hull_setup
	need_root
	NETNS=$T/netns
	make_netns "$NETNS"
	config '.linux.namespaces += [{"type": "network"}] |
		.linux.namespaces |= unique_by(.type)'
}

teardown() {
	drop_namespaces "${NETNS:-}" "${OTHER:-}"
	hull_teardown
}

# at COMMAND...: in the namespace that stands for the host.
at() {
	timeout 30 nsenter --net="$NETNS" "$@" 3>&-
}

# run_at [OPTION of run...]: hull runs there.
run_at() {
	capture at "$HULL" --root "$STATE" run "$@" -b "$BUNDLE" "$ID"
}

# make_device: dev0, with an address of each kind; it is one end of a cable, the other is peer0.
make_device() {
	at ip link add dev0 txqueuelen 77 type veth peer name peer0
	at ip link set peer0 up
	at ip link set dev0 mtu 1400 address 02:00:00:00:00:07 alias "the one"
	at ip addr add 192.0.2.1/24 broadcast 192.0.2.255 label dev0:x dev dev0
	at ip addr add 192.0.2.2/24 dev dev0
	at ip addr add 198.51.100.1 peer 198.51.100.2/32 dev dev0
	at ip addr add 2001:db8::1/64 nodad dev dev0
	at ip addr add 203.0.113.9/24 valid_lft 1000 preferred_lft 500 dev dev0
	at ip addr add 169.254.1.1/16 scope link dev dev0
	at ip link set dev0 up
	at ip route add 10.9.0.0/16 via 192.0.2.7 dev dev0
	at ip route add 10.8.0.1 dev dev0 table 7 metric 5
	at ip route add default via 10.8.0.9 dev dev0 onlink mtu 1300 src 192.0.2.2
	at ip -6 route add 2001:db8:5::/48 via 2001:db8::7 dev dev0
}

# What must be the same before a start and after one that failed.
device_now() {
	at ip -d -o link show dev0 | sed -E 's/state [A-Z]+//; s/numtxqueues.*//; s/ qdisc [a-z]+//'
	at ip -o addr show dev dev0 | grep -v 'inet6 fe80' | sed -E 's/[0-9]+sec/SEC/g' | sort
	at ip route show table all dev dev0 | grep -v 'table local' | sort
	at ip -6 route show table all dev dev0 | grep -v -e 'table local' -e fe80 -e multicast | sort
}

SHOW='ip -o addr show dev "$1" | grep -v fe80 | sed "s/valid_lft.*//; s/^[0-9]*: //; s/@[^ ]*//; s/\\\\.*//; s/  */ /g; s/ $//" | sort'

# --- there ---

@test "a device moves with its permanent global addresses, is renamed and up" {
	make_device
	config '.linux.netDevices = {"dev0": {"name": "net0"}}'
	script "set -- net0; $SHOW; cd /sys/class/net/net0; cat mtu address ifalias tx_queue_len; ip link show net0 | grep -o '[<,]UP[,>]'; cd ..; echo *"
	run_at
	expect 0 "net0 inet 192.0.2.1/24 brd 192.0.2.255 scope global net0:x
net0 inet 192.0.2.2/24 scope global secondary net0
net0 inet 198.51.100.1 peer 198.51.100.2/32 scope global net0
net0 inet6 2001:db8::1/64 scope global flags 02
1400
02:00:00:00:00:07
the one
77
,UP,
lo net0"
	assert_clean
	# The kernel removes a software device with its namespace; hull moves nothing back (S-150).
	wait_for test ! -e "$STATE/$ID"
	! at ip link show dev0 2>/dev/null || fail "the device is back"
}

@test "without a name it keeps its own; how IPv6 makes its address stays, too" {
	make_device
	at ip link set dev0 addrgenmode none
	config '.linux.netDevices = {"dev0": {}}'
	script 'sleep 0.2; ip -o link show dev0 | cut -d: -f1; ip -o -6 addr show dev dev0 | grep -c fe80'
	local index
	index=$(at ip -o link show dev0 | cut -d: -f1)
	run_at
	expect 1 "$index"$'\n0'
	# The control: it would have made one.
	wait_for is_gone peer0 # the kernel takes its time with a namespace
	make_device
	index=$(at ip -o link show dev0 | cut -d: -f1)
	run_at
	expect 0 "$index"$'\n1'
}

@test "in a name with %d the kernel chooses the number" {
	make_device
	OTHER=$T/other
	make_netns "$OTHER"
	nsenter --net="$OTHER" ip link add net0 type veth peer name far0
	config --arg p "$OTHER" '.linux.netDevices = {"dev0": {"name": "net%d"}} |
		.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	script 'ip -o -4 addr show dev net1 | grep -c "192.0.2.1/24 brd 192.0.2.255"'
	run_at
	expect 0 1
	assert_clean
	# It is where it was moved to, and stays there (S-150).
	nsenter --net="$OTHER" ip link show net1
	! at ip link show dev0 2>/dev/null || fail "the device is back"
}

@test "a new user namespace, and with it an existing pid namespace" {
	make_device
	config '.linux.netDevices = {"dev0": {"name": "net0"}} |
		.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}] |
		.linux.gidMappings = .linux.uidMappings'
	script 'ip -o addr show dev net0 | grep -c "192.0.2\|2001:db8::1"; ip link set net0 mtu 1300 && cat /sys/class/net/net0/mtu'
	config '.process.capabilities = {"bounding": ["CAP_NET_ADMIN"], "effective": ["CAP_NET_ADMIN"], "permitted": ["CAP_NET_ADMIN"]}'
	run_at
	expect 0 $'3\n1300'
	assert_clean
}

# --- put back ---

# fails_unchanged REGEX [OPTION of run...]: the start fails so, and dev0 is as it was before.
fails_unchanged() {
	local before after regex=$1
	shift
	before=$(device_now)
	run_at "$@"
	expect_error "$regex"
	after=$(device_now)
	[[ $before == "$after" ]] || fail "before:" "$before" "after:" "$after"
	assert_clean
}

@test "a later step fails: the device is back, with all that it had" {
	make_device
	at ip link add br0 type bridge
	at ip link set dev0 master br0
	config '.linux.netDevices = {"dev0": {"name": "net0"}}'
	program /no/such/program
	fails_unchanged 'no such file'
	at ip -o link show dev0 | grep -q 'master br0'

	config '.linux.sysctl = {"net.ipv4.conf.net0.no_such_key": "1"}'
	program /bin/true
	fails_unchanged 'no_such_key'
}

@test "a device that was down is down again" {
	make_device
	at ip link set dev0 down
	config '.linux.netDevices = {"dev0": {}}'
	program /no/such/program
	fails_unchanged 'no such file'
	! at ip -o link show dev0 | grep -q '[<,]UP[,>]' || fail "it is up"
}

@test "a hook fails, and poststart hooks fail: the device is back" {
	local kind
	make_device
	config '.linux.netDevices = {"dev0": {"name": "net0"}}'
	script 'sleep 10'
	for kind in createRuntime createContainer startContainer poststart; do
		config --arg k "$kind" '.hooks = {($k): [{"path": "/bin/false"}]}'
		fails_unchanged "hook"
	done
}

@test "the second of two devices does not exist: the first is back" {
	make_device
	config '.linux.netDevices = {"dev0": {"name": "net0"}, "nodev": {}}'
	fails_unchanged "there is no network device 'nodev' on the host"
	expect_error 'config.json:[0-9]+:[0-9]+'
}

@test "two devices that exchange their names, and a failure: both are back" {
	local before
	make_device
	before=$(at ip -o -4 addr show dev dev0)
	config '.linux.netDevices = {"dev0": {"name": "peer0"}, "peer0": {"name": "dev0"}}'
	script 'ip -o -4 addr show dev peer0 | grep -c "inet 192.0.2.1/24"'
	run_at
	expect 0 1
	at ip link show dev0 2>/dev/null && fail "the device is back"
	make_device
	program /no/such/program
	fails_unchanged 'no such file'
	[[ $(at ip -o -4 addr show dev dev0 | wc -l) == $(wc -l <<<"$before") ]]
	at ip -o link show peer0
}

@test "a signal during the start: the device is back" {
	local before
	make_device
	before=$(device_now)
	config '.linux.netDevices = {"dev0": {"name": "net0"}} |
		.hooks = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "20"]}]}'
	nsenter --net="$NETNS" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for is_away || fail "the device did not move"
	kill -TERM "$HULL_PID"
	wait "$HULL_PID" || true
	[[ $before == "$(device_now)" ]] || fail "before:" "$before" "after:" "$(device_now)"
	assert_clean
}

@test "hull is killed during the start: delete puts back what is in an existing namespace" {
	local before
	make_device
	OTHER=$T/other
	make_netns "$OTHER"
	before=$(device_now)
	config --arg p "$OTHER" --arg t "$T" '.linux.netDevices = {"dev0": {"name": "net0"}} |
		.linux.namespaces |= map(if .type == "network" then .path = $p else . end) |
		.hooks = {"createRuntime": [{"path": "/bin/sh",
			"args": ["sh", "-c", "echo $$ >\($t)/hook; exec sleep 20"]}]}'
	killed_in_hook
	nsenter --net="$OTHER" ip -o link show net0
	capture at "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	[[ $stderr == "" ]] || report "a warning"
	[[ $before == "$(device_now)" ]] || fail "before:" "$before" "after:" "$(device_now)"
	assert_clean
}

@test "hull is killed during the start: delete puts back what is in another container's namespace" {
	local before
	make_device
	before=$(device_now)
	script 'while :; do sleep 0.1; done'
	config '.linux.cgroupsPath += "-a"'
	at "$HULL" --root "$STATE" run --detach -b "$BUNDLE" "$ID-a"
	config --arg t "$T" '.linux.cgroupsPath |= rtrimstr("-a") | .linux.netDevices = {"dev0": {"name": "net0"}} |
		.hooks = {"createRuntime": [{"path": "/bin/sh",
			"args": ["sh", "-c", "echo $$ >\($t)/hook; exec sleep 20"]}]}'
	killed_in_hook --net "container:$ID-a"
	capture at "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	[[ $stderr == "" ]] || report "a warning"
	[[ $before == "$(device_now)" ]] || fail "before:" "$before" "after:" "$(device_now)"
	at "$HULL" --root "$STATE" delete --force "$ID-a"
	assert_clean
}

@test "hull is killed when the program runs: the device is the container's, and stays there" {
	make_device
	OTHER=$T/other
	make_netns "$OTHER"
	config --arg p "$OTHER" '.linux.netDevices = {"dev0": {"name": "net0"}} |
		.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	script 'while :; do sleep 0.1; done'
	nsenter --net="$NETNS" "$HULL" --root "$STATE" run --pid-file "$T/pid" -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/pid"
	wait_for has_executed "$(<"$T/pid")"
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	capture at "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	is_away
	nsenter --net="$OTHER" ip -o -4 addr show dev net0 | grep -q 192.0.2.1/24
	assert_clean
}

@test "a create that cannot forget what the devices were fails; one that succeeds has given them away" {
	local k inject
	need_no_sanitizer "a process that is traced cannot be looked through for leaks"
	inject=$(dirname "$(realpath "$HULL")")/tests/faults/inject
	[[ -x $inject ]] || skip "the injector is for x86-64"
	OTHER=$T/other
	make_netns "$OTHER"
	script 'while :; do sleep 0.1; done'
	config --arg p "$OTHER" '.linux.netDevices = {"dev0": {"name": "net0"}} |
		.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	for k in 1 2 3; do
		at ip link del peer0 2>/dev/null || true
		make_device
		at "$inject" -t 30 -g 100 -o "$T/injected" "0:unlinkat:$k" "$HULL" --root "$STATE" \
			create -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
		if grep -qx 'exit 0' "$T/injected"; then
			at "$HULL" --root "$STATE" delete --force "$ID"
			is_away || fail "unlinkat $k: what the container was given came back"
		else
			grep -q ^hit "$T/injected"
			at "$HULL" --root "$STATE" delete --force "$ID" 2>/dev/null || true
			! is_away || fail "unlinkat $k: the device is not back"
		fi
		assert_clean
	done
}

is_gone() {
	! at ip link show "$1" >/dev/null 2>&1
}

is_away() {
	! at ip link show dev0 >/dev/null 2>&1
}

# killed_in_hook [OPTION of run...]: hull dies while the hook that writes $T/hook runs, and that one
# after it; the device has gone by then.
killed_in_hook() {
	nsenter --net="$NETNS" "$HULL" --root "$STATE" run "$@" -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/hook"
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	kill -KILL "$(<"$T/hook")" 2>/dev/null || true
	is_away
}

# --- errors ---

@test "what others have made in place of a device in an existing namespace does not come to the host" {
	local number
	make_place
	cat >"$T/swap" <<-END
		#!/bin/sh
		timeout 10 nsenter --net="$OTHER" ip link del dev0
		timeout 10 nsenter --net="$OTHER" ip link add name evil index $number type ifb ||
			timeout 10 nsenter --net="$OTHER" ip link add name evil index $number type vxlan id 5 dstport 0
		exit 1
	END
	swap_device
	[[ $(at ip -o link show | wc -l) == 1 ]] || fail "$(at ip -o addr show)"
}

# A device, the existing namespace that it goes to, and its number there.
make_place() {
	make_device
	OTHER=$T/other
	make_netns "$OTHER"
	number=$(at ip -o link show dev0 | cut -d: -f1)
}

# A start in which $T/swap is a hook, and fails.
swap_device() {
	chmod +x "$T/swap"
	config --arg p "$OTHER" --arg h "$T/swap" '.linux.netDevices = {"dev0": {}} |
		.linux.namespaces |= map(if .type == "network" then .path = $p else . end) |
		.hooks = {"createRuntime": [{"path": $h, "env": ["PATH=/sbin:/usr/sbin:/bin:/usr/bin"]}]}'
	run_at
	expect 1 ""
	expect_error "hook"
	nsenter --net="$OTHER" ip -o link show evil
}

@test "a cable that others have put in place of one does not come to the host" {
	local number
	make_place
	cat >"$T/swap" <<-END
		#!/bin/sh
		timeout 10 nsenter --net="$OTHER" ip link del dev0
		timeout 10 nsenter --net="$OTHER" ip link add name evil index $number type veth peer name end
		exit 1
	END
	swap_device
	[[ $(at ip -o link show | wc -l) == 1 ]] || fail "$(at ip -o addr show)"
}

@test "the name is taken in an existing namespace: an error, and both are as before" {
	make_device
	OTHER=$T/other
	make_netns "$OTHER"
	nsenter --net="$OTHER" ip link add net0 type veth peer name dev0
	config --arg p "$OTHER" '.linux.netDevices = {"dev0": {"name": "net0"}} |
		.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	fails_unchanged "there is a 'net0' in the container's network namespace"
	# Its name here would be free there, and is not: the kernel needs no name in between.
	config '.linux.netDevices = {"dev0": {"name": "net1"}}'
	program /bin/true
	run_at
	expect 0
	nsenter --net="$OTHER" ip -o -4 addr show dev net1 | grep -q 192.0.2.1/24
}

@test "the host's own network namespace is no place for a device" {
	make_device
	config --arg p "$NETNS" '.linux.netDevices = {"dev0": {"name": "net0"}} |
		.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	fails_unchanged "is the host's network namespace"
	config '.linux.namespaces |= map(select(.type != "network"))'
	fails_unchanged 'network devices need a network namespace to go to'
}

@test "what cannot be moved is an error with the kernel's words" {
	make_device
	at ip link add br0 type bridge
	config '.linux.netDevices = {"br0": {}}'
	fails_unchanged "cannot move the network device 'br0'"
	expect_error 'kernel +.*immutable'
	at ip link show br0
}

@test "without CAP_NET_ADMIN nothing is moved" {
	make_device
	config '.linux.netDevices = {"dev0": {}}'
	local before
	before=$(device_now)
	capture at setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect_error 'may not move a network device'
	[[ $before == "$(device_now)" ]]
	assert_clean
}

# --- create, start, delete ---

@test "create moves it, start finds it, delete does not move it back" {
	make_device
	config '.linux.netDevices = {"dev0": {"name": "net0"}}'
	script 'ip -o -4 addr show dev net0 | grep -c 192.0.2; sleep 20'
	capture at "$HULL" --root "$STATE" create -b "$BUNDLE" --pid-file "$T/pid" "$ID"
	expect 0
	is_away || fail "it is still there"
	nsenter --net="/proc/$(<"$T/pid")/ns/net" ip -o link show net0
	capture hull start "$ID"
	expect 0
	is_away
	capture hull delete --force "$ID"
	expect 0
	assert_clean
	is_away || fail "it is back"
}
