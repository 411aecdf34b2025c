#!/usr/bin/env bats
# What hull answers to arguments that do not fit: the error, and the hint with what was probably
# meant, to the letter. Nothing is started by any of it.
# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables

load ../lib

setup() {
	hull_setup
	cd "$T" || return
}

teardown() {
	hull_teardown
}

# says ERROR HINT ARG...: `hull ARG...` fails with exactly this error, and this hint where it is not
# empty.
says() {
	local expected="error: $1"
	[[ -z $2 ]] || expected+=$'\n'"  hint    $2"
	shift 2
	capture timeout 20 "$HULL" --root "$STATE" "$@"
	[[ $status != 0 && -z $output ]] || report "hull $*"
	[[ $stderr == "$expected" ]] || report "expected: $expected"
}

@test "a bundle's directory where an ID is, or nothing" {
	says "check has too many arguments" "--bundle names the bundle: hull check --bundle ./bundle" \
		check ./bundle
	says "run has too many arguments" "--bundle names the bundle: hull run --bundle ./bundle web" \
		run ./bundle web
	says "'./bundle' cannot be the id of a container" \
		"--bundle names the bundle: hull create --bundle ./bundle ID" create ./bundle
	says "'./bundle' cannot be the id of a container" \
		"--bundle names the bundle: hull plan --bundle ./bundle" plan ./bundle
	says "'./none' cannot be the id of a container" \
		"an id has 1 to 255 letters, digits and characters of '_+.-'" run ./none
	says "check has too many arguments" "usage: hull check [options]" check none
	says "exec needs more arguments" "usage: hull exec [options] ID PROGRAM [ARGUMENT...]" exec
}

@test "options behind the ID, and values without their equals sign" {
	says "run has too many arguments" "options stand before the ID: hull run --keep ... web" \
		run web --keep
	says "delete has too many arguments" \
		"options stand before the ID: hull delete --force ... web" delete web --force
	says "run has too many arguments" \
		"the value of --overlay stands behind an equals sign: --overlay=./changes" \
		run --overlay ./changes web
	says "check has too many arguments" "usage: hull check [options]" check more
}

@test "habits from engines: what there is instead" {
	local in_config='a terminal stands in config.json: "process": {"terminal": true}'
	says "run has too many arguments" \
		"the program stands in config.json, as process.args; hull exec web sh runs one more in a container that is there" \
		run --overlay=x web sh
	says "run has no option '-it'" "standard input is always the program's; $in_config" run -it web
	says "run has no option '-t'" "$in_config; hull spec --terminal writes it" run -t web
	says "run has no option '--rm'" \
		"leave it out: of a container that has ended nothing stays, unless --keep is given" run --rm web
	says "exec has no option '-it'" \
		"leave it out: standard input is always the program's; -t gives it a terminal" exec -it web sh
	says "exec has no option '-ti'" \
		"leave it out: standard input is always the program's; -t gives it a terminal" exec -ti web sh
	says "exec has no option '-w'" "the working directory is --cwd DIR" exec -w / web sh
	says "update has no option '--cpus'" "2 CPUs are --cpu-period 100000 --cpu-quota 200000" \
		update --cpus 2 web
	says "hull has no option '--net'" "it stands behind the command: hull run --net MODE ..." \
		--net bridge run web
	says "hull has no option '--net'" "it stands behind the command: hull run --net=bridge ..." \
		--net=bridge run web
	says "unknown command 'ls'; did you mean 'list'?" "" ls
	says "unknown command 'rm'; did you mean 'delete'?" "" rm web
	says "unknown command 'stop'; did you mean 'kill'?" "" stop web
	says "unknown command 'inspect'; did you mean 'state'?" "" inspect web
	says "unknown command 'top'; did you mean 'ps'?" "" top web
	says "unknown command 'version'; did you mean '--version'?" "" version
	says "--format takes table, wide or json, not 'yaml'" "" list -f yaml
	says "--format takes table or json, not 'yaml'" "" stats --format yaml
}

@test "the words of a command in one string, and a -- behind the ID of exec" {
	need_root
	program 'sh -c id'
	hull_run
	expect_error '^error: exec: "sh -c id": executable file not found in \$PATH$'
	[[ $stderr == *'  hint    each is a string of its own: "sh", "-c", "id"' ]] || report "hint"
	program /bin/sleep 60
	hull_start
	capture hull exec "$ID" -- id
	[[ $status == 255 || $status == 127 || $status == 1 ]] || report "exit status"
	[[ $stderr == *"leave it out: hull exec $ID id ..." ]] || report "the --"
	hull delete --force "$ID"
	hull_wait
	assert_clean
}

@test "signals" {
	says "kill has no option '-9'" "the signal stands behind the ID: hull kill ID 9" kill -9 web
	says "kill has no option '-KILL'" "the signal stands behind the ID: hull kill ID KILL" \
		kill -KILL web
	says "unknown signal '-9'; did you mean '9'?" "" kill web -9
	says "unknown signal 'TREM'; did you mean 'TERM'?" "" kill web TREM
	says "kill has no option '-x'" "" kill -x web
}

@test "commands and options" {
	says "unknown command 'lits'; did you mean 'list'?" "" lits
	says "unknown command 'hlep'; did you mean 'help'?" "" hlep
	says "unknown command 'lits'; did you mean 'list'?" "" help lits
	says "run has no option '--kep'; did you mean '--keep'?" "" run --kep web
	says "--cap takes names such as CAP_CHOWN, not 'CAP_NET_ADMINN'" \
		"did you mean 'CAP_NET_ADMIN'?" exec --cap CAP_NET_ADMINN web sh
	says "--cwd takes an absolute path in the container, not 'srv'" "" exec --cwd srv web sh
	says "there is nothing to change" \
		"limits are options, as in: hull update --memory 512m web" update web
}

@test "hull alone fits on a screen, help COMMAND is COMMAND --help" {
	capture "$HULL"
	((status == 0 && ${#lines[@]} <= 32)) || report "one screen"
	[[ $(grep -v '^ ' <<<"$output" | sed -n 2,4p) == $'lifecycle\nlook\ndiagnose' ]]
	capture "$HULL" help exec
	cp "$T/stdout" "$T/first"
	expect 0
	expect_match '^usage: hull .* exec '
	capture "$HULL" exec --help
	diff "$T/first" "$T/stdout"
	capture "$HULL" --help
	expect_match '^global options$'
	cp "$T/stdout" "$T/first"
	capture "$HULL" help
	diff "$T/first" "$T/stdout"
}

@test "the path of an absolute --config is its own" {
	capture hull run -b "$BUNDLE" --config "$T/none.json" "$ID"
	[[ ${stderr%%$'\n'*} == "error: cannot open '$T/none.json': no such file or directory" ]] ||
		report "its path"
	capture hull check -b "$BUNDLE" --config none.json
	[[ ${stderr%%$'\n'*} == "error: cannot open '$BUNDLE/none.json': no such file or directory" ]] ||
		report "the bundle's"
}

@test "no container of that name: which ones there are" {
	local verb
	for verb in start state ps kill pause resume events delete; do
		says "container 'web' does not exist" "there are none: $STATE is not there" \
			"$verb" web
	done
	mkdir -m 700 "$STATE"
	says "container 'web' does not exist" "there are none in $STATE" start web
	mkdir "$STATE/db"
	says "container 'web' does not exist" "in $STATE there is 1: db" state web
	mkdir "$STATE/web1" "$STATE/zzz"
	says "container 'nope' does not exist" "in $STATE there are 3: db, web1, zzz" start nope
	mkdir "$STATE/cache-server"
	says "container 'nope' does not exist" \
		"in $STATE there are 4: cache-server, db, web1, ..." exec nope sh
	says "container 'wbe1' does not exist" "did you mean 'web1'?" delete wbe1
	capture hull delete --force nope
	[[ $status == 0 && -z $stderr ]] || report "delete --force"
	# What engines look for stands in the message, and a hint never has their other phrases.
	"$HULL" --root "$STATE" --log "$T/log" --log-format json state nope 2>/dev/null || true
	jq -e '.msg == "container '\''nope'\'' does not exist"' "$T/log"
}

@test "exec: an error of an option names it" {
	need_root
	script 'echo up; exec sleep 60'
	hull_start
	capture hull exec --cwd /etc/passwd "$ID" /bin/true
	[[ $stderr == "error: cannot enter the working directory '/etc/passwd': not a directory"$'\n'*"  option  --cwd" ]] ||
		report "--cwd"
	capture "$HULL" --root "$STATE" --log "$T/log" --log-format json \
		exec --cwd /etc/passwd "$ID" /bin/true
	jq -e '.option == "--cwd" and (has("config") | not)' "$T/log"
	capture hull exec "$ID" --tty sh
	[[ $stderr == *"  hint    options stand before the ID: hull exec --tty ... $ID" ]] ||
		report "behind the ID"
	# A process file has places of its own.
	echo '{"args": ["/bin/true"], "cwd": "/etc/passwd"}' >"$T/p.json"
	capture hull exec --process "$T/p.json" "$ID"
	[[ $stderr == *"config  $T/p.json:1:32  cwd = \"/etc/passwd\""* ]] || report "its place"
	hull delete --force "$ID"
	hull_wait
}

@test "exec: ids that are not in the user namespace's maps are the option's" {
	need_root
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 2}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T"
	program /bin/sleep 60
	hull_start
	capture hull exec --user 7 "$ID" true
	expect_error "^error: user 7 does not exist in the container's user namespace$"
	[[ $stderr == *"  option  --user"$'\n'*"linux.uidMappings has 0 to 1" ]] || report "--user"
	capture hull exec --additional-gids 9 "$ID" true
	[[ $stderr == *"  option  --additional-gids"* ]] || report "--additional-gids"
	hull delete --force "$ID"
	hull_wait
}

@test "an id that is taken" {
	mkdir -m 700 "$STATE" "$STATE/$ID"
	need_root
	capture hull run -b "$BUNDLE" "$ID"
	expect_error "container '$ID' exists already"
	[[ $stderr == *"hint    choose another id, or remove it: hull delete $ID, with --force if it is running" ]] ||
		report "hint"
	rmdir "$STATE/$ID"
}

@test "spec --terminal: a terminal of its own, else the same template" {
	capture hull spec --file -
	cp "$T/stdout" "$T/plain"
	capture hull spec --terminal --file -
	diff <(jq -S '.process.terminal = true' "$T/plain") <(jq -S . "$T/stdout")
	capture hull spec --rootless --terminal --file -
	jq -e '.process.terminal and (.linux.uidMappings | length == 1)' "$T/stdout"
}

@test "warnings of a container that is left go to the log or to a terminal, and the help says so" {
	need_root
	config '.seccomp = {}'
	capture hull run --detach -b "$BUNDLE" "$ID"
	[[ $status == 0 && -z $output && -z $stderr ]] || report "nothing for an engine to read"
	hull delete --force "$ID"
	capture "$HULL" --root "$STATE" --log "$T/log" --log-format json create -b "$BUNDLE" "$ID"
	[[ $status == 0 && -z $output && -z $stderr ]] || report "nothing for an engine to read"
	jq -e '.level == "warning" and .hint == "did you mean '\''linux.seccomp'\''?"' "$T/log"
	hull delete --force "$ID"
	capture "$HULL" create --help
	expect_match '^create returns while the container waits, '
	capture "$HULL" run --help
	expect_match "^container's then: warnings go to --log"
}

@test "a sysctl that is nearly one that can be set has its name as the hint, another one has none" {
	config '.linux.sysctl = {"kernel.shm_rmid_force": "1"}'
	capture hull run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error 'this sysctl belongs to no namespace'
	expect_error "hint: +did you mean 'kernel.shm_rmid_forced'"
	config '.linux.sysctl = {"kernel.pid_max": "1"}'
	capture hull run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error 'hint: +only net'
	[[ $stderr != *"did you mean"* ]] || report "no such sysctl can be set"
}

@test "a pid file or a log in a directory that is not there says that it must exist" {
	need_root
	capture hull run --pid-file "$T/none/pid" -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "cannot write the pid file '$T/none/pid'"
	expect_error '^  hint +its directory must exist'
	capture "$HULL" --root "$STATE" --log "$T/none/log" run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "cannot open the log '$T/none/log'"
	expect_error '^  hint +its directory must exist'
	assert_clean
}

@test "a mount option or a file system of nearly a known name" {
	need_root
	add_mount '{ "destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["noxec", "nosuid"] }'
	hull_run
	expect 1
	expect_error "hint    did you mean 'noexec'?"
	config '.mounts[-1] |= (.type = "tmpsf" | .options = [])'
	hull_run
	expect 1
	expect_error "hint    did you mean 'tmpfs'?"
	config '.mounts[-1] |= (.type = "none" | .options = ["ro"])'
	hull_run
	expect 1
	expect_error "hint    a bind mount has the option bind or rbind"
	assert_clean
}
