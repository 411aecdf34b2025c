# 6. Mounts
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

words() {
	jq -nc '$ARGS.positional' --args -- "$@"
}

# tmpfs_with OPTION...: for each one a tmpfs at /m/OPTION that has it.
tmpfs_with() {
	config --argjson words "$(words "$@")" '.mounts += [$words[] |
		{destination: "/m/\(.)", type: "tmpfs", source: "x", options: [.]}]'
}

# The mounts of the container below /m, as `destination: options; propagation; options of the fs`.
list_mounts='awk "\$5 ~ \"^/m\" { tag = \"\"; for (i = 7; \$i != \"-\"; i++) tag = tag \$i \" \"
	print \$5 \": \" \$6 \"; \" tag \"; \" \$NF }" /proc/self/mountinfo'

lists() {
	script "$list_mounts"
	run
	expect 0
}

# has DESTINATION WORD, hasnt DESTINATION WORD: among what `lists` has printed of it, the last one.
has() {
	local line
	line=$(grep "^$1: " "$T/stdout" | tail -n 1)
	[[ $line =~ [\ ,\;]$2([,\;:\ ]|$) ]] || fail "$1 has no $2: $line"
}

hasnt() {
	! (has "$@") 2>/dev/null || fail "$1 has $2"
}

# bind [OPTION...]: of the host's directory $T/src, at /m. A mount below it, sub, has what `below` says.
bind() {
	config --arg src "$T/src" --argjson words "$(words "$@")" \
		'.mounts += [{destination: "/m", type: "bind", source: $src, options: $words}]'
}

source_with() {
	mkdir -p "$T/src/sub"
	mount -t tmpfs -o "$1" x "$T/src"
	mkdir "$T/src/sub" 2>/dev/null || { mount -o remount,rw "$T/src" && mkdir "$T/src/sub"; }
	mount -t tmpfs -o "$1" x "$T/src/sub"
	mount -o "remount,$1" "$T/src"
}

source_away() {
	umount "$T/src/sub" "$T/src"
}

rule S-066 MUST - "mounts are made in the listed order" "a tmpfs at /m, then another on it, then a bind below"
S_066() {
	mkdir "$BUNDLE/one"
	touch "$BUNDLE/one/of-the-bind"
	add_mount '{"destination": "/m", "type": "tmpfs", "source": "first", "options": ["size=8k"]}'
	add_mount '{"destination": "/m", "type": "tmpfs", "source": "second", "options": ["size=16k"]}'
	add_mount '{"destination": "/m/sub", "source": "one", "options": ["bind"]}'
	script 'awk "\$5 == \"/m\" { print \$(NF - 1) }" /proc/self/mountinfo; ls /m/sub'
	prints $'first\nsecond\nof-the-bind'
}

rule S-067 SHOULD - "destination is absolute; a relative one is relative to /" "destination m/sub, working directory /tmp"
S_067() {
	config '.process.cwd = "/tmp"'
	add_mount '{"destination": "m/sub", "type": "tmpfs", "source": "x", "options": []}'
	script 'grep -c " /m/sub " /proc/self/mountinfo'
	prints 1
}

rule S-068 MUST - "a bind's source may be relative to the bundle; bind or rbind in options makes it one" \
	"source one, from another directory: type none, bind, absent; an absolute source"
S_068() {
	local type
	mkdir "$BUNDLE/one"
	echo bound >"$BUNDLE/one/file"
	program /bin/cat /m/file
	cd /
	for type in '"type": "none",' '"type": "bind",' ''; do
		changed .
		add_mount "{\"destination\": \"/m\", $type \"source\": \"one\", \"options\": [\"bind\"]}"
		prints bound
		unchanged
	done
	add_mount "{\"destination\": \"/m\", \"source\": \"$BUNDLE/one\", \"options\": [\"rbind\"]}"
	prints bound
}

rule S-069 MUST - "type is a file system of the kernel's" "tmpfs, mqueue, ramfs, devpts; one that is not there"
S_069() {
	local type
	for type in tmpfs mqueue ramfs devpts; do
		add_mount "{\"destination\": \"/m/$type\", \"type\": \"$type\", \"source\": \"x\"}"
	done
	script 'awk "\$5 ~ \"^/m/\" { for (i = 7; \$i != \"-\"; i++); print \$(i + 1) }" /proc/self/mountinfo'
	prints $'tmpfs\nmqueue\nramfs\ndevpts'
	refuses '.mounts += [{"destination": "/m", "type": "nosuchfs", "source": "x"}]' 'mounts[11]'
}

rule S-070 SHOULD - "an option that is not known is data of the file system's" \
	"size=64k and mode=700 of a tmpfs; one that the file system does not know either"
S_070() {
	add_mount '{"destination": "/m", "type": "tmpfs", "source": "x", "options": ["size=64k", "nosuid", "mode=700"]}'
	lists
	has /m size=64k
	has /m mode=700
	has /m nosuid
	saw "$(grep ^/m "$T/stdout" | sed 's/.*; /of the fs: /; s/,inode64//')"
	refuses '.mounts += [{"destination": "/m", "type": "tmpfs", "source": "x", "options": ["no-such-word"]}]' \
		'mounts[8].options'
}

rule S-071 INFO - "data options of a bind, which the kernel would not look at (newer runcs refuse them)" \
	"a bind with size=1k"
S_071() {
	mkdir -p "$T/src"
	bind bind size=1k
	refused 'mounts[7]'
}

rule S-072 SHOULD crun "of options that contradict each other the last one is valid, as for mount(8)" \
	"ro rw; rw ro; nosuid suid; exec noexec; noatime atime"
S_072() {
	config '.mounts += ([["ro", "rw"], ["rw", "ro"], ["nosuid", "suid"], ["exec", "noexec"], ["noatime", "atime"]] |
		map({destination: "/m/\(.[1])", type: "tmpfs", source: "x", options: .}))'
	lists
	has /m/rw rw
	has /m/ro ro
	hasnt /m/suid nosuid
	has /m/noexec noexec
	hasnt /m/atime noatime
	saw "rw, ro, suid, noexec, atime"
}

rule S-073 MUST - "the options that every runtime knows" \
	"each on a tmpfs of its own (bind, rbind and remount on binds), and what the kernel then says of it"
S_073() {
	local word
	tmpfs_with async atime dev diratime dirsync exec noatime nodev nodiratime noexec norelatime \
		nostrictatime nosuid private relatime ro rprivate rshared rslave runbindable rw shared slave \
		strictatime suid sync unbindable
	mkdir -p "$T/src"
	config --arg src "$T/src" '.mounts += [
		{destination: "/m/bind", source: $src, options: ["bind", "ro"]},
		{destination: "/m/rbind", source: $src, options: ["rbind"]},
		{destination: "/m/rw", type: "tmpfs", source: "x", options: ["remount", "nosuid"]}]'
	lists
	for word in dirsync noatime nodev nodiratime noexec nosuid relatime ro rw sync unbindable; do
		has "/m/$word" "$word"
	done
	for word in shared rshared; do
		has "/m/$word" shared
	done
	for word in private rprivate slave rslave; do
		hasnt "/m/$word" shared
	done
	has /m/runbindable unbindable
	for word in dev exec suid diratime; do
		hasnt "/m/$word" "no$word"
	done
	hasnt /m/atime noatime
	hasnt /m/strictatime relatime
	hasnt /m/async sync
	has /m/nostrictatime relatime
	has /m/bind ro
	has /m/rbind rw
	has /m/rw nosuid
	saw "mountinfo has what each one says"
}

# takes FLAG...: a tmpfs and a bind with it; of the file system's flags mountinfo says nothing.
takes() {
	local word
	mkdir -p "$T/src"
	for word in "$@"; do
		changed .
		tmpfs_with "$word"
		bind bind "$word"
		lists
		has "/m/$word" rw
		saw "$word: mounted"
		unchanged
	done
}

rule S-074 MUST runc "option defaults" "on a tmpfs, on a bind, and behind ro"
S_074() {
	takes defaults
	add_mount '{"destination": "/m", "type": "tmpfs", "source": "x", "options": ["ro", "nosuid", "defaults"]}'
	lists
	has /m nosuid
	saw "nosuid before it stays"
}

rule S-075 MUST crun "options iversion and noiversion" "each on a tmpfs and on a bind"
S_075() {
	takes iversion noiversion
}

rule S-076 MUST - "options lazytime and nolazytime" "each on a tmpfs and on a bind; the kernel shows lazytime"
S_076() {
	takes lazytime nolazytime
	tmpfs_with lazytime
	lists
	has /m/lazytime lazytime
	saw "lazytime is there"
}

rule S-077 MUST crun "options silent and loud" "each on a tmpfs and on a bind"
S_077() {
	takes silent loud
}

rule S-078 MAY - "options mand and nomand" "each on a tmpfs and on a bind"
S_078() {
	takes mand nomand
}

rule S-079 SHOULD crun "options nosymfollow and symfollow" \
	"each on a tmpfs, where a link is followed; both, in that order"
S_079() {
	config '.mounts += ([["nosymfollow"], ["symfollow"], ["nosymfollow", "symfollow"]] | to_entries |
		map({destination: "/m/\(.key)", type: "tmpfs", source: "x", options: .value}))'
	script 'for i in 0 1 2; do echo text >/m/$i/file; ln -s file /m/$i/link
		cat /m/$i/link 2>/dev/null || echo "not followed"; done'
	prints $'not followed\ntext\ntext'
}

# recursive OPTION OF WORD: a bind and the mount below it have WORD (or !WORD: have it not), where the
# host has both mounted with OF.
recursive() {
	local path
	source_with "$2"
	changed .
	bind rbind "$1"
	lists
	for path in /m /m/sub; do
		if [[ $3 == !* ]]; then hasnt "$path" "${3#!}"; else has "$path" "$3"; fi
	done
	saw "$1: $3"
	unchanged
	source_away
}

rule S-080 SHOULD - "recursive options: rro rrw rnosuid rsuid rnodev rdev rnoexec rexec" \
	"each on a bind of a mount and one below it, which have the opposite on the host"
S_080() {
	recursive rro rw ro
	recursive rrw ro rw
	recursive rnosuid suid nosuid
	recursive rsuid nosuid '!nosuid'
	recursive rnodev dev nodev
	recursive rdev nodev '!nodev'
	recursive rnoexec exec noexec
	recursive rexec noexec '!noexec'
}

rule S-081 SHOULD - "recursive options of access times" \
	"rnoatime ratime rrelatime rnorelatime rstrictatime rnostrictatime rnodiratime rdiratime, as before"
S_081() {
	recursive rnoatime relatime noatime
	recursive ratime noatime '!noatime'
	recursive rrelatime noatime relatime
	recursive rnorelatime relatime '!noatime'
	recursive rstrictatime noatime '!(noatime|relatime)'
	recursive rnostrictatime strictatime '!noatime'
	recursive rnodiratime diratime nodiratime
	recursive rdiratime nodiratime '!nodiratime'
}

rule S-082 SHOULD crun "recursive options rnosymfollow and rsymfollow" "as before"
S_082() {
	recursive rnosymfollow rw nosymfollow
	recursive rsymfollow nosymfollow '!nosymfollow'
}

rule S-083 MAY - "option tmpcopyup: a tmpfs has what the directory below it has" \
	"on a directory with a file and a link; the image stays as it was"
S_083() {
	mkdir "$BUNDLE/rootfs/data"
	echo text >"$BUNDLE/rootfs/data/file"
	ln -s file "$BUNDLE/rootfs/data/link"
	add_mount '{"destination": "/data", "type": "tmpfs", "source": "x", "options": ["tmpcopyup"]}'
	script 'cat /data/link; echo more >/data/file; cat /data/link'
	prints $'text\nmore'
	same "the image" "$(<"$BUNDLE/rootfs/data/file")" text
}

# owned_data: files of 0 and 7 on the host; the script prints whose they are at /m, and of a new one.
owned_data() {
	mkdir -p "$T/src"
	chmod 777 "$T/src"
	touch "$T/src/zero" "$T/src/seven"
	chown 7:7 "$T/src/seven"
	script 'cd /m && stat -c "%n %u:%g" zero seven'
}

maps='{uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}'

mapped_bind() {
	config --arg src "$T/src" --argjson words "$(words "$@")" '.mounts += [{destination: "/m",
		type: "bind", source: $src, options: $words} + (.own // {})] | del(.own)'
}

# userns: a user namespace whose 0 is the host's 100000, and the image is its.
userns() {
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T"
}

rule S-084 SHOULD - "idmap and ridmap: the mount is id-mapped, by its own mappings where it has them" \
	"files of 0 and 7, mapped to 1000 and 1007"
S_084() {
	owned_data
	config ".own = $maps"
	mapped_bind bind idmap
	prints $'zero 1000:1000\nseven 1007:1007'
	same "on the host" "$(stat -c '%u:%g' "$T/src/seven")" 7:7
}

rule S-085 MAY/MUST - "idmap without mappings: those of the container's user namespace; without one, an error" \
	"in a user namespace; without"
S_085() {
	owned_data
	mapped_bind bind idmap
	refused 'mounts[7]'
	userns
	prints $'zero 0:0\nseven 7:7'
}

rule S-086 SHOULD - "ridmap is recursive" "a mount below the bind: ridmap, idmap"
S_086() {
	owned_data
	mkdir "$T/src/sub"
	mount -t tmpfs x "$T/src/sub"
	script 'stat -c "%u" /m /m/sub'
	changed "$(printf '.own = %s' "$maps")"
	mapped_bind rbind ridmap
	prints $'1000\n1000'
	unchanged
	config ".own = $maps"
	mapped_bind rbind idmap
	prints $'1000\n0'
}

rule S-087 MUST - "uidMappings and gidMappings of a mount only together" "one of them, each"
S_087() {
	owned_data
	mapped_bind bind idmap
	refuses ".mounts[7] += ($maps | del(.gidMappings))" 'mounts[7]'
	refuses ".mounts[7] += ($maps | del(.uidMappings))" 'mounts[7]'
}

rule S-088 SHOULD - "mappings without the option idmap (a rule for authors); they mean it" \
	"mappings, and no idmap in options"
S_088() {
	owned_data
	config ".own = $maps"
	mapped_bind bind
	prints $'zero 1000:1000\nseven 1007:1007'
}

rule S-089 SHOULD - "id-mapped mounts that are no binds" "a tmpfs with mappings, without and with idmap"
S_089() {
	config ".mounts += [{destination: \"/m\", type: \"tmpfs\", source: \"x\", options: [\"idmap\"]} + $maps]"
	script 'stat -c "%u:%g" /m; touch /m/x 2>/dev/null && echo made || echo "no id for it"'
	prints $'1000:1000\nno id for it'
}

rule S-090 MAY - "options of a runtime's own: crun's maps in the option idmap, which hull has, too; others of a bind are errors" \
	"idmap=uids=0-1000-10;gids=0-1000-10; no-such-word"
S_090() {
	owned_data
	changed .
	mapped_bind bind 'idmap=uids=0-1000-10;gids=0-1000-10'
	prints $'zero 1000:1000\nseven 1007:1007'
	unchanged
	bind bind no-such-word
	refused 'mounts[7]'
}

rule S-091 SHOULD - "/proc, /sys, /dev/pts and /dev/shm are there (by the config's mounts)" \
	"their file systems, seen from inside"
S_091() {
	script 'for p in /proc /sys /dev/pts /dev/shm; do
		awk -v p=$p "\$5 == p { for (i = 7; \$i != \"-\"; i++); print p, \$(i + 1) }" /proc/self/mountinfo; done'
	prints $'/proc proc\n/sys sysfs\n/dev/pts devpts\n/dev/shm tmpfs'
}
