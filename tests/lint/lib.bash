# What the checks share: which files they look at, and how a finding is told. A check is run as
# `CHECK ROOT`; it prints "file:line: text" for each finding and fails when there is one. ROOT is
# the project, or a small tree in selftest/ which shows that the check can fail.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:?usage: CHECK ROOT}" || exit 2
shift

findings=0

found() {
	echo "$1"
	findings=$((findings + 1))
}

# Takes findings from standard input.
found_lines() {
	local line
	while IFS= read -r line; do
		found "$line"
	done
}

# Ends the check.
verdict() {
	((findings == 0))
}

# files PATTERN... -- DIR...: files below the directories, without what is built or is a sample of
# this lint. Without directories: the whole tree.
files() {
	local names=() dirs=()
	while (($#)) && [[ $1 != -- ]]; do
		names+=(-o -name "$1")
		shift
	done
	shift || true
	local dir
	for dir in "$@"; do
		[[ -d $dir ]] && dirs+=("./$dir")
	done
	(($#)) || dirs=(.)
	((${#dirs[@]})) || return 0
	find "${dirs[@]}" \( -path './.git' -o -path './build*' -o -path '*/rootfs' -o \
		-path './tests/out' -o -path './tests/lint/selftest' -o -path './tests/inputs' \) -prune \
		-o -type f \( "${names[@]:1}" \) -print | sed 's|^\./||' | LC_ALL=C sort
}

# The code of the program, and all C code including that of tests.
product=(runtime cgroup netns seccomp)
product_files() {
	files '*.c' '*.h' -- "${product[@]}"
}
c_files() {
	files '*.c' '*.h' -- "${product[@]}" tests
}

# Scripts: what has a shell's first line, and the parts that they source. Those of broken bundles
# are as wrong as they have to be.
scripts() {
	files '*' | while read -r file; do
		case $file in
		bundles/broken/*) ;;
		*.bash) echo "$file" ;;
		*) head -c 64 "$file" | head -n1 | grep -aqE '^#!.*(sh|bats)$' && echo "$file" ;;
		esac
	done
}

# code FILE: the file without comments and texts, with the lines kept.
code() {
	awk -f "$here/strip.awk" "$1"
}

# allowed CHECK FILE NAME: whether the table `allow` names an exception.
allowed() {
	awk -v check="$1" -v file="$2" -v name="$3" '
		$1 == check && $2 == file && $3 == name { yes = 1 }
		END { exit !yes }' "$here/allow"
}
