#!/usr/bin/env bats
# hull's own executable (R-003, R-060 to R-064): a process that sees one of hull's, with root and
# all capabilities in the same pid namespace, cannot write the file behind its /proc/PID/exe. The
# control is hull built without that protection: there the same attack changes hull's file.

load ../lib

setup() {
	need_root
	hull_setup
	cp "$HULL" "$T/hull"
	mkfifo "$T/full"
	jobs_started=()
}

teardown() {
	local pid
	exec 8>&- # whoever is blocked on it ends
	for pid in "${jobs_started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
	umount "$T/mnt" 2>/dev/null || true
	hull_teardown
}

# A pipe that nobody reads and that has no room: whoever writes to $T/full waits.
fill_pipe() {
	exec 8<>"$T/full"
	timeout 10 dd if=/dev/zero of="$T/full" bs=4096 oflag=nonblock 2>/dev/null || true
}

# As hull's program prints its version, it waits on the pipe; meanwhile it is found by its command
# line and kept open by this attacker. Then everything that could make it writable is tried.
attacker='
	use Fcntl;
	my ($dir, $exe);
	for (1 .. 500) {
		for my $process (glob "/proc/[0-9]*") {
			open(my $file, "<", "$process/cmdline") or next;
			my $text = <$file> // "";
			$dir = $process if $text eq "/proc/self/exe\0--version\0";
		}
		last if $dir;
		select(undef, undef, undef, 0.02);
	}
	sysopen($exe, "$dir/exe", O_RDONLY) or die "not seen: $!";
	my $name = "/proc/self/fd/" . fileno($exe);
	$| = 1;
	print "seen\n";
	my ($out, $why);
	for (1 .. 100) {
		my $attr = pack("Q4", 0, 1, 0, 0); # clears MOUNT_ATTR_RDONLY
		my $empty = "";
		syscall(442, fileno($exe), $empty, 0x1000, $attr, 32); # mount_setattr
		if (sysopen($out, $name, O_WRONLY | O_APPEND) && defined syswrite($out, "X")) {
			print "written\n";
			exit 0;
		}
		$why = $!;
		select(undef, undef, undef, 0.02);
	}
	print "refused: $why\n"'

# attack COMMAND...: COMMAND is hull; its container joins the attacker's pid namespace.
attack() {
	fill_pipe
	unshare --pid --fork --kill-child --mount-proc perl -e "$attacker" \
		>"$T/attack" 2>&1 </dev/null 3>&- 8>&- &
	jobs_started+=($!)
	wait_for pgrep -P $! -x perl || fail "no attacker"
	program /proc/self/exe --version
	config --arg pid "$(pgrep -P $!)" \
		'(.linux.namespaces[] | select(.type == "pid")).path = "/proc/\($pid)/ns/pid"'
	local dir
	for dir in /usr /lib /lib64; do # a build with sanitizers needs its libraries
		[[ ! -d $dir ]] || add_mount "$(jq -n --arg dir "$dir" \
			'{destination: $dir, source: $dir, options: ["rbind", "ro"]}')"
	done
	timeout -s KILL 30 "$@" --root "$STATE" run -b "$BUNDLE" "$ID" \
		>"$T/full" 2>"$T/stderr" </dev/null 3>&- 8>&- &
	jobs_started+=($!)
	wait_for grep -q . "$T/attack" || fail "the attacker is blind" "$(<"$T/stderr")"
	exec 8>&- # hull's program ends, and its file is no longer busy
	wait_for grep -qE 'written|refused|not seen' "$T/attack" || fail "no verdict"
	output=$(<"$T/attack")
}

# Runs hull up to its plan on standard error, where it waits; $exe names its file, and so does its
# standard input.
hold() {
	fill_pipe
	timeout -s KILL 30 "$@" >/dev/null 2>"$T/full" <"$T/hull" 3>&- 8>&- &
	jobs_started+=($!)
	wait_for is_waiting $! || fail "it does not wait"
	exe=/proc/$held/exe
}

# is_waiting PID: the process, or the child in it that timeout has made, waits in a pipe.
is_waiting() {
	held=$(pgrep -P "$1") && grep -q pipe_write "/proc/$held/stack"
}

# The seals of a file: 15 is all of SEAL, SHRINK, GROW and WRITE.
seals() {
	perl -e 'open(F, "<", $ARGV[0]) or die $!; print fcntl(F, 1034, 0) & 15' "$1"
}

# What hull is executed from is asked after its end: until then each write is refused.
expect_sealed_mount() {
	[[ $(readlink "$exe") == / ]] || fail "not a mount without a place: $(readlink "$exe")"
	cmp "$exe" "$T/hull"
	exec 7<"$exe" 8>&-
	wait_for test ! -d "/proc/$held"
	! { : >>"/proc/$BASHPID/fd/7"; } 2>"$T/why" || fail "writable"
	exec 7<&-
	grep -q 'Read-only file system' "$T/why" || fail "$(<"$T/why")"
}

# perl that executes a program from a copy in memory that is not sealed.
from_memory='
	my ($program, $name) = (shift, "copy");
	my $fd = syscall(319, $name, 0); # memfd_create
	open(my $to, ">&=", $fd) or die $!;
	open(my $from, "<", $program) or die $!;
	local $/;
	syswrite($to, <$from>);
	exec { "/proc/self/fd/$fd" } $program, @ARGV'

@test "R-003: what executes /proc/self/exe is not written by who sees it" {
	local before
	before=$(sha256sum <"$T/hull")
	attack "$T/hull"
	[[ $output == $'seen\nrefused: Read-only file system' ]] || fail "$output"
	[[ $(sha256sum <"$T/hull") == "$before" ]] || fail "changed"
}

@test "R-003, the control: without the seal the attack succeeds" {
	local before
	hull_without SEAL
	cp "$HULL_WITHOUT" "$T/hull"
	before=$(sha256sum <"$T/hull")
	attack "$T/hull"
	[[ $output == $'seen\nwritten' ]] || fail "$output"
	[[ $(sha256sum <"$T/hull") != "$before" ]] || fail "not changed"
}

@test "R-062: a copy in memory is not written either" {
	attack perl -e "$from_memory" "$T/hull"
	[[ $output == $'seen\nrefused: Operation not permitted' ]] || fail "$output"
}

@test "R-060: sealed before anything is read, as a mount of its own" {
	hold "$T/hull" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	[[ $(<"/proc/$held/comm") == hull ]]
	expect_sealed_mount
}

@test "R-062: without privilege it is a sealed copy" {
	chmod 755 "$T"
	hold setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$T/hull" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ $(readlink "$exe") == "/memfd:hull (deleted)" ]] || fail "$(readlink "$exe")"
	[[ $(seals "$exe") == 15 ]]
}

@test "R-062: root without CAP_SYS_ADMIN has a sealed copy, too" {
	hold setpriv --bounding-set=-sys_admin "$T/hull" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	[[ $(seals "$exe") == 15 ]]
}

@test "R-063: a read-only bind mount is not taken for a seal" {
	touch "$T/mnt"
	mount --bind "$T/hull" "$T/mnt"
	mount -o remount,bind,ro,nosuid "$T/mnt"
	hold "$T/mnt" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	expect_sealed_mount
}

@test "R-063: from an overlay" {
	mkdir "$T/mnt" "$T/lower" "$T/empty"
	cp "$T/hull" "$T/lower"
	mount -t overlay -o "lowerdir=$T/lower:$T/empty" overlay "$T/mnt"
	hold "$T/mnt/hull" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	expect_sealed_mount
}

@test "R-063: a copy in memory without seals is not taken for a sealed one" {
	hold perl -e "$from_memory" "$T/hull" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	[[ $(readlink "$exe") == "/memfd:hull (deleted)" ]] || fail "$(readlink "$exe")"
	[[ $(seals "$exe") == 15 ]]
}

@test "R-063: the environment does not make it sealed" {
	HULL_SEAL_TRIED=1 hull_run
	expect 1
	expect_error "not sealed after sealing it"
	assert_clean
}

@test "R-062: where it cannot be sealed it does not start" {
	! ldd "$HULL" 2>/dev/null | grep -q '=>' || skip "the loader of a dynamic hull needs descriptors itself"
	capture bash -c 'ulimit -n 3 && exec "$@"' bash \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 1
	expect_error "cannot seal hull's own executable against containers: too many open files"
	expect_error "the limit of open files"
	assert_clean
}

# A release for x86-64 seals before its C library starts: only the slower way sets a variable.
is_fast() {
	! grep -zq '^HULL_SEAL_TRIED=' "/proc/$held/environ"
}

has_entry() {
	nm "$HULL" 2>/dev/null | grep -q ' seal_before_libc$'
}

@test "R-060: it is sealed before the C library starts" {
	has_entry || skip "this build starts with its C library"
	hold "$T/hull" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	is_fast || fail "the start of the C library was paid twice"
	expect_sealed_mount
}

@test "R-060: executed by descriptor, it is sealed by the slower way" {
	hold perl -e 'exec { "/dev/fd/" . fileno(STDIN) } "hull", @ARGV' -- \
		--root "$STATE" --debug run -b "$BUNDLE" "$ID"
	! is_fast || fail "no second execution was seen"
	expect_sealed_mount
}

@test "R-060: what runs before the C library calls nothing of it" {
	has_entry || skip "this build starts with its C library"
	local object
	object=$(find "$(dirname "$HULL")" -path '*hull_seal*' -name 'entry.c.o')
	[[ $(nm -u "$object" | awk '{ print $2 }') == _start ]] || fail "$(nm -u "$object")"
	# No pointer that the start of the C library would have to relocate.
	! readelf -rW "$object" | awk '/^Relocation section/ { debug = /\.debug/ } !debug' |
		grep -E 'R_X86_64_(64|.*GOT|.*TP)' || fail "relocations"
}

@test "R-060: every command that needs a seal is sealed before the C library" {
	local file name commands
	commands=$(sed -n 's/^#define SEAL_COMMANDS "\(.*\)"$/ \1/p' "$TOP/runtime/seal/seal.h")
	commands=${commands//\\0/ }
	for file in "$TOP"/runtime/cmd/*.c; do
		grep -q '\.seals = true' "$file" || continue
		name=$(sed -n 's/^\t\.name = "\(.*\)",$/\1/p' "$file")
		[[ -n $name && $commands == *" $name "* ]] || fail "'$name' is not among $commands"
	done
}
