# What tests/faults/run stands on: the place where all happens, what is left there, which calls there
# are and which of them a sample has. Sourced by it, as root, in its namespace.
# shellcheck shell=bash disable=SC2154,SC2034,SC2317 # of run; called by their names or a trap

# ---- the place ---------------------------------------------------------------------------------

# Others use the same directory's name, but each in a namespace of its own; cgroups are shared.
parent=/hullfaults$$x$RANDOM.slice # so that it can be a slice of systemd, too
cgroups=/sys/fs/cgroup$parent
mark=FAULTS_MARK=faults-$$-$RANDOM # in the environment of every process that is looked for
host_ns=$(readlink /proc/self/ns/* | tr '\n' ' ')

prepare_place() {
	mkdir -p "$work/bin" "$cgroups"
	# Copies: everybody may execute them, and nobody builds them anew meanwhile.
	cp "$programs/faults/inject" "$programs/pty" "$programs/agent" "$work/bin/" &&
		cp "$hull" "$work/bin/hull" || return
	ip link set lo up
	trap clean_up EXIT
}

clean_up() {
	sweep_up
	[[ -z ${holder:-} ]] || { kill -KILL "$holder" && wait "$holder" 2>/dev/null; }
	[[ -z ${bus:-} ]] || { kill "$bus" && wait "$bus" 2>/dev/null; } # timeout(1) tells it
	rmdir "$cgroups" 2>/dev/null
}

# make_bundle NAME: $bundle, with a root of its own; $user, who runs the runtime, and $as, the command
# that makes one of them.
make_bundle() {
	bundle=$work/bundle-$1
	mkdir -p "$bundle" "$work/ro" "$work/tmp"
	"$top/bundles/mkrootfs" "$bundle/rootfs"
	mkdir -p "$bundle/rootfs/ro"
	cp "$programs/faults/probe" "$bundle/rootfs/bin/probe"
	"bundle_$1" >"$work/config.json"
	cp "$work/config.json" "$bundle/config.json"
	user="user_$1"
	user=${!user:-0} as=()
	((user == 0)) || as=(setpriv --reuid "$user" --regid "$user" --clear-groups)
	install -d -m 700 -o "$user" "$work/state"
	options=()
	mapfile -t options < <(own_of options)
	mapfile -t globals < <(own_of global)
	# What it takes for the runtime to see a host that has it, whoever is hit.
	mapfile -t injects < <(own_of inject)
}

# ---- what is left ------------------------------------------------------------------------------

marked_processes() {
	grep -lszxF "$mark" /proc/[0-9]*/environ 2>/dev/null
}

# In the order of the directories, which is the same as long as nobody changes them.
files() {
	find "$bundle" "$work/tmp" "$work/ro" -printf '%p %y %m %U:%G %s %l\n'
}

# left: what there is that was not there before, in words.
left() {
	local what=()
	! compgen -G "$cgroups/*/" >/dev/null || what+=(cgroup)
	[[ ! -e $work/state/c ]] || what+=(state)
	[[ $(</proc/self/mountinfo) == "$mountinfo" ]] || what+=(mount)
	[[ $(files) == "$files" ]] || what+=(file)
	[[ -z $(marked_processes) ]] || what+=(process)
	# shellcheck disable=SC2207 # words
	what+=($(own_of left))
	echo "${what[*]}"
}

# The same after a moment, in which what is dying may die.
left_at_last() {
	local found='' tries=200
	[[ $runtime == hull ]] || tries=20
	for ((; tries > 0; tries--)); do
		found=$(left)
		[[ -n $found ]] || break
		sleep 0.05
	done
	echo "$found"
}

# What even delete did not remove must not disturb the next start; the mounts are in this namespace.
sweep_up() {
	local environ point
	for environ in $(marked_processes); do
		kill -KILL "${environ//[!0-9]/}" 2>/dev/null
	done
	find "$cgroups" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
	while read -r _ _ _ _ point _; do
		[[ $point != "$work/state/c"* ]] || umount -l "$point"
	done </proc/self/mountinfo
	own_of undo
	grep -q " $work/state/c" /proc/self/mountinfo || rm -rf "$work/state/c"
	rm -f "$work/tmp"/*
	mountinfo=$(</proc/self/mountinfo)
	files=$(files)
}

# ---- calls -------------------------------------------------------------------------------------

# Calls that cannot fail, or whose failure is not the host's: all of libc's, some of the kernel's.
cannot_fail='brk|exit|exit_group|getpid|gettid|getppid|getuid|geteuid|getgid|getegid|umask|munmap'
cannot_fail+='|rt_sigprocmask|rt_sigaction|rt_sigreturn|sigaltstack|rt_sigpending|set_robust_list'
cannot_fail+='|set_tid_address|arch_prctl|rseq|futex|sched_yield|getsid|alarm|restart_syscall'
cannot_fail+='|sched_getaffinity|nanosleep|clock_nanosleep|epoll_pwait|tgkill|madvise'

# sampled PREFIX: all of them that are wanted; with --quick one of $sample, by a hash of the name, so that it stays the
# same one whatever comes before it; and those that tests/faults/always names.
sampled() {
	[[ -n $quick ]] || {
		awk -v only="$only" -v prefix="$1" '(prefix $0) ~ only'
		return
	}
	case $name in
	bridge | devices* | agent | resctrl* | systemd) sample=$rarely ;;
	esac
	awk -v bundle="$name" -v prefix="$1" -v sample="$sample" '
		BEGIN { for (i = 32; i < 127; i++) code[sprintf("%c", i)] = i }
		FNR == NR { if ($1 == bundle) always = always "|" $2; next }
		{
			aim = prefix $0
			hash = 7
			for (i = 1; i <= length(aim); i++)
				hash = (hash * 31 + code[substr(aim, i, 1)]) % 65521
			if (hash % sample == 0 || aim ~ ("^(" substr(always, 2) ")$")) print
		}' <(grep -v '^#' "$top/tests/faults/always") -
}

# listed: the calls of the last run, as the injector names them.
listed() {
	local first=1000000
	[[ $runtime != runc ]] || first=$go_first
	awk -v first="$first" -v hard="^($cannot_fail)\$" \
		'$1 ~ /^0([cfv][0-9]+)*$/ && NF == 3 && $2 !~ hard && $3 <= first { print $1 ":" $2 ":" $3 }' \
		"$work/result"
}

# aims: the calls of an undisturbed run.
aims() {
	start list
	listed
}

# ---- results -----------------------------------------------------------------------------------

# The last line of the injector's report, and what it has hit.
read_result() {
	local line
	result=hang hit='' # an injector that was killed has said nothing
	while read -r line; do
		case $line in
		hit* | missed) hit=$line ;;
		exit* | signal* | hang) result=$line ;;
		esac
	done <"$work/result"
}

complain() {
	printf '# %s %s: %s: %s%s\n' "$runtime" "$name" "$1" "$hit" \
		"${2:+ ($2)}" | tee -a "$work/findings"
	head -n 3 "$work/error" | sed 's/^/#   /'
}

count() {
	counts[$1]=$((${counts[$1]:-0} + 1))
}
