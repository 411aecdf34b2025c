# Helpers of the tests that run in the guest, on top of ../lib.bash: what is particular to limits.
# shellcheck disable=SC2034 # variables are for the tests

load ../lib

guest_setup() {
	[[ -e /dev/vm-out ]] || skip "runs in the guest only: ./tests/run vm"
	hull_setup
}

# resources JSON: linux.resources of the bundle.
resources() {
	config --argjson resources "$1" '.linux.resources = $resources'
}

# expect_value FILE VALUE: the program has written "FILE VALUE" (see `show`).
expect_value() {
	expect_line "$1 $2"
}

# show FILE...: shell text for the inside that prints each file of the cgroup behind its name.
show() {
	local file
	for file in "$@"; do
		# shellcheck disable=SC2016 # for the inside
		printf 'echo "%s $(cat /sys/fs/cgroup/%s)"; ' "$file" "$file"
	done
}

# counter NAME FILE: shell text that prints "NAME NUMBER", a line of a file of the cgroup.
counter() {
	printf 'grep "^%s " /sys/fs/cgroup/%s; ' "$1" "$2"
}

# expect_above NAME NUMBER: the line "NAME n" says more than NUMBER.
expect_above() {
	local n
	n=$(awk -v name="$1" '$1 == name { print $2 }' "$T/stdout")
	[[ -n $n ]] || report "expected a line: $1 NUMBER"
	((n > $2)) || report "expected $1 above $2"
}

# numbers DEVICE: its major and minor number as JSON members.
numbers() {
	local major minor
	read -r major minor < <(awk -v name="${1##*/}" '$4 == name { print $1, $2 }' /proc/partitions)
	echo "\"major\": $major, \"minor\": $minor"
}

# One process for all of /proc: the one for each that ../lib.bash takes costs seconds here.
container_processes() {
	grep -lszxF "HULL_TEST=$ID" /proc/[0-9]*/environ | cut -d/ -f3
}
