#!/usr/bin/env bats
# plan, check and spec on real bundles: what they say, their exit status, and that nothing is
# started or made by them.
# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables

load ../lib

setup() {
	hull_setup
}

teardown() {
	hull_teardown
}

# nothing_made: no state, no cgroup.
nothing_made() {
	[[ ! -e $STATE && ! -e $CGROUP && ! -e $CGROUPS/hull/$ID ]]
}

@test "no name of a bundle reaches a terminal raw" {
	config '.mounts += [{destination: "/a\u009b31m\u202eb", type: "tmpfs", source: "tmpfs"}]'
	capture hull plan -b "$BUNDLE"
	expect 0
	expect_match '/a\\x9b31m\\u202eb'
}

# samples: the bundles with a root filesystem of their own.
samples() {
	local dir
	for dir in "$TOP"/bundles/[0-9]*/; do
		cp -a "$dir" "$T/sample"
		rm -rf "$T/sample/rootfs"
		cp -a "$BUNDLE/rootfs" "$T/sample/rootfs"
		basename "$dir"
		"$1" || return
		rm -rf "$T/sample"
	done
}

plan_sample() {
	capture hull plan -b "$T/sample" "$ID"
	[[ $status == 0 && -z $stderr ]] || { echo "$stderr"; return 1; }
	[[ ${lines[0]} == "container   $ID from $T/sample" ]]
	grep -q '^exec ' <<<"$output"
}

check_sample() {
	capture hull check -b "$T/sample"
	# A host that lacks a controller is no mistake of the bundle.
	if [[ $status == 2 && $output == *"cgroup controller"* ]]; then
		return 0
	fi
	[[ $status == 0 ]] || { echo "$output$stderr"; return 1; }
	[[ $output == *"0 errors"*"Nothing speaks against a start."* ]]
}

@test "plan: every sample" {
	samples plan_sample
	nothing_made
}

@test "check: every sample" {
	samples check_sample
	nothing_made
}

@test "plan: the same bundle has the same plan" {
	capture hull plan -b "$BUNDLE" "$ID"
	cp "$T/stdout" "$T/first"
	capture hull plan -b "$BUNDLE" "$ID"
	diff "$T/first" "$T/stdout"
}

@test "plan: options of run change it" {
	capture hull plan --overlay --no-pivot --preserve-fds 2 -b "$BUNDLE" "$ID"
	[[ $output == *"overlay over $BUNDLE/rootfs, without pivot_root"* ]]
	[[ $output == *"writable layer in memory"* ]]
	[[ $output == *"all from 5 on are closed"* ]]
}

@test "plan: what cannot be carried out is an error with its place" {
	config '.process.terminal = true | .mounts |= map(select(.type != "devpts"))'
	capture hull plan -b "$BUNDLE" "$ID"
	[[ $status == 1 && -z $output ]]
	[[ $stderr == *"process.terminal: a terminal needs a mount of type devpts"* ]]
}

@test "check: 0 with warnings, 1 with --strict, 2 with errors" {
	capture hull check -b "$BUNDLE"
	[[ $status == 0 && $output == *"0 errors, 0 warnings. Nothing speaks against a start."* ]]
	config '.hostnmae = "x"'
	capture hull check -b "$BUNDLE"
	[[ $status == 0 && $output == *"0 errors, 1 warning. Nothing speaks against a start."* ]]
	capture hull check --strict -b "$BUNDLE"
	[[ $status == 1 ]]
	capture hull check -W -b "$BUNDLE"
	[[ $status == 1 ]]
	config '.process.cwd = "relative"'
	capture hull check -b "$BUNDLE"
	[[ $status == 2 && $output == *"1 error, 1 warning. "* ]]
	capture hull check -W -b "$BUNDLE"
	[[ $status == 2 ]]
	nothing_made
}

@test "check: 2 for what the host or the image lacks" {
	program /no/such/program
	add_mount '{"destination": "/x", "source": "/no/such/source", "options": ["bind"]}'
	capture hull check -b "$BUNDLE"
	[[ $status == 2 ]]
	[[ $output == *"process.args[0]: "* && $output == *"/no/such/program"* ]]
	[[ $output == *"mounts["*"].source: cannot bind '/no/such/source' to '/x'"* ]]
	[[ $output == *"2 errors"* ]]
}

@test "check: 2 without a bundle, a config or JSON" {
	capture hull check -b "$T/none"
	[[ $status == 2 && $stderr == *"cannot open the bundle"* ]]
	mkdir "$T/empty"
	capture hull check -b "$T/empty"
	[[ $status == 2 && $stderr == *"hull spec writes a template"* ]]
	echo '{' >"$T/empty/config.json"
	capture hull check -b "$T/empty"
	[[ $status == 2 ]]
	capture hull check --no-such-option
	[[ $status == 2 ]]
}

@test "check: unknown names are warnings, as in run; -W counts them" {
	need_root
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["mkdirr"], action: "SCMP_ACT_ERRNO"}]}
		| .process.capabilities.bounding += ["CAP_FLY"]'
	capture hull check -b "$BUNDLE"
	[[ $status == 0 && $output == *"mkdirr"*"0 errors, 2 warnings. "* && $output == *CAP_FLY* ]] || report "warnings"
	capture hull check -W -b "$BUNDLE"
	[[ $status == 1 ]] || report "-W"
	hull_run
	[[ $status == 0 && $stderr == *"mkdirr"* && $stderr == *CAP_FLY* ]] || report "warnings of run"
	assert_clean
}

@test "spec: the template is a bundle that starts" {
	mkdir "$T/new"
	(cd "$T/new" && hull spec)
	cp -a "$BUNDLE/rootfs" "$T/new/rootfs"
	capture hull check -b "$T/new"
	[[ $status == 0 && $output == *"0 errors, 0 warnings"* ]] || { echo "$output$stderr"; false; }
	need_root
	echo 'echo inside; exit 7' >"$T/script"
	status=0
	output=$(hull run -b "$T/new" "$ID" <"$T/script" 2>"$T/stderr") || status=$?
	cat "$T/stderr"
	[[ $status == 7 && $output == *inside* ]]
	assert_clean
}

@test "spec: never over a file that is there" {
	cp "$BUNDLE/config.json" "$T/before"
	capture hull spec -b "$BUNDLE"
	[[ $status == 1 && $stderr == *"config.json"* ]]
	cmp "$T/before" "$BUNDLE/config.json"
	capture hull spec -b "$BUNDLE" -f other.json
	[[ $status == 0 ]]
	capture hull spec -f -
	[[ $status == 0 ]]
	diff "$T/stdout" "$BUNDLE/other.json"
	jq -e . "$T/stdout" >/dev/null
}

@test "run: options of a whole tree overrule earlier ones of its top" {
	need_root
	mkdir "$T/source"
	add_mount "{\"destination\": \"/bound\", \"source\": \"$T/source\", \"options\": [\"rbind\", \"rw\", \"rro\"]}"
	add_mount '{"destination": "/made", "type": "tmpfs", "options": ["rw", "rro"]}'
	script 'touch /bound/x || touch /made/x || echo read-only'
	hull_run
	expect 0 "read-only"
	assert_clean
}

@test "what comes later is named as such, and mistakes on the command line have their cure" {
	capture hull checkpoint x
	[[ $status == 1 && $stderr == *"hull makes no checkpoints"* ]] || report checkpoint
	capture hull run --debug x
	[[ $status == 1 && $stderr == *"global option"* ]] || report debug
	capture hull run --overlay= x
	[[ $status == 1 && $stderr == *"value of --overlay is empty"* ]] || report overlay
	capture "$HULL" --log /no/such/log run x
	[[ $status == 1 && $stderr == *"cannot open the log"* ]] || report log
	capture "$HULL" --log journald:x run x
	[[ $status == 1 && $stderr == *"only to a file"* && ! -e journald:x ]] || report journald
	capture "$HULL" --log "file:$T/log" --log-format json run -b /no/such x
	[[ $status == 1 && $(jq -r .level "$T/log") == error ]] || report file
	capture hull help
	[[ $status == 0 && $output == usage:* || $output == hull* ]] || report help
}

@test "for others than root nothing is started without a user namespace, and check says so" {
	local as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${as[@]}" test -x "$HULL" || skip "user 65534 cannot reach hull here"
	capture "${as[@]}" "$HULL" run -b "$TOP/bundles/01-hello" x
	[[ $status == 1 && $stderr == *"only in a user namespace"* ]] || report run
	capture "${as[@]}" "$HULL" check -b "$TOP/bundles/01-hello"
	[[ $status == 2 && $output == *"only in a user namespace"* ]] || report check
}
