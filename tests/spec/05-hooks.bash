# 5. Hooks
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

rule S-050 MUST - "six lists of hooks, each called in its order" "two of each kind"
S_050() {
	local kind n
	for kind in prestart createRuntime createContainer poststart poststop; do
		for n in 1 2; do
			note "$kind" "$kind$n"
		done
	done
	inner_hook startContainer s1 'echo s1 >>$log'
	inner_hook startContainer s2 'echo s2 >>$log'
	creates
	starts
	becomes stopped
	deletes
	for kind in prestart createRuntime createContainer s poststart poststop; do
		same "order" "$(grep "^${kind}[12]" "$T/log" | tr '\n' ' ')" "${kind}1 ${kind}2 "
	done
}

rule S-051 MUST - "prestart, createRuntime, createContainer: after namespaces and mounts, before pivot_root" \
	"each looks at the container's mounts, and for the host's root in them"
S_051() {
	local kind
	for kind in prestart createRuntime createContainer; do
		hook "$kind" "$kind" 'pid=$(jq -r .pid)
			[[ $0 != */createContainer ]] || pid=self
			mounted=$(grep -c "rootfs/dev/shm " /proc/$pid/mountinfo)
			echo "$mounted" >>$log'
	done
	run
	expect 0
	log_is "1 1 1"
}

# namespaces: shell text that notes whether the hook is in the caller's mount and network namespaces.
namespaces='[[ $(readlink /proc/self/ns/net) == "HOST_NET" ]] && echo runtime >>$log || echo container >>$log'

side_of() {
	hook "$1" "$1" "${namespaces/HOST_NET/"$(readlink /proc/self/ns/net)"}"
}

rule S-052 MUST - "prestart, createRuntime, poststart and poststop hooks are the runtime's: path and namespaces" \
	"each notes the network namespace that it is in"
S_052() {
	side_of prestart
	side_of createRuntime
	side_of poststart
	side_of poststop
	creates
	starts
	becomes stopped
	deletes
	log_is "runtime runtime runtime runtime"
}

rule S-053 MUST - "createContainer hooks: a path of the runtime's, run in the container's namespaces" \
	"a script of the host notes its network namespace, and the container's mounts among its own"
S_053() {
	side_of createContainer
	hook createContainer mounts 'grep -c "rootfs/dev/shm " /proc/self/mountinfo >>$log'
	run
	expect 0
	log_is "container 1"
}

rule S-054 MUST - "startContainer hooks: path and namespaces are the container's; during start, before the program" \
	"a script of the container's file system notes its host name and pid 1's program"
S_054() {
	inner_hook startContainer inner 'hostname >>$log; ls /hooks >>$log'
	script 'echo program >>/T/log'
	creates
	same "after create" "$(<"$T/log")" ""
	starts
	becomes stopped
	log_is "test inner program"
}

rule S-055 MUST - "poststart hooks: after the program is executed, before start returns" \
	"the hook notes what pid 1 of the container executes, then waits; start returns later"
S_055() {
	hook poststart late 'pid=$(jq -r .pid); tr "\0" " " </proc/$pid/cmdline | cut -d" " -f1 >>$log; sleep 0.5; echo waited >>$log'
	program /bin/sleep 1000
	creates
	starts
	echo returned >>"$T/log"
	log_is "/bin/sleep waited returned"
}

rule S-056 MUST - "poststop hooks: after the container is deleted, before delete returns" \
	"the hook looks for the cgroup and the process, then waits"
S_056() {
	hook poststop late "[[ -e $CGROUP ]] && echo cgroup >>\$log || echo none >>\$log; sleep 0.5; echo waited >>\$log"
	creates
	starts
	becomes stopped
	deletes
	echo returned >>"$T/log"
	log_is "none waited returned"
}

rule S-057 MUST crun,runc "path of a hook is there and absolute" \
	"hooks of every kind with path bin/true, which are there from where the runtime is called; no path"
S_057() {
	local kind
	cd /
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		refuses ".hooks = {\"$kind\": [{\"path\": \"bin/true\"}]}" "hooks.${kind}[0].path"
		# An exec that failed is not the message that is wanted.
		! grep -qiE 'no such file|exec' <<<"$stderr" || fail "tried to execute it: $stderr"
	done
	refuses '.hooks = {"poststop": [{"args": ["true"]}]}' "hooks.poststop[0].path"
}

rule S-058 MUST - "args of a hook are its argv, from argv[0] on; without, that is the path" \
	"bash -c with another argv[0]; a script without args"
S_058() {
	config --arg log "$T/log" '.hooks.createRuntime = [{path: "/bin/bash",
		args: ["other", "-c", "echo \"$0 $1 $#\" >>" + $log, "zero", "one", "two"]}]'
	hook createRuntime bare 'echo "$#" >>$log'
	hook createRuntime argv0 'tr "\0" "\n" </proc/$$/cmdline | tail -n 1 | xargs basename >>$log'
	run
	expect 0
	log_is "zero one 2 0 argv0"
}

rule S-059 MUST - "env of a hook is its whole environment" "two variables; the hook's /proc/self/environ"
S_059() {
	config --arg log "$T/log" '.hooks.createRuntime = [{path: "/bin/bash", env: ["A=1", "B=two"],
		args: ["bash", "-c", "read -rd \"\" x; tr \"\\0\" \" \" </proc/$$/environ >>" + $log]}]'
	OUTSIDE=1 run
	expect 0
	log_is "A=1 B=two"
}

rule S-060 INFO - "a hook without env (others give it their own environment, or none)" \
	"a createRuntime hook without env; the caller has OUTSIDE in its environment"
S_060() {
	config --arg log "$T/log" '.hooks.createRuntime = [{path: "/bin/bash",
		args: ["bash", "-c", "tr \"\\0\" \"\\n\" </proc/$$/environ | grep -c ^OUTSIDE >>" + $log + " || :"]}]'
	OUTSIDE=1 run
	expect 0
	case $(<"$T/log") in
	0) saw "it has no environment" ;;
	*) saw "it has the runtime's environment" ;;
	esac
}

rule S-061 MUST crun "timeout of a hook is greater than 0" "0, -1 and 1.5; 5 is fine"
S_061() {
	note createRuntime ran
	accepts '.hooks.createRuntime[0].timeout = 5'
	refuses '.hooks.createRuntime[0].timeout = 0' 'hooks.createRuntime[0].timeout'
	refuses '.hooks.createRuntime[0].timeout = -1' 'hooks.createRuntime[0].timeout'
	refuses '.hooks.createRuntime[0].timeout = 1.5' 'hooks.createRuntime[0].timeout'
	[[ $RT != hull ]] || log_is ran
}

rule S-062 MUST - "a hook that takes longer than its timeout is killed" \
	"a hook that sleeps on, with a timeout of 1: the start fails early, the hook is gone"
S_062() {
	hook createRuntime long 'echo $$ >>$log; exec sleep 1000' '{"timeout": 1}'
	run
	is_refusal "hooks.createRuntime[0]"
	wait_for test ! -d "/proc/$(<"$T/log")" || fail "the hook is still there"
	saw "failed: $(told "hooks.createRuntime[0]"); the hook is gone"
}

rule S-063 MUST - "the state is on a hook's standard input" \
	"each kind notes the id that it reads; what createRuntime gets satisfies the schema"
S_063() {
	local kind
	for kind in prestart createContainer poststart poststop; do
		hook "$kind" "$kind" 'jq -r .id >>$log'
	done
	hook createRuntime schema "tee $T/given.json | jq -r .id >>\$log"
	inner_hook startContainer inner 'sed -n "s/.*\"id\": *\"\([^\"]*\)\".*/\1/p" >>$log'
	creates
	starts
	becomes stopped
	deletes
	# crun ends no line; the order is that of other items.
	same "of six hooks have the id" "$(grep -o "$ID" "$T/log" | wc -l)" 6
	valid state-schema.json "$T/given.json"
}

rule S-064 INFO - "a hook need not read its standard input" \
	"twenty annotations of 10,000 characters each, and a hook that closes its input and ends"
S_064() {
	note createRuntime ran
	echo 'exec <&-; exit 0' >>"$T/hooks/ran"
	config '.annotations = ([range(20)] | map({"com.example.\(.)": ("x" * 10000)}) | add)'
	run
	expect 0
	log_is ran
}

rule S-065 INFO - "the working directory of a hook (not in the text)" \
	"a createRuntime hook notes it: hull's is the bundle"
S_065() {
	note createRuntime x
	echo 'pwd >>$log' >>"$T/hooks/x"
	cd /usr
	run
	expect 0
	case $(tail -n 1 "$T/log") in
	"$BUNDLE") saw "the bundle" ;;
	/usr) saw "the caller's" ;;
	*) fail "another: $(tail -n 1 "$T/log")" ;;
	esac
}
