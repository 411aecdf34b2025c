# 13. intelRdt
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on
#
# Machines with resctrl are rare: what is done there is shown by hull's unit tests, on a directory
# that looks like it.

rdt() {
	config --argjson rdt "$1" '.linux.intelRdt = $rdt'
}

rule S-186 MUST - "intelRdt without resctrl is an error; without intelRdt nothing is touched" \
	"a closID and a schema; a bundle without it"
S_186() {
	[[ ! -e /sys/fs/resctrl/schemata ]] || cannot "resctrl is mounted here"
	script 'echo ran'
	prints ran
	rdt '{"closID": "hull-spec", "l3CacheSchema": "L3:0=f"}'
	refused linux.intelRdt
}

rule S-187 MUST - "the container's process stands in tasks of its class; closID / is the root class" \
	"fake tree: classes of one's own, named and the root's"
S_187() {
	unit test_resctrl test_own_class test_named_class test_root_class
}

rule S-188 MUST - "without closID the class has the container's id and is removed with it; a named one, or one that was there, is not" \
	"fake tree: each of them, and delete"
S_188() {
	unit test_resctrl test_own_class test_own_class_is_taken test_named_class test_remove
}

rule S-189 MUST - "l3CacheSchema, memBwSchema, then schemata, in this order" "fake tree: what is written, in its order"
S_189() {
	unit test_resctrl test_write_order test_write_fails
}

rule S-190 MUST - "memBwSchema begins with MB:, and no schema has a newline; l3CacheSchema begins with L3:" \
	"each broken, in config.json"
S_190() {
	refuses '.linux.intelRdt = {"memBwSchema": "L3:0=f"}' linux.intelRdt.memBwSchema
	refuses '.linux.intelRdt = {"memBwSchema": "MB:0=1\nL3:0=f"}' linux.intelRdt.memBwSchema
	refuses '.linux.intelRdt = {"schemata": ["L3:0=f\nMB:0=1"]}' linux.intelRdt.schemata
	[[ $RT == hull ]] || return 0
	# The last one is only a SHOULD: a warning.
	config '.linux.intelRdt = {"l3CacheSchema": "L2:0=f"}'
	capture rt check -b "$BUNDLE"
	grep -q 'warning: linux.intelRdt.l3CacheSchema' <<<"$output$stderr" || report "a warning expected"
	saw "check warns of l3CacheSchema"
}

rule S-191 MUST - "a class that is there already must have the schemata of the config" "fake tree: the same, and another"
S_191() {
	unit test_resctrl test_compare
}

rule S-192 MUST - "a named class without schemata must be there already" "fake tree: it is not there; the root's class"
S_192() {
	unit test_resctrl test_named_class test_root_class
}

rule S-193 MUST - "without schemata nothing is written to a file of that name" "fake tree: classes without"
S_193() {
	unit test_resctrl test_own_class test_root_class
}

rule S-194 MUST - "enableMonitoring: a group of the container's id below mon_groups, removed after delete; if not, an error" \
	"fake tree: made, not to be made, removed"
S_194() {
	unit test_resctrl test_monitor test_cannot_monitor test_remove
}

rule S-195 INFO - "enableCMT and enableMBM are unknown since 1.3.0" \
	"both, of the wrong type: what is refused is intelRdt without resctrl, not they"
S_195() {
	[[ ! -e /sys/fs/resctrl/schemata ]] || cannot "resctrl is mounted here"
	only_hull "of versions that know them"
	rdt '{"closID": "hull-spec", "l3CacheSchema": "L3:0=f", "enableCMT": "x", "enableMBM": 5}'
	refused linux.intelRdt
	! grep -E 'error.*enable|expected' <<<"$stderr" || fail "they are not ignored"
}
