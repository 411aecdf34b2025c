#!/usr/bin/env bats
# Device rules as the program inside meets them: nodes can be made, what they stand for is open
# only as the rules say.

load lib

setup() { guest_setup; }
teardown() { guest_teardown; }

# For the inside: makes a node and tries to open it for reading, then for writing. (Reading kmsg
# needs a capability, writing does not.)
try_device() {
	printf 'mknod /dev/%s %s && { (: </dev/%s) && echo "%s r"; (: >>/dev/%s) && echo "%s w"; }; ' \
		"$1" "$2" "$1" "$1" "$1" "$1"
}

@test "devices: the defaults work behind a rule that denies everything" {
	resources '{ "devices": [{ "allow": false, "access": "rwm" }] }'
	script 'for d in null zero full tty random urandom; do
			[ $d = tty ] || { : </dev/$d; } && echo $d; done
		echo x >/dev/null'
	hull_run
	expect 0 "null
zero
full
tty
random
urandom"
}

@test "devices: what is not allowed cannot be opened" {
	resources '{ "devices": [{ "allow": false, "access": "rwm" }] }'
	script "$(try_device kmsg 'c 1 11')$(try_device disk 'b 254 0')true"
	hull_run
	expect 0 ""
	grep -q "Operation not permitted" "$T/stderr" || report "no EPERM"
}

@test "devices: letters are allowed one by one" {
	resources '{ "devices": [{ "allow": false, "access": "rwm" },
		{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "w" },
		{ "allow": true, "type": "b", "major": 254, "minor": 0, "access": "r" }] }'
	script "$(try_device kmsg 'c 1 11')$(try_device disk 'b 254 0')true"
	hull_run
	expect 0 "kmsg w
disk r"
}

@test "devices: one of the config is made, whatever the rules take away" {
	resources '{ "devices": [{ "allow": false, "access": "rwm" },
		{ "allow": false, "type": "c", "major": 1, "minor": 11, "access": "rwm" },
		{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "w" }] }'
	config '.linux.devices = [{ "path": "/dev/log", "type": "c", "major": 1, "minor": 11 }]'
	script '(: </dev/log) && echo r; (: >>/dev/log) && echo w'
	hull_run
	expect 0 "w"
}

@test "devices: the last rule decides" {
	resources '{ "devices": [{ "allow": true, "access": "rwm" },
		{ "allow": false, "type": "b", "major": 254, "minor": 0, "access": "w" }] }'
	script "$(try_device kmsg 'c 1 11')$(try_device disk 'b 254 0')true"
	hull_run
	expect 0 "kmsg w
disk r"
}

@test "devices: without rules nothing is denied" {
	script "$(try_device kmsg 'c 1 11')$(try_device disk 'b 254 0')true"
	hull_run
	expect 0 "kmsg w
disk r
disk w"
	assert_clean
}
