# Helpers of the tests that run in the guest, on top of ../lib.bash: what is particular to limits.
# shellcheck disable=SC2034,SC2154 # variables are for the tests, and of ../lib.bash

load ../lib

guest_setup() {
	[[ -e /dev/vm-out ]] || skip "runs in the guest only: ./tests/run vm"
	hull_setup
	swap_text '"linux": {' $'"linux": {\n    "resources": {},'
}

guest_teardown() {
	[[ -z ${BATS_TEST_COMPLETED:-} ]] || row_end
	hull_teardown
}

# ---- the bundle --------------------------------------------------------------------------------

# jq takes half a second here each time that it begins, most of what a test costs. So what nearly
# every test changes is changed as text, where it still stands as it was made.

# swap_text OLD NEW: in config.json, once; fails when it is not there.
swap_text() {
	local text
	text=$(<"$BUNDLE/config.json")
	[[ $text == *"$1"* ]] || return 1
	printf '%s\n' "${text%%"$1"*}$2${text#*"$1"}" >"$BUNDLE/config.json"
}

# ---- the table ---------------------------------------------------------------------------------

# Every test of a limit leaves a row for each time that it sets some: what was set, what the kernel
# shows, what was observed. `table` prints them when the guest has run all tests.
TABLE=/tmp/hull-vm-table
ROW_SET='' ROW_SHOWN=() ROW_SEEN=()

# shown FILE VALUE, observed TEXT: for the row.
shown() { ROW_SHOWN+=("$1 $2"); }
observed() { ROW_SEEN+=("$1"); }

row_end() {
	local IFS=,
	[[ -z $ROW_SET ]] || printf '%s\t%s\t%s\t%s\n' "${BATS_TEST_DESCRIPTION%%:*}" \
		"${ROW_SET//[$'\t\n']/ }" "${ROW_SHOWN[*]}" "${ROW_SEEN[*]}" >>"$TABLE"
	ROW_SET='' ROW_SHOWN=() ROW_SEEN=()
}

# ---- limits ------------------------------------------------------------------------------------

# resources JSON: linux.resources of the bundle.
resources() {
	row_end
	ROW_SET=$1
	swap_text '"resources": {}' "\"resources\": $1" ||
		config --argjson resources "$1" '.linux.resources = $resources'
}

# expect_value FILE VALUE: the program has written "FILE VALUE" (see `show`).
expect_value() {
	expect_line "$1 $2"
	shown "$1" "$2"
}

# expect_seen LINE: the program has written it.
expect_seen() {
	expect_line "$1"
	observed "$1"
}

# refused REGEX: hull has said so, and started nothing.
refused() {
	expect 1
	expect_error "$1"
	observed "refused: $(sed -n '1s/^error: //p' <<<"$stderr")"
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
	observed "$1 $n"
}

# numbers DEVICE: its major and minor number as JSON members.
numbers() {
	local major minor
	read -r major minor < <(awk -v name="${1##*/}" '$4 == name { print $1, $2 }' /proc/partitions)
	echo "\"major\": $major, \"minor\": $minor"
}
