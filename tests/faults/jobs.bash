# The sweeps of tests/faults/run, each of one runtime over one bundle: as many at once as there are
# processors, each in a namespace of its own; and the table of what came out. Sourced by it.
# shellcheck shell=bash disable=SC2154,SC2317 # of run; called by its name

header='bundle            of    faults   same errors hangs degraded  left  kills leaks    s'

# With everything, the others do what tells them apart: the rest is the same to them, or takes hours.
of_others=(plain userns hooks)

# A sample of everything, but of what is outside only some, and less of that.
of_sample=(plain overlay userns hooks terminal init joined rootless subids bridge devices_in agent resctrl)

jobs_of() {
	local name chosen=("${names[@]}")
	((chose)) || [[ $1 == hull ]] || chosen=("${of_others[@]}")
	for name in "${chosen[@]}"; do
		echo "$1 $name"
	done
}

# run_job DIRECTORY RUNTIME NAME: its output is shown when it has ended, and not mixed with others'.
run_job() {
	local out="$1/$2-$3" rc=0
	"$top/tests/ns" unshare --net "$0" --job ${quick:+"$quick"} --only "$only" --of "$2" "$3" >"$out.log" 2>&1 3>"$out.row" \
		</dev/null || rc=1
	((rc == 0)) || grep -q '^not ok' "$out.log" || echo "not ok - $3: ended before its time" >>"$out.log"
	flock "$1" cat "$out.log"
	return "$rc"
}

# write_table DIRECTORY: without the seconds, which are the machine's.
write_table() {
	echo '<!-- Written by tests/faults/run --table; README.md says what the columns mean. -->'
	echo
	echo '| bundle | of | faults | same | errors | hangs | degraded | left | kills | leaks |'
	echo '|---|---|---|---|---|---|---|---|---|---|'
	rows "$1" | awk '{ NF--; gsub(/ /, " | "); print "| " $0 " |" }'
}

rows() {
	local of name
	for of in "${runtimes[@]}"; do
		for name in "${names[@]}"; do
			cat "$1/$of-$name.row" 2>/dev/null
		done
	done
}

run_jobs() {
	local directory of failed=0 chose=${#names[@]}
	if ((!chose)) && [[ $quick ]]; then
		names=("${of_sample[@]}" "${all_verbs[@]}")
	elif ((!chose)); then
		names=("${all[@]}" "${all_verbs[@]}" "${outside_verbs[@]}")
	fi
	directory=$(mktemp -d)
	export -f run_job
	export top quick only
	for of in "${runtimes[@]}"; do
		jobs_of "$of"
	done | xargs -P "$(nproc)" -L 1 bash -c 'run_job "$@"' "$0" "$directory" || failed=1
	echo "# $header"
	rows "$directory" | sed 's/^/# /'
	[[ -z $table ]] || write_table "$directory" >"$table"
	rm -rf "$directory"
	return "$failed"
}
