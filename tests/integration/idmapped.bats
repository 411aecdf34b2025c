#!/usr/bin/env bats
# Id-mapped bind mounts (S-084 to S-088): whose files are whose inside, and whose on the host.

load ../lib

setup() {
	need_root
	hull_setup
	mkdir -m 777 "$T/data"
	touch "$T/data/root" "$T/data/seven"
	chown 7:8 "$T/data/seven"
	# Shown inside: name, owner, group of each file.
	script 'cd /data && touch new && for f in root seven new; do stat -c "%n %u:%g" $f; done'
}

teardown() {
	[[ -z ${BELOW:-} ]] || umount "$BELOW" 2>/dev/null || true
	[[ -z ${HELPER:-} ]] || kill -KILL "$HELPER" 2>/dev/null || true
	hull_teardown
}

# volume OPTION...: the bind mount; `map FROM TO SIZE...` before gives it maps of its own.
volume() {
	config --arg dir "$T/data" --arg words "$*" '.mounts += [{destination: "/data", source: $dir,
		options: ($words | split(" "))} + (.own // {})] | del(.own)'
}

map() {
	local lines
	lines=$(jq -cn '[$ARGS.positional | _nwise(3) |
		{containerID: .[0], hostID: .[1], size: .[2]}]' --jsonargs -- "$@")
	config --argjson lines "$lines" '.own = {uidMappings: $lines, gidMappings: $lines}'
}

# userns FROM TO SIZE: of the container, whose image then belongs to it.
userns() {
	config --argjson from "$1" --argjson to "$2" --argjson size "$3" '
		.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: $from, hostID: $to, size: $size}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -hR "$2:$2" "$BUNDLE/rootfs"
}

map_helper() {
	{ echo 0 100000 1000 >"/proc/$HELPER/gid_map" && echo 0 100000 1000 >"/proc/$HELPER/uid_map"; } 2>/dev/null
}

# on_host FILE: its owner there, which must not have changed by being shown otherwise.
on_host() {
	stat -c '%u:%g' "$T/data/$1"
}

# This host's file system for the tests must be able to; those without are tested for the refusal.
run_mapped() {
	hull_run
	if grep -q 'cannot map ids on this kernel' "$T/stderr"; then
		skip "a file system without id-mapped mounts"
	fi
}

@test "S-084: with maps of the mount's own, without a user namespace" {
	map 0 1000 1 7 1007 2
	volume bind idmap
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {}'
	run_mapped
	expect 0 $'root 1000:1000\nseven 1007:1008\nnew 1000:1000'
	[[ $(on_host new) == 0:0 && $(on_host seven) == 7:8 ]] || fail "on the host: $(ls -ln "$T/data")"
	assert_clean
}

@test "S-084: an id that is not in the map belongs to nobody, and can make nothing" {
	map 0 1000 1
	volume bind idmap
	run_mapped
	expect_error "touch: new: Value too large"
	[[ ! -e $T/data/new ]] || fail "it was made"
	script 'stat -c "%u:%g" /data/root /data/seven'
	hull_run
	expect 0 $'1000:1000\n65534:65534'
	assert_clean
}

@test "S-085: idmap without maps is the container's user namespace" {
	userns 0 100000 65536
	volume bind idmap
	run_mapped
	expect 0 $'root 0:0\nseven 7:8\nnew 0:0'
	[[ $(on_host new) == 0:0 && $(on_host seven) == 7:8 ]] || fail "on the host: $(ls -ln "$T/data")"
	# The control: without it they are nobody's.
	rm "$T/data/new"
	config 'del(.mounts[-1].options[1])'
	hull_run
	expect 0 $'root 65534:65534\nseven 65534:65534\nnew 0:0'
	[[ $(on_host new) == 100000:100000 ]] || fail "on the host: $(ls -ln "$T/data")"
	assert_clean
}

@test "S-084: with maps of the mount's own and a user namespace" {
	userns 0 100000 65536
	map 0 107000 10
	volume bind ridmap
	run_mapped
	expect_error "touch: new: Value too large" # root of the container is none of its ids
	script 'stat -c "%u:%g" /data/root /data/seven; chown 7000:7000 /data/seven 2>/dev/null || echo refused
		stat -c "%u:%g" /data/root'
	hull_run
	expect 0 $'7000:7000\n7007:7008\n7000:7000'
	assert_clean
}

@test "S-085: idmap without maps, in a user namespace that is joined" {
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	unshare --user sleep 60 </dev/null >/dev/null 2>&1 3>&- &
	HELPER=$!
	wait_for has_executed "$HELPER" && wait_for map_helper || fail "no user namespace"
	config --arg path "/proc/$HELPER/ns/user" '.linux.namespaces += [{type: "user", path: $path}]'
	volume bind idmap
	run_mapped
	expect 0 $'root 0:0\nseven 7:8\nnew 0:0'
	assert_clean
}

@test "S-086: ridmap is for the mounts below, too, idmap is not" {
	mkdir "$T/data/below"
	BELOW=$T/data/below
	mount -t tmpfs below "$BELOW"
	touch "$BELOW/file"
	host_mounts >"$T/mountinfo"
	map 0 1000 10
	volume rbind idmap
	script 'stat -c "%u:%g" /data/root /data/below/file'
	run_mapped
	expect 0 $'1000:1000\n0:0'
	config '.mounts[-1].options = ["rbind", "ridmap"]'
	hull_run
	expect 0 $'1000:1000\n1000:1000'
	assert_clean
}

@test "S-088: maps without the option mean it; attributes are set besides" {
	map 0 1000 10
	volume bind ro nosuid
	script 'stat -c "%u:%g" /data/root; grep -o " /data [a-z]* ro,nosuid.*idmapped" /proc/mounts | cut -d, -f1
		touch /data/new 2>/dev/null || echo refused'
	run_mapped
	expect 0 $'1000:1000\n /data tmpfs ro\nrefused'
	assert_clean
}

@test "what cannot be mapped is refused, and nothing starts" {
	map 0 1000 10
	config '.mounts += [{destination: "/data", source: "/sys", options: ["rbind", "idmap"]} + .own] | del(.own)'
	script 'echo ran'
	hull_run
	expect 1 ""
	expect_error "cannot map the ids of '/sys' for '/data'"
	expect_error "hint +its file system, .* cannot map ids on this kernel"
	expect_error "config +config.json:.*options"
	config 'del(.mounts[-1].uidMappings, .mounts[-1].gidMappings)'
	hull_run
	expect 1 ""
	expect_error "an id-mapped mount without a map"
	expect_error "give it uidMappings and gidMappings, or the container a user namespace"
	config '.mounts[-1] = {destination: "/data", type: "tmpfs", options: ["idmap"]}'
	hull_run
	expect 1 ""
	expect_error "an id-mapped mount without a map"
	config '.mounts[-1] = {destination: "/data", type: "proc", options: ["idmap"]}'
	hull_run
	expect 1 ""
	expect_error "only a bind mount or a file system with files of its own can be id-mapped"
	assert_clean
}

@test "S-089: a new tmpfs, with maps of its own, and with those of the container" {
	config '.mounts += [{destination: "/data", type: "tmpfs", options: ["idmap", "nosuid", "mode=0777"]}]
		| .mounts[-1].uidMappings = [{containerID: 0, hostID: 1000, size: 10}]
		| .mounts[-1].gidMappings = [{containerID: 0, hostID: 2000, size: 10}]'
	script 'stat -c "%a %u:%g" /data; touch /data/x 2>/dev/null || echo "no id for it"
		grep -c " /data .*nosuid.*idmapped.* - tmpfs" /proc/self/mountinfo'
	run_mapped
	expect 0 $'777 1000:2000\nno id for it\n1'
	config '.process.user = {uid: 1000, gid: 2000} | .process.capabilities = {}'
	script 'touch /data/x; stat -c "%u:%g" /data/x'
	hull_run
	expect 0 1000:2000
	userns 0 100000 65536
	config '.process.user = {uid: 0, gid: 0} | del(.mounts[-1].uidMappings, .mounts[-1].gidMappings)'
	script 'touch /data/x; stat -c "%u:%g" /data /data/x'
	hull_run
	expect 0 $'0:0\n0:0'
	assert_clean
}

@test "S-090: the maps in the option, of the host's ids or with @ of the container's" {
	volume bind 'idmap=uids=0-1000-1#7-1007-1;gids=0-2000-10'
	config '.process.user = {uid: 1000, gid: 2000} | .process.capabilities = {}'
	run_mapped
	expect 0 $'root 1000:2000\nseven 1007:2008\nnew 1000:2000'
	[[ $(on_host new) == 0:0 && $(on_host seven) == 7:8 ]] || fail "on the host: $(ls -ln "$T/data")"
	config '.mounts[-1].options[1] = "idmap=uids=@0-0-1;gids=@0-0-1"'
	hull_run
	expect 1 ""
	expect_error "'@0-0-1' is not within one line of the container's map"
	rm "$T/data/new"
	userns 0 100000 65536
	config '.process.user = {uid: 0, gid: 0}
		| .mounts[-1].options[1] = "ridmap=uids=@0-0-1#@7-70-1;gids=@0-0-1#@8-80-1"'
	hull_run
	expect 0 $'root 0:0\nseven 70:80\nnew 0:0'
	[[ $(on_host new) == 0:0 && $(on_host seven) == 7:8 ]] || fail "on the host: $(ls -ln "$T/data")"
	assert_clean
}

@test "S-084: without privilege on the host it is refused" {
	userns 0 54321 1
	map 0 54321 1
	volume bind idmap
	script 'echo ran'
	config 'del(.linux.cgroupsPath)'
	chown -hR 54321:54321 "$T"
	chmod 755 "$T"
	cp "$HULL" "$T/hull"
	capture setpriv --reuid 54321 --regid 54321 --clear-groups env -i XDG_RUNTIME_DIR="$T" \
		timeout 20 "$T/hull" run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "an id-mapped mount needs privilege on the host"
	assert_clean
}

# As a container of docker's with --cap-add SYS_ADMIN has them, or a bounded systemd unit.
@test "hull that may not look into other processes maps ids, and makes user namespaces" {
	local few=(setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace)
	map 0 100000 10
	volume rbind idmap
	script 'stat -c %u:%g /data/root /data/seven'
	capture "${few[@]}" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0
	local seen=$output
	hull_run
	expect 0 "$seen"
	config 'del(.mounts[-1])'
	userns 0 100000 1000
	script 'stat -c %u:%g /sys/class/net/lo/mtu'
	capture "${few[@]}" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 0:0
	assert_clean
}
