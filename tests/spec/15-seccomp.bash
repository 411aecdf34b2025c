# 15. Seccomp
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

# profile RULES [JSON]: everything is allowed but what the rules say; JSON has more members.
profile() {
	config --argjson rules "$1" --argjson more "${2:-{\}}" \
		'.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: $rules} + $more'
}

mkdirs='"names": ["mkdir", "mkdirat"]'
tries_mkdir='mkdir /tmp/made 2>/tmp/why; echo $?; grep -o "[A-Z][a-z ]*$" /tmp/why; rm -rf /tmp/made'

rule S-203 MUST - "defaultAction is required; unknown actions, operators, architectures and flags are errors" \
	"no defaultAction; one unknown word of each kind"
S_203() {
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]"
	accepts .
	refuses 'del(.linux.seccomp.defaultAction)' linux.seccomp.defaultAction
	refuses '.linux.seccomp.defaultAction = "SCMP_ACT_FOO"' linux.seccomp.defaultAction
	refuses '.linux.seccomp.syscalls[0].action = "SCMP_ACT_FOO"' 'linux.seccomp.syscalls[0].action'
	refuses '.linux.seccomp.syscalls[0].args[0].op = "SCMP_CMP_FOO"' 'linux.seccomp.syscalls[0].args[0].op'
	refuses '.linux.seccomp.architectures = ["SCMP_ARCH_FOO"]' linux.seccomp.architectures
	refuses '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_FOO"]' linux.seccomp.flags
}

# acts ACTION STATUS: what the shell sees of a mkdir with it.
acts() {
	changed .
	profile "[{$mkdirs, \"action\": \"$1\"}]"
	script "$tries_mkdir"
	run
	[[ ${lines[0]:-} == "$2" ]] || report "$1: mkdir ends with $2"
	saw "$1: $2"
	unchanged
}

# compares OP VALUE [VALUETWO] DENIED: of the signals 10 and 12, which a shell sends itself, these
# are denied.
compares() {
	local op=$1 value=$2 two=0
	shift 2
	(($# == 1)) || { two=$1 && shift; }
	changed .
	profile "[{\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\":
		[{\"index\": 1, \"value\": $value, \"valueTwo\": $two, \"op\": \"SCMP_CMP_$op\"}]}]"
	script 'trap : 10 12; for s in 10 12; do kill -$s $$ 2>/dev/null || echo $s; done'
	run
	[[ $(tr '\n' ' ' <<<"$output") == "$1 " || "$output" == "$1" ]] || report "$op $value: $1 denied"
	saw "$op: as it should"
	unchanged
}

rule S-204 MUST - "nine actions and seven operators" \
	"the exit status of a mkdir under each action (NOTIFY: S-212); which of two signals each operator denies"
S_204() {
	acts SCMP_ACT_ALLOW 0
	acts SCMP_ACT_LOG 0
	acts SCMP_ACT_ERRNO 1
	acts SCMP_ACT_TRACE 1
	acts SCMP_ACT_TRAP 159
	acts SCMP_ACT_KILL 159
	acts SCMP_ACT_KILL_THREAD 159
	acts SCMP_ACT_KILL_PROCESS 159
	compares EQ 10 10
	compares NE 10 12
	compares LT 12 10
	compares LE 10 10
	compares GE 12 12
	compares GT 10 12
	compares MASKED_EQ 6 4 12
}

rule S-205 MUST - "architectures by their 23 names; those that libseccomp does not know are errors" \
	"each one alone: with Debian's libseccomp 2.5.4 LOONGARCH64, M68K, SH, SHEB are errors"
S_205() {
	local arch
	script 'echo ran'
	for arch in X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 \
		PPC64LE S390 S390X PARISC PARISC64 RISCV64; do
		profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\"}]" "{\"architectures\": [\"SCMP_ARCH_$arch\"]}"
		run
		expect 0 ran
	done
	saw "19 run"
	for arch in LOONGARCH64 M68K SH SHEB; do
		refuses ".linux.seccomp.architectures = [\"SCMP_ARCH_$arch\"]" linux.seccomp.architectures
	done
}

rule S-206 MUST runc "errnoRet and defaultErrnoRet: EPERM when absent; with an action that has none, an error" \
	"none, 77; with KILL, with ALLOW as the default"
S_206() {
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\"}]"
	script "$tries_mkdir"
	prints $'1\nOperation not permitted'
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 28}]"
	prints $'1\nNo space left on device'
	refuses '.linux.seccomp.syscalls[0].action = "SCMP_ACT_KILL"' 'linux.seccomp.syscalls[0].errnoRet'
	refuses '.linux.seccomp.defaultErrnoRet = 1' linux.seccomp.defaultErrnoRet
}

rule S-207 MUST - "flags TSYNC, LOG, SPEC_ALLOW, WAIT_KILLABLE_RECV" \
	"each; what SPEC_ALLOW does is seen in /proc/self/status"
S_207() {
	local flag
	script 'grep -o "Seccomp:.*" /proc/self/status | cut -f2'
	for flag in TSYNC LOG SPEC_ALLOW; do
		profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\"}]" "{\"flags\": [\"SECCOMP_FILTER_FLAG_$flag\"]}"
		prints 2
	done
	SAW="TSYNC, LOG, SPEC_ALLOW: filtered"
	receives notify
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_NOTIFY\"}]" \
		"{\"flags\": [\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"], \"listenerPath\": \"$T/socket\"}"
	prints 2
	SAW="all four: filtered"
}

rule S-208 INFO - "flags that are absent: others then set SPEC_ALLOW" "what /proc/self/status says of speculation"
S_208() {
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\"}]"
	script 'grep -c "Speculation_Store_Bypass:.*force mitigated" /proc/self/status'
	run
	# Processors that need no mitigation say the same of both.
	case $output in
	0) saw "not mitigated by force: as with SPEC_ALLOW, or by this processor" ;;
	*) saw "mitigated by force: no SPEC_ALLOW" ;;
	esac
}

rule S-209 MUST crun,runc "a rule names at least one system call" "names [], no names"
S_209() {
	refuses '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}' \
		'linux.seccomp.syscalls[0].names'
	refuses '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO"}]}' \
		'linux.seccomp.syscalls[0].names'
}

rule S-210 INFO - "names of system calls that nobody knows are left out" "one among known ones"
S_210() {
	profile '[{"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO"}]'
	script "$tries_mkdir"
	prints $'1\nOperation not permitted'
}

rule S-211 MUST - "args: index, value, valueTwo, op; several must all be true" \
	"kill of a process that is not there, with a signal: one alone does not match; of two with the same index one is enough, as elsewhere"
S_211() {
	local both='{"index": 0, "value": 99999, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}'
	profile "[{\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 28, \"args\": [$both]}]"
	script 'trap : 10; kill -10 $$ 2>/dev/null && echo "one: allowed"
		kill -10 99999 2>&1 | grep -c "No space" '
	prints $'one: allowed\n1'
	profile '[{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_GE"},
		{"index": 1, "value": 11, "op": "SCMP_CMP_LE"}]}]'
	script 'trap : 10 12; for s in 10 12; do kill -$s $$ 2>/dev/null || echo "denied $s"; done'
	prints $'denied 10\ndenied 12'
}

# notified: the receiver has got the state of a container whose mkdir it answers with error 77, and
# the connection is closed at the latest when the program runs.
notified() {
	receives notify
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_NOTIFY\"}]" \
		"{\"listenerPath\": \"$T/socket\", \"listenerMetadata\": \"some words\"}"
	script 'mkdir /tmp/made 2>&1 | sed "s/.*: //"'
	creates
	starts
	wait_for test -e "$T/received.end" || fail "the connection is not closed"
	got=$(jq -c . "$T/received.data") || fail "no JSON: $(<"$T/received.data")"
	wait_for test -s "$T/out" || fail "the program does not get the agent's answer"
	[[ $(<"$T/out") == "File descriptor in bad state" ]] || fail "the program's mkdir: $(<"$T/out")"
}

got_is() {
	[[ $(jq -r "$1" <<<"$got") == "$2" ]] || fail "$1: $2 expected in $got"
	saw "$1: $2"
}

rule S-212 MUST - "listenerPath: a stream socket; one state on the connection, which is closed then" \
	"an agent that answers mkdir with an error of its own"
S_212() {
	notified
	same "documents" "$(jq -c . "$T/received.data" | wc -l)" 1
	saw "closed; the program's mkdir got the agent's error"
}

rule S-213 MUST - "what cannot be sent is an error" "no socket; one that nobody listens at"
S_213() {
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_NOTIFY\"}]" "{\"listenerPath\": \"$T/socket\"}"
	run
	is_refusal linux.seccomp.listenerPath
	gone
	touch "$T/socket"
	run
	is_refusal linux.seccomp.listenerPath
	gone
	saw "$(told linux.seccomp.listenerPath)"
}

rule S-214 MUST crun "listenerPath means nothing without an action NOTIFY" "a path to nothing"
S_214() {
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\"}]" "{\"listenerPath\": \"$T/socket\"}"
	script "$tries_mkdir"
	prints $'1\nOperation not permitted'
}

rule S-215 MUST crun "NOTIFY without listenerPath is an error" "one rule with it"
S_215() {
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_NOTIFY\"}]"
	refused linux.seccomp
}

rule S-216 "MUST NOT" crun,runc "no listenerMetadata without listenerPath" "it alone"
S_216() {
	profile "[{$mkdirs, \"action\": \"SCMP_ACT_ERRNO\"}]" '{"listenerMetadata": "x"}'
	refused linux.seccomp.listenerMetadata
}

rule S-217 MUST - "the container process state: ociVersion, fds, pid as the runtime sees it, metadata, state" \
	"what the agent got"
S_217() {
	notified
	# There has been such a state since version 1.1.0 alone; what is called 1.0.2-dev has it, too.
	[[ $(jq -r .ociVersion <<<"$got") =~ ^1\.[0-9]+\.[0-9]+ ]] || fail "ociVersion: $(jq -r .ociVersion <<<"$got")"
	got_is '.fds | join(" ")' seccompFd
	got_is .metadata "some words"
	got_is '.pid > 1' true
	got_is '.pid == .state.pid' true
	jq .state <<<"$got" >"$T/state.json"
	valid state-schema.json "$T/state.json"
	[[ $RT != hull ]] || got_is .ociVersion 1.3.0
}

rule S-218 MUST - "descriptors come with the first message alone, in the order of fds" \
	"the number of descriptors of each message"
S_218() {
	notified
	same "of the first message" "$(head -n 1 "$T/received.fds")" 1
	same "of all others" "$(tail -n +2 "$T/received.fds" | grep -vc '^0$' || true)" 0
}

rule S-219 INFO - "status in it: creating for the first process (running for one of exec)" "what the agent got"
S_219() {
	notified
	got_is .state.status creating
}

rule S-220 INFO - "NOTIFY of write, and as the default action (others refuse both)" \
	"write; as default: refused, but for the calls that hull needs itself"
S_220() {
	only_hull "what an agent cannot answer is each runtime's own"
	receives notify
	profile '[{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]' "{\"listenerPath\": \"$T/socket\"}"
	script 'echo said 2>/dev/null || exit 9'
	run
	[[ $status == 9 ]] || report "write is not the agent's"
	saw "write: answered by the agent"
	config '.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY" | .linux.seccomp.syscalls = []'
	refused linux.seccomp.defaultAction
}
