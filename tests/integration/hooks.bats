#!/usr/bin/env bats
# Hooks (S-045 to S-065): when they run, where, with what, and what a failed one stops and undoes.
# Each test's hooks are shell scripts in $T/hooks, which note what they see in $T/log.

load ../lib

setup() {
	need_root
	hull_setup
	mkdir "$T/hooks"
	: >"$T/log"
}

teardown() {
	local pid
	for pid in $(marked_processes); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 20 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 3>&- || true
	hull_teardown
}

# hook KIND NAME BODY [JSON]: one more hook of that kind, a script; JSON has more of its members.
hook() {
	local kind=$1 file=$T/hooks/$2
	printf '#!/bin/bash\nlog=%s/log\n%s\n' "$T" "$3" >"$file"
	chmod +x "$file"
	add_hook "$kind" "$(jq -n --arg path "$file" --arg mark "HULL_HOOK=$ID" --argjson more "${4:-{\}}" \
		'{path: $path, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", $mark]} + $more')"
}

# add_hook KIND JSON
add_hook() {
	config --arg kind "$1" --argjson hook "$2" '.hooks[$kind] += [$hook]'
}

# Notes its name in the log; the usual body.
note() {
	hook "$1" "$2" "echo $2 >>\$log"
}

# run_bounded [OPTION...]: like hull_run, but never for longer than twenty seconds.
run_bounded() {
	capture timeout -k 5 20 "$HULL" --root "$STATE" run "$@" -b "$BUNDLE" "$ID"
}

# use_bundle DIR: another one from now on.
use_bundle() {
	BUNDLE=$1
}

# run_behind [WRAPPER...]: in the background; not hull_start, which waits for the program.
run_behind() {
	"$@" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
}

log_is() {
	local got
	got=$(tr '\n' ' ' <"$T/log")
	[[ ${got% } == "$1" ]] || report "log: expected '$1', got '${got% }'"
}

# Processes that hooks have left: they carry the mark in their environment.
marked_processes() {
	grep -lszxF "HULL_HOOK=$ID" /proc/[0-9]*/environ | cut -d/ -f3 || true
}

no_hook_is_left() {
	wait_for eval '[[ -z $(marked_processes) ]]' || fail "of the hooks are left: $(marked_processes)"
}

# fails PATTERN: the start fails with that message, the program never ran, nothing is left.
fails() {
	run_bounded
	expect 1 ""
	expect_error "$1"
	assert_clean
	no_hook_is_left
}

# ---- S-045 to S-049: order and failure ----

@test "S-045, S-050, S-051: all kinds in their order, each in the order of the list" {
	note poststop last1
	note poststop last2
	note poststart started
	note createRuntime create1
	note createRuntime create2
	note prestart pre1
	note prestart pre2
	script 'echo program'
	run_bounded
	expect 0 program
	log_is "pre1 pre2 create1 create2 started last1 last2"
	assert_clean
}

@test "S-051, S-052: runtime hooks see namespaces and mounts of the container before its root changes" {
	hook createRuntime create 'pid=$(jq .pid)
		[ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/$pid/ns/net)" ] && echo other-net >>$log
		[ "$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/'$$'/ns/mnt)" ] && echo our-mounts >>$log
		grep -q " /proc .* - proc " /proc/$pid/mountinfo && echo mounted >>$log
		[ -e /proc/$pid/root/'"$T"' ] && echo before-pivot >>$log
		ip link add hook0 type veth peer name hook1 netns $pid && echo moved >>$log'
	sed -i "s/hook0/h$$/" "$T/hooks/create"
	config '.linux.sysctl = {"net.ipv4.conf.hook1.forwarding": "1"}'
	script 'cat /proc/sys/net/ipv4/conf/hook1/forwarding'
	run_bounded
	expect 0
	expect_line 1
	log_is "other-net our-mounts mounted before-pivot moved"
	assert_clean
}

@test "S-047: a failed poststart hook stops the program, and everything is undone" {
	note poststop undone
	hook poststart bad 'echo "no such luck" >&2; exit 7'
	note poststart never
	script 'echo $$ >/dev/null; while :; do sleep 0.1; done'
	fails "the poststart hook '.*/bad' failed: exit status 7"
	expect_error 'step +poststart hooks, 1 of 2'
	expect_error 'cause +no such luck'
	log_is undone
}

@test "S-047: of a program that has ended already, too" {
	hook poststart bad 'sleep 0.3; exit 7'
	note poststop undone
	program /bin/true
	fails "exit status 7"
	log_is undone
}

@test "S-048: a failed prestart or createRuntime hook stops the start, then poststop hooks run" {
	local kind
	for kind in prestart createRuntime; do
		: >"$T/log"
		config 'del(.hooks)'
		note $kind first
		hook $kind bad 'echo bad >>$log; echo "cannot do it" >&2; exit 3'
		note $kind never
		hook poststop undo 'jq -r .status >>$log; [ -e '"$CGROUP"' ] || echo destroyed >>$log'
		script 'echo ran'
		fails "the $kind hook '.*/bad' failed: exit status 3"
		expect_error "step +$kind hooks, 2 of 3"
		expect_error "config +config.json:[0-9]+:[0-9]+ +hooks.$kind\[1\].path"
		expect_error 'cause +cannot do it'
		expect_error 'hint'
		log_is "first bad stopped destroyed"
	done
}

@test "S-048: poststop hooks undo a start that fails after the hooks, not one before" {
	note poststop undone
	program /no/such/program
	fails 'no such file or directory'
	log_is undone
	: >"$T/log"
	add_mount '{"destination": "/x", "type": "nosuchfs", "source": "x"}'
	fails nosuchfs
	log_is ""
}

@test "S-049: a failed poststop hook is a warning, the others run" {
	hook poststop bad 'echo bad >>$log; echo oh >&2; exit 4'
	note poststop good
	script 'exit 5'
	run_bounded
	expect 5
	grep -q "^warning: the poststop hook '.*/bad' failed: exit status 4" <<<"$stderr" || report "no warning"
	grep -q 'cause *oh' <<<"$stderr" || report "no cause"
	log_is "bad good"
	assert_clean
}

@test "S-049: a failed poststop hook is in the log, as its own record or with the error" {
	hook poststop bad 'exit 4'
	program /bin/true
	capture timeout 20 "$HULL" --root "$STATE" --log "$T/json" --log-format json run -b "$BUNDLE" "$ID"
	expect 0 ""
	[[ $(jq -r '.level + " " + .msg' "$T/json") == "warning the poststop hook '$T/hooks/bad' failed: exit status 4" ]] ||
		fail "$(<"$T/json")"
	rm "$T/json"
	hook createRuntime worse 'echo "No such file or directory" >&2; exit 2'
	capture timeout 20 "$HULL" --root "$STATE" --log "$T/json" --log-format json run -b "$BUNDLE" "$ID"
	expect 1 ""
	[[ $(jq -s length "$T/json") == 1 ]] || fail "one record expected: $(<"$T/json")"
	[[ $(jq -r '.msg' "$T/json") == "the createRuntime hook '$T/hooks/worse' failed: exit status 2" ]] ||
		fail "$(<"$T/json")"
	[[ $(jq -r '.cause' "$T/json") == "No such file or directory" ]] || fail "$(<"$T/json")"
	jq -e '.warnings[0].msg | test("poststop")' "$T/json" >/dev/null || fail "$(<"$T/json")"
	assert_clean
}

# ---- S-052 to S-056: where and when ----

@test "S-055: poststart hooks run when the program does, even one that ends at once" {
	hook poststart started 'jq -r .status >>$log; cat '"$BUNDLE"'/rootfs/ran >>$log'
	script 'echo ran >/ran; sleep 0.2'
	run_bounded
	expect 0
	grep -qx running "$T/log" || fail "$(<"$T/log")"
	for _ in 1 2 3 4 5; do
		: >"$T/log"
		config 'del(.hooks)'
		note poststart started
		program /bin/true
		run_bounded
		expect 0
		log_is started
	done
	assert_clean
}

@test "S-055: poststart hooks do not run when the program cannot be executed" {
	note poststart never
	printf '#!/no/interpreter\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	fails '/script'
	log_is ""
}

@test "S-056: with --keep poststop hooks run at delete, before it returns" {
	hook poststop last 'sleep 0.2; jq -r "[.status, .pid] | @tsv" >>$log; ls '"$STATE"' >>$log'
	program /bin/true
	run_bounded --keep
	expect 0
	log_is ""
	capture timeout 20 "$HULL" --root "$STATE" delete "$ID"
	expect 0
	log_is "stopped	0 @seccomp $ID" || log_is "stopped	0 $ID"
	assert_clean
}

@test "S-056: what a killed hull has left gets its poststop hooks from delete --force" {
	hook poststop last 'jq -r .id >>$log; echo $0 $1 $X >>$log' '{"args": ["zero", "'"$T/hooks/last"'", "one"], "env": ["PATH=/usr/bin:/bin", "X=y"], "timeout": 10}'
	config '.hooks.poststop[0].path = "/bin/bash"'
	hook poststop bad 'exit 9'
	program /bin/sleep 60
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	grep -q "^warning: the poststop hook '.*/bad' failed: exit status 9" <<<"$stderr" || report "no warning"
	log_is "$ID $T/hooks/last one y"
	assert_clean
}

@test "S-056: a container deleted by force while its hull lives gets its poststop hooks once" {
	hook poststop last 'sleep 0.3; echo last >>$log'
	program /bin/sleep 60
	hull_start
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	wait_for test ! -d "/proc/$HULL_PID" || fail "hull does not end"
	hull_wait
	log_is last
	assert_clean
}

@test "S-056: while poststop hooks run, the container is stopped and cannot be deleted but by force" {
	hook poststop last 'echo waiting >>$log; while [ ! -e '"$T"'/go ]; do sleep 0.05; done; echo done >>$log'
	program /bin/true
	run_behind
	wait_for grep -q waiting "$T/log"
	capture hull state "$ID"
	expect 0
	[[ $(jq -r .status <<<"$output") == stopped ]] || report "stopped expected"
	capture timeout 20 "$HULL" --root "$STATE" delete "$ID"
	expect 1
	expect_error "hooks of container '$ID' are running"
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	: >"$T/go"
	wait_for test ! -d "/proc/$HULL_PID" || fail "hull does not end"
	hull_wait
	expect 0
	log_is "waiting done"
	assert_clean
}

# ---- S-057 to S-065: one hook ----

@test "S-057: a relative path is an error of config.json" {
	add_hook createRuntime '{"path": "bin/true"}'
	fails 'hooks.createRuntime\[0\].path: expected an absolute path'
}

@test "S-057: a missing hook, a directory, one without x, one without its interpreter" {
	add_hook createRuntime '{"path": "/no/such/hook"}'
	fails "cannot execute the createRuntime hook '/no/such/hook': no such file or directory"
	config 'del(.hooks)'
	add_hook createRuntime '{"path": "/etc"}'
	fails "cannot execute the createRuntime hook '/etc': permission denied"
	expect_error 'cause +it is a directory'
	config 'del(.hooks)'
	note createRuntime plain
	chmod -x "$T/hooks/plain"
	fails "hooks/plain': permission denied"
	expect_error 'cause +it is not executable \(mode 0644\)'
	config 'del(.hooks)'
	note createRuntime lost
	sed -i '1s|.*|#!/no/such/shell -e|' "$T/hooks/lost"
	fails "hooks/lost': no such file or directory"
	expect_error "interpreter of its first line does not: '/no/such/shell'"
	config 'del(.hooks)'
	note createRuntime text
	sed -i 1d "$T/hooks/text"
	fails "hooks/text': exec format error"
	expect_error 'no script with a #! line'
}

@test "S-058: args has argv[0]; without args it is the path" {
	hook createRuntime one 'tr "\0" " " </proc/$$/cmdline >>$log'
	config --arg path "$T/hooks/one" '.hooks.createRuntime[0] += {path: "/bin/bash", args: ["zero", $path, "a b", ""]}'
	run_bounded
	expect 0
	[[ $(<"$T/log") == "zero $T/hooks/one a b  " ]] || fail "$(<"$T/log")"
	: >"$T/log"
	config 'del(.hooks)'
	add_hook createRuntime '{"path": "/usr/bin/env", "env": ["A=1"]}'
	run_bounded
	expect 0 ""
}

@test "S-059, S-060: exactly the variables of env, and without env none" {
	cat >"$T/show.c" <<-EOT
		#include <stdio.h>
		extern char **environ;
		int main(int argc, char **argv)
		{
			FILE *f = fopen(argv[1], "a");
			fprintf(f, "%d args\n", argc);
			for (char **e = environ; *e; e++)
				fprintf(f, "%s\n", *e);
			return fclose(f);
		}
	EOT
	cc -o "$T/show" "$T/show.c"
	add_hook createRuntime "$(jq -n --arg p "$T/show" --arg l "$T/log" '{path: $p, args: ["show", $l]}')"
	add_hook poststop "$(jq -n --arg p "$T/show" --arg l "$T/log" \
		'{path: $p, args: ["show", $l], env: ["B=2", "A=", "B=3"]}')"
	run_bounded
	expect 0
	log_is "2 args 2 args B=2 A= B=3"
}

@test "S-061: a timeout of zero or below is an error of config.json" {
	hook createRuntime zero : '{"timeout": 0}'
	fails 'hooks.createRuntime\[0\].timeout: expected an integer from 1'
	config '.hooks.createRuntime[0].timeout = -1'
	fails 'hooks.createRuntime\[0\].timeout: expected an integer from 1'
}

@test "S-062: a hook that hangs is killed after its timeout, whatever it ignores" {
	hook createRuntime slow 'trap "" TERM INT HUP; echo begun >>$log; echo half way >&2; while :; do sleep 60; done' '{"timeout": 1}'
	note poststop undone
	SECONDS=0
	fails "the createRuntime hook '.*/slow' did not end within 1 second and was killed"
	((SECONDS <= 8)) || fail "took $SECONDS s"
	expect_error 'cause +half way'
	expect_error 'createRuntime\[0\].timeout = 1'
	log_is "begun undone"
}

@test "S-062: with all that it has forked, also what has a session of its own" {
	hook createRuntime slow 'sleep 61 & setsid sleep 62 & (setsid sleep 63 >/dev/null 2>&1 </dev/null &)
		echo begun >>$log; sleep 64' '{"timeout": 1}'
	fails 'did not end within 1 second'
	log_is begun
	config 'del(.hooks)'
	hook createRuntime bad '(setsid sleep 63 >/dev/null 2>&1 </dev/null &) ; sleep 0.1; exit 1'
	fails 'exit status 1'
}

@test "S-062: a poststop hook that hangs is killed after its timeout" {
	hook poststop slow 'sleep 60' '{"timeout": 1}'
	note poststop good
	program /bin/true
	run_bounded
	expect 0
	grep -q '^warning: the poststop hook .* did not end within 1 second' <<<"$stderr" || report "no warning"
	log_is good
	assert_clean
	no_hook_is_left
}

@test "S-062: without a timeout a hook may take its time, but a signal to hull ends it and the start" {
	local kind signal=TERM
	for kind in createRuntime poststart; do
		: >"$T/log"
		config 'del(.hooks)'
		hook $kind slow 'echo begun >>$log; (setsid sleep 61 >/dev/null 2>&1 </dev/null &); sleep 60'
		note poststop undone
		program /bin/sleep 60
		# A child of an interactive shell does not ignore SIGINT.
		run_behind env --default-signal=INT
		wait_for grep -q begun "$T/log" || fail "$(<"$T/stderr")"
		sleep 0.2
		kill -$signal "$HULL_PID"
		wait_for test ! -d "/proc/$HULL_PID" || fail "hull does not end"
		hull_wait
		[[ $status == 143 || $status == 130 ]] || report "another status"
		expect_error "given up on SIG$signal"
		log_is "begun undone"
		assert_clean
		no_hook_is_left
		signal=INT
	done
}

@test "S-062: a failed hook leaves none of a thousand daemons" {
	hook createRuntime daemons 'exec perl -e "use POSIX ();
		for (1 .. 1000) { next if fork // die; POSIX::setsid(); sleep 60; exit }
		exit 5"'
	run_bounded
	expect_error "the createRuntime hook '.*/daemons' failed: exit status 5"
	no_hook_is_left
	assert_clean
}

@test "S-062: a hook does not outlive a killed hull" {
	hook createRuntime slow 'echo begun >>$log; exec sleep 60'
	program /bin/true
	run_behind
	wait_for grep -q begun "$T/log"
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	no_hook_is_left
	no_hook_is_left
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	assert_clean
}

@test "S-063: the state is on standard input" {
	hook createRuntime create "jq -c . >>$T/create"
	hook poststart started "jq -c . >>$T/started"
	hook poststop last "jq -c . >>$T/last"
	config '.annotations = {"com.example.a": "b \"c\""}'
	script 'echo $$; sleep 1'
	run_bounded
	expect 0
	[[ $(jq -r '.status' "$T/create" "$T/started" "$T/last" | tr '\n' ' ') == "creating running stopped " ]] ||
		fail "$(cat "$T/create" "$T/started" "$T/last")"
	local file
	for file in create started last; do
		jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.id == $id and .bundle == $bundle and
			.annotations["com.example.a"] == "b \"c\"" and (.ociVersion | test("^1[.]"))' "$T/$file" >/dev/null ||
			fail "$file: $(<"$T/$file")"
	done
	assert_clean
}

@test "S-024, S-063: runtime hooks get the pid that hull sees" {
	hook createRuntime create 'pid=$(jq .pid); cat /proc/$pid/comm >>$log'
	hook poststart started 'pid=$(jq .pid); cat /proc/$pid/comm >>$log'
	program /bin/sleep 1
	run_bounded
	expect 0
	log_is "hull:init sleep"
}

@test "S-064: hooks that read nothing, close everything or write much harm nobody" {
	hook createRuntime closed 'exec <&- >&- 2>&-; echo closed >>$log'
	hook createRuntime unread 'echo unread >>$log'
	hook createRuntime much 'head -c 10000000 /dev/zero | tr "\0" x >&2; echo; echo much >>$log'
	config --arg long "$(head -c 100000 /dev/zero | tr '\0' a)" '.annotations.long = $long'
	script 'echo program'
	run_bounded
	expect 0 program
	[[ -z $stderr ]] || report "hooks speak only when they fail"
	log_is "closed unread much"
	assert_clean
}

@test "S-064: of much that a failed hook says, the end is shown, escaped" {
	hook createRuntime loud 'head -c 10000000 /dev/zero | tr "\0" x >&2; printf "\n\033[31mred\a\n\0last words\n" >&2; exit 1'
	fails "hooks/loud' failed: exit status 1"
	expect_error 'cause +\.\.\.last words$'
	((${#stderr} < 2000)) || report "too long"
	config 'del(.hooks)'
	hook createRuntime lines 'for i in $(seq 1000); do echo "line $i"; done; printf "\033[31mred\n"; exit 1'
	fails "hooks/lines' failed"
	expect_error 'line 1000$'
	expect_error '\\x1b\[31mred'
	((${#stderr} < 2000)) || report "too long"
}

@test "S-064: a daemon that a hook leaves behind holds nothing up, and lives on" {
	hook createRuntime daemon 'setsid sleep 30 & echo $! >'"$T"'/daemon'
	script 'echo program'
	SECONDS=0
	run_bounded
	expect 0 program
	((SECONDS < 8)) || fail "took $SECONDS s"
	assert_clean
	kill -0 "$(<"$T/daemon")"
	kill -KILL "$(<"$T/daemon")"
}

@test "S-065: the working directory of runtime hooks is the bundle" {
	hook createRuntime create 'pwd >>$log'
	hook poststop last 'pwd >>$log'
	run_bounded
	expect 0
	log_is "$BUNDLE $BUNDLE"
}

@test "hooks get no descriptor, no ignored or blocked signal, and a session of their own" {
	hook createRuntime create 'ls /proc/$$/fd >>$log
		echo "$(( $(cut -d" " -f6 /proc/$$/stat) == $$ ))" >>$log'
	local run=$T/run.sh
	printf 'trap "" USR1 PIPE HUP\nexec 7</etc/passwd\nexec "$@"\n' >"$run"
	capture timeout 20 bash "$run" "$HULL" --root "$STATE" run --preserve-fds 5 -b "$BUNDLE" "$ID"
	expect 0
	# 255 is the script that bash reads. (In a pipe ls would sometimes see its ends.)
	[[ $(tr '\n' ' ' <"$T/log") == "0 1 2 255 1 " ]] || fail "$(<"$T/log")"
	# A shell changes its signals itself; sed shows them, and fails so that hull does.
	config 'del(.hooks)'
	add_hook createRuntime '{"path": "/bin/sed", "args": ["sed", "-n", "/^Sig[BI]/p; $q1", "/proc/self/status"]}'
	capture timeout 20 bash "$run" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error 'SigBlk:\\t0+$'
	expect_error 'SigIgn:\\t0+$'
	assert_clean
}

@test "a hook that is killed is named with its signal" {
	hook createRuntime hit 'kill -SEGV $$'
	fails "the createRuntime hook '.*/hit' was killed by SIGSEGV"
}

@test "exit status 127 without PATH gets the hint" {
	hook createRuntime lost 'unset PATH; no-such-command; exit 127' '{"env": []}'
	fails 'exit status 127'
	expect_error 'hint +it has no PATH'
}

# ---- the container's side ----

# inside KIND NAME BODY [JSON]: like hook(), a script of the image's own shell, in the image. Its log
# is /log.
inside() {
	printf '#!/bin/sh\n%s\n' "$3" >"$BUNDLE/rootfs/bin/$2"
	chmod +x "$BUNDLE/rootfs/bin/$2"
	: >"$BUNDLE/rootfs/log"
	chmod 666 "$BUNDLE/rootfs/log"
	add_hook "$1" "$(jq -n --arg path "/bin/$2" --arg mark "HULL_HOOK=$ID" --argjson more "${4:-{\}}" \
		'{path: $path, env: ["PATH=/bin", $mark]} + $more')"
}

inside_log_is() {
	local got
	got=$(tr '\n' ' ' <"$BUNDLE/rootfs/log")
	[[ ${got% } == "$1" ]] || report "log: expected '$1', got '${got% }'"
}

@test "S-045, S-051: createContainer after createRuntime, startContainer last before the program" {
	note createContainer container1
	note createContainer container2
	note createRuntime runtime
	note prestart pre
	note poststart started
	inside startContainer start1 'echo start1 >>/log'
	inside startContainer start2 'echo start2 >>/log'
	script 'cat /log; echo program; sleep 0.3'
	run_bounded
	expect 0 $'start1\nstart2\nprogram'
	log_is "pre runtime container1 container2 started"
	assert_clean
}

@test "S-053: createContainer hooks are the host's programs in the container's namespaces, before pivot" {
	hook createContainer create 'hostname >>$log; pwd >>$log; echo $$ >>$log
		jq -r "[.status, .pid] | @tsv" >>$log
		[ "$(readlink /proc/self/ns/mnt)" != '"$(readlink /proc/self/ns/mnt)"' ] && echo own-mounts >>$log
		[ -e '"$BUNDLE"'/config.json ] && echo host-paths >>$log; umask >>$log'
	script 'echo program'
	config 'del(.process.env[] | select(startswith("HULL_TEST")))'
	umask 0027
	run_bounded
	expect 0 program
	log_is "test $BUNDLE 2 creating	1 own-mounts host-paths 0027"
	assert_clean
}

@test "S-053: what a createContainer hook mounts in the root filesystem is in the container, and nowhere else" {
	local options
	echo content >"$T/file"
	: >"$BUNDLE/rootfs/target"
	hook createContainer create "mount --bind $T/file $BUNDLE/rootfs/target"
	script 'cat /target'
	for options in "" --overlay; do
		run_bounded $options
		expect 0 content
		[[ ! -s $BUNDLE/rootfs/target ]] || fail "the host has it"
		assert_clean
	done
}

@test "S-054: startContainer hooks are programs of the image, inside, with the program's rights and filter" {
	inside startContainer start 'echo $$ >>/log; cat | tr , "\n" | grep -E "pid|status" >>/log
		pwd >>/log; grep -E "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr "\t" " " >>/log
		ls /proc/self/fd | tr "\n" " " >>/log'
	config '.process.user = {uid: 1000, gid: 1000} | .process.cwd = "/tmp" |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdirat", "mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	script 'grep -E "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr "\t" " "'
	run_bounded
	expect 0
	[[ $output == *"Seccomp: 2"* ]] || report "the program has no filter"
	[[ $(<"$BUNDLE/rootfs/log") == *$'"status":"created"'* ]] || fail "$(<"$BUNDLE/rootfs/log")"
	[[ $(<"$BUNDLE/rootfs/log") == *'"pid":1'* ]] || fail "$(<"$BUNDLE/rootfs/log")"
	[[ $(grep -E '^(Uid|Cap|NoNew|Sec)' "$BUNDLE/rootfs/log") == "$output" ]] || fail "$(<"$BUNDLE/rootfs/log")"
	grep -qx /tmp "$BUNDLE/rootfs/log" || fail "$(<"$BUNDLE/rootfs/log")"
	grep -qx '0 1 2 3 ' "$BUNDLE/rootfs/log" || fail "$(<"$BUNDLE/rootfs/log")"
	assert_clean
}

@test "R-001, R-073: a startContainer hook that may trace finds nothing of hull in the process before the program" {
	config '.process.capabilities |= map_values(["CAP_SYS_PTRACE"])'
	inside startContainer look 'for f in /proc/1/fd/*; do
			[ ! -d $f ] || echo directory >>/log
			[ ! -h $f ] || seen=yes
		done
		echo seen=$seen "cmdline=$(tr -d "\\0" </proc/1/cmdline)" >>/log'
	script true
	run_bounded
	expect 0
	inside_log_is "seen=yes cmdline="
	assert_clean
}

@test "S-054: the path of a startContainer hook is one inside the container" {
	note startContainer host
	fails "cannot execute the startContainer hook '$T/hooks/host': no such file or directory"
	expect_error 'hint +the path is one inside the container'
}

@test "S-046: a failed startContainer hook stops the start, then poststop hooks run" {
	inside startContainer first 'echo first >>/log'
	inside startContainer bad 'echo "not today" >&2; exit 5'
	inside startContainer never 'echo never >>/log'
	note poststart never
	note poststop undone
	script 'echo ran'
	fails "the startContainer hook '/bin/bad' failed: exit status 5"
	expect_error 'step +startContainer hooks, 2 of 3'
	expect_error 'config +config.json:[0-9]+:[0-9]+ +hooks.startContainer\[1\].path'
	expect_error 'cause +not today'
	inside_log_is first
	log_is undone
}

@test "S-048: a failed createContainer hook stops the start, then poststop hooks run" {
	note createContainer first
	hook createContainer bad 'echo "no device" >&2; exit 6'
	note createContainer never
	note poststop undone
	script 'echo ran'
	fails "the createContainer hook '.*/bad' failed: exit status 6"
	expect_error 'step +createContainer hooks, 2 of 3'
	expect_error 'cause +no device'
	log_is "first undone"
}

@test "S-057, S-062: hooks of the container's side that are missing, or hang with all they forked" {
	local kind
	add_hook createContainer '{"path": "/no/such/hook"}'
	fails "cannot execute the createContainer hook '/no/such/hook': no such file or directory"
	config 'del(.hooks)'
	hook createContainer slow 'trap "" TERM; setsid sleep 61 & (setsid sleep 62 >/dev/null 2>&1 </dev/null &)
		echo half way >&2; sleep 63' '{"timeout": 1}'
	for kind in own shared; do
		fails "the createContainer hook '.*/slow' did not end within 1 second"
		expect_error 'cause +half way'
		config '.linux.namespaces |= map(select(.type != "pid"))'
	done
	config 'del(.hooks)'
	inside startContainer slow 'trap "" TERM; setsid sleep 61 & sleep 63' '{"timeout": 1}'
	fails "the startContainer hook '/bin/slow' did not end within 1 second"
}

@test "S-062: a signal to hull ends a start whose container's hooks hang, and a killed hull ends them" {
	local kind
	for kind in createContainer startContainer; do
		: >"$T/log"
		config 'del(.hooks)'
		if [[ $kind == startContainer ]]; then
			inside $kind slow 'echo begun >>/log; sleep 60; :'
			ln -sf "$BUNDLE/rootfs/log" "$T/watched"
		else
			hook $kind slow 'echo begun >>$log; sleep 60; :'
			ln -sf "$T/log" "$T/watched"
		fi
		hook poststop undone 'echo undone >>$log'
		script 'echo ran'
		run_behind
		wait_for grep -q begun "$T/watched" || fail "$(<"$T/stderr")"
		kill -TERM "$HULL_PID"
		wait_for test ! -d "/proc/$HULL_PID" || fail "hull does not end"
		hull_wait
		expect 143 ""
		expect_error 'given up on SIGTERM'
		grep -q undone "$T/log"
		no_hook_is_left
		assert_clean
		: >"$T/log"
		: >"$BUNDLE/rootfs/log"
		run_behind
		wait_for grep -q begun "$T/watched" || fail "$(<"$T/stderr")"
		kill -KILL "$HULL_PID"
		wait "$HULL_PID" || true
		no_hook_is_left
		no_hook_is_left
		capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
		expect 0 ""
		assert_clean
	done
}

@test "S-064: hooks of the container's side that read nothing, close everything or write much" {
	hook createContainer closed 'exec <&- >&- 2>&-; echo closed >>$log'
	hook createContainer much 'head -c 10000000 /dev/zero | tr "\0" x >&2; echo much >>$log'
	inside startContainer closed 'exec <&- >&- 2>&-; echo closed >>/log'
	inside startContainer much 'head -c 10000000 /dev/zero | tr "\0" x >&2; echo much >>/log'
	script 'echo program'
	run_bounded
	expect 0 program
	[[ -z $stderr ]] || report "hooks speak only when they fail"
	log_is "closed much"
	inside_log_is "closed much"
	assert_clean
}

@test "a startContainer hook with a filter and CAP_SYS_PTRACE is refused" {
	inside startContainer start 'echo never >>/log'
	config '.process.capabilities.bounding += ["CAP_SYS_PTRACE"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
	fails 'could evade the seccomp filter'
	inside_log_is ""
}

@test "all kinds of hooks with a joined pid namespace" {
	program /bin/sleep 60
	hull_start
	local first=$PID
	local other=$T/other
	cp -a "$BUNDLE" "$other"
	jq --arg ns "/proc/$first/ns/pid" --arg cgroup "/hull-test/$ID-2" '.linux.cgroupsPath = $cgroup |
		.linux.namespaces |= map(if .type == "pid" then .path = $ns else . end) |
		.process.args = ["/bin/sh", "-c", "echo program"]' "$BUNDLE/config.json" >"$other/config.json"
	use_bundle "$other"
	hook createRuntime create 'pid=$(jq .pid); cat /proc/$pid/comm >>$log'
	hook poststart started 'pid=$(jq .pid); [ "$pid" -gt 0 ] && echo started >>$log'
	# It still sees the host, and must not be seen by who is in that namespace.
	hook createContainer container '[ "$(readlink /proc/self/ns/pid)" != "$(readlink /proc/'"$first"'/ns/pid)" ] &&
		pid=$(jq .pid) && cat /proc/$pid/comm >>$log'
	inside startContainer start 'pid=$(tr , "\n" | sed -n "s/.*pid\":\([0-9]*\).*/\1/p"); cat /proc/$pid/comm >>/log'
	note poststop last
	capture timeout -k 5 20 "$HULL" --root "$STATE" run -b "$other" "$ID-2"
	expect 0 program
	log_is "hull:init hull:init started last"
	inside_log_is hull:init
	kill -KILL "$first"
	hull_wait
	assert_clean
}

# with_user_namespace: root's container whose ids are somebody else's on the host, as whom its own
# hooks run too.
with_user_namespace() {
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T" "$T/hooks"
	chmod 666 "$T/log"
}

@test "all kinds of hooks with a user namespace" {
	local options
	with_user_namespace
	echo content >"$T/file"
	: >"$BUNDLE/rootfs/target"
	note prestart pre
	hook createRuntime runtime 'pid=$(jq .pid); echo "$(id -u) $(stat -c %u /proc/$pid)" >>$log
		nsenter --target $pid --mount --net true && echo entered >>$log'
	hook createContainer container 'echo "$(id -u) $(jq .pid) $(hostname)" >>$log
		mount --bind '"$T/file $BUNDLE"'/rootfs/target && echo mounted >>$log'
	inside startContainer start 'tr , "\n" | grep pid >>/log; echo start >>/log'
	note poststart started
	note poststop last
	script 'cat /target; cat /log; sleep 0.2'
	for options in "" --overlay; do
		: >"$T/log"
		: >"$BUNDLE/rootfs/log"
		run_bounded $options
		expect 0
		expect_line content
		expect_line start
		expect_match '"pid":1'
		log_is "pre 0 100000 entered 0 1 test mounted started last"
		assert_clean
	done
}

@test "failing hooks with a user namespace" {
	with_user_namespace
	hook createContainer bad 'echo "no device" >&2; exit 6'
	note poststop undone
	fails "the createContainer hook '.*/bad' failed: exit status 6"
	expect_error 'cause +no device'
	log_is undone
	config 'del(.hooks)'
	inside startContainer slow 'trap "" TERM; setsid sleep 61 & sleep 63' '{"timeout": 1}'
	fails "the startContainer hook '/bin/slow' did not end within 1 second"
	config 'del(.hooks)'
	hook createRuntime bad 'exit 3'
	fails "the createRuntime hook '.*/bad' failed: exit status 3"
}

@test "hooks of a container without privilege, as the user who has none" {
	local user=54321
	config '.linux.namespaces += [{type: "user"}] | del(.linux.cgroupsPath) |
		.linux.uidMappings = [{containerID: 0, hostID: 54321, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	hook createRuntime runtime 'echo "$(id -u) $(jq -r .status)" >>$log'
	hook createContainer container 'echo "$(id -u) $(hostname)" >>$log'
	inside startContainer start 'echo start >>/log'
	note poststart started
	hook poststop last 'id -u >>$log'
	script 'cat /log; sleep 0.2'
	mkdir "$T/run"
	cp "$HULL" "$T/hull"
	chown -hR $user:$user "$T"
	chmod 755 "$T" "$T/hull"
	chmod 700 "$T/run"
	capture timeout -k 5 20 setpriv --reuid $user --regid $user --clear-groups \
		env -C / -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run" "$T/hull" run -b "$BUNDLE" "$ID"
	expect 0 start
	log_is "54321 creating 0 test started 54321"
	[[ ! -e $T/run/hull/$ID ]] || fail "the state is left"
	assert_clean
}

@test "check knows whether hooks can be executed" {
	note createRuntime create
	capture hull check -b "$BUNDLE"
	expect 0
	add_hook poststop '{"path": "/no/such/hook"}'
	add_hook createContainer '{"path": "/etc"}'
	capture hull check -b "$BUNDLE"
	expect 2
	expect_match "hooks.createContainer\[0\].path: cannot execute the createContainer hook '/etc'"
	expect_match "hooks.poststop\[0\].path: cannot execute the poststop hook '/no/such/hook'"
}

@test "poststop hooks run when the bundle's directory is gone" {
	hook poststop stop 'echo "$PWD" >>$log'
	script 'sleep 60'
	hull_start
	mv "$BUNDLE" "$T/elsewhere"
	kill -KILL "$PID"
	hull_wait
	expect 137
	log_is "/"
	[[ $stderr != *warning* ]] || report "a warning"
	assert_clean
}

@test "hooks before the start work with a root.path that is a link" {
	mv "$BUNDLE/rootfs" "$BUNDLE/real"
	ln -s real "$BUNDLE/rootfs"
	note createRuntime runtime
	note createContainer container
	program /bin/true
	run_bounded
	expect 0
	log_is "runtime container"
	assert_clean
}

@test "the program's resource limits do not bind startContainer hooks" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 4, hard: 4}]
		| .hooks.startContainer = [{path: "/bin/true"}]'
	script 'ulimit -n; ulimit -Hn'
	run_bounded
	expect 0 $'4\n4'
	assert_clean
}

@test "while poststart hooks run, the container is deleted only by force" {
	hook poststart slow 'echo begun >>$log; sleep 2; echo done >>$log'
	program /bin/true
	run_behind
	wait_for grep -q begun "$T/log"
	sleep 0.2 # for the program's end
	capture timeout 20 "$HULL" --root "$STATE" delete "$ID"
	expect 1
	expect_error "hooks of container '$ID' are running|is running"
	[[ -d $STATE/$ID ]]
	hull_wait
	log_is "begun done"
	assert_clean
}

@test "delete --force ends a start in its hooks: hook and hull are gone when it returns" {
	hook createRuntime slow 'echo begun >>$log; sleep 60'
	run_behind
	wait_for grep -q begun "$T/log"
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	[[ -z $(marked_processes) ]] || fail "the hook lives"
	capture timeout 5 tail --pid="$HULL_PID" -f /dev/null
	expect 0
	hull_wait
	assert_clean
}
